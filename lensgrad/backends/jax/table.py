# pyright: standard
# Not strict: JAX leaves the types of its functions open.
"""JAX: the backend for accelerators. One line per generator says its meaning as a function on JAX arrays.

Importing this file needs JAX, so the library imports it only when asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import Any

from lensgrad.backends.loop import few_channels
from lensgrad.backends.table import Hole, Inside, Meanings
from lensgrad.core.diagram import Diagram, Recompute
from lensgrad.core.errors import MissingExtra, NoRule
from lensgrad.core.functor import fold, unfold
from lensgrad.core.graph import Node
from lensgrad.theories import bridges
from lensgrad.theories.poly import circuit as z
from lensgrad.theories.smooth import array, conv, index, linear, random, reduce, scan, special
from lensgrad.theories.smooth import pointwise as p

try:
    import jax
    import jax.numpy as jnp
    from jax import lax

    from lensgrad.backends.jax import kernels
except ImportError as error:
    raise MissingExtra("the JAX backend needs JAX, which is not installed: pip install 'lensgrad[jax]'") from error

Meaning = Callable[..., Any]  # (node, *arrays) → one array, or a tuple of them


def on(fn: Callable[..., Any]) -> Meaning:
    """The meaning that needs nothing but the arrays."""
    return lambda _, *xs: fn(*xs)


RELATIONS: dict[str, Callable[..., Any]] = {
    "<": jnp.less,
    "<=": jnp.less_equal,
    "==": jnp.equal,
    "!=": jnp.not_equal,
    ">=": jnp.greater_equal,
    ">": jnp.greater,
}
SUMS: dict[str, Callable[..., Any]] = {"Z2": jnp.bitwise_xor, "OR/AND": jnp.bitwise_or}
PRODUCTS: dict[str, Callable[..., Any]] = {"Z2": jnp.bitwise_and, "OR/AND": jnp.bitwise_and}
MERGES: dict[str, Callable[..., Any]] = {"Z2": lambda at, x: at.add(x) & 1, "OR/AND": lambda at, x: at.max(x)}
BYTES: dict[str, Callable[..., Any]] = dict.fromkeys(("Z2", "OR/AND"), lambda c: c.astype(jnp.uint8))
COLLECTS: dict[str, Callable[..., Any]] = {
    "Z2": lambda x: jnp.sum(x, 0, x.dtype) & 1,
    "OR/AND": lambda x: jnp.max(x, 0, initial=0),
}


def semiring(node: Node, words: dict[str, Callable[..., Any]]) -> Callable[..., Any]:
    """The operation for a semiring; an error for one that machine words do not carry."""
    name = node.cod[0].semiring.name
    if name not in words:
        raise NoRule(f"{node.op.name} over {name} has no meaning in the JAX backend: use {' or '.join(words)}")
    return words[name]


def zeros_at(n: Any, x: Any) -> Any:
    """The places of a scatter, among zeros."""
    return jnp.zeros((*x.shape[:-1], n.op.size), x.dtype).at[..., jnp.array(n.op.table.entries, jnp.int32)]


def cast(n: Any, x: Any) -> Any:
    """Between dtypes; floats to integers truncate."""
    whole = n.op.dtype in ("int32", "uint8", "uint32") and jnp.issubdtype(x.dtype, jnp.floating)
    return kernels.to_integer(x, n.op.dtype) if whole else x.astype(n.op.dtype)


def convolution(n: Any, a: Any, b: Any) -> Any:
    """The slot that the generator names; as a product of matrices where there are few channels."""
    op = n.op
    if few_channels(op, (a, b)):
        return product(op, a, b)
    if op.slot == "y":
        return kernels.convolve(op.window, a, b)
    return kernels.convolve_image(op.window, op.image, a, b) if op.slot == "x" else kernels.convolve_kernel(op.window, op.size, a, b)


def product(op: Any, a: Any, b: Any) -> Any:
    """The same, as a product of matrices."""
    if op.slot == "y":
        return kernels.product(op.window, a, b)
    return kernels.product_image(op.window, op.image, a, b) if op.slot == "x" else kernels.product_kernel(op.window, op.size, a, b)


def loop(run: Any, n: Any, *xs: Any) -> tuple[Any, ...]:
    """The last carries, the stacked outputs, and the carries each step began with."""
    op, held = n.op, n.op.carries + n.op.shared
    fixed = xs[op.carries : held]

    def step(carry: Any, row: Any) -> Any:
        out = run(op.body, (*carry, *fixed, *row))
        return out[: op.carries], (*out[op.carries :], *carry)

    last, stacks = lax.scan(step, xs[: op.carries], xs[held:], length=op.n, reverse=op.backward)
    return (*last, *stacks)


def recompute(run: Any, n: Any, *xs: Any) -> tuple[Any, ...]:
    """The body behind a barrier, so that the compiler does not share its inside with an earlier evaluation."""
    return run(n.op.body, lax.optimization_barrier(xs))


JAX = Meanings("JAX", at="lensgrad.backends.jax.table.JAX", lines={
    # pointwise
    p.Add: on(jnp.add),
    p.Sub: on(jnp.subtract),
    p.Neg: on(jnp.negative),
    p.Mul: on(jnp.multiply),
    p.Div: on(jnp.divide),
    p.Exp: on(jnp.exp),
    p.Log: on(jnp.log),
    p.Log1p: on(jnp.log1p),
    p.Expm1: on(jnp.expm1),
    p.Tanh: on(jnp.tanh),
    p.Logistic: on(lax.logistic),
    p.Sin: on(jnp.sin),
    p.Cos: on(jnp.cos),
    p.Atan: on(jnp.arctan),
    p.Atan2: on(jnp.arctan2),
    p.Asinh: on(jnp.arcsinh),
    p.Round: on(jnp.round),
    p.Erf: on(lax.erf),
    special.Erfc: on(lax.erfc),
    p.Sqrt: on(jnp.sqrt),
    p.Rsqrt: on(lax.rsqrt),
    p.Abs: on(jnp.abs),
    p.Sign: on(jnp.sign),
    p.Floor: on(jnp.floor),
    p.IntegerPower: lambda n, x: lax.integer_pow(x, n.op.n),
    p.Power: on(jnp.power),
    p.Maximum: on(jnp.maximum),
    p.Minimum: on(jnp.minimum),
    p.Clamp: lambda n, x: jnp.minimum(jnp.maximum(x, n.op.low), n.op.high),
    p.Compare: lambda n, x, y: RELATIONS[n.op.relation](x, y),
    p.And: on(jnp.logical_and),
    p.Or: on(jnp.logical_or),
    p.Not: on(jnp.logical_not),
    p.ShiftRight: lambda n, x: lax.shift_right_logical(x, jnp.full_like(x, n.op.bits)),
    p.Select: on(jnp.where),
    p.StopGradient: on(lax.stop_gradient),
    # linear
    linear.Spread: lambda n, x: lax.broadcast_in_dim(x, n.op.shape, n.op.axes),
    linear.Sum: lambda n, x: jnp.sum(x, n.op.axes, x.dtype),
    linear.Transpose: lambda n, x: jnp.transpose(x, n.op.order),
    linear.Reshape: lambda n, x: jnp.reshape(x, n.op.shape),
    linear.Slice: lambda n, x: lax.slice(x, n.op.start, n.op.stop, n.op.step),
    linear.Pad: lambda n, x: kernels.pad(x, n.op.low, n.op.high, n.op.interior),
    linear.Concatenate: lambda n, *xs: jnp.concatenate(xs, n.op.axis),
    linear.Flip: lambda n, x: jnp.flip(x, n.op.axes),
    linear.CumulativeSum: lambda n, x: lax.cumsum(x, n.op.axis, n.op.backward),
    linear.Cast: cast,
    linear.AxisMean: on(lambda x: x),
    linear.BatchSize: on(lambda x: jnp.ones((), x.dtype)),
    linear.Einsum: lambda n, *xs: jnp.einsum(n.op.spec, *xs),
    array.Full: lambda n: jnp.full(n.op.atom.shape, n.op.value, n.op.atom.dtype),
    # reductions, order, indices
    reduce.AMax: lambda n, x: jnp.max(x, n.op.axes),
    reduce.LogSoftmax: lambda n, x: jax.nn.log_softmax(x, n.op.axis),
    reduce.LogSumExp: lambda n, x: jax.nn.logsumexp(x, n.op.axes),
    reduce.ArgMax: lambda n, x: jnp.argmax(x, n.op.axis).astype(jnp.int32),
    reduce.ArgSort: on(lambda x: jnp.argsort(x, -1, stable=True).astype(jnp.int32)),
    index.Take: lambda n, x, i: kernels.take(x, i, n.op.lead),
    index.ScatterAdd: lambda n, i, y: kernels.scatter_add(i, y, n.op.rows, n.op.lead),
    index.OneHot: lambda n, i: (i[..., None] == jnp.arange(n.op.n, dtype=jnp.int32)).astype(n.op.dtype),
    index.Numbers: lambda n: jnp.array(n.op.table.entries, jnp.int32),
    index.Iota: lambda n: jnp.arange(n.op.n, dtype=jnp.int32),
    # windows, randomness, loops
    conv.Convolve: convolution,
    conv.WindowArgMax: lambda n, x: kernels.window_argmax(n.op.window, n.op.size, x),
    random.FoldIn: on(kernels.fold_in),
    random.KeySpread: lambda n, key: jnp.repeat(jnp.expand_dims(key, n.op.axis), n.op.n, n.op.axis),
    random.KeyTranspose: lambda n, key: jnp.transpose(key, (*n.op.order, key.ndim - 1)),
    random.RandomBits: lambda n, key: kernels.random_bits(key, n.op.shape),
    scan.Scan: Inside(loop),
    Recompute: Inside(recompute),
    # polynomial circuits: one byte an element
    z.Constant: lambda n: jnp.array(n.op.values.entries, jnp.uint8),
    z.Add: lambda n, x, y: semiring(n, SUMS)(x, y),
    z.Mul: lambda n, x, y: semiring(n, PRODUCTS)(x, y),
    z.Gather: lambda n, x: x[..., jnp.array(n.op.table.entries, jnp.int32)],
    z.Scatter: lambda n, x: semiring(n, MERGES)(zeros_at(n, x), x),
    z.Repeat: lambda n, x: jnp.repeat(x[None], n.op.rows, 0),
    z.Collect: lambda n, x: semiring(n, COLLECTS)(x),
    bridges.Indicator: lambda n, c: semiring(n, BYTES)(c),
    bridges.BruteForce: Inside(lambda run, n, *xs: run(n.op.body, xs)),
    bridges.Values: lambda n, x: x.astype(n.op.dtype),
    z.Count: Hole("its sums are over Z, and JAX has bits only"),
    bridges.Image: Inside(lambda run, n, *xs: run(n.op.unfolded, xs)),
})  # fmt: skip


def run(f: Diagram, arrays: Sequence[Any], table: Meanings = JAX) -> tuple[Any, ...]:
    """`f` on arrays that have its types already; may be traced by any transformation of JAX."""

    def inner(body: Diagram, xs: Sequence[Any]) -> tuple[Any, ...]:
        return run(body, xs, table)

    def apply(node: Node, xs: Sequence[Any]) -> tuple[Any, ...]:
        line = table.line(node.op)
        found = line.meaning(inner, node, *xs) if isinstance(line, Inside) else line(node, *xs)
        return found if isinstance(found, tuple) else (found,)

    return tuple(fold(unfold(f), arrays, apply))


def function(f: Diagram, table: Meanings = JAX) -> Callable[..., tuple[Any, ...]]:
    """`f` as a function on arrays, one argument a wire, returning a tuple; operation by operation, for JAX to transform."""

    def call(*given: Any) -> tuple[Any, ...]:
        with precision(f):
            return run(f, taken(f, given), table)

    return call


def jitted(f: Diagram, table: Meanings = JAX) -> Callable[..., tuple[Any, ...]]:
    """`f` as a function on arrays, compiled once at its first call."""
    compiled = jax.jit(lambda *arrays: run(f, arrays, table))

    def call(*given: Any) -> tuple[Any, ...]:
        with precision(f):
            return compiled(*taken(f, given))

    return call


def shapes(f: Diagram, table: Meanings = JAX) -> tuple[Any, ...]:
    """The shapes and dtypes that `f` returns, found without computing."""
    with precision(f):
        return tuple(jax.eval_shape(lambda *xs: run(f, xs, table), *(jax.ShapeDtypeStruct(*host(a)) for a in f.dom)))


def taken(f: Diagram, given: Sequence[Any]) -> list[Any]:
    """What is given, as JAX arrays that carry the inputs of `f`."""
    return [jnp.asarray(x, host(a)[1]) for x, a in zip(given, f.dom, strict=True)]


def precision(f: Diagram) -> AbstractContextManager[Any]:
    """64-bit numbers while `f` runs, if it has any; nothing outside changes."""
    return wide() if is_wide(f) else nullcontext()


def is_wide(f: Diagram) -> bool:
    """Whether `f` has 64-bit numbers."""
    return any(getattr(a, "dtype", "") == "float64" for a in atoms(f))


def wide() -> AbstractContextManager[Any]:
    """A context in which JAX keeps 64-bit numbers."""
    home: Any = jax if hasattr(jax, "enable_x64") else import_module("jax.experimental")  # older releases keep it there
    return home.enable_x64(True)


def atoms(f: Diagram) -> Iterator[Any]:
    """The types of all wires of `f`, with those of bodies inside its generators."""
    yield from f.dom
    for node in f.nodes:
        yield from node.cod
        body = getattr(node.op, "body", None)
        if isinstance(body, Diagram):
            yield from atoms(body)


def host(atom: Any) -> tuple[tuple[int, ...], Any]:
    """Shape and JAX dtype of the array that carries an atom."""
    if isinstance(atom, array.Array):
        return atom.shape, jnp.dtype(atom.dtype)
    if isinstance(atom, array.Key):
        return (*atom.shape, 2), jnp.dtype("uint32")
    if atom.semiring.name not in SUMS:
        raise NoRule(f"vectors over {atom.semiring} have no meaning in the JAX backend: use {' or '.join(SUMS)}")
    return atom.shape, jnp.dtype("uint8")
