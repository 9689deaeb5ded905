"""Each backend's table has, for every generator of the library, a meaning or a declared hole."""

import importlib

import pytest

from lensgrad.backends.exact import exact
from lensgrad.backends.exact.functor import EXACT
from lensgrad.backends.numpy import NUMPY
from lensgrad.backends.table import Hole, Meanings
from lensgrad.core.diagram import Definition, Diagram
from lensgrad.core.errors import NoRule
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.testing.cases import cases_of, generators, named
from lensgrad.theories.poly.circuit import Bits, Count, Vector
from lensgrad.theories.poly.semiring import Z2
from lensgrad.theories.smooth.array import Real
from lensgrad.theories.smooth.pointwise import Exp

MEANT = [c for c in generators() if c is not Definition]  # a definition is unfolded before anything has a meaning


def tables():
    found = {"NumPy": NUMPY, "exact": EXACT}
    if importlib.util.find_spec("jax"):
        found["JAX"] = importlib.import_module("lensgrad.backends.jax.table").JAX
    return found


@pytest.mark.parametrize("name", tables())
def test_every_generator_has_a_meaning_or_a_declared_hole(name):
    table = tables()[name]
    assert isinstance(table, Meanings) and table.backend == name
    assert [named(c) for c in MEANT if c not in table] == []
    assert all(line.reason for line in table.values() if isinstance(line, Hole))


@pytest.mark.parametrize("cls", [c for c in MEANT if not isinstance(EXACT[c], Hole)], ids=named)
def test_what_is_no_hole_in_the_exact_table_can_be_evaluated(cls):
    """The first small case of each generator: its image has the shapes that its type declares."""
    case = next(c for c in cases_of(cls) if sum(getattr(a, "total", getattr(a, "size", 1)) for a in c.dom) <= 40)
    f = Diagram.of(case.op, Ty(case.dom))
    assert [shape for shape, _ in exact(f).outs] == [a.shape for a in f.cod]


def test_holes_of_the_exact_table_say_why():
    with pytest.raises(NoRule) as error:
        exact(Diagram.of(Count(), Ty((Vector(Z2, 2, 3),))))
    assert str(error.value) == "Count has no meaning in the exact backend: elements as whole numbers are no polynomial of the elements"


def test_the_exact_table_is_extended_like_any_other():
    f = trace(lambda x: Exp()(x), Real(1))
    more = EXACT.extended({Exp: lambda op, x: x + x})
    assert str(exact(f, more)) == "(1,): 2·x0.0" and exact(f) != exact(f, more)
    assert Bits(1) == Ty((Vector(Z2, 1),))
