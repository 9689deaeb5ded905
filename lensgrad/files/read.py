"""Data back to values: every type is checked again, nothing in the data is ever run, and what describes nothing is refused."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeGuard

from lensgrad.cat.body import Body
from lensgrad.cat.lens import Lens, Pair, natural
from lensgrad.cat.names import Param, Role
from lensgrad.cat.para import Para
from lensgrad.core import checks
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import BadCheckpoint, Piece, listed
from lensgrad.core.graph import Graph
from lensgrad.core.op import Op, Table
from lensgrad.core.ty import Ty
from lensgrad.files.names import ATOMS, Generators, bodies, classes, fits, hints, names
from lensgrad.learn.losses.kind import Kind
from lensgrad.learn.model import Model
from lensgrad.program.values import forward_object
from lensgrad.theories.poly.semiring import Semiring
from lensgrad.theories.poly.semiring import named as known
from lensgrad.theories.smooth.array import Key
from lensgrad.theories.smooth.scan import Scan

DEEPEST = 50  # definitions inside definitions; comparing and unfolding go as deep
LARGEST = 200_000  # nodes after unfolding, so that a small file cannot stand for an endless program: each takes up to a millisecond
LONGEST = 50_000_000  # nodes that are run, those of a loop once for each of its steps
STRANGE = "this is no arrow or learner as lensgrad writes them"
AGAIN = "take another copy of the file, or train again"


class Reader:
    """Data to values. An arrow may name only the bodies before it, and is built anew: typed, shared and in canonical order."""

    def __init__(self, written: Any, generators: Generators | None) -> None:
        self.classes = classes(generators)
        self.bodies: list[Diagram] = []
        self.weights: dict[int, tuple[int, int, int]] = {}  # of each body: nodes after unfolding, nodes that are run, and how deep it goes
        for body in typed(list, written):
            f = self.body(body)
            self.weights[id(f)] = self.weight(f)
            self.bodies.append(f)

    def value(self, data: Any) -> Any:
        if data is None or type(data) in (bool, int, float, str):
            return data
        if is_row(data):
            return tuple(map(self.value, data))
        tag, inner = tagged(data)
        return READ[tag](self, inner) if tag in READ else self.record(tag, inner)

    def one(self, kind: Any, data: Any) -> Any:
        """A value of this type."""
        return typed(kind, self.value(data))

    def record(self, name: str, data: Any) -> Any:
        if name not in self.classes:
            raise BadCheckpoint(
                f"'{name}' is unknown here: upgrade lensgrad if a newer one wrote this, or give the class as generators={{'{name}': …}}"
            )
        cls = self.classes[name]
        values = {field: self.value(v) for field, v in typed(dict, data).items()}
        for field, v in values.items():
            if field not in names(cls):
                raise BadCheckpoint(f"{name} has no '{field}' here: upgrade lensgrad if a newer one wrote this")
            if not fits(v, hints(cls).get(field, Any)):
                raise BadCheckpoint(f"'{field}' of {name} cannot be {v!r:.60}")
        return cls(**values)

    def body(self, data: Any) -> Diagram:
        dom, nodes, outs = parts(data, "dom", "nodes", "outs")
        graph = Graph(self.one(Ty, dom))
        env = [*range(len(graph.dom))]
        for node in typed(list, nodes):
            op, args, origin = node if len(typed(list, node)) == 3 else (*node, list[str]())
            path = tuple(checks.path("an origin", o) for o in typed(list, origin))
            env.extend(graph.apply(self.one(Op, op), wires(args, env), origin=path))
        return Diagram.finish(graph, wires(outs, env))

    def weight(self, f: Diagram) -> tuple[int, int, int]:
        """How large, how long and how deep an arrow is when everything inside is unfolded; refused when beyond all reason."""
        inside = [(n.op.n if isinstance(n.op, Scan) else 1, *self.weights[id(b)]) for n in f.nodes for b in bodies(n.op)]
        size, depth = len(f.nodes) + sum(s for _, s, _, _ in inside), 1 + max((d for *_, d in inside), default=0)
        long = len(f.nodes) + sum(steps * run for steps, _, run, _ in inside)
        if size > LARGEST or depth > DEEPEST:
            told = f"an arrow of {size:,} nodes, {depth} definitions deep"
            raise BadCheckpoint(f"{told}, is refused: {LARGEST:,} nodes and {DEEPEST} definitions are the limits")
        if long > LONGEST:
            told = f"an arrow that runs {long:,} nodes, with those of each step of its loops"
            raise BadCheckpoint(f"{told}, is refused: {LONGEST:,} are the limit")
        return size, long, depth

    def arrow(self, number: Any) -> Diagram:
        (place,) = wires([number], self.bodies)
        return place

    def object(self, data: Any) -> Ty:
        return Ty(tuple(self.one(ATOMS, atom) for atom in typed(list, data)))

    def image(self, data: Any) -> Lens:
        dom, cod, arrow = (self.value(v) for v in parts(data, "dom", "cod", "arrow"))
        if not natural(pairs(dom)) or not natural(pairs(cod)):
            raise BadCheckpoint(f"no reverse derivative has the type {dom} → {cod}")
        return Lens.of(typed(Diagram, arrow), dom, cod)

    def lens(self, data: Any) -> Lens:
        dom, cod, get, put = (self.value(v) for v in parts(data, "dom", "cod", "get", "put"))
        return Lens(pairs(dom), pairs(cod), typed(Diagram, get), typed(Diagram, put))

    def para(self, data: Any) -> Para:
        dom, cod, params, arrow, seen, called = parts(data, "dom", "cod", "params", "arrow", "observables", "called")
        observed = tuple((typed(str, label), typed(Ty, ob)) for label, ob in self.one(tuple, seen))
        whole = Body(tuple(map(self.param, typed(list, params))), self.one((Diagram, Lens), arrow), observed)
        piece, first, last = map(named, typed(list, called))
        kind = Para if isinstance(whole.arrow, Lens) else Model
        return kind(self.one(Ty, dom), self.one(Ty, cod), whole, piece=piece, ends=(first, last))

    def param(self, data: Any) -> Param:
        label, ob, role, init, *about = data
        made = Param(typed(str, label), self.one(Ty, ob), Role(role), self.value(init), *(self.one(Kind, a) for a in about))
        if made.init is not None and (typed(Diagram, made.init).dom, made.init.cod) != (Ty((Key(),)), forward_object(made)):
            raise BadCheckpoint(f"the first value of '{label}' : {forward_object(made)} cannot come from an arrow to {made.init.cod}")
        return made


def typed(kind: Any, value: Any) -> Any:
    """The value, if it is of this type."""
    if not isinstance(value, kind):
        raise BadCheckpoint(f"{STRANGE}: {value!r:.60} is out of place")
    return value


def is_row(data: Any) -> TypeGuard[list[Any]]:
    """Whether data is a list, as JSON has them."""
    return type(data) is list


def tagged(data: Any) -> tuple[str, Any]:
    """The one key of an object, and what it holds."""
    if len(typed(dict, data)) != 1:
        raise BadCheckpoint(f"{STRANGE}: {data!r:.60} must have one key")
    return next(iter(data.items()))


def parts(data: Any, *keys: str) -> list[Any]:
    """The entries of an object that has exactly these keys."""
    if set(typed(dict, data)) != set(keys):
        raise BadCheckpoint(f"{STRANGE}: {listed([*data])} must be {listed(keys)}")
    return [data[key] for key in keys]


def wires(places: Any, env: list[Any]) -> tuple[Any, ...]:
    """The entries of `env` at these places."""
    if not all(type(p) is int and 0 <= p < len(env) for p in typed(list, places)):
        raise BadCheckpoint(f"{places!r:.60} names what is not there yet: only {len(env)} came before it")
    return tuple(env[p] for p in places)


def pairs(ob: Any) -> Ty:
    """An object of Lens(C)."""
    return Ty(tuple(typed(Pair, atom) for atom in typed(Ty, ob)))


def named(data: Any) -> Piece:
    """What errors say about a component; where it was written is not kept."""
    name, accept, produce = (typed(str, d) and checks.name("a text for errors", d, sys.maxsize) for d in typed(list, data))
    return Piece(name, "", accept, produce)


def entry(key: Any, value: Any) -> tuple[Any, Any]:
    """An entry of a dict; what it is called is shown to people and written elsewhere, so it is a name."""
    return (checks.path("a name in a file", key) if isinstance(key, str) else key), value


def words(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of a learner, after checking those that are names."""
    for field, value in fields.items():
        for text in value if checks.is_tuple(value) else (value,):
            if isinstance(text, str) and text:  # a link may be none
                checks.path(f"the {field} of a learner", text)
    return fields


def semiring(name: Any) -> Semiring:
    """A semiring by name."""
    found = known(typed(str, name))
    if found is None:
        raise BadCheckpoint(f"'{name}' is no semiring here: upgrade lensgrad if a newer one wrote this")
    return found


def infinite(written: Any) -> float:
    """A float that is not finite, which JSON has no numbers for."""
    if written not in ("inf", "-inf", "nan"):
        raise BadCheckpoint(f"{written!r:.60} is no float that JSON cannot write")
    return float(written)


READ: dict[str, Callable[[Reader, Any], Any]] = {
    "list": lambda r, x: [*map(r.value, typed(list, x))],
    "dict": lambda r, x: dict(entry(*r.one(tuple, item)) for item in typed(list, x)),
    "float": lambda _, x: infinite(x),
    "object": Reader.object,
    "role": lambda _, x: Role(x),
    "table": lambda _, x: Table(typed(list, x)),
    "semiring": lambda _, x: semiring(x),
    "arrow": Reader.arrow,
    "image": Reader.image,
    "lens": Reader.lens,
    "para": Reader.para,
}
