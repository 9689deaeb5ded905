"""A fault as a Python file of its own: the guilty generator with the numbers it met, which shows the fault with NumPy alone."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import Any
from zlib import compress

import numpy as np

from lensgrad.backends.engine import NumPy
from lensgrad.backends.source import comment
from lensgrad.cat.reverse import reverse
from lensgrad.cat.structure import change
from lensgrad.core.diagram import Diagram
from lensgrad.core.graph import Node
from lensgrad.core.ty import Ty
from lensgrad.program.taps import Numbers

FEW = 64  # numbers that are written as such
MANY = 1 << 20  # bytes that a file may hold
ALIKE = 8  # numbers of an elementwise generator that are kept


def reproduction(numbers: Numbers, number: int, told: str) -> str:
    """The text of a Python file: of a node of the task, or of the way back through one; empty where its numbers are too many for a file."""
    t = numbers.tapped
    ahead = t.nodes[t.through.get(number, number)]
    dom = t.dom(ahead)
    values = [numbers.at(a) for a in ahead.args]
    outs = t.outputs(t.through.get(number, number))
    flowing = [numbers.cotangent(w) for w in outs]
    moves = [change(a) is not None for a in dom]
    f = Diagram.of(ahead.op, dom)  # pyright: ignore[reportArgumentType]
    back = number in t.through or all(np.isfinite(numbers.at(w)).all() for w in outs if numbers.at(w).dtype.kind == "f")
    if back and any(moves) and all(g is not None for g in flowing):
        f = reverse(f, moves, [True] * len(f.cod))
        values += [g for g in flowing if g is not None]
    names = [*(f"x{i}" for i in range(len(ahead.args))), *(f"dy{i}" for i in range(len(values) - len(ahead.args)))]
    f, values = smaller(ahead, f, values, numbers.engine)
    if sum(v.nbytes for v in values) > MANY:
        return ""
    body = numbers.engine.source(f, "part", names, header=f"{told}.")
    given = [f"{n} = {written(v)}{comment(str(a))}" for n, v, a in zip(names, values, f.dom, strict=True)]
    shown = "print(*part({}), sep='\\n')".format(", ".join(names))
    return "\n".join([body, *given, 'with np.errstate(all="ignore"):', f"    {shown}", ""])


def smaller(node: Node, f: Diagram, values: Sequence[np.ndarray[Any, Any]], engine: NumPy) -> tuple[Diagram, list[np.ndarray[Any, Any]]]:
    """An elementwise generator at a few of its numbers: those that come first among the worst."""
    shapes = {v.shape for v in values}
    if not getattr(node.op, "arity", 0) or len(shapes) != 1 or values[0].size <= FEW:
        return f, list(values)
    bad = [~np.isfinite(v).ravel() for v in run(f, values, engine) if v.dtype.kind == "f" and v.shape == values[0].shape]
    order = np.argsort(-sum((b.astype(int) for b in bad), np.zeros(values[0].size, int)), kind="stable")[:ALIKE]
    few = [v.ravel()[np.sort(order)] for v in values]
    atoms = Ty(tuple(a.with_shape(len(order)) for a in f.dom))
    made = Diagram.of(node.op, Ty(atoms.atoms[: len(node.args)]))  # pyright: ignore[reportArgumentType]
    if len(atoms) > len(node.args):
        made = reverse(made, [change(a) is not None for a in made.dom], [True] * len(made.cod))
    return made, few


def run(f: Diagram, values: Sequence[Any], engine: NumPy) -> tuple[np.ndarray[Any, Any], ...]:
    with np.errstate(all="ignore"):
        return tuple(map(np.asarray, engine.function(f)(*values)))


def written(v: np.ndarray[Any, Any]) -> str:
    """An array as Python: its numbers, or its bytes where they are many."""
    if v.size <= FEW:
        text = np.array2string(v, separator=", ", threshold=FEW + 1, floatmode="unique", max_line_width=10**6).replace("\n", "")
        return f"np.array({text.replace('nan', 'np.nan').replace('inf', 'np.inf')}, '{v.dtype.str}').reshape({v.shape})"
    raw = b64encode(compress(np.ascontiguousarray(v).tobytes())).decode("ascii")
    inner = f"__import__('zlib').decompress(__import__('base64').b64decode('{raw}'))"
    return f"np.frombuffer({inner}, '{v.dtype.str}').reshape({v.shape})"


__all__ = ["reproduction"]
