"""Attention of many heads, and rotary positions."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lensgrad.core.graph import Wire
from lensgrad.interchange.onnx import call as c
from lensgrad.interchange.onnx.meanings.norm import shares
from lensgrad.interchange.onnx.meanings.quantize import NUMBERED
from lensgrad.interchange.shapes import spread_to
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import full
from lensgrad.theories.smooth.index import Iota


@dataclass(frozen=True)
class Heads:
    """Queries, keys and values of each head: (N, heads, length, width)."""

    q: Wire
    k: Wire
    v: Wire
    past: int  # how many keys are from before

    @property
    def pairs(self) -> tuple[int, ...]:
        """The shape (N, heads, queries, keys)."""
        return (*self.q.atom.shape[:3], self.k.atom.shape[2])


def attention(call: c.Call) -> list[Wire]:
    """softmax(q kᵀ / √d + mask) v for each head; then the keys and values with those of before, and the products q kᵀ."""
    now = heads(call)
    k, v = repeated(now.k, now.q), repeated(now.v, now.q)
    scale = float(call.attribute("scale") or now.q.atom.shape[-1] ** -0.5) ** 0.5
    products = ops.einsum("bhqd,bhkd->bhqk", now.q * scale, k * scale)
    capped, precision = softcapped(call, products), dtype_of_softmax(call, now.q.atom.dtype)
    masked = shown(call, now, ops.cast(capped, precision))
    shared = shares(masked, 3)
    y = ops.einsum("bhqk,bhkd->bhqd", ops.cast(shared, v.atom.dtype), v)
    seen = (products, capped, masked, shared)[int(call.attribute("qk_matmul_output_mode", 0))]
    flat = call.wire(0).atom.rank == 3
    return [joined(y) if flat else y, now.k, now.v, ops.cast(seen, now.q.atom.dtype)]


def dtype_of_softmax(call: c.Call, own: str) -> str:
    """The dtype in which shares are computed."""
    number = int(call.attribute("softmax_precision") or 0)
    return NUMBERED.get(number, own) if number else own


def heads(call: c.Call) -> Heads:
    """The heads of a node, with keys and values from before in front of its own."""
    counts = [int(call.attribute(name, 0)) for name in ("q_num_heads", "kv_num_heads", "kv_num_heads")]
    q, k, v = (cut(call, call.wire(n), count) for n, count in enumerate(counts))
    if q.atom.shape[1] % k.atom.shape[1]:
        raise call.refused(f"cannot share {k.atom.shape[1]} heads of keys among {q.atom.shape[1]} heads of queries")
    past = call.wire(4).atom.shape[2] if call.given(4) else 0
    k, v = (ops.concatenate([call.wire(n), x], 2) if call.given(n) else x for n, x in ((4, k), (5, v)))
    return Heads(q, k, v, past)


def cut(call: c.Call, x: Wire, count: int) -> Wire:
    """(N, length, heads · width) → (N, heads, length, width); what has four axes is cut already."""
    if x.atom.rank == 4:
        return x
    if x.atom.rank != 3 or not count or x.atom.shape[2] % count:
        raise call.refused(f"cannot cut {x.atom} into {count} heads: give (N, length, heads · width) and the number of heads")
    n, length, width = x.atom.shape
    return ops.transpose(ops.reshape(x, n, length, count, width // count), 0, 2, 1, 3)


def joined(y: Wire) -> Wire:
    """(N, heads, length, width) → (N, length, heads · width)."""
    n, count, length, width = y.atom.shape
    return ops.reshape(ops.transpose(y, 0, 2, 1, 3), n, length, count * width)


def repeated(x: Wire, q: Wire) -> Wire:
    """Each head of keys or values as often as queries share it."""
    times = q.atom.shape[1] // x.atom.shape[1]
    return x if times == 1 else ops.repeat(x, times, 1)


def softcapped(call: c.Call, x: Wire) -> Wire:
    """cap · tanh(x / cap)."""
    cap = float(call.attribute("softcap", 0.0))
    return ops.tanh(x * (1.0 / cap)) * cap if cap > 0 else x


# -- masks -------------------------------------------------------------------------------------------------------------


def shown(call: c.Call, now: Heads, x: Wire) -> Wire:
    """What the products become where masks are: numbers are added, and what is hidden is −∞."""
    if call.given(3):
        mask = widened(call, call.wire(3), now.pairs[3])
        x = hidden(x, mask) if mask.atom.dtype == "bool" else x + spread_to(ops.cast(mask, x.atom.dtype), x.atom.shape)
    if call.attribute("is_causal", 0):
        x = hidden(x, causal(now))
    return hidden(x, lengths(call, now)) if call.given(6) else x


def hidden(x: Wire, mask: Wire) -> Wire:
    """x where the mask is true, else −∞."""
    return ops.select(spread_to(mask, x.atom.shape), x, full(-math.inf, x.atom))


def widened(call: c.Call, mask: Wire, keys: int) -> Wire:
    """A mask with as many columns as there are keys; those that it does not name are hidden."""
    missing = keys - mask.atom.shape[-1]
    if missing <= 0 or mask.atom.shape[-1] == 1:
        return mask
    more = mask.atom.with_shape(*mask.atom.shape[:-1], missing)
    return ops.concatenate([mask, full(False if mask.atom.dtype == "bool" else -math.inf, more)], mask.atom.rank - 1)


def causal(now: Heads) -> Wire:
    """Whether a key is not behind its query, which stands after all keys from before: (queries, keys)."""
    queries, keys = now.pairs[2:]
    row, column = (ops.spread(Iota(n)(), (queries, keys), (a,)) for a, n in enumerate((queries, keys)))
    return column <= row + now.past


def lengths(call: c.Call, now: Heads) -> Wire:
    """Whether a key is within the length of its example: (N, 1, 1, keys)."""
    n, _, _, keys = now.pairs
    ends = ops.spread(ops.cast(call.wire(6), "int32"), (n, 1, 1, keys), (0,))
    return ops.spread(Iota(keys)(), (n, 1, 1, keys), (3,)) < ends


# -- rotary positions --------------------------------------------------------------------------------------------------


def rotary(call: c.Call) -> list[Wire]:
    """Pairs of entries turned by the angle of their position, given by tables of cosines and sines."""
    x = cut(call, call.wire(0), int(call.attribute("num_heads", 0)))
    width = int(call.attribute("rotary_embedding_dim", 0)) or x.atom.shape[3]
    turned, rest = x[:, :, :, :width], x[:, :, :, width:]
    cosine, sine = (angles(call, call.wire(k), turned) for k in (1, 2))
    first, second = pair(call, turned)
    ends = [cosine * first - sine * second, sine * first + cosine * second]
    whole = ops.reshape(ops.stack(ends, 4), *turned.atom.shape) if call.attribute("interleaved", 0) else ops.concatenate(ends, 3)
    y = ops.concatenate([whole, rest], 3)
    return [joined(y) if call.wire(0).atom.rank == 3 else y]


def pair(call: c.Call, x: Wire) -> tuple[Wire, Wire]:
    """The two entries of each pair: neighbors, or the two halves."""
    half = x.atom.shape[3] // 2
    if call.attribute("interleaved", 0):
        return x[:, :, :, 0::2], x[:, :, :, 1::2]
    return x[:, :, :, :half], x[:, :, :, half:]


def angles(call: c.Call, table: Wire, x: Wire) -> Wire:
    """A table (positions, pairs) at the positions of the node, or one for each place (N, length, pairs), over the heads of x."""
    rows = ops.take(table, call.wire(3)) if call.given(3) else table
    n, count, length, width = x.atom.shape
    if tuple(rows.atom.shape) != (n, length, width // 2):
        raise call.refused(f"needs cosines and sines of shape {[n, length, width // 2]} for {x.atom}, got {rows.atom}")
    return ops.spread(rows, (n, count, length, width // 2), (0, 2, 3))


TABLE: c.Table = {"Attention": attention, "RotaryEmbedding": rotary}
