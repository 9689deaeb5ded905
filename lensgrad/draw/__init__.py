"""String diagrams of everything that is composed, as SVG, TikZ, PNG and text; and pictures of what was learned.

`lg.draw(subject, "picture.svg")` is this package itself, called.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any


class Door(ModuleType):
    """A package that is called as `front.draw`, which is imported then."""

    def called(self) -> Callable[..., None]:
        """The function that stands for the package when it is called."""
        from lensgrad.draw.front import draw

        return draw

    def __call__(self, *given: Any, **how: Any) -> None:
        self.called()(*given, **how)


sys.modules[__name__].__class__ = Door
