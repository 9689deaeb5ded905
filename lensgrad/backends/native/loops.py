"""Loops of a program: the body is printed once, and its arrays are found anew at every step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from lensgrad.backends.native.flat import Call, Flat, Value
from lensgrad.backends.native.functions import shared
from lensgrad.backends.native.integers import strides
from lensgrad.backends.native.memory import Arena, arena, lives, readers, stored
from lensgrad.backends.native.nests import Bound, Group, Program
from lensgrad.backends.native.order import calls
from lensgrad.backends.native.printer import Function, Place, Printer


def looped(_: Flat, __: Call) -> Bound:
    """A loop over a body, laid out when it is known whether the program is fused."""
    return Bound(Looped)


class Looped:
    """n steps of a body. What the body keeps for itself lies in one array of bytes, the last of what the loop gives.

    A carry that is read as a stack goes from one row of it to the next, any other to and fro between its last value and an array
    beside it.
    """

    def __init__(self, program: Program, call: Call) -> None:
        if call.inner is None:
            raise ValueError("a loop without a body")
        self.call, self.flat, self.inner, self.op = call, program.flat, call.inner, call.op
        self.reads = tuple(dict.fromkeys(call.args))
        held = self.op.carries + self.op.shared
        self.carries, self.shared, self.rows = (
            self.inner.inputs[: self.op.carries],
            self.inner.inputs[self.op.carries : held],
            self.inner.inputs[held:],
        )
        self.program = Program(self.flat, self.inner.calls, self.inner.inputs, self.inner.outputs, program.fuse, self.shared)
        self.groups = self.program.groups()
        self.homes = self.placed()
        self.readers = readers(self.program, self.groups)
        self.stored = stored(self.program, self.groups, self.readers)
        self.held = self.arrays()
        *_, self.scratch = call.outs
        self.flat.values[self.scratch] = Value((self.held.bytes,), "uint8", self.flat.values[self.scratch].path)

    @property
    def row_major(self) -> tuple[int, ...]:
        """Arrays of which a step has one row, or that take turns: all must lie alike."""
        return (*self.reads, *self.call.outs)

    def placed(self) -> dict[int, int]:
        """For what each step computes anew, the number of the output where it is written; all other outputs are copied."""
        found: dict[int, int] = {}
        for number, wire in enumerate(self.inner.outputs):
            if wire not in self.inner.inputs and wire not in self.program.constant:
                found.setdefault(wire, number)
        return found

    def arrays(self) -> Arena:
        """Where lies what the body keeps, and another array for each carry: under −1 for the last of them, −2 for the one before, …"""
        where = {o: at for at, g in enumerate(self.groups) for o in g.outs}
        own = {w for w in self.stored if w not in self.inner.inputs and w not in self.homes}
        spans = lives({w: where[w] for w in own}, {w: [at for at, _ in self.readers.get(w, ())] for w in own}, [], 0)
        others = {k - len(self.carries): self.flat.values[w].bytes for k, w in enumerate(self.carries)}
        always = (-1, len(self.groups))
        spans |= {w: always for w in own & self.program.constant} | dict.fromkeys(others, always)
        return arena({w: self.flat.values[w].bytes for w in own} | others, spans)

    def write(self, printer: Printer, group: Group, made: Function) -> None:
        made.reads.update(self.reads)
        made.writes.update(self.call.outs)
        Turning(self, printer, made).write()


@dataclass
class Turning:
    """A loop on its way into C. The body's functions find their arrays in a list of addresses."""

    kind: Looped
    printer: Printer
    made: Function
    numbers: dict[int, int] = field(default_factory=dict[int, int])  # the place of each array of the body in the list

    def write(self) -> None:
        kind = self.kind
        foreign = [w for w in kind.program.kept if w not in kind.held.offsets]
        self.numbers = {w: k for k, w in enumerate(sorted(kind.stored))}
        places = {w: Place(f"w_{w}", strides(kind.flat.values[w].shape)) for w in kind.program.kept}
        inner = type(self.printer)(kind.program, places, kind.stored, foreign, self.made.name, self.printer.many)
        functions = [inner.function(k, g) for k, g in enumerate(kind.groups)]
        self.made.parallel = self.made.waits = any(f.parallel for f in functions)
        texts, ran = shared(kind.flat, places, functions, lambda w: f"a[{self.numbers[w]}]")
        self.made.before += texts
        parts = list(zip(functions, ran, kind.groups, strict=True))
        once = [(f, call) for f, call, g in parts if g.once]
        each = [(f, call) for f, call, g in parts if not g.once]
        at = "t" if not kind.op.backward else f"{kind.op.n - 1} - t"
        self.made.lines += [
            f"char *a[{max(1, len(self.numbers))}];",
            *self.still(),
            *self.together(once, self.beginning()),
            f"for (int t = 0; t < {kind.op.n}; t++) {{",
            f"const int64_t s = {at};",
            *self.moving(),
            *self.together(each, self.ending()),
            "}",
        ]

    def together(self, functions: Sequence[tuple[Function, str]], copies: Sequence[str]) -> list[str]:
        """Calls, then what one thread copies, and all wait for each other."""
        lines = calls(functions, False, "sense")
        alone = bool(functions) and not functions[-1][0].parallel
        if copies:
            lines += ["if (id == 0) {"] if not alone else []
            lines += copies
            alone = True
        return [*lines, *(["}"] if alone else []), *(["wait(gate, sense, of);"] if alone and self.made.parallel else [])]

    def name(self, wire: int) -> str:
        return f"(char *){self.printer.places[wire].name}"

    def still(self) -> list[str]:
        """Addresses that are the same at all steps."""
        kind = self.kind
        own = [(w, f"{self.name(kind.scratch)} + {kind.held.offsets[w]}") for w in kind.held.offsets if w >= 0]
        shared = zip(kind.shared, kind.call.args[kind.op.carries :], strict=False)
        return [f"a[{self.numbers[w]}] = {text};" for w, text in [*own, *((w, self.name(a)) for w, a in shared)]]

    def moving(self) -> list[str]:
        """Addresses of a step: rows, carries as they are, and where what it gives is to lie."""
        kind = self.kind
        rows = zip(kind.rows, kind.call.args[kind.op.carries + kind.op.shared :], strict=True)
        found = [(w, f"{self.name(a)} + s * {kind.flat.values[w].bytes}") for w, a in rows]
        found += [(w, self.carry(k)[0]) for k, w in enumerate(kind.carries)]
        found += [(w, self.out(k)) for w, k in kind.homes.items()]
        return [f"a[{self.numbers[w]}] = {text};" for w, text in found]

    def out(self, number: int) -> str:
        """Where an output of this step lies."""
        kind = self.kind
        if number < kind.op.carries:
            return self.carry(number)[1]
        size = kind.flat.values[kind.inner.outputs[number]].bytes
        return f"{self.name(kind.call.outs[number])} + s * {size}"

    def carry(self, number: int) -> tuple[str, str]:
        """Where a carry is at the beginning of a step, and where it is to be at its end."""
        kind = self.kind
        n, size, last = kind.op.n, kind.flat.values[kind.carries[number]].bytes, self.name(kind.call.outs[number])
        start = self.name(kind.call.args[number])
        stack = self.stack(number)
        if stack is not None:
            step = "-" if kind.op.backward else "+"
            return f"{self.name(stack)} + s * {size}", f"t == {n - 1} ? {last} : {self.name(stack)} + (s {step} 1) * {size}"
        other = f"{self.name(kind.scratch)} + {kind.held.offsets[number - len(kind.carries)]}"
        now, after = (f"(({n - k} - t) % 2 ? {other} : {last})" for k in (0, 1))
        return f"t == 0 ? {start} : {now}", after

    def stack(self, number: int) -> int | None:
        """The stack of a carry, if anybody reads it."""
        kind, program = self.kind, self.printer.program
        wire = kind.call.outs[len(kind.inner.outputs) + number]
        return wire if wire in program.outputs or any(wire in c.args for c in program.calls) else None

    def beginning(self) -> list[str]:
        """The first row of each stack."""
        kind, lines = self.kind, list[str]()
        for k, wire in enumerate(kind.carries):
            stack, size = self.stack(k), kind.flat.values[wire].bytes
            if stack is not None:
                first = (kind.op.n - 1) * size if kind.op.backward else 0
                lines.append(f"memcpy({self.name(stack)} + {first}, {self.name(kind.call.args[k])}, {size});")
        return lines

    def ending(self) -> list[str]:
        """Outputs that are not written where they belong."""
        kind, lines = self.kind, list[str]()
        for number, wire in enumerate(kind.inner.outputs):
            if kind.homes.get(wire) != number:
                lines.append(f"memcpy({self.out(number)}, a[{self.numbers[wire]}], {kind.flat.values[wire].bytes});")
        return lines


__all__ = ["Looped", "looped"]
