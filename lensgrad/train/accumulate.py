"""Gradient accumulation: the step on a batch, taken through it part by part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from lensgrad.cat.lens import Lens, forward, two
from lensgrad.cat.names import Param, Role
from lensgrad.cat.para import Para, Places, Point, lens
from lensgrad.core.diagram import Diagram, at, flatten
from lensgrad.core.errors import BadValue
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty, product, split
from lensgrad.learn.batching import batch
from lensgrad.learn.optimizers.groups import parameter_groups
from lensgrad.learn.rates import rate as rate_of
from lensgrad.program.compile import Program, compile
from lensgrad.program.rewrites import finished
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array
from lensgrad.theories.smooth.scan import scan

Wires = dict[str, list[Any]]  # by name, one wire an atom


class Parts(Protocol):
    """What a learner is made of."""

    @property
    def task(self) -> Para: ...
    @property
    def rate(self) -> Any: ...
    @property
    def optimizer(self) -> Point | Places: ...
    @property
    def reduction(self) -> str: ...


def accumulated(learner: Parts, step: Program, n: int, parts: int) -> Program:
    """`step` on a batch of n as a loop over parts of ⌈n / parts⌉ examples: equal to it up to rounding, in the memory of a part.

    What comes back through the rate is added up over the parts, by a Scan with the sums as carries; then the optimizer puts it,
    once. Layers that look at a whole batch (batch norm) or draw (dropout) meet the parts one after the other, their states going
    from part to part, so for them the result is not that of the big batch.
    """
    size, update = -(-n // parts), compile(updating(learner))
    moved = [name for name in weights(learner.task) if reads(update, gradient(name))]
    pieces = [Piece(n // size, size, part(learner, size, moved))]
    pieces += [Piece(1, n % size, part(learner, n % size, moved))] if n % size else []
    share = 1.0 / n if learner.reduction == "mean" else 1.0

    def body(*wires: Any) -> Any:
        now = regrouped({p.name: list(p.ob) for p in step.inputs}, wires)
        still = {p.name: zeros(p.ob) for p in update.inputs if p.name not in now}
        looked = run(update, {**now, **still})
        now.update({name: looked[seen(name)] for name in weights(learner.task)})
        sums: Wires = {name: zeros(Ty(tuple(w.atom for w in now[name]))) for name in moved}
        start, reports = 0, list[Wires]()
        for piece in pieces:
            sums, now, report = piece.run(sums, now, start)
            start, reports = start + piece.examples, [*reports, report]
        back = {gradient(name): [w * share for w in total] for name, total in sums.items()}
        done = run(update, {**regrouped({p.name: list(p.ob) for p in step.inputs}, wires), **still, **back})
        return [whole(p.name, p.ob, done, now, pieces, reports) for p in step.outputs]

    arrow = trace(body, *(Ty((a,)) for p in step.inputs for a in p.ob))
    return Program(step.inputs, step.outputs, finished(arrow), step.backend)


def part(learner: Parts, size: int, moved: Sequence[str]) -> Program:
    """What comes back to the moved weights from the losses of so many examples, added up; and what is observed."""
    total = lens(batch(learner.task, size) >> ops.total)
    put, loss = at(learner.rate, total.cod).arrow.put, len(total.cod)
    # A rate that reads the loss would answer the parts' losses otherwise than their sum.
    if any(len(put.dom) - loss <= w < len(put.dom) for w in (*put.outs, *(a for node in put.nodes for a in node.args))):
        raise BadValue("accumulate adds up what comes back from parts of a batch, so the rate must not depend on the loss: use lg.rate(…)")
    return compile(total >> learner.rate, returned=moved)


def weights(task: Para) -> list[str]:
    """The weights that a gradient can reach."""
    return [n for n, p in zip(task.names, task.params, strict=True) if p.role is Role.WEIGHT and all(map(floating, p.ob))]


def floating(atom: Any) -> bool:
    return isinstance(atom, Array) and atom.floating


def gradient(name: str) -> str:
    return f"gradient of {name}"


def seen(name: str) -> str:
    return f"seen {name}"


def updating(learner: Parts) -> Para:
    """The learner of the linear task p ↦ Σ ⟨g, p⟩, whose gradient is g: with g as data it is the optimizer's step, alone.

    It observes the weights as the model sees them, which a lookahead makes other than those that are moved.
    """
    task, names = learner.task, weights(learner.task)
    # Data keeps its place among the names, and has no wires here.
    own = [replace(p, ob=Ty()) if p.role is Role.DATA else p for p in task.params]
    chosen = [p for n, p in zip(task.names, own, strict=True) if n in names]
    ports = [*own, *(Param(gradient(n), p.ob, Role.DATA) for n, p in zip(names, chosen, strict=True))]

    def body(*wires: Any) -> Any:
        groups = split(wires, [p.ob for p in ports])
        known = [list(g) for n, g in zip(task.names, groups, strict=False) if n in names]
        inner = [ops.sum_over(p * g) for p, g in zip(flatten(known), flatten([list(g) for g in groups[len(own) :]]), strict=True)]
        return sum((ops.cast(v, inner[0].atom.dtype) for v in inner[1:]), inner[0]), known

    arrow = trace(body, *(Ty((a,)) for p in ports for a in p.ob))
    linear = Para.make(ports, arrow, Ty(arrow.cod.atoms[:1]), [(seen(n), p.ob) for n, p in zip(names, chosen, strict=True)])
    closed = lens(linear) >> one(learner.rate, two(linear.cod))
    return closed.reparam(parameter_groups(task.params, learner.optimizer))


def one(rate: Any, loss: Ty) -> Para:
    """The rate 1, with the parameters of another, which it does not read: what comes back has met that one already."""
    params, cap = at(rate, loss).params, at(rate_of(1.0), loss)
    held = product(p.ob for p in params)
    unread = Diagram.discard(forward(held))
    return Para.make(params, Lens(held, Ty(), unread, unread)).tensor(cap) if len(held) else cap


def reads(program: Program, name: str) -> bool:
    """Whether a program reads an input."""
    f = program.diagram
    spans = split(range(len(f.dom)), [p.ob for p in program.inputs])
    mine = {w for span, p in zip(spans, program.inputs, strict=True) if p.name == name for w in span}
    return bool(mine.intersection((*f.outs, *(a for node in f.nodes for a in node.args))))


@dataclass(frozen=True)
class Piece:
    """Some parts of a batch of equal size, and the program for one of them."""

    times: int
    size: int
    program: Program

    @property
    def examples(self) -> int:
        return self.times * self.size

    def run(self, sums: Wires, now: Wires, start: int) -> tuple[Wires, Wires, Wires]:
        """The parts from example `start` on, as a loop: the sums and the values after them, and what they reported, stacked."""
        ins, outs = self.program.inputs, self.program.outputs
        rows = {p.name: [self.stacked(w, start) for w in now[p.name]] for p in ins if p.role is Role.DATA}
        states = [p.name for p in outs if p.name in now and p.name not in sums]
        shared = {p.name: now[p.name] for p in ins if p.role is not Role.DATA and p.name not in states}
        reported = {p.name: list(p.ob) for p in outs if p.name not in now}
        carried = {**{gradient(n): total for n, total in sums.items()}, **{n: now[n] for n in states}}

        def once(carry: Any, x: Any, same: Any) -> Any:
            held = regrouped(carried, carry)
            found = run(self.program, {**regrouped(shared, same), **regrouped(rows, x), **held})
            grown = [[a + b for a, b in zip(held[gradient(n)], found[n], strict=True)] for n in sums]
            return tuple(flatten([*grown, *(found[n] for n in states)])), tuple(flatten([found[n] for n in reported]))

        c, x, s = (tuple(flatten(list(g.values()))) for g in (carried, rows, shared))
        last, reports = scan(once, c, x, s)
        end = regrouped(carried, last)
        return {n: end[gradient(n)] for n in sums}, {**now, **{n: end[n] for n in states}}, regrouped(reported, reports)

    def stacked(self, wire: Any, start: int) -> Any:
        """The examples of these parts, with an axis of parts before that of examples."""
        return ops.reshape(wire[start : start + self.examples], self.times, self.size, *wire.atom.shape[1:])


def whole(name: str, ob: Ty, done: Wires, now: Wires, pieces: Sequence[Piece], reports: Sequence[Wires]) -> list[Any]:
    """An output of the step: moved by the optimizer, written by the parts, or put together from their reports."""
    if name in done or name not in reports[0]:
        return done.get(name, now.get(name, []))
    return [joined(a, [(p, r[name][k]) for p, r in zip(pieces, reports, strict=True)]) for k, a in enumerate(ob)]


def joined(atom: Any, found: Sequence[tuple[Piece, Any]]) -> Any:
    """One observable from those of the parts: one after the other where it has an axis of examples, else their mean."""
    n = sum(p.examples for p, _ in found)
    if atom.shape[:1] == (n,) and all(w.atom.shape[1:2] == (p.size,) for p, w in found):
        rows = [ops.reshape(w, p.examples, *atom.shape[1:]) for p, w in found]
        return rows[0] if len(rows) == 1 else ops.concatenate(rows)
    means = [ops.sum_over(w, 0) * (p.size / n) for p, w in found]
    return sum(means[1:], means[0])


def run(program: Program, values: Mapping[str, list[Any]]) -> Wires:
    """A program on wires: its outputs by name."""
    outs = flatten(program.diagram(*(w for p in program.inputs for w in values[p.name] if len(p.ob))))
    return regrouped({p.name: list(p.ob) for p in program.outputs}, outs)


def regrouped(like: Mapping[str, list[Any]], wires: Any) -> Wires:
    """Flat wires as groups by name, as many in each as there."""
    flat, groups, start = flatten([wires]), Wires(), 0
    for name, items in like.items():
        groups[name], start = flat[start : start + len(items)], start + len(items)
    return groups


def zeros(ob: Ty) -> list[Any]:
    return [a.zero() for a in ob]
