"""How long the files and functions are. Exits with 1 where a hard limit is broken: no file over 400 lines, no function over 40.

A file of tests is a list of cases, so a long one is told and no more.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("lensgrad", "examples", "benchmarks", "tools", "tests")
FILE, FUNCTION, NEAR = 400, 40, 250


def spans(tree: ast.Module) -> Iterator[tuple[str, int, set[int]]]:
    """Each function: its name, its first line, and the lines it covers."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.lineno, set(range(node.lineno, (node.end_lineno or 0) + 1))


def docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> set[int]:
    """The lines of a docstring."""
    first = node.body[0] if node.body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return set(range(first.lineno, (first.end_lineno or 0) + 1))
    return set()


def code(text: str, tree: ast.Module) -> set[int]:
    """The lines that are neither blank nor comment nor docstring."""
    told = {i for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) for i in docstring(node)}
    lines = enumerate(text.splitlines(), 1)
    return {i for i, line in lines if line.strip() and not line.lstrip().startswith("#")} - told


def measure(path: Path) -> tuple[int, int, list[tuple[str, int]]]:
    """All lines of a file, its lines of code, and each function with its lines of code."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    lines = code(text, tree)
    return len(text.splitlines()), len(lines), [(f"{path}:{at} {name}", len(span & lines)) for name, at, span in spans(tree)]


def part(folder: Path) -> list[str]:
    """Print one line for a part of the tree; return what breaks a limit."""
    found = {path: measure(path) for path in sorted(folder.rglob("*.py"))}
    if not found:
        return []
    sizes = [n for _, _, functions in found.values() for _, n in functions] or [0]
    tenth = quantiles(sizes, n=10)[-1] if len(sizes) > 1 else sizes[0]
    longest = max(total for total, _, _ in found.values())
    near = [p for p, (total, _, _) in found.items() if total > NEAR]
    print(
        f"{folder.name:<12}{len(found):>6}{sum(c for _, c, _ in found.values()):>9}{longest:>9}{len(near):>10}"
        f"{len(sizes):>11}{median(sizes):>8g}{tenth:>6g}{max(sizes):>6}"
    )
    broken = [f"{p.relative_to(ROOT)} has {total} lines, more than {FILE}" for p, (total, _, _) in found.items() if total > FILE]
    long = [(name, n) for _, _, functions in found.values() for name, n in functions if n > FUNCTION]
    return broken + [f"{Path(name).relative_to(ROOT)} has {n} lines, more than {FUNCTION}" for name, n in long]


def main() -> int:
    """Print the table and what breaks a limit."""
    print(f"{'':<12}{'files':>6}{'code':>9}{'longest':>9}{'over 250':>10}{'functions':>11}{'median':>8}{'p90':>6}{'max':>6}")
    told = [line for name in PARTS for line in part(ROOT / name)]
    broken = [line for line in told if not line.startswith("tests")]
    verdict = f"no file over {FILE} lines, no function over {FUNCTION}{' outside tests' if told else ''}"
    print("\n".join([*told, "a limit is broken" if broken else verdict]))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
