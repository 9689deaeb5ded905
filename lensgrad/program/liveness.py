"""How much memory a program holds at once, from its types alone: a wire lives from the node that makes it to the last that reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lensgrad.backends.numpy import nbytes
from lensgrad.backends.source import last_reads
from lensgrad.core.diagram import Diagram, Recompute
from lensgrad.core.functor import unfold
from lensgrad.core.graph import Node
from lensgrad.theories.smooth import conv, linear, random, reduce, scan, special
from lensgrad.theories.smooth import pointwise as p

# What shows its argument in another shape, and holds no array of its own.
VIEWS = (linear.Spread, linear.Transpose, linear.Reshape, linear.Slice, linear.Flip, linear.AxisMean, random.KeyTranspose, p.StopGradient)
Work = Callable[[Any, Sequence[int], int], int]  # a generator, the bytes that it reads, and those that it writes
WORK: Mapping[type[Any], Work] = {  # what a generator of NumPy holds besides while it runs
    p.Logistic: lambda op, read, written: 2 * written,
    p.Erf: lambda op, read, written: 16 * written,  # eight arrays of float64
    special.Erfc: lambda op, read, written: 16 * written,
    linear.Einsum: lambda op, read, written: sum(read) + written if any(len(letters) > 2 for letters in op.letters()[0]) else 0,
    reduce.LogSoftmax: lambda op, read, written: written,
    reduce.LogSumExp: lambda op, read, written: read[0],
    conv.Convolve: lambda op, read, written: max(read) + 2 * written,
    conv.WindowArgMax: lambda op, read, written: read[0] + 2 * written,
}


def peak(f: Diagram) -> int:
    """The most bytes that an arrow holds at once beside its inputs, which the caller holds."""
    f = unfold(f)
    sizes = [0] * len(f.dom) + [nbytes(a) for node in f.nodes for a in node.cod]
    over = last_reads(held(f))
    live, most, wire = 0, 0, len(f.dom)
    types = list(f.dom)
    for number, node in enumerate(f.nodes):
        made = range(wire, wire + len(node.cod))
        if isinstance(node.op, VIEWS):
            sizes[wire] = 0
        live += sum(sizes[w] for w in made)
        most = max(most, live + working(node, [nbytes(types[a]) for a in node.args], sum(sizes[w] for w in made)))
        live -= sum(sizes[w] for w in over.get(number, ()))
        types += node.cod.atoms
        wire += len(node.cod)
    return most


def working(node: Node, read: Sequence[int], written: int) -> int:
    """What one node holds while it runs; a loop holds what one of its steps does."""
    if isinstance(node.op, scan.Scan | Recompute):
        return peak(node.op.body)
    rule = WORK.get(type(node.op))
    return 0 if rule is None else rule(node.op, read, written)


def held(f: Diagram) -> Diagram:
    """The same wires with those that are views read as what they show: it lives as long as they are read."""
    root = list(range(len(f.dom)))
    nodes = list[Node]()
    for node in f.nodes:
        args = tuple(dict.fromkeys(root[a] for a in node.args))
        start = len(root)
        view = isinstance(node.op, VIEWS)
        root += [args[0]] if view else range(start, start + len(node.cod))
        nodes.append(Node(node.op, args, node.cod))
    return Diagram(f.dom, f.cod, (tuple(nodes), tuple(root[o] for o in f.outs)))


def kept(f: Diagram, back: Sequence[bool]) -> list[int]:
    """The wires that nodes make forward and that nodes on the way back, which `back` marks, read: the residuals."""
    forward, wire = set[int](), len(f.dom)
    found = dict[int, None]()
    same = held(f)
    for node, late in zip(same.nodes, back, strict=True):
        found |= dict.fromkeys(a for a in node.args if late and a in forward)
        constant = not node.args
        forward |= set() if late or constant else set(range(wire, wire + len(node.cod)))
        wire += len(node.cod)
    return [*found]


__all__ = ["VIEWS", "kept", "peak"]
