"""Inside the loops of a tapped task: one step of a loop with all its wires, forward and back, at the numbers that it met."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from lensgrad.cat.para import Para
from lensgrad.cat.structure import change
from lensgrad.core.diagram import Diagram
from lensgrad.core.graph import Graph
from lensgrad.program.taps import Numbers, Tapped, Walk, both_ways
from lensgrad.theories.smooth.scan import Scan

LOOP = "loop"  # the level of names in which the body of a loop stands, as in `lstm/loop/tanh`


@lru_cache(256)
def stepped(body: Diagram, path: tuple[str, ...]) -> Tapped:
    """One step of a loop C × S × X → C × Y, forward and back from all that it gives."""
    walk = Walk(Graph(body.dom), set())
    outs = walk.expand(body, range(len(body.dom)), path)
    walk.ends(())
    return both_ways(Para.lift(body), walk, outs, [change(a) is not None for a in body.cod])


class Inside:
    """The steps of a loop, which is a node of a tapped task at some numbers."""

    def __init__(self, numbers: Numbers, number: int) -> None:
        self.numbers, self.number = numbers, number
        t = numbers.tapped
        self.node = t.nodes[number]
        op: Any = self.node.op
        self.op: Scan = op
        self.path = (*(self.node.origin or ("task",)), self.title())
        found = stepped(self.op.body, self.path)
        names = {self.name(i): i for i in range(len(self.op.body.dom))}
        self.tapped = replace(found, names={**{n: w for n, w in names.items() if n}, **found.names})
        self.made: dict[int, Numbers] = {}

    def title(self) -> str:
        """`loop`, numbered where a layer has several."""
        nodes = self.numbers.tapped.nodes[: self.numbers.tapped.count]
        alike = [k for k, n in enumerate(nodes) if isinstance(n.op, Scan) and n.origin == self.node.origin]
        return LOOP if len(alike) == 1 else f"{LOOP}.{alike.index(self.number)}"

    @property
    def names(self) -> dict[str, int]:
        """The wires of a step by name, without those that are shared and have a name outside."""
        begins = "/".join(self.path) + "/"
        return {n: w for n, w in self.tapped.names.items() if n.startswith(begins)}

    def name(self, i: int) -> str:
        """What an input of a step is called: what goes round, what each step takes for itself, or what is shared, as outside."""
        c, held = self.op.carries, self.op.carries + self.op.shared
        if c <= i < held:
            return self.numbers.tapped.labels.get(self.node.args[i], "")
        what, k, many = ("carry", i, c) if i < c else ("in", i - held, len(self.op.body.dom) - held)
        return "/".join((*self.path, what if many == 1 else f"{what}.{k}"))

    @property
    def order(self) -> range:
        """The steps as they are taken."""
        return range(self.op.n)[::-1] if self.op.backward else range(self.op.n)

    @cached_property
    def back(self) -> int | None:
        """The node of the loop that goes back through this one; None where no gradient does."""
        t = self.numbers.tapped
        return next((k for k, ahead in t.through.items() if ahead == self.number and isinstance(t.nodes[k].op, Scan)), None)

    @cached_property
    def cotangents(self) -> list[np.ndarray[Any, Any] | None]:
        """What flows back at each output of a step that has changes, stacked by step: round the loop, and from outside."""
        t, (c, _, _, y) = self.numbers.tapped, self.op.parts()
        moving = sum(change(a) is not None for a in c)
        round_: list[np.ndarray[Any, Any] | None] = [None] * moving
        if self.back is not None:
            op: Any = t.nodes[self.back].op
            wires = t.outputs(self.back)
            stack = len(wires) - op.carries
            round_ = [self.numbers.at(w) for w in wires[stack : stack + moving]]
        outs = t.outputs(self.number)[len(c) : len(c) + len(y)]
        return [*round_, *(self.numbers.cotangent(w) for w, a in zip(outs, y, strict=True) if change(a) is not None)]

    def at(self, step: int) -> Numbers:
        """The wires of one step."""
        if step not in self.made:
            c, held, args = self.op.carries, self.op.carries + self.op.shared, self.node.args
            stack = self.numbers.tapped.outputs(self.number)[-c:] if c else ()
            inputs = [self.numbers.at(w)[step] for w in stack]
            inputs += [self.numbers.at(a) for a in args[c:held]]
            inputs += [self.numbers.at(a)[step] for a in args[held:]]
            seeds = self.tapped.types[len(inputs) : self.tapped.inputs]
            for atom, flows in zip(seeds, self.cotangents, strict=True):
                inputs.append(np.zeros(atom.shape, atom.dtype) if flows is None else flows[step])
            self.made[step] = Numbers(self.tapped, inputs, self.numbers.engine)
        return self.made[step]

    def stacked(self, wire: int) -> np.ndarray[Any, Any]:
        """A wire of all steps, one above the other."""
        return np.stack([self.at(k).at(wire) for k in range(self.op.n)])


def loops(numbers: Numbers) -> Iterator[Inside]:
    """The loops of a task, forward."""
    t = numbers.tapped
    return (Inside(numbers, k) for k in range(t.count) if isinstance(t.nodes[k].op, Scan))


__all__ = ["LOOP", "Inside", "loops"]
