"""Arrows as ONNX files: a table of what generators mean there, and the files that are made of it."""
