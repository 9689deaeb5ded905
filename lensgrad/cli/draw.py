"""`lensgrad draw` and `lensgrad explore`: pictures and pages of tasks, saved runs, networks and circuits, on the terminal or in a file."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lensgrad import recipes
from lensgrad.cli.opening import Given
from lensgrad.core.drawing import Options
from lensgrad.core.errors import BadValue
from lensgrad.draw.explore.front import explore
from lensgrad.draw.front import draw, drawn_text
from lensgrad.draw.text import bands

CIRCUITS = (".aig", ".aag", ".blif")


def game() -> Any:
    """A small generative adversarial network on points of a plane."""
    from lensgrad.learn.layers.basic import dense, input
    from lensgrad.learn.layers.sequence import sequential
    from lensgrad.learn.optimizers import sgd
    from lensgrad.train.games import gan

    generator, judge = (sequential(input(2), dense(8, activation="relu"), dense(n)) for n in (2, 1))
    return gan(generator, judge, sgd(0.01))


def dream() -> Any:
    """The lens in which the network for digits dreams."""
    from lensgrad.train.games import dreaming

    return dreaming(recipes.task("digits").learner().model)


def adder() -> Any:
    """A full adder."""
    from lensgrad.circuits import formula

    def written(x: Any) -> Any:
        half = x["a"] ^ x["b"]
        return {"sum": half ^ x["carry"], "over": (x["a"] & x["b"]) | (half & x["carry"])}

    return formula(["a", "b", "carry"], written)


EXAMPLES: dict[str, Callable[[], Any]] = {"gan": game, "dream": dream, "circuit": adder}


def subject(what: str, model: str | None, given: Given) -> Any:
    """What is drawn: a task or an example by its name, or what is in a file."""
    if what in recipes.TASKS and not Path(what).is_file():
        return recipes.task(what).learner(model)
    if model is not None:
        raise BadValue(f"'{what}' is one thing: leave --model away")
    if what in EXAMPLES:
        return EXAMPLES[what]()
    ending = Path(what).suffix.lower()
    if ending in CIRCUITS:
        from lensgrad.circuits import read

        return read(Path(what))
    if ending == ".onnx":
        return given.model(what).model
    if ending or Path(what).is_file():
        from lensgrad.train.loading import load

        return load(what)
    told = ", ".join([*recipes.TASKS, *EXAMPLES])
    raise BadValue(f"'{what}' is nothing that can be drawn; use one of {told}, or a file (.safetensors, .onnx, .aig, .aag, .blif)")


def drawn(what: str, model: str | None, output: Path | None, how: Options, given: Given) -> str:
    """The picture as text, in a terminal no wider than it, or the file that it was written to."""
    found = subject(what, model, given)
    if output is None:
        if not sys.stdout.isatty():
            return drawn_text(found, **how)
        columns = shutil.get_terminal_size().columns
        wide: Options = {**how, "width": columns if how.get("width") is None else how.get("width")}
        return bands(drawn_text(found, **wide), columns)
    draw(found, output, **how)
    return f"{output}  {output.stat().st_size:,} bytes"


def explored(what: str, model: str | None, output: Path | None, given: Given) -> str:
    """The page that was written: beside what it is of, called like it, unless told otherwise."""
    found, target = subject(what, model, given), output or Path(Path(what).stem + ".html")
    explore(found, target)
    return f"{target}  {target.stat().st_size:,} bytes: open it in a browser"
