"""Networks of two-input gates that vote: trained softly and hardened, or bits that flip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from math import ceil
from typing import Any

import numpy as np

from lensgrad.cat.para import Para
from lensgrad.circuits.gates.circuit import Circuit
from lensgrad.circuits.gates.functors import to_gates
from lensgrad.circuits.gates.votes import network_circuit
from lensgrad.circuits.learning.learned import decided
from lensgrad.circuits.learning.problem import Found, Numbers, Plan, Problem, lengths
from lensgrad.core.errors import CheckFailed
from lensgrad.learn.batching import batch
from lensgrad.learn.circuits import lifted_flip, over, soften, votes
from lensgrad.learn.circuits.networks import lut_layer, lut_network
from lensgrad.learn.circuits.soft import Relaxation, relaxed
from lensgrad.learn.losses import cross_entropy
from lensgrad.learn.optimizers import adam
from lensgrad.learn.rates import cosine, linear_decay
from lensgrad.program.compile import program
from lensgrad.theories.poly.semiring import Z2
from lensgrad.train.learner import Learner, supervised
from lensgrad.train.run import Run

FLIP_RATE, FLIP_TEMPERATURE = 0.01, 6.0
SQUARE = 1000  # rows on which a hardened circuit is compared with its network


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
    circuit = gates_of(gates, plan.relaxation, run.values, problem)
    check_square(gates, circuit, run.values, problem, plan)
    return Found(circuit, "soft", history)


def check_square(gates: Para, circuit: Circuit, values: Mapping[str, Any], problem: Problem, plan: Plan) -> None:
    """Refuse a circuit that decides otherwise, on the first rows it learned from, than the network in Smooth does at its vertices."""
    rows = problem.x[:SQUARE]
    model = gates >> votes(gates.cod[0].size, problem.classes)
    sharp = batch(relaxed(model, replace(plan.relaxation, straight=True), plan.temperature), len(rows))
    found = program(sharp, plan.backend)({**{n: values[n] for n in sharp.names}, "input": rows.astype(np.float32)})["output"]
    differ = int((np.asarray(found).argmax(1) != decided(circuit.run(rows))).sum())
    if differ:
        told = f"the hardened circuit decides {differ} of {len(rows)} rows otherwise than its network at bits"
        raise CheckFailed(f"{told}: this is a defect of lensgrad, please report it")


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
    return network_circuit(to_gates(over(gates, Z2), bits, problem.inputs), problem.classes, problem.outputs)


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
