"""Searches that follow no gradient: for the weights of a circuit, and for an input that satisfies one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lensgrad.cat.para import Para, parametrized
from lensgrad.circuits.gates.functions import zeros_and_ones
from lensgrad.circuits.learning.affine import pair
from lensgrad.core.checks import instance, listing, whole
from lensgrad.core.errors import BadValue, listed
from lensgrad.learn.circuits import satisfying, searching, soften
from lensgrad.program.compile import compile as compile_closed
from lensgrad.program.values import initial


@dataclass(frozen=True)
class Search:
    """What a search ended with: the bits by name, the number of errors before each step, and whether there are none left."""

    bits: Mapping[str, np.ndarray[Any, Any]]
    history: tuple[int, ...]

    def __post_init__(self) -> None:
        instance("the bits of a search", self.bits, Mapping, "a dict by name")
        counts = listing("the history of a search", self.history, "a list of whole numbers, the errors before each step")
        if not counts:
            raise BadValue("the history of a search must have the number of errors before each step, one step or more, got none")
        object.__setattr__(self, "history", tuple(whole("a number of errors", n) for n in counts))

    @property
    def solved(self) -> bool:
        return self.history[-1] == 0


def search(
    model: Para, data: Any, *, steps: int = 1000, noise: float = 0.3, seed: int = 0, start: Mapping[str, Any] | None = None
) -> Search:
    """Weights of a model over Z such that f(w, x) = y for all rows (x, y), by WalkSAT: one flip a step, led by one wrong row.

    It ends when no row is wrong, or after so many steps; it starts at `start`, or where the model does.
    """
    model = parametrized("the model of a search", model)
    x, y = (bits(name, part) for name, part in zip("xy", pair(data), strict=True))
    y, first = y.reshape(len(y), -1), named("start", start, model.names)
    return walked(searching(soften(model), len(x), noise), {"x": x, "y": y}, model.names, steps, seed, first)


def satisfy(
    circuit: Para, weights: Mapping[str, Any] | None = None, y: Any = None, *, steps: int = 1000, noise: float = 0.3, seed: int = 0
) -> Search:
    """A dream of bits: an input `x` at which a circuit over Z has the result y, else all ones (arXiv 2404.00408, example 4.5).

    `weights` are those of the circuit, by name. Every bit of the result is a clause of its own; x starts at random.
    """
    circuit, seed = parametrized("the circuit to satisfy", circuit), whole("seed", seed)
    soft, m = soften(circuit), circuit.cod[0].size
    wanted = np.ones(m) if y is None else bits("y", y).reshape(-1)
    if wanted.shape != (m,):
        raise BadValue(f"the result of this circuit has {m} bits, and y has {wanted.size}")
    inputs: int = circuit.dom[0].size
    first = np.random.default_rng(seed).integers(0, 2, inputs)
    data = {**named("weights", weights, circuit.names), "which": np.eye(m), "y": np.tile(wanted, (m, 1))}
    return walked(satisfying(soft, noise), data, ("x",), steps, seed, {"x": first})


def bits(name: str, given: Any) -> np.ndarray[Any, Any]:
    """Numbers that are 0 or 1, checked: any other would be counted as what it is not."""
    return zeros_and_ones(f"'{name}'", given).astype(np.float32)


def named(what: str, values: Mapping[str, Any] | None, names: Sequence[str]) -> dict[str, Any]:
    """Bits by the names of a model's weights, checked."""
    given: Mapping[str, Any] = {} if values is None else values
    instance(what, given, Mapping, "a dict of bits by name")
    strange = [n for n in given if n not in names]
    if strange:
        raise BadValue(f"{what} names '{strange[0]}', which this model has not; its weights are: {listed(list(names))}")
    return {n: bits(n, v) for n, v in given.items()}


def walked(closed: Para, data: Mapping[str, Any], names: tuple[str, ...], steps: int, seed: int, start: Mapping[str, Any]) -> Search:
    """Steps of a closed lens until it observes no error."""
    steps = whole("the number of steps of a search", steps, 1)
    step, history = compile_closed(closed), list[int]()
    values = {**initial(closed.params, seed, (*data, *start)), **data, **start}
    for _ in range(steps):
        seen = step(values)
        history.append(int(np.sum(seen["loss"])))
        if not history[-1]:
            break
        values.update({n: v for n, v in seen.items() if n in values})
    return Search({n: np.asarray(values[n]).astype(np.uint8) for n in names}, tuple(history))
