"""The ways in which a circuit is learned from bits and classes, each a function from a problem to gates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import ceil, comb
from typing import Any

import numpy as np

from lensgrad import export
from lensgrad.cat.para import Para
from lensgrad.core.errors import BadValue, listed
from lensgrad.evaluation import Run
from lensgrad.export.circuit import Builder, Circuit
from lensgrad.learn.circuits import anf, gain, hamming, lifted_flip, over, soften, votes
from lensgrad.learn.circuits.networks import lut_layer, lut_network
from lensgrad.learn.circuits.soft import Relaxation, relaxed, sigmoid_tables
from lensgrad.learn.losses import cross_entropy
from lensgrad.learn.optimizers import adam
from lensgrad.learn.rates import cosine, linear_decay
from lensgrad.learned import decided
from lensgrad.learner import Learner, supervised
from lensgrad.run.callbacks import EarlyStopping, early_stopping
from lensgrad.run.compile import program
from lensgrad.run.data.split import split
from lensgrad.theories.poly.semiring import Z2, Z

Numbers = np.ndarray[Any, Any]
FLIP_RATE, FLIP_TEMPERATURE = 0.01, 6.0
MOST_TERMS = 200  # steps of a greedy polynomial
MOST_PRODUCTS = 20_000_000  # of rows and coefficients, each of which is tried in a step


@dataclass(frozen=True)
class Problem:
    """Rows of bits with class numbers, what bits and classes are called, and rows held back to choose by (or none)."""

    x: Numbers
    y: Numbers
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    classes: int
    held: tuple[Numbers, Numbers] | None = None

    def accuracy(self, circuit: Circuit, held: bool = False) -> float:
        """The share of the rows, or of those held back, that a circuit gives their class."""
        x, y = self.held if held and self.held is not None else (self.x, self.y)
        return float((decided(circuit.run(x)) == y).mean())

    def whole(self) -> Problem:
        """The same with the rows that were held back among the others."""
        if self.held is None:
            return self
        return replace(self, x=np.concatenate([self.x, self.held[0]]), y=np.concatenate([self.y, self.held[1]]), held=None)


@dataclass(frozen=True)
class Plan:
    """How to learn: gates in each layer, how many steps of how many rows, which part of them straight through vertices, from which seed."""

    layers: tuple[int, ...] = (96, 96, 96)
    steps: int = 2000
    batch_size: int = 64
    learning_rate: float = 0.05
    temperature: float = 3.0
    relaxation: Relaxation = field(default_factory=lambda: sigmoid_tables(1.0, 0.5))
    straight: float = 0.5
    wiring: Any = None
    seed: int = 0
    stopping: EarlyStopping | None = None
    progress: bool = False
    backend: str = "numpy"


@dataclass(frozen=True)
class Found:
    """Gates, and how they came about: the method, what each epoch reported, and the accuracy on rows held back, if there were any."""

    circuit: Circuit
    method: str
    history: tuple[Mapping[str, float], ...] = ()
    score: float | None = None


Method = Callable[[Problem, Plan], Found]


# -- networks of gates -------------------------------------------------------------------------------------------------


def network(problem: Problem, plan: Plan) -> Para:
    """Layers of two-input gates over Z; the last is widened until every class has equally many."""
    last = problem.classes * ceil(plan.layers[-1] / problem.classes)
    layers, inputs = [*plan.layers[:-1], last], problem.x.shape[1]
    if plan.wiring is None:
        return lut_network(inputs, layers, seed=plan.seed)
    first = lut_layer(inputs, layers[0], wiring=plan.wiring).scope("layer0")
    if len(layers) == 1:
        return first
    later = [lut_layer(a, g, seed=plan.seed + i).scope(f"layer{i}") for i, (a, g) in enumerate(pairwise(layers), 1)]
    return first.then(*later)


def soft(problem: Problem, plan: Plan) -> Found:
    """Soft tables by gradient (arXiv 2210.08277): first their means, then straight through their vertices, so nothing is lost."""
    gates = network(problem, plan)
    run, history = trained(gates, problem, plan)
    return Found(gates_of(gates, plan.relaxation, run.values, problem), "soft", history)


def trained(gates: Para, problem: Problem, plan: Plan) -> tuple[Run, tuple[Any, ...]]:
    """Both parts of soft training, on one schedule; the optimizer's states go on from the first to the second."""
    model = gates >> votes(gates.cod[0].size, problem.classes)
    size, epochs = lengths(problem, plan)
    first = round(epochs * (1 - plan.straight))
    data, held = reals(problem.x, problem.y), None if problem.held is None else reals(*problem.held)
    run, history = None, tuple[Any, ...]()
    for count, relaxation in ((first, plan.relaxation), (epochs - first, replace(plan.relaxation, straight=True))):
        if not count:
            continue
        learner = learner_of(model, relaxation, plan, epochs * ceil(len(problem.x) / size))
        run = learner.fit(
            data, epochs=count, batch_size=size, seed=plan.seed + len(history), start=None if run is None else run.values,
            validation_data=held, progress=plan.progress, backend=plan.backend,
            early_stopping=plan.stopping if relaxation.straight else None,
        )  # fmt: skip
        history += run.history
    return run, history  # pyright: ignore[reportReturnType]


def lengths(problem: Problem, plan: Plan) -> tuple[int, int]:
    """How many rows a step takes, and how many epochs make so many steps."""
    size = min(plan.batch_size, len(problem.x))
    return size, max(1, round(plan.steps / ceil(len(problem.x) / size)))


def reals(x: Numbers, y: Numbers) -> tuple[Numbers, Numbers]:
    return x.astype(np.float32), y.astype(np.int32)


def learner_of(model: Para, relaxation: Relaxation, plan: Plan, steps: int) -> Learner:
    soft_model = relaxed(model, relaxation, plan.temperature)
    return supervised(soft_model, cross_entropy, adam(cosine(plan.learning_rate, steps)), metrics=["accuracy"])


def gates_of(gates: Para, relaxation: Relaxation, values: Mapping[str, Any], problem: Problem) -> Circuit:
    """The circuit of a trained network whose logits are hardened."""
    return voted(gates, vertices(gates, relaxation, values), problem)


def voted(gates: Para, bits: Mapping[str, Any], problem: Problem) -> Circuit:
    """A network at its tables: base change to Z2, one gate for each, and the vote."""
    return export.network_circuit(export.to_gates(over(gates, Z2), bits, problem.inputs), problem.classes, problem.outputs)


def vertices(gates: Para, relaxation: Relaxation, values: Mapping[str, Any]) -> dict[str, Numbers]:
    """The bits that the logits of each table harden to, by name."""
    found: dict[str, Numbers] = {}
    for name, p in zip(gates.names, gates.params, strict=True):
        point = relaxation.hard(p)
        found[name] = program(point)({point.names[0]: values[name]})["output"]
    return found


# -- bits that flip ------------------------------------------------------------------------------------------------------


def flip(problem: Problem, plan: Plan) -> Found:
    """A network whose tables are bits from first to last: lifted flips, by what R over the reals says of each."""
    gates = network(problem, plan)
    model = soften(gates >> votes(gates.cod[0].size, problem.classes), temperature=FLIP_TEMPERATURE)
    size, epochs = lengths(problem, plan)
    rule = lifted_flip(linear_decay(FLIP_RATE, plan.steps))
    run = supervised(model, cross_entropy, rule, metrics=["accuracy"]).fit(
        reals(problem.x, problem.y), epochs=epochs, batch_size=size, seed=plan.seed, progress=plan.progress, backend=plan.backend,
        validation_data=None if problem.held is None else reals(*problem.held), early_stopping=plan.stopping,
    )  # fmt: skip
    bits = {name: run.values[name] for name in gates.names}
    return Found(voted(gates, bits, problem), "flip", run.history)


# -- polynomials modulo 2 ------------------------------------------------------------------------------------------------


def greedy(problem: Problem, plan: Plan) -> Found:
    """An algebraic normal form, a coefficient a step: the one whose flip repairs most rows and spoils fewest (GSAT)."""
    found = [polynomial(problem, plan, degree) for degree in degrees(problem)]
    best = max(found, key=lambda f: (problem.accuracy(f.circuit, held=True), problem.accuracy(f.circuit), -f.circuit.size))
    return best


def polynomial(problem: Problem, plan: Plan, degree: int) -> Found:
    outputs = len(problem.outputs)
    form = anf(problem.x.shape[1], degree, outputs, semiring=Z)
    learner = supervised(soften(form), hamming, gain(1), reduction="sum")
    rows = problem.x.astype(np.float32), one_hot(problem.y, problem).astype(np.float32)
    stop = early_stopping("loss", patience=1, min_delta=1e-6)
    how: dict[str, Any] = {"shuffle": False, "progress": False, "backend": plan.backend}
    run = learner.fit(rows, epochs=MOST_TERMS, batch_size=len(rows[0]), early_stopping=stop, **how)
    gates = export.to_gates(over(form, Z2), {"coefficients": run.values["coefficients"]}, problem.inputs)
    return Found(decoded(gates, problem), "anf", run.history)


def degrees(problem: Problem) -> list[int]:
    """The degrees at which the coefficients are few enough to try each flip on all rows."""
    bits, outputs, rows = problem.x.shape[1], len(problem.outputs), len(problem.x)
    found = [d for d in (1, 2, 3) if d <= bits and outputs * rows * sum(comb(bits, e) for e in range(d + 1)) <= MOST_PRODUCTS]
    if not found:
        raise Infeasible(f"{bits} bits of {rows} rows have too many products to try: use method 'soft', or fewer levels or columns")
    return found


def one_hot(y: Numbers, problem: Problem) -> Numbers:
    """The outputs that a circuit has for each class."""
    return y[:, None] if len(problem.outputs) == 1 else np.eye(problem.classes)[y]


def decoded(gates: Circuit, problem: Problem) -> Circuit:
    """Gates with an output for each class, of which the first that is 1 counts, and the last class where none is."""
    if len(problem.outputs) == 1:
        return gates.renamed(outputs=problem.outputs)
    made = Builder(gates.inputs)
    found, none = list[int](), 1
    for literal in made.inline(gates, made.literals)[:-1]:
        found.append(made.conj(none, literal))
        none = made.conj(none, literal ^ 1)
    return made.finish(problem.outputs, [*found, none])


# -- choosing ----------------------------------------------------------------------------------------------------------

METHODS: dict[str, Method] = {"anf": greedy, "flip": flip, "soft": soft}


def learn(problem: Problem, plan: Plan, method: str = "auto") -> Found:
    """The gates that a method finds; "auto" tries all, and takes the best on the rows held back, of equals the smallest.

    What was measured on rows held back is then learned again from all rows, unless it stops by them.
    """
    check(problem)
    if method != "auto" and method not in METHODS:
        raise BadValue(f"'{method}' is no way to learn a circuit; use auto or one of {listed(sorted(METHODS))}")
    tried = [METHODS[method](problem, plan)] if method != "auto" else list(attempts(problem, plan))
    if problem.held is None:
        return max(tried, key=lambda f: (problem.accuracy(f.circuit), -f.circuit.size))
    scores = [problem.accuracy(f.circuit, held=True) for f in tried]
    score, _, best = max(((s, -f.circuit.size, f) for s, f in zip(scores, tried, strict=True)), key=lambda t: t[:2])
    return replace(best if plan.stopping is not None else METHODS[best.method](problem.whole(), plan), score=score)


def attempts(problem: Problem, plan: Plan) -> Iterator[Found]:
    """What each method finds, of those that are feasible for so many bits."""
    for method in METHODS.values():
        try:
            yield method(problem, plan)
        except Infeasible:
            continue


class Infeasible(BadValue):
    """A method that would need too much for this problem."""


def check(problem: Problem) -> None:
    """Refuse what nothing can be learned from."""
    if not problem.x.shape[1]:
        raise BadValue("no feature tells the rows apart, so there is nothing to learn from: every column is constant")
    if len(problem.x) < 2:
        raise BadValue(f"a circuit is learned from two rows or more, got {len(problem.x)}")


def held_back(problem: Problem, share: float, seed: int) -> Problem:
    """The problem with a share of its rows held back, of every class in proportion; none where that would leave a part empty."""
    if not 0 < round(share * len(problem.x)) < len(problem.x):
        return problem
    (x, y), held = split((problem.x, problem.y), share, seed=seed)
    return replace(problem, x=x, y=y, held=held)
