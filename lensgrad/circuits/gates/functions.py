"""Functions of a few inputs as truth tables (numbers of 2ⁿ bits), and small circuits for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np

from lensgrad.circuits.gates.circuit import MOST_INPUTS, Builder, Circuit, names_for, names_in, numbered, pattern
from lensgrad.core.checks import instance, is_whole, listing, shown, whole
from lensgrad.core.errors import BadValue

Way = Callable[[Builder, Sequence[int]], int]
Cube = frozenset[int]  # literals 2i (input i) and 2i + 1 (its negation); their conjunction


def cofactors(table: int, i: int, n: int) -> tuple[int, int]:
    """The function where input i is 0 and where it is 1, as tables of n inputs that do not depend on it."""
    mask, shift = pattern(i, n), 1 << i
    high, low = table & mask, table & ~mask
    return low | low << shift, high | high >> shift


def support(table: int, n: int) -> list[int]:
    """The inputs that the function depends on."""
    return [i for i in range(n) if (table ^ table >> (1 << i)) & (pattern(i, n) >> (1 << i))]


def ones(n: int) -> int:
    """The table of the constant 1."""
    return (1 << (1 << n)) - 1


def cover(least: int, most: int, n: int) -> list[Cube]:
    """Irredundant cubes of a function between `least` and `most` (Minato 1996): what is in between may be either."""
    return covered(least, most, n, n)[0]


def covered(least: int, most: int, n: int, top: int) -> tuple[list[Cube], int]:
    """The cubes, and the table that they cover; `top` inputs are left to split on."""
    if not least:
        return [], 0
    if most == ones(n):
        return [frozenset()], ones(n)
    top = next(i for i in reversed(range(top)) if depends(least, i, n) or depends(most, i, n))
    (l0, l1), (m0, m1) = cofactors(least, top, n), cofactors(most, top, n)
    zero, t0 = covered(l0 & ~m1, m0, n, top)
    one, t1 = covered(l1 & ~m0, m1, n, top)
    both, t2 = covered(l0 & ~t0 | l1 & ~t1, m0 & m1, n, top)
    high = pattern(top, n)
    cubes = [c | {2 * top + 1} for c in zero] + [c | {2 * top} for c in one] + both
    return cubes, t0 & ~high | t1 & high | t2


def depends(table: int, i: int, n: int) -> bool:
    return bool((table ^ table >> (1 << i)) & (pattern(i, n) >> (1 << i)))


def factored(made: Builder, cubes: Sequence[Cube], literals: Sequence[int]) -> int:
    """A sum of cubes, where the literal that most cubes share is taken out first."""
    if frozenset() in cubes:
        return 1
    counts = Counter(x for cube in cubes for x in cube)
    best = min(counts, key=lambda x: (-counts[x], x)) if counts else None
    if best is None or counts[best] < 2:
        return made.any([made.all([literals[x >> 1] ^ x & 1 for x in sorted(cube)]) for cube in cubes])
    inside = [cube - {best} for cube in cubes if best in cube]
    rest = [cube for cube in cubes if best not in cube]
    taken = made.conj(literals[best >> 1] ^ best & 1, factored(made, inside, literals))
    return made.disj(taken, factored(made, rest, literals)) if rest else taken


def from_tables(
    tables: Sequence[int], inputs: Sequence[str] | int, outputs: Sequence[str] | None = None, care: int | None = None
) -> Circuit:
    """A circuit for truth tables: bit s of each is its value at the inputs whose bit i is bit i of s.

    At most 20 inputs. Where bit s of `care` is 0 the value may be either, and is chosen for fewer gates.
    """
    counted = few(whole("the number of inputs of a truth table", inputs)) if is_whole(inputs) else None
    made = Builder(names_in("input", inputs) if counted is None else numbered("i", counted))
    n = few(len(made.inputs))
    known = [table_in(t, n) for t in listing("the truth tables of a circuit", tables, "a list of whole numbers, one for each output")]
    names, cared = names_for("output", outputs, "o", len(known)), ones(n) if care is None else table_in(care, n)
    return made.finish(names, [smallest(made, t & cared, t | ones(n) & ~cared, n) for t in known])


def few(inputs: int) -> int:
    """A number of inputs that a truth table may have."""
    if inputs > MOST_INPUTS:
        told = f"a truth table of {inputs} inputs has 2^{inputs} rows"
        raise BadValue(f"{told}: use at most {MOST_INPUTS} inputs, or fewer features")
    return inputs


def table_in(given: Any, n: int) -> int:
    """A truth table of n inputs, a whole number."""
    if not is_whole(given) or given < 0:
        raise BadValue(f"a truth table of {n} inputs must be a whole number of {1 << n} bits, got {shown(given)}")
    if int(given) > ones(n):
        raise BadValue(f"a truth table of {n} inputs must be a number of {1 << n} bits, and one has {int(given).bit_length()}")
    return int(given)


def smallest(made: Builder, least: int, most: int, n: int) -> int:
    """Literal of a function between two: its cubes or those of its negation; where all is decided, perhaps by cofactors."""
    ways = by_cubes(least, most, n)
    if least == most:
        ways.append(lambda b, x: decomposed(b, least, n, x, {}))
    costs = [one(n, way).size for way in ways]
    return ways[costs.index(min(costs))](made, made.literals)


def decomposed(made: Builder, table: int, n: int, literals: Sequence[int], memo: dict[int, int]) -> int:
    """A circuit by cofactors: an input that can be split off by ∧, ∨ or + is, else one is chosen on."""
    whole = ones(n)
    if table in (0, whole):
        return int(table == whole)
    if table not in memo:
        if whole & ~table in memo:
            return memo[whole & ~table] ^ 1
        used = support(table, n)
        i = min(used, key=lambda i: split_rank(table, i, n, whole))
        f0, f1 = cofactors(table, i, n)
        x = literals[i]
        if f0 == whole & ~f1:
            memo[table] = made.xor(x, decomposed(made, f0, n, literals, memo))
        else:
            a, b = (decomposed(made, f, n, literals, memo) for f in (f0, f1))
            low = f0 & ~f1 == 0  # where f0 implies f1, the choice is f0 ∨ (x ∧ f1)
            high = f1 & ~f0 == 0
            memo[table] = made.disj(a, made.conj(x, b)) if low else made.disj(b, made.conj(x ^ 1, a)) if high else made.choose(x, b, a)
    return memo[table]


def split_rank(table: int, i: int, n: int, whole: int) -> tuple[int, int]:
    """How good input i is to split on: constants first, then negations, then containment, then what leaves little support."""
    f0, f1 = cofactors(table, i, n)
    constant = f0 in (0, whole) or f1 in (0, whole)
    contained = f0 & ~f1 == 0 or f1 & ~f0 == 0
    kind = 0 if constant else 1 if f0 == whole & ~f1 else 2 if contained else 3
    return kind, len(support(f0, n)) + len(support(f1, n)) if n <= 6 else -i


@lru_cache(maxsize=1 << 16)
def variants(table: int, n: int) -> tuple[Circuit, ...]:
    """Circuits of few ANDs for a function of at most four inputs, the smallest first: which is best depends on what is there."""
    found = dict.fromkeys(one(n, way) for way in ways_of(table, n))
    least = min(c.size for c in found)
    return tuple(sorted((c for c in found if c.size <= least + 1), key=lambda c: c.size)[:6])


def one(n: int, way: Way) -> Circuit:
    made = Builder(numbered("i", n))
    return made.finish(["y"], [way(made, made.literals)])


def ways_of(table: int, n: int) -> list[Way]:
    """By cofactors, by cubes, by cubes of the negation, and by these where the sum of two inputs is one input more."""
    found: list[Way] = [lambda b, x: decomposed(b, table, n, x, {}), *by_cubes(table, table, n)]
    for i, j in combinations(support(table, n), 2):
        summed = pattern(i, n + 1) ^ pattern(j, n + 1)
        care = ~(pattern(n, n + 1) ^ summed) & ones(n + 1)
        wide = table | table << (1 << n)
        found += [extended(way, i, j) for way in by_cubes(wide & care, wide | ones(n + 1) & ~care, n + 1)]
    return found


def by_cubes(least: int, most: int, n: int) -> list[Way]:
    whole = ones(n)
    return [
        lambda b, x: factored(b, cover(least, most, n), x),
        lambda b, x: factored(b, cover(whole & ~most, whole & ~least, n), x) ^ 1,
    ]


def extended(way: Way, i: int, j: int) -> Way:
    return lambda b, x: way(b, [*x, b.xor(x[i], x[j])])


def read_truth(text: str, name: str = "the file") -> list[int]:
    """The tables in a .truth file: a line of zeros and ones for each output, of which the last is minterm 0."""
    tables: list[int] = []
    text = instance("a truth table in a file", text, str, "text, a line of zeros and ones for each output")
    lines = [line.strip() for line in text.split("\n")]
    size = len(lines[0]) if lines else 0
    if not size or size & (size - 1):
        raise BadValue(f"'{name}', line 1: a truth table must have 1, 2, 4, 8, … entries, got {size}")
    for number, line in enumerate(lines, 1):
        if line and (len(line) != size or set(line) - set("01")):
            told = f"a truth table of {size.bit_length() - 1} inputs has {size} of 0 and 1, got {len(line)} letters"
            raise BadValue(f"'{name}', line {number}: {told}")
        tables += [int(line, 2)] if line else []
    return tables


def from_rows(x: Any, y: Mapping[str, Any], inputs: Sequence[str]) -> tuple[Circuit, Circuit]:
    """A circuit that has the labels `y` on the rows `x`, whatever elsewhere, and the circuit of its care set: the rows.

    The rows are zeros and ones, at most 20 a row; `y` holds a column of zeros and ones for each output.
    """
    names = names_in("input", inputs)
    few(len(names))
    instance("the labels of rows", y, Mapping, "a dict by output, a column of zeros and ones for each")
    cells = zeros_and_ones("each row", x)
    if cells.ndim != 2 or cells.shape[1] != len(names):
        raise BadValue(f"rows of {len(names)} inputs must be a table of that many columns, got an array of shape {cells.shape}")
    rows = (cells.astype(np.int64) << np.arange(len(names))).sum(1).tolist()
    care = sum(1 << s for s in set(rows))
    tables = [table_of(rows, column, name) for name, column in y.items()]
    return from_tables(tables, names, list(y), care), from_tables([care], names, ["care"])


def zeros_and_ones(what: str, given: Any) -> np.ndarray[Any, Any]:
    """Numbers that are all 0 or 1, checked: any other would be read as what it is not."""
    try:
        found = np.asarray(given)
    except (TypeError, ValueError):
        raise BadValue(f"{what} has bits, as many as the others, each 0 or 1") from None
    strange = found[~np.isin(found, (0, 1))] if found.dtype.kind in "buif" else found.reshape(-1)[:1]
    if strange.size:
        raise BadValue(f"{what} has bits, each 0 or 1, got {shown(strange.reshape(-1).tolist()[0])}")
    return found.astype(np.uint8)


def table_of(rows: Sequence[int], column: Any, name: str) -> int:
    """The table of one label; equal rows have equal labels."""
    known: dict[int, int] = {}
    labels = zeros_and_ones(f"the column '{name}'", column).reshape(-1).tolist()
    if len(labels) != len(rows):
        raise BadValue(f"there are {len(rows)} rows and {len(labels)} labels '{name}': give each row one")
    for s, v in zip(rows, labels, strict=True):
        if known.setdefault(s, v) != v:
            raise BadValue(f"'{name}' is 0 or 1, the same for equal rows, and it is not: a circuit gives one answer")
    return sum(v << s for s, v in known.items())
