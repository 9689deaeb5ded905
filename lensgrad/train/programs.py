"""What is compiled for a value, kept beside it: as long as the value lives, and of each the things used last."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar
from weakref import finalize

T = TypeVar("T")
NOTHING: OrderedDict[Hashable, Any] = OrderedDict()
MOST = 32  # things kept for one value: a run needs two shapes of a step, and as many to validate and to predict


class Programs:
    """Things made for values, each made once while it is kept; values are told apart by identity.

    Equal learners do not share: equality sees neither first values nor the names of layers, which programs carry.
    """

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self.kept: dict[int, OrderedDict[Hashable, Any]] = {}
        self.lock = Lock()

    def get(self, owner: object, key: Hashable, make: Callable[[], T]) -> T:
        """What was made for this value under this key, or is made now."""
        found = self.kept.get(id(owner), NOTHING)
        made = found.get(key, NOTHING)
        if made is NOTHING:
            return self.add(owner, key, make())
        try:  # noqa: SIM105  each batch comes by here, and suppress takes longer than all the rest
            found.move_to_end(key)
        except KeyError:  # of another thread that has just let go of it
            pass
        return made

    def add(self, owner: object, key: Hashable, made: T) -> T:
        """Keep a thing, and let go of the one that was used least lately where there are too many."""
        with self.lock:
            found = self.of(owner)
            found[key] = made
            if len(found) > self.most:
                found.popitem(last=False)
        return made

    def of(self, owner: object) -> OrderedDict[Hashable, Any]:
        """All that is kept for a value, the last used last."""
        if id(owner) not in self.kept:
            self.kept[id(owner)] = OrderedDict()
            finalize(owner, self.kept.pop, id(owner), None).atexit = False
        return self.kept[id(owner)]


PROGRAMS = Programs()
