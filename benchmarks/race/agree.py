"""Whether all who race compute the same: no speed is compared before that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from benchmarks.race.competitors import COMPETITORS
from benchmarks.race.results import Row
from benchmarks.race.workloads import Workload

MOVED = 3  # digits to which the ways of all weights agree, and outputs


def near(a: float, b: float, digits: int) -> bool:
    """Whether two numbers are equal to so many digits."""
    return abs(a - b) <= 10.0**-digits * max(abs(a), abs(b))


def outsiders(found: Mapping[str, float], digits: Mapping[str, int]) -> dict[str, float]:
    """Those that are not near what most say, and what that is; all of them where no number has more than half of all near it.

    Two numbers are near to as many digits as the less exact of them has, and most are counted around one that is exact.
    """
    if len(found) < 2:
        return {}

    def around(name: str) -> set[str]:
        return {other for other in found if near(found[name], found[other], min(digits[name], digits[other]))}

    center = max(found, key=lambda name: (digits[name], len(around(name))))
    most = around(center)
    if 2 * len(most) > len(found):
        return {name: found[center] for name in found if name not in most}
    other = next(name for name in found if name not in most)
    return {name: found[other if name in most else center] for name in found}


def refuse(rows: Sequence[Row], workload: Workload) -> None:
    """Write into the rows that differ from the others why they are not timed."""
    digits = {row.name: exact(row.name, workload) for row in rows}
    looked: list[tuple[str, Mapping[str, int], Callable[[Row], float | None]]] = [
        ("its loss", digits, lambda row: row.loss),
        ("the distance from its first weights", dict.fromkeys(digits, MOVED), lambda row: row.moved),
    ]
    for what, to, of in looked:
        held = {row.name: value for row in rows if not row.why and (value := of(row)) is not None}
        odd = outsiders(held, to)
        for row in rows:
            if row.name in odd:
                told = f"{held[row.name]:.7g}, not {odd[row.name]:.7g} as others have it"
                row.why = f"{what} after {workload.check} steps is {told}"


def refuse_outputs(rows: Sequence[Row]) -> None:
    """Write into the rows that predict something else why they are not shown."""
    for batch in dict.fromkeys(batch for row in rows for batch in row.outputs):
        held = {row.name: row.outputs[batch] for row in rows if batch in row.outputs}
        odd = outsiders(held, dict.fromkeys(held, MOVED))
        for row in rows:
            if row.name in odd:
                row.why = f"the norm of its outputs for {batch} is {held[row.name]:.7g}, not {odd[row.name]:.7g} as others have it"


def exact(name: str, workload: Workload) -> int:
    """The digits of a loss that must be right."""
    return min(workload.digits, COMPETITORS[name].digits.get(workload.name, workload.digits))
