"""Losses: parametric arrows B → L whose parameter is the label (arXiv 2404.00408, section 3.2)."""

from lensgrad.learn.losses.classes import binary_cross_entropy, cross_entropy, hinge, info_nce, kl_divergence
from lensgrad.learn.losses.distance import (
    contrastive,
    cosine_similarity,
    dot,
    half_squared_error,
    huber,
    l1,
    mse,
    poisson,
    quantile,
    smooth_l1,
    squares,
    xor,
)
from lensgrad.learn.losses.evidence import elbo
from lensgrad.learn.losses.kind import Kind
from lensgrad.learn.losses.parts import METRICS, accuracy, loss, metric

__all__ = [
    "METRICS", "Kind", "accuracy", "binary_cross_entropy", "contrastive", "cosine_similarity", "cross_entropy", "dot", "elbo",
    "half_squared_error", "hinge", "huber", "info_nce", "kl_divergence", "l1", "loss", "metric", "mse", "poisson", "quantile",
    "smooth_l1", "squares", "xor",
]  # fmt: skip
