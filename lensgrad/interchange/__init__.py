"""Networks from and to other people's formats: ONNX, PyTorch, JAX and StableHLO."""
