"""What a small circuit says, in words: the sum of few products that it equals, and the rows that an encoder can give."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from lensgrad.export.circuit import Builder, Circuit
from lensgrad.export.functions import Cube, cover, ones
from lensgrad.export.simplify import FEW_INPUTS, check_care, matched
from lensgrad.run.data.encode import Encoder, OneHot

MOST_PRODUCTS = 12  # of a rule that can still be read


def rule(circuit: Circuit, care: Circuit | None = None, most: int = MOST_PRODUCTS) -> str | None:
    """Each output as `name = a & ~b | c`, or `name = not (…)` where that is shorter; None where it needs more products than `most`.

    With `care` the rule counts only where that is 1. At most 17 inputs, since it is found from the truth table.
    """
    if care is not None:
        check_care(circuit, care)
        care = matched(care, circuit)
    n = len(circuit.inputs)
    if n > FEW_INPUTS:
        return None
    cared = ones(n) if care is None else care.tables()[0]
    lines: list[str] = []
    for name, table in zip(circuit.outputs, circuit.tables(), strict=True):
        true, false = cover(table & cared, table | ones(n) & ~cared, n), cover(~table & cared, ones(n) & ~(table & cared), n)
        shorter = min((true, false), key=lambda cubes: (len(cubes), sum(map(len, cubes))))
        if len(shorter) > most:
            return None
        told = sum_of(shorter, circuit.inputs)
        lines.append(f"{name} = {told if shorter is true else f'not ({told})'}")
    return "\n".join(lines)


def sum_of(cubes: Sequence[Cube], names: Sequence[str]) -> str:
    """Products with | between, the shortest first."""
    products = sorted((sorted(cube) for cube in cubes), key=lambda cube: (len(cube), cube))
    return " | ".join(" & ".join("~" * (x & 1) + names[x >> 1] for x in cube) or "1" for cube in products) or "0"


def possible(encoder: Encoder) -> Circuit:
    """The rows of bits that an encoder can give, as a care set: one word of each column, thermometers without gaps."""
    made = Builder(encoder.names)
    literals, parts, start = made.literals, list[int](), 0
    for column in encoder.columns:
        bits = literals[start : (start := start + len(column.names))]
        if isinstance(column, OneHot):
            parts += [made.any(bits), *(made.conj(a, b) ^ 1 for k, a in enumerate(bits) for b in bits[:k])]
        else:
            parts += [made.conj(low ^ 1, high) ^ 1 for low, high in pairwise(bits)]
    return made.finish(["care"], [made.all(parts)])
