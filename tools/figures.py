"""The figures of the README and of the paper's page, drawn by what they are about.

`python -m tools.figures` writes them to docs/pictures, with --check it says which are out of date.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from lensgrad.cat.lens import forward, updated
from lensgrad.cat.names import Param, Role
from lensgrad.cat.para import Para, corner, lens, shared
from lensgrad.core.diagram import Diagram
from lensgrad.core.ty import Ty
from lensgrad.draw.front import scened
from lensgrad.draw.place import layout
from lensgrad.draw.scene import Scene
from lensgrad.draw.style import INK, with_types
from lensgrad.draw.svg import svg
from tools.diagrams import quickstart
from tools.symbols import arrow, lens_of, ob, pair, parametric, parametric_lens

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "pictures"


def a_lens() -> Any:
    """A lens (A, A′) → (B, B′)."""
    return lens_of("f", pair("A", "A′"), pair("B", "B′"))


def a_parametric_lens() -> Any:
    """A parametric lens with parameters (P, P′)."""
    return parametric_lens("f", [("P", pair("P", "P′"))], pair("A", "A′"), pair("B", "B′"))


def a_reparameterization() -> Any:
    """A parametric lens whose parameters are given by a lens of others."""
    return a_parametric_lens().reparam({"P": parametric_lens("α", [("Q", pair("Q", "Q′"))], Ty(), pair("P", "P′"))})


def optimizer(label: str, state: str = "") -> Callable[[Param], Para]:
    """A named optimizer (S × P, S × P) → (P, P′)."""

    def point(param: Param) -> Para:
        weight = [(param.label, updated(forward(param.ob)))]
        return parametric_lens(label, [(state, pair(state, state)), *weight] if state else weight, Ty(), param.ob, param.role)

    return point


def capped(task: Para) -> Para:
    """A task as a lens, with a learning rate behind it."""
    closed = lens(task)
    return closed >> Para.lift(lens_of("α", closed.cod, Ty()))


def task() -> Para:
    """corner ; model ; loss."""
    a, b, p = ob("A"), ob("B"), ob("P")
    return corner(a, "A") >> parametric("model", [("P", p)], a, b) >> parametric("loss", [("B", b)], b, ob("L"), Role.DATA)


def supervised() -> Any:
    """Supervised learning: corner ; model ; loss ; rate, with an optimizer before the parameters."""
    return capped(task()).reparam({"P": optimizer("optimizer", "S")})


def dreaming() -> Any:
    """Deep dreaming: the same lens, with the optimizer before the input."""
    return capped(task()).reparam({"A": optimizer("ascent")})


def game() -> Any:
    """A GAN: generated and real things before one discriminator, whose two uses share their parameters."""
    p, q, x, z, score = ob("P"), ob("Q"), ob("X"), ob("Z"), ob("L")
    g, d = parametric("generator", [("P", p)], z, x), parametric("discriminator", [("Q", q)], x, score)
    players = corner(z, "Z") @ corner(x, "X") >> (g @ Diagram.id(x)) >> shared(d, d)
    return capped(players >> Para.lift(arrow("loss", score @ score, score))).reparam({"P": optimizer("descent"), "Q": optimizer("ascent")})


FIGURES: dict[str, tuple[Callable[[], Any], dict[str, Any], str]] = {
    "lens": (a_lens, {"types": True}, "A lens: get goes ahead from A to B, put takes A and B′ back to A′"),
    "parametric-lens": (a_parametric_lens, {"types": True}, "A parametric lens: its parameters P come from above, and P′ goes back there"),
    "reparameterization": (a_reparameterization, {"types": True}, "A parametric lens reparameterized by α, which stands on its parameters"),
    "supervised-learning": (
        supervised,
        {"types": True},
        "Supervised learning: corner, model, loss and rate in a row, the optimizer on the parameters",
    ),
    "deep-dreaming": (dreaming, {"types": True}, "Deep dreaming: the same lens, with the optimizer on the input"),
    "gan": (game, {"types": True}, "A generative adversarial network: both discriminators share their parameters"),
    "quickstart": (quickstart, {"view": "step"}, "The training step of the quickstart: forward pass above, backward pass below"),
}


def drawn(name: str) -> str:
    """A figure as text."""
    make, how, about = FIGURES[name]
    types = how.get("types", False)
    scene = scened(make(), how.get("view"))
    style = with_types(INK) if types else INK
    return svg(layout(primed(scene) if types else scene, style), style, about)


def primed(scene: Scene) -> Scene:
    """The scene with changes as the paper writes them: A′ for ΔA."""

    def prime(text: str) -> str:
        return re.sub("Δ(\\w)", "\\1′", text)

    boxes = [replace(b, ports=tuple(replace(p, back=prime(p.back)) for p in b.ports), tip=prime(b.tip)) for b in scene.boxes]
    return replace(scene, boxes=tuple(boxes), wires=tuple(replace(w, back=prime(w.back)) for w in scene.wires))


def main() -> int:
    """Write the figures, or check them."""
    stale = [
        name
        for name in FIGURES
        if not (FOLDER / f"{name}.svg").exists() or (FOLDER / f"{name}.svg").read_text(encoding="utf-8") != drawn(name)
    ]
    if "--check" in sys.argv:
        print(f"out of date: {', '.join(stale)}: python -m tools.figures" if stale else f"{len(FIGURES)} figures are what the code draws")
        return bool(stale)
    for name in stale:
        (FOLDER / f"{name}.svg").write_text(drawn(name), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
