"""Losses for circuits over whole numbers and reals, whose reverse derivatives at bits are whole numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lensgrad.core.checks import number
from lensgrad.learn.circuits.forms import xor
from lensgrad.learn.losses.kind import Kind, decisions
from lensgrad.learn.losses.parts import Loss, class_number, loss, tokens
from lensgrad.theories.poly.circuit import Vector, total
from lensgrad.theories.smooth import ops


def hamming(label: str = "y", metrics: Sequence[str] = ()) -> Loss:
    """Σ (b_t + b_p − 2 b_t b_p) : ℝⁿ → ℝ, or Zⁿ → Z, the number of wrong bits: XOR over Z, which modulo 2 is the loss `xor`."""

    def formula(truth: Any, found: Any) -> Any:
        if isinstance(found.atom, Vector):
            return total(xor(truth, found))
        return ops.sum_over(truth + found - truth * found * 2.0)

    def kind(found: Any) -> Kind:
        return Kind() if isinstance(found, Vector) else decisions(found, threshold=0.5)

    return loss("hamming", label, formula, metrics=metrics, kind=kind)


def perceptron(label: str = "y", metrics: Sequence[str] = (), margin: float = 0.0) -> Loss:
    """max(0, max_{c ≠ t} b_c + margin − b_t) : ℝᶜ → ℝ; the label is a class number (Rosenblatt, 1958).

    Its reverse is whole: 1 at the votes of the best other class and −1 at those of the right one, or 0. With margin 0 an example that
    is right says nothing more; networks of gates learn with a margin of a few votes.
    """
    margin = number("the margin of a perceptron", margin, 0)

    def formula(truth: Any, votes: Any, *shown: Any) -> Any:
        right = ops.one_hot(truth, votes.atom.shape[-1], votes.atom.dtype)
        others = votes + (1.0 - right) * float(margin)
        # The first of equal votes wins, so a tie that is lost moves as any loss does.
        return ops.relu(
            ops.sum_over(ops.one_hot(ops.argmax(others), votes.atom.shape[-1], votes.atom.dtype) * others) - ops.sum_over(right * votes)
        )

    return tokens("perceptron", label, "", formula, class_number, metrics, link="")
