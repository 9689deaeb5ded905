"""Modules of PyTorch as arrows: outputs and gradients beside autograd, and training here, loaded back; the others are in the tool."""

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is the oracle of these tests: pip install 'lensgrad[torch]'")
from tools.torch_modules import look, main  # noqa: E402
from tools.torch_zoo import ZOO  # noqa: E402

SMALLER = [
    "SE block", "embedding bag", "TCN", "GroupNorm", "Siamese", "several inputs", "moved axes", "GRU", "attention pooling",
    "LSTM tagger", "several outputs", "dilated", "language model", "autoencoder", "VGG",
]  # fmt: skip


@pytest.mark.parametrize("name", SMALLER)
def test_a_module_gives_learns_and_goes_back(name):
    torch.set_num_threads(1)
    found = look(name)
    assert found.holds, str(found)


def test_the_table_counts_what_holds(capsys):
    assert len(ZOO) == 30 and main(["residual MLP"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["module", "outputs", "gradients", "trained"] and lines[-1] == "1 of 1"
