"""And-inverter graphs on the lanes, as they are in files: pairs of literals, without a diagram between."""

from __future__ import annotations

from typing import Any

import numpy as np

from lensgrad.backends.native.compiler import library
from lensgrad.backends.native.lanes.fuse import IN, MAC, OUT, PUT
from lensgrad.backends.native.lanes.kernel import LANES
from lensgrad.backends.native.lanes.lower import Program
from lensgrad.backends.native.lanes.machine import Machine
from lensgrad.theories.poly.semiring import Z2

Numbers = np.ndarray[Any, Any]


def evaluated(ands: Numbers, roots: Numbers, x: Numbers) -> Numbers | None:
    """Rows of inputs to rows of outputs, in zeros and ones; None where no compiler is. Literals are as in AIGER files."""
    made = library(LANES[Z2].name)
    if made is None:
        return None
    machine = Machine(program(ands, roots, x.shape[1]), LANES[Z2], made, len(x))
    out = machine.room(len(roots))
    machine.run(np.array([0, 2**64 - 1], np.uint64), [machine.packed(x)], [out], np.zeros(0, np.int64), (0, len(x)))
    return machine.unpacked(out)


def program(ands: Numbers, roots: Numbers, inputs: int) -> Program:
    """Each AND as one a × b + c, or two where both inputs are inverted: one kind of instruction, so nothing is decided between gates.

    Elements are the constants 0 and 1, the inputs, the ANDs, and room for what is inverted: (1 + a) b = a b + b and 1 + a = a × 1 + 1.
    """
    variables = 1 + inputs + len(ands)
    zero, one, element = 2, 3, np.arange(3, 3 + variables)  # of each variable
    element[0] = zero
    sides, signs = element[ands >> 1], ands & 1
    first = signs[:, 0] >= signs[:, 1]
    a, b = np.where(first, sides[:, 0], sides[:, 1]), np.where(first, sides[:, 1], sides[:, 0])  # an inverted input alone is a
    inverted = 3 + variables + np.arange(len(ands))
    both, single = signs.all(1), signs.any(1)
    gates = np.zeros((len(ands), 2, 4), np.int32)
    gates[:, 0] = columns(inverted, a, one, one)
    gates[:, 1] = columns(element[1 + inputs :], np.where(both, inverted, a), b, np.where(both, inverted, np.where(single, b, zero)))
    ends, turned = element[roots >> 1], (roots & 1).astype(bool)
    last = 3 + variables + len(ands) + np.arange(len(roots))
    steps = [
        (PUT, np.array([[zero, 0, 0, 0], [one, 1, 0, 0]])),
        (IN, columns(element[1 : 1 + inputs], 0, np.arange(inputs))),
        (MAC, gates[np.stack([both, np.ones_like(both)], 1)]),
        (MAC, columns(last, ends, one, one)[turned]),
        (OUT, columns(0, np.where(turned, last, ends), np.arange(len(roots)))),
    ]
    kinds = np.concatenate([np.full(len(code), kind, np.uint8) for kind, code in steps])
    code = np.concatenate([code for _, code in steps]).astype(np.int32)
    return Program(kinds, code, 2, 3 + variables + len(ands) + len(roots), np.array([0, 1]), (None,), 0)


def columns(*parts: Any) -> Numbers:
    """Instructions from their operands."""
    parts = np.broadcast_arrays(*parts, *[0] * (4 - len(parts)))
    return np.stack([np.atleast_1d(p) for p in parts], 1)
