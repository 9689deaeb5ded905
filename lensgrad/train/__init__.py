"""Training: learners, the loop and what stands around it, and runs."""
