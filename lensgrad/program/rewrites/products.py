"""Laws of products: what is the same along an axis leaves them, and rows are read by number after them, where fewer products result."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from lensgrad.program.rewrites.site import Law, Site
from lensgrad.theories.smooth import linear
from lensgrad.theories.smooth import pointwise as p
from lensgrad.theories.smooth.index import ScatterAdd, Take

Wires = Sequence[int] | None
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
ADDED = 8  # multiply-adds in the time of adding one number by its place


def product(site: Site, inputs: Sequence[str], output: str, args: Sequence[int]) -> int:
    """The einsum of these letters; of one argument, a sum and a transpose."""
    if len(args) > 1:
        return site.one(linear.Einsum(f"{','.join(inputs)}->{output}"), *args)
    letters = inputs[0]
    left = "".join(s for s in letters if s in output)
    total = site.one(linear.Sum(tuple(i for i, s in enumerate(letters) if s not in output)), args[0])
    return ordered(site, total, left, output)


def ordered(site: Site, x: int, letters: str, wanted: str) -> int:
    """The axes of x in another order."""
    return site.one(linear.Transpose(tuple(letters.index(s) for s in wanted)), x)


def sizes(site: Site, inputs: Sequence[str], args: Sequence[int]) -> dict[str, int]:
    """How long the axis of each letter is."""
    return {s: n for letters, a in zip(inputs, args, strict=True) for s, n in zip(letters, site.type(a).shape, strict=True)}


def spread_factor(site: Site, op: linear.Einsum, args: tuple[int, ...]) -> Wires:
    """einsum(spread(x), y) = spread(n · einsum(x, y)), with as few axes of x as it has without the spread; n counts what is summed."""
    if len(args) < 2:
        return None
    for i, a in enumerate(args):
        found = site.made(a, linear.Spread)
        if found is not None and site.type(a).floating:
            return factored(site, op, args, i, *found)
    return None


def factored(site: Site, op: linear.Einsum, args: tuple[int, ...], i: int, wide: linear.Spread, source: tuple[int, ...]) -> Wires:
    """The product with argument i as it is before it is spread; nothing where a number stands beside it."""
    inputs, output = op.letters()
    rest = inputs[:i] + inputs[i + 1 :]
    if not all(rest):
        return None
    length, new = sizes(site, inputs, args), [s for k, s in enumerate(inputs[i]) if k not in wide.axes]
    late = "".join(s for s in output if s in "".join(rest) or s not in new)
    own = "".join(s for s in inputs[i] if s not in new)
    others = [*args[:i], *args[i + 1 :]]
    if own:
        found = product(site, [*inputs[:i], own, *inputs[i + 1 :]], late, [*args[:i], *source, *args[i + 1 :]])
    else:
        found = product(site, rest, late, others)
        found = site.one(p.Mul(), found, site.one(linear.Spread(site.type(found).shape, ()), *source))
    n = math.prod(length[s] for s in new if s not in "".join(rest) and s not in output)
    found = site.one(p.Mul(), found, site.constant(float(n), site.type(found)))
    return site.apply(linear.Spread(tuple(length[s] for s in output), tuple(k for k, s in enumerate(output) if s in late)), found)


def taken(site: Site, op: linear.Einsum, args: tuple[int, ...]) -> Wires:
    """einsum(take(E, i), W) = take(einsum(E, W), i), and einsum(take(E, i), y) = einsum(E, scatter(i, y)) where i's axes are summed."""
    for k, a in enumerate(args) if len(args) > 1 else ():
        found = site.made(a, Take)
        if found is None or found[0].lead or not site.type(a).floating:
            continue
        inputs, output = op.letters()
        tokens = inputs[k][: site.type(found[1][1]).rank]
        others = [j for j, letters in enumerate(inputs) if j != k and set(letters) & set(tokens)]
        rule = read_after if not others and set(tokens) <= set(output) else added_before
        made = rule(site, op, args, k, tokens, *found[1]) if tokens else None
        if made is not None:
            return made
    return None


def read_after(site: Site, op: linear.Einsum, args: tuple[int, ...], k: int, tokens: str, rows: int, index: int) -> Wires:
    """The product of all rows, of which those wanted are read."""
    inputs, output = op.letters()
    length, m = sizes(site, inputs, args), site.type(rows).shape[0]
    count = math.prod(length[s] for s in tokens)
    if not 0 < m < count or set(length) <= set(output):
        return None
    new, late = fresh(op.spec), "".join(s for s in output if s not in tokens)
    inputs[k] = new + inputs[k][len(tokens) :]
    small = product(site, inputs, new + late, [*args[:k], rows, *args[k + 1 :]])
    return [ordered(site, site.one(Take(0), small, index), tokens + late, output)]


def added_before(site: Site, op: linear.Einsum, args: tuple[int, ...], k: int, tokens: str, rows: int, index: int) -> Wires:
    """The product with all rows, of what belongs to each row added up."""
    inputs, output = op.letters()
    if len(args) != 2 or set(tokens) & set(output) or not set(tokens) <= set(inputs[1 - k]):
        return None
    other, m = 1 - k, site.type(rows).shape[0]
    found = scattered(site, op, args, other, tokens, index, m)
    if found is None:
        return None
    new, rest, total = found
    letters = ["", ""]
    letters[k], letters[other] = new + inputs[k][len(tokens) :], new + rest
    both = [rows, rows]
    both[other] = total
    return [product(site, letters, output, both)]


def scatter_first(site: Site, op: ScatterAdd, args: tuple[int, ...]) -> Wires:
    """scatter(i, einsum(y, W)) = einsum(scatter(i, y), W), where nothing else reads the product."""
    index, y = args
    made = site.made(y, linear.Einsum)
    if op.lead or made is None or not site.alone(y) or not site.type(y).floating:
        return None
    einsum, inner = made
    inputs, output = einsum.letters()
    tokens = output[: site.type(index).rank]
    owners = [j for j, letters in enumerate(inputs) if set(letters) & set(tokens)]
    if not tokens or len(owners) != 1 or len(inner) < 2:
        return None
    found = scattered(site, einsum, inner, owners[0], tokens, index, op.rows, site.type(y).size)
    if found is None:
        return None
    new, rest, total = found
    inputs[owners[0]] = new + rest
    return [product(site, inputs, new + output[len(tokens) :], [*inner[: owners[0]], total, *inner[owners[0] + 1 :]])]


def scattered(
    site: Site, op: linear.Einsum, args: Sequence[int], k: int, tokens: str, index: int, rows: int, before: int = 0
) -> tuple[str, str, int] | None:
    """Argument k with its rows added up by number: a letter for the number, its other letters, and the wire.

    Nothing where that is more work.
    """
    inputs, _ = op.letters()
    length, rest = sizes(site, inputs, args), "".join(s for s in inputs[k] if s not in tokens)
    done, count = math.prod(length.values()), math.prod(length[s] for s in tokens)
    if not 0 < rows < count or done // count * rows + ADDED * site.type(args[k]).size >= done + ADDED * before:
        return None
    total = site.one(ScatterAdd(rows), index, ordered(site, args[k], inputs[k], tokens + rest))
    return fresh(op.spec), rest, total


def fresh(spec: str) -> str:
    """A letter that is not there."""
    return next(s for s in LETTERS if s not in spec)


def joined(site: Site, op: p.Add, args: tuple[int, ...]) -> Wires:
    """pad(x) + pad(y) = concatenate(x, y), padded where both together leave something, for pads side by side."""
    found = [pad for a in leaves(site, args) if (pad := strip(site, a)) is not None]
    if len(found) < 2 or len(found) < len(leaves(site, args)) or len({axis for axis, _, _, _ in found}) > 1:
        return None
    axis, found = found[0][0], sorted(found, key=lambda pad: pad[1])
    if any(a[2] != b[1] for a, b in pairwise(found)):
        return None
    whole = site.one(linear.Concatenate(axis), *(x for _, _, _, wire in found for x in pieces(site, axis, wire)))
    out = site.type(args[0])
    low, high = [0] * out.rank, [0] * out.rank
    low[axis], high[axis] = found[0][1], out.shape[axis] - found[-1][2]
    return site.apply(linear.Pad(tuple(low), tuple(high), (0,) * out.rank), whole)


def leaves(site: Site, args: Sequence[int]) -> list[int]:
    """What a sum adds up, through sums that nothing else reads; nothing where no pad is in sight."""
    if not any(site.made(a, linear.Pad) for a in args):
        return []
    found, waiting = list[int](), [*args]
    while waiting:
        wire = waiting.pop()
        made = site.made(wire, p.Add) if site.alone(wire) else None
        waiting += made[1] if made else ()
        found += () if made else (wire,)
    return found


def pieces(site: Site, axis: int, wire: int) -> tuple[int, ...]:
    """What a wire is put together from along an axis."""
    made = site.made(wire, linear.Concatenate)
    return made[1] if made is not None and made[0].axis == axis else (wire,)


def strip(site: Site, wire: int) -> tuple[int, int, int, int] | None:
    """Of a pad along one axis: the axis, where what is padded begins and ends, and its wire."""
    made = site.made(wire, linear.Pad)
    if made is None or any(made[0].interior):
        return None
    pad, (x,) = made
    axes = [i for i, sides in enumerate(zip(pad.low, pad.high, strict=True)) if any(sides)]
    return (axes[0], pad.low[axes[0]], pad.low[axes[0]] + site.type(x).shape[axes[0]], x) if len(axes) == 1 else None


PRODUCTS: tuple[Law, ...] = (
    Law("spread factors", (linear.Einsum,), spread_factor),
    Law("rows after the product", (linear.Einsum,), taken),
    Law("rows added before the product", (ScatterAdd,), scatter_first),
    Law("pads side by side", (p.Add,), joined),
)
__all__ = ["PRODUCTS"]
