"""What a user gives, checked where it enters: each check returns the plain Python value, or says in one sentence what it needs and got.

NumPy's numbers are taken where Python's are. Truth values are no numbers.
"""

from __future__ import annotations

import math
import os
import re
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, TypeGuard, TypeVar

from lensgrad.core.errors import BadValue, TypeMismatch, listed
from lensgrad.core.printed import clean, unprintable

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")
LONGEST_NAME = 200
LONGEST_PATH = 4000  # names of several levels, joined by /
SHOWN = 60  # characters of a value in a message
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")  # of an object without a text of its own


def shown(value: Any) -> str:
    """A value for a message: on one line, short, and never an error of its own."""
    try:
        text = repr(value)
    except Exception:
        text = f"a {type(value).__name__}"
    text = ADDRESS.sub("", " ".join(clean(text).split()))
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def is_whole(value: Any) -> bool:
    """Whether something is a whole number, of Python or NumPy, and no truth value."""
    return type(value) is int or (not isinstance(value, bool) and isinstance(value, Integral))


def is_number(value: Any) -> bool:
    """Whether something is a real number, of Python or NumPy, and no truth value."""
    return not isinstance(value, bool) and isinstance(value, Real)


def is_finite(value: Any) -> bool:
    """Whether something is a real number that a float holds."""
    try:
        return is_number(value) and math.isfinite(value)
    except OverflowError:
        return False


def is_group(value: Any) -> TypeGuard[Sequence[Any]]:
    """Whether something is a tuple or a list, of whatever."""
    return isinstance(value, tuple | list)


def is_a(value: Any, kind: type[Any] | tuple[type[Any], ...]) -> bool:
    """Whether something is of a class, asked of what a user gives: a signature says what is right, and this is whatever came."""
    return isinstance(value, kind)


def is_text(value: Any) -> TypeGuard[str]:
    """Whether something is text, whatever its type says that it is."""
    return isinstance(value, str)


def is_path(value: Any) -> TypeGuard[str | os.PathLike[str]]:
    """Whether something may be the path of a file."""
    return isinstance(value, str | os.PathLike)


def is_dict(value: Any) -> TypeGuard[Mapping[Any, Any]]:
    """Whether something is a dict or reads like one; what is in it is not known."""
    return type(value) is dict or isinstance(value, Mapping)  # pyright: ignore[reportUnknownArgumentType]


def is_tuple(value: Any) -> TypeGuard[tuple[Any, ...]]:
    """Whether something is a tuple; what is in it is not known."""
    return isinstance(value, tuple)


def is_sequence(value: Any) -> TypeGuard[Sequence[Any]]:
    """Whether something is a list or reads like one, and is no text; what is in it is not known."""
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def whole(what: str, value: Any, least: int = 0, most: int | None = None) -> int:
    """A whole number from `least` to `most`: `epochs must be a whole number ≥ 0, got 1.5`."""
    if is_whole(value) and least <= value and (most is None or value <= most):
        return int(value)
    span = f"≥ {least}" if most is None else f"from {limit(least)} to {limit(most)}"
    raise BadValue(f"{what} must be a whole number {span}, got {shown(value)}")


def wholes(what: str, value: Any, least: int = 0, n: int | None = None) -> tuple[int, ...]:
    """Whole numbers in a list, so many of them where that is said: `the shape of uniform must be whole numbers ≥ 0 in a list, got 3`."""
    if type(value) is tuple and is_group(value) and n is None and all([type(v) is int and v >= least for v in value]):
        return tuple(value)  # most shapes are shapes already
    wanted = f"whole numbers ≥ {least} in a list" if n is None else f"a list of {n} whole numbers ≥ {least}"
    given = listing(what, value, wanted)
    if (n is None or len(given) == n) and all(is_whole(v) and v >= least for v in given):
        return tuple(map(int, given))
    raise BadValue(f"{what} must be {wanted}, got {shown(value)}")


def per_axis(what: str, value: Any, axes: int, least: int = 1) -> tuple[int, ...]:
    """One whole number for each of so many axes, or one for all."""
    given = tuple(value) if is_group(value) else (value,) * axes
    if len(given) != axes or any(not is_whole(n) or n < least for n in given):
        raise BadValue(f"{what} expects a whole number ≥ {least}, or {axes} of them, got {shown(value)}")
    return tuple(map(int, given))


def axis(what: str, value: Any, rank: int, of: object) -> int:
    """The number of an axis, counted from the end where it is negative: `cumsum with axis=2 does not fit f32[3,4]: …`."""
    if (type(value) is int or is_whole(value)) and -rank <= value < rank:
        return int(value) % rank
    raise TypeMismatch(f"{what} with axis={shown(value)} does not fit {of}: {numbered('an axis must be a whole number', rank)}")


def axes(what: str, value: Any, rank: int, of: object) -> tuple[int, ...]:
    """The numbers of some axes, in increasing order: one, several in a list, or all of them for None."""
    if value is None:
        return tuple(range(rank))
    given: list[Any] = [value] if is_whole(value) or isinstance(value, str | bytes) or not iterable(value) else [*value]
    found = {int(a) % rank for a in given if is_whole(a) and -rank <= a < rank}
    if len(found) == len(given):
        return tuple(sorted(found))
    wanted = numbered("axes must be whole numbers", rank)
    raise TypeMismatch(f"{what} with axes={shown(value)} does not fit {of}: {wanted}, each once, or None for all")


def numbered(wanted: str, rank: int) -> str:
    """Which numbers axes have."""
    return f"{wanted} from {-rank} to {rank - 1}" if rank else "it has no axes"


def limit(n: int) -> str:
    """A bound for a message: the largest number of a machine word as its formula."""
    bits = (max(n + 1, -n)).bit_length() - 1
    if bits > 30 and n in ((1 << bits) - 1, -(1 << bits)):
        return f"2^{bits} - 1" if n > 0 else f"-2^{bits}"
    return str(n)


def number(what: str, value: Any, least: float = -math.inf, most: float = math.inf) -> float:
    """A finite number from `least` to `most`."""
    if is_finite(value) and least <= value <= most:
        return plain(value)
    raise BadValue(f"{what} must be {bounded(least, most)}, got {shown(value)}")


def positive(what: str, value: Any) -> float:
    """A finite number above 0."""
    if is_finite(value) and value > 0:
        return plain(value)
    raise BadValue(f"{what} must be a positive number, got {shown(value)}")


def bound(what: str, value: Any) -> float:
    """A number that may be infinite."""
    if is_finite(value) or (is_number(value) and value in (math.inf, -math.inf)):
        return plain(value) if is_finite(value) else float(value)
    raise BadValue(f"{what} must be a number, got {shown(value)}")


def share(what: str, value: Any) -> float:
    """A number from 0 up to, but not including, 1."""
    if is_number(value) and 0 <= value < 1:
        return plain(value)
    percent = f": {value} percent is {value / 100:g}" if is_whole(value) and 2 <= value < 100 else ""
    raise BadValue(f"{what} must be a fraction from 0 up to, but not including, 1, got {shown(value)}{percent}")


def plain(value: Any) -> float:
    """A number as Python's: whole ones stay whole, so that what is printed is what was written."""
    return int(value) if is_whole(value) else float(value)


def bounded(least: float, most: float) -> str:
    """`a number ≥ 0`, `a number from 0 to 1`."""
    if most == math.inf:
        return "a finite number" if least == -math.inf else f"a number ≥ {least:g}"
    return f"a number ≤ {most:g}" if least == -math.inf else f"a number from {least:g} to {most:g}"


def flag(what: str, value: Any) -> bool:
    """A truth value, of Python or NumPy."""
    if isinstance(value, bool) or type(value).__name__ in ("bool_", "bool"):
        return bool(value)
    raise BadValue(f"{what} must be True or False, got {shown(value)}")


def switch(what: str, value: Any) -> bool:
    """A truth value, or a whole number as other libraries take them, of which 0 is off."""
    return value != 0 if is_whole(value) else flag(what, value)


def one_of(what: str, value: Any, choices: Collection[str]) -> str:
    """One of some words, with the nearest of them where it is none."""
    if isinstance(value, str) and value in choices:
        return value
    raise BadValue(f"{what} must be one of {listed(list(choices))}, got {shown(value)}{nearest(value, choices)}")


def nearest(value: Any, choices: Collection[str]) -> str:
    """`: did you mean 'relu'?` where a word is the beginning of one of the choices, or almost one of them."""
    from difflib import get_close_matches  # only where somebody is told what is wrong: it takes as long to import as a room of ours

    if not isinstance(value, str) or not value:
        return ""
    word, known = value.lower(), {c.lower(): c for c in choices}
    begun = [c for c in known if len(word) > 2 and c.startswith(word)]
    found = begun or get_close_matches(word, known, 1)
    return f": did you mean '{known[found[0]]}'?" if found else ""


def name(what: str, value: Any, longest: int = LONGEST_NAME) -> str:
    """A name that a user gives: text of 1 to 200 characters that stays on its line wherever it is written."""
    if not isinstance(value, str):
        raise BadValue(f"{what} must be text, got {shown(value)}")
    if not 0 < len(value) <= longest:
        raise BadValue(f"{what} has 1 to {longest} characters, got {len(value)}: {shown(value)}")
    bad = None if value.isprintable() else next((c for c in value if unprintable(c)), None)
    if bad is not None:
        raise BadValue(f"{what} is one line of readable text, and {shown(value)} has the character {bad!a}")
    return str(value)


def path(what: str, value: Any) -> str:
    """Names of several levels, as in `encoder/dense/weight`: each of up to 200 characters, and all of it as `name` has it."""
    whole_name = name(what, value, LONGEST_PATH)
    for part in whole_name.split("/"):
        if len(part) > LONGEST_NAME:
            name(f"each level of {what}", part)
    return whole_name


def names(what: str, value: Any) -> tuple[str, ...]:
    """Names in a list: each is text, and one name alone is no list."""
    if not is_sequence(value):
        raise BadValue(f"{what} must be a list of names, got {shown(value)}")
    return tuple(name(f"each of {what}", each) for each in listing(what, value, "a list of names"))


def listing(what: str, value: Any, wanted: str) -> list[Any]:
    """Several things in a list, or in whatever can be gone through, but not a text."""
    if iterable(value) and not isinstance(value, str | bytes):
        return [*value]
    raise BadValue(f"{what} must be {wanted}, got {shown(value)}")


def iterable(value: Any) -> bool:
    """Whether something can be gone through; an array of one number is of a class that can, and cannot."""
    try:
        iter(value)
    except TypeError:
        return False
    return True


def function(what: str, value: Any, wanted: str) -> Callable[..., Any]:
    """Something to call that is no class."""
    if callable(value) and not isinstance(value, type):
        return value
    raise TypeMismatch(f"{what} must be {wanted}, got {shown(value)}")


def findable(code: Any) -> bool:
    """Whether another process finds a function or class, which pickle looks up by the names of its module and itself."""
    place: Any = sys.modules.get(getattr(code, "__module__", None) or "")
    for part in str(getattr(code, "__qualname__", "")).split("."):
        place = getattr(place, part, None)
    return place is code


def file(what: str, value: Any) -> Path:
    """The path of a file or folder, which may be there or not."""
    if is_path(value) and is_text(os.fspath(value)):
        from pathlib import Path  # late: it takes longer than all checks together, and most programs name no file

        return Path(os.fspath(value))
    raise BadValue(f"{what} must be a path, got {shown(value)}")


def instance(what: str, value: Any, kind: type[T] | tuple[type[T], ...], wanted: str) -> T:
    """A value of a class, said in the user's words: `early_stopping must be lg.early_stopping(…), got 3`."""
    if isinstance(value, kind):
        return value
    raise TypeMismatch(f"{what} must be {wanted}, got {shown(value)}")


def mapping(what: str, value: Any, wanted: str) -> Mapping[Any, Any]:
    """A dict, or what reads like one."""
    if is_dict(value):
        return value
    raise TypeMismatch(f"{what} must be {wanted}, got {shown(value)}")


def table(what: str, value: Any, keys: Collection[str]) -> Mapping[str, Any]:
    """A dict by names, all of them known."""
    if not isinstance(value, Mapping):
        raise BadValue(f"{what} must be a dict by name, got {shown(value)}")
    given: dict[Any, Any] = {**value}
    for key in given:
        if key not in keys:
            raise BadValue(f"{what} has no '{clean(str(key))}', only {listed(list(keys))}{nearest(key, keys)}")
    return given


__all__ = [
    "axes", "axis", "bound", "bounded", "clean", "file", "findable", "flag",
    "function", "instance", "is_a", "is_dict", "is_finite", "is_group",
    "is_number", "is_path", "is_sequence", "is_text", "is_tuple", "is_whole", "listing", "mapping", "name", "names", "nearest",
    "number", "one_of", "path", "per_axis", "plain", "positive", "share", "shown", "switch", "table", "unprintable", "whole",
    "wholes",
]  # fmt: skip
