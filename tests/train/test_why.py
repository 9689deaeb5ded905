"""`lg.why` names planted faults, says that nothing is wrong where nothing is, and shows each fault with NumPy alone."""

import subprocess
import sys

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.backends.engine import backend
from lensgrad.core.errors import BadValue, NoRule, TypeMismatch, UnknownParameter
from lensgrad.core.op import generator
from lensgrad.theories.smooth.pointwise import Pointwise
from lensgrad.train.wires import wires_of
from tools import why as planted

NUMBERS = {"dead_relu", "saturated_sigmoid", "log_of_zero", "root_at_zero", "overflow_of_an_own_softmax", "division_by_a_norm_of_zero"}
NUMBERS |= {"log_of_zero_in_a_loop", "saturated_recurrence"}


@pytest.mark.parametrize("name", planted.PLANTED)
def test_the_planted_fault_is_named(name):
    found = planted.said(name)
    assert (found.cause, found.place, found.generator) == planted.PLANTED[name][1]
    assert found.healthy == (found.cause == "healthy") and found.verdict in str(found)


def test_there_are_faults_of_twenty_kinds_and_a_healthy_control():
    kinds = [wanted[0] for _, wanted in planted.PLANTED.values()]
    assert len([k for k in kinds if k != "healthy"]) >= 20 and kinds.count("healthy") >= 1


@pytest.mark.parametrize("name", sorted(NUMBERS))
def test_the_reproduction_shows_the_fault_with_numpy_alone(name, tmp_path):
    found = planted.said(name)
    file = tmp_path / "fault.py"
    file.write_text(found.reproduction, encoding="utf-8")
    block = "import sys; sys.modules['lensgrad'] = None; import runpy; runpy.run_path(sys.argv[1])"
    out = subprocess.run([sys.executable, "-c", block, str(file)], capture_output=True, text=True, check=True).stdout
    wrong = ("0." if found.cause in ("dead", "saturated") else "inf", "nan")
    assert any(w in out for w in wrong), out


def test_a_reproduction_of_many_numbers_holds_them_too():
    made = planted.classifier(planted.own(lambda x: planted.ops.log(planted.ops.softmax(x) - 2.0), "own"))
    x, y = np.ones((200, 4), "float32"), np.zeros(200, "int32")
    found = lg.why(made, made.initial(0), (x, y), "first/weight")
    names = dict[str, object]()
    exec(found.reproduction, names)
    with np.errstate(invalid="ignore"):
        assert found.generator == "Log" and np.isnan(names["part"](names["x0"])[0]).all()


def test_the_guilty_part_is_told_with_its_values():
    found = planted.said("dead_relu")
    assert "reads act/add : f32[16,8], from -102.3 to -97.86; flowing back: 0 everywhere" in found.parts
    assert found.parts[0] == "Select in act/relu" and "<pre>" in found._repr_html_()


def test_a_gradient_that_fades_is_told_with_its_size_on_the_way():
    found = planted.said("fading_in_a_deep_stack")
    start = "the gradient fades on its way back through 61 layers: 0.029 at last, "
    assert found.verdict.startswith(start) and " at layer40, " in found.verdict and found.verdict.endswith("another scale")
    assert planted.said("fading_beyond_the_smallest_number").verdict.count(", and 0 at its end; most of all in layer") == 1


def test_a_fault_in_a_loop_is_told_with_its_step_and_the_wires_of_its_body():
    found = planted.said("saturated_recurrence")
    assert "this happens in step 30 of 30 of the loop in memory" in found.verdict
    assert found.parts[0] == "Tanh in memory/loop" and found.parts[1].startswith("reads memory/loop/add : f32[16,8], from 4")
    found = planted.said("overflow_of_a_recurrence")
    assert "step 11 of 30" in found.verdict and any(p.startswith("reads memory/loop/carry : f32[16,8]") for p in found.parts)


def test_a_name_in_the_text_is_text_in_a_notebook():
    model = lg.sequential(lg.input(4), lg.dense(3, name="<b>"))
    made = lg.supervised(model, lg.cross_entropy, lg.sgd(0.1))
    html = lg.why(made, made.initial(0), planted.data(), "<b>/weight")._repr_html_()
    assert "<b>" not in html and "&lt;b&gt;" in html


@generator
class Reciprocal(Pointwise):
    """1 / x : A → A, a generator of a user's own."""

    def reverse(self, x, dy):
        y = self(x)
        return -(dy * y * y)


def test_generators_of_ones_own_have_their_meaning_in_a_backend():
    made = planted.classifier(planted.own(lambda x: Reciprocal()(x), "mine"))
    values = planted.changed(made, first__weight=0.0)
    with pytest.raises(NoRule):
        lg.why(made, values, planted.data(), "first/weight")
    found = lg.why(made, values, planted.data(), "first/weight", backend=backend("numpy").extended({Reciprocal: "1.0 / {0}"}))
    assert (found.place, found.generator) == ("mine", "Reciprocal") and "1.0 / x0" in found.reproduction


def test_without_a_name_the_first_weight_with_trouble_is_told():
    learner, values, batch, _ = planted.dead_relu()
    assert lg.why(learner, values, batch).about == "act/weight"


def test_something_reported_may_be_asked_for():
    learner, values, batch, _ = planted.log_of_zero()
    assert lg.why(learner, values, batch, "loss").generator == "Log"


def test_a_wrong_name_gets_the_nearest():
    learner, values, batch, _ = planted.healthy_network()
    with pytest.raises(UnknownParameter, match="no weight is called 'first/weigth': did you mean 'first/weight'"):
        lg.why(learner, values, batch, "first/weigth")


@pytest.mark.parametrize("optimizer", [lg.sgd(0.05, momentum=0.9), lg.adam(0.01)], ids=["momentum", "adam"])
def test_good_training_is_healthy_though_momentum_raises_the_loss_of_a_batch(optimizer):
    train, _ = lg.data.split(lg.data.iris(), 0.5, seed=0)
    model = lg.sequential(lg.input(4), lg.dense(16, "relu", name="a"), lg.dense(3, name="b"))
    run = lg.supervised(model, lg.cross_entropy, optimizer).fit(train, epochs=150, batch_size=25, seed=0, progress=False, backend="numpy")
    assert lg.why(run.learner, run.values, (train.x, train.y)).healthy


def test_a_loss_over_bits_is_refused():
    circuit = lg.supervised(lg.lookup(2), loss=lg.xor, optimizer=lg.ascent, rate=lg.echo)
    bits = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    with pytest.raises(TypeMismatch, match=r"lg.why follows gradients of a real loss, and the loss of this learner is of Z2\[1\]"):
        lg.why(circuit, circuit.initial(0), (bits, bits[:, :1]))
    with pytest.raises(UnknownParameter, match="no gradient flows back at 'table', nor at anything else here"):
        wires_of(circuit, circuit.initial(0), (bits, bits[:, :1])).cotangent["table"]


@pytest.mark.parametrize(
    ("call", "kind", "told"),
    [
        (lambda made: lg.why(3, {}, {}), TypeMismatch, "learner must be a learner, as lg.supervised makes it, got 3"),
        (lambda made: lg.why(made, 3, {}), TypeMismatch, "values must be a dict by name, as run.values is, got 3"),
        (lambda made: lg.why(made, {}, (np.ones((0, 4)), np.ones(0))), BadValue, "there is no data: every array has 0 examples, "),
        (lambda made: lg.why(made, made.initial(0), np.ones(3)), BadValue, "data is a pair (x, y), a dict of arrays by name, "),
    ],
    ids=["learner", "values", "empty", "array"],
)
def test_what_is_wrong_gets_a_sentence(call, kind, told):
    with pytest.raises(kind) as error:
        call(planted.classifier())
    assert str(error.value).startswith(told)
