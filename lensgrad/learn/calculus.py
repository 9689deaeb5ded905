"""Derivatives that need batching beside R."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

from lensgrad.cat.names import Role, select
from lensgrad.cat.names import weights as every_weight
from lensgrad.cat.para import Para, parametrized
from lensgrad.cat.reverse import reverse
from lensgrad.core import checks
from lensgrad.core.diagram import Diagram, flatten
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.theories.smooth.array import Array
from lensgrad.theories.smooth.batch import batch_all
from lensgrad.theories.smooth.index import Iota, OneHot
from lensgrad.theories.smooth.linear import Reshape


@overload
def jacobian(f: Diagram, *of: int) -> Diagram: ...
@overload
def jacobian(f: Para, *of: Any) -> Para: ...
def jacobian(f: Any, *of: Any) -> Any:
    """A → ℝ^(B×A) for f : A → B: R[f] on all unit cotangents at once. For f : A₁ ⊗ … → B, ⊗ ℝ^(B×Aᵢ) over the inputs in `of`.

    For a parametric arrow (P, A → B) it is (P, A → ⊗ ℝ^(B×Pᵢ)) over the parameters that the names or patterns in `of` reach, all
    weights where none is given: `batch(jacobian(model, "a/weight"), n)` is that of n examples. With respect to its input:
    `jacobian(corner(model.dom, "x") >> model, "x")`. Observables are left out.
    """
    if isinstance(f, Diagram):
        return rows(f, len(f.dom), positions(f, of))
    f = parametrized("what jacobian takes", f)
    if not isinstance(f.arrow, Diagram):
        raise TypeMismatch(f"the Jacobian is of an arrow, and {f.dom} → {f.cod} is a lens: take it before lens(…)")
    for where in of:
        checks.instance("what the Jacobian is taken with respect to", where, (str, Role), "the name of a parameter, or a pattern")
    chosen = [i for where in of or (every_weight,) for group in select(f.params, where) for i in group]
    if len(set(chosen)) < len(chosen):
        raise BadValue(f"the Jacobian is asked for twice with respect to '{f.names[max(chosen, key=chosen.count)]}'")
    owners = [i for i, p in enumerate(f.params) for _ in p.ob]
    wires = [w for i in chosen for w, owner in enumerate(owners) if owner == i]
    return Para.make(f.params, rows(f.arrow, len(f.arrow.dom), wires, len(f.cod)))


def positions(f: Diagram, of: Sequence[Any]) -> list[int]:
    """The inputs of a plain arrow that are meant: the only one, or those given."""
    if not of and len(f.dom) != 1:
        raise TypeMismatch(f"the Jacobian needs an arrow with one array in, or with respect to inputs by number, got {f.dom} → {f.cod}")
    return [checks.whole("the number of an input", i, 0, len(f.dom) - 1) for i in of or (0,)]


def rows(f: Diagram, n: int, wires: Sequence[int], outputs: int | None = None) -> Diagram:
    """R[f] at the chosen inputs on all unit cotangents of its only output."""
    shown = f.cod if outputs is None else Ty(f.cod.atoms[:outputs])
    if len(shown) != 1 or not all(isinstance(a, Array) and a.floating for a in (shown[0], *(f.dom[w] for w in wires))):
        raise TypeMismatch(f"the Jacobian needs an arrow with one array of numbers out, and of arrays of numbers in, got {f.dom} → {shown}")
    b: Any = shown[0]
    order = sorted(wires)
    slopes = reverse(f, [w in order for w in range(n)], [k == 0 for k in range(len(f.cod))])
    stacked = batch_all(slopes, b.size, [False] * n + [True])

    def body(*xs: Any) -> Any:
        units = Reshape((b.size, *b.shape))(OneHot(b.size, b.dtype)(Iota(b.size)()))
        found = dict(zip(order, flatten([stacked(*xs, units)]), strict=True))
        return [Reshape((*b.shape, *x.shape))(found[w]) for w, x in ((w, f.dom[w]) for w in wires)]

    return trace(body, *(Ty((a,)) for a in f.dom))


__all__ = ["jacobian"]
