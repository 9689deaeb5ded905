"""Optimizers: reparameterizations of a weight (P, ΔP) by lenses from (S × P, S × P) (arXiv 2404.00408, section 3.4)."""

from lensgrad.learn.optimizers.adaptive import adadelta, adagrad, adam, adamw, lion, nadam, rmsprop
from lensgrad.learn.optimizers.chain import accumulated, chain, clip_norm, clip_value, clip_weights, maximize, weight_decay
from lensgrad.learn.optimizers.constrained import sphere, stiefel
from lensgrad.learn.optimizers.games import extragradient, optimistic
from lensgrad.learn.optimizers.layerwise import adafactor, lamb
from lensgrad.learn.optimizers.named import optimizer_named
from lensgrad.learn.optimizers.parts import STEPS, Constraint, Optimizer, Stage, State, Transform, behind, through, update
from lensgrad.learn.optimizers.plain import ascent, descent, momentum, sgd

__all__ = [
    "STEPS", "Constraint", "Optimizer", "Stage", "State", "Transform", "accumulated", "adadelta", "adafactor", "adagrad",
    "adam", "adamw", "ascent", "behind", "chain", "clip_norm", "clip_value", "clip_weights", "descent", "extragradient",
    "lamb", "lion", "maximize", "momentum", "nadam", "optimistic", "optimizer_named", "rmsprop", "sgd", "sphere", "stiefel",
    "through", "update", "weight_decay",
]  # fmt: skip
