"""Wrong calls, each with the sentence it is answered with: those of issue 2, among them the paper's own failure conditions."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import numpy as np

import lensgrad as lg
from lensgrad.core.op import Op, generator
from lensgrad.lens import Diagram, R, Ty, corner, lens, parametric, rate, trace
from lensgrad.testing.extras import hypothesis
from lensgrad.theories.poly.semiring import LOGIC

x, y = lg.data.iris()
classifier = lg.supervised(lg.dense(4, 3), loss=lg.cross_entropy, optimizer=lg.sgd(0.01))


@generator
class Round(Op):
    """x rounded : A → A, a generator that nobody gave a reverse rule."""

    def type(self, *dom: Any) -> Ty:
        return Ty(dom)


def mismatched() -> Any:
    return lg.dense(4, 20, name="encoder") >> lg.dense(19, 3, name="head")


def unknown_pattern() -> Any:
    return lens(lg.dense(4, 3, name="output")).reparam({"decoder/**": lg.descent})


def column_of_labels() -> Any:
    return classifier.fit((x, y[:, None]), progress=False)


def label_outside() -> Any:
    return classifier.fit((x, y + 1), progress=False)


def if_on_a_wire() -> Any:
    return trace(lambda x: x if x > 0.0 else -x, lg.Real())


def without_rule() -> Any:
    return R(Diagram.of(Round(), lg.Real(3)))


def descent_without_negatives() -> Any:
    ob = lg.Bits(2, LOGIC)
    return lens(parametric([("table", ob)], ob, lambda p, x: p * x)).reparam({lg.weights: lg.descent})


def rate_as_reverse() -> Any:
    return rate(0.1).at(lens(lg.mse().at(lg.Real(3))).cod).arrow.primal


def dream_of_integers() -> Any:
    return lens(corner(lg.Int(), "token")).reparam({"token": lg.ascent})


def missing_extra() -> Any:
    with patch.dict(sys.modules, {"hypothesis.strategies": None}):
        return hypothesis()


def backwards() -> Any:
    return lg.supervised(lg.dense(4, 3), loss=lg.mse, optimizer=lg.descent, rate=-0.1)


def not_finite() -> Any:
    return classifier.fit((np.full((150, 4), np.nan), y), progress=False)


CALLS: dict[str, Callable[[], Any]] = {
    "composition that does not fit": mismatched,
    "unknown parameter pattern": unknown_pattern,
    "(N, 1) against (N,)": column_of_labels,
    "label outside the classes": label_outside,
    "`if` on a wire": if_on_a_wire,
    "generator without a reverse rule": without_rule,
    "`descent` where changes have no negatives": descent_without_negatives,
    "a lens with no additive backward part asked to be a reverse derivative": rate_as_reverse,
    "an input without changes used for dreaming": dream_of_integers,
    "missing extra": missing_extra,
    "negative rate": backwards,
    "data that is not finite": not_finite,
}


def answer(call: Callable[[], Any]) -> str:
    """What a call is refused with, or a sentence that says it was not."""
    try:
        call()
    except lg.LensgradError as error:
        return f"{type(error).__name__}: {error}"
    return "not refused"


def main() -> int:
    """Print every call and its answer; 1 where one is not refused."""
    answers = {name: answer(call) for name, call in CALLS.items()}
    print("\n\n".join(f"{name}\n{text}" for name, text in answers.items()))
    return int("not refused" in answers.values())


if __name__ == "__main__":
    sys.exit(main())
