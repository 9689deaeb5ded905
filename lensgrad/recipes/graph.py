"""Cora: the graph convolutional network of arXiv 1609.02907, and its standard split of papers into known and unknown subjects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from lensgrad.cat.names import Where, weights
from lensgrad.core.diagram import Diagram, Family
from lensgrad.core.errors import BadValue
from lensgrad.core.ty import Ty, product
from lensgrad.data.bundled import CORA_CLASSES, Graph, cora
from lensgrad.learn import init
from lensgrad.learn.layers.combine import beside
from lensgrad.learn.layers.dropout import dropout
from lensgrad.learn.layers.graph import graph_conv, mixed
from lensgrad.learn.layers.parts import fill, layer, weight
from lensgrad.learn.losses import cross_entropy
from lensgrad.learn.model import Model, para, parametric
from lensgrad.learn.optimizers import Optimizer, adam, chain, weight_decay
from lensgrad.program.values import Values
from lensgrad.recipes.recipe import Data, Plan, Recipe, Sampling, likeliest, softmax
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Int, Real
from lensgrad.train.learner import Learner, supervised
from lensgrad.train.run import Run

INPUTS = ("counts", "papers", "words", "sources", "targets", "links")
PENALTY = 5e-4  # on the first weight
DTYPES = {"f": "float32", "i": "int32", "b": "bool"}


def words_conv(units: int, papers: int, words: int, name: str = "") -> Family:
    """relu(Â X W + β) : X ⊗ Â → ℝ^(papers, units) ⊗ Â, W : (words, units), where X stands as its entries that are not 0.

    Those are values ℝ^E, rows I32^E and columns I32^E: a hundredth of the matrix. Â stands as its entries, as in `graph_conv`.
    """

    def build(dom: Ty) -> Model:
        ports = [weight("weight", Real(words, units), init.glorot), weight("bias", Real(units), init.zeros)]

        def body(w: Any, shift: Any, given: Any) -> Any:
            values, rows, columns, *graph = given
            sent = ops.take(w, columns)
            y = mixed(ops.scatter_add(papers, rows, sent * ops.spread(values, sent.atom.shape, (0,))), graph)
            return ops.relu(y + fill(shift, y)), *graph

        return parametric(ports, dom, body)

    return layer("words_conv", name, build)


def citation_model(graph: Graph, units: int = 16, rate: float = 0.5) -> Model:
    """Two graph convolutions with dropout before each, of the entries of the words and of the hidden features."""
    entries, links = int(np.count_nonzero(graph.x)), 2 * len(graph.edges) + len(graph.x)
    takes = product([Real(entries), Int(entries), Int(entries), Int(links), Int(links), Real(links)])
    return (
        para(Diagram.id(takes))
        >> beside(dropout(rate, name="first_dropout"))
        >> words_conv(units, *graph.x.shape, name="first")
        >> beside(dropout(rate, name="second_dropout"))
        >> graph_conv(len(graph.classes), name="second")
    )


def citation_learner(rate: float = 0.01, penalty: float = PENALTY) -> Learner:
    """Cross-entropy on the papers marked `known`, Adam, and the squares of the first weight as a penalty."""
    optimizer: dict[Where, Optimizer] = {weights: adam(rate), "first/weight": chain(weight_decay(penalty), adam(rate))}
    return supervised(citation_model(citations()), masked_cross_entropy, optimizer, metrics=["accuracy"], input=INPUTS)


def masked_cross_entropy(label: str, metrics: Any) -> Family:
    """Cross-entropy over the papers whose subject is known."""
    return cross_entropy(label, metrics, mask="known")


@cache
def citations() -> Graph:
    """Cora, read once."""
    return cora()


@cache
def whole() -> Mapping[str, Any]:
    """The graph as a model reads it: the words of each paper, each paper's sharing 1, and D^−½ (A + 1) D^−½ as its entries."""
    graph = citations()
    n = len(graph.x)
    papers, words = np.nonzero(graph.x)
    (a, b), own = graph.edges.T, np.arange(n)
    sources, targets = np.concatenate([a, b, own]), np.concatenate([b, a, own])
    root = 1 / np.sqrt(np.bincount(targets, minlength=n))
    counts = 1 / np.bincount(papers, minlength=n)[papers]
    entries = {"counts": counts, "papers": papers, "words": words}
    return {**entries, "sources": sources, "targets": targets, "links": root[sources] * root[targets]}


@dataclass(frozen=True, eq=False)
class Known:
    """The graph with some papers whose subjects count."""

    papers: Any

    def __len__(self) -> int:
        return len(self.papers)

    def rows(self) -> Values:
        """One example: the whole graph, all subjects, and which of them count."""
        graph = citations()
        mask = np.zeros(len(graph.x), bool)
        mask[self.papers] = True
        given = {**whole(), "y": np.maximum(graph.y, 0), "known": mask}
        return {name: v.astype(DTYPES[v.dtype.kind])[None] for name, v in given.items()}


def split_of_papers() -> Data:
    """140 papers to train on, 500 to choose by, 1000 to test on; all citations and words are seen throughout."""
    graph = citations()
    train, held, test = (Known(part) for part in (graph.train, graph.validation, graph.test))
    told = f"{len(graph.x):,} papers, {len(graph.edges):,} citations, {len(train)} known subjects to train on"
    return Data(train.rows(), held.rows(), test, f"{told}, {len(held)} to choose by, {len(test):,} to test on")


def classified_papers(run: Run, data: Data) -> str:
    """How many test papers get their subject."""
    accuracy, n = run.evaluate(data.test.rows(), batch_size=None)["accuracy"], len(data.test)
    return f"test accuracy {accuracy:.4f}: {round(accuracy * n):,} of {n:,} papers whose subjects were not trained on"


def looked_up(run: Run, text: str, _: Sampling) -> str:
    """The subjects of papers by their numbers, such as `17,42`, with probabilities."""
    n = len(citations().x)
    try:
        asked = [int(word) for word in text.split(",")]
    except ValueError:
        raise BadValue(f"papers must be numbers from 0 to {n - 1}, such as 17,42, got '{text}'") from None
    if strange := [k for k in asked if not 0 <= k < n]:
        raise BadValue(f"papers must be numbers from 0 to {n - 1}, got {strange[0]}")
    logits = run.predict({name: Known([]).rows()[name] for name in INPUTS}, batch_size=None)[0]
    return likeliest([f"paper {k}" for k in asked], softmax(logits[asked]), CORA_CLASSES)


RECIPES = (
    Recipe(
        "cora", "Cora", "the subjects of 2708 papers from their words and citations, bundled",
        {"gcn": Plan(lambda rate, steps: citation_learner(rate), 0.01, 200, None, "cross-entropy, Adam, a penalty on the first weight")},
        "gcn", 1, split_of_papers, classified_papers, CORA_CLASSES, looked_up, large=True,
    ),
)  # fmt: skip
