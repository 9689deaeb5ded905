"""The typing rule of a generator against what backends really return, and its refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lensgrad.backends.engine import Backend, Jax, Native
from lensgrad.backends.numpy import has_circuits, host
from lensgrad.backends.table import Hole
from lensgrad.core.diagram import Definition, Diagram
from lensgrad.core.errors import BadValue, NoRule, TypeMismatch
from lensgrad.core.ty import Ty
from lensgrad.testing.calculus import Rules
from lensgrad.testing.case import Arrays, Case, Facts
from lensgrad.testing.precision import ORDER, told
from lensgrad.testing.report import Broken, Skip, close
from lensgrad.testing.samples import carried
from lensgrad.theories.smooth.array import Array

ALONE = "NumPy is the only backend here: pip install 'lensgrad[check]' to compare it with JAX"
AGREE = {"float64": 1e-12, "float32": 1e-5, "float16": 1e-3, "bfloat16": 1e-2}


@dataclass(frozen=True)
class Stranger:
    """An atom that no generator knows."""

    def __str__(self) -> str:
        return "stranger"


def typed(facts: Facts, _: Rules) -> str:
    """The declared codomain is the shape and dtype that NumPy returns, in every dtype of floats that the generator takes."""
    tried = list(dtypes(facts))
    for dtype, f, xs in tried:
        returned(f"NumPy in {dtype}", f, facts.runs(f)(*xs), host)
    return ", ".join(dtype for dtype, _, _ in tried)


def returned(what: str, f: Diagram, ys: Sequence[Any], host: Callable[[Any], Any]) -> None:
    """Compare arrays with the atoms they carry."""
    if len(ys) != len(f.cod):
        raise Broken(f"{what} returns {len(ys)} arrays for {f.cod}")
    for y, atom in zip(ys, f.cod, strict=True):
        shape, dtype = host(atom)
        given = y if hasattr(y, "dtype") else np.asarray(y)
        if given.shape != shape or given.dtype != dtype:
            raise Broken(f"{what} returns {given.dtype} of shape {given.shape} for {atom}")


def dtypes(facts: Facts) -> Iterator[tuple[str, Diagram, Arrays]]:
    """The generator at its own type, and with float64 replaced by other floats where it accepts them."""
    own = {getattr(a, "dtype", "") for a in (*facts.case.dom, *facts.f.cod)}
    yield next((d for d in ORDER if d in own), "float64"), facts.f, facts.xs
    for dtype in ("float32", "bfloat16", "float16"):
        dom = tuple(a.with_dtype(dtype) if getattr(a, "dtype", "") == "float64" else a for a in facts.case.dom)
        if dom != facts.case.dom:
            try:
                f = Diagram.of(facts.case.op, Ty(dom))
            except TypeMismatch:
                continue
            yield dtype, f, [carried(a, x) if isinstance(a, Array) else x for a, x in zip(dom, facts.xs, strict=True)]


def refused(facts: Facts, _: Rules) -> str:
    """A wrong number of inputs and a wrong atom raise `TypeMismatch` or `BadValue`, and nothing else."""
    dom, more = facts.case.dom, facts.case.dom[-1:] or (Stranger(),)
    wrong = [(*dom[:i], Stranger(), *dom[i + 1 :]) for i in range(len(dom))]
    wrong += [dom[:-1]] if dom and not facts.case.variadic else []
    wrong += [] if facts.case.variadic else [dom + more]
    for atoms in wrong:
        refusal(facts.case, atoms)
    for atoms in strange_shapes(dom):
        refusal(facts.case, atoms, must=False)
    return f"{len(wrong)} wrong domains"


def strange_shapes(dom: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """One array at a time with an axis more or less: welcome or refused, but never another error."""
    for i, a in enumerate(dom):
        if isinstance(a, Array):
            for shape in [(*a.shape, 2), a.shape[1:]]:
                yield (*dom[:i], a.with_shape(*shape), *dom[i + 1 :])


def refusal(case: Case, atoms: tuple[Any, ...], must: bool = True) -> None:
    try:
        given = case.op.type(*atoms)
    except (TypeMismatch, BadValue):
        return
    except Exception as error:
        raise Broken(f"at {Ty(atoms)} it raises {type(error).__name__} ({error}) where TypeMismatch or BadValue is wanted") from error
    if must:
        raise Broken(f"it accepts {Ty(atoms)} and gives {given}")


def agrees(facts: Facts, rules: Rules) -> str:
    """Every installed backend returns what the reference does: to 1e-12 in float64, exactly for anything but floats."""
    others = [b for b in facts.case.engines[1:] if not isinstance(b, Native) or has_circuits(facts.f) or in_c(facts, b)]
    gaps = {b: why for b in others if (why := gap(facts, b) or agrees_in(facts, b))}
    if len(gaps) == len(others):
        raise Skip("; ".join(gaps.values()) or ALONE)
    names = ("C" if in_c(facts, b) else called(b) for b in others if b not in gaps)
    return f"{', '.join(names)}: {told(max(1e-12, tolerance(facts.f)))}"


def in_c(facts: Facts, backend: Backend) -> bool:
    """Whether a case is compared in C, where each is compiled: if it asks for that. All cases of the library are, many in one program."""
    return isinstance(backend, Native) and backend in facts.case.backends and backend.lanes == "compiled" and not has_circuits(facts.f)


def agrees_in(facts: Facts, backend: Backend) -> str:
    """One backend against the reference; and of JAX the declared types, in every dtype. Says why where it has no rule at this type."""
    try:
        found = shaped_in_jax(facts, backend) if isinstance(backend, Jax) else facts.runs(facts.f, backend)(*facts.xs)
    except NoRule as none:
        return str(none)
    close(f"NumPy against {called(backend)}", facts.run(*facts.xs), found, tolerance(facts.f))
    return ""


def shaped_in_jax(facts: Facts, backend: Jax) -> Arrays:
    """What JAX returns, after a look at the types that it declares."""
    from lensgrad.backends.jax import table as jax_backend

    for dtype, f, _ in dtypes(facts):
        returned(f"JAX in {dtype}", f, jax_backend.shapes(f, backend.table), jax_backend.host)
    return facts.oracle[0]


def gap(facts: Facts, backend: Backend) -> str:
    """Why a backend has no meaning to compare; empty where it has one."""
    if isinstance(facts.case.op, Definition):
        return ""
    table = backend.meanings if isinstance(backend, Native) and in_c(facts, backend) else backend.table
    line = table.get(type(facts.case.op), Hole("it has no line for it"))
    return f"{'C' if table is not backend.table else called(backend)} has no meaning of it: {line.reason}" if isinstance(line, Hole) else ""


def called(backend: Backend) -> str:
    """A backend for a report: `JAX`, `Native lanes packed`."""
    return f"lanes {backend.lanes}" if isinstance(backend, Native) else {"Jax": "JAX"}.get(type(backend).__name__, type(backend).__name__)


def tolerance(f: Diagram) -> float:
    """What two backends may differ by: by the narrowest float among the types."""
    return max((AGREE.get(getattr(a, "dtype", ""), 0.0) for a in (*f.dom, *f.cod)), default=0.0)
