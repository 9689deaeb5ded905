"""Programs: arrows with names, ready to run."""
