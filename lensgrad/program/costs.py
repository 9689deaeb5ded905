"""What an arrow costs, from its types alone: floating-point operations, with one line per generator, like the tables of the backends.

A multiply-add is 2, an elementwise function or a comparison 1 for each number that it writes, and what only moves numbers 0. A product
with a window counts the positions inside of the image, so padding is free. JAX's compiler counts by the same rules.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lensgrad.backends.loop import channels, elements
from lensgrad.backends.table import Meanings
from lensgrad.core.diagram import Diagram, Recompute
from lensgrad.core.functor import unfold
from lensgrad.core.graph import Node
from lensgrad.theories import bridges
from lensgrad.theories.poly import circuit as z
from lensgrad.theories.smooth import array, conv, index, linear, random, reduce, scan, special
from lensgrad.theories.smooth import pointwise as p

DRAWN = 60  # operations for each word of Threefry: 20 rounds of an addition, a rotation and an exclusive or for two words


@dataclass(frozen=True, slots=True)
class Use:
    """One application of a generator, as its line in the table sees it: `inside` is the cost of an arrow that it holds."""

    op: Any
    dom: tuple[Any, ...]
    cod: tuple[Any, ...]
    inside: Callable[[Diagram], int]

    @property
    def read(self) -> int:
        """How many numbers it reads."""
        return sum(map(elements, self.dom))

    @property
    def written(self) -> int:
        """How many numbers it writes."""
        return sum(map(elements, self.cod))


def moved(_: Use) -> int:
    """Nothing is computed."""
    return 0


def each(times: int) -> Callable[[Use], int]:
    """So many operations for each number written."""
    return lambda use: times * use.written


def over(times: int) -> Callable[[Use], int]:
    """So many operations for each number read."""
    return lambda use: times * use.read


def contracted(use: Use) -> int:
    """2 for each multiply-add of two arrays, also where one example has nothing to add; 1 for each term of a sum."""
    inputs, _ = use.op.letters()
    sizes = {s: n for letters, atom in zip(inputs, use.dom, strict=True) for s, n in zip(letters, atom.shape, strict=True)}
    return math.prod(sizes.values()) * len(inputs)


def convolved(use: Use) -> int:
    """2 for each multiply-add of a kernel entry with a pixel that there is; its two adjoints have the same products."""
    op = use.op
    inner, outer = channels(op, use.dom)
    spans = zip(op.image, op.size, op.window.stride, op.window.dilation, op.window.padding, strict=True)
    return 2 * use.dom[0].shape[0] * math.prod(met(*span) for span in spans) * inner * outer


def met(image: int, size: int, stride: int, dilation: int, padding: tuple[int, int]) -> int:
    """Along one axis, how many pairs of a window's place and a kernel entry meet the image and not its padding."""
    places = (image + sum(padding) - (size - 1) * dilation - 1) // stride + 1
    (few, far), (many, near) = sorted([(size, dilation), (places, stride)])
    starts = (k * far - padding[0] for k in range(few))
    return sum(max(0, min(many, -((start - image) // near)) - max(0, -(start // near))) for start in starts)


def sorting(use: Use) -> int:
    """A comparison for each number and each halving of its row."""
    return use.read * max(1, (use.dom[0].shape[-1] - 1).bit_length())


def repeated(use: Use) -> int:
    return use.op.n * use.inside(use.op.body)


def once(use: Use) -> int:
    return use.inside(use.op.body)


LINES: Mapping[type[Any], Callable[[Use], int]] = {
    # pointwise
    p.Add: each(1), p.Sub: each(1), p.Neg: each(1), p.Mul: each(1), p.Div: each(1), p.Exp: each(1), p.Log: each(1), p.Log1p: each(1),
    p.Expm1: each(1), p.Tanh: each(1), p.Logistic: each(1), p.Sin: each(1), p.Cos: each(1), p.Atan: each(1), p.Atan2: each(1),
    p.Asinh: each(1), p.Round: each(1), p.Erf: each(1), special.Erfc: each(1), p.Sqrt: each(1), p.Rsqrt: each(1), p.Abs: each(1),
    p.Sign: each(1), p.Floor: each(1), p.IntegerPower: each(1), p.Power: each(1), p.Maximum: each(1), p.Minimum: each(1),
    p.Clamp: each(2), p.Compare: each(1), p.And: each(1), p.Or: each(1), p.Not: each(1), p.ShiftRight: each(1), p.Select: each(1),
    p.StopGradient: moved,
    # linear
    linear.Spread: moved, linear.Sum: over(1), linear.Transpose: moved, linear.Reshape: moved, linear.Slice: moved, linear.Pad: moved,
    linear.Concatenate: moved, linear.Flip: moved, linear.CumulativeSum: over(1), linear.Cast: moved, linear.AxisMean: moved,
    linear.BatchSize: moved, linear.Einsum: contracted, array.Full: moved,
    # reductions, order, indices
    reduce.AMax: over(1), reduce.LogSoftmax: each(5), reduce.LogSumExp: over(4), reduce.ArgMax: over(1), reduce.ArgSort: sorting,
    index.Take: moved, index.ScatterAdd: lambda use: elements(use.dom[1]), index.OneHot: each(1), index.Numbers: moved, index.Iota: moved,
    # windows, randomness, loops
    conv.Convolve: convolved, conv.WindowArgMax: lambda use: use.written * math.prod(use.op.size),
    random.FoldIn: each(2 * DRAWN), random.KeySpread: moved, random.KeyTranspose: moved, random.RandomBits: each(DRAWN),
    scan.Scan: repeated, Recompute: once,
    # polynomial circuits: one operation for each element
    z.Constant: moved, z.Add: each(1), z.Mul: each(1), z.Gather: moved, z.Scatter: over(1), z.Repeat: moved, z.Collect: over(1),
    z.Count: over(1),
    # between elements and numbers
    bridges.Indicator: moved, bridges.Values: moved, bridges.BruteForce: once, bridges.Image: lambda use: use.inside(use.op.unfolded),
}  # fmt: skip
COSTS = Meanings("cost", LINES)


def flops(f: Diagram, table: Meanings = COSTS) -> int:
    """How many floating-point operations an arrow takes."""
    return sum(each_node(unfold(f), table))


def each_node(f: Diagram, table: Meanings = COSTS) -> list[int]:
    """The cost of each node of an arrow without definitions."""
    types, found = list(f.dom), list[int]()
    for node in f.nodes:
        found.append(of_node(node, tuple(types[a] for a in node.args), table))
        types += node.cod.atoms
    return found


def of_node(node: Node, dom: tuple[Any, ...], table: Meanings = COSTS) -> int:
    """The cost of one application of a generator; one of a user's own that has no line counts as an elementwise function."""
    rule: Callable[[Use], int] = table.line(node.op) if type(node.op) in table else each(1)
    return rule(Use(node.op, dom, node.cod.atoms, lambda body: flops(body, table)))


__all__ = ["COSTS", "Use", "each_node", "flops", "of_node"]
