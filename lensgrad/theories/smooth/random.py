"""Counter-based randomness: keys are wires, and every draw is a pure function of its key."""

from __future__ import annotations

from typing import Any, ClassVar

from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import TypeMismatch
from lensgrad.core.graph import Wire
from lensgrad.core.op import Op, generator
from lensgrad.core.ty import Ty
from lensgrad.theories.smooth.array import Array, Key, arity
from lensgrad.theories.smooth.index import Iota, integers
from lensgrad.theories.smooth.linear import Spread, lead


def drawing(f: Diagram) -> bool:
    """Whether an arrow draws random numbers, itself or in a body inside it."""
    bodies = (getattr(n.op, "body", None) for n in f.nodes)
    return any(getattr(n.op, "draws", False) for n in f.nodes) or any(drawing(b) for b in bodies if b is not None)


def key_atom(what: str, atom: Any) -> Key:
    if not isinstance(atom, Key):
        raise TypeMismatch(f"{what} expects a random key, got {atom}")
    return atom


@generator
class FoldIn(Op):
    """A key for each whole number : Key^s × I32^(s,t) → Key^(s,t). Different numbers give independent keys."""

    def type(self, *dom: Any) -> Ty:
        arity("fold-in", dom, 2)
        key, data = dom
        key_atom("fold-in", key)
        integers("fold-in", data)
        if data.shape[: len(key.shape)] != key.shape:
            raise TypeMismatch(f"fold-in cannot pair {key} with {data}")
        return Ty((Key(data.shape),))

    def batch(self, n: int, flags: tuple[bool, ...], key: Wire, data: Wire) -> Wire:
        return self(key if flags[0] else KeySpread(n)(key), data if flags[1] else lead(data, n))


@generator
class KeySpread(Op):
    """The same key n times along a new axis : Key^(a,b) → Key^(a,n,b). It means equal randomness, deliberately."""

    n: int
    axis: int = 0

    def type(self, *dom: Any) -> Ty:
        arity("key spread", dom, 1)
        shape = key_atom("key spread", dom[0]).shape
        if not 0 <= self.axis <= len(shape):
            raise TypeMismatch(f"key spread along axis {self.axis} does not fit {dom[0]}")
        return Ty((Key((*shape[: self.axis], self.n, *shape[self.axis :])),))

    def batch(self, n: int, flags: tuple[bool, ...], key: Wire) -> Wire:
        return KeySpread(self.n, self.axis + 1)(key)


@generator
class KeyTranspose(Op):
    """Permute the axes of an array of keys : Key^s → Key^t with t[i] = s[order[i]]."""

    order: tuple[int, ...]

    def type(self, *dom: Any) -> Ty:
        arity("key transpose", dom, 1)
        shape = key_atom("key transpose", dom[0]).shape
        if sorted(self.order) != list(range(len(shape))):
            raise TypeMismatch(f"key transpose by {self.order} does not fit {dom[0]}")
        return Ty((Key(tuple(shape[a] for a in self.order)),))

    def batch(self, n: int, flags: tuple[bool, ...], key: Wire) -> Wire:
        return KeyTranspose((0, *(a + 1 for a in self.order)))(key)


@generator
class RandomBits(Op):
    """Uniform 32-bit words (Threefry-2×32, 20 rounds) : Key^s → U32^(s,shape).

    Batching a draw folds the example's number into its key, so examples differ; the key itself stays one.
    """

    shape: tuple[int, ...]
    draws: ClassVar[bool] = True

    def type(self, *dom: Any) -> Ty:
        arity("a draw", dom, 1)
        return Ty((Array((*key_atom("a draw", dom[0]).shape, *self.shape), "uint32"),))

    def batch(self, n: int, flags: tuple[bool, ...], key: Wire) -> Wire:
        if flags[0]:
            return self(key)
        shape = key.atom.shape
        return self(FoldIn()(KeySpread(n)(key), example_numbers(n, shape)))


def example_numbers(n: int, shape: tuple[int, ...]) -> Wire:
    """i at [i, …] : I32^(n,shape)."""
    numbers = Iota(n)()
    return Spread((n, *shape), (0,))(numbers) if shape else numbers
