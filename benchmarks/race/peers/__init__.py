"""A file for each library. Each has `PACKAGES`, and `make(workload, variant, data, start)`, which gives a peer of `contract.py`."""
