"""Mixed precision: products in half precision, all else in float32; and the loss scale that float16 needs."""

from itertools import pairwise

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.core.errors import BadValue, TypeMismatch
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
        lg.supervised(model(), lg.mse, lg.descent, precision="float8")
    assert str(error.value) == "'float8' is no precision to mix with float32; use bfloat16, float16"


# -- loss scaling ------------------------------------------------------------------------------------------------------

BATCH = X[:8, :3], X[:8, 3:5]


def half(x):
    with np.errstate(over="ignore"):
        return np.asarray(x, np.float16).astype(np.float32)


def twin(w, b, steps, scale, every, rate=0.25, decay=0.5):
    """Momentum on half squared errors of x ↦ w x + b with products in float16, and the rule of the scale, by hand."""
    (x, y), vw, vb, good = BATCH, np.zeros_like(w), np.zeros_like(b), 0
    for _ in range(steps):
        out = half(half(x) @ half(w).T) + b
        back = (out - y) * np.float32(scale / len(x))
        with np.errstate(invalid="ignore"):
            gw, gb = half(half(back).T @ half(x)), back.sum(0)
        if np.isfinite(gw).all() and np.isfinite(gb).all():
            vw, vb = decay * vw + gw / np.float32(scale), decay * vb + gb / np.float32(scale)
            w, b, good = w - rate * vw, b - rate * vb, good + 1
            scale, good = (min(2 * scale, 2.0**24), 0) if good == every else (scale, good)
        else:
            scale, good = min(scale, max(scale / 2, 1.0)), 0
        yield {"weight": w, "bias": b, "weight.velocity": vw, "bias.velocity": vb, "loss_scale": scale, "loss_scale.steps": good}


def linear(**more):
    how = {"precision": "float16", "loss_scale": lg.loss_scale(2.0**20, every=3), **more}
    return lg.supervised(lg.dense(3, 2), lg.half_squared_error, lg.sgd(0.25, momentum=0.5), **how)


@pytest.mark.parametrize("backend", ["numpy", "jax"])
def test_every_step_is_that_of_the_rule_written_by_hand(backend):
    made = linear()
    values = made.initial(0, {"weight": np.full((2, 3), 0.1), "bias": [0.5, -0.5]})
    scales = []
    for expected in twin(values["weight"], values["bias"], 30, 2.0**20, 3):
        with np.errstate(over="ignore", invalid="ignore"):
            found = made.step(8, backend)({**values, "x": BATCH[0], "y": BATCH[1]})
        before, values = values, {**values, **{n: np.asarray(found[n]) for n in expected}}
        for name in expected:
            np.testing.assert_allclose(values[name], expected[name], rtol=2e-3, atol=1e-5, err_msg=name)
        assert (values["loss_scale"], values["loss_scale.steps"]) == (expected["loss_scale"], expected["loss_scale.steps"])
        if values["loss_scale"] < before["loss_scale"]:  # the step is skipped, states and all, to the bit
            assert all(np.array_equal(values[n], before[n]) for n in expected if "scale" not in n)
        scales.append(float(values["loss_scale"]))
    ups = sum(b > a for a, b in pairwise(scales))
    assert min(scales) < 2.0**20 and ups >= 2  # it halved until it fitted, and tried more again


@pytest.mark.parametrize("backend", ["numpy", "jax"])
def test_gradients_that_underflow_without_a_scale_are_learned_with_it(backend):
    y = (X @ np.array([1.0, -2.0, 3.0, 0.5, -1.0, 2.0])).astype("float32")[:, None]
    small, how = 1e-8, {"epochs": 40, "batch_size": 64, "start": {"weight": np.zeros((1, 6))}, "progress": False, "backend": backend}
    without = lg.supervised(mixed_precision(lg.linear(6, 1), "float16"), lg.mse, lg.sgd(0.2 / small), rate=small).fit((X, y), **how)
    scaled = lg.supervised(lg.linear(6, 1), lg.mse, lg.sgd(0.2 / small), rate=small, precision="float16").fit((X, y), **how)
    assert not without.values["weight"].any()  # every gradient was rounded to 0
    assert scaled.history[-1]["loss"] < 1e-4 * scaled.history[0]["loss"]


@pytest.mark.parametrize("backend", ["numpy", "jax"])
def test_a_scaled_run_survives_saving_and_goes_on_to_the_bit(backend, tmp_path):
    made = lg.supervised(model(), lg.cross_entropy, lg.adam(0.02), precision="float16", loss_scale=lg.loss_scale(2.0**24, every=4))
    how = {"batch_size": 16, "seed": 3, "progress": False, "backend": backend}
    whole = made.fit((X, Y), epochs=4, **how)
    made.fit((X, Y), epochs=2, **how).save(tmp_path / "half.safetensors")
    loaded = lg.load(tmp_path / "half.safetensors")
    later = loaded.fit((X, Y), epochs=2, **how)
    assert loaded.learner.lens(4) == made.lens(4) and whole.values["loss_scale"] < 2.0**24
    assert all(np.array_equal(v, later.values[n]) for n, v in whole.values.items())
    assert {v.dtype for n, v in whole.values.items() if n in whole.learner.model.names and n != "key"} == {np.dtype("float32")}


def test_accumulating_gradients_meets_the_same_scale():
    start = {"weight": np.full((2, 3), 0.1), "bias": [0.5, -0.5]}
    made = linear(loss_scale=lg.loss_scale(2.0**8, every=6))
    runs = [made.fit(BATCH, epochs=20, batch_size=8, shuffle=False, start=start, progress=False, accumulate=k) for k in (1, 2)]
    for name, value in runs[0].values.items():
        np.testing.assert_allclose(runs[1].values[name], value, rtol=5e-3, atol=5e-4, err_msg=name)


def test_what_does_not_learn_does_not_decide_whether_a_step_is_good():
    made = lg.supervised(
        lg.dense(3, 4, name="a") >> lg.dense(4, 2, name="b"), lg.half_squared_error, {"b/*": lg.momentum(0.5)}, 0.1, precision="float16"
    )
    program = made.step(8)
    assert [p.name for p in program.outputs if p.role.value != "data"] == [
        "loss_scale", "loss_scale.steps", "b/weight.velocity", "b/weight", "b/bias.velocity", "b/bias"
    ]  # fmt: skip
    assert not [n for n in program.diagram.nodes if str(n.cod) == "f16[4,3]" and n.op.name == "Einsum"]


def test_overflow_that_no_scale_mends_stops_the_run_and_says_where():
    made = lg.supervised(lg.linear(3, 2), lg.half_squared_error, lg.sgd(0.1), precision="float16", loss_scale=1.0)
    with pytest.raises(BadValue) as error:
        made.fit((BATCH[0] * 1e3, BATCH[1] * 1e5), epochs=3, batch_size=8, progress=False, start={"weight": np.zeros((2, 3))})
    assert str(error.value) == (
        "'weight' is not finite after step 1 of epoch 1: Einsum : f16[2,3] gave an infinite number from finite numbers; "
        "use a smaller learning rate, or scale the data; lg.why(learner, error.values, error.batch, 'weight') says more"
    )


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (
            lambda: lg.supervised(model(), lg.cross_entropy, {}, loss_scale=8.0),
            "a loss scale looks at what comes back to the weights that learn, and this optimizer moves none: give it a weight, "
            "or leave loss_scale out",
        ),
        (lambda: lg.loss_scale(0), "the start of a loss scale must be a positive number, got 0"),
        (lambda: lg.loss_scale(2.0**25), "the start of a loss scale must be a number ≤ 1.67772e+07, got 33554432.0"),
        (lambda: lg.loss_scale(every=0), "the number of good steps after which a loss scale doubles must be a whole number ≥ 1, got 0"),
    ],
)
def test_rules_that_make_no_sense_are_refused(call, told):
    with pytest.raises(BadValue) as error:
        call()
    assert str(error.value) == told


def test_a_loss_over_bits_has_no_scale():
    with pytest.raises(TypeMismatch) as error:
        lg.supervised(lg.lookup(2), lg.xor, lg.ascent, lg.echo, loss_scale=2.0)
    assert str(error.value) == "a loss scale is for a loss that is one float, and this loss is Z2[1]"


def test_the_name_of_the_state_is_taken_by_nobody_else():
    with pytest.raises(BadValue) as error:
        lg.supervised(lg.dense(3, 2), lambda y, metrics=(): lg.half_squared_error("loss_scale"), lg.descent, precision="float16")
    told = "'loss_scale' is the name of the state of the loss scale, and this learner has a parameter of that name: rename it"
    assert str(error.value) == told
