"""Wrong versions of C: of its text, and of the functions of Python that write it in formatted strings."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from types import FunctionType

from lensgrad.testing.mutations import Mutant, compiled, nodes, shown, wrong

SWAPS = {
    " + ": " - ", " - ": " + ", " * ": " + ", " / ": " * ", " % ": " / ", " < ": " <= ", " <= ": " < ", " > ": " >= ", " >= ": " > ",
    " == ": " != ", " != ": " == ", " && ": " || ", " || ": " && ", " += ": " = ", " |= ": " = ", "!(": "(",
}  # fmt: skip
CHOICE = re.compile(r"[^;]* \? [^;]*(;|$)")
HINT = re.compile(r"_Pragma\(.*?\)")  # how a loop is compiled, not what it computes
TOKEN = re.compile("|".join(map(re.escape, SWAPS)) + r"|(?<![\w.\"#])\d+(?![\w.])")


def wrong_texts(text: str, rest: str = "") -> Iterator[str]:
    """The versions of a piece of C with one operation or one whole number changed: bounds by one, signs, conditions, sums not added to.

    `rest` is what comes behind it. The smaller of two becomes the larger one, as it is the same whichever of equal ones it is.
    """
    hints = [range(*h.span()) for h in HINT.finditer(text)]
    for found in (t for t in TOKEN.finditer(text) if not any(t.start() in h for h in hints)):
        token, behind = found.group(), text[found.end() :]
        changed = SWAPS[token] if token in SWAPS else str(int(token) + 1)
        new = " > " if token == " < " and CHOICE.match(behind + rest) else changed
        yield text[: found.start()] + new + behind


@dataclass(frozen=True)
class Change:
    """One node of a function exchanged for another one, and what tells it from all other changes of the function."""

    name: str
    tree: ast.Module
    index: int
    new: ast.AST


def changes(function: FunctionType) -> Iterator[Change]:
    """How a function that writes C can be wrong: in its expressions, in its texts, and without one of its statements."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    told: dict[str, int] = {}
    for index, node in enumerate(nodes(tree, texts=True)):
        before = shown(node)
        for new in versions(node):
            after = shown(new)
            if after == before:
                continue
            change = short(before, after)
            told[change] = told.get(change, 0) + 1
            yield Change(change + (f" ({told[change]})" if told[change] > 1 else ""), tree, index, new)


def writing(function: FunctionType) -> Iterator[Mutant]:
    """All wrong versions of a function that writes C."""
    for change in changes(function):
        yield Mutant(function, change.name, compiled(change.tree, change.index, change.new, function, texts=True))


def versions(node: ast.AST) -> Iterator[ast.AST]:
    """The wrong versions of one node: texts token by token, lists with a line less, all else as everywhere."""
    if isinstance(node, ast.JoinedStr):
        yield from wrong_pieces(node)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from (ast.Constant(new) for new in wrong_texts(node.value))
    elif isinstance(node, ast.List):
        yield from fewer(node)
    elif isinstance(node, ast.BinOp | ast.Constant):
        yield from islice(wrong(node, False), 1)
    elif not isinstance(node, ast.Return):  # what returns nothing or its opposite writes no C
        yield from wrong(node, False)


def wrong_pieces(node: ast.JoinedStr) -> Iterator[ast.AST]:
    """A formatted string with one token of its own text changed."""
    for k, piece in enumerate(node.values):
        if isinstance(piece, ast.Constant):
            rest = "".join(str(v.value) if isinstance(v, ast.Constant) else "n" for v in node.values[k + 1 :])
            for new in wrong_texts(str(piece.value), rest):
                yield ast.JoinedStr([*node.values[:k], ast.Constant(new), *node.values[k + 1 :]])


def fewer(node: ast.List) -> Iterator[ast.AST]:
    """A list of lines without one of its statements. One without a declaration is no program."""
    for k, entry in enumerate(node.elts):
        text = shown(entry)
        if isinstance(entry, ast.JoinedStr | ast.Constant) and text.endswith((";'", ';"')) and not declares(text):
            yield ast.List([*node.elts[:k], *node.elts[k + 1 :]], ast.Load())


def declares(text: str) -> bool:
    """Whether a line, as it stands in Python, begins with a type."""
    return text.lstrip("f").strip("'\"").startswith(("const ", "int ", "static ", "{self.type} ", "{kind} ", "{type_} "))


def short(before: str, after: str) -> str:
    """A change without what both sides have in common, but for some letters around."""
    start = next((k for k, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after)))
    rest = zip(before[start:][::-1], after[start:][::-1], strict=False)
    end = next((k for k, (a, b) in enumerate(rest) if a != b), min(len(before), len(after)) - start)
    first, last = max(0, start - 24), max(0, end - 12)
    return f"{before[first : len(before) - last]} → {after[first : len(after) - last]}".rstrip()


__all__ = ["changes", "writing", "wrong_texts"]
