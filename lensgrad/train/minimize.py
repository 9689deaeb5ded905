"""Learners trained on all their data at once, as scientists fit: `lg.minimize(learner, data)`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lensgrad.backends.engine import Backend, named
from lensgrad.backends.engine import backend as engine
from lensgrad.cat.names import Role, returns
from lensgrad.cat.para import lens, observe
from lensgrad.core import checks
from lensgrad.core.calls import in_words
from lensgrad.core.errors import BadValue, listed
from lensgrad.data.source import ArraySource, Data, source
from lensgrad.learn.batching import batch
from lensgrad.learn.rates import rate
from lensgrad.learn.tasks import reduced
from lensgrad.program.choice import suited
from lensgrad.program.compile import Program, compile
from lensgrad.program.values import Values, checked
from lensgrad.train.accumulate import floating
from lensgrad.train.feed import Feed, feed
from lensgrad.train.lbfgs import Slope, lbfgs
from lensgrad.train.plan import Plan
from lensgrad.train.run import ClassWeights, Given, Learner, Run, paired
from lensgrad.train.vectors import flat, shaped

SEEN = "minimized"  # what the loss of the whole batch is observed as
METHODS = ("lbfgs",)
NO_EPOCHS = "minimize goes down one loss to its end and has no epochs to compare"
FOREIGN = {  # what fit takes and minimize does not, and what to do instead
    "batch_size": "each step looks at all data: fit(…, batch_size=…) trains on batches",
    "callbacks": f"{NO_EPOCHS}: fit(…, callbacks=…) calls them after each epoch",
    "checkpoint": "minimize writes nothing on its way: save its run, with run.save(path)",
    "early_stopping": f"{NO_EPOCHS}: give fewer steps or a larger tolerance, or use fit(…, early_stopping=…)",
    "epochs": "each step looks at all data: give steps",
    "max_steps": "the number of steps is called steps",
    "validation_data": f"{NO_EPOCHS}: write run.evaluate(validation_data), or train with fit(…, validation_data=…)",
    "validation_split": f"{NO_EPOCHS}: split the data, and write run.evaluate(part), or train with fit(…, validation_split=…)",
}


@in_words(FOREIGN)
def minimize(
    learner: Learner[Given],
    data: Data,
    labels: ArrayLike | Mapping[str, ArrayLike] | None = None,
    *,
    method: str = "lbfgs",
    steps: int = 200,
    memory: int = 10,
    tolerance: float = 1e-6,
    seed: int = 0,
    start: Mapping[str, ArrayLike] | None = None,
    class_weight: ClassWeights | Mapping[str, ClassWeights] | None = None,
    sample_weight: ArrayLike | None = None,
    backend: str | Backend = "auto",
) -> Run[Given]:
    """Train on all data at once by L-BFGS with a line search (Nocedal and Wright, 2006, algorithms 7.5 and 3.5), and return the run.

    It moves the weights that the learner's optimizer moves, along the gradient of its loss on the whole data; rate, optimizer
    and derivative are not asked. It ends where no part of the gradient is larger than `tolerance`, after `steps` steps, or where the
    numbers' precision ends: `run.reason` says which, and `run.history` has the loss at the start and after each step.
    Use models of dtype="float64" for more than about four digits. Models that draw (dropout) are refused.

    - `learner`: a learner, as `lg.supervised` gives it.
    - `data`: a pair (x, y), a dict of arrays with one row an example, or a data set.
    - `labels`: y, or a dict of labels, where `data` is x; in the data unless given.
    - `method`: "lbfgs", which is the only one; it unless given.
    - `steps`: how often to move at most, a whole number ≥ 0; 200 unless given.
    - `memory`: from how many of the last steps the curvature is remembered, ≥ 1; 10 unless given.
    - `tolerance`: the largest part of the gradient at which to end, in the unit of loss by weight; 1e-6 unless given.
    - `seed`: what first values are drawn from; 0 unless given.
    - `start`: first values by name, all or some; drawn unless given.
    - `class_weight`: numbers ≥ 0 by class, or "balanced". The loss is Σ w · loss / n over all n examples; all alike unless given.
    - `sample_weight`: a number ≥ 0 for each example, or its name in the data; w is the product of both; all alike unless given.
    - `backend`: "auto", "native", "numpy" or "jax"; "auto" unless given.
    """
    checks.instance("the learner of minimize", learner, Learner, "lg.supervised(…)")
    checks.one_of("method", method, METHODS)
    engine(backend)  # an unknown one is refused before anything is made
    limits = checks.whole("steps", steps), checks.whole("memory", memory, 1), checks.number("tolerance", tolerance, 0)
    names = moving(learner)
    given, found = whole(learner, paired(learner, data, labels), class_weight, sample_weight)
    values = learner.initial(seed, start)
    trained = learner if found.weight is None else learner.weighted(found.weight)
    n = len(next(iter(given.values())))
    program = gradient(trained, n, names)
    program = program.on(suited(backend, program.on, limits[0]))
    descent = lbfgs(slope(program, {**values, **given}, names), flat(values, names), *limits)
    history = tuple({"loss": value} for value in descent.values)
    ended = {**values, **descent.end.kept, **shaped(descent.end.at, values, names)}
    told: dict[str, Any] = {"backend": backend, "ran_on": named(program.engine)}
    return Run(learner, ended, history, meaning=found.meaning, reason=descent.reason, **told)


def moving(learner: Learner[Any]) -> list[str]:
    """The weights that the learner's optimizer moves; an error where the loss would be another each time it is looked at."""
    closed = learner.lens()
    drawn = [n for n, p in zip(learner.task.names, learner.task.params, strict=True) if p.role is Role.KEY]
    if drawn:
        raise BadValue(f"minimize needs the same loss each time it looks, and this model draws ('{drawn[0]}'): leave out what draws")
    own = {n for n, p in zip(learner.task.names, learner.task.params, strict=True) if p.role is Role.WEIGHT and all(map(floating, p.ob))}
    found = [n for n, p in zip(closed.names, closed.params, strict=True) if n in own and returns(p) and len(p.ob) == 1]
    if not found:
        raise BadValue(f"minimize moves what the learner's optimizer moves, and it moves none of {listed(list(learner.task.names))}")
    return found


def whole(learner: Learner[Any], data: Any, class_weight: Any, sample_weight: Any) -> tuple[Values, Feed]:
    """All examples, as arrays by name, and the feed that they are of."""
    given = source(data, learner.ports)
    if not isinstance(given, ArraySource):
        raise BadValue("minimize looks at all data in each step, so it takes arrays, not a source of batches: fit trains on those")
    found = feed(learner, Plan(1, max(1, given.examples)), data, None, 0.0, class_weight, sample_weight)
    return next(found.train.batches(0, given.examples, None)), found


def gradient(learner: Learner[Any], n: int, names: list[str]) -> Program:
    """The put of the lens of the whole loss, with the rate 1 and no optimizer: gradients of the weights, beside what is observed."""

    def make() -> Program:
        task = reduced(batch(learner.task, n), learner.reduction)
        return compile(lens(task >> observe(SEEN, task.cod)) >> rate(1.0), returned=names)

    return learner.kept(("gradient", n, *names), make)


def slope(program: Program, values: Values, names: list[str]) -> Slope:
    """Weights in one vector ↦ the loss, its gradient, and the statistics that the model keeps of the data."""
    held = {p.name: checked(p.name, p.ob, values) for p in program.inputs}
    states = [p.name for p in program.outputs if p.role is not Role.DATA and p.name not in names]

    def at(p: np.ndarray[Any, Any]) -> tuple[float, np.ndarray[Any, Any], Values]:
        now = {**held, **shaped(p, held, names)}
        found = program.run([now[q.name] for q in program.inputs])
        return float(found[SEEN]), flat(found, names), {name: np.array(found[name]) for name in states}

    return at


__all__ = ["minimize"]
