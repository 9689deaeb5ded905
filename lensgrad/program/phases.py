"""The three parts of a training step: forward, backward, update. What R makes says so in its origin, the rest follows from that."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from lensgrad.core.diagram import Diagram
from lensgrad.core.graph import BACK
from lensgrad.program.compile import Program


class Phase(Enum):
    """A part of a training step."""

    FORWARD = "forward"
    BACKWARD = "backward"
    UPDATE = "update"


def makers(f: Diagram) -> list[int]:
    """For each wire the number of the node that makes it; -1 for an input."""
    return [-1] * len(f.dom) + [i for i, node in enumerate(f.nodes) for _ in node.cod]


def phases(step: Program) -> tuple[Phase, ...]:
    """The phase of each node of a step.

    Backward is what R made. Forward is what stands in a layer, and what a gradient or a report needs before any gradient is there.
    All else moves weights and states.
    """
    f, names = step.diagram, {p.name for p in step.inputs}
    reported = [name not in names for name in (p.name for p in step.outputs for _ in p.ob)]
    return sorted_nodes(f, [o for o, yes in zip(f.outs, reported, strict=True) if yes])


def sorted_nodes(f: Diagram, reported: Sequence[int]) -> tuple[Phase, ...]:
    """The phase of each node, where these wires are what is reported."""
    owner = makers(f)
    back = [node.origin[:1] == (BACK,) for node in f.nodes]
    after, needed = list(back), [False] * len(f.nodes)
    for i, node in enumerate(f.nodes):
        after[i] = after[i] or any(owner[a] >= 0 and after[owner[a]] for a in node.args)
    for o in reported:
        if owner[o] >= 0:
            needed[owner[o]] = True
    for i in reversed(range(len(f.nodes))):
        for a in f.nodes[i].args if needed[i] or back[i] else ():
            if owner[a] >= 0:
                needed[owner[a]] = True
    return tuple(phase(b, bool(n.origin), need, late) for n, b, need, late in zip(f.nodes, back, needed, after, strict=True))


def phase(back: bool, layered: bool, needed: bool, late: bool) -> Phase:
    """The phase of a node: made by R, in a layer, needed for a gradient or a report, behind a gradient."""
    if back:
        return Phase.BACKWARD
    return Phase.FORWARD if layered or (needed and not late) else Phase.UPDATE


__all__ = ["Phase", "makers", "phases", "sorted_nodes"]
