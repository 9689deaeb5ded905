"""A run: what training gave, how well it does on data, and what it predicts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from lensgrad.backends.numpy import host
from lensgrad.core.errors import BadValue, TypeMismatch, listed
from lensgrad.data.check import check, check_ranges
from lensgrad.data.source import ArraySource, Source, count, rows, source, transform
from lensgrad.program.summary import summary
from lensgrad.program.values import Values
from lensgrad.train.loop import Report, added, check_size, chunks
from lensgrad.train.metrics import measure

if TYPE_CHECKING:
    from lensgrad.files import checkpoint
    from lensgrad.files.names import Generators
    from lensgrad.train.learner import Learner

Outputs = Any  # an array, or a dict of arrays by name where a model has several outputs


@dataclass(frozen=True)
class Run:
    """A trained learner: its last values by name, one report and one time per epoch, and where training stands, for those who go on.

    `best_epoch` is the epoch (from 1) that the values are of, after early stopping; `interrupted` says that Ctrl-C ended it.
    """

    learner: Learner
    values: Values
    history: tuple[Report, ...] = ()
    position: Mapping[str, Any] = field(default_factory=dict[str, Any])
    seconds: tuple[float, ...] = ()
    best_epoch: int | None = None
    interrupted: bool = False
    backend: str = "numpy"

    def save(self, path: checkpoint.Where, generators: Generators | None = None) -> None:
        """Write a checkpoint that `lg.load(path)` reads: the learner as data, values, history and position, in one file."""
        from lensgrad.files import checkpoint

        more = {"seconds": list(self.seconds)} if self.seconds else {}
        more |= {"best_epoch": self.best_epoch} if self.best_epoch else {}
        found = {"history": self.history, "position": {**self.position, **more}, "generators": generators}
        checkpoint.save(path, self.learner, self.values, **found)

    def fit(self, data: Any, *, epochs: int = 1, **how: Any) -> Run:
        """Train on for so many more epochs: as one longer run would have, to the bit. `how` is that of `learner.fit`.

        Batch size, seed and shuffling are those of the run, unless given.
        """
        order = {name: self.position[name] for name in ("batch_size", "seed", "shuffle") if name in self.position}
        return self.learner.fit(data, epochs=epochs, **{"backend": self.backend, **order, **how}, after=self)

    @property
    def weights(self) -> Values:
        """The model's parameters by name."""
        return {n: self.values[n] for n in self.learner.model.names}

    def predict(self, x: Any, batch_size: int | None = 1024) -> Outputs:
        """The model's outputs for the rows of x; `batch_size=None` takes one unbatched example at a time, as `fit` does.

        A model of several named inputs takes a dict of arrays, one of several named outputs gives a dict.
        """
        check_size(batch_size)
        given = inputs(self.learner, x)
        parts = ((n, rows(given, part)) for n, part in chunks(count(given) if any(map(len, given.values())) else 0, batch_size))
        found = joined(self.learner, (outputs(self.learner, self.weights, n, part, self.backend) for n, part in parts))
        names = self.learner.outputs
        return dict(zip(names, found, strict=True)) if names else found[0]

    def evaluate(self, data: Any, batch_size: int | None = 1024) -> Report:
        """Loss and metrics over all examples of data; those that are no mean over examples are computed on the whole set."""
        return evaluate(self.learner, self.values, read(self.learner, data), batch_size, self.backend)

    def summary(self) -> str:
        """The model as a table, and the last epoch's report."""
        last = "  ".join(f"{name} {value:.4g}" for name, value in self.history[-1].items()) if self.history else "not trained"
        best = f", values of epoch {self.best_epoch}" if self.best_epoch else ""
        return f"{summary(self.learner.model)}\n\n{len(self.history)} epochs{best}: {last}"


def read(learner: Learner, data: Any, batch_size: int | None = None) -> Source:
    """Data for a learner as a source; arrays are checked."""
    found = source(data, learner.ports)
    if isinstance(found, ArraySource):
        check(found.arrays, learner.examples(), classes=learner.classes(), ranges=learner.ranges())
        return found
    return watched(found, learner)


def watched(data: Source, learner: Learner) -> Source:
    """A source of batches whose labels and tokens are checked as they come."""
    if not learner.ranges():
        return data

    def change(batch: Values, _: np.random.Generator) -> Values:
        check_ranges(batch, learner.ranges())
        return batch

    return transform(data, change)


def evaluate(
    learner: Learner,
    values: Values,
    data: Source,
    batch_size: int | None,
    backend: str = "numpy",
    watch: Callable[[Iterable[Values]], Iterable[Values]] = iter,
) -> Report:
    """Means of loss and arrow metrics over the examples of a source, and whole-set metrics; `watch` may end it by raising."""
    check_size(batch_size)
    totals, examples, labels, found = dict[str, float](), 0, list[list[Any]](), list[list[Any]]()
    with closing(data.batches(0, batch_size, None)) as parts:  # pyright: ignore[reportArgumentType]
        for part in watch(parts):
            n = None if batch_size is None else count(part)
            seen = learner.evaluator(n, backend)({**values, **part})
            totals = added(totals, {name: v for name, v in seen.items() if name != "task"}, n or 1)
            examples += n or 1
            if learner.metrics:
                labels.append([alone(part[name], n) for name in learner.labels])
                found.append(outputs(learner, values, n, part, backend))
    report = {name: total / max(1, examples) for name, total in totals.items()}
    return {**report, **whole(learner, joined(learner, labels), joined(learner, found))} if learner.metrics else report


def whole(learner: Learner, labels: Sequence[Any], found: Sequence[Any]) -> Report:
    """The metrics of the whole set, by name."""
    report: Report = {}
    for name in learner.metrics:
        output, _, metric = name.rpartition("/")
        k = learner.labels.index(output) if output else 0
        report[name] = measure(metric, labels[k], found[k], learner.links[k] if learner.links else "")
    return report


def inputs(learner: Learner, x: Any) -> Values:
    """What a model takes, by name, checked to be rows."""
    names, model = learner.inputs, learner.model
    if len(names) > 1 and not isinstance(x, Mapping):
        raise TypeMismatch(f"predict wants a dict of arrays for {listed(names)}, got {type(x).__name__}")
    given = {n: np.asarray(v) for n, v in (x if isinstance(x, Mapping) else dict.fromkeys(names, x)).items()}
    if set(given) != set(names):
        raise BadValue(f"this model takes {listed(names)}, got {listed(list(given))}")
    for name, atom in zip(names, model.dom, strict=False):
        shape, _ = host(atom)
        if given[name].ndim != len(shape) + 1:
            told = f"'{name}' in rows of {atom}" if len(names) > 1 else f"rows of {model.dom}"
            raise TypeMismatch(f"predict wants {told}, in shape {show_rows(shape)}, got {given[name].shape}: one row is x[None]")
    check_ranges(given, learner.ranges())
    return given


def outputs(learner: Learner, values: Values, n: int | None, part: Values, backend: str) -> list[Any]:
    """What the model gives for n rows, output by output."""
    found = learner.predictor(n, backend)({**values, **{name: part[name] for name in learner.inputs}})["output"]
    return [alone(v, n) for v in (found if len(learner.model.cod) > 1 else (found,))]


def alone(value: Any, n: int | None) -> Any:
    """A value as rows: what stands alone becomes one row."""
    return np.asarray(value) if n else np.asarray(value)[None]


def joined(learner: Learner, parts: Iterable[Sequence[Any]]) -> list[Any]:
    """Rows of all parts together, column by column; empty arrays of the outputs' types where there is no part."""
    found = list(parts)
    if not found:
        return [np.zeros((0, *shape), dtype) for shape, dtype in map(host, learner.model.cod)]
    return [np.concatenate([part[k] for part in found]) for k in range(len(found[0]))]


def show_rows(shape: Sequence[int]) -> str:
    """`(n, 4)`."""
    return f"(n, {', '.join(map(str, shape))})" if shape else "(n,)"
