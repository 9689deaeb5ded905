"""From a diagram to Python source: one line a node, constants computed once, helpers copied in, nothing imported but NumPy."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lensgrad.backends.helpers import RESERVED, Helpers, Kernels
from lensgrad.backends.table import Meanings
from lensgrad.core import checks
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import BadValue
from lensgrad.core.functor import unfold
from lensgrad.core.graph import Generator, Node

WIDTH = 120  # of a line that people read
SHORT = 60  # of a formula that stands inside of another one
LOOSE, SUM, PRODUCT, ATOM = range(4)  # how tightly a formula holds together
TIED = ("Neg", "Compare", "And", "Or", "Not", "ShiftRight")  # further generators whose formula is no call
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


@dataclass(frozen=True)
class Layout:
    """How a function is written for people: what its wires are called, the comments above nodes, by number, and the wires without a line.

    The wires `broadcast` repeat an array along new axes where they are read, which NumPy does by itself; those `inside` are read once, and
    stand in the line that reads them where they are short. `bodies` has the arguments and the layout of each body of a loop.
    """

    names: tuple[str, ...]
    heads: Mapping[int, Sequence[str]]
    broadcast: Collection[int] = ()
    inside: Collection[int] = ()
    bodies: Mapping[Diagram, tuple[Sequence[str], Layout]] = field(default_factory=dict[Diagram, "tuple[Sequence[str], Layout]"])

    def without(self, taken: Collection[str]) -> Layout:
        """The same with other names for those that are taken."""
        held = {*taken, *self.names}
        names = list(self.names)
        for i, name in enumerate(names):
            if name in taken:
                names[i] = free(name, held)
                held.add(names[i])
        return replace(self, names=tuple(names))


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
        self.laid: Mapping[Diagram, tuple[Sequence[str], Layout]] = {}
        self.given: dict[str, Callable[..., Any]] = {}

    def top(self, f: Diagram, name: str, inputs: Sequence[str], doc: str = "", layout: Layout | None = None) -> None:
        """Add `f` as the function that the file is for, its arguments called as near to `inputs` as Python allows."""
        if not checks.is_text(name) or not name.isidentifier() or name in self.taken:
            raise BadValue(f"a function must be called by a Python identifier that nothing else has, got {checks.shown(name)}")
        names = identifiers(inputs, self.taken)
        layout = layout and layout.without({*names, name})
        self.taken |= {name, *names, *(layout.names if layout else ())}
        self.bodies[f] = name
        self.laid = layout.bodies if layout else {}
        self.functions.append(Writer(self, unfold(f), names, layout).text(name, doc))

    def function(self, f: Diagram, name: str) -> str:
        """Add `f` as a function that another one calls, and return its name; an equal body is written once."""
        if f not in self.bodies:
            made = free(f"{name}_{len(self.bodies) + 1}", self.taken)
            self.taken.add(made)
            self.bodies[f] = made
            names, layout = self.laid.get(f, ([f"a{i}" for i in range(len(f.dom))], None))
            self.functions.append(Writer(self, unfold(f), [*names], layout).text(made, ""))
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

    def __init__(self, module: Module, f: Diagram, inputs: list[str], layout: Layout | None = None) -> None:
        self.module, self.f, self.inputs, self.layout = module, f, inputs, layout
        self.texts = list(inputs)
        self.types: list[Any] = list(f.dom)
        self.literals: dict[int, str] = {}
        self.above: list[str] = []  # comments for the next line
        self.levels: dict[int, int] = {}  # of wires that stand inside of a line: how tightly their formula holds together
        self.closed: set[int] = set()
        self.lines: list[str] = []
        self.origin: tuple[str, ...] = ()

    def text(self, name: str, doc: str) -> str:
        ends = last_reads(self.f) if self.module.frees else {}
        for number, node in enumerate(self.f.nodes):
            self.node(node, number)
            over = [self.texts[w] for w in ends.get(number, ()) if w not in self.closed and WIRES.fullmatch(self.texts[w])]
            self.lines += [f"    del {', '.join(over)}"] if over else []
        outs = ", ".join(self.array(o) for o in self.f.outs)
        comma = "," if len(self.f.outs) == 1 else ""
        head = [f"def {name}({', '.join(self.inputs)}):"] + ([f'    """{quoted(doc)}"""'] if doc else [])
        last = f"    return ({outs}{comma})"
        if self.layout is not None:  # for people, whose lines end
            head[0] = wrapped(f"def {name}(", self.inputs, "):", "    ")
            last = wrapped("    return (", [self.array(o) for o in self.f.outs], f"{comma})", "        ")
        return "\n".join([*head, *self.lines, last])

    def node(self, node: Node, number: int) -> None:
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
        elif self.layout is not None and start in self.layout.broadcast:
            self.texts.append(repeated(self.texts[node.args[0]], node.op))
            self.above += self.layout.heads.get(number, ())
        elif self.layout is not None and start in self.layout.inside and len(code) <= SHORT:
            self.texts.append(code)
            self.levels[start] = level(node.op)
            self.above += self.layout.heads.get(number, ())
        else:
            names = [self.layout.names[start + k] if self.layout else f"v{start + k}" for k in range(len(node.cod))]
            self.heading(node.origin, number)
            told = comment(" × ".join(map(str, node.cod)))
            self.lines.append(f"    {', '.join(names)}{',' if len(names) == 1 and node_is_tuple(node) else ''} = {code}{told}")
            self.texts += names
        self.types += list(node.cod)

    def heading(self, origin: tuple[str, ...], number: int) -> None:
        if self.layout is not None:
            self.lines += [comment(line, "    ") for line in (*self.above, *self.layout.heads.get(number, ()))]
            self.above = []
        elif origin and origin != self.origin:
            self.lines.append(comment("/".join(origin), "    # "))
        self.origin = origin

    def array(self, wire: int) -> str:
        """The text of a wire as an array: a constant is named at the top of the file."""
        if wire in self.closed and wire >= len(self.f.dom):
            return self.module.constant(self.texts[wire], str(self.types[wire]))
        return self.texts[wire]

    def code(self, node: Node) -> str:
        style, module = self.module.style, self.module
        # A number takes the kind of the array beside it; where there is none it must be an array of its own kind.
        beside = {kind_of(self.types[a]) for a in node.args if a not in self.literals} if getattr(node.op, "arity", 0) else ()
        plain = [a in self.literals and kind_of(self.types[a]) in beside for a in node.args]
        args = tuple(self.literals[a] if short else self.array(a) for a, short in zip(node.args, plain, strict=True))
        if self.levels:
            wanted = [self.levels.get(a, ATOM) < bound(node.op, k) for k, a in enumerate(node.args)]
            args = tuple(f"({text})" if loose else text for text, loose in zip(args, wanted, strict=True))
        dom = tuple(self.types[a] for a in node.args)
        line = Line(node.op, args, dom, node.cod.atoms, module.function, module.give, module.helpers.use)
        return style.write(style.table.line(node.op), line)


def kind_of(atom: Any) -> str:
    """The dtype of an array; of anything else none."""
    return getattr(atom, "dtype", "")


def level(op: Any) -> int:
    """How tightly the formula of a generator holds together: a sum least, a call most."""
    return {"Add": SUM, "Sub": SUM, "Mul": PRODUCT, "Div": PRODUCT, "Einsum": PRODUCT, "Neg": LOOSE}.get(op.name, ATOM)


def bound(op: Any, place: int) -> int:
    """How tightly what stands at a place of a formula must hold together to need no parentheses."""
    if op.name in ("Add", "Sub"):
        return (SUM, PRODUCT)[place]
    if op.name in ("Mul", "Div"):
        return (PRODUCT, ATOM)[place]
    return ATOM if op.name in TIED else LOOSE


def wrapped(before: str, words: Sequence[str], after: str, indent: str) -> str:
    """Words in one line, or in several where that is too long."""
    line = f"{before}{', '.join(words)}{after}"
    if len(line) <= WIDTH:
        return line
    lines = [indent]
    for word in words:
        if len(lines[-1]) + len(word) > WIDTH - 2 and lines[-1].strip():
            lines.append(indent)
        lines[-1] += f"{word}, "
    return "\n".join([before.rstrip(), *(text.rstrip() for text in lines), f"{indent[4:]}{after.lstrip(',')}"])


def repeated(text: str, op: Any) -> str:
    """An array as NumPy repeats it along new axes beside an array of all axes: `x[:, None]`."""
    first = min(op.axes, default=len(op.shape))
    places = [":" if i in op.axes else "None" for i in range(first, len(op.shape))]
    return f"{text}[{', '.join(places)}]" if "None" in places else text


def last_reads(f: Diagram) -> dict[int, list[int]]:
    """For each node, by number, the wires made by nodes that nothing reads after it and that are no outputs."""
    last, wire = dict[int, int](), len(f.dom)
    for number, node in enumerate(f.nodes):
        last.update(dict.fromkeys(range(wire, wire + len(node.cod)), number))
        last.update((a, number) for a in node.args if a >= len(f.dom))
        wire += len(node.cod)
    found: dict[int, list[int]] = {}
    kept = set(f.outs)
    for w, number in last.items():
        if w not in kept:
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


__all__ = ["Layout", "Line", "Module", "Style", "comment", "identifier", "identifiers", "quoted"]
