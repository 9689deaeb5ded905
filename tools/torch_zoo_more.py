"""The other fifteen modules of the zoo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

N = 3


class Encoder(nn.Module):
    """PyTorch's own encoder of a transformer, with a mask of padding."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.TransformerEncoder(nn.TransformerEncoderLayer(6, 2, 10, batch_first=True), 2, enable_nested_tensor=False)

    def forward(self, x: Tensor, hidden: Tensor) -> Tensor:
        return self.layers(x, src_key_padding_mask=hidden)


class Temporal(nn.Module):
    """A block of a temporal convolutional network."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv1d(6, 4, 3, dilation=1), nn.Conv1d(4, 4, 3, dilation=2)
        self.short = nn.Conv1d(6, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = x.transpose(1, 2)
        y = F.relu(self.second(F.pad(F.elu(self.first(F.pad(x, (2, 0)))), (4, 0))))
        return F.leaky_relu(y + self.short(x), 0.1)[..., -1]


class Auto(nn.Module):
    """An autoencoder whose second half is transposed convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.encode = nn.Sequential(nn.Conv2d(1, 3, 3, 2, 1), nn.Tanh(), nn.Conv2d(3, 4, 3, 2, 1))
        back = [nn.ConvTranspose2d(4, 4, 3, 2, 1, output_padding=1), nn.Softplus(), nn.ConvTranspose2d(4, 2, 3, 2, 1, 1, groups=2)]
        self.decode = nn.Sequential(*back, nn.Conv2d(2, 1, 1), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        return self.decode(self.encode(x))


def grouped() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.GroupNorm(2, 4), nn.SELU(), nn.Conv2d(4, 4, 3, stride=2), nn.GroupNorm(4, 4), nn.CELU(1.5))


def instanced() -> nn.Module:
    return nn.Sequential(nn.ReflectionPad2d(1), nn.Conv2d(3, 4, 3), nn.InstanceNorm2d(4, affine=True), nn.PReLU(4), nn.InstanceNorm2d(4))


def pixels() -> nn.Module:
    return nn.Sequential(
        nn.PixelUnshuffle(2),
        nn.Conv2d(12, 8, 3, padding=1),
        nn.Hardtanh(),
        nn.PixelShuffle(2),
        nn.Upsample(scale_factor=2, mode="bilinear"),
    )


class Siamese(nn.Module):
    """Two inputs through the same weights, and their distance."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 4))

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        u, v = F.normalize(self.body(a), dim=-1), F.normalize(self.body(b), dim=-1)
        return torch.stack([F.cosine_similarity(u, v), (u - v).norm(dim=-1)], -1)


class Residual(nn.Module):
    """Linear maps on normed features, added to them."""

    def __init__(self) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(6) for _ in range(2))
        self.maps = nn.ModuleList(nn.Linear(6, 6) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        for norm, linear in zip(self.norms, self.maps, strict=True):
            x = x + F.hardsigmoid(linear(norm(x)))
        return x


class Gated(nn.Module):
    """A gated linear unit of channels, and running sums."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.out = nn.Conv1d(6, 8, 3, padding=1), nn.Linear(4, 6)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(F.glu(self.conv(x.mT), 1).mT).cumsum(1)


class Pooling(nn.Module):
    """Attention of a learned query to the steps that are there."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.attend = nn.Parameter(torch.randn(1, 2, 6)), nn.MultiheadAttention(6, 3, batch_first=True)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.attend(self.query.expand(x.shape[0], -1, -1), x, x)


class Bilinear(nn.Module):
    """A bilinear map, and a product of three by einsum."""

    def __init__(self) -> None:
        super().__init__()
        self.both, self.table = nn.Bilinear(6, 5, 4), nn.Parameter(torch.randn(4, 3, 2))

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return torch.einsum("ni,ijk,nk->nj", F.softsign(self.both(a, b)), self.table, a[:, :2])


class Dilated(nn.Module):
    """Dilated convolutions side by side, and their variance."""

    def __init__(self) -> None:
        super().__init__()
        self.parts = nn.ModuleList(nn.Conv2d(2, 2, 3, padding=d, dilation=d) for d in (1, 2, 3))
        self.each = nn.Conv2d(6, 12, 3, groups=6)

    def forward(self, x: Tensor) -> Tensor:
        y = self.each(torch.cat([part(x) for part in self.parts], 1))
        return torch.cat([y.var((2, 3)), y.std((2, 3), unbiased=False), torch.logsumexp(y.flatten(2), -1)], 1)


class Moved(nn.Module):
    """Axes split, moved, flipped, rolled, repeated and joined."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mask", torch.triu(torch.ones(4, 4, dtype=torch.bool), 1))
        self.scale = nn.Parameter(torch.randn(4))

    def forward(self, x: Tensor) -> Tensor:
        y = x.reshape(x.shape[0], 2, 2, 4, 4).permute(0, 3, 1, 4, 2).reshape(x.shape[0], 4, 4, 4)
        y = torch.flip(y, (2,)).roll(1, -1).masked_fill(self.mask, 0.0) * self.scale[:, None]
        y = torch.where(y > 0, y.repeat_interleave(2, 1)[:, ::2], torch.tril(y)).unsqueeze(1).squeeze(1)
        top = torch.topk(y.flatten(1), 3)[0]
        picked = y.gather(2, torch.tensor([[[[0, 1, 2, 3]]]]).expand(x.shape[0], 4, 1, 4)).flatten(1)
        return torch.cat([top, picked, y.sort(-1)[0].flatten(1), y[:, [0, 2]].flatten(1)], 1)


class Several(nn.Module):
    """A picture, numbers and a class, together."""

    def __init__(self) -> None:
        super().__init__()
        self.eye, self.table, self.out = nn.Conv2d(3, 4, 3), nn.Embedding(5, 2), nn.Linear(4 + 6 + 2, 3)

    def forward(self, x: Tensor, y: Tensor, k: Tensor) -> Tensor:
        seen = F.adaptive_max_pool2d(torch.relu(self.eye(x)), 1).flatten(1)
        return self.out(torch.cat([seen, torch.log1p(y * y), self.table(k)], -1))


class Outputs(nn.Module):
    """A dict of two outputs, of one recurrent network and a complex turn of its states."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.angle = nn.RNN(6, 4, batch_first=True), nn.Parameter(torch.randn(2))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        states, last = self.rnn(x)
        a, b = states.unflatten(-1, (2, 2)).unbind(-1)
        c, s = torch.cos(self.angle), torch.sin(self.angle)
        return {"turned": torch.stack([a * c - b * s, a * s + b * c], -1).flatten(-2), "last": last.squeeze(0).abs().sqrt()}


Made = Callable[[], tuple[Any, tuple[Tensor, ...]]]
MORE: dict[str, Made] = {
    "transformer encoder": lambda: (Encoder(), (torch.randn(N, 5, 6), torch.arange(5).expand(N, 5) >= torch.tensor([[5], [3], [4]]))),
    "TCN": lambda: (Temporal(), (torch.randn(N, 7, 6),)),
    "autoencoder": lambda: (Auto(), (torch.randn(N, 1, 8, 8),)),
    "GroupNorm": lambda: (grouped(), (torch.randn(N, 3, 8, 8),)),
    "InstanceNorm": lambda: (instanced(), (torch.randn(N, 3, 6, 6),)),
    "PixelShuffle": lambda: (pixels(), (torch.randn(N, 3, 6, 6),)),
    "Siamese": lambda: (Siamese(), (torch.randn(N, 6), torch.randn(N, 6))),
    "residual MLP": lambda: (Residual(), (torch.randn(N, 6),)),
    "GLU": lambda: (Gated(), (torch.randn(N, 5, 6),)),
    "attention pooling": lambda: (Pooling(), (torch.randn(N, 5, 6),)),
    "bilinear": lambda: (Bilinear(), (torch.randn(N, 6), torch.randn(N, 5))),
    "dilated": lambda: (Dilated(), (torch.randn(N, 2, 8, 8),)),
    "moved axes": lambda: (Moved(), (torch.randn(N, 4, 4, 4),)),
    "several inputs": lambda: (Several(), (torch.randn(N, 3, 6, 6), torch.randn(N, 6), torch.randint(0, 5, (N,)))),
    "several outputs": lambda: (Outputs(), (torch.randn(N, 5, 6),)),
}
