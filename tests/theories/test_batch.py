"""Batching: one functor on whole arrows. That it is right is checked generator by generator in `testing.check`; here, how."""

import numpy as np
import pytest

from lensgrad.backends.kernels import fold_in
from lensgrad.backends.numpy import function
from lensgrad.cat.reverse import R
from lensgrad.core.diagram import Definition, Diagram, Recompute
from lensgrad.core.errors import NoRule
from lensgrad.core.op import Op, generator
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array, Int, Key, Real
from lensgrad.theories.smooth.batch import batch, batch_all
from lensgrad.theories.smooth.scan import Scan, scan

ROW = Real(3, dtype="float64")
KEY = Ty((Key(),))


def names(f):
    """The generators of an arrow, with those inside its bodies."""
    return [x for n in f.nodes for x in (n.op.name, *(names(n.op.body) if hasattr(n.op, "body") else ()))]


def test_an_output_that_no_example_reaches_is_not_batched():
    f, flags = batch(trace(lambda w, x: (w * 2.0, w * x), ROW, ROW), 4, [False, True])
    assert (str(f.cod), flags) == ("f64[3] × f64[4,3]", (False, True))
    assert str(batch_all(trace(lambda w, x: w * 2.0, ROW, ROW), 4, [False, True]).cod) == "f64[4,3]"


def test_a_batch_of_one_example_keeps_its_axis():
    f, flags = batch(trace(lambda x: x @ x, ROW), 1, [True])
    assert (str(f.dom), str(f.cod), flags) == ("f64[1,3]", "f64[1]", (True,))


def test_a_shared_matrix_is_not_repeated():
    f, _ = batch(trace(lambda w, x: w @ x, Real(2, 3), Real(3)), 5, [False, True])
    assert [str(n.op) for n in f.nodes] == ["Einsum(spec=ij,Zj->Zi)"]


def test_a_gather_has_a_rule_for_each_side_batched():
    f = trace(ops.take, Real(4, 2), Int(3))
    assert names(batch(f, 5, [False, True])[0]) == ["Take"]
    assert names(batch(f, 5, [True, False])[0]) == ["Transpose", "Take", "Transpose"]
    assert [str(n.op) for n in batch(f, 5, [True, True])[0].nodes] == ["Take(lead=1)"]


def test_a_scatter_with_shared_places_writes_all_examples_at_once():
    f = trace(lambda i, y: ops.scatter_add(4, i, y), Int(3), Real(3, 2))
    assert names(batch(f, 5, [False, True])[0]) == ["Transpose", "ScatterAdd", "Transpose"]


def test_a_convolution_folds_examples_into_its_images_and_kernels_into_groups():
    f = trace(lambda x, k: ops.convolve(x, k, padding=1), Real(1, 4, 4, 2), Real(3, 3, 2, 6))
    images, _ = batch(f, 5, [True, False])
    assert names(images) == ["Reshape", "Convolve", "Reshape"] and images.nodes[1].op.window.groups == 1
    kernels, _ = batch(f, 5, [True, True])
    (op,) = [n.op for n in kernels.nodes if n.op.name == "Convolve"]
    assert op.window.groups == 5


def test_boxes_stay_boxes():
    body = trace(lambda x: ops.exp(x) * 2.0, ROW)
    for make in (Recompute, lambda b: Definition("layer", b)):
        f, _ = batch(Diagram.of(make(body), ROW), 4, [True])
        (node,) = f.nodes
        assert type(node.op) is type(make(body)) and node.op.body == batch(body, 4, [True])[0]


def test_a_generator_without_a_rule_is_named():
    @generator
    class Odd(Op):
        """x : A → A."""

        def type(self, *dom):
            return Ty(dom)

    with pytest.raises(NoRule) as error:
        batch(Diagram.of(Odd(), ROW), 4, [True])
    assert str(error.value) == "Odd has no batching rule: give class Odd a method `batch`, or keep it out of the arrow"
    assert names(batch(Diagram.of(Odd(), ROW), 4, [False])[0]) == ["Odd"]  # nothing to batch, so no rule is needed


# -- keys ----------------------------------------------------------------------------------------------------------------


def key(*words):
    return np.array(words, np.uint32)


def test_a_draw_gives_each_example_its_own_bits_from_one_key():
    f = trace(lambda k: ops.random_bits(k, (2,)), KEY)
    (found,) = function(batch_all(f, 3, [False]))(key(1, 2))
    singles = [function(f)(fold_in(key(1, 2), np.int32(i)))[0] for i in range(3)]
    assert np.array_equal(found, singles) and len({tuple(r) for r in found.tolist()}) == 3


def test_key_arithmetic_stays_one_for_all_examples():
    f, flags = batch(trace(lambda k: ops.split(k, 2), KEY), 3, [False])
    assert flags == (False, False) and str(f.cod) == "key × key"


def test_keys_of_their_own_are_not_folded():
    f = trace(lambda k: ops.random_bits(k, (2,)), KEY)
    keys = np.arange(6, dtype=np.uint32).reshape(3, 2)
    (found,) = function(batch_all(f, 3, [True]))(keys)
    assert np.array_equal(found, [function(f)(k)[0] for k in keys])


def test_a_copied_key_means_equal_randomness_in_every_example():
    f = trace(lambda k: (ops.random_bits(k, (2,)), ops.random_bits(k, (2,))), KEY)
    first, second = function(batch_all(f, 3, [False]))(key(1, 2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("make", [lambda f: f, lambda f: f.define("noise"), lambda f: Diagram.of(Recompute(f), f.dom)])
def test_a_draw_inside_a_loop_and_a_box_differs_between_examples(make):
    """Even where no data is batched: the loop draws, so its results are batched."""
    noise = make(trace(lambda k: ops.uniform(k, (), "float64"), KEY))
    body = trace(lambda c, k: c + noise(k), Real(dtype="float64"), KEY)
    f = Diagram.of(Scan(body, 2, 1, 1), body.dom)
    g, flags = batch(f, 3, [False, False])
    assert flags == (True, True)
    total, _ = function(g)(np.float64(0), key(3, 4))
    singles = [function(f)(np.float64(0), fold_in(key(3, 4), np.int32(i)))[0] for i in range(3)]
    assert np.allclose(total, singles, rtol=1e-15) and len(set(total.tolist())) == 3


# -- loops ---------------------------------------------------------------------------------------------------------------


def test_a_carry_becomes_batched_when_a_step_makes_it_so():
    """b reads x at once, a reads b a step later: both must be batched though only x is."""
    scalar = Real(dtype="float64")

    def step(c, x, _):
        return (c[1], c[0] + x), c[0]

    f = trace(lambda a, b, xs: scan(step, (a, b), xs)[0], scalar, scalar, Real(3, dtype="float64"))
    g, flags = batch(f, 2, [False, False, True])
    xs = np.array([[1.0, 2.0, 4.0], [3.0, 5.0, 7.0]])
    assert flags == (True, True)
    singles = zip(*(function(f)(np.float64(1), np.float64(2), x) for x in xs), strict=True)
    for found, single in zip(function(g)(np.float64(1), np.float64(2), xs), singles, strict=True):
        assert np.array_equal(found, single)


def test_a_loop_that_no_example_reaches_is_not_batched():
    body = trace(lambda c, x: (c + x, c), Real(), Real())
    f, flags = batch(trace(lambda c, xs, y: (scan(body, c, xs)[0], y), Real(), Real(3), Real()), 4, [False, False, True])
    assert flags == (False, True)
    (node,) = f.nodes
    assert node.op.body == body


def test_the_cotangent_of_a_shared_matrix_is_one_contraction_after_the_loop():
    def step(h, x, w):
        new = ops.tanh(w @ h + x)
        return new, new

    back = R(trace(lambda h, xs, w: scan(step, h, xs, w), Real(2), Real(9, 2), Real(2, 2)))
    loops = [n.op for n in back.nodes if isinstance(n.op, Scan)]
    assert [s.carries for s in loops] == [1, 1]  # no carry that sums a matrix
    assert [str(n.op) for n in back.nodes if n.op.name == "Einsum"] == ["Einsum(spec=ti,tj->ij)"]


def test_the_reverse_of_a_loop_is_a_loop_the_other_way():
    f = trace(lambda c, xs: scan(lambda c, x, _: (ops.sin(c * x), c), c, xs)[0], Real(), Real(3))
    assert [n.op.backward for n in R(f).nodes if isinstance(n.op, Scan)] == [False, True]


def test_jacobian_rows_come_from_one_batched_reverse():
    from lensgrad.learn.calculus import jacobian

    f = trace(lambda x: ops.exp(x) * 2.0, Ty((Array((2,), "float64"),)))
    x = np.array([0.0, 1.0])
    assert np.allclose(function(jacobian(f))(x)[0], np.diag(2 * np.exp(x)), rtol=1e-15)


def test_a_shared_key_draws_differently_at_each_step_of_a_loop():
    key, rows = Ty((Key(),)), Real(4, dtype="float64")
    f = trace(lambda k, x: scan(lambda c, row, s: (c, row + ops.uniform(s, (), "float64")), x[0], x, shared=k)[1], key, rows)
    (drawn,) = function(f)(np.array([0, 7], np.uint32), np.zeros(4))
    assert len(set(drawn.tolist())) == 4
