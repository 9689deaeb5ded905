"""The data sets everybody compares with, from their official files: MNIST, Fashion-MNIST, CIFAR-10, tiny Shakespeare."""

from __future__ import annotations

from typing import Any

import numpy as np

from lensgrad.core.errors import BadValue
from lensgrad.data.bundled import Dataset, readonly
from lensgrad.data.files import Official, here, official
from lensgrad.data.mapped import idx_array
from lensgrad.data.text import Characters

Numbers = np.ndarray[Any, Any]
Pair = tuple[Dataset, Dataset]

MNIST_MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")
MNIST = tuple(
    Official("mnist", name, "md5", digest, MNIST_MIRRORS)
    for name, digest in (
        ("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        ("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"),
        ("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"),
        ("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"),
    )
)

FASHION_MIRRORS = (
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
)
FASHION = tuple(
    Official("fashion-mnist", name, "md5", digest, FASHION_MIRRORS, content)
    for name, digest, content in (
        (
            "train-images-idx3-ubyte.gz",
            "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        ),
        (
            "train-labels-idx1-ubyte.gz",
            "25c81989df183df01b3e8a0aad5dffbe",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        ),
        (
            "t10k-images-idx3-ubyte.gz",
            "bef4ecab320f06d8554ea6380940ec79",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        ),
        (
            "t10k-labels-idx1-ubyte.gz",
            "bb300cfdad3c16e7a12a480ee83cd310",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ),
    )
)
FASHION_CLASSES = (
    "T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip

CIFAR10 = Official("cifar10", "cifar-10-binary.tar.gz", "md5", "c32a1d4ab5d03f1284b67883e8d87530", ("https://www.cs.toronto.edu/~kriz/",))
CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CIFAR10_FOLDER, RECORD = "cifar-10-batches-bin", 1 + 3 * 32 * 32
CIFAR10_BATCHES = tuple(
    Official(f"cifar10/{CIFAR10_FOLDER}", name, "md5", digest, CIFAR10.addresses)
    for name, digest in (
        ("data_batch_1.bin", "5dd7e06a14cb22eb9f671a540d1b7c25"),
        ("data_batch_2.bin", "5ea93a67294ea407fff1d09f752e9692"),
        ("data_batch_3.bin", "942cd6a4bcdd0dd3c604fbe906cb4421"),
        ("data_batch_4.bin", "ae636b3ba5c66a11e91e8cb52e771fcb"),
        ("data_batch_5.bin", "53f37980c15c3d472c316c40844f3f0d"),
        ("test_batch.bin", "803d5f7f4d78ea53de84dbe85f74fb6d"),
    )
)

SHAKESPEARE = Official(
    "text",
    "tinyshakespeare.txt",
    "sha256",
    "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
    ("https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",),
)


def mnist(dtype: str = "float32") -> Pair:
    """MNIST (LeCun, Cortes, Burges): 60,000 and 10,000 handwritten digits, x : [n, 28, 28, 1] in [0, 1], y : i32[n].

    `dtype="uint8"` gives the bytes 0 … 255 instead. Arrays are read-only.
    """
    return digit_images(MNIST, tuple("0123456789"), dtype)


def fashion_mnist(dtype: str = "float32") -> Pair:
    """Fashion-MNIST (arXiv 1708.07747): 60,000 and 10,000 pictures of clothing in 10 classes, in the form of `mnist`."""
    return digit_images(FASHION, FASHION_CLASSES, dtype)


def digit_images(files: tuple[Official, ...], classes: tuple[str, ...], dtype: str) -> Pair:
    """Train and test set from four idx files: images, labels, images, labels."""
    a, b, c, d = (idx_array(unzipped(f), f.name) for f in files)
    return Dataset(images(a[..., None], dtype), labels(b), (), classes), Dataset(images(c[..., None], dtype), labels(d), (), classes)


def unzipped(file: Official) -> bytes:
    import gzip

    return gzip.decompress(official(file).read_bytes())


def images(raw: Numbers, dtype: str) -> Numbers:
    """Bytes as numbers from 0 to 1, or as they are."""
    if dtype == "uint8":
        return readonly(raw)
    if dtype not in ("float32", "float64"):
        raise BadValue(f"images come as float32 or float64 from 0 to 1, or as uint8, not as '{dtype}'")
    scaled = raw.astype(dtype)
    scaled /= 255
    return readonly(scaled)


def labels(raw: Numbers) -> Numbers:
    return readonly(raw.astype(np.int32))


def cifar10(dtype: str = "float32") -> Pair:
    """CIFAR-10 (Krizhevsky 2009): 50,000 and 10,000 color images in 10 classes, x : [n, 32, 32, 3] in [0, 1], y : i32[n].

    From the official binary version, packed or unpacked. `dtype="uint8"` gives the bytes instead. Arrays are read-only.
    """
    *train, test = cifar_batches()
    return cifar_set(b"".join(train), dtype), cifar_set(test, dtype)


def cifar_batches() -> list[bytes]:
    """Five batches to train on and one for testing: from the archive, or from the folder that it unpacks to."""
    import tarfile

    if not here(CIFAR10) and all(map(here, CIFAR10_BATCHES)):
        return [official(batch).read_bytes() for batch in CIFAR10_BATCHES]
    parts: dict[str, bytes] = {}
    with tarfile.open(official(CIFAR10), "r|gz") as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.isfile() and member.name.endswith(".bin") else None
            if stream is not None:
                parts[member.name] = stream.read()
    return [parts[f"{CIFAR10_FOLDER}/{batch.name}"] for batch in CIFAR10_BATCHES]


def cifar_set(raw: bytes, dtype: str) -> Dataset:
    """Records of a class byte and three planes of 32 × 32 bytes, red, green, blue."""
    records = np.frombuffer(raw, np.uint8).reshape(-1, RECORD)
    planes = records[:, 1:].reshape(-1, 3, 32, 32)
    return Dataset(images(np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), dtype), labels(records[:, 0]), (), CIFAR10_CLASSES)


def shakespeare() -> tuple[Numbers, Characters]:
    """Tiny Shakespeare: 1,115,394 characters of his plays as numbers i32[n], and the vocabulary of 65 that reads them."""
    text = official(SHAKESPEARE).read_text(encoding="utf-8")
    characters = Characters.of(text)
    return readonly(characters.encode(text)), characters
