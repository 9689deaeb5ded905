"""First values of parameters, as arrows Key → A."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from lensgrad.core import checks
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import TypeMismatch
from lensgrad.core.graph import Wire
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.theories.bridges import Indicator
from lensgrad.theories.poly.circuit import Vector
from lensgrad.theories.smooth.array import Array, Key, full
from lensgrad.theories.smooth.ops import cast
from lensgrad.theories.smooth.ops import normal as draw_normal
from lensgrad.theories.smooth.ops import uniform as draw_uniform

Init = Callable[[Ty], Diagram]  # for an object A, an arrow Key → A


def zeros(ob: Ty) -> Diagram:
    """0 everywhere, in any theory: Key → A."""
    checks.instance("what zeros is of", ob, Ty, "an object, such as lg.Real(3)")
    return trace(lambda key: tuple(a.zero() for a in ob), Ty((Key(),)))


def constant(value: float) -> Init:
    """The same number everywhere."""
    same = value if isinstance(value, bool) else checks.number("a constant", value)
    return drawn(lambda key, a: full(same, a), f"constant({same})")


def normal(std: float = 1.0) -> Init:
    """Normal with mean 0 and this standard deviation."""
    by = checks.number("a standard deviation", std, 0)
    return drawn(lambda key, a: draw_normal(key, a.shape, a.dtype) * by, f"normal({by})")


def uniform(limit: float) -> Init:
    """Uniform in [−limit, limit)."""
    by = checks.number("the limit of a uniform initializer", limit, 0)
    return drawn(lambda key, a: (draw_uniform(key, a.shape, a.dtype) * 2.0 - 1.0) * by, f"uniform({by})")


def glorot(ob: Ty) -> Diagram:
    """Uniform in ±√(6 / (fan in + fan out)), for weights of shape (out, in)."""
    return uniform(math.sqrt(6.0 / max(1, sum(fans(arrays("glorot", ob)[0])))))(ob)


def he(ob: Ty) -> Diagram:
    """Normal with standard deviation √(2 / fan in), for weights in front of a relu."""
    return normal(math.sqrt(2.0 / max(1, fans(arrays("he", ob)[0])[0])))(ob)


def arrays(what: str, ob: Ty) -> Ty:
    """An object of arrays of floats."""
    checks.instance(f"what {what} is of", ob, Ty, "an object, such as lg.Real(3)")
    if not len(ob) or not all(isinstance(a, Array) for a in ob):
        raise TypeMismatch(f"{what} expects an array, got {ob}")
    return ob


def fans(atom: Array) -> tuple[int, int]:
    """How many inputs reach one output and the reverse: (in, out) of (out, in); kernels (*size, in, out) multiply by size."""
    if atom.rank < 2:
        return atom.size, atom.size
    if atom.rank == 2:
        return atom.shape[1], atom.shape[0]
    field = math.prod(atom.shape[:-2])
    return field * atom.shape[-2], field * atom.shape[-1]


@dataclass(frozen=True, eq=False, repr=False)
class Drawn:
    """An initializer that draws each atom."""

    fill: Callable[[Wire, Array], Wire]
    name: str

    def __call__(self, ob: Ty) -> Diagram:
        arrays("an initializer", ob)
        return trace(lambda key: tuple(self.fill(key, a) for a in ob), Ty((Key(),)))

    def __repr__(self) -> str:
        return self.name


def drawn(fill: Callable[[Wire, Array], Wire], name: str = "an initializer") -> Init:
    """An initializer that draws each atom."""
    return Drawn(fill, name)


def bits(ob: Ty) -> Diagram:
    """0 or 1, each with probability ½, as numbers or as elements of a semiring: Key → A."""
    return trace(lambda key: tuple(coins(key, a) for a in ob), Ty((Key(),)))


def coins(key: Wire, a: Array | Vector) -> Wire:
    heads = draw_uniform(key, a.shape) < 0.5
    return Indicator(a.semiring)(heads) if isinstance(a, Vector) else cast(heads, a.dtype)
