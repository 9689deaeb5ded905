"""Laws of constants: what is one number everywhere is computed beforehand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lensgrad.program.rewrites.site import Law, Site
from lensgrad.theories.smooth import linear
from lensgrad.theories.smooth import pointwise as p

MOVED = (linear.Spread, linear.Transpose, linear.Reshape, linear.Slice, linear.Flip)  # of one number everywhere it stays that number
ROUNDED: dict[type[Any], Callable[..., Any]] = {  # these round one number as they round many
    p.Neg: np.negative, p.Add: np.add, p.Sub: np.subtract, p.Mul: np.multiply, p.Div: np.divide,
}  # fmt: skip
KINDS = ("float32", "float64", "int32")
Wires = Sequence[int] | None


def computed(site: Site, op: Any, args: tuple[int, ...]) -> Wires:
    """c ∘ d = the number c ∘ d, for ∘ one of + − × / and for −c."""
    values = [site.value(a) for a in args]
    atom = site.type(args[0])
    if any(v is None for v in values) or atom.dtype not in KINDS:
        return None
    with np.errstate(all="ignore"):
        return held(site, ROUNDED[type(op)](*(np.array(v, atom.dtype) for v in values)), atom)


def moved(site: Site, op: Any, args: tuple[int, ...]) -> Wires:
    """m(c) = c in the shape of m(c), for m a spread, reshape, transpose, slice or flip."""
    value = site.value(args[0])
    return None if value is None else [site.constant(value, op.type(site.type(args[0]))[0])]


def cast(site: Site, op: Any, args: tuple[int, ...]) -> Wires:
    """cast(c) = the number in the other dtype, and cast(x) = x where the dtype stays."""
    atom, value = site.type(args[0]), site.value(args[0])
    if atom.dtype == op.dtype:
        return args
    if value is None or op.dtype not in ("float32", "float64") or atom.dtype not in (*KINDS, "bool"):
        return None
    return held(site, np.array(value, atom.dtype).astype(op.dtype), atom.with_dtype(op.dtype))


def held(site: Site, value: Any, atom: Any) -> Wires:
    """A computed number as a constant, written as the shortest that rounds to it; nothing where it is none or too large."""
    if not np.isfinite(value):
        return None
    return [site.constant(int(value) if value.dtype.kind == "i" else float(str(value)), atom)]


def neutral_times(site: Site, op: Any, args: tuple[int, ...]) -> Wires:
    """x · 1 = 1 · x = x, for floats."""
    return without(site, args, 1.0)


def neutral_plus(site: Site, op: Any, args: tuple[int, ...]) -> Wires:
    """x + 0 = 0 + x = x, for floats; where x is −0 the left side is 0, which equals it."""
    return without(site, args, 0.0)


def without(site: Site, args: tuple[int, ...], unit: float) -> Wires:
    """What is beside the unit."""
    if not site.type(args[0]).floating:
        return None
    other = next((i for i in (0, 1) if site.value(args[1 - i]) == unit), None)
    return None if other is None else [args[other]]


def neutral_minus(site: Site, op: Any, args: tuple[int, ...]) -> Wires:
    """x − 0 = x and 0 − x = −x, for floats."""
    if not site.type(args[0]).floating:
        return None
    if site.value(args[1]) == 0.0:
        return [args[0]]
    return site.apply(p.Neg(), args[1]) if site.value(args[0]) == 0.0 else None


def twice(site: Site, op: Any, args: tuple[int, ...]) -> Wires:
    """−(−x) = x and −(x · c) = x · (−c)."""
    found = site.made(args[0], p.Neg)
    return scaled(site, args[0], -1.0) if found is None else [found[1][0]]


def gathered(site: Site, op: Any, args: tuple[int, ...]) -> Wires:
    """(x · c) · d = x · (c · d) and (−x) · c = x · (−c), for numbers c and d, where only this reads the left factor."""
    for x, c in (args, args[::-1]):
        value = site.value(c)
        if value is not None and isinstance(value, float):
            found = site.made(x, p.Neg)
            return site.apply(p.Mul(), found[1][0], site.constant(-value, site.type(c))) if found else scaled(site, x, value)
    return None


def scaled(site: Site, x: int, by: float) -> Wires:
    """A product with a number, times another number; where their product is too small for its kind, they stay apart."""
    found, atom = site.made(x, p.Mul), site.type(x)
    if found is None or atom.dtype not in ("float32", "float64") or not site.alone(x):
        return None
    for y, c in (found[1], found[1][::-1]):
        value = site.value(c)
        if value is not None:
            with np.errstate(all="ignore"):
                whole = np.array(value, atom.dtype) * np.array(by, atom.dtype)
            factor = held(site, whole, atom) if by == -1.0 or abs(whole) >= np.finfo(atom.dtype).tiny else None
            return None if factor is None else site.apply(p.Mul(), y, factor[0])
    return None


def commuted(site: Site, op: Any, args: tuple[int, ...]) -> Wires:
    """x + y = y + x and x · y = y · x : the one that stands already."""
    found = site.graph.memo.get((op, args[::-1]))
    return None if found is None else [site.graph.starts[found]]


NUMBERS = (
    Law("computed constants", tuple(ROUNDED), computed),
    Law("moved constants", MOVED, moved),
    Law("cast constants", (linear.Cast,), cast),
    Law("times one", (p.Mul,), neutral_times),
    Law("plus zero", (p.Add,), neutral_plus),
    Law("minus zero", (p.Sub,), neutral_minus),
    Law("minus minus", (p.Neg,), twice),
    Law("constant factors", (p.Mul,), gathered),
    Law("commutation", (p.Add, p.Mul), commuted),
)
__all__ = ["MOVED", "NUMBERS"]
