"""Whole learning tasks as closed parametric arrows I → L (arXiv 2404.00408, section 4)."""

from __future__ import annotations

from typing import Any

from lensgrad.cat.names import weights
from lensgrad.cat.para import Para, Point, corner, lens
from lensgrad.core.diagram import Family
from lensgrad.core.errors import TypeMismatch
from lensgrad.learn.batching import batch
from lensgrad.theories.smooth.ops import mean, total

REDUCTIONS = {"mean": mean, "sum": total}


def supervised_task(model: Para, loss: Family, label: str = "x") -> Para:
    """corner ; model ; loss : I → L, with the input as the parameter `label` (arXiv 2404.00408, section 4.1)."""
    if isinstance(model, Family):
        raise TypeMismatch(
            f"the model {model.name} does not say what it takes: begin it with lg.input(…) or give the first layer its input size"
        )
    return corner(model.dom, label) >> model >> loss


def closed_lens(task: Para, rate: Family, optimizer: Point, n: int | None, reduction: str = "mean") -> Para:
    """The closed parametric lens of a task: batch, reduce, `lens`, rate, optimizer, in this order.

    With n = None the task is taken as it is, one example a step. `optimizer` is for all weights, or a dict of patterns.
    """
    whole = task if n is None else batch(task, n) >> REDUCTIONS[reduction]
    points: Any = optimizer if isinstance(optimizer, dict) else {weights: optimizer}
    return (lens(whole) >> rate).reparam(points)
