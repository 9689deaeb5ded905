"""What a user is told, in full: every error is a sentence with both types, the user's names, and what to do."""

import subprocess
import sys

import numpy as np
import pytest
from numerics import evaluate
from refusals import told

import lensgrad as lg
from lensgrad.cat.lens import Lens
from lensgrad.core import errors
from lensgrad.core.errors import (
    BadValue,
    LensgradError,
    NameClash,
    NoChange,
    NoRule,
    NotAReverse,
    TypeMismatch,
    UnknownParameter,
    WireError,
)
from lensgrad.core.op import Op, generator
from lensgrad.lens import Diagram, Param, Ty, batch, corner, lens, parametric, rate, trace, two
from lensgrad.theories.poly.circuit import Bits
from lensgrad.theories.poly.semiring import LOGIC
from lensgrad.theories.smooth import ops

X, Y = np.ones((6, 4), np.float32), np.ones((6, 3), np.float32)


def learner(**how):
    return lg.supervised(lg.dense(4, 3, name="out"), how.pop("loss", lg.mse), how.pop("optimizer", lg.descent), rate=0.1, **how)


# -- parameters --------------------------------------------------------------------------------------------------------


def test_an_unknown_parameter_pattern_lists_the_names():
    model = lg.dense(4, 3, name="enc") >> lg.dense(3, 2, name="head")
    names = "enc/weight, enc/bias, head/weight, head/bias"
    assert told(UnknownParameter, lambda: lens(model).reparam({"encoder/**": lg.descent})) == (
        f"no parameter matches 'encoder/**'; use a name of this arrow, or a pattern of some: {names}"
    )


def test_an_optimizer_pattern_that_matches_nothing_is_refused_when_the_learner_is_written():
    assert told(UnknownParameter, lambda: learner(optimizer={"enc/*": lg.descent})) == (
        "no parameter matches 'enc/*'; use a name of this arrow, or a pattern of some: x, out/weight, out/bias, y"
    )


def test_a_second_optimizer_for_the_same_weights_is_refused():
    assert told(BadValue, lambda: learner(optimizer={"out/*": lg.descent, lg.weights: lg.ascent})) == (
        "the optimizer at 'out/*' has no weight left: lg.weights takes what it reaches; leave one of them out"
    )


def test_what_is_no_optimizer_is_refused_when_the_learner_is_written():
    want = "the reparameterization of out/weight must give a parametric arrow I → (f32[3,4], Δf32[3,4])"
    assert told(TypeMismatch, lambda: learner(optimizer=lambda p: 3)) == f"{want}, got 3"
    told_so = "lg.momentum makes an optimizer and is none itself: call it, as in lg.momentum(…)"
    assert told(TypeMismatch, lambda: learner(optimizer=lg.momentum)) == told_so


def test_names_that_clash():
    model = lg.linear(2, 2) >> lg.linear(2, 2) >> parametric([("weight.1", lg.Real(2))], lg.Real(2), lambda w, x: w + x)
    assert told(NameClash, lambda: model.names) == (
        "the name 'weight.1' is given to one parameter and computed for another; rename or scope one of them"
    )


def test_first_values_for_an_unknown_name():
    assert told(UnknownParameter, lambda: learner().fit((X, Y), start={"weight": 0}, progress=False)) == (
        "no parameter is called 'weight'; this learner has: x, out/weight, out/bias, y"
    )
    assert told(TypeMismatch, lambda: learner().fit((X, Y), start={"out/bias": np.zeros((3, 1))}, progress=False)) == (
        "'out/bias' expects f32[3], got an array of shape (3, 1): they differ in axes of length 1, and nothing is broadcast silently; "
        "reshape it to (3,)"
    )


# -- data --------------------------------------------------------------------------------------------------------------


def test_a_column_of_labels_against_a_row():
    one = lg.supervised(lg.dense(4, 1), lg.mse, lg.descent, rate=0.1)
    assert told(TypeMismatch, lambda: one.fit((X, Y[:, 0]), progress=False)) == (
        "'y' has labels of shape (), and the loss takes f32[1] for each example: "
        "give one row for each example, as y[:, None] does for single numbers"
    )
    classes = learner(loss=lg.cross_entropy)
    assert told(TypeMismatch, lambda: classes.fit((X, np.zeros((6, 1), int)), progress=False)) == (
        "'y' has labels of shape (1,), and the loss takes i32[] for each example: take away the last axis with y[..., 0]"
    )


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        ([0, 1, 2, 3, 0, 7], ("0 to 7", "give the last layer 8 outputs, or relabel the data")),
        ([1, 2, 3, 1, 2, 3], ("1 to 3", "use y - 1, or give the last layer 4 outputs")),
        ([-1, 0, 1, 0, 0, 0], ("-1 to 1", "relabel the data")),
    ],
    ids=str,
)
def test_labels_outside_the_classes(labels, text):
    span, fix = text
    for call in (
        lambda: learner(loss=lg.cross_entropy).fit((X, np.array(labels)), progress=False),
        lambda: learner(loss=lg.cross_entropy).fit((X, Y.argmax(1)), epochs=0, progress=False).evaluate((X, np.array(labels))),
    ):
        assert told(BadValue, call) == (f"'y' holds class numbers from {span}, and the model has 3 classes, numbered 0 to 2: {fix}")


def test_labels_that_are_not_whole():
    assert told(BadValue, lambda: learner(loss=lg.cross_entropy).fit((X, np.full(6, 0.5)), progress=False)) == (
        "'y' holds 0.5 in row 0, and class numbers are whole, from 0 to 2: round them, or use a loss of numbers, such as lg.mse"
    )


def test_predict_wants_rows():
    run = learner().fit((X, Y), epochs=0, progress=False)
    assert told(TypeMismatch, lambda: run.predict(X[0])) == "predict expects rows of f32[4], in shape (n, 4), got (4,): one row is x[None]"
    short = told(TypeMismatch, lambda: run.predict(X[:, :2]))
    assert short == "'x' expects f32[6,4], got an array of shape (6, 2): give it in the shape (6, 4)"


def test_a_number_that_is_not_finite_says_where():
    spoiled = X.copy()
    spoiled[4, 1] = np.nan
    assert told(BadValue, lambda: learner().fit((spoiled, Y), batch_size=1, shuffle=False, progress=False)) == (
        "'x' holds nan in row 4, entry 1: training needs finite numbers, so fill it in or leave the row out"
    )


# -- models and losses -------------------------------------------------------------------------------------------------


def test_what_is_no_model_no_loss_no_reduction():
    assert (
        told(TypeMismatch, lambda: lg.supervised(3, lg.mse, lg.descent)) == "a model must be made of layers, such as lg.dense(4, 3), got 3"
    )
    assert told(TypeMismatch, lambda: learner(loss=3)) == "a loss must be a function such as lg.mse, or what it gives, got 3"
    assert told(BadValue, lambda: learner(reduction="avg")) == "'avg' is no reduction; use one of mean, sum"
    assert told(BadValue, lambda: learner(metrics=["acc"])).startswith("'acc' is no metric; use one of accuracy")


def test_a_model_without_an_input_type():
    assert told(TypeMismatch, lambda: lg.supervised(lg.dense(3), lg.mse, lg.descent)) == (
        "the model dense does not say what it takes: begin it with lg.input(…) or give the first layer its input size"
    )


def test_a_dtype_that_there_is_not():
    for call in (lambda: lg.dense(4, 3, dtype="half"), lambda: lg.Real(3, dtype="half")):
        assert told(BadValue, call) == "'half' is no dtype here; use one of float32, float64, bfloat16, float16, int32, uint8, uint32, bool"
    assert told(BadValue, lambda: lg.Real(-1)) == "a shape must be made of whole numbers ≥ 0, got (-1,)"
    assert told(BadValue, lambda: lg.Bits(-1)) == "a vector must have a whole number of elements ≥ 0, got -1"


# -- traced functions --------------------------------------------------------------------------------------------------


def test_if_on_a_wire():
    def leaky(x):
        if x > 0.0:
            return x
        return x * 0.1

    wanted = "so `if`, `while`, `and` and `or` cannot read it; write select(condition, a, b) to choose between two wires"
    assert told(WireError, lambda: trace(leaky, lg.Real())) == (f"this wire (bool[]) has no value while the function is traced, {wanted}")
    assert told(WireError, lambda: trace(lambda x: x if x == 0.0 else -x, lg.Real())).startswith("this wire (bool[]) has no value")
    assert told(WireError, lambda: trace(lambda x: x if x != 0.0 and x < 1.0 else -x, lg.Real())).startswith("this wire (bool[])")


def test_nothing_is_broadcast():
    assert told(TypeMismatch, lambda: trace(lambda x, y: x + y, lg.Real(3), lg.Real(3, 1))) == (
        "Add expects equal types, got f32[3] and f32[3,1]: spread or reshape one of them; nothing is broadcast silently"
    )
    assert told(TypeMismatch, lambda: trace(lambda x, y: x + y, lg.Real(3), lg.Real(3, dtype="float64"))) == (
        "Add expects equal types, got f32[3] and f64[3]: cast one of them"
    )


def test_an_array_inside_a_traced_function():
    given = "'*' must be applied to wires of a traced function, got ndarray array([1., 1., 1.])"
    text = f"{given}: make it an argument or a parameter, or ask lg.evaluate(…) for numbers"
    assert told(WireError, lambda: trace(lambda x: x * np.ones(3), lg.Real(3))) == text
    assert told(WireError, lambda: trace(lambda x: np.ones(3) * x, lg.Real(3))) == text


def test_wires_are_indexed_inside_their_bounds():
    assert told(WireError, lambda: trace(lambda x: x[3], lg.Real(3))) == "index 3 is outside an axis of 3 in f32[3]"
    assert told(WireError, lambda: trace(lambda x: x[3], lg.Bits(3))) == (
        "a wire of type Z2[3] must be indexed by whole numbers and slices inside it, got 3"
    )


# -- calculus: the failure conditions of the papers ----------------------------------------------------------------------


@generator
class Quantize(Op):
    """ℝⁿ → ℝⁿ, without a reverse rule."""

    def type(self, *dom):
        return Ty(dom)


def test_a_missing_reverse_rule_names_the_generator_and_its_layer():
    model = lg.dense(4, 3, name="enc") >> trace(lambda x: Quantize()(x), lg.Real(3)).define("rounding") >> lg.mse("y")
    assert told(NoRule, lambda: (lens(corner(lg.Real(4), "x") >> model) >> rate(0.1)).reparam({lg.weights: lg.descent})) == (
        "Quantize in rounding has no reverse derivative, and a gradient has to pass through it: give class Quantize a method "
        "`reverse` (or `adjoint` if it is linear), or keep weights out of its inputs"
    )


def test_a_missing_batching_rule_names_the_generator():
    model = lg.dense(4, 3) >> trace(lambda x: Quantize()(x), lg.Real(3))
    assert told(NoRule, lambda: batch(model, 2)) == (
        "Quantize has no batching rule: give class Quantize a method `batch`, or keep it out of the arrow"
    )


def test_a_missing_meaning_names_the_generator():
    f = trace(lambda x: Quantize()(x), lg.Real(3))
    assert told(NoRule, lambda: evaluate(f, [1, 2, 3])) == "Quantize has no meaning in the NumPy backend"


def test_descent_where_changes_have_no_negatives():
    circuit = parametric([Param("table", Bits(4, LOGIC), init=lg.zeros(Bits(4, LOGIC)))], Bits(4, LOGIC), lambda t, x: t * x + x)
    text = "OR/AND has no negatives, so nothing can be subtracted in OR/AND[4]: there is no descent here, use `ascent`"
    assert told(NoChange, lambda: lg.supervised(circuit, lg.xor, lg.descent, rate=lg.echo)) == text
    assert lg.supervised(circuit, lg.xor, lg.ascent, rate=lg.echo).lens().names == ("x", "table", "y")


def test_a_lens_without_additive_backward_is_no_reverse_derivative():
    weight = Param("w", two(lg.Real(3)))
    why = "its backward part is not additive in what comes back, as learning rates and optimizers are; use its get and put instead"
    assert told(NotAReverse, lambda: lg.descent(weight).arrow.primal) == (
        f"descent : (f32[3], f32[3]) → (f32[3], Δf32[3]) is not the reverse derivative of an arrow: {why}"
    )
    assert told(NotAReverse, lambda: rate(0.1).at(two(lg.Real())).arrow.primal) == (
        f"rate(0.1) : (f32[], Δf32[]) → I is not the reverse derivative of an arrow: {why}"
    )
    squared = trace(lambda x, d: d * d, lg.Real(), lg.Real())
    by_hand = Lens(two(lg.Real()), two(lg.Real()), Diagram.id(lg.Real()), squared)
    assert told(NotAReverse, lambda: by_hand.primal) == (
        f"this lens : (f32[], Δf32[]) → (f32[], Δf32[]) is not the reverse derivative of an arrow: {why}"
    )


def test_dreaming_of_an_input_without_structure():
    embedded = parametric([("table", lg.Real(10, 3))], lg.Int(4), lambda table, tokens: ops.take(table, tokens))
    score = lens(corner(lg.Int(4), "tokens") >> embedded >> ops.total) >> rate(0.1)
    assert told(NoChange, lambda: score.reparam({"tokens": lg.ascent})) == (
        "ascent cannot move 'tokens': i32[4] has no changes, so no gradient ever reaches it; embed it into an array of floats first "
        "and learn that one"
    )


def test_an_optimizer_on_an_arrow_without_a_way_back():
    assert told(TypeMismatch, lambda: lg.dense(4, 3, name="out").reparam({lg.weights: lg.descent})) == (
        "descent moves the weights of a lens, and 'out/weight' : f32[3,4] has no way back: write lens(…) first"
    )


def test_a_rate_of_numbers_for_a_loss_of_bits():
    text = "rate(0.1) cannot answer a loss of type Z2[1]: it is for losses of floats; over bits use echo"
    assert told(NoChange, lambda: lg.supervised(lg.lookup(2), lg.xor, lg.ascent, rate=0.1)) == text


# -- what is not installed ---------------------------------------------------------------------------------------------

WITHOUT = """
import sys
sys.modules["jax"] = None
import numpy as np
import lensgrad as lg
learner = lg.supervised(lg.dense(2, 1), lg.mse, lg.descent, rate=0.1)
try:
    learner.fit((np.zeros((4, 2)), np.zeros((4, 1))), backend="jax", progress=False)
except lg.LensgradError as error:
    print(type(error).__name__, isinstance(error, ImportError), error, sep="|")
"""


def test_a_missing_extra_says_what_to_install():
    ran = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True)
    assert (ran.stderr, ran.stdout) == (
        "",
        "MissingExtra|True|the JAX backend needs JAX, which is not installed: pip install 'lensgrad[jax]'\n",
    )


# -- errors themselves -------------------------------------------------------------------------------------------------


def test_every_error_is_one_of_the_library_and_one_of_python():
    kinds = [v for v in vars(errors).values() if isinstance(v, type) and issubclass(v, LensgradError) and v is not LensgradError]
    assert len(kinds) >= 9
    for kind in kinds:
        assert len(kind.__bases__) == 2 and kind.__bases__[0] is LensgradError and kind.__bases__[1] is not Exception, kind


def test_a_lookup_error_prints_without_quotes():
    assert str(UnknownParameter("no parameter")) == "no parameter"


def test_the_place_told_is_the_innermost_line_outside_the_library():
    def build():
        return lg.dense(3, 3)

    at = build.__code__.co_firstlineno + 1
    assert build().piece.where == f"test_errors.py:{at}"
