"""Sums of products in one form: letters of size 1 are gone, letters that stay together are one, and products without a sum are products."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import pairwise

from lensgrad.core.graph import Wire
from lensgrad.interchange.moves import made, read, reshaped, spread, transposed
from lensgrad.theories.smooth.linear import Einsum, Spread, Sum, Transpose
from lensgrad.theories.smooth.pointwise import Mul

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def product(inputs: Sequence[str], output: str, xs: Sequence[Wire], shapes: Sequence[tuple[int, ...]]) -> Wire:
    """Σ of products of arrays that are there without their axes of size 1."""
    sizes = {s: n for letters, shape in zip(inputs, shapes, strict=True) for s, n in zip(letters, shape, strict=True)}
    inputs = ["".join(s for s in letters if sizes[s] != 1) for letters in inputs]
    output = "".join(s for s in output if sizes[s] != 1)
    others = [output + "".join(inputs[:k] + inputs[k + 1 :]) for k in range(len(inputs))]
    terms = [alone(x, letters, rest) for x, letters, rest in zip(xs, inputs, others, strict=True)]
    if set("".join(letters for _, letters in terms)) <= set(output):
        return multiplied(terms, output, sizes)
    return contracted(facing(terms, output), output, sizes)


def facing(terms: Sequence[tuple[Wire, str]], output: str) -> Sequence[tuple[Wire, str]]:
    """Two factors in the order in which the result has their own letters."""
    if len(terms) != 2:
        return terms
    own = [[output.index(s) for s in letters if s in output and s not in other] for (_, letters), (_, other) in (terms, terms[::-1])]
    swap = bool(own[1]) and (not own[0] or own[1][0] < own[0][0])
    return terms[::-1] if swap else terms


def alone(x: Wire, letters: str, others: str) -> tuple[Wire, str]:
    """An array without its moves: its letters move, and letters along which it is repeated are gone where others have them."""
    op = made(x)
    if isinstance(op, Transpose):
        return alone(read(x), "".join(letters[op.order.index(k)] for k in range(len(letters))), others)
    if isinstance(op, Spread) and all(s in others for a, s in enumerate(letters) if a not in op.axes):
        return alone(read(x), "".join(letters[a] for a in op.axes), others)
    axes = [a for a, s in enumerate(letters) if s not in others]
    return (Sum(tuple(axes))(x), "".join(s for s in letters if s in others)) if axes else (x, letters)


def multiplied(terms: Sequence[tuple[Wire, str]], output: str, sizes: dict[str, int]) -> Wire:
    """A product entry by entry."""
    shape = [sizes[s] for s in output]

    def placed(x: Wire, letters: str) -> Wire:
        order = sorted(range(len(letters)), key=lambda a: output.index(letters[a]))
        return spread(transposed(x, order), shape, sorted(output.index(s) for s in letters))

    return reduce(lambda a, b: Mul()(a, b), [placed(x, letters) for x, letters in terms])


def contracted(terms: Sequence[tuple[Wire, str]], output: str, sizes: dict[str, int]) -> Wire:
    """A sum of products, its letters in the order in which they are met; letters that follow one another everywhere are one."""
    words = [letters for _, letters in terms]
    groups = together(words, output)
    heads = {group[0]: LETTERS[k] for k, group in enumerate(groups)}
    size = {group[0]: narrow_size(group, sizes) for group in groups}
    spelled = ["".join(heads[s] for s in letters if s in heads) for letters in words]
    kept = [group for group in groups if group[0] in output]
    xs = [reshaped(x, [size[s] for s in letters if s in heads]) for x, letters in terms]
    found = Einsum(f"{','.join(spelled)}->{''.join(heads[group[0]] for group in kept)}")(*xs)
    apart = "".join(kept)
    return transposed(reshaped(found, [sizes[s] for s in apart]), [apart.index(s) for s in output])


def narrow_size(group: str, sizes: dict[str, int]) -> int:
    """How many entries the axes of some letters have together."""
    total = 1
    for s in group:
        total *= sizes[s]
    return total


def together(words: Sequence[str], output: str) -> list[str]:
    """The letters in the order in which they are met, in one group those of which none is anywhere without the others beside it."""
    pairs = {s + t for word in words for s, t in pairwise(word)}
    glued = {p for p in pairs if (p[0] in output) == (p[1] in output) and all((p in w) == (p[0] in w) == (p[1] in w) for w in words)}
    groups: list[str] = []
    for s in dict.fromkeys("".join(words)):
        behind = next((k for k, g in enumerate(groups) if g[-1] + s in glued), None)
        if behind is None:
            groups.append(s)
        else:
            groups[behind] += s
    return groups
