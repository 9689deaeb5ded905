"""The learner: one composite lens, trained; against formulas and loops written by hand."""

import runpy
from dataclasses import replace

import numpy as np
import pytest
from numerics import generators, reals

import lensgrad as lg
from lensgrad.cat.lens import two, updated
from lensgrad.core.trace import trace
from lensgrad.lens import batch, corner, lens, mean, observe, parametric, rate, total
from lensgrad.program.compile import compile
from lensgrad.theories.smooth import ops
from lensgrad.train.programs import PROGRAMS

X, Y = reals(0, (10, 4), (10, 2))
X32, Y32 = X.astype("float32"), Y.astype("float32")


def model(dtype="float64"):
    first = lg.dense(4, 5, activation="tanh", name="enc", dtype=dtype)
    return first >> lg.dense(5, 2, name="head", dtype=dtype)


def learner(optimizer=lg.descent, size=0.05, dtype="float64", **how):
    return lg.supervised(model(dtype), lg.half_squared_error, optimizer, rate=size, **how)


def by_hand(values, x, y, size):
    """One step of descent on the mean of ½ Σ (ŷ − y)², written out."""
    w, b, v, c = (values[n] for n in ("enc/weight", "enc/bias", "head/weight", "head/bias"))
    h = np.tanh(x @ w.T + b)
    e = (h @ v.T + c - y) / len(x)
    d = (e @ v) * (1 - h * h)
    moves = {"enc/weight": d.T @ x, "enc/bias": d.sum(0), "head/weight": e.T @ h, "head/bias": e.sum(0)}
    return {n: values[n] - size * moves[n] for n in moves}


def order(seed, epoch, examples=10):
    return np.random.Generator(np.random.PCG64([seed, epoch])).permutation(examples)


def test_a_learner_made_from_another_steps_by_its_own_rate():
    first = learner(size=0.1)
    values, fed = first.initial(0), {"x": X, "y": Y}
    slow = first.step(10)({**values, **fed})
    fast = replace(first, rate=lg.rate(0.2)).step(10)({**values, **fed})
    for name, value in values.items():
        np.testing.assert_allclose(fast[name] - value, 2 * (slow[name] - value), rtol=1e-9, atol=1e-14)
    assert first.lens(10) is first.lens(10) != replace(first, rate=lg.rate(0.2)).lens(10)


# -- the closed lens ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("reduction", "reduce"), [("mean", mean), ("sum", total)])
@pytest.mark.parametrize("optimizer", [lg.descent, lg.momentum(0.9)], ids=["descent", "momentum"])
def test_the_lens_of_a_learner_equals_the_one_composed_by_hand(optimizer, reduction, reduce):
    task = corner(lg.Real(4, dtype="float64"), "x") >> model() >> lg.half_squared_error("y")
    made = learner(optimizer, reduction=reduction)
    assert (lens(batch(task, 16) >> reduce) >> rate(0.05)).reparam({lg.weights: optimizer}) == made.lens(batch=16)
    assert (lens(task) >> rate(0.05)).reparam({lg.weights: optimizer}) == made.lens()


def test_optimizers_may_differ_by_pattern():
    task = corner(lg.Real(4, dtype="float64"), "x") >> model() >> lg.half_squared_error("y")
    points = {"enc/*": lg.momentum(0.9), lg.weights: lg.descent}
    made = lg.supervised(model(), lg.half_squared_error, points, rate=0.05)
    assert made.lens(8) == (lens(batch(task, 8) >> mean) >> rate(0.05)).reparam({"enc/*": lg.momentum(0.9)}).reparam({"head/*": lg.descent})


def test_the_order_of_the_pieces_is_fixed_and_visible_in_the_type():
    closed = learner().lens(3)
    assert (str(closed.dom), str(closed.cod)) == ("I", "I")
    assert [label for label, _ in closed.observables] == ["loss"]
    weights = [p.ob for p in model().params]
    assert [p.ob for p in closed.params[1:5]] == [updated(ob) for ob in weights]
    assert closed.params[0].ob == two(lg.Real(3, 4, dtype="float64"))


def test_a_step_is_descent_on_the_mean_of_the_batch():
    made = learner()
    values = made.initial(3)
    found = made.step(10)({**values, "x": X, "y": Y})
    expected = by_hand(values, X, Y, 0.05)
    assert set(found) == {*expected, "loss"}
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-13, atol=1e-15)


def test_a_step_is_compiled_once_for_each_shape():
    made = learner()
    assert made.step(4) is made.step(4) is not made.step(2)
    assert made.step(None).inputs[0].ob == lg.Real(4, dtype="float64")


def test_each_forward_appears_once_in_a_step():
    found = generators(learner().step(8).diagram)
    assert found.count("Tanh") == 1 and found.count("Einsum") == 5, "two forward, two for weights, one for the hidden layer"


# -- what is not learned stays, and is not computed --------------------------------------------------------------------


def test_weights_without_an_optimizer_and_data_are_unchanged_to_the_bit():
    made = learner({"head/*": lg.momentum(0.9)})
    start = made.initial(0)
    kept = {n: v.tobytes() for n, v in start.items()}
    x, y = X.tobytes(), Y.tobytes()
    run = made.fit((X, Y), epochs=50, batch_size=5, progress=False)
    assert len(run.history) == 50, "two steps each: 100 steps"
    for name in ("enc/weight", "enc/bias"):
        assert run.values[name].tobytes() == kept[name]
    for name in ("head/weight", "head/bias"):
        assert run.values[name].tobytes() != kept[name]
    assert (X.tobytes(), Y.tobytes()) == (x, y)
    assert {n: v.tobytes() for n, v in start.items()} == kept, "what a run started from is not written into"


def test_the_gradient_of_a_frozen_weight_is_never_computed():
    whole, frozen = learner().step(8), learner({"head/*": lg.descent}).step(8)
    assert {p.name for p in frozen.outputs} == {"head/weight", "head/bias", "loss"}
    assert generators(whole.diagram).count("Einsum") == 5 and generators(frozen.diagram).count("Einsum") == 3
    # Not even the derivative of the hidden layer is there.
    assert len(frozen.diagram.nodes) < len(whole.diagram.nodes) - 6


def test_the_gradient_of_the_data_is_there_for_those_who_ask():
    closed = learner().lens(None)
    back = compile(closed, returned=["x", "y"])
    values = learner().initial(0)
    found = back({**values, "x": X[0], "y": Y[0]})
    h = np.tanh(values["enc/weight"] @ X[0])
    guess = values["head/weight"] @ h
    np.testing.assert_allclose(found["y"], 0.05 * (Y[0] - guess), rtol=1e-13)
    hidden = (values["head/weight"].T @ (guess - Y[0])) * (1 - h * h)
    np.testing.assert_allclose(found["x"], 0.05 * values["enc/weight"].T @ hidden, rtol=1e-12)


# -- fit ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [1, 3, 4, 10, 32])
def test_fit_is_the_loop_written_by_hand_with_a_short_last_batch(batch_size):
    run = learner().fit((X, Y), epochs=3, batch_size=batch_size, seed=7, progress=False)
    values = learner().initial(7)
    for epoch in range(3):
        rows = order(7, epoch)
        for start in range(0, 10, batch_size):
            part = rows[start : start + batch_size]
            values = by_hand(values, X[part], Y[part], 0.05)
    for name, value in values.items():
        np.testing.assert_allclose(run.values[name], value, rtol=1e-12, atol=1e-14)


def test_one_unbatched_example_at_a_time_is_a_batch_of_one():
    one, none = (learner().fit((X, Y), epochs=2, batch_size=size, progress=False) for size in (1, None))
    for name in one.values:
        np.testing.assert_allclose(one.values[name], none.values[name], rtol=1e-13, atol=1e-15)


def test_without_shuffling_examples_come_in_order():
    run = learner().fit((X, Y), epochs=1, batch_size=1, shuffle=False, progress=False)
    values = learner().initial(0)
    for i in range(10):
        values = by_hand(values, X[i : i + 1], Y[i : i + 1], 0.05)
    np.testing.assert_allclose(run.values["enc/weight"], values["enc/weight"], rtol=1e-12)


def test_the_last_short_batch_is_a_second_shape_of_the_same_task():
    made = learner()
    made.fit((X, Y), epochs=2, batch_size=4, progress=False)
    assert [where[1] for where in PROGRAMS.of(made) if where[0] == "step"] == [4, 2]


def test_a_seed_repeats_a_run_exactly():
    def run(seed):
        return learner(lg.momentum(0.9), dtype="float32").fit((X32, Y32), epochs=3, batch_size=4, seed=seed, progress=False)

    one, same, other = run(1), run(1), run(2)
    assert {n: v.tobytes() for n, v in one.values.items()} == {n: v.tobytes() for n, v in same.values.items()}
    assert one.history == same.history != other.history
    assert one.values["enc/weight"].tobytes() != other.values["enc/weight"].tobytes()


def test_training_goes_on_from_given_values():
    whole = learner(lg.momentum(0.9)).fit((X, Y), epochs=2, shuffle=False, progress=False)
    first = learner(lg.momentum(0.9)).fit((X, Y), epochs=1, shuffle=False, progress=False)
    second = learner(lg.momentum(0.9)).fit((X, Y), epochs=1, shuffle=False, start=first.values, progress=False)
    assert {n: v.tobytes() for n, v in whole.values.items()} == {n: v.tobytes() for n, v in second.values.items()}


def test_some_first_values_may_be_given_and_are_cast_and_copied():
    given = np.ones((5, 4), np.float64)
    run = learner(dtype="float32").fit((X32, Y32), epochs=0, start={"enc/weight": given}, progress=False)
    assert run.values["enc/weight"].dtype == np.float32 and (run.values["enc/weight"] == 1).all()
    np.testing.assert_array_equal(run.values["head/weight"], learner(dtype="float32").initial(0)["head/weight"])
    kept = learner().fit((X, Y), epochs=0, start={"enc/weight": given}, progress=False)
    given[:] = 7
    assert (kept.values["enc/weight"] == 1).all()


def test_no_epochs_give_the_first_values():
    run = learner().fit((X, Y), epochs=0, progress=False)
    assert run.history == ()
    for name, value in learner().initial(0).items():
        np.testing.assert_array_equal(run.values[name], value)


def test_data_may_be_a_pair_a_dict_a_data_set_or_lists():
    ways = [(X, Y), [X, Y], {"x": X, "y": Y}, lg.data.Dataset(X, Y), (X.tolist(), Y.tolist())]
    runs = [learner().fit(way, progress=False).values["head/bias"].tobytes() for way in ways]
    assert len(set(runs)) == 1


def test_ports_may_have_other_names():
    made = learner(input="image", label="target")
    assert made.lens().names == ("image", "enc/weight", "enc/bias", "head/weight", "head/bias", "target")
    run = made.fit({"image": X, "target": Y}, progress=False)
    assert run.values["enc/weight"].tobytes() == learner().fit((X, Y), progress=False).values["enc/weight"].tobytes()


def test_history_is_the_mean_over_the_examples_of_each_epoch():
    run = learner().fit((X, Y), epochs=2, batch_size=4, seed=5, progress=False)
    values, reports = learner().initial(5), []
    for epoch in range(2):
        losses = []
        rows = order(5, epoch)
        for start in range(0, 10, 4):
            part = rows[start : start + 4]
            guess = np.tanh(X[part] @ values["enc/weight"].T + values["enc/bias"]) @ values["head/weight"].T + values["head/bias"]
            losses += list(((guess - Y[part]) ** 2).sum(1) / 2)
            values = by_hand(values, X[part], Y[part], 0.05)
        reports.append(np.mean(losses))
    assert [list(r) for r in run.history] == [["loss"], ["loss"]]
    np.testing.assert_allclose([r["loss"] for r in run.history], reports, rtol=1e-12)


# -- predict and evaluate ----------------------------------------------------------------------------------------------

CLASSES = np.array([0, 1, 1, 0, 1, 0, 0, 1, 1, 0])


@pytest.fixture(scope="module")
def classifier():
    made = lg.supervised(lg.dense(4, 2, dtype="float64"), lg.cross_entropy, lg.descent, rate=0.1, metrics=["accuracy"])
    return made.fit((X, CLASSES), epochs=3, batch_size=4, progress=False)


def scores(run, x):
    return x @ run.values["weight"].T + run.values["bias"]


@pytest.mark.parametrize("batch_size", [None, 1, 3, 10, 1024])
def test_predict_gives_the_outputs_of_the_model(classifier, batch_size):
    np.testing.assert_allclose(classifier.predict(X, batch_size), scores(classifier, X), rtol=1e-14)


def test_predict_of_no_rows_has_the_shape_of_the_output(classifier):
    assert classifier.predict(X[:0]).shape == (0, 2) and classifier.predict(X[:0]).dtype == np.float64


@pytest.mark.parametrize("batch_size", [None, 1, 3, 10, 1024])
def test_evaluate_averages_over_all_examples(classifier, batch_size):
    found = classifier.evaluate((X, CLASSES), batch_size=batch_size)
    logits = scores(classifier, X)
    losses = np.log(np.exp(logits).sum(1)) - logits[np.arange(10), CLASSES]
    assert list(found) == ["loss", "accuracy"]
    assert found["loss"] == pytest.approx(losses.mean(), rel=1e-13)
    assert found["accuracy"] == (logits.argmax(1) == CLASSES).mean()


def test_evaluate_and_fit_weigh_observables_alike():
    watched = parametric([("w", lg.Real(2, dtype="float64"))], lg.Real(2, dtype="float64"), lambda w, x: x * w)
    tapped = watched.reparam({"w": lambda p: corner(p.ob, "w", p.role) >> observe("weight", p.ob)}) >> observe("tap", watched.cod)
    made = lg.supervised(tapped, lg.mse, {}, rate=0.1)
    x, y = reals(4, (5, 2), (5, 2))
    run = made.fit((x, y), epochs=1, batch_size=2, start={"w": [3.0, 5.0]}, progress=False)
    assert run.evaluate(x, y, batch_size=2) == pytest.approx(run.history[0], rel=1e-14)
    assert run.history[0]["tap"] == pytest.approx((x * [3.0, 5.0]).mean(), rel=1e-14) and run.history[0]["weight"] == 4.0


def test_weights_are_those_of_the_model():
    run = learner(lg.momentum(0.9)).fit((X, Y), progress=False)
    assert list(run.weights) == ["enc/weight", "enc/bias", "head/weight", "head/bias"]
    assert set(run.values) - set(run.weights) == {f"{n}.velocity" for n in run.weights}
    assert learner().parameter_count == 5 * 4 + 5 + 2 * 5 + 2


# -- linear regression -------------------------------------------------------------------------------------------------


def test_linear_regression_reaches_the_least_squares_solution():
    x, w, noise = reals(11, (60, 3), (2, 3), (60, 2))
    y = x @ w.T + [1.0, -2.0] + 0.3 * noise
    made = lg.supervised(lg.dense(3, 2, dtype="float64"), lg.half_squared_error, lg.descent, rate=0.3)
    run = made.fit((x, y), epochs=400, batch_size=60, progress=False)
    solution = np.linalg.lstsq(np.column_stack([x, np.ones(60)]), y, rcond=None)[0]
    np.testing.assert_allclose(run.values["weight"], solution[:3].T, rtol=0, atol=1e-6)
    np.testing.assert_allclose(run.values["bias"], solution[3], rtol=0, atol=1e-6)


def test_the_source_of_a_step_has_a_loop_that_can_be_called(tmp_path):
    made = learner()
    (tmp_path / "step.py").write_text(made.source(10), encoding="utf-8")
    space = runpy.run_path(str(tmp_path / "step.py"))
    values, report = space["train"](made.initial(0), [{"x": X, "y": Y}] * 3)
    run = made.fit((X, Y), epochs=3, batch_size=10, shuffle=False, progress=False)
    assert {n: v.tobytes() for n, v in values.items()} == {n: v.tobytes() for n, v in run.values.items()}
    assert list(report) == ["loss"] and "import numpy as np" in made.source(10) and space["DATA"] == ["x", "y"]


# -- the same verb elsewhere -------------------------------------------------------------------------------------------


def test_dreaming_moves_the_input_and_nothing_else():
    image, size = lg.Real(4, dtype="float64"), 0.1
    score = trace(lambda z: z[0], lg.Real(2, dtype="float64"))
    dream = (lens(corner(image, "image") >> model() >> score) >> rate(size)).reparam({"image": lg.ascent})
    step = compile(dream)
    assert [p.name for p in step.outputs] == ["image"]
    values = learner().initial(0)
    w, v = values["enc/weight"], values["head/weight"]
    found = step({**values, "image": X[0]})["image"]
    np.testing.assert_allclose(found, X[0] + size * w.T @ (v[0] * (1 - np.tanh(w @ X[0]) ** 2)), rtol=1e-13)


def test_a_game_goes_down_for_one_and_up_for_the_other():
    number = lg.Real(dtype="float64")
    game = corner(number, "p") @ corner(number, "q") >> trace(lambda p, q: p * q, number, number)
    step = compile((lens(game) >> rate(0.5)).reparam({"p": lg.descent, "q": lg.ascent}))
    found = step({"p": 3.0, "q": 5.0})
    assert (found["p"], found["q"]) == (3.0 - 0.5 * 5.0, 5.0 + 0.5 * 3.0)


def test_an_observable_of_a_state_port_is_written_back():
    number = lg.Real(dtype="float64")

    def body(count, x):
        return x, count + 1.0

    counter = lg.lens.Para.make(
        [lg.lens.Param("count", number, lg.lens.Role.STATE, lg.zeros(number))], trace(body, number, number), number, [("count", number)]
    )
    made = lg.supervised(lg.dense(4, 1, dtype="float64") >> trace(lambda v: v[0], lg.Real(1, dtype="float64")) >> counter, lg.mse, {}, 1.0)
    run = made.fit((X, Y[:, 0]), epochs=3, batch_size=5, progress=False)
    assert run.values["count"] == 6.0 and list(run.history[0]) == ["loss"]


def test_learning_rate_and_optimizer_are_equal_to_sgd_that_carries_it():
    one = learner(lg.momentum(0.9), 0.05).fit((X, Y), epochs=20, progress=False)
    other = learner(lg.sgd(0.05, momentum=0.9), 1.0).fit((X, Y), epochs=20, progress=False)
    for name in one.weights:
        np.testing.assert_allclose(one.values[name], other.values[name], rtol=0, atol=1e-12)


def test_any_arrow_may_be_a_model():
    square = trace(lambda x: ops.sum_over(x * x), lg.Real(4, dtype="float64"))
    run = lg.supervised(square, lg.mse, {}, 1.0).fit((X, Y[:, 0]), progress=False)
    np.testing.assert_allclose(run.predict(X), (X * X).sum(1), rtol=1e-14)
