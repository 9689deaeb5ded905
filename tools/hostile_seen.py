"""What is shown of a run with hostile names: wires, a step box by box, explanations, reports, and all of it as HTML."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import lensgrad as lg
from lensgrad.train.run import Run

TAGS = {"p", "div", "table", "tr", "td", "pre", "b", "details", "summary", "style", "figure", "figcaption", "svg", "polyline"}


class Tags(HTMLParser):
    """Refuses an element that the library does not write."""

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag not in TAGS or any(name.startswith("on") for name, _ in attrs):
            raise AssertionError(f"a name became the element {tag} in HTML")


def seen(run: Run[Any], data: Any) -> tuple[list[str], list[str]]:
    """Texts for people, and Python files that are to be run."""
    learner = run.learner
    wires, step = run.wires(data), lg.step_through(learner, data)
    bad = {**run.values, **{n: run.values[n] * float("inf") for n in learner.model_names[:1]}}
    found = [lg.why(learner, values, data, learner.model_names[0]) for values in (run.values, bad)]
    shown = [run, lg.summary(learner), run.report(data), step, *step, *found]
    for each in shown:
        Tags().feed(each._repr_html_())
    return [learner.summary(3), repr(wires), repr(wires.cotangent), *map(str, shown)], [f.reproduction for f in found if f.reproduction]
