"""What a page says of a box besides its label: types, weights and bytes, and operations, each as a line of two texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from math import prod
from typing import Any

from lensgrad.backends.numpy import host, nbytes
from lensgrad.core.checks import clean
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import LensgradError
from lensgrad.draw.build import Builder, key
from lensgrad.draw.net import Step
from lensgrad.draw.scene import Box, Port, Scene
from lensgrad.program.costs import flops
from lensgrad.program.layer_costs import amount

Fact = tuple[str, str]
LONGEST = 300  # characters of a line
COUNTED = ("weight", "state")  # roles of parameters
SIDES = (("takes", "left"), ("parameters", "top"), ("gives", "right"))


def facts(built: Builder, scene: Scene) -> dict[str, tuple[Fact, ...]]:
    """The lines of each box of a picture, by the id of its plate."""
    roles = roles_of(built)
    within = inside(built)
    steps = {id: within.get(box.id, []) if box.kind == "frame" else built.shown.get(id, ()) for id, box in plates(scene)}
    return {id: (*typed(box), *spent(built, steps[id], roles)) for id, box in plates(scene)}


def roles_of(built: Builder) -> dict[int, str]:
    """What parameters are for, by their wires; what an optimizer gives is the weight, as it shows it."""
    roles = {e.wire: e.role for e in built.net.entries}
    return roles | {w: "weight" for s in built.net.steps if s.kind == "optimizer" for w in s.outs}


def plates(scene: Scene, before: str = "") -> Iterable[tuple[str, Box]]:
    """Every box with the id that its plate has."""
    for box in scene.boxes:
        yield before + box.id, box
        if box.inside is not None:
            yield from plates(box.inside, f"{before}{box.id}/")


def inside(built: Builder) -> dict[str, list[Step]]:
    """What stands in each frame, by its id, without optimizers."""
    found = dict[str, list[Step]]()
    for s in built.net.steps:
        for k in range(1, len(s.path) + 1 if s.kind != "optimizer" else 1):
            found.setdefault(key(s.path[:k]), []).append(s)
    return found


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


def spent(built: Builder, steps: Sequence[Step], roles: Mapping[int, str]) -> Sequence[Fact]:
    """How many weights and states some steps read, the bytes of what they give, and how many operations they take ahead.

    A closed box has all of its operations; an opened one those of what is drawn in it, so without writing states unless these are shown.
    """
    if not steps:
        return ()
    lines, taken = built.net.lines, dict.fromkeys(a for s in steps for a in s.args)
    read = tuple((roles[a], lines[a].atom) for a in taken if roles.get(a) in COUNTED)
    made = tuple(lines[w].atom for w in dict.fromkeys(w for s in steps for w in s.outs) if w not in taken)
    return told(read, made, tuple(s.arrow for s in steps))


@lru_cache(4096)
def told(read: tuple[tuple[str, Any], ...], made: tuple[Any, ...], arrows: tuple[Diagram | None, ...]) -> tuple[Fact, ...]:
    """The same, of what is read by its role, what is made, and what is done."""
    found = [(f"{role}s", carried([atom for r, atom in read if r == role])) for role in COUNTED]
    size, work = sum(measured(atom)[1] for atom in made), operations(arrows)
    lines = [
        *found,
        ("bytes given", amount(size) if size else ""),
        ("operations", "" if work is None else f"{amount(work)} ahead, of one example"),
    ]
    return tuple((what, text) for what, text in lines if text)


def carried(atoms: Iterable[Any]) -> str:
    """How many numbers parameters have, and how many bytes; nothing for none."""
    sizes = [measured(atom) for atom in atoms]
    numbers, size = sum(n for n, _ in sizes), sum(b for _, b in sizes)
    return f"{amount(numbers)} numbers, {amount(size)} bytes" if numbers else ""


@lru_cache(4096)
def measured(atom: Any) -> tuple[int, int]:
    """How many numbers and bytes an array has; of what has none, nothing."""
    try:
        return prod(host(atom)[0]), nbytes(atom)
    except (AttributeError, LensgradError):
        return 0, 0


def operations(arrows: Iterable[Diagram | None]) -> int | None:
    """How many floating-point operations some arrows take; None where one is none or has no price, and for no arrows."""
    prices = [priced(f) for f in arrows]
    return sum(p for p in prices if p is not None) if prices and None not in prices else None


@lru_cache(4096)
def priced(arrow: Diagram | None) -> int | None:
    """How many operations an arrow takes; None for none, and where a generator has no price."""
    try:
        return None if arrow is None else flops(arrow)
    except LensgradError:
        return None


__all__ = ["Fact", "facts", "plates"]
