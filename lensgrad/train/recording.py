"""What passes on chosen wires at chosen steps of a run: means, norms, shares of zeros and histograms, forward and back, as plain data."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lensgrad.backends.engine import NumPy
from lensgrad.cat.names import Role
from lensgrad.core import checks
from lensgrad.core.errors import BadValue, listed
from lensgrad.program.values import Values
from lensgrad.train.guard import Taken
from lensgrad.train.iterate import Chunk
from lensgrad.train.record import Record
from lensgrad.train.snapshots import Snapshot, Statistics
from lensgrad.train.state import State
from lensgrad.train.wires import numbers_of, rows_of, task_of

MOST = 400_000  # numbers of records that a run holds, and its file
OUTPUTS = ("**/out", "**/weight", "**/bias", "**/kernel", "objective")  # what is recorded beside all weights unless wires are named


@dataclass(frozen=True)
class Recording:
    """Which wires are recorded, by patterns, at every so many steps, and the bins of a histogram."""

    every: int
    wires: tuple[str, ...]
    bins: int

    def chosen(self, names: Sequence[str], learner: Record) -> list[str]:
        """The wires that a pattern reaches, in order, and all weights unless others are named; an error where none is reached."""
        shapes = {w: glob(w) for w in self.wires}
        weights = [glob(n) for n, p in zip(learner.task.names, learner.task.params, strict=True) if p.role is Role.WEIGHT]
        wanted = [*shapes.values(), *(weights if self.wires == OUTPUTS else ())]
        found = [n for n in names if any(s.fullmatch(n) for s in wanted)]
        lost = [w for w, s in shapes.items() if "*" not in w and self.wires != OUTPUTS and not any(map(s.fullmatch, names))]
        if lost or not found:
            raise BadValue(f"record reaches no wire with {listed(lost or self.wires)}; wires are called {listed([*names][:8])}, …")
        return found


def record(every: int = 100, wires: str | Sequence[str] = OUTPUTS, bins: int = 20) -> Recording:
    """The rule for `fit(…, record=lg.record(every=50))`: what passes on wires at every so many steps, in `run.records`.

    A recorded step is computed once more in NumPy, wire by wire, forward and back: `python -m tools.recording` prints what that costs. What
    is learned stays the same to the bit.

    - `every`: the steps from one record to the next, a whole number ≥ 1, beginning with the first step; 100 unless given.
    - `wires`: names or patterns, as `run.wires(batch)` has them; what layers give, and all weights, unless given.
    - `bins`: how many equal ranges from the smallest to the largest number are counted; 20 unless given.
    """
    patterns = (wires,) if isinstance(wires, str) else tuple(checks.names("the wires of record", wires))
    if not patterns:
        raise BadValue("record needs the name or the pattern of a wire, and is given none")
    return Recording(checks.whole("every", every, 1), patterns, checks.whole("bins", bins, 1, 1000))


def glob(pattern: str) -> re.Pattern[str]:
    """`*` stays within one level, `**` crosses levels, and what is computed several times has a number behind it."""
    text = re.escape(pattern).replace(r"\*\*/", "(?:.*/)?").replace(r"\*\*", ".*").replace(r"\*", "[^/]*")
    return re.compile(rf"{text}(?:\.\d+)?")


class Recorder:
    """Takes the records of one run, after those `before` it that are in its checkpoint.

    Where they would be too many for its file it stops, and says so once.
    """

    def __init__(
        self, rule: Any, learner: Record, say: Callable[[str], None], engine: NumPy | None = None, before: Sequence[Snapshot] = ()
    ) -> None:
        self.rule: Recording = rule
        self.learner, self.say, self.engine = learner, say, engine
        self.taken = list(before)
        self.held, self.full = sum(map(numbers_in, before)), False

    def watch(self, chunk: Chunk, state: State) -> None:
        """Record the steps of a chunk that are to be, before it runs."""
        for number in range(chunk.steps):
            if not self.full and (state.step + number) % self.rule.every == 0:
                self.take(state.step + number, chunk.taken(state.values, number))

    def take(self, step: int, taken: Taken) -> None:
        """Record a step."""
        found = snapshot(self.rule, self.learner, taken.values, taken.batch, step, taken.epoch, self.engine)
        size = numbers_in(found)
        if self.held + size > MOST:
            self.full = True
            self.say(f"the records of this run are full after {len(self.taken)} of its steps: record less often, or fewer wires")
            return
        self.held += size
        self.taken.append(found)


def numbers_in(record: Snapshot) -> int:
    """How many numbers a record holds."""
    return sum(len(s.counts) + 6 for group in (record.forward, record.back) for _, s in group)


def expected(rule: Recording | None, learner: Record, examples: int | None, batch_size: int | None, epochs: int) -> None:
    """Refuse a rule that is none, one that reaches nothing, and one whose records would be too many for a run."""
    rule = checks.instance("record", rule, Recording, "a rule, as lg.record(every=50) makes it")
    wires = len(rule.chosen([*task_of(learner, 1).names], learner))
    if examples is None:
        return
    steps = -(-(epochs * -(-examples // (batch_size or 1))) // rule.every)
    size = 2 * steps * wires * (rule.bins + 6)
    if size > MOST:
        fix = rule.every * -(-size // MOST)
        raise BadValue(f"the records of this run would be {size:,} numbers, and a run holds {MOST:,}: write lg.record(every={fix})")


def snapshot(
    rule: Recording, learner: Record, values: Values, batch: Mapping[str, Any], step: int, epoch: int, engine: NumPy | None = None
) -> Snapshot:
    """What passes on the wires at these values and on this batch."""
    numbers = numbers_of(learner, values, rows_of(learner, dict(batch)), engine)
    t = numbers.tapped
    forward, back = list[tuple[str, Statistics]](), list[tuple[str, Statistics]]()
    for name in rule.chosen([*t.names], learner):
        x = numbers.at(t.names[name])
        flows = numbers.cotangent(t.names[name])
        forward += [(name, statistics(x, rule.bins))] if x.dtype.kind == "f" else []
        back += [(name, statistics(flows, rule.bins))] if flows is not None else []
    return Snapshot(step, epoch, tuple(forward), tuple(back))


def statistics(x: np.ndarray[Any, Any], bins: int) -> Statistics:
    """Figures of the finite numbers of an array, and how many are not finite."""
    wide = x.astype(np.float64).ravel()
    good = wide[np.isfinite(wide)]
    if not good.size:
        return Statistics(0.0, 0.0, 0.0, 0.0, 0.0, int(np.sum(~np.isfinite(wide))), (0,) * bins)
    low, high = float(good.min()), float(good.max())
    largest = max(abs(low), abs(high))
    norm = 0.0 if largest == 0 else largest * float(np.sqrt(np.sum(np.square(good / largest))))
    place = np.zeros(good.size, int) if high == low else np.minimum(((good - low) / (high - low) * bins).astype(int), bins - 1)
    counts = tuple(map(int, np.bincount(place, minlength=bins)))
    zeros = 1.0 - int(np.count_nonzero(good)) / good.size
    return Statistics(float(good.mean()), norm, zeros, low, high, int(np.sum(~np.isfinite(wide))), counts)


# -- in a file ---------------------------------------------------------------------------------------------------------


def plain(records: Sequence[Snapshot]) -> list[Any]:
    """Records as plain values."""
    return [[r.step, r.epoch, *([[n, *s.figures, [*s.counts]] for n, s in group] for group in (r.forward, r.back))] for r in records]


def read(what: str, given: Any) -> tuple[Snapshot, ...]:
    """The records that `plain` gave; what is none is refused."""
    return tuple(one(what, r) for r in checks.listing(what, given, "a list of records"))


def one(what: str, given: Any) -> Snapshot:
    """One record."""
    if not checks.is_group(given) or len(given) != 4:
        raise BadValue(f"{what} must be a list of records, got {checks.shown(given)}")
    step, epoch, *groups = given
    forward, back = (tuple(figures(what, s) for s in checks.listing(what, g, "figures of wires")) for g in groups)
    return Snapshot(checks.whole(what, step), checks.whole(what, epoch), forward, back)


def figures(what: str, given: Any) -> tuple[str, Statistics]:
    """The figures of one wire."""
    if not checks.is_group(given) or len(given) != 8 or not checks.is_group(given[7]):
        raise BadValue(f"{what} must hold a name, six figures and counts for each wire, got {checks.shown(given)}")
    name, *known, counts = given
    mean, norm, zeros, low, high = (checks.number(what, v) for v in known[:5])
    odd, many = checks.whole(what, known[5]), tuple(checks.whole(what, c) for c in counts)
    return checks.name(what, name, checks.LONGEST_PATH), Statistics(mean, norm, zeros, low, high, odd, many)


__all__ = ["Recorder", "Recording", "expected", "plain", "read", "record"]
