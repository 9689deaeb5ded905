"""Graph convolution: the features of the nodes of one graph, mixed along its edges."""

from __future__ import annotations

from typing import Any

from lensgrad.core.diagram import Family
from lensgrad.core.errors import TypeMismatch
from lensgrad.core.ty import Ty
from lensgrad.learn import init
from lensgrad.learn.layers.activations import activation_named
from lensgrad.learn.layers.attention import rowwise
from lensgrad.learn.layers.convolution import finished
from lensgrad.learn.layers.own import Activation
from lensgrad.learn.layers.parts import fill, layer, one_whole, ranked, titled, weight
from lensgrad.learn.model import Model, parametric
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import SHORT, Array, Real

AXES = ("nodes", "features")


def graph_conv(
    units: int, activation: Activation | None = None, use_bias: bool = True, weights: init.Init = init.glorot, name: str = ""
) -> Family:
    """σ(Â X Wᵀ + β) : ℝ^(N, n) × Â → ℝ^(N, units), W : (units, n) (arXiv 1609.02907, equation 2).

    Â stands beside X: as a matrix ℝ^(N, N), or as its E entries: sources I32^E, targets I32^E, and values ℝ^E, which add
    value · X[source] into row target. Write masked(graph_conv(…)) to hand Â on to a next layer.
    """
    what = titled("graph_conv", name)
    size, act = one_whole(what, units=units), None if activation is None else activation_named(activation)

    def build(dom: Ty) -> Model:
        x = ranked(what, Ty(dom.atoms[:1]), AXES)
        edges(what, x, dom.atoms[1:])
        ports = [weight("weight", Real(size, x.shape[1], dtype=x.dtype), weights)]
        ports += [weight("bias", Real(size, dtype=x.dtype), init.zeros)] * use_bias

        def body(w: Any, *wires: Any) -> Any:
            *shift, (v, *graph) = wires
            y = mixed(rowwise(w, v), graph)
            return y + fill(shift[0], y) if shift else y

        return finished(parametric(ports, dom, body), act)

    return layer("graph_conv", name, build)


def edges(what: str, x: Array, beside: tuple[Any, ...]) -> None:
    """Refuse what is no adjacency of the nodes of x."""
    n = x.shape[0]
    if beside == (x.with_shape(n, n),):
        return
    listed = len(beside) == 3 and all(isinstance(a, Array) and a.rank == 1 and a.shape == beside[0].shape for a in beside)
    if not listed or [a.dtype for a in beside] != ["int32", "int32", x.dtype]:
        told = f"{x.with_shape(n, n)}, or its entries i32[E] × i32[E] × {SHORT[x.dtype]}[E] (sources, targets, values)"
        raise TypeMismatch(f"{what} expects the adjacency of {n} nodes beside {x}: {told}; got {Ty(beside)}")


def mixed(x: Any, graph: list[Any]) -> Any:
    """Â X."""
    if len(graph) == 1:
        return graph[0] @ x
    sources, targets, values = graph
    sent = ops.take(x, sources)
    return ops.scatter_add(x.atom.shape[0], targets, sent * ops.spread(values, sent.atom.shape, (0,)))
