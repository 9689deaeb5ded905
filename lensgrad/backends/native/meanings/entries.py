"""Entries that are computed from entries: conditions, numbers, random words."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lensgrad.backends.native.flat import TYPES, Value
from lensgrad.backends.native.integers import Index, flat
from lensgrad.backends.native.scope import Here, Scope, Where, local

WHOLE = {"int32": (-(2**31), 2**31 - 1), "uint8": (0, 255), "uint32": (0, 2**32 - 1)}


def plus(here: Here) -> str:
    return around(here, f"{here.arg(0)} + {here.arg(1)}", "{0}{1} + {0}{2}", 2)


def minus(here: Here) -> str:
    return around(here, f"{here.arg(0)} - {here.arg(1)}", "{0}{1} - {0}{2}", 2)


def times(here: Here) -> str:
    return around(here, f"{here.arg(0)} * {here.arg(1)}", "{0}{1} * {0}{2}", 2)


def negative(here: Here) -> str:
    return around(here, f"-{here.arg(0)}", "0u - {0}{1}", 1)


def around(here: Here, text: str, words: str, arity: int) -> str:
    """Arithmetic; that of whole numbers goes around at 32 bits, which C promises without a sign only."""
    if here.cod.dtype != "int32":
        return here.let(text)
    return here.let(f"(int32_t)({words.format('(uint32_t)', *(here.arg(k) for k in range(arity)))})")


def full(here: Here) -> str:
    return here.number(here.op.value)


def one(here: Here) -> str:
    return here.number(1)


def cast(here: Here) -> str:
    """Between dtypes; floats to integers truncate, NaN as 0 and values outside at the ends."""
    x, source, target = here.arg(0), here.dom[0].dtype, here.cod.dtype
    if source == target:
        return x
    if target == "bool":
        return here.let(f"{x} != 0")
    if source in ("float32", "float64") and target in WHOLE:
        return here.let(f"to_{target}({x})")
    return here.let(f"({TYPES[target]}){x}")


def both(tests: Sequence[str]) -> str:
    """Conditions as one; 1 for none."""
    return " && ".join(tests) or "1"


def choice(scope: Scope, dtype: str, condition: str, value: Callable[[Scope], str], other: str) -> str:
    """A value where a condition holds, else another one; what the value needs is read only there."""
    if condition == "1":
        return value(scope)
    inside = scope.inside()
    text = value(inside)
    name = scope.reading.names.new()
    scope.lines += [f"{local(dtype)} {name} = {other};", f"if ({condition}) {{", *inside.lines, f"{name} = {text};", "}"]
    return name


def guarded(here: Here, condition: str, value: Callable[[Scope], str], other: str) -> str:
    return choice(here.scope, here.cod.dtype, condition, value, other)


def within(place: Index, size: int) -> list[str]:
    """What must hold for a place to be on an axis, as far as it is not certain."""
    low, high = place.bounds
    return [*([f"{place} >= 0"] if low < 0 else []), *([f"{place} < {size}"] if high >= size else [])]


def pad(here: Here) -> str:
    """Zeros around and between the entries."""
    tests: list[str] = []
    place: list[Index] = []
    for i, n, low, gap in zip(here.index, here.dom[0].shape, here.op.low, here.op.interior, strict=True):
        inner, step = i - low, gap + 1
        tests += within(inner, (n - 1) * step + 1)
        if step > 1:
            tests.append(f"({inner}) % {step} == 0")
            inner, _ = inner.divided(step)
        place.append(inner)
    return guarded(here, both(tests), lambda scope: scope.at(here.call.args[0], tuple(place)), here.number(0))


def concatenate(here: Here) -> str:
    """The entry of the part that the index falls into."""
    axis: int = here.op.axis
    i, text = here.index[axis], here.number(0)
    for number, part in enumerate(here.dom):
        low, high = i.bounds
        if low < part.shape[axis] and high >= 0:
            place = (*here.index[:axis], i, *here.index[axis + 1 :])
            text = guarded(here, both(within(i, part.shape[axis])), reader(here.call.args[number], place), text)
        i = i - part.shape[axis]
        here.scope.reading.edge(i)
    return text


def reader(wire: int, place: Where) -> Callable[[Scope], str]:
    return lambda scope: scope.at(wire, place)


def take(here: Here) -> str:
    """Rows by number; numbers outside are clipped."""
    lead: int = here.op.lead
    rank = len(here.dom[1].shape)
    rows = here.dom[0].shape[lead]
    row = here.scope.whole(clipped(here.arg(1, here.index[:rank]), rows, here.dom[1]), rows)
    return here.arg(0, (*here.index[:lead], row, *here.index[rank:]))


def clipped(number: str, rows: int, kind: Value) -> str:
    """A number of a row, at the nearer end where there is no such row."""
    if kind.dtype in ("uint8", "bool") and rows > 255:
        return f"(int){number}"
    if kind.dtype != "int32":
        return f"{number} >= {rows}u ? {rows - 1} : (int){number}"
    return f"{number} < 0 ? 0 : {number} >= {rows} ? {rows - 1} : {number}"


def one_hot(here: Here) -> str:
    column = here.index[-1]
    return here.let(f"{here.arg(0, here.index[:-1])} == {column} ? {here.number(1)} : {here.number(0)}")


def iota(here: Here) -> str:
    return here.let(str(here.index[0]))


def fold_in(here: Here) -> str:
    """A word of the key for each whole number."""
    *index, word = here.index
    rank = len(here.dom[0].shape) - 1
    words = [here.arg(0, (*index[:rank], Index(k))) for k in (0, 1)]
    data = here.arg(1, tuple(index))
    return here.let(f"threefry({words[0]}, {words[1]}, (uint32_t){data}, 1u, {word})")


def random_bits(here: Here) -> str:
    """Uniform words, one counter an entry."""
    rank = len(here.dom[0].shape) - 1
    words = [here.arg(0, (*here.index[:rank], Index(k))) for k in (0, 1)]
    count = flat(here.index[rank:], here.op.shape)
    return here.let(f"threefry({words[0]}, {words[1]}, (uint32_t)({count}), 0u, 0)")


def power(here: Here) -> str:
    """xⁿ by multiplying, 1 over it for n < 0."""
    x, n = here.arg(0), here.op.n
    if n == 0:
        return here.number(1)
    found, base, left = "", x, abs(n)
    while left:
        if left & 1:
            found = here.let(f"{found} * {base}") if found else base
        left >>= 1
        base = here.let(f"{base} * {base}") if left else base
    return found if n > 0 else here.let(f"1 / {found}")


def clamp(here: Here) -> str:
    low, high = here.number(here.op.low), here.number(here.op.high)
    return here.let(f"smaller(larger({here.arg(0)}, {low}), {high})")
