"""A whole step in C: its groups in order, where its arrays lie, and the loop over steps."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lensgrad.backends.loop import Loop, work
from lensgrad.backends.native.flat import Flat, flattened
from lensgrad.backends.native.functions import MANY, halved, indented, shared
from lensgrad.backends.native.layouts import layouts
from lensgrad.backends.native.meanings.table import NATIVE
from lensgrad.backends.native.memory import Arena, arena, lives, readers, rounded, stored
from lensgrad.backends.native.nests import Group, Program, phases
from lensgrad.backends.native.order import calls
from lensgrad.backends.native.places import Layout
from lensgrad.backends.native.pooling import simplified
from lensgrad.backends.native.printer import Function, Place, Printer, laid_out
from lensgrad.backends.native.rows import Orders, ordered
from lensgrad.backends.native.softmax import softened
from lensgrad.backends.native.triangles import cut
from lensgrad.backends.table import Meanings
from lensgrad.core.diagram import Diagram

SMALL = 256  # bytes of data of a step that are brought to where the other arrays lie
CALLS = 1 << 14  # multiply-adds of a step, below which its functions are one text: calls would take as long as what they do
THREADS = 1 << 21  # multiply-adds of a step, from which on it is divided over threads: less takes no longer than waiting for each other
READY = 48  # where the gate says that what is made once is there
PRELUDE = [Path(__file__).with_name(name) for name in ("prelude.h", "functions.h", "data.h")]


@dataclass(frozen=True)
class Slot:
    """An input or output that stays in memory from step to step: where, and how many bytes.

    A matrix may have rows that are so many entries apart, `room`, and these may be its columns, `turned`.
    """

    offset: int
    bytes: int
    room: int = 0
    turned: bool = False


@dataclass(frozen=True)
class Assembled:
    """A program in C and what its caller has to know: `run(memory, rows, seen, n, id, of)` takes n steps."""

    text: str
    states: tuple[Slot, ...]
    fixed: tuple[Slot, ...]
    rows: tuple[int, ...]  # bytes of one step
    seen: tuple[int, ...]
    memory: int
    parallel: bool
    once: bool = False  # whether something is made of what stays, by the first call with it alone

    @property
    def about(self) -> str:
        """All but the text, as JSON."""
        slots = ([[s.offset, s.bytes, s.room, s.turned] for s in of] for of in (self.states, self.fixed))
        return json.dumps([*slots, self.rows, self.seen, self.memory, self.parallel, self.once])

    @classmethod
    def told(cls, about: bytes) -> Assembled:
        """The same without its text."""
        states, fixed, rows, seen, memory, parallel, once = json.loads(about)
        slots = [tuple(Slot(*s) for s in of) for of in (states, fixed)]
        return cls("", slots[0], slots[1], tuple(rows), tuple(seen), memory, parallel, once)


def assembled(f: Diagram, loop: Loop, table: Meanings = NATIVE, fuse: bool = True) -> Assembled:
    """The C of many steps of `f`."""
    flat = flattened(f, table)
    if fuse:
        simplified(flat)
        softened(flat)
        cut(flat)
    still = [flat.inputs[i] for i in (*loop.fixed, *staying(flat, loop))]
    program = Program(flat, flat.calls, flat.inputs, flat.outputs, fuse, still, fuse and not loop.held, fuse)
    return Assembly(flat, program, program.groups(), loop, work(f)).made()


def staying(flat: Flat, loop: Loop) -> list[int]:
    """The rows that are one for all steps, and large enough to be read where they lie."""
    return [i for i in loop.held if flat.values[flat.inputs[i]].bytes > SMALL]


@dataclass
class Assembly:
    """A program on its way into C."""

    flat: Flat
    program: Program
    groups: list[Group]
    loop: Loop
    work: int = THREADS  # multiply-adds of a step

    def __post_init__(self) -> None:
        flat, loop = self.flat, self.loop
        self.many = self.work >= THREADS  # whether several threads have enough to do
        self.states = [flat.inputs[i] for i in loop.states]
        self.fixed = [flat.inputs[i] for i in loop.fixed]
        self.given = [flat.inputs[i] for i in loop.rows]
        self.held = {flat.inputs[i] for i in loop.held}
        self.own = [k for k, w in enumerate(self.given) if w not in self.held]  # data that each step has its own of
        self.rows = [w for w in self.given if flat.values[w].bytes > SMALL]
        self.back = [(flat.outputs[o], flat.inputs[i]) for o, i in loop.back]
        self.seen = [flat.outputs[o] for o in loop.seen]
        self.where = {o: at for at, g in enumerate(self.groups) for o in g.outs}
        self.readers = readers(self.program, self.groups)
        self.stored = stored(self.program, self.groups, self.readers)
        self.same = self.in_place()
        self.laid = self.layouts()
        self.moved = [(w, state) for w, state in self.back if w != state and self.same.get(w) != state]
        # A state that another one becomes is put aside, as it may be written over before it is read.
        self.aside = {w: -1 - k for k, w in enumerate(dict.fromkeys(w for w, _ in self.moved if w in self.states))}

    def in_place(self) -> dict[int, int]:
        """The next states that may be written over the states they follow: nobody reads those later, or other entries of them."""
        found: dict[int, int] = {}
        for out, state in self.back:
            at = self.where.get(out)
            alone = [o for o, _ in self.back].count(out) == 1 and out not in self.seen and state not in self.flat.outputs
            if at is None or not alone or self.flat.values[out].bytes != self.flat.values[state].bytes:
                continue
            if all(reader < at or (reader == at and own) for reader, own in self.readers.get(state, ())) and not self.read_late(out, state):
                found[out] = state
        return found

    def read_late(self, out: int, state: int) -> bool:
        """Whether the group that writes a value reads a state later: in another loop, or in the same one for the first time."""
        parts = phases(self.groups[self.where[out]].nests)
        at = next(k for k, part in enumerate(parts) if any(out in nest.outs for nest in part))
        reads = [[any(wire == state for wire, _ in self.program.loads(nest)) for nest in part] for part in parts]
        written = next(k for k, nest in enumerate(parts[at]) if out in nest.outs)
        return any(map(any, reads[at + 1 :])) or (any(reads[at]) and not any(reads[at][: written + 1]))

    def made(self) -> Assembled:
        places, held = self.places()
        printer = Printer(self.program, places, self.stored, self.rows, many=self.many)
        functions = [printer.function(k, g) for k, g in enumerate(self.groups)]
        texts, ran = shared(self.flat, places, functions, lambda w: self.address(w, held), self.work < CALLS)
        whole = [p.read_text(encoding="utf-8") for p in PRELUDE]
        text = "\n".join([*whole, *halved(texts), self.main(functions, ran, held), *(["#endif"] if len(texts) >= MANY else [])])
        sizes = self.flat.values
        return Assembled(
            text,
            tuple(
                Slot(held.offsets[w], self.bytes(w, self.laid.get(w)), places[w].room, self.laid.get(w) == Layout((1, 0)))
                for w in self.states
            ),
            tuple(Slot(held.offsets[w], sizes[w].bytes) for w in self.fixed),
            tuple(0 if w in self.held else sizes[w].bytes for w in self.given),
            tuple(sizes[w].bytes for w in self.seen),
            rounded(held.bytes) + 64,
            any(f.parallel for f in functions),
            any(g.once for g in self.groups),
        )

    def places(self) -> tuple[dict[int, Place], Arena]:
        """The name and the address of every array."""
        end, laid = len(self.groups), self.laid
        kept = {w for w in self.stored if w not in self.rows and w not in self.same}
        made = {w: self.where.get(w, -1) for w in kept}
        read = {w: [at for at, _ in self.readers.get(w, ())] for w in kept}
        forever = [w for w in kept if w in self.flat.inputs or w in self.flat.outputs or w in self.program.constant]
        sizes = {w: self.bytes(w, laid.get(w)) for w in kept} | {k: self.flat.values[w].bytes for w, k in self.aside.items()}
        held = arena(sizes, lives(made, read, [*forever, *self.aside.values()], end))
        offsets = {**held.offsets, **{o: held.offsets[s] for o, s in self.same.items()}}
        places = {w: laid_out(self.flat, w, name(self.flat, w, self.rows), laid.get(w)) for w in self.program.kept}
        return places, Arena(offsets, held.bytes)

    def bytes(self, wire: int, layout: Layout | None) -> int:
        """The bytes of an array, with what is behind the ends of its rows."""
        value, room = self.flat.values[wire], laid_out(self.flat, wire, "", layout).room
        return value.bytes if not room or layout is None else value.bytes // value.shape[layout.order[-1]] * room

    def layouts(self) -> dict[int, Layout]:
        """Orders of axes other than row-major: of what convolutions of few channels read and write, and of matrices of weights."""
        found = layouts(self.program, self.groups)
        taken = {self.flat.values[w].shape for w in found}
        return found | {w: Layout(order) for w, order in self.rows_of_states().items() if self.flat.values[w].shape not in taken}

    def rows_of_states(self) -> Orders:
        """Orders of the axes of matrices of weights."""
        return ordered(self.program, self.groups, self.same) if not self.many else {}

    def main(self, functions: Sequence[Function], ran: Sequence[str], held: Arena) -> str:
        """The loop over steps."""
        threads = any(f.parallel for f in functions)
        lines = [
            "void run(char *m, const struct data *given, char *const *seen, int64_t n, int id, int of, _Atomic int *gate) {",
            "int sense = atomic_load(gate + 16);",
        ]
        lines += [
            f"const char *rows[{max(1, len(self.rows))}];",
            *(f"int64_t at{k} = given[{k}].at % given[{k}].period;" for k in self.own),
            *(f"rows[{k}] = given[{self.given.index(w)}].rows;" for k, w in enumerate(self.rows) if w in self.held),
        ]
        parts = list(zip(functions, ran, self.groups, strict=True))
        once = [(f, call) for f, call, g in parts if g.once]
        if once:
            alone = [] if once[-1][0].parallel else ["}"]
            lines += [f"if (!gate[{READY}]) {{", *calls(once, False), *alone, *(["wait(gate, &sense, of);"] if threads else []), "}"]
        lines.append("for (int64_t t = 0; t < n; t++) {")
        copied = [w for w in self.given if w not in self.rows]
        lines += [*self.found(threads), *(["if (id == 0) {"] if copied else []), *self.copied(copied, held)]
        each = [(f, call) for f, call, g in parts if not g.once]
        lines += calls(each, bool(copied))
        alone = not each[-1][0].parallel if each else bool(copied)
        lines += [] if alone else ["if (id == 0) {"]
        lines += self.ending(held, [f"seen[{k}] + t * {self.flat.values[w].bytes}" for k, w in enumerate(self.seen)])
        lines += ["}", *(["wait(gate, &sense, of);"] if threads else [])]
        lines += [f"if (++at{k} == given[{k}].period) at{k} = 0;" for k in self.own]
        return indented([*lines, "}", "}"])

    def found(self, threads: bool) -> list[str]:
        """Where large data of a step lies; examples that lie apart are brought together by all threads."""
        lines: list[str] = []
        for k, wire in ((k, w) for k, w in enumerate(self.rows) if w not in self.held):
            at, size = self.given.index(wire), self.flat.values[wire].bytes
            lines.append(f"if (!scattered(given + {at})) rows[{k}] = lying(given + {at}, at{at}, {size});")
            lines.append(f"else gather((char *)(rows[{k}] = given[{at}].room), given + {at}, at{at}, {size}, id, of);")
        apart = " || ".join(f"scattered(given + {self.given.index(w)})" for w in self.rows if w not in self.held)
        return [*lines, f"if ({apart}) wait(gate, &sense, of);"] if apart and threads else lines

    def copied(self, wires: Sequence[int], held: Arena) -> list[str]:
        """Small data of a step is brought to where other arrays lie."""
        lines: list[str] = []
        for wire in wires:
            at, size = self.given.index(wire), self.flat.values[wire].bytes
            to = f"m + {held.offsets[wire]}"
            if wire in self.held:
                lines.append(f"memcpy({to}, given[{at}].rows, {size});")
                continue
            lines.append(f"if (!scattered(given + {at})) memcpy({to}, lying(given + {at}, at{at}, {size}), {size});")
            lines.append(f"else gather({to}, given + {at}, at{at}, {size}, 0, 1);")
        return lines

    def ending(self, held: Arena, seen: Sequence[str]) -> list[str]:
        """Copies at the end of a step: what is observed, to where it is told, then states to where the next step reads them."""
        moved = [*zip(self.seen, seen, strict=True), *((w, self.address(k, held)) for w, k in self.aside.items())]
        moved += [(self.aside.get(w, w), self.address(state, held)) for w, state in self.moved]
        sizes = {k: w for w, k in self.aside.items()}
        return [f"memcpy({to}, {self.address(w, held)}, {self.flat.values[sizes.get(w, w)].bytes});" for w, to in moved]

    def address(self, wire: int, held: Arena) -> str:
        return f"rows[{self.rows.index(wire)}]" if wire in self.rows else f"m + {held.offsets[wire]}"


def name(flat: Flat, wire: int, rows: Sequence[int]) -> str:
    """What C calls an array: the layer it is of, and its number."""
    path = flat.values[wire].path
    word = re.sub(r"\W+", "_", path[-1], flags=re.ASCII).strip("_") if path else ""
    return f"{word or ('row' if wire in rows else 'w')}_{wire}"[-40:].lstrip("_0123456789") or f"w_{wire}"
