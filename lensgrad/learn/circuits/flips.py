"""Optimizers that move bits: they flip weights that are exactly 0 or 1, by what R over the whole numbers says of each.

A circuit that is linear in each of its bits has, at bits, f(p with bit i flipped) − f(p) = (1 − 2pᵢ) ∂ᵢf(p), whatever f is: so what comes
back over Z, or over the reals, says exactly what one flip does. That is lost modulo 2, where two requests for a flip cancel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from lensgrad.cat.lens import Lens, backward, forward, updated
from lensgrad.cat.names import Param, Role
from lensgrad.cat.para import Para
from lensgrad.core.checks import is_number, share, shown, whole
from lensgrad.core.errors import BadValue, NoChange
from lensgrad.core.graph import OnWires, Wire
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty, product, split
from lensgrad.learn import init
from lensgrad.learn.layers.dropout import KEY
from lensgrad.learn.optimizers.parts import Optimizer, Transform, movable, through
from lensgrad.learn.rates import Schedule, scheduled
from lensgrad.theories.bridges import Indicator, Values
from lensgrad.theories.poly.circuit import Vector
from lensgrad.theories.poly.semiring import Z2, Z
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth import pointwise as p
from lensgrad.theories.smooth.array import Array, Int, Real, full
from lensgrad.theories.smooth.index import Iota
from lensgrad.theories.smooth.reduce import ArgSort

Choice = Callable[..., tuple[Any, Any]]  # (steps, key, memory, weights, what came back) ↦ the next memory, and which bits flip


def lifted_flip(rate: float | Schedule = 0.01, decay: float = 0.9, chance: float = 0.5) -> Optimizer:
    """s ← decay · s + (1 − decay) p′; of the share `rate` of all bits with the largest s (2p − 1), those above 0 flip, each with `chance`.

    What comes back is R over the reals at weights that are 0 or 1, so s (2p − 1) is how much a flip would lower the loss, as far as one
    flip goes, averaged over the last batches. A bit that flips begins with s = 0. Let the rate fall to 0:
    `lifted_flip(lg.linear_decay(0.01, steps))`. All bits that a pattern reaches are compared with one another.
    """
    name = f"lifted_flip({scheduled(rate)})"
    decay = share("decay of lifted_flip", decay)
    chance = chance_of(name, chance)

    def choose(t: Any, key: Any, s: Any, bits: Any, back: Any) -> tuple[Any, Any]:
        later = s * decay + back * (1.0 - decay)
        quota = scheduled(rate).at(ops.cast(t, s.atom.dtype)) * float(s.atom.size)
        flip = best(later * (bits * 2.0 - 1.0), quota, key, float(chance))
        return ops.select(flip, 0.0, later), flip

    return flips(name, choose, remembers=True)


def gain(top: int = 1, chance: float = 1.0) -> Optimizer:
    """Flip the `top` bits with the largest gain p′ (2p − 1) > 0, each with `chance`: GSAT, where p′ is R of the number of errors.

    With `hamming` as the loss, reduction="sum" and rate 1, the gain of a bit is make − break: the wrong examples that its flip repairs,
    less the right ones that it spoils. For one flip this is exact. The first of equal gains comes first.
    """
    top = whole("the number of bits that gain flips a step", top, 1)
    name = f"gain({top})"
    chance = chance_of(name, chance)

    def choose(t: Any, key: Any, s: Any, bits: Any, back: Any) -> tuple[Any, Any]:
        return s, best(back * (bits * 2.0 - 1.0), full(float(top), back.atom.with_shape()), key, float(chance))

    return flips(name, choose)


def best(wish: Any, quota: Any, key: Any, chance: float) -> Any:
    """The entries among the largest `quota` of them that are above 0, each with this chance."""
    chosen = p.And()(wish > 0.0, ranks(-wish) < ops.spread(quota, wish.atom.shape, ()))
    return chosen if chance == 1.0 else p.And()(chosen, ops.uniform(key, wish.atom.shape) < chance)


def ranks(x: Any) -> Any:
    """Where each entry stands when all are sorted upwards, equal ones as they stand."""
    n = x.atom.size
    return ops.scatter_add(n, ArgSort()(x), ops.cast(Iota(n)(), x.atom.dtype))


def flips(name: str, choose: Choice, remembers: bool = False) -> Optimizer:
    """The optimizer that takes all bits as one vector and flips those that `choose` says, with steps, a key and perhaps a memory."""

    def point(*params: Param) -> Para:
        weights = Ty(tuple(a for q in params for a in numbers(name, q)))
        total = Real(sum(a.size for a in weights), dtype=getattr(weights[0], "dtype", "float32"))
        states = [Param("flip.steps", updated(Int()), Role.STATE, init.zeros(Int())), Param("flip.key", updated(KEY), Role.KEY)]
        states += [Param("flip.memory", updated(total), Role.STATE, init.zeros(total))] * remembers

        def put(t: Any, key: Any, *wires: Any) -> Any:
            memory, bits, back = split(wires, [Ty(total.atoms * remembers), weights, weights])
            now, later = ops.split(key)
            whole = flat(bits)
            kept, flip = choose(t, now, memory[0] if remembers else None, whole, flat(back))
            return t + 1, later, [kept] * remembers, unflat(ops.select(flip, 1.0 - whole, whole), weights)

        return moving(name, states, params, put)

    return Optimizer(name, point, owns_rate=True, joint=True)


def moving(
    name: str,
    states: Sequence[Param],
    params: Sequence[Param],
    put: OnWires,
    held: Sequence[Ty] = (),
    shown: Callable[[Wire], Wire] | None = None,
) -> Para:
    """The lens (S × P, S × P) → (Q, Q′) that moves several weights as one.

    The model sees them as they are, or with objects `held` of their own as `shown` of them, wire by wire.
    """
    objects = held or [forward(q.ob) for q in params]
    ports = [*states, *(Param(q.label, updated(ob), q.role, q.init) for q, ob in zip(params, objects, strict=True))]
    dom, cod = (product(q.ob for q in some) for some in (ports, params))
    inside, back = ([Ty((a,)) for a in ob] for ob in (forward(dom), backward(cod)))

    def get(*wires: Wire) -> list[Wire]:
        return [shown(w) if shown else w for w in wires[len(states) :]]

    return Para.make(ports, Lens(dom, cod, trace(get, *inside), trace(put, *inside, *back), name))


def numbers(name: str, param: Param) -> Ty:
    """The arrays of 0 and 1, or the vectors of bits of a lift, that a weight is."""
    weight = movable(name, param, real=False)
    strange = [a for a, back in zip(weight, backward(param.ob), strict=True) if not flippable(a, back)]
    if strange:
        told = "what a flip does is read from R over Z: learn circuits.soften(model), whose weights stay 0 or 1, or circuits.lift(task)"
        raise NoChange(f"{name} cannot move '{param.label}' : {weight}: {told}")
    return weight


def flippable(a: Any, back: Any) -> bool:
    """Whether a wire has bits as numbers, or bits to which whole numbers come back."""
    if isinstance(a, Vector):
        return a.semiring == Z2 and isinstance(back, Vector) and back.semiring == Z
    return isinstance(a, Array) and a.floating


def flat(xs: Sequence[Any]) -> Any:
    """All entries as one vector of numbers."""
    read = [Values("float32")(x) if isinstance(x.atom, Vector) else x for x in xs]
    return ops.concatenate([ops.reshape(x, x.atom.size) for x in read])


def unflat(x: Any, atoms: Ty) -> list[Any]:
    """The entries of a vector of numbers as wires of these types."""
    ends = [0]
    for a in atoms:
        ends.append(ends[-1] + a.size)
    parts = [(ops.reshape(x[i:j], *a.shape), a) for (i, j), a in zip(pairwise(ends), atoms, strict=True)]
    return [Indicator(a.semiring)(part > 0.5) if isinstance(a, Vector) else part for part, a in parts]


def chance_of(name: str, chance: float) -> float:
    """A probability above 0."""
    if not is_number(chance) or not 0 < chance <= 1:
        raise BadValue(f"{name} expects a chance above 0, up to 1, got {shown(chance)}")
    return float(chance)


def random_mask(chance: float) -> Transform:
    """p′ ↦ m p′ with m = 1 at each entry with this chance, else 0, drawn anew at each step: a stage of a `chain`, in any theory.

    `chain(random_mask(0.01), ascent)` is reverse derivative ascent on a few of the bits at a time.
    """
    chance_of("random_mask", chance)
    name = f"random_mask({chance})"

    def point(param: Param) -> Para:
        weight = movable(name, param, real=False)

        def put(key: Any, *wires: Any) -> Any:
            now, later = ops.split(key)
            return later, [masked(ops.fold_in(now, k), dp, float(chance)) for k, dp in enumerate(wires[len(weight) :])]

        key = Param(f"{param.label}.mask_key", updated(KEY), Role.KEY)
        held, back = ([Ty((a,)) for a in ob] for ob in (KEY @ weight, backward(param.ob)))
        return Para.make([key, param], Lens(key.ob @ param.ob, param.ob, trace(behind_key, *held), trace(put, *held, *back), name))

    return Transform(name, point)


def behind_key(key: Wire, *weights: Wire) -> tuple[Wire, ...]:
    """The weights as they are."""
    return weights


last_bit: Transform = through("last_bit", lambda p, dp: only_last(dp), real=False)
"""p′ ↦ its last entry that is not 0, alone: a stage of a `chain`. With the weights of an algebraic normal form it is the monomial of
highest degree, and one pass over examples in order of weight is exact: it is the Möbius transform."""


def only_last(dp: Wire) -> Wire:
    """The last entry that is not 0, among zeros."""
    if not isinstance(dp.atom, Vector) or dp.atom.rows is not None:
        raise NoChange(f"last_bit is for vectors over a semiring, one at a time, and what comes back is {dp.atom}")
    n = dp.atom.size
    places = ops.select(Values("bool")(dp), ops.cast(Iota(n)(), "float32"), -1.0)
    return dp * Indicator(dp.atom.semiring)(ops.one_hot(ops.argmax(places), n) > 0.5)


def masked(key: Wire, dp: Wire, chance: float) -> Wire:
    """dp where a coin of this chance shows heads, else 0."""
    heads = ops.uniform(key, dp.atom.shape) < chance
    return dp * (Indicator(dp.atom.semiring)(heads) if isinstance(dp.atom, Vector) else ops.cast(heads, dp.atom.dtype))
