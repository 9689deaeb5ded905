"""JAX: a line for every generator, the same values as NumPy, the same random bits, and nothing global touched."""

import sys
from importlib import import_module

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.backends import numpy as numpy_backend
from lensgrad.backends.table import Hole
from lensgrad.cat.reverse import R
from lensgrad.core.diagram import Definition, Diagram, Recompute
from lensgrad.core.errors import MissingExtra, NoRule
from lensgrad.core.op import generator
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.testing.case import Facts
from lensgrad.testing.cases import cases_of, generators, named
from lensgrad.testing.meaning import dtypes
from lensgrad.testing.report import close
from lensgrad.theories.poly.circuit import Mul, Scatter, Table, Vector
from lensgrad.theories.poly.semiring import Semiring
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth import pointwise as p
from lensgrad.theories.smooth.array import Array, Key, Real
from lensgrad.theories.smooth.conv import Window
from lensgrad.theories.smooth.scan import scan

jax = pytest.importorskip("jax")
backend = import_module("lensgrad.backends.jax.table")

MEANT = [c for c in generators() if c is not Definition]
ROW = Real(3)
WIDE = Real(3, dtype="float64")


@pytest.mark.parametrize("cls", MEANT, ids=named)
def test_every_generator_has_a_line_or_a_declared_hole(cls):
    assert cls in backend.JAX


@pytest.mark.parametrize("cls", generators(), ids=named)
def test_float32_agrees_with_numpy(cls):
    """The first case of each generator that accepts float32; float64 is checked on all cases by `testing.check`."""
    for facts in map(Facts, cases_of(cls)[:1]):
        for _, f, xs in [d for d in dtypes(facts) if d[0] == "float32"]:
            close(str(f), numpy_backend.function(f)(*xs), backend.jitted(f)(*xs), 1e-5)


def test_random_bits_are_those_of_numpy():
    f = trace(lambda key: [ops.random_bits(key, s) for s in ((), (7,), (2, 3, 4))], Ty((Key((5,)),)))
    keys = np.random.default_rng(0).integers(0, 2**32, (5, 2), dtype=np.uint32)
    for a, b in zip(backend.function(f)(keys), numpy_backend.function(f)(keys), strict=True):
        assert np.asarray(a).dtype == np.uint32 and np.array_equal(a, b)


def test_threefry_gives_the_published_words():
    from lensgrad.backends.jax.kernels import threefry

    key, counter = jax.numpy.array([0x13198A2E, 0x03707344], "uint32"), jax.numpy.array([0x243F6A88, 0x85A308D3], "uint32")
    assert [int(w) for w in threefry(key, *counter)] == [0xC4923A9C, 0x483DF7A0]


def test_a_function_takes_one_argument_a_wire_and_returns_a_tuple():
    f = trace(lambda x, y: (x * y, x), ROW, ROW)
    for call in (backend.function(f), backend.jitted(f)):
        product, first = call([1, 2, 3], np.array([4.0, 5.0, 6.0]))
        assert np.array_equal(product, [4, 10, 18]) and np.array_equal(first, [1, 2, 3])
        assert product.dtype == first.dtype == jax.numpy.float32
        with pytest.raises(ValueError):
            call(np.zeros(3))


def test_sixty_four_bits_are_a_context_and_never_a_global_switch():
    f = trace(lambda x: ops.exp(x), WIDE)
    for call in (backend.function(f), backend.jitted(f)):
        (y,) = call(np.array([1.0, 2.0, 3.0]))
        assert y.dtype == jax.numpy.float64 and np.allclose(y, np.exp([1.0, 2.0, 3.0]), rtol=1e-15)
        assert not jax.config.jax_enable_x64
        assert jax.numpy.ones(1).dtype == jax.numpy.float32


def test_a_wide_number_deep_inside_a_body_is_kept_wide():
    body = trace(lambda x: ops.cast(ops.cast(x, "float64") + 1e-12, "float64") - ops.cast(x, "float64"), ROW)
    f = Diagram.of(Recompute(trace(lambda x: ops.cast(body(x) * 1e12, "float32"), ROW)), ROW)
    (y,) = backend.jitted(f)(np.ones(3, np.float32))
    assert np.allclose(y, 1.0, rtol=1e-3)


def test_bfloat16_is_native():
    f = trace(lambda x: x * x, Real(3, dtype="bfloat16"))
    (y,) = backend.jitted(f)(np.array([1.0, 1.01, 3.0]))
    assert y.dtype == jax.numpy.bfloat16
    assert np.array_equal(y.astype(np.float32), numpy_backend.function(f)(numpy_backend.kernels.bf16(np.array([1.0, 1.01, 3.0])))[0])


def test_float16_is_native():
    f = trace(lambda x: x * x, Real(4, dtype="float16"))
    x = np.array([1.0, 1.01, 1e-4, 300.0])
    (y,) = backend.jitted(f)(x)
    assert y.dtype == np.float16
    with np.errstate(over="ignore"):
        assert np.array_equal(y, numpy_backend.function(f)(x.astype(np.float16))[0])
    assert np.isinf(y[3])


def test_a_loop_is_one_loop_forward_and_back():
    def step(h, x, w):
        new = ops.tanh(w @ h + x)
        return new, new

    f = trace(lambda h, xs, w: scan(step, h, xs, w), Real(2), Real(50, 2), Real(2, 2))
    shapes = [jax.ShapeDtypeStruct(*backend.host(a)) for a in R(f).dom]
    text = str(jax.make_jaxpr(lambda *xs: backend.run(R(f), xs))(*shapes))
    assert text.count("scan[") == 2  # once to keep the carries, once back
    assert text.count("dot_general") == 4  # w @ h, once more, wᵀ @ dh, and one contraction for dw after the loop


def test_recomputing_is_kept_apart_by_a_barrier():
    body = trace(lambda x: ops.sin(ops.exp(x)), ROW)
    shapes = [jax.ShapeDtypeStruct((3,), "float32")] * 2
    f = Diagram.of(Recompute(body), ROW)
    g = R(trace(lambda x: ops.exp(f(x)), ROW))
    text = str(jax.make_jaxpr(lambda *xs: backend.run(g, xs))(*shapes))
    assert text.count("optimization_barrier") == 2
    one = np.ones(3, np.float32)
    assert np.allclose(backend.jitted(g)(one, one)[0], numpy_backend.function(g)(one, one)[0])


def test_jax_may_transform_the_function():
    """Its own gradient of a max-pool is that of R, and its own batching that of `batch`."""
    f = trace(lambda x: ops.sum_over(ops.max_pool(x, (2, 2)) * 3.0), Real(1, 4, 4, 2))
    x = np.random.default_rng(0).permutation(32).reshape(1, 4, 4, 2).astype(np.float32)
    call = backend.function(f)
    (wanted,) = numpy_backend.function(R(f))(x, np.float32(1))
    assert np.array_equal(jax.grad(lambda x: call(x)[0])(x), wanted)
    many = np.stack([x, -x])
    assert np.allclose(jax.vmap(call)(many)[0], [call(v)[0] for v in many])


def test_a_generator_without_a_line_is_an_error_and_a_hole_says_why():
    @generator
    class Unknown(p.Exp):
        """eˣ : A → A."""

    f = Diagram.of(Unknown(), ROW)
    with pytest.raises(NoRule) as missing:
        backend.function(f)(np.zeros(3))
    assert str(missing.value) == "Unknown has no meaning in the JAX backend"
    with pytest.raises(NoRule) as hole:
        backend.function(f, backend.JAX.extended({Unknown: Hole("no such instruction")}))(np.zeros(3))
    assert str(hole.value) == "Unknown has no meaning in the JAX backend: no such instruction"


@pytest.mark.parametrize("op, arity", [(Mul(), 2), (Scatter(Table([0, 0]), 1), 1)], ids=str)
def test_a_semiring_that_machine_words_do_not_carry_is_an_error(op, arity):
    tropical = Semiring("MIN/PLUS", 4, min, lambda a, b: min(a + b, 3), 3, 0)
    f = Diagram.of(op, Ty((Vector(tropical, 2),) * arity))
    with pytest.raises(NoRule) as error:
        backend.function(f)(*[np.zeros(2)] * arity)
    assert str(error.value) == "vectors over MIN/PLUS have no meaning in the JAX backend: use Z2 or OR/AND"


def test_without_jax_the_error_names_what_to_install(monkeypatch):
    monkeypatch.delitem(sys.modules, "lensgrad.backends.jax.table")
    monkeypatch.setitem(sys.modules, "jax", None)
    with pytest.raises(MissingExtra) as error:
        import_module("lensgrad.backends.jax.table")
    assert str(error.value) == "the JAX backend needs JAX, which is not installed: pip install 'lensgrad[jax]'"


def test_out_of_range_numbers_become_integers_as_in_numpy():
    x = np.array([-np.inf, -1e30, -1.5, -0.5, np.nan, 0.5, 255.5, 256.0, 2147483648.0, 4294967296.0, np.inf])
    for dtype in ("int32", "uint8", "uint32"):
        for source in ("float32", "float64"):
            f = trace(lambda x, to=dtype: ops.cast(x, to), Ty((Array(x.shape, source),)))
            given = x.astype(source)
            assert np.array_equal(backend.jitted(f)(given)[0], numpy_backend.function(f)(given)[0])


def test_training_gives_the_weights_that_numpy_gives():
    model = lg.sequential(lg.input(4), lg.dense(8), lg.tanh, lg.dense(3))
    learner = lg.supervised(model, loss=lg.cross_entropy, optimizer=lg.momentum(0.9), rate=0.02)
    runs = {b: learner.fit(lg.data.iris(), epochs=3, seed=1, progress=False, backend=b) for b in ("numpy", "jax")}
    for name, wanted in runs["numpy"].values.items():
        assert np.allclose(runs["jax"].values[name], wanted, rtol=1e-4, atol=1e-5)
    assert runs["jax"].history[-1]["loss"] == pytest.approx(runs["numpy"].history[-1]["loss"], rel=1e-4)


def test_circuits_train_on_bytes():
    f = trace(lambda x, y: (x * y + x, x[1]), lg.Bits(3), lg.Bits(3))
    x, y, v, w = (np.array(b, np.uint8) for b in ([0, 1, 1], [1, 0, 1], [1, 1, 0], [1]))
    for g, args in ((f, (x, y)), (R(f), (x, y, v, w))):
        for a, b in zip(backend.jitted(g)(*args), numpy_backend.function(g)(*args), strict=True):
            assert a.dtype == jax.numpy.uint8 and np.array_equal(a, b)


@pytest.mark.parametrize(("size", "stride", "dilation"), [((2, 2), (2, 2), (1, 1)), ((3, 2), (1, 2), (1, 1)), ((2, 2), (1, 1), (2, 3))])
@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_the_first_largest_of_a_window_is_the_same_by_slices_and_by_windows(size, stride, dilation, dtype):
    kernels = pytest.importorskip("lensgrad.backends.jax.kernels", reason="needs JAX")
    x = np.random.default_rng(0).integers(-2, 3, (3, 9, 8, 4)).astype(dtype)
    if dtype == "float32":
        x[0], x[1, 0] = np.nan, -np.inf
    window = Window(stride, dilation, ((0, 0), (0, 0)), 1)
    found = kernels.argmax_of_slices(window, size, x)
    np.testing.assert_array_equal(found, kernels.argmax_of_windows(window, size, x))
