"""Loops of fixed length as `Scan`: carries first, then what is stacked; what all steps share is read from outside the body."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lensgrad.core.diagram import Diagram
from lensgrad.interchange.onnx.writing.sheet import Sheet, Value, counted

Write = Callable[[Diagram, Sequence[Value]], list[Value]]  # a body on values: its results, spread to their whole shapes


def loop(op: Any, xs: Sequence[Value], write: Write, sheet: Sheet) -> list[Value]:
    """The last carries, the stacked outputs, and the carries each step began with.

    A loop from the end goes through flipped stacks: not every runtime has the directions of `Scan`.
    """
    c, held = op.carries, op.carries + op.shared
    stacks = list(xs[held:]) or [counted(sheet, op.n)]  # a loop needs something to go through
    stacks = [v.flipped([0]) for v in stacks] if op.backward else stacks
    rows = [(v.dtype, v.shape[1:]) for v in stacks]

    def step(given: list[Value]) -> list[Value]:
        own = given[c : c + len(xs) - held]
        return [*write(op.body, [*given[:c], *xs[c:held], *own]), *given[:c]]

    body = sheet.body([*((v.dtype, v.shape) for v in xs[:c]), *rows], step)
    results = [(out.dtype, out.sizes if k < c else (op.n, *out.sizes)) for k, out in enumerate(body.outputs)]
    found = sheet.adds("Scan", [*xs[:c], *stacks], results, body, num_scan_inputs=len(stacks))
    return [*found[:c], *(v.flipped([0]) for v in found[c:])] if op.backward else found
