"""Soft bits: logits in the place of truth tables, by `reparam` before evaluation, and the vertex that each point hardens to.

A network over Z is a polynomial, linear in every table entry, so its image in Smooth at tables in [0, 1] is the expectation of the
circuit with independent random bits. Differentiable logic gates (arXiv 2210.08277) are this image reparameterized: the mixture of
all gates is taken once for each gate, and not for each example. Hardening is a function on points, no arrow of either theory that
keeps R: what it changes is all that is lost, since at vertices the image computes the circuit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from lensgrad.cat.names import Param
from lensgrad.cat.para import Para
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.graph import Wire
from lensgrad.core.op import Table
from lensgrad.core.ty import Ty
from lensgrad.learn import init
from lensgrad.learn.adapt import point
from lensgrad.learn.circuits.convert import over, soften
from lensgrad.learn.model import Model
from lensgrad.theories.bridges import Indicator
from lensgrad.theories.poly.circuit import Vector
from lensgrad.theories.poly.semiring import Z2
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array, Real, full
from lensgrad.theories.smooth.index import Numbers

GATES = 16  # functions of two bits; gate f gives bit s of f at the inputs that spell s


@dataclass(frozen=True)
class Relaxation:
    """A point for truth tables of n entries : logits → [0, 1]ⁿ, and its vertices.

    `shape` is that of the logits, `mean` the table they stand for, `vertex` the table of bits they harden to. `start` is the first
    logit of the gate that passes its first input on (of its entries, 0 has −start), `spread` the deviation of noise on all. With
    `straight` the table is the vertex and the derivative that of the mean, a chosen backward (straight-through).
    """

    shape: Callable[[int], tuple[int, ...]]
    mean: Callable[[Any], Any]
    vertex: Callable[[Any], Any]
    first: Callable[[Array, float], Any]
    start: float = 2.0
    spread: float = 0.0
    straight: bool = False

    def __call__(self, param: Param) -> Para:
        """The point that stands in the place of a table of real numbers."""
        return point([self.logits(param)], self.table)

    def hard(self, param: Param) -> Para:
        """The point of the same logits that stands in the place of a table of bits."""

        def bits(logits: Wire) -> Wire:
            return Indicator(Z2)(self.vertex(logits) > 0.5)

        return point([self.logits(param)], bits)

    def table(self, logits: Any) -> Any:
        soft = self.mean(logits)
        return self.vertex(logits) + (soft - ops.stop_gradient(soft)) if self.straight else soft

    def logits(self, param: Param) -> Param:
        """The parameter that replaces a table; it keeps its name."""
        atom = param.ob[0] if len(param.ob) == 1 else None
        if not isinstance(atom, Array | Vector) or len(atom.shape) != 1:
            raise TypeMismatch(f"soft tables stand in the place of one vector, and '{param.label}' is {param.ob}")
        ob = Real(*self.shape(atom.size), dtype=atom.dtype if isinstance(atom, Array) else "float32")
        return replace(param, ob=ob, init=self.initial(ob))

    def initial(self, ob: Ty) -> Any:
        def drawn(key: Any, a: Array) -> Any:
            passing = self.first(a, self.start)
            return passing + ops.normal(key, a.shape, a.dtype) * self.spread if self.spread else passing

        return init.drawn(drawn)(ob)


def sigmoid_tables(start: float = 2.0, spread: float = 0.0, straight: bool = False) -> Relaxation:
    """A logit for each table entry, the entry its sigmoid; hardened by its sign. Of 2ᵏ logits a gate of k inputs."""
    return Relaxation(lambda n: (n,), ops.sigmoid, above_zero, passing_entries, start, spread, straight)


def softmax_gates(start: float = 5.0, spread: float = 1.0, straight: bool = False) -> Relaxation:
    """Sixteen logits for each gate of two inputs, the table M · softmax(logits); hardened to the likeliest gate (arXiv 2210.08277).

    M is the integer matrix of the sixteen truth tables.
    """
    return Relaxation(quarters, lambda z: mixed(ops.softmax(z)), likeliest, passing_gate, start, spread, straight)


def above_zero(logits: Any) -> Any:
    return ops.cast(logits > 0.0, logits.atom.dtype)


def passing_entries(a: Array, start: float) -> Any:
    half = Array((a.size // 2,), a.dtype)
    return ops.concatenate([full(-start, half), full(start, half)])


def quarters(entries: int) -> tuple[int, int]:
    if entries % 4:
        raise BadValue(f"softmax_gates is for gates of two inputs, with four entries each, and a table has {entries}: use sigmoid_tables")
    return entries // 4, GATES


def mixed(shares: Any) -> Any:
    """Shares of gates (g, 16) as the entries of their tables, entry by entry (4g)."""
    matrix = Numbers(Table([f >> s & 1 for f in range(GATES) for s in range(4)]))()
    tables = ops.matmul(shares, ops.cast(ops.reshape(matrix, GATES, 4), shares.atom.dtype))
    return ops.reshape(ops.transpose(tables), 4 * shares.atom.shape[0])


def likeliest(logits: Any) -> Any:
    return mixed(ops.one_hot(ops.argmax(logits), GATES, logits.atom.dtype))


def passing_gate(a: Array, start: float) -> Any:
    """The gate that is its first input has the entries 0, 0, 1, 1, so it is number 12."""
    flat, one = Array((a.shape[0], 1), a.dtype), Array((a.shape[0], GATES - 13), a.dtype)
    return ops.concatenate([full(0.0, Array((a.shape[0], 12), a.dtype)), full(start, flat), full(0.0, one)], 1)


# -- models ------------------------------------------------------------------------------------------------------------


def relaxed(model: Para, relaxation: Relaxation | None = None, temperature: float = 1.0, tables: str = "**/table") -> Model:
    """A network over Z as one that learns: its image in Smooth with soft tables, its votes divided by a temperature : ℝᵃ → ℝᶜ."""
    soft = soften(model, temperature=temperature)
    return soft.reparam({tables: sigmoid_tables() if relaxation is None else relaxation})


def hardened(model: Para, relaxation: Relaxation | None = None, tables: str = "**/table") -> Model:
    """The network over Z2 that the logits of `relaxed` stand for: the same parameters, each hardened to its vertex : Z2ᵃ → Z2ᵇ."""
    return over(model, Z2).reparam({tables: (sigmoid_tables() if relaxation is None else relaxation).hard})
