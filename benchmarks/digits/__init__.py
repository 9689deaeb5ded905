"""Peers of the gate networks on MNIST, and the picture of all."""
