"""PyTorch: eager; compiled, where model and optimizer are compiled each; and whole, where a step is one compiled function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.func import functional_call, grad_and_value

from benchmarks.race.contract import Array, Arrays
from benchmarks.race.peers import pytorch_models as models
from benchmarks.race.workloads import Optimizer, Workload

PACKAGES = ("torch",)
Values = dict[str, torch.Tensor]


class Peer:
    """A module and an optimizer, stepped one batch at a time."""

    quantum = at_once = 1

    def __init__(self, workload: Workload, variant: str, data: Arrays, start: Arrays) -> None:
        self.images, self.blocked = data["x"].ndim == 5, workload.name == "W4"
        self.loss = models.loss(workload.name)
        self.compiled = torch.compile if variant != "eager" else lambda f: f
        self.model = models.model(workload.name, start, data, variant == "eager")
        if self.blocked:  # which is how PyTorch convolves many channels fastest
            self.model = self.model.to(memory_format=torch.channels_last)
        self.batches = list(zip(map(self.taken, data["x"]), map(labels, data["y"]), strict=True))
        self.first = {name: v.clone() for name, v in self.model.state_dict().items()}
        self.forward = self.compiled(self.model)
        self.prepare(workload.optimizer)
        self.reset()

    def prepare(self, how: Optimizer) -> None:
        """An optimizer; Adam in its fused form where nothing is compiled. Fused descent starts threads for the smallest weights."""
        learned = [p for p in self.model.parameters() if p.requires_grad]
        kinds = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
        own = {"sgd": {"momentum": how.momentum}, "adam": {}, "adamw": {"weight_decay": how.decay}}[how.kind]
        fused = {"fused": True} if self.forward is self.model and how.kind != "sgd" else {}
        self.optimizer = kinds[how.kind](learned, lr=how.rate, **own, **fused)
        self.update = self.compiled(self.optimizer.step)

    def taken(self, x: Array) -> torch.Tensor:
        """A batch as PyTorch has it: images with channels first."""
        found = torch.tensor(x)
        if self.images:
            layout = torch.channels_last if self.blocked else torch.contiguous_format
            return found.permute(0, 3, 1, 2).contiguous(memory_format=layout)
        return found if found.is_floating_point() else found.long()

    def reset(self) -> None:
        self.at = 0
        for name, v in self.model.state_dict().items():
            v.copy_(self.first[name])
        for state in self.optimizer.state.values():
            for v in state.values():
                if torch.is_tensor(v):
                    v.zero_()

    def step(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        self.optimizer.zero_grad()
        loss = self.loss(self.forward(x), y)
        loss.backward()
        self.update()
        return loss.detach()

    def run(self, n: int) -> float:
        for _ in range(n):
            loss = self.step(*self.batches[self.at])
            self.at = (self.at + 1) % len(self.batches)
        return loss.item()

    def weights(self) -> Sequence[Array]:
        return [p.detach().numpy().copy() for p in self.model.parameters()]

    def predict(self, x: Array) -> Array:
        with torch.no_grad():
            return self.forward(self.taken(x)).numpy()


class Whole(Peer):
    """Forward, backward and update as one function of values, compiled as one graph."""

    def prepare(self, how: Optimizer) -> None:
        move, self.moments = MOVES[how.kind](how), 1 if how.kind == "sgd" else 2

        def step(p: Values, buffers: Values, state: Any, count: Any, x: Any, y: Any) -> Any:
            def loss(p: Values) -> Any:
                held = {**p, **buffers}
                found = self.loss(functional_call(self.model, held, (x,)), y)
                return found, {name: held[name] for name in buffers}

            grads, (found, buffers) = grad_and_value(loss, has_aux=True)(p)
            p, state = move(p, grads, state, count)
            return p, buffers, state, found

        self.whole = self.compiled(step)

    def reset(self) -> None:
        self.at, self.count = 0, torch.tensor(0.0)
        learned = {name for name, _ in self.model.named_parameters()}
        self.p = {name: v.clone() for name, v in self.first.items() if name in learned}
        self.buffers = {name: v.clone() for name, v in self.first.items() if name not in learned}
        self.state = tuple({name: torch.zeros_like(v) for name, v in self.p.items()} for _ in range(self.moments))

    def step(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            self.count = self.count + 1
            found = self.whole(self.p, self.buffers, self.state, self.count, x, y)
            self.p, self.buffers, self.state, loss = found
            return loss

    def weights(self) -> Sequence[Array]:
        return [v.numpy().copy() for v in self.p.values()]


def labels(y: Array) -> torch.Tensor:
    found = torch.tensor(y)
    return found if found.is_floating_point() else found.long()


# -- optimizers as functions -------------------------------------------------------------------------------------------

Move = Callable[[Values, Values, Any, Any], tuple[Values, Any]]  # (weights, gradients, moments, number of the step)


def descent(how: Optimizer) -> Move:
    """Descent, with momentum where there is any."""

    def move(p: Values, grads: Values, state: Any, count: Any) -> tuple[Values, Any]:
        velocity = {n: how.momentum * v + grads[n] for n, v in state[0].items()} if how.momentum else grads
        return {n: v - how.rate * velocity[n] for n, v in p.items()}, (velocity,)

    return move


def adam(how: Optimizer) -> Move:
    """Adam, with weights that decay by themselves where they do."""

    def move(p: Values, grads: Values, state: Any, count: Any) -> tuple[Values, Any]:
        mean = {n: 0.9 * m + 0.1 * grads[n] for n, m in state[0].items()}
        square = {n: 0.999 * v + 0.001 * grads[n] * grads[n] for n, v in state[1].items()}
        rate, scale = how.rate / (1 - 0.9**count), torch.rsqrt(1 - 0.999**count)
        kept = 1 - how.rate * how.decay
        return {n: v * kept - rate * mean[n] / (square[n].sqrt() * scale + 1e-8) for n, v in p.items()}, (mean, square)

    return move


MOVES: dict[str, Callable[[Optimizer], Move]] = {"sgd": descent, "adam": adam, "adamw": adam}


def make(workload: Workload, variant: str, data: Arrays, start: Arrays) -> Peer:
    return (Whole if variant == "whole" else Peer)(workload, variant, data, start)
