"""What runs as compiled C."""
