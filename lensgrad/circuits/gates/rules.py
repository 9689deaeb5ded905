"""What a small circuit says, in words: the sum of few products that it equals, and the rows that an encoder can give."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import combinations, pairwise
from operator import and_

from lensgrad.circuits.gates.circuit import Builder, Circuit, pattern
from lensgrad.circuits.gates.functions import Cube, cover, ones
from lensgrad.circuits.gates.simplify import FEW_INPUTS, check_care, matched
from lensgrad.data.encode import Encoder, OneHot

MOST_PRODUCTS = 12  # of a rule that can still be read
LONGEST = 3  # literals of a product that is looked for anew


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
    lines = [line_of(name, table, cared, circuit.inputs, most) for name, table in zip(circuit.outputs, circuit.tables(), strict=True)]
    return None if None in lines else "\n".join(filter(None, lines))


def line_of(name: str, table: int, cared: int, inputs: Sequence[str], most: int) -> str | None:
    """One output as the shorter of a sum of products and the negation of one."""
    ways = [shortened(t & cared, t | ones(len(inputs)) & ~cared, len(inputs), most) for t in (table, ones(len(inputs)) & ~table)]
    shorter = min(ways, key=lambda cubes: (len(cubes), sum(map(len, cubes))))
    if len(shorter) > most:
        return None
    told = sum_of(shorter, inputs)
    return f"{name} = {told if shorter is ways[0] else f'not ({told})' if shorter else '1'}"


def shortened(least: int, wide: int, n: int, most: int) -> list[Cube]:
    """Products of a function between two, each with as few literals as say the same on the rows that count, wanted ones first."""
    cubes = cover(least, wide, n)
    if len(cubes) > most:
        return cubes
    literals = [pattern(x >> 1, n) ^ (ones(n) if x & 1 else 0) for x in range(2 * n)]
    return list(dict.fromkeys(fewest(cube, least, wide, literals) for cube in cubes))


def fewest(cube: Cube, least: int, wide: int, literals: Sequence[int]) -> Cube:
    """The smallest product, of plain inputs where there is a choice, that covers what a cube does and nothing that is 0."""
    rows = least
    for x in cube:
        rows &= literals[x]
    holding = sorted((x for x, table in enumerate(literals) if not rows & ~table), key=lambda x: (x & 1, x))
    for size in range(1, min(len(cube), LONGEST) + 1):
        for chosen in combinations(holding, size):
            if not reduce(and_, (literals[x] for x in chosen)) & ~wide:
                return frozenset(chosen)
    return cube


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
