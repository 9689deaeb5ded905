"""What holds for every layer: gradients by differences, the batch law, names, one box, and one arrow for both modes."""

import numpy as np
import pytest
from layer_checks import CASES, by_differences, cotangents, gradients, inputs, outputs, rows_of

from lensgrad.core.diagram import Diagram
from lensgrad.learn.batching import batch
from lensgrad.learn.predict import predict

every = pytest.mark.parametrize("case", CASES, ids=str)


@every
def test_gradients_are_those_of_differences(case):
    f = case.layer()
    xs, dys = inputs(f), cotangents(f)
    for which, found in gradients(f, xs, dys).items():
        np.testing.assert_allclose(found, by_differences(f, xs, dys, which), rtol=1e-6, atol=1e-7)


@every
def test_a_batch_is_its_examples_one_by_one(case):
    f = case.layer()
    many = batch(f, 3)
    xs, dys = inputs(many), cotangents(many)
    together = outputs(many, xs)
    alone = [outputs(f, rows_of(f, xs, k)) for k in range(3)]
    for found, examples in zip(together, zip(*alone, strict=True), strict=True):
        np.testing.assert_allclose(found, np.stack(examples), rtol=1e-12, atol=1e-13)
    each = [gradients(f, rows_of(f, xs, k), [dy[k] for dy in dys]) for k in range(3)]
    held = len(f.arrow.dom) - len(f.dom)
    for which, found in gradients(many, xs, dys).items():
        examples = [e[which] for e in each]
        np.testing.assert_allclose(found, np.sum(examples, 0) if which < held else np.stack(examples), rtol=1e-11, atol=1e-12)


@every
def test_a_name_stands_before_every_parameter(case):
    plain, named = case.layer(), case.layer("inner")
    assert [p.label for p in named.params] == [f"inner/{p.label}" for p in plain.params]
    assert [str(n.op) for n in named.arrow.nodes] == ["inner"]
    assert len(plain.arrow.nodes) == 1


@every
def test_a_layer_without_modes_predicts_as_it_trains(case):
    f = case.layer()
    assert predict(f) == f


@every
def test_first_values_have_the_types_of_their_weights(case):
    for p in case.layer().params:
        assert isinstance(p.init, Diagram) and p.init.cod == p.ob
