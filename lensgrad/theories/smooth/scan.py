"""Loops of fixed length as one generator that holds its body."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lensgrad.core.diagram import Diagram, flatten
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.graph import AnyWires, Graph, Wire, Wires
from lensgrad.core.op import Op, generator
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty, product, split
from lensgrad.theories.smooth.array import Array, Key
from lensgrad.theories.smooth.batch import Batched, batch, spread, stacked
from lensgrad.theories.smooth.index import Iota, rotated
from lensgrad.theories.smooth.linear import Einsum, Spread
from lensgrad.theories.smooth.random import FoldIn, KeyTranspose, drawing


@generator
class Scan(Op):
    """n steps of body : C × S × X → C × Y, as C × S × Xⁿ → C × Yⁿ × Cⁿ.

    Carries C go from step to step, S is shared by all steps, X and Y are stacked along the first axis; the last outputs
    are the carries each step began with. `backward` runs from step n−1 to 0. The reverse is a Scan that reads that stack.
    """

    body: Diagram
    n: int
    carries: int
    shared: int
    backward: bool = False

    def parts(self) -> tuple[Ty, Ty, Ty, Ty]:
        """C, S, X and Y."""
        dom, cod = self.body.dom.atoms, self.body.cod.atoms
        held = self.carries + self.shared
        return Ty(dom[: self.carries]), Ty(dom[self.carries : held]), Ty(dom[held:]), Ty(cod[self.carries :])

    def stack(self, ob: Ty) -> Ty:
        return Ty(tuple(stacked(a, self.n) for a in ob))

    def type(self, *dom: Any) -> Ty:
        c, s, x, y = self.parts()
        if self.n < 1 or len(c) < self.carries or len(s) < self.shared:
            told = f"n = {self.n}, {self.carries} carries and {self.shared} shared inputs for a body on {self.body.dom}"
            raise BadValue(f"scan runs at least one step of a body that takes its carries and shared inputs, got {told}")
        if self.body.cod.atoms[: self.carries] != c.atoms:
            raise TypeMismatch(f"scan: the body takes the carries {c} and gives back {Ty(self.body.cod.atoms[: self.carries])}")
        if Ty(dom) != c @ s @ self.stack(x):
            raise TypeMismatch(f"scan of {self.n} steps expects {c @ s @ self.stack(x)}, got {Ty(dom)}")
        return c @ self.stack(y) @ self.stack(c)

    @property
    def draws(self) -> bool:
        return drawing(self.body)

    def reverse_through(self, R: Callable[[Diagram], Diagram]) -> Diagram:
        """A × ΔB → ΔA: the loop run the other way, reading the stack of carries."""
        c, s, x, y = self.parts()
        dc, ds, dx, dy = map(moving, (c, s, x, y))
        step = ReverseStep(self, R(self.body), len(dc), len(ds))
        loop = Scan(step.body(), self.n, len(dc) + step.kept, len(s), not self.backward)

        def back(c0: Any, shared: Any, xs: Any, dc1: Any, dys: Any, dstack: Any) -> Any:
            outs = flatten(self(*flatten([c0, shared, xs])))
            stack = outs[len(outs) - len(c) :]
            zeros = [a.zero() for a in step.accumulated(ds)]
            results = flatten(loop(*flatten([dc1, zeros, shared, stack, xs, dys, dstack])))
            d0, sums, dxs, hoisted = step.cut(results, len(dx))
            return d0, step.contracted(sums, hoisted), dxs

        return traced(back, c, s, self.stack(x), dc, self.stack(dy), self.stack(dc))

    def batch(self, n: int, flags: tuple[bool, ...], *wires: Wire) -> Batched:
        groups = split(flags, [p if i < 2 else self.stack(p) for i, p in enumerate(self.parts()[:3])])
        carried, rest = list(groups[0]), [*groups[1], *groups[2]]
        while True:
            body, outs = batch(self.body, n, [*carried, *rest])
            grown = [a or b for a, b in zip(carried, outs, strict=False)]
            if grown == carried:
                break
            carried = grown
        wanted = [*carried, *outs[self.carries :]]
        body = body.then(level(body.cod, [want and not have for want, have in zip(wanted, outs, strict=True)], n))
        held = self.carries + self.shared
        loop = Scan(body, self.n, self.carries, self.shared, self.backward)
        starts = [w if f or not c else spread(w, n) for w, f, c in zip(wires, flags, carried, strict=False)]
        stacks = [swapped(w) if f else w for w, f in zip(wires[held:], flags[held:], strict=True)]
        done = flatten(loop(*starts, *wires[self.carries : held], *stacks))
        return self._unstacked(done, (*carried, *outs[self.carries :], *carried))

    def _unstacked(self, done: list[Wire], flags: tuple[bool, ...]) -> Batched:
        moved = [swapped(w) if b and i >= self.carries else w for i, (w, b) in enumerate(zip(done, flags, strict=True))]
        return Batched(tuple(moved), flags)

    def __str__(self) -> str:
        return f"Scan(n={self.n}{', backward' if self.backward else ''}, {len(self.body.nodes)} nodes)"


class ReverseStep:
    """One step of the reverse loop, and what its outputs mean.

    A shared input's cotangent that ends in a product leaves the loop as its factors, stacked, to be contracted once
    after the loop (one large product instead of n small ones); any other is summed in a carry.
    """

    def __init__(self, scan: Scan, pulled: Diagram, carries: int, shared: int) -> None:
        self.scan, self.pulled, self.carries, self.shared = scan, pulled, carries, shared
        makers = [None] * len(pulled.dom) + [n for n in pulled.nodes for _ in n.cod]
        ends = [makers[o] for o in pulled.outs[carries : carries + shared]]
        self.products = [m if m is not None and isinstance(m.op, Einsum) and len(m.args) > 1 else None for m in ends]
        self.kept = sum(m is None for m in self.products)

    def accumulated(self, ds: Ty) -> list[Any]:
        return [a for a, m in zip(ds, self.products, strict=True) if m is None]

    def body(self) -> Diagram:
        """(ΔC × sums) × S × (C × X × ΔY × ΔC) → (ΔC × sums) × (ΔX × factors)."""
        c, s, x, y = self.scan.parts()
        outs = self.pulled.outs
        factors = [a for m in self.products if m is not None for a in m.args]
        wide = with_outs(self.pulled, [*outs, *factors])
        sums = Ty(tuple(self.accumulated(moving(s))))

        def step(dc: Any, acc: Any, shared: Any, start: Any, xs: Any, dy: Any, dstack: Any) -> Any:
            found = flatten(wide(*flatten([start, shared, xs, dc, dy])))
            dc0, ds, rest = found[: self.carries], found[self.carries : self.carries + self.shared], found[self.carries + self.shared :]
            added = [d for d, m in zip(ds, self.products, strict=True) if m is None]
            next_dc = [a + b for a, b in zip(dc0, flatten([dstack]), strict=True)]
            return next_dc, [a + b for a, b in zip(flatten([acc]), added, strict=True)], rest

        return traced(step, moving(c), sums, s, c, x, moving(y), moving(c))

    def cut(self, results: list[Wire], stacked_dx: int) -> tuple[list[Wire], list[Wire], list[Wire], list[Wire]]:
        """ΔC, the sums, ΔX stacked, and the stacked factors; the trailing stack of carries is not needed."""
        a, b = self.carries, self.carries + self.kept
        factors = sum(len(m.args) for m in self.products if m is not None)
        return results[:a], results[a:b], results[b : b + stacked_dx], results[b + stacked_dx : b + stacked_dx + factors]

    def contracted(self, sums: list[Wire], factors: list[Wire]) -> list[Wire]:
        """ΔS: the sums as they are, the products contracted over the steps."""
        left, right = iter(sums), iter(factors)
        return [next(left) if m is None else over_steps(m.op, [next(right) for _ in m.args]) for m in self.products]


def over_steps(op: Any, stacks: list[Wire]) -> Wire:
    """Σ over steps of an einsum, as one einsum with a new contracted letter."""
    inputs, output = op.letters()
    new = next(c for c in "tsrqponmlkjihgfedcbazyxwvuTSRQPONMLKJIHGFEDCBAZYXWVU" if c not in op.spec)
    return Einsum(",".join(new + i for i in inputs) + "->" + output)(*stacks)


def swapped(x: Wire) -> Wire:
    """Exchange the axis of steps and the axis of examples."""
    if isinstance(x.atom, Key):
        return KeyTranspose((1, 0, *range(2, len(x.atom.shape))))(x)
    return rotated(x, 0, 1)


def moving(ob: Ty) -> Ty:
    """The atoms of an object that have changes: ΔA."""
    return Ty(tuple(a for a in ob if a.change is not None))


def with_outs(f: Diagram, wires: Sequence[int]) -> Diagram:
    """The arrow with other wires of the same diagram as outputs."""
    graph = Graph(f.dom)
    env = graph.inline(f.nodes, range(len(f.dom) + sum(len(n.cod) for n in f.nodes)), range(len(f.dom)))
    return Diagram.finish(graph, [env[w] for w in wires])


def traced(fn: AnyWires, *objects: Ty) -> Diagram:
    """`trace`, for objects whose number of atoms is not known while writing: an empty one arrives as ()."""
    sizes = [len(ob) for ob in objects]

    def flat(*wires: Wire) -> Wires:
        groups = split(wires, objects)
        return fn(*(g[0] if n == 1 else g for g, n in zip(groups, sizes, strict=True)))

    return trace(flat, *(Ty((a,)) for a in product(objects)))


def level(cod: Ty, missing: Sequence[bool], n: int) -> Diagram:
    """Spread the outputs marked as missing over n examples."""

    def spread_out(*wires: Wire) -> list[Wire]:
        return [spread(w, n) if m else w for w, m in zip(wires, missing, strict=True)]

    return trace(spread_out, *(Ty((a,)) for a in cod))


def scan(fn: Callable[..., tuple[Any, Any]], carry: Any, xs: Any, shared: Any = (), backward: bool = False) -> tuple[Any, Any]:
    """Run fn(carry, x, shared) → (carry, y) along the first axis of `xs`, inside a traced function.

    `carry`, `xs` and `shared` are wires or tuples of wires; returns the last carry and the stacked ys, grouped alike.
    A function cannot read wires of the function around it: what every step needs is passed as `shared`. A shared key
    arrives folded with the number of the step, so that steps draw differently.
    """
    c, x, s = (flatten([v]) for v in (carry, xs, shared))
    if not x:
        raise TypeMismatch("scan needs at least one stacked input, whose first axis gives the number of steps")
    n = x[0].atom.shape[0]
    rows = Ty(tuple(w.atom.with_shape(*w.atom.shape[1:]) if isinstance(w.atom, Array) else Key(w.atom.shape[1:]) for w in x))
    objects = [Ty(tuple(w.atom for w in c)), Ty(tuple(w.atom for w in s)), rows]
    keys = any(isinstance(w.atom, Key) for w in s)
    steps = [Iota(n)()] if keys else []

    def step(a: Any, b: Any, d: Any, t: Any) -> Any:
        own = [fold_step(w, t) if isinstance(w.atom, Key) else w for w in flatten([b])]
        return fn(a, d, regroup(own))

    body = traced(step, *objects, Ty((Array((), "int32"),) if keys else ()))
    out = flatten(Scan(body, n, len(c), len(s), backward)(*c, *s, *x, *steps))
    final, ys = out[: len(c)], out[len(c) : len(out) - len(c)]
    return regroup(final), regroup(ys)


def fold_step(key: Wire, t: Wire) -> Wire:
    """Another key for each step."""
    return FoldIn()(key, t if not key.atom.shape else Spread(key.atom.shape, ())(t))


def regroup(wires: list[Any]) -> Any:
    return wires[0] if len(wires) == 1 else tuple(wires)
