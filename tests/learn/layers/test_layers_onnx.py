"""Every layer as an ONNX graph: its value, its reverse derivative, and its predict form for any number of examples, in float64."""

import numpy as np
import pytest
from layer_checks import CASES, inputs

from lensgrad.backends import numpy as backend
from lensgrad.cat.reverse import R
from lensgrad.learn.batching import batch
from lensgrad.learn.predict import predict
from lensgrad.testing.samples import positive

pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

from lensgrad.interchange.onnx.writing.proto import message  # noqa: E402
from lensgrad.interchange.onnx.writing.sizes import for_any  # noqa: E402
from lensgrad.interchange.onnx.writing.write import as_program, net  # noqa: E402


def session(made):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(message(made, "layer"), options, providers=["CPUExecutionProvider"])


def same(made, f, xs):
    """Whether onnxruntime gives what NumPy does."""
    found = made.run(None, {i.name: x for i, x in zip(made.get_inputs(), xs, strict=True)})
    for ours, theirs in zip(backend.function(f)(*xs), found, strict=True):
        np.testing.assert_allclose(theirs, ours, rtol=1e-11, atol=1e-12)


def more(atoms, start):
    """Values for inputs behind those that there are."""
    rng = np.random.default_rng(2)
    return [*start, *(positive(rng, a) for a in [*atoms][len(start) :])]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_layer_and_its_reverse_derivative_are_the_same_in_onnxruntime(case):
    f = case.layer()
    pulled = R(f.arrow)
    same(session(net(as_program(f.arrow), {})), f.arrow, inputs(f))
    same(session(net(as_program(pulled), {})), pulled, more(pulled.dom, inputs(f)))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_one_file_predicts_for_any_number_of_examples(case):
    f = predict(case.layer())
    made = session(for_any(lambda n: net(as_program(batch(f, n).arrow), {})))
    for n in (1, 3):
        many = batch(f, n).arrow
        same(made, many, more(many.dom, []))
