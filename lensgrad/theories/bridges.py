"""Functors between theories, each a fold: base change Z → S, Z → Smooth, and the hardening of parameters.

A circuit with whole coefficients is written once, over Z, and runs over bits (hardware), over Z (exact counts), over words of
k bits and over the reals (soft). Base change keeps +, ×, copies and R; so R over Z, reduced modulo 2, is R over Z2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from lensgrad.core.diagram import Diagram, boxed, flatten
from lensgrad.core.errors import NoRule, TypeMismatch
from lensgrad.core.functor import fold, translate, unfold
from lensgrad.core.graph import Generator, Wire, Wires
from lensgrad.core.op import Op, Standing, Table, generator
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.theories.poly import circuit as z
from lensgrad.theories.poly.semiring import Z2, Semiring, Z
from lensgrad.theories.smooth import ops, pointwise
from lensgrad.theories.smooth.array import Array, Key, full
from lensgrad.theories.smooth.batch import Batched, batch
from lensgrad.theories.smooth.index import Iota, Numbers, ScatterAdd, Take
from lensgrad.theories.smooth.linear import Pad, Slice, lead

# -- between elements and numbers --------------------------------------------------------------------------------------


@generator
class Indicator(Op):
    """[c] : 𝔹^s → S^s, 1 where a truth value holds and 0 elsewhere: how arrays, and random draws among them, become elements."""

    semiring: Semiring

    def type(self, *dom: Any) -> Ty:
        (c,) = dom if len(dom) == 1 else (None,)
        if not isinstance(c, Array) or c.dtype != "bool" or c.rank not in (1, 2):
            raise TypeMismatch(f"an indicator takes truth values bool[n], or bool[rows,n], got {Ty(dom)}")
        return Ty((z.Vector(self.semiring, c.shape[-1], c.shape[0] if c.rank == 2 else None),))

    def batch(self, n: int, flags: tuple[bool, ...], c: Wire) -> Wire:
        return self(c)


@generator
class Values(Op):
    """S^s → A, the elements as the whole numbers that stand for them; as truth values, whether they differ from 0."""

    dtype: str

    def type(self, *dom: Any) -> Ty:
        if self.dtype not in ("bool", "float32", "float64"):
            raise TypeMismatch(f"elements must be read as bool, float32 or float64, which never wrap, got '{self.dtype}'")
        return Ty((Array(z.vector("values", dom).shape, self.dtype),))

    def batch(self, n: int, flags: tuple[bool, ...], x: Wire) -> Wire:
        return self(x)


@generator
class BruteForce(Op):
    """The circuit `body` on bits, whose reverse is its Boolean difference: x, dy ↦ Σ_j (f(x)_j + f(x + e_i)_j) dy_j for every bit i.

    Found by flipping each bit in turn, as the paper's brute-force reverse derivative is (arXiv 2101.10488). It is no reverse derivative
    of a polynomial: the chain rule fails for it where a wire is used twice. Its reverse is for one example at a time.
    """

    body: Diagram
    standing = Standing.CHOSEN
    kinks = "the Boolean difference, found by flipping each bit"

    def type(self, *dom: Any) -> Ty:
        strange = [a for a in (*self.body.dom, *self.body.cod) if not isinstance(a, z.Vector) or a.semiring != Z2]
        if strange or len(self.body.cod) != 1:
            raise TypeMismatch(f"brute force needs a circuit on bits with one result, got {self.body.dom} → {self.body.cod}")
        return boxed(self.body, dom, "brute force")

    def reverse(self, *wires: Wire) -> tuple[Wire, ...]:
        *xs, dy = wires
        if any(x.atom.rows is not None for x in xs):
            raise NoRule("brute force flips the bits of one example at a time: use batch_size=None")
        return tuple(flipped(self.body, xs, i, dy) for i in range(len(xs)))

    def batch(self, n: int, flags: tuple[bool, ...], *xs: Wire) -> Wire:
        many, _ = batch(self.body, n, [True] * len(xs))
        return BruteForce(many)(*z.in_rows(n, flags, xs))

    def __str__(self) -> str:
        return f"BruteForce({len(self.body.nodes)} nodes)"


def flipped(body: Diagram, xs: Sequence[Wire], place: int, dy: Wire) -> Wire:
    """For each bit of one input, how the result changes where dy is 1 when that bit flips."""
    n = xs[place].atom.size
    unit = Indicator(Z2)(ops.one_hot(Iota(n)(), n) > 0.5)
    many, _ = batch(body, n, [i == place for i in range(len(xs))])
    ahead = many(*(z.Repeat(n)(x) + unit if i == place else x for i, x in enumerate(xs)))
    change = (ahead + z.Repeat(n)(body(*xs))) * z.Repeat(n)(dy)
    return z.Collect()(unit * z.gather(z.total(change), [0] * n))


def integral(atom: Any) -> z.Vector:
    """An atom over Z; anything else is refused."""
    if not isinstance(atom, z.Vector) or atom.semiring != Z:
        raise TypeMismatch(f"base change starts over Z, and this arrow has a wire of type {atom}: write the circuit over Z")
    return atom


def include(ob: Ty, semiring: Semiring = Z) -> Diagram:
    """Bits as the elements 0 and 1 : Z2ⁿ → Sⁿ. A function and no homomorphism: 1 + 1 is 0 here and 2 there."""

    def bits(*xs: Wire) -> list[Wire]:
        return [Indicator(semiring)(Values("bool")(x)) for x in xs]

    return trace(bits, *(Ty((a,)) for a in base(ob)))


def base(ob: Ty) -> Ty:
    """The same vectors over Z2."""
    return Ty(tuple(z.Vector(Z2, a.size, a.rows) for a in ob))


def harden(ob: Ty, semiring: Semiring = Z2) -> Diagram:
    """Numbers as the nearer of 0 and 1, x ↦ [x > ½] : ℝˢ → Sˢ.

    For a circuit f over Z that gives bits at bits, `smooth(f)` then `harden` is `harden` then `base_change(f, S)` wherever all inputs
    are 0 or 1. Elsewhere the two differ, and that is all that hardening loses.
    """

    def nearer(*xs: Wire) -> list[Wire]:
        return [Indicator(semiring)(x > 0.5) for x in xs]

    return trace(nearer, *(Ty((a,)) for a in ob))


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


def smooth(f: Diagram, dtype: str = "float32", whole: bool = False) -> Diagram:
    """The image of a circuit over Z in Smooth: the same polynomial on real numbers. It keeps R, as base change does.

    At whole numbers it gives the whole numbers that the circuit gives, as long as these are exact in the dtype. With `whole`
    it is one generator, an `Image`, which backends may run as fast as circuits run.
    """
    if whole:
        return Diagram.of(Image(unfold(f), dtype), real(f.dom, dtype))

    return carried(f, dtype, lambda op, xs: image(op, dtype, *xs))


def smooth_draw(f: Diagram, dtype: str = "float32") -> Diagram:
    """The same of an arrow that draws its elements from a key, as first values are: what works on arrays and keys stays as it is."""

    def rule(op: Generator, xs: list[Wire]) -> Wires:
        return op(*xs) if all(isinstance(x.atom, Array | Key) for x in xs) and type(op) not in SMOOTH else image(op, dtype, *xs)

    return carried(f, dtype, rule)


def carried(f: Diagram, dtype: str, rule: Callable[[Generator, list[Wire]], Wires]) -> Diagram:
    """An arrow over Z with each generator replaced, and its elements by real numbers."""

    def on_wires(*wires: Wire) -> tuple[Wire, ...]:
        return tuple(fold(unfold(f), list(wires), lambda node, xs: flatten([rule(node.op, xs)])))

    return trace(on_wires, *(real(Ty((a,)), dtype) for a in f.dom))


def image(op: Generator, dtype: str, *xs: Wire) -> Wire:
    """The image of one generator, on wires."""
    rule = SMOOTH.get(type(op))
    if rule is None:
        raise NoRule(f"{op.name} has no image in Smooth: it is no generator of polynomial circuits")
    return rule(op, dtype, *xs)


@generator
class Image(Op):
    """The image in Smooth of a circuit over Z, kept whole : ℝᵃ × … → ℝᵇ × …, as arrays of a dtype.

    It means its unfolded form, `smooth(body, dtype)`. Base change keeps R and batching, so the reverse is the image of
    R[body] and the batch that of the batched body: one more generator of the same kind.
    """

    body: Diagram
    dtype: str = "float32"

    def type(self, *dom: Any) -> Ty:
        if Ty(dom) != real(self.body.dom, self.dtype):
            raise TypeMismatch(f"the image of a circuit expects {real(self.body.dom, self.dtype)}, got {Ty(dom)}")
        return real(self.body.cod, self.dtype)

    @cached_property
    def unfolded(self) -> Diagram:
        """The same arrow by generators of Smooth."""
        return smooth(self.body, self.dtype)

    def reverse_through(self, R: Callable[[Diagram], Diagram]) -> Diagram:
        """A × ΔB → ΔA, as one generator: the image keeps R."""
        return smooth(R(self.body), self.dtype, whole=True)

    def batch(self, n: int, flags: tuple[bool, ...], *xs: Wire) -> Batched:
        """The image of the batched circuit; of a circuit that has rows already, the batch of the unfolded form."""
        once = all(a.rows is None for node in self.body.nodes for a in (*self.body.dom, *node.cod))
        body, outs = batch(self.body if once else self.unfolded, n, flags)
        done = smooth(body, self.dtype, whole=True) if once else body
        return Batched(tuple(flatten([done(*xs)])), outs)

    def __str__(self) -> str:
        return f"Image({len(self.body.nodes)} nodes, {self.dtype})"


def opened(f: Diagram) -> Diagram:
    """The same arrow with every image of a circuit unfolded, so that equal parts of a circuit and of its reverse are one."""
    if not any(isinstance(node.op, Image) for node in f.nodes):
        return f
    return translate(f, lambda atom: atom, lambda op: op.unfolded if isinstance(op, Image) else op)


def constant(op: z.Constant, dtype: str) -> Wire:
    values = op.values.entries
    if values and all(v == values[0] for v in values):
        return full(float(values[0]), Array((len(values),), dtype))
    return ops.cast(Numbers(op.values)(), dtype)


def gathered(op: z.Gather, dtype: str, x: Wire) -> Wire:
    """A slice where the table is a progression."""
    steps = progression(op.table)
    if steps:
        return last_axis(Slice, x, steps.start, steps.stop, steps.step)
    return on_columns(lambda rows: Take()(rows, Numbers(op.table)()), x)


def scattered(op: z.Scatter, dtype: str, x: Wire) -> Wire:
    """Zeros around and between where the table is a progression."""
    steps = progression(op.table)
    if steps:
        return last_axis(Pad, x, steps.start, op.size - steps.stop, steps.step - 1)
    return on_columns(lambda rows: ScatterAdd(op.size)(Numbers(op.table)(), rows), x)


def progression(table: Table) -> range | None:
    """The table as first, first + step, … up to its last entry, if it is that."""
    values = table.entries
    step = values[1] - values[0] if len(values) > 1 else 1
    steps = range(values[0], values[-1] + 1, step) if values and step > 0 else range(0)
    return steps if steps and values == tuple(steps) else None


def last_axis(op: type[Slice] | type[Pad], x: Wire, low: int, high: int, step: int) -> Wire:
    """A slice or a pad of the last axis; other axes stay whole."""
    zero, keep = (0,) * (x.atom.rank - 1), x.atom.shape[:-1]
    if op is Slice:
        return Slice((*zero, low), (*keep, high), (*(1 for _ in zero), step))(x)
    return Pad((*zero, low), (*zero, high), (*zero, step))(x)


def on_columns(fn: Callable[[Wire], Wire], x: Wire) -> Wire:
    """A function on the entries of a vector, in all rows alike."""
    return ops.transpose(fn(ops.transpose(x))) if x.atom.rank == 2 else fn(x)


def cast_indicator(op: Indicator, dtype: str, c: Wire) -> Wire:
    return ops.cast(c, dtype)


def cast_values(op: Values, dtype: str, x: Wire) -> Wire:
    return ops.cast(x, op.dtype)


def added(op: z.Add, dtype: str, x: Wire, y: Wire) -> Wire:
    return pointwise.Add()(x, y)


def multiplied(op: z.Mul, dtype: str, x: Wire, y: Wire) -> Wire:
    return pointwise.Mul()(x, y)


def repeated(op: z.Repeat, dtype: str, x: Wire) -> Wire:
    return lead(x, op.rows)


def collected(op: z.Collect, dtype: str, x: Wire) -> Wire:
    return ops.sum_over(x, 0)


SMOOTH: dict[type[Generator], Callable[..., Wire]] = {
    Indicator: cast_indicator,
    Values: cast_values,
    z.Constant: constant,
    z.Add: added,
    z.Mul: multiplied,
    z.Gather: gathered,
    z.Scatter: scattered,
    z.Repeat: repeated,
    z.Collect: collected,
}
