"""Attention between the steps of one sequence, and the transformer block around it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lensgrad.cat.names import Param
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
from lensgrad.learn.layers.parts import FOREIGN, fill, layer, one_whole, ranked, titled, weight
from lensgrad.learn.model import Model, parametric
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

    A mask may stand beside the sequence: bool[T], true for the steps that are seen; bool[T, T], true where step t sees step s; or
    ℝ^(T, T), numbers that are added to the scores of t and s, such as a distance.

    - `heads`: how many, a whole number ≥ 1.
    - `key_value_heads`: with fewer, keys and values are shared in groups (arXiv 2305.13245); as many as `heads` unless given.
    - `width`: features of a head; n / heads unless given.
    - `causal`: with True a step sees itself and earlier ones; False unless given.
    - `rotary`: with True, or the base of the angles, queries and keys are turned by their position; False unless given.
    - `use_bias`: whether the four linear maps have biases; True unless given.
    - `weights`: what the matrices begin with; `lg.glorot` unless given.
    - `name`: what stands before the names of its parameters, as in `name/query/weight`; nothing unless given.
    """
    what = titled("multi_head_attention", name)
    queries, shared, own = divided(what, heads, key_value_heads, width)
    base, past, biases = turning(what, rotary), checks.flag("causal", causal), checks.flag("use_bias", use_bias)

    def build(dom: Ty) -> Model:
        x = ranked(what, Ty(dom.atoms[:1]), AXES)
        has_mask, split = masked(what, x, x, dom.atoms[1:]), Heads.of(what, x, queries, shared, own)
        if base and split.width % 2:
            raise TypeMismatch(f"{what} turns pairs of features, and its heads are {split.width} wide: use an even width with rotary")

        ports = projections(x, x, split, biases, weights)

        def body(*wires: Any) -> Any:
            *given, inputs = wires
            seq, mask = inputs if has_mask else (inputs, None)
            return attend(dict(zip((p.label for p in ports), given, strict=True)), seq, seq, mask, split, past, base)

        return parametric(ports, dom, body)

    return layer("multi_head_attention", name, build)


@in_words(FOREIGN)
def cross_attention(
    heads: int,
    *,
    key_value_heads: int | None = None,
    width: int | None = None,
    use_bias: bool = True,
    weights: init.Init = init.glorot,
    name: str = "",
) -> Family:
    """Attention of one sequence to another : ℝ^(T, n) ⊗ ℝ^(S, m) → ℝ^(T, n); queries come from the first, keys and values from the second.

    A mask may stand beside the two: bool[S], true for the steps of the second that are seen; bool[T, S], true where step t sees step s;
    or ℝ^(T, S), numbers that are added to the scores (arXiv 1706.03762, section 3.2.3).

    - `heads`: how many, a whole number ≥ 1.
    - `key_value_heads`: with fewer, keys and values are shared in groups; as many as `heads` unless given.
    - `width`: features of a head; n / heads unless given.
    - `use_bias`: whether the four linear maps have biases; True unless given.
    - `weights`: what the matrices begin with; `lg.glorot` unless given.
    - `name`: what stands before the names of its parameters, as in `name/query/weight`; nothing unless given.
    """
    what = titled("cross_attention", name)
    queries, shared, own = divided(what, heads, key_value_heads, width)
    biases = checks.flag("use_bias", use_bias)

    def build(dom: Ty) -> Model:
        if len(dom) < 2:
            raise TypeMismatch(f"{what} expects two sequences beside one another, got {dom}: what is attended to comes second")
        x, memory = (ranked(what, Ty((a,)), AXES) for a in dom.atoms[:2])
        if x.dtype != memory.dtype:
            raise TypeMismatch(f"{what} expects two sequences of one dtype, got {x} and {memory}")
        has_mask, split = masked(what, x, memory, dom.atoms[2:]), Heads.of(what, x, queries, shared, own)
        ports = projections(x, memory, split, biases, weights)

        def body(*wires: Any) -> Any:
            *given, inputs = wires
            mask = inputs[2] if has_mask else None
            return attend(dict(zip((p.label for p in ports), given, strict=True)), inputs[0], inputs[1], mask, split, False, 0.0)

        return parametric(ports, dom, body)

    return layer("cross_attention", name, build)


def divided(what: str, heads: int, key_value_heads: int | None, width: int | None) -> tuple[int, int, int | None]:
    """The heads of queries, those of keys and values, and the width of one if it is given."""
    queries, own = one_whole(what, heads=heads), None if width is None else one_whole(what, width=width)
    shared = queries if key_value_heads is None else one_whole(what, key_value_heads=key_value_heads)
    if queries % shared:
        raise BadValue(f"{what} shares keys and values evenly, and {queries} heads are no multiple of {shared} key_value_heads")
    return queries, shared, own


def masked(what: str, x: Array, memory: Array, given: tuple[Any, ...]) -> bool:
    """Whether a mask stands beside; one of another type is refused."""
    rows, columns = x.shape[0], memory.shape[0]
    alone, pairs, scores = Array((columns,), "bool"), Array((rows, columns), "bool"), Array((rows, columns), x.dtype)
    if given and given not in ((alone,), (pairs,), (scores,)):
        told = f"{alone}, true for each step that is seen, {pairs}, or {scores}, which is added to the scores"
        raise TypeMismatch(f"{what} expects a mask {told}, got {Ty(given)}")
    return bool(given)


def turning(what: str, rotary: Any) -> float:
    """The base of the angles by which queries and keys turn; 0 for none."""
    if isinstance(rotary, bool):
        return 10000.0 if rotary else 0.0
    return float(checks.number(f"rotary of {what}, beside True and False,", rotary, 0))


def projections(x: Array, memory: Array, heads: Heads, use_bias: bool, start: init.Init) -> list[Param]:
    """The four linear maps, as weights (out, in) and biases."""
    n, m, q, k = x.shape[-1], memory.shape[-1], heads.query * heads.width, heads.shared * heads.width
    params: list[Param] = []
    for label, rows, columns in (("query", q, n), ("key", k, m), ("value", k, m), ("out", n, q)):
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


def attend(params: dict[str, Any], x: Any, memory: Any, mask: Any, heads: Heads, causal: bool, base: float) -> Any:
    """All heads at once: axes t and s are steps of x and of what it sees, g the shared heads, r the queries of a group, d the width."""
    steps, seen = x.atom.shape[0], memory.atom.shape[0]
    group = heads.query // heads.shared
    q = ops.reshape(project(params, "query", x), steps, heads.shared, group, heads.width)
    k, v = (ops.reshape(project(params, label, memory), seen, heads.shared, heads.width) for label in ("key", "value"))
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
        spread = ops.spread(mask, shape)
        scores = ops.select(spread, scores, HIDDEN) if mask.atom.dtype == "bool" else scores + ops.clamp(spread, HIDDEN, math.inf)
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

    def build(dom: Ty) -> Model:
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
    """x + attention(norm x), then x + mlp(norm x) : ℝ^(T, n) → ℝ^(T, n), pre-norm (arXiv 2002.04745).

    A mask may stand beside x, as for `multi_head_attention`. As it is, a block of GPT-2 when causal; of Llama 2 with norm="rms",
    gated=True, activation="silu", rotary=True, causal=True, use_bias=False.

    - `heads`: heads of the attention, a whole number that divides n.
    - `hidden`: features inside the feed-forward part, a whole number ≥ 1; 4 n unless given.
    - `activation`: of the feed-forward part, a name or a layer; "gelu" unless given.
    - `gated`: whether the feed-forward part is W₂ (σ(W₁ x) · W₃ x) (arXiv 2002.05202); False unless given.
    - `norm`: "layer" or "rms"; "layer" unless given.
    - `epsilon`: what both norms add to the variance; 1e-5 unless given.
    - `causal`: with True a step sees itself and earlier ones; False unless given.
    - `rotary`: with True, or the base of the angles, queries and keys are turned by their position; False unless given.
    - `key_value_heads`: with fewer than `heads`, keys and values are shared in groups; as many unless given.
    - `dropout_rate`: the share of entries that training drops at the end of each of the two parts, from 0 up to, but not including, 1;
      0 unless given.
    - `use_bias`: whether linear maps have biases; True unless given.
    - `name`: what stands before the names of its parameters, as in `name/mlp/up/weight`; nothing unless given.
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

    def build(dom: Ty) -> Model:
        x = ranked(what, Ty(dom.atoms[:1]), AXES)
        masked(what, x, x, dom.atoms[1:])
        mlp = kind("mlp_norm") >> feed_forward(inner or 4 * x.shape[-1], activation, gated, use_bias, name="mlp")
        first, second = (residual(thinned(f, rate, label)) for f, label in ((attention, "attention"), (mlp, "mlp")))
        return first.at(dom) >> second

    return layer("transformer_block", name, build)


def thinned(f: Family, rate: float, label: str) -> Family:
    """A branch of a block with dropout at its end."""
    return f >> dropout(rate, name=f"{label}_dropout") if rate else f
