"""ONNX files as arrows, and arrows as ONNX files. Importing the package `onnx` is left to the functions that need it."""
