"""Arrays that are filled in an order of their own: running sums, rows added by number, sorted rows, fixed numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lensgrad.backends.native.flat import Call, Flat, Value
from lensgrad.backends.native.integers import Atom, Index
from lensgrad.backends.native.meanings.entries import clipped
from lensgrad.backends.native.nests import Group, Program, axes
from lensgrad.backends.native.printer import PARALLEL, Function, Printer, nested, span
from lensgrad.backends.native.scope import SHORT, Load, Scope, Where

Space = Sequence[Index]
Entry = Callable[[Where], str]


def nowhere(_: Where) -> str:
    """An entry of an array, where nobody asks for its name."""
    return "0"


def loops(space: Space) -> list[Atom]:
    return [v.terms[0][0] for v in space if v.terms]


@dataclass(frozen=True, eq=False)
class Swept:
    """An array filled by loops that need their order. Its arguments are read where they are, computed if they are cheap."""

    program: Flat
    call: Call
    reads: tuple[int, ...] = ()

    @property
    def dom(self) -> tuple[Value, ...]:
        return self.program.dom(self.call)

    @property
    def out(self) -> int:
        return self.call.outs[0]

    @property
    def cod(self) -> Value:
        return self.program.values[self.out]

    def loads(self, program: Program) -> list[Load]:
        reading = program.reading()
        self.body(Scope(reading), nowhere)
        return reading.loads

    def write(self, printer: Printer, group: Group, made: Function) -> None:
        made.writes.add(self.out)
        scope = Scope(printer.reading(made))
        made.parallel = self.body(scope, printer.places[self.out].entry)
        made.lines += scope.lines

    def body(self, scope: Scope, entry: Entry) -> bool:
        """Write the loops; whether they are divided over threads."""
        raise NotImplementedError


class Running(Swept):
    """Sums of all entries up to each, from the start of an axis or from its end."""

    def body(self, scope: Scope, entry: Entry) -> bool:
        axis: int = self.call.op.axis
        backward: bool = self.call.op.backward
        index = axes(self.cod.shape)
        n = self.cod.shape[axis]
        inside = scope.inside()
        place = (*index[:axis], Index(n - 1) - index[axis] if backward else index[axis], *index[axis + 1 :])
        text = inside.at(self.call.args[0], place)
        if n > 1:
            past = (*place[:axis], place[axis] + (1 if backward else -1), *place[axis + 1 :])
            text = inside.let(f"i{axis} ? {entry(past)} + {text} : {text}", self.cod.dtype)
        inside.lines.append(f"{entry(place)} = {text};")
        around = loops(index[:axis])
        parallel = self.cod.size >= PARALLEL and bool(around)
        scope.lines += nested([*around, *loops(index[axis:])], inside.lines, parallel, "")
        return parallel


class Added(Swept):
    """Rows added into zeros by number. Threads have leading axes of their own, or rows of their own where there are none."""

    def body(self, scope: Scope, entry: Entry) -> bool:
        (numbers, rows), lead, count = self.dom, self.call.op.lead, self.call.op.rows
        common, many = axes(numbers.shape[:lead], "a"), axes(numbers.shape[lead:], "b")
        row, rest = axes((count,), "r"), axes(rows.shape[len(numbers.shape) :], "c")
        around = loops(common)
        parallel = self.cod.size + rows.size >= PARALLEL and (bool(around) or count > 1)
        zero = nested([*loops(row), *loops(rest)], [f"{entry((*common, *row, *rest))} = 0;"])
        add, each = scope.inside(), scope.inside()
        place = add.whole(clipped(add.at(self.call.args[0], (*common, *many)), count, numbers), count)
        text = each.at(self.call.args[1], (*common, *many, *rest))
        each.lines.append(f"{entry((*common, place, *rest))} += {text};")
        lines = [*nested(loops(rest), each.lines)]
        if parallel and not around:
            # Divided as rows are below, and not in whole vectors: nobody may clear a row that another thread adds to.
            clear = nested(loops(rest), [f"{entry((*row, *rest))} = 0;"])
            zero = [f"for {span(loops(row)[0], 'first')} {{", *clear, "}"]
            lines = [f"if ({place} >= first({count}, id, of) && {place} < first({count}, id + 1, of)) {{", *lines, "}"]
        lines = [*zero, *nested(loops(many), [*add.lines, *lines], False, "")]
        scope.lines += nested(around, lines, parallel and bool(around), "")
        return parallel


class Sorted(Swept):
    """The numbers of the entries of a row in the order that sorts it."""

    @property
    def row_major(self) -> tuple[int, ...]:
        """Arrays whose last axis must be close together."""
        return (*self.reads, self.out)

    def loads(self, program: Program) -> list[Load]:
        return [(w, ()) for w in self.reads]

    def write(self, printer: Printer, group: Group, made: Function) -> None:
        (x,), (wire,) = self.dom, self.reads
        made.reads.add(wire)
        made.writes.add(self.out)
        *around, _ = axes(self.cod.shape)
        start = (*around, Index())
        call = f"order_{SHORT[x.dtype]}(&{printer.places[wire].entry(start)}, &{printer.places[self.out].entry(start)}, {x.shape[-1]});"
        made.parallel = self.cod.size >= PARALLEL and bool(loops(around))
        made.lines += nested(loops(around), [call] if x.shape[-1] else [], made.parallel, "")


@dataclass(frozen=True)
class Fixed:
    """Whole numbers that the program holds."""

    out: int
    numbers: tuple[int, ...]
    reads: tuple[int, ...] = ()

    def write(self, printer: Printer, group: Group, made: Function) -> None:
        made.writes.add(self.out)
        if self.numbers:
            made.lines.append(f"static const int32_t numbers[] = {{{', '.join(map(str, self.numbers))}}};")
            made.lines.append(f"memcpy({printer.places[self.out].name}, numbers, sizeof numbers);")


def running(program: Flat, call: Call) -> Running:
    return Running(program, call)


def added(program: Flat, call: Call) -> Added:
    return Added(program, call)


def ordered(program: Flat, call: Call) -> Sorted:
    return Sorted(program, call, call.args)


def fixed(program: Flat, call: Call) -> Fixed:
    return Fixed(call.outs[0], call.op.table.entries)
