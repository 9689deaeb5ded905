"""The training loop: the batches of an epoch, chunk by chunk, and where the run stands after each."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import closing

from lensgrad.core.errors import BadValue, UnknownParameter, listed
from lensgrad.data.source import ArraySource, Source
from lensgrad.program.compile import Program
from lensgrad.program.values import Values
from lensgrad.train.guard import Taken, finite, guard
from lensgrad.train.iterate import Chunk, Step, Stretch, chunks, together
from lensgrad.train.plan import Plan
from lensgrad.train.state import State, reports

Watch = Callable[[Chunk, State], None]
Before = tuple[Chunk, Values] | None  # a chunk, and the values that it started from


def epoch(
    step: Step,
    state: State,
    source: Source,
    plan: Plan,
    guarded: bool = True,
    pause: int | None = None,
    hurry: bool = True,
    watch: Watch | None = None,
) -> Iterator[State]:
    """The states of a run through the rest of its epoch, one after each chunk of batches.

    A backend that runs many steps at once has chunks of so many, which end together at every `pause` steps of the run; a chunk
    waits for slow batches only without `hurry`. `watch` sees each chunk before it runs, with the state then.
    Inputs are not changed, and who stops reading stops the run.
    """
    last: Before = None
    with closing(chunks(step, source, plan, state.position, state.steps, pause, hurry)) as parts:
        for chunk in parts:
            if last is None:
                check_names(chunk.program, state.values, chunk.names)
            if watch is not None:
                watch(chunk, state)
            done = chunk.run(state.values)
            if guarded and done.bad is not None:
                stop(chunk, state.values, done, done.bad, last)
            last = chunk, state.values
            state = state.after(done.values, done.seen, chunk.size, chunk.steps)
            yield state
    if guarded and last is not None and not all(map(finite, state.values.values())):
        guard(state.values, last_step(last), None)


def epochs(step: Step, state: State, source: Source, plan: Plan, guarded: bool = True) -> State | None:
    """The state some whole epochs later, taken as one stretch; None where an epoch has to be gone through alone.

    So it has where something goes wrong, which is found again there.
    """
    if state.position.batch or not isinstance(source, ArraySource):
        return None
    began, found = time.perf_counter(), together(step, source, plan, state.position.epoch)
    if found is None:
        return None
    chunk, number = found
    check_names(chunk.program, state.values, chunk.names)
    done = chunk.run(state.values)
    if guarded and (done.bad is not None or not all(map(finite, done.values.values()))):
        return None
    told = reports(done.seen, number, chunk.size)
    return state.later(done.values, told, time.perf_counter() - began, chunk.steps)


def stop(chunk: Chunk, values: Values, done: Stretch, number: int, last: Before) -> None:
    """Stop at a step that observed a number that is not finite, and say whose fault it is: its own, or that of the step before."""
    before = chunk.taken(values, number - 1) if number else None if last is None else last_step(last)
    guard(done.row(number), chunk.taken(values, number), before)


def last_step(last: tuple[Chunk, Values]) -> Taken:
    """The last step of a chunk."""
    chunk, values = last
    return chunk.taken(values, chunk.steps - 1)


def check_names(program: Program, state: Values, data: Collection[str]) -> None:
    """Every input comes from the data or from the state, and from one of them; what a step moves is state."""
    inputs, moved = {p.name: p for p in program.inputs}, {p.name for p in program.outputs}
    for name, port in inputs.items():
        if name not in data and name not in state:
            raise UnknownParameter(f"no value for '{name}' : {port.ob}; data is given for {listed(list(data))}: give it under that name")
    for name in data:
        if name not in inputs:
            raise UnknownParameter(f"the data has '{name}', and this learner takes {listed([n for n in inputs if n not in state])}")
        if name in state or name in moved:
            raise BadValue(f"'{name}' is moved or started by this learner, so it cannot also be data, which differs from step to step")
