"""The ready-made learners: what they are, and that they reach what they should."""

import numpy as np
import pytest

import lensgrad as lg
from benchmarks import iris_source, iris_twin
from lensgrad import recipes
from lensgrad.lens import batch, corner, lens, mean, rate
from lensgrad.program.compile import program
from lensgrad.recipes import graph, text, vision


@pytest.mark.parametrize("kind", recipes.IRIS_MODELS)
def test_an_iris_learner_is_the_lens_composed_by_hand(kind):
    task = corner(lg.Real(4), "x") >> recipes.iris_model(kind) >> lg.half_squared_error("y", metrics=["accuracy"])
    closed = (lens(batch(task, 16) >> mean) >> rate(0.01)).reparam({lg.weights: lg.descent})
    assert closed == recipes.iris_learner(kind).lens(batch=16)


def test_the_weights_start_as_the_paper_has_them():
    start = recipes.iris_learner("hidden").initial(0)
    drawn = np.concatenate([start["hidden/weight"].ravel(), start["output/weight"].ravel()])
    assert not start["hidden/bias"].any() and not start["output/bias"].any()
    assert 0.008 < drawn.std() < 0.012 and abs(drawn.mean()) < 0.003


def test_an_unknown_model_is_refused_with_those_there_are():
    with pytest.raises(lg.LensgradError) as refused:
        recipes.iris_model("deep")
    assert str(refused.value) == "'deep' is no Iris model; use one of dense, hidden, linear"


def test_the_measurements_of_the_regression_are_standardized():
    data = recipes.petal_width()
    assert data.x.shape == (150, 3) and data.y.shape == (150, 1) and len(data.features) == 3
    np.testing.assert_allclose(data.x.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(data.x.std(0), 1, atol=1e-12)
    np.testing.assert_array_equal(data.y[:, 0], lg.data.iris().x[:, 3].astype("float64"))


def test_the_least_squares_solution_leaves_a_residual_without_gradient():
    data = recipes.petal_width()
    solution = recipes.least_squares(data)
    residual = data.x @ solution["weight"].T + solution["bias"] - data.y
    np.testing.assert_allclose(data.x.T @ residual, 0, atol=1e-10)
    np.testing.assert_allclose(residual.sum(), 0, atol=1e-10)


def test_descent_reaches_the_least_squares_solution():
    run, far = recipes.train_regression(progress=False)
    assert far <= 1e-6
    assert run.history[-1]["loss"] < run.history[0]["loss"]


def test_the_distance_of_values_is_their_largest_difference():
    assert recipes.distance({"a": np.array([1.0, 2.0]), "b": 3.0}, {"a": np.array([1.0, 2.5]), "b": 3.25}) == 0.5


@pytest.mark.parametrize("epochs", [1, 20])
def test_the_hidden_network_equals_a_loop_written_by_hand(epochs):
    assert iris_twin.difference(epochs) <= 1e-12


def test_the_twin_notices_another_rate():
    learner, data = recipes.iris_learner("hidden", dtype="float64"), recipes.iris_data("float64")
    start = learner.initial(0)
    moved = [iris_twin.by_hand(start, data.x, data.y, range(150), rate) for rate in (0.01, 0.011)]
    assert recipes.distance(*moved) > 1e-6


def test_the_printed_step_repeats_the_training_bit_for_bit():
    assert iris_source.differing(epochs=5) == []


# -- the ready-made tasks ----------------------------------------------------------------------------------------------

QUICK = [
    ("iris", "hidden"), ("linear", "line"), ("digits", "conv"), ("mnist", "paper"), ("fashion", "conv"), ("cora", "gcn"),
    ("shakespeare", "lstm"),
]  # fmt: skip
EVERY = [(name, kind) for name, recipe in recipes.TASKS.items() for kind in recipe.plans]


def tiny(name, learner):
    """A few examples of the types that a learner takes."""
    if name == "cora":
        return graph.split_of_papers().train, None
    rng, n = np.random.default_rng(3), 4
    atoms = learner.examples()
    made = {port: rng.random((n, *atoms[port].shape)).astype(atoms[port].dtype) for port in ("x", "y")}
    for port in ("x", "y"):
        if not atoms[port].floating:
            made[port] = rng.integers(0, 10 if port == "y" else 65, (n, *atoms[port].shape), dtype=np.int32)
    return made, 4


@pytest.mark.parametrize(("name", "kind"), QUICK, ids=[" ".join(pair) for pair in QUICK])
def test_every_kind_of_model_takes_a_step_that_moves_all_its_weights(name, kind):
    learner = recipes.task(name).learner(kind)
    data, size = tiny(name, learner)
    start = learner.initial(0)
    run = learner.fit(data, epochs=1, batch_size=size, seed=0, progress=False)
    assert np.isfinite(run.history[0]["loss"])
    assert [n for n in learner.model.names if n in start and np.array_equal(start[n], run.values[n])] == []


def test_models_of_ready_made_tasks_are_told_apart():
    models = [recipes.task(name).learner(kind).model for name, kind in EVERY]
    assert [(i, j) for i in range(len(models)) for j in range(i) if models[i] == models[j]] == []


def test_the_papers_network_has_the_papers_sizes():
    found = {n: p.ob[0].shape for n, p in zip(vision.paper_model().names, vision.paper_model().params, strict=True)}
    assert found == {"first/kernel": (3, 3, 1, 3), "second/kernel": (4, 4, 3, 5), "output/weight": (10, 125), "output/bias": (10,)}


def test_the_training_images_are_divided_and_the_test_images_are_left_alone():
    whole, test = lg.data.digits()
    data = recipes.task("digits").data()
    assert (len(data.train), len(data.validation)) == (recipes.task("digits").examples, 144)
    rows = {x.tobytes() for x in data.train.x} | {x.tobytes() for x in data.validation.x}
    assert rows == {x.tobytes() for x in whole.x}
    np.testing.assert_array_equal(data.test.x, test.x)


def test_the_papers_of_cora_are_divided_as_published_and_do_not_overlap():
    data = recipes.task("cora").data()
    counts = [int(part["known"].sum()) for part in (data.train, data.validation, data.test.rows())]
    assert counts == [140, 500, 1000]
    assert not (data.train["known"] & data.test.rows()["known"]).any() and not (data.validation["known"] & data.test.rows()["known"]).any()


def test_the_entries_of_cora_give_the_dense_graph_convolution():
    model = lg.predict(graph.citation_model(graph.citations()))
    given = {n: v[0] for n, v in graph.Known([]).rows().items()}
    start = recipes.task("cora").learner().initial(1)
    x = np.zeros((2708, 1433))
    x[given["papers"], given["words"]] = given["counts"]
    a = np.zeros((2708, 2708))
    a[given["targets"], given["sources"]] = given["links"]
    hidden = np.maximum(a @ (x @ start["first/weight"]) + start["first/bias"], 0)
    wanted = a @ (hidden @ start["second/weight"].T) + start["second/bias"]
    named = dict(zip(model.names, [start[n] for n in model.names], strict=True))
    found = program(model)({**named, "input": tuple(given[n] for n in graph.INPUTS)})["output"]
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    np.testing.assert_allclose(x.sum(1)[x.sum(1) > 0], 1, atol=1e-5)
    np.testing.assert_array_equal(a, a.T)


@pytest.mark.parametrize("kind", ["lstm", "transformer"])
def test_characters_are_predicted_from_those_before_only(kind):
    learner = recipes.task("shakespeare").learner(kind)
    run = lg.Run(learner, learner.initial(0))
    a = np.random.default_rng(0).integers(0, 65, (1, text.LENGTH), dtype=np.int32)
    b = a.copy()
    b[0, 40:] = 0
    x, y = run.predict(a)[0], run.predict(b)[0]
    np.testing.assert_array_equal(x[:40], y[:40])
    assert not np.array_equal(x[40:], y[40:])


def test_a_text_is_drawn_alike_from_equal_seeds_and_begins_with_its_prompt():
    learner = recipes.task("shakespeare").learner("lstm")
    run = lg.Run(learner, learner.initial(0))
    one, two, other = (text.continued(run, "KING:", recipes.Sampling(20, 0.8, seed)) for seed in (0, 0, 1))
    assert one == two != other and one.startswith("KING:") and len(one) == 25


def test_a_low_temperature_draws_the_likeliest():
    random = np.random.Generator(np.random.PCG64(0))
    assert {text.drawn([0.0, 1.0, 0.5], 0.01, random) for _ in range(50)} == {1}
    assert {text.drawn([0.0, 1.0, 0.5], 5.0, random) for _ in range(200)} == {0, 1, 2}


REFUSED = {
    "'7' is no MNIST model; use one of modern, paper": lambda: recipes.task("mnist").learner("7"),
    "temperature must be a number > 0, got 0: small ones choose the likeliest, 1 draws as learned": lambda: recipes.Sampling(1, 0),
    "length and seed must be whole numbers ≥ 0, got -1 and 0": lambda: recipes.Sampling(-1),
    "a text is continued from its first characters, and the prompt is empty: give one such as 'ROMEO:'": (
        lambda: text.continued(None, "", recipes.Sampling())
    ),
    "papers must be numbers from 0 to 2707, such as 17,42, got 'ten'": lambda: graph.looked_up(None, "ten", recipes.Sampling()),
    "papers must be numbers from 0 to 2707, got 2708": lambda: graph.looked_up(None, "1,2708", recipes.Sampling()),
    "the amount of weight_decay must be a positive number, got -1": lambda: lg.weight_decay(-1),
}


@pytest.mark.parametrize("told", REFUSED)
def test_what_a_recipe_cannot_do_is_said(told):
    with pytest.raises(lg.LensgradError) as refused:
        REFUSED[told]()
    assert str(refused.value) == told


def test_weight_decay_adds_the_gradient_of_its_penalty_before_the_optimizer():
    data = {"x": np.array([[1.0, 2.0]]), "y": np.array([[1.0]])}
    decayed = {lg.weights: lg.sgd(0.1), "weight": lg.chain(lg.weight_decay(0.5), lg.sgd(0.1))}
    learner = lg.supervised(lg.dense(2, 1, dtype="float64"), lg.half_squared_error, decayed)
    start = {"weight": np.array([[1.0, -1.0]]), "bias": np.array([0.0])}
    after = learner.fit(data, epochs=1, batch_size=1, start=start, progress=False).values
    off = start["weight"] @ data["x"][0] - 1.0
    np.testing.assert_allclose(after["weight"], start["weight"] - 0.1 * (off[:, None] * data["x"] + 0.5 * start["weight"]), rtol=1e-15)
    np.testing.assert_allclose(after["bias"], -0.1 * off, rtol=1e-15)
