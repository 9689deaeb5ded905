"""Data sets: small ones bundled, with their licences."""

from lensgrad.run.data.bundled import Dataset, iris, one_hot

__all__ = ["Dataset", "iris", "one_hot"]
