"""The reverse derivative: every structural map by `==` in Smooth and in Z2, and its derivatives against differences."""

import numpy as np
import pytest
from numerics import differences, evaluate, generators, reals

from lensgrad.cat.reverse import R, grad, hvp, jvp, reverse, vjp
from lensgrad.core.diagram import Diagram, Recompute
from lensgrad.core.errors import NoRule, TypeMismatch
from lensgrad.core.op import Op, generator
from lensgrad.core.trace import trace
from lensgrad.core.ty import I, Ty
from lensgrad.learn.calculus import jacobian
from lensgrad.theories.poly.circuit import Bits, gather
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Int, Real

A = {"Smooth": Real(3, dtype="float64"), "Z2": Bits(3)}
B = {"Smooth": Real(2, dtype="float64"), "Z2": Bits(2)}
both = pytest.mark.parametrize("theory", ["Smooth", "Z2"])


def pieces(theory):
    """f : A → B and g : B → A, neither linear, with something to keep from the way forward."""
    a, b = A[theory], B[theory]
    f = trace(lambda x: (x * x)[:2], a)
    if theory == "Z2":
        return f, trace(lambda y: gather(y, [0, 1, 0]) * gather(y, [1, 1, 0]) + 1, b)
    return f, trace(lambda y: ops.tanh(ops.concatenate([y, y[:1]])) * 2.0, b)


@both
def test_identity(theory):
    a = A[theory]
    assert R(Diagram.id(a)) == Diagram.wiring(a @ a, [1])


@both
def test_composition(theory):
    f, g = pieces(theory)
    rf, rg = R(f), R(g)
    assert R(f >> g) == trace(lambda a, c: rf(a, rg(f(a), c)), A[theory], A[theory])


@both
def test_tensor(theory):
    f, g = pieces(theory)
    rf, rg = R(f), R(g)
    assert R(f @ g) == trace(lambda x, y, df, dg: (rf(x, df), rg(y, dg)), f.dom, g.dom, f.cod, g.cod)


def closed(f):
    """f as one generator, so that one cotangent comes out of it and sums are not regrouped."""
    return Diagram.of(Recompute(f), f.dom)


@both
def test_pairing(theory):
    f, g = closed(pieces(theory)[0]), closed(trace(lambda x: x * x * x, A[theory]))
    rf, rg = R(f), R(g)
    # The sweep runs backwards, so the later of the two arrives first.
    formula = trace(lambda x, df, dg: rg(x, dg) + rf(x, df), A[theory], f.cod, g.cod)
    assert R(Diagram.copy(A[theory]) >> f @ g) == formula


@both
def test_projections(theory):
    a, b = A[theory], B[theory]
    assert R(Diagram.wiring(a @ b, [0])) == trace(lambda x, y, d: (d, b[0].zero()), a, b, a)
    assert R(Diagram.wiring(a @ b, [1])) == trace(lambda x, y, d: (a[0].zero(), d), a, b, b)


@both
def test_symmetry(theory):
    a, b = A[theory], B[theory]
    assert R(Diagram.swap(a, b)) == Diagram.wiring(a @ b @ b @ a, [3, 2])


@both
def test_copy_becomes_addition(theory):
    a = A[theory]
    assert R(Diagram.copy(a)) == trace(lambda x, d, e: d + e, a, a, a)
    assert R(Diagram.copy(a, 4)) == trace(lambda x, d, e, f, g: d + e + f + g, a, a, a, a, a)


@both
def test_discard_becomes_zero(theory):
    a = A[theory]
    assert R(Diagram.discard(a)) == trace(lambda x: a[0].zero(), a)


@both
def test_addition_becomes_copy(theory):
    a = A[theory]
    assert R(trace(lambda x, y: x + y, a, a)) == Diagram.wiring(a @ a @ a, [2, 2])


@both
def test_a_constant_becomes_nothing(theory):
    a = A[theory]
    for point in (a[0].zero(), a[0].infix("add", a[0].zero(), 1)):
        assert R(trace(lambda point=point: point)) == Diagram.discard(a)


@both
def test_sum_of_maps(theory):
    f, g = closed(pieces(theory)[0]), trace(lambda x: x[1:], A[theory])
    rf, rg = R(f), R(g)
    summed = trace(lambda x: f(x) + g(x), A[theory])
    assert R(summed) == trace(lambda x, d: rg(x, d) + rf(x, d), A[theory], f.cod)


@both
def test_multiplication(theory):
    a = A[theory]
    assert R(trace(lambda x, y: x * y, a, a)) == trace(lambda x, y, d: (d * y, d * x), a, a, a)


def test_scalar_multiplication_and_negation():
    a = A["Smooth"]
    assert R(trace(lambda x: x * 2.5, a)) == trace(lambda x, d: d * 2.5, a, a)
    assert R(trace(lambda x: -x, a)) == trace(lambda x, d: -d, a, a)
    assert R(trace(lambda x, y: x - y, a, a)) == trace(lambda x, y, d: (d, -d), a, a, a)


def test_over_bits_a_square_has_derivative_zero_twice_over():
    x = Bits(1)
    square = R(trace(lambda x: x * x, x))
    assert square == trace(lambda x, d: d * x + d * x, x, x)
    assert [evaluate(square, [b], [1]).item() for b in (0, 1)] == [0, 0]


def test_the_worked_example():
    """f(x₁, x₂) = (x₁³ + 2x₁x₂, x₂, sin x₁) (arXiv 2103.01931, the example of a reverse derivative)."""
    number = Real(dtype="float64")
    back = R(trace(lambda x, y: (x**3 + x * y * 2.0, y, ops.sin(x)), number, number))
    for x, y, a, b, c in np.random.default_rng(0).standard_normal((50, 5)):
        expected = (3 * x**2 + 2 * y) * a + np.cos(x) * c, 2 * x * a + b
        np.testing.assert_allclose(evaluate(back, x, y, a, b, c), expected, rtol=1e-12, atol=1e-12)


# -- derivatives of a map with two inputs and two outputs, against differences --------------------------------------------

W, X = Real(2, 3, dtype="float64"), Real(3, dtype="float64")


def scaled(x, factor):
    return x * ops.spread(factor, x.atom.shape)


def net(w, x):
    h = ops.tanh(w @ x)
    return scaled(h, h[0]) + ops.sin(h), scaled(x, ops.sum_over(ops.exp(w) * 0.5))


NET, POINT = trace(net, W, X), reals(1, (2, 3), (3,))
COTANGENT, TANGENT = reals(2, (2,), (3,)), reals(3, (2, 3), (3,))


def partials(output):
    return [differences(lambda *p: evaluate(NET, *p)[output], POINT, i) for i in (0, 1)]


def test_vjp_agrees_with_differences():
    back = evaluate(vjp(NET), *POINT, *COTANGENT)
    for i in (0, 1):
        expected = sum(np.tensordot(c, partials(o)[i], c.ndim) for o, c in enumerate(COTANGENT))
        np.testing.assert_allclose(back[i], expected, rtol=1e-8, atol=1e-8)


def test_jvp_agrees_with_differences():
    forward = evaluate(jvp(NET), *POINT, *TANGENT)
    for o in (0, 1):
        expected = sum(np.tensordot(d, t, t.ndim) for d, t in zip(partials(o), TANGENT, strict=True))
        np.testing.assert_allclose(forward[o], expected, rtol=1e-8, atol=1e-8)


def test_jvp_and_vjp_are_adjoint():
    forward, back = evaluate(jvp(NET), *POINT, *TANGENT), evaluate(vjp(NET), *POINT, *COTANGENT)
    left = sum(np.vdot(c, f) for c, f in zip(COTANGENT, forward, strict=True))
    assert left == pytest.approx(sum(np.vdot(b, t) for b, t in zip(back, TANGENT, strict=True)), rel=1e-13)


SCALAR = NET >> trace(lambda a, b: ops.sum_over(a * a) * ops.sum_over(b), Real(2, dtype="float64"), X)


def test_grad_agrees_with_differences():
    found = evaluate(grad(SCALAR), *POINT)
    for i in (0, 1):
        np.testing.assert_allclose(found[i], differences(lambda *p: evaluate(SCALAR, *p), POINT, i), rtol=1e-7, atol=1e-8)


def test_grad_of_several_scalars_is_that_of_their_sum():
    number = Real(dtype="float64")
    pair = trace(lambda x: (ops.sin(x), x * x), number)
    total_of = trace(lambda x: ops.sin(x) + x * x, number)
    assert evaluate(grad(pair), 0.3) == pytest.approx(evaluate(grad(total_of), 0.3), rel=1e-15)


def test_hvp_agrees_with_differences_of_the_gradient_and_is_symmetric():
    gradient, product = grad(SCALAR), hvp(SCALAR)
    found = evaluate(product, *POINT, *TANGENT)
    for o in (0, 1):
        parts = [differences(lambda *p, o=o: evaluate(gradient, *p)[o], POINT, i) for i in (0, 1)]
        expected = sum(np.tensordot(d, t, t.ndim) for d, t in zip(parts, TANGENT, strict=True))
        np.testing.assert_allclose(found[o], expected, rtol=1e-6, atol=1e-6)
    other = reals(4, (2, 3), (3,))
    pairing = sum(np.vdot(u, h) for u, h in zip(other, found, strict=True))
    mirrored = sum(np.vdot(t, h) for t, h in zip(TANGENT, evaluate(product, *POINT, *other), strict=True))
    assert pairing == pytest.approx(mirrored, rel=1e-12)


def test_jacobian_agrees_with_differences():
    f = trace(lambda x: ops.stack([scaled(x, x[0]), ops.sin(x)]), X)
    np.testing.assert_allclose(evaluate(jacobian(f), POINT[1]), differences(lambda x: evaluate(f, x), [POINT[1]], 0), rtol=1e-8, atol=1e-9)
    assert jacobian(f).cod == Real(2, 3, 3, dtype="float64")


def test_jvp_passes_integers_by():
    rows = trace(lambda x, i: ops.take(x, i) * 2.0, X, Int(2))
    forward = jvp(rows)
    assert (forward.dom, forward.cod) == (X @ Int(2) @ X, Real(2, dtype="float64"))
    np.testing.assert_array_equal(evaluate(forward, [1, 2, 3], [2, 0], [10, 20, 30]), [60, 20])


# -- what is and is not computed ---------------------------------------------------------------------------------------


def test_integers_and_keys_receive_nothing():
    rows = trace(lambda x, i: ops.take(x, i), X, Int(2))
    assert R(rows).cod == X
    assert R(Diagram.id(Int(2))) == Diagram.discard(Int(2))


def test_a_chosen_reverse_computes_its_inputs_only():
    f = trace(lambda w, x: w @ x, W, X)
    only_w = reverse(f, [True, False], [True])
    assert (only_w.dom, only_w.cod) == (W @ X @ Real(2, dtype="float64"), W)
    assert generators(only_w) == ["Einsum"] and len(generators(R(f))) == 2


def test_unseeded_outputs_count_as_zero():
    f = trace(lambda x: (x * x, ops.sin(x)), X)
    assert reverse(f, [True], [True, False]) == R(trace(lambda x: x * x, X))
    assert reverse(f, [True], [False, False]) == trace(lambda x: X[0].zero(), X)


def test_forward_nodes_are_shared_with_the_way_back():
    f = trace(lambda x: ops.exp(ops.tanh(x)), X)
    both_ways = trace(lambda x, d: (f(x), R(f)(x, d)), X, X)
    assert generators(both_ways).count("Tanh") == 1 and generators(both_ways).count("Exp") == 1


def test_definitions_are_transparent_to_the_reverse_derivative():
    f = trace(lambda x: ops.tanh(x) * x, X)
    assert R(f.define("layer")) == R(f)
    assert R(Diagram.copy(X) >> f.define("one") @ f.define("two")) == R(Diagram.copy(X) >> f @ f)


def test_recomputation_has_the_same_derivative_and_keeps_nothing():
    f = trace(lambda x: ops.sin(ops.tanh(x) * x), X)
    boxed = Diagram.of(Recompute(f), X)
    x, d, e = reals(5, (3,), (3,), (3,))
    np.testing.assert_array_equal(evaluate(R(boxed), x, d), evaluate(R(f), x, d))
    assert [str(n.op) for n in R(boxed).nodes] == [f"Recompute({len(R(f).nodes)} nodes)"]
    np.testing.assert_allclose(evaluate(R(R(boxed)), x, d, e), evaluate(R(R(f)), x, d, e), rtol=1e-14)


def test_a_chain_of_copies_of_depth_1000_is_reversed_without_recursion():
    x = Real(dtype="float64")
    f = trace(lambda v: v, x).then(*[trace(lambda v: v * 1.001 + 0.001, x)] * 1000)
    assert evaluate(R(f), 1.0, 1.0) == pytest.approx(1.001**1000, rel=1e-12)


# -- what is refused ---------------------------------------------------------------------------------------------------


@generator
class Opaque(Op):
    """ℝⁿ → ℝⁿ, without a reverse rule."""

    def type(self, *dom):
        return Ty(dom)


def test_a_generator_without_a_rule_is_named_with_its_place():
    f = trace(lambda x: Opaque()(x), X)
    rule = "give class Opaque a method `reverse` (or `adjoint` if it is linear), or keep weights out of its inputs"
    with pytest.raises(NoRule) as error:
        R(f)
    assert str(error.value) == f"Opaque has no reverse derivative, and a gradient has to pass through it: {rule}"
    with pytest.raises(NoRule) as error:
        R(f.define("inner").define("outer"))
    assert str(error.value) == f"Opaque in outer/inner has no reverse derivative, and a gradient has to pass through it: {rule}"


def test_a_generator_without_a_rule_may_stand_where_no_gradient_passes():
    f = trace(lambda x, y: x * Opaque()(y), X, X)
    assert reverse(f, [True, False], [True]) == trace(lambda x, y, d: d * Opaque()(y), X, X, X)


def test_a_gradient_is_of_scalars_of_floats():
    with pytest.raises(TypeMismatch) as error:
        grad(Diagram.id(X))
    assert str(error.value) == "a gradient starts from a scalar, and this is f64[3]: sum or average it first"
    for f in (Diagram.id(Int()), trace(lambda x: ops.argmax(x), X)):
        with pytest.raises(TypeMismatch) as error:
            grad(f)
        assert str(error.value) == "the gradient is of a scalar, and this arrow gives i32[]: sum or average it first"


def test_a_jacobian_is_of_one_array_in_one_array():
    with pytest.raises(TypeMismatch) as error:
        jacobian(NET)
    told = "the Jacobian needs an arrow with one array in, or with respect to inputs by number, got f64[2,3] × f64[3] → f64[2] × f64[3]"
    assert str(error.value) == told


def test_a_gradient_over_bits_is_that_of_the_sum():
    f = trace(lambda x: gather(x, [0, 1]) * gather(x, [1, 1]), Bits(2))
    # x₀ x₁ + x₁², whose formal derivatives are x₁ and x₀ + 2 x₁.
    assert [evaluate(grad(f), x).tolist() for x in ([0, 0], [1, 0], [0, 1], [1, 1])] == [[0, 0], [0, 1], [1, 0], [1, 1]]


def test_the_reverse_of_an_arrow_from_the_unit():
    point = trace(lambda: X[0].zero())
    assert R(point) == Diagram.discard(X) and R(Diagram.id(I)) == Diagram.id(I)
