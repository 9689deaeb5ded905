"""Wrong calls in sentences: an argument of a strange name is answered by the nearest one, or by what it is called here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, wraps
from inspect import Parameter, Signature, signature
from types import SimpleNamespace
from typing import ParamSpec, TypeVar, get_args, get_type_hints, is_typeddict

from lensgrad.core.checks import clean, nearest
from lensgrad.core.errors import NoAttribute, TypeMismatch, listed

P = ParamSpec("P")
T = TypeVar("T")


def in_words(foreign: Mapping[str, str]) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """The same function, which says what is wrong with a call; `foreign` are names that arguments have elsewhere, and what to do here."""

    def change(function: Callable[P, T]) -> Callable[P, T]:
        known = signature(function)

        @wraps(function)
        def called(*args: P.args, **named: P.kwargs) -> T:
            taken = options(function)
            strange = [n for n in named if n not in known.parameters and (n in foreign if taken is None else n not in taken)]
            try:
                known.bind(*args, **named)
            except TypeError as wrong:
                raise TypeMismatch(refusal(function.__name__, known, taken, strange or [*named], foreign, str(wrong))) from None
            if strange:  # **options would let them pass
                raise TypeMismatch(refusal(function.__name__, known, taken, strange, foreign, ""))
            return function(*args, **named)

        return called

    return change


@cache
def options(function: Callable[..., object]) -> tuple[str, ...] | None:
    """The names that a function takes beside its parameters, where **options say which; None where they may be any."""
    hints = {p.name: p.annotation for p in signature(function).parameters.values() if p.kind is Parameter.VAR_KEYWORD}
    if not hints:
        return ()
    found = get_type_hints(SimpleNamespace(__annotations__=hints), getattr(function, "__globals__", {}))
    return next((tuple(table.__annotations__) for table in map(unpacked, found.values()) if table is not None), None)


def unpacked(hint: object) -> type | None:
    """The table of options in `Unpack[…]`."""
    return next((table for table in get_args(hint) if is_typeddict(table)), None)


def refusal(
    function: str, known: Signature, taken: tuple[str, ...] | None, named: list[str], foreign: Mapping[str, str], wrong: str
) -> str:
    """What is wrong with a call, and what to write."""
    names = [n for n, p in known.parameters.items() if n != "self" and p.kind is not Parameter.VAR_KEYWORD]
    strange = [n for n in named if n not in known.parameters and n not in (taken or ())]
    if not strange or (taken is None and strange[0] not in foreign):
        call = f"{function}({', '.join(map(written, [known.parameters[n] for n in names[:3]]))}, …)"
        missing = re.fullmatch(r"missing a required argument: '(\w+)'", wrong)
        return f"{call} needs '{missing[1]}' too: give it" if missing else f"{call}: {wrong}"
    told = f"{function} takes no '{clean(strange[0])}'"
    if strange[0] in foreign:
        return f"{told}: {foreign[strange[0]]}"
    names = [*names, *(taken or ())]
    return told + (nearest(strange[0], names) or f": it takes {listed(names)}")


def written(p: Parameter) -> str:
    """A parameter as it is given."""
    return f"{p.name}=…" if p.kind is Parameter.KEYWORD_ONLY else p.name


def elsewhere(what: object, name: str, places: Mapping[str, str]) -> AttributeError:
    """The error for an attribute that something has not; `places` say where those are that people look for."""
    usual = f"'{type(what).__name__}' object has no attribute '{clean(name)}'"
    return NoAttribute(f"{usual}: {places[name]}") if name in places else AttributeError(usual)
