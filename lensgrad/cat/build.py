"""The one builder: an arrow of any category written as a formula, f(α(q), a), on opaque blocks of wires."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from lensgrad.core.errors import TypeMismatch
from lensgrad.core.ty import Ty, product, split


@dataclass(frozen=True, slots=True)
class Block:
    """A value of an object in a program that is being written: some of its wires, which nobody looks at one by one."""

    ob: Ty
    wires: tuple[int, ...]

    def parts(self, *objects: Ty) -> tuple[Block, ...]:
        """A value of A ⊗ B ⊗ … as values of A, B, …"""
        if product(objects) != self.ob:
            raise TypeMismatch(f"a value of {self.ob} cannot be taken apart as {product(objects)}")
        return tuple(Block(ob, wires) for ob, wires in zip(objects, split(self.wires, objects), strict=True))


def joined(blocks: Iterable[Block]) -> Block:
    """Values of A, B, … as one value of A ⊗ B ⊗ …"""
    given = tuple(blocks)
    return Block(product(b.ob for b in given), tuple(w for b in given for w in b.wires))


class Program:
    """A straight-line program that is being written: `program(f, a, b)` is the value f(a, b).

    Nothing is copied or discarded that the formula does not copy or discard, so programs are written over every
    category with `assemble`, and finished by `arrow`, which says the order of the inputs.
    """

    def __init__(self) -> None:
        self._steps: list[tuple[Any, Block, range]] = []  # an arrow, its argument, and the wires of its value
        self._size = 0

    def _grow(self, by: int) -> range:
        self._size += by
        return range(self._size - by, self._size)

    def input(self, ob: Ty) -> Block:
        """A new input of the program."""
        return Block(ob, tuple(self._grow(len(ob))))

    def __call__(self, f: Any, *given: Block) -> Block:
        """The value of an arrow f : A → B at a value of A, given in one or several blocks."""
        argument = joined(given)
        if argument.ob != f.dom:
            raise TypeMismatch(f"an arrow {f.dom} → {f.cod} is applied to a value of {argument.ob}")
        made = self._grow(len(f.cod))
        self._steps.append((f, argument, made))
        return Block(f.cod, tuple(made))

    def arrow(self, base: Any, inputs: Sequence[Block], outputs: Sequence[Block]) -> Any:
        """The finished arrow of the category `base`, from the inputs in this order to the outputs."""
        dom, cod = joined(inputs), joined(outputs)
        order = [*dom.wires, *(w for _, _, made in self._steps for w in made)]
        place = {w: i for i, w in enumerate(order)}
        steps = [(f, [place[w] for w in argument.wires]) for f, argument, _ in self._steps]
        return base.assemble(dom.ob, steps, [place[w] for w in cod.wires])


Formula = Callable[..., Sequence[Block]]  # of the program and one value per object


def build(base: Any, formula: Formula, *objects: Ty) -> Any:
    """The arrow A₁ ⊗ … ⊗ Aₙ → B of a category with `formula(apply, a₁, …, aₙ)` as its value, in one or several blocks.

    `apply(f, a)` is f(a): composition is `build(C, lambda apply, a: [apply(g, apply(f, a))], f.dom)`.
    """
    program = Program()
    inputs = [program.input(ob) for ob in objects]
    return program.arrow(base, inputs, formula(program, *inputs))
