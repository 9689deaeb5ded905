"""Data: sources of batches, tables, splits and checks, bundled sets, and the official sets by their files."""

from lensgrad.run.data.bundled import Dataset, Graph, cora, digits, iris, monk, one_hot
from lensgrad.run.data.check import check, unseen
from lensgrad.run.data.encode import Encoder, encoder
from lensgrad.run.data.mapped import mapped
from lensgrad.run.data.mix import mixup
from lensgrad.run.data.official import cifar10, fashion_mnist, mnist, shakespeare
from lensgrad.run.data.source import ArraySource, Source, source, transform
from lensgrad.run.data.split import Scale, split, standardize
from lensgrad.run.data.stream import IteratorSource
from lensgrad.run.data.table import csv, table
from lensgrad.run.data.text import Characters, pad, windows

__all__ = [
    "ArraySource", "Characters", "Dataset", "Encoder", "Graph", "IteratorSource", "Scale", "Source", "check", "cifar10", "cora", "csv",
    "digits", "encoder", "fashion_mnist", "iris", "mapped", "mixup", "mnist", "monk", "one_hot", "pad", "shakespeare", "source", "split",
    "standardize", "table", "transform", "unseen", "windows",
]  # fmt: skip
