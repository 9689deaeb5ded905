"""Right calls of all that is written on wires: the functions of `lg.ops`, the operators of Python, and what takes functions on wires."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import lensgrad as lg
from lensgrad import lens as words
from lensgrad.core.graph import Wire
from lensgrad.testing import Case, check, nonzero, positive
from lensgrad.theories.smooth import pointwise
from tools.fuzz_calls import Call, given
from tools.fuzz_calls import after as model_after

PLANE, LINE, IMAGE, PLACES, TRUTHS, KEY = lg.Real(3, 4), lg.Real(4), lg.Real(1, 6, 6, 2), lg.Int(2), lg.Bool(3, 4), words.Ty((lg.Key(),))
SMALL = 4096  # entries: larger arrows are looked at, and not evaluated


@dataclass(frozen=True)
class W:
    """The wire of this number, as an argument."""

    number: int


X, Y, Z = map(W, range(3))


def put(value: Any, wires: tuple[Any, ...]) -> Any:
    """An argument with wires in their places."""
    if isinstance(value, list):
        return [put(v, wires) for v in value]
    return wires[value.number] if isinstance(value, W) else value


def wired(kept: Any) -> bool:
    """Whether something is a wire, or some of them: what an arrow may end with."""
    return isinstance(kept, Wire) or (isinstance(kept, tuple) and all(isinstance(v, Wire) for v in kept))


def ended(kept: Any, wires: tuple[Any, ...]) -> Any:
    """What a traced function returns: what an operation gave, or the wires themselves where that is a size or a word."""
    return kept if wired(kept) else wires


def looked_at(arrow: Any) -> Any:
    """An arrow on wires as text, batched, turned, and on numbers where it is small."""
    atoms = [*arrow.dom, *arrow.cod]
    smooth = all(isinstance(a, lg.Array) for a in atoms)
    turned = words.R(arrow) if smooth and all(a.floating for a in atoms) else None
    found = [*arrow.dom, *(a for node in arrow.nodes for a in node.cod)] if smooth else []
    plain = all(a.dtype in ("float32", "int32", "bool") for a in arrow.dom) if smooth else False
    small = plain and len(found) < SMALL and all(isinstance(a, lg.Array) and a.size <= SMALL for a in found)
    numbers = lg.evaluate(arrow, *(np.ones(a.shape, a.dtype) for a in arrow.dom)) if small else None
    return repr(arrow), str(arrow), words.batch(words.Para.lift(arrow), 2), turned, numbers


def on(objects: tuple[Any, ...], function: Callable[..., Any], *args: Any, **named: Any) -> Call:
    """A call with wires of these objects among its arguments: X, Y and Z."""

    def traced(*a: Any, **k: Any) -> Any:
        def body(*wires: Any) -> Any:
            kept = function(*(put(v, wires) for v in a), **{name: put(v, wires) for name, v in k.items()})
            return ended(kept(*wires) if getattr(kept, "__name__", "") == "<lambda>" else kept, wires)

        return words.trace(body, *objects)

    return given(traced, *args, use=looked_at, **named)


def op(name: str, *args: Any, over: tuple[Any, ...] = (PLANE,), **named: Any) -> Call:
    """A function of `lg.ops` on wires."""
    return on(over, getattr(lg.ops, name), *args, **named)


def met(family: Any) -> Any:
    """A family on a wire."""
    return looked_at(words.trace(family, PLANE))


ONE = (
    "absolute", "acos", "acosh", "argsort", "asin", "asinh", "atan", "atanh", "axis_mean", "batch_size", "ceil", "cos", "cosh",
    "diagonal", "erf", "erfc", "exp", "exp2", "expm1", "flatten", "floor", "log", "log10", "log1p", "log2", "logit", "mean",
    "reciprocal", "relu", "round", "rsqrt", "sigmoid", "sign", "sin", "sinh", "softmax", "sort", "sqrt", "square", "stop_gradient",
    "tan", "tanh", "total", "tril", "triu", "trunc", "unit",
)  # fmt: skip
KEPT = ("amax", "amin", "logsumexp", "mean_over", "norm", "product", "std", "sum_over", "variance")
OVER = ("flip", "over")
ALONG = ("argmax", "argmin", "cumprod", "cumsum", "log_softmax")
TWO = ("atan2", "common", "equal", "hypot", "logaddexp", "maximum", "minimum", "remainder")
FUNCTIONS = {
    **{name: op(name, X) for name in ONE},
    **{name: op(name, X, (0,)) for name in OVER},
    **{name: op(name, X, (0,), keepdims=True) for name in KEPT},
    **{name: op(name, X, 0) for name in ALONG},
    **{name: op(name, X, Y, over=(PLANE, PLANE)) for name in TWO},
    "average_pool": op(
        "average_pool", X, (2, 2), stride=2, padding=1, dilation=1, ceil_mode=True, count_include_pad=False, over=(IMAGE,)
    ),
    "cast": op("cast", X, "float64"),
    "channel_rows": op("channel_rows", X, over=(IMAGE,)),
    "clamp": op("clamp", X, 0.0, 1.0),
    "concatenate": op("concatenate", [X, Y], 0, over=(PLANE, PLANE)),
    "convolve": op(
        "convolve", X, Y, stride=2, padding="same", dilation=1, groups=1, over=(IMAGE, lg.Real(3, 3, 2, 4))
    ),
    "counts": op(
        "counts", X, (6, 6), lg.ops.window(2, (2, 2), 2), lg.ops.window(2, (2, 2), 2, 1), (2, 2), True, over=(IMAGE,)
    ),
    "einsum": op("einsum", "ij,kj->ik", X, Y, over=(PLANE, PLANE)),
    "family": given(lg.ops.family, "hyperbolic", pointwise.Tanh(), use=met),
    "fold_in": op("fold_in", X, 3, over=(KEY,)),
    "getitem": op("getitem", X, (0, slice(1, 3))),
    "lifted": given(lambda atom, numbers: words.trace(lambda: tuple(lg.ops.lifted(atom, numbers))), PLANE[0], [1.0, 2.0], use=looked_at),
    "matmul": op("matmul", X, Y, over=(PLANE, LINE)),
    "max_pool": op("max_pool", X, (2, 2), stride=2, padding=1, dilation=1, ceil_mode=True, over=(IMAGE,)),
    "normal": op("normal", X, (2, 3), "float32", over=(KEY,)),
    "one_hot": op("one_hot", X, 3, "float32", over=(PLACES,)),
    "outer": op("outer", X, Y, over=(LINE, LINE)),
    "pad": op("pad", X, (1, 0), (0, 2)),
    "random_bits": op("random_bits", X, (2, 3), over=(KEY,)),
    "repeat": op("repeat", X, 2, 1),
    "reshape": op("reshape", X, 4, -1),
    "roll": op("roll", X, 2, 1),
    "scatter_add": op("scatter_add", 5, X, Y, over=(PLACES, lg.Real(2, 4))),
    "select": op("select", X, Y, Z, over=(TRUTHS, PLANE, PLANE)),
    "split": op("split", X, 3, over=(KEY,)),
    "spread": op("spread", X, (3, 4), (1,), over=(LINE,)),
    "stack": op("stack", [X, Y], 1, over=(PLANE, PLANE)),
    "take": op("take", X, Y, 1, over=(PLANE, PLACES)),
    "take_along": op("take_along", X, Y, 0, over=(PLANE, lg.Int(2, 4))),
    "tile": op("tile", X, (2, 1)),
    "traced": given(lg.ops.traced, "twice", lambda x: x + x, "x + x", use=met),
    "transpose": op("transpose", X, 1, 0),
    "uniform": op("uniform", X, (2, 3), "float32", over=(KEY,)),
    "window": given(lg.ops.window, 2, (3, 3), stride=2, padding=((0, 1), (1, 0)), dilation=1, groups=1),
    "window_sums": op("window_sums", X, lg.ops.window(2, (2, 2), 2), (2, 2), 0.25, over=(IMAGE,)),
    "written": given(lg.ops.written, "twice", lambda x: x + x, "x + x", use=met),
}  # fmt: skip
MORE = {
    "norm of order 1": op("norm", X, 0, 1, keepdims=False),
    "split in two": op("split", X, 2, 1),
    "split by sizes": op("split", X, [1, 3], 1),
    "variance, n - 1": op("variance", X, 0, 1, False),
    "std, n - 1": op("std", X, 0, 1, True),
    "tile once": op("tile", X, 2),
    "diagonal above": op("diagonal", X, 1),
    "triu below": op("triu", X, -1),
}
SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": operator.pow, "@": operator.matmul,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
    "&": operator.and_, "|": operator.or_,
}  # fmt: skip


def beside(ob: Any, act: Callable[[Any, Any], Any], v: Any = Y) -> Call:
    """Something beside a wire: another one, or whatever stands in its place."""
    return given(lambda v: words.trace(lambda x, y: ended(act(x, put(v, (x, y))), (x, y)), ob, ob), v, use=looked_at)


def signed(sign: str) -> dict[str, Call]:
    """An operator with something on its right, and on its left."""
    act, ob = SIGNS[sign], TRUTHS if sign in "&|" else lg.Real(3, 3)
    return {f"x {sign} v": beside(ob, act), f"v {sign} x": beside(ob, lambda x, v: act(v, x))}


def asked(way: Callable[[Any], Any], ob: Any = PLANE) -> Call:
    """What a wire is asked for that takes nothing, at whatever object."""
    return given(lambda ob: words.trace(lambda *xs: ended(way(xs[0]), xs), ob), ob, use=looked_at)


OPERATORS = {
    **{name: call for sign in SIGNS for name, call in signed(sign).items()},
    "x[v]": beside(PLANE, operator.getitem, (0, slice(1, 3))),
    "x[v, v]": on((PLANE,), lambda a, b: lambda x: x[a, b], 0, slice(1, 3)),
    "x[v:v:v]": on((PLANE,), lambda a, b, c: lambda x: x[a:b:c], 0, 2, 1),
    "x.sum": beside(PLANE, lambda x, v: x.sum(v), 0),
    "x.sum, kept": beside(PLANE, lambda x, v: x.sum(0, v), True),
    "x.mean": beside(PLANE, lambda x, v: x.mean(v), 0),
    "x.max": beside(PLANE, lambda x, v: x.max(v), 0),
    "x.min": beside(PLANE, lambda x, v: x.min(0, keepdims=v), True),
    "x.reshape": beside(PLANE, lambda x, v: x.reshape(4, v), 3),
    "x.shape": asked(lambda x: x.shape),
    "x.dtype": asked(lambda x: x.dtype),
    "x.T": asked(lambda x: x.T),
    "len": asked(len),
    "abs": asked(abs),
    "-x": asked(operator.neg),
    "~x": asked(operator.invert, TRUTHS),
    "bits + v": beside(lg.Bits(3), operator.add),
    "bits * v": beside(lg.Bits(3), operator.mul),
    "bits - v": beside(lg.Bits(3), operator.sub),
    "bits[v]": beside(lg.Bits(3), operator.getitem, 0),
}


def typed(ob: Any) -> Any:
    """An object that wires have: doubled, and as the input of a model."""
    return str(ob), looked_at(words.trace(lambda *xs: tuple(x + x for x in xs), ob)), lg.sequential(words.corner(ob, "x"))


def batched(arrow: Any) -> Any:
    return words.lens(words.batch(arrow, 2))


def own(label: Any, ob: Any, start: Any) -> Any:
    """A layer of one's own of this weight."""
    return lg.layer("own", lambda dom: words.parametric([lg.weight(label, ob, start)], dom, lambda w, x: w * x))


def quiet(dom: Any) -> Any:
    return words.trace(lambda w, x: x, dom, dom)


def scaled(dom: Any) -> Any:
    return words.parametric([lg.weight("w", dom, lg.zeros)], dom, lambda w, x: w * x)


WRITTEN = {
    "trace an operation": given(words.trace, lambda x: x * x, LINE, use=looked_at),
    "trace several": given(words.trace, lambda x, y: (x, (y, x)), LINE, PLACES, use=looked_at),
    "parametric and batch": given(words.parametric, [lg.weight("w", LINE)], LINE, lambda w, x: w * x, use=batched),
    "parametric by names": given(words.parametric, [("w", LINE), ("b", LINE)], LINE, lambda w, b, x: w * x + b, use=batched),
    "parametric port": given(lambda n, ob: words.parametric([(n, ob)], LINE, lambda w, x: w * x), "w", LINE, use=batched),
    "layer of a weight": given(own, "w", LINE, lg.zeros, use=model_after(4)),
    "layer that predicts": given(lg.layer, "own", scaled, name="n", predict=quiet, use=model_after(4)),
    "Real and sizes": given(lg.Real, 3, 4, dtype="float32", use=typed),
    "Real and list": given(lg.Real, (3, 4), dtype="float64", use=typed),
    "Real of": given(lambda *v: lg.Real(v), 3, 4, use=typed),
    "Int of": given(lambda *v: lg.Int(v), 3, use=typed),
    "Bool": given(lg.Bool, 3, 4, use=lambda ob: looked_at(words.trace(lambda x: ~x, ob))),
    "Array on wires": given(lg.Array, (3,), "float32", use=lambda a: typed(words.Ty((a,)))),
    "Key of": given(lg.Key, (2,), use=lambda a: looked_at(words.trace(lambda k: k, words.Ty((a,))))),
    "Bits of": given(lg.Bits, 3, use=typed),
    "Ty of": given(words.Ty, (LINE[0], LINE[0]), use=typed),
    "check": given(check, pointwise.Tanh(), lg.Real(3)),
    "check two": given(check, pointwise.Div(), lg.Real(2), lg.Real(2), values=[nonzero, nonzero], variadic=False, without={"kinks": "no"}),
    "check case": given(lambda *a, **k: check(Case(*a, **k)), pointwise.Log(), (lg.Array((2,), "float64"),), values=(positive,), kinks=()),
}
OPS = {**{f"ops.{name}": call for name, call in (FUNCTIONS | MORE | OPERATORS).items()}, **WRITTEN}
