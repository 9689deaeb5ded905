"""The law suite: every axiom of every category, over every theory, on random arrows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from lensgrad.backends.exact import exact
from lensgrad.cat.laws import REVERSE, Holds, Law
from lensgrad.cat.lens import Lens
from lensgrad.cat.para_laws import LAWS, structure_of
from lensgrad.testing.extras import hypothesis
from lensgrad.testing.strategies import CIRCUITS, MONOTONE, RINGS, SMOOTH, WORLDS, Theory, World, instances


@dataclass(frozen=True)
class LawCase:
    """One law in one category over one theory."""

    theory: Theory
    world: World
    law: Law

    @property
    def name(self) -> str:
        return f"{self.theory.name:7} {self.world.name:14} {self.law.name}"

    def holds(self, arrows: tuple[Any, ...]) -> None:
        """Raise AssertionError with both sides when the law fails for these arrows."""
        left, right = self.law.sides(structure_of(self.world.name), *arrows)
        if self.law.holds is Holds.IN_POLYNOMIALS:
            left, right = polynomial(left), polynomial(right)
        if left != right:
            raise AssertionError(f"{self.name} fails:\n{shown(left)}\nis not\n{shown(right)}")

    def run(self, cases: int) -> None:
        """Try random arrows, the same ones every time; the smallest failing ones are raised."""
        h = hypothesis()
        profile = h.settings(max_examples=cases, derandomize=True, database=None, deadline=None, suppress_health_check=list(h.HealthCheck))
        profile(h.given(instances(self.world, self.theory, self.law.arrows))(self.holds))()


def polynomial(side: Any) -> Any:
    """The image of one side of a law: of an arrow, or of both arrows of a lens."""
    return (exact(side.get), exact(side.put)) if isinstance(side, Lens) else exact(side)


def shown(side: Any) -> str:
    if isinstance(side, Lens):
        return f"get {side.get}\nput {side.put}"
    return str(getattr(side, "arrow", side))


def law_cases() -> list[LawCase]:
    """All laws in all categories over Smooth and Z2; those of the base category over OR/AND; those of R over other semirings too."""
    worlds = {SMOOTH: WORLDS, CIRCUITS: WORLDS, MONOTONE: WORLDS[:1]}
    found = [LawCase(t, w, law) for t in worlds for w in worlds[t] for law in LAWS[w.name]]
    return found + [LawCase(t, WORLDS[0], law) for t in RINGS for law in REVERSE]


def law_checks(cases: int = 50, suite: Iterable[LawCase] | None = None) -> Iterator[tuple[str, str]]:
    """Run the suite, yielding (name, failure) for each law; an empty failure means it held on all cases."""
    for case in law_cases() if suite is None else suite:
        try:
            case.run(cases)
            yield case.name, ""
        except AssertionError as failure:
            yield case.name, str(failure)
