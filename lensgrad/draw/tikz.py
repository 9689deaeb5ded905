"""Pictures as TikZ, for papers: `\\usepackage{tikz}` and `\\usetikzlibrary{arrows.meta}` are all that a document needs."""

from __future__ import annotations

from lensgrad.core.checks import clean
from lensgrad.draw.placed import Dot, Note, Picture, Plate, Stroke
from lensgrad.draw.style import INK, Style
from lensgrad.draw.theme import LIGHT

ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
    '"': r"\char34{}",
    "×": r"$\times$", "Δ": r"$\Delta$", "Σ": r"$\Sigma$", "σ": r"$\sigma$", "√": r"$\surd$", "−": "$-$", "÷": r"$\div$", "∧": r"$\wedge$",
    "∨": r"$\vee$", "⊕": r"$\oplus$", "¬": r"$\neg$", "→": r"$\to$", "…": r"\dots{}", "′": "$'$",
}  # fmt: skip
FILLS = {"lens": "lens", "box": "box", "optimizer": "optimizer", "cap": "cap", "frame": "frame"}
EDGES = {"optimizer": "optimizer-edge", "cap": "cap-edge"}
SCALE = 0.75  # points for a pixel


def tikz(picture: Picture, style: Style = INK) -> str:
    """The picture as a tikzpicture."""
    colors = [rf"\definecolor{{lg{name}}}{{HTML}}{{{value[1:].upper()}}}" for name, value in LIGHT.items()]
    begin = rf"\begin{{tikzpicture}}[x={SCALE}pt,y=-{SCALE}pt,font=\sffamily\small,line width=0.9pt,>={{Stealth[length=5pt]}}]"
    body = [
        *(plate(p, style) for p in picture.plates if p.kind == "frame"),
        *map(stroke, picture.strokes),
        *map(dot, picture.dots),
        *(plate(p, style) for p in picture.plates if p.kind != "frame"),
        *map(note, picture.notes),
    ]
    head = [r"% needs \usepackage{tikz} and \usetikzlibrary{arrows.meta}", *colors, begin]
    return "\n".join([*head, *body, r"\end{tikzpicture}", ""])


def escaped(text: str) -> str:
    """A text that LaTeX prints as it is."""
    return "".join(ESCAPES.get(c, c) for c in clean(text))


def at(x: float, y: float) -> str:
    return f"({x:.4g},{y:.4g})" if abs(x) < 1e4 and abs(y) < 1e4 else f"({x:.0f},{y:.0f})"


def plate(p: Plate, style: Style) -> str:
    """A box with its label, or a name."""
    corner, end = at(p.x, p.y), at(p.x + p.width, p.y + p.height)
    if p.kind == "frame":
        drawn = rf"\draw[draw=lgedge,fill=lgframe,densely dotted,rounded corners=3pt] {corner} rectangle {end};"
        title = quiet(p.x + style.frame, p.y + style.line, " ".join(p.lines))
        return f"{drawn}\n{title}"
    size = r"\footnotesize" if p.kind in ("parameter", "input", "output") else r"\small"
    slant = r"\itshape" if p.kind == "parameter" else ""
    lines = r"\\{}".join(escaped(line) for line in p.lines)
    label = rf"\node[align=center,inner sep=0,font=\sffamily{size}{slant}] at {at(p.x + p.width / 2, p.y + p.height / 2)} {{{lines}}};"
    if p.kind not in FILLS:
        return label
    edge = {"get": "ahead", "put": "back"}.get(p.part, EDGES.get(p.kind, "edge"))
    fill = {"get": "box", "put": "put"}.get(p.part, FILLS[p.kind])
    return rf"\draw[draw=lg{edge},fill=lg{fill},rounded corners=3pt] {corner} rectangle {end};" + f"\n{label}"


def stroke(s: Stroke) -> str:
    """A strand: dashed where it goes back, dotted where a residual is read."""
    pattern = {"ahead": "", "back": ",densely dashed", "read": ",densely dotted"}[s.strand]
    arrow = {"end": "->", "start": "<-", "": "-"}[s.arrow]
    path = ""
    for c in s.path:
        v = [float(x) for x in c[1:]]
        if c[0] == "C":
            path += f" .. controls {at(v[0], v[1])} and {at(v[2], v[3])} .. {at(v[4], v[5])}"
        else:
            path += (" -- " if path else "") + at(v[0], v[1])
    return rf"\draw[{arrow},draw=lg{s.strand}{pattern}] {path};"


def dot(d: Dot) -> str:
    """A copy, or a sum."""
    if d.strand == "ahead":
        return rf"\fill[lgahead] {at(d.x, d.y)} circle[radius=1.8pt];"
    return rf"\node[circle,draw=lgback,fill=white,inner sep=0.2pt,font=\tiny] at {at(d.x, d.y)} {{$+$}};"


def note(n: Note) -> str:
    """The type of a strand."""
    return quiet(n.x, n.y + n.height - 3, n.text)


def quiet(x: float, y: float, text: str) -> str:
    """A small text that begins at a place."""
    return rf"\node[anchor=base west,text=lgquiet,inner sep=0,font=\sffamily\footnotesize] at {at(x, y)} {{{escaped(text)}}};"
