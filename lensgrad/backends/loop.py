"""Many steps in a row: which wires of a step go round, and how many steps are worth one program."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lensgrad.core.diagram import Diagram
from lensgrad.core.graph import Node
from lensgrad.theories.smooth.conv import Convolve
from lensgrad.theories.smooth.linear import Einsum
from lensgrad.theories.smooth.scan import Scan

MOST = 1024  # steps between two looks at a run
BUDGET = 1 << 27  # multiply-adds between two looks: some hundredths of a second on a small machine
BYTES = 1 << 24  # of data between two looks
CONVOLVED = 1 << 20  # multiply-adds of convolutions in a step, up to which a compiled loop over steps pays
CHANNELS = 256  # input times output channels, up to which a convolution is better written as a product of matrices


@dataclass(frozen=True)
class Loop:
    """A step as the body of a loop: outputs that are inputs of the next step, and inputs that each step has its own of.

    All other inputs stay, and all other outputs are observed. Numbers are those of wires.
    """

    back: tuple[tuple[int, int], ...]  # (output, input)
    rows: tuple[int, ...]
    ends: tuple[int, int]  # how many inputs and outputs there are
    held: tuple[int, ...] = ()  # rows that are one for all steps, and read where they lie

    @cached_property
    def states(self) -> tuple[int, ...]:
        """The inputs that go round, in the order of the outputs that they come from."""
        return tuple(i for _, i in self.back)

    @cached_property
    def fixed(self) -> tuple[int, ...]:
        """The inputs that stay."""
        return tuple(i for i in range(self.ends[0]) if i not in self.states and i not in self.rows)

    @cached_property
    def seen(self) -> tuple[int, ...]:
        """The outputs that are observed."""
        back = {o for o, _ in self.back}
        return tuple(o for o in range(self.ends[1]) if o not in back)

    @cached_property
    def order(self) -> tuple[int, ...]:
        """Where each input stands among states, what stays, and rows."""
        places = (*self.states, *self.fixed, *self.rows)
        return tuple(places.index(i) for i in range(self.ends[0]))

    def inputs(self, states: Sequence[Any], fixed: Sequence[Any], rows: Sequence[Any]) -> list[Any]:
        """Values by kind as inputs in order."""
        values = (*states, *fixed, *rows)
        return [values[i] for i in self.order]

    def outputs(self, outs: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """Outputs in order as the next states and what is observed."""
        return [outs[o] for o, _ in self.back], [outs[o] for o in self.seen]


def steps_at_once(f: Diagram, loop: Loop) -> int:
    """How many steps run between two looks: 1 for large steps, more for small ones."""
    data = 4 * sum(elements(f.dom[i]) for i in loop.rows)
    return max(1, min(MOST, BUDGET // max(1, work(f)), BYTES // max(1, data)))


def compiled_as_loop(f: Diagram, loop: Loop) -> bool:
    """Whether many steps are worth one program, rather than a call for each.

    A call costs as much as a small step, so small steps are. But XLA gives a convolution inside a loop one slow thread: measured
    on two cores, a ResNet step is 37 times as slow there. So a step's convolutions must be few, or be written as products.
    """
    return steps_at_once(f, loop) > 1 and convolved(f) <= CONVOLVED


def work(f: Diagram) -> int:
    """How much a step has to do: multiply-adds of products and convolutions, and the entries that all other generators write."""
    return sum(times * (multiply_adds(node, dom) or sum(map(elements, node.cod))) for node, dom, times in applications(f))


def convolved(f: Diagram) -> int:
    """The multiply-adds of the convolutions that are not better written as products."""
    found = ((node, multiply_adds(node, dom), dom, times) for node, dom, times in applications(f) if isinstance(node.op, Convolve))
    return sum(times * n for node, n, dom, times in found if not few_channels(node.op, dom))


def applications(f: Diagram, times: int = 1) -> Iterator[tuple[Node, tuple[Any, ...], int]]:
    """Every node, with the types of its arguments and how often it runs; those inside the bodies of generators too."""
    types = list(f.dom)
    for node in f.nodes:
        body = getattr(node.op, "body", None)
        if isinstance(body, Diagram):
            yield from applications(body, times * (node.op.n if isinstance(node.op, Scan) else 1))
        else:
            yield node, tuple(types[a] for a in node.args), times
        types += list(node.cod)


def multiply_adds(node: Node, dom: Sequence[Any]) -> int:
    """The multiply-adds of a product of arrays or of a convolution; 0 for anything else."""
    op: Any = node.op
    if isinstance(op, Einsum):
        sizes = [zip(letters, a.shape, strict=True) for letters, a in zip(op.letters()[0], dom, strict=True)]
        return math.prod(dict(pair for pairs in sizes for pair in pairs).values())
    if not isinstance(op, Convolve):
        return 0
    inner, outer = channels(op, dom)
    return dom[0].shape[0] * math.prod(op.window.out(op.image, op.size)) * math.prod(op.size) * inner * outer


def channels(op: Any, dom: Sequence[Any]) -> tuple[int, int]:
    """The channels that a kernel reads, and those it writes."""
    if op.slot == "k":
        return dom[0].shape[-1] // op.window.groups, dom[1].shape[-1]
    return dom[1].shape[-2], dom[1].shape[-1]


def few_channels(op: Any, dom: Sequence[Any]) -> bool:
    """Whether a convolution is better written as a product of matrices: libraries lay theirs out for many channels."""
    return op.window.groups == 1 and math.prod(channels(op, dom)) <= CHANNELS


def elements(atom: Any) -> int:
    """How many numbers an atom has."""
    return math.prod(getattr(atom, "shape", (getattr(atom, "size", 1),)))
