"""Mixed precision: products in bfloat16, all else in float32."""

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.core.errors import BadValue
from lensgrad.core.functor import unfold
from lensgrad.learn.precision import mixed_precision

X = np.random.default_rng(0).standard_normal((64, 6)).astype("float32")
Y = (X[:, 0] * X[:, 1] > 0).astype("int32")


def model():
    return lg.sequential(lg.input(6), lg.dense(16, activation="tanh"), lg.batch_norm(), lg.dropout(0.1), lg.dense(2))


def rounded(x):
    """To the nearest bfloat16, ties to even: the upper 16 bits."""
    bits = np.asarray(x, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32)


def test_products_are_of_rounded_factors_and_rounded_themselves():
    made = lg.supervised(lg.dense(6, 2), lg.mse, lg.descent, precision="bfloat16")
    run = made.fit((X, X[:, :2]), epochs=0, start={"bias": [0.1, 0.2]}, progress=False)
    w, b = run.values["weight"], run.values["bias"]
    products = rounded(rounded(X) @ rounded(w).T)
    np.testing.assert_array_equal(run.predict(X), products + b)
    assert (run.predict(X) != X @ w.T + b).any()


def test_types_names_and_roles_are_those_of_the_model():
    plain, mixed = model(), mixed_precision(model())
    assert (mixed.dom, mixed.cod, mixed.params, mixed.observables) == (plain.dom, plain.cod, plain.params, plain.observables)
    assert mixed != plain


def test_only_products_are_lowered_on_both_ways():
    made = lg.supervised(model(), lg.cross_entropy, lg.adam(0.01), precision="bfloat16")
    for f in (unfold(mixed_precision(model()).arrow), made.step(8).diagram):
        types = {(n.op.name, getattr(n.cod[0], "dtype", "key")) for n in f.nodes}
        assert ("Einsum", "bfloat16") in types and ("Einsum", "float32") not in types
        assert {name for name, dtype in types if dtype == "bfloat16"} <= {"Einsum", "Cast", "Transpose", "Reshape"}


def test_weights_moments_and_states_stay_float32_and_it_learns():
    runs = [
        lg.supervised(model(), lg.cross_entropy, lg.adam(0.02), metrics=["accuracy"], precision=precision).fit(
            (X, Y), epochs=40, batch_size=16, progress=False
        )
        for precision in (None, "bfloat16")
    ]
    assert {v.dtype for n, v in runs[1].values.items()} == {v.dtype for n, v in runs[0].values.items()}
    losses = [r.evaluate((X, Y)) for r in runs]
    assert losses[1]["accuracy"] >= 0.9 and losses[1]["loss"] == pytest.approx(losses[0]["loss"], abs=0.1)


def test_another_precision_is_refused():
    with pytest.raises(BadValue) as error:
        lg.supervised(model(), lg.mse, lg.descent, precision="float16")
    assert str(error.value) == "'float16' is no precision to mix with float32; use bfloat16"
