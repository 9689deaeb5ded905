"""The door: a page of anything that has a picture, as one file."""

from __future__ import annotations

from os import PathLike
from typing import Any

from lensgrad.core import checks
from lensgrad.core.calls import in_words
from lensgrad.core.errors import BadValue
from lensgrad.draw.explore.pack import history, pictures, records
from lensgrad.draw.explore.page import page
from lensgrad.draw.explore.states import Asked
from lensgrad.draw.style import INK, with_types
from lensgrad.draw.subject import VIEWS, Subject
from lensgrad.draw.written import written

Where = str | PathLike[str]
FOREIGN = {  # what a page needs not be told
    "depth": "boxes are opened in the page, by a click or Enter",
    "open": "boxes are opened in the page, by a click or Enter",
}


@in_words(FOREIGN)
def explore(subject: Subject, path: Where, *, view: str | None = None, types: bool = False, states: bool = False) -> None:
    """Write a page of HTML in which the diagram can be moved, searched, and its boxes opened and closed; it loads nothing from elsewhere.

    A box is opened by a click or Enter. Each picture is made here, by the layout of `draw`, for as many sets of open boxes as a file of
    less than 1 MB holds: none; each box with those around it; all of a level; then several together. Where a set is not in the file,
    the page shows the nearest that has the box. Of a run it shows the curves, and its records (`fit(…, record=lg.record())`) step by step.

    - `subject`: an arrow, a lens, a model, a learner or a run.
    - `path`: the file, ending in .html.
    - `view`: "arrow", "lens" or "step", as for `draw`; unless given, arrows and models are drawn as arrows, lenses and learners as lenses.
    - `types`: whether types stand on wires too; False unless given.
    - `states`: whether what a step writes back to states and keys is shown as an output; False unless given.
    """
    target = checks.file("where a page is written", path)
    if target.suffix.lower() not in (".html", ".htm"):
        raise BadValue(f"a page to explore ends in .html, got {checks.shown(str(path))}; lg.draw writes pictures")
    if view is not None:
        checks.one_of("view", view, VIEWS)
    style = with_types(INK) if checks.flag("types", types) else INK
    asked = Asked(subject, view, checks.flag("states", states), style)
    written(target, page(target.stem, {**pictures(asked), **of_run(subject)}).encode())


def of_run(subject: Any) -> dict[str, Any]:
    """The curves and the records of a run; of anything else, none."""
    run = subject if hasattr(subject, "learner") else None
    return {"history": history(getattr(run, "history", ())), "records": records(getattr(run, "records", ()))}


__all__ = ["explore"]
