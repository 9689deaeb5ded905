"""Programs: an arrow with names, ready to run; values, sources and summaries."""
