"""Pictures in classes: handwritten digits of two sizes, clothing, and small photographs, by convolutions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lensgrad.core.diagram import Family
from lensgrad.data import bundled, official
from lensgrad.data.split import split
from lensgrad.learn import augment
from lensgrad.learn.layers.basic import dense, flatten, input
from lensgrad.learn.layers.convolution import conv2d
from lensgrad.learn.layers.dropout import dropout
from lensgrad.learn.layers.norm import batch_norm
from lensgrad.learn.layers.pooling import global_average_pool, max_pool2d
from lensgrad.learn.layers.sequence import sequential
from lensgrad.learn.losses import cross_entropy, half_squared_error
from lensgrad.learn.model import Model
from lensgrad.learn.optimizers import adam, momentum
from lensgrad.learn.rates import one_cycle
from lensgrad.recipes.recipe import Data, Plan, Recipe, classified
from lensgrad.theories.smooth.ops import relu
from lensgrad.train.learner import Learner, supervised

DIGITS = tuple("0123456789")
HELD = 0.1  # the share of the training set that models are chosen by


def digits_model() -> Model:
    """ℝ^(8,8,1) → ℝ¹⁰: one convolution of 16 channels."""
    conv = conv2d(16, 3, activation="relu", name="conv")
    return sequential(input(8, 8, 1), conv, max_pool2d(2), flatten(), dense(10, name="output"))


def paper_model(dtype: str = "float32") -> Model:
    """ℝ^(28,28,1) → ℝ¹⁰ of arXiv 2404.00408: 3×3 to 3 channels and 4×4 to 5, each with relu and pool 2, then 125 → 10, sigmoid."""
    return sequential(
        input(28, 28, 1, dtype=dtype),
        conv2d(3, 3, use_bias=False, activation="relu", name="first"),
        max_pool2d(2),
        conv2d(5, 4, use_bias=False, activation="relu", name="second"),
        max_pool2d(2),
        flatten(),
        dense(10, activation="sigmoid", name="output"),
    )


def paper_learner(rate: float = 0.01, decay: float = 0.1, dtype: str = "float32", metrics: Sequence[str] = ("accuracy",)) -> Learner:
    """The paper's MNIST network with its loss and optimizer: half squared error on one-hot labels, momentum."""
    return supervised(paper_model(dtype), half_squared_error, momentum(decay), rate, metrics=metrics)


def block(channels: int, name: str) -> Family:
    """3×3 convolution, batch normalization, relu: the image keeps its size."""
    return conv2d(channels, 3, padding="same", use_bias=False, name=name) >> batch_norm(name=f"{name}_norm") >> relu


def modern_model() -> Model:
    """ℝ^(28,28,1) → ℝ¹⁰: blocks of 16 and 32 channels, a layer of 128; training shifts images by at most a pixel."""
    return sequential(
        input(28, 28, 1),
        augment.shift(1, name="shift"),
        block(16, "first"),
        max_pool2d(2),
        block(32, "second"),
        max_pool2d(2),
        flatten(),
        dense(128, activation="relu", name="third"),
        dense(10, name="output"),
    )


def clothing_model() -> Model:
    """ℝ^(28,28,1) → ℝ¹⁰: as for digits, mirrored at random instead of shifted, with dropout."""
    return sequential(
        input(28, 28, 1),
        augment.flip(name="flip"),
        conv2d(16, 3, padding="same", activation="relu", name="first"),
        max_pool2d(2),
        conv2d(32, 3, padding="same", activation="relu", name="second"),
        max_pool2d(2),
        flatten(),
        dense(128, activation="relu", name="third"),
        dropout(0.3, name="dropout"),
        dense(10, name="output"),
    )


def photograph_model() -> Model:
    """ℝ^(32,32,3) → ℝ¹⁰: three blocks of 16, 32 and 64 channels with pooling between, then the mean over the image."""
    return sequential(
        input(32, 32, 3),
        augment.flip(name="flip"),
        augment.shift(2, name="shift"),
        block(16, "first"),
        max_pool2d(2),
        block(32, "second"),
        max_pool2d(2),
        block(64, "third"),
        global_average_pool(),
        dense(10, name="output"),
    )


def classifier(model: Callable[[], Model], cycle: bool = True) -> Callable[[float, int], Learner]:
    """Cross-entropy and Adam, the rate in one cycle over all steps or constant."""

    def learner(rate: float, steps: int) -> Learner:
        return supervised(model(), cross_entropy, adam(one_cycle(rate, steps) if cycle else rate), metrics=["accuracy"])

    return learner


def parts(load: Callable[[], tuple[bundled.Dataset, bundled.Dataset]]) -> Data:
    """Training, validation and test images: a tenth of the training set, of every class alike, is held back to choose by."""
    whole, test = load()
    train, held = split(whole, HELD, seed=0)
    return Data(train, held, test, f"{len(train):,} images to train on, {len(held):,} to choose by, {len(test):,} to test on")


ONE_CYCLE = "cross-entropy, Adam with one cycle of the rate"
PAPER = Plan(lambda rate, steps: paper_learner(rate), 0.01, 4, None, "half squared error, momentum 0.1")
GOOD = classified("images")

RECIPES = (
    Recipe(
        "digits", "Digits", "1797 handwritten digits of 8 × 8, bundled",
        {"conv": Plan(classifier(digits_model, cycle=False), 0.01, 20, 32, "cross-entropy, Adam")},
        "conv", 1298, lambda: parts(bundled.digits), GOOD, DIGITS,
    ),
    Recipe(
        "mnist", "MNIST", "70,000 handwritten digits of 28 × 28",
        {"modern": Plan(classifier(modern_model), 1e-2, 5, 128, ONE_CYCLE), "paper": PAPER},
        "modern", 54_000, lambda: parts(official.mnist), GOOD, DIGITS, large=True,
    ),
    Recipe(
        "fashion", "Fashion-MNIST", "70,000 pictures of clothing, 28 × 28",
        {"conv": Plan(classifier(clothing_model), 3e-3, 5, 128, ONE_CYCLE)},
        "conv", 54_000, lambda: parts(official.fashion_mnist), GOOD, official.FASHION_CLASSES, large=True,
    ),
    Recipe(
        "cifar10", "CIFAR-10", "60,000 photographs of 32 × 32 in color",
        {"conv": Plan(classifier(photograph_model), 1e-2, 5, 128, ONE_CYCLE)},
        "conv", 45_000, lambda: parts(official.cifar10), GOOD, official.CIFAR10_CLASSES, large=True,
    ),
)  # fmt: skip
