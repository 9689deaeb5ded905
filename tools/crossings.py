"""How many wires cross in the pictures of twelve diagrams, beside those of graphviz on the same graphs.

`python -m tools.crossings` prints a line for each. Graphviz's column needs `pip install pygraphviz`; without it there is none. Crossings
are counted alike: wires as polylines of what was drawn, in which two pieces cross. Of a cable with two strands the one ahead counts.
Ours meet a box in the order of its arguments; dot is asked twice, with wires that meet a box anywhere and with ports in this order.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from itertools import pairwise
from typing import Any

from lensgrad.draw.front import placed, scened
from lensgrad.draw.placed import Command, Picture
from lensgrad.draw.scene import Scene, standing
from lensgrad.draw.svg import svg
from tools.diagrams import DIAGRAMS

Point = tuple[float, float]
Piece = tuple[Point, Point]
FINE = 12  # pieces of a curve


def polyline(path: Sequence[Command]) -> list[Point]:
    """A path as points, curves in pieces."""
    points = list[Point]()
    for c in path:
        v = [float(x) for x in c[1:]]
        if c[0] == "C":
            start = points[-1]
            points += [bezier(start, (v[0], v[1]), (v[2], v[3]), (v[4], v[5]), k / FINE) for k in range(1, FINE + 1)]
        else:
            points.append((v[0], v[1]))
    return points


def bezier(a: Point, b: Point, c: Point, d: Point, t: float) -> Point:
    """A point of a cubic curve."""
    u = 1 - t
    weights = u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t
    x, y = (sum(w * p[k] for w, p in zip(weights, (a, b, c, d), strict=True)) for k in (0, 1))
    return x, y


def crossings(lines: Sequence[Sequence[Point]]) -> int:
    """How many pairs of lines cross, each time that they do; where two only touch, at their ends, they do not."""
    found = 0
    boxes = [extent(line) for line in lines]
    for i, one in enumerate(lines):
        for j in range(i):
            if apart(boxes[i], boxes[j]):
                continue
            found += sum(1 for p in pairwise(one) for q in pairwise(lines[j]) if cross(p, q))
    return found


def extent(line: Sequence[Point]) -> tuple[float, float, float, float]:
    xs, ys = [x for x, _ in line], [y for _, y in line]
    return min(xs), min(ys), max(xs), max(ys)


def apart(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[2] < b[0] or b[2] < a[0] or a[3] < b[1] or b[3] < a[1]


def cross(p: Piece, q: Piece) -> bool:
    """Whether two pieces cross, in their inside."""
    return side(*p, q[0]) * side(*p, q[1]) < -1e-9 and side(*q, p[0]) * side(*q, p[1]) < -1e-9


def side(a: Point, b: Point, c: Point) -> float:
    """On which side of a line a point is."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def ours(picture: Picture) -> int:
    """The crossings of a picture."""
    return crossings([polyline(s.path) for s in picture.strokes if s.strand == "ahead"])


# -- graphviz ----------------------------------------------------------------------------------------------------------


def graphs(scene: Scene) -> Iterator[Scene]:
    """A scene and all that is inside its frames, each laid out for itself."""
    yield scene
    for box in scene.boxes:
        if box.inside is not None:
            yield from graphs(box.inside)


def theirs(scene: Scene, ports: bool) -> int:
    """The crossings of graphviz's dot on the boxes and wires of a scene, frame by frame, as ours are; what stands on a box is left out.

    With `ports` wires meet a box in the order of its arguments, as ours do; without, anywhere.
    """
    return sum(crossings(routes(one, ports)) for one in graphs(scene))


def routes(scene: Scene, ports: bool) -> list[list[Point]]:
    """The wires as dot draws them: splines of control points, three for each curve."""
    import pygraphviz

    graph: Any = pygraphviz.AGraph(directed=True, strict=False, rankdir="LR", nodesep="0.3", ranksep="0.5")
    stacked = {w.source[0] for wires in standing(scene).values() for w in wires}
    for b in scene.boxes:
        if b.id not in stacked:
            sides = ["|".join(f"<{p.name}>" for p in b.ports if (p.side == "right") == out) for out in (False, True)]
            label = f"{{{{{sides[0]}}}|{re.sub('[^ -z]', '.', b.label)}|{{{sides[1]}}}}}"
            graph.add_node(b.id, shape="record" if ports else "box", label=label if ports else b.label)
    for w in scene.wires:
        if w.source[0] not in stacked:
            graph.add_edge(w.source[0], w.target[0], **({"tailport": w.source[1], "headport": w.target[1]} if ports else {}))
    graph.layout(prog="dot")
    return [spline(edge.attr["pos"]) for edge in graph.edges()]


def spline(text: str) -> list[Point]:
    """The points of an edge of dot, its end first where it has a head."""
    words = text.replace("\\\n", "").split()
    points = [tuple(map(float, w.split(","))) for w in words if not w.startswith(("e,", "s,"))]
    found = [(points[0][0], points[0][1])]
    for k in range(1, len(points) - 2, 3):
        a, b, c = ((points[k + i][0], points[k + i][1]) for i in range(3))
        start = found[-1]
        found += [bezier(start, a, b, c, t / FINE) for t in range(1, FINE + 1)]
    return found


def main() -> int:
    """Print the table."""
    graphviz = find_spec("pygraphviz") is not None
    print(f"{'diagram':<28}{'boxes':>6}{'seconds':>9}{'kB':>6}{'crossings':>11}{'graphviz':>10}{'with ports':>12}")
    for name, (make, how) in DIAGRAMS.items():
        subject = make()
        start = time.perf_counter()
        picture = placed(subject, **how)
        text = svg(picture)
        took = time.perf_counter() - start
        options = {k: v for k, v in how.items() if k != "types"}
        free, held = (str(theirs(scened(subject, **options), ports)) if graphviz else "-" for ports in (False, True))
        print(f"{name:<28}{len(picture.plates):>6}{took:>9.2f}{len(text) / 1e3:>6.0f}{ours(picture):>11}{free:>10}{held:>12}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
