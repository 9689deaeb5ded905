"""The guard: a run stops at the first number that is not finite, and says which layer made it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lensgrad.backends.engine import NumPy
from lensgrad.core.diagram import Diagram, flatten
from lensgrad.core.errors import BadValue
from lensgrad.core.functor import fold
from lensgrad.core.graph import BACK, Node
from lensgrad.core.ty import Ty, split
from lensgrad.program.compile import Program
from lensgrad.program.values import Value, Values, checked
from lensgrad.theories.smooth.pointwise import Div, IntegerPower, Power, Rsqrt, Select


class NotFinite(BadValue):
    """A number that is not finite in training: `values` before the step, its `batch`, and the `name` of what is not finite."""

    def __init__(self, message: str, values: Mapping[str, object] | None = None, batch: Mapping[str, object] | None = None, name: str = ""):
        super().__init__(message)
        self.values, self.batch, self.name = dict(values or {}), dict(batch or {}), name


@dataclass(frozen=True, slots=True)
class Taken:
    """A step: its program, the values before it, its batch, and its place in the run."""

    program: Program
    values: Values
    batch: Mapping[str, Any]
    epoch: int
    number: int

    def inputs(self) -> list[Any]:
        """What the program got, one array a wire."""
        values = {**self.values, **self.batch}
        found = [checked(p.name, p.ob, values) for p in self.program.inputs]
        return flatten(found)


def guard(values: Values, step: Taken, before: Taken | None) -> None:
    """Stop where a value is not finite, and say when it happened and where; `before` is the step before, if there was one.

    The error has the values and the batch of the step, for `lg.why`.
    """
    bad = [n for n, v in values.items() if not finite(v)]
    if not bad:
        return
    spoiled = [n for n, v in step.values.items() if not finite(v)]
    if spoiled and before is not None:
        bad, step = spoiled, before
    told = f"'{bad[0]}' is not finite after step {step.number} of epoch {step.epoch + 1}: {cause(step, bad[0])}"
    call = f"lg.why(learner, error.values, error.batch, {bad[0]!r}) says more"
    raise NotFinite(f"{told}; {call}", step.values, step.batch, bad[0])


def cause(step: Taken, name: str) -> str:
    """Whose fault it looks like: the data's, or the generator's that first left the finite numbers."""
    sick = [n for n, v in step.batch.items() if not finite(v)]
    if sick:
        return f"'{sick[0]}' holds a number that is not finite"
    return f"{first_bad(step.program, step.inputs(), name)}use a smaller learning rate, or scale the data"


def finite(value: Value) -> bool:
    """Whether all numbers of a value (one array or a group) are finite."""
    return all(bool(np.isfinite(v).all()) for v in (value if isinstance(value, tuple) else (value,)))


def first_bad(program: Program, inputs: Sequence[Any], name: str) -> str:
    """A sentence on the node that first left the finite numbers on the way to an output, from a replay node by node in NumPy."""
    f = program.diagram
    values, made = replayed(f, inputs, program.engine.reference())
    outs = dict(zip((p.name for p in program.outputs), split(f.outs, [p.ob for p in program.outputs]), strict=True))
    at = next((w for w in outs.get(name, ()) if not finite(values[w])), None)
    while at is not None and at in made:
        found = made[at]
        # Among several, one that is NaN leads to the fault; infinite constants are meant.
        worse = sorted((a for a in found.args if suspect(a, values, made)), key=lambda a: not np.isnan(values[a]).any())
        if not worse:
            return f"{told(found, made)} gave {kind(values[at])} from finite numbers{trap(f, found)}; "
        at = worse[0]
    return ""


def trap(f: Diagram, found: Node) -> str:
    """What to do where a `select` leaves a point out on the way forward, and its infinite derivative comes in on the way back."""
    singular = isinstance(found.op, Div | IntegerPower | Power | Rsqrt) and found.origin[:1] in ((), (BACK,))
    if not singular or not any(isinstance(n.op, Select) for n in f.nodes):
        return ""
    rule = "both sides of a select are differentiated, and 0 times an infinite derivative is NaN"
    return f" ({rule}: choose the argument before the function, as in sqrt(select(x > 0, x, 1)))"


def suspect(wire: int, values: Sequence[Any], made: Mapping[int, Node]) -> bool:
    return not finite(values[wire]) and not fixed(wire, made)


def fixed(wire: int, made: Mapping[int, Node]) -> bool:
    """Whether a wire reads no input: a constant, or what is made of constants."""
    return wire in made and all(fixed(a, made) for a in made[wire].args)


def replayed(f: Diagram, inputs: Sequence[Any], engine: NumPy) -> tuple[list[Any], dict[int, Node]]:
    """Every wire's value, and the node that made it."""
    values, made = list(inputs), dict[int, Node]()

    def rule(node: Node, args: list[Any]) -> Sequence[Any]:
        dom = Ty(tuple(types[a] for a in node.args))
        outs = engine.function(Diagram.of(node.op, dom))(*args)
        made.update((len(values) + k, node) for k in range(len(outs)))
        values.extend(outs)
        types.extend(node.cod)
        return outs

    types = list(f.dom)
    with np.errstate(all="ignore"):
        fold(f, inputs, rule)
    return values, made


def told(node: Node, made: Mapping[int, Node]) -> str:
    """`Mul : f32[3] in hidden/dense`; a node of the way back is told by the layer that it goes back through, or else reads numbers of."""
    place = "/".join(node.origin)
    if node.origin[:1] in ((), (BACK,)):
        forward = (made[a].origin for a in node.args if a in made)
        near = node.origin[1:] or next((o for o in forward if o[:1] not in ((), (BACK,))), ())
        place = f"the way back through {'/'.join(near)}" if near else ""
    return f"{node.op.name} : {node.cod}{' in ' if place else ''}{place}"


def kind(value: Any) -> str:
    return "NaN" if np.isnan(value).any() else "an infinite number"
