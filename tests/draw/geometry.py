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
