"""What is found by trying: an array whose scale is wrong, and a step that goes too far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lensgrad.cat.names import Role
from lensgrad.core.diagram import flatten
from lensgrad.data.arrays import count
from lensgrad.program.taps import Numbers
from lensgrad.program.values import Values
from lensgrad.theories.smooth.pointwise import Div
from lensgrad.theories.smooth.scan import Scan
from lensgrad.train.faults import Fault, finite, place
from lensgrad.train.insides import size, stops
from lensgrad.train.record import Record, shown
from lensgrad.train.swelling import ahead, around, back
from lensgrad.train.wires import numbers_of

LARGE = 1e3  # how often larger than its weight, and than 1, a gradient counts as huge
WIDE = 100.0  # the size of an array from which its scale is tried
RISE = 0.5  # the share of a loss that a step must add to it before the step is too long: with momentum some batches rise in good training
FALL = 1e-3  # the share that a shorter step must take away, which rounding does not
RUINED = 1e3  # how often larger than before, and than 1, a loss is that a step has ruined
HALVINGS = 12  # how often a step is divided by 4, to see whether it goes too far


def gradient(numbers: Numbers, name: str) -> float:
    """The size of the gradient of a parameter, without a loss scale."""
    t = numbers.tapped
    seeds = len(t.task.arrow.dom) < t.inputs
    scale = max(1.0, size(numbers.at(t.inputs - 1))) if seeds else 1.0
    found = [numbers.cotangent(w) for w in t.wires(name)]
    return max((size(g) / scale if finite(g) else np.inf for g in found if g is not None), default=0.0)


def huge(learner: Record, values: Mapping[str, Any], rows: Mapping[str, Any], numbers: Numbers, name: str) -> Fault | None:
    """Why a gradient is huge: the data or weight that makes it healthy when it is scaled, or the generator where it grows most."""
    now = gradient(numbers, name)
    held = max(map(size, flatten(values.get(name, rows.get(name, 0.0)))))  # a weight may be several arrays
    if now <= LARGE * max(1.0, held):
        return None
    weights = {n: v for n, v in values.items() if n in learner.model_names}
    for other, x in (*rows.items(), *weights.items()):
        if isinstance(x, tuple) or np.asarray(x).dtype.kind != "f" or size(x) < WIDE:
            continue
        one, own = np.asarray(x) / size(x), other in rows
        given = (values, {**rows, other: one}) if own else ({**values, other: one}, rows)
        then = gradient(numbers_of(learner, *given, numbers.engine), name)
        if then < now / WIDE:
            kind = "label scale" if other in learner.labels else "input scale" if own else "weight scale"
            about = f"the numbers of '{other}' are about {size(x):.3g}: with them about 1, the gradient is {then:.3g}, not {now:.3g}"
            return Fault(kind, other, "", f"{about}: scale {'this data' if own else 'this weight'}")
    return grown(numbers, name, now)


def grown(numbers: Numbers, name: str, now: float) -> Fault | None:
    """The generator, or the layers, through which what flows back grows most."""
    t = numbers.tapped
    at = t.wires(name)
    most = max(stops(numbers, at), key=lambda s: (s.share, s.number), default=None)
    if most is None:
        return None
    node = t.nodes[most.number]
    op: Any = node.op
    told = f"the gradient of '{name}' is about {now:.3g}, and grows {most.share:.3g} times through {op.name} in {place(node)}"
    if isinstance(op, Div):
        told += f", whose divisors are as small as {float(np.min(np.abs(numbers.at(node.args[1])), initial=np.inf)):.2g}"
    if isinstance(op, Scan):
        return around(numbers, most.number, told)
    return ahead(numbers) or back(numbers, at, name, now) or Fault("grows", place(node), op.name, told, most.number)


def root(numbers: Numbers, fault: Fault, params: Mapping[str, Any]) -> Fault:
    """A fault of numbers that are too large, told by the data that are large already."""
    if fault.cause not in ("overflow", "exp"):
        return fault
    t = numbers.tapped
    roles = [(n, w) for n, w in t.names.items() if n in params and params[n].role is Role.DATA and t.owner[w] < 0]
    wide = [(size(numbers.at(w)), n) for n, w in roles if numbers.at(w).dtype.kind == "f" and size(numbers.at(w)) >= WIDE**2]
    if wide:
        return replace(fault, told=f"{fault.told}; the numbers of '{max(wide)[1]}' are about {max(wide)[0]:.3g}: scale them")
    grew = ahead(numbers) if fault.within is None and fault.cause == "overflow" else None
    return fault if grew is None else replace(grew, told=f"{fault.told}; {grew.told}")


def overshoot(learner: Record, values: Mapping[str, Any], rows: Mapping[str, Any], numbers: Numbers) -> Fault | None:
    """A step that raises the loss, where a smaller one of the same direction lowers it."""
    step = learner.step(count(rows), numbers.engine)
    names = [n for n, p in zip(learner.task.names, learner.task.params, strict=True) if p.role is Role.WEIGHT]
    if not set(step_needs(step)) <= {*values, *rows} or len(numbers.tapped.task.cod) != 1:
        return None
    with np.errstate(all="ignore"):
        after = step({**values, **{n: v for n, v in rows.items() if n in step_needs(step)}})
    before = loss(numbers)

    def at(share: float) -> float:
        return loss(numbers_of(learner, moved(values, after, names, share), rows, numbers.engine))

    whole = at(1.0)
    if whole <= before + RISE * abs(before) or not np.isfinite(before):
        return None
    for k in range(1, HALVINGS):
        if at(4.0**-k) < before - FALL * abs(before):
            name = shown(learner.optimizer)
            told = f"the step of {name} takes the loss of this batch from {before:.4g} to {whole:.4g}"
            return Fault("rate", name, name, f"{told}, and a step of 1/{4**k} of it to {at(4.0**-k):.4g}: use a smaller learning rate")
    if not np.isfinite(whole) or whole > RUINED * max(1.0, abs(before)):
        told = f"the step of {shown(learner.optimizer)} takes the loss of this batch from {before:.4g} to {whole:.4g}"
        told += ", and a shorter one does not lower it: its states, such as velocities, lead it up, or it is made to ascend"
        return Fault("step", shown(learner.optimizer), shown(learner.optimizer), told)
    return None


def step_needs(step: Any) -> list[str]:
    return [p.name for p in step.inputs]


def moved(values: Mapping[str, Any], after: Values, names: Sequence[str], share: float) -> Values:
    """Values with so large a share of what a step adds to the weights."""
    return {**values, **{n: between(values[n], after[n], share) for n in names if n in after and n in values}}


def between(old: Any, new: Any, share: float) -> Any:
    if isinstance(old, tuple):
        return tuple(between(a, b, share) for a, b in zip(old, new, strict=True))  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    a, b = np.asarray(old), np.asarray(new)
    return (a + (b.astype(np.float64) - a) * share).astype(a.dtype)


def loss(numbers: Numbers) -> float:
    """The loss of the batch."""
    with np.errstate(all="ignore"):
        return float(np.sum(numbers.at(numbers.tapped.outs[0])))


__all__ = ["gradient", "huge", "overshoot", "root", "size"]
