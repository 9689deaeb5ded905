"""Who races: each a library and a way of using it. A name here is what `--peers` takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Competitor:
    """A way to train, in a process of its own."""

    name: str
    title: str
    module: str  # of benchmarks.race.peers
    variant: str
    ours: bool = False
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    digits: Mapping[str, int] = field(default_factory=dict[str, int])  # of losses, where another formula allows fewer than usual
    absent: Mapping[str, str] = field(default_factory=dict[str, str])  # workloads that it does not run unless named, and why


UNROLLED = "its loop over letters would be unrolled, and compiling that takes minutes"
SLOW_LOOP = "XLA gives convolutions inside a loop one slow thread: two steps of this took over three minutes"
MINUTES = "compiling takes minutes, and what the whole step compiled gives is at least as fast"
LARGE = "NumPy is the reference, and this is many seconds a step"

EPSILON = {"W6": 4}  # Keras adds the ε of Adam elsewhere, and gradients of this workload are as small as ε

COMPETITORS = {
    c.name: c
    for c in (
        Competitor("native", "lensgrad, native", "ours", "native", ours=True),
        Competitor("native-fit", "lensgrad, native, fit", "ours", "native fit", ours=True),
        Competitor("lensgrad-jax", "lensgrad, JAX", "ours", "jax", ours=True),
        Competitor("numpy", "lensgrad, NumPy", "ours", "numpy", ours=True, absent={"W4": LARGE}),
        Competitor("torch", "PyTorch, eager", "pytorch", "eager"),
        Competitor("torch-compiled", "PyTorch, model and optimizer compiled", "pytorch", "compiled", absent={"W4": MINUTES, "W5": MINUTES}),
        Competitor("torch-whole", "PyTorch, whole step compiled", "pytorch", "whole", absent={"W7": UNROLLED}),
        Competitor("jax", "JAX + optax, a call a step", "plain_jax", "jit"),
        Competitor("jax-scan", "JAX + optax, scan", "plain_jax", "scan", absent={"W4": SLOW_LOOP}),
        Competitor("nnx", "Flax NNX + optax", "flax_nnx", ""),
        Competitor("keras-jax", "Keras 3 on JAX", "keras3", "jax", environment={"KERAS_BACKEND": "jax"}, digits=EPSILON),
        Competitor("keras-torch", "Keras 3 on PyTorch", "keras3", "torch", environment={"KERAS_BACKEND": "torch"}, digits=EPSILON),
    )
}
