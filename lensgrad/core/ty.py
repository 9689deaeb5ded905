"""Objects of the free Cartesian category: finite lists of atoms, with ⊗ as concatenation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeVar

from lensgrad.core.checks import shown
from lensgrad.core.errors import TypeMismatch

T = TypeVar("T")


@dataclass(frozen=True, slots=True, init=False)
class Ty:
    """A ⊗ B ⊗ …: an object, given by its atoms; the empty one is the unit I.

    Atoms are hashable values of a theory (`f32[3]`, `Z2[4]`, `key`, a pair of objects ...). `@` is ⊗ and is
    strictly associative and unital, so types compare by `==`.
    """

    atoms: tuple[Any, ...]

    def __init__(self, atoms: tuple[Any, ...] = ()) -> None:
        if type(atoms) is not tuple:  # pyright: ignore[reportUnnecessaryComparison]
            raise TypeMismatch(f"an object must be made of a tuple of atoms, got {shown(atoms)}")
        object.__setattr__(self, "atoms", atoms)  # as the generated one does, which would need a second call for the check

    def __matmul__(self, other: Ty) -> Ty:
        return Ty(self.atoms + other.atoms) if isinstance(other, Ty) else NotImplemented  # pyright: ignore[reportUnnecessaryIsInstance]

    def __len__(self) -> int:
        return len(self.atoms)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.atoms)

    def __getitem__(self, index: int) -> Any:
        return self.atoms[index]

    def __str__(self) -> str:
        return " × ".join(map(str, self.atoms)) or "I"

    __repr__ = __str__


I = Ty()  # noqa: E741  the unit object has no other name


def product(objects: Iterable[Ty]) -> Ty:
    """A₁ ⊗ … ⊗ Aₙ in one pass."""
    return Ty(tuple(chain.from_iterable(ob.atoms for ob in objects)))


def split(items: Sequence[T], objects: Sequence[Ty]) -> list[tuple[T, ...]]:
    """Cut a flat list of wires into one group per object."""
    groups: list[tuple[T, ...]] = []
    start = 0
    for ob in objects:
        groups.append(tuple(items[start : start + len(ob)]))
        start += len(ob)
    return groups
