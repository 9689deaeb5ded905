"""Pictures as SVG: text only, with light and dark colors, titles on boxes, and nothing from elsewhere."""

from __future__ import annotations

from bisect import bisect
from html import escape

from lensgrad.core.checks import clean
from lensgrad.draw.placed import Command, Dot, Note, Picture, Plate, Stroke, trimmed
from lensgrad.draw.style import INK, Style
from lensgrad.draw.theme import CSS, SCOPE

MOST = 40  # boxes that are told in words
HEAD = 8.5  # the length of a head
ANCHORS = {"input": 1.0, "output": 0.0}  # which end of a name its wire is at: it stays there in whichever font
BARE = ("parameter", "input", "output")


def svg(picture: Picture, style: Style = INK, about: str = "") -> str:
    """The picture as a file of SVG."""
    w, h = number(picture.width), number(picture.height)
    size = f'class="{SCOPE}" viewBox="0 0 {w} {h}" width="{w}" height="{h}" style="max-width:100%;height:auto"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{quoted(about or described(picture))}">'
    body = [
        *(frame(p, style) for p in picture.plates if p.kind == "frame"),
        *(stroke(s) for s in picture.strokes),
        *(dot(d) for d in picture.dots),
        *(plate(p, style) for p in picture.plates if p.kind != "frame"),
        *(note(n, style) for n in picture.notes),
    ]
    title = f"<title>{quoted(picture.title)}</title>" if picture.title else ""
    return "\n".join([f"{head}{title}<style>{CSS}</style>", '<rect class="paper" width="100%" height="100%"/>', *body, "</svg>\n"])


def described(picture: Picture) -> str:
    """The boxes of a picture in words, for those who do not see it."""
    boxes = [p for p in picture.plates if p.part != "put" and p.kind not in ("parameter", "optimizer")]
    boxes.sort(key=lambda p: (bisect(picture.rows, p.y), p.x, p.y))
    named = [" ".join(p.lines) for p in boxes][:MOST] + ["…"] * (len(boxes) > MOST)
    return f"{picture.title or 'from left to right'}: {', '.join(named)}"


def quoted(text: str) -> str:
    """A text between tags and in attributes."""
    return escape("\n".join(clean(line) for line in text.split("\n")))


def number(x: float) -> str:
    """A length with at most one decimal."""
    return f"{x:.1f}".removesuffix(".0").replace("-0", "0") if abs(x) < 0.05 else f"{x:.1f}".removesuffix(".0")


def frame(p: Plate, style: Style) -> str:
    """An opened box."""
    text = f'<text class="small" x="{number(p.x + style.frame)}" y="{number(p.y + style.line)}">{quoted(" ".join(p.lines))}</text>'
    return f'<g class="frame" data-id="{quoted(p.id)}"><title>{quoted(p.tip)}</title>{rectangle(p)}{text}</g>'


def rectangle(p: Plate) -> str:
    return f'<rect x="{number(p.x)}" y="{number(p.y)}" width="{number(p.width)}" height="{number(p.height)}" rx="5"/>'


def outline(p: Plate) -> str:
    """The shape of a box: a cap is round on the right, since nothing goes out there."""
    if p.kind != "cap":
        return rectangle(p)
    r = min(p.height / 2, 22.0)
    flat = p.width - r
    return (
        f'<path d="M{number(p.x)} {number(p.y)}h{number(flat)}a{number(r)} {number(r)} 0 0 1 {number(r)} {number(r)}'
        f'v{number(p.height - 2 * r)}a{number(r)} {number(r)} 0 0 1 {number(-r)} {number(r)}h{number(-flat)}z"/>'
    )


def plate(p: Plate, style: Style) -> str:
    """A box or a name, with all there is to say of it as its title."""
    bare = p.kind in BARE
    x, middle = p.x + p.width * ANCHORS.get(p.kind, 0.5), p.y + p.height / 2
    first = middle - style.line * (len(p.lines) - 1) / 2 + style.font * 0.35
    rows = [f'<text x="{number(x)}" y="{number(first + style.line * k)}">{quoted(t)}</text>' for k, t in enumerate(p.lines)]
    kind = f"{p.kind} {p.part}" if p.part else p.kind
    tip = "\n".join([p.tip, *(["in " + "/".join(p.path)] if p.path else [])]) or " ".join(p.lines)
    return f'<g class="{kind}" data-id="{quoted(p.id)}"><title>{quoted(tip)}</title>{"" if bare else outline(p)}{"".join(rows)}</g>'


def stroke(s: Stroke) -> str:
    """A strand, with its head."""
    path = "".join(f"{c[0]}{' '.join(number(float(v)) for v in c[1:])}" for c in trimmed(s, HEAD / 2))
    tip = f"<title>{quoted(s.tip)}</title>" if s.tip else ""
    found = f'<path class="{s.strand}" d="{path}">{tip}</path>'
    return found + (f'<path class="head {s.strand}" d="{head(s)}"/>' if s.arrow else "")


def head(s: Stroke) -> str:
    """The head at an end of a stroke, a triangle along the way it goes there."""
    (x, y), (dx, dy) = pointing(s.path if s.arrow == "end" else reversed_ends(s.path))
    a, b = HEAD, 4.2
    left, right = (x - a * dx - b * dy, y - a * dy + b * dx), (x - a * dx + b * dy, y - a * dy - b * dx)
    return "M" + "L".join(f"{number(p)} {number(q)}" for p, q in ((x, y), left, right)) + "z"


def reversed_ends(path: tuple[Command, ...]) -> tuple[Command, ...]:
    """The first two points of a path, the other way round."""
    return (("M", *second(path)), ("L", *path[0][1:3]))


def second(path: tuple[Command, ...]) -> tuple[str | float, ...]:
    """The point that a path first goes to, which may be a handle of a curve."""
    return next((c[1:3] for c in path[1:] if c[1:3] != path[0][1:3]), path[0][1:3])


def pointing(path: tuple[Command, ...]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Where a path ends, and the direction of its end."""
    x, y = (float(v) for v in path[-1][-2:])
    points = [tuple(float(v) for v in c[k : k + 2]) for c in path for k in range(1, len(c), 2)]
    px, py = next(((a, b) for a, b in reversed(points) if (a, b) != (x, y)), (x - 1, y))
    far = max(abs(x - px) + abs(y - py), 1e-9)
    return (x, y), ((x - px) / far, (y - py) / far)


def dot(d: Dot) -> str:
    """A copy is a full dot; a sum is an empty one with a plus."""
    x, y = number(d.x), number(d.y)
    if d.strand == "ahead":
        return f'<circle class="dot ahead" cx="{x}" cy="{y}" r="3"/>'
    plus = f'<path class="plus" d="M{number(d.x - 2.4)} {y}h4.8M{x} {number(d.y - 2.4)}v4.8"/>'
    return f'<circle class="dot back" cx="{x}" cy="{y}" r="4"/>{plus}'


def note(n: Note, style: Style) -> str:
    """The type of a strand."""
    return f'<text class="type" x="{number(n.x)}" y="{number(n.y + n.height - 3)}">{quoted(n.text)}</text>'
