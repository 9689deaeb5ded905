"""What must not be in a picture: boxes or labels on each other, labels that do not fit, wires through boxes."""

from itertools import combinations, pairwise

from lensgrad.draw.style import INK
from tools.crossings import polyline

NAMES = ("parameter", "input", "output")
SLACK = 0.5


def rectangle(thing):
    return thing.x, thing.y, thing.x + thing.width, thing.y + thing.height


def overlap(a, b):
    """Whether two rectangles share more than an edge."""
    return min(a[2], b[2]) - max(a[0], b[0]) > SLACK and min(a[3], b[3]) - max(a[1], b[1]) > SLACK


def within(a, b):
    """Whether a rectangle lies in another one."""
    return a[0] >= b[0] - SLACK and a[1] >= b[1] - SLACK and a[2] <= b[2] + SLACK and a[3] <= b[3] + SLACK


def overlaps(picture):
    """Pairs of boxes, names and types that lie on each other; a frame may hold what is in it."""
    found = []
    things = [(p, rectangle(p)) for p in picture.plates] + [(n, rectangle(n)) for n in picture.notes]
    for (a, ra), (b, rb) in combinations(things, 2):
        frames = [r for t, r in ((a, ra), (b, rb)) if getattr(t, "kind", "") == "frame"]
        if overlap(ra, rb) and not (frames and (within(ra, rb) or within(rb, ra))):
            found.append((told(a), told(b)))
    return found


def told(thing):
    return getattr(thing, "text", "") or " ".join(getattr(thing, "lines", ())) or thing.id


def cut(picture, style=INK):
    """Labels that are wider or higher than what they are on."""
    found = []
    for p in picture.plates:
        size = style.small if p.kind in (*NAMES, "frame") else style.font
        wide = max((style.width(line, size) for line in p.lines), default=0)
        if wide > p.width + SLACK or style.line * len(p.lines) > p.height + SLACK:
            found.append(told(p))
    return found


def outside(picture):
    """Boxes, names, types and wires that leave the picture."""
    whole = (0, 0, picture.width, picture.height)
    boxes = [told(t) for t in (*picture.plates, *picture.notes) if not within(rectangle(t), whole)]
    wires = [s.tip for s in picture.strokes for x, y in polyline(s.path) if not within((x, y, x, y), whole)]
    return boxes + wires


def pierced(picture):
    """Boxes and names that a wire goes through."""
    solid = [(p, rectangle(p)) for p in picture.plates if p.kind != "frame"]
    found = []
    for s in picture.strokes:
        points = polyline(s.path)
        fine = [(a[0] + (b[0] - a[0]) * t / 8, a[1] + (b[1] - a[1]) * t / 8) for a, b in pairwise(points) for t in range(9)]
        for p, (x, y, x2, y2) in solid:
            if any(x + 1 < a < x2 - 1 and y + 1 < b < y2 - 1 for a, b in fine):
                found.append((told(p), s.strand, s.tip))
    return found


def loose(picture, style=INK):
    """Ends of wires that meet nothing: no box, no name, no dot, no end of another wire, and no edge of the picture."""
    ends = [(s, point) for s in picture.strokes for point in (polyline(s.path)[0], polyline(s.path)[-1])]
    boxes = [rectangle(p) for p in picture.plates if p.kind not in NAMES]
    names = [rectangle(p) for p in (*picture.plates, *picture.notes) if getattr(p, "kind", NAMES[0]) in NAMES]
    dots = [(d.x, d.y) for d in picture.dots]
    starts = [p.x + p.width for p in picture.plates if p.kind == "input"]  # what comes back ends below the name of what goes ahead
    last = min((p.x for p in picture.plates if p.kind == "output"), default=picture.width)  # where what comes out ends, named or not
    found = []
    for s, (x, y) in ends:
        others = [p for other, p in ends if other is not s] + dots
        met = any(abs(x - a) + abs(y - b) <= SLACK for a, b in others) or any(on_edge((x, y), r) for r in boxes)
        named = any(within((x, y, x, y), (r[0] - style.stub, r[1] - style.stub, r[2] + style.stub, r[3] + style.stub)) for r in names)
        named = named or any(abs(x - start) <= style.stub for start in starts)
        if not (met or named or x > last - style.stub or on_edge((x, y), (0, 0, picture.width, picture.height), style.edge + style.stub)):
            found.append((s.strand, s.tip, x, y))
    return found


def on_edge(point, box, slack=SLACK):
    """Whether a point lies on the border of a rectangle."""
    (x, y), (left, top, right, bottom) = point, box
    inside = left - slack <= x <= right + slack and top - slack <= y <= bottom + slack
    return inside and min(abs(x - left), abs(x - right), abs(y - top), abs(y - bottom)) <= slack
