"""Circuits that learn: parametric arrows over a semiring."""

from __future__ import annotations

from typing import Any

from lensgrad.cat.names import Param
from lensgrad.core.checks import whole
from lensgrad.core.trace import trace
from lensgrad.learn import init
from lensgrad.learn.circuits.forms import LARGEST, feasible, sizes
from lensgrad.learn.model import Model, parametric
from lensgrad.theories.bridges import BruteForce, Indicator, Values
from lensgrad.theories.poly.circuit import Bits, concatenate, minterms, total
from lensgrad.theories.poly.semiring import Z2
from lensgrad.theories.smooth import ops


def lookup(inputs: int, outputs: int = 1) -> Model:
    """A lookup table of 2^inputs rows as a polynomial : Z2^a → Z2^b (arXiv 2101.10488, the eval model).

    The parameter `table` holds the rows of each output, one output after the other; row s is read at the input whose
    bits spell s, first bit first. One step of reverse derivative ascent sets the row of its example to the label.
    """
    inputs, outputs = whole("inputs of a lookup table", inputs, 1, 20), whole("outputs of a lookup table", outputs, 1, 2**20)
    feasible("a lookup table", outputs * 2**inputs)
    rows, ob = 2**inputs, Bits(outputs * 2**inputs)

    def body(table: Any, x: Any) -> Any:
        basis = minterms(x)
        return concatenate([total(table[k * rows : (k + 1) * rows] * basis) for k in range(outputs)])

    return parametric([Param("table", ob, init=init.zeros(ob))], Bits(inputs), body).told("lookup")


def pseudo_linear(inputs: int, n: int) -> Model:
    """[|p ∧ x| ≤ |p| div n] : Z2ᵃ → Z2, with |·| the number of ones and p the weight `mask`, which starts at 0 (arXiv 2101.10488).

    It is no polynomial circuit with a derivative of any use: its reverse is by brute force, a flip of each bit in turn.
    """
    (inputs,), n = sizes("the pseudo-linear model", inputs=inputs), whole("the n that the pseudo-linear model divides by", n, 1, LARGEST)
    ob = Bits(inputs)

    def body(mask: Any, x: Any) -> Any:
        chosen = Values("float32")(mask)
        ones, both = ops.sum_over(chosen, -1), ops.sum_over(chosen * Values("float32")(x), -1)
        return Indicator(Z2)(ops.reshape(both <= ops.floor(ones * (1.0 / n) + 0.5 / n), 1))

    arrow = trace(BruteForce(trace(body, ob, ob)), ob, ob)
    return Model.make([Param("mask", ob, init=init.zeros(ob))], arrow).told("pseudo_linear")
