"""Counting: for each bit of each weight, at how many examples the reverse derivative is 1, by one pass over the circuit."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from lensgrad.backends.engine import Backend
from lensgrad.cat.names import Role
from lensgrad.cat.para import Para
from lensgrad.core.errors import BadValue
from lensgrad.core.ty import Ty
from lensgrad.learn.batching import many
from lensgrad.learn.counts import counted, repairing
from lensgrad.program.compile import Port, Program
from lensgrad.program.values import Value, Values
from lensgrad.theories.poly.circuit import Vector
from lensgrad.theories.poly.semiring import Z


def counts(model: Para, weights: Mapping[str, Any], x: Any, covector: Any, backend: str | Backend = "auto") -> Values:
    """For each entry of each weight, R[model] at it summed over the examples as whole numbers; of bits, how many are 1.

    model : (P, A → B) over a semiring; `x` holds a row of A for each example and `covector` one of ΔB. With the errors of a
    model over Z2 as covector the counts say how many examples flipping each bit repairs, with 1 + error how many it spoils.
    Modulo 2 they are the gradient of the batch. A parameter of role data is given in `weights` with a row for each example.
    """
    return counting(model, examples(covector), backend)({**weights, "input": x, "covector": covector})


def make_break(model: Para, weights: Mapping[str, Any], x: Any, y: Any, backend: str | Backend = "auto") -> tuple[Values, Values]:
    """For each bit of each weight of a model over Z2: how many wrong outputs flipping it repairs, and how many right ones it spoils.

    `y` holds the wanted outputs, a row for each example. First-order: exact for a bit that comes into one
    output, and into it multilinearly; where it comes into more, changes of an even number of them cancel, as they do in R.
    """
    found = repairs(model, examples(y), backend)({**weights, "input": x, "wanted": y})
    names = [name for name, p in zip(model.names, model.params, strict=True) if p.role is Role.WEIGHT]
    return {n: found[n] for n in names}, {n: found[f"spoiled {n}"] for n in names}


def examples(rows: Value) -> int:
    """How many examples there are."""
    shape = np.shape(rows[0] if isinstance(rows, tuple) else rows)
    if len(shape) != 2 or not shape[0]:
        raise BadValue(f"counts need a row for each example, got an array of shape {shape}")
    return shape[0]


@lru_cache(maxsize=8)
def counting(model: Para, n: int, backend: str | Backend = "auto") -> Program:
    """`counts` of n examples as a program: the weights by name, `input` and `covector` to the counts of the weights."""
    inputs = [*given(model, n), Port("covector", many(model.cod, n))]
    return Program(tuple(inputs), tuple(told(model)), counted(model, n), backend)


@lru_cache(maxsize=8)
def repairs(model: Para, n: int, backend: str | Backend = "auto") -> Program:
    """`make_break` of n examples as a program: the weights by name, `input` and `wanted` to the counts of both."""
    inputs = [*given(model, n), Port("wanted", many(model.cod, n))]
    return Program(tuple(inputs), (*told(model), *told(model, "spoiled ")), repairing(model, n), backend)


def given(model: Para, n: int) -> list[Port]:
    """The parameters by name, those of role data with a row for each example, and the input."""
    pairs = zip(model.names, model.params, strict=True)
    ports = [Port(name, many(p.ob, n) if p.role is Role.DATA else p.ob, p.role) for name, p in pairs]
    return [*ports, *([Port("input", many(model.dom, n))] if len(model.dom) else [])]


def told(model: Para, prefix: str = "") -> list[Port]:
    """A count for each entry of each weight."""
    pairs = zip(model.names, model.params, strict=True)
    return [Port(f"{prefix}{name}", whole(p.ob), p.role) for name, p in pairs if p.role is Role.WEIGHT]


def whole(ob: Ty) -> Ty:
    """The same sizes over Z."""
    return Ty(tuple(Vector(Z, a.size) for a in ob))
