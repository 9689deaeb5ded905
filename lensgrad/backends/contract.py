"""Einsum as NumPy source: a product or a matrix product with the transposes and reshapes it needs, and no others."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lensgrad.backends.source import Line


def contraction(line: Line) -> str:
    """The source of an einsum node."""
    inputs, output = line.op.letters()
    sizes = {s: n for letters, atom in zip(inputs, line.dom, strict=True) for s, n in zip(letters, atom.shape, strict=True)}
    if len(inputs) == 1:
        return one(line.args[0], inputs[0], output)
    if len(inputs) > 2:
        return f"np.einsum({line.op.spec!r}, {', '.join(line.args)}, optimize=True)"
    terms = list(zip(line.args, inputs, strict=True))
    (a, left), (b, right) = (summed(text, s, o, output) for (text, s), (_, o) in zip(terms, reversed(terms), strict=True))
    if not set(left) & set(right) - set(output):
        return product(a, left, b, right, output)
    return matrix_product(a, left, b, right, output, sizes)


def one(a: str, letters: str, output: str) -> str:
    """Σ and transpose of one argument."""
    a, letters = summed(a, letters, "", output)
    return moved(a, letters, output)


def summed(a: str, letters: str, other: str, output: str) -> tuple[str, str]:
    """Sum out the letters that nothing else has."""
    alone = tuple(i for i, s in enumerate(letters) if s not in other + output)
    kept = "".join(s for s in letters if s in other + output)
    return (f"np.sum({a}, {alone})" if alone else a), kept


def moved(a: str, letters: str, wanted: str) -> str:
    """Permute axes into the wanted order."""
    if letters == wanted:
        return a
    if letters == wanted[::-1] and len(letters) == 2:
        return f"{a}.T"
    return f"np.transpose({a}, {tuple(letters.index(s) for s in wanted)})"


def product(a: str, left: str, b: str, right: str, output: str) -> str:
    """No contraction: align the axes and multiply."""
    return f"{aligned(a, left, output)} * {aligned(b, right, output)}"


def aligned(a: str, letters: str, output: str) -> str:
    """Put the axes at their places in the output, with new axes between."""
    if not letters:
        return a
    order = "".join(s for s in output if s in letters)
    a = moved(a, letters, order)
    places = [":" if s in letters else "None" for s in output[output.index(order[0]) :]]
    return a if "None" not in places else f"{a}[{', '.join(places)}]"


def matrix_product(a: str, left: str, b: str, right: str, output: str, sizes: dict[str, int]) -> str:
    """Common letters of the output lead, the contracted ones meet in the middle."""
    both = [s for s in output if s in left and s in right]
    middle = [s for s in left if s in right and s not in output]
    rows, columns = ([s for s in output if s in own and s not in other] for own, other in ((left, right), (right, left)))
    if not both and len(middle) == 1 and len(rows) <= 1 and len(columns) <= 1:
        return small(a, left, b, right, output, middle[0], bool(rows), bool(columns))
    x = grouped(a, left, [both, rows, middle], sizes)
    y = grouped(b, right, [both, middle, columns], sizes)
    found = "".join([*both, *rows, *columns])
    shape = tuple(sizes[s] for s in found)
    flat = (*(sizes[s] for s in both), math.prod(sizes[s] for s in rows), math.prod(sizes[s] for s in columns))
    result = f"({x} @ {y})" + (f".reshape({shape})" if shape != flat else "")
    return moved(result, found, output)


def small(a: str, left: str, b: str, right: str, output: str, middle: str, rows: bool, columns: bool) -> str:
    """Vectors and matrices: `a @ b` with at most a `.T` each."""
    x = f"{a}.T" if rows and left[0] == middle else a
    y = f"{b}.T" if columns and right[-1] == middle else b
    if rows and columns and output[0] in right:
        return f"{f'{b}.T' if y == b else b} @ {f'{a}.T' if x == a else a}"
    return f"{x} @ {y}"


def grouped(a: str, letters: str, groups: Sequence[Sequence[str]], sizes: dict[str, int]) -> str:
    """Axes in the order of the groups; all but the first group (the common axes) merged into one axis each."""
    lead, *rest = groups
    text = moved(a, letters, "".join(s for g in groups for s in g))
    if all(len(g) == 1 for g in rest):
        return text
    shape = (*(sizes[s] for s in lead), *(math.prod(sizes[s] for s in g) for g in rest))
    return f"{text}.reshape({shape})"
