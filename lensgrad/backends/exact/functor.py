"""The exact functor: arrows as polynomial maps, so that laws of calculus hold by `==` and not up to rounding.

Over a semiring the images are formal polynomials. In Smooth they are polynomials over the rationals in the entries of the
inputs and in atoms: `tanh` of a polynomial, a comparison, a draw. A float attribute means the fraction it is equal to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from math import prod
from typing import Any

import numpy as np

from lensgrad.backends import kernels as untyped
from lensgrad.backends.exact import arrays as whole
from lensgrad.backends.exact import pointwise as at
from lensgrad.backends.exact.pointwise import Entries, each, filled
from lensgrad.backends.exact.polynomial import RATIONALS, Polynomial, Variable, derivative
from lensgrad.backends.table import Hole, Inside, Meanings
from lensgrad.core.checks import is_tuple
from lensgrad.core.diagram import Diagram, Recompute
from lensgrad.core.errors import BadValue
from lensgrad.core.functor import fold, unfold
from lensgrad.core.graph import Node
from lensgrad.theories import bridges
from lensgrad.theories.poly import circuit as z
from lensgrad.theories.poly.semiring import Semiring, modulo
from lensgrad.theories.smooth import array, conv, index, linear, random, scan, special
from lensgrad.theories.smooth import pointwise as p
from lensgrad.theories.smooth import reduce as reductions

kernels: Any = untyped  # their text is copied into files that need NumPy only


@dataclass(frozen=True)
class Image:
    """A polynomial map: for each output its shape and its entries, row-major. `==` is equality of such maps."""

    outs: tuple[tuple[tuple[int, ...], tuple[Polynomial, ...]], ...]

    def __str__(self) -> str:
        return "\n".join(f"{shape}: {', '.join(map(str, entries))}" for shape, entries in self.outs)


def exact(f: Diagram, table: Meanings | None = None) -> Image:
    """The image of `f` on symbolic inputs, by the library's table or by an extended one: `exact(f, EXACT.extended({…}))`."""
    return image(evaluate(f, variables(f), table))


def image(arrays: Sequence[Entries]) -> Image:
    return Image(tuple((a.shape, tuple(a.ravel())) for a in arrays))


def formal_reverse(f: Diagram, table: Meanings | None = None) -> Image:
    """What R[f] must be, from the image of `f` alone: Σⱼ y′ⱼ ∂fⱼ/∂xᵢ for every input i. The oracle for reverse rules."""
    outs = [(a, y) for a, y in zip(f.cod, evaluate(f, variables(f), table), strict=True) if a.change is not None]
    seeds = [symbols(a, len(f.dom) + k) for k, (a, _) in enumerate(outs)]
    pairs = [(y, seed) for (_, ys), seeds_ in zip(outs, seeds, strict=True) for y, seed in zip(ys.ravel(), seeds_.ravel(), strict=True)]
    moving = [(i, a) for i, a in enumerate(f.dom) if a.change is not None]
    return image([cotangent(pairs, symbols(a, i), i) for i, a in moving])


def cotangent(pairs: Sequence[tuple[Polynomial, Polynomial]], x: Entries, wire: int) -> Entries:
    """Σⱼ y′ⱼ ∂yⱼ/∂x for each entry of one input."""
    none = [Polynomial(e.ring, {}) for e in x.ravel()]
    found = [sum((s * derivative(y, Variable(wire, e)) for y, s in pairs), zero) for e, zero in enumerate(none)]
    return filled(found, x.shape)


def variables(f: Diagram) -> list[Entries]:
    return [symbols(a, i) for i, a in enumerate(f.dom)]


def symbols(atom: Any, wire: int) -> Entries:
    """One variable for each entry of an atom."""
    return filled([Polynomial.symbol(Variable(wire, e), ring(atom)) for e in range(prod(atom.shape))], atom.shape)


def ring(atom: Any) -> Semiring:
    return atom.semiring if isinstance(atom, z.Vector) else RATIONALS


def evaluate(f: Diagram, inputs: Sequence[Entries], table: Meanings | None = None) -> list[Entries]:
    """`f` on arrays of polynomials; constants give constants."""
    known = EXACT if table is None else table

    def inner(body: Diagram, xs: Sequence[Entries]) -> list[Entries]:
        return evaluate(body, xs, known)

    def rule(node: Node, args: list[Entries]) -> list[Entries]:
        line, more = known.line(node.op), [node.cod[0].semiring] if type(node.op) in SUMS else []
        found = line.meaning(inner, node.op, *args) if isinstance(line, Inside) else line(node.op, *args, *more)
        return [lifted(v, a) for v, a in zip(found if is_tuple(found) else (found,), node.cod, strict=True)]

    return fold(unfold(f), list(inputs), rule)


def lifted(value: Any, atom: Any) -> Entries:
    """An object array whose entries are all polynomials."""
    entries = [v if isinstance(v, Polynomial) else Polynomial.number(v, ring(atom)) for v in np.asarray(value, object).ravel()]
    return filled(entries, np.shape(value))


def table(f: Diagram) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """A circuit as its truth table: all inputs, entry by entry, with the outputs they give. Exhaustive."""
    for flat in product(*(a.semiring.elements for a in f.dom for _ in range(a.total))):
        values, rest = list[Entries](), list(flat)
        for a, x in zip(f.dom, variables(f), strict=True):
            values.append(filled([Polynomial.number(v, a.semiring) for v in rest[: x.size]], x.shape))
            rest = rest[x.size :]
        yield flat, tuple(e.constant for y in evaluate(f, values) for e in y.ravel())


def formally_equal(f: Diagram, g: Diagram) -> bool:
    """Whether two circuits are the same polynomials: what R respects."""
    return (f.dom, f.cod) == (g.dom, g.cod) and exact(f) == exact(g)


def functionally_equal(f: Diagram, g: Diagram, most: int = 2**20) -> bool:
    """Whether two circuits are the same function. x² and x are over Z2, and R tells them apart.

    Over Z, and over Z_p with p prime, from their polynomials (modulo xᵖ − x); over any other semiring by trying all values.
    """
    if (f.dom, f.cod) != (g.dom, g.cod):
        return False
    rings = {a.semiring for a in (*f.dom, *f.cod)}
    if all(not s.finite or prime(s) for s in rings):
        return [*map(reduced, entries_of(f))] == [*map(reduced, entries_of(g))]
    count = int(np.prod([float(a.semiring.size) ** a.total for a in f.dom]))
    if count > most:
        told = f"these circuits have {count} inputs to try, more than {most}"
        raise BadValue(f"{told}: over {', '.join(map(str, rings))} there is no shorter way")
    return list(table(f)) == list(table(g))


def entries_of(f: Diagram) -> list[Polynomial]:
    return [e for _, entries in exact(f).outs for e in entries]


def prime(s: Semiring) -> bool:
    """Whether a semiring is the field Z_p."""
    return s == modulo(max(s.size, 2)) and all(s.size % k for k in range(2, int(s.size**0.5) + 1))


def reduced(p: Polynomial) -> Polynomial:
    """The polynomial modulo xᵖ − x; over Z as it is."""
    n = p.ring.size
    return sum((reduced_monomial(p.ring, m, c, n) for m, c in p.terms.items()), Polynomial(p.ring, {})) if n else p


def reduced_monomial(ring: Semiring, m: Any, c: Any, n: int) -> Polynomial:
    return Polynomial(ring, {frozenset((s, (k - 1) % (n - 1) + 1) for s, k in m): c})


def loop(run: Any, op: scan.Scan, *args: Entries) -> tuple[Entries, ...]:
    return kernels.scan(partial(opened, run, op), op.n, op.carries, op.shared, op.backward, *args)


def opened(run: Any, op: Any, *xs: Entries) -> tuple[Entries, ...]:
    return tuple(run(op.body, xs))


def unfolded(run: Any, op: bridges.Image, *xs: Entries) -> tuple[Entries, ...]:
    return tuple(run(op.unfolded, xs))


def total(op: linear.Sum, *xs: Polynomial) -> Any:
    return sum(xs)


def largest_at(op: reductions.ArgMax, *xs: Polynomial) -> Polynomial:
    return at.applied("argmax", *xs)


def numbered(op: index.Iota) -> Entries:
    return np.arange(op.n)


def joined(op: linear.Concatenate, *xs: Entries) -> Entries:
    return np.concatenate(xs, op.axis)


def contracted(op: linear.Einsum, *xs: Entries) -> Entries:
    return np.einsum(op.spec, *xs)


SUMS = (z.Scatter, z.Collect)  # what needs to know the 0 of its semiring
Line = Callable[[Any], Any] | Callable[[Any, Entries], Any] | Callable[[Any, Entries, Entries], Any] | Hole | Inside
LINES: dict[type[Any], Line] = {
    p.Add: each(lambda op, x, y: x + y),
    p.Sub: each(lambda op, x, y: x - y),
    p.Neg: each(lambda op, x: -x),
    p.Mul: each(lambda op, x, y: x * y),
    p.Div: each(lambda op, x, y: x * at.inverse(y)),
    p.Exp: at.EXP,
    p.Log: at.LOG,
    p.Log1p: each(lambda op, x: at.of(at.LOG)(x + 1)),
    p.Expm1: each(lambda op, x: at.of(at.EXP)(x) - 1),
    p.Tanh: at.TANH,
    p.Logistic: at.LOGISTIC,
    p.Sin: at.SIN,
    p.Cos: at.COS,
    p.Atan: at.ATAN,
    p.Atan2: each(lambda op, y, x: at.angle(y, x)),
    p.Asinh: at.ASINH,
    p.Round: at.ROUND,
    p.Erf: at.ERF,
    special.Erfc: each(lambda op, x: 1 - at.of(at.ERF)(x)),
    p.Sqrt: at.SQRT,
    p.Rsqrt: at.RSQRT,
    p.Abs: each(lambda op, x: x * at.sign(x)),
    p.Sign: each(lambda op, x: at.sign(x)),
    p.Floor: at.FLOOR,
    p.IntegerPower: each(at.power),
    p.Power: each(lambda op, x, y: at.general_power(x, y)),
    p.Maximum: each(lambda op, x, y: at.larger(x, y)),
    p.Minimum: each(lambda op, x, y: -at.larger(-x, -y)),
    p.Clamp: each(at.clamped),
    p.Compare: each(lambda op, x, y: at.RELATIONS[op.relation](x, y)),
    p.And: each(lambda op, x, y: x * y),
    p.Or: each(lambda op, x, y: x + y - x * y),
    p.Not: each(lambda op, x: 1 - x),
    p.ShiftRight: each(lambda op, x: at.applied("shift right", x, op.bits)),
    p.Select: each(lambda op, c, x, y: at.chosen(c, x, y)),
    p.StopGradient: lambda op, x: x,
    linear.Spread: lambda op, x: kernels.spread(x, op.shape, op.axes),
    linear.Sum: whole.along(total),
    linear.Transpose: lambda op, x: np.transpose(x, op.order),
    linear.Reshape: lambda op, x: x.reshape(op.shape),
    linear.Slice: lambda op, x: x[tuple(map(slice, op.start, op.stop, op.step))],
    linear.Pad: lambda op, x: kernels.pad(x, op.low, op.high, op.interior) if x.ndim else x,
    linear.Concatenate: joined,
    linear.Flip: lambda op, x: np.flip(x, op.axes),
    linear.CumulativeSum: lambda op, x: kernels.cumulative_sum(x, op.axis, op.backward),
    linear.Cast: whole.cast,
    linear.AxisMean: lambda op, x: x,
    linear.BatchSize: lambda op, x: whole.one(),
    linear.Einsum: contracted,
    array.Full: whole.constant,
    reductions.AMax: whole.along(whole.largest),
    reductions.LogSoftmax: whole.log_softmax,
    reductions.LogSumExp: whole.along(whole.log_sum_exp),
    reductions.ArgMax: whole.along(largest_at),
    reductions.ArgSort: whole.order,
    index.Take: whole.take,
    index.ScatterAdd: whole.scatter_add,
    index.OneHot: whole.one_hot,
    index.Numbers: lambda op: np.array(op.table.entries, object),
    index.Iota: numbered,
    conv.Convolve: whole.convolve,
    conv.WindowArgMax: whole.window_argmax,
    random.FoldIn: whole.fold_in,
    random.KeyTranspose: lambda op, key: np.transpose(key, op.order),
    random.KeySpread: lambda op, key: np.repeat(np.expand_dims(key, op.axis), op.n, op.axis),
    random.RandomBits: whole.draw,
    scan.Scan: Inside(loop),
    Recompute: Inside(opened),
    z.Constant: lambda op: np.array(op.values.entries, object),
    z.Add: each(lambda op, x, y: x + y),
    z.Mul: each(lambda op, x, y: x * y),
    z.Gather: lambda op, x: x[..., list(op.table.entries)],
    z.Scatter: whole.scatter,
    z.Repeat: lambda op, x: np.repeat(x[None], op.rows, 0),
    z.Collect: whole.collect,
    z.Count: Hole("elements as whole numbers are no polynomial of the elements"),
    bridges.Indicator: Hole("a truth value of arrays is no polynomial over a semiring"),
    bridges.Values: Hole("elements as real numbers are no polynomial of the elements"),
    bridges.BruteForce: Inside(opened),
    bridges.Image: Inside(unfolded),
}  # fmt: skip
EXACT = Meanings("exact", LINES)
