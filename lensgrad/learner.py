"""A learner: model, loss, rate and optimizer, and the closed lens they compose to. A run: what training it gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lensgrad.cat.names import Role
from lensgrad.cat.para import Para, Point
from lensgrad.core.diagram import Family
from lensgrad.core.errors import BadValue
from lensgrad.learn.batching import batch
from lensgrad.learn.rates import rate as rate_of
from lensgrad.learn.tasks import closed_lens, supervised_task
from lensgrad.run.compile import Program, program
from lensgrad.run.compile import compile as compile_closed
from lensgrad.run.loop import Plan, Report, chunks, count, rows, train
from lensgrad.run.progress import Progress
from lensgrad.run.source import training_file
from lensgrad.run.values import Values, initial, size
from lensgrad.theories.smooth.array import Array


@dataclass(frozen=True)
class Learner:
    """Model, task, rate and optimizer. `learner.lens(batch=n)` is the closed parametric lens; its put is the training step.

    Two compiled shapes of one task are kept: the full batch and the short last one.
    """

    model: Para
    task: Para
    rate: Family
    optimizer: Point
    input: str = "x"
    label: str = "y"
    reduction: str = "mean"
    programs: dict[Any, Program] = field(default_factory=dict, compare=False, repr=False)

    def lens(self, batch: int | None = None) -> Para:
        """I → (O, I) in Para(Lens(C)): what `lens(batch(task, n) >> mean) >> rate` reparameterised by the optimizer gives by hand."""
        return closed_lens(self.task, self.rate, self.optimizer, batch, self.reduction)

    def step(self, batch: int | None = None, backend: str = "numpy") -> Program:
        """The training step as a program: all parameters in, the moved ones and what is observed out."""
        where = ("step", batch, backend)
        if where not in self.programs:
            self.programs[where] = compile_closed(self.lens(batch), backend)
        return self.programs[where]

    def source(self, batch: int | None = None) -> str:
        """The training step as a Python file that needs NumPy only, with a small loop around it."""
        return training_file(self.step(batch))

    def initial(self, seed: int = 0) -> Values:
        """First values of all weights and states."""
        return initial(self.lens(None).params, seed)

    def fit(
        self,
        data: Any,
        *,
        epochs: int = 1,
        batch_size: int | None = 32,
        seed: int = 0,
        shuffle: bool = True,
        start: Mapping[str, Any] | None = None,
        progress: bool = True,
        backend: str = "numpy",
    ) -> Run:
        """Train on (x, y) for so many epochs and return the run.

        `batch_size=None` steps on one unbatched example at a time. `start` gives first values by name, all or some.
        The same seed repeats a run exactly on one backend. Inputs are not changed.
        """
        named = self.named(data)
        plan = Plan(epochs, batch_size, seed, shuffle)
        state = {**self.initial(seed), **self.known(start or {})}
        history: list[Report] = []
        with Progress(epochs, count(named), batch_size, progress) as bar:

            def on_epoch(epoch: int, report: Report, _: Values) -> None:
                history.append(report)
                bar.epoch(epoch, report)

            state = train(lambda n: self.step(n, backend), state, named, plan, on_epoch)
        return Run(self, state, tuple(history))

    def named(self, data: Any) -> Values:
        """Data by name: from a dict, a pair (x, y), or anything with .x and .y; labels are checked against the classes."""
        if isinstance(data, Mapping):
            named = {str(k): np.asarray(v) for k, v in data.items()}
        else:
            x, y = (data.x, data.y) if hasattr(data, "x") else pair(data)
            named = {self.input: np.asarray(x), self.label: np.asarray(y)}
        check_classes(self, named)
        return named

    def known(self, values: Mapping[str, Any]) -> Values:
        """Given first values, after refusing names that no parameter has."""
        names = self.lens(None).names
        strange = [n for n in values if n not in names]
        if strange:
            raise BadValue(f"no parameter is called '{strange[0]}'; this learner has: {', '.join(names)}")
        return dict(values)

    def predictor(self, n: int) -> Program:
        """The model on n inputs, as a program."""
        if ("predict", n) not in self.programs:
            self.programs["predict", n] = program(batch(self.model, n), input_name=self.input)
        return self.programs["predict", n]

    def evaluator(self, n: int | None) -> Program:
        """The task on n examples, as a program; its observables are per example."""
        if ("evaluate", n) not in self.programs:
            self.programs["evaluate", n] = program(self.task if n is None else batch(self.task, n), output_name="task")
        return self.programs["evaluate", n]

    @property
    def parameter_count(self) -> int:
        """How many numbers the weights have."""
        return sum(size(p.ob) for p in self.model.params if p.role is Role.WEIGHT)


@dataclass(frozen=True)
class Run:
    """A trained learner: its last values by name, and one report per epoch."""

    learner: Learner
    values: Values
    history: tuple[Report, ...] = ()

    @property
    def weights(self) -> Values:
        """The model's parameters by name."""
        return {n: self.values[n] for n in self.learner.model.names}

    def predict(self, x: Any, batch_size: int = 1024) -> np.ndarray[Any, Any]:
        """The model's outputs for the rows of x."""
        x = np.asarray(x)
        found = []
        for part in chunks(len(x), batch_size):
            run = self.learner.predictor(part.stop - part.start)
            found.append(run({**self.weights, self.learner.input: x[part]})["output"])
        return np.concatenate(found) if found else np.zeros((0,))

    def evaluate(self, data: Any, batch_size: int = 1024) -> Report:
        """Loss and metrics, averaged over all examples of data."""
        named = self.learner.named(data)
        examples, totals = count(named), dict[str, float]()
        for part in chunks(examples, batch_size):
            seen = self.learner.evaluator(part.stop - part.start)({**self.values, **rows(named, part)})
            for name, value in seen.items():
                if name != "task":
                    totals[name] = totals.get(name, 0.0) + float(np.sum(value))
        return {name: total / examples for name, total in totals.items()}


def supervised(
    model: Any,
    loss: Any,
    optimizer: Point,
    rate: float | Family = 1.0,
    metrics: Sequence[str] = (),
    input: str = "x",
    label: str = "y",
    reduction: str = "mean",
) -> Learner:
    """The learner of a model from labelled examples.

    `loss` is one of the loss functions (`lg.cross_entropy`) or a loss made of one; `optimizer` an optimizer for all
    weights or a dict from patterns to optimizers; `rate` a positive number (or a rate such as `lg.echo`). Optimizers
    that carry their rate, such as `sgd(0.01)`, take rate 1.
    """
    made = loss if isinstance(loss, Family) else loss(label, metrics=tuple(metrics))
    task = supervised_task(model, made, input)
    return Learner(model, task, rate if isinstance(rate, Family) else rate_of(rate), optimizer, input, label, reduction)


def pair(data: Any) -> tuple[Any, Any]:
    """Two arrays, or an error that says what data may be."""
    if not isinstance(data, tuple | list) or len(data) != 2:
        raise BadValue(f"data is a pair (x, y), a dict of arrays by name, or a data set with .x and .y; got {type(data).__name__}")
    return data[0], data[1]


def check_classes(learner: Learner, named: Values) -> None:
    """Refuse class numbers that the model has no output for."""
    port = next((p for p in learner.task.params if p.label == learner.label), None)
    atom = port.ob[0] if port is not None and len(port.ob) == 1 else None
    labels, out = named.get(learner.label), learner.model.cod
    if not isinstance(atom, Array) or atom.floating or atom.shape or labels is None or not labels.size or len(out) != 1:
        return
    classes = out[0].shape[-1] if isinstance(out[0], Array) and out[0].shape else 0
    if classes and not 0 <= labels.min() <= labels.max() < classes:
        raise BadValue(
            f"'{learner.label}' holds class numbers from {labels.min()} to {labels.max()}, and the model has {classes} classes, "
            f"numbered 0 to {classes - 1}: give the last layer {labels.max() + 1} outputs, or relabel the data"
        )
