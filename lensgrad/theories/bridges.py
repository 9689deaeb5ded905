"""Functors between theories, each a fold: base change Z → S, Z → Smooth, and the hardening of parameters.

A circuit with whole coefficients is written once, over Z, and runs over bits (hardware), over Z (exact counts), over words of
k bits and over the reals (soft). Base change keeps +, ×, copies and R; so R over Z, reduced modulo 2, is R over Z2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import NoRule, TypeMismatch
from lensgrad.core.functor import fold, translate, unfold
from lensgrad.core.op import Op, Table, generator
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.theories.poly import circuit as z
from lensgrad.theories.poly.semiring import Semiring, Z
from lensgrad.theories.smooth import ops, pointwise
from lensgrad.theories.smooth.array import Array, Key, full
from lensgrad.theories.smooth.index import Numbers, ScatterAdd, Take
from lensgrad.theories.smooth.linear import lead

# -- between elements and numbers --------------------------------------------------------------------------------------


@generator
class Indicator(Op):
    """[c] : 𝔹^s → S^s, 1 where a truth value holds and 0 elsewhere: how arrays, and random draws among them, become elements."""

    semiring: Semiring

    def type(self, *dom: Any) -> Ty:
        (c,) = dom if len(dom) == 1 else (None,)
        if not isinstance(c, Array) or c.dtype != "bool" or c.rank not in (1, 2):
            raise TypeMismatch(f"an indicator is of truth values bool[n], or bool[rows,n], got {Ty(dom)}")
        return Ty((z.Vector(self.semiring, c.shape[-1], c.shape[0] if c.rank == 2 else None),))

    def batch(self, n: int, flags: tuple[bool, ...], c: Any) -> Any:
        return self(c)


@generator
class Values(Op):
    """S^s → A, the elements as the whole numbers that stand for them; as truth values, whether they differ from 0."""

    dtype: str

    def type(self, *dom: Any) -> Ty:
        if self.dtype not in ("bool", "float32", "float64"):
            raise TypeMismatch(f"elements are read as bool, float32 or float64, which never wrap, got '{self.dtype}'")
        return Ty((Array(z.vector("values", dom).shape, self.dtype),))

    def batch(self, n: int, flags: tuple[bool, ...], x: Any) -> Any:
        return self(x)


def integral(atom: Any) -> z.Vector:
    """An atom over Z; anything else is refused."""
    if not isinstance(atom, z.Vector) or atom.semiring != Z:
        raise TypeMismatch(f"base change starts over Z, and this arrow has a wire of type {atom}: write the circuit over Z")
    return atom


# -- Z → S -------------------------------------------------------------------------------------------------------------


def over(ob: Ty, semiring: Semiring) -> Ty:
    """The object over another semiring; keys and arrays, from which first values are drawn, stay."""
    return Ty(tuple(a if isinstance(a, Array | Key) else z.Vector(semiring, integral(a).size, a.rows) for a in ob))


def base_change(f: Diagram, semiring: Semiring) -> Diagram:
    """The image of a circuit over Z under Z → S (arXiv 2203.06430): the one homomorphism on constants, the same wiring.

    base_change(R[f]) == R[base_change(f)]. Raises `NoChange` for a negative constant where S has no negatives.
    """

    def on_op(op: Op) -> Op:
        if isinstance(op, Indicator):
            return Indicator(semiring)
        if not isinstance(op, z.Constant):
            return op
        return z.Constant(semiring, Table([semiring.image(v) for v in op.values.entries]))

    return translate(unfold(f), lambda a: over(Ty((a,)), semiring)[0], on_op)


# -- Z → Smooth --------------------------------------------------------------------------------------------------------


def real(ob: Ty, dtype: str = "float32") -> Ty:
    """The arrays that whole numbers become; keys and arrays stay."""
    return Ty(tuple(a if isinstance(a, Array | Key) else Array(integral(a).shape, dtype) for a in ob))


def smooth(f: Diagram, dtype: str = "float32") -> Diagram:
    """The image of a circuit over Z in Smooth: the same polynomial on real numbers. It keeps R, as base change does.

    At whole numbers it gives the whole numbers that the circuit gives, as long as these are exact in the dtype.
    """

    def image(op: Any, *xs: Any) -> Any:
        rule = SMOOTH.get(type(op))
        if rule is None and all(isinstance(a, Array | Key) for x in xs for a in (x.atom,)):
            return op(*xs)
        if rule is None:
            raise NoRule(f"{op.name} has no image in Smooth: it is no generator of polynomial circuits")
        return rule(op, dtype, *xs)

    def on_wires(*wires: Any) -> Any:
        return tuple(fold(unfold(f), list(wires), lambda node, xs: [image(node.op, *xs)]))

    return trace(on_wires, *(real(Ty((a,)), dtype) for a in f.dom))


def constant(op: z.Constant, dtype: str) -> Any:
    values = op.values.entries
    if values and all(v == values[0] for v in values):
        return full(float(values[0]), Array((len(values),), dtype))
    return ops.cast(Numbers(op.values)(), dtype)


def gathered(op: z.Gather, dtype: str, x: Any) -> Any:
    columns = x.atom.rank == 2
    rows = Take()(ops.transpose(x) if columns else x, Numbers(op.table)())
    return ops.transpose(rows) if columns else rows


def scattered(op: z.Scatter, dtype: str, x: Any) -> Any:
    columns = x.atom.rank == 2
    rows = ScatterAdd(op.size)(Numbers(op.table)(), ops.transpose(x) if columns else x)
    return ops.transpose(rows) if columns else rows


SMOOTH: dict[type[Op], Callable[..., Any]] = {
    Indicator: lambda op, dtype, c: ops.cast(c, dtype),
    Values: lambda op, dtype, x: ops.cast(x, op.dtype),
    z.Constant: constant,
    z.Add: lambda op, dtype, x, y: pointwise.Add()(x, y),
    z.Mul: lambda op, dtype, x, y: pointwise.Mul()(x, y),
    z.Gather: gathered,
    z.Scatter: scattered,
    z.Repeat: lambda op, dtype, x: lead(x, op.rows),
    z.Collect: lambda op, dtype, x: ops.sum_over(x, 0),
}
