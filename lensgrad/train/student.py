"""Quantiles of Student's distribution, for intervals around what is fitted."""

from __future__ import annotations

import math
from statistics import NormalDist

MANY = 1000  # degrees of freedom from which the expansion is exact to about 12 digits


def quantile(level: float, freedom: int | None) -> float:
    """t with P(|T| ≤ t) = level for so many degrees of freedom; of the normal distribution for None."""
    z = NormalDist().inv_cdf((1 + level) / 2)
    if freedom is None:
        return z
    return expanded(z, freedom) if freedom > MANY else bisected(level, freedom)


def within(angle: float, freedom: int) -> float:
    """P(|T| ≤ √ν tan θ) as a finite sum (Abramowitz and Stegun 26.7.3 and 26.7.4)."""
    odd, cosine = freedom % 2, math.cos(angle)
    term, total = cosine if odd else 1.0, 0.0
    for k in range(1 + odd, freedom, 2):
        total += term
        term *= cosine * cosine * k / (k + 1)
    found = math.sin(angle) * total
    return (angle + found) * 2 / math.pi if odd else found


def bisected(level: float, freedom: int) -> float:
    """√ν tan θ for the angle within which the share is `level`."""
    low, high = 0.0, math.pi / 2
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if within(middle, freedom) < level else (low, middle)
    return math.sqrt(freedom) * math.tan(low)


def expanded(z: float, freedom: int) -> float:
    """Three terms of the expansion around the normal quantile (Abramowitz and Stegun 26.7.5)."""
    terms = (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96, (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + sum(term / freedom ** (i + 1) for i, term in enumerate(terms))


__all__ = ["quantile"]
