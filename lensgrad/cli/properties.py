"""`lensgrad circuit property`: what holds of one circuit, with a proof or an input at which it does not."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from lensgrad.cli.circuit import Care, Given, Seconds, circuit, stop_unless_proved
from lensgrad.cli.console import example, say
from lensgrad.core.errors import BadValue


@circuit.command(
    name="property",
    cls=example(
        "lensgrad circuit property net.aig --irrelevant 'a6=1,a6=2' --care net.care.aig",
        "lensgrad circuit property net.aig --monotone 'income>30'",
        "lensgrad circuit property net.aig --swap 'sex=f:sex=m' --save proof",
    ),
)
def proved(
    file: Given,
    irrelevant: Annotated[str, typer.Option(metavar="A,B", help="Changing these inputs changes no output.", show_default=False)] = "",
    monotone: Annotated[str, typer.Option(metavar="A", help="Raising this input lowers no output.", show_default=False)] = "",
    swap: Annotated[str, typer.Option(metavar="A:B,C:D", help="Exchanging these inputs changes no output.", show_default=False)] = "",
    care: Care = None,
    save: Annotated[Path | None, typer.Option(help="Write the proof and what it is about to this folder.", show_default=False)] = None,
    timeout: Seconds = 60.0,
) -> None:
    """Prove a property of a circuit, or print an input at which it fails. Exit code 0 proved, 1 refuted, 3 unknown."""
    from lensgrad import circuits

    asked = {"--irrelevant": irrelevant, "--monotone": monotone, "--swap": swap}
    if sum(map(bool, asked.values())) != 1:
        raise BadValue(f"one property is asked at a time: give one of {', '.join(asked)}")
    found, rows = circuits.read(file), None if care is None else circuits.read(care)
    how: dict[str, Any] = {"care": rows, "timeout": timeout}
    verdict = (
        circuits.irrelevant(found, once("--irrelevant", names(irrelevant, found.inputs), irrelevant), **how) if irrelevant
        else circuits.monotone(found, monotone, **how) if monotone
        else circuits.fair(found, swapped(swap, found.inputs), **how)
    )  # fmt: skip
    say(str(verdict))
    stop_unless_proved(verdict.status)
    if save is not None:
        verdict.save(save)
        say(f"proof: {save}")


# -- names in an option ------------------------------------------------------------------------------------------------


def names(text: str, known: Container[str] = ()) -> list[str]:
    """Names with commas between; a known name that has commas itself is read whole."""
    return runs(text, lambda run: run in known)


def pairs(text: str, known: Container[str] = ()) -> list[tuple[str, str]]:
    """`a:b,c:d` as pairs; known names may have commas and colons themselves."""
    found = [halves(run, known) or tuple(run.split(":")) for run in runs(text, lambda run: halves(run, known) is not None)]
    if any(len(pair) != 2 for pair in found):
        raise BadValue(f"a swap must be written A:B,C:D with the names of inputs, got '{text}'")
    return [(a.strip(), b.strip()) for a, b in found]


def once(option: str, found: Sequence[str], text: str, what: str = "input") -> Sequence[str]:
    """Names, of which there are some, and none twice."""
    if not found:
        raise BadValue(f"{option} names one {what} or more, got '{text}'")
    twice = [name for name in found if found.count(name) > 1]
    if twice:
        raise BadValue(f"{option} names every {what} once, and '{twice[0]}' is there twice: leave one out, or ask in two calls")
    return found


def swapped(text: str, known: Container[str]) -> dict[str, str]:
    found = pairs(text, known)
    once("--swap", [name for pair in found for name in pair], text)
    return dict(found)


def runs(text: str, fits: Callable[[str], bool]) -> list[str]:
    """The pieces between commas, the longest row of pieces that fits taken as one."""
    pieces, found = text.split(","), list[str]()
    while pieces:
        size = next((n for n in range(len(pieces), 0, -1) if fits(",".join(pieces[:n]).strip())), 1)
        found.append(",".join(pieces[:size]).strip())
        pieces = pieces[size:]
    return [run for run in found if run]


def halves(text: str, known: Container[str]) -> tuple[str, str] | None:
    """Two known names with a colon between."""
    cuts = [(text[:i].strip(), text[i + 1 :].strip()) for i, sign in enumerate(text) if sign == ":"]
    return next(((a, b) for a, b in cuts if a in known and b in known), None)
