"""What the way back of each box reads of its way forward: the residuals of a step."""

from __future__ import annotations

from lensgrad.cat.reverse import reverse
from lensgrad.core.errors import LensgradError
from lensgrad.draw.net import Net, Step


def reads(net: Net) -> dict[int, tuple[str, ...]]:
    """For each step that has a way back, the types of the inputs that it reads again."""
    return {k: residuals(net, s) for k, s in enumerate(net.steps) if s.kind == "lens" and s.arrow is not None}


def residuals(net: Net, step: Step) -> tuple[str, ...]:
    """The inputs of a box that R of it reads, for the cotangents that reach it and those that somebody wants."""
    arrow = step.arrow
    into, seeds = ([net.lines[w].back is not None for w in wires] for wires in (step.args, step.outs))
    if arrow is None or not any(into) or not any(seeds):
        return ()
    try:
        back = reverse(arrow, into, seeds)
    except LensgradError:
        return ()  # no rule: the arrow is drawn all the same
    used = {a for node in back.nodes for a in node.args} | set(back.outs)
    return tuple(str(a) for k, a in enumerate(arrow.dom) if k in used)
