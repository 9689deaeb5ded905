"""The tasks by PyTorch: Glorot weights, zero biases, and a loop over shuffled batches."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from protocol import Data, Task, main, missing, parts

try:
    import torch
    from torch import nn
except ImportError as error:
    missing(error)

ACTIVATIONS = {"": nn.Identity, "relu": nn.ReLU}


class ChannelsFirst(nn.Module):
    def forward(self, x: Any) -> Any:
        return x.permute(0, 3, 1, 2)


class Lstm(nn.Module):
    """An LSTM with one bias, as the others have it: PyTorch adds two of them."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(inputs, units, batch_first=True)
        self.lstm.bias_hh_l0.requires_grad_(False)

    def forward(self, x: Any) -> Any:
        return self.lstm(x)[0]


def built(layers: list[Any], x: Any) -> Any:
    """The network; widths are seen by sending one example through."""
    made = [ChannelsFirst()] if x.ndim == 4 else []
    for kind, *sizes in layers:
        with torch.no_grad():
            shape = nn.Sequential(*made)(x).shape
        made += layer(kind, sizes, shape)
    net = nn.Sequential(*made)
    for name, p in net.named_parameters():
        started(name, p, any(isinstance(m, nn.Embedding) and m.weight is p for m in net))
    return net


def layer(kind: str, sizes: list[Any], shape: Any) -> list[Any]:
    if kind in ("dense", "each dense"):
        return [nn.Linear(shape[-1], sizes[0]), ACTIVATIONS[sizes[1] if len(sizes) > 1 else ""]()]
    if kind == "conv":
        return [nn.Conv2d(shape[1], sizes[0], sizes[1]), ACTIVATIONS[sizes[2]]()]
    if kind == "lstm":
        return [Lstm(shape[-1], sizes[0])]
    return [{"pool": nn.MaxPool2d, "flatten": nn.Flatten, "embedding": nn.Embedding}[kind](*sizes)]


def started(name: str, p: Any, table: bool) -> None:
    """First values as in the other libraries."""
    if table:
        nn.init.normal_(p, std=1 / math.sqrt(p.shape[1]))
    elif "bias" in name:
        nn.init.zeros_(p)
    else:
        nn.init.xavier_uniform_(p)


def trained(task: Task, data: Data, seed: int) -> Any:
    torch.manual_seed(seed)
    x, y, test = (torch.from_numpy(np.ascontiguousarray(data[name])) for name in ("x_train", "y_train", "x_test"))
    y = y.long()
    net = built(task["layers"], x[:1])
    optimizer = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], lr=task["rate"], eps=1e-8)
    loss = nn.CrossEntropyLoss()
    for _ in range(task["epochs"]):
        order = torch.randperm(len(x))
        for part in parts(len(x), task["batch_size"]):
            scores = net(x[order[part]])
            optimizer.zero_grad()
            loss(scores.flatten(0, -2), y[order[part]].flatten()).backward()
            optimizer.step()
    with torch.no_grad():
        return torch.cat([net(test[part]) for part in parts(len(test), 1024)]).numpy()


if __name__ == "__main__":
    main({"PyTorch": torch.__version__}, trained)
