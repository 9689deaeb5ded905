"""NumPy: the reference backend. One line per generator says its meaning as Python source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from math import prod
from typing import Any, Self

import numpy as np

from lensgrad.backends import kernels as untyped
from lensgrad.backends.contract import contraction
from lensgrad.backends.helpers import RESERVED
from lensgrad.backends.source import Layout, Line, Module, Style
from lensgrad.backends.table import Meanings
from lensgrad.backends.words import entries, words
from lensgrad.core.diagram import Diagram, Recompute
from lensgrad.core.errors import OutOfMemory, TooLarge
from lensgrad.core.functor import unfold
from lensgrad.core.graph import Generator
from lensgrad.theories import bridges
from lensgrad.theories.poly import circuit as z
from lensgrad.theories.smooth import array, conv, index, linear, random, reduce, scan, special
from lensgrad.theories.smooth import pointwise as p

kernels: Any = untyped  # their text is copied into files that need NumPy only
HOST = {"bfloat16": "float32"}  # where NumPy has no such dtype, what carries it
MOVES = (p.Neg, linear.Spread, linear.Transpose, linear.Reshape, linear.Slice, linear.Pad, linear.Concatenate, linear.Flip, index.Take)


def dtype(name: str) -> str:
    """The NumPy dtype that carries a dtype, as source."""
    return f"np.{HOST.get(name, name)}{'_' if name == 'bool' else ''}"


def number(value: float | int | bool) -> str:
    """A number as source."""
    return repr(value) if abs(value) != float("inf") else f"float('{value}')"


def elementwise(part: str) -> Callable[[Line], str]:
    """+ or × of a semiring."""
    return lambda line: line.written(getattr(words(line.cod[0].semiring), part))


def constant(line: Line) -> str:
    s = line.op.semiring
    return entries(line.op.values, words(s).dtype)


def gathered(line: Line) -> str:
    """Entries by number; a progression as a slice."""
    values = line.op.table.entries
    step = values[1] - values[0] if len(values) > 1 else 1
    if values and step > 0 and values == tuple(range(values[0], values[0] + step * len(values), step)):
        return f"{line.args[0]}[..., {values[0]}:{values[-1] + 1}{f':{step}' if step > 1 else ''}]"
    return f"{line.args[0]}[..., {entries(line.op.table)}]"


def cast(line: Line) -> str:
    """Between dtypes; floats to integers truncate."""
    (x,), (a,), b = line.args, line.dom, line.cod[0]
    if a.floating and b.dtype in ("int32", "uint8", "uint32"):
        return f"{line.k.to_integer}({x}, {dtype(b.dtype)})"
    return f"np.asarray({x}).astype({dtype(b.dtype)})"


def slices(op: linear.Slice) -> str:
    parts = (f"{a}:{b}" + (f":{s}" if s > 1 else "") for a, b, s in zip(op.start, op.stop, op.step, strict=True))
    return ", ".join(parts)


def window(op: Any, *extra: Any) -> str:
    w = op.window
    return ", ".join(map(repr, (w.stride, w.dilation, w.padding, *extra)))


def convolution(line: Line) -> str:
    op, (a, b) = line.op, line.args
    name, extra = {"y": ("convolve", ()), "k": ("convolve_kernel", (op.size,)), "x": ("convolve_image", (op.image,))}[op.slot]
    return f"{getattr(line.k, name)}({a}, {b}, {window(op, op.window.groups, *extra)})"


def loop(line: Line) -> str:
    op = line.op
    step = line.function(op.body, "step_of_scan")
    return f"{line.k.scan}({', '.join([step, str(op.n), str(op.carries), str(op.shared), str(op.backward), *line.args])})"


def called(line: Line) -> str:
    return f"{line.function(line.op.body, 'recompute')}({', '.join(line.args)})"


def imaged(line: Line) -> str:
    return f"{line.function(line.op.unfolded, 'circuit')}({', '.join(line.args)})"


def merged(line: Line) -> str:
    s = words(line.cod[0].semiring)
    return s.scatter.format(line.args[0], entries(line.op.table), line.op.size, k=line.k)


def indicator(line: Line) -> str:
    s, (c,) = line.op.semiring, line.args
    kind = words(s).dtype
    return f"{c}.astype({kind})" if (s.zero, s.one) == (0, 1) else f"np.where({c}, {kind}({s.one}), {kind}({s.zero}))"


def values(line: Line) -> str:
    (x,), kind = line.args, line.op.dtype
    return f"{x} != {line.dom[0].semiring.zero}" if kind == "bool" else f"{x}.astype({dtype(kind)})"


def square(line: Line) -> str:
    (x,), n = line.args, line.op.n
    return " * ".join([x] * n) if 1 < n < 4 else f"np.power({x}, {n}.0)"


def rounded(entry: Any, line: Line) -> str:
    """A line with its results in half precision rounded to it: float16 is kept as such and computed in float32, as bfloat16 is kept."""
    narrow = kind(line.cod[0]) if len(line.cod) == 1 and not hasattr(line.op, "body") else ""
    wide = widened(line) if narrow == "float16" else line
    code = wide.written(entry)
    return f"{line.k.bf16}({code})" if narrow == "bfloat16" else code if wide is line else f"{line.k.half}({code})"


def widened(line: Line) -> Line:
    """A line that computes in float32 what it is given in float16; what only moves numbers stays as it is."""
    if type(line.op) in MOVES or "float16" not in map(kind, line.dom):
        return line
    args = tuple(f"{line.k.wide}({x})" if kind(a) == "float16" else x for x, a in zip(line.args, line.dom, strict=True))
    dom, cod = (tuple(a.with_dtype("float32") if kind(a) == "float16" else a for a in ob) for ob in (line.dom, line.cod))
    return replace(line, args=args, dom=dom, cod=cod)


def kind(atom: Any) -> str:
    """The dtype of an array; of keys and bits none."""
    return getattr(atom, "dtype", "")


LINES: dict[type[Any], str | Callable[[Line], str]] = {
    # pointwise
    p.Add: "{0} + {1}",
    p.Sub: "{0} - {1}",
    p.Neg: "-{0}",
    p.Mul: "{0} * {1}",
    p.Div: "{0} / {1}",
    p.Exp: "np.exp({0})",
    p.Log: "np.log({0})",
    p.Log1p: "np.log1p({0})",
    p.Expm1: "np.expm1({0})",
    p.Tanh: "np.tanh({0})",
    p.Logistic: "{k.logistic}({0})",
    p.Sin: "np.sin({0})",
    p.Cos: "np.cos({0})",
    p.Atan: "np.arctan({0})",
    p.Atan2: "np.arctan2({0}, {1})",
    p.Asinh: "np.arcsinh({0})",
    p.Round: "np.round({0})",
    p.Erf: "{k.erf}({0})",
    special.Erfc: "{k.erfc}({0})",
    p.Sqrt: "np.sqrt({0})",
    p.Rsqrt: "1.0 / np.sqrt({0})",
    p.Abs: "np.abs({0})",
    p.Sign: "np.sign({0})",
    p.Floor: "np.floor({0})",
    p.IntegerPower: square,
    p.Power: "np.power({0}, {1})",
    p.Maximum: "np.maximum({0}, {1})",
    p.Minimum: "np.minimum({0}, {1})",
    p.Clamp: lambda s: f"np.minimum(np.maximum({s.args[0]}, {number(s.op.low)}), {number(s.op.high)})",
    p.Compare: "{0} {op.relation} {1}",
    p.And: "{0} & {1}",
    p.Or: "{0} | {1}",
    p.Not: "~{0}",
    p.ShiftRight: "{0} >> np.uint32({op.bits})",
    p.Select: "np.where({0}, {1}, {2})",
    p.StopGradient: "{0}",
    # linear
    linear.Spread: "{k.spread}({0}, {op.shape}, {op.axes})",
    linear.Sum: lambda s: f"np.sum({s.args[0]}, {s.op.axes}, {dtype(s.dom[0].dtype)})",
    linear.Transpose: "np.transpose({0}, {op.order})",
    linear.Reshape: "np.reshape({0}, {op.shape})",
    linear.Slice: lambda s: f"{s.args[0]}[{slices(s.op)}]" if s.op.start else s.args[0],
    linear.Pad: "{k.pad}({0}, {op.low}, {op.high}, {op.interior})",
    linear.Concatenate: lambda s: f"np.concatenate([{', '.join(s.args)}], {s.op.axis})",
    linear.Flip: "np.flip({0}, {op.axes})",
    linear.CumulativeSum: "{k.cumulative_sum}({0}, {op.axis}, {op.backward})",
    linear.Cast: cast,
    linear.AxisMean: "{0}",
    linear.BatchSize: lambda s: f"np.ones((), {dtype(s.dom[0].dtype)})",
    linear.Einsum: contraction,
    array.Full: lambda s: f"np.full({s.op.atom.shape}, {number(s.op.value)}, {dtype(s.op.atom.dtype)})",
    # reductions, order, indices
    reduce.AMax: "np.max({0}, {op.axes})",
    reduce.LogSoftmax: "{k.log_softmax}({0}, {op.axis})",
    reduce.LogSumExp: "{k.logsumexp}({0}, {op.axes})",
    reduce.ArgMax: "np.argmax({0}, {op.axis}).astype(np.int32)",
    reduce.ArgSort: "np.argsort({0}, -1, kind='stable').astype(np.int32)",
    index.Take: "{k.take}({0}, {1}, {op.lead})",
    index.ScatterAdd: "{k.scatter_add}({0}, {1}, {op.rows}, {op.lead})",
    index.OneHot: lambda s: f"{s.k.one_hot}({s.args[0]}, {s.op.n}, {dtype(s.op.dtype)})",
    index.Numbers: lambda s: entries(s.op.table),
    index.Iota: "np.arange({op.n}, dtype=np.int32)",
    # windows, randomness, loops
    conv.Convolve: convolution,
    conv.WindowArgMax: lambda s: f"{s.k.window_argmax}({s.args[0]}, {window(s.op, s.op.size)})",
    random.FoldIn: "{k.fold_in}({0}, {1})",
    random.KeySpread: lambda s: f"np.repeat(np.expand_dims({s.args[0]}, {s.op.axis}), {s.op.n}, {s.op.axis})",
    random.KeyTranspose: "np.transpose({0}, (*{op.order}, -1))",
    random.RandomBits: "{k.random_bits}({0}, {op.shape})",
    scan.Scan: loop,
    Recompute: called,
    # polynomial circuits: elements in words
    z.Constant: constant,
    z.Add: elementwise("add"),
    z.Mul: elementwise("mul"),
    z.Gather: gathered,
    z.Scatter: merged,
    z.Repeat: "np.repeat({0}[None], {op.rows}, 0)",
    z.Collect: elementwise("collect"),
    z.Count: "{k.sum_whole}({0}.astype(np.int64))",
    # between elements and numbers
    bridges.Indicator: indicator,
    bridges.Values: values,
    bridges.BruteForce: lambda s: f"{s.function(s.op.body, 'brute_force')}({', '.join(s.args)})",
    bridges.Image: imaged,
}  # fmt: skip
NUMPY = Meanings("NumPy", LINES, at="lensgrad.backends.numpy.NUMPY")


def literal(op: Generator) -> str | None:
    """The number that may stand for a constant array inside a formula."""
    if not isinstance(op, array.Full):
        return None
    text = number(op.value)
    return f"({text})" if text.startswith("-") else text


def source(
    f: Diagram,
    name: str = "f",
    inputs: Sequence[str] | None = None,
    doc: str = "",
    header: str = "",
    table: Meanings = NUMPY,
    layout: Layout | None = None,
) -> str:
    """`f` as a Python file with one function of that name, which needs NumPy only and returns a tuple of arrays.

    `doc` and `header` are texts: what the function and the file say of themselves.
    """
    return module(f, name, inputs, doc, header, table, layout=layout).text()


def module(
    f: Diagram,
    name: str = "f",
    inputs: Sequence[str] | None = None,
    doc: str = "",
    header: str = "",
    table: Meanings = NUMPY,
    frees: bool = False,
    layout: Layout | None = None,
) -> Module:
    """The file before it is text; written once more where an input is called as a helper that it turns out to need."""
    arrow, names = bridges.opened(unfold(f)), inputs if inputs is not None else [f"x{i}" for i in range(len(f.dom))]
    made = Module(Style(table, literal, rounded), header, frees=frees)
    made.top(arrow, name, names, doc, layout)
    late = made.helpers.found.keys() - RESERVED
    if late & made.taken:
        made = Module(Style(table, literal, rounded), header, late, frees)
        made.top(arrow, name, names, doc, layout and layout.without(late))
    return made


def function(f: Diagram, inputs: Sequence[str] | None = None, table: Meanings = NUMPY) -> Callable[..., tuple[Any, ...]]:
    """`f` as a Python function on NumPy arrays, one argument a wire, returning a tuple."""
    made = module(f, "f", inputs, table=table, frees=True)
    space: dict[str, Any] = dict(made.given)
    try:
        exec(compile(made.text(), "<lensgrad: generated NumPy>", "exec"), space)
    except MemoryError:  # constants are made here
        raise out_of_memory(f) from None
    call = refusing(space["f"]) if kernels.whole in made.helpers else space["f"]
    return Function(f, call, (function, (f, inputs, table)))


class Function:
    """An arrow as a function on arrays, with those that are too large for this machine as an error of this library.

    It goes into a pickle as what it was `made` of, and is its own copy.
    """

    __slots__ = ("call", "f", "made")

    def __init__(self, f: Diagram, call: Callable[..., Any], made: tuple[Any, ...]) -> None:
        self.f, self.call, self.made = f, call, made

    def __call__(self, *xs: Any) -> Any:
        try:
            return self.call(*xs)
        except MemoryError:
            raise out_of_memory(self.f) from None

    def __deepcopy__(self, _: Any) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return self.made


def out_of_memory(f: Diagram) -> OutOfMemory:
    """The error for an arrow whose arrays the memory does not hold."""
    fix = "make the sizes smaller, or take fewer examples at once"
    return too_large("what is computed", (*f.dom, *(a for n in unfold(f).nodes for a in n.cod)), fix)


def too_large(what: str, atoms: Iterable[Any], fix: str) -> OutOfMemory:
    """The error for arrays of these atoms, which the memory does not hold."""
    size, largest = max(((nbytes(a), str(a)) for a in atoms), default=(0, ""))
    return OutOfMemory(f"{what} must fit into memory, and its largest array, {largest}, takes {size:,} bytes: {fix}")


def nbytes(atom: Any) -> int:
    """How many bytes the array of an atom takes."""
    shape, kind = host(atom)
    return prod(shape) * kind.itemsize


def refusing(call: Callable[..., Any]) -> Callable[..., Any]:
    """The same, with what does not fit into 64 bits as an error of this library."""

    def checked(*xs: Any) -> Any:
        try:
            return call(*xs)
        except OverflowError as error:
            raise TooLarge(str(error)) from None

    return checked


def has_circuits(f: Diagram) -> bool:
    """Whether circuits run in `f`, in the bodies of its generators too."""
    nodes = unfold(f).nodes
    return any(isinstance(n.op, bridges.Image) or any(isinstance(a, z.Vector) for a in n.cod) or body_has_circuits(n.op) for n in nodes)


def body_has_circuits(op: Any) -> bool:
    return isinstance(getattr(op, "body", None), Diagram) and has_circuits(op.body)


def host(atom: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and NumPy dtype of the array that carries an atom."""
    if isinstance(atom, array.Array):
        return atom.shape, np.dtype(HOST.get(atom.dtype, atom.dtype))
    if isinstance(atom, array.Key):
        return (*atom.shape, 2), np.dtype(np.uint32)
    return atom.shape, np.dtype(words(atom.semiring).dtype.removeprefix("np."))
