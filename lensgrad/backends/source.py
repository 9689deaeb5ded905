"""From a diagram to Python source: one line a node, constants computed once, helpers copied in, nothing imported but NumPy."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from lensgrad.backends.helpers import RESERVED, Helpers, Kernels
from lensgrad.backends.table import Meanings
from lensgrad.core import checks
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import BadValue
from lensgrad.core.functor import unfold
from lensgrad.core.graph import Generator, Node

WIRES = re.compile(r"[vaC]\d+|given_\d+")  # what wires, constants and given functions are called


@dataclass(frozen=True)
class Line:
    """What a table entry may use to write one node: its generator, argument texts and types, nested bodies, and functions to call.

    `use(fn)` copies a function into the file and gives its name; `k.logistic` is the name of a kernel of the library.
    """

    op: Any
    args: tuple[str, ...]
    dom: tuple[Any, ...]
    cod: tuple[Any, ...]
    function: Callable[[Diagram, str], str]
    give: Callable[[Callable[..., Any]], str]
    use: Callable[[Callable[..., Any]], str]

    @property
    def k(self) -> Kernels:
        """The names of the library's kernels, each recorded where it is read."""
        return Kernels(self.use)

    def written(self, entry: Any) -> str:
        """The code that an entry of the table means here: `"{0} + {1}"`, `"{k.erf}({0})"`, or a function of this line."""
        return str(entry(self)) if callable(entry) else str(entry).format(*self.args, op=self.op, k=self.k)


@dataclass(frozen=True)
class Style:
    """How one backend writes lines: its table, the numbers that stand in formulas, and what is done to each line."""

    table: Meanings
    literal: Callable[[Generator], str | None]
    write: Callable[[Any, Line], str]


class Module:
    """A Python file under construction: functions, shared constants, and the helpers they call.

    With `frees` a function lets go of each array where it was last read: memory, for a line that nobody has to read.
    """

    def __init__(self, style: Style, header: str = "", reserved: Collection[str] = (), frees: bool = False) -> None:
        self.style, self.header, self.frees = style, header, frees
        self.helpers = Helpers()
        self.taken = {*RESERVED, *reserved}
        self.functions: list[str] = []
        self.constants: dict[tuple[str, str], str] = {}
        self.bodies: dict[Diagram, str] = {}
        self.given: dict[str, Callable[..., Any]] = {}

    def top(self, f: Diagram, name: str, inputs: Sequence[str], doc: str = "") -> None:
        """Add `f` as the function that the file is for, its arguments called as near to `inputs` as Python allows."""
        if not checks.is_text(name) or not name.isidentifier() or name in self.taken:
            raise BadValue(f"a function must be called by a Python identifier that nothing else has, got {checks.shown(name)}")
        names = identifiers(inputs, self.taken)
        self.taken |= {name, *names}
        self.bodies[f] = name
        self.functions.append(Writer(self, unfold(f), names).text(name, doc))

    def function(self, f: Diagram, name: str) -> str:
        """Add `f` as a function that another one calls, and return its name; an equal body is written once."""
        if f not in self.bodies:
            made = free(f"{name}_{len(self.bodies) + 1}", self.taken)
            self.taken.add(made)
            self.bodies[f] = made
            self.functions.append(Writer(self, unfold(f), [f"a{i}" for i in range(len(f.dom))]).text(made, ""))
        return self.bodies[f]

    def constant(self, expression: str, comment: str) -> str:
        return self.constants.setdefault((expression, comment), f"C{len(self.constants)}")

    def give(self, fn: Callable[..., Any]) -> str:
        """The name by which the file calls a function that it does not contain: only for a file that runs here and now."""
        name = f"given_{len(self.given)}"
        self.given[name] = fn
        return name

    def text(self) -> str:
        """The whole file."""
        constants = [f"{name} = {code}{comment(told)}" for (code, told), name in self.constants.items()]
        header = f'"""{quoted(self.header)}"""' if self.header else ""
        parts = [header, "import numpy as np", *self.helpers.texts(), "\n".join(constants), *self.functions]
        return "\n\n\n".join(p for p in parts if p) + "\n"


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
        ends = last_reads(self.f) if self.module.frees else {}
        for number, node in enumerate(self.f.nodes):
            self.node(node)
            over = [self.texts[w] for w in ends.get(number, ()) if WIRES.fullmatch(self.texts[w])]
            self.lines += [f"    del {', '.join(over)}"] if over else []
        outs = ", ".join(self.array(o) for o in self.f.outs)
        comma = "," if len(self.f.outs) == 1 else ""
        head = [f"def {name}({', '.join(self.inputs)}):"] + ([f'    """{quoted(doc)}"""'] if doc else [])
        return "\n".join([*head, *self.lines, f"    return ({outs}{comma})"])

    def node(self, node: Node) -> None:
        start, literal = len(self.texts), self.module.style.literal(node.op)
        if literal is not None:
            self.literals[start] = literal
        fixed = all(a in self.closed for a in node.args) and not getattr(node.op, "draws", False)
        if fixed:
            self.closed.update(range(start, start + len(node.cod)))
        code = self.code(node)
        if fixed and len(node.cod) == 1:
            # Written down when something asks for the array; as a number inside a formula it needs no name.
            self.texts.append(code)
        else:
            names = [f"v{start + k}" for k in range(len(node.cod))]
            self.heading(node.origin)
            told = comment(" × ".join(map(str, node.cod)))
            self.lines.append(f"    {', '.join(names)}{',' if len(names) == 1 and node_is_tuple(node) else ''} = {code}{told}")
            self.texts += names
        self.types += list(node.cod)

    def heading(self, origin: tuple[str, ...]) -> None:
        if origin and origin != self.origin:
            self.lines.append(comment("/".join(origin), "    # "))
        self.origin = origin

    def array(self, wire: int) -> str:
        """The text of a wire as an array: a constant is named at the top of the file."""
        if wire in self.closed and wire >= len(self.f.dom):
            return self.module.constant(self.texts[wire], str(self.types[wire]))
        return self.texts[wire]

    def code(self, node: Node) -> str:
        style, module = self.module.style, self.module
        scalars = getattr(node.op, "arity", 0) and any(a not in self.literals for a in node.args)
        args = tuple(self.literals[a] if scalars and a in self.literals else self.array(a) for a in node.args)
        dom = tuple(self.types[a] for a in node.args)
        line = Line(node.op, args, dom, node.cod.atoms, module.function, module.give, module.helpers.use)
        return style.write(style.table.line(node.op), line)


def last_reads(f: Diagram) -> dict[int, list[int]]:
    """For each node, by number, the wires made by nodes that nothing reads after it and that are no outputs."""
    last, wire = dict[int, int](), len(f.dom)
    for number, node in enumerate(f.nodes):
        last.update(dict.fromkeys(range(wire, wire + len(node.cod)), number))
        last.update((a, number) for a in node.args if a >= len(f.dom))
        wire += len(node.cod)
    found: dict[int, list[int]] = {}
    for w, number in last.items():
        if w not in f.outs:
            found.setdefault(number, []).append(w)
    return found


def node_is_tuple(node: Node) -> bool:
    """Whether a node's code gives a tuple although it has one output."""
    return hasattr(node.op, "body")


# -- names as data -----------------------------------------------------------------------------------------------------


def comment(text: str, mark: str = "  # ") -> str:
    """A comment that ends where its line ends, whatever it says."""
    return mark + checks.clean(text)


def quoted(text: str) -> str:
    """A text for between triple quotes, which nothing in it ends."""
    lines = (checks.clean(line) for line in text.replace("\\", "\\\\").split("\n"))
    return "\n".join(lines).replace('"', '\\"')


def identifiers(names: Sequence[str], taken: Collection[str] = RESERVED) -> list[str]:
    """Python identifiers for parameter names: `hidden/weight` becomes hidden_weight; distinct names stay distinct."""
    used, result = set(taken), list[str]()
    for name in names:
        result.append(free(identifier(name), used))
        used.add(result[-1])
    return result


def identifier(name: str) -> str:
    """The nearest text that Python reads as an identifier, in the form in which Python compares them."""
    letters = unicodedata.normalize("NFKC", "".join(c if f"_{c}".isidentifier() else "_" for c in unicodedata.normalize("NFKC", name)))
    return letters if letters.isidentifier() else f"_{letters}"


def free(name: str, taken: Collection[str]) -> str:
    """A name that is not taken: with underscores behind it where it is."""
    while name in taken or WIRES.fullmatch(name):
        name += "_"
    return name


__all__ = ["Line", "Module", "Style", "comment", "identifier", "identifiers", "quoted"]
