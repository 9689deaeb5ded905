"""Equations of Smooth that make programs shorter. Each is checked in the exact functor by the tests before it is used."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from lensgrad.core.graph import Node, Wire
from lensgrad.core.rewrite import Equation, Rule
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.theories.smooth import pointwise as p
from lensgrad.theories.smooth.array import Array, full


def on(kind: type[Any], left: Callable[[Wire], Wire], right: Callable[[Wire], Wire]) -> Callable[[Node], Equation | None]:
    """The equation at the type of a node of this kind, for floats."""

    @lru_cache(maxsize=256)
    def equation(atom: Array) -> Equation:
        return Equation(trace(left, Ty((atom,))), trace(right, Ty((atom,))))

    def at(node: Node) -> Equation | None:
        atom = node.cod[0] if isinstance(node.op, kind) else None
        return equation(atom) if isinstance(atom, Array) and atom.floating else None

    return at


def one(x: Wire) -> Wire:
    return full(1.0, x.atom)


RULES = (
    Rule("x · 1 = x", on(p.Mul, lambda x: x * one(x), lambda x: x)),
    Rule("1 · x = x", on(p.Mul, lambda x: one(x) * x, lambda x: x)),
    Rule("x + 0 = x", on(p.Add, lambda x: x + x.atom.zero(), lambda x: x)),
    Rule("0 + x = x", on(p.Add, lambda x: x.atom.zero() + x, lambda x: x)),
    Rule("x − 0 = x", on(p.Sub, lambda x: x - x.atom.zero(), lambda x: x)),
    Rule("−(−x) = x", on(p.Neg, lambda x: p.Neg()(-x), lambda x: x)),
)
