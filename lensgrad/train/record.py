"""What a learner is: model, task, rate and optimizer as plain data, and the programs that they compose to."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Self, TypeVar

from numpy.typing import ArrayLike

from lensgrad.backends.engine import Backend
from lensgrad.backends.engine import backend as engine
from lensgrad.cat.names import Role, Together, returns
from lensgrad.cat.para import Para, Places, Point
from lensgrad.core import checks
from lensgrad.core.diagram import Family
from lensgrad.core.drawing import Drawn
from lensgrad.core.errors import BadValue, TypeMismatch, UnknownParameter, listed
from lensgrad.core.ty import Ty
from lensgrad.learn.batching import batch
from lensgrad.learn.losses.kind import Kind, kind_of
from lensgrad.learn.model import Model
from lensgrad.learn.optimizers.groups import told
from lensgrad.learn.predict import predict
from lensgrad.learn.rate_scale import LABEL as RATE_SCALE
from lensgrad.learn.rate_scale import rate_scaled
from lensgrad.learn.tasks import closed_lens, frozen, input_of
from lensgrad.learn.weighting import weighted
from lensgrad.program.compile import Program, program
from lensgrad.program.compile import compile as compile_closed
from lensgrad.program.ranges import ranges
from lensgrad.program.source import training_file
from lensgrad.program.summary import of_learner
from lensgrad.program.values import Arrays, checked, forward_object, initial, size
from lensgrad.train.measures import Function, check_names
from lensgrad.train.programs import PROGRAMS

if TYPE_CHECKING:
    from lensgrad.files import checkpoint
    from lensgrad.files.names import Generators
    from lensgrad.learn.ways.derivatives import Derivative
    from lensgrad.theories.poly.circuit import Vector
    from lensgrad.theories.smooth.array import Array, Key

    Atom = Array | Key | Vector  # what carries an array of data

T = TypeVar("T")
NAMES = "a name or a tuple of names"
FEW = 4  # optimizers that the text of a learner names
BEST = "best:"  # what the values of the best epoch are called in a checkpoint


@dataclass(frozen=True, repr=False)
class Record(Drawn):
    """Model, task, rate and optimizer. `lens(batch=n)` is the closed parametric lens; its put is the training step.

    What does not fit together is refused when the record is made. What is compiled lives beside it, in `programs`.
    """

    model: Model
    task: Para
    rate: Family | Para
    optimizer: Point | Places
    input: str | tuple[str, ...] = "x"
    label: str | tuple[str, ...] = "y"
    reduction: str = "mean"
    metrics: tuple[str, ...] = ()
    derivative: Derivative | None = None
    # Metrics of a user's own, by name: what is learned does not depend on them, and a file holds no code.
    functions: tuple[tuple[str, Function], ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        model = checks.instance("the model of a learner", self.model, Para, "made of layers, such as lg.dense(4, 3)")
        object.__setattr__(self, "model", Model.of(model))  # whichever class of parametric arrows it has
        checks.instance("the task of a learner", self.task, Para, "its model between its data and its loss")
        checks.instance("the rate of a learner", self.rate, (Family, Para), "lg.rate(…) or another rate")
        for which, kind in (("input", NAMES), ("label", NAMES), ("metrics", "a tuple of metrics")):
            kinds = (str, tuple) if kind == NAMES else tuple
            checks.instance(f"the {which} of a learner", getattr(self, which), kinds, kind)
        for name in (*self.inputs, *self.labels):
            checks.name("the name of an input or label", name)
        check_names(self.metrics)
        check_derivative(self.derivative)
        taken = next((n for n in self.lens().names if n.startswith(BEST)), None)
        if taken is not None:
            raise BadValue(
                f"a checkpoint keeps the values of the best epoch under '{BEST}…', and a parameter is called '{taken}': rename it"
            )

    def __repr__(self) -> str:
        data = ", ".join(self.ports)
        return (
            f"{type(self).__name__}({self.model.dom} → {self.model.cod}, {self.parameter_count:,} weights, data {data}, "
            f"optimizer {shown(self.optimizer)})"
        )

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _: Any) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as its recipe: what comes back is `frozen()`, with the metrics of a user's own, and trains the same."""
        from lensgrad.files.pickles import reduced

        return reduced(self, recipe_fields(self.frozen()), {"functions": self.functions})

    def kept(self, key: Hashable, make: Callable[[], T]) -> T:
        """What is made of this record, made once."""
        return PROGRAMS.get(self, key, make)

    # -- programs --------------------------------------------------------------------------------------------------
    def lens(self, batch: int | None = None) -> Para:
        """I → (O, I) in Para(Lens(C)): what `lens(batch(task, n) >> mean) >> rate` reparameterized by the optimizer gives by hand."""
        batch = examples("batch", batch)
        made = self.task, self.rate, self.optimizer, batch, self.reduction, self.derivative
        return self.kept(("lens", batch), lambda: closed_lens(*made))

    def step(self, batch: int | None = None, backend: str | Backend = "auto", parts: int = 1) -> Program:
        """The training step as a program: all parameters in, the moved ones and what is observed out.

        With several parts it goes through the batch part by part, and adds up what comes back.
        """
        batch, parts = examples("batch", batch), checks.whole("parts", parts, 1)
        engine(backend)  # what is none is refused here
        if parts > 1 and self.derivative is not None:
            raise BadValue(
                f"accumulate adds up the gradients of parts of a batch, and {self.derivative} is not a sum over examples: "
                "use accumulate=1, or no derivative"
            )
        if backend != "auto":
            return self.kept(("step", batch, backend, parts), lambda: self.step(batch, parts=parts).on(backend))
        if parts == 1 or batch is None:
            return self.kept(("step", batch, backend, 1), lambda: compile_closed(self.lens(batch)))
        from lensgrad.train.accumulate import accumulated

        return self.kept(("step", batch, backend, parts), lambda: accumulated(self, self.step(batch), batch, parts))

    def predictor(self, n: int | None, backend: str | Backend = "auto") -> Program:
        """The model on n inputs, or on one unbatched, as a program that takes them by name."""
        if backend != "auto":
            return self.kept(("predict", n, backend), lambda: self.predictor(n).on(backend))
        return self.kept(("predict", n, backend), lambda: program(predicted(input_of(self.model.dom, self.input) >> self.model, n)))

    def evaluator(self, n: int | None, backend: str | Backend = "auto") -> Program:
        """The task on n examples, as a program; its observables are per example."""
        if backend != "auto":
            return self.kept(("evaluate", n, backend), lambda: self.evaluator(n).on(backend))
        return self.kept(("evaluate", n, backend), lambda: program(predicted(self.task, n), output_name="task"))

    def source(self, batch: int | None = None) -> str:
        """The training step as a Python file that needs NumPy only, with a small loop around it."""
        return training_file(self.step(batch))

    def summary(self, batch: int | None = None) -> str:
        """The model as a table, with what each layer costs on one example, and what a training step of `batch` examples costs.

        All of it is computed from the types, before anything runs: operations, where a multiply-add is 2, and bytes. The peak is what
        the step holds at once in NumPy, with weights, states and data; where it was measured it was off by less than a factor of 2.
        """
        return of_learner(self.model, self.step(batch), batch)

    def export_step(self, path: checkpoint.Where, batch: int | None = None) -> None:
        """Write the training step as an ONNX file, which any runtime trains with: it has all of `step(batch)` as one plain graph.

        Weights, states, keys and data go in by name; the next value of `name` comes out as `next/name`, and what is observed under its
        own name. First values are `learner.initial(seed)`. Needs `pip install 'lensgrad[onnx]'`.

        - `path`: the file, ending in .onnx.
        - `batch`: examples in a step; one unbatched example unless given.
        """
        from lensgrad.interchange.export import export_step

        export_step(self.step(batch), path)

    def export_c(self, path: checkpoint.Where, batch: int | None = None, start: Mapping[str, ArrayLike] | None = None) -> None:
        """Write the training step as one C99 file that needs no library, no heap and no threads, for any machine with a C compiler.

        Layers, weights and data stand in it by name, and its first lines say what lies where. With -DLENSGRAD_MAIN it is a program that
        trains from files; beside it lies a file of first values, ending in .bin.

        - `path`: the file, ending in .c.
        - `batch`: examples in a step; one unbatched example unless given.
        - `start`: first values by name, such as `run.values`; those of `learner.initial()` for all that are not given.
        """
        from lensgrad.interchange.c_file import write_c

        step, kept = self.step(batch), self.objects()
        write_c(step, path, "step", [p.name for p in step.inputs if p.name not in kept], self.initial(0, start))

    # -- values ----------------------------------------------------------------------------------------------------
    def initial(self, seed: int = 0, start: Mapping[str, ArrayLike] | None = None) -> Arrays:
        """First values of all weights and states, those in `start` as they are given there."""
        given = {} if start is None else self.known(start)
        return {**initial(self.lens().params, seed, tuple(given)), **given}

    def known(self, values: Mapping[str, ArrayLike]) -> Arrays:
        """Given first values, checked for name, shape and dtype, and copied."""
        checks.instance("start", values, Mapping, "a dict of first values by name")
        closed = self.lens()
        objects = {n: forward_object(p) for n, p in zip(closed.names, closed.params, strict=True)}
        strange = [n for n in values if n not in objects]
        if strange:
            raise UnknownParameter(f"no parameter is called '{checks.clean(str(strange[0]))}'; this learner has: {listed(list(objects))}")
        return {n: deepcopy(checked(n, objects[n], values)) for n in values}

    def objects(self) -> dict[str, Ty]:
        """What training moves or keeps, by name: all parameters but the data that a step only reads."""
        closed = self.lens()
        named = zip(closed.names, closed.params, strict=True)
        return {n: forward_object(p) for n, p in named if p.role is not Role.DATA or returns(p)}

    # -- other records ---------------------------------------------------------------------------------------------
    def frozen(self) -> Self:
        """The same learner without functions: its rate and its optimizer as values at this task, which a file can hold."""
        rate, points = frozen(self.task, self.rate, self.optimizer)
        return replace(self, rate=rate, optimizer=points)

    def recipe(self, generators: Generators | None = None) -> checkpoint.Recipe:
        """This learner as a file holds it."""
        from lensgrad.files import checkpoint
        from lensgrad.files.names import classes

        classes(generators)  # refuses what is no class, which might not be a key either

        def make() -> checkpoint.Recipe:
            still = self.frozen()
            known = recipe_fields(still)
            if known["derivative"] is None:  # a file says what differs from lens(…) only, so those without it keep their digest
                del known["derivative"]
            return checkpoint.recipe(known, still.objects(), generators)

        return self.kept(("recipe", frozenset((generators or {}).items())), make)

    def weighted(self, label: str) -> Self:
        """The same learner with a weight for each example, as data of that name: its loss is w · l."""
        return self.kept(("weighted", label), lambda: replace(self, task=weighted(self.task, label)))

    def with_rate_scale(self) -> Self:
        """The same learner with a scale of its learning rate as a state, `rate_scale`; as it is where it has one."""
        if RATE_SCALE in self.lens().names:
            return self
        made = self.task, self.rate, self.optimizer
        return self.kept("rate scale", lambda: replace(self, optimizer=rate_scaled(*made)))

    # -- names -----------------------------------------------------------------------------------------------------
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
    def model_names(self) -> tuple[str, ...]:
        """The names of the model's parameters, found once."""
        return self.kept("model names", lambda: self.model.names)

    @property
    def ports(self) -> tuple[str, ...]:
        """The names of the data, in the order of a tuple of arrays."""
        return tuple(dict.fromkeys((*self.inputs, *self.labels)))

    # -- what the data must be -------------------------------------------------------------------------------------
    def examples(self) -> dict[str, Atom]:
        """The atom of one example of each array of data, by name."""
        return self.kept("examples", lambda: atoms(self.task))

    def kinds(self) -> dict[str, Kind]:
        """What the losses say about labels and outputs, for each label that one does."""
        return self.kept("kinds", lambda: kinds(self.task, self.labels))

    def classes(self) -> dict[str, int]:
        """How many classes there are, for each label that is a class number."""
        return {name: kind.classes for name, kind in self.kinds().items() if kind.problem == "classes" and kind.labels == "class"}

    def ranges(self) -> dict[str, int]:
        """How many numbers there are to choose from, for each data that is read as a row of a table or a class."""
        return self.kept("ranges", lambda: ranges(self.task))

    @property
    def parameter_count(self) -> int:
        """How many numbers the weights have."""
        return sum(size(p.ob) for p in self.model.params if p.role is Role.WEIGHT)


def examples(what: str, n: int | None) -> int | None:
    """How many examples a program takes at once; None for one without an axis of examples."""
    return None if n is None else checks.whole(what, n, 1)


def recipe_fields(record: Record) -> dict[str, Any]:
    """What a recipe says of a record, by name."""
    return {f.name: getattr(record, f.name) for f in fields(record) if f.compare}


def predicted(f: Para, n: int | None) -> Para:
    """f as it predicts, on n examples or on one unbatched."""
    return predict(f) if n is None else batch(predict(f), n)


def atoms(task: Para) -> dict[str, Atom]:
    """The atom of each data of a task that is one array, by name."""
    return {n: p.ob[0] for n, p in zip(task.names, task.params, strict=True) if p.role is Role.DATA and len(p.ob) == 1}


def kinds(task: Para, labels: Sequence[str]) -> dict[str, Kind]:
    """The kinds of the labels of which a loss says something."""
    found = {name: kind_of(task, name) for name in labels}
    return {name: kind for name, kind in found.items() if kind is not None}


def check_derivative(derivative: Any) -> None:
    """Refuse what is no way back."""
    if derivative is None:
        return
    from lensgrad.learn.ways.derivatives import Derivative

    if not isinstance(derivative, Derivative):
        raise TypeMismatch(f"a derivative must be sam(…), newton_cg(…) or extrapolated(…) of lensgrad.lens, got {checks.shown(derivative)}")


def shown(optimizer: Any) -> str:
    """An optimizer, or one for each pattern, by its name: a point of a file goes by the optimizer that gave it."""
    if checks.is_dict(optimizer):
        if [*optimizer] in ([Role.WEIGHT], [Together(Role.WEIGHT)]):
            return shown(next(iter(optimizer.values())))
        return f"{{{few([f'{place(where)}: {shown(point)}' for where, point in optimizer.items()])}}}"
    if checks.is_group(optimizer):
        names = list(dict.fromkeys(map(shown, optimizer)))
        return names[0] if len(names) == 1 else f"({few(names)})"
    named = optimizer.piece if isinstance(optimizer, Para) else optimizer
    return getattr(named, "name", "") or getattr(named, "__name__", "") or "a point without a name"


def place(where: Any) -> str:
    """Where an optimizer is, in short: one for all weights together has a name for each of them."""
    return f"({few([*map(repr, where)])})" if checks.is_group(where) and len(where) > FEW else told(where)


def few(texts: Sequence[str]) -> str:
    """The first of some texts, and whether there are more."""
    return ", ".join([*texts[:FEW], *(["…"] if len(texts) > FEW else [])])
