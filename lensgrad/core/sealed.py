"""Values that never change once they are made."""

from __future__ import annotations

from typing import Any

from lensgrad.core.errors import BadValue


class Sealed:
    """Each attribute is set once. Names that begin with an underscore hold what is computed when first looked at."""

    __slots__ = ()

    def __setattr__(self, name: str, value: Any) -> None:
        if name[0] != "_" and hasattr(self, name):
            raise BadValue(f"'{name}' of a {type(self).__name__} cannot be set again: values are immutable, build another one")
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        raise BadValue(f"'{name}' of a {type(self).__name__} cannot be deleted: values are immutable, build another one")
