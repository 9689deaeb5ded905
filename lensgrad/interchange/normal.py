"""One form for arrows that differ in how their arrays are arranged: axes of size 1, moves after moves, and what is repeated too early.

The equations used hold for all numbers and to the bit, but for sums of products, which a backend may add up in another order
where an axis of size 1 is gone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lensgrad.core.diagram import Diagram, Recompute
from lensgrad.core.functor import fold, unfold
from lensgrad.core.graph import Graph, Node, Wire
from lensgrad.core.rewrite import rewrite
from lensgrad.core.ty import Ty
from lensgrad.interchange.einsums import product
from lensgrad.interchange.exact import cast, number, position
from lensgrad.interchange.moves import closed, kept, made, narrow, places, reshaped, spread, thinned, transposed
from lensgrad.theories.smooth import index, linear, reduce
from lensgrad.theories.smooth import pointwise as p
from lensgrad.theories.smooth.array import Array
from lensgrad.theories.smooth.rules import RULES
from lensgrad.theories.smooth.scan import Scan, with_outs
from lensgrad.theories.smooth.shape import Full


@dataclass(frozen=True)
class Met:
    """A node whose arguments are there without their axes of size 1, and the types that it has them in."""

    op: Any
    xs: tuple[Wire, ...]
    dom: tuple[Any, ...]
    cod: tuple[Any, ...]
    graph: Graph
    asked: tuple[bool, ...] = ()  # which of its results something reads

    @property
    def x(self) -> Wire:
        return self.xs[0]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the first argument."""
        return self.dom[0].shape

    def inside(self, axes: Sequence[int]) -> tuple[int, ...]:
        """The numbers of axes of the first argument among those that are not of size 1."""
        left = kept(self.shape)
        return tuple(left.index(a) for a in axes if a in left)


Rule = Callable[[Met], Any]


def normal(f: Diagram) -> Diagram:
    """The same arrow A → B in one form: equal to that of another arrow where both are arrangements of the same operations."""
    arrow = rewrite(unfold(f), RULES)
    graph = Graph(arrow.dom)
    found = walked(arrow, [thin(Wire(graph, k)) for k in range(len(arrow.dom))], graph)
    return rewrite(Diagram.finish(graph, [wide(x, a).index for x, a in zip(found, arrow.cod, strict=True)]), RULES)


def walked(arrow: Diagram, inputs: Sequence[Wire], graph: Graph) -> list[Wire]:
    """The results of an arrow, without their axes of size 1."""
    types: list[Any] = [*arrow.dom, *(a for n in arrow.nodes for a in n.cod)]
    asked = {*arrow.outs, *(a for n in arrow.nodes for a in n.args)}
    first = len(arrow.dom)

    def rule(node: Node, args: list[Wire]) -> Sequence[Wire]:
        nonlocal first
        atoms, results = tuple(types[a] for a in node.args), range(first, first + len(node.cod))
        first = results.stop
        met = Met(node.op, tuple(args), atoms, node.cod.atoms, graph, tuple(w in asked for w in results))
        return walked(unfold(node.op.body), args, graph) if isinstance(node.op, Recompute) else written(met)

    return fold(arrow, list(inputs), rule)


def written(met: Met) -> Sequence[Wire]:
    """The results of one node."""
    found = pointwise(met) if isinstance(met.op, p.Pointwise) else TABLE.get(met.op.__class__, whole)(met)
    return [found] if isinstance(found, Wire) else found


def thin(x: Wire) -> Wire:
    """A wire without axes of size 1."""
    return reshaped(x, narrow(x.atom.shape)) if isinstance(x.atom, Array) else x


def wide(x: Wire, atom: Any) -> Wire:
    """A wire in the shape of its type."""
    return reshaped(x, atom.shape) if isinstance(atom, Array) else x


def whole(met: Met) -> list[Wire]:
    """A node as it is, on arguments in their own shapes."""
    args = [wide(x, a).index for x, a in zip(met.xs, met.dom, strict=True)]
    return [thin(x) for x in met.graph.wires(met.graph.apply(met.op, tuple(args)))]


def pointwise(met: Met) -> Wire:
    """Entry by entry, on those axes that something is not repeated along; the result is repeated."""
    if not met.xs or any(not isinstance(x.atom, Array) for x in met.xs):
        return whole(met)[0]
    axes = sorted({a for x in met.xs for a in places(x)})
    shape = met.x.atom.shape
    return spread(met.op(*(thinned(x, axes) for x in met.xs)), shape, axes)


def recast(met: Met) -> Wire:
    """A cast, of what is repeated before it is."""
    axes = places(met.x)
    return spread(cast(thinned(met.x, axes), met.op.dtype), met.x.atom.shape, axes)


def constant(met: Met) -> Wire:
    atom = met.op.atom
    return Wire(met.graph, met.graph.apply(Full(number(met.op.value, atom.dtype), atom.with_shape(*narrow(atom.shape))), ())[0])


def repeated(met: Met) -> Wire:
    left = kept(met.op.shape)
    return spread(met.x, narrow(met.op.shape), [left.index(a) for a in met.op.axes if a in left])


def along(met: Met) -> Wire:
    """What works along one axis; one of size 1 is put last."""
    axes = met.inside((met.op.axis,))
    return met.op.replace(axis=axes[0])(met.x) if axes else thin(met.op.replace(axis=met.x.atom.rank)(ended(met.x)))


def sorted_last(met: Met) -> Wire:
    """What works along the last axis."""
    return met.op(met.x) if met.shape[-1] != 1 else thin(met.op(ended(met.x)))


def ended(x: Wire) -> Wire:
    """A wire with an axis of size 1 at its end."""
    return reshaped(x, (*x.atom.shape, 1))


def einsum(met: Met) -> Wire:
    letters: tuple[list[str], str] = met.op.letters()
    return product(letters[0], letters[1], met.xs, [a.shape for a in met.dom])


def over(met: Met) -> Wire:
    """What reduces axes, and does nothing where all of them are of size 1."""
    axes = met.inside(met.op.axes)
    return met.op.replace(axes=axes)(met.x) if axes else met.x


def running(met: Met) -> Wire:
    return along(met) if met.inside((met.op.axis,)) else met.x


def cut(met: Met) -> Wire:
    """A part of an array; axes of size 1 stay where nothing is left of them."""
    (y,) = met.cod
    axes = [a for a, n in enumerate(met.shape) if n != 1 or y.shape[a] == 0]
    start, stop, step = (tuple(part[a] for a in axes) for part in (met.op.start, met.op.stop, met.op.step))
    x = reshaped(met.x, [met.shape[a] for a in axes])
    if isinstance(made(x), Full):
        return closed(x, Full(made(x).value, y.with_shape(*narrow(y.shape))))
    everything = start == (0,) * len(axes) and stop == x.atom.shape and step == (1,) * len(axes)
    return x if everything else thin(linear.Slice(start, stop, step)(x))


def padded(met: Met) -> Wire:
    """Zeros around: axes of size 1 stay where they get longer."""
    axes = [a for a, n in enumerate(met.shape) if n != 1 or met.op.low[a] or met.op.high[a]]
    x = reshaped(met.x, [met.shape[a] for a in axes])
    return thin(linear.Pad(*(tuple(part[a] for a in axes) for part in (met.op.low, met.op.high, met.op.interior)))(x))


def joined(met: Met) -> Any:
    (y,) = met.cod
    axis = int(met.op.axis)
    axes = [a for a, n in enumerate(y.shape) if n != 1 or a == axis]
    parts = [reshaped(x, [a.shape[i] for i in axes]) for x, a in zip(met.xs, met.dom, strict=True)]
    return thin(linear.Concatenate(axes.index(met.op.axis))(*parts) if len(parts) > 1 else parts[0])


def taken(met: Met) -> Wire:
    """Rows by number, whose axis stays; axes that both have in front are one."""
    x, at = met.xs
    k: int = met.op.lead
    lead, n, rest = narrow(met.shape[:k]), met.shape[k], narrow(met.shape[k + 1 :])
    if not lead:
        return index.Take(0)(reshaped(x, [n, *rest]), position(at, n))
    rows = reshaped(position(at, n), [math.prod(lead), math.prod(at.atom.shape[len(lead) :])])
    found = index.Take(1)(reshaped(x, [math.prod(lead), n, *rest]), rows)
    return reshaped(found, [*at.atom.shape, *rest])


def added(met: Met) -> Wire:
    """Rows added by number; axes that both have in front are one."""
    at, y = met.xs
    lead = narrow(met.shape[: met.op.lead])
    rest = y.atom.shape[at.atom.rank :]
    if not lead:
        return thin(index.ScatterAdd(met.op.rows, 0)(at, y))
    sizes = [math.prod(lead), math.prod(at.atom.shape[len(lead) :])]
    found = index.ScatterAdd(met.op.rows, 1)(reshaped(at, sizes), reshaped(y, [*sizes, *rest]))
    return reshaped(found, [*lead, *narrow([met.op.rows]), *rest])


def loop(met: Met) -> list[Wire]:
    """A loop whose body is in this form, on arrays without axes of size 1; what is stacked keeps the axis of steps.

    Stacks that nothing reads are not made, and those of what a step begins with are the last results of the loop.
    """
    op, c = met.op, int(met.op.carries)
    body = bare(op.body)
    stacks = [(k, body.outs[k]) for k in range(c, len(body.outs))]
    begun = {k for k, out in stacks if out < c}
    kept = [k for k, _ in stacks if met.asked[k] and k not in begun]
    inner = op.replace(body=with_outs(body, [body.outs[k] for k in (*range(c), *kept)]))
    held = c + int(op.shared)
    args = [x if k < held else stacked(x, a, op.n) for k, (x, a) in enumerate(zip(met.xs, met.dom, strict=True))]
    found = [Wire(met.graph, w) for w in met.graph.apply(inner, tuple(x.index for x in args))]
    places = {k: c + i for i, k in enumerate(kept)}  # what nothing reads is anything
    ends = [found[len(found) - c + out if k in begun else places.get(k, 0)] for k, out in stacks]
    return [*map(thin, found[:c]), *map(thin, ends), *map(thin, found[len(found) - c :])]


def stacked(x: Wire, atom: Any, n: int) -> Wire:
    """What a loop goes through, with the axis of its steps."""
    return reshaped(x, (n, *narrow(atom.shape[1:]))) if isinstance(atom, Array) else x


def bare(f: Diagram) -> Diagram:
    """An arrow in this form, on arrays without axes of size 1."""
    arrow = rewrite(unfold(f), RULES)
    graph = Graph(Ty(tuple(a.with_shape(*narrow(a.shape)) if isinstance(a, Array) else a for a in arrow.dom)))
    found = walked(arrow, [Wire(graph, k) for k in range(len(arrow.dom))], graph)
    return rewrite(Diagram.finish(graph, [x.index for x in found]), RULES)


TABLE: dict[type[Any], Rule] = {
    Full: constant,
    linear.Spread: repeated,
    linear.Sum: over,
    linear.Transpose: lambda m: transposed(m.x, [kept(m.shape).index(a) for a in m.op.order if m.shape[a] != 1]),
    linear.Reshape: lambda m: reshaped(m.x, narrow(m.op.shape)),
    linear.Slice: cut,
    linear.Pad: padded,
    linear.Concatenate: joined,
    linear.Flip: over,
    linear.CumulativeSum: running,
    linear.Cast: recast,
    linear.Einsum: einsum,
    reduce.AMax: over,
    reduce.LogSumExp: over,
    reduce.LogSoftmax: along,
    reduce.ArgMax: along,
    reduce.ArgSort: sorted_last,
    index.Take: taken,
    index.ScatterAdd: added,
    index.OneHot: lambda m: thin(m.op(m.x)),
    Scan: loop,
}
__all__ = ["normal"]
