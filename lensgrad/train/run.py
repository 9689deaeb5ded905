"""Learners that train, and the runs that training gives."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Generic, TypedDict, Unpack

import numpy as np
from numpy.typing import ArrayLike

from lensgrad.backends.engine import Backend
from lensgrad.backends.engine import backend as engine
from lensgrad.core import checks
from lensgrad.core.calls import elsewhere, in_words
from lensgrad.core.drawing import Drawn
from lensgrad.core.errors import BadValue
from lensgrad.data.meaning import Meaning, in_file
from lensgrad.data.source import Data, Rows
from lensgrad.learn.rate_scale import LABEL as RATE_SCALE
from lensgrad.program.summary import described
from lensgrad.program.values import Arrays, Numbers
from lensgrad.train.answers import decided, examples_from, inputs_from, probabilities
from lensgrad.train.callbacks import Callback, Checkpoint, EarlyStopping, check_callbacks, checkpoint_of
from lensgrad.train.evaluation import evaluate, predictions
from lensgrad.train.feed import feed, read
from lensgrad.train.fit import Setup
from lensgrad.train.fit import fit as trained
from lensgrad.train.keep import order_of, stored, watched
from lensgrad.train.plan import Plan, size_of
from lensgrad.train.plateau import ReduceOnPlateau
from lensgrad.train.record import Record
from lensgrad.train.snapshots import Snapshot
from lensgrad.train.state import Kept, Planned, Report, Standing, State, came_to, order_in, standing, unsaid

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from typing_extensions import TypeVar

    from lensgrad.files import checkpoint
    from lensgrad.files.names import Generators
    from lensgrad.train.assess import Assessment
    from lensgrad.train.recording import Recording
    from lensgrad.train.wires import Wires

    Given = TypeVar("Given", default=Numbers)  # what predict gives
else:
    from typing import TypeVar

    Given = TypeVar("Given")

Path = str | os.PathLike[str]
ClassWeights = str | Mapping[int, float] | Sequence[float] | Numbers  # "balanced", by class, or one for each class
AFTER = "a learner is not trained yet and has no values: run = learner.fit(data), then"
ELSEWHERE = {  # what people ask a learner for that a run has
    "compile": "a learner has its loss and optimizer already: train it with run = learner.fit(data)",
    "evaluate": f"{AFTER} run.evaluate(data)",
    "history": f"{AFTER} run.history",
    "load": "a trained learner is read from its file with run = lg.load(path)",
    "parameters": "the names of its parameters are learner.model.names",
    "predict": f"{AFTER} run.predict(x)",
    "save": f"{AFTER} run.save(path)",
    "state_dict": f"{AFTER} run.weights",
    "train": "training is run = learner.fit(data)",
    "values": f"{AFTER} run.values; first values are learner.initial(seed)",
    "weights": f"{AFTER} run.weights; first values are learner.initial(seed)",
}
RATE = "the learning rate belongs to the optimizer, as in lg.adam(0.001)"
FOREIGN = {  # what arguments of fit are called elsewhere
    "learning_rate": RATE,
    "lr": RATE,
    "metrics": "metrics are given to lg.supervised(…, metrics=[…])",
    "optimizer": "the optimizer is given to lg.supervised(model, loss, optimizer)",
    "loss": "the loss is given to lg.supervised(model, loss, optimizer)",
    "steps_per_epoch": "give the data as lg.data.IteratorSource(batches, steps=…)",
    "verbose": "progress=False shows nothing, progress=True a bar or lines",
    "x": "data and labels come first and without names: fit(x, y)",
    "y": "data and labels come first and without names: fit(x, y)",
}


class Options(TypedDict, total=False):
    """What fit takes by name, beside the number of epochs."""

    batch_size: int | None
    seed: int
    shuffle: bool
    start: Mapping[str, ArrayLike] | None
    validation_data: Data | None
    validation_split: float
    class_weight: ClassWeights | Mapping[str, ClassWeights] | None
    sample_weight: ArrayLike | None
    early_stopping: EarlyStopping | None
    callbacks: Sequence[Callback | Callable[[int, Report], object]]
    checkpoint: Path | Checkpoint | None
    resume: bool | str
    log: Path | None
    accumulate: int
    progress: bool
    backend: str | Backend
    guard: bool
    record: Recording | None


@dataclass(frozen=True, repr=False)
class Learner(Record, Generic[Given]):
    """A learner that trains: `learner.fit(data)` gives a run."""

    if not TYPE_CHECKING:

        def __getattr__(self, name):
            raise elsewhere(self, name, ELSEWHERE)

    @in_words(FOREIGN)
    def fit(
        self,
        data: Data,
        labels: ArrayLike | Mapping[str, ArrayLike] | None = None,
        *,
        epochs: int = 1,
        batch_size: int | None = 32,
        seed: int = 0,
        shuffle: bool = True,
        start: Mapping[str, ArrayLike] | None = None,
        validation_data: Data | None = None,
        validation_split: float = 0.0,
        class_weight: ClassWeights | Mapping[str, ClassWeights] | None = None,
        sample_weight: ArrayLike | None = None,
        early_stopping: EarlyStopping | None = None,
        callbacks: Sequence[Callback | Callable[[int, Report], object]] = (),
        checkpoint: Path | Checkpoint | None = None,
        resume: bool | str = False,
        log: Path | None = None,
        accumulate: int = 1,
        progress: bool = True,
        backend: str | Backend = "auto",
        guard: bool = True,
        record: Recording | None = None,
        after: Run[Given] | None = None,
    ) -> Run[Given]:
        """Train on data for so many epochs and return the run. The same seed repeats a run exactly on one backend; inputs are not changed.

        Ctrl-C returns the run so far.

        - `data`: a pair (x, y), a dict of arrays with one row an example, a data set, or a source of batches.
        - `labels`: y, or a dict of labels, where `data` is x: `fit(x, y)` is `fit((x, y))`; in the data unless given.
        - `epochs`: how often to go through the data, a whole number ≥ 0; 1 unless given.
        - `batch_size`: examples in a step; None steps on one unbatched example at a time; 32 unless given.
        - `seed`: what first values and the order of examples are drawn from, from 0 to 2⁶⁴ − 1; 0 unless given.
        - `shuffle`: whether each epoch has an order of its own; False keeps that of the data; True unless given.
        - `start`: first values by name, all or some; drawn unless given.
        - `validation_data`: what each epoch is validated on, in the forms of `data`; none unless given.
        - `validation_split`: the share of the data that is kept for it instead, from 0 up to, but not including, 1; 0 unless given.
        - `class_weight`: numbers ≥ 0 by class, or "balanced". A step descends on Σ w · loss / n over the n examples of a batch; all alike
          unless given.
        - `sample_weight`: a number ≥ 0 for each example, or its name in the data; w is the product of both; all alike unless given.
        - `early_stopping`: `lg.early_stopping(…)`, which ends the run and keeps its best epoch; none unless given.
        - `callbacks`: functions of (epoch, report) or objects with `on_epoch(state)`, called after each epoch; True ends the run.
          `lg.reduce_on_plateau(…)` is one; none unless given.
        - `checkpoint`: a path, written after every epoch, or `lg.checkpoint(path, steps=…)`; none unless given.
        - `resume`: with True the run goes on from the checkpoint, if it is there, as if it had never stopped; one of another learner,
          order, number of examples or contents of the data is refused, unless it is "anyway"; False unless given.
        - `log`: a .csv file, or a folder for TensorBoard; none unless given.
        - `accumulate`: the parts in which a batch is gone through, with the same result up to rounding (not for models that draw, or that
          keep statistics of batches: each part has its own); 1 unless given.
        - `progress`: whether to show a bar, or lines where there is no terminal; True unless given.
        - `backend`: "auto", "native", "numpy" or "jax"; "auto" unless given.
        - `guard`: whether to stop at the first number that is not finite; True unless given.
        - `record`: `lg.record(every=…)`, which keeps figures of what passes on wires in `run.records`; none unless given.
        - `after`: a run to go on from; none unless given.
        """
        if after is not None:
            checks.instance("after", after, Run, "a run to go on from")
            epochs = checks.whole("epochs", epochs) + after.position["epoch"]
        plan = Plan(epochs, batch_size, seed, shuffle, accumulate)
        source = feed(self, plan, paired(self, data, labels), validation_data, validation_split, class_weight, sample_weight)
        source = source if source.meaning or after is None else replace(source, meaning=after.meaning)
        first = engine(backend).process[0] == 0  # of several processes that run together one is heard, and writes
        watchers = *written(log if first else None), *check_callbacks(callbacks)
        slows = any(isinstance(c, ReduceOnPlateau) for c in watchers)
        made, after = (self.with_rate_scale(), after and with_rate_scale(after)) if slows else (self, after)
        how = Setup(made, plan, source, early_stopping, watchers, checkpoint_of(checkpoint), backend, checks.flag("guard", guard), record)
        end = trained(how, start, resume, after, checks.flag("progress", progress) and first)
        found = run_of(made, end, order_of(plan, source), backend, source.meaning)
        return replace(found, records=end.records)


def written(log: Path | None) -> tuple[Callback, ...]:
    """What writes a log, where one is wanted."""
    if log is None:
        return ()
    from lensgrad.train.logs import log_of

    return log_of(log)


def paired(learner: Record, data: Any, labels: Any) -> Any:
    """Data as one thing, of inputs and labels that come one after the other."""
    if labels is None:
        return data
    given = data if checks.is_dict(data) else {learner.inputs[0]: data}
    return {**given, **(labels if checks.is_dict(labels) else {learner.labels[0]: labels})}


def with_rate_scale(run: Run[Given]) -> Run[Given]:
    """The same run with a scale of its learning rate, which has been 1 if it had none."""
    if RATE_SCALE in run.values:
        return run
    first = {RATE_SCALE: np.ones((), np.float32)}
    kept = None if run.kept is None else replace(run.kept, values={**run.kept.values, **first})
    return replace(run, values={**run.values, **first}, kept=kept)


def run_of(learner: Learner[Given], end: State, order: Planned, backend: str | Backend, meaning: Meaning) -> Run[Given]:
    """What training has come to, as a run. Values of the best epoch that are not its own are kept beside them."""
    best = end.kept
    own = best is None or best.values is end.values
    where: Standing = {**end.position.plain, **order}
    where = where if own else {**where, **watched(None, end.since)}
    where = {**where, "steps": end.step} if end.interrupted and end.records else where
    epoch = best.epoch if best is not None and own else None
    kept = None if own else best
    return Run(learner, end.values, end.history, where, end.seconds, epoch, end.interrupted, backend, meaning, kept, ran_on=end.backend)


@dataclass(frozen=True, repr=False)
class Run(Drawn, Generic[Given]):
    """A trained learner: its last values by name, one report and one time per epoch, and where training stands, for those who go on.

    `backend` is what it was asked to run on, and `ran_on` what its steps did run on.
    `meaning` says how the table of its data was read and what its classes are called, and is in its file too.
    `best_epoch` is the epoch (from 1) that the values are of, after early stopping. `interrupted` says that training had not come
    to its end: Ctrl-C stopped it, or its file was read meanwhile. Then `kept` has the values of the best epoch, if they are others.
    """

    learner: Learner[Given]
    values: Arrays
    history: tuple[Report, ...] = ()
    position: Standing = field(default_factory=unsaid)
    seconds: tuple[float, ...] = ()
    best_epoch: int | None = None
    interrupted: bool = False
    backend: str | Backend = "auto"
    meaning: Meaning = field(default_factory=Meaning, compare=False)
    kept: Kept | None = None
    reason: str = ""  # why a minimization ended, in its file too
    ran_on: str = ""  # what took its steps, in its file too: "native", "numpy" or "jax"
    records: tuple[Snapshot, ...] = ()  # what passed on wires, where fit(…, record=…) was asked for it, in its file too

    def __post_init__(self) -> None:
        object.__setattr__(self, "position", standing(self.position, len(self.history)))

    def __repr__(self) -> str:
        return f"Run({came_to(self.history, self.position)}; {self.learner!r})"

    def save(self, path: checkpoint.Where, generators: Generators | None = None) -> None:
        """Write a checkpoint that `lg.load(path)` reads: the learner as data, values, history and position, in one file."""
        from lensgrad.files import checkpoint

        best = self.best_epoch if self.kept is None else self.kept.epoch
        ended = False if self.interrupted else None
        more: dict[str, Any] = {
            "seconds": list(self.seconds),
            "best_epoch": best,
            "ended": ended,
            "reason": self.reason,
            "backend": self.ran_on,
        }
        if self.records:
            from lensgrad.train.recording import plain

            more["records"] = plain(self.records)
        position = {**self.position, **{n: value for n, value in more.items() if value not in ([], None, "")}, **in_file(self.meaning)}
        values = self.values if self.kept is None else {**self.values, **stored(self.kept.values)}
        checkpoint.save(path, self.learner, values, history=self.history, position=position, generators=generators)

    def export(self, path: checkpoint.Where, batch: int | None = None) -> None:
        """Write the model as it predicts, with its weights, in a format that needs no lensgrad; the ending of the path says which.

        "net.onnx" is an ONNX file: weights and inputs by their names, an axis N of examples; it needs `pip install 'lensgrad[onnx]'`.
        "predict.py" is a Python file with `predict(x)`, which needs NumPy and safetensors, and its weights beside it in
        "predict.safetensors"; `python predict.py in.npy out.npy` predicts too.
        "predict.c" is a C99 file that needs no library, as of `export_c`.

        - `path`: the file, ending in .onnx, .py or .c.
        - `batch`: the number of examples that it always takes; any number unless given, and 1 in C.
        """
        from lensgrad.interchange.export import Trained, export

        made = self.learner
        export(Trained(made.predictor, self.weights, made.inputs, made.outputs, self.meaning.classes), path, batch)

    def export_c(self, path: checkpoint.Where, batch: int = 1) -> None:
        """Write the model as it predicts as one C99 file that needs no library, no heap and no threads; its weights lie beside it.

        - `path`: the file, ending in .c; the weights are in one of the same name, ending in .bin.
        - `batch`: examples in a call; 1 unless given.
        """
        from lensgrad.interchange.c_file import write_c
        from lensgrad.interchange.export import Trained

        made = self.learner
        step = Trained(made.predictor, self.weights, made.inputs, made.outputs).program(checks.whole("batch", batch, 1))
        write_c(step, path, "predict", made.inputs, self.weights)

    def fit(
        self, data: Data, labels: ArrayLike | Mapping[str, ArrayLike] | None = None, *, epochs: int = 1, **how: Unpack[Options]
    ) -> Run[Given]:
        """Train on for so many more epochs: as one longer run would have, to the bit. `how` is that of `learner.fit`.

        Batch size, seed and shuffling are those of the run, unless given. Early stopping counts anew, from the values of this run
        as the best so far; only in a run that was interrupted it goes on as it was.
        """
        plan: Options = {"backend": self.backend, **order_in(self.position), **how}
        return self.learner.fit(data, labels, epochs=epochs, **plan, after=self)

    @property
    def weights(self) -> Arrays:
        """The model's parameters by name."""
        return {n: self.values[n] for n in self.learner.model_names}

    def predict(self, x: Rows, batch_size: int | None = 1024, *, backend: str | Backend | None = None) -> Given:
        """The model's outputs for the rows of x; `batch_size=None` takes one unbatched example at a time, as `fit` does.

        A call runs where its own work makes that worth it, so one for a few rows runs in NumPy. Whoever asks often, for a few rows at a
        time, says `backend="native"`: the first call compiles, and all others take microseconds.

        A model of several named inputs takes a dict of arrays, one of several named outputs gives a dict. A run that was trained on a
        table takes the next one as it is: the path of a CSV file, a data frame, a dict of columns; columns are found by name.
        """
        given, asked = inputs_from(self.learner, self.meaning, x), backend is not None
        found: Any = predictions(self.learner, self.weights, given, batch_size, self.backend if backend is None else backend, asked)
        return found  # an array, or a dict of them, as its learner was made for

    def predict_proba(self, x: Rows, batch_size: int | None = 1024) -> Numbers:
        """The probability of each class for the rows of x, (n, …, classes); of labels that hold together, of each on its own."""
        return probabilities(self.learner, self.predict(x, batch_size))

    def predict_classes(self, x: Rows, batch_size: int | None = 1024) -> Numbers:
        """The likeliest class for the rows of x: its name where the data had names, and its number elsewhere."""
        return decided(self.learner, self.meaning, self.predict(x, batch_size))

    def evaluate(
        self,
        data: Data,
        labels: ArrayLike | Mapping[str, ArrayLike] | None = None,
        *,
        batch_size: int | None = 1024,
        backend: str | Backend | None = None,
    ) -> Report:
        """Loss and metrics over all examples of data; those that are no mean over examples are computed on the whole set.

        `evaluate(x, y)` is `evaluate((x, y))`. Data is what `fit` takes, or a table such as it was trained on, with its target: a path,
        a data frame, a dict of columns. A call runs where its own work makes that worth it, or on its `backend`, as `predict`.
        """
        given = read(self.learner, examples_from(self.learner, self.meaning, paired(self.learner, data, labels)))
        on, asked = self.backend if backend is None else backend, backend is not None
        return evaluate(self.learner, self.values, given, batch_size, on, asked=asked)

    def report(self, data: Data, labels: ArrayLike | Mapping[str, ArrayLike] | None = None, *, batch_size: int | None = 1024) -> Assessment:
        """How well the run does on a test set: `print(…)` shows figures and confusion, `.plot()` draws it with calibration and ROC.

        Data is what `evaluate` takes.
        """
        from lensgrad.train.assess import assessment

        given = examples_from(self.learner, self.meaning, paired(self.learner, data, labels))
        source = read(self.learner, given)
        return assessment(self.learner, self.values, source, size_of(batch_size), self.backend, self.meaning.classes)

    def plot(self, path: Path | None = None) -> Figure:
        """The curves of the history as a figure of matplotlib, also as a file at `path`; it needs `pip install 'lensgrad[plot]'`."""
        from lensgrad.draw.plots import curves

        if not self.history:
            raise BadValue("this run has no epoch yet, so there are no curves: train it with run.fit(data)")
        return curves(self.history, self.best_epoch, path)

    def _repr_html_(self) -> str:
        from lensgrad.train.sketch import html

        return html(self.history, repr(self))

    def wires(self, batch: Data) -> Wires:
        """Every wire of the task on a batch by name: `run.wires(batch)["encoder/out"]`, and `.cotangent["encoder/out"]` of what flows back.

        They are those of training at the values of this run: dropout drops. Each is computed when it is read.
        """
        from lensgrad.train.wires import wires_of

        return wires_of(self.learner, self.values, batch, engine(self.backend).reference())

    def summary(self) -> str:
        """The model as a table, and the last epoch's report."""
        best = f", values of epoch {self.best_epoch}" if self.best_epoch else ""
        on = f" on {self.ran_on}" if self.ran_on not in ("", "numpy") else ""
        return described(self.learner.model).followed_by(came_to(self.history, self.position, f"{on}{best}", "  "))
