"""The cheapest cut of a network, by augmenting along shortest paths."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

INFINITE = 1 << 60
Edge = tuple[int, int, int]  # from, to, capacity


class Network:
    """Vertices 0 … size − 1, joined by edges with whole capacities; what is left of them stands at each edge and its reverse."""

    def __init__(self, size: int, edges: Iterable[Edge]) -> None:
        self.ends, self.left = list[int](), list[int]()
        self.out: list[list[int]] = [[] for _ in range(size)]
        for a, b, capacity in edges:
            for source, target, most in ((a, b, capacity), (b, a, 0)):
                self.out[source].append(len(self.ends))
                self.ends.append(target)
                self.left.append(most)

    def path(self, source: int, sink: int) -> list[int]:
        """The edges of a shortest path along which something still fits; nothing where there is none."""
        came: dict[int, int] = {source: -1}
        waiting = deque([source])
        while waiting and sink not in came:
            vertex = waiting.popleft()
            for edge in self.out[vertex]:
                if self.left[edge] and self.ends[edge] not in came:
                    came[self.ends[edge]] = edge
                    waiting.append(self.ends[edge])
        found, at = list[int](), sink
        while sink in came and at != source:
            found.append(came[at])
            at = self.ends[came[at] ^ 1]
        return found

    def fill(self, source: int, sink: int) -> None:
        """Send as much as goes."""
        while path := self.path(source, sink):
            most = min(self.left[edge] for edge in path)
            for edge in path:
                self.left[edge] -= most
                self.left[edge ^ 1] += most

    def before(self, sink: int) -> set[int]:
        """The vertices from which something could still reach the sink."""
        found, waiting = {sink}, [sink]
        while waiting:
            for edge in self.out[waiting.pop()]:
                source = self.ends[edge]
                if self.left[edge ^ 1] and source not in found:
                    found.add(source)
                    waiting.append(source)
        return found


def sink_side(size: int, edges: Iterable[Edge], source: int, sink: int) -> set[int]:
    """The side of the sink in a cut of least capacity; of several such cuts, the one nearest to the sink."""
    network = Network(size, edges)
    network.fill(source, sink)
    return network.before(sink)


__all__ = ["INFINITE", "Edge", "sink_side"]
