"""Ways back other than R."""
