"""Costs from types alone, beside what JAX's compiler counts in networks written for it, and what NumPy holds."""

import re
import tracemalloc
from itertools import product

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.backends import numpy as backend
from lensgrad.core.diagram import Definition, Diagram
from lensgrad.core.op import generator
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.program.costs import COSTS, each_node, flops, met
from lensgrad.program.layer_costs import amount
from lensgrad.program.liveness import peak
from lensgrad.program.phases import Phase, phases
from lensgrad.testing.cases import cases_of, generators, named
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.pointwise import Mul, Pointwise

N = 16
PEAK = 2.0  # the factor within which a peak is estimated, for NumPy
COMPILED = 4.0  # and for JAX's compiler, which fuses what it can and lays convolutions out anew


def spent(step, *kinds):
    return sum(c for k, c in zip(phases(step), each_node(step.diagram), strict=True) if k in kinds)


# -- the table ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", [c for c in generators() if c is not Definition], ids=named)
def test_every_generator_has_a_cost(cls):
    case = cases_of(cls)[0]
    assert cls in COSTS and flops(Diagram.of(case.op, Ty(case.dom))) >= 0


def test_a_line_more_is_another_table():
    f = trace(lambda x: x * x, lg.Real(3))
    assert flops(f) == 3 and flops(f, COSTS.extended({Mul: lambda use: 10 * use.written})) == 30


@pytest.mark.parametrize(
    ("f", "objects", "wanted"),
    [
        (lambda x, y: x @ y, [(3, 4), (4, 5)], 2 * 3 * 4 * 5),
        (lambda x: ops.sum_over(x, (0,)), [(3, 4)], 12),
        (lambda x: ops.exp(x) + 1.0, [(7,)], 14),
        (lambda x: ops.transpose(x), [(3, 4)], 0),
    ],
    ids=["product", "sum", "pointwise", "transpose"],
)
def test_what_simple_arrows_cost(f, objects, wanted):
    assert flops(trace(f, *(lg.Real(*s) for s in objects))) == wanted


def test_a_convolution_counts_the_pixels_that_there_are():
    same, valid = (lg.sequential(lg.input(5, 5, 1), lg.conv2d(2, kernel=3, padding=p, use_bias=False)) for p in ("same", "valid"))
    assert flops(valid.arrow) == 2 * 9 * 9 * 2
    assert flops(same.arrow) == 2 * (3 * 5 - 2) ** 2 * 2  # two of the 15 pairs of a place and a row of the kernel lie outside


@pytest.mark.parametrize("image", [1, 5, 12])
def test_pairs_of_a_window_and_an_image_are_counted(image):
    for size, stride, dilation, before, after in product((1, 3, 6), (1, 2, 3), (1, 3), (0, 2, 7), (0, 4)):
        starts = range(-before, image + after - (size - 1) * dilation, stride)
        wanted = sum(0 <= start + k * dilation < image for start in starts for k in range(size))
        assert met(image, size, stride, dilation, (before, after)) == wanted


def test_a_loop_costs_its_body_at_each_step():
    one, five = (flops(lg.sequential(lg.input(n, 3), lg.simple_rnn(4)).arrow) for n in (1, 5))
    assert one > 0 and abs(five - 5 * one) <= 4 * one * 0.2


# -- beside JAX's compiler ---------------------------------------------------------------------------------------------


def jax_twins():
    jax = pytest.importorskip("jax")
    jnp, nn = jax.numpy, jax.nn

    def entropy(z, y):
        return -jnp.mean(jnp.sum(nn.log_softmax(z) * nn.one_hot(y, z.shape[-1]), -1))

    def mlp(w, x, y):
        h = jnp.tanh(nn.relu(x @ w[0].T + w[1]) @ w[2].T + w[3])
        return entropy(h @ w[4].T + w[5], y)

    def conv(x, k):
        return jax.lax.conv_general_dilated(x, k, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))

    def cnn(w, x, y):
        h = nn.relu(conv(nn.relu(conv(x, w[0]) + w[1]), w[2]) + w[3])
        h = jax.lax.reduce_window(h, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
        return entropy(h.reshape(len(x), -1) @ w[4].T + w[5], y)

    def norm(x, scale, shift):
        d = x - x.mean(-1, keepdims=True)
        return d / jnp.sqrt((d * d).mean(-1, keepdims=True) + 1e-5) * scale + shift

    def transformer(w, x, y):
        h = norm(x, w[0], w[1])
        q, k, v = ((h @ w[i].T + w[i + 1]).reshape(*x.shape[:2], 4, -1) for i in (2, 4, 6))
        seen = nn.softmax(jnp.einsum("bthd,bshd->bhts", q, k) / jnp.sqrt(q.shape[-1] * 1.0))
        x = x + jnp.einsum("bhts,bshd->bthd", seen, v).reshape(x.shape) @ w[8].T + w[9]
        h = norm(x, w[10], w[11]) @ w[12].T + w[13]
        h = h * 0.5 * (1.0 + jax.lax.erf(h * 0.5**0.5))
        x = x + h @ w[14].T + w[15]
        return entropy(x.reshape(len(x), -1) @ w[16].T + w[17], y)

    return {"mlp": mlp, "cnn": cnn, "transformer": transformer}


NETWORKS = {
    "mlp": lg.sequential(lg.input(64), lg.dense(128, "relu"), lg.dense(128, "tanh"), lg.dense(10)),
    "cnn": lg.sequential(
        lg.input(20, 20, 3),
        lg.conv2d(16, kernel=3, activation="relu", padding="same"),
        lg.conv2d(16, kernel=3, activation="relu", padding="same"),
        lg.max_pool2d(2),
        lg.flatten(),
        lg.dense(10),
    ),
    "transformer": lg.sequential(lg.input(32, 64), lg.transformer_block(4), lg.flatten(), lg.dense(10)),
}


def compiled(name):
    """The gradient of a network written for JAX, as its compiler compiles it."""
    twin, jax = jax_twins()[name], pytest.importorskip("jax")
    model = NETWORKS[name]
    weights = [jax.ShapeDtypeStruct(p.ob[0].shape, "float32") for p in model.params]
    data = jax.ShapeDtypeStruct((N, *model.dom[0].shape), "float32"), jax.ShapeDtypeStruct((N,), "int32")
    return jax.jit(jax.value_and_grad(twin)).lower(weights, *data).compile()


def learner(name):
    return lg.supervised(NETWORKS[name], lg.cross_entropy, lg.sgd(0.1))


@pytest.mark.parametrize("name", NETWORKS)
def test_operations_are_those_that_the_compiler_counts(name):
    ours = spent(learner(name).step(N), Phase.FORWARD, Phase.BACKWARD)
    theirs = compiled(name).cost_analysis()["flops"]
    assert abs(ours / theirs - 1) <= 0.02, (ours, theirs)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_layers_of_a_model_add_up_to_the_step(name):
    """The table is for one example; a step shares little between them, and adds a loss."""
    total = next(line for line in str(lg.summary(NETWORKS[name])).splitlines() if line.startswith("total"))
    forward, back = numbers(total)
    step = learner(name).step(N)
    assert abs(N * forward / spent(step, Phase.FORWARD) - 1) < 0.02 and abs(N * back / spent(step, Phase.BACKWARD) - 1) < 0.02


def numbers(total):
    """Forward and backward of the last line of a table."""
    cells = [c.strip() for c in total.split("  ") if c.strip()]
    return [float(c.replace(",", "").replace(" M", "e6").replace(" G", "e9")) for c in cells[-3:-1]]


# -- memory ------------------------------------------------------------------------------------------------------------


def held(step, values, data):
    """The most bytes that a step holds beside its inputs in NumPy."""
    inputs = step.taken({**values, **data})
    step.run(inputs)
    tracemalloc.start()
    step.run(inputs)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


@pytest.mark.parametrize("name", NETWORKS)
def test_the_peak_is_what_numpy_holds_within_a_factor(name):
    made = learner(name)
    rng, shape = np.random.default_rng(0), NETWORKS[name].dom[0].shape
    data = {"x": rng.normal(size=(N, *shape)).astype("float32"), "y": rng.integers(0, 10, N).astype("int32")}
    step = made.step(N, "numpy")
    measured = held(step, made.initial(0), data)
    assert 1 / PEAK <= peak(step.diagram) / measured <= PEAK, (peak(step.diagram), measured)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_peak_is_what_the_compiler_plans_within_a_factor(name):
    plan = compiled(name).memory_analysis()
    theirs = plan.temp_size_in_bytes + plan.output_size_in_bytes
    ours = peak(learner(name).step(N).diagram)
    assert 1 / COMPILED <= ours / theirs <= COMPILED, (ours, theirs)


def test_a_wire_lives_until_it_is_last_read_and_views_hold_what_they_show():
    chain = trace(lambda x: ops.exp(ops.exp(ops.exp(ops.exp(x)))), lg.Real(1000))
    assert peak(chain) == 8000
    shown = trace(lambda x: ops.transpose(ops.exp(x)) * 2.0, lg.Real(10, 100))
    assert peak(shown) == 12_000  # e to the x, the constant of the formula, and the product


def test_what_runs_lets_go_of_what_nobody_reads_again():
    chain = trace(lambda x: ops.exp(ops.exp(ops.exp(ops.exp(x)))), lg.Real(100_000))
    call, x = backend.function(chain), np.zeros(100_000, "float32")
    tracemalloc.start()
    call(x)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 1_000_000  # two of the four arrays at once
    assert "del" not in backend.source(chain)


# -- what people read --------------------------------------------------------------------------------------------------


def test_the_summary_of_a_learner_says_what_a_step_costs():
    model = lg.sequential(lg.input(4), lg.dense(8, "relu", name="hidden"), lg.dense(3, name="out"))
    made = lg.supervised(model, lg.cross_entropy, lg.adam(0.01))
    text = str(made.summary(16))
    assert text.startswith(str(lg.summary(model)))
    step = made.step(16)
    forward, back, update = (spent(step, k) for k in Phase)
    told = f"{forward + back + update:,} operations (forward {forward:,}, backward {back:,}, update {update:,})"
    assert f"a step on 16 examples: {told}" in text and "a step on one example: " in made.summary()
    assert f"weights and states {3 * 67 * 4 + 4 * 4:,}, data {16 * 4 * 4 + 16 * 4:,}, kept for backward " in text


def test_the_summary_in_a_notebook_is_a_table_and_names_stay_text():
    model = lg.sequential(lg.input(4), lg.dense(2, name="<script>a&b"))
    html = lg.summary(model)._repr_html_()
    assert "<script>" not in html and "&lt;script&gt;a&amp;b" in html and html.count("<tr>") == 5


def test_a_cell_that_is_empty_is_one_in_a_notebook_too():
    model = lg.sequential(lg.input(8, 8, 1), lg.max_pool2d(2), lg.flatten(), lg.dense(2, name="out"))
    html = lg.summary(model)._repr_html_()
    assert "<tr><td>max_pool2d</td><td>f32[4,4,1]</td><td></td><td></td><td>64</td>" in html
    assert "<tr><td>total</td><td></td><td>34</td>" in html
    assert all(row.count("<td>") == 7 for row in html.split("<tr>")[1:])


def test_a_long_name_leaves_room_for_figures():
    model = lg.sequential(lg.input(4), lg.dense(2, name="a" * 150 + "z"))
    text = lg.summary(model)
    assert f"{'a' * 20}…{'a' * 38}z" in text and max(map(len, text.splitlines())) < 150 and "a" * 150 + "z/weight" in text._repr_html_()


def test_what_has_no_way_back_is_told_so():
    model = lg.sequential(lg.input(4), lg.dense(2), lambda x: ops.cast(ops.argmax(x), "float32"))
    assert "total" in lg.summary(model)


@generator
class Cube(Pointwise):
    """x³ : A → A, a generator of a user's own, without a way back."""


def test_a_generator_of_ones_own_counts_as_an_elementwise_function():
    f = trace(lambda x: Cube()(x) + x, lg.Real(5))
    assert flops(f) == 10 and "none" not in lg.summary(f)
    model = lg.sequential(lg.input(4), lg.dense(2, name="first"), lambda x: Cube()(x))
    assert re.search(r"first +f32\[2\] +10 +40 ", lg.summary(model)) and re.search(r"function +f32\[2\] +2 +none", lg.summary(model))


def test_amounts_are_short():
    assert [amount(n) for n in (0, 9_999_999, 12_345_678, 3_210_000_000, 5 * 10**12)] == ["0", "9,999,999", "12.3 M", "3.21 G", "5 T"]


def test_the_style_of_a_summary_is_of_its_own_table_only():
    html = lg.summary(lg.sequential(lg.input(4), lg.dense(2)))._repr_html_()
    style = html[html.index("<style>") + 7 : html.index("</style>")]
    assert html.startswith('<div class="lensgrad-summary">') and all(
        r.strip().startswith(".lensgrad-summary ") for r in style.split("}") if r
    )
