"""A program as a text that is another one for any other program: the name under which its compiled form is kept."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lensgrad.backends.loop import Loop
from lensgrad.core.diagram import Diagram
from lensgrad.core.op import Op, Table
from lensgrad.core.ty import Ty
from lensgrad.version import __version__

PLAIN = (str, int, float, bool, type(None))
PACKAGE = Path(__file__).resolve().parents[2]
ROOMS = ("backends", "core", "theories")  # whose code makes C of a program


class Unspelled(Exception):
    """Something that has no text which is its alone."""


def program(f: Diagram, loop: Loop, fuse: bool) -> str | None:
    """A text for a step in a loop, and for the code that makes C of it; None where there is none."""
    try:
        return "\n".join([maker(), repr(loop), repr(fuse), Spelling().diagram(f)])
    except Unspelled:
        return None


class Spelling:
    """Texts of values, each generator's found once."""

    def __init__(self) -> None:
        self.known: dict[int, str] = {}

    def diagram(self, f: Diagram) -> str:
        nodes = (f"{self.op(n.op)}{n.args}{'/'.join(n.origin)!r}{self.value(n.cod)}" for n in f.nodes)
        return "\n".join([self.value(f.dom), *nodes, repr(f.outs)])

    def op(self, op: Any) -> str:
        if id(op) not in self.known:
            self.known[id(op)] = self.value(op)
        return self.known[id(op)]

    def value(self, value: Any) -> str:
        """A text of a value, of which other values have others."""
        if type(value) in PLAIN:  # pyright: ignore[reportUnknownArgumentType]
            return repr(value)
        if isinstance(value, Ty):
            return f"[{' '.join(map(self.value, value.atoms))}]"
        if isinstance(value, tuple):
            return f"({', '.join(map(self.value, value))})"  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType]
        if isinstance(value, Table):
            return value.digest.hex()
        if isinstance(value, Diagram):
            return f"{{{self.diagram(value)}}}"
        if is_dataclass(value) and not isinstance(value, type):
            return f"{type(value).__qualname__}({', '.join(self.value(getattr(value, part.name)) for part in fields(value))})"
        if isinstance(value, Op):
            inside = ", ".join(f"{name}={self.value(getattr(value, name))}" for name in value.fields)
            return f"{type(value).__module__}.{type(value).__qualname__}({inside})"
        raise Unspelled


@cache
def maker() -> str:
    """What the code is that makes C of programs: the version, and each of its files by size and time."""
    files = sorted(p for room in ROOMS for p in (PACKAGE / room).rglob("*.[phc]*") if p.suffix in (".py", ".h", ".c"))
    return "\n".join([__version__, *(f"{p.name} {p.stat().st_size} {p.stat().st_mtime_ns}" for p in files)])


__all__ = ["program"]
