"""Which convolutions go by planes, as they have few channels, and which of these for several examples at a time."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from lensgrad.backends.native import batches
from lensgrad.backends.native.batches import Batches, BatchTaps
from lensgrad.backends.native.flat import BYTES, Call, Composite, Value
from lensgrad.backends.native.nests import Bound, Program, squeezed
from lensgrad.backends.native.places import EXAMPLES
from lensgrad.backends.native.planes import MARGIN, NEAR, Planes, Taps, together
from lensgrad.backends.native.products import base
from lensgrad.backends.native.scope import Whole
from lensgrad.core.diagram import Diagram
from lensgrad.core.op import Op, generator
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.theories.smooth import conv, linear

FEW = 256  # input times output channels
CHUNKS = 8  # of examples, whose kernel gradients are summed apart, whatever the number of threads
VECTOR = 64  # bytes of the largest one
STACK = 1 << 18  # bytes that a thread's stack has for certain


def few(op: Any, dom: Sequence[Value]) -> bool:
    """Whether a convolution is one of few channels, in steps of one, along one or two axes."""
    win = op.window
    plain = set(win.stride) == {1} and set(win.dilation) == {1} and win.groups == 1 and len(op.size) in (1, 2)
    inner, outer = channels(op, dom)
    small = inner * outer <= FEW and op.size[-1] <= 8 and all(max(pads) < k for pads, k in zip(win.padding, op.size, strict=True))
    return plain and small and dom[0].dtype in ("float32", "float64") and stacked(op, dom, inner, outer) <= STACK


def stacked(op: Any, dom: Sequence[Value], inner: int, outer: int) -> int:
    """The bytes of planes between zeros, which lie on the stack of a thread."""
    image, out = op.image, op.window.out(op.image, op.size)
    grown = [n + k for n, k in zip(map(max, image, out), op.size, strict=True)]
    each, size = prod(grown) + MARGIN + grown[-1], BYTES[dom[0].dtype]
    if op.slot != "k":
        read, made = (inner, outer) if op.slot == "y" else (outer, inner)
        return read * each * size + max(NEAR, made * grown[-1] * size) + made * MARGIN * size
    return (inner + together(outer)) * each * size + inner * outer * prod(op.size) * VECTOR


def channels(op: Any, dom: Sequence[Value]) -> tuple[int, int]:
    if op.slot == "k":
        return dom[0].shape[-1], dom[1].shape[-1]
    return dom[1].shape[-2], dom[1].shape[-1]


def by_planes(program: Program, call: Call) -> Any:
    """A convolution of few channels, or None."""
    if call.op.slot == "k" or not few(call.op, program.flat.dom(call)):
        return None
    reads = (image(program, call.args[0]), base(program, call.args[1]))
    kind = Batches if batched(program, call.args[0], call.outs[0], call.op) else Planes
    return kind(call, reads, same_shape(program, call.args[0], reads[0]))


def batched(program: Program, x: int, y: int, op: Any) -> bool:
    """Whether there are examples enough, and copies of some lie on the stack of a thread."""
    a, b = (program.flat.values[w] for w in (x, y))
    return a.shape[0] % EXAMPLES == 0 and batches.stacked(a, b, op.size) <= STACK


def image(program: Program, wire: int) -> int:
    """The array that images are read from: what is only computed entry by entry is computed in their own shape."""
    found = base(program, wire)
    fixed = found not in program.makers or found in program.outputs or program.is_whole(program.makers[found][0])
    return found if fixed or same_shape(program, found, wire) else wire


def same_shape(program: Program, a: int, b: int) -> bool:
    return squeezed(program.flat.values[a].shape) == squeezed(program.flat.values[b].shape)


@generator
class KernelParts(Op):
    """The adjoint of a convolution in its kernel, for so many equal parts of the examples apart : X × Y → (parts, *size, C, O)."""

    form: conv.Convolve
    parts: int

    def type(self, *dom: Any) -> Ty:
        (k,) = self.form.type(*dom)
        return Ty((k.with_shape(self.parts, *k.shape),))


def parts(examples: int) -> int:
    """How many parts the examples are summed in: always the same, so that the number of threads changes no sum."""
    some = examples // EXAMPLES if examples % EXAMPLES == 0 else examples
    return max(n for n in range(1, min(CHUNKS, some) + 1) if some % n == 0)


def kernel_arrow(op: Any, x: Any, y: Any) -> Diagram:
    """The adjoint in the kernel, as parts that are summed, if there are several."""
    number = parts(x.shape[0])
    (k,) = op.type(x, y)
    whole = linear.Sum((0,)) if number > 1 else linear.Reshape(k.shape)
    return trace(lambda a, b: whole(KernelParts(op, number)(a, b)), Ty((x,)), Ty((y,)))


def taps(program: Program, call: Call) -> Taps:
    reads = tuple(image(program, a) for a in call.args)
    kind = BatchTaps if batched(program, call.args[0], call.args[1], call.op.form) else Taps
    return kind(call, reads, tuple(same_shape(program, a, b) for a, b in zip(call.args, reads, strict=True)))


def gradient(_: Any, __: Call) -> Bound:
    return Bound(taps)


def chosen(op: Any, dom: Sequence[Value]) -> Any:
    """A convolution by planes where channels are few; None otherwise."""
    if not few(op, dom):
        return None
    return Composite(kernel_arrow) if op.slot == "k" else Whole(lambda _, __: Bound(by_planes))
