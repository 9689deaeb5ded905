"""Files of runs: learners as plain data, read and written without running anything."""
