"""Wrong versions of a function, made from its source: each differs in one expression."""

from __future__ import annotations
import __future__

import ast
import copy
import inspect
import textwrap
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

REACHED = "_reached"  # the name under which a mutated expression reports that it was evaluated
LIMIT = 50_000  # evaluations of one expression after which a mutant is running forever


@dataclass(frozen=True)
class Mutant:
    """A function with one expression changed: what it said, what it says now, and its code."""

    function: Any  # a FunctionType; said so, a type checker would bind it as a method
    change: str
    code: CodeType


class Runaway(Exception):
    """A mutant that does not end."""


class Marker:
    """Counts how often the changed expression was evaluated."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, value: Any) -> Any:
        self.count += 1
        if self.count > LIMIT:
            raise Runaway(f"still running after {LIMIT} evaluations")
        return value


@contextmanager
def installed(mutant: Mutant) -> Generator[Marker]:
    """Run the mutant in place of the function, wherever it is known, and put the function back."""
    original, space, marker = mutant.function.__code__, mutant.function.__globals__, Marker()
    try:
        space[REACHED] = marker
        mutant.function.__code__ = mutant.code
        yield marker
    finally:
        mutant.function.__code__ = original
        del space[REACHED]


def mutants(function: FunctionType, linear: bool = False) -> Iterator[Mutant]:
    """All wrong versions of a function; `linear` says that what it returns is an adjoint and not wires."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    told: dict[str, int] = {}
    for index, node in enumerate(nodes(tree)):
        for new in wrong(node, linear):
            if shown(new) == shown(node):
                continue
            change = f"{shown(node)} → {shown(new)}"
            told[change] = told.get(change, 0) + 1
            numbered = change + (f" ({told[change]})" if told[change] > 1 else "")
            yield Mutant(function, numbered, compiled(tree, index, new, function))


def nodes(tree: ast.Module, texts: bool = False) -> list[ast.AST]:
    """What may be changed: expressions and returns, but no annotation, default, message, refusal or `strict`.

    With `texts` also formatted strings, and what is formatted in them.
    """
    found: list[ast.AST] = []
    left = (ast.arguments, ast.Raise) if texts else (ast.arguments, ast.Raise, ast.JoinedStr, ast.FormattedValue)

    def visit(node: ast.AST) -> None:
        if isinstance(node, left):
            return
        if isinstance(node, ast.FormattedValue):
            visit(node.value)
            return
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return
        if isinstance(node, ast.keyword) and node.arg == "strict":
            return
        found.append(node)
        pieces = [v for v in node.values if isinstance(v, ast.FormattedValue)] if isinstance(node, ast.JoinedStr) else None
        for child in ast.iter_child_nodes(node) if pieces is None else pieces:
            if child is not getattr(node, "returns", None) and child not in getattr(node, "decorator_list", []):
                visit(child)

    visit(tree)
    return [n for n in found if isinstance(n, ast.expr | ast.Return) and isinstance(getattr(n, "ctx", ast.Load()), ast.Load)]


def compiled(tree: ast.Module, index: int, new: ast.AST, function: FunctionType, texts: bool = False) -> CodeType:
    """The code of the function with its `index`-th node replaced."""
    changed = copy.deepcopy(tree)
    target = nodes(changed, texts)[index]
    put(changed, target, marked(copy.deepcopy(new)))
    space: dict[str, Any] = {}
    flags = __future__.annotations.compiler_flag
    code = compile(
        ast.fix_missing_locations(inside(changed, function)), f"<mutant of {function.__qualname__}>", "exec", flags, dont_inherit=True
    )
    exec(code, function.__globals__, space)
    made = space[function.__name__]
    return getattr(made, "fget", made).__code__


def inside(tree: ast.Module, function: FunctionType) -> ast.Module:
    """The function in another one that has what it knows of its class, for `super`."""
    if not function.__code__.co_freevars:
        return tree
    outer: Any = ast.parse("def outer():\n    __class__ = None\n    return 0")
    outer.body[0].body[1:1] = tree.body
    outer.body[0].body[-1] = ast.Return(ast.Name(function.__name__, ast.Load()))
    return ast.Module([*outer.body, *ast.parse(f"{function.__name__} = outer()").body], [])


def marked(new: ast.AST) -> ast.AST:
    """The expression, telling when it is evaluated."""
    if isinstance(new, ast.Return):
        return ast.Return(marked(new.value or ast.Constant(None)))  # pyright: ignore[reportArgumentType]
    if isinstance(new, ast.Starred):
        return ast.Starred(marked(new.value), new.ctx)  # pyright: ignore[reportArgumentType]
    return ast.Call(ast.Name(REACHED, ast.Load()), [new], [])  # pyright: ignore[reportArgumentType]


def put(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    """Replace one node where its parent holds it."""
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
            elif isinstance(value, list):
                nodes: list[Any] = [*value]
                if any(v is old for v in nodes):
                    setattr(parent, name, [new if v is old else v for v in nodes])


def shown(node: ast.AST) -> str:
    return ast.unparse(ast.fix_missing_locations(copy.deepcopy(node)))


# -- how an expression can be wrong --------------------------------------------------------------------------------------

SWAPS: dict[type[Any], type[Any]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.GtE: ast.Lt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
RELATIONS = {"==": "!=", "<=": ">", ">=": "<", "<": ">=", ">": "<=", "!=": "=="}


def wrong(node: ast.AST, linear: bool) -> Iterator[ast.AST]:
    """The wrong versions of one node."""
    rule = WRONG.get(type(node))
    if isinstance(node, ast.Return):
        yield from wrong_return(node, linear)
    elif rule is not None:
        yield from rule(node)


def wrong_return(node: ast.Return, linear: bool) -> Iterator[ast.AST]:
    """The sign flipped, or nothing returned, of the whole or of one entry; for an adjoint, the generator itself as well."""
    if node.value is None or (isinstance(node.value, ast.Constant) and node.value.value is None):
        return
    if linear:
        yield ast.Return(ast.Name("self", ast.Load()))
        yield ast.Return(opposite(node.value))
    elif isinstance(node.value, ast.Tuple):
        for i, entry in enumerate(node.value.elts):
            if isinstance(entry, ast.Starred):
                continue
            yield from (ast.Return(with_entry(node.value, i, e)) for e in (ast.UnaryOp(ast.USub(), entry), ast.Constant(None)))
    else:
        yield ast.Return(ast.UnaryOp(ast.USub(), node.value))
        yield ast.Return(ast.Constant(None))


def opposite(adjoint: ast.expr) -> ast.expr:
    """An adjoint with the sign of what it gives flipped."""
    if isinstance(adjoint, ast.Lambda):
        return flipped(adjoint)
    wires = ast.arguments([], [], ast.arg("dys"), [], [], None, [])
    applied = ast.Call(adjoint, [ast.Starred(ast.Name("dys", ast.Load()), ast.Load())], [])
    return ast.Lambda(wires, ast.UnaryOp(ast.USub(), applied))


def flipped(adjoint: ast.Lambda) -> ast.expr:
    """The sign flipped; of the first entry where there are several."""
    body = adjoint.body
    if isinstance(body, ast.Tuple):
        return ast.Lambda(adjoint.args, with_entry(body, 0, ast.UnaryOp(ast.USub(), body.elts[0])))
    return ast.Lambda(adjoint.args, ast.UnaryOp(ast.USub(), body))


def with_entry(group: ast.Tuple, place: int, entry: ast.expr) -> ast.Tuple:
    return ast.Tuple([entry if i == place else e for i, e in enumerate(group.elts)], ast.Load())


def wrong_operator(node: Any) -> Iterator[ast.AST]:
    """The opposite operation, or one operand alone."""
    if type(node.op) in SWAPS:
        yield ast.BinOp(node.left, SWAPS[type(node.op)](), node.right)
    yield node.left
    yield node.right


def wrong_sign(node: Any) -> Iterator[ast.AST]:
    """The operand without its minus or its not."""
    yield node.operand


def wrong_number(node: Any) -> Iterator[ast.AST]:
    """One more, one less; the other truth value; the other relation."""
    value: Any = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int | float):
        yield from (ast.Constant(value + step) for step in (1, -1))
    elif value in RELATIONS:
        yield ast.Constant(RELATIONS[value])


def wrong_comparison(node: Any) -> Iterator[ast.AST]:
    """The opposite answer."""
    for i, op in enumerate(node.ops):
        if type(op) in SWAPS:
            yield ast.Compare(node.left, [SWAPS[type(op)]() if j == i else o for j, o in enumerate(node.ops)], node.comparators)


def wrong_logic(node: Any) -> Iterator[ast.AST]:
    """And for or, and each operand dropped."""
    yield ast.BoolOp(SWAPS[type(node.op)](), node.values)
    for i in range(len(node.values)):
        rest = node.values[:i] + node.values[i + 1 :]
        yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)


def wrong_choice(node: Any) -> Iterator[ast.AST]:
    """The branches exchanged."""
    yield ast.IfExp(node.test, node.orelse, node.body)


def wrong_call(node: Any) -> Iterator[ast.AST]:
    """Neighboring arguments exchanged; an application of a generator left out."""
    args = node.args
    for i in range(len(args) - 1):
        if not any(isinstance(a, ast.Starred) for a in args[i : i + 2]):
            yield ast.Call(node.func, [*args[:i], args[i + 1], args[i], *args[i + 2 :]], node.keywords)
    if isinstance(node.func, ast.Call) and len(args) == 1 and not isinstance(args[0], ast.Starred):
        yield args[0]


def wrong_group(node: Any) -> Iterator[ast.AST]:
    """Neighboring entries exchanged."""
    for i in range(len(node.elts) - 1):
        yield type(node)([*node.elts[:i], node.elts[i + 1], node.elts[i], *node.elts[i + 2 :]], ast.Load())


WRONG: dict[type[Any], Callable[[Any], Iterator[ast.AST]]] = {
    ast.BinOp: wrong_operator,
    ast.UnaryOp: wrong_sign,
    ast.Constant: wrong_number,
    ast.Compare: wrong_comparison,
    ast.BoolOp: wrong_logic,
    ast.IfExp: wrong_choice,
    ast.Call: wrong_call,
    ast.Tuple: wrong_group,
    ast.List: wrong_group,
}
