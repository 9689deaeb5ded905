# pyright: standard
# Not strict: the arguments of a meaning have the types that the schema of its operator gives them, and lambdas name none.
"""LSTM, GRU and simple recurrent networks: layers and directions of one body, run along the steps by `Scan`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lensgrad.core.diagram import flatten
from lensgrad.core.graph import Wire
from lensgrad.interchange.shapes import spread_to
from lensgrad.interchange.torch.meanings.call import Meaning, Out, Table, refused
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.index import rotated
from lensgrad.theories.smooth.scan import scan

Cell = Callable[[tuple[Wire, ...], Wire, Wire], tuple[Wire, ...]]  # states, W x + β, W h + β ↦ next states


def lstm_cell(old: tuple[Wire, ...], drive: Wire, held: Wire) -> tuple[Wire, ...]:
    """The gates stand in the order i, f, g, o."""
    i, f, g, o = ops.split(drive + held, 4, 1)
    kept = ops.sigmoid(f) * old[1] + ops.sigmoid(i) * ops.tanh(g)
    return ops.sigmoid(o) * ops.tanh(kept), kept


def gru_cell(old: tuple[Wire, ...], drive: Wire, held: Wire) -> tuple[Wire, ...]:
    """The gates stand in the order r, z, n."""
    (r1, z1, n1), (r2, z2, n2) = ops.split(drive, 3, 1), ops.split(held, 3, 1)
    new = ops.tanh(n1 + ops.sigmoid(r1 + r2) * n2)
    return (new + ops.sigmoid(z1 + z2) * (old[0] - new),)


def plain(act: Callable[[Wire], Wire]) -> Cell:
    return lambda old, drive, held: (act(drive + held),)


def product(x: Wire, w: Wire, bias: Wire | None) -> Wire:
    """W x + β along the last axis."""
    front = "tn"[-(x.atom.rank - 1) :]
    y = ops.einsum(f"{front}i,oi->{front}o", x, w)
    return y if bias is None else y + spread_to(bias, y.atom.shape)


def direction(cell: Cell, x: Wire, start: tuple[Wire, ...], given: Sequence[Wire], backward: bool) -> tuple[Wire, list[Wire]]:
    """One layer one way : (T, N, n) → the state after each step, (T, N, h), and the last states."""
    w, u, *biases = given
    first, second = biases if biases else (None, None)

    def step(carry: Any, drive: Any, shared: Any) -> Any:
        old, held = tuple(flatten([carry])), flatten([shared])
        new = cell(old, drive, product(old[0], held[0], held[1] if biases else None))
        return new, new[0]

    final, states = scan(step, start, product(x, w, first), (u, second) if biases else u, backward)
    return states, flatten([final])


def network(cell: Cell, states: int, tuple_of_states: bool) -> Meaning:
    """All layers and directions, one after the other."""

    def meaning(
        out: Out, x: Wire, start: Any, params: Any, biases: Any, layers: Any = 1, dropout: Any = 0.0, train: Any = False,
        bidirectional: Any = False, batch_first: Any = False,
    ) -> tuple[Wire, ...]:  # fmt: skip
        if not isinstance(biases, bool):
            raise refused("packed sequences have no meaning: give padded ones, and a mask")
        ways, begun = 2 if bidirectional else 1, [start] if isinstance(start, Wire) else [*start]
        each = 4 if biases else 2
        if len(params) != each * ways * layers:
            raise refused("an LSTM with projections (proj_size) has no meaning")
        x, ends = rotated(x, 0, 1) if batch_first else x, list[list[Wire]]()
        for layer in range(layers):
            found = list[Wire]()
            for way in range(ways):
                k = layer * ways + way
                seen, last = direction(cell, x, tuple(s[k] for s in begun), params[each * k : each * (k + 1)], way == 1)
                found.append(seen)
                ends.append(last)
            x = ops.concatenate(found, 2) if ways > 1 else found[0]
        last_states = [ops.stack([e[s] for e in ends], 0) for s in range(states)]
        return (rotated(x, 0, 1) if batch_first else x, *last_states)

    return meaning


TABLE: Table = {
    "lstm": network(lstm_cell, 2, True),
    "gru": network(gru_cell, 1, False),
    "rnn_tanh": network(plain(ops.tanh), 1, False),
    "rnn_relu": network(plain(ops.relu), 1, False),
}
