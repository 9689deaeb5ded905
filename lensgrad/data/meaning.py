"""What the numbers of a data set stand for: how its table was read, and what its classes are called. It goes into the run and its file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lensgrad.core import checks
from lensgrad.core.errors import BadValue

if TYPE_CHECKING:  # most runs are of arrays and meet no table
    from lensgrad.data.cells import Cells
    from lensgrad.data.preparation import Preparation

PLACE = "meaning"  # of a file, among what it says of its run


@dataclass(frozen=True)
class Meaning:
    """How a table becomes numbers, if they are of one, and the names of the classes, if they have names."""

    preparation: Preparation | None = None
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in self.classes:
            checks.name("the name of a class", name)

    @staticmethod
    def of(data: Any) -> Meaning:
        """What a data set says of its numbers; nothing where arrays are all there is."""
        if not hasattr(data, "preparation"):  # no data set, so its class is not needed
            return Meaning()
        from lensgrad.data.bundled import Dataset

        if not isinstance(data, Dataset):
            return Meaning()
        how = data.preparation
        own = how is not None and data.x.shape[1:] == (len(how.features),)  # else x was made into something else since
        return Meaning(how if own else None, tuple(map(str, data.classes)))

    def __bool__(self) -> bool:
        return self.preparation is not None or bool(self.classes)

    def data(self) -> dict[str, Any]:
        """The same as plain values for a file; nothing where nothing is known."""
        how = {} if self.preparation is None else {"preparation": self.preparation.data()}
        return {**how, **({"classes": list(self.classes)} if self.classes else {})}

    @staticmethod
    def read(data: Any) -> Meaning:
        """The meaning that `data()` gave; what is none is refused."""
        if not checks.is_dict(data) or not checks.is_group(data.get("classes", ())):
            raise BadValue(f"this says nothing about the meaning of numbers: {checks.shown(data)}")
        how, classes = data.get("preparation"), tuple(data.get("classes", ()))
        if how is None:
            return Meaning(None, classes)
        from lensgrad.data.preparation import Preparation

        return Meaning(Preparation.read(how), classes)

    def names(self, classes: int) -> tuple[str, ...]:
        """The names of so many classes; none where they are not known."""
        return self.classes if len(self.classes) == classes else ()

    def cells(self, given: Any) -> tuple[Preparation, Cells]:
        """The cells of a table, and how they are read."""
        if self.preparation is None:
            what = f"'{checks.clean(str(given))}'" if checks.is_path(given) else "a table"
            raise BadValue(f"this run was trained on arrays and does not know how {what} is read: give an array of numbers")
        from lensgrad.data.tables import table_cells

        return self.preparation, table_cells(given, self.preparation.delimiter, self.preparation.names or None)

    def is_table(self, given: Any, names: tuple[str, ...]) -> bool:
        """Whether something is a table, where a model takes arrays of these names: a file, a data frame, or a dict of columns."""
        if type(given) is np.ndarray:
            return False
        if checks.is_path(given) or hasattr(given, "columns"):
            return True
        return self.preparation is not None and checks.is_dict(given) and not set(names) <= set(given)


def in_file(meaning: Meaning) -> dict[str, Any]:
    """What a file says of a run beside its position; nothing where nothing is known."""
    return {PLACE: meaning.data()} if meaning else {}


def from_file(position: dict[str, Any]) -> Meaning:
    """The meaning that a file says, taken out of what it says of its run; files of before say none."""
    return Meaning.read(position.pop(PLACE, {}))
