"""Losses: parametric arrows B → L whose parameter is the label (arXiv 2404.00408, section 3.2)."""

from lensgrad.learn.losses.classes import binary_cross_entropy, cross_entropy, hinge, info_nce, kl_divergence
from lensgrad.learn.losses.distance import contrastive, dot, half_squared_error, huber, l1, mse, squares, xor
from lensgrad.learn.losses.evidence import elbo
from lensgrad.learn.losses.parts import METRICS, accuracy, loss, metric

__all__ = [
    "METRICS", "accuracy", "binary_cross_entropy", "contrastive", "cross_entropy", "dot", "elbo", "half_squared_error", "hinge",
    "huber", "info_nce", "kl_divergence", "l1", "loss", "metric", "mse", "squares", "xor",
]  # fmt: skip
