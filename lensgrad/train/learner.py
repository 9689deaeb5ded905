"""A learner: model, loss, rate and optimizer, and the closed lens they compose to. A run: what training it gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from lensgrad.cat.names import Role, returns
from lensgrad.cat.para import Para, Point, para
from lensgrad.core.diagram import Family
from lensgrad.core.errors import BadValue, TypeMismatch, UnknownParameter, listed
from lensgrad.core.ty import Ty
from lensgrad.learn.batching import batch
from lensgrad.learn.loss_scale import LossScale, loss_scaled
from lensgrad.learn.losses import METRICS
from lensgrad.learn.precision import mixed_precision
from lensgrad.learn.predict import predict
from lensgrad.learn.rates import rate as rate_of
from lensgrad.learn.tasks import closed_lens, frozen, input_of, supervised_task
from lensgrad.learn.ways.derivatives import Derivative
from lensgrad.learn.weighting import together, weighted
from lensgrad.program.compile import Program, program
from lensgrad.program.compile import compile as compile_closed
from lensgrad.program.ranges import ranges
from lensgrad.program.source import training_file
from lensgrad.program.values import Values, checked, forward_object, initial, size
from lensgrad.theories.smooth.array import Array
from lensgrad.train.fit import fit
from lensgrad.train.metrics import check_names as check_metrics

if TYPE_CHECKING:
    from lensgrad.files import checkpoint
    from lensgrad.files.names import Generators


@dataclass(frozen=True)
class Learner:
    """Model, task, rate and optimizer. `learner.lens(batch=n)` is the closed parametric lens; its put is the training step.

    Two compiled shapes of one task are kept: the full batch and the short last one.
    """

    model: Para
    task: Para
    rate: Family | Para
    optimizer: Point
    input: str | tuple[str, ...] = "x"
    label: str | tuple[str, ...] = "y"
    reduction: str = "mean"
    metrics: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    derivative: Derivative | None = None
    # Never given, so that a learner made from another compiles its own.
    programs: dict[Any, Any] = field(default_factory=dict, init=False, compare=False, repr=False)

    def lens(self, batch: int | None = None) -> Para:
        """I → (O, I) in Para(Lens(C)): what `lens(batch(task, n) >> mean) >> rate` reparameterized by the optimizer gives by hand."""
        where = ("lens", batch)
        if where not in self.programs:
            self.programs[where] = closed_lens(self.task, self.rate, self.optimizer, batch, self.reduction, self.derivative)
        return self.programs[where]

    def step(self, batch: int | None = None, backend: str = "numpy", parts: int = 1) -> Program:
        """The training step as a program: all parameters in, the moved ones and what is observed out.

        With several parts it goes through the batch part by part, and adds up what comes back.
        """
        from lensgrad.train.accumulate import accumulated

        if parts > 1 and self.derivative is not None:
            raise BadValue(
                f"accumulate adds up the gradients of parts of a batch, and {self.derivative} is not a sum over examples: "
                "use accumulate=1, or no derivative"
            )
        where = ("step", batch, backend) if parts == 1 else ("step", batch, backend, parts)
        if where not in self.programs:
            made = compile_closed(self.lens(batch), backend)
            self.programs[where] = made if parts == 1 or batch is None else accumulated(self, made, batch, parts)
        return self.programs[where]

    def source(self, batch: int | None = None) -> str:
        """The training step as a Python file that needs NumPy only, with a small loop around it."""
        return training_file(self.step(batch))

    def initial(self, seed: int = 0, start: Mapping[str, Any] | None = None) -> Values:
        """First values of all weights and states, those in `start` as they are given there."""
        given = self.known(start or {})
        return {**initial(self.lens(None).params, seed, tuple(given)), **given}

    fit = fit

    def known(self, values: Mapping[str, Any]) -> Values:
        """Given first values, checked for name, shape and dtype, and copied."""
        closed = self.lens(None)
        objects = {n: forward_object(p) for n, p in zip(closed.names, closed.params, strict=True)}
        strange = [n for n in values if n not in objects]
        if strange:
            raise UnknownParameter(f"no parameter is called '{strange[0]}'; this learner has: {listed(list(objects))}")
        return {n: deepcopy(checked(n, objects[n], values)) for n in values}

    def objects(self) -> dict[str, Ty]:
        """What training moves or keeps, by name: all parameters but the data that a step only reads."""
        closed = self.lens(None)
        named = zip(closed.names, closed.params, strict=True)
        return {n: forward_object(p) for n, p in named if p.role is not Role.DATA or returns(p)}

    def frozen(self) -> Learner:
        """The same learner without functions: its rate and its optimizer as values at this task, which a file can hold."""
        rate, points = frozen(self.task, self.rate, self.optimizer)
        return replace(self, rate=rate, optimizer=points)

    def recipe(self, generators: Generators | None = None) -> checkpoint.Recipe:
        """This learner as a file holds it."""
        from lensgrad.files import checkpoint
        from lensgrad.files.names import classes

        classes(generators)  # refuses what is no class, which might not be a key either
        where = ("recipe", *sorted((generators or {}).items()))
        if where not in self.programs:
            still = self.frozen()
            known = {f.name: getattr(still, f.name) for f in fields(still) if f.compare}
            if known["derivative"] is None:  # a file says what differs from lens(…) only, so those without it keep their digest
                del known["derivative"]
            self.programs[where] = checkpoint.recipe(known, still.objects(), generators)
        return self.programs[where]

    def predictor(self, n: int | None, backend: str = "numpy") -> Program:
        """The model on n inputs, or on one unbatched, as a program that takes them by name."""
        where = ("predict", n, backend)
        if where not in self.programs:
            named = input_of(self.model.dom, self.input) >> self.model
            self.programs[where] = program(predicted(named, n), backend)
        return self.programs[where]

    def evaluator(self, n: int | None, backend: str = "numpy") -> Program:
        """The task on n examples, as a program; its observables are per example."""
        where = ("evaluate", n, backend)
        if where not in self.programs:
            self.programs[where] = program(predicted(self.task, n), backend, output_name="task")
        return self.programs[where]

    def weighted(self, label: str) -> Learner:
        """The same learner with a weight for each example, as data of that name: its loss is w · l."""
        where = ("weighted", label)
        if where not in self.programs:
            self.programs[where] = replace(self, task=weighted(self.task, label))
        return self.programs[where]

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of what the model takes."""
        return (self.input,) if isinstance(self.input, str) else self.input

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the labels."""
        return (self.label,) if isinstance(self.label, str) else self.label

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of what the model gives, where it gives several things."""
        return () if isinstance(self.label, str) else self.label

    @property
    def ports(self) -> tuple[str, ...]:
        """The names of the data, in the order of a tuple of arrays."""
        return tuple(dict.fromkeys((*self.inputs, *self.labels)))

    def examples(self) -> dict[str, Any]:
        """The atom of one example of each array of data, by name."""
        return {n: p.ob[0] for n, p in zip(self.task.names, self.task.params, strict=True) if p.role is Role.DATA and len(p.ob) == 1}

    def classes(self) -> dict[str, int]:
        """How many classes there are, for each label that is a class number."""
        found: dict[str, int] = {}
        atoms = self.examples()
        for label, out in zip(self.labels, self.model.cod, strict=False):
            atom = atoms.get(label)
            if isinstance(atom, Array) and not atom.floating and isinstance(out, Array) and out.shape and atom.shape == out.shape[:-1]:
                found[label] = out.shape[-1]
        return found

    def ranges(self) -> dict[str, int]:
        """How many numbers there are to choose from, for each data that is read as a row of a table or a class."""
        if ("ranges",) not in self.programs:
            self.programs["ranges",] = ranges(self.task)
        return self.programs["ranges",]

    @property
    def parameter_count(self) -> int:
        """How many numbers the weights have."""
        return sum(size(p.ob) for p in self.model.params if p.role is Role.WEIGHT)


def predicted(f: Para, n: int | None) -> Para:
    """f as it predicts, on n examples or on one unbatched."""
    return predict(f) if n is None else batch(predict(f), n)


def supervised(
    model: Any,
    loss: Any,
    optimizer: Point,
    rate: float | Family = 1.0,
    metrics: Sequence[str] = (),
    input: str | Sequence[str] = "x",
    label: str = "y",
    reduction: str = "mean",
    loss_weights: Mapping[str, float] | None = None,
    precision: str | None = None,
    loss_scale: LossScale | float | None = None,
    derivative: Derivative | None = None,
) -> Learner:
    """The learner of a model from labelled examples.

    `loss` is one of the loss functions (`lg.cross_entropy`) or a loss made of one; `optimizer` an optimizer for all
    weights or a dict from patterns to optimizers; `rate` a positive number (or a rate such as `lg.echo`). Optimizers
    that carry their rate, such as `sgd(0.01)`, take rate 1.

    A model of several inputs takes them by the names in `input`. One of several outputs takes a dict of losses, one for each
    output in order: their names are those of the labels and of the outputs, and what is learned is Σ loss_weights[name] · loss.
    With `label` equal to `input` the label is what goes in: an autoencoder, trained on {"x": x}.
    `precision="bfloat16"` or "float16" computes products and convolutions in it and all else, weights too, in float32.
    `loss_scale` is a number to start with or `lg.loss_scale(…)`; float16 has one if nothing is said.
    `derivative` is a way back other than R: `sam(0.05)`, `newton_cg(10)` or `extrapolated(0.1)` of `lensgrad.lens`.
    Metrics that are arrows on one example (accuracy) are reported while training too, the others by evaluating on a whole set.
    """
    names = input if isinstance(input, str) else tuple(input)
    losses = loss if isinstance(loss, Mapping) else {label: loss}
    several = isinstance(loss, Mapping)
    during, whole = sorted_metrics(list(losses) if several else [], metrics)
    made = {n: loss_at(f, n, [m.rpartition("/")[2] for m in during if not several or m.startswith(f"{n}/")]) for n, f in losses.items()}
    one = together(made, shares(losses, loss_weights)) if several else made[label]
    model = para(model) if precision is None else mixed_precision(para(model), precision)
    task = supervised_task(model, one, names)
    if not several and label == names:  # what goes in is the label: an autoencoder (arXiv 2404.00408, by reparameterization along copy)
        task = task.tie(f"{label}.0", f"{label}.1")
    links = tuple(LINKS.get(f.name, "") for f in made.values()) if whole else ()
    where = tuple(losses) if several else label
    cap = rate if isinstance(rate, Family) else rate_of(rate)
    rule = LossScale() if loss_scale is None and precision == "float16" else loss_scale
    check_derivative(derivative, rule)
    learner = Learner(model, task, cap, optimizer, names, where, reduction, whole, links, derivative)
    learner.lens()  # what does not fit together is refused now, not when training starts
    return learner if rule is None else scaled(learner, rule)


def check_derivative(derivative: Any, rule: Any) -> None:
    """Refuse what is no way back, and one under a loss scale."""
    if derivative is not None and not isinstance(derivative, Derivative):
        raise TypeMismatch(f"a derivative is sam(…), newton_cg(…) or extrapolated(…) of lensgrad.lens, got {derivative!r:.60}")
    if derivative is not None and rule is not None:
        told = f"a loss scale multiplies gradients, and what {derivative} gives does not grow with the loss"
        raise BadValue(f"{told}: use float32 or bfloat16")


def scaled(learner: Learner, rule: LossScale | float) -> Learner:
    """The same learner with a scale of its loss as a state."""
    rule = rule if isinstance(rule, LossScale) else LossScale(rule)
    rate, optimizer = loss_scaled(learner.task, learner.rate, learner.optimizer, rule)
    return replace(learner, rate=rate, optimizer=optimizer)


LINKS = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid"}  # what makes probabilities of outputs trained with a loss


def loss_at(loss: Any, label: str, metrics: Sequence[str]) -> Family:
    """A loss for labels of this name."""
    made = loss(label, metrics=tuple(metrics)) if callable(loss) and not isinstance(loss, Family) else loss
    if not isinstance(made, Family):
        raise TypeMismatch(f"a loss is a function such as lg.mse, or what it gives, got {loss!r:.60}")
    return made


def sorted_metrics(outputs: Sequence[str], metrics: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Metrics that are arrows on one example, and those of a whole set; with several outputs, `output/metric` for each of either."""
    if isinstance(metrics, str):
        raise BadValue(f"metrics is a list of names, got the text {metrics!r}: write metrics=[{metrics!r}]")
    found = [m if "/" in str(m) or not outputs else f"{o}/{m}" for m in metrics for o in (outputs or [""])]
    names = tuple(dict.fromkeys(found))
    strange = [m for m in names if outputs and m.rpartition("/")[0] not in outputs]
    if strange:
        raise BadValue(f"'{strange[0]}' is a metric of no output here; the outputs are {listed(list(outputs))}")
    check_metrics([m.rpartition("/")[2] if outputs else m for m in names])
    arrows = tuple(m for m in names if m.rpartition("/")[2] in METRICS)
    return arrows, tuple(m for m in names if m not in arrows)


def shares(losses: Mapping[str, Any], given: Mapping[str, float] | None) -> list[float]:
    """The weight of each loss: 1 for those not named."""
    strange = [n for n in given or {} if n not in losses]
    if strange:
        raise BadValue(f"loss_weights has '{strange[0]}', and the losses are for {listed(list(losses))}")
    return [float((given or {}).get(n, 1.0)) for n in losses]
