"""Search by one flip at a time, led by one wrong example: WalkSAT as an optimizer lens, the extreme that follows no gradient.

Its weights are copied to every example before the model sees them, so that what comes back is one row an example: `searching` and
`satisfying` are closed lenses made so.
"""

from __future__ import annotations

from typing import Any

from lensgrad.cat.lens import forward, updated
from lensgrad.cat.names import Param, Role, weights
from lensgrad.cat.para import Para, lens, parametrized
from lensgrad.core.checks import number, whole
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.learn.batching import batch
from lensgrad.learn.circuits.flips import flat, moving, numbers, unflat
from lensgrad.learn.circuits.losses import hamming
from lensgrad.learn.layers.dropout import KEY
from lensgrad.learn.model import Model, corner
from lensgrad.learn.optimizers.parts import Optimizer
from lensgrad.learn.rates import rate
from lensgrad.learn.tasks import supervised_task
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth import pointwise as p
from lensgrad.theories.smooth.linear import lead


def walk(noise: float = 0.3) -> Optimizer:
    """Take a wrong example that a flip can repair, at random; of the bits that do, flip the one that spoils the fewest examples.

    With probability `noise` it is any of them. Rows come back, one an example, from R of the number of errors at weights copied to all
    examples: g (2p − 1) is 1 where flipping that bit repairs that example, −1 where it spoils it (Selman, Kautz and Cohen, 1994).
    """
    noise = number("the noise of walk", noise, 0, 1)
    name = f"walk({noise})"

    def point(*params: Param) -> Para:
        many = Ty(tuple(a for q in params for a in numbers(name, q)))
        n, one = many[0].shape[0], Ty(tuple(a.with_shape(*a.shape[1:]) for a in many))

        def put(key: Any, *wires: Any) -> Any:
            now, later = ops.split(key)
            bits, back = flat(wires[: len(one)]), rows(wires[len(one) :])
            wish = back * ops.spread(bits * 2.0 - 1.0, back.atom.shape, (1,))
            return later, unflat(ops.select(step(now, wish, noise), 1.0 - bits, bits), one)

        held = [Ty(tuple(a.with_shape(*a.shape[1:]) for a in forward(q.ob))) for q in params]
        return moving(name, [Param("walk.key", updated(KEY), Role.KEY)], params, put, held, lambda w: lead(w, n))

    return Optimizer(name, point, owns_rate=True, joint=True)


def rows(xs: Any) -> Any:
    """What came back to all weights, one row an example."""
    return ops.concatenate([ops.reshape(x, x.atom.shape[0], x.atom.size // x.atom.shape[0]) for x in xs], 1)


def step(key: Any, wish: Any, noise: float) -> Any:
    """Which bit flips : 𝔹ᴾ, true in one place, or nowhere where no flip repairs any example."""
    first, second, third = (ops.fold_in(key, k) for k in range(3))
    n, size = wish.atom.shape
    repairs, spoils = ops.maximum(wish, 0.0), ops.sum_over(ops.maximum(-wish, 0.0), 0)
    wrong = ops.amax(repairs, 1) > 0.0
    row = ops.one_hot(ops.argmax(ops.select(wrong, ops.uniform(first, (n,)), -1.0)), n, wish.atom.dtype)
    here = ops.matmul(row, repairs) > 0.0
    any_of_them = ops.spread(ops.uniform(third, ()) < noise, (size,), ())
    score = ops.uniform(second, (size,)) - ops.select(any_of_them, 0.0, spoils)
    best = ops.one_hot(ops.argmax(ops.select(here, score, -float(n) - 2.0)), size, wish.atom.dtype) > 0.5
    return p.And()(best, here)


def searching(model: Para, n: int, noise: float = 0.3) -> Para:
    """The closed lens of a search on n examples `x`, `y` : a soft model, the number of wrong bits of each, and `walk` at the weights."""
    model, n = parametrized("the model of a search", model), whole("the number of examples", n, 1)
    task = supervised_task(model, hamming("y"))
    copied = [name for name, q in zip(task.names, task.params, strict=True) if q.role in (Role.DATA, Role.WEIGHT)]
    return (lens(batch(task, n, over=copied)) >> rate(1.0)).reparam({weights: walk(noise)})


def satisfying(circuit: Para, noise: float = 0.3) -> Para:
    """The closed lens of a dream of bits: `walk` at the input `x` of a soft circuit, until its result is `y`.

    Its examples are the bits of the result, `which` by `which`, so that a circuit with one bit for each clause is walked as WalkSAT does.
    """
    model = Model.of(parametrized("the circuit to satisfy", circuit))
    still = model.freeze() if model.params else model
    task = corner(model.dom, "x") >> still >> one_error(model.cod)
    return (lens(batch(task, model.cod[0].size)) >> rate(1.0)).reparam({"x": walk(noise)})


def one_error(ob: Ty) -> Model:
    """Whether the bit `which` of a result, a unit vector, is not that of `y` : ℝⁿ → ℝ."""
    labels = [Param(name, ob, Role.DATA) for name in ("which", "y")]

    def body(which: Any, y: Any, found: Any) -> Any:
        wrong = ops.sum_over(which * (y + found - y * found * 2.0))
        return wrong, wrong

    arrow = trace(body, ob, ob, ob)
    number = Ty(arrow.cod.atoms[:1])
    return Model.make(labels, arrow, number, [("loss", number)])
