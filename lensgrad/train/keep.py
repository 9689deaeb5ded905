"""A run in a file: what is written of it, and the writer, whose troubles do not end a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lensgrad.core.errors import BadCheckpoint
from lensgrad.program.values import Values
from lensgrad.train.callbacks import Checkpoint
from lensgrad.train.feed import Feed
from lensgrad.train.plan import Plan
from lensgrad.train.record import BEST
from lensgrad.train.snapshots import Snapshot
from lensgrad.train.state import Kept, Order, Planned, State, Watched


class Keeper:
    """Writes the checkpoints of one run. Where one cannot be written the old one stays, training goes on, and it is said once."""

    def __init__(
        self,
        rule: Checkpoint | None,
        order: Mapping[str, Any],
        say: Callable[[str], None],
        writes: bool,
        records: Callable[[], Sequence[Snapshot]],
    ) -> None:
        self.rule, self.order, self.say, self.records = rule if writes else None, order, say, records
        self.failed = False

    @property
    def good(self) -> bool:
        """Whether the run is in its file as it stands."""
        return self.rule is not None and not self.failed

    def save(self, state: State, ended: bool = False) -> None:
        """Write the run as it stands."""
        if self.rule is None:
            return
        try:
            write(self.rule, {**self.order, **recorded(self.records(), state)}, state, ended)
            self.failed = False
        except BadCheckpoint as wrong:
            if not self.failed:
                self.say(f"{wrong}: training goes on, and the checkpoint is tried again")
            self.failed = True

    def close(self) -> None:
        """Say what the file does not have, where the last try failed."""
        if self.failed and self.rule is not None:
            self.say(
                f"the checkpoint could not be written to the end: this run is in memory only, and run.save('{self.rule.path}') writes it"
            )


def write(rule: Checkpoint, order: Mapping[str, Any], state: State, ended: bool) -> None:
    """Write a state and the order in which it trains."""
    from lensgrad.files import checkpoint as files

    kept = state.kept
    best = {} if kept is None or kept.values is state.values else stored(kept.values)
    position = {**state.position.plain, **order, "seconds": list(state.seconds), **watched(kept, state.since), "ended": ended}
    position |= {"backend": state.backend} if state.backend else {}
    files.save(rule.path, state.learner, {**state.values, **best}, history=state.history, position=position)


def recorded(records: Sequence[Snapshot], state: State) -> dict[str, Any]:
    """The records of a run so far, and the steps that they are counted by, as plain values."""
    if not records:
        return {}
    from lensgrad.train.recording import plain

    return {"records": plain(records), "steps": state.step}


def order_of(plan: Plan, feed: Feed) -> Planned:
    """What decides which steps a run takes: the same plan on the same data goes on as if nothing had happened."""
    order: Order = {"batch_size": plan.batch_size, "seed": plan.seed, "shuffle": plan.shuffle}
    return {
        **order,
        "accumulate": plan.accumulate,
        "data_size": feed.train.examples,
        "contents": feed.contents,
        "weighting": feed.weighting,
    }


def watched(kept: Kept | None, since: int) -> Watched:
    """What early stopping knows, as plain values."""
    found: Watched = {} if kept is None else {"best_epoch": kept.epoch}
    return {**found, "since": since} if since else found


def stored(best: Values) -> Values:
    """Values of the best epoch under the names they have in a file."""
    return {f"{BEST}{name}": v for name, v in best.items()}


def parted(values: Mapping[str, Any]) -> tuple[Values, Values | None]:
    """The values of a checkpoint: the last ones, and those of the best epoch if they are there."""
    best = {name.removeprefix(BEST): v for name, v in values.items() if name.startswith(BEST)}
    return {n: v for n, v in values.items() if not n.startswith(BEST)}, best or None


def kept_of(values: Values, best: Values | None, epoch: int | None) -> Kept | None:
    """The best epoch and its values: those of a file's own, or its only ones."""
    return None if epoch is None else Kept(epoch, values if best is None else best)
