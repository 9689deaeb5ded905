"""Learners that need no labels: generative adversarial networks, and inputs that are learned while the weights stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lensgrad.cat.para import Para, lens
from lensgrad.core.checks import instance, is_text, number, whole
from lensgrad.core.diagram import Family
from lensgrad.core.errors import BadValue, TypeMismatch, listed
from lensgrad.data.arrays import array
from lensgrad.learn.games import non_saturating, wasserstein
from lensgrad.learn.layers.own import Layer
from lensgrad.learn.losses import dot
from lensgrad.learn.model import corner, para
from lensgrad.learn.optimizers import Optimizer, ascent, chain, clip_weights, maximize
from lensgrad.learn.predict import predict
from lensgrad.learn.rates import rate as rate_of
from lensgrad.learn.ways.derivatives import extrapolated
from lensgrad.program.choice import suited
from lensgrad.program.compile import compile as compile_closed
from lensgrad.program.values import Numbers, initial
from lensgrad.theories.smooth.array import Array
from lensgrad.train.learner import optimizer_of
from lensgrad.train.run import Learner, Run

GAMES = ("non_saturating", "wasserstein")


def gan(
    generator: Para,
    discriminator: Para,
    optimizer: Optimizer | str,
    discriminator_optimizer: Optimizer | str | None = None,
    *,
    loss: str = "wasserstein",
    clip: float | None = None,
    gradient_penalty: float = 0.0,
    extragradient: float = 0.0,
    rate: float | Family = 1.0,
) -> Learner:
    """The learner of a generator Z → X and a discriminator X → ℝ that play against each other (arXiv 2404.00408, section 4).

    `fit({"x": real})` trains it, with noise drawn from a key; `run.predict(z)` generates. "wasserstein" is the paper's: the
    generator descends d(g(z)) − d(x) and the discriminator ascends it, with its weights clipped to ±`clip` or with a gradient
    penalty. "non_saturating" has both descend their cross entropies. `optimizer` moves both, or the generator only where
    `discriminator_optimizer` is given; both are written as if they descend. Names begin with `generator/` and `discriminator/`.
    With `extragradient` = h every step reads the gradient where a step of length h would lead, both on the same batch and
    noise: with sgd(h) it is the extragradient method, with adam(…) a form of it (arXiv 1802.10551).
    """
    if not is_text(loss) or loss not in GAMES:
        raise BadValue(f"'{loss}' is no game; use one of {listed(GAMES)}")
    gradient_penalty, extragradient = number("gradient_penalty", gradient_penalty, 0), number("extragradient", extragradient, 0)
    moves = optimizer_of(optimizer)
    other = moves if discriminator_optimizer is None else optimizer_of(discriminator_optimizer)
    if loss == "non_saturating" and gradient_penalty:
        raise BadValue('gradient_penalty belongs to loss="wasserstein"')
    if any(getattr(o, "name", "").startswith("extragradient(") for o in (moves, other)):
        told = "lg.extragradient takes two steps on the same batch and noise, and a game has new ones at each"
        raise BadValue(f"{told}: use lg.gan(…, lg.sgd(h), extragradient=h)")
    for name, f in (("generator", generator), ("discriminator", discriminator)):
        instance(f"the {name}", f, Para, "a model that begins with lg.input(…) or says its input size")
    makes, judges = para(generator).scope("generator"), discriminator.scope("discriminator")
    game = wasserstein(makes, judges, "x", gradient_penalty) if loss == "wasserstein" else non_saturating(makes, judges)
    opposed = maximize(other) if loss == "wasserstein" else other
    opposed = opposed if clip is None else chain(opposed, clip_weights(clip))
    sides = {"generator/**": moves, "discriminator/**": opposed}
    cap = rate if isinstance(rate, Family) else rate_of(rate)
    ahead = extrapolated(extragradient, ("discriminator/**",) * (loss == "wasserstein")) if extragradient else None
    return Learner(makes, game, cap, sides, "z", "x", derivative=ahead)


@dataclass(frozen=True)
class Dream:
    """An input that was learned, and the value of its loss before each step."""

    x: Numbers
    history: tuple[float, ...]


def is_dreamable(model: Any) -> bool:
    """Whether something is a model of one array of floats."""
    return isinstance(model, Para) and len(model.dom) == 1 and isinstance(model.dom[0], Array) and model.dom[0].floating


def dreaming(model: Para, loss: Family | None = None, optimizer: Optimizer = ascent, rate: float = 0.1, view: Sequence[Layer] = ()) -> Para:
    """corner ; view ; model ; loss ; rate, with the optimizer at the corner `x` and nowhere else: the closed lens of a dream.

    `view` are layers between the input and the model, such as `lg.augment.shift(2)`; they act as in training, the model as when it
    predicts. Without a loss it is ⟨y, f(x)⟩ (arXiv 2404.00408, example 4.5).
    """
    if not is_dreamable(model):
        raise TypeMismatch(f"a dream needs a model whose input is one array of floats, got {model!r:.80}")
    seen: Any = corner(model.dom, "x")
    for layer in view:
        seen = seen >> layer
    task = seen >> predict(model) >> (dot("y") if loss is None else loss)
    return (lens(task) >> rate_of(rate)).reparam({"x": optimizer})


def dream(
    run: Run[Numbers], x: ArrayLike, y: ArrayLike, *, steps: int = 100, optimizer: Optimizer = ascent, rate: float = 0.1,
    loss: Family | None = None, view: Sequence[Layer] = (), seed: int = 0,
) -> Dream:  # fmt: skip
    """Move an input so that a trained model answers y more and more: a ← a + rate · R[f](p, a, y) (arXiv 2404.00408, example 4.5).

    y is a class number, or what the loss takes. The weights stay as they are. What draws in `view` begins with `seed`.
    """
    instance("what dreams", run, Run, "a trained learner, what fit gives")
    steps = whole("steps", steps, 1)
    model = run.learner.model
    closed = dreaming(model, loss, optimizer, rate, view)
    step = compile_closed(closed)
    step = step.on(suited(run.backend, step.on, steps))
    given = {**run.weights, "x": array(x, "x"), "y": wanted(model, y) if loss is None else array(y, "y")}
    values, history = {**initial(closed.params, seed, tuple(given)), **given}, list[float]()
    for _ in range(steps):
        seen = step(values)
        history.append(float(seen["loss"]))
        values.update({n: v for n, v in seen.items() if n in values})
    return Dream(np.asarray(values["x"]), tuple(history))


def wanted(model: Para, y: Any) -> Any:
    """A class number as what stands for it: 1 at its place and 0 elsewhere."""
    shape = model.cod[0].shape
    if not isinstance(y, int | np.integer):
        return array(y, "y")
    if len(shape) != 1 or not 0 <= y < shape[0]:
        raise BadValue(f"class {y} is none of the model's outputs {model.cod}")
    return np.eye(shape[0])[y]
