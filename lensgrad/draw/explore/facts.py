"""What a page says of a box besides its label: types, weights and bytes, and operations, each as a line of two texts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import Any

from lensgrad.backends.numpy import host, nbytes
from lensgrad.core.checks import clean
from lensgrad.core.errors import LensgradError
from lensgrad.draw.build import Builder, key
from lensgrad.draw.net import Step
from lensgrad.draw.scene import Box, Port, Scene
from lensgrad.program.costs import flops
from lensgrad.program.layer_costs import amount

Fact = tuple[str, str]
LONGEST = 300  # characters of a line
SIDES = (("takes", "left"), ("parameters", "top"), ("gives", "right"))


def facts(built: Builder, scene: Scene) -> dict[str, tuple[Fact, ...]]:
    """The lines of each box of a picture, by the id of its plate."""
    return {id: (*typed(box), *spent(built, steps_of(built, box))) for id, box in plates(scene)}


def plates(scene: Scene, before: str = "") -> Iterable[tuple[str, Box]]:
    """Every box with the id that its plate has."""
    for box in scene.boxes:
        yield before + box.id, box
        if box.inside is not None:
            yield from plates(box.inside, f"{before}{box.id}/")


def steps_of(built: Builder, box: Box) -> Sequence[Step]:
    """What a box stands for, and what stands in a frame."""
    if box.kind != "frame":
        return built.shown.get(box.id, ())
    inside = [s for s in built.net.steps if any(key(s.path[:k]) == box.id for k in range(1, len(s.path) + 1))]
    return [s for s in inside if s.kind != "optimizer"]


def typed(box: Box) -> list[Fact]:
    """The types at the sides of a box: ahead, and what comes back."""
    if box.kind in ("parameter", "input", "output"):
        return [("type", typing(box.ports))]
    return [(what, typing(ports)) for what, side in SIDES if (ports := [p for p in box.ports if p.side == side])]


def typing(ports: Sequence[Port]) -> str:
    """The types of some ports, as the type of what passes both ways."""
    ahead, back = (" × ".join(t for t in texts if t) for texts in ([p.ahead for p in ports], [p.back for p in ports]))
    return cut(f"{ahead}; back: {back}" if back else ahead)


def cut(text: str) -> str:
    """A text on one line, not longer than a page can show."""
    text = clean(text[: LONGEST + 1])
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def spent(built: Builder, steps: Sequence[Step]) -> list[Fact]:
    """How many weights and states some steps read, the bytes of what they give, and how many operations they take ahead.

    A closed box has all of its operations; an opened one those of what is drawn in it, so without writing states unless these are shown.
    """
    found = [(f"{role}s", carried(built, steps, role)) for role in ("weight", "state")]
    made = {w for s in steps for w in s.outs} - {a for s in steps for a in s.args}
    size = sum(measured(built.net.lines[w].atom)[1] for w in made)
    work = operations(steps)
    told = [
        *found,
        ("bytes given", amount(size) if size else ""),
        ("operations", "" if work is None else f"{amount(work)} ahead, of one example"),
    ]
    return [(what, text) for what, text in told if text]


def carried(built: Builder, steps: Sequence[Step], role: str) -> str:
    """How many numbers parameters of a role have, and how many bytes; nothing for none."""
    roles = {e.wire: e.role for e in built.net.entries}
    roles |= {w: "weight" for s in built.net.steps if s.kind == "optimizer" for w in s.outs}  # a weight, as its optimizer shows it
    read = {a for s in steps for a in s.args if roles.get(a) == role}
    sizes = [measured(built.net.lines[a].atom) for a in read]
    numbers, size = sum(n for n, _ in sizes), sum(b for _, b in sizes)
    return f"{amount(numbers)} numbers, {amount(size)} bytes" if numbers else ""


def measured(atom: Any) -> tuple[int, int]:
    """How many numbers and bytes an array has; of what has none, nothing."""
    try:
        return prod(host(atom)[0]), nbytes(atom)
    except (AttributeError, LensgradError):
        return 0, 0


def operations(steps: Sequence[Step]) -> int | None:
    """How many floating-point operations some steps take; None where one is no arrow or has no price."""
    arrows = [s.arrow for s in steps]
    try:
        return sum(flops(f) for f in arrows if f is not None) if arrows and None not in arrows else None
    except LensgradError:
        return None


__all__ = ["Fact", "facts", "plates"]
