"""What the operators of ONNX mean: a table of functions from a node to wires in each module."""
