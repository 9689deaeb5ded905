"""This library on one of its backends: bare steps as `fit` runs them, and calls of `fit` itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.race.contract import Array, Arrays
from benchmarks.race.contract import Peer as AnyPeer
from benchmarks.race.peers import ours_models as models
from benchmarks.race.workloads import GRAPH, Workload
from lensgrad.train.evaluation import predictions

PACKAGES = ("lensgrad", "numpy")


def rows_of(workload: Workload, data: Arrays) -> dict[str, Array]:
    """The data of an epoch by our names, one row a step; a batch of one is one example."""
    if workload.name == "W6":
        known = np.arange(GRAPH.nodes) < GRAPH.known
        whole = {name: data[name][None] for name in ("source", "target", "weight")}
        return {"x": data["x"], "y": data["y"], "known": known[None], **whole}
    return {name: data[name][:, 0] if workload.batch == 1 else data[name] for name in ("x", "y")}


class Ours:
    """What bare steps and `fit` have alike."""

    def __init__(self, workload: Workload, backend: str, data: Arrays, start: Arrays) -> None:
        self.backend, self.steps = backend, workload.steps
        self.batch = None if workload.batch == 1 or workload.name == "W6" else workload.batch
        self.learner, self.start = models.learner(workload), models.start(workload, start)
        self.rows = rows_of(workload, data)
        self.prepare(workload)
        self.reset()

    def prepare(self, workload: Workload) -> None:
        """What is made once."""

    def reset(self) -> None:
        raise NotImplementedError

    def values(self) -> dict[str, Any]:
        """What there is now, by name."""
        raise NotImplementedError

    def weights(self) -> Sequence[Array]:
        now = self.values()
        return [np.array(now[name]) for name in self.start]

    def predict(self, x: Array) -> Array:
        raise NotImplementedError


class Bare(Ours):
    """Steps as a loop of the backend, with data that lie where it wants them and without the checks and reports of `fit`."""

    def prepare(self, workload: Workload) -> None:
        self.program = self.learner.step(self.batch, self.backend)
        own = () if workload.name == "W6" else tuple(self.rows)  # a graph stays where it is
        self.iteration = self.program.iteration(own)
        given = self.rows if own else {name: v[0] for name, v in self.rows.items()}
        held = {**self.learner.initial(0, self.start), **given}
        self.inputs = [held[port.name] for port in self.program.inputs]
        place, loop = self.program.engine.place, self.iteration.loop
        self.fixed = [place(self.inputs[i]) for i in loop.fixed]
        own_rows = [self.inputs[i] for i in loop.rows]
        if getattr(self.iteration, "one_program", False):
            self.parts = self.filled(own_rows, workload.at_once)
            self.quantum, self.at_once = self.steps, sum(n for _, n in self.parts)
        else:
            self.parts = [([np.concatenate([r] * workload.at_once) for r in own_rows], self.steps * workload.at_once)]
            self.quantum, self.at_once = 1, self.parts[0][1] if self.backend == "native" else 1

    def filled(self, rows: Sequence[Array], at_once: int) -> list[tuple[list[Any], int]]:
        """The data of calls in a row, filled up to what a program is compiled for, with the steps of each: epochs, or parts of one."""
        most, place = self.iteration.most, self.program.engine.place
        if most >= self.steps:
            epochs = min(at_once, most // self.steps)
            return [([place(filled(np.concatenate([r] * epochs), most)) for r in rows], self.steps * epochs)]
        sizes = [(k, min(most, self.steps - k)) for k in range(0, self.steps, most)]
        return [([place(filled(r[k : k + n], most)) for r in rows], n) for k, n in sizes]

    def reset(self) -> None:
        self.at = 0
        self.states = [self.program.engine.place(self.inputs[i]) for i in self.iteration.loop.states]

    def run(self, n: int) -> float:
        seen = list[Any]()
        while n:
            for rows, most in self.parts:
                k = min(most - self.at, n)
                part = [r[self.at :] for r in rows] if self.at else rows
                self.states, seen = self.iteration.run(self.states, self.fixed, part, k)
                self.at, n = (self.at + k) % most if self.quantum == 1 else 0, n - k
        return float(np.mean(seen[0][-1]))

    def values(self) -> dict[str, Any]:
        ports = [self.program.inputs[i].name for i in self.iteration.loop.states]
        return dict(zip(ports, map(self.program.engine.fetch, self.states), strict=True))

    def predict(self, x: Array) -> Array:
        """The model as a program of the backend."""
        return np.asarray(self.learner.predictor(len(x), self.backend)({**self.start, "x": x})["output"])


class Fit(Ours):
    """Calls of `fit`, each for as many epochs as are asked for: checks, the guard and the history included."""

    def prepare(self, workload: Workload) -> None:
        self.quantum, self.at_once = self.steps, self.steps * workload.at_once
        if self.batch is not None:
            self.rows = {name: v.reshape(-1, *v.shape[2:]) for name, v in self.rows.items()}

    def reset(self) -> None:
        self.run_: Any = None

    def values(self) -> dict[str, Any]:
        return self.start if self.run_ is None else self.run_.values

    def run(self, n: int) -> float:
        how: dict[str, Any] = {"epochs": n // self.steps, "progress": False}
        if self.run_ is None:
            own = {"batch_size": self.batch, "shuffle": False, "start": self.start, "backend": self.backend}
            self.run_ = self.learner.fit(self.rows, **how, **own)
        else:
            self.run_ = self.run_.fit(self.rows, **how)
        return float("nan")  # its history has means over epochs, so weights are compared instead

    def predict(self, x: Array) -> Array:
        """As `run.predict` does, which chooses for itself what is worth compiling."""
        return np.asarray(predictions(self.learner, self.start, x, len(x), self.backend))


def filled(rows: Array, most: int) -> Array:
    """Rows up to the number that a program is compiled for."""
    missing = max(0, most - len(rows))
    return np.concatenate([rows, np.zeros((missing, *rows.shape[1:]), rows.dtype)])


def make(workload: Workload, variant: str, data: Arrays, start: Arrays) -> AnyPeer:
    backend, _, how = variant.partition(" ")
    return (Fit if how == "fit" else Bare)(workload, backend, data, start)
