"""Pending compositions. `then` and `tensor` only remember their parts; one iterative walk runs them when needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeVar

W = TypeVar("W")


@dataclass(frozen=True, slots=True, eq=False)
class Then:
    """f₁ ; f₂ ; … ; fₙ, not yet computed."""

    parts: tuple[Any, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """f₁ ⊗ f₂ ⊗ … ⊗ fₙ, not yet computed."""

    parts: tuple[Any, ...]


Pending = Then | Tensor


def walk(
    root: Any,
    wires: Sequence[W],
    pending: Callable[[Any], Pending | None],
    visit: Callable[[Any, list[W]], Sequence[W]],
) -> list[W]:
    """Send `wires` through a tree of pending compositions, calling `visit(leaf, inputs)` left to right.

    The tree may be nested to any depth in any bracketing: there is no recursion, and each leaf is met once.
    """
    values: list[list[W]] = [list(wires)]
    todo: list[tuple[Any, Any]] = [("run", root)]
    while todo:
        kind, what = todo.pop()
        if kind == "join":
            values[-what:] = [list(chain.from_iterable(values[-what:]))]
        elif kind == "feed":
            values.append(what)
        else:
            _run(what, values, todo, pending, visit)
    return values[0]


def _run(
    f: Any,
    values: list[list[W]],
    todo: list[tuple[Any, Any]],
    pending: Callable[[Any], Pending | None],
    visit: Callable[[Any, list[W]], Sequence[W]],
) -> None:
    wait = pending(f)
    if wait is None:
        values.append(list(visit(f, values.pop())))
    elif isinstance(wait, Then):
        todo.extend(("run", part) for part in reversed(wait.parts))
    else:
        inputs, end = values.pop(), sum(len(p.dom) for p in wait.parts)
        todo.append(("join", len(wait.parts)))
        for part in reversed(wait.parts):
            todo += [("run", part), ("feed", inputs[end - len(part.dom) : end])]
            end -= len(part.dom)
