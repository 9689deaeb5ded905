"""What generators mean in ONNX. One line a generator: an operator of the default domain, or a function that writes several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lensgrad.backends.numpy import host
from lensgrad.backends.table import Hole, Meanings
from lensgrad.core.diagram import Diagram, Recompute
from lensgrad.core.functor import fold, unfold
from lensgrad.core.graph import Node
from lensgrad.interchange.onnx.writing import arrange, draws, formulas, loops, products, windows
from lensgrad.interchange.onnx.writing.sheet import Sheet, Sizes, Value, counted
from lensgrad.theories import bridges
from lensgrad.theories.poly import circuit as z
from lensgrad.theories.smooth import array, conv, index, linear, random, reduce, scan, special
from lensgrad.theories.smooth import pointwise as p

# What is computed in another dtype, as runtimes have few operators for it: half precision as in NumPy, and small whole numbers.
COMPUTED = {"float16": "float32", "bfloat16": "float32", "uint8": "int64", "uint32": "int64"}
KEPT = (linear.Cast, p.StopGradient, scan.Scan, Recompute)  # what has no need of it
MOVES = (
    linear.Spread, linear.Transpose, linear.Reshape, linear.Slice, linear.Concatenate, linear.Flip, random.FoldIn, random.RandomBits,
    random.KeySpread, random.KeyTranspose, index.Take, index.OneHot, p.ShiftRight,
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    """What a line of the table writes a node from: its generator, its inputs, their types and those of its results."""

    op: Any
    thin: tuple[Value, ...]  # as they are: operators entry by entry spread them
    dom: tuple[Any, ...]
    cod: tuple[Any, ...]
    sheet: Sheet

    @property
    def args(self) -> tuple[Value, ...]:
        """The inputs in the shapes of their types."""
        return tuple(v.wide(host(a)[0]) for v, a in zip(self.thin, self.dom, strict=True))

    @property
    def x(self) -> Value:
        """The first input in its shape."""
        return self.args[0]

    @property
    def numbers(self) -> Value:
        """The first input, truth values as the numbers 0 and 1."""
        return self.x.to("int32") if self.x.dtype == "bool" else self.x


Word = Callable[[Line], Value | list[Value]]


def on(fn: Callable[..., Value]) -> Word:
    """A formula entry by entry."""
    return lambda line: fn(*line.thin)


def same(line: Line) -> Value:
    return line.thin[0]


def cast(line: Line) -> Value:
    """Between dtypes; floats to integers truncate."""
    (x,), dtype = line.thin, line.op.dtype
    return formulas.to_whole(x, dtype) if line.dom[0].floating and dtype in ("int32", "uint8", "uint32") else x.to(dtype)


def clamp(line: Line) -> Value:
    return line.thin[0].on("Clip", line.op.low, line.op.high)


def shifted(line: Line) -> Value:
    """A word without its last bits."""
    return (line.thin[0].to("int64") / (1 << line.op.bits)).to("uint32")


def sliced(line: Line) -> Value:
    return line.x.sliced(line.op.start, line.op.stop, line.op.step)


def einsum(line: Line) -> Value:
    inputs, output = line.op.letters()
    args = [v.to("int32") if v.dtype == "bool" else v for v in line.args]
    return products.contracted(args, inputs, output)


def compared(line: Line) -> Value:
    x, y = line.thin
    return formulas.compared(x, y, line.op.relation)


def take(line: Line) -> Value:
    x, at = line.args
    return arrange.take(x, at, line.op.lead)


def scatter_add(line: Line) -> Value:
    at, y = line.args
    return arrange.scatter_add(at, y.to("int32") if y.dtype == "bool" else y, line.op.rows, line.op.lead)


def full(line: Line) -> Value:
    """One number, which is spread where an operator needs more."""
    dtype = host(line.op.atom)[1].name
    return line.sheet.constant(line.op.value, "float32" if dtype == "float16" else dtype)


def log_softmax(line: Line) -> Value:
    return line.x.on("LogSoftmax", axis=line.op.axis)


def keys_transposed(line: Line) -> Value:
    return line.x.transposed(*line.op.order, len(line.op.order))


def loop(line: Line) -> list[Value]:
    return loops.loop(line.op, line.args, whole, line.sheet)


BITS = Hole("circuits of gates have formats of their own: write .aig, .blif, .v or .c with lensgrad.circuits.write")
WORDS: dict[type[Any], str | Word | Hole] = {
    # pointwise
    p.Add: "Add",
    p.Sub: "Sub",
    p.Neg: "Neg",
    p.Mul: "Mul",
    p.Div: "Div",
    p.Exp: "Exp",
    p.Log: "Log",
    p.Log1p: on(formulas.log1p),
    p.Expm1: on(formulas.expm1),
    p.Tanh: "Tanh",
    p.Logistic: "Sigmoid",
    p.Sin: "Sin",
    p.Cos: "Cos",
    p.Atan: on(formulas.atan),
    p.Atan2: on(formulas.atan2),
    p.Asinh: on(formulas.asinh),
    p.Round: "Round",
    p.Erf: on(formulas.erf),
    special.Erfc: on(formulas.erfc),
    p.Sqrt: "Sqrt",
    p.Rsqrt: on(formulas.rsqrt),
    p.Abs: "Abs",
    p.Sign: "Sign",
    p.Floor: "Floor",
    p.IntegerPower: lambda s: formulas.power(s.thin[0], s.op.n),
    p.Power: "Pow",
    p.Maximum: "Max",
    p.Minimum: "Min",
    p.Clamp: clamp,
    p.Compare: compared,
    p.And: "And",
    p.Or: "Or",
    p.Not: "Not",
    p.ShiftRight: shifted,
    p.Select: on(formulas.where),
    p.StopGradient: same,
    # linear
    linear.Spread: lambda s: arrange.spread(s.thin[0], s.dom[0].rank, s.op.shape, s.op.axes),
    linear.Sum: lambda s: s.numbers.reduced("ReduceSum", s.op.axes),
    linear.Transpose: lambda s: s.x.transposed(*s.op.order),
    linear.Reshape: lambda s: s.x.reshaped(*s.op.shape),
    linear.Slice: sliced,
    linear.Pad: lambda s: arrange.pad(s.numbers, s.op.low, s.op.high, s.op.interior),
    linear.Concatenate: lambda s: s.args[0].joined(*s.args[1:], axis=s.op.axis),
    linear.Flip: lambda s: s.x.flipped(s.op.axes),
    linear.CumulativeSum: lambda s: arrange.cumulative_sum(s.numbers, s.op.axis, s.op.backward),
    linear.Cast: cast,
    linear.AxisMean: same,
    linear.BatchSize: lambda s: s.thin[0].like(1.0),
    linear.Einsum: einsum,
    array.Full: full,
    # reductions, order, indices
    reduce.AMax: lambda s: s.numbers.reduced("ReduceMax", s.op.axes),
    reduce.LogSoftmax: log_softmax,
    reduce.LogSumExp: lambda s: formulas.log_sum_exp(s.x, s.op.axes),
    reduce.ArgMax: lambda s: arrange.argmax(s.numbers, s.op.axis),
    reduce.ArgSort: lambda s: arrange.argsort(s.numbers),
    index.Take: take,
    index.ScatterAdd: scatter_add,
    index.OneHot: lambda s: arrange.one_hot(s.x, s.op.n),
    index.Numbers: lambda s: s.sheet.constant(s.op.table.entries, "int32"),
    index.Iota: lambda s: counted(s.sheet, s.op.n),
    # windows, randomness, loops
    conv.Convolve: lambda s: windows.convolved(s.op, *s.args),
    conv.WindowArgMax: lambda s: windows.argmax(s.op, s.x),
    random.FoldIn: lambda s: draws.fold_in(*s.args),
    random.KeySpread: lambda s: draws.spread(s.x, s.op.n, s.op.axis),
    random.KeyTranspose: keys_transposed,
    random.RandomBits: lambda s: draws.random_bits(s.x, s.op.shape),
    scan.Scan: loop,
    Recompute: lambda s: written(s.op.body, s.thin, s.sheet),
    # polynomial circuits
    **dict.fromkeys((z.Constant, z.Add, z.Mul, z.Gather, z.Scatter, z.Repeat, z.Collect, z.Count), BITS),
    **dict.fromkeys((bridges.Indicator, bridges.Values, bridges.BruteForce), BITS),
    bridges.Image: lambda s: written(s.op.unfolded, s.thin, s.sheet),
}  # fmt: skip
ONNX = Meanings("ONNX", WORDS)


def written(f: Diagram, inputs: Sequence[Value], sheet: Sheet, table: Meanings = ONNX) -> list[Value]:
    """An arrow on values of a graph; its results may still have to be spread."""
    arrow = bridges.opened(unfold(f))
    types = iter(types_of(arrow))

    def rule(node: Node, args: list[Value]) -> list[Value]:
        outer, sheet.origin = sheet.origin, (*sheet.origin, *node.origin)
        made = line(Line(node.op, tuple(args), next(types), node.cod.atoms, sheet), table)
        sheet.origin = outer
        return made

    return fold(arrow, list(inputs), rule)


def whole(f: Diagram, inputs: Sequence[Value]) -> list[Value]:
    """An arrow on values, with its results in their shapes."""
    found = written(f, inputs, inputs[0].sheet)
    return [v.wide(host(a)[0]) for v, a in zip(found, f.cod, strict=True)]


def types_of(f: Diagram) -> list[tuple[Any, ...]]:
    """The types of the inputs of each node."""
    types: list[Any] = list(f.dom)
    found: list[tuple[Any, ...]] = []
    for node in f.nodes:
        found.append(tuple(types[a] for a in node.args))
        types += list(node.cod)
    return found


def line(s: Line, table: Meanings) -> list[Value]:
    """One node, computed in a dtype that runtimes have operators for, and its results in their own dtypes."""
    word = table.line(s.op)
    if not isinstance(s.op, KEPT):
        moves = isinstance(s.op, MOVES)
        thin = tuple(v.to(v.dtype if moves and v.dtype[0] == "u" else COMPUTED.get(v.dtype, v.dtype)) for v in s.thin)
        s = Line(s.op, thin, s.dom, s.cod, s.sheet)
    found: Value | list[Value] = s.thin[0].on(word, *s.thin[1:]) if isinstance(word, str) else word(s)
    results = [found] if isinstance(found, Value) else found
    return [v.to(dtype_of(a)) for v, a in zip(results, s.cod, strict=True)]


def dtype_of(atom: Any) -> str:
    """The dtype of an atom in the file."""
    return atom.dtype if isinstance(atom, array.Array) else "uint32" if isinstance(atom, array.Key) else str(host(atom)[1])


def shape_of(atom: Any) -> Sizes:
    """The shape of an atom in the file."""
    return host(atom)[0]


__all__ = ["BITS", "ONNX", "Line", "dtype_of", "shape_of", "whole", "written"]
