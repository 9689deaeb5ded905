"""Whether all who race compute the same: no speed is compared before that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from benchmarks.race.results import Row

MOVED = 3  # digits to which the ways of all weights agree


def near(a: float, b: float, digits: int) -> bool:
    """Whether two numbers are equal to so many digits."""
    return abs(a - b) <= 10.0**-digits * max(abs(a), abs(b))


def outsiders(found: Mapping[str, float], digits: int) -> dict[str, float]:
    """Those that are not near what most say, and what that is; all of them where no number has more than half of all near it."""
    if len(found) < 2:
        return {}
    near_by = {name: [other for other in found if near(value, found[other], digits)] for name, value in found.items()}
    center = max(near_by, key=lambda name: len(near_by[name]))
    most = near_by[center]
    if 2 * len(most) <= len(found):
        return {name: found[center if name not in most else next(n for n in found if n not in most)] for name in found}
    return {name: found[center] for name in found if name not in most}


def refuse(rows: Sequence[Row], steps: int, digits: int) -> None:
    """Write into the rows that differ from the others why they are not timed."""
    looked: list[tuple[str, int, Callable[[Row], float | None]]] = [
        ("its loss", digits, lambda row: row.loss),
        ("the distance from its first weights", MOVED, lambda row: row.moved),
    ]
    for what, to, of in looked:
        held = {row.name: value for row in rows if not row.why and (value := of(row)) is not None}
        odd = outsiders(held, to)
        for row in rows:
            if row.name in odd:
                row.why = f"{what} after {steps} steps is {held[row.name]:.7g}, not {odd[row.name]:.7g} as others have it"
