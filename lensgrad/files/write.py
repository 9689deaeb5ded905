"""Arrows, lenses and whole learners as plain data, exactly: `decode(encode(x)) == x`, and nothing in the data is ever run.

The data is JSON: `{"format": 1, "bodies": […], "root": …}`. Numbers, texts, truth values and null stand for themselves, a
list for a tuple, and everything else is an object with one key that says what it is: `{"Array": {"shape": [4], "dtype":
"float32"}}`, `{"smooth.Sum": {"axes": [0]}}`, `{"arrow": 3}`. Arrows stand in `bodies`, each once, after the arrows inside
them; a node is `[generator, arguments]`, or `[generator, arguments, origin]`, and its type is computed when it is read.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from typing import Any, NoReturn, cast

from lensgrad.cat.lens import Lens
from lensgrad.cat.names import Param, Role
from lensgrad.cat.para import Para
from lensgrad.core.checks import is_dict
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import BadCheckpoint, LensgradError
from lensgrad.core.graph import Node
from lensgrad.core.op import Op, Table
from lensgrad.core.ty import Ty
from lensgrad.files.names import Generators, bodies, classes, names
from lensgrad.files.read import STRANGE, Reader
from lensgrad.theories.poly.semiring import Semiring, named

FORMAT = 1
WRONG = (LensgradError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


def encode(value: Any, generators: Generators | None = None) -> dict[str, Any]:
    """A value as JSON data, with what equality does not see: origins of nodes, first values, and names for errors.

    Values are arrows, lenses, parametric arrows, objects, generators, and dicts, tuples and lists of these and of plain
    values. Raises `BadCheckpoint` for anything else, such as a function or a generator that no file can name.
    """
    return _encoded(value, generators, True)


def decode(data: Any, generators: Generators | None = None) -> Any:
    """The value that `encode` wrote, every type checked again. Raises `BadCheckpoint` for data that describes none."""
    form = data.get("format") if is_dict(data) else None
    if type(form) is not int or form < 1 or set(data) != {"format", "bodies", "root"}:
        raise BadCheckpoint(f"{STRANGE}: format, bodies and root are expected")
    if form > FORMAT:
        raise BadCheckpoint(f"this was written in format {form} by a newer lensgrad, and this one reads format {FORMAT}: upgrade lensgrad")
    try:
        return Reader(data["bodies"], generators).value(data["root"])
    except BadCheckpoint:
        raise
    except WRONG as wrong:
        raise BadCheckpoint(f"{STRANGE}: {sentence(wrong)}") from wrong


def sentence(wrong: BaseException) -> str:
    """What an error says, on one line."""
    return " ".join(str(wrong).split())


def digest(value: Any, generators: Generators | None = None) -> str:
    """SHA-256 of what equality sees of a value: equal values have equal digests, in any process."""
    return hashlib.sha256(text(_encoded(value, generators, False)).encode()).hexdigest()


def text(data: Any) -> str:
    """JSON data as text: equal data gives equal text, in ASCII; floats are exact."""
    return json.dumps(data, separators=(",", ":"), allow_nan=False)


def parsed(written: str | bytes) -> Any:
    """The JSON data of a text."""
    try:
        return json.loads(written, parse_constant=_no_constant)
    except (RecursionError, ValueError) as wrong:
        raise BadCheckpoint(f"this is not the text of JSON data: {wrong}") from wrong


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _encoded(value: Any, generators: Generators | None, notes: bool) -> dict[str, Any]:
    writer = Writer(generators, notes)
    root = writer.value(value)
    return {"format": FORMAT, "bodies": writer.bodies, "root": root}


class Writer:
    """Values to data; the arrows they hold are collected in `bodies`. Without `notes` only what equality sees is written."""

    def __init__(self, generators: Generators | None, notes: bool) -> None:
        self.names = {cls: name for name, cls in classes(generators).items()}
        self.notes = notes
        self.bodies: list[Any] = []
        self.places: dict[str, int] = {}  # of each body, by its text
        self.known: dict[int, tuple[Diagram, int]] = {}  # arrows met before, and their bodies

    def value(self, x: Any) -> Any:
        if x is None or type(x) in (bool, int, str):
            return x
        if isinstance(x, float):
            return float(x) if math.isfinite(x) else {"float": repr(float(x))}
        write = WRITE.get(class_of(x))
        return self.record(x) if write is None else write(self, x)

    def values(self, xs: Any) -> list[Any]:
        return [self.value(x) for x in xs]

    def record(self, x: Any) -> Any:
        """A generator, an atom or another record, by its fields."""
        if type(x) not in self.names:
            raise unwritable(x)
        return {self.names[type(x)]: {name: self.value(getattr(x, name)) for name in names(x)}}

    def arrow(self, f: Diagram) -> Any:
        """The number of a body, after the bodies of the arrows inside, without recursion."""
        todo = [f]
        while todo:
            g = todo[-1]
            waiting = [] if id(g) in self.known else [b for n in g.nodes for b in bodies(n.op) if id(b) not in self.known]
            todo += reversed(waiting)
            if not waiting:
                todo.pop()
                if id(g) not in self.known:
                    self.known[id(g)] = g, self.place(g)
        return {"arrow": self.known[id(f)][1]}

    def place(self, f: Diagram) -> int:
        """The place of the body of `f`, which equal arrows share."""
        body = {"dom": self.value(f.dom), "nodes": [self.node(n) for n in f.nodes], "outs": [*f.outs]}
        where = self.places.setdefault(text(body), len(self.bodies))
        self.bodies += [body] if where == len(self.bodies) else []
        return where

    def node(self, n: Node) -> list[Any]:
        origin = [[*n.origin]] if self.notes and n.origin else []
        return [self.value(n.op), [*n.args], *origin]

    def lens(self, f: Lens) -> Any:
        """An R-image by the arrow it is the image of; any other lens by its get and its put."""
        ends = {"dom": self.value(f.dom), "cod": self.value(f.cod)}
        if self.notes and f.is_reverse:
            return {"image": {**ends, "arrow": self.value(f.primal)}}
        return {"lens": {**ends, "get": self.value(f.get), "put": self.value(f.put)}}

    def para(self, f: Para) -> Any:
        ends = {"dom": self.value(f.dom), "cod": self.value(f.cod)}
        what = {"params": [self.param(p) for p in f.params], "arrow": self.value(f.arrow), "observables": self.value(f.observables)}
        called = [[p.name, p.accept, p.produce] for p in (f.piece, *f.ends)] if self.notes else []
        return {"para": {**ends, **what, "called": called}}

    def param(self, p: Param) -> list[Any]:
        notes = [self.value(p.init), *([] if p.about is None else [self.value(p.about)])] if self.notes else []
        return [p.label, self.value(p.ob), p.role.value, *notes]

    def semiring(self, s: Semiring) -> Any:
        if named(s.name) != s:
            raise BadCheckpoint(f"the semiring {s.name} is no part of lensgrad, so a file cannot name it")
        return {"semiring": s.name}


def unwritable(x: Any) -> BadCheckpoint:
    """The error for a value that no file can hold."""
    kind = type(x).__name__
    if isinstance(x, Op):
        return BadCheckpoint(
            f"the generator {kind} is not one of lensgrad's, and a file holds no code: give generators={{'a name': {kind}}} "
            "when saving, and again when loading"
        )
    return BadCheckpoint(f"a checkpoint holds arrows and plain values, and cannot hold {x!r:.60}, which is of type {kind}")


def class_of(x: Any) -> type[Any]:
    """What a value is written as: a model of any class is a parametric arrow."""
    return Para if isinstance(x, Para) else cast("type[Any]", type(x))


WRITE: dict[type[Any], Callable[[Writer, Any], Any]] = {
    tuple: Writer.values,
    list: lambda w, x: {"list": w.values(x)},
    dict: lambda w, x: {"dict": [w.values(item) for item in x.items()]},
    Ty: lambda w, x: {"object": w.values(x)},
    Role: lambda _, x: {"role": x.value},
    Table: lambda _, x: {"table": [*x.entries]},
    Semiring: Writer.semiring,
    Diagram: Writer.arrow,
    Lens: Writer.lens,
    Para: Writer.para,
}
