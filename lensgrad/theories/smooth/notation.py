"""Index notation with diagonals and axes in common."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lensgrad.core import checks
from lensgrad.core.errors import TypeMismatch
from lensgrad.core.graph import Wire
from lensgrad.theories.smooth import linear as _linear
from lensgrad.theories.smooth.operators import reshape, transpose
from lensgrad.theories.smooth.shape import array

TERM = re.compile(r"[a-zA-Z]*(\.\.\.)?[a-zA-Z]*")


def einsum(spec: str, *xs: Wire) -> Wire:
    """Σ of products in index notation, as `ij,j->i`.

    A letter twice in one argument reads its diagonal (`ii->i`, `ii->` is the trace); `...` stands for axes in common, as in
    `...ij,...jk->...ik`.
    """
    checks.instance("the notation of einsum", spec, str, "text, such as 'ij,j->i'")
    for x in xs:
        array("einsum", x)
    terms, _, output = spec.replace(" ", "").partition("->")
    if not all(map(TERM.fullmatch, [*terms.split(","), output])):
        raise TypeMismatch(f"einsum '{checks.clean(spec)}' names axes by the letters a to z and A to Z, and axes in common by ...")
    terms, output = unabridged(spec, terms.split(","), output, xs)
    read = [diagonal(s, x) for s, x in zip(terms, xs, strict=True)]
    return _linear.Einsum(f"{','.join(s for s, _ in read)}->{output}")(*(x for _, x in read))


def unabridged(spec: str, terms: list[str], output: str, xs: Sequence[Wire]) -> tuple[list[str], str]:
    """Letters in the place of `...`: the same for all arguments, which have equally many axes there."""
    if "->" not in spec or len(terms) != len(xs):
        raise TypeMismatch(f"einsum '{spec}' names the axes of each of {len(xs)} arguments, and after -> those of the result, as 'ij,j->i'")
    widths = {x.atom.rank - len(s) + 3 for s, x in zip(terms, xs, strict=True) if "..." in s}
    if len(widths) > 1 or min(widths, default=0) < 0:
        raise TypeMismatch(f"einsum '{spec}': ... stands for the same axes everywhere, and here {', '.join(str(x.atom) for x in xs)}")
    free = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in spec]
    letters = "".join(free[: widths.pop()]) if widths else ""
    return [s.replace("...", letters) for s in terms], output.replace("...", letters)


def diagonal(letters: str, x: Wire) -> tuple[str, Wire]:
    """x with each letter once: where one stands twice, the entries with equal places."""
    for letter in letters:
        if letters.count(letter) > 1 and len(letters) == x.atom.rank:
            first, second = letters.index(letter), letters.rindex(letter)
            rest = [i for i in range(x.atom.rank) if i not in (first, second)]
            n = x.atom.shape[first]
            if n != x.atom.shape[second]:
                raise TypeMismatch(
                    f"einsum reads a diagonal of axes '{letter}' of one size, got {n} and {x.atom.shape[second]} in {x.atom}"
                )
            flat = reshape(transpose(x, *rest, first, second), *(x.atom.shape[i] for i in rest), n * n)
            picked = flat[(*[slice(None)] * len(rest), slice(None, None, n + 1))]
            return diagonal("".join(letters[i] for i in (*rest, first)), picked)
    return letters, x
