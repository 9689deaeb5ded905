"""First values: moments, bounds, determinism, and different numbers for different layers."""

import math

import numpy as np
import pytest
from numerics import evaluate

from lensgrad.cat.names import Role
from lensgrad.cat.para import corner, parametric
from lensgrad.core.errors import BadValue
from lensgrad.core.ty import Ty
from lensgrad.learn import init
from lensgrad.learn.layers.basic import dense
from lensgrad.learn.layers.parts import weight
from lensgrad.learn.losses import mse
from lensgrad.learn.optimizers import descent, momentum
from lensgrad.learn.rates import rate
from lensgrad.learn.tasks import closed_lens, supervised_task
from lensgrad.program.values import initial, key
from lensgrad.theories.poly.circuit import Bits
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array, Key, Real

WIDE = Real(200, 300, dtype="float64")


def draw(start, ob=WIDE, seed=0):
    return evaluate(start(ob), key(seed))


def moments(x):
    """Mean, variance, skewness, kurtosis."""
    z = (x - x.mean()) / x.std()
    return x.mean(), x.var(), (z**3).mean(), (z**4).mean()


def test_normal_has_the_moments_of_a_normal_distribution():
    mean, variance, skew, kurtosis = moments(draw(init.normal(0.5)))
    assert (mean, variance, skew, kurtosis) == pytest.approx((0.0, 0.25, 0.0, 3.0), abs=0.05)
    assert abs(mean) < 4 * 0.5 / math.sqrt(60000) and abs(variance / 0.25 - 1) < 4 * math.sqrt(2 / 60000)


def test_uniform_has_its_bounds_and_moments():
    x = draw(init.uniform(0.3))
    mean, variance, skew, kurtosis = moments(x)
    assert -0.3 <= x.min() < -0.2999 and 0.2999 < x.max() < 0.3
    assert (mean, variance, skew, kurtosis) == pytest.approx((0.0, 0.03, 0.0, 1.8), abs=0.03)


def test_glorot_is_uniform_within_its_limit():
    limit, x = math.sqrt(6 / 500), draw(init.glorot)
    assert -limit <= x.min() < -0.999 * limit and 0.999 * limit < x.max() < limit
    assert x.var() == pytest.approx(2 / 500, rel=0.02)


def test_he_has_the_variance_that_a_relu_halves():
    assert draw(init.he).var() == pytest.approx(2 / 300, rel=0.02)


@pytest.mark.parametrize(
    ("shape", "fans"), [((), (1, 1)), ((7,), (7, 7)), ((3, 5), (5, 3)), ((3, 3, 8, 16), (72, 144)), ((5, 2, 4), (10, 20))], ids=str
)
def test_fans_count_inputs_and_outputs(shape, fans):
    assert init.fans(Array(shape)) == fans


def test_zeros_are_zero_in_any_theory():
    assert draw(init.zeros, Real(3)).tolist() == [0, 0, 0] and draw(init.zeros, Bits(2)).tolist() == [0, 0]


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "float16"])
def test_the_dtype_is_that_of_the_weight(dtype):
    assert init.normal()(Real(4, dtype=dtype)).cod == Real(4, dtype=dtype)


def test_the_same_key_gives_the_same_numbers_and_another_key_others():
    np.testing.assert_array_equal(draw(init.glorot, seed=5), draw(init.glorot, seed=5))
    assert abs(np.corrcoef(draw(init.glorot, seed=5).ravel(), draw(init.glorot, seed=6).ravel())[0, 1]) < 0.02


def test_keys_come_from_seeds_of_64_bits():
    assert key(2**32 + 5).tolist() == [1, 5] and key(0).dtype == np.uint32
    for seed in (-1, 2**64, 1.0, True, None):
        with pytest.raises(BadValue) as error:
            key(seed)
        assert str(error.value) == f"a seed must be a whole number from 0 to 2^64 - 1, got {seed!r}"


TWINS = dense(50, 50, name="one") >> dense(50, 50, name="two")


def closed(model, optimizer=descent):
    return closed_lens(supervised_task(model, mse("y")), rate(0.1), optimizer, None)


def test_layers_of_equal_shape_start_differently():
    values = initial(TWINS.params)
    assert abs(np.corrcoef(values["one/weight"].ravel(), values["two/weight"].ravel())[0, 1]) < 0.1
    assert not values["one/bias"].any() and not values["two/bias"].any()


def test_unnamed_layers_of_equal_shape_start_differently():
    values = initial((dense(50, 50) >> dense(50, 50)).params)
    assert abs(np.corrcoef(values["weight.0"].ravel(), values["weight.1"].ravel())[0, 1]) < 0.1


def test_first_values_repeat_from_a_seed_and_differ_between_seeds():
    one, same, other = initial(TWINS.params, 1), initial(TWINS.params, 1), initial(TWINS.params, 2)
    assert list(one) == ["one/weight", "one/bias", "two/weight", "two/bias"]
    for name in one:
        np.testing.assert_array_equal(one[name], same[name])
    assert (one["one/weight"] != other["one/weight"]).any()


def test_first_weights_do_not_depend_on_the_optimizer_or_the_task():
    plain, moved = initial(TWINS.params), initial(closed(TWINS, momentum(0.9)).params)
    for name, value in plain.items():
        np.testing.assert_array_equal(moved[name], value)
    assert not moved["one/weight.velocity"].any() and "x" not in moved and "y" not in moved


def test_a_key_port_starts_with_a_key_of_its_own():
    keys = initial((corner(Ty((Key(),)), "a", Role.KEY) @ corner(Ty((Key(),)), "b", Role.KEY)).params)
    assert keys["a"].dtype == np.uint32 and keys["a"].tolist() != keys["b"].tolist()


def test_a_weight_without_initializer_must_be_given():
    with pytest.raises(BadValue) as error:
        initial(parametric([("w", Real(2))], Real(2), lambda w, x: w + x).params)
    assert str(error.value) == "'w' has no initializer, so its first value must be given"


def test_an_initializer_is_any_arrow_from_a_key():
    ones = init.drawn(lambda key, a: a.zero() + 1.0)
    assert initial([weight("w", Real(3), ones)])["w"].tolist() == [1, 1, 1]


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_draws_in_half_precision_stay_below_one_and_finite(dtype):
    wide = Real(20000, dtype=dtype)
    unit = draw(init.drawn(lambda key, a: ops.uniform(key, a.shape, a.dtype)), wide)
    normal = draw(init.drawn(lambda key, a: ops.normal(key, a.shape, a.dtype)), wide)
    assert unit.min() >= 0 and unit.max() < 1 and abs(unit.mean() - 0.5) < 0.01
    assert np.isfinite(normal).all() and abs(normal.std() - 1) < 0.02
