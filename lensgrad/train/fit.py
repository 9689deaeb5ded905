"""Training a learner on data: the loop, with validation, early stopping, checkpoints, logs and Ctrl-C around it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from math import gcd
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np

from lensgrad.backends.engine import Backend
from lensgrad.backends.engine import backend as engine
from lensgrad.core.errors import BadValue
from lensgrad.data.meaning import in_file
from lensgrad.data.source import ArraySource
from lensgrad.files.place import ready, replaceable
from lensgrad.program.choice import Choice, chosen
from lensgrad.program.compile import Program
from lensgrad.train.callbacks import Callback, Checkpoint, EarlyStopping
from lensgrad.train.evaluation import evaluate
from lensgrad.train.feed import Feed
from lensgrad.train.interrupt import Interrupt, Stopped
from lensgrad.train.iterate import fetched
from lensgrad.train.keep import Keeper, order_of
from lensgrad.train.loop import epoch, epochs
from lensgrad.train.plan import Plan
from lensgrad.train.plateau import ReduceOnPlateau
from lensgrad.train.progress import Progress
from lensgrad.train.reading import names
from lensgrad.train.record import Record
from lensgrad.train.resume import Earlier, begin, checked
from lensgrad.train.snapshots import Snapshot
from lensgrad.train.state import Kept, State

if TYPE_CHECKING:
    from lensgrad.train.recording import Recorder, Recording

UNKNOWN = 1000  # steps of an epoch, where nobody knows how many


@dataclass(frozen=True)
class Setup:
    """All that a training run is made of, but its state."""

    learner: Record
    plan: Plan
    feed: Feed
    stopping: EarlyStopping | None
    callbacks: Sequence[Callback]
    checkpoint: Checkpoint | None
    backend: str | Backend
    guard: bool
    record: Recording | None = None
    recorder: Recorder | None = None  # while it runs

    @property
    def trained(self) -> Record:
        """The learner with the weights of examples, where there are any."""
        return self.learner if self.feed.weight is None else self.learner.weighted(self.feed.weight)

    def step(self, n: int | None) -> Any:
        """The program for a batch of n."""
        return self.step_on(self.backend, n)

    def step_on(self, backend: str | Backend, n: int | None) -> Program:
        """The same on a backend."""
        return self.trained.step(n, backend, self.plan.accumulate)

    def chosen(self, before: str, begun: Callable[[float], None]) -> Choice:
        """What takes the steps of all the plan; `before` is what took those before, of a run that goes on."""
        size, source = self.plan.batch_size, self.feed.train
        each = -(-source.examples // (size or 1)) if source.examples else UNKNOWN
        n = None if size is None else min(size, source.examples or size)

        def ready(program: Program) -> object:
            own = names(program.engine, source, self.plan) if isinstance(source, ArraySource) else self.learner.ports
            return program.iteration(own)

        return chosen(self.backend, lambda b: self.step_on(b, n), self.plan.epochs * each, ready, before, begun)

    @property
    def slowing(self) -> list[ReduceOnPlateau]:
        """The rules that change the learning rate."""
        return [c for c in self.callbacks if isinstance(c, ReduceOnPlateau)]

    def epoch(self, state: State) -> Iterator[State]:
        """The states of a run through the rest of its epoch."""
        pauses = [n for n in (self.checkpoint and self.checkpoint.steps, self.recorder and self.recorder.rule.every) if n]
        pause = gcd(*pauses) if pauses else None
        watch = self.recorder.watch if self.recorder is not None and self.first else None
        alone = engine(self.backend).process[1] == 1  # several processes have to run the same chunks
        return epoch(self.step, state, self.feed.train, self.plan, self.guard, pause, alone, watch)

    def epochs(self, state: State) -> State | None:
        """The state some epochs later, where nobody looks in between and they are short; None where that is not so."""
        watched = self.callbacks or self.stopping or self.checkpoint or self.record or self.feed.validation is not None
        if watched or engine(self.backend).process[1] > 1:
            return None
        return epochs(self.step, state, self.feed.train, self.plan, self.guard)

    @property
    def first(self) -> bool:
        """Whether this is the one that speaks and writes, of several processes that run together."""
        return engine(self.backend).process[0] == 0


def fit(how: Setup, start: Mapping[str, Any] | None, resume: Any, after: Earlier | None, progress: bool) -> State:
    """Where training ends: the plan run from its checkpoint, from a run to go on from, or anew; its values are arrays of NumPy."""
    runs = engine(how.backend)
    check_stopping(how.stopping, how.feed)
    if how.record is not None:
        check_record(how)
    checked(resume, how.checkpoint)
    if how.checkpoint is not None:
        check_place(how.learner, how.checkpoint, how.first)
    runs.gather(0)  # so that nobody reads a checkpoint which the first has still to write
    order = order_of(how.plan, how.feed)
    state, notes = begin(how.learner, how.plan.seed, order, start, how.checkpoint, resume, after)
    agreed(runs, how.plan, state)
    state = state if how.stopping is None else how.stopping.begun(state)
    with Progress(how.plan.epochs, how.feed.train.examples, how.plan.batch_size, progress, state.position.epoch) as bar:
        choice = how.chosen(state.backend, bar.compiling)
        how, state = replace(how, backend=choice.backend), replace(state, backend=choice.name)
        for sentence in how.feed.told:
            bar.say(sentence)
        for sentence in notes:
            bar.note(sentence)
        if choice.told:
            bar.say(choice.told)
        how = how if how.record is None else recorded(how, bar, state.records)
        taken = state.records if how.recorder is None else how.recorder.taken
        keeper = Keeper(how.checkpoint, {**order, **in_file(how.feed.meaning)}, bar.note, how.first, lambda: taken)
        end = train(how, state, bar, keeper)
        keeper.close()
    return replace(fetched_state(runs, end), records=tuple(taken))


def recorded(how: Setup, bar: Progress, before: Sequence[Snapshot]) -> Setup:
    """The same with what takes the records, after those that there are."""
    from lensgrad.train.recording import Recorder

    return replace(how, recorder=Recorder(how.record, how.trained, bar.note, engine(how.backend).reference(), before))


def fetched_state(runs: Backend, end: State) -> State:
    """A state whose values are arrays of NumPy."""
    values = fetched(runs, end.values)
    kept = end.kept
    if kept is not None:
        kept = Kept(kept.epoch, values if kept.values is end.values else fetched(runs, kept.values))
    return replace(end, values=values, kept=kept)


def check_place(learner: Record, rule: Checkpoint, writes: bool) -> None:
    """Refuse what cannot be written, or not there, now and not after an epoch."""
    learner.recipe()
    if writes:
        ready(rule.path)
        replaceable(rule.path)


def agreed(runs: Backend, plan: Plan, state: State) -> None:
    """Refuse processes that would run together from different places: they would wait for each other, or each learn something else."""
    if runs.process[1] == 1:
        return
    seen = crc32(repr((plan, state.position, state.history)).encode())
    for _, value in sorted(state.values.items()):
        seen = crc32(np.asarray(value).tobytes(), seen)
    if len(set(runs.gather(seen >> 1))) > 1:
        told = "give all of them the same arguments, and a checkpoint that all can read"
        raise BadValue(f"the processes of this run do not start at the same step: {told}")


def check_record(how: Setup) -> None:
    """Refuse what is no rule of records, and one that makes too many."""
    from lensgrad.train.recording import expected

    expected(how.record, how.trained, how.feed.train.examples, how.plan.batch_size, how.plan.epochs)


def check_stopping(rule: Any, source: Feed) -> None:
    """Refuse what is no rule, and one that watches a validation that there is not."""
    if rule is None:
        return
    if not isinstance(rule, EarlyStopping):
        raise BadValue(f"early_stopping must be lg.early_stopping(…), got {rule!r:.60}")
    if rule.hint and source.validation is None:
        raise BadValue(f"early stopping watches '{rule.monitor}', and there is no validation data{rule.hint}")


def train(how: Setup, state: State, bar: Progress, keeper: Keeper) -> State:
    """Run the plan from a state: until its epochs are done, a callback ends it, or Ctrl-C."""
    with ExitStack() as stack:
        for c in how.callbacks:
            stack.callback(getattr(c, "close", lambda: None))
        interrupt = stack.enter_context(Interrupt())
        over = how.stopping is not None and how.stopping.over(state)  # a resumed run that had come to its end
        while not over and state.position.epoch < how.plan.epochs:
            later = several(how, state, bar)
            state, over = (later, False) if later is not None else one(how, state, bar, keeper, interrupt)
            if not over and interrupt.asked:
                return interrupted(state, bar, keeper)
        return finished(how, state)


def several(how: Setup, state: State, bar: Progress) -> State | None:
    """The state some epochs later, where they are short and nobody looks in between."""
    later = how.epochs(state)
    if later is not None and bar.wanted:
        for k in range(state.epoch, later.epoch):
            bar.epoch(k, later.history[k])
    return later


def one(how: Setup, state: State, bar: Progress, keeper: Keeper, interrupt: Interrupt) -> tuple[State, bool]:
    """The state after the rest of an epoch, or where somebody stopped it, and whether something ends the run."""
    clock = time.perf_counter()
    for state in how.epoch(state):  # noqa: B020, the state of one chunk after the other
        bar.step(state)
        if interrupt.asked:
            return state, False
        if how.checkpoint is not None and how.checkpoint.due(state.steps):
            keeper.save(state)
    try:
        state = epoch_done(how, state, clock, interrupt)
    except Stopped:
        return state, False
    bar.epoch(state.epoch - 1, state.report)
    return state, ended(how, state, keeper)


def epoch_done(how: Setup, state: State, began: float, interrupt: Interrupt) -> State:
    """The state after an epoch: validated, with the best values so far."""
    report = state.position.report
    if how.feed.validation is not None:
        size = None if how.plan.batch_size is None else max(how.plan.batch_size, 256)
        found = evaluate(how.learner, state.values, how.feed.validation, size, how.backend, interrupt.watch, how.plan.epochs)
        report |= {f"val_{name}": v for name, v in found.items()}
    later = state.reported(report, time.perf_counter() - began)
    for rule in how.slowing:
        later = rule.changed(later)
    return later if how.stopping is None else how.stopping.watched(later)


def ended(how: Setup, state: State, keeper: Keeper) -> bool:
    """Call everything that watches, then write; whether something ends the run."""
    stop = [c.on_epoch(state) is True for c in how.callbacks]
    stop.append(how.stopping is not None and how.stopping.over(state))
    last = any(stop) or state.epoch == how.plan.epochs
    if how.checkpoint is not None and (last or state.epoch % how.checkpoint.epochs == 0):
        keeper.save(state, last)
    return any(stop)


def interrupted(state: State, bar: Progress, keeper: Keeper) -> State:
    """The run so far; its checkpoint is written, so that it can go on."""
    keeper.save(state)
    goes_on = ", and resume=True goes on from the checkpoint" if keeper.good else ""
    bar.say(f"stopped in epoch {state.position.epoch + 1}: this is the run so far{goes_on}")
    return replace(state, interrupted=True)


def finished(how: Setup, state: State) -> State:
    """The end of the run, with the best values where early stopping kept them."""
    if how.stopping is not None and state.kept is not None:
        return replace(state, values=state.kept.values)
    return state if state.best is state.values else replace(state, kept=None)
