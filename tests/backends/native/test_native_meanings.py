"""Every generator of Smooth in C gives what it gives in NumPy, on all of its cases, fused and not."""

import pytest
from native_check import differing, in_c, in_numpy, once

from lensgrad.backends.engine import backend
from lensgrad.backends.native.assemble import assembled
from lensgrad.backends.native.flat import TYPES
from lensgrad.backends.native.meanings.table import NATIVE
from lensgrad.backends.table import Hole
from lensgrad.core.diagram import Definition, Diagram, Recompute
from lensgrad.core.errors import BadValue, CheckFailed, NoRule
from lensgrad.core.op import generator
from lensgrad.core.ty import Ty
from lensgrad.testing.case import Facts
from lensgrad.testing.cases import cases_of, generators, named
from lensgrad.testing.check import check
from lensgrad.testing.meaning import AGREE, dtypes
from lensgrad.theories.smooth import pointwise as p
from lensgrad.theories.smooth.array import Array

UNFOLDED = (Definition, Recompute)  # written out before anything has a meaning
SMOOTH = [c for c in generators() if c in UNFOLDED or named(c).startswith("smooth.")]


def smooth_cases(cls):
    """The cases of a generator in the dtypes that C has, with inputs."""
    tried = [(f, xs) for case in cases_of(cls) for _, f, xs in dtypes(Facts(case))]
    return [(f, xs) for f, xs in tried if all(getattr(a, "dtype", "uint32") in TYPES for a in (*f.dom, *f.cod)) and not circuit(f)]


def circuit(f):
    return any(hasattr(a, "semiring") for a in (*f.dom, *f.cod))


@pytest.mark.parametrize("cls", SMOOTH, ids=named)
@pytest.mark.parametrize("fuse", [True, False], ids=["fused", "plain"])
def test_it_means_what_it_means_in_numpy(cls, fuse):
    cases = smooth_cases(cls)
    whole, xs = Diagram.tensor(*(f for f, _ in cases)), [x for _, given in cases for x in given]
    narrow = [max(AGREE.get(getattr(a, "dtype", ""), 0.0) for a in (*f.dom, *f.cod)) for f, _ in cases for _ in f.cod]
    found, wanted = in_c(whole, xs, fuse), in_numpy(whole, xs)
    assert len(found) > 0
    assert differing(found, wanted, narrow) == []


def test_every_generator_has_a_line_and_those_of_smooth_no_hole():
    assert [named(c) for c in generators() if c not in UNFOLDED and c not in NATIVE] == []
    holes = {c: line.reason for c, line in NATIVE.items() if isinstance(line, Hole)}
    assert [named(c) for c in SMOOTH if c in holes] == [] and all(holes.values())


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_refused_by_name(dtype):
    f = Diagram.of(p.Exp(), Ty((Array((3,), dtype),)))
    with pytest.raises(NoRule, match=r"has no meaning in the native backend: the NumPy backend has it"):
        in_c(f, [[0.0] * 3])


@generator
class Cubed(p.Pointwise):
    """x³, a generator of somebody's own."""

    def reverse(self, x, dy):
        return dy * x * x * 3.0


def test_a_generator_without_a_meaning_in_numpy_is_not_sent_there():
    with pytest.raises(NoRule) as error:
        in_c(Diagram.of(Cubed(), Ty((Array((3,), "float32"),))), [[0.0] * 3])
    assert str(error.value).endswith(" has no meaning in the native backend: backend(…).in_c({…}) gives it one")


@pytest.mark.parametrize("formula", ["{1}", "{x}", "{0", "{op.none}"])
def test_a_formula_of_what_is_not_there_is_refused(formula):
    f = Diagram.of(Cubed(), Ty((Array((3,), "float32"),)))
    with pytest.raises(BadValue) as error:
        assembled(f, once(f), NATIVE.extended({Cubed: formula}))
    assert str(error.value) == f"what {Cubed().name} means in C, '{formula}', is no formula of {{0}} to {{0}}, {{t}} and {{op}}"


def checked(formula):
    """The check of that generator in NumPy and in C."""
    own = {Cubed: "{0} ** 3"}
    return check(
        Cubed(), Array((5,), "float64"), backends=(backend("numpy").extended(own), backend("native").extended(own).in_c({Cubed: formula}))
    )


def test_a_generator_of_your_own_is_checked_in_c():
    assert "C: 1e-12 of the norm" in str(checked("{0} * {0} * {0}"))
    with pytest.raises(CheckFailed, match=r"failed +backends"):
        checked("{0} * {0} * {0} * 1.001")
