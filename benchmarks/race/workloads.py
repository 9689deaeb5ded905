"""The workloads: what is trained, on how much data, and how much arithmetic a step of it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Optimizer:
    """How weights move: a kind that every library has, and its numbers."""

    kind: str  # sgd, adam or adamw
    rate: float
    momentum: float = 0.0
    decay: float = 0.0


@dataclass(frozen=True)
class Workload:
    """One task, the same for all who race."""

    name: str
    title: str
    about: str  # a sentence
    batch: int
    steps: int  # of an epoch, each with a batch of its own
    optimizer: Optimizer
    operations: float  # of a step, in floating point, where a multiply-add is two
    check: int  # steps, a whole number of epochs, after which losses are compared
    digits: int = 5  # to which the losses must agree
    at_once: int = 1  # epochs that may be one call, for who can make one program of many steps
    predicts: bool = False  # whether predicting is measured too
    heavy: bool = False  # whether a step takes so long that few are measured


@dataclass(frozen=True)
class Gpt:
    """The sizes of W5."""

    layers: int = 4
    width: int = 128
    heads: int = 4
    context: int = 128
    vocabulary: int = 65


@dataclass(frozen=True)
class Graph:
    """The sizes of W6, which are those of Cora."""

    nodes: int = 2708
    edges: int = 5429
    features: int = 1433
    hidden: int = 16
    classes: int = 7
    known: int = 140  # nodes whose labels are seen


GPT, GRAPH = Gpt(), Graph()
LSTM_WIDTH, LSTM_STEPS, LETTERS = 256, 64, 65
STAGES = ((64, 1), (128, 2), (256, 2), (512, 2))  # of ResNet-18: channels, and the stride of its first block

PAPER_NET = "3×3 1→3, relu, pool 2, 4×4 3→5, relu, pool 2, dense 125→10 with sigmoids; ½ Σ (ŷ − y)²; momentum 0.1"

WORKLOADS = {
    w.name: w
    for w in (
        Workload("W1", "Iris, batch 1", "4-20-3 with sigmoids; ½ Σ (ŷ − y)²; plain descent. A chain of dependent operations, not "
                 "arithmetic, is its limit.", 1, 150, Optimizer("sgd", 0.01), 1.2e3, 600, at_once=50),
        Workload("W2", "the paper's conv net, batch 1", f"{PAPER_NET}.", 1, 256, Optimizer("sgd", 0.01, 0.1), 0.22e6, 256, at_once=4,
                 predicts=True),
        Workload("W2b", "the paper's conv net, batch 128", f"{PAPER_NET}.", 128, 16, Optimizer("sgd", 0.01, 0.1), 28.7e6, 16),
        Workload("W3", "MLP, Adam, batch 128", "784-512-512-10 with relu; cross-entropy. A few steps after those that are "
                 "compared the paths of all float32 programs part.", 128, 16, Optimizer("adam", 1e-3), 411e6, 16, at_once=4, predicts=True),
        Workload("W4", "ResNet-18, batch 64", "In the form for 32×32 images; cross-entropy; momentum 0.9. The operations are those of "
                 "direct convolution.", 64, 4, Optimizer("sgd", 0.05, 0.9), 213e9, 4, 4, heavy=True),
        Workload("W5", "GPT, batch 16", "4 layers, width 128, 4 heads, context 128, 65 letters; cross-entropy; AdamW.", 16, 8,
                 Optimizer("adamw", 1e-3, decay=0.1), 10.8e9, 8, 4, predicts=True),
        Workload("W6", "graph network, full batch", "Two graph convolutions 1433-16-7 on a graph of Cora's size, features dense; "
                 "cross-entropy of 140 nodes; Adam.", 2708, 1, Optimizer("adam", 0.01), 250e6, 20, at_once=10),
        Workload("W7", "LSTM, batch 32", "256 units over 64 letters; cross-entropy; Adam.", 32, 16, Optimizer("adam", 1e-3), 6.65e9, 16),
    )
}  # fmt: skip
