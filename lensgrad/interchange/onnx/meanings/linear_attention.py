"""Linear attention: a matrix for each head that every step changes and reads, as one loop."""

from __future__ import annotations

from lensgrad.core.diagram import flatten
from lensgrad.core.graph import Wire
from lensgrad.interchange.onnx import call as c
from lensgrad.interchange.onnx.meanings.attention import cut, joined
from lensgrad.interchange.onnx.space import text
from lensgrad.interchange.shapes import spread_to
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.scan import scan

RULES = ("linear", "gated", "delta", "gated_delta")


def linear_attention(call: c.Call) -> list[Wire]:
    """S ← e^g S + β k (v − Sᵀ k)ᵀ and o = q S / √d for each head, without g or without the correction where the rule says so."""
    rule, counts = text(call.attribute("update_rule", "gated_delta")), [int(call.attribute(k, 0)) for k in ("q_num_heads", "kv_num_heads")]
    if rule not in RULES or (call.given(4), call.given(5)) != ("gated" in rule, "delta" in rule):
        raise call.refused(f"must have the rule {', '.join(RULES)} and the gates of its rule, got {rule}")
    heads = [wide(cut(call, call.wire(k), counts[k > 0])) for k in range(3)]
    if counts[0] % counts[1]:
        raise call.refused(f"cannot share {counts[1]} heads of keys among {counts[0]} heads of queries")
    gates = [gate(call, k, counts[1], heads[1]) for k in (4, 5) if call.given(k)]
    state = first(call, heads[1], heads[2])
    steps = tuple(ops.transpose(v, 2, 0, 1, 3) for v in (*heads, *gates))

    def step(carry: Wire, row: object, _: object) -> tuple[Wire, Wire]:
        q, k, v, *more = flatten([row])
        return moved(carry, q, k, v, more.pop(0) if "gated" in rule else None, more.pop(0) if "delta" in rule else None)

    last, ys = scan(step, state, steps)
    scale = float(call.attribute("scale") or heads[0].atom.shape[-1] ** -0.5)
    y = joined(ops.transpose(ys * scale, 1, 2, 0, 3))
    return [ops.cast(y, call.wire(0).atom.dtype), ops.cast(last, call.wire(3 if call.given(3) else 0).atom.dtype)]


def wide(x: Wire) -> Wire:
    """x in float32 where it is of halves."""
    return ops.cast(x, "float32") if x.atom.dtype in ("float16", "bfloat16") else x


def gate(call: c.Call, k: int, count: int, like: Wire) -> Wire:
    """A decay or β for each head, or for each of its entries: (N, heads, length, 1 or width)."""
    x = wide(call.wire(k))
    if x.atom.shape[2] == 1:
        x = spread_to(x, (*x.atom.shape[:2], count))
    found = cut(call, x, count)
    if found.atom.shape[3] not in (1, like.atom.shape[3]):
        raise call.refused(f"needs one gate for each of {count} heads, or one for each entry of {like.atom}, got {x.atom}")
    return found


def first(call: c.Call, k: Wire, v: Wire) -> Wire:
    """The matrices that the loop begins with."""
    n, count, _, width = k.atom.shape
    return wide(call.wire(3)) if call.given(3) else k.atom.with_shape(n, count, width, v.atom.shape[3]).zero()


def moved(state: Wire, q: Wire, k: Wire, v: Wire, decay: Wire | None, rate: Wire | None) -> tuple[Wire, Wire]:
    """The next matrices, and what the queries read of them."""
    if decay is not None:
        column = ops.reshape(ops.exp(decay), *decay.atom.shape, 1)
        state = state * spread_to(column, state.atom.shape)
    if rate is not None:
        v = spread_to(rate, v.atom.shape) * (v - ops.einsum("bhdm,bhd->bhm", state, k))
    state = state + ops.einsum("bhd,bhm->bhdm", k, v)
    times = q.atom.shape[1] // k.atom.shape[1]
    return state, ops.einsum("bhd,bhdm->bhm", q, state if times == 1 else ops.repeat(state, times, 1))


TABLE: c.Table = {"LinearAttention": linear_attention}
