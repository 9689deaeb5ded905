"""From a diagram to Python source: one line a node, constants computed once, helpers copied in, nothing imported but NumPy."""

from __future__ import annotations

import inspect
import keyword
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import NoRule
from lensgrad.core.functor import unfold
from lensgrad.core.graph import Node
from lensgrad.core.op import Op


@dataclass(frozen=True)
class Hole:
    """A declared gap in a backend's table: the generator is not supported there, and why."""

    reason: str


@dataclass(frozen=True)
class Line:
    """What a table entry may use to write one node: its generator, argument texts and types, nested bodies, and functions to call."""

    op: Any
    args: tuple[str, ...]
    dom: tuple[Any, ...]
    cod: tuple[Any, ...]
    function: Callable[[Diagram, str], str]
    give: Callable[[Callable[..., Any]], str]


Entry = str | Hole | Callable[[Line], str]
Table = Mapping[type[Op], Entry]


def entry_of(table: Mapping[type[Op], Any], op: Op) -> Any:
    """What a backend's table says of a generator; an error for a gap, with its reason where one is declared."""
    entry = table.get(type(op))
    if entry is None or isinstance(entry, Hole):
        why = f": {entry.reason}" if isinstance(entry, Hole) else ""
        raise NoRule(f"{op.name} has no meaning in this backend{why}")
    return entry


class Module:
    """A Python file under construction: functions, shared constants, and the helpers they call."""

    def __init__(self, table: Table, kernels: ModuleType, literal: Callable[[Op], str | None], header: str) -> None:
        self.table, self.kernels, self.literal, self.header = table, kernels, literal, header
        self.functions: list[str] = []
        self.constants: dict[tuple[str, str], str] = {}
        self.bodies: dict[Diagram, str] = {}
        self.given: dict[str, Callable[..., Any]] = {}

    def function(self, f: Diagram, name: str, inputs: Sequence[str] | None = None, doc: str = "") -> str:
        """Add `f` as a function and return its name; an equal body is written once."""
        if inputs is None and f in self.bodies:
            return self.bodies[f]
        name = name if inputs is not None else f"{name}_{len(self.bodies) + 1}"
        self.bodies[f] = name
        writer = Writer(self, unfold(f), list(inputs) if inputs is not None else [f"a{i}" for i in range(len(f.dom))])
        self.functions.append(writer.text(name, doc))
        return name

    def constant(self, expression: str, comment: str) -> str:
        return self.constants.setdefault((expression, comment), f"C{len(self.constants)}")

    def give(self, fn: Callable[..., Any]) -> str:
        """The name by which the file calls a function that it does not contain: only for a file that runs here and now."""
        name = f"given_{len(self.given)}"
        self.given[name] = fn
        return name

    def text(self) -> str:
        """The whole file."""
        constants = [f"{name} = {code}  # {comment}" for (code, comment), name in self.constants.items()]
        body = "\n\n\n".join([*self.functions])
        helpers = [inspect.getsource(getattr(self.kernels, n)).rstrip() for n in helpers_in("\n".join([*constants, body]), self.kernels)]
        parts = [self.header, "import numpy as np", *helpers, "\n".join(constants), body]
        return "\n\n\n".join(p for p in parts if p) + "\n"


def helpers_in(text: str, kernels: ModuleType) -> list[str]:
    """The helper functions that a text calls, with those they call, in the order of the kernels file."""
    known = [n for n, v in vars(kernels).items() if inspect.isfunction(v) and v.__module__ == kernels.__name__]
    wanted: set[str] = set()
    texts = [text]
    while texts:
        words = set(re.findall(r"\w+", texts.pop()))
        new = [n for n in known if n in words and n not in wanted]
        wanted.update(new)
        texts += [inspect.getsource(getattr(kernels, n)) for n in new]
    return [n for n in known if n in wanted]


class Writer:
    """One function: its lines and the text that stands for each wire."""

    def __init__(self, module: Module, f: Diagram, inputs: list[str]) -> None:
        self.module, self.f, self.inputs = module, f, inputs
        self.texts = list(inputs)
        self.types: list[Any] = list(f.dom)
        self.literals: dict[int, str] = {}
        self.closed: set[int] = set()
        self.lines: list[str] = []
        self.origin: tuple[str, ...] = ()

    def text(self, name: str, doc: str) -> str:
        for node in self.f.nodes:
            self.node(node)
        outs = ", ".join(self.array(o) for o in self.f.outs)
        comma = "," if len(self.f.outs) == 1 else ""
        head = [f"def {name}({', '.join(self.inputs)}):"] + ([f'    """{doc}"""'] if doc else [])
        return "\n".join([*head, *self.lines, f"    return ({outs}{comma})"])

    def node(self, node: Node) -> None:
        start, literal = len(self.texts), self.module.literal(node.op)
        if literal is not None:
            self.literals[start] = literal
        fixed = all(a in self.closed for a in node.args) and not getattr(node.op, "draws", False)
        if fixed:
            self.closed.update(range(start, start + len(node.cod)))
        code = self.code(node)
        comment = " × ".join(map(str, node.cod))
        if fixed and len(node.cod) == 1:
            # Written down when something asks for the array; as a number inside a formula it needs no name.
            self.texts.append(code)
        else:
            names = [f"v{start + k}" for k in range(len(node.cod))]
            self.heading(node.origin)
            self.lines.append(f"    {', '.join(names)}{',' if len(names) == 1 and node_is_tuple(node) else ''} = {code}  # {comment}")
            self.texts += names
        self.types += list(node.cod)

    def heading(self, origin: tuple[str, ...]) -> None:
        if origin and origin != self.origin:
            self.lines.append(f"    # {'/'.join(origin)}")
        self.origin = origin

    def array(self, wire: int) -> str:
        """The text of a wire as an array: a constant is named at the top of the file."""
        if wire in self.closed and wire >= len(self.f.dom):
            return self.module.constant(self.texts[wire], str(self.types[wire]))
        return self.texts[wire]

    def code(self, node: Node) -> str:
        entry = entry_of(self.module.table, node.op)
        scalars = getattr(node.op, "arity", 0) and any(a not in self.literals for a in node.args)
        args = tuple(self.literals[a] if scalars and a in self.literals else self.array(a) for a in node.args)
        dom = tuple(self.types[a] for a in node.args)
        line = Line(node.op, args, dom, node.cod.atoms, self.module.function, self.module.give)
        return entry.format(*args, op=node.op) if isinstance(entry, str) else entry(line)


def node_is_tuple(node: Node) -> bool:
    """Whether a node's code gives a tuple although it has one output."""
    return hasattr(node.op, "body")


def identifiers(names: Sequence[str]) -> list[str]:
    """Python identifiers for parameter names: `hidden/weight` becomes hidden_weight; distinct names stay distinct."""
    used: set[str] = {"np"}
    result: list[str] = []
    for name in names:
        plain = re.sub(r"\W", "_", name)
        plain = f"_{plain}" if not plain or plain[0].isdigit() or keyword.iskeyword(plain) else plain
        while plain in used or re.fullmatch(r"[vaC]\d+|given_\d+", plain):
            plain += "_"
        used.add(plain)
        result.append(plain)
    return result
