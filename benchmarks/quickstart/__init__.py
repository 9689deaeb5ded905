"""The README's network on digits by three libraries: a script for each, and how long it takes to its answer."""
