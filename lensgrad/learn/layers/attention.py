"""Attention between the steps of one sequence, and the transformer block around it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lensgrad.cat.names import Param
from lensgrad.cat.para import Para, parametric
from lensgrad.core import checks
from lensgrad.core.calls import in_words
from lensgrad.core.diagram import Family
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.ty import Ty
from lensgrad.learn import init
from lensgrad.learn.layers.activations import activation_named
from lensgrad.learn.layers.combine import beside, residual
from lensgrad.learn.layers.dropout import dropout
from lensgrad.learn.layers.embedding import AXES, rotated
from lensgrad.learn.layers.norm import layer_norm, rms_norm
from lensgrad.learn.layers.own import Activation
from lensgrad.learn.layers.parts import FOREIGN, fill, layer, one_whole, ranked, titled, weight, with_mask
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array, Real
from lensgrad.theories.smooth.index import Iota

HIDDEN = -1e30  # the score of a step that must not be seen: e^HIDDEN is 0, and rows that see nothing stay finite


@dataclass(frozen=True)
class Heads:
    """How attention divides its features: `query` heads, of which groups share one of `shared` key and value heads."""

    query: int
    shared: int
    width: int

    @classmethod
    def of(cls, what: str, x: Array, heads: int, shared: int, width: int | None) -> Heads:
        if width is None and x.shape[-1] % heads:
            fix = "choose a number of heads that divides them, or give width="
            raise TypeMismatch(f"{what} cannot divide {x.shape[-1]} features into {heads} heads: {fix}")
        return cls(heads, shared, x.shape[-1] // heads if width is None else width)


@in_words(FOREIGN)
def multi_head_attention(
    heads: int,
    *,
    key_value_heads: int | None = None,
    width: int | None = None,
    causal: bool = False,
    rotary: bool | float = False,
    use_bias: bool = True,
    weights: init.Init = init.glorot,
    name: str = "",
) -> Family:
    """softmax(Q Kᵀ / √d) V of all heads, then a linear map : ℝ^(T, n) → ℝ^(T, n) (arXiv 1706.03762, section 3.2.2).

    With a mask beside the sequence, bool[T], only its steps that are true are seen; `causal` lets a step see itself and
    earlier ones. `key_value_heads` below `heads` shares keys and values in groups (arXiv 2305.13245). `rotary` turns
    queries and keys by their position (True, or the base of the angles). `width` is that of a head, n / heads if not given.
    """
    what = titled("multi_head_attention", name)
    queries, own = one_whole(what, heads=heads), None if width is None else one_whole(what, width=width)
    shared = queries if key_value_heads is None else one_whole(what, key_value_heads=key_value_heads)
    if queries % shared:
        raise BadValue(f"{what} shares keys and values evenly, and {queries} heads are no multiple of {shared} key_value_heads")
    base, past, biases = turning(what, rotary), checks.flag("causal", causal), checks.flag("use_bias", use_bias)

    def build(dom: Ty) -> Para:
        x, has_mask = with_mask(what, dom, AXES)
        split = Heads.of(what, x, queries, shared, own)
        if base and split.width % 2:
            raise TypeMismatch(f"{what} turns pairs of features, and its heads are {split.width} wide: use an even width with rotary")

        ports = projections(x, split, biases, weights)

        def body(*wires: Any) -> Any:
            *given, inputs = wires
            seq, mask = inputs if has_mask else (inputs, None)
            return attend(dict(zip((p.label for p in ports), given, strict=True)), seq, mask, split, past, base)

        return parametric(ports, dom, body)

    return layer("multi_head_attention", name, build)


def turning(what: str, rotary: Any) -> float:
    """The base of the angles by which queries and keys turn; 0 for none."""
    if isinstance(rotary, bool):
        return 10000.0 if rotary else 0.0
    return float(checks.number(f"rotary of {what}, beside True and False,", rotary, 0))


def projections(x: Array, heads: Heads, use_bias: bool, start: init.Init) -> list[Param]:
    """The four linear maps, as weights (out, in) and biases."""
    n, q, k = x.shape[-1], heads.query * heads.width, heads.shared * heads.width
    params: list[Param] = []
    for label, rows, columns in (("query", q, n), ("key", k, n), ("value", k, n), ("out", n, q)):
        params.append(weight(f"{label}/weight", Real(rows, columns, dtype=x.dtype), start))
        params += [weight(f"{label}/bias", Real(rows, dtype=x.dtype), init.zeros)] * use_bias
    return params


def project(params: dict[str, Any], label: str, x: Any) -> Any:
    """W x + β at every step."""
    return rowwise(params[f"{label}/weight"], x, params.get(f"{label}/bias"))


def rowwise(w: Any, x: Any, shift: Any = None) -> Any:
    """W x + β for each row x of a matrix; β may be missing."""
    y = ops.einsum("ti,oi->to", x, w)
    return y if shift is None else y + fill(shift, y)


def attend(params: dict[str, Any], x: Any, mask: Any, heads: Heads, causal: bool, base: float) -> Any:
    """All heads at once: axes t and s are steps, g the shared heads, r the queries of a group, d the width."""
    steps = x.atom.shape[0]
    group = heads.query // heads.shared
    q = ops.reshape(project(params, "query", x), steps, heads.shared, group, heads.width)
    k, v = (ops.reshape(project(params, label, x), steps, heads.shared, heads.width) for label in ("key", "value"))
    if base:
        q, k = rotated(q, base), rotated(k, base)
    scores = ops.einsum("tgrd,sgd->grts", q, k) * (1.0 / math.sqrt(heads.width))
    shown = softened(visible(scores, mask, causal))
    mixed = ops.reshape(ops.einsum("grts,sgd->tgrd", shown, v), steps, heads.query * heads.width)
    return project(params, "out", mixed)


def visible(scores: Any, mask: Any, causal: bool) -> Any:
    """Scores (g, r, t, s) with those of steps that must not be seen put out of reach."""
    shape, steps = scores.atom.shape, scores.atom.shape[-1]
    if mask is not None:
        scores = ops.select(ops.spread(mask, shape, (3,)), scores, HIDDEN)
    if causal:
        at = Iota(steps)()
        past = ops.spread(at, (steps, steps), (0,)) >= ops.spread(at, (steps, steps), (1,))
        scores = ops.select(ops.spread(past, shape, (2, 3)), scores, HIDDEN)
    return scores


def softened(scores: Any) -> Any:
    """Softmax over the last axis."""
    return ops.exp(ops.log_softmax(scores))


@in_words(FOREIGN)
def feed_forward(hidden: int, activation: Activation = "gelu", gated: bool = False, use_bias: bool = True, name: str = "") -> Family:
    """W₂ σ(W₁ x + β₁) + β₂ at every step : ℝ^(T, n) → ℝ^(T, n); gated, W₂ (σ(W₁ x) · W₃ x) (arXiv 2002.05202)."""
    what, act = titled("feed_forward", name), activation_named(activation)
    inner, doubled, biases = one_whole(what, hidden=hidden), checks.flag("gated", gated), checks.flag("use_bias", use_bias)

    def build(dom: Ty) -> Para:
        x = ranked(what, dom, AXES)
        n = x.shape[-1]
        maps = [("up", inner, n), *([("gate", inner, n)] if doubled else []), ("down", n, inner)]
        ports: list[Param] = []
        for label, rows, columns in maps:
            ports.append(weight(f"{label}/weight", Real(rows, columns, dtype=x.dtype), init.glorot))
            ports += [weight(f"{label}/bias", Real(rows, dtype=x.dtype), init.zeros)] * biases

        def body(*wires: Any) -> Any:
            params, v = dict(zip((p.label for p in ports), wires, strict=False)), wires[-1]
            up = project(params, "up", v)
            return project(params, "down", act(project(params, "gate", v)) * up if doubled else act(up))

        return parametric(ports, dom, body)

    return layer("feed_forward", name, build)


@in_words(FOREIGN)
def transformer_block(
    heads: int,
    hidden: int | None = None,
    *,
    activation: Activation = "gelu",
    gated: bool = False,
    norm: str = "layer",
    epsilon: float = 1e-5,
    causal: bool = False,
    rotary: bool | float = False,
    key_value_heads: int | None = None,
    dropout_rate: float = 0.0,
    use_bias: bool = True,
    name: str = "",
) -> Family:
    """x + attention(norm x), then x + mlp(norm x) : ℝ^(T, n) → ℝ^(T, n), pre-norm (arXiv 2002.04745). A mask may stand beside x.

    As it is, a block of GPT-2 when causal; of Llama 2 with norm="rms", gated=True, activation="silu", rotary=True,
    causal=True, use_bias=False. `hidden` is 4 n when not given.
    """
    norms: dict[str, Callable[[str], Family]] = {
        "layer": lambda label: layer_norm(epsilon, name=label),
        "rms": lambda label: rms_norm(epsilon, name=label),
    }
    what = titled("transformer_block", name)
    kind = norms[checks.one_of(f"the norm of {what}", norm, norms)]
    inner = None if hidden is None else one_whole(what, hidden=hidden)
    rate = checks.share(f"the dropout_rate of {what}", dropout_rate)
    options: dict[str, Any] = {"key_value_heads": key_value_heads, "causal": causal, "rotary": rotary, "use_bias": use_bias}
    attention = beside(kind("attention_norm")) >> multi_head_attention(heads, **options, name="attention")

    def build(dom: Ty) -> Para:
        x, _ = with_mask(what, dom, AXES)
        mlp = kind("mlp_norm") >> feed_forward(inner or 4 * x.shape[-1], activation, gated, use_bias, name="mlp")
        first, second = (residual(thinned(f, rate, label)) for f, label in ((attention, "attention"), (mlp, "mlp")))
        return first.at(dom) >> second

    return layer("transformer_block", name, build)


def thinned(f: Family, rate: float, label: str) -> Family:
    """A branch of a block with dropout at its end."""
    return f >> dropout(rate, name=f"{label}_dropout") if rate else f
