"""Groups of nests as C functions, and a step as the calls of them in order."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import prod

from lensgrad.backends.native.flat import BYTES, TYPES, Flat
from lensgrad.backends.native.integers import Atom, Index, cuts, of, strides
from lensgrad.backends.native.nests import Group, Nest, Program, Reduction, View, axes, compute, phases, view, widened
from lensgrad.backends.native.places import EXAMPLES, Place, laid_out, vectors
from lensgrad.backends.native.scope import Load, Reading, Scope, Where
from lensgrad.core.errors import NoRule

PARALLEL = 16_000  # entries computed by a group, from which on it is divided over threads
LINE = 64  # bytes behind every array that may be read
SHORT_LOOP = 4  # turns of a loop that is written out
APART = 16  # entries of a part along an axis, from which on it has loops of its own
PIECES = 8  # parts at the most
ROW = 64  # entries of a row that collect side by side
NOTE = "#pragma GCC ivdep"  # that entries need nothing of each other
OWN = re.compile(r"(?:\w+ )?(r\d+)\[[^=]*\](?: = .*)?;$")  # a row of a function's own, as it begins or as an entry is put there
VECTOR = f"{NOTE}\n#pragma GCC unroll 1"  # that a short loop is one vector: entries that are written out first are often not made one


@dataclass
class Function:
    """A group as C: its lines and the arrays that it names."""

    name: str
    title: str
    lines: list[str] = field(default_factory=list[str])
    reads: set[int] = field(default_factory=set[int])
    writes: set[int] = field(default_factory=set[int])
    many: bool = True  # whether the program has work for several threads
    waits: bool = False  # whether its threads wait for each other inside
    before: list[str] = field(default_factory=list[str])  # functions that it calls
    divided: bool = False

    @property
    def parallel(self) -> bool:
        """Whether the outermost loop is divided over threads."""
        return self.divided and self.many

    @parallel.setter
    def parallel(self, worth: bool) -> None:
        self.divided = worth


@dataclass
class Printer:
    """Prints the groups of a program. `stored` are the values that have arrays; the others live inside their group."""

    program: Program
    places: dict[int, Place]
    stored: set[int]
    foreign: Collection[int] = ()  # arrays of the caller, which end where they end
    prefix: str = "part"
    many: bool = True

    @property
    def flat(self) -> Flat:
        return self.program.flat

    def function(self, number: int, group: Group) -> Function:
        made = Function(f"{self.prefix}_{number}", title(self.flat, group), many=self.many)
        kernel = group.nests[0].kind
        if kernel is not None and not isinstance(kernel, Reduction):
            kernel.write(self, group, made)
            return made
        if any(n.kind is not None for n in group.nests):
            Rows(self, group, made).write()
        else:
            Entries(self, group, made).write()
        return made

    def reading(self, made: Function) -> Reading:
        """What the lines of a function may read, each array noted where it is named."""

        def text(wire: int, index: Where) -> str:
            made.reads.add(wire)
            return self.places[wire].entry(index)

        return self.program.reading(text)

    def view(self, wire: int) -> View:
        """A value that a kernel reads, as an array at fixed steps."""
        found = view(self.flat, self.program.makers, self.program.kept, wire, lambda w, index: self.places[w].offset(index))
        if found is None:
            raise NoRule(f"the native backend has no array for what {wire} reads")
        return found

    def beyond(self, loads: Sequence[Load], outs: Sequence[int], index: Sequence[Index], loop: Atom) -> bool:
        """Whether a loop may compute a few entries more than there are, to end on whole vectors: arrays lie apart from each other."""
        shapes = self.flat.values
        places = [(w, self.places[w].offset(i)) for w, i in loads]
        places += [(o, self.places[o].offset(widened(index, shapes[o].shape))) for o in outs if o in self.stored]
        small = 3 <= loop.size < 1024 and loop.size % 16
        return bool(small) and all(w not in self.foreign and p.constant == 0 and p.terms in ((), ((loop, 1),)) for w, p in places)

    def full(self, loads: Sequence[Load], outs: Sequence[int], index: Sequence[Index], loop: Atom) -> Atom:
        """A loop that ends on a whole vector where every row that it moves in has room for that."""
        size, shapes = vectors(loop.size), self.flat.values
        written = [(o, widened(index, shapes[o].shape)) for o in outs if o in self.stored]
        fits = loop.size >= 4 and all(self.places[w].beyond(i, loop, size) or self.alone(w, i, loop) for w, i in written)
        fits = fits and all(self.ahead(w, i, loop, size) or self.places[w].beyond(i, loop, size) for w, i in loads)
        return Atom(loop.name, size) if fits else loop

    def ahead(self, wire: int, index: Where, loop: Atom, size: int) -> bool:
        """Whether entries may be read that many turns of a loop behind its end: there is a cache line behind every array."""
        step = self.places[wire].offset(index).factor(loop)
        far = None if step is None or step < 0 else step * (size - loop.size) * BYTES[self.flat.values[wire].dtype]
        return far is not None and far <= LINE and wire not in self.foreign

    def alone(self, wire: int, index: Where, loop: Atom) -> bool:
        """Whether a loop moves through one row that is an array, apart from all others."""
        return wire not in self.foreign and self.places[wire].offset(index) == of(loop)

    def store(self, scope: Scope, wire: int, index: Where, text: str, made: Function) -> None:
        if wire in self.stored:
            made.writes.add(wire)
            scope.lines.append(f"{self.places[wire].entry(index)} = {text};")


@dataclass
class Entries:
    """A group whose entries are each computed from others: one loop nest, neighbouring axes as one where nobody tells them apart."""

    printer: Printer
    group: Group
    made: Function

    def write(self) -> None:
        pieces = self.pieces(*self.split())
        for index, atoms in pieces:
            self.loops(index, atoms, len(pieces) == 1)

    def pieces(self, index: tuple[Index, ...], atoms: list[Atom]) -> list[tuple[tuple[Index, ...], list[Atom]]]:
        """A nest for each part of what is put together from parts along an axis, where that is long."""
        edges = self.body(index)[0].edges
        atom = next((a for a in atoms if a in edges and len(edges[a]) < PIECES and a.size >= APART * (len(edges[a]) + 1)), None)
        if atom is None:
            return [(index, atoms)]
        found = list[tuple[tuple[Index, ...], list[Atom]]]()
        for low, high in pairwise([0, *sorted(edges[atom]), atom.size]):
            part = Atom(atom.name, high - low)
            moved = tuple(replaced(i, {atom: of(part) + low}) for i in index)
            found.append((moved, [part if a == atom else a for a in atoms if a != atom or part.size > 1]))
        return found

    def loops(self, index: tuple[Index, ...], atoms: list[Atom], whole: bool) -> None:
        """The loops over some entries, or over all: then they may go a little beyond the last one."""
        reading, _ = self.body(index)
        accesses = self.accesses(reading.loads, index)
        merges, loops = merged(atoms, accesses, self.order(atoms, index))
        index = tuple(replaced(i, merges) for i in index)
        reading, scope = self.body(index)
        if whole and len(loops) == 1 and self.printer.beyond(reading.loads, self.group.outs, index, loops[0]):
            loops = [Atom(loops[0].name, vectors(loops[0].size))]
        elif whole and len(loops) > 1:
            at = -2 if loops[-1].size <= SHORT_LOOP else -1
            loops[at] = self.printer.full(reading.loads, self.group.outs, index, loops[at])
        self.made.parallel = prod(self.group.space) * len(self.group.nests) >= PARALLEL and bool(loops)
        beside = bool(loops) and loops[-1].size == EXAMPLES and any(self.printer.places[w].beside for w, _ in reading.loads)
        self.made.lines += nested(loops, scope.lines, self.made.parallel, VECTOR if beside else NOTE)

    def split(self) -> tuple[tuple[Index, ...], list[Atom]]:
        """A loop for each axis, or two where entries are read at quotients and remainders of its variable."""
        index = axes(self.group.space)
        atoms = [v.terms[0][0] for v in index]
        while True:
            reading, _ = self.body(index)
            found: dict[Atom, int] = {}
            for access in self.accesses(reading.loads, index):
                found |= {a: max(n, found.get(a, 1)) for a, n in cuts(access).items()}
            if not found:
                return index, atoms
            atom, by = next(iter(found.items()))
            outer, inner = Atom(f"{atom.name}a", atom.size // by), Atom(f"{atom.name}b", by)
            index = tuple(replaced(i, {atom: of(outer) * by + of(inner)}) for i in index)
            at = atoms.index(atom)
            atoms[at : at + 1] = [outer, inner]

    def body(self, index: Sequence[Index]) -> tuple[Reading, Scope]:
        """The lines of the innermost loop."""
        reading = self.printer.reading(self.made)
        scope = Scope(reading)
        for nest in self.group.nests:
            write_entry(self.printer, scope, nest, index, self.made)
        return reading, scope

    def order(self, atoms: Sequence[Atom], index: Sequence[Index]) -> list[int]:
        """The loops as the first array that is written has them in memory."""
        out = next((o for o in self.group.outs if o in self.printer.stored), None)
        if out is None:
            return [*range(len(atoms))]
        place = self.printer.places[out].offset(widened(index, self.printer.flat.values[out].shape))
        return sorted(range(len(atoms)), key=lambda k: -(place.factor(atoms[k]) or 0))

    def accesses(self, loads: Sequence[Load], variables: Sequence[Index]) -> list[Index]:
        """The places of all that is read and written."""
        places = self.printer.places
        found = [places[w].offset(i) for w, i in loads]
        for o in self.group.outs:
            if o in self.printer.stored:
                found.append(places[o].offset(widened(variables, self.printer.flat.values[o].shape)))
        return found


def write_entry(printer: Printer, scope: Scope, nest: Nest, index: Sequence[Index], made: Function) -> None:
    """One entry of a value that is computed from others, named, and stored where it has an array."""
    (wire,) = nest.outs
    own = widened(index, printer.flat.values[wire].shape)
    text = compute(scope, wire, own)
    scope.known[wire, own] = text
    printer.store(scope, wire, own, text, made)


def merged(atoms: Sequence[Atom], accesses: Sequence[Index], order: Sequence[int]) -> tuple[dict[Atom, Index], list[Atom]]:
    """Fewer loops, in this order: neighbours become one where every access takes them as one; and what each loop is then."""
    runs: list[list[Atom]] = []
    for k in order:
        if runs and all(together(a, runs[-1][-1], atoms[k]) for a in accesses):
            runs[-1].append(atoms[k])
        else:
            runs.append([atoms[k]])
    found, loops = dict[Atom, Index](), list[Atom]()
    for run in runs:
        loops.append(run[0] if len(run) == 1 else Atom("_".join(a.name for a in run), prod(a.size for a in run)))
        rest = of(loops[-1])
        for atom, step in zip(run, strides([a.size for a in run]), strict=True):
            found[atom], rest = rest.divided(step)
    return found, loops


def replaced(index: Index, by: Mapping[Atom, Index]) -> Index:
    """An index with other expressions for its variables."""
    found = Index(index.constant)
    for atom, factor in index.terms:
        found = found + by.get(atom, of(atom)) * factor
    return found


def together(access: Index, outer: Atom, inner: Atom) -> bool:
    a, b = access.factor(outer), access.factor(inner)
    return a is not None and b is not None and a == b * inner.size


def nested(loops: Sequence[Atom], body: Sequence[str], parallel: bool = False, note: str = NOTE) -> list[str]:
    """Lines inside loops, the outermost of which may be divided over threads."""
    if not loops:
        return ["{", *body, "}"]
    lines: list[str] = []
    # A short last loop is written out, so that vectors run along the one before.
    short = len(loops) > 1 and loops[-1].size <= SHORT_LOOP
    for depth, loop in enumerate(loops):
        vectors = depth == len(loops) - 1 - short
        lines += [note] if note and vectors else []
        lines += [f"#pragma GCC unroll {loop.size}"] if short and depth == len(loops) - 1 else []
        lines.append(f"for {span(loop, ('stretch' if vectors else 'first') * (parallel and not depth))} {{")
    return [*lines, *body, *["}"] * len(loops)]


def span(loop: Atom, part: str = "") -> str:
    """The head of a loop, over the part of a thread where it is divided: in whole vectors where the loop runs over vectors."""
    name = loop.name
    if part:
        return f"(int {name} = {part}({loop.size}, id, of); {name} < {part}({loop.size}, id + 1, of); {name}++)"
    return f"(int {name} = 0; {name} < {loop.size}; {name}++)"


@dataclass
class Rows:
    """A group with reductions, row by row: the entries of a row collect one after the other, or side by side as they lie in memory."""

    printer: Printer
    group: Group
    made: Function
    read: set[str] = field(default_factory=set[str])  # rows of its own that something reads

    def write(self) -> None:
        *outer, _ = axes(self.group.space) or (Index(),)
        self.size = block(self.group.space[-1]) if self.group.space else 1
        self.inner = of(Atom("j", self.size))
        blocks = of(Atom("b", self.group.space[-1] // max(1, self.size))) if self.group.space else Index()
        self.start = blocks * self.size
        self.index = (*outer, self.start + self.inner) if self.group.space else ()
        scope = Scope(self.printer.reading(self.made))
        for phase in phases(self.group.nests):
            if phase[0].kind is None:
                self.computed(scope, phase)
            else:
                self.collected(scope, phase[0])
        loops = [v.terms[0][0] for v in (*outer, blocks) if v.terms]
        self.made.parallel = self.work() >= PARALLEL and bool(loops)
        self.made.lines += nested(loops, [*filter(self.needed, scope.lines)], self.made.parallel, "")

    def work(self) -> int:
        return prod(self.group.space) * sum(prod(n.kind.sizes) if n.kind is not None else 1 for n in self.group.nests)

    def own(self, wire: int) -> Where:
        return widened(self.index, self.printer.flat.values[wire].shape)

    @property
    def variable(self) -> list[Atom]:
        return [a for a, _ in self.inner.terms]

    def computed(self, scope: Scope, phase: Sequence[Nest]) -> None:
        """The entries of a row that are computed one by one."""
        inside, before = scope.inside(), len(scope.reading.loads)
        for nest in phase:
            (wire,) = nest.outs
            write_entry(self.printer, inside, nest, self.index, self.made)
            if wire not in self.printer.stored:
                inside.lines.append(f"{self.row(scope, wire)}[{self.inner}] = {inside.known[wire, self.own(wire)]};")
        beyond = len(self.group.space) == 1 and self.size == self.group.space[0]
        beyond = beyond and self.printer.beyond(inside.reading.loads[before:], [n.outs[0] for n in phase], self.index, *self.variable)
        scope.lines += nested([Atom(a.name, vectors(a.size)) for a in self.variable] if beyond else self.variable, inside.lines)

    def row(self, scope: Scope, wire: int) -> str:
        """A row of a value that has no array, in one of its own."""
        value, name, reading = self.printer.flat.values[wire], scope.reading.names.new("r"), scope.reading
        scope.lines.append(f"{TYPES[value.dtype]} {name}[{vectors(self.size)}];")
        last = [i for i, n in enumerate(value.shape) if n != 1]

        reading.rows[wire] = lambda index: self.entry(name, index[last[-1]] - self.start if last else Index())
        return name

    def entry(self, row: str, at: Index) -> str:
        self.read.add(row)
        return f"{row}[{at}]"

    def needed(self, line: str) -> bool:
        """Whether a line is more than a row that nothing reads: who needed its entries had each when it was computed."""
        return not (found := OWN.match(line)) or found[1] in self.read

    def collected(self, scope: Scope, nest: Nest) -> None:
        """The entries of a row that collect."""
        kind: Reduction = nest.kind
        (wire,) = nest.outs
        inside, inner, before = scope.inside(), axes(kind.sizes, "k"), len(scope.reading.loads)
        rows = [scope.reading.names.new("s") for _ in kind.starts]
        side = self.sideways(nest)
        numbers = [f"{r}[{self.inner}]" for r in rows] if side else rows
        kind.step(inside, numbers, self.own(wire), inner)
        loops = self.ordered([v.terms[0][0] for v in inner if v.terms], nest)
        last = scope.inside()
        wide = [self.printer.full(inside.reading.loads[before:], (), self.index, a) for a in self.variable]
        if side:
            scope.lines += [f"{t} {r}[{vectors(self.size)}];" for r, (t, _) in zip(rows, kind.starts, strict=True)]
            scope.lines += nested(wide, [f"{n} = {v};" for n, (_, v) in zip(numbers, kind.starts, strict=True)])
            scope.lines += nested([*loops, *wide], inside.lines)
        else:
            last.lines += [f"{t} {r} = {v};" for r, (t, v) in zip(rows, kind.starts, strict=True)]
            last.lines += nested(loops, inside.lines)
        text = last.let(kind.finish(numbers), self.printer.flat.values[wire].dtype)
        self.printer.store(last, wire, self.own(wire), text, self.made)
        if wire not in self.printer.stored:
            last.lines.append(f"{self.row(scope, wire)}[{self.inner}] = {text};")
        kept = wire in self.printer.stored or not side
        scope.lines += nested(self.variable if kept else wide, last.lines, note=NOTE if side else "")

    def sideways(self, nest: Nest) -> bool:
        """Whether neighbours in memory are entries of one row rather than what one entry collects."""
        if self.size == 1:
            return False
        score, last = 0, axes(self.group.space)[-1].terms[0][0]
        inner = [v.terms[0][0] for v in axes(nest.kind.sizes, "k") if v.terms]
        for wire, index in self.printer.program.loads(nest):
            place = self.printer.places[wire].offset(index)
            own, others = place.factor(last), [place.factor(k) for k in inner]
            score += (own == 1) * 2 - (own != 0 and any(k == 1 for k in others)) * 2 - (own is None or own > 1)
        return score > 0

    def ordered(self, loops: list[Atom], nest: Nest) -> list[Atom]:
        """Loops such that the innermost one moves least in memory."""
        places = [self.printer.places[w].offset(i) for w, i in self.printer.program.loads(nest)]

        def stretch(loop: Atom) -> int:
            steps = [p.factor(loop) for p in places]
            return -sum(abs(s) if s is not None else 1 << 20 for s in steps)

        return loops if nest.kind.ordered else sorted(loops, key=stretch)


def block(n: int) -> int:
    """How many entries of a row collect together: a divisor of n, up to ROW."""
    return next((d for d in range(min(n, ROW), 0, -1) if n % d == 0 and (d >= 16 or n < 16)), n) if n > ROW else n


def title(program: Flat, group: Group) -> str:
    """What a group is for: the layers that its values come from, whose names cannot end the comment that they stand in."""
    paths = [re.sub(r"[^\w /.-]", "_", "/".join(program.values[o].path), flags=re.ASCII) for o in group.outs]
    return ", ".join(dict.fromkeys(p for p in paths if p))


__all__ = ["Function", "Place", "Printer", "laid_out"]
