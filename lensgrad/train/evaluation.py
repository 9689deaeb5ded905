"""What a learner with its values gives: predictions, and how well they do on data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from lensgrad.backends.engine import Backend
from lensgrad.backends.numpy import host
from lensgrad.core.checks import is_dict
from lensgrad.core.errors import BadValue, TypeMismatch, listed
from lensgrad.data.arrays import array, close, count, rows
from lensgrad.data.check import check_ranges
from lensgrad.data.source import Source
from lensgrad.learn.losses.kind import Kind
from lensgrad.program.choice import suited
from lensgrad.program.compile import Program
from lensgrad.program.values import Arrays, Numbers, Values
from lensgrad.train.measures import measure, number
from lensgrad.train.plan import size_of, slices
from lensgrad.train.record import Record
from lensgrad.train.state import Report, added

UNKNOWN = 1000  # examples, where nobody knows how many
Maker = Callable[[int | None, str | Backend], Program]


def predictions(
    learner: Record, values: Values, x: Any, batch_size: int | None, backend: str | Backend, asked: bool = False
) -> Numbers | Arrays:
    """What a model gives for the rows of x, by name where there is more. For little work C gives way to NumPy, unless it is `asked` for."""
    size = size_of(batch_size)
    given = inputs(learner, x)
    places = [*slices(count(given) if any(map(len, given.values())) else 0, size)]
    sizes = [n for n, _ in places]
    on = {n: backend if asked else answering(learner.predictor, n, backend, sizes.count(n)) for n in {*sizes}}
    parts = ((n, given if n is not None and len(places) == 1 else rows(given, where)) for n, where in places)  # all rows are no part
    found = joined(learner, [outputs(learner, values, n, part, on[n]) for n, part in parts])
    names = learner.outputs
    return dict(zip(names, found, strict=True)) if names else found[0]


def evaluate(
    learner: Record,
    values: Values,
    data: Source,
    batch_size: int | None,
    backend: str | Backend = "auto",
    watch: Callable[[Iterable[Values]], Iterable[Values]] = iter,
    rounds: int = 1,
    asked: bool = False,
) -> Report:
    """Means of loss and arrow metrics over the examples of a source, and whole-set metrics; `watch` may end it by raising.

    `rounds` says how often that will be done in all. For little work C gives way to NumPy, unless it is `asked` for.
    """
    batch_size = size_of(batch_size)
    totals, examples, looked = dict[str, float](), 0, list[Values]()
    each, on = -(-(data.examples or UNKNOWN) // (batch_size or 1)), dict[tuple[str, int | None], str | Backend]()

    def runs(what: str, make: Maker, n: int | None) -> str | Backend:
        if (what, n) not in on:  # the last, short batch is one of each round
            on[what, n] = backend if asked else answering(make, n, backend, rounds * (each if n == batch_size else 1))
        return on[what, n]

    parts = data.batches(0, batch_size, None)
    try:
        for part in watch(parts):
            n = None if batch_size is None else count(part)
            with np.errstate(all="ignore"):  # a loss that is not finite is in the report
                seen = learner.evaluator(n, runs("evaluate", learner.evaluator, n))({**values, **part})
            totals = added(totals, {name: v for name, v in seen.items() if name != "task"}, n or 1)
            examples += n or 1
            if learner.metrics or learner.functions:
                looked.append(look(learner, values, n, part, runs("predict", learner.predictor, n)))
    finally:
        close(parts)
    report = {name: total / max(1, examples) for name, total in totals.items()}
    return {**report, **whole(learner, looked)} if looked else report


def answering(make: Maker, n: int | None, backend: str | Backend, times: int) -> str | Backend:
    """What answers so many times on n examples: by the work that it is, even of a run that trains in C, as answers are often few."""
    return suited("auto" if backend == "native" else backend, lambda b: make(n, b), times)


def look(learner: Record, values: Values, n: int | None, part: Values, backend: str | Backend) -> Values:
    """What metrics of the whole set read of a batch: each label, the output compared with it, and which places count where that is said."""
    found, kinds = outputs(learner, values, n, part, backend), learner.kinds()
    looked: Values = {}
    for k, name in enumerate(learner.labels):
        looked |= {f"label/{name}": alone(part[name], n), f"output/{name}": found[k]}
        kind = kinds.get(name, Kind())
        if kind.mask or kind.beside:
            looked[f"shown/{name}"] = found[k + 1] if kind.beside else alone(part[kind.mask], n)
    return looked


def whole(learner: Record, looked: Sequence[Values]) -> Report:
    """The metrics of the whole set, by name."""
    seen = {name: np.concatenate([part[name] for part in looked]) for name in looked[0]}
    report: Report = {}
    for name in learner.metrics:
        output, _, metric = name.rpartition("/")
        label = output or learner.labels[0]
        kind = learner.kinds().get(label, Kind("regression"))
        report[name] = measure(metric, kind, seen[f"label/{label}"], seen[f"output/{label}"], seen.get(f"shown/{label}"))
    for name, function in learner.functions:
        label = name.rpartition("/")[0] or learner.labels[0]
        report[name] = number(name, function(seen[f"label/{label}"], seen[f"output/{label}"]))
    return report


def inputs(learner: Record, x: Any) -> Values:
    """What a model takes, by name, checked to be rows."""
    names, model = learner.inputs, learner.model
    if len(names) > 1 and not is_dict(x):
        raise TypeMismatch(f"predict expects a dict of arrays for {listed(names)}, got {type(x).__name__}")
    given = {str(n): array(v, str(n)) for n, v in (x if is_dict(x) else dict.fromkeys(names, x)).items()}
    if given.keys() != {*names}:
        raise BadValue(f"this model expects {listed(names)}, got {listed(list(given))}")
    for name, atom in zip(names, model.dom, strict=False):
        shape, _ = host(atom)
        if given[name].ndim != len(shape) + 1:
            told = f"'{name}' in rows of {atom}" if len(names) > 1 else f"rows of {model.dom}"
            raise TypeMismatch(f"predict expects {told}, in shape {show_rows(shape)}, got {given[name].shape}: one row is x[None]")
        if not len(given[name]) and given[name].shape[1:] != shape:  # of no rows, nothing else looks at the shape
            raise TypeMismatch(f"'{name}' expects {atom} for each row, got an array of shape {given[name].shape}")
    check_ranges(given, learner.ranges())
    return given


def outputs(learner: Record, values: Values, n: int | None, part: Values, backend: str | Backend) -> list[Any]:
    """What the model gives for n rows, output by output."""
    found = learner.predictor(n, backend)({**values, **{name: part[name] for name in learner.inputs}})["output"]
    return [alone(v, n) for v in (found if len(learner.model.cod) > 1 else (found,))]


def alone(value: Any, n: int | None) -> Any:
    """A value as rows: what stands alone becomes one row."""
    return np.asarray(value) if n else np.asarray(value)[None]


def joined(learner: Record, found: Sequence[Sequence[Any]]) -> list[Any]:
    """Rows of all parts together, column by column; empty arrays of the outputs' types where there is no part."""
    if not found:
        return [np.zeros((0, *shape), dtype) for shape, dtype in map(host, learner.model.cod)]
    if len(found) == 1:
        return [np.array(v) for v in found[0]]  # which may be an array of the model, or what was given
    return [np.concatenate([part[k] for part in found]) for k in range(len(found[0]))]


def show_rows(shape: Sequence[int]) -> str:
    """`(n, 4)`."""
    return f"(n, {', '.join(map(str, shape))})" if shape else "(n,)"
