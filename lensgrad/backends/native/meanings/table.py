"""What each generator means in C: a formula, a place, entries, loops, or the arrow it is composed of."""

from __future__ import annotations

from typing import Any

from lensgrad.backends.native import convolutions, images, loops, pooling
from lensgrad.backends.native.flat import Chosen, Composite
from lensgrad.backends.native.meanings import entries, moves, sums, sweeps, windows
from lensgrad.backends.native.scope import Moved, Pulled, Whole
from lensgrad.backends.table import Hole, Meanings
from lensgrad.theories import bridges
from lensgrad.theories.poly import circuit as z
from lensgrad.theories.smooth import array, conv, index, linear, random, reduce, scan, special
from lensgrad.theories.smooth import pointwise as p

LANES = Hole("circuits run on lanes of their own")

C: dict[type[Any], Any] = {
    # pointwise
    p.Add: Pulled(entries.plus),
    p.Sub: Pulled(entries.minus),
    p.Neg: Pulled(entries.negative),
    p.Mul: Pulled(entries.times),
    p.Div: "{0} / {1}",
    p.Exp: "exp_{t}({0})",
    p.Log: "log_{t}({0})",
    p.Log1p: "log1p_{t}({0})",
    p.Expm1: "expm1_{t}({0})",
    p.Tanh: "tanh_{t}({0})",
    p.Logistic: "logistic_{t}({0})",
    p.Sin: "sin_{t}({0})",
    p.Cos: "cos_{t}({0})",
    p.Atan: "atan_{t}({0})",
    p.Atan2: "atan2_{t}({0}, {1})",
    p.Asinh: "asinh_{t}({0})",
    p.Round: "round_{t}({0})",
    p.Erf: "erf_{t}({0})",
    special.Erfc: "erfc_{t}({0})",
    p.Sqrt: "sqrt_{t}({0})",
    p.Rsqrt: "1 / sqrt_{t}({0})",
    p.Abs: "abs_{t}({0})",
    p.Sign: "sign_{t}({0})",
    p.Floor: "floor_{t}({0})",
    p.IntegerPower: Pulled(entries.power, 2),
    p.Power: "pow_{t}({0}, {1})",
    p.Maximum: "larger({0}, {1})",
    p.Minimum: "smaller({0}, {1})",
    p.Clamp: Pulled(entries.clamp),
    p.Compare: "{0} {op.relation} {1}",
    p.And: "{0} & {1}",
    p.Or: "{0} | {1}",
    p.Not: "!{0}",
    p.ShiftRight: "{0} >> {op.bits}",
    p.Select: "{0} ? {1} : {2}",
    p.StopGradient: Moved(moves.same),
    # linear
    linear.Spread: Moved(moves.spread),
    linear.Sum: Whole(sums.total),
    linear.Transpose: Moved(moves.transposed),
    linear.Reshape: Moved(moves.reshape),
    linear.Slice: Moved(moves.sliced),
    linear.Pad: Pulled(entries.pad),
    linear.Concatenate: Pulled(entries.concatenate),
    linear.Flip: Moved(moves.flipped),
    linear.CumulativeSum: Whole(sweeps.running),
    linear.Cast: Pulled(entries.cast),
    linear.AxisMean: Moved(moves.same),
    linear.BatchSize: Pulled(entries.one, 0),
    linear.Einsum: Chosen(sums.contraction),
    array.Full: Pulled(entries.full, 0),
    # reductions, order, indices
    reduce.AMax: Whole(sums.largest),
    reduce.LogSoftmax: Composite(sums.log_softmax),
    reduce.LogSumExp: Composite(sums.log_sum_exp),
    reduce.ArgMax: Whole(sums.argmax),
    reduce.ArgSort: Whole(sweeps.ordered),
    index.Take: Pulled(entries.take, 1, again=True),
    index.ScatterAdd: Whole(sweeps.added),
    index.OneHot: Pulled(entries.one_hot),
    index.Numbers: Whole(sweeps.fixed),
    index.Iota: Pulled(entries.iota, 0),
    # windows, loops
    conv.Convolve: Chosen(lambda op, dom: convolutions.chosen(op, dom) or images.chosen(op, dom) or Whole(windows.convolution)),
    conv.WindowArgMax: Chosen(lambda op, dom: pooling.chosen(op, dom) or Whole(windows.argmax)),
    convolutions.KernelParts: Whole(convolutions.gradient),
    scan.Scan: Whole(loops.looped),
    # randomness
    random.FoldIn: Pulled(entries.fold_in, 40),
    random.KeySpread: Moved(moves.key_spread),
    random.KeyTranspose: Moved(moves.words_transposed),
    random.RandomBits: Pulled(entries.random_bits, 40),
    # not here
    **dict.fromkeys((z.Constant, z.Add, z.Mul, z.Gather, z.Scatter, z.Repeat, z.Collect, z.Count), LANES),
    **dict.fromkeys((bridges.Indicator, bridges.Values, bridges.BruteForce, bridges.Image), LANES),
}
NATIVE = Meanings("native", C, at="lensgrad.backends.native.meanings.table.NATIVE")
__all__ = ["NATIVE"]
