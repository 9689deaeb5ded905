"""What goes wrong at one generator, in words: why it gives a number that is not finite, and why no gradient comes through it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from lensgrad.cat.names import Role
from lensgrad.core.graph import BACK, Node
from lensgrad.program.taps import OBJECTIVE, TASK, Numbers, Tapped
from lensgrad.theories.smooth import linear, pointwise, random, reduce, scan
from lensgrad.theories.smooth import pointwise as p
from lensgrad.theories.smooth.conv import Convolve
from lensgrad.theories.smooth.index import ScatterAdd, Take

FLAT = ("dead", "flat", "saturated", "cancels")  # what is no fault in a loss that is 0
SCALE = "give the learner a loss_scale, or a larger one"


@dataclass(frozen=True)
class Fault:
    """Something found: a word for its cause, where, the generator, a sentence, and the node that shows it, by number.

    `within` are the numbers that the node stands among, where these are not those of the task but of one step of a loop.
    """

    cause: str
    place: str
    generator: str
    told: str
    node: int | None = None
    within: Numbers | None = None


def place(node: Node) -> str:
    """The path of the layer that a node stands in, or goes back through."""
    path = node.origin[1:] if node.origin[:1] == (BACK,) else node.origin
    return "/".join(path) or TASK


def finite(x: Any) -> bool:
    return bool(np.isfinite(x).all()) if np.asarray(x).dtype.kind == "f" else True


def span(x: np.ndarray[Any, Any]) -> str:
    """`from -3 to 5`."""
    if not x.size:
        return "of no numbers"
    low, high = (float(f(x)) for f in (np.min, np.max))
    return f"{low:.4g} everywhere" if low == high else f"from {low:.4g} to {high:.4g}"


# -- not finite --------------------------------------------------------------------------------------------------------


def first_bad(numbers: Numbers, wire: int) -> int | None:
    """The node that first left the finite numbers on the way to a wire; None where an input is not finite itself."""
    t, at = numbers.tapped, wire
    while t.owner[at] >= 0:
        node = t.nodes[t.owner[at]]
        worse = sorted((a for a in node.args if suspect(numbers, a)), key=lambda a: not np.isnan(numbers.at(a)).any())
        if not worse:
            return t.owner[at]
        at = worse[0]
    return None


def suspect(numbers: Numbers, wire: int) -> bool:
    """Whether a wire is not finite and no constant, which may be meant."""
    return not finite(numbers.at(wire)) and not constant(numbers.tapped, wire)


def constant(t: Tapped, wire: int) -> bool:
    """Whether a wire reads no input."""
    return t.owner[wire] >= 0 and all(constant(t, a) for a in t.nodes[t.owner[wire]].args)


def not_finite(numbers: Numbers, number: int) -> Fault:
    """Why a node gives a number that is not finite from finite ones."""
    t = numbers.tapped
    node = t.nodes[number]
    xs = [numbers.at(a) for a in node.args]
    gave = (
        "NaN" if any(np.isnan(numbers.at(w)).any() for w in t.outputs(number) if numbers.at(w).dtype.kind == "f") else "an infinite number"
    )
    angle = of_angle(numbers, t.through.get(number, number))
    if angle is not None:
        name, xs = angle
        back = f"the way back through {name}" if number in t.through else name
        told = f"{back} in {place(node)} gives {gave}: {outside(name, xs, number in t.through)}"
        return Fault("angle", place(node), name, told, number)
    if number in t.through:
        ahead = t.nodes[t.through[number]]
        cause, why = singular(ahead, [numbers.at(a) for a in ahead.args])
        told = f"the way back through {ahead.op.name} in {place(ahead)} gives {gave}: {why}"
        return Fault(cause, place(ahead), ahead.op.name, told, number)
    cause, why = undefined(node, xs)
    return Fault(cause, place(node), node.op.name, f"{node.op.name} in {place(node)} gives {gave}: {why}", number)


def of_angle(numbers: Numbers, number: int) -> tuple[str, np.ndarray[Any, Any]] | None:
    """Of the root that asin and acos are made of: which of the two it is, and the numbers that they are taken of."""
    t = numbers.tapped
    if not isinstance(t.nodes[number].op, p.Sqrt):
        return None
    product, root = t.owner[t.nodes[number].args[0]], t.starts[number]
    sides = [t.owner[a] for a in t.nodes[product].args] if product >= 0 else []
    within = [set(t.nodes[s].args) for s in sides if s >= 0]
    for node in t.nodes[: t.count]:
        if isinstance(node.op, p.Atan2) and root in node.args and len(within) == 2:
            x = node.args[node.args[0] == root]
            if all(x in wires for wires in within):
                return ("acos" if node.args[0] == root else "asin"), numbers.at(x)
    return None


def outside(name: str, xs: np.ndarray[Any, Any], back: bool) -> str:
    """Why asin and acos of some numbers, or their derivatives, are not there."""
    if back:
        return f"the derivative of {name} is infinite at -1 and 1, and {int((np.abs(xs) == 1).sum())} of its numbers are there"
    return f"{name} is defined from -1 to 1, and {int((np.abs(xs) > 1).sum())} of its numbers, {span(xs)}, are beyond"


def undefined(node: Node, xs: list[np.ndarray[Any, Any]]) -> tuple[str, str]:
    """The word and the sentence for a generator that is not defined, or too large, at finite numbers."""
    op = node.op
    if isinstance(op, p.Log | p.Log1p):
        edge = -1.0 if isinstance(op, p.Log1p) else 0.0
        return "log", f"the logarithm of numbers {span(xs[0])}, of which {int((xs[0] <= edge).sum())} are {edge:g} or less"
    if isinstance(op, p.Div):
        return "division", f"{int((xs[1] == 0).sum())} of the divisors are 0"
    if isinstance(op, p.Sqrt | p.Rsqrt):
        return "root", f"the root of numbers {span(xs[0])}, of which {int((xs[0] <= 0).sum())} are 0 or less"
    if isinstance(op, p.Power):
        lost = int(((xs[0] == 0) & (xs[1] < 0)).sum())
        if lost:
            return "power", f"{lost} zeros to a negative power ({span(xs[1])})"
        return "power", f"{int((xs[0] < 0).sum())} negative numbers to a power that is not whole ({span(xs[1])})"
    if isinstance(op, p.IntegerPower) and op.n < 0 and not np.all(xs[0]):
        return "power", f"{int((xs[0] == 0).sum())} zeros to the power {op.n}"
    if isinstance(op, p.Exp | p.Expm1):
        return "exp", f"the exponential of numbers {span(xs[0])} is beyond the largest {xs[0].dtype}"
    if isinstance(op, scan.Scan):
        return "exploding", f"what goes round grows in each of the {op.n} steps, beyond the largest number"
    return "overflow", f"the result of numbers {'; '.join(dict.fromkeys(map(span, xs)))} is beyond the largest number that its kind holds"


def singular(node: Node, xs: list[np.ndarray[Any, Any]]) -> tuple[str, str]:
    """The word and the sentence for a derivative that is infinite where the function is finite."""
    op = node.op
    zeros = int((xs[0] == 0).sum()) if xs and xs[0].dtype.kind == "f" else 0
    if isinstance(op, p.Sqrt | p.Rsqrt):
        return "root", f"the derivative of a root is infinite at 0, and {zeros} of its numbers are 0: add a small number below the root"
    if isinstance(op, p.Power | p.IntegerPower):
        return "power", f"the derivative of this power is infinite at 0, and {zeros} of its numbers are 0"
    if isinstance(op, p.Div):
        return (
            "division",
            f"divisors are as small as {float(np.min(np.abs(xs[1]), initial=np.inf)):.4g}: the derivative is beyond the largest number",
        )
    if isinstance(op, p.Log | p.Log1p):
        return "log", f"the derivative of a logarithm is infinite at 0, and its numbers are {span(xs[0])}"
    if isinstance(op, scan.Scan):
        return "exploding", f"what flows back grows in each of the {op.n} steps, beyond the largest number"
    return "overflow", f"its numbers are {'; '.join(map(span, xs))}, and the product with what flows back is beyond the largest number"


# -- zero --------------------------------------------------------------------------------------------------------------


def no_gradient(numbers: Numbers, number: int, along: set[int], left: float = 0.0) -> Fault:
    """Why nothing, or so small a share, comes back through a node at which something arrives; `along` are the wires on the way."""
    node = numbers.tapped.nodes[number]
    xs = {a: numbers.at(a) for a in node.args}
    others = [a for a in node.args if a not in along]
    found = None if left else by_choice(numbers, node, others) or by_factor(numbers, node, others)
    found = found or by_slope(node, [xs[a] for a in node.args]) or unnamed(numbers, node, others, left)
    if (found[0] in FLAT or not others) and not left and met(numbers, number):
        found = "solved", place(node), node.op.name, "the loss of this batch is 0, so there is nothing left to learn"
    cause, where, generator, why = found
    first = first_dead(numbers, number) if cause in ("dead", "flat") else None
    if first is not None:
        before = numbers.tapped.nodes[first]
        why = (
            f"{(by_condition(numbers, before) or found)[3]}; it gives 0 everywhere, so that {node.op.name} in {place(node)} stays still too"
        )
        cause, where, generator, node, number = "dead", place(before), before.op.name, before, first
    much = f"only {left:.2g} of what arrives" if left else "nothing"
    return Fault(cause, where, generator, f"{much} comes back through {node.op.name} in {place(node)}: {why}", number)


def met(numbers: Numbers, number: int) -> bool:
    """Whether the loss is 0 already, and a node is part of it: no weight is read from there on."""
    t = numbers.tapped
    if OBJECTIVE not in t.names or np.any(numbers.at(t.names[OBJECTIVE])):
        return False
    weighed = {w for w in range(t.inputs) if role_of(t, w) is Role.WEIGHT}
    after = set(t.outputs(number))
    for k in range(number + 1, t.count):
        args = {*t.nodes[k].args}
        if args & after:
            if (args - after) & weighed:
                return False
            after.update(t.outputs(k))
        elif args & weighed:
            weighed.update(t.outputs(k))
    return True


def unnamed(numbers: Numbers, node: Node, others: list[int], left: float) -> tuple[str, str, str, str]:
    """What is said where no rule below names a reason."""
    where = place(node), node.op.name
    if not left and any(numbers.at(a).dtype.itemsize == 2 for a in node.args):
        return "underflow", *where, f"it is too small for half precision and becomes 0: {SCALE}"
    if not left and not node.origin:
        return "solved", *where, "the loss is at its least for this batch"
    if not left:
        return by_gate(numbers, node) or ("cancels", *where, f"what comes back through it cancels to 0{of_one(numbers, node)}")
    if isinstance(node.op, scan.Scan):
        return "fading", *where, f"it shrinks in each of the {node.op.n} steps"
    small = [f"'{numbers.tapped.labels.get(a, 'a constant')}' has numbers {span(numbers.at(a))}" for a in others if numbers.at(a).size]
    return "shrinks", *where, "; ".join(small) or "its slope is that small there"


def by_gate(numbers: Numbers, node: Node) -> Found:
    """Beside a gate that is closed or open everywhere, as those of a recurrent network are, what comes back cancels."""
    t = numbers.tapped
    for k in range(t.count):
        gate, out = t.nodes[k], t.starts[k]
        if isinstance(gate.op, p.Logistic) and place(gate) == place(node) and np.isin(numbers.at(out), (0.0, 1.0)).all():
            told = f"what comes back through it cancels to 0, since '{t.labels.get(out, place(gate))}' is {span(numbers.at(out))}"
            return "saturated", place(gate), gate.op.name, f"{told}: {gate.op.name} is flat at numbers {span(numbers.at(gate.args[0]))}"
    return None


def of_one(numbers: Numbers, node: Node) -> str:
    """Where a batch of one example is taken away from its own mean: that it is one."""
    data = [numbers.at(w) for w in range(numbers.tapped.inputs) if role_of(numbers.tapped, w) is Role.DATA]
    alone = bool(data) and all(x.shape[:1] == (1,) for x in data)
    return ": this batch is one example, and so its own mean" if alone and isinstance(node.op, reduce.Sum | p.Sub | p.Mul) else ""


Found = tuple[str, str, str, str] | None


def by_choice(numbers: Numbers, node: Node, others: list[int]) -> Found:
    """Of a `Select`, or of the larger of two: the other side is chosen everywhere."""
    if isinstance(node.op, p.Select):
        return by_condition(numbers, node)
    if isinstance(node.op, p.Maximum | p.Minimum) and others:
        return "dead", place(node), node.op.name, "the other side is chosen everywhere: no unit is active"
    if isinstance(node.op, Take | linear.Slice | reduce.AMax | linear.Pad):
        return "not chosen", place(node), node.op.name, "it reads other entries than those that the weight reaches"
    if isinstance(node.op, linear.Concatenate):
        told = "at the entries that come from the weight it is 0: what follows reads others only, or has weights of 0 there"
        return "not chosen", place(node), node.op.name, told
    return None


def by_condition(numbers: Numbers, node: Node) -> Found:
    """Of a `Select` whose condition is the same everywhere: drawn at random, compared, or given."""
    t, where = numbers.tapped, (place(node), node.op.name)
    if drawn(t, node.args[0]):
        return "dropout", *where, "what is drawn at random drops every entry of this batch: use a lower rate"
    chosen = numbers.at(node.args[0])
    if chosen.any() != chosen.all():
        return None
    source = t.owner[node.args[0]]
    compared = t.nodes[source].op if source >= 0 else None
    if not isinstance(compared, p.Compare):
        named = t.labels.get(node.args[0], place(node))
        return "mask", named, node.op.name, f"its condition '{named}' is {bool(chosen.any())} everywhere"
    x, bend = (numbers.at(a) for a in t.nodes[source].args)
    if compared.relation in ("==", "!="):
        return "flat", *where, f"its numbers are {span(x)}, where its derivative is taken as 0"
    if np.array_equal(x, np.broadcast_to(bend, x.shape)):
        return "flat", *where, f"its numbers are {span(x)}, just where its derivative is 0"
    if np.min(x) > np.max(bend):
        return "saturated", *where, f"all its numbers, {span(x)}, are above {float(np.max(bend)):.4g}, from where on it is flat"
    return "dead", *where, f"its condition is the same everywhere, for numbers {span(x)}: no unit is active"


def first_dead(numbers: Numbers, number: int) -> int | None:
    """Before a unit that is not active because it gets 0 everywhere: the first that is not active for another reason."""
    t, found = numbers.tapped, None
    stack, seen = [*t.nodes[number].args], set[int]()
    while stack:
        owner = t.owner[stack.pop()]
        if owner < 0 or owner in seen:
            continue
        seen.add(owner)
        node = t.nodes[owner]
        told = by_condition(numbers, node) if isinstance(node.op, p.Select) else None
        if told is not None and told[0] == "dead" and not any(np.any(numbers.at(w)) for w in t.outputs(owner)):
            found = owner if found is None else min(found, owner)
        stack += node.args
    return found


def by_factor(numbers: Numbers, node: Node, others: list[int]) -> Found:
    """Of a product: the other factor is 0 everywhere, and where that comes from."""
    if not isinstance(node.op, p.Mul | p.Div | linear.Einsum | Convolve):
        return None
    both = () if others or any(np.any(numbers.at(a)) for a in node.args) else node.args
    zero = next((a for a in others or both if not np.any(numbers.at(a))), None)
    if zero is None:
        return None
    at = nothing_before(numbers, zero)
    maker = numbers.tapped.nodes[numbers.tapped.owner[at]]
    if drawn(numbers.tapped, at) or (isinstance(maker.op, p.Select) and drawn(numbers.tapped, maker.args[0])):
        return "dropout", place(node), node.op.name, "what is drawn at random drops every entry of this batch: use a lower rate"
    named = numbers.tapped.labels.get(at, "a constant")
    role = role_of(numbers.tapped, at)
    if role is Role.WEIGHT:
        ends = "what comes back to it is not 0, so a step that moves it ends this" if reached(numbers, at) else "begin with other values"
        return "zero weights", named, node.op.name, f"its other factor '{named}' is 0 everywhere: {ends}"
    if role is not None:
        return "mask", named, node.op.name, f"its other factor comes from '{named}', which is 0 everywhere"
    if isinstance(maker.op, p.Logistic):
        told = f"its other factor, '{named}', is 0 everywhere, since {maker.op.name} is flat at numbers {span(numbers.at(maker.args[0]))}"
        return "saturated", place(maker), maker.op.name, told
    return "zero factor", named, node.op.name, f"its other factor is 0 everywhere, from '{named}' on"


def reached(numbers: Numbers, wire: int) -> bool:
    """Whether something comes back to a wire that is 0."""
    g = numbers.cotangent(wire)
    return g is not None and finite(g) and bool(np.any(g))


def by_slope(node: Node, xs: list[np.ndarray[Any, Any]]) -> Found:
    """Of a function of one number: it is flat there."""
    op, at = node.op, (span(xs[0]) if xs else "")
    if isinstance(op, p.Logistic | p.Tanh | pointwise.Erf):
        return "saturated", place(node), op.name, f"it is flat at numbers {at}: make the weights before it smaller, or scale its input"
    if isinstance(op, p.Clamp):
        return "clamped", place(node), op.name, f"numbers {at} are outside of {op.low:g} to {op.high:g} everywhere, where it is flat"
    if isinstance(op, linear.Cast):
        return (
            "underflow",
            place(node),
            op.name,
            f"what comes back is too small for half precision and becomes 0: {SCALE}",
        )
    if isinstance(op, p.Exp | p.Expm1 | reduce.LogSoftmax | reduce.LogSumExp):
        return "saturated", place(node), op.name, f"its slope is 0 at numbers {at}"
    if isinstance(op, p.Sign | p.Floor | p.Round):
        return "flat", place(node), op.name, "it is flat almost everywhere"
    return None


def drawn(t: Tapped, wire: int) -> bool:
    """Whether a wire is drawn at random, and reads no numbers beside: what comes after noise is not drawn."""
    stack, seen, random_ = [wire], set[int](), False
    while stack:
        at = stack.pop()
        owner = t.owner[at]
        if owner < 0 and getattr(t.types[at], "floating", False):
            return False
        if owner < 0 or owner in seen:
            continue
        seen.add(owner)
        random_ |= isinstance(t.nodes[owner].op, random.RandomBits)
        stack += t.nodes[owner].args
    return random_


def nothing_before(numbers: Numbers, wire: int) -> int:
    """The first wire of those that are 0 everywhere because the one before is."""
    t = numbers.tapped
    while t.owner[wire] >= 0:
        before = [a for a in t.nodes[t.owner[wire]].args if not np.any(numbers.at(a)) and not constant(t, a)]
        if not before:
            break
        wire = before[0]
    return wire


def role_of(t: Tapped, wire: int) -> Role | None:
    """The role of a parameter; None for what a node makes."""
    roles = [p.role for p in t.task.params for _ in p.ob]
    return roles[wire] if wire < len(roles) else None


def tables(t: Tapped, wires: set[int]) -> Iterator[Node]:
    """The nodes that read these wires as tables of rows."""
    return (n for n in t.nodes[: t.count] if isinstance(n.op, Take | ScatterAdd) and n.args[0] in wires)
