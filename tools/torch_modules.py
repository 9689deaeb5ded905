"""Thirty modules of PyTorch as arrows: outputs and gradients beside autograd, and training here, loaded back there.

`python -m tools.torch_modules` prints a table and "N of 30"; `python -m tools.torch_modules ViT GRU` looks at some. Everything is in
float64. Needs PyTorch: pip install 'lensgrad[torch]'.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

import lensgrad as lg
from lensgrad.backends import numpy as backend
from lensgrad.cat.reverse import R
from lensgrad.cat.structure import change
from lensgrad.learn.batching import batch
from tools.torch_zoo import ZOO, build

NEAR = 1e-9  # what float64 may differ by
SLOPES = 1e-7  # and gradients: that of PyTorch's hardsigmoid multiplies by 1/6 rounded to float32
Arrays = list[np.ndarray]


@dataclass(frozen=True)
class Found:
    """Largest differences of one module, relative where numbers are above 1: outputs, gradients, and outputs after training here."""

    name: str
    outputs: float
    gradients: float
    trained: float
    seconds: float

    @property
    def holds(self) -> bool:
        return max(self.outputs, self.trained) < NEAR and self.gradients < SLOPES

    def __str__(self) -> str:
        figures = "".join(f"{v:11.1e}" for v in (self.outputs, self.gradients, self.trained))
        return f"{self.name:20}{figures}{self.seconds:7.1f} s   {'ok' if self.holds else 'DIFFERS'}"


def differ(ours: Sequence[Any], theirs: Sequence[Any]) -> float:
    """The largest difference of arrays, in units of the largest number if that is above 1."""
    pairs = [(np.asarray(a, np.float64), np.asarray(b, np.float64)) for a, b in zip(ours, theirs, strict=True)]
    if any(a.shape != b.shape for a, b in pairs):
        return float("inf")
    return max((float(np.abs(a - b).max() / max(1.0, np.abs(b).max())) for a, b in pairs if a.size), default=0.0)


def leaves(outputs: Any) -> list[torch.Tensor]:
    """The tensors of an output, in order."""
    return torch.utils._pytree.tree_leaves(outputs)


def numbers(tensors: Sequence[torch.Tensor]) -> Arrays:
    return [t.detach().numpy() for t in tensors]


def pulled(model: Any, values: dict[str, Any], xs: Arrays, dys: Arrays) -> dict[str, np.ndarray]:
    """The gradients by R : of each parameter by its name, and of each input by its number."""
    many = batch(model, len(xs[0]))
    moving = [n for n, a in zip((*model.names, *range(len(xs))), many.arrow.dom, strict=True) if change(a) is not None]
    found = backend.function(R(many.arrow))(*(values[n] for n in model.names), *xs, *dys)
    return {str(n): dx for n, dx in zip(moving, found, strict=True)}


def autograd(module: Any, xs: Sequence[torch.Tensor], dys: Arrays) -> dict[str, np.ndarray]:
    """The same by PyTorch."""
    inputs = [x.clone().requires_grad_(x.is_floating_point()) for x in xs]
    sum((y * torch.from_numpy(dy)).sum() for y, dy in zip(leaves(module(*inputs)), dys, strict=True)).backward()
    named = {n.replace(".", "/"): p for n, p in module.named_parameters()} | {str(k): x for k, x in enumerate(inputs)}
    found = {n: t.grad.numpy() for n, t in named.items() if t.grad is not None}
    module.zero_grad()
    return found


def gradients(module: Any, model: Any, values: dict[str, Any], xs: Sequence[torch.Tensor], dys: Arrays) -> float:
    """The largest difference of a gradient; what PyTorch has no gradient of must be 0."""
    ours, theirs = pulled(model, values, numbers(xs), dys), autograd(module, xs, dys)
    names = [n for n in ours if n in values or n in theirs]
    states = [n for n, p in zip(model.names, model.params, strict=True) if p.role is not lg.weights]
    kept = [n for n in names if n not in states]
    return differ([ours[n] for n in kept], [theirs.get(n, np.zeros_like(ours[n])) for n in kept])


def trained(module: Any, model: Any, values: dict[str, Any], xs: Sequence[torch.Tensor], targets: Arrays) -> float:
    """A few steps here; the module with these weights gives what we give."""
    names = tuple(f"x{k}" for k in range(len(xs))) if len(xs) > 1 else "x"
    labels = [f"y{k}" for k in range(len(targets))] if len(targets) > 1 else ["y"]
    data = dict(zip(names if len(xs) > 1 else ["x"], numbers(xs), strict=True)) | dict(zip(labels, targets, strict=True))
    loss: Any = lg.mse if len(targets) == 1 else dict.fromkeys(labels, lg.mse)
    learner = lg.supervised(model, loss, lg.sgd(0.02), input=names)
    run = learner.fit(data, epochs=3, batch_size=len(xs[0]), start=values, progress=False)
    if differ([run.values[n] for n in values], list(values.values())) == 0.0:
        return float("inf")  # nothing was learned
    loaded(module, {n: run.values[n] for n in values})
    ours = lg.evaluate(batch(model, len(xs[0])), *numbers(xs), values=run.values)
    return differ(ours if isinstance(ours, tuple) else [ours], predicted(module, xs))


def loaded(module: Any, values: dict[str, Any]) -> None:
    """Weights back into the module, by way of a file."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "net.safetensors"
        lg.save_weights(values, file)
        told = module.load_state_dict(load_file(file), strict=False)
    if told.unexpected_keys:
        raise ValueError(f"PyTorch does not know {told.unexpected_keys}")


def predicted(module: Any, xs: Sequence[torch.Tensor]) -> Arrays:
    with torch.no_grad():
        return numbers(leaves(module(*xs)))


def look(name: str) -> Found:
    """One module of the zoo."""
    began = time.perf_counter()
    module, xs = build(name)
    model, values = lg.from_torch(module, *xs)
    theirs, draws = predicted(module, xs), np.random.default_rng(0)
    dys = [draws.standard_normal(y.shape) for y in theirs]
    ours = lg.evaluate(batch(model, len(xs[0])), *numbers(xs), values=values)
    outputs = differ(ours if isinstance(ours, tuple) else [ours], theirs)
    slopes = gradients(module, model, values, xs, dys)
    after = trained(module, model, values, xs, [y + 0.1 * dy for y, dy in zip(theirs, dys, strict=True)])
    return Found(name, outputs, slopes, after, time.perf_counter() - began)


def main(names: Sequence[str]) -> int:
    """Print the table; 1 where a module differs."""
    torch.set_num_threads(1)
    print(f"{'module':20}{'outputs':>11}{'gradients':>11}{'trained':>11}")
    found = list[Found]()
    for name in names or ZOO:
        found.append(look(name))
        print(found[-1], flush=True)
    print(f"{sum(f.holds for f in found)} of {len(found)}")
    return int(not all(f.holds for f in found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
