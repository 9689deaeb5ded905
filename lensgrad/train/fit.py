"""Training a learner on data: the loop, with validation, early stopping, checkpoints, logs and Ctrl-C around it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np

from lensgrad.backends.engine import Backend
from lensgrad.backends.engine import backend as engine
from lensgrad.core.errors import BadValue
from lensgrad.train.callbacks import Callback, Checkpoint, EarlyStopping, State, check_callbacks, checkpoint_of, parted, read, written
from lensgrad.train.evaluation import Run, evaluate
from lensgrad.train.feed import Feed, feed
from lensgrad.train.interrupt import Interrupt, Stopped
from lensgrad.train.iterate import fetched
from lensgrad.train.logs import log_of
from lensgrad.train.loop import Moment, Plan, Position, moments
from lensgrad.train.progress import Progress

if TYPE_CHECKING:
    from lensgrad.train.learner import Learner


def fit(
    learner: Learner,
    data: Any,
    *,
    epochs: int = 1,
    batch_size: int | None = 32,
    seed: int = 0,
    shuffle: bool = True,
    start: Mapping[str, Any] | None = None,
    validation_data: Any = None,
    validation_split: float = 0.0,
    class_weight: Any = None,
    sample_weight: Any = None,
    early_stopping: EarlyStopping | None = None,
    callbacks: Sequence[Callback] = (),
    checkpoint: Any = None,
    resume: bool = False,
    log: Any = None,
    accumulate: int = 1,
    progress: bool = True,
    backend: str = "numpy",
    guard: bool = True,
    after: Run | None = None,
) -> Run:
    """Train on data for so many epochs and return the run. The same seed repeats a run exactly on one backend; inputs are not changed.

    `data` is a pair (x, y), a dict of arrays, a data set, or a source of batches. `batch_size=None` steps on one unbatched
    example at a time. `start` gives first values by name, all or some. Each epoch is validated on `validation_data`, or on the
    share `validation_split` of the data. A step descends on Σ w · loss / n, over the n examples of a batch with the weights
    `sample_weight` (one for each, or their name in the data) times `class_weight` (by class, or "balanced"). `early_stopping` is
    `lg.early_stopping(…)`; `callbacks` have `on_epoch(state)`. `checkpoint` is a path, written after every epoch, or
    `lg.checkpoint(path, steps=…)`; with `resume` a run goes on from it, if it is there, as if it had never stopped. `log` is a .csv
    file, or a folder for TensorBoard. `accumulate` = k goes through each batch in k parts, with the same result up to rounding
    (not for models that draw, or that keep statistics of batches: each part has its own).
    Ctrl-C returns the run so far. `guard` stops at the first number that is not finite. `after` is a run to go on from.
    """
    if after is not None and type(epochs) is int and epochs >= 0:
        epochs += int(after.position.get("epoch", len(after.history)))
    plan = Plan(epochs, batch_size, seed, shuffle, accumulate)
    source = feed(learner, plan, data, validation_data, validation_split, class_weight, sample_weight)
    runs = engine(backend)
    first = runs.process[0] == 0  # of several processes that run together one is heard, and writes
    rule, watchers = checkpoint_of(checkpoint), (*log_of(log if first else None), *check_callbacks(callbacks))
    check_stopping(early_stopping, source)
    runs.gather(0)  # so that nobody reads a checkpoint which the first has still to write
    state = beginning(learner, plan, start, rule, resume, after)
    agreed(runs, plan, state)
    how = Setup(learner, plan, source, early_stopping, watchers, rule, backend, guard)
    with Progress(epochs, source.train.examples, batch_size, progress and first, state.position.epoch) as bar:
        for sentence in source.told:
            bar.say(sentence)
        return train(how, state, bar)


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


def check_stopping(rule: Any, source: Feed) -> None:
    """Refuse what is no rule, and one that watches a validation that there is not."""
    if rule is None:
        return
    if not isinstance(rule, EarlyStopping):
        raise BadValue(f"early_stopping is lg.early_stopping(…), got {rule!r:.60}")
    if rule.hint and source.validation is None:
        raise BadValue(f"early stopping watches '{rule.monitor}', and there is no validation data{rule.hint}")


def beginning(
    learner: Learner, plan: Plan, start: Mapping[str, Any] | None, rule: Checkpoint | None, resume: bool, after: Run | None
) -> State:
    """Where training starts: at a checkpoint, at a run to go on from, or anew."""
    if resume and rule is None:
        raise BadValue("resume=True goes on from a checkpoint: say from which with checkpoint=path")
    if rule is not None:
        learner.recipe()  # what cannot be written is refused now, not after an epoch
    if resume and rule is not None and rule.path.exists():
        from lensgrad.files import checkpoint as files

        saved = files.load_into(rule.path, learner)
        values, best = parted(saved.values)
        times = tuple(saved.position.get("seconds", ()))
        position = read(saved.position, plan, f"'{rule.path}'")
        return State(learner, values, saved.history, times, position, len(saved.history), best)
    if after is not None:
        values = learner.known({**after.values, **(start or {})})
        # Only within an epoch does the order of its batches bind.
        position = read(after.position, plan, "this run") if after.position.get("batch") else Position(int(after.position.get("epoch", 0)))
        return State(learner, values, after.history, after.seconds, position, len(after.history))
    return State(learner, learner.initial(plan.seed, start))


@dataclass(frozen=True)
class Setup:
    """All that a training run is made of, but its state."""

    learner: Learner
    plan: Plan
    feed: Feed
    stopping: EarlyStopping | None
    callbacks: Sequence[Callback]
    checkpoint: Checkpoint | None
    backend: str
    guard: bool

    def step(self, n: int | None) -> Any:
        """The program for a batch of n."""
        trained = self.learner if self.feed.weight is None else self.learner.weighted(self.feed.weight)
        return trained.step(n, self.backend, self.plan.accumulate)

    def save(self, state: State) -> None:
        if self.checkpoint is not None and engine(self.backend).process[0] == 0:
            self.checkpoint.write(state, self.plan)


def train(how: Setup, state: State, bar: Progress) -> Run:
    """Run the plan from a state: until its epochs are done, a callback ends it, or Ctrl-C."""
    with ExitStack() as stack:
        for c in how.callbacks:
            stack.callback(getattr(c, "close", lambda: None))
        interrupt = stack.enter_context(Interrupt())
        if how.stopping is not None and how.stopping.on_epoch(state):
            return finished(how, state)  # a resumed run that had come to its end
        clock, steps, before = time.perf_counter(), 0, Moment(state.values, state.position)
        pause = how.checkpoint.steps if how.checkpoint is not None else None
        alone = engine(how.backend).process[1] == 1  # several processes have to run the same stretches
        for moment in moments(how.step, state.values, how.feed.train, how.plan, state.position, how.guard, pause, hurry=alone):
            if moment.report is None:
                steps += moment.steps
                bar.step(moment)
                if interrupt.asked:
                    return interrupted(how, state.at(moment), bar)
                if how.checkpoint is not None and how.checkpoint.due(steps):
                    how.save(state.at(moment))
                before = moment
                continue
            try:
                state = epoch_done(how, state, moment, time.perf_counter() - clock, interrupt)
            except Stopped:
                return interrupted(how, state.at(before), bar)
            clock = time.perf_counter()
            bar.epoch(state.epoch - 1, state.report)
            if ended(how, state):
                break
            if interrupt.asked:
                return interrupted(how, state, bar)
        return finished(how, state)


def epoch_done(how: Setup, state: State, moment: Moment, seconds: float, interrupt: Interrupt) -> State:
    """The state after an epoch: validated, with the best values so far."""
    report = dict(moment.report or {})
    if how.feed.validation is not None:
        size = None if how.plan.batch_size is None else max(how.plan.batch_size, 256)
        found = evaluate(how.learner, moment.values, how.feed.validation, size, how.backend, interrupt.watch)
        report |= {f"val_{name}": v for name, v in found.items()}
    later = replace(state.at(moment), history=(*state.history, report), seconds=(*state.seconds, seconds))
    if how.stopping is not None and how.stopping.best(later.history) == later.epoch:
        later = replace(later, best=moment.values)
    return later


def ended(how: Setup, state: State) -> bool:
    """Call everything that watches, then write; whether something ends the run."""
    rules = (*how.callbacks, *([how.stopping] if how.stopping is not None else []))
    stop = [c.on_epoch(state) is True for c in rules]
    last = any(stop) or state.epoch == how.plan.epochs
    if how.checkpoint is not None and (last or state.epoch % how.checkpoint.epochs == 0):
        how.save(state)
    return any(stop)


def interrupted(how: Setup, state: State, bar: Progress) -> Run:
    """The run so far; its checkpoint is written, so that it can go on."""
    how.save(state)
    goes_on = ", and resume=True goes on from the checkpoint" if how.checkpoint is not None else ""
    bar.say(f"stopped in epoch {state.position.epoch + 1}: this is the run so far{goes_on}")
    return made(how, state, interrupted=True)


def finished(how: Setup, state: State) -> Run:
    """The run, with the best values where early stopping kept them."""
    if how.stopping is None or state.best is None:
        return made(how, state)
    return made(how, replace(state, values=state.best), best_epoch=how.stopping.best(state.history))


def made(how: Setup, state: State, **more: Any) -> Run:
    position = {name: v for name, v in written(how.plan, state.position, ()).items() if name != "seconds"}
    values = fetched(engine(how.backend), state.values)
    return Run(how.learner, values, state.history, position, state.seconds, backend=how.backend, **more)
