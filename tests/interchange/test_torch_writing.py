"""Models as modules of PyTorch: what they give, what they are called, and training there."""

import copy

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.cat.names import Role
from lensgrad.core.errors import NameClash, TypeMismatch, UnknownParameter
from lensgrad.learn.batching import batch
from lensgrad.learn.model import parametric
from lensgrad.program.values import initial

torch = pytest.importorskip("torch", reason="PyTorch is the oracle of these tests: pip install 'lensgrad[torch]'")
DRAWS = np.random.default_rng(0)


def real(*shape):
    return lg.input(*shape, dtype="float64")


MODELS = {
    "dense": lambda: lg.sequential(real(4), lg.dense(5, activation="tanh"), lg.dropout(0.5), lg.dense(3)),
    "convolutions": lambda: lg.sequential(
        real(6, 6, 2),
        lg.conv2d(4, 3, padding="same"),
        lg.batch_norm(),
        lg.relu,
        lg.max_pool2d(2),
        lg.conv_transpose(2, 2, stride=2),
        lg.flatten,
    ),
    "recurrent": lambda: lg.sequential(real(5, 3), lg.lstm(4), lg.gru(3, last=True, backward=True)),
    "transformer": lambda: lg.sequential(
        real(5, 4), lg.transformer_block(2, causal=True, rotary=True), lg.layer_norm(), lg.global_average_pool()
    ),
    "words": lambda: lg.sequential(lg.input(5, dtype="int32"), lg.embedding(7, 4, dtype="float64"), lg.group_norm(2), lg.unembed(7)),
}


def made(name):
    model = lg.predict(MODELS[name]())
    values = {n: v + 0.1 if v.dtype == np.float64 else v for n, v in initial(model.params, 1).items()}
    x = DRAWS.integers(0, 7, (3, 5)) if name == "words" else DRAWS.standard_normal((3, *model.dom[0].shape))
    return model, values, x


@pytest.mark.parametrize("name", MODELS)
def test_a_module_gives_what_the_model_predicts_and_comes_back(name):
    torch.set_num_threads(1)
    model, values, x = made(name)
    net = lg.to_torch(MODELS[name](), values)
    wanted = lg.evaluate(batch(model, 3), x, values=values)
    given = torch.tensor(x)
    np.testing.assert_allclose(net(given).detach().numpy(), wanted, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(copy.deepcopy(net)(given[:1]).detach().numpy(), wanted[:1], rtol=1e-12, atol=1e-12)
    assert {*net.state_dict()} == {n.replace("/", ".") for n in model.names}
    trained = {n.replace("/", ".") for n, p in zip(model.names, model.params, strict=True) if p.role is Role.WEIGHT}
    assert {n for n, _ in net.named_parameters()} == trained
    again, back = lg.from_torch(net, given)
    assert {n.replace("/", ".") for n in back} == {*net.state_dict()}
    np.testing.assert_allclose(lg.evaluate(batch(again, 3), x, values=back), wanted, rtol=1e-12, atol=1e-12)


def test_pytorch_trains_it_as_we_do():
    model = MODELS["dense"]()
    x, y = DRAWS.standard_normal((6, 4)), DRAWS.standard_normal((6, 3))
    learner = lg.supervised(lg.predict(model), lg.mse, lg.sgd(0.1))
    start = learner.initial(0)
    run = learner.fit(x, y, epochs=5, batch_size=6, start=start, progress=False)
    net = lg.to_torch(lg.predict(model), start)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    for _ in range(5):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(net(torch.tensor(x)), torch.tensor(y)).backward()
        optimizer.step()
    assert [*net.state_dict()] == ["weight.0", "weight.1", "bias.0", "bias.1"]
    for name, tensor in net.state_dict().items():
        np.testing.assert_allclose(tensor.numpy(), run.values[name], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(lg.to_torch(run)(torch.tensor(x)).detach().numpy(), run.predict(x), rtol=1e-12)


def test_several_inputs_and_outputs():
    dom = lg.Real(2) @ lg.Real(2)
    model = parametric([("w", lg.Real(2))], dom, lambda w, ab: (ab[0] * w + ab[1], ab[0].sum()))
    net = lg.to_torch(model, {"w": np.array([1.0, 2.0])})
    first, second = net(torch.ones(3, 2), torch.zeros(3, 2))
    assert first.tolist() == [[1.0, 2.0]] * 3 and second.tolist() == [2.0] * 3
    with pytest.raises(TypeMismatch) as error:
        net(torch.ones(3, 2))
    assert str(error.value) == "this module takes f32[2] × f32[2], 2 tensors with an axis of examples in front, got 1"
    with pytest.raises(TypeMismatch) as error:
        net(torch.ones(3, 2), torch.ones(2))
    assert str(error.value) == ("this module takes f32[2] × f32[2] with an axis of examples in front, got tensors of shapes [3, 2] and [2]")


def test_a_name_that_is_a_folder_too_has_its_value_inside():
    model = parametric([("w", lg.Real(2)), ("w/more", lg.Real(2))], lg.Real(2), lambda v, w, x: x * v + w)
    assert [*lg.to_torch(model, {"w": np.ones(2), "w/more": np.ones(2)}).state_dict()] == ["w.value", "w.more"]
    twice = parametric([("w/a", lg.Real(2)), ("w.a", lg.Real(2))], lg.Real(2), lambda v, w, x: x * v + w)
    with pytest.raises(NameClash) as error:
        lg.to_torch(twice, {"w/a": np.ones(2), "w.a": np.ones(2)})
    assert str(error.value) == "two parameters would be called 'w.a' in PyTorch: give one of the layers another name"


def test_what_is_no_model_or_lacks_values_is_refused():
    model = MODELS["dense"]()
    with pytest.raises(TypeMismatch) as error:
        lg.to_torch(3)
    assert str(error.value) == "to_torch expects a model, before lens(…), or a run, got 3"
    with pytest.raises(UnknownParameter) as error:
        lg.to_torch(model, {})
    assert str(error.value) == "to_torch needs a value for 'weight.0' : f64[5,4]: give values={'weight.0': …}"
    task = lg.supervised(model, lg.mse, lg.sgd(0.1)).task
    with pytest.raises(TypeMismatch) as error:
        lg.to_torch(task)
    assert str(error.value) == "to_torch expects a model whose only data is its input, and this one has 'x' beside it"
