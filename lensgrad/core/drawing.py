"""Pictures as methods: whatever is composed can be drawn, and what draws stands above all of it.

The door of the library says where that is (`drawn_by`); until something is drawn, nothing of it is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any, Protocol, TypedDict, Unpack


class Options(TypedDict, total=False):
    """What a picture is drawn with."""

    view: str | None
    depth: int
    open: str | Sequence[str]
    types: bool
    states: bool
    width: float | None


class PageOptions(TypedDict, total=False):
    """What a page to explore is made with."""

    view: str | None
    types: bool
    states: bool


class Drawer(Protocol):
    """What draws: into a file, as a page to explore, and for a notebook."""

    def draw(
        self,
        subject: Any,
        path: str | PathLike[str],
        *,
        view: str | None = ...,
        depth: int = ...,
        open: str | Sequence[str] = ...,
        types: bool = ...,
        states: bool = ...,
        width: float | None = ...,
    ) -> None: ...

    def explore(
        self, subject: Any, path: str | PathLike[str], *, view: str | None = ..., types: bool = ..., states: bool = ...
    ) -> None: ...

    def shown_svg(self, subject: Any) -> str | None: ...


_FOUND: list[Callable[[], Drawer]] = []


def drawn_by(find: Callable[[], Drawer]) -> None:
    """Say what draws; it is asked for when something is drawn first."""
    _FOUND[:] = [find]


class Drawn:
    """What has a picture."""

    __slots__ = ()

    def draw(self, path: str | PathLike[str], **how: Unpack[Options]) -> None:
        """Write a picture; the ending of the path says in which form: .svg, .tex (TikZ), .png or .txt.

        - `path`: the file.
        - `how`: that of `lg.draw`: view ("arrow", "lens" or "step"), depth, open, types, states and width.
        """
        _FOUND[0]().draw(self, path, **how)

    def explore(self, path: str | PathLike[str], **how: Unpack[PageOptions]) -> None:
        """Write a page of HTML in which the picture is moved, searched, and its boxes opened and closed; of a run, with its records.

        - `path`: the file, ending in .html.
        - `how`: that of `lg.explore`: view ("arrow", "lens" or "step"), types and states.
        """
        _FOUND[0]().explore(self, path, **how)

    def _repr_svg_(self) -> str | None:
        """The picture in a notebook; none where it would be too large."""
        return _FOUND[0]().shown_svg(self)
