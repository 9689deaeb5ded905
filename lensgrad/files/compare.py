"""How two learners differ, said in one sentence for each difference: the first generator or number that is another one.

A difference of meaning is another model, loss, optimizer or order of differentiation. Numbers of the optimizer and of the rate,
and what is measured, may change on purpose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from lensgrad.cat.lens import Lens
from lensgrad.cat.names import Role
from lensgrad.cat.para import Para
from lensgrad.core.checks import is_number, shown
from lensgrad.core.diagram import Definition, Diagram
from lensgrad.core.errors import listed
from lensgrad.core.graph import Node
from lensgrad.core.op import Op

MEASURED = ("metrics",)  # fields of a learner that change nothing in its steps
FOLLOWING = ("task", "optimizer")  # another model has another task, and an optimizer of other weights
DROPPED = {"RandomBits", "Compare"}  # the generators that tell a dropout from other noise


@dataclass(frozen=True)
class Difference:
    """What was and what is, and whether the meaning is another one."""

    told: str
    refused: bool = True


def was(what: str, there: Any, here: Any) -> str:
    """`a number of "drop" was 0.2 in the file and is 0.9 now`."""
    return f"{what} was {there} in the file and is {here} now"


def differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> list[Difference]:
    """The differences between two learners without functions, each given by its fields."""
    found = list[Difference]()
    for field in {**here, **there}:
        a, b = there.get(field), here.get(field)
        if a != b and not (field in FOLLOWING and any(d.refused for d in found)):
            found += COMPARED.get(field, plain)(field, a, b)
    return found


def plain(field: str, there: Any, here: Any) -> list[Difference]:
    """Fields whose values say all."""
    return [Difference(was(f"the learner's {field}", shown(there), shown(here)), field not in MEASURED)]


def models(_: str, there: Para, here: Para) -> list[Difference]:
    told = ports("the model", there, here) or first("the model", there.arrow, here.arrow)
    return [Difference(told or "the model keeps or observes other values")]


def tasks(_: str, there: Para, here: Para) -> list[Difference]:
    """Losses, and what is observed beside them."""
    both = {label for label, _ in there.observables} & {label for label, _ in here.observables}
    names = there.ends[1].name, here.ends[1].name
    if names[0] != names[1]:
        return [Difference(was("the loss", *names))]
    told = ports("the task", there, here) or first(f"the loss {names[1]}", kept(there, both), kept(here, both))
    if told:
        return [Difference(told)]
    a, b = (listed([label for label, _ in f.observables]) for f in (there, here))
    return [Difference(was("what is observed", a, b), False)]


def kept(f: Para, labels: set[str]) -> Diagram:
    """The arrow of a task with these observables only."""
    outs, at = [*range(len(f.cod))], len(f.cod)
    for label, ob in f.observables:
        outs += range(at, at + len(ob)) if label in labels else ()
        at += len(ob)
    return f.arrow >> Diagram.wiring(f.arrow.cod, outs)


def optimizers(_: str, there: Any, here: Any) -> list[Difference]:
    """Optimizers place by place."""
    if list(there) != list(here):
        return [Difference(was("the optimizer", f"for {places(there)}", f"for {places(here)}"))]
    return [d for where in here if there[where] != here[where] for d in points(where, there[where], here[where])]


def places(optimizer: Mapping[Any, Any]) -> str:
    return listed(["all weights" if where is Role.WEIGHT else shown(where) for where in optimizer])


def points(where: Any, there: tuple[Para, ...], here: tuple[Para, ...]) -> list[Difference]:
    """The optimizers at the weights of one place."""
    what = "the optimizer" if where is Role.WEIGHT else f"the optimizer of {shown(where)}"
    pairs = [(a, b) for a, b in zip(there, here, strict=False) if a != b]
    return [moved(what, *pairs[0])] if pairs else [Difference(was(what, f"for {len(there)} weights", f"for {len(here)}"))]


def rates(_: str, there: Para, here: Para) -> list[Difference]:
    return [moved("the rate", there, here)]


def moved(what: str, there: Para, here: Para) -> Difference:
    """How two optimizers or rates differ: in kind, or in numbers only."""
    a, b = there.piece.name, here.piece.name
    named = was(what, a, b) if a and b and a != b else ""
    number, other = split(there, here, f"{what} {b}".rstrip())
    return Difference(named or other or number or f"{what} is another one", bool(other) or not number)


def split(there: Para, here: Para, what: str) -> tuple[str, str]:
    """The first number in which two arrows differ, and the first difference that is more than a number."""
    number, other = "", ports(what, there, here)
    for a, b in zip(arrows(there.arrow), arrows(here.arrow), strict=False):
        for told, is_only_number in walk(what, a, b):
            number, other = (number or told, other) if is_only_number else (number, other or told)
    return number, other


def arrows(arrow: Any) -> tuple[Diagram, ...]:
    return (arrow.get, arrow.put) if isinstance(arrow, Lens) else (arrow,)


def ports(what: str, there: Para, here: Para) -> str:
    """The first parameter that has another name, type or role."""
    for a, b in zip_longest(there.params, here.params):
        if a is None:
            return f"{what} has the parameter '{b.label}' now, and not in the file"
        if b is None:
            return f"{what} has the parameter '{a.label}' in the file only"
        if (a.label, a.ob, a.role) != (b.label, b.ob, b.role):
            return was(f"a parameter of {what}", *(f"'{p.label}' : {p.ob} ({p.role.value})" for p in (a, b)))
    return ""


# -- arrows ------------------------------------------------------------------------------------------------------------


def first(what: str, there: Any, here: Any) -> str:
    """The first difference between two arrows."""
    return next((told for a, b in zip(arrows(there), arrows(here), strict=False) for told, _ in walk(what, a, b)), "")


def walk(what: str, f: Diagram, g: Diagram) -> list[tuple[str, bool]]:
    """The differences of two arrows in the order of their steps, each with whether it is a number only.

    They are read as terms, from what they give: equal numbers share a wire, so that another number may be another order of nodes.
    """
    if f.dom != g.dom or len(f.outs) != len(g.outs):
        return [(f"{what} takes or gives other values", False)]
    found = [(place, told) for place, n, m in pairs(f, g) for told in apart(what, f, n, m)]
    return [told for _, told in sorted(found, key=lambda each: each[0])]


Made = tuple[Node | None, int]  # what makes a wire, and which of its outputs it is; an input is made by nothing


def makers(f: Diagram) -> list[Made]:
    """What makes each wire."""
    return [*((None, i) for i in range(len(f.dom))), *((n, k) for n in f.nodes for k in range(len(n.cod)))]


def pairs(f: Diagram, g: Diagram) -> Iterator[tuple[int, Made, Made]]:
    """The wires at one place of both arrows, each pair once, with its number in g; behind a difference of kind nothing is compared."""
    left, right = makers(f), makers(g)
    todo = [*zip(f.outs, g.outs, strict=True)]
    seen = set(todo)
    while todo:
        a, b = todo.pop()
        (n, _), (m, _) = left[a], right[b]
        yield b, left[a], right[b]
        if n is not None and m is not None and type(n.op) is type(m.op) and len(n.args) == len(m.args):
            new = [p for p in zip(n.args, m.args, strict=True) if p not in seen]
            seen.update(new)
            todo += new


def apart(what: str, f: Diagram, a: Made, b: Made) -> Iterator[tuple[str, bool]]:
    """How two wires at one place differ in what makes them."""
    (n, i), (m, j) = a, b
    if n is None and m is None and i == j:
        return
    if n is None or m is None or type(n.op) is not type(m.op):
        yield f"{what} has {called(n)} in the file and {called(m)} now", False
    elif i != j or len(n.args) != len(m.args):
        yield f"{what} is wired otherwise at {called(m)}", False
    elif n.op != m.op:
        yield from inside(what, f, n.op, m.op)


def inside(what: str, f: Diagram, a: Any, b: Any) -> Iterator[tuple[str, bool]]:
    """The differences of two generators of one class."""
    if isinstance(a, Definition) and isinstance(b, Definition) and a.label != b.label:
        yield f"{what} has {called(a)} in the file and {called(b)} now", False
        return
    for field in a.fields:
        x, y = getattr(a, field), getattr(b, field)
        if isinstance(x, Diagram) and isinstance(y, Diagram):
            yield from walk(deeper(what, b), x, y)
        elif x != y or type(x) is not type(y):
            yield was(quantity(what, f, b, field), shown(x), shown(y)), is_number(x) and is_number(y)


def deeper(what: str, op: Op) -> str:
    """The layer inside a layer, or the first one: `"block/drop"`."""
    return what if not isinstance(op, Definition) else f'{what[:-1]}/{op.label}"' if what.endswith('"') else f'"{op.label}"'


def quantity(what: str, f: Diagram, op: Op, field: str) -> str:
    """What the value of an attribute is called."""
    if op.name != "Full" or field != "value":
        return f"{field} of {op.name} in {what}"
    return f"the dropout rate of {what}" if {n.op.name for n in f.nodes} >= DROPPED else f"a number of {what}"


def called(node: Node | Op | None) -> str:
    """A generator as a person knows it: a layer or function by its name, others by their class."""
    op = node.op if isinstance(node, Node) else node
    return "an input" if op is None else f'"{op.label}"' if isinstance(op, Definition) else op.name


COMPARED: dict[str, Callable[[str, Any, Any], list[Difference]]] = {
    "model": models,
    "task": tasks,
    "optimizer": optimizers,
    "rate": rates,
}
