"""A step as one file of C99 without any library: for other compilers, other machines, and those without a system."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lensgrad.backends.loop import Loop
from lensgrad.backends.native.assemble import Assembly
from lensgrad.backends.native.flat import BYTES, TYPES, flattened
from lensgrad.backends.native.functions import shared
from lensgrad.backends.native.integers import Atom, Index
from lensgrad.backends.native.meanings.table import NATIVE
from lensgrad.backends.native.memory import Arena, rounded
from lensgrad.backends.native.nests import Program
from lensgrad.backends.native.plain import helpers, indented, needed, plain
from lensgrad.backends.native.pooling import simplified
from lensgrad.backends.native.printer import Printer, title
from lensgrad.backends.native.rows import Orders
from lensgrad.backends.native.scope import Load
from lensgrad.core.diagram import Diagram

TAKEN = (
    *(
        "auto",
        "break",
        "case",
        "char",
        "const",
        "continue",
        "default",
        "do",
        "double",
        "else",
        "enum",
        "extern",
        "float",
        "for",
        "goto",
        "if",
    ),
    *("inline", "int", "long", "register", "restrict", "return", "short", "signed", "sizeof", "static", "struct", "switch", "typedef"),
    *("union", "unsigned", "void", "volatile", "while", "asm", "bool", "true", "false", "NULL", "main", "memory", "memcpy", "memset", "m"),
    *("MEMORY", "stdin", "stdout", "stderr", "errno", "int8_t", "uint8_t", "int16_t", "uint16_t", "int32_t", "uint32_t", "int64_t"),
    *("uint64_t", "size_t", "unix", "linux", "near", "far", "LENSGRAD_MAIN"),
)
LETTERS = 40  # of a name, which C99 tells apart by 63 at the least


@dataclass(frozen=True)
class Item:
    """A named array of the file: what it is called there and elsewhere, its type, and where it lies in memory, if it does."""

    name: str
    word: str
    dtype: str
    shape: tuple[int, ...]
    offset: int = -1

    @property
    def type(self) -> str:
        return TYPES[self.dtype]

    @property
    def bytes(self) -> int:
        size = BYTES[self.dtype]
        for n in self.shape:
            size *= n
        return size


@dataclass(frozen=True)
class Portable:
    """A program in C99, and what it has: `function` is called with memory, the rows of a step and places for what is observed."""

    text: str
    function: str
    states: tuple[Item, ...]
    fixed: tuple[Item, ...]
    rows: tuple[Item, ...]
    seen: tuple[Item, ...]
    memory: int
    stack: int


@dataclass(frozen=True)
class Called:
    """What the inputs and outputs of a program are called, wire by wire, and its function."""

    function: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def portable(f: Diagram, loop: Loop, called: Called) -> Portable:
    """The C99 of one step of `f`."""
    flat = flattened(f, NATIVE)
    simplified(flat)
    program = Program(flat, flat.calls, flat.inputs, flat.outputs)
    return Whole(flat, program, program.groups(), loop, 0).printed(called)


class Exact(Printer):
    """A printer whose loops compute no entry more than there are."""

    def beyond(self, loads: Sequence[Load], outs: Sequence[int], index: Sequence[Index], loop: Atom) -> bool:
        return False


class Whole(Assembly):
    """A program on its way into C99."""

    def rows_of_states(self) -> Orders:
        """None: whoever writes the states from elsewhere finds them as they are."""
        return {}

    def printed(self, called: Called) -> Portable:
        places, held = self.places()
        words = Words({*TAKEN, *helpers(), called.function})
        kept = {w: words.new("AT", called.inputs[self.flat.inputs.index(w)]) for w in (*self.states, *self.fixed)}
        given = {w: words.new("", called.inputs[self.flat.inputs.index(w)]) for w in self.given}
        seen = [words.new("", called.outputs[o]) for o in self.loop.seen]
        self.words = {**kept, **given}

        def item(wire: int, name: str, word: str, offset: int = -1) -> Item:
            value = self.flat.values[wire]
            return Item(name, word, value.dtype, value.shape, offset)

        def known(w: int, at: int = -1) -> Item:
            return item(w, called.inputs[self.flat.inputs.index(w)], self.words[w], at)

        states, fixed = (tuple(known(w, held.offsets[w]) for w in wires) for wires in (self.states, self.fixed))
        rows = tuple(known(w) for w in self.given)
        outs = tuple(item(w, called.outputs[o], word) for w, o, word in zip(self.seen, self.loop.seen, seen, strict=True))
        places |= {w: replace(places[w], name=f"{word.removeprefix('AT_')}_{w}") for w, word in self.words.items()}
        # Functions are called part_0, part_1, …, and no name begins with a digit.
        places = {w: replace(p, name=re.sub("^(part_|(?=[0-9]))", "w_", p.name)) for w, p in places.items()}
        printer = Exact(self.program, places, self.stored, self.rows, many=False)
        functions = [printer.function(k, g) for k, g in enumerate(self.groups)]
        texts, calls = shared(self.flat, places, functions, lambda w: self.address(w, held))
        lines = plain(texts)
        body = "\n\n".join(split(lines))
        last = indented(self.step(called.function, calls, rows, outs, held))
        layout = enumerated((*states, *fixed), rounded(held.bytes) + 64)
        whole = "\n\n".join(part for part in (needed(f"{body}\n{last}"), layout, body, last) if part)
        return Portable(whole, called.function, states, fixed, rows, outs, rounded(held.bytes) + 64, stack(lines))

    def step(self, name: str, calls: Sequence[str], rows: Sequence[Item], seen: Sequence[Item], held: Arena) -> list[str]:
        """The function that takes one step."""
        arguments = [*(f"const {i.type} *{i.word}" for i in rows), *(f"{i.type} *{i.word}" for i in seen)]
        lines = [f"void {name}({', '.join(['void *memory', *arguments])}) {{", "char *m = memory;"]
        lines += [
            f"memcpy(m + {held.offsets[w]}, {i.word}, {i.bytes});" for w, i in zip(self.given, rows, strict=True) if w not in self.rows
        ]
        for group, call in zip(self.groups, calls, strict=True):
            what = title(self.flat, group)
            lines.append(f"{call.removesuffix(', ')});{f' /* {what} */' if what else ''}")
        lines += self.ending(held, [item.word for item in seen])
        return [*lines, "}"]

    def address(self, wire: int, held: Arena) -> str:
        if wire in self.rows:
            return self.words[wire]
        return f"m + {self.words[wire] if wire in self.words and wire not in self.given else held.offsets[wire]}"


class Words:
    """Names for C, made of names that people gave: letters, digits and _, none twice."""

    def __init__(self, taken: set[str]) -> None:
        self.taken = taken

    def new(self, prefix: str, name: str) -> str:
        plainly = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")[:LETTERS].strip("_") or "value"
        word = f"{prefix}_{plainly}" if prefix else plainly if plainly[0].isalpha() else f"v_{plainly}"
        word = f"v_{word}" if re.fullmatch(r"part[\d_]*", word) else word  # functions are called part_0, part_1, …
        found, count = word, 1
        while found in self.taken:
            count += 1
            found = f"{word}_{count}"
        self.taken.add(found)
        return found


def enumerated(items: Sequence[Item], memory: int) -> str:
    """Where the named arrays lie in memory."""
    lines = [f"  {i.word} = {i.offset}, /* {described(i)} */" for i in items]
    return "\n".join(["/* Where arrays lie in memory, in bytes, and how large it is. */", "enum {", *lines, f"  MEMORY = {memory}", "};"])


def described(item: Item) -> str:
    """A name as text that ends no comment, with type and shape."""
    return f"{safe(item.name)}: {item.dtype} ({', '.join(map(str, item.shape))})"


def safe(name: str) -> str:
    """A name as letters, digits and a few signs, so that it is nothing else in a comment or a text."""
    return re.sub(r"[^A-Za-z0-9 _.,:-]", lambda m: "/" if m[0] == "/" else "_", name)[:80].replace("//", "/_")


def split(lines: Sequence[str]) -> list[str]:
    """Functions apart, each with the remark above it."""
    found: list[list[str]] = [[]]
    for line in lines:
        found[-1].append(line)
        if line == "}" and balanced(found[-1]):
            found.append([])
    return [indented(part) for part in found if part]


def balanced(lines: Sequence[str]) -> bool:
    return sum(line.count("{") - line.count("}") for line in lines) == 0


def stack(lines: Sequence[str]) -> int:
    """The bytes of the arrays of the function that has most of them."""
    numbers = {"HIGH": 4, "WIDE_f32": 16, "WIDE_f64": 8, "LANES_f32": 8, "LANES_f64": 4}
    sizes, now = [0], 0
    for line in lines:
        if line.startswith("static ") and line.endswith("{"):
            sizes.append(now)
            now = 0
        found = re.match(r"(?:const )?(float|double|u?int\d+_t|char) \*?\w+\[", line)
        for name, brackets in re.findall(r"(\w+)((?:\[[^\]]*\])+)(?= = |,|;)", line) if found and "(" not in line.split("[")[0] else ():
            width = 8 if "*" in line else 4 if found and found[1] in ("float", "int32_t", "uint32_t") else 8
            now += width * product(brackets, numbers) * bool(name)
    return max(*sizes, now)


def product(brackets: str, numbers: dict[str, int]) -> int:
    """How many entries an array has by its declaration: whole numbers, their sums and products."""
    total = 1
    for inside in re.findall(r"\[([^\]]*)\]", brackets):
        part = 0
        for term in inside.split("+"):
            factor = 1
            for word in term.split("*"):
                factor *= numbers.get(word.strip()) or int(word.strip() or "1")
            part += factor
        total *= part
    return total


__all__ = ["Called", "Item", "Portable", "described", "portable", "safe"]
