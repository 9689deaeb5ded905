"""Wrong calls in sentences: an argument of a strange name is answered by the nearest one, or by what it is called here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import ParamSpec, TypeVar

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
            elsewhere = [n for n in named if n in foreign and n not in known.parameters]  # **options would let them pass
            try:
                known.bind(*args, **named)
            except TypeError as wrong:
                raise TypeMismatch(refusal(function.__name__, known, elsewhere or [*named], foreign, str(wrong))) from None
            if elsewhere:
                raise TypeMismatch(refusal(function.__name__, known, elsewhere, foreign, ""))
            return function(*args, **named)

        return called

    return change


def refusal(function: str, known: Signature, named: list[str], foreign: Mapping[str, str], wrong: str) -> str:
    """What is wrong with a call, and what to write."""
    names = [n for n, p in known.parameters.items() if n != "self" and p.kind is not Parameter.VAR_KEYWORD]
    strange = [n for n in named if n not in known.parameters]
    if not strange or (accepts_any(known) and strange[0] not in foreign):
        call = f"{function}({', '.join(map(written, [known.parameters[n] for n in names[:3]]))}, …)"
        missing = re.fullmatch(r"missing a required argument: '(\w+)'", wrong)
        return f"{call} needs '{missing[1]}' too: give it" if missing else f"{call}: {wrong}"
    told = f"{function} takes no '{clean(strange[0])}'"
    if strange[0] in foreign:
        return f"{told}: {foreign[strange[0]]}"
    return told + (nearest(strange[0], names) or f": it takes {listed(names)}")


def accepts_any(known: Signature) -> bool:
    """Whether a function takes keywords of any name, which it hands on."""
    return any(p.kind is Parameter.VAR_KEYWORD for p in known.parameters.values())


def written(p: Parameter) -> str:
    """A parameter as it is given."""
    return f"{p.name}=…" if p.kind is Parameter.KEYWORD_ONLY else p.name


def elsewhere(what: object, name: str, places: Mapping[str, str]) -> AttributeError:
    """The error for an attribute that something has not; `places` say where those are that people look for."""
    usual = f"'{type(what).__name__}' object has no attribute '{clean(name)}'"
    return NoAttribute(f"{usual}: {places[name]}") if name in places else AttributeError(usual)
