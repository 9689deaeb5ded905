"""One layer many times over, as a loop: the program does not grow with depth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lensgrad.cat.body import Body
from lensgrad.cat.names import Param, Role
from lensgrad.core.checks import shown
from lensgrad.core.diagram import Diagram, Family, flatten
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty, split
from lensgrad.learn.batching import many
from lensgrad.learn.layers.combine import first_of, member
from lensgrad.learn.layers.own import Layer
from lensgrad.learn.layers.parts import one_whole, titled
from lensgrad.learn.model import Model
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Key
from lensgrad.theories.smooth.scan import scan


def repeat(layer: Layer, n: int, name: str = "") -> Family:
    """f ; … ; f, n layers with weights of their own : (Pⁿ, A → A) for f : (P, A → A), as one `Scan`.

    Weights and states are stacked along a first axis, layer by layer, each started as its layer alone would be. A key is split
    once and folded with the number of the layer, so every layer draws differently. Wires beside the first (a mask) are read
    by all: A ⊗ C → A. What a layer observes comes out stacked.
    """
    title = titled("repeat", name)
    count = one_whole(title, n=n)

    def build(dom: Ty) -> Model:
        inner, ob = member(layer, dom, "repeat"), first_of("repeat", dom)
        if inner.cod != ob:
            raise TypeMismatch(f"repeat gives to each layer what the one before gives, and {inner.cod} is not {ob}")
        if not any(p.role is not Role.KEY for p in inner.params):
            raise BadValue(f"repeat stacks weights, and {shown(layer)} has none: write it {n} times")
        made = looped(inner.body, ob, dom, count)
        return made.scope(name) if name else made

    return Family(title, build)


def looped(body: Body, ob: Ty, dom: Ty, n: int) -> Model:
    """The loop of a body P ⊗ A ⊗ C → A ⊗ O."""
    params = [p if p.role is Role.KEY else each_layer(p, n) for p in body.params]
    keys = [i for i, p in enumerate(body.params) if p.role is Role.KEY]
    rows = [i for i in range(len(params)) if i not in keys]
    writes = [next((i for i in keys if body.params[i].label == label), None) for label, _ in body.observables]

    def run(*wires: Any) -> Any:
        *held, given = split(wires, [*(p.ob for p in params), dom])
        halves = {i: [ops.split(k) for k in held[i]] for i in keys}
        shared = tuple(flatten([[now for now, _ in halves[i]] for i in keys] + [list(given[len(ob) :])]))

        def step(x: Any, row: Any, same: Any) -> Any:
            own, common = iter(flatten([row])), iter(flatten([same]))
            given = [next(common if i in keys else own) for i, p in enumerate(body.params) for _ in p.ob]
            out = flatten([body.arrow(*given, x, *common)])
            return out[0], tuple(out[len(ob) :])

        last, seen = scan(step, given[0], tuple(flatten([list(held[i]) for i in rows])), shared)
        groups = split(flatten([seen]), [o for _, o in body.observables])
        return last, [[later for _, later in halves[w]] if w is not None else list(g) for w, g in zip(writes, groups, strict=True)]

    arrow = trace(run, *(Ty((a,)) for p in params for a in p.ob), *(Ty((a,)) for a in dom))
    seen = [(label, o if w is not None else many(o, n)) for (label, o), w in zip(body.observables, writes, strict=True)]
    return Model.make(params, arrow, ob, seen)


def each_layer(p: Param, n: int) -> Param:
    """A weight or state for each layer, each started from a key of its own."""
    return replace(p, ob=many(p.ob, n), init=None if p.init is None else starts(p.init, n))


def starts(start: Diagram, n: int) -> Diagram:
    """n starts, one above the other : Key → Aⁿ."""

    def body(key: Any) -> Any:
        found = [flatten([start(ops.fold_in(key, i))]) for i in range(n)]
        return tuple(ops.stack(list(column)) for column in zip(*found, strict=True))

    return trace(body, Ty((Key(),)))
