"""PyTorch modules as arrows, and arrows as PyTorch modules."""
