"""Arithmetic in gates: counting ones, comparing numbers, and the class with the most votes."""

from __future__ import annotations

from collections.abc import Sequence

from lensgrad.circuits.gates.circuit import Builder, Circuit, given_circuit, names_for
from lensgrad.core.checks import listing, whole
from lensgrad.core.errors import BadValue

MOST_BITS = 1 << 24  # that vote: their names alone are a gigabyte
Number = list[int]  # literals of a number's bits, least first


def add_bits(made: Builder, a: int, b: int, c: int) -> tuple[int, int]:
    """A full adder: the sum and the carry of three bits."""
    half = made.xor(a, b)
    return made.xor(half, c), made.disj(made.conj(a, b), made.conj(half, c))


def count(made: Builder, bits: Sequence[int]) -> Number:
    """How many of the bits are 1: columns of equal weight, three of one giving one there and one in the next."""
    columns, found = [list(bits)], Number()
    for place in range(len(bits).bit_length()):
        column, carries = columns[place], list[int]()
        while len(column) > 1:
            taken, column = column[:3], column[3:]
            low, high = add_bits(made, *taken, *[0] * (3 - len(taken)))
            column.append(low)
            carries.append(high)
        found += column or [0]
        columns.append(carries)
    return found


def exceeds(made: Builder, a: Number, b: Number) -> int:
    """a > b, of two numbers; the shorter is filled with zeros."""
    size, found = max(len(a), len(b)), 0
    for x, y in zip(a + [0] * (size - len(a)), b + [0] * (size - len(b)), strict=True):
        found = made.choose(made.xor(x, y), x, found)
    return found


def first_largest(made: Builder, numbers: Sequence[Number]) -> list[int]:
    """One bit for each number, 1 at the first of the largest: a tournament, so its depth grows with the logarithm."""
    round_: list[tuple[Number, dict[int, int]]] = [(n, {k: 1}) for k, n in enumerate(numbers)]
    while len(round_) > 1:
        round_ = [duel(made, *round_[k : k + 2]) if k + 1 < len(round_) else round_[k] for k in range(0, len(round_), 2)]
    return [round_[0][1][k] for k in range(len(numbers))]


def duel(made: Builder, left: tuple[Number, dict[int, int]], right: tuple[Number, dict[int, int]]) -> tuple[Number, dict[int, int]]:
    """The larger of two numbers, the left of equal ones, and who of those behind it is still in."""
    (a, ahead), (b, behind) = left, right
    wins, size = exceeds(made, b, a), max(len(a), len(b))
    a, b = a + [0] * (size - len(a)), b + [0] * (size - len(b))
    best = [made.choose(wins, y, x) for x, y in zip(a, b, strict=True)]
    still = {k: made.conj(v, wins ^ 1) for k, v in ahead.items()} | {k: made.conj(v, wins) for k, v in behind.items()}
    return best, still


def vote(bits: int, classes: int, inputs: Sequence[str] | None = None, outputs: Sequence[str] | None = None) -> Circuit:
    """𝔹ⁿ → 𝔹ᶜ: bits stand class by class, and the output of the first class with the most ones is 1. Two classes have one output."""
    bits, classes = whole("the number of bits that vote", bits, 1, MOST_BITS), whole("the number of classes", classes, 2)
    if bits % classes:
        raise BadValue(f"{bits!r} bits cannot vote for {classes!r} classes: there are two classes or more, and each has equally many bits")
    made, each = Builder(names_for("input", inputs, "i", bits)), bits // classes
    counts = [count(made, made.literals[k * each : (k + 1) * each]) for k in range(classes)]
    found = [exceeds(made, counts[1], counts[0])] if classes == 2 else first_largest(made, counts)
    return made.finish(names_for("output", outputs, "o", len(found)), found)


def chained(first: Circuit, second: Circuit) -> Circuit:
    """second ∘ first, where the outputs of the first are the inputs of the second, by name."""
    for what, circuit in (("the first circuit", first), ("the second circuit", second)):
        given_circuit(what, circuit)
    absent = set(second.inputs) - set(first.outputs)
    if absent:
        raise BadValue(f"the second circuit reads '{sorted(absent)[0]}', which the first does not give")
    made = Builder(first.inputs)
    given = dict(zip(first.outputs, made.inline(first, made.literals), strict=True))
    return made.finish(second.outputs, made.inline(second, [given[name] for name in second.inputs]))


def side_by_side(parts: Sequence[Circuit]) -> Circuit:
    """The outputs of circuits of the same inputs, as one circuit."""
    parts = [given_circuit("each part", p) for p in listing("what is put side by side", parts, "a list of circuits")]
    if not parts:
        raise BadValue("nothing is put side by side: give one circuit or more, of the same inputs")
    made = Builder(parts[0].inputs)
    literals = dict(zip(made.inputs, made.literals, strict=True))
    strange = next((name for part in parts for name in part.inputs if name not in literals), None)
    if strange is not None:
        raise BadValue(f"circuits side by side have the same inputs, and the first has no '{strange}': rename the inputs of one")
    outputs = [name for part in parts for name in part.outputs]
    return made.finish(outputs, [x for part in parts for x in made.inline(part, [literals[name] for name in part.inputs])])


def network_circuit(gates: Circuit, classes: int, outputs: Sequence[str] | None = None) -> Circuit:
    """Gates whose outputs vote, class by class, with the vote behind them."""
    given_circuit("the gates that vote", gates)
    return chained(gates, vote(len(gates.outputs), classes, gates.outputs, outputs))
