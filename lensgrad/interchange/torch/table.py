# pyright: standard
# Not strict: PyTorch is not there where the types are checked, and lambdas name none.
"""PyTorch: one line per generator says its meaning as a function on tensors.

Importing this file needs PyTorch, so the library imports it only when asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lensgrad.backends.table import Hole, Inside, Meanings
from lensgrad.core.diagram import Diagram, Recompute
from lensgrad.core.functor import fold, unfold
from lensgrad.core.graph import Node
from lensgrad.interchange.torch import kernels
from lensgrad.interchange.torch.package import torch
from lensgrad.theories import bridges
from lensgrad.theories.poly import circuit as z
from lensgrad.theories.smooth import array, conv, index, linear, random, reduce, scan, special
from lensgrad.theories.smooth import pointwise as p

Meaning = Callable[..., Any]  # (node, *tensors) → one tensor, or a tuple of them


def on(fn: Callable[..., Any]) -> Meaning:
    """The meaning that needs nothing but the tensors."""
    return lambda _, *xs: fn(*xs)


RELATIONS: dict[str, Callable[..., Any]] = {
    "<": torch.lt, "<=": torch.le, "==": torch.eq, "!=": torch.ne, ">=": torch.ge, ">": torch.gt,
}  # fmt: skip
CIRCUIT = Hole("circuits are no tensors; lg.circuits writes them as C, Verilog or AIGER")


def over(fn: Callable[..., Any]) -> Meaning:
    """A reduction; over no axes it is the identity, where PyTorch would take all."""
    return lambda n, x: fn(x, n.op.axes) if n.op.axes else x


def convolution(n: Any, a: Any, b: Any) -> Any:
    """The slot that the generator names."""
    kinds = {"y": kernels.convolve, "x": kernels.convolve_image, "k": kernels.convolve_kernel}
    return kinds[n.op.slot](n.op, a, b)


def constant(n: Any) -> Any:
    return torch.full(n.op.atom.shape, n.op.value, dtype=kernels.DTYPES[n.op.atom.dtype])


def running(n: Any, x: Any) -> Any:
    """Running sums from the start, or from the end."""
    axis = n.op.axis
    return x.flip(axis).cumsum(axis, dtype=x.dtype).flip(axis) if n.op.backward else x.cumsum(axis, dtype=x.dtype)


def sliced(n: Any, x: Any) -> Any:
    return x[tuple(slice(a, b, s) for a, b, s in zip(n.op.start, n.op.stop, n.op.step, strict=True))]


def one_hot(n: Any, i: Any) -> Any:
    return (i[..., None] == torch.arange(n.op.n)).to(kernels.DTYPES[n.op.dtype])


TORCH = Meanings("PyTorch", {
    # pointwise
    p.Add: on(torch.add),
    p.Sub: on(torch.sub),
    p.Neg: on(torch.neg),
    p.Mul: on(torch.mul),
    p.Div: on(torch.div),
    p.Exp: on(torch.exp),
    p.Log: on(torch.log),
    p.Log1p: on(torch.log1p),
    p.Expm1: on(torch.expm1),
    p.Tanh: on(torch.tanh),
    p.Logistic: on(torch.sigmoid),
    p.Sin: on(torch.sin),
    p.Cos: on(torch.cos),
    p.Atan: on(torch.atan),
    p.Atan2: on(torch.atan2),
    p.Asinh: on(torch.asinh),
    p.Round: on(torch.round),
    p.Erf: on(torch.erf),
    special.Erfc: on(torch.erfc),
    p.Sqrt: on(torch.sqrt),
    p.Rsqrt: on(torch.rsqrt),
    p.Abs: on(torch.abs),
    p.Sign: on(torch.sign),
    p.Floor: on(torch.floor),
    p.IntegerPower: lambda n, x: torch.pow(x, n.op.n),
    p.Power: on(torch.pow),
    p.Maximum: on(torch.maximum),
    p.Minimum: on(torch.minimum),
    p.Clamp: lambda n, x: torch.clamp(x, n.op.low, n.op.high),
    p.Compare: lambda n, x, y: RELATIONS[n.op.relation](x, y),
    p.And: on(torch.logical_and),
    p.Or: on(torch.logical_or),
    p.Not: on(torch.logical_not),
    p.ShiftRight: lambda n, x: x >> n.op.bits,
    p.Select: on(torch.where),
    p.StopGradient: on(lambda x: x.detach()),
    # linear
    linear.Spread: lambda n, x: kernels.spread(x, n.op.shape, n.op.axes),
    linear.Sum: over(lambda x, axes: torch.sum(x, axes, dtype=x.dtype)),
    linear.Transpose: lambda n, x: x.permute(n.op.order),
    linear.Reshape: lambda n, x: x.reshape(n.op.shape),
    linear.Slice: sliced,
    linear.Pad: lambda n, x: kernels.pad(x, n.op.low, n.op.high, n.op.interior),
    linear.Concatenate: lambda n, *xs: torch.cat(xs, n.op.axis),
    linear.Flip: over(torch.flip),
    linear.CumulativeSum: running,
    linear.Cast: lambda n, x: kernels.cast(x, n.op.dtype),
    linear.AxisMean: on(lambda x: x),
    linear.BatchSize: on(lambda x: x.new_ones(())),
    linear.Einsum: lambda n, *xs: torch.einsum(n.op.spec, *xs),
    array.Full: constant,
    # reductions, order, indices
    reduce.AMax: over(torch.amax),
    reduce.LogSoftmax: lambda n, x: torch.log_softmax(x, n.op.axis),
    reduce.LogSumExp: over(torch.logsumexp),
    reduce.ArgMax: lambda n, x: torch.argmax(x, n.op.axis).to(torch.int32),
    reduce.ArgSort: on(lambda x: torch.argsort(x, dim=-1, stable=True).to(torch.int32)),
    index.Take: lambda n, x, i: kernels.take(x, i, n.op.lead),
    index.ScatterAdd: lambda n, i, y: kernels.scatter_add(i, y, n.op.rows, n.op.lead),
    index.OneHot: one_hot,
    index.Numbers: lambda n: torch.tensor(n.op.table.entries, dtype=torch.int32),
    index.Iota: lambda n: torch.arange(n.op.n, dtype=torch.int32),
    # windows, randomness, loops
    conv.Convolve: convolution,
    conv.WindowArgMax: lambda n, x: kernels.window_argmax(n.op.window, n.op.size, x),
    random.FoldIn: on(kernels.fold_in),
    random.KeySpread: lambda n, key: key.unsqueeze(n.op.axis).repeat_interleave(n.op.n, n.op.axis),
    random.KeyTranspose: lambda n, key: key.permute(*n.op.order, -1),
    random.RandomBits: lambda n, key: kernels.random_bits(key, n.op.shape),
    scan.Scan: Inside(lambda run, n, *xs: kernels.scan(run, n.op, xs)),
    Recompute: Inside(lambda run, n, *xs: run(n.op.body, xs)),
    # circuits
    **dict.fromkeys((z.Constant, z.Add, z.Mul, z.Gather, z.Scatter, z.Repeat, z.Collect, z.Count), CIRCUIT),
    **dict.fromkeys((bridges.Indicator, bridges.Values, bridges.BruteForce), CIRCUIT),
    bridges.Image: Inside(lambda run, n, *xs: run(n.op.unfolded, xs)),
})  # fmt: skip


def run(f: Diagram, tensors: Sequence[Any], table: Meanings = TORCH) -> tuple[Any, ...]:
    """`f` on tensors that have its types already; PyTorch differentiates it."""

    def inner(body: Diagram, xs: Sequence[Any]) -> tuple[Any, ...]:
        return run(body, xs, table)

    def apply(node: Node, xs: Sequence[Any]) -> tuple[Any, ...]:
        line = table.line(node.op)
        found = line.meaning(inner, node, *xs) if isinstance(line, Inside) else line(node, *xs)
        return tuple(map(word, found if isinstance(found, tuple) else (found,), node.cod))

    return tuple(fold(unfold(f), tensors, apply))


def word(x: Any, atom: Any) -> Any:
    """Unsigned words wrap around at 32 bits."""
    return x & kernels.MASK if getattr(atom, "dtype", "") == "uint32" else x


def host(atom: Any) -> tuple[tuple[int, ...], Any]:
    """Shape and dtype of the tensor that carries an atom."""
    if isinstance(atom, array.Array):
        return atom.shape, kernels.DTYPES[atom.dtype]
    return (*atom.shape, 2), torch.int64
