"""Windows on images: convolutions as plain loops, and where the largest entry of a window is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lensgrad.backends.native.flat import TYPES, Call, Flat
from lensgrad.backends.native.integers import Index, flat
from lensgrad.backends.native.meanings.entries import both, choice, within
from lensgrad.backends.native.meanings.sums import lowest
from lensgrad.backends.native.nests import Reduction
from lensgrad.backends.native.scope import Scope, Where
from lensgrad.theories.smooth.conv import Convolve, Window

Pair = Callable[[Where, Where], tuple[Where, Where, str]]  # where each argument is read, and what must hold


def met(window: Window, image: Sequence[int], outs: Where, kernel: Where) -> tuple[Where, str]:
    """The place in the image that an entry of the kernel meets at a position, and what must hold for it to be there."""
    place: list[Index] = []
    tests: list[str] = []
    for n, o, k, s, d, (low, _) in zip(image, outs, kernel, window.stride, window.dilation, window.padding, strict=True):
        place.append(o * s + k * d - low)
        tests += within(place[-1], n)
    return tuple(place), both(tests)


def meeting(op: Convolve, place: Where, kernel: Where) -> tuple[Where, str]:
    """The position at which an entry of the kernel meets a place in the image, and what must hold for there to be one."""
    outs: list[Index] = []
    tests: list[str] = []
    w = op.window
    counts = w.out(op.image, op.size)
    for n, p, k, s, d, (low, _) in zip(counts, place, kernel, w.stride, w.dilation, w.padding, strict=True):
        start = p + low - k * d
        tests += within(start, (n - 1) * s + 1)
        if s > 1:
            start, rest = shifted(start, s)
            tests += [f"{rest} == 0"] if rest.terms or rest.constant else []
        outs.append(start)
    return tuple(outs), both(tests)


def shifted(start: Index, step: int) -> tuple[Index, Index]:
    """Quotient and remainder of what may be negative: those of the same so many steps further on, without these steps."""
    turns = -(start.bounds[0] // step)
    quotient, rest = (start + turns * step).divided(step)
    return quotient - turns, rest


def convolution(program: Flat, call: Call) -> Reduction:
    """One slot of the trilinear form: a sum of products of the two others."""
    return SLOTS[call.op.slot](program, call)


def products(program: Flat, call: Call, sizes: tuple[int, ...], pair: Pair) -> Reduction:
    """A sum over `sizes` of products of an entry of each argument, where they meet."""

    def step(scope: Scope, sums: Sequence[str], index: Where, inner: Where) -> None:
        left, right, condition = pair(index, inner)

        def product(inside: Scope) -> str:
            return f"{inside.at(call.args[0], left)} * {inside.at(call.args[1], right)}"

        scope.lines.append(f"{sums[0]} += {choice(scope, program.values[call.outs[0]].dtype, condition, product, '0')};")

    return Reduction(sizes, ((TYPES[program.values[call.outs[0]].dtype], "0"),), step)


def result(program: Flat, call: Call) -> Reduction:
    """Y from X × K, over the kernel and the channels of a group."""
    op, (_, k) = call.op, program.dom(call)
    each, outer = k.shape[-2], k.shape[-1] // op.window.groups

    def pair(index: Where, inner: Where) -> tuple[Where, Where, str]:
        n, *outs, o = index
        *kernel, c = inner
        place, condition = met(op.window, op.image, tuple(outs), tuple(kernel))
        group, _ = o.divided(outer)
        return (n, *place, group * each + c), (*kernel, c, o), condition

    return products(program, call, (*op.size, each), pair)


def kernel_of(program: Flat, call: Call) -> Reduction:
    """K from X × Y, over examples and positions."""
    op, (x, y) = call.op, program.dom(call)
    each, outer = x.shape[-1] // op.window.groups, y.shape[-1] // op.window.groups

    def pair(index: Where, inner: Where) -> tuple[Where, Where, str]:
        *kernel, c, o = index
        n, *outs = inner
        place, condition = met(op.window, op.image, tuple(outs), tuple(kernel))
        group, _ = o.divided(outer)
        return (n, *place, group * each + c), (n, *outs, o), condition

    return products(program, call, y.shape[:-1], pair)


def image_of(program: Flat, call: Call) -> Reduction:
    """X from Y × K, over the kernel and the results' channels of a group."""
    op, (y, k) = call.op, program.dom(call)
    each, outer = k.shape[-2], y.shape[-1] // op.window.groups

    def pair(index: Where, inner: Where) -> tuple[Where, Where, str]:
        n, *place, channel = index
        *kernel, o = inner
        outs, condition = meeting(op, tuple(place), tuple(kernel))
        group, c = channel.divided(each)
        return (n, *outs, group * outer + o), (*kernel, c, group * outer + o), condition

    return products(program, call, (*op.size, outer), pair)


SLOTS: dict[str, Callable[[Flat, Call], Reduction]] = {"y": result, "k": kernel_of, "x": image_of}


def argmax(program: Flat, call: Call) -> Reduction:
    """Where in the image the first largest entry of each window is; padding is never chosen."""
    op, (x,) = call.op, program.dom(call)
    image = x.shape[1:-1]

    def step(scope: Scope, found: Sequence[str], index: Where, inner: Where) -> None:
        n, *outs, c = index
        place, condition = met(op.window, image, tuple(outs), inner)
        inside, (best, where) = scope.inside(), found
        text = inside.at(call.args[0], (n, *place, c))
        inside.lines += [
            f"const int better = {text} > {best} || {where} < 0;",
            f"{best} = better ? {text} : {best};",
            f"{where} = better ? {flat(place, image)} : {where};",
        ]
        scope.lines += [f"if ({condition}) {{", *inside.lines, "}"]

    return Reduction(op.size, ((TYPES[x.dtype], lowest(x)), ("int32_t", "-1")), step, lambda found: found[1], ordered=True)
