"""Data: sources of batches, tables, splits and checks, bundled sets, and the official sets by their files."""

from typing import TYPE_CHECKING

from lensgrad.core.doors import door
from lensgrad.data.check import check, unseen
from lensgrad.data.mapped import mapped
from lensgrad.data.source import ArraySource, Source, source, transform
from lensgrad.data.split import Scale, split, standardize
from lensgrad.data.stream import IteratorSource

if TYPE_CHECKING:
    from lensgrad.data.bundled import Dataset, Graph, cora, digits, iris, monk, one_hot
    from lensgrad.data.encode import Encoder, encoder
    from lensgrad.data.mix import mixup
    from lensgrad.data.official import cifar10, fashion_mnist, mnist, shakespeare
    from lensgrad.data.pictures import folder
    from lensgrad.data.tables import csv, table
    from lensgrad.data.text import Characters, pad, windows

__all__ = [
    "ArraySource", "Characters", "Dataset", "Encoder", "Graph", "IteratorSource", "Scale", "Source", "check", "cifar10", "cora", "csv",
    "digits", "encoder", "fashion_mnist", "folder", "iris", "mapped", "mixup", "mnist", "monk", "one_hot", "pad", "shakespeare", "source",
    "split", "standardize", "table", "transform", "unseen", "windows",
]  # fmt: skip

if not TYPE_CHECKING:
    # Data sets, tables, text and pictures are imported by those who ask for them; training needs sources and checks only.
    LATER = {
        "bundled": ["Dataset", "Graph", "cora", "digits", "iris", "monk", "one_hot"],
        "encode": ["Encoder", "encoder"],
        "mix": ["mixup"],
        "official": ["cifar10", "fashion_mnist", "mnist", "shakespeare"],
        "pictures": ["folder"],
        "tables": ["csv", "table"],
        "text": ["Characters", "pad", "windows"],
    }
    __getattr__, __dir__ = door(__name__, LATER, __all__)
