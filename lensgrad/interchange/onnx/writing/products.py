"""Einsum as products of matrices, with the transposes and reshapes that they need."""

from __future__ import annotations

from collections.abc import Sequence

from lensgrad.interchange.onnx.writing.sheet import Value, size

Term = tuple[Value, str]  # an array and the letters of its axes


def contracted(values: Sequence[Value], inputs: Sequence[str], output: str) -> Value:
    """Σ of products in index notation, two arrays at a time."""
    (first, *rest), later = list(zip(values, inputs, strict=True)), list(inputs[1:])
    term: Term = summed(first, "".join(later) + output)
    for other in rest:
        later = later[1:]
        term = pair(term, other, "".join(later) + output)
    return moved(term, output)


def summed(term: Term, kept: str) -> Term:
    """Without the letters that nothing else has."""
    x, letters = term
    axes = [i for i, s in enumerate(letters) if s not in kept]
    return x.reduced("ReduceSum", axes), "".join(s for s in letters if s in kept)


def moved(term: Term, wanted: str) -> Value:
    """With its axes in the wanted order."""
    x, letters = term
    return x.transposed(*(letters.index(s) for s in wanted))


def pair(left: Term, right: Term, later: str) -> Term:
    """Two arrays as one: letters that are asked for later stay."""
    a, b = summed(left, right[1] + later), summed(right, left[1] + later)
    middle = [s for s in a[1] if s in b[1] and s not in later]
    return matrices(a, b, middle, later) if middle else aligned(a, b, later)


def aligned(a: Term, b: Term, later: str) -> Term:
    """No contraction: entry by entry, with axes of size 1 between."""
    letters = "".join(sorted(set(a[1] + b[1]), key=later.index))
    return placed(a, letters) * placed(b, letters), letters


def placed(term: Term, letters: str) -> Value:
    """An array with an axis of size 1 for each letter that it has not."""
    own = "".join(s for s in letters if s in term[1])
    x = moved(term, own)
    shape = [x.shape[own.index(s)] if s in own else 1 for s in letters]
    lead = next((i for i, s in enumerate(letters) if s in own), len(letters))
    return x.reshaped(*shape[lead:])


def matrices(a: Term, b: Term, middle: Sequence[str], later: str) -> Term:
    """Common letters lead, the contracted ones meet in the middle."""
    both = [s for s in a[1] if s in b[1] and s in later]
    rows, columns = ([s for s in own[1] if s not in other[1]] for own, other in ((a, b), (b, a)))
    if rows and columns and later.index(columns[0]) < later.index(rows[0]):
        a, b, rows, columns = b, a, columns, rows
    sizes = {s: n for x, letters in (a, b) for s, n in zip(letters, x.shape, strict=True)}
    result = grouped(a, [both, rows, middle]).product(grouped(b, [both, middle, columns]))
    found = [*both, *rows, *columns]
    return result.reshaped(*(sizes[s] for s in found)), "".join(found)


def grouped(term: Term, groups: Sequence[Sequence[str]]) -> Value:
    """Axes in the order of the groups; all but the first group merged into one axis each."""
    x = moved(term, "".join(s for g in groups for s in g))
    lead = len(groups[0])
    shape, at = list(x.shape[:lead]), lead
    for g in groups[1:]:
        shape.append(size(x.shape[at : at + len(g)]))
        at += len(g)
    return x.reshaped(*shape)
