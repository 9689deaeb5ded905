"""Calls of functions in order, by one thread or by all."""

from __future__ import annotations

from collections.abc import Sequence

from lensgrad.backends.native.printer import Function


def calls(functions: Sequence[tuple[Function, str]], alone: bool, sense: str = "&sense") -> list[str]:
    """The calls in order, each begun by its arrays; what is not divided is done by one thread, and the others wait where they have to."""
    lines: list[str] = []
    for f, call in functions:
        if f.parallel:
            lines += ["}", f"wait(gate, {sense}, of);"] if alone else []
            lines += [f"{call}id, of{f', gate, {sense}' if f.waits else ''});", f"wait(gate, {sense}, of);"]
        else:
            lines += [] if alone else ["if (id == 0) {"]
            lines.append(f"{call}0, 1);")
        alone = not f.parallel
    return lines
