"""The clauses that two circuits differ, built from the circuits by the numbering that `miter.py` of the library states."""

from __future__ import annotations

from collections.abc import Sequence

from .files import Circuit, Rejected


def matched(ours: Sequence[str], theirs: Sequence[str], letter: str) -> list[int]:
    """Our names among theirs: by name, or by number where one side has none."""
    if len(ours) == len(theirs) and set(ours) == set(theirs):
        return [theirs.index(name) for name in ours]
    if len(ours) != len(theirs) or [f"{letter}{k}" for k in range(len(ours))] not in (list(ours), list(theirs)):
        raise Rejected("the circuits have other inputs or outputs than each other")
    return list(range(len(ours)))


def miter(left: Circuit, right: Circuit, care: Circuit | None) -> list[list[int]]:
    """Clauses that can be satisfied exactly where the circuits differ."""
    n = len(left[0])
    clauses, top = [[1]], n + 2
    ends: list[list[int]] = []
    for inputs, _, gates, roots in [left, right] + ([care] if care else []):
        env = [-1, *(2 + k for k in matched(inputs, left[0], "i"))]
        for a, b in gates:
            x, y = (-env[w >> 1] if w & 1 else env[w >> 1] for w in (a, b))
            clauses += [[-top, x], [-top, y], [top, -x, -y]]
            env.append(top)
            top += 1
        ends.append([-env[w >> 1] if w & 1 else env[w >> 1] for w in roots])
    order = matched(left[1], right[1], "o")
    for k, a in enumerate(ends[0]):
        b = ends[1][order[k]]
        clauses += [[-(top + k), a, b], [-(top + k), -a, -b]]
    clauses.append(list(range(top, top + len(order))))
    if care:
        if len(ends[2]) != 1:
            raise Rejected("a care set has one output")
        clauses.append([ends[2][0]])
    return clauses
