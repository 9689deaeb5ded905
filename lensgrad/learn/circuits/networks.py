"""Networks of lookup tables with fixed wiring: the models of logic-gate learning (arXiv 2210.08277), written once over Z."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from lensgrad.cat.names import Param
from lensgrad.core.checks import listing, shown, whole
from lensgrad.core.errors import BadValue
from lensgrad.core.trace import trace
from lensgrad.learn import init
from lensgrad.learn.circuits.forms import LARGEST, feasible, given_semiring
from lensgrad.learn.circuits.wiring import Wiring, layer_sizes, wired
from lensgrad.learn.model import Model, para, parametric
from lensgrad.theories.poly.circuit import Bits, gather, scatter
from lensgrad.theories.poly.semiring import Semiring, Z


def lut_layer(inputs: int, gates: int, k: int = 2, seed: int = 0, wiring: Any = None, semiring: Semiring = Z) -> Model:
    """Gates that each look k of the inputs up in a truth table : Sᵃ → Sᵍ, as polynomials (lookup-table networks, arXiv 2210.08277).

    The weight `table` : S^(2ᵏ·g) has entry s of gate j at s·g + j, where the first input of a gate is the highest bit of s. Each
    gate is a tree of multiplexers, low + x (high − low), which is linear in every table entry and in every input. `wiring` has a row
    of k input numbers for each gate; without it each gate reads k random inputs, drawn from `seed`. Tables start with random bits.
    """
    semiring, (inputs, gates, k) = given_semiring(semiring), layer_sizes(inputs, gates, k)
    feasible("a layer of gates", gates << k)
    columns = wired(inputs, gates, k, seed, wiring)
    ob = Bits(gates << k, semiring)
    return parametric([Param("table", ob, init=init.bits(ob))], Bits(inputs, semiring), lambda t, x: multiplexed(t, x, columns)).told(
        "lut_layer"
    )


def multiplexed(table: Any, x: Any, columns: Wiring) -> Any:
    """The entry of each gate that its inputs choose; the first input halves what is left of every table."""
    for column in columns:
        half = table.atom.size // 2
        low, high = table[:half], table[half:]
        table = low + gather(x, column * (half // len(column))) * (high - low)
    return table


def votes(bits: int, classes: int, semiring: Semiring = Z) -> Model:
    """How many bits of each class are 1 : Sⁿ → Sᶜ; bits stand class by class. The answer is the first class with the most votes."""
    semiring, bits = given_semiring(semiring), whole("the number of bits that vote", bits, 1, LARGEST)
    classes = whole("the number of classes", classes, 1)
    if bits % classes:
        raise BadValue(f"{bits} bits cannot vote for {classes} classes: give each class equally many, so a multiple of {classes} gates")
    if semiring.finite and semiring.size <= bits // classes:
        raise BadValue(f"{semiring} cannot count {bits // classes} votes for a class: count over Z, or in a semiring of more elements")
    places = [i * classes // bits for i in range(bits)]
    return para(trace(lambda x: scatter(x, places, classes), Bits(bits, semiring))).told("votes")


def lut_network(inputs: int, layers: Sequence[int], classes: int | None = None, k: int = 2, seed: int = 0, semiring: Semiring = Z) -> Model:
    """Layers of so many gates one after the other, layer i drawn from `seed` + i : Sᵃ → Sᶜ, the votes for each class.

    Without classes it ends with the bits of the last layer : Sᵃ → Sᵍ. Its weights are `layer0/table`, `layer1/table`, …
    """
    found = listing("layers of a network of lookup tables", layers, "a list of sizes, as in layers=[64, 64]")
    if not found:
        raise BadValue(f"a network of lookup tables must have one layer or more, as in layers=[64, 64], got {shown(layers)}")
    sizes, seed = [inputs, *found], whole("seed", seed)
    made = [lut_layer(a, g, k, seed + i, semiring=semiring).scope(f"layer{i}") for i, (a, g) in enumerate(pairwise(sizes))]
    network = made[0].then(*made[1:])
    return network if classes is None else network >> votes(sizes[-1], classes, semiring)
