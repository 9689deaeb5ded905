"""`lensgrad circuit property`: what holds of one circuit, with a proof or an input at which it does not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lensgrad.cli.circuit import Care, Given, Seconds, circuit
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
    """Prove a property of a circuit, or print an input at which it fails. Exit code 0 proved, 1 refuted or unknown."""
    from lensgrad import export

    asked = {"--irrelevant": irrelevant, "--monotone": monotone, "--swap": swap}
    if sum(map(bool, asked.values())) != 1:
        raise BadValue(f"one property is asked at a time: give one of {', '.join(asked)}")
    found, rows = export.read(file), None if care is None else export.read(care)
    how: dict[str, Any] = {"care": rows, "timeout": timeout}
    verdict = (
        export.irrelevant(found, names(irrelevant), **how) if irrelevant
        else export.monotone(found, monotone, **how) if monotone
        else export.fair(found, pairs(swap), **how)
    )  # fmt: skip
    say(str(verdict))
    if verdict.status != "proved":
        raise typer.Exit(1)
    if save is not None:
        verdict.save(save)
        say(f"proof: {save}")


def names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def pairs(text: str) -> dict[str, str]:
    """`a:b,c:d` as a dict."""
    found = [tuple(pair.split(":")) for pair in names(text)]
    wrong = [pair for pair in found if len(pair) != 2]
    if wrong:
        raise BadValue(f"a swap is written A:B,C:D with the names of inputs, got '{text}'")
    return {a: b for a, b in found}
