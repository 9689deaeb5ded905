"""Training steps of this library beside its peers: the same workloads, data and first values, in one interleaved run."""
