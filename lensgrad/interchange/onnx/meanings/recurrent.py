"""RNN, GRU and LSTM: one loop for each direction, over sequences (T, N, n) of N examples.

What the input adds to each gate is computed for all steps at once, in front of the loop. A step behind the end of its sequence
keeps the state, and its output is 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lensgrad.core.diagram import flatten
from lensgrad.core.graph import Wire
from lensgrad.interchange.onnx import call as c
from lensgrad.interchange.onnx.gates import Activation, activations
from lensgrad.interchange.onnx.space import text
from lensgrad.interchange.shapes import spread_to
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array, full
from lensgrad.theories.smooth.index import Iota
from lensgrad.theories.smooth.scan import scan

States = tuple[Wire, ...]
Step = Callable[[States, Wire, tuple[Wire, ...]], States]  # (states, what the input adds to the gates, what is shared) ↦ next states


@dataclass(frozen=True)
class Direction:
    """One way through the sequence."""

    number: int
    backward: bool


@dataclass(frozen=True)
class Layer:
    """A node of a recurrent layer: its sequence with time first, and its sizes."""

    call: c.Call
    x: Wire
    units: int
    gates: int
    batch_first: bool

    @property
    def directions(self) -> list[Direction]:
        """Forward, backward, or both."""
        way = text(self.call.attribute("direction", "forward")) or "forward"
        ways = {"forward": [False], "reverse": [True], "bidirectional": [False, True]}
        if way not in ways:
            raise self.call.refused(f"must have the direction forward, reverse or bidirectional, got {way}")
        return [Direction(k, backward) for k, backward in enumerate(ways[way])]

    def row(self, k: int, way: Direction) -> Wire:
        """What input k has for one direction."""
        return self.call.wire(k)[way.number]

    def halves(self, way: Direction) -> tuple[Wire, Wire]:
        """The biases of the input and of the state, 0 where the node has none."""
        n, atom = self.gates * self.units, self.x.atom
        if not self.call.given(3):
            zero = atom.with_shape(n).zero()
            return zero, zero
        both = self.row(3, way)
        return both[:n], both[n:]

    def start(self, k: int, way: Direction) -> Wire:
        """A first state (N, units), from input k or 0."""
        if not self.call.given(k):
            return self.x.atom.with_shape(self.x.atom.shape[1], self.units).zero()
        states = self.call.wire(k)
        return states[:, way.number] if self.batch_first else states[way.number]

    def driven(self, way: Direction, bias: Wire) -> Wire:
        """What the input adds to the gates at each step: (T, N, gates · units)."""
        y = ops.einsum("tbi,gi->tbg", self.x, self.row(1, way))
        return y + spread_to(bias, y.atom.shape)

    def shown(self) -> Wire | None:
        """Which steps belong to each sequence (T, N); None where all do."""
        if not self.call.given(4):
            return None
        steps, examples = self.x.atom.shape[:2]
        ends = ops.cast(self.call.wire(4), "int32")
        return ops.spread(Iota(steps)(), (steps, examples), (0,)) < ops.spread(ends, (steps, examples), (1,))


def layer_of(call: c.Call, gates: int) -> Layer:
    """The layer that a node says."""
    x, batch_first = call.wire(0), bool(call.attribute("layout", 0))
    units = int(call.attribute("hidden_size") or call.wire(2).atom.shape[-1])
    return Layer(call, ops.transpose(x, 1, 0, 2) if batch_first else x, units, gates, batch_first)


def run(layer: Layer, way: Direction, step: Step, start: States, driven: Wire, shared: tuple[Wire, ...]) -> tuple[Wire, States]:
    """The states after each step, (T, N, units), and the last ones."""
    shown = layer.shown()

    def body(carry: object, row: object, given: object) -> tuple[object, object]:
        old, (drive, *seen) = tuple(flatten([carry])), flatten([row])
        new = step(old, drive, tuple(flatten([given])))
        if not seen:
            return new, new[0]
        (mask,) = (ops.spread(m, new[0].atom.shape, (0,)) for m in seen)
        return tuple(ops.select(mask, n, o) for n, o in zip(new, old, strict=True)), ops.select(mask, new[0], 0.0)

    final, ys = scan(body, start, (driven,) if shown is None else (driven, shown), shared, way.backward)
    return ys, tuple(flatten([final]))


def gathered(layer: Layer, found: list[tuple[Wire, States]]) -> list[Wire]:
    """Y, then the last states, the directions side by side."""
    axis = 2 if layer.batch_first else 1
    outputs = ops.stack([ops.transpose(ys, 1, 0, 2) if layer.batch_first else ys for ys, _ in found], axis)
    last = [ops.stack(list(states), 1 if layer.batch_first else 0) for states in zip(*(s for _, s in found), strict=True)]
    return [outputs, *last]


def product(x: Wire, weights: Wire) -> Wire:
    """x Wᵀ for each example."""
    return ops.einsum("bh,gh->bg", x, weights)


def parts(x: Wire, n: int) -> list[Wire]:
    """The gates, which stand side by side along the last axis."""
    return list(ops.split(x, n, -1))


# -- cells -------------------------------------------------------------------------------------------------------------


def rnn(call: c.Call) -> list[Wire]:
    """h ← f(W x + R h + β)."""
    layer = layer_of(call, 1)
    found: list[tuple[Wire, States]] = []
    for way in layer.directions:
        (f,) = activations(call, way.number, ("Tanh",))
        first, second = layer.halves(way)

        def step(old: States, drive: Wire, shared: tuple[Wire, ...], f: Activation = f) -> States:
            return (f(drive + product(old[0], shared[0])),)

        found.append(run(layer, way, step, (layer.start(5, way),), layer.driven(way, first + second), (layer.row(2, way),)))
    return gathered(layer, found)


def gru(call: c.Call) -> list[Wire]:
    """h ← (1 − z) n + z h, with the gates z, r, n in this order; the reset stands before the product, or after it."""
    layer, after = layer_of(call, 3), bool(call.attribute("linear_before_reset", 0))
    found: list[tuple[Wire, States]] = []
    for way in layer.directions:
        f, g = activations(call, way.number, ("Sigmoid", "Tanh"))
        first, second = layer.halves(way)
        u, n = layer.row(2, way), 2 * layer.units
        shift = spread_to(second[n:], (layer.x.atom.shape[1], layer.units))
        early = ops.concatenate([second[:n], second[n:].atom.zero()]) if after else second
        step = reset_after(f, g) if after else reset_first(f, g)
        shared = (u[:n], u[n:], shift) if after else (u[:n], u[n:])
        found.append(run(layer, way, step, (layer.start(5, way),), layer.driven(way, first + early), shared))
    return gathered(layer, found)


def reset_first(f: Activation, g: Activation) -> Step:
    """n = g(W x + R (r h) + β)."""

    def step(old: States, drive: Wire, shared: tuple[Wire, ...]) -> States:
        (h,), (z, r, new) = old, parts(drive, 3)
        z2, r2 = parts(product(h, shared[0]), 2)
        update, reset = f(z + z2), f(r + r2)
        n = g(new + product(reset * h, shared[1]))
        return (n + update * (h - n),)

    return step


def reset_after(f: Activation, g: Activation) -> Step:
    """n = g(W x + β + r (R h + β′))."""

    def step(old: States, drive: Wire, shared: tuple[Wire, ...]) -> States:
        (h,), (z, r, new) = old, parts(drive, 3)
        z2, r2 = parts(product(h, shared[0]), 2)
        update, reset = f(z + z2), f(r + r2)
        n = g(new + reset * (product(h, shared[1]) + shared[2]))
        return (n + update * (h - n),)

    return step


def lstm(call: c.Call) -> list[Wire]:
    """c ← f c + i g, h ← o h(c), with the gates i, o, f, g in this order; peepholes add p c to the gates."""
    if call.attribute("input_forget", 0):
        raise call.refused("couples its input and forget gates, which has no meaning here: write the gates as nodes of their own")
    layer = layer_of(call, 4)
    found: list[tuple[Wire, States]] = []
    for way in layer.directions:
        step = lstm_step(activations(call, way.number, ("Sigmoid", "Tanh", "Tanh")), call.given(7))
        first, second = layer.halves(way)
        wide = (layer.x.atom.shape[1], 3 * layer.units)
        shared = (layer.row(2, way), *((spread_to(layer.row(7, way), wide),) if call.given(7) else ()))
        starts = (layer.start(5, way), layer.start(6, way))
        found.append(run(layer, way, step, starts, layer.driven(way, first + second), shared))
    return gathered(layer, found)


def lstm_step(acts: list[Activation], peepholes: bool) -> Step:
    """One step of an LSTM."""
    f, g, h = acts

    def step(old: States, drive: Wire, shared: tuple[Wire, ...]) -> States:
        state, cell = old
        i, o, forget, new = parts(drive + product(state, shared[0]), 4)
        pi, po, pf = parts(shared[1], 3) if peepholes else [full(0.0, Array(cell.atom.shape, cell.atom.dtype))] * 3
        kept = f(forget + pf * cell if peepholes else forget) * cell + f(i + pi * cell if peepholes else i) * g(new)
        return f(o + po * kept if peepholes else o) * h(kept), kept

    return step


TABLE: c.Table = {"GRU": gru, "LSTM": lstm, "RNN": rnn}
