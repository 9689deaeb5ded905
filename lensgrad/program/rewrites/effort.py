"""What a value costs: to compute it again, in units of one number kept and read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lensgrad.backends.loop import elements, multiply_adds
from lensgrad.core.diagram import Diagram
from lensgrad.core.graph import Node
from lensgrad.theories.smooth import array, conv, index, linear, random, reduce, special
from lensgrad.theories.smooth import pointwise as p

HARD = 8  # moves of a number that a transcendental function of one takes
DRAWN = 32  # the same for a word of Threefry
PRODUCTS = 8  # multiply-adds in the time of one move
PLAIN = (
    p.Add, p.Sub, p.Neg, p.Mul, p.Div, p.Sqrt, p.Rsqrt, p.Abs, p.Sign, p.Floor, p.Round, p.IntegerPower, p.Maximum, p.Minimum, p.Clamp,
    p.Compare, p.And, p.Or, p.Not, p.ShiftRight, p.Select, p.StopGradient, linear.Spread, linear.Transpose, linear.Reshape, linear.Slice,
    linear.Pad, linear.Concatenate, linear.Flip, linear.Cast, linear.AxisMean, linear.BatchSize, array.Full, index.Take, index.OneHot,
    index.Iota, index.Numbers, random.KeySpread, random.KeyTranspose,
)  # fmt: skip
READ = (linear.Sum, linear.CumulativeSum, reduce.AMax, reduce.ArgMax, index.ScatterAdd)
HARD_READ = (reduce.LogSumExp, reduce.LogSoftmax, reduce.ArgSort, conv.WindowArgMax)
HARD_WRITTEN = (
    p.Exp, p.Log, p.Log1p, p.Expm1, p.Tanh, p.Logistic, p.Sin, p.Cos, p.Atan, p.Atan2, p.Asinh, p.Erf, special.Erfc, p.Power,
)  # fmt: skip


def again(node: Node, dom: Sequence[Any]) -> int:
    """What computing a node again costs; nothing for arithmetic, which goes along with what reads it."""
    op, written = node.op, sum(map(elements, node.cod))
    if isinstance(op, PLAIN):
        return 0
    if isinstance(op, READ):
        return sum(map(elements, dom))
    if isinstance(op, HARD_READ):
        return HARD * sum(map(elements, dom))
    if isinstance(op, (random.RandomBits, random.FoldIn)):
        return DRAWN * written
    body = getattr(op, "body", None)
    if isinstance(body, Diagram):
        return max(1, getattr(op, "n", 1) * whole(body))
    return multiply_adds(node, dom) // PRODUCTS or HARD * written


def whole(f: Diagram) -> int:
    """What computing all of an arrow costs."""
    types = [*f.dom, *(a for node in f.nodes for a in node.cod)]
    return sum(again(node, [types[a] for a in node.args]) for node in f.nodes)


def kept(atom: Any) -> int:
    """What writing or reading a value costs: its numbers, of 32 bits each."""
    kind = getattr(atom, "dtype", "")
    size = elements(atom) * {"float64": 8, "bool": 1, "uint8": 1, "bfloat16": 2, "float16": 2}.get(kind, 4)
    return max(1, size // 4) * (2 if kind == "" else 1)


__all__ = ["HARD_WRITTEN", "again", "kept", "whole"]
