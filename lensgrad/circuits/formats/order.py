"""Gates that a file lists in any order, put in one in which each comes after what it reads."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from typing import TypeVar

K = TypeVar("K")


def in_order(
    gates: Iterable[K],
    given: Container[K],
    below: Callable[[K], Sequence[K]],
    missing: Callable[[K, K], Exception],
    circular: Callable[[K], Exception],
) -> list[K]:
    """All gates, arguments first and else in the order given. `missing` and `circular` make the error that is raised."""
    known = dict.fromkeys(gates, 0)  # 0 not begun, 1 begun, 2 done
    order: list[K] = []
    for start in known:
        stack = [start]
        while stack:
            gate = stack[-1]
            if known[gate] == 2:
                stack.pop()
                continue
            waiting = [x for x in below(gate) if x not in given and known.get(x) != 2]
            if not waiting:
                known[gate] = 2
                order.append(stack.pop())
                continue
            known[gate] = 1
            for x in waiting:
                if x not in known:
                    raise missing(gate, x)
                if known[x] == 1:
                    raise circular(x)
            stack.extend(reversed(waiting))
    return order
