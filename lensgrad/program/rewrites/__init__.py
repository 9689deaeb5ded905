"""Equations that make a finished step cheaper, shared by all backends: `finished` applies them, `LAWS` are those of single nodes.

They hold between functions, and are for after R: no derivative is taken of what comes out.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from lensgrad.core.diagram import Diagram
from lensgrad.program.rewrites.loops import hoisted, inside, looped, placed
from lensgrad.program.rewrites.numbers import NUMBERS
from lensgrad.program.rewrites.products import PRODUCTS
from lensgrad.program.rewrites.saved import saved
from lensgrad.program.rewrites.shapes import SHAPES
from lensgrad.program.rewrites.site import At, Law, Site, by_head
from lensgrad.theories.smooth.scan import Scan

LAWS: tuple[Law, ...] = (*NUMBERS, *SHAPES, *PRODUCTS)
HEADS = by_head(LAWS)


LOOPS = {"kept for the way back": saved, "constants of loops": inside, "steady values": hoisted, "what nobody reads": placed}


def equations() -> dict[str, str]:
    """All laws: by name, the equation, the left side of which is replaced by the right one."""
    loops = {name: (law.__doc__ or "").strip().splitlines()[0] for name, law in LOOPS.items()}
    return {**loops, **{law.name: law.equation for law in LAWS}}


def finished(f: Diagram) -> Diagram:
    """The same function by fewer and cheaper nodes: loops share what they compute, then every law is used from the inputs on."""
    return simplified(saved(f))


def simplified(f: Diagram, heads: Mapping[type[Any], tuple[At, ...]] = HEADS) -> Diagram:
    """Every node put down by the first law that fits, in the bodies of loops too."""
    reads = [0] * (len(f.dom) + sum(len(node.cod) for node in f.nodes))
    for node in f.nodes:
        for a in node.args:
            reads[a] += 1
    for o in f.outs:
        reads[o] += 1
    site, env = Site(f.dom, heads), list(range(len(f.dom)))
    for node in f.nodes:
        site.graph.here, args, start = node.origin, tuple([env[a] for a in node.args]), len(env)
        if isinstance(node.op, Scan):
            read = [n > 0 for n in reads[start : start + len(node.cod)]]
            outs = looped(site, node.op, args, read, partial(simplified, heads=heads))
        elif type(node.op) in heads:
            outs = site.apply(node.op, *args)
        else:
            outs = site.graph.apply(node.op, args, node.cod, node.origin)
        for wire, n in zip(outs, reads[start : start + len(outs)], strict=False):
            site.reads[wire] += n
        env.extend(outs)
    return Diagram.finish(site.graph, [env[o] for o in f.outs])


__all__ = ["LAWS", "Law", "by_head", "equations", "finished", "simplified"]
