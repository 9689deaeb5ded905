"""What a small circuit says, in words: the sum of few products that it equals, and the rows that an encoder can give."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import combinations, pairwise

from lensgrad.circuits.gates.circuit import Builder, Circuit, given_circuit, names_in, pattern
from lensgrad.circuits.gates.encoders import given_encoder
from lensgrad.circuits.gates.functions import Cube, cover, ones
from lensgrad.circuits.gates.simplify import FEW_INPUTS, check_care, matched
from lensgrad.core.checks import whole
from lensgrad.data.encode import Encoder, OneHot

MOST_PRODUCTS = 12  # of a rule that can still be read
LONGEST = 3  # literals of a product that is looked for anew


def rule(circuit: Circuit, care: Circuit | None = None, most: int = MOST_PRODUCTS) -> str | None:
    """Each output as `name = a & ~b | c`, or `name = not (…)` where that is shorter; None where it needs more products than `most`.

    With `care` the rule counts only where that is 1. It is found from a truth table: of all inputs up to 17, else of those that the
    circuit reads, with a care set on these, or on none.
    """
    circuit, most = given_circuit("what a rule tells", circuit), whole("the most products of a rule", most)
    if care is not None:
        given_circuit("the care set of a rule", care)
    if len(circuit.inputs) > FEW_INPUTS:
        circuit = reading(circuit)
        care = None if care is None or set(care.inputs) != set(circuit.inputs) else care
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
            if not reduce(int.__and__, (literals[x] for x in chosen)) & ~wide:
                return frozenset(chosen)
    return cube


def sum_of(cubes: Sequence[Cube], names: Sequence[str]) -> str:
    """Products with | between, the shortest first."""
    products = sorted((sorted(cube) for cube in cubes), key=lambda cube: (len(cube), cube))
    return " | ".join(" & ".join("~" * (x & 1) + names[x >> 1] for x in cube) or "1" for cube in products) or "0"


def reading(circuit: Circuit) -> Circuit:
    """The circuit with only those inputs that it reads."""
    tidy = circuit.tidy()
    used = {x >> 1 for x in (*tidy.ands.reshape(-1).tolist(), *tidy.roots.tolist())}
    names = [name for k, name in enumerate(tidy.inputs, 1) if k in used]
    made = Builder(names)
    where = dict(zip(names, made.literals, strict=True))
    return made.finish(tidy.outputs, made.inline(tidy, [where.get(name, 0) for name in tidy.inputs]))


def possible(encoder: Encoder, names: Sequence[str] | None = None) -> Circuit:
    """The rows of bits that an encoder can give, as a care set: one word of each column, thermometers without gaps.

    With `names`, of these bits only: what they can be, whatever the others are.
    """
    encoder = given_encoder("what gives rows of bits", encoder)
    made = Builder(encoder.names if names is None else names_in("input", names))
    literal, parts = dict(zip(made.inputs, made.literals, strict=True)), list[int]()
    for column in encoder.columns:
        bits = [literal[name] for name in column.names if name in literal]
        if isinstance(column, OneHot):
            parts += [made.conj(a, b) ^ 1 for k, a in enumerate(bits) for b in bits[:k]]
            parts += [made.any(bits)] if len(bits) == len(column.names) else []
        else:
            parts += [made.conj(low ^ 1, high) ^ 1 for low, high in pairwise(bits)]
    return made.finish(["care"], [made.all(parts)])
