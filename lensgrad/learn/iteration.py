"""Training as arrows: one step, n steps, an epoch. Being arrows they compose, and R of them is the gradient through training.

(arXiv 2404.00408, section 4: put as an endomap of the parameters whose own parameter is the data.)
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lensgrad.cat.lens import Lens, forward, silent
from lensgrad.cat.names import Param, Role, returns, written
from lensgrad.cat.para import Para, parametrized
from lensgrad.core.checks import shown, whole
from lensgrad.core.diagram import Diagram, Family, flatten
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty, product, split
from lensgrad.theories.smooth.array import Array
from lensgrad.theories.smooth.batch import stacked
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
    kept = [p for i, p in enumerate(params) if i not in places]
    ports = [replace(p, ob=forward(p.ob)) for p in kept] + [replace(params[i], ob=forward(params[i].ob)) for i in places]
    seen = [(label, forward(ob)) for label, ob in closed.observables]
    writes = written(params, [label for label, _ in seen])

    def body(*wires: Any) -> Any:
        given = dict(zip([*(i for i in range(len(params)) if i not in places), *places], split(wires, [p.ob for p in ports]), strict=True))
        flat = flatten([list(given[i]) for i in range(len(params))])
        back = split(flatten([inner.put(*flat)]), [Ty(tuple(a for q in p.ob for a in q.bwd)) for p in params])
        got = split(flatten([inner.get(*flat)]) if seen else [], [ob for _, ob in seen])
        fresh = {**{i: back[i] for i in places if returns(params[i])}, **{i: g for i, g in zip(writes, got, strict=True) if i is not None}}
        return [list(fresh[i]) for i in places], [list(g) for i, g in zip(writes, got, strict=True) if i is None]

    arrow = trace(body, *(Ty((a,)) for p in ports for a in p.ob))
    state = product(p.ob for p in ports[len(kept) :])
    return Para.make(ports[: len(kept)], arrow, state, [s for s, i in zip(seen, writes, strict=True) if i is None])


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
    data = [p for p in one.params if p.role is Role.DATA]
    held = [p for p in one.params if p.role is not Role.DATA]
    order = list(zip(one.params, split(range(len(one.arrow.dom)), [p.ob for p in one.params]), strict=True))
    same, rows = ([w for p, span in order if (p.role is Role.DATA) is wanted for w in span] for wanted in (False, True))
    width, used = len(one.dom), len(same) + len(rows)
    place = {w: width + k for k, w in enumerate([*same, *rows])}
    dom = one.dom @ product(p.ob for p in [*held, *data])
    args = [*(place[w] for w in range(used)), *range(width)]
    body = Diagram.assemble(dom, [(one.arrow, args)], range(len(dom), len(dom) + len(one.arrow.cod)))
    loop = Scan(body, n, width, len(same))
    many = [replace(p, ob=Ty(tuple(stacked(a, n) for a in p.ob))) for p in data]
    ports = [*held, *many]

    def run(*wires: Any) -> Any:
        return flatten([loop(*wires[used:], *wires[:used])])[: len(one.arrow.cod)]

    arrow = trace(run, *(Ty((a,)) for a in product(p.ob for p in ports) @ one.dom))
    seen = [(label, Ty(tuple(stacked(a, n) for a in ob))) for label, ob in one.observables]
    return Para.make(ports, arrow, one.cod, seen)


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
