"""Adapters: what stands in the place of a model's weight, by `reparam` (arXiv 2404.00408, reparameterization and weight tying).

Each is a point I → P of the weight's object whose own parameters take its place, so an adapted model is a model like any other:
it is saved, counted and printed as it is. They compose in the order written. Models have the usual ones as methods (`learn/model.py`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lensgrad.cat.lens import Pair
from lensgrad.cat.names import Param, Role
from lensgrad.cat.para import Para
from lensgrad.core.checks import flag, instance, number, share, whole
from lensgrad.core.diagram import Definition, Diagram
from lensgrad.core.errors import BadValue, TypeMismatch, listed
from lensgrad.core.graph import OnWires
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.learn import init
from lensgrad.learn.optimizers.parts import unbiased
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array, Bool, Int


@dataclass(frozen=True, repr=False)
class Adapter:
    """A function from the weight replaced to the point I → P in its place; `group` where it replaces several weights by one."""

    name: str
    point: Callable[..., Para]
    group: bool = False

    def __call__(self, *params: Param) -> Para:
        if not params:
            raise TypeMismatch(f"{self} is put in the place of a weight: write model.reparam({{pattern: lg.{self}}})")
        for p in params:
            instance(f"what {self} is put in the place of", p, Param, "a weight of a model, as model.reparam({pattern: …}) gives it")
        labels = listed([p.label for p in params])
        if any(isinstance(a, Pair) for p in params for a in p.ob):
            told = f"{self} is for the weights of a model, before lens(…), and {labels} is met as an optimizer meets it"
            raise TypeMismatch(f"{told}: write model.reparam({{pattern: lg.{self}}}), and give optimizers to the weights that learn")
        if len(params) > 1 and not self.group:
            raise BadValue(f"{self} is for one weight at a time, and {labels} are one group: write a pattern, or an entry for each")
        return self.point(*params)

    def __repr__(self) -> str:
        return self.name


def point(params: Sequence[Param], body: OnWires, **observed: Ty) -> Para:
    """The point with these parameters whose value is `body` of them, and the observables after it."""
    arrow = trace(body, *(p.ob for p in params))
    seen = sum(len(ob) for ob in observed.values())
    return Para.make(params, arrow, Ty(arrow.cod.atoms[: len(arrow.cod) - seen]), observed.items())


def article(role: Role) -> str:
    """What a parameter of this role is called in a sentence."""
    return "data" if role is Role.DATA else f"a {role.value}"


def frozen(param: Param) -> Para:
    if param.role is not Role.WEIGHT:
        told = f"freeze is for weights, and '{param.label}' is {article(param.role)}"
        hint = "a frozen weight stays frozen, and statistics of batches are written by the model itself: lg.predict(layer) only reads them"
        raise TypeMismatch(f"{told}: {hint}" if param.role is Role.STATE else f"{told}: no optimizer moves it unless it is named exactly")
    return Para.make([replace(param, role=Role.STATE)], Diagram.id(param.ob))


freeze = Adapter("freeze", frozen)
"""w as a state that nothing writes: no pattern and no optimizer of `lg.weights` reaches it, so neither gradient nor decay moves it."""


def thawed(param: Param) -> Para:
    if param.role is not Role.STATE:
        raise TypeMismatch(f"thaw is for frozen weights, and '{param.label}' is {article(param.role)}")
    return Para.make([replace(param, role=Role.WEIGHT)], Diagram.id(param.ob))


thaw = Adapter("thaw", thawed)
"""A frozen w as a weight again; name it exactly, since patterns reach weights only."""


def tie(transpose: bool = False) -> Adapter:
    """One weight for a group of them: w ↦ (w, …, w), whose reverse is +; or w ↦ (w, wᵀ, …). It keeps the name of the first."""
    transpose = flag("transpose of tie", transpose)

    def tied(*params: Param) -> Para:
        first = replace(params[0], about=next((p.about for p in params if p.about is not None), None))
        wanted = [first.ob] + [turned(first, p) if transpose else first.ob for p in params[1:]]
        for p, ob in zip(params, wanted, strict=True):
            if p.ob != ob:
                told = f"'{first.label}' : {first.ob} and '{p.label}' : {p.ob} cannot be tied: the second would have to be {ob}"
                raise TypeMismatch(told if transpose else f"{told}; transpose=True ties a matrix to its transpose")
        if not transpose:
            return Para.make([first], Diagram.copy(first.ob, len(params)))
        return point([first], lambda w: (w, *(ops.transpose(w) for _ in params[1:])))

    return Adapter(f"tie({'transpose=True' if transpose else ''})", tied, group=True)


def turned(first: Param, other: Param) -> Ty:
    """The type of the transpose of a matrix."""
    atom = array("tie(transpose=True)", first)
    if atom.rank != 2:
        raise TypeMismatch(f"tie(transpose=True) is for matrices, and '{first.label}', tied to '{other.label}', is {atom}")
    return Ty((atom.with_shape(*reversed(atom.shape)),))


def array(name: str, param: Param, least: int = 0) -> Array:
    """The one array of floats that a parameter is, of so many axes or more."""
    atom = param.ob[0] if len(param.ob) == 1 else None
    if not isinstance(atom, Array) or not atom.floating or atom.rank < least:
        wanted = "a matrix or a kernel" if least else "one array of floats"
        raise TypeMismatch(f"{name} is for {wanted}, and '{param.label}' is {param.ob}: name the weights it is for, as '**/weight'")
    return atom


def factors(name: str, param: Param, rank: int, own: Any, other: Any) -> tuple[Array, list[Param]]:
    """A weight as rows × columns, and the parameters `left` : rows × rank and `right` : rank × columns of a product."""
    atom = array(name, param, 2)
    rows, columns = math.prod(atom.shape[:-1]), atom.shape[-1]
    objects = Ty((atom.with_shape(rows, rank),)), Ty((atom.with_shape(rank, columns),))
    made = [Param(f"{param.label}.{n}", ob, init=f(ob)) for n, ob, f in zip(("left", "right"), objects, (own, other), strict=True)]
    return atom, made


def lora(rank: int, alpha: float | None = None) -> Adapter:
    """w + (alpha / rank) · left · right with w frozen, left 0 and right normal at first (arXiv 2106.09685); alpha is the rank unless given.

    Kernels of more than two axes count as matrices of (all axes but the last) × (the last).
    """

    rank = whole("the rank of lora", rank, 1)
    size = 1.0 if alpha is None else number("alpha of lora", alpha) / rank

    def adapted(param: Param) -> Para:
        atom, pair = factors(f"lora({rank})", param, rank, init.zeros, init.normal(1.0 / math.sqrt(rank)))

        def body(w: Any, left: Any, right: Any) -> Any:
            return w + ops.reshape(ops.matmul(left, right), *atom.shape) * size

        return point([replace(param, role=Role.STATE), *pair], body)

    return Adapter(f"lora({rank})" if alpha is None else f"lora({rank}, alpha={alpha})", adapted)


def low_rank(rank: int) -> Adapter:
    """left · right in the place of a matrix (or a kernel, as a matrix of all axes but the last × the last)."""

    rank = whole("the rank of low_rank", rank, 1)

    def adapted(param: Param) -> Para:
        atom, pair = factors(f"low_rank({rank})", param, rank, init.glorot, init.glorot)
        return point(pair, lambda left, right: ops.reshape(ops.matmul(left, right), *atom.shape))

    return Adapter(f"low_rank({rank})", adapted)


def pruned(param: Param) -> Para:
    atom = array("prune", param)
    mask = Param(f"{param.label}.mask", Bool(*atom.shape), Role.STATE, everywhere(atom))
    return point([mask, param], lambda m, w: ops.select(m, w, 0.0))


prune = Adapter("prune", pruned)
"""w where the state `mask` is true, else 0; no gradient reaches what is masked. The mask is true everywhere until given another."""


def everywhere(atom: Array) -> Diagram:
    """True at every entry: Key → Bool."""
    return init.constant(True)(Bool(*atom.shape))


def split(param: Param) -> Para:
    atom = array("weight_norm", param, 2)
    out = 0 if atom.rank == 2 else atom.rank - 1
    others = tuple(a for a in range(atom.rank) if a != out)

    def lengths(v: Any, empty: float) -> Any:
        squares = ops.sum_over(v * v, others)
        there = squares > 0.0
        return ops.select(there, ops.sqrt(ops.select(there, squares, 1.0)), empty)

    def wide(x: Any) -> Any:
        return ops.spread(x, atom.shape, (out,))

    def body(pair: Any) -> Any:
        v, g = pair
        return v * wide(g / lengths(v, 1.0))

    def start(w: Any) -> Any:
        size, level = lengths(w, 0.0), (atom.shape[out] / max(atom.size, 1)) ** 0.5
        return ops.select(wide(size) > 0.0, w, level), size

    both = param.ob @ Ty((atom.with_shape(atom.shape[out]),))
    return point([replace(param, ob=both, init=None if param.init is None else param.init.then(trace(start, param.ob)))], body)


weight_norm = Adapter("weight_norm", split)
"""g · v / ‖v‖ for each output (arXiv 1602.07868): (v, g) take the place of w as one parameter of two arrays, with g = ‖v‖ at first.

Outputs are the rows of a matrix and the last axis of a kernel. An output that starts at 0 has g = 0 and the direction (1, …, 1)/√n,
so that it learns from there.
"""


def ema(decay: float = 0.999) -> Adapter:
    """w in training; when predicting, the exponential moving average of w over all steps so far and now, without bias.

    The states `ema` and `ema_steps` are written by each step: s ← decay · s + (1 − decay) w. The average predicted with is
    (decay · s + (1 − decay) w) / (1 − decayᵗ⁺¹), as that of Adam's moments.
    """
    decay = share("decay of ema", decay)

    def averaged(param: Param) -> Para:
        label, states = f"{param.label}.ema", Param(f"{param.label}.ema_steps", Int(), Role.STATE, init.zeros(Int()))
        array("ema", param)

        def mixed(s: Any, w: Any) -> Any:
            return s * decay + w * (1.0 - decay)

        train = trace(lambda t, s, w: (w, mixed(s, w), t + 1), Int(), param.ob, param.ob)
        later = trace(lambda t, s, w: (unbiased(mixed(s, w), decay, t), mixed(s, w), t + 1), Int(), param.ob, param.ob)
        box = Diagram.of(Definition("ema", train, later), train.dom)
        mean = Param(label, param.ob, Role.STATE, init.zeros(param.ob))
        return Para.make([states, mean, param], box, param.ob, [(label, param.ob), (states.label, Int())])

    return Adapter(f"ema({decay})", averaged)
