"""The gallery, docs/gallery.md: each layer, activation, loss, optimizer and learning system with its picture, its type and its reverse.

`python -m tools.gallery` writes the page and its pictures, with --check it says what is out of date.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import lensgrad as lg
from lensgrad.cat.para import Para, para
from lensgrad.cat.reverse import R
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import LensgradError
from lensgrad.core.show import listing
from lensgrad.core.ty import Ty
from lensgrad.draw.front import placed
from lensgrad.draw.svg import svg
from lensgrad.program.compile import Port, Program
from tools.gallery_list import ACTIVATIONS, LAYERS, LOSSES, OPTIMIZERS, SYSTEMS, point

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE = DOCS / "gallery.md"
HEAD = """# Gallery

Each layer, activation, loss, optimizer and learning system: its picture, its type, and its reverse. `python -m tools.gallery` draws this
page from the code, and a test compares it. Blue flows ahead; what comes back is orange and dashed. A layer is one box in larger pictures
and is opened here; `lg.draw(anything, "picture.svg")` draws your own.
"""
LONGEST = 60  # lines of a reverse that are shown

Block = tuple[str, dict[str, str]]  # Markdown, and the pictures in it by name


def at(layer: Any, dom: Ty) -> Para:
    """A layer at an object."""
    return layer if isinstance(layer, Para) else para(Diagram.id(dom)) >> layer


def first(what: Any) -> str:
    """The first sentence that something says of itself."""
    return (inspect.getdoc(what) or "").split("\n")[0]


def reversed_listing(f: Diagram) -> str:
    """R[f] as a program, or why there is none."""
    try:
        lines = listing(R(f)).splitlines()
    except LensgradError as why:
        return str(why)
    return "\n".join(lines if len(lines) <= LONGEST else [*lines[: LONGEST - 2], f"  … {len(lines) - LONGEST + 1} more lines", lines[-1]])


def folded(title: str, text: str) -> str:
    """A listing that opens when it is asked for."""
    return f"<details><summary>{title}</summary><pre>{escape(text)}</pre></details>"


def entry(name: str, layer: Any, dom: Ty, kind: str) -> Block:
    """A layer, activation or loss."""
    f = at(layer, dom)
    file = f"{kind}-{name}"
    params = f" with {', '.join(f.names)}" if f.names else ""
    text = f"### {name}\n\n{first(getattr(lg, name))}\n\n`{f.dom} → {f.cod}`{params}\n\n![{name}](pictures/gallery/{file}.svg)\n\n"
    return text + folded(f"R[{name}]", reversed_listing(f.arrow)) + "\n", {file: svg(placed(f, depth=1))}


def mover(name: str, optimizer: Any) -> Block:
    """An optimizer: its put as a program, and its get where it is not the weight itself."""
    made = point(optimizer)
    names = list(made.names)
    weight = made.params[-1].ob[0].fwd
    objects = [p.ob[0].fwd for p in made.params]
    ins = [Port(n, ob) for n, ob in zip([*names, "p′"], [*objects, weight], strict=True)]
    outs = [Port(f"next {n}", ob) for n, ob in zip(names, objects, strict=True)]
    file = f"optimizer-{name}"
    picture = placed(Program(tuple(ins), tuple(outs), made.arrow.put))
    told = f"### {name}\n\n{first(getattr(lg, name)) if callable(getattr(lg, name)) else ''}\n\n`{made.arrow.dom} → {made.arrow.cod}`"
    text = f"{told} with {', '.join(names)}; its put:\n\n![{name}](pictures/gallery/{file}.svg)\n\n"
    return text + folded("get", listing(made.arrow.get)) + "\n", {file: svg(picture)}


def system(name: str, made: Any) -> Block:
    """A learning system as a lens, and its step with both passes apart."""
    closed = made.lens() if hasattr(made, "lens") else made
    file = f"system-{name.replace(' ', '-')}"
    pictures = {file: svg(placed(made)), f"{file}-step": svg(placed(made, view="step"))}
    shown = "\n\n".join(f"![{name}](pictures/gallery/{each}.svg)" for each in pictures)
    ports = ", ".join(f"{n} ({p.role.value})" for n, p in zip(closed.names, closed.params, strict=True))
    return f"### {name}\n\n{ports}\n\n{shown}\n\n{folded('put', cut(listing(closed.arrow.put)))}\n", pictures


def cut(text: str) -> str:
    """A listing without its middle where it is long."""
    lines = text.splitlines()
    return "\n".join(lines if len(lines) <= LONGEST else [*lines[: LONGEST - 2], f"  … {len(lines) - LONGEST + 1} more lines", lines[-1]])


def blocks() -> Iterator[Block]:
    """The page, piece by piece."""
    yield HEAD, {}
    for title, kind, entries in (("Layers", "layer", LAYERS), ("Activations", "activation", ACTIVATIONS), ("Losses", "loss", LOSSES)):
        yield f"## {title}\n", {}
        for name, (layer, dom) in entries.items():
            yield entry(name, layer, dom, kind)
    yield "## Optimizers\n", {}
    for name, optimizer in OPTIMIZERS.items():
        yield mover(name, optimizer)
    yield "## Learning systems\n", {}
    for name, make in SYSTEMS.items():
        yield system(name, make())


def files() -> dict[Path, str]:
    """The page and its pictures, by place."""
    found, text = dict[Path, str](), list[str]()
    for block, pictures in blocks():
        text.append(block)
        found |= {DOCS / "pictures" / "gallery" / f"{name}.svg": picture for name, picture in pictures.items()}
    return {PAGE: "\n".join(text), **found}


def stale() -> list[Path]:
    """What is out of date, or should not be there."""
    wanted = files()
    there = set((DOCS / "pictures" / "gallery").glob("*.svg")) | {PAGE}
    return sorted({p for p, text in wanted.items() if not p.exists() or p.read_text(encoding="utf-8") != text} | (there - wanted.keys()))


def main() -> int:
    """Write the gallery, or check it."""
    if "--check" in sys.argv:
        found = stale()
        print(
            f"out of date: {', '.join(p.name for p in found)}: python -m tools.gallery" if found else "the gallery is what the code draws"
        )
        return bool(found)
    (DOCS / "pictures" / "gallery").mkdir(exist_ok=True)
    wanted = files()
    for place in stale():
        if place in wanted:
            place.write_text(wanted[place], encoding="utf-8", newline="\n")
        else:
            place.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
