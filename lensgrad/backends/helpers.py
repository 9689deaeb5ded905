"""Functions that a generated file contains: recorded when a line uses them, copied with the functions that they call."""

from __future__ import annotations

import builtins
import dis
import inspect
import keyword
from collections.abc import Callable, Iterator
from functools import cache
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from lensgrad.backends import kernels
from lensgrad.core import checks
from lensgrad.core.errors import BadValue


class Helpers:
    """The functions that a file contains, each under its own name."""

    def __init__(self) -> None:
        self.found: dict[str, FunctionType] = {}

    def use(self, fn: Callable[..., Any]) -> str:
        """Record a function, with all that it calls, and return the name by which the file calls it."""
        if not isinstance(fn, FunctionType):
            raise BadValue(f"a helper must be a function of a module, written with def, got {checks.shown(fn)}")
        for each in with_callees(fn):
            if self.found.setdefault(each.__name__, each) is not each:
                raise BadValue(f"two helpers are called '{each.__name__}', and a file has room for one: rename yours")
        return fn.__name__

    def __contains__(self, fn: object) -> bool:
        return fn in self.found.values()

    def texts(self) -> list[str]:
        """Their sources, in the order in which they stand in their modules."""
        return [text_of(f) for f in sorted(self.found.values(), key=place)]


class Kernels:
    """`{k.logistic}` in the text of a table: the name of a kernel, recorded as used."""

    def __init__(self, use: Callable[[Callable[..., Any]], str]) -> None:
        self._use = use

    def __getattr__(self, name: str) -> str:
        return self._use(getattr(kernels, name))


def place(fn: FunctionType) -> tuple[bool, str, int]:
    """Where a function is written; those of the library come first."""
    return fn.__module__ != kernels.__name__, fn.__module__, fn.__code__.co_firstlineno


@cache
def text_of(fn: FunctionType) -> str:
    """The source of a function that may be copied: written with `def` at the top of its module."""
    try:
        text = inspect.getsource(fn).rstrip()
    except (OSError, TypeError):
        text = ""
    if not text.startswith("def "):
        raise BadValue(f"the helper '{fn.__name__}' cannot be copied into a file: write it with def at the top of a module")
    return text


@cache
def with_callees(fn: FunctionType) -> tuple[FunctionType, ...]:
    """A function and all that it calls, each once."""
    found: dict[FunctionType, None] = {}
    waiting = [fn]
    while waiting:
        each = waiting.pop()
        if each not in found:
            found[each] = None
            waiting += called_by(each)
    return tuple(found)


def called_by(fn: FunctionType) -> list[FunctionType]:
    """The functions that one calls; an error for anything else outside it that a file would lack, but for NumPy."""
    calls = list[FunctionType]()
    for name in sorted(set(names_read(fn.__code__))):
        value = fn.__globals__.get(name, builtins.__dict__.get(name))
        if isinstance(value, FunctionType) and value is not fn:
            calls.append(value)
        elif value is not fn and value is not np and name not in builtins.__dict__:
            raise BadValue(f"the helper '{fn.__name__}' uses '{name}' of its module, which a file would lack: give it as an argument")
    return calls


def names_read(code: CodeType) -> Iterator[str]:
    """The names outside a function that its code reads, those of functions inside it too."""
    yield from (i.argval for i in dis.get_instructions(code) if i.opname in ("LOAD_GLOBAL", "LOAD_NAME"))
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from names_read(inner)


def functions_of(module: ModuleType) -> list[str]:
    """The names of the functions that a module defines."""
    return [n for n, v in vars(module).items() if isinstance(v, FunctionType) and v.__module__ == module.__name__]


# What no input of a generated function may be called, since lines and helpers say something else by it.
RESERVED = frozenset(["np", "__debug__", *keyword.kwlist, *dir(builtins), *functions_of(kernels)])
