"""Training as arrows: one step, n steps, an epoch. Being arrows they compose, and R of them is the gradient through training.

(arXiv 2404.00408, section 4: put as an endomap of the parameters whose own parameter is the data.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lensgrad.cat.build import Block, Program, build, joined
from lensgrad.cat.lens import Lens, backward, forward, silent
from lensgrad.cat.names import Param, Role, returns, written
from lensgrad.cat.para import Para, parametrized
from lensgrad.core.checks import shown, whole
from lensgrad.core.diagram import Diagram, Family
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty, product
from lensgrad.learn.batching import many
from lensgrad.theories.smooth.array import Array
from lensgrad.theories.smooth.scan import Scan

WRITTEN_OUT = 100_000  # steps that are written out one after the other


def stepping(closed: Para) -> Para:
    """The step of a closed lens as an endomap S → S of what it moves, with all else as parameters and what it reports as observables.

    S is what an optimizer gives back, and the states and keys that a step writes, in order; `moved(closed)` names it.
    """
    parametrized("what is stepped", closed)
    if not isinstance(closed.arrow, Lens) or len(closed.dom) or len(closed.cod):
        raise TypeMismatch(f"stepping expects a closed lens I → I (model, loss, rate), got {closed.dom} → {closed.cod}; end it with a rate")
    places, params, inner = positions(closed), closed.params, closed.arrow
    kept = [i for i in range(len(params)) if i not in places]
    seen = [(label, forward(ob)) for label, ob in closed.observables]
    writes = written(params, [label for label, _ in seen])

    def formula(apply: Program, *values: Block) -> list[Block]:
        given = dict(zip([*kept, *places], values, strict=True))
        p = joined(given[i] for i in range(len(params)))
        back = apply(inner.put, p).parts(*(backward(q.ob) for q in params))
        got = apply(inner.get, p).parts(*(ob for _, ob in seen))
        fresh = {i: back[i] for i in places if returns(params[i])} | dict(zip(writes, got, strict=True))
        return [*(fresh[i] for i in places), *(g for i, g in zip(writes, got, strict=True) if i is None)]

    arrow = build(Diagram, formula, *(forward(params[i].ob) for i in [*kept, *places]))
    ports = [replace(params[i], ob=forward(params[i].ob)) for i in kept]
    state = product(forward(params[i].ob) for i in places)
    return Para.make(ports, arrow, state, [s for s, i in zip(seen, writes, strict=True) if i is None])


def positions(closed: Para) -> list[int]:
    """Which parameters a step gives back."""
    wrote = written(closed.params, [label for label, _ in closed.observables])
    return [i for i, p in enumerate(closed.params) if returns(p) or i in wrote]


def moved(closed: Para) -> tuple[str, ...]:
    """The names of what a step gives back, in the order of `stepping`."""
    return tuple(closed.names[i] for i in positions(closed))


def steps(closed: Para, n: int) -> Para:
    """n steps as the n-fold composite of one, with the data of each as parameters of its own : S → S.

    Every step is written out, so n is at most 100,000; `epoch` is a loop.
    """
    one, times = stepping(closed), whole("the number of steps", n, 1)
    if times > WRITTEN_OUT:
        raise BadValue(f"steps writes out every step, {WRITTEN_OUT:,} at most, got {shown(n)}: epoch(…) is a loop of as many as you want")
    return one.then(*[one] * (times - 1))


def epoch(closed: Para, n: int) -> Para:
    """n steps as one loop : S → S; parameters of role data are stacked, the others are the same in every step; reports are stacked."""
    n, one = whole("the number of steps of an epoch", n, 1), stepping(closed)
    held = [i for i, p in enumerate(one.params) if p.role is not Role.DATA]
    data = [i for i, p in enumerate(one.params) if p.role is Role.DATA]
    order, same = [*held, *data], product(one.params[i].ob for i in held)
    ports = [one.params[i] for i in held] + [replace(one.params[i], ob=many(one.params[i].ob, n)) for i in data]
    seen = [(label, many(ob, n)) for label, ob in one.observables]

    def step(apply: Program, s: Block, *values: Block) -> list[Block]:
        given = dict(zip(order, values, strict=True))
        return [apply(one.arrow, *(given[i] for i in range(len(order))), s)]

    body = build(Diagram, step, one.dom, *(one.params[i].ob for i in order))
    loop = Diagram.of(Scan(body, n, len(one.dom), len(same)), one.dom @ product(p.ob for p in ports))

    def run(apply: Program, p: Block, s: Block) -> Sequence[Block]:
        return apply(loop, s, p).parts(one.cod, product(ob for _, ob in seen), many(s.ob, n))[:2]

    return Para.make(ports, build(Diagram, run, product(p.ob for p in ports), one.dom), one.cod, seen)


def rate_port(label: str = "rate") -> Family:
    """l ↦ r with the rate r a parameter of its own, so that R through training reaches it; a state, the same in every step."""

    def at(ob: Ty) -> Para:
        loss = forward(ob)
        if len(loss) != 1 or not isinstance(loss[0], Array) or not loss[0].floating or loss[0].shape:
            raise TypeMismatch(f"rate_port answers a single number, and the loss is {loss}: average it first")
        number = loss
        put = trace(lambda r, value: r, number, loss)
        port = silent(number)
        return Para.make([Param(label, port, Role.STATE)], Lens(port @ ob, Ty(), Diagram.discard(number @ loss), put, "rate_port"), Ty())

    return Family("rate_port", at)
