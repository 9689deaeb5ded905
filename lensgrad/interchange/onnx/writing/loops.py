"""Loops of fixed length as `Scan`: carries first, then what is stacked; what all steps share is read from outside the body."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lensgrad.core.diagram import Diagram
from lensgrad.interchange.onnx.writing.sheet import Value, counted

Write = Callable[[Diagram, Sequence[Value]], list[Value]]  # a body on values: its results, spread to their whole shapes


def loop(op: Any, xs: Sequence[Value], write: Write, sheet: Any) -> list[Value]:
    """The last carries, the stacked outputs, and the carries each step began with."""
    c, held = op.carries, op.carries + op.shared
    stacks = list(xs[held:]) or [counted(sheet, op.n)]  # a loop needs something to go through
    rows = [(v.dtype, v.shape[1:]) for v in stacks]

    def step(given: list[Value]) -> list[Value]:
        own = given[c : c + len(xs) - held]
        return [*write(op.body, [*given[:c], *xs[c:held], *own]), *given[:c]]

    body = sheet.body([*((v.dtype, v.shape) for v in xs[:c]), *rows], step)
    results = [(out.dtype, out.shape if k < c else (op.n, *out.shape)) for k, out in enumerate(body.outputs)]
    turns = {}
    if op.backward:
        turns = {"scan_input_directions": [1] * len(stacks), "scan_output_directions": [1] * (len(results) - c)}
    return sheet.adds("Scan", [*xs[:c], *stacks], results, body, num_scan_inputs=len(stacks), **turns)
