"""The public check: it passes what is right, catches what is wrong, and says what it could not check."""

import sys

import pytest

import lensgrad as lg
from lensgrad.backends import numpy as numpy_backend
from lensgrad.backends.engine import backend
from lensgrad.core.diagram import Definition
from lensgrad.core.errors import CheckFailed, MissingExtra, TypeMismatch
from lensgrad.core.op import Op, Standing, generator
from lensgrad.core.ty import Ty
from lensgrad.testing import Case, check, examine, generator_checks, normal, positive
from lensgrad.testing import cases as all_cases
from lensgrad.testing.report import close
from lensgrad.theories.smooth.array import Array, Key
from lensgrad.theories.smooth.linear import Sum, lead
from lensgrad.theories.smooth.pointwise import Cos, Exp, Log1p, Mul, Pointwise, Sin, StopGradient
from lensgrad.theories.smooth.random import RandomBits

jax = pytest.importorskip("jax")

ROW = Array((3,), "float64")


def failing(report):
    return [f.part for f in report.failed]


def knowing(*lines):
    """Backends that know generators of a test, each given as (class, line of NumPy, and if it has one, of JAX)."""
    in_numpy, in_jax = ({cls: line[k] for cls, *line in lines if len(line) > k} for k in (0, 1))
    return {"backends": (backend("numpy").extended(in_numpy), backend("jax").extended(in_jax))}


@pytest.mark.parametrize("cls", all_cases.generators(), ids=all_cases.named)
def test_every_generator_has_cases_and_passes_them(cls):
    report = all_cases.generator_report(cls).required()
    assert {"types", "refusals"} <= {f.part for f in report.passed}


def test_the_generators_are_found_mechanically():
    found = {all_cases.named(c) for c in all_cases.generators()}
    assert {"smooth.pointwise.Mul", "smooth.scan.Scan", "poly.circuit.Scatter", "core.diagram.Recompute"} <= found
    assert "smooth.pointwise.Pointwise" not in found  # a common ancestor, not a generator
    assert {type(c.op) for c in all_cases.CASES} == set(all_cases.generators())


def test_a_generator_without_cases_fails():
    @generator
    class Unknown(Pointwise):
        """x : A → A."""

    assert str(all_cases.generator_report(Unknown)).splitlines()[1:] == ["  failed   cases                no case checks this generator"]


# -- generators of a user ------------------------------------------------------------------------------------------------


@generator
class Softplus(Pointwise):
    """ln(1 + eˣ) : A → A."""

    def reverse(self, x, dy):
        from lensgrad.theories.smooth.pointwise import Logistic

        return dy * Logistic()(x)


def test_a_users_generator_passes_and_the_report_says_what_was_checked():
    known = knowing((Softplus, "np.logaddexp(0.0, {0})", lambda _, x: jax.nn.softplus(x)))
    assert str(check(Softplus(), ROW, **known)) == "\n".join(
        [
            "Softplus at f64[3]",
            "  passed   types                float64, float32, bfloat16, float16",
            "  passed   refusals             3 wrong domains",
            "  passed   backends             JAX: 1e-12 of the norm",
            "  skipped  tables               for circuits over a semiring",
            "  skipped  kinks                no answer is declared",
            "  passed   jax.vjp              1e-10 of the norm",
            "  passed   finite differences   1e-5 of the norm",
            "  passed   linear               1e-12 of the norm",
            "  passed   second order         symmetric, and 1e-5 of the norm",
            "  skipped  exact differences    for circuits over a semiring",
            "  skipped  additive             for circuits over a semiring",
            "  passed   batch                1 choice of batched inputs",
            "  passed   R of batch           shared inputs get the sum",
            "  passed   batch of R           1e-11 of the norm",
        ]
    )


def test_a_users_generator_without_a_line_in_jax_is_checked_by_differences_alone():
    report = check(Softplus(), ROW, **knowing((Softplus, "np.logaddexp(0.0, {0})")))
    assert {f.part: f.detail for f in report.skipped}["jax.vjp"] == "the JAX backend has no line for it, so there is no oracle"
    assert "finite differences" in {f.part for f in report.passed}


def test_float32_and_objects_are_taken_as_atoms_are():
    for dom in ((lg.Real(3),), (Array((3,), "float32"),), (lg.Real(3, dtype="float64"),)):
        report = check(Sin(), *dom)
        assert str(report).splitlines()[0] == str(check(Sin(), ROW)).splitlines()[0]
        assert {"finite differences", "linear", "second order"} <= {f.part for f in report.passed}
    assert check(Mul(), lg.Real(2) @ lg.Real(2)) and check(Mul(), lg.Real(2), lg.Real(2))
    with pytest.raises(CheckFailed, match="failed   finite differences"):
        check(Doubled(), lg.Real(3), **knowing((Doubled, "np.sin({0})", lambda _, x: jax.numpy.sin(x))))


@generator
class Doubled(Pointwise):
    """sin x, with twice its derivative."""

    def reverse(self, x, dy):
        return dy * Cos()(x) * 2.0


def test_without_jax_the_oracle_is_skipped_with_the_reason(monkeypatch):
    monkeypatch.setitem(sys.modules, "jax", None)
    report = check(Exp(), ROW)
    told = "JAX is not installed, so there is no oracle: pip install 'lensgrad[check]'"
    alone = "NumPy is the only backend here: pip install 'lensgrad[check]' to compare it with JAX"
    assert {f.part: f.detail for f in report.skipped if "JAX" in f.detail} == {"backends": alone, "jax.vjp": told}
    name, failure = next(line for line in generator_checks() if line[0].startswith("core.diagram.Definition"))
    assert (name, failure) == (f"{'core.diagram.Definition':32} {len(all_cases.cases_of(Definition))} cases: {alone}", "")


def test_samplers_keep_away_from_kinks():
    assert check(Log1p(), ROW, values=(positive,))
    assert check(Case(Log1p(), (ROW,), (positive,))).name == "Log1p at f64[3]"


# -- wrong rules are caught ----------------------------------------------------------------------------------------------


def as_mul(cls):
    return examine(Case(cls(), (ROW, ROW), **knowing((cls, "{0} * {1}", lambda _, x, y: x * y))))


def test_a_swapped_product_rule_is_caught_by_the_oracle_and_by_differences():
    @generator
    class Swapped(Mul):
        """x · y : A × A → A."""

        def reverse(self, x, y, dz):
            return dz * x, dz * y

    assert failing(as_mul(Swapped)) == ["jax.vjp", "finite differences", "second order"]


def test_a_reverse_rule_that_is_not_linear_is_caught():
    @generator
    class Quadratic(Mul):
        """x · y : A × A → A."""

        def reverse(self, x, y, dz):
            return dz * dz * y, dz * x

    assert {"jax.vjp", "finite differences", "linear"} <= set(failing(as_mul(Quadratic)))


def test_a_rule_that_is_wrong_in_the_second_order_only_is_caught():
    @generator
    class Flat(Cos):
        """cos x : A → A."""

        def reverse(self, x, dy):
            return dy * Sin()(x)

    @generator
    class Wave(Sin):
        """sin x : A → A."""

        def reverse(self, x, dy):
            return dy * Flat()(x)

    known = knowing((Flat, "np.cos({0})", lambda _, x: jax.numpy.cos(x)), (Wave, "np.sin({0})", lambda _, x: jax.numpy.sin(x)))
    assert failing(examine(Case(Wave(), (ROW,), **known))) == ["second order"]


def test_a_wrong_batching_rule_is_caught():
    @generator
    class Stuck(Sum):
        """Sum over `axes` : A → B."""

        def batch(self, n, flags, x):
            return Sum(self.axes)(x)

    known = knowing((Stuck, numpy_backend.NUMPY[Sum], lambda n, x: jax.numpy.sum(x, n.op.axes)))
    assert failing(examine(Case(Stuck((0,)), (Array((3, 3), "float64"),), **known))) == ["batch", "R of batch"]


def test_a_draw_that_gives_all_examples_the_same_bits_is_caught():
    @generator
    class Same(RandomBits):
        """Uniform 32-bit words : Key → U32^shape."""

        def batch(self, n, flags, key):
            return self(key) if flags[0] else lead(self(key), n)

    known = knowing((Same, numpy_backend.NUMPY[RandomBits]))
    assert failing(examine(Case(Same((2,)), (Key(),), **known))) == ["batch"]


def test_a_meaning_of_another_shape_is_caught():
    @generator
    class Grown(Pointwise):
        """x : A → A."""

    (types, *_) = examine(Case(Grown(), (ROW,), **knowing((Grown, "np.concatenate([{0}, {0}])")))).failed
    assert (types.part, types.detail) == ("types", "NumPy in float64 returns float64 of shape (6,) for f64[3]")


def test_a_typing_rule_that_breaks_instead_of_refusing_is_caught():
    @generator
    class Loose(Op):
        """x : A → A."""

        def type(self, *dom):
            (x,) = dom
            return Ty((x,))

        def reverse(self, x, dy):
            return dy

    found = {f.part: f.detail for f in examine(Case(Loose(), (ROW,), **knowing((Loose, "{0}")))).failed}
    assert found["refusals"] == "it accepts stranger and gives stranger"

    @generator
    class Broken(Loose):
        """x : A → A."""

        def type(self, *dom):
            if len(dom) == 1 and not isinstance(dom[0], Array):
                raise TypeMismatch("an array is wanted")
            return super().type(*dom)

    found = {f.part: f.detail for f in examine(Case(Broken(), (ROW,), **knowing((Broken, "{0}")))).failed}
    assert found["refusals"] == (
        "at I it raises ValueError (not enough values to unpack (expected 1, got 0)) where TypeMismatch or BadValue is wanted"
    )


def test_a_declared_answer_that_is_not_given_is_caught():
    from lensgrad.testing import Kink

    one = jax.numpy.ones(3)
    report = examine(Case(Exp(), (ROW,), kinks=(Kink((0 * one,), (one,), (2 * one,)),)), ["kinks"])
    assert str(report).splitlines()[1] == (
        "  failed   kinks                R at a kink: array 0 is off by 0.5 of its norm, and 0e+00 is allowed"
    )


def test_check_raises_with_the_whole_report():
    @generator
    class Nameless(Pointwise):
        """x : A → A."""

    with pytest.raises(CheckFailed) as failure:
        check(Nameless(), ROW)
    assert str(failure.value).splitlines()[:2] == [
        "Nameless at f64[3]",
        "  failed   types                NoRule: Nameless has no meaning in the NumPy backend",
    ]
    assert isinstance(failure.value, AssertionError)


# -- what does not apply is said -----------------------------------------------------------------------------------------


def test_a_chosen_backward_is_exempt_from_calculus_and_said_to_be():
    report = check(StopGradient(), ROW)
    assert StopGradient.standing is Standing.CHOSEN
    told = "the backward is chosen: not R: the cotangent is dropped"
    assert [f.part for f in report.skipped if f.detail == told] == [
        "jax.vjp", "finite differences", "second order", "R of batch", "batch of R",
    ]  # fmt: skip


def test_an_output_without_changes_is_exempt_from_calculus_and_said_to_be():
    from lensgrad.theories.smooth.reduce import ArgMax

    report = check(ArgMax(0), ROW)
    assert {f.detail for f in report.skipped if f.part in ("jax.vjp", "linear")} == {"no output has changes"}


def test_numbers_that_are_not_finite_must_agree_as_well():
    import numpy as np

    from lensgrad.testing.report import Broken

    close("same", [np.array([np.nan, np.inf, 1.0])], [np.array([np.nan, np.inf, 1.0])], 0.0)
    for wrong in ([np.nan, np.inf, 2.0], [np.nan, -np.inf, 1.0], [0.0, np.inf, 1.0]):
        with pytest.raises(Broken):
            close("other", [np.array(wrong)], [np.array([np.nan, np.inf, 1.0])], 1e-3)


def test_the_missing_extra_is_named(monkeypatch):
    from lensgrad.core.extras import extra

    monkeypatch.setitem(sys.modules, "jax", None)
    with pytest.raises(MissingExtra, match=r"^the oracle needs the package jax: pip install 'lensgrad\[check\]'$"):
        extra("jax", "check", "the oracle")


def test_normal_is_what_arrays_of_floats_are_sampled_by():
    import numpy as np

    rng, other = (np.random.default_rng(1) for _ in range(2))
    assert np.array_equal(Case(Exp(), (ROW,)).draw(rng)[0], normal(other, ROW))
