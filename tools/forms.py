"""Elementary functions and layers against PyTorch in float64: values and gradients, `python -m tools.forms`. It needs PyTorch."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import lensgrad as lg
from lensgrad.backends import numpy as backend
from lensgrad.cat.para import para
from lensgrad.core.diagram import Diagram
from lensgrad.core.ty import product
from lensgrad.learn.layers.own import function_layer
from lensgrad.lens import R

NEAR = 1e-9  # of the largest entry, for values and gradients


@dataclass(frozen=True)
class Form:
    """A function on wires or a layer, the same in PyTorch on its weights and inputs, and the inputs."""

    name: str
    ours: Any
    theirs: Callable[..., Any]
    inputs: tuple[Any, ...]


def real(*shape: int, low: float = -2.0, high: float = 2.0) -> Any:
    """Numbers between two others, the same every time."""
    return np.random.default_rng(sum(shape) + len(shape)).uniform(low, high, shape)


def channels_first(x: Any) -> Any:
    """(*space, C) → (1, C, *space)."""
    return x.movedim(-1, 0)[None]


def channels_last(y: Any) -> Any:
    return y[0].movedim(0, -1)


def pooled(layer: Any, pool: str, *args: Any, **how: Any) -> tuple[Any, Callable[..., Any]]:
    """A pool, and the one of PyTorch."""
    import torch

    return layer, lambda x: channels_last(getattr(torch.nn.functional, pool)(channels_first(x), *args, **how))


def elementary() -> Iterator[Form]:
    """Functions of one number, where they are defined."""
    import torch

    inside, above, line = real(60, low=-0.99, high=0.99), real(60, low=1.01, high=40.0), real(60, low=-6.0, high=6.0)
    near = line * 1e-8
    for name, x in {
        **dict.fromkeys(
            ("sin", "cos", "tan", "atan", "sinh", "cosh", "asinh", "tanh", "exp", "expm1", "exp2", "erf", "erfc", "sigmoid"), line
        ),
        **dict.fromkeys(("asin", "acos", "atanh"), inside),
        "logit": real(60, low=0.01, high=0.99),
        **dict.fromkeys(("acosh", "log", "log2", "log10", "log1p", "sqrt", "rsqrt", "reciprocal"), above),
        **dict.fromkeys(("floor", "ceil", "round", "trunc", "sign", "abs", "square"), line),
    }.items():
        yield Form(name, lg.ops.absolute if name == "abs" else getattr(lg.ops, name), getattr(torch, name), (x,))
    for name in ("asinh", "atanh", "sinh", "asin", "tan", "expm1", "log1p"):
        yield Form(f"{name} near 0", getattr(lg.ops, name), getattr(torch, name), (near,))
    yield Form("acosh near 1", lg.ops.acosh, torch.acosh, (1.0 + np.array([1e-10, 1e-5, 0.1]),))
    yield Form("atan2", lg.ops.atan2, torch.atan2, (line, line[::-1].copy()))
    yield Form("hypot", lg.ops.hypot, torch.hypot, (line, line[::-1].copy()))
    yield Form("logaddexp", lg.ops.logaddexp, torch.logaddexp, (line, line[::-1].copy()))
    yield Form("power", lambda x, y: x**y, torch.pow, (above, real(60)))
    yield Form("2 ** x", lambda x: 2.0**x, lambda x: 2.0**x, (line,))
    yield Form("remainder", lg.ops.remainder, torch.remainder, (line, above))


def reductions() -> Iterator[Form]:
    """Sums, orders, products of indices, and entries by number."""
    import torch

    x, a, b = real(3, 4, 5), real(2, 3, 4), real(2, 4, 5)
    at, inner = np.array([3, 0, 3]), np.array([[[1, -4, 0, 2, 3]], [[0, 3, -1, 2, 1]], [[2, 2, 2, 0, -2]]])
    yield Form("logsumexp over an axis", lambda v: lg.ops.logsumexp(v, 1), lambda v: torch.logsumexp(v, 1), (x,))
    yield Form("amin over two axes", lambda v: lg.ops.amin(v, (0, 2)), lambda v: torch.amin(v, (0, 2)), (x,))
    yield Form("variance, n − 1", lambda v: lg.ops.variance(v, (0, 1), 1), lambda v: torch.var(v, (0, 1)), (x,))
    yield Form("product with zeros", lambda v: lg.ops.product(v, 1), lambda v: torch.prod(v, 1), (np.where(x > 1.5, 0.0, x),))
    yield Form("cumprod with zeros", lambda v: lg.ops.cumprod(v, 1), lambda v: torch.cumprod(v, 1), (np.where(x > 1.5, 0.0, x),))
    yield Form("cumsum", lambda v: lg.ops.cumsum(v, 1), lambda v: torch.cumsum(v, 1), (x,))
    yield Form("sort", lg.ops.sort, lambda v: torch.sort(v)[0], (x,))
    for spec, xs in [
        ("...ij,...jk->...ik", (a, b)),
        ("bij,bjk->bik", (a, b)),
        ("ii->i", (x[:, :3, 0],)),
        ("iji,j->i", (a[:, :, :2], b[0, :3, 0])),
    ]:
        yield Form(f"einsum {spec}", lambda *v, s=spec: lg.ops.einsum(s, *v), lambda *v, s=spec: torch.einsum(s, *v), xs)
    yield Form("take along the middle axis", lambda v, i: lg.ops.take(v, i, 1), lambda v, i: torch.index_select(v, 1, i), (x, at))
    wrapped = torch.tensor(inner % 4)
    yield Form("take_along, negative", lambda v, i: lg.ops.take_along(v, i, 1), lambda v, i: torch.gather(v, 1, wrapped), (x, inner))


def kept() -> Iterator[Form]:
    """Reductions that keep their axes."""
    import torch

    x = real(3, 4, 5)
    how: Any = {"keepdim": True}
    forms: dict[str, tuple[Any, Any]] = {
        "sum": (lambda v: v.sum((0, 2), keepdims=True), lambda v: torch.sum(v, (0, 2), **how)),
        "mean": (lambda v: v.mean(1, keepdims=True), lambda v: torch.mean(v, 1, **how)),
        "amax": (lambda v: v.max(1, keepdims=True), lambda v: torch.amax(v, 1, **how)),
        "amin": (lambda v: v.min((0, 1), keepdims=True), lambda v: torch.amin(v, (0, 1), **how)),
        "logsumexp": (lambda v: lg.ops.logsumexp(v, (1, 2), keepdims=True), lambda v: torch.logsumexp(v, (1, 2), **how)),
        "std, n − 1": (lambda v: lg.ops.std(v, (0, 1), 1, keepdims=True), lambda v: torch.std(v, (0, 1), **how)),
        "norm of order 1": (lambda v: lg.ops.norm(v, 1, 1, keepdims=True), lambda v: torch.linalg.vector_norm(v, 1, 1, **how)),
        "norm of order 2": (lambda v: lg.ops.norm(v, (0, 2), keepdims=True), lambda v: torch.linalg.vector_norm(v, 2, (0, 2), **how)),
        "largest norm": (lambda v: lg.ops.norm(v, 2, math.inf, True), lambda v: torch.linalg.vector_norm(v, math.inf, 2, **how)),
    }
    for name, (ours, theirs) in forms.items():
        yield Form(f"{name}, kept", ours, theirs, (x,))


def arranged() -> Iterator[Form]:
    """Entries repeated, moved, cut and shown."""
    import torch

    x, square, u, v = real(3, 4, 5), real(4, 4), real(3), real(4)
    yield Form("roll", lambda a: lg.ops.roll(a, -3, 1), lambda a: torch.roll(a, -3, 1), (x,))
    yield Form("repeat", lambda a: lg.ops.repeat(a, 3, 1), lambda a: torch.repeat_interleave(a, 3, 1), (x,))
    yield Form("tile", lambda a: lg.ops.tile(a, (2, 1, 3)), lambda a: torch.tile(a, (2, 1, 3)), (square,))
    yield Form("split", lambda a: lg.ops.split(a, [1, 2, 2], 2)[1], lambda a: torch.split(a, [1, 2, 2], 2)[1], (x,))
    yield Form("outer", lg.ops.outer, torch.outer, (u, v))
    yield Form("diagonal", lambda a: lg.ops.diagonal(a, 1), lambda a: torch.diagonal(a, 1, -2, -1), (x,))
    yield Form("trace", lambda a: lg.ops.diagonal(a).sum(), torch.trace, (square,))
    yield Form("triu", lambda a: lg.ops.triu(a, 1), lambda a: torch.triu(a, 1), (x,))
    yield Form("tril", lambda a: lg.ops.tril(a, -1), lambda a: torch.tril(a, -1), (x,))
    yield Form(
        "where", lambda a, b: lg.ops.select(a > b, a, b * 2.0), lambda a, b: torch.where(a > b, a, b * 2.0), (square, square.T.copy())
    )
    yield Form("clip", lambda a: lg.ops.clamp(a, -0.5, 1.0), lambda a: torch.clip(a, -0.5, 1.0), (x,))


def attention() -> Iterator[Form]:
    """Attention with one head and no biases, whose weights come first."""
    import torch

    F = torch.nn.functional
    x, memory, added, seen = real(4, 6), real(3, 5), real(4, 3), np.array([True, False, True])

    def attended(q: Any, k: Any, v: Any, out: Any, a: Any, b: Any, mask: Any = None) -> Any:
        return F.scaled_dot_product_attention(a @ q.T, b @ k.T, b @ v.T, mask) @ out.T

    def shown(*given: Any) -> Any:
        return attended(*given[:-1], given[-1].bool().expand(4, 3))

    layer = lg.cross_attention(1, use_bias=False)
    yield Form("cross attention", layer, attended, (x, memory))
    yield Form("cross attention, numbers added", layer, attended, (x, memory, added))
    alone = lg.multi_head_attention(1, use_bias=False)
    yield Form("attention, numbers added", alone, lambda q, k, v, o, a, m: attended(q, k, v, o, a, a, m), (x, real(4, 4)))
    yield Form("cross attention, a mask of steps", layer, shown, (x, memory, seen))


def pools() -> Iterator[Form]:
    """Windows that reach beyond the image, skip entries, or leave padding out."""
    image, line = real(7, 8, 2), real(9, 2)
    how: Any = {"ceil_mode": True}
    forms = {
        "max_pool2d ceil": pooled(lg.max_pool2d(3, 2, 1, **how), "max_pool2d", 3, 2, 1, **how),
        "max_pool2d dilation": pooled(lg.max_pool2d(2, 1, 1, dilation=(2, 3)), "max_pool2d", 2, 1, 1, (2, 3)),
        "max_pool2d ceil dilation": pooled(lg.max_pool2d(2, 3, 1, dilation=2, **how), "max_pool2d", 2, 3, 1, 2, **how),
        "average_pool2d ceil": pooled(lg.average_pool2d(3, 2, 1, **how), "avg_pool2d", 3, 2, 1, **how),
        "average_pool2d no pad": pooled(
            lg.average_pool2d(3, 2, 1, count_include_pad=False), "avg_pool2d", 3, 2, 1, count_include_pad=False
        ),
        "average_pool2d ceil no pad": pooled(
            lg.average_pool2d((2, 3), 2, (1, 0), count_include_pad=False, **how), "avg_pool2d", (2, 3), 2, (1, 0), True, False
        ),
    }
    for name, (layer, formula) in forms.items():
        yield Form(name, layer, formula, (image,))
    yield Form("average_pool1d ceil", *pooled(lg.average_pool1d(4, 3, 2, **how), "avg_pool1d", 4, 3, 2, **how), (line,))


def layers() -> Iterator[Form]:
    """Layers with weights, which come first."""
    import torch

    F = torch.nn.functional
    x, image = real(4, 3, 5), real(4, 5, 2)

    def transposed(k: Any, b: Any, v: Any) -> Any:
        y = F.conv_transpose2d(channels_first(v), k.movedim((-1, -2), (0, 1)), b, 1, 1, 2, 1, 3)
        return channels_last(y)

    yield Form("layer_norm over two axes", lg.layer_norm(axes=(-2, -1)), lambda g, b, v: F.layer_norm(v, (3, 5), g, b), (x,))
    yield Form("rms_norm over two axes", lg.rms_norm(axes=(1, 2)), lambda g, v: F.rms_norm(v, (3, 5), g, 1e-5), (x,))
    yield Form("conv_transpose, wide output", lg.conv_transpose(3, 3, padding=1, dilation=3, output_padding=2), transposed, (image,))
    yield Form("gru", lg.gru(3), gru_of_torch, (real(4, 2),))
    yield Form("dense with an activation", lg.dense(3, "silu"), lambda w, b, v: F.silu(F.linear(v, w, b)), (real(4),))
    for name, act in {"log_sigmoid": F.logsigmoid, "softsign": F.softsign, "hard_tanh": F.hardtanh, "gelu": F.gelu, "mish": F.mish}.items():
        yield Form(name, lg.sequential(name), act, (real(5, 4),))


def gru_of_torch(w: Any, u: Any, b: Any, shift: Any, x: Any) -> Any:
    """PyTorch's GRU with our weights: its second bias is β′ for the third gate, and 0 for the others."""
    import torch

    zeros = torch.zeros(2 * shift.shape[0], dtype=x.dtype)
    held = [w, u, b, torch.cat([zeros, shift])]
    start = torch.zeros(1, 1, shift.shape[0], dtype=x.dtype)
    return torch.gru(x[None], start, held, True, 1, 0.0, False, False, True)[0][0]


def forms() -> list[Form]:
    """All of them."""
    return [*elementary(), *reductions(), *kept(), *arranged(), *pools(), *layers(), *attention()]


def object_of(x: Any) -> Any:
    """The object that an input is of."""
    return {"f": lambda *n: lg.Real(*n, dtype="float64"), "i": lg.Int, "b": lg.Bool}[x.dtype.kind](*x.shape)


def differences(form: Form) -> tuple[float, float]:
    """How far values and gradients are from PyTorch's, in parts of the largest."""
    import torch

    dom = product(object_of(x) for x in form.inputs)
    layer = form.ours if not callable(form.ours) or hasattr(form.ours, "at") else function_layer("form", form.ours)
    f = (para(Diagram.id(dom)) >> layer).arrow
    held = [np.random.default_rng(k).normal(size=a.shape) for k, a in enumerate(f.dom.atoms[: len(f.dom) - len(dom)])]
    xs = [*held, *(x.astype(np.int32) if x.dtype.kind == "i" else x for x in form.inputs)]
    tensors = [torch.tensor(x, requires_grad=True) if x.dtype.kind == "f" else torch.tensor(x.astype(np.int64)) for x in xs]
    wanted = form.theirs(*tensors)
    dy = np.random.default_rng(9).normal(size=tuple(wanted.shape))
    (found,) = backend.function(f)(*xs)
    if wanted.requires_grad:
        wanted.backward(torch.tensor(dy))
    grads = [np.zeros(t.shape) if t.grad is None else t.grad.numpy() for t in tensors if t.requires_grad]
    pulled = backend.function(R(f))(*xs, dy)
    return apart([found], [wanted.detach().numpy()]), apart(pulled, grads)


def apart(found: Any, wanted: Any) -> float:
    """The largest distance, in parts of the largest entry."""
    pairs = list(zip(found, wanted, strict=True))
    if any(np.shape(a) != np.shape(b) for a, b in pairs):
        return float("inf")
    return max(
        float(np.max(np.abs(a - b), initial=0.0) / max(np.max(np.abs(b), initial=0.0), 1e-300)) if np.any(a != b) else 0.0 for a, b in pairs
    )


def main() -> int:
    """Print the table; 1 where a form differs."""
    try:
        import torch
    except ImportError:
        print("PyTorch is the oracle of these forms: pip install 'lensgrad[torch]'")
        return 2
    rows = [(form.name, *differences(form)) for form in forms()]
    for name, value, slope in rows:
        print(f"{name:32} value {value:8.1e}   gradient {slope:8.1e}   {'' if max(value, slope) < NEAR else 'DIFFERS'}")
    right = sum(max(v, s) < NEAR for _, v, s in rows)
    print(f"{right} of {len(rows)} forms agree with PyTorch {torch.__version__} to {NEAR:g} of the largest entry, in float64")
    return int(right < len(rows))


if __name__ == "__main__":
    sys.exit(main())
