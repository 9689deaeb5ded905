"""What the twins share: training written by hand in JAX, as a user of JAX would."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

Loss = Callable[..., Any]  # (parameters, x, y) → a number
Step = Callable[[Any, Any], Any]  # (state, row) → (state, loss)


def sgd(loss: Loss, rate: float, momentum: float = 0.0) -> Step:
    """A step of gradient descent on (parameters, velocities)."""

    def step(state: Any, row: Any) -> Any:
        params, velocity = state
        value, grads = jax.value_and_grad(loss)(params, *row)
        if momentum:
            velocity = grads = jax.tree.map(lambda v, g: momentum * v + g, velocity, grads)
        return (jax.tree.map(lambda p, g: p - rate * g, params, grads), velocity), value

    return step


def scanned(step: Step) -> Callable[..., Any]:
    """Many steps as one program."""
    return jax.jit(lambda state, rows: lax.scan(step, state, rows), donate_argnums=0)


def dispatched(step: Step) -> Callable[..., Any]:
    """A call for each step, buffers donated."""
    return jax.jit(step, donate_argnums=0)


def started(params: dict[str, Any], momentum: bool) -> Any:
    """Parameters, and velocities of zero where there are any."""
    params = {name: jnp.array(v) for name, v in params.items()}
    return params, {name: jnp.zeros_like(v) for name, v in params.items()} if momentum else ()


def convolve(x: Any, k: Any) -> Any:
    return lax.conv_general_dilated(x, k, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))


def max_pool(x: Any) -> Any:
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


def convolve_as_product(x: Any, k: Any) -> Any:
    """The patches of the image times the kernel as a matrix."""
    (n, h, w, _), (a, b, c, o) = x.shape, k.shape
    rows, columns = h - a + 1, w - b + 1
    patches = jnp.concatenate([x[:, i : i + rows, j : j + columns] for i in range(a) for j in range(b)], -1)
    return (patches.reshape(-1, a * b * c) @ k.reshape(-1, o)).reshape(n, rows, columns, o)


def max_pool_by_shape(x: Any) -> Any:
    """The largest of each 2 × 2 by reshaping. Ties share the gradient, which is not what pooling by windows does."""
    n, h, w, c = x.shape
    return x.reshape(n, h // 2, 2, w // 2, 2, c).max((2, 4))
