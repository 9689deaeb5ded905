"""Twelve arrows, lenses and learners whose pictures are measured: from one product to a transformer of twelve layers and ResNet-18."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import lensgrad as lg
from lensgrad import recipes
from lensgrad.lens import lens


def norm_conv(filters: int, name: str, stride: int = 1) -> Any:
    """3×3 convolution and batch normalization."""
    return lg.sequential(
        lg.conv2d(filters, 3, stride=stride, padding="same", use_bias=False, name=name), lg.batch_norm(name=f"{name}_norm")
    )


def basic_block(filters: int, name: str, stride: int) -> Any:
    """The basic block of a residual network (arXiv 1512.03385), with a 1×1 convolution beside it where its size changes."""
    inner = lg.sequential(norm_conv(filters, f"{name}a", stride), lg.relu, norm_conv(filters, f"{name}b"))
    beside = lg.conv2d(filters, 1, stride=stride, padding="same", use_bias=False, name=f"{name}s") if stride > 1 else None
    return lg.residual(inner, shortcut=beside)


def resnet18() -> Any:
    """ℝ^(32,32,3) → ℝ¹⁰ with the eighteen layers of arXiv 1512.03385, for small images."""
    blocks: list[Any] = []
    for stage, filters in enumerate((64, 128, 256, 512)):
        for k in range(2):
            blocks += [basic_block(filters, f"block{stage}{k}", 2 if stage and not k else 1), lg.relu]
    return lg.sequential(lg.input(32, 32, 3), norm_conv(64, "stem"), lg.relu, *blocks, lg.global_average_pool(), lg.dense(10, name="out"))


def transformer(depth: int = 12) -> Any:
    """Tokens to logits by so many blocks."""
    ends = lg.embedding(65, 64, name="embed"), lg.unembed(65, name="out")
    blocks = [lg.transformer_block(4, causal=True, name=f"block{k}") for k in range(1, depth + 1)]
    return lg.sequential(lg.input(32, dtype="int32"), ends[0], *blocks, ends[1])


def quickstart() -> Any:
    """The learner of the quickstart in the README."""
    model = lg.sequential(lg.input(4), lg.dense(16, activation="sigmoid"), lg.dense(3))
    return lg.supervised(model, loss=lg.cross_entropy, optimizer=lg.sgd(0.02, momentum=0.9), metrics=["accuracy"])


def game() -> Any:
    """A small generative adversarial network."""
    generator = lg.sequential(lg.input(2), lg.dense(8, activation="relu"), lg.dense(2))
    discriminator = lg.sequential(lg.input(2), lg.dense(8, activation="relu"), lg.dense(1))
    return lg.gan(generator, discriminator, lg.sgd(0.01))


def adder() -> Any:
    """A full adder as gates."""

    def written(x: Any) -> Any:
        half = x["a"] ^ x["b"]
        return {"sum": half ^ x["carry"], "over": (x["a"] & x["b"]) | (half & x["carry"])}

    return lg.circuits.formula(["a", "b", "carry"], written)


Drawn = tuple[Callable[[], Any], dict[str, Any]]  # what makes it, and how it is drawn
DIAGRAMS: dict[str, Drawn] = {
    "linear": (lambda: lg.linear(4, 3), {}),
    "two layers, opened": (lambda: quickstart().model, {"depth": 1, "types": True}),
    "quickstart as a lens": (quickstart, {"types": True}),
    "quickstart as a step": (quickstart, {"view": "step", "depth": 1}),
    "convolutions for mnist": (lambda: recipes.task("mnist").learner("modern"), {"states": True}),
    "graph convolutions": (lambda: recipes.task("cora").learner("gcn"), {"view": "step"}),
    "gan": (game, {}),
    "gan as a step": (game, {"view": "step", "depth": 1}),
    "full adder": (adder, {}),
    "attention, opened": (
        lambda: lens(lg.sequential(lg.input(8, 16), lg.transformer_block(2, name="block"))),
        {"depth": 3},
    ),
    "transformer of 12 layers": (transformer, {}),
    "ResNet-18": (resnet18, {"view": "lens"}),
}  # fmt: skip
