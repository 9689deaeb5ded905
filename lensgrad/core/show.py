"""Arrows as text: one line a node."""

from __future__ import annotations

from typing import Protocol

from lensgrad.core.checks import clean
from lensgrad.core.graph import Node
from lensgrad.core.ty import Ty


class Program(Protocol):
    """An arrow as a straight-line program, whatever class it has."""

    dom: Ty
    cod: Ty

    @property
    def nodes(self) -> tuple[Node, ...]: ...

    @property
    def outs(self) -> tuple[int, ...]: ...


def listing(f: Program) -> str:
    """`f` as a numbered straight-line program, with the type of every wire and the origin of every node."""
    lines = [f"{f.dom} → {f.cod}"]
    wire = len(f.dom)
    for node in f.nodes:
        outs = names(range(wire, wire + len(node.cod)))
        origin = f"    # {clean('/'.join(node.origin))}" if node.origin else ""
        lines.append(f"  {outs} = {clean(str(node.op))}({names(node.args)}) : {node.cod}{origin}")
        wire += len(node.cod)
    return "\n".join([*lines, f"  return {names(f.outs)}"])


def names(wires: range | tuple[int, ...]) -> str:
    return ", ".join(f"w{i}" for i in wires)


def signature(dom: Ty, cod: Ty) -> str:
    """`A → B`."""
    return f"{dom} → {cod}"
