"""A scale of the learning rate that a run can change: a state between the optimizer and the weights, so that the step stays one program."""

from __future__ import annotations

from typing import Any

from lensgrad.cat.lens import Lens, forward, updated
from lensgrad.cat.names import Param, Role, returns
from lensgrad.cat.para import Para, Places, Point, lens
from lensgrad.core.diagram import Family
from lensgrad.core.errors import BadValue
from lensgrad.core.graph import Wire
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty, product
from lensgrad.learn import init
from lensgrad.learn.optimizers.groups import parameter_groups
from lensgrad.learn.tasks import reached
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array, Real

LABEL = "rate_scale"


def rate_scaled(task: Para, rate: Family | Para, optimizer: Point | Places) -> dict[Any, Point]:
    """The optimizer with all its steps times one state s, which starts at 1: p ← p + s (p′ − p), where it gave p′.

    This is the optimizer with s times its rate wherever the rate multiplies what is subtracted, as it does in all of this library
    but in what Nesterov's momentum lets the model see. With s = 1 the step is the same to the bit.
    """
    start = lens(task) >> rate
    groups = parameter_groups(start.params, optimizer)
    chosen = sorted(reached(start.params, groups))
    own = [start.params[i] for i in chosen]
    moved = Para.make(own, Lens.id(product(p.ob for p in own))).reparam(groups)
    if LABEL in (*start.names, *moved.names):
        raise BadValue(f"'{LABEL}' is the name of the state that scales the learning rate, and this learner has a parameter of that name")
    held = [n for n, p in zip(moved.names, moved.params, strict=True) if p.role is Role.WEIGHT and returns(p) and real(forward(p.ob))]
    if not held:
        raise BadValue("a learning rate is scaled where an optimizer moves weights of floats, and here none does")
    return {tuple(start.names[i] for i in chosen): moved.reparam({tuple(held): scaled})}


def real(ob: Ty) -> bool:
    """Whether an object is made of floats."""
    return all(isinstance(a, Array) and a.floating for a in ob)


def scaled(*params: Param) -> Para:
    """The lens (S × P, S × P) → (P, P) whose put is (s, p, p′) ↦ (s, p + s (p′ − p))."""
    one = Real()
    state, ob = Param(LABEL, updated(one), Role.STATE, init.constant(1.0)(one)), product(p.ob for p in params)
    atoms = [Ty((a,)) for a in forward(ob)]

    def put(s: Wire, *wires: Wire) -> tuple[Wire, ...]:
        old, new = wires[: len(atoms)], wires[len(atoms) :]
        return s, *(part(s, p, q) for p, q in zip(old, new, strict=True))

    def get(s: Wire, *p: Wire) -> tuple[Wire, ...]:
        return p

    return Para.make([state, *params], Lens(state.ob @ ob, ob, trace(get, one, *atoms), trace(put, one, *atoms, *atoms), LABEL))


def part(s: Wire, p: Wire, q: Wire) -> Wire:
    """p + s (q − p), and q itself where s is 1, without rounding."""
    size = ops.spread(ops.cast(s, p.atom.dtype), p.atom.shape, ())
    return ops.select(size < 1.0, p + size * (q - p), q)


__all__ = ["LABEL", "rate_scaled"]
