"""Any wire by name, forward and back, and a step one box at a time."""

import sys

import numpy as np
import pytest
from numerics import evaluate, reals
from refusals import told

import lensgrad as lg
from lensgrad import ops
from lensgrad.cat.reverse import grad
from lensgrad.core.errors import BadValue, OutOfRange, UnknownParameter
from lensgrad.core.trace import trace
from lensgrad.lens import parametric
from lensgrad.theories.smooth.scan import scan
from lensgrad.train.step_through import after, asked
from lensgrad.train.wires import wires_of

X, Y = (v.astype("float32") for v in reals(0, (6, 4), (6, 2)))
MODEL = lg.sequential(lg.input(4), lg.dense(3, activation="tanh", name="hidden"), lg.dense(2, name="out"))
LEARNER = lg.supervised(MODEL, lg.mse, lg.adam(0.1))
RUN = LEARNER.fit((X, Y), epochs=2, batch_size=3, progress=False)


def test_every_wire_forward_is_what_numpy_computes():
    w, v = RUN.wires((X, Y)), RUN.values
    hidden = np.tanh(X @ v["hidden/weight"].T + v["hidden/bias"])
    np.testing.assert_allclose(w["hidden/out"], hidden, rtol=1e-6)
    np.testing.assert_array_equal(w["out/in"], w["hidden/out"])
    np.testing.assert_allclose(w["out/out"], hidden @ v["out/weight"].T + v["out/bias"], rtol=1e-6)
    np.testing.assert_array_equal(w["x"], X)
    np.testing.assert_allclose(w["objective"], w["loss"].mean(), rtol=1e-6)
    assert w["loss"].shape == (6,)


def test_every_cotangent_is_a_gradient():
    w, v = RUN.wires((X, Y)), RUN.values
    d = 2 * (w["out/out"] - Y) / Y.size
    np.testing.assert_allclose(w.cotangent["out/out"], d, rtol=1e-5)
    np.testing.assert_allclose(w.cotangent["out/weight"], d.T @ w["hidden/out"], rtol=1e-5)
    np.testing.assert_allclose(w.cotangent["hidden/out"], d @ v["out/weight"], rtol=1e-5)
    np.testing.assert_allclose(w.cotangent["x"], (d @ v["out/weight"] * (1 - w["hidden/out"] ** 2)) @ v["hidden/weight"], rtol=1e-4)


def test_a_wire_with_two_readers_gets_the_sum():
    made = lg.supervised(lg.sequential(lg.input(3), lambda x: x * ops.sin(x)), lg.mse, {})
    x, y = (v.astype("float32") for v in reals(1, (1, 3), (1, 3)))
    found = wires_of(made, {}, (x, y)).cotangent["x"]
    inner = trace(lambda x, y: ops.mean((x * ops.sin(x) - y) * (x * ops.sin(x) - y)), lg.Real(3), lg.Real(3))
    np.testing.assert_allclose(found[0], evaluate(grad(inner), x[0], y[0])[0], rtol=1e-5)


@pytest.mark.parametrize("backward", [False, True])
def test_the_wires_of_a_loop_are_stacked_by_step(backward):
    model = lg.sequential(lg.input(5, 4), lg.lstm(3, backward=backward, name="memory"), lg.flatten(), lg.dense(2, name="out"))
    made = lg.supervised(model, lg.mse, {})
    x, y = (v.astype("float32") for v in reals(2, (6, 5, 4), (6, 2)))
    w = wires_of(made, made.initial(0), (x, y))
    carry, gates = w["memory/loop/carry.0"], w["memory/loop/add.0"]
    assert carry.shape == (5, 6, 3) and gates.shape == (5, 6, 12)
    np.testing.assert_allclose(w["memory/loop/tanh.0"], np.tanh(gates[..., 6:9]), rtol=1e-6)
    before = carry[::-1] if backward else carry  # what each step gives is what the next one begins with
    given = np.swapaxes(w["memory/out"], 0, 1)
    np.testing.assert_array_equal(before[1:], (given[::-1] if backward else given)[:-1])
    d = w.cotangent["memory/loop/add.0"]
    np.testing.assert_allclose(np.einsum("tbi,tbj->ij", d, carry), w.cotangent["memory/state/weight"], rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(d.sum((0, 1)), w.cotangent["memory/bias"], rtol=1e-4, atol=1e-7)
    assert len([*w]) == len(w) and "memory/loop/einsum" in [*w] and "memory/loop/einsum" in w.cotangent


def test_two_loops_of_one_layer_are_numbered():
    def both(x):
        first, _ = scan(lambda c, row, _: (ops.tanh(c + row), c), lg.Real(4)[0].zero(), x)
        last, _ = scan(lambda c, row, _: (ops.tanh(c + row), c), first, x, backward=True)
        return last

    made = lg.supervised(lg.sequential(lg.input(5, 4), lg.layer("own", lambda dom: parametric([], dom, both), name="own")), lg.mse, {})
    x, y = (v.astype("float32") for v in reals(2, (6, 5, 4), (6, 4)))
    w = wires_of(made, {}, (x, y))
    np.testing.assert_array_equal(w["own/loop.0/carry"][1], np.tanh(x[:, 0]))
    np.testing.assert_array_equal(w["own/loop.1/tanh"][0], w["own/out"])


def test_nothing_is_computed_before_it_is_read_and_nothing_twice(monkeypatch):
    from lensgrad.program import taps

    met, real = [], taps.Numbers.run
    monkeypatch.setattr(taps.Numbers, "run", lambda self, node, number: (met.append(number), real(self, node, number))[1])
    w = RUN.wires((X, Y))
    assert len(w) > 10 and "hidden/out" in w and not met
    w["hidden/out"]
    once = list(met)
    w["hidden/out"], w.cotangent["out/out"], w["hidden/out"]
    assert once and len(met) == len(set(met)) and met[: len(once)] == once


def test_names_are_gone_through_and_values_are_not_to_be_written():
    w = RUN.wires({"x": X, "y": Y})
    assert [*w][:2] == ["x", "hidden/weight"] and set(w.cotangent) < set(w) and "y" in w.cotangent
    assert repr(w).startswith(f"<{len(w)} wires on 6 examples: x, hidden/weight, ") and "cotangents on" in repr(w.cotangent)
    with pytest.raises(ValueError, match="read-only"):
        w["x"][0] = 1.0


def test_two_layers_of_one_name_are_numbered():
    made = lg.supervised(lg.sequential(lg.input(4), lg.dense(3), lg.dense(2)), lg.mse, lg.sgd(0.1))
    w = wires_of(made, made.initial(0), (X, Y))
    assert w["dense.0/out"].shape == (6, 3) and w["dense.1/out"].shape == (6, 2)


def test_dropout_draws_as_in_training():
    made = lg.supervised(lg.sequential(lg.input(4), lg.dropout(0.5, name="drop"), lg.dense(2, name="out")), lg.mse, lg.sgd(0.1))
    w = made.fit((X, Y), progress=False).wires((X, Y))
    assert 0 < (w["drop/out"] == 0).sum() < X.size


def test_a_loss_scale_multiplies_what_flows_back():
    made = lg.supervised(MODEL, lg.mse, lg.sgd(0.1), loss_scale=8.0)
    plain = lg.supervised(MODEL, lg.mse, lg.sgd(0.1))
    scaled, once = (wires_of(m, m.initial(0), (X, Y)).cotangent["out/out"] for m in (made, plain))
    np.testing.assert_allclose(scaled, 8 * once, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("hiden/out", "no wire is called 'hiden/out': did you mean 'hidden/out'?"),
        ("hidden/nothing_like_it", "no wire is called 'hidden/nothing_like_it'; in 'hidden' there are hidden/weight, hidden/bias, "),
        ("zzz", "no wire is called 'zzz'; there are x, hidden/weight, "),
        (3, "no wire is called 3; there are "),
        ("a\nb", "no wire is called 'a\\nb'; there are "),
    ],
)
def test_a_wrong_name_gets_a_sentence(name, told):
    with pytest.raises(UnknownParameter) as error:
        RUN.wires((X, Y))[name]
    assert str(error.value).startswith(told)


def test_a_batch_that_is_none_gets_a_sentence():
    with pytest.raises(BadValue, match="a batch is a pair"):
        RUN.wires(iter([{"x": X, "y": Y}]))


# -- step through ------------------------------------------------------------------------------------------------------


def test_the_scenes_are_get_then_put_then_update():
    step = lg.step_through(LEARNER, (X, Y))
    assert [(s.phase, s.box) for s in step] == [
        ("get", "hidden"), ("get", "out"), ("get", "task"), ("put", "task"), ("put", "out"), ("put", "hidden"),
        *[("update", n) for n in LEARNER.model_names],
    ]  # fmt: skip
    assert len(step) == 10 and len(step[2:4]) == 2


def test_what_stands_between_layers_is_a_scene_before_the_layer_that_reads_it():
    made = lg.supervised(lg.sequential(lg.input(2, 2), lg.flatten(), lg.dense(2, name="task")), lg.cross_entropy, lg.sgd(0.1))
    step = lg.step_through(made, (np.ones((3, 2, 2), "float32"), np.array([0, 1, 1])))
    ways = [(s.phase, s.box) for s in step if s.phase != "update"]
    forward = ["reshape", "task", "task (the loss)"]
    assert ways == [*(("get", b) for b in forward), *(("put", b) for b in reversed(forward))]
    assert [(what, name) for what, name, *_ in step[0].lines] == [("takes", "x"), ("gives", "task/reshape")]
    assert [(what, name) for what, name, *_ in step[5].lines] == [("from", "d task/reshape"), ("back", "d x")]


def test_a_scene_that_is_not_there_is_told():
    step = lg.step_through(LEARNER, (X, Y))
    assert step[-1] == step[9] and len([*step]) == 10
    assert told(OutOfRange, lambda: step[10]) == "there are 10 scenes, from 0 on, and no scene 10"
    assert told(BadValue, lambda: step["a"]) == "a scene is read by its number, from 0 to 9, got 'a'"


@pytest.mark.parametrize("ask", ["wires", "step_through", "why"])
def test_labels_are_those_that_fit_takes(ask):
    made = lg.supervised(lg.sequential(lg.input(4), lg.dense(3)), lg.cross_entropy, lg.sgd(0.1))
    start, batch = made.initial(0), (X, np.array([0, 1, 2, 3, 0, 1]))
    call = {
        "wires": lambda: wires_of(made, start, batch),
        "step_through": lambda: lg.step_through(made, batch),
        "why": lambda: lg.why(made, start, batch),
    }[ask]
    numbers = "'y' holds class numbers from 0 to 3, and the model has 3 classes, numbered 0 to 2"
    assert told(BadValue, call) == f"{numbers}: give the last layer 4 outputs, or relabel the data"


def test_numbers_beyond_the_largest_are_shown_without_warnings():
    big = X * np.float32(1e30)
    made = lg.supervised(MODEL, lg.mse, lg.sgd(0.1))
    assert "inf" in str(lg.step_through(made, (big, Y * np.float32(1e30))))
    assert RUN.evaluate((X, Y * np.float32(1e30)))["loss"] == np.inf


def test_a_scene_has_the_numbers_of_its_wires():
    step = lg.step_through(LEARNER, (X, Y), RUN.values)
    lines = {(what, name): shown for what, name, _, shown in step[0].lines}
    found = RUN.wires((X, Y))
    first = " ".join(f"{v:.4g}" for v in found["hidden/out"].ravel()[:6])
    assert lines["gives", "hidden/out"] == f"{first} … (18 numbers)"
    back = {(what, name): shown for what, name, _, shown in step[4].lines}
    assert back["back", "d out/bias"] == " ".join(f"{v:.4g}" for v in found.cotangent["out/bias"])
    weights = {what: shown for what, name, _, shown in step[-1].lines if name == "out/bias"}
    later = LEARNER.step(6, "numpy")({**RUN.values, "x": X, "y": Y})["out/bias"]
    assert weights["after"] == " ".join(f"{v:.4g}" for v in later)


def test_it_is_text_in_a_script_and_folds_open_in_a_notebook(capsys):
    step = lg.step_through(LEARNER, (X, Y))
    step.play()
    assert capsys.readouterr().out == f"{step}\n"
    html = step._repr_html_()
    assert html.count("<details>") == len(step) and "<td>hidden/out</td>" in html
    assert repr(step).startswith("<a step in 10 scenes: get hidden, get out, ")


def test_names_are_text_in_a_notebook():
    made = lg.supervised(lg.sequential(lg.input(4), lg.dense(2, name="<b>")), lg.mse, lg.sgd(0.1))
    html = lg.step_through(made, (X, Y))._repr_html_()
    assert "<b>/" not in html and "&lt;b&gt;/weight" in html


def test_keys_go_on_back_and_out(monkeypatch):
    assert [after(3, k) for k in ("", "n", "b", " B ", "q")] == [4, 4, 2, 2, sys.maxsize] and after(0, "b") == 0
    from rich.console import Console

    keys, shown = iter(["", "b", "", "q"]), []
    monkeypatch.setattr(Console, "is_terminal", True)
    monkeypatch.setattr(sys, "stdin", type("Typed", (), {"isatty": lambda self: True})())
    monkeypatch.setattr(Console, "clear", lambda self: None)
    monkeypatch.setattr(Console, "print", lambda self, text, **how: shown.append(text.split(" of ")[0]))
    monkeypatch.setattr(Console, "input", lambda self, prompt: next(keys))
    lg.step_through(LEARNER, (X, Y)).play()
    assert shown == ["1", "2", "1", "2"]


@pytest.mark.parametrize("end", [EOFError, KeyboardInterrupt])
def test_the_end_of_what_is_typed_ends_the_scenes(end):
    def ask():
        raise end

    assert after(3, asked(ask)) == sys.maxsize
