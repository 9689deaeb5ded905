"""PyTorch → here → PyTorch → here: names, numbers and arrows."""

import pytest

import lensgrad as lg
from lensgrad.interchange.differences import differences

torch = pytest.importorskip("torch", reason="PyTorch is the oracle of these tests: pip install 'lensgrad[torch]'")
nn = torch.nn


def mlp():
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(), nn.Linear(8, 3)), torch.randn(1, 6)


def cnn():
    net = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(64, 3))
    return net, torch.randn(1, 1, 8, 8)


def encoder():
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    return nn.TransformerEncoder(layer, 2, enable_nested_tensor=False), torch.randn(1, 5, 8)


def gru():
    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.rows, self.out = nn.GRU(4, 5, batch_first=True), nn.Linear(5, 2)

        def forward(self, x):
            return self.out(self.rows(x)[0][:, -1])

    return Last(), torch.randn(1, 3, 4)


@pytest.mark.parametrize(("make", "same"), [(mlp, True), (cnn, False), (encoder, True), (gru, False)])
def test_a_module_comes_back_with_its_names_and_numbers(make, same):
    torch.manual_seed(0)
    module, x = make()
    module.eval()
    first = lg.from_torch(module, x)
    back = lg.to_torch(*first)
    held = {name: t for name, t in module.state_dict().items() if "num_batches_tracked" not in name}
    assert back.state_dict().keys() == held.keys()
    assert all(torch.equal(back.state_dict()[name], t) for name, t in held.items())
    module.load_state_dict(back.state_dict(), strict=False)
    many = torch.cat([x, x + 1, x - 1])
    assert torch.allclose(back(many), module(many), atol=1e-5)
    found = differences(first, lg.from_torch(back, x))
    assert {each.told for each in found.lines if each.what == "parameter"} == {"equal to the bit"}
    assert found.same is same
    if make is gru:  # PyTorch writes a loop step by step
        assert any(each.first == "Scan 1" and each.told == "gone, written by others" for each in found.lines)
