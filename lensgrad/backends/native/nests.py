"""What a program computes, as nests of loops: one for each array that is kept, those over equal entries side by side."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

from lensgrad.backends.native.flat import Call, Flat, Value
from lensgrad.backends.native.integers import Atom, Index, flat, of
from lensgrad.backends.native.scope import Load, Moved, Pulled, Reading, Scope, Where, Whole, meaning_of

MOST = 48  # loops that are one: compilers take far longer for many more, as the updates of all biases of a deep network are
CHEAP = 2  # additions that may be done again for a reader rather than be kept in an array
CHEAP_FAR = 8  # and where the array is larger than the nearest cache
NEAR = 1 << 15  # bytes of that


@dataclass(frozen=True)
class Reduction:
    """Entries that each collect over loops of their own: numbers from `starts`, taken further by `step`, ended by `finish`.

    `step(scope, numbers, index, inner)` writes lines that change the numbers; `finish(numbers)` is what they amount to.
    """

    sizes: tuple[int, ...]
    starts: tuple[tuple[str, str], ...]  # C type and value
    step: Callable[[Scope, Sequence[str], Where, Where], None]
    finish: Callable[[Sequence[str]], str] = lambda numbers: numbers[0]
    ordered: bool = False  # whether the loops must run as they stand


@dataclass(frozen=True)
class Bound:
    """A kind that is chosen when the whole program is known; `bound(program, call)` chooses it."""

    choose: Callable[[Program, Call], Any]

    def bound(self, program: Program, call: Call) -> Any:
        return self.choose(program, call)


@dataclass(frozen=True)
class View:
    """A kept array read at fixed steps: an offset, and how far one step along each axis moves."""

    wire: int
    offset: int
    steps: tuple[int, ...]
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Nest:
    """How one call fills its arrays: entry by entry where `kind` is None, else by a reduction or a kernel of its own."""

    outs: tuple[int, ...]
    kind: Any = None
    call: Call | None = None


@dataclass
class Group:
    """Nests over one space, in order."""

    space: tuple[int, ...]
    nests: list[Nest] = field(default_factory=list[Nest])
    once: bool = False  # the same at every step, so that it runs before the first

    @property
    def outs(self) -> list[int]:
        return [o for n in self.nests for o in n.outs]


def squeezed(shape: Sequence[int]) -> tuple[int, ...]:
    return tuple(n for n in shape if n != 1)


def axes(space: Sequence[int], letter: str = "i") -> tuple[Index, ...]:
    """A loop variable for each axis."""
    return tuple(of(Atom(f"{letter}{k}", n)) for k, n in enumerate(space))


def widened(index: Sequence[Index], shape: Sequence[int]) -> Where:
    """An index on the long axes of a shape, with 0 for those of one entry."""
    long = iter(index)
    return tuple(Index() if n == 1 else next(long) for n in shape)


@dataclass
class Program:
    """The passes over one list of calls: which values are kept, by which nests, in which groups.

    `fuse` False is the plain form: every value is kept.
    """

    flat: Flat
    calls: Sequence[Call]
    inputs: Sequence[int]
    outputs: Sequence[int]
    fuse: bool = True
    still: Collection[int] = ()  # inputs that are the same at every step
    data: bool = False  # whether those are data, in which there may be many zeros
    copies: bool = False  # whether kernels may have forms of what they read that take more memory than that
    makers: dict[int, tuple[Call, int]] = field(default_factory=dict[int, tuple[Call, int]])
    nests: dict[int, Nest] = field(default_factory=dict[int, Nest])
    kept: set[int] = field(default_factory=set[int])
    first: list[Nest] = field(default_factory=list[Nest])  # what is done to constants before everything else
    read: dict[int, list[Load]] = field(default_factory=dict[int, list[Load]])  # what each nest reads, once known

    def __post_init__(self) -> None:
        self.makers = {o: (c, k) for c in self.calls for k, o in enumerate(c.outs)}
        self.meanings = {c.outs[0]: meaning_of(self.flat, c) for c in self.calls if c.outs}
        self.kept = {*self.inputs, *self.outputs, *self.flat.near.intersection(self.makers)}
        self.constant = set(self.still)
        for call in self.calls:
            self.constant.update(call.outs if self.constant.issuperset(call.args) else ())
        self.whole = {c.outs[0]: self.kind(c) for c in self.calls if self.is_whole(c)}
        for call in self.calls:
            if self.is_whole(call):
                self.kept.update(call.outs)
                self.kept.update(w for w in needs(self.whole[call.outs[0]]))
        self.keep()
        for call in self.calls:
            kept = [o for o in call.outs if o in self.kept]
            if self.is_whole(call):
                kind = self.whole[call.outs[0]]
                nest = Nest((*call.outs, *getattr(kind, "spare", ())), kind, call)
                self.nests.update((o, nest) for o in nest.outs)
                self.kept.update(nest.outs)
            else:
                self.nests.update((o, Nest((o,), None, call)) for o in kept)

    def kind(self, call: Call) -> Any:
        """By which loops a call computes its arrays; some ask what their arguments are views of."""
        kind = self.meanings[call.outs[0]](self.flat, call)
        return kind.bound(self, call) if isinstance(kind, Bound) else kind

    def moves(self, call: Call) -> bool:
        return bool(call.outs) and isinstance(self.meanings[call.outs[0]], Moved)

    def is_whole(self, call: Call) -> bool:
        return bool(call.outs) and isinstance(self.meanings[call.outs[0]], Whole)

    def keep(self) -> None:
        """Keep what several nests would compute again, or one would many times, where that is no small thing."""
        cost, shared = self.costs(), set[int]()
        users: dict[int, set[int]] = {}
        for call in reversed(self.calls):
            for o in call.outs:
                if o not in self.kept and (not self.fuse or (len(users.get(o, ())) > 1 and cost[o] > CHEAP and not self.only_moves(call))):
                    shared.add(o)
            readers: set[int] = set()
            for o in call.outs:
                readers |= {o} if o in self.kept or o in shared else users.get(o, set())
            for number, a in enumerate(call.args):
                users.setdefault(a, set()).update(readers)
                if self.again(call, number) and cost[a] > 0:
                    self.kept.add(a)
        self.keep_dear(shared)

    def keep_dear(self, shared: Collection[int]) -> None:
        """Keep of what several nests read all that is no small thing to compute from what is kept before it, and what sums read again."""
        cost: dict[int, int] = {}
        for call in self.calls:
            for a in call.args:
                if cost.get(a) and self.summed_again(call, a):
                    self.kept.add(self.moved_from(a))
                    cost[a] = 0
            for o in call.outs:
                own = sum(cost.get(a, 0) for a in call.args) + cost_of(self.meanings[call.outs[0]])
                cheap = CHEAP if self.flat.values[o].bytes <= NEAR else CHEAP_FAR
                if o in shared and (own > cheap or not self.fuse):
                    self.kept.add(o)
                cost[o] = 0 if o in self.kept else own

    def only_moves(self, call: Call) -> bool:
        """Whether a call gives all the entries of its argument in another order: that is kept in its stead."""
        sizes = [self.flat.values[w].size for w in (*call.args, *call.outs)]
        return self.moves(call) and len(set(sizes)) == 1

    def costs(self) -> dict[int, int]:
        """About how many additions an entry takes, from what is kept for certain."""
        found: dict[int, int] = {}
        for call in self.calls:
            inner = sum(0 if a in self.kept else found.get(a, 0) for a in call.args)
            found.update((o, inner + cost_of(self.meanings[call.outs[0]])) for o in call.outs)
        return {**dict.fromkeys(range(len(self.flat.values)), 0), **found}

    def again(self, call: Call, number: int) -> bool:
        """Whether entries of an argument are read more than once, so that nothing should be computed there."""
        meaning = self.meanings[call.outs[0]] if call.outs else None
        if isinstance(meaning, Pulled):
            return meaning.again
        arg, out = self.flat.values[call.args[number]], self.flat.values[call.outs[0]]
        return isinstance(meaning, Moved) and arg.size * 2 <= out.size

    def summed_again(self, call: Call, wire: int) -> bool:
        """Whether a reduction reads entries of an argument more than once."""
        kind = self.whole.get(call.outs[0]) if call.outs else None
        values = self.flat.values
        return isinstance(kind, Reduction) and values[wire].size * 2 <= values[call.outs[0]].size * prod(kind.sizes)

    def moved_from(self, wire: int) -> int:
        """A value, or the first one whose entries, all of them, it is a view of: that is kept in its stead."""
        at, found = wire, wire
        while at in self.makers and at not in self.kept and self.only_moves(self.makers[at][0]):
            at = self.makers[at][0].args[0]
            found = at if view(self.flat, self.makers, {at}, wire) is not None else found
        return found

    def reading(self, text: Callable[[int, Where], str] = lambda wire, index: "0") -> Reading:
        return Reading(self.flat, self.makers, self.kept, text)

    def loads(self, nest: Nest) -> list[Load]:
        """What a nest reads, at the variables of its space."""
        if id(nest) not in self.read:
            self.read[id(nest)] = self.reads(nest)
        return self.read[id(nest)]

    def reads(self, nest: Nest) -> list[Load]:
        reading = self.reading()
        scope = Scope(reading)
        if nest.kind is None:
            compute(scope, nest.outs[0], self.own(nest.outs[0]))
        elif isinstance(nest.kind, Reduction):
            inner = axes(nest.kind.sizes, "k")
            nest.kind.step(scope, ["0"] * len(nest.kind.starts), self.own(nest.outs[0]), inner)
        else:
            loads = getattr(nest.kind, "loads", None)
            if loads is not None:
                return loads(self)
            # What a kernel reads for a moved value is the last array on the way there that is kept, which may be the value itself.
            views = [view(self.flat, self.makers, self.kept, a) for a in (nest.call.args if nest.call else ())]
            return [(w, ()) for w in dict.fromkeys([*nest.kind.reads, *(v.wire for v in views if v is not None)])]
        return reading.loads

    def own(self, wire: int) -> Where:
        shape = self.flat.values[wire].shape
        return widened(axes(squeezed(shape)), shape)

    def prepared(self, kind: Any, *made: Value) -> tuple[int, ...]:
        """Values made of constants, once, in the form in which a kernel reads them at every step."""
        new = tuple(range(len(self.flat.values), len(self.flat.values) + len(made)))
        self.flat.values += made
        self.first.append(Nest(new, kind))
        self.kept |= {*kind.reads, *new}
        self.constant.update(new)
        return new

    def groups(self) -> list[Group]:
        """Nests over equal spaces side by side, where each entry needs nothing of the others but its own."""
        found, where = list[Group](), dict[int, int]()
        self.prepare(found, where)
        for nest in dict.fromkeys(self.nests[o] for c in self.calls for o in c.outs if o in self.nests):
            space = self.space(nest)
            at = self.place(nest, space, found, where)
            if at is None:
                found.append(Group(space, once=nest.outs[0] in self.constant))
                at = len(found) - 1
            found[at].nests.append(nest)
            where.update((o, at) for o in nest.outs)
            self.prepare(found, where)
        return found

    def prepare(self, found: list[Group], where: dict[int, int]) -> None:
        """Add what is made of constants, as soon as these are there: some are computed of others, as of a weight and its norm."""
        late = {*self.nests, *(o for nest in self.first for o in nest.outs)}
        for nest in self.first:
            if nest.outs[0] not in where and all(w in where or w not in late for w in nest.kind.reads):
                where.update((o, len(found)) for o in nest.outs)
                found.append(Group((), [nest], once=True))

    def space(self, nest: Nest) -> tuple[int, ...]:
        return squeezed(self.flat.values[nest.outs[0]].shape)

    def place(self, nest: Nest, space: tuple[int, ...], found: Sequence[Group], where: Mapping[int, int]) -> int | None:
        """The last group that a nest may join, or None."""
        if not self.fuse or not self.joins(nest):
            return None
        first = 0
        for wire, index in self.loads(nest):
            if wire in where:
                first = max(first, where[wire] + (not self.identity(wire, index, nest, found[where[wire]], space)))
        for at in range(len(found) - 1, first - 1, -1):
            group = found[at]
            if (
                len(group.nests) < MOST
                and group.once == (nest.outs[0] in self.constant)
                and group.space == space
                and all(self.joins(n) or n is group.nests[0] for n in group.nests)
                and self.takes(group, nest)
            ):
                return at
        return None

    def joins(self, nest: Nest) -> bool:
        return nest.kind is None or isinstance(nest.kind, Reduction)

    def takes(self, group: Group, nest: Nest) -> bool:
        """Whether a group whose first nest is a kernel runs others in it."""
        head = group.nests[0].kind
        return head is None or isinstance(head, Reduction) or (nest.kind is None and getattr(head, "epilogue", False))

    def identity(self, wire: int, index: Where, nest: Nest, group: Group, space: tuple[int, ...]) -> bool:
        """Whether a nest reads of a value in a group the entry of its own."""
        shape = self.flat.values[wire].shape
        return group.space == space == squeezed(shape) and index == widened(axes(space), shape)


def compute(scope: Scope, wire: int, index: Where) -> str:
    """The entry of a kept value where it is made."""
    call, number = scope.reading.makers[wire]
    meaning = scope.reading.flat and meaning_of(scope.reading.flat, call)
    from lensgrad.backends.native.scope import Here

    if isinstance(meaning, Moved):
        return scope.at(call.args[0], meaning(call.op, scope.reading.flat.dom(call), index))
    here = Here(scope, call, number, index)
    return meaning(here) if isinstance(meaning, Pulled) else here.written(meaning)


def cost_of(meaning: Any) -> int:
    if isinstance(meaning, Pulled):
        return meaning.cost
    if isinstance(meaning, str):
        return (
            12
            if any(w in meaning for w in ("exp", "log", "tanh", "sin", "cos", "pow", "erf"))
            else 4
            if "/" in meaning or "sqrt" in meaning
            else 1
        )
    return 0


def needs(kind: Any) -> Sequence[int]:
    """The values that a kernel reads as arrays."""
    return getattr(kind, "reads", ())


def view(
    flat_program: Flat,
    makers: Mapping[int, tuple[Call, int]],
    kept: set[int],
    wire: int,
    offset: Callable[[int, Where], Index] | None = None,
) -> View | None:
    """A value as a kept array read at fixed steps, where nothing but moving lies between; None where that is not so."""
    shape = flat_program.values[wire].shape
    variables = tuple(of(Atom(f"v{k}", n)) for k, n in enumerate(shape))
    index: Where = variables
    at = wire
    while at not in kept:
        if at not in makers:
            return None
        call, _ = makers[at]
        meaning = meaning_of(flat_program, call)
        if not isinstance(meaning, Moved):
            return None
        index = meaning(call.op, flat_program.dom(call), index)
        at = call.args[0]
    place = offset(at, index) if offset else flat(index, flat_program.values[at].shape)
    steps = [place.factor(v.terms[0][0]) if v.terms else 0 for v in variables]
    if any(s is None for s in steps) or any(a.part for a, _ in place.terms):
        return None
    return View(at, place.constant, tuple(s or 0 for s in steps), shape)


def phases(nests: Sequence[Nest]) -> list[list[Nest]]:
    """Nests in order, neighbours that compute entry by entry together."""
    found: list[list[Nest]] = []
    for nest in nests:
        if found and nest.kind is None and found[-1][0].kind is None:
            found[-1].append(nest)
        else:
            found.append([nest])
    return found


__all__ = ["Group", "Nest", "Program", "Reduction", "Value", "View", "axes", "phases", "squeezed", "view", "widened"]
