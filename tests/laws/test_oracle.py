"""The oracle of calculus: R[f] in polynomials is the cotangent's sum of formal partial derivatives, found without R."""

import hypothesis
import pytest

from lensgrad.backends.exact import exact, formal_reverse, table
from lensgrad.cat.reverse import R
from lensgrad.core.rewrite import Soundness
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.learn.circuits import lookup
from lensgrad.testing.strategies import CIRCUITS, THEORIES, WORLDS, instances
from lensgrad.theories.poly import circuit
from lensgrad.theories.poly.circuit import Bits
from lensgrad.theories.poly.semiring import LOGIC
from lensgrad.theories.smooth import ops, pointwise
from lensgrad.theories.smooth.array import Array, Int, Key, Real
from lensgrad.theories.smooth.rules import RULES
from lensgrad.theories.smooth.scan import scan


def real(*shape):
    return Real(*shape, dtype="float64")


@pytest.mark.parametrize("theory", THEORIES, ids=lambda t: t.name)
def test_reverse_is_the_formal_derivative_on_random_arrows(theory):
    @hypothesis.settings(max_examples=300, derandomize=True, database=None, deadline=None)
    @hypothesis.given(instances(WORLDS[0], theory, ("A→B",)))
    def agrees(arrows):
        (f,) = arrows
        assert exact(R(f)) == formal_reverse(f)

    agrees()


SMOOTH_ARROWS = {
    "softmax": (ops.softmax, [real(3)]),
    "quotient": (lambda x, y: x / y + (x * x + 1.0) ** -2 + x**y, [real(2), real(2)]),
    "logarithms": (lambda x: ops.log(x) + ops.log1p(x) + ops.expm1(x), [real(2)]),
    "roots": (lambda x: ops.sqrt(x) + ops.rsqrt(x) + ops.erf(x) + ops.sigmoid(x), [real(2)]),
    "circle": (lambda x: ops.sin(x) * ops.cos(x * x), [real(2)]),
    "corners": (lambda x, y: ops.maximum(x, y) * ops.minimum(x, y) + ops.clamp(x, -1.0, 1.0) + ops.absolute(y), [real(2), real(2)]),
    "largest": (lambda x: ops.amax(x, 1), [real(2, 3)]),
    "order": (ops.sort, [real(3)]),
    "rows": (ops.take, [real(3, 2), Int(2)]),
    "added rows": (lambda i, x: ops.scatter_add(3, i, x), [Int(2), real(2, 2)]),
    "running sums": (lambda x: ops.cumsum(x, 0) @ ops.flip(x, 1), [real(2, 2)]),
    "contraction": (lambda x, y, z: ops.einsum("ij,jk,k->i", x, y, z), [real(2, 3), real(3, 2), real(2)]),
    "shapes": (lambda x: ops.pad(ops.transpose(x)[:, ::2], (1, 0), (0, 1)), [real(3, 2)]),
    "joined": (lambda x, y: ops.concatenate([x * y, y]), [real(2), real(2)]),
    "convolution": (lambda x, k: ops.convolve(x, k, stride=2, padding=1), [real(1, 4, 3, 2), real(2, 2, 2, 1)]),
    "grouped convolution": (lambda x, k: ops.convolve(x, k, dilation=2, groups=2), [real(1, 4, 2), real(2, 1, 2)]),
    "max-pool": (lambda x: ops.max_pool(x, (2, 2), stride=1, padding=1), [real(1, 2, 2, 1)]),
    "average-pool": (lambda x: ops.average_pool(x, (2,)), [real(1, 4, 1)]),
}


@pytest.mark.parametrize("name", SMOOTH_ARROWS)
def test_reverse_is_the_formal_derivative(name):
    fn, objects = SMOOTH_ARROWS[name]
    f = trace(fn, *objects)
    assert exact(R(f)) == formal_reverse(f)


def test_the_oracle_catches_a_swapped_product_rule(monkeypatch):
    f = trace(lambda x, y: x * y * y, real(), real())
    monkeypatch.setattr(pointwise.Mul, "reverse", lambda self, x, y, dz: (dz * x, dz * y))
    assert exact(R(f)) != formal_reverse(f)


def test_the_oracle_catches_a_wrong_sign(monkeypatch):
    f = trace(lambda x: -x, real())
    monkeypatch.setattr(pointwise.Neg, "adjoint", lambda self, *dom: lambda dz: dz)
    assert exact(R(f)) != formal_reverse(f)


def test_formal_derivatives_over_z2_are_not_boolean_differences():
    """R[x·x] = 0 over Z2 although x·x = x as a Boolean function (arXiv 2101.10488)."""
    square, copy = trace(lambda x: x * x, Bits(1)), trace(lambda x: x, Bits(1))
    assert list(table(square)) == list(table(copy))
    assert exact(square) != exact(copy)
    assert all(out == (0,) for _, out in table(R(square)))
    assert all(out == (dy,) for (_, dy), out in table(R(copy)))


@pytest.mark.parametrize("semiring", [CIRCUITS.atoms[0].semiring, LOGIC], ids=str)
def test_operations_are_those_of_the_semiring(semiring):
    f = trace(lambda x, y: (x + y, x * y), Bits(1, semiring), Bits(1, semiring))
    for (x, y), (total, product) in table(f):
        assert (total, product) == (semiring.add(x, y), semiring.mul(x, y))


def test_a_lookup_table_is_the_function_of_its_rows():
    f = lookup(2).arrow
    for (a, b, c, d, x, y), (out,) in table(f):
        assert out == (a, b, c, d)[2 * x + y]


def test_minterms_are_a_basis():
    f = trace(circuit.minterms, Bits(3))
    assert [out.index(1) for _, out in table(f)] == list(range(8))
    assert all(sum(out) == 1 for _, out in table(f))


def instances_of(rule):
    nodes = [n for f in SAMPLES for n in f.nodes]
    return [e for e in map(rule.at, nodes) if e is not None]


SCALAR = Ty((Array((), "float64"),))
SAMPLES = [trace(fn, SCALAR, SCALAR) for fn in (lambda x, y: x * y, lambda x, y: x + y, lambda x, y: x - y, lambda x, y: -x * y)]


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.name)
def test_rewrite_rules_are_equations_of_polynomials(rule):
    found = instances_of(rule)
    assert found
    for equation in found:
        assert exact(equation.left) == exact(equation.right)
        if rule.soundness is Soundness.FORMAL:
            assert exact(R(equation.left)) == exact(R(equation.right))


def test_draws_and_loops_have_images():
    def walk(key, x):
        steps, _ = scan(lambda c, row, s: (c * s + row, c), x[0], x, shared=(x[1],))
        return steps * ops.uniform(key, (), "float64")

    f = trace(walk, Ty((Key(),)), real(3))
    assert exact(R(f)) == formal_reverse(f)
