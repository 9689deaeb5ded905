"""Where entries of an array lie, and how far apart."""

from __future__ import annotations

from dataclasses import dataclass

from lensgrad.backends.native.flat import Flat
from lensgrad.backends.native.integers import Atom, Index, strides
from lensgrad.backends.native.scope import Where

EXAMPLES = 8  # that lie side by side where each pixel of some is a vector, as in prelude.h


@dataclass(frozen=True)
class Layout:
    """The order in which the axes of an array lie, the last one closest together; behind it some examples side by side, or not."""

    order: tuple[int, ...]
    beside: bool = False


@dataclass(frozen=True)
class Place:
    """An array as C sees it: a name, and how far one step along each axis moves; from some examples to the next ones if `beside`."""

    name: str
    steps: tuple[int, ...]
    room: int = 0  # entries that a row takes, of which those behind its end are nobody's; 0 where there are none
    beside: bool = False

    @property
    def last(self) -> int:
        """The axis along which entries lie side by side."""
        return min((k for k, s in enumerate(self.steps) if s), key=lambda k: self.steps[k], default=0)

    def beyond(self, index: Where, loop: Atom, size: int) -> bool:
        """Whether a loop of this size stays in a row, or does not move here."""
        for axis, i in enumerate(index):
            step = i.factor(loop)
            if step == 0:
                continue
            if step is None or step < 0 or axis != self.last or i.bounds[0] < 0:
                return False
            if i.bounds[1] + step * (size - loop.size) >= self.room:
                return False
        return True

    def entry(self, index: Where) -> str:
        return f"{self.name}[{self.offset(index)}]"

    def offset(self, index: Where) -> Index:
        if not self.beside:
            return self.moved(index)
        block, example = index[0].divided(EXAMPLES)
        return self.moved((block, *index[1:])) + example

    def moved(self, index: Where) -> Index:
        """How far an index moves; its first number counts blocks where examples lie side by side."""
        found = Index()
        for i, step in zip(index, self.steps, strict=True):
            found = found + i * step
        return found


def vectors(n: int) -> int:
    """The entries of as many whole vectors as n take, where those are not far more."""
    wide = 8 if n > 4 else 4
    return -(-n // wide) * wide


def laid_out(program: Flat, wire: int, name: str, layout: Layout | None = None) -> Place:
    """An array in a layout, in rows of whole vectors; row-major if not given."""
    shape = program.values[wire].shape
    if layout is None:
        return Place(name, strides(shape))
    sizes = [shape[a] for a in layout.order]
    if layout.beside:
        blocks = strides([sizes[0] // EXAMPLES, *sizes[1:], EXAMPLES])
        steps = dict(zip(layout.order, blocks, strict=False))
        return Place(name, tuple(steps[a] for a in range(len(shape))), 0, True)
    sizes[-1] = vectors(sizes[-1]) if sizes[-1] >= 4 else sizes[-1]
    steps = dict(zip(layout.order, strides(sizes), strict=True))
    return Place(name, tuple(steps[a] for a in range(len(shape))), sizes[-1])
