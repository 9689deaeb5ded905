"""Proofs, gone through backwards: unit propagation, and what it needs of the steps before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .files import Rejected, require


class Clause(list[int]):
    """Literals 2v and 2v + 1, the watched ones first; `needed` where the proof rests on it."""

    __slots__ = ("needed",)

    def __init__(self, literals: Iterable[int]) -> None:
        super().__init__(literals)
        self.needed = False


Watches = list[list[Clause]]  # of each literal, the clauses that watch it


def watches(size: int) -> Watches:
    return [[] for _ in range(size)]


class Database:
    """Clauses with two watched literals each, and what follows from them alone, with the clause that each literal followed from."""

    def __init__(self, top: int) -> None:
        self.true, self.place = bytearray(2 * top + 2), [0] * (top + 1)
        self.reason: list[Clause | None] = [None] * (top + 1)
        self.trail: list[int] = []
        self.places: dict[tuple[int, ...], list[Clause]] = {}
        self.pairs, self.needed, self.others = (watches(2 * top + 2) for _ in range(3))

    def restore(self, clause: Clause) -> None:
        self.places.setdefault(tuple(sorted(clause)), []).append(clause)
        self.attach(clause)

    def remove(self, clause: Clause) -> None:
        same = self.places[tuple(sorted(clause))]
        del same[next(k for k, c in enumerate(same) if c is clause)]
        self.detach(clause)

    def removable(self, clause: Clause) -> Clause | None:
        """The clause of these literals that is there, unless a literal follows from it alone: keeping more makes no wrong step right."""
        same = self.places.get(tuple(sorted(clause)), [])
        return next((c for c in same if not any(self.true[x] and self.reason[x >> 1] is c for x in c[:2])), None)

    def lists(self, clause: Clause) -> Watches:
        """The lists of watches that a clause is in."""
        return self.pairs if len(clause) == 2 else self.needed if clause.needed else self.others

    def attach(self, clause: Clause) -> None:
        """Watch what is not false, or became so last."""
        clause.sort(key=lambda x: -self.place[x >> 1] if self.true[x ^ 1] else -len(self.true))
        for x in clause[:2] if len(clause) > 1 else ():
            self.lists(clause)[x].append(clause)

    def detach(self, clause: Clause) -> None:
        for x in clause[:2] if len(clause) > 1 else ():
            found = self.lists(clause)[x]
            del found[next(k for k in reversed(range(len(found))) if found[k] is clause)]

    def add(self, clause: Clause) -> Clause | None:
        """A clause, and what follows from it; returns one that is false, or None."""
        self.restore(clause)
        free = [x for x in clause if not self.true[x ^ 1]]
        if len(free) > 1 or any(self.true[x] for x in free):
            return None
        if not free:
            return clause
        self.assign(free[0], clause)
        return self.propagate(len(self.trail) - 1)

    def assign(self, literal: int, reason: Clause | None) -> None:
        self.true[literal], self.reason[literal >> 1], self.place[literal >> 1] = 1, reason, len(self.trail)
        self.trail.append(literal)

    def propagate(self, at: int) -> Clause | None:
        """Unit propagation, through the clauses that are needed anyway first; a clause that became false, or None."""
        first = second = at
        while second < len(self.trail):
            if first < len(self.trail):
                first += 1
                found = self.implied(self.trail[first - 1] ^ 1) or self.visit(self.needed, self.trail[first - 1] ^ 1)
            else:
                second += 1
                found = self.visit(self.others, self.trail[second - 1] ^ 1)
            if found is not None:
                return found
        return None

    def implied(self, false: int) -> Clause | None:
        """What clauses of two literals say."""
        for pair in self.pairs[false]:
            other = pair[0] if pair[1] == false else pair[1]
            if not self.true[other]:
                if self.true[other ^ 1]:
                    return pair
                self.assign(other, pair)
        return None

    def visit(self, watch: Watches, false: int) -> Clause | None:
        """Move the watches of the clauses that watch a literal that became false."""
        true, trail, clauses, kept = self.true, self.trail, iter(watch[false]), list[Clause]()
        watch[false] = kept
        for clause in clauses:
            other = clause[0]
            if other == false:
                other = clause[0] = clause[1]
                clause[1] = false
            if true[other]:
                kept.append(clause)
                continue
            for k in range(2, len(clause)):
                x = clause[k]
                if not true[x ^ 1]:
                    clause[1], clause[k] = x, false
                    watch[x].append(clause)
                    break
            else:
                kept.append(clause)
                if true[other ^ 1]:
                    kept.extend(clauses)
                    return clause
                true[other], self.reason[other >> 1], self.place[other >> 1] = 1, clause, len(trail)
                trail.append(other)
        return None

    def undo(self, size: int) -> None:
        for x in self.trail[size:]:
            self.true[x] = 0
        del self.trail[size:]

    def trace(self, conflict: Clause) -> None:
        """Need the clauses that a conflict came from."""
        seen, stack = set[int](), [conflict]
        while stack:
            clause = stack.pop()
            if not clause.needed:
                self.detach(clause)
                clause.needed = True
                for x in clause[:2] if len(clause) > 1 else ():
                    self.lists(clause)[x].append(clause)
            fresh = {x >> 1 for x in clause} - seen
            seen |= fresh
            stack += [reason for v in fresh if (reason := self.reason[v]) is not None]

    def follows(self, clause: Sequence[int]) -> bool:
        """Whether denying the clause leads to a conflict by unit propagation; what it came from is needed."""
        size = len(self.trail)
        held = next((x for x in clause if self.true[x]), None)
        conflict = None if held is None else self.reason[held >> 1]
        if held is None:
            for x in clause:
                if not self.true[x ^ 1]:
                    self.assign(x ^ 1, None)
            conflict = self.propagate(size)
        if conflict is not None:
            self.trace(conflict)
        self.undo(size)
        return conflict is not None

    def keeps(self, clause: Clause, pivot: int | None) -> bool:
        """RAT on the first literal: every resolvent follows."""
        if pivot is None:
            return False
        others = [c for same in self.places.values() for c in same if pivot ^ 1 in c]
        rests = [[x for x in other if x != pivot ^ 1] for other in others]
        return all(any(x ^ 1 in clause for x in rest) or self.follows(list(dict.fromkeys([*clause, *rest]))) for rest in rests)


Taken = tuple[int, Clause, int | None, int | None]  # a line, its clause, how much followed before (None: it deletes), and its pivot


def check_steps(clauses: Sequence[Sequence[int]], steps: Sequence[tuple[int, str]]) -> int:
    """Go through a proof; return how many of its clauses were needed and checked."""
    read = [(line, *step_of(line, text)) for line, text in steps]
    top = max((abs(x) for clause in [*clauses, *(step[2] for step in read)] for x in clause), default=0)
    database = Database(top)
    for clause in clauses:
        conflict = database.add(coded(clause))
        if conflict is not None:
            return 0
    taken, conflict = forward(database, read)
    if conflict is None:
        raise Rejected("the proof ends before the empty clause follows")
    database.trace(conflict)
    return backward(database, taken, dict(steps))


def step_of(line: int, text: str) -> tuple[bool, list[int]]:
    """Whether a line of a proof deletes, and its literals."""
    words = text.split()
    deletes = words[:1] == ["d"]
    try:
        literals = [int(w) for w in words[deletes:]]
    except ValueError:
        raise Rejected(f"line {line} of the proof is no clause: {text[:40]!r}") from None
    require(literals[-1:] == [0] and 0 not in literals[:-1], f"line {line} of the proof does not end in 0: {text[:40]!r}")
    return deletes, literals[:-1]


def coded(literals: Iterable[int]) -> Clause:
    return Clause(dict.fromkeys(2 * x if x > 0 else 1 - 2 * x for x in literals))


def forward(database: Database, steps: Iterable[tuple[int, bool, list[int]]]) -> tuple[list[Taken], Clause | None]:
    """The steps up to the first conflict that follows without search, with how much followed before each, and the conflict."""
    taken: list[Taken] = []
    for line, deletes, literals in steps:
        clause, size = coded(literals), len(database.trail)
        if any(x ^ 1 in clause for x in clause):
            continue
        if not deletes:
            taken.append((line, clause, size, clause[0] if clause else None))
            conflict = database.add(clause)
            if conflict is not None:
                return taken, conflict
            continue
        known = database.removable(clause)
        if known is not None:
            database.remove(known)
            taken.append((line, known, None, None))
    return taken, None


def backward(database: Database, taken: Sequence[Taken], texts: Mapping[int, str]) -> int:
    """Take the steps back, last first, and check those that are needed."""
    count = 0
    for line, clause, size, pivot in reversed(taken):
        if size is None:
            database.restore(clause)
            continue
        database.remove(clause)
        database.undo(size)
        if clause.needed:
            count += 1
            if not database.follows(clause) and not database.keeps(clause, pivot):
                raise Rejected(f"line {line} of the proof does not follow: {texts[line][:40]!r}")
    return count
