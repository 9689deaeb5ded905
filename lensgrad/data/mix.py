"""Mixup: examples mixed with other examples of their batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from lensgrad.core.checks import positive
from lensgrad.core.errors import BadValue
from lensgrad.data.arrays import count
from lensgrad.data.source import Transformed, transform
from lensgrad.program.values import Values


def mixup(data: Any, alpha: float = 0.2) -> Transformed:
    """Data whose every example is λ a + (1 − λ) b, inputs and labels alike, b an example of the same batch, λ ~ Beta(α, α).

    The method of arXiv 1710.09412. It works on whole batches and not as an arrow in the model: a model is an arrow on one
    example, batched by a functor, so none of its arrows sees two. λ and partners depend on seed, epoch and batch number only.
    """
    alpha = positive("alpha of mixup", alpha)

    def mixed(batch: Values, random: np.random.Generator) -> Values:
        for name, value in batch.items():
            if value.dtype.kind != "f":
                kind = "class numbers or bytes" if value.dtype.kind in "iu" else f"{value.dtype} data"
                raise BadValue(f"mixup mixes floats, and '{name}' holds {kind}: give labels with one_hot(), and images as floats")
            if not value.ndim:
                raise BadValue("mixup mixes the examples of a batch, and batch_size=None has one example at a time: give a batch_size")
        n = count(batch)
        share, other = random.beta(alpha, alpha, n), random.permutation(n)
        return {name: blend(v, v[other], share) for name, v in batch.items()}

    return transform(data, mixed)


def blend(a: Any, b: Any, share: Any) -> Any:
    """λ a + (1 − λ) b with one λ a row, in the dtype of a."""
    part = share.reshape(-1, *[1] * (a.ndim - 1)).astype(a.dtype)
    return part * a + (1 - part) * b
