"""Circles among the modules of lensgrad, of which none is allowed: `python -m tools.circles`.

An import counts wherever it stands: inside a function, or for type checkers only.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def modules(root: Path, package: str = "lensgrad") -> dict[str, Path]:
    """Every module of the package, by its name."""
    found = {".".join(p.relative_to(root).with_suffix("").parts): p for p in sorted((root / package).rglob("*.py"))}
    return {name.removesuffix(".__init__"): path for name, path in found.items()}


def imported(text: str, known: Mapping[str, Path]) -> Iterator[str]:
    """The modules that a text imports, at any place in it."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module:
            inner = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name if name in known else node.module for name in inner)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def graph(root: Path, package: str = "lensgrad") -> dict[str, set[str]]:
    """For each module, those that it imports."""
    known = modules(root, package)
    return {name: {m for m in imported(path.read_text(encoding="utf-8"), known) if m in known} for name, path in known.items()}


def circle(imports: Mapping[str, set[str]]) -> list[str]:
    """One circle, from a module back to it; none where there is none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as found:
        return list(reversed(found.args[1]))
    return []


def main() -> int:
    """Print a circle; 1 where there is one."""
    found = circle(graph(ROOT))
    print(f"a circle: {' → '.join(found)}" if found else f"no circle among {len(graph(ROOT))} modules")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
