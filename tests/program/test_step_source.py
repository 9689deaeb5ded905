"""The training step as a person would write it: the same bits, under names, layer by layer."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import lensgrad as lg
from lensgrad import recipes
from lensgrad.backends import numpy as backend
from lensgrad.cli import main
from lensgrad.core.trace import trace
from lensgrad.lens import sam
from lensgrad.program.constants import folded
from lensgrad.program.lines import Part
from lensgrad.program.phases import Phase
from lensgrad.program.readable import Ready, turn, weight_of
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import full

GOLDEN = Path(__file__).parent / "iris_step.txt"  # `lensgrad show iris --source --output tests/program/iris_step.txt`
N = 6


def classifier(*layers, shape=(5,), optimizer=None, loss=lg.cross_entropy, **how):
    return lg.supervised(lg.sequential(lg.input(*shape), *layers), loss, lg.adam(0.01) if optimizer is None else optimizer, **how)


LEARNERS = {
    "mlp": classifier(lg.dense(8, "relu", name="hidden"), lg.dense(3, name="out"), metrics=["accuracy"]),
    "schedule": classifier(lg.dense(8, "tanh"), lg.dense(3), optimizer=lg.sgd(lg.cosine(0.1, steps=9), momentum=0.9)),
    "clipped": classifier(lg.dense(8, "gelu"), lg.dense(3), optimizer=lg.chain(lg.clip_norm(0.1), lg.adamw(0.01))),
    "cnn": classifier(lg.conv2d(4, kernel=3, activation="relu"), lg.max_pool2d(2), lg.flatten(), lg.dense(3), shape=(8, 8, 2)),
    "batch norm": classifier(lg.dense(8), lg.batch_norm(), lg.dense(3)),
    "dropout": classifier(lg.dense(8, "relu"), lg.dropout(0.5), lg.dense(3)),
    "transformer": classifier(lg.transformer_block(2), lg.flatten(), lg.dense(3), shape=(4, 6)),
    "lstm": classifier(lg.lstm(4, last=True), lg.dense(3), shape=(5, 3)),
    "half": classifier(lg.dense(8, "relu"), lg.dense(3), precision="float16"),
    "sam": classifier(lg.dense(8, "relu"), lg.dense(3), optimizer=lg.sgd(0.1), derivative=sam(0.05)),
    "numbers": classifier(lg.dense(1), loss=lg.mse),
}


def data(made):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N, *made.model.dom[0].shape)).astype("float32")
    y = rng.normal(size=(N, 1)).astype("float32") if str(made.model.cod) == "f32[1]" else rng.integers(0, 3, N).astype("int32")
    return {"x": x, "y": y}


@pytest.mark.parametrize("name", LEARNERS)
def test_what_is_printed_gives_the_bits_of_what_runs(name):
    made = LEARNERS[name]
    step, space = made.step(N, "numpy"), dict[str, object]()
    exec(compile(made.source(N), "step.py", "exec"), space)
    values = made.initial(3)
    for _ in range(3):
        given = {**values, **data(made)}
        wanted = step(given)
        found = dict(zip([*space["RETURNS"], *space["REPORTS"]], space["step"](*(given[n] for n in space["INPUTS"])), strict=True))
        assert found.keys() == wanted.keys()
        for n, v in wanted.items():
            assert np.asarray(found[n]).tobytes() == np.asarray(v).tobytes() and np.asarray(found[n]).dtype == v.dtype, n
        values = {n: wanted.get(n, v) for n, v in values.items()}


def test_the_step_of_iris_is_the_golden_file(capsys):
    """A change of it is seen: `lensgrad show iris --source --output …` writes it anew."""
    assert main(["show", "iris", "--source"]) in (0, None)
    assert capsys.readouterr().out == GOLDEN.read_text(encoding="utf-8")
    assert recipes.iris_learner().source(recipes.task("iris").plan(None).batch_size) + "\n" == GOLDEN.read_text(encoding="utf-8")


def body(made, n=N):
    text = made.source(n)
    return text[text.index("def step") : text.index("\nINPUTS")]


def test_the_parts_are_in_order_with_a_comment_a_layer():
    comments = re.findall(r"^    # (.*)$", body(LEARNERS["mlp"]), re.MULTILINE)
    assert comments == [
        "-- forward --", "hidden", "out", "the loss",
        "-- backward: the gradient of the loss --", "the loss", "out", "hidden",
        "-- update --", "hidden/weight", "hidden/bias", "out/weight", "out/bias",
    ]  # fmt: skip


def test_lines_are_called_by_what_they_compute():
    text = body(LEARNERS["mlp"])
    for line in (
        "    hidden_sum = x @ hidden_weight.T + hidden_bias  # f32[6,8]",
        "    hidden = np.where(hidden_relu_mask, hidden_sum, 0.0)  # f32[6,8]",
        "    out = hidden @ out_weight.T + out_bias  # f32[6,3]",
        "    d_hidden = d_out @ out_weight  # f32[6,8]",
        "    d_out_weight = d_out.T @ hidden  # f32[3,8]",
        "    next_hidden_weight_mean = hidden_weight_mean * 0.9 + d_hidden_weight * 0.09999999999999998  # f32[8,5]",
    ):
        assert line in text.splitlines()
    assert not re.search(r"\bv\d+\b", text) and "del " not in text


def test_no_line_is_called_as_a_helper_or_twice():
    """A layer may be called as a function that the file has: then the line has another name."""
    made = classifier(lg.dense(4, name="log_softmax"), lg.dense(3, name="one_hot"))
    space = dict[str, object]()
    exec(made.source(N), space)
    given = {**made.initial(0), **data(made)}
    assert np.isfinite(space["step"](*(given[n] for n in space["INPUTS"]))[-1]).all()
    names = re.findall(r"^    (\w+) = ", body(made), re.MULTILINE)
    assert len(names) == len(set(names)) and "log_softmax" not in names


@pytest.mark.parametrize("evil", ["x'); import os; ('", '"""', "класс", "9 lives", "way back", "lambda", "v3", "d_out"])
def test_names_of_layers_stay_names(evil):
    made = classifier(lg.dense(4, "relu", name=evil), lg.dense(3, name="out"))
    space = dict[str, object]()
    exec(made.source(N), space)
    given = {**made.initial(0), **data(made)}
    wanted = made.step(N, "numpy")(given)
    found = dict(zip([*space["RETURNS"], *space["REPORTS"]], space["step"](*(given[n] for n in space["INPUTS"])), strict=True))
    assert all(np.array_equal(found[n], v) for n, v in wanted.items())


def test_constants_of_one_number_are_folded_to_the_bit():
    f = trace(lambda x: x * ops.spread(full(0.1, lg.Real(3)[0]) * 3.0 - 7.0, (2, 3), (1,)) + 0.0, lg.Real(2, 3))
    short = folded(f)
    assert len(short.nodes) < len(f.nodes)
    x = np.random.default_rng(0).normal(size=(2, 3)).astype("float32")
    (a,), (b,) = backend.function(f)(x), backend.function(short)(x)
    assert a.tobytes() == b.tobytes()


def test_sums_keep_their_order():
    """a + (b + c) is not (a + b) + c in floating point, so parentheses stay."""
    made = classifier(lambda x: x + (x * 3.0 + ops.exp(x)) - (x - (x - 1.0)) / (x / (x + 9.0)), lg.dense(3))
    text = made.source(N)
    assert "+ (" in text and "- (" in text and "/ (" in text
    space = dict[str, object]()
    exec(text, space)
    given = {**made.initial(0), **data(made)}
    wanted = made.step(N, "numpy")(given)
    assert np.asarray(space["step"](*(given[n] for n in space["INPUTS"]))[-1]).tobytes() == wanted["loss"].tobytes()


def test_what_is_ready_is_taken_by_phase_then_part_then_turn():
    rng = np.random.default_rng(0)
    parts = [Part(list(Phase)[k], ("a", "b", "c")[n : n + 1]) for k, n in rng.integers(0, 3, (60, 2))]
    parts = [replace(p, path=p.path or ("z",)) if p.phase is Phase.UPDATE else p for p in parts]
    made, left, last = Ready(parts, ["c", "a"]), set(), None
    for k in range(60):
        made.add(k)
        left.add(k)
        while len(left) > (20 if k < 59 else 0):
            best = min(left, key=lambda i: (made.rank[parts[i].phase], parts[i].group != last, turn(parts[i], made.places), i))
            assert made.take() == best
            left.discard(best)
            last = parts[best].group
    assert made.take() is None


def test_a_state_belongs_to_the_first_weight_that_it_is_called_after():
    places = {"layer/weight": 1, "layer/weight.velocity": 0}
    assert [weight_of(n, places) for n in ("layer/weight.velocity.0", "layer/weight.0", "layer/weights", "layer/weight")] == [
        "layer/weight.velocity", "layer/weight", "", "layer/weight",
    ]  # fmt: skip


def test_what_moves_several_weights_is_called_after_none_of_them():
    text = classifier(lg.dense(8, name="hidden"), lg.dense(3, name="out"), optimizer=lg.chain(lg.clip_norm(1.0), lg.sgd(0.1))).source(N)
    assert "d_hidden_weight = d_hidden.T @ x" in text and "d_out_bias = np.sum(d_out, (0,), np.float32)" in text
    update = text[text.index("# -- update --") :]
    heads = ["several weights", "hidden/weight", "hidden/bias", "out/weight", "out/bias"]
    assert re.findall(r"    # ([a-z/ ]+)\n", update) == heads


@pytest.mark.parametrize("change", ["lora", "norm"])
def test_what_a_weight_is_made_of_stands_with_its_layer(change):
    model = lg.sequential(lg.input(5), lg.dense(8, name="hidden"), lg.dense(3, name="out"))
    made = model.lora("out/weight", rank=2) if change == "lora" else model.reparam({"**/weight": lg.weight_norm})
    text = lg.supervised(made, lg.cross_entropy, lg.sgd(0.1)).source(N)
    forward, back = text[text.index("# -- forward") :].split("# -- backward")
    assert forward.count("# the loss") == 1 and forward.rindex("# out") < forward.index("# the loss")
    assert back.count("# the loss") == 1 and back.index("# the loss") < back.index("# out")


def test_the_body_of_a_loop_is_called_by_what_it_computes_too():
    text = LEARNERS["lstm"].source(N)
    ahead = text[text.index("def step_of_scan") : text.index("def step(")]
    assert "(carry_1, carry_2, shared, row):\n    sum_1 = row + carry_1 @ shared.T" in ahead and "d_concatenate @ shared" in ahead
    assert not re.search(r"\b[av]\d+\b", ahead)
