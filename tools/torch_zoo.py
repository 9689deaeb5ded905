"""Thirty small modules as people write them in PyTorch, each with inputs for three examples: what `tools.torch_modules` converts."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tools.torch_zoo_more import MORE

N = 3  # examples of each input
Made = Callable[[], tuple[nn.Module, tuple[Tensor, ...]]]


def images(channels: int = 3, size: int = 8) -> Tensor:
    return torch.randn(N, channels, size, size)


def steps(length: int = 5, width: int = 6) -> Tensor:
    return torch.randn(N, length, width)


def tokens(length: int = 5, words: int = 11) -> Tensor:
    return torch.randint(0, words, (N, length))


def conv_bn(inner: int, outer: int, size: int = 3, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Convolution and batch norm, with statistics that are not those of the beginning."""
    norm = nn.BatchNorm2d(outer)
    nn.init.uniform_(norm.running_mean, -0.3, 0.3)
    nn.init.uniform_(norm.running_var, 0.5, 1.5)
    nn.init.uniform_(norm.weight, 0.5, 1.5)
    return nn.Sequential(nn.Conv2d(inner, outer, size, stride, size // 2, groups=groups, bias=False), norm)


class Basic(nn.Module):
    """The block of ResNet-18."""

    def __init__(self, inner: int, outer: int, stride: int) -> None:
        super().__init__()
        self.first, self.second = conv_bn(inner, outer, stride=stride), conv_bn(outer, outer)
        self.short = conv_bn(inner, outer, 1, stride) if stride > 1 or inner != outer else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.second(F.relu(self.first(x))) + self.short(x))


def resnet() -> nn.Module:
    stem = [conv_bn(3, 4), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    return nn.Sequential(*stem, Basic(4, 4, 1), Basic(4, 6, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 5))


class Inverted(nn.Module):
    """The block of MobileNetV2."""

    def __init__(self, inner: int, outer: int, stride: int, factor: int = 2) -> None:
        super().__init__()
        wide = inner * factor
        parts = [conv_bn(inner, wide, 1), nn.ReLU6(), conv_bn(wide, wide, 3, stride, wide), nn.ReLU6(), conv_bn(wide, outer, 1)]
        self.body, self.same = nn.Sequential(*parts), stride == 1 and inner == outer

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x) if self.same else self.body(x)


def mobilenet() -> nn.Module:
    blocks = [Inverted(4, 4, 1), Inverted(4, 6, 2)]
    end = [nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(1), nn.Dropout(0.2), nn.Linear(6, 5)]
    return nn.Sequential(conv_bn(3, 4, stride=2), nn.Hardswish(), *blocks, *end)


def vgg() -> nn.Module:
    first = [nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(4, 4, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2)]
    second = [nn.Conv2d(4, 6, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2, 2), nn.AdaptiveAvgPool2d((2, 2)), nn.Flatten()]
    return nn.Sequential(*first, *second, nn.Linear(24, 8), nn.ReLU(True), nn.Dropout(), nn.Linear(8, 5))


class UNet(nn.Module):
    """An encoder and a decoder with what the encoder saw beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.bottom = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 6, 3, padding=1)
        self.up, self.out = nn.ConvTranspose2d(6, 4, 2, 2), nn.Conv2d(8, 2, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        left = F.relu(self.down(x))
        low = F.relu(self.bottom(F.max_pool2d(left, 2)))
        wide = F.interpolate(F.avg_pool2d(left, 2), scale_factor=2, mode="nearest")
        return self.out(torch.cat([self.up(low), left + 0.1 * wide], 1))


class Tagger(nn.Module):
    """A bidirectional LSTM of two layers that gives a class for each word."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(11, 4, padding_idx=0)
        self.lstm, self.out = nn.LSTM(4, 3, num_layers=2, batch_first=True, bidirectional=True), nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        return F.log_softmax(self.out(self.lstm(self.words(x))[0]), -1)


class Gru(nn.Module):
    """The last state of a GRU, and a linear map."""

    def __init__(self) -> None:
        super().__init__()
        self.gru, self.out = nn.GRU(6, 4, batch_first=True), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.gru(x)[1][-1])


class ViT(nn.Module):
    """A transformer on patches of a picture."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, 8, 4, 4)
        self.token, self.place = nn.Parameter(torch.randn(1, 1, 8)), nn.Parameter(torch.randn(1, 5, 8))
        layer = nn.TransformerEncoderLayer(8, 2, 12, batch_first=True, norm_first=True, activation="gelu")
        self.encoder, self.out = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False), nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        patches = self.patch(x).flatten(2).transpose(1, 2)
        rows = torch.cat([self.token.expand(x.shape[0], -1, -1), patches], 1) + self.place
        return self.out(self.encoder(rows)[:, 0])


class Squeeze(nn.Module):
    """The squeeze-and-excitation block."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.down, self.up = nn.Conv2d(3, 4, 3), nn.Linear(4, 2), nn.Linear(2, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return x * torch.sigmoid(self.up(F.silu(self.down(x.mean((2, 3))))))[:, :, None, None]


class Dense(nn.Module):
    """Two layers of DenseNet and its transition."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.BatchNorm2d(3), nn.ReLU(), nn.Conv2d(3, 2, 3, padding=1))
        self.second = nn.Sequential(nn.BatchNorm2d(5), nn.ReLU(), nn.Conv2d(5, 2, 3, padding=1))
        self.after = nn.Sequential(nn.Conv2d(7, 4, 1), nn.AvgPool2d(2))

    def forward(self, x: Tensor) -> Tensor:
        x = torch.cat((x, self.first(x)), 1)
        return self.after(torch.cat((x, self.second(x)), 1)).flatten(1)


class Shuffle(nn.Module):
    """A unit of ShuffleNetV2."""

    def __init__(self) -> None:
        super().__init__()
        self.right = nn.Sequential(conv_bn(2, 2, 1), nn.ReLU(), conv_bn(2, 2, 3, groups=2), conv_bn(2, 2, 1), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        left, right = x.chunk(2, 1)
        x = torch.cat((left, self.right(right)), 1)
        n, c, h, w = x.shape
        return x.view(n, 2, c // 2, h, w).transpose(1, 2).contiguous().view(n, -1, h, w)


class Inception(nn.Module):
    """Convolutions of several sizes side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.three = (
            nn.Conv2d(3, 2, 1),
            nn.Sequential(nn.Conv2d(3, 2, (1, 3), padding=(0, 1)), nn.Conv2d(2, 2, (3, 1), padding=(1, 0))),
        )
        self.pool, self.out = nn.Conv2d(3, 2, 1), nn.LazyLinear(4)

    def forward(self, x: Tensor) -> Tensor:
        pooled = self.pool(F.avg_pool2d(x, 3, 1, 1, count_include_pad=False))
        return self.out(torch.cat([self.one(x), self.three(x), pooled], 1).amax((2, 3)))


class ConvNeXt(nn.Module):
    """The block of ConvNeXt, whose channels are last inside."""

    def __init__(self) -> None:
        super().__init__()
        self.each, self.norm = nn.Conv2d(4, 4, 7, padding=3, groups=4), nn.LayerNorm(4, eps=1e-6)
        self.up, self.down, self.gamma = nn.Linear(4, 16), nn.Linear(16, 4), nn.Parameter(0.1 * torch.ones(4))

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.each(x).permute(0, 2, 3, 1))
        return x + (self.gamma * self.down(F.gelu(self.up(y)))).permute(0, 3, 1, 2)


class Mixer(nn.Module):
    """A layer of the MLP-Mixer."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(6), nn.LayerNorm(6)
        self.across = nn.Sequential(nn.Linear(5, 7), nn.GELU(approximate="tanh"), nn.Linear(7, 5))
        self.within = nn.Sequential(nn.Linear(6, 7), nn.Mish(), nn.Linear(7, 6))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.across(self.norm1(x).transpose(1, 2)).transpose(1, 2)
        return (x + self.within(self.norm2(x))).mean(1)


class Bag(nn.Module):
    """The mean of the words that are not padding."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.out = nn.Embedding(11, 4), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        seen = (x != 0).unsqueeze(-1).to(self.out.weight.dtype)
        return self.out((self.words(x) * seen).sum(1) / seen.sum(1).clamp(min=1.0))


class Causal(nn.Module):
    """A language model of one block, its embedding and its head one weight."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.qkv, self.out = nn.Embedding(11, 8), nn.Linear(8, 24), nn.Linear(8, 8)
        self.head = nn.Linear(8, 11, bias=False)
        self.head.weight = self.words.weight

    def forward(self, x: Tensor) -> Tensor:
        rows = self.words(x)
        q, k, v = (part.unflatten(-1, (2, 4)).transpose(1, 2) for part in self.qkv(rows).split(8, -1))
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2)
        return self.head(rows + self.out(mixed)) / math.sqrt(8)


FIRST: dict[str, Made] = {
    "ResNet": lambda: (resnet(), (images(),)),
    "MobileNet": lambda: (mobilenet(), (images(),)),
    "VGG": lambda: (vgg(), (images(),)),
    "U-Net": lambda: (UNet(), (images(),)),
    "LSTM tagger": lambda: (Tagger(), (tokens(),)),
    "GRU": lambda: (Gru(), (steps(),)),
    "ViT": lambda: (ViT(), (images(),)),
    "SE block": lambda: (Squeeze(), (images(),)),
    "DenseNet": lambda: (Dense(), (images(),)),
    "ShuffleNet": lambda: (Shuffle(), (images(4),)),
    "Inception": lambda: (Inception(), (images(),)),
    "ConvNeXt": lambda: (ConvNeXt(), (images(4),)),
    "MLP-Mixer": lambda: (Mixer(), (steps(),)),
    "embedding bag": lambda: (Bag(), (tokens(),)),
    "language model": lambda: (Causal(), (tokens(),)),
}
ZOO: dict[str, Made] = {**FIRST, **MORE}


def build(name: str, seed: int = 0) -> tuple[Any, tuple[Tensor, ...]]:
    """A module of the zoo in float64, ready to predict, and its inputs; the same for each seed."""
    torch.manual_seed(seed)
    module, inputs = ZOO[name]()
    with torch.no_grad():
        module(*inputs)  # lazy modules take their sizes
    return module.double().eval(), tuple(x.double() if x.is_floating_point() else x for x in inputs)
