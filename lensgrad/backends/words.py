"""How NumPy's machine words carry the elements of a semiring: their dtype, and +, × and sums as source."""

from __future__ import annotations

from dataclasses import dataclass

from lensgrad.core.errors import NoRule
from lensgrad.core.op import Table
from lensgrad.theories.poly.semiring import Semiring

WIDE = 2**31  # products of numbers below it fit in 64 bits
SMALL = 16  # products of numbers below it fit in one byte


@dataclass(frozen=True)
class Words:
    """The dtype of the elements; + and × of {0} and {1}; and sums of {0} over its first axis, or into places {1} of {2}.

    `{k.sum_whole}` in them is the name of a kernel.
    """

    dtype: str
    add: str
    mul: str
    collect: str
    scatter: str


def words(s: Semiring) -> Words:
    """The words of a semiring; an error for one that machine words do not carry exactly."""
    if s.rule == "mod" and s.size & (s.size - 1) == 0:
        return binary(s)
    if s.rule == "integers":
        sums = "{k.sum_whole}({0})", "{k.scatter_whole}({0}, {1}, {2})"
        return Words("np.int64", "{k.add_whole}({0}, {1})", "{k.multiply_whole}({0}, {1})", *sums)
    if s.rule in ("mod", "cap", "min-plus") and s.size <= WIDE:
        return bounded(s)
    if s.sums:
        return tabled(s)
    raise NoRule(f"{s.name} has no meaning in the NumPy backend: its products are more than 64 bits, or it was made without `semiring`")


def folded(dtype: str, add: str, mul: str, merge: str, zero: str, mask: str = "") -> Words:
    """Sums by one function of NumPy, in the dtype of the elements."""
    whole = f"{merge}.reduce({{0}}, 0, initial={zero}, dtype={dtype})" if merge == "np.add" else f"{merge}.reduce({{0}}, 0, initial={zero})"
    return Words(dtype, add + mask, mul + mask, whole + mask, f"{{k.scatter_words}}({{0}}, {{1}}, {{2}}, {zero}, {merge})" + mask)


def binary(s: Semiring) -> Words:
    """Modulo 2ᵏ, where words wrap by themselves."""
    bits = s.size.bit_length() - 1
    if bits == 1:
        return folded("np.uint8", "{0} ^ {1}", "{0} & {1}", "np.bitwise_xor", "0")
    width = next(w for w in (8, 16, 32, 64) if w >= bits)
    mask = "" if width == bits else f" & np.uint{width}({s.size - 1})"
    shown = ("{0} + {1}", "{0} * {1}") if not mask else ("({0} + {1})", "({0} * {1})")
    return folded(f"np.uint{width}", *shown, "np.add", "0", mask)


def bounded(s: Semiring) -> Words:
    """Numbers below a bound, brought back below it after each operation; sums of many are made in 64 bits."""
    top = s.size - 1
    dtype = "np.uint8" if s.size <= SMALL else "np.int64"
    if s.size == 2 and s.rule == "cap":
        return folded("np.uint8", "{0} | {1}", "{0} & {1}", "np.bitwise_or", "0")
    if s.rule == "min-plus":
        cut = f"np.minimum({{0}} + {{1}}, {dtype}({top}))"
        return folded(dtype, "np.minimum({0}, {1})", cut, "np.minimum", str(top))
    before, after = ("(", f") % {dtype}({s.size})") if s.rule == "mod" else ("np.minimum(", f", {dtype}({top}))")
    one = [before + text + after for text in ("{0} + {1}", "{0} * {1}")]
    wide = folded("np.int64", "", "", "np.add", "0")
    after = f") % {s.size}).astype({dtype})" if s.rule == "mod" else f", {top})).astype({dtype})"
    many = [f"({before}{text.replace('{0}', '{0}.astype(np.int64)')}{after}" for text in (wide.collect, wide.scatter)]
    return Words(dtype, *one, *many)


def tabled(s: Semiring) -> Words:
    """By the tables of a user's own semiring."""
    sums, products = (f"np.array({list(t)}, np.uint8)" for t in (s.sums, s.products))
    look = "{t}[{{0}} * np.uint16({n}) + {{1}}]"
    add, mul = (look.format(t=t, n=s.size) for t in (sums, products))
    several = f"{s.size}, {s.zero}, {sums})"
    return Words("np.uint8", add, mul, f"{{k.collect_by_table}}({{0}}, {several}", f"{{k.scatter_by_table}}({{0}}, {{1}}, {{2}}, {several}")


def entries(table: Table, dtype: str = "np.int32") -> str:
    """A table as source: a progression as one, many numbers as bytes."""
    values = table.entries
    step = values[1] - values[0] if len(values) > 1 else 1
    if len(values) > 2 and step and values == tuple(range(values[0], values[0] + step * len(values), step)):
        return f"np.arange({values[0]}, {values[0] + step * len(values)}, {step}, dtype={dtype})"
    if len(values) > 64:
        return f"np.frombuffer(bytes.fromhex('{table.raw.hex()}'), '<i4').astype({dtype})"
    return f"np.array({list(values)}, {dtype})"
