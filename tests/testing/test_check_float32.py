"""The check of generators that exist in float32 only, or in half precision only: what is right passes, what is wrong is caught."""

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.backends.engine import backend
from lensgrad.core.errors import CheckFailed, TypeMismatch
from lensgrad.core.op import generator
from lensgrad.core.ty import Ty
from lensgrad.testing import Case, check, examine, positive
from lensgrad.theories.smooth.array import Array
from lensgrad.theories.smooth.pointwise import Cos, Exp, Log, Mul, Pointwise, Sin

jax = pytest.importorskip("jax")


class Narrow(Pointwise):
    """x : A → A, as a kernel that is written for one dtype."""

    def type(self, *dom):
        if any(isinstance(a, Array) and a.dtype != "float32" for a in dom):
            raise TypeMismatch("this kernel is written for float32")
        return super().type(*dom)


@generator
class Wave(Narrow):
    """sin x : A → A, in float32."""

    def reverse(self, x, dy):
        return dy * Cos()(x)


@generator
class Doubled(Narrow):
    """sin x, with a derivative that is off by one percent."""

    def reverse(self, x, dy):
        return dy * Cos()(x) * 1.01


@generator
class Bent(Narrow):
    """sin x, with a rule that is not linear."""

    def reverse(self, x, dy):
        return dy * Cos()(x) + dy * dy * 0.01


@generator
class Flat(Narrow):
    """cos x, with another derivative."""

    def reverse(self, x, dy):
        return dy * Sin()(x)


@generator
class Second(Narrow):
    """sin x, wrong in the second order only."""

    def reverse(self, x, dy):
        return dy * Flat()(x)


@generator
class Stuck(Narrow):
    """sin x, with a batching rule that forgets the examples."""

    def reverse(self, x, dy):
        return dy * Cos()(x)

    def batch(self, n, flags, x):
        return self(x * 0.0)


SINE = ("np.sin({0})", lambda _, x: jax.numpy.sin(x))


def known(*classes):
    lines = {cls: ("np.cos({0})", lambda _, x: jax.numpy.cos(x)) if cls is Flat else SINE for cls in classes}
    return {"backends": tuple(backend(b).extended({c: v[k] for c, v in lines.items()}) for k, b in enumerate(("numpy", "jax")))}


@pytest.mark.parametrize("dom", [(lg.Real(3),), (Array((3,), "float32"),), (lg.Real(2, 2),)], ids=["object", "atom", "matrix"])
def test_a_generator_of_float32_alone_is_checked_in_float32(dom):
    report = check(Wave(), *dom, **known(Wave))
    assert "f32" in report.name
    found = {f.part: f.detail for f in report.passed}
    assert found["types"] == "float32" and found["backends"] == "JAX: 1e-5 of the norm" and found["jax.vjp"] == "1e-5 of the norm"
    assert found["finite differences"] == "2e-3 of the norm" and found["second order"] == "symmetric, and 2e-3 of the norm"
    assert {"linear", "batch", "R of batch", "batch of R"} <= found.keys()


@pytest.mark.parametrize("seed", range(5))
def test_it_passes_at_any_point(seed):
    from lensgrad.testing.case import Facts

    for case in (
        Case(Wave(), lg.Real(4), **known(Wave)),
        Case(Exp(), lg.Real(4)),
        Case(Mul(), lg.Real(4) @ lg.Real(4)),
        Case(Log(), lg.Real(4), (positive,)),
    ):
        assert examine(case, facts=Facts(case, seed)).required()


def failing(cls, *more):
    return [f.part for f in examine(Case(cls(), lg.Real(3), **known(cls, *more))).failed]


def test_wrong_rules_are_caught_in_float32_too():
    assert failing(Doubled) == ["jax.vjp", "finite differences", "second order"]
    assert {"jax.vjp", "finite differences", "linear"} <= set(failing(Bent))
    assert failing(Second, Flat) == ["second order"]
    assert failing(Stuck) == ["batch", "R of batch"]
    with pytest.raises(CheckFailed, match="failed   finite differences"):
        check(Doubled(), lg.Real(3), **known(Doubled))


def test_a_meaning_in_another_dtype_is_caught():
    wide = {"backends": (backend("numpy").extended({Wave: "np.sin({0}.astype(np.float64))"}),)}
    found = {f.part: f.detail for f in examine(Case(Wave(), lg.Real(3), **wide)).failed}
    assert found["types"] == "NumPy in float32 returns float64 of shape (3,) for f32[3]"


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_has_too_few_digits_for_differences(dtype):
    report = check(Case(Sin(), lg.Real(3, dtype=dtype)))
    told = f"{dtype} has too few digits for differences"
    assert [f.part for f in report.skipped if f.detail == told] == ["finite differences", "second order"]
    assert {f.part: f.detail for f in report.passed}["types"] == dtype


def test_objects_are_taken_where_atoms_are():
    whole = lg.Real(2, dtype="float64") @ lg.Real(2, dtype="float64")
    for given in (whole, (lg.Real(2, dtype="float64"), lg.Real(2, dtype="float64")), whole.atoms):
        assert Case(Mul(), given).dom == whole.atoms
    assert check(Case(Mul(), whole)) and check(Mul(), whole)
    assert check(Mul(), Ty(whole.atoms), values=(positive, positive)).name == "Mul at f64[2] × f64[2]"
    assert np.asarray(Case(Mul(), whole).draw(np.random.default_rng(0))[0]).dtype == np.float64
