"""Pages to look around in: one HTML file with the diagram of what was composed and the records of a run, and nothing from elsewhere."""
