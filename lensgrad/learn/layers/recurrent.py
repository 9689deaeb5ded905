"""Recurrent layers: one body, run along the steps of a sequence by `Scan`.

All take a sequence ℝ^(T, n), and a mask bool[T] beside it if some steps are padding: those keep the state. They give the
state after each step, ℝ^(T, units), or the last one with `last=True`. The state begins at 0; `backward` starts at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lensgrad.cat.names import Param
from lensgrad.core.calls import in_words
from lensgrad.core.checks import flag
from lensgrad.core.diagram import Family, flatten
from lensgrad.core.graph import Wire
from lensgrad.core.ty import Ty
from lensgrad.learn import init
from lensgrad.learn.layers.activations import activation_named
from lensgrad.learn.layers.attention import rowwise
from lensgrad.learn.layers.embedding import AXES
from lensgrad.learn.layers.parts import FOREIGN, layer, one_whole, titled, weight, with_mask
from lensgrad.learn.model import Model, parametric
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array, Real
from lensgrad.theories.smooth.scan import scan

Cell = Callable[..., tuple[Any, ...]]  # (states, W_x x + β, W_h and what else is shared) ↦ next states


def recurrent(
    kind: str, units: int, gates: int, states: int, cell: Cell, extra: Sequence[str], last: bool, backward: bool, name: str
) -> Family:
    """The layer of a cell. W_x x + β is computed for all steps at once, in front of the loop."""
    what = titled(kind, name)
    size, last, backward = one_whole(what, units=units), flag("last", last), flag("backward", backward)

    def build(dom: Ty) -> Model:
        x, has_mask = with_mask(what, dom, AXES)
        ports = recurrent_weights(x, size, gates, extra)

        def body(w: Any, u: Any, shift: Any, *wires: Any) -> Any:
            *more, inputs = wires
            seq, mask = inputs if has_mask else (inputs, None)
            start = tuple(Array((size,), x.dtype).zero() for _ in range(states))
            return run(cell, start, rowwise(w, seq, shift), mask, (u, *more), last, backward)

        return parametric(ports, dom, body)

    return layer(kind, name, build)


def recurrent_weights(x: Array, units: int, gates: int, extra: Sequence[str]) -> list[Param]:
    """W_x (input), W_h (state), β, and further biases of one gate; the rows of the gates stand below one another."""
    rows, n = gates * units, x.shape[-1]
    return [
        weight("input/weight", Real(rows, n, dtype=x.dtype), init.glorot),
        weight("state/weight", Real(rows, units, dtype=x.dtype), init.glorot),
        weight("bias", Real(rows, dtype=x.dtype), init.zeros),
        *(weight(label, Real(units, dtype=x.dtype), init.zeros) for label in extra),
    ]


def several(wires: Any) -> tuple[Wire, ...]:
    """A group of wires; one alone is a group of one."""
    return tuple(flatten([wires]))


def run(cell: Cell, start: tuple[Any, ...], driven: Any, mask: Any, shared: tuple[Any, ...], last: bool, backward: bool) -> Any:
    """The loop: states after each step, or the last one. A step whose mask is false keeps the state."""

    def step(carry: Any, row: Any, given: Any) -> Any:
        old = several(carry)
        drive, shown = row if mask is not None else (row, None)
        new = cell(old, drive, *several(given))
        if shown is not None:
            new = tuple(ops.select(ops.spread(shown, n.atom.shape, ()), n, o) for n, o in zip(new, old, strict=True))
        return new, new[0]

    final, all_steps = scan(step, start, driven if mask is None else (driven, mask), shared, backward)
    return several(final)[0] if last else all_steps


@in_words(FOREIGN)
def simple_rnn(units: int, activation: str | Family = "tanh", last: bool = False, backward: bool = False, name: str = "") -> Family:
    """h ← σ(W_x x + W_h h + β) : ℝ^(T, n) → ℝ^(T, units) (Elman, Cognitive Science 14, 1990)."""
    act = activation_named(activation)

    def cell(old: tuple[Any, ...], drive: Any, u: Any) -> tuple[Any, ...]:
        return (act(drive + u @ old[0]),)

    return recurrent("simple_rnn", units, 1, 1, cell, (), last, backward, name)


@in_words(FOREIGN)
def lstm(units: int, last: bool = False, backward: bool = False, name: str = "") -> Family:
    """c ← f c + i g, h ← o tanh c : ℝ^(T, n) → ℝ^(T, units), with i, f, o = σ(…) and g = tanh(…) of W_x x + W_h h + β.

    The gates stand in the order i, f, g, o (Hochreiter and Schmidhuber, Neural Computation 9, 1997, with forget gates).
    """

    def cell(old: tuple[Any, ...], drive: Any, u: Any) -> tuple[Any, ...]:
        h, c = old
        i, f, g, o = parts(drive + u @ h, 4)
        kept = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
        return ops.sigmoid(o) * ops.tanh(kept), kept

    return recurrent("lstm", units, 4, 2, cell, (), last, backward, name)


@in_words(FOREIGN)
def gru(units: int, last: bool = False, backward: bool = False, name: str = "", reset_after: bool = True) -> Family:
    """h ← (1 − z) n + z h : ℝ^(T, n) → ℝ^(T, units), r, z = σ(W_x x + W_h h + β), n = tanh(W_x x + β + r (W_h h + β′)).

    The gates stand in the order r, z, n; β′ is the parameter `state/bias` (arXiv 1406.1078, with the reset after the product, as
    cuDNN and PyTorch have it). `reset_after=False` is the paper's own form, n = tanh(W_x x + W_h (r h) + β), without β′.
    """
    if not flag("reset_after", reset_after):
        return recurrent("gru", units, 3, 1, reset_first, (), last, backward, name)

    def cell(old: tuple[Any, ...], drive: Any, u: Any, shift: Any) -> tuple[Any, ...]:
        (h,) = old
        (r1, z1, n1), (r2, z2, n2) = parts(drive, 3), parts(u @ h, 3)
        reset, update = ops.sigmoid(r1 + r2), ops.sigmoid(z1 + z2)
        new = ops.tanh(n1 + reset * (n2 + shift))
        return (new + update * (h - new),)

    return recurrent("gru", units, 3, 1, cell, ("state/bias",), last, backward, name)


def reset_first(old: tuple[Any, ...], drive: Any, u: Any) -> tuple[Any, ...]:
    """One step of a GRU that resets the state before it is multiplied."""
    (h,) = old
    n = h.atom.shape[0]
    (r1, z1, n1), (r2, z2) = parts(drive, 3), parts(u[: 2 * n] @ h, 2)
    reset, update = ops.sigmoid(r1 + r2), ops.sigmoid(z1 + z2)
    new = ops.tanh(n1 + u[2 * n :] @ (reset * h))
    return (new + update * (h - new),)


def parts(x: Any, n: int) -> list[Any]:
    """A vector cut into n equal pieces."""
    size = x.atom.shape[0] // n
    return [x[k * size : (k + 1) * size] for k in range(n)]
