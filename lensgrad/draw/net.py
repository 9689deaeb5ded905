"""What there is to draw, flat: boxes applied to numbered wires, whatever kind of arrow they came from.

A `Net` is a straight-line program, made from an arrow by one fold over its nodes (`grown`) and from a composite of lenses by one fold
over its plan (`lenses.py`). Definitions that are opened are written out, and each step keeps the path of what was opened around it.
`scene.py` makes a picture of it, without places; the passes of layout give that its places.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from lensgrad.cat.lens import Delta
from lensgrad.cat.names import glob, written
from lensgrad.cat.para import Para
from lensgrad.cat.structure import change
from lensgrad.core.diagram import Definition, Diagram, Recompute
from lensgrad.core.ty import Ty
from lensgrad.draw.labels import label_of, tip_of

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A wire: the atom that flows ahead, and what comes back along it; None where nothing does. `types` are both as texts."""

    atom: Any
    back: Any = None
    types: tuple[str, str] = ("", "")


def typed(atom: Any, back: Any = None) -> Line:
    """A wire with its types as texts."""
    return Line(atom, back, (str(atom), "" if back is None else str(back)))


@dataclass(frozen=True, slots=True)
class Step:
    """A box applied to wires. `kind` is box, lens (two ways), optimizer or cap; `arrow` is what a box does, where it is one of C.

    `opens` is the path of what would be around its parts, were it opened; empty where it has none.
    """

    label: str
    args: tuple[int, ...]
    outs: tuple[int, ...]
    kind: str = "box"
    tip: str = ""
    path: Path = ()
    arrow: Diagram | None = None
    opens: Path = ()


@dataclass(frozen=True, slots=True)
class End:
    """Where a wire comes in or goes out: its name, what it is for (input, weight, data, state, key, output) and its wire.

    `wanted` where what comes back to it is returned to somebody.
    """

    name: str
    role: str
    wire: int
    wanted: bool = True


@dataclass(frozen=True, slots=True)
class Net:
    """Boxes and wires by number: `lines[w]` is wire w. `boxes` are the paths of all that could be opened and was met.

    `titles` are what some groups are called in a picture, where it is not the last part of their path.
    """

    lines: tuple[Line, ...]
    entries: tuple[End, ...]
    steps: tuple[Step, ...]
    exits: tuple[End, ...]
    boxes: tuple[Path, ...] = ()
    titles: Mapping[Path, str] = field(default_factory=dict[Path, str])


@dataclass(frozen=True, slots=True)
class Opens:
    """Which definitions are opened: less than `depth` deep, of a path that a pattern matches, or around one of these."""

    depth: int = 0
    patterns: tuple[str, ...] = ()

    def __call__(self, path: Path) -> bool:
        return len(path) <= self.depth or any(begins(p, path) for p in self.patterns)


def begins(pattern: str, path: Path) -> bool:
    """Whether a pattern, or some first levels of it, matches a path."""
    levels, whole = pattern.split("/"), "/".join(path)
    return any(glob("/".join(levels[:k])).fullmatch(whole) for k in range(1, len(levels) + 1))


Groups = Mapping[int, tuple[str, int]]  # the number of a node, and the group that it is drawn in: its name, and which of that name


@dataclass
class Grower:
    """A net that is being written."""

    opens: Opens
    lines: list[Line] = field(default_factory=list[Line])
    steps: list[Step] = field(default_factory=list[Step])
    used: Counter[Path] = field(default_factory=Counter[Path])
    boxes: list[Path] = field(default_factory=list[Path])

    def wires(self, lines: Sequence[Line]) -> tuple[int, ...]:
        """New wires."""
        self.lines += lines
        return tuple(range(len(self.lines) - len(lines), len(self.lines)))

    def key(self, path: Path, label: str) -> Path:
        """A path of its own for one more box of a name."""
        self.used[(*path, label)] += 1
        times = self.used[(*path, label)]
        self.boxes.append((*path, label if times == 1 else f"{label}~{times}"))
        return self.boxes[-1]

    def inline(self, f: Diagram, wires: Sequence[int], path: Path = (), two: bool = False, groups: Groups | None = None) -> list[int]:
        """An arrow on given wires: its outputs. With `two` the changes of its wires come back along them."""
        env = list(wires)
        kept = {group: self.key(path, group[0]) for group in dict.fromkeys((groups or {}).values())}
        for k, node in enumerate(f.nodes):
            args = [env[a] for a in node.args]
            group = (groups or {}).get(k)
            env += self.node(node.op, args, node.cod, path if group is None else kept[group], two)
        return [env[o] for o in f.outs]

    def node(self, op: Any, args: Sequence[int], cod: Ty, path: Path, two: bool) -> Sequence[int]:
        """One generator, or what a definition is made of where it is opened."""
        body = op.body if isinstance(op, Definition | Recompute) else None
        label, tip, arrow = described(op, Ty(tuple(self.lines[a].atom for a in args)))
        inner = path if body is None else self.key(path, label)
        if body is not None and self.opens(inner):
            return self.inline(body, args, inner, two)
        outs = self.wires([line(a, two) for a in cod])
        opens = () if body is None else inner
        self.steps.append(Step(label, tuple(args), outs, "lens" if two else "box", tip, path, arrow, opens))
        return outs


@lru_cache(4096)
def described(op: Any, dom: Ty) -> tuple[str, str, Diagram]:
    """The label of a generator, its title, and what it is at a type: made once, since a page has many pictures of it."""
    return label_of(op), tip_of(op), Diagram.of(op, dom)


@lru_cache(4096)
def line(atom: Any, two: bool) -> Line:
    """A wire of an atom, with its changes coming back where it has some."""
    changes = change(atom) if two else None
    return typed(atom, None if changes is None else Delta(changes))


def grown(f: Diagram, names: Sequence[str], roles: Sequence[str], outs: Sequence[str], opens: Opens, groups: Groups | None = None) -> Net:
    """The net of an arrow of C, with a name and a role for each input and a name for each output."""
    grower = Grower(opens)
    wires = grower.wires([line(a, False) for a in f.dom])
    found = grower.inline(f, wires, groups=groups)
    entries = tuple(End(n, r, w) for n, r, w in zip(names, roles, wires, strict=True))
    exits = tuple(End(n, "output", w) for n, w in zip(outs, found, strict=True))
    return Net(tuple(grower.lines), entries, tuple(grower.steps), exits, tuple(grower.boxes))


def seen(f: Para) -> list[str]:
    """What each observable is called: as the state or key that it writes back is, numbered like that, or by its label."""
    places = written(f.params, [label for label, _ in f.observables])
    names = f.names
    return [label if at is None else names[at] for (label, ob), at in zip(f.observables, places, strict=True) for _ in ob]


# -- passes over nets --------------------------------------------------------------------------------------------------


def closed(net: Net, opens: Opens) -> Net:
    """The net with each group of steps as one box that is not opened."""
    groups = dict.fromkeys(s.path[: k + 1] for s in net.steps for k in range(len(s.path)))
    for path in groups:
        if not opens(path) and any(s.path[: len(path)] == path for s in net.steps):
            net = collapsed(net, path)
    return net


def labelled(net: Net, name: str) -> Net:
    """A closed net with what depends on its labels as one group: those data that no layer reads."""
    layers = {k for k, s in enumerate(net.steps) if s.arrow is not None and isinstance(s.arrow.nodes[0].op, Definition)}
    if not layers or any(e.role == "input" for e in net.entries):
        return net
    found, moving = set[int](), set[int]()
    for entry in net.entries:
        reached = dependents(net, entry.wire)
        moving |= reached
        if entry.role == "data" and not reached & layers:
            found |= {k for k in reached if net.steps[k].kind in ("lens", "box")}
    for k in reversed(range(len(net.steps))):  # and the constants that only these read
        if k not in moving and {j for j, s in enumerate(net.steps) if not set(s.args).isdisjoint(net.steps[k].outs)} <= found:
            found.add(k)
    if len(found) < 2 or any(net.steps[k].path for k in found):
        return net
    steps = tuple(replace(s, path=(name,)) if k in found else s for k, s in enumerate(net.steps))
    return replace(net, steps=steps, boxes=(*net.boxes, (name,)))


def dependents(net: Net, wire: int) -> set[int]:
    """The numbers of all steps that read a wire, directly or through others."""
    reached, found = {wire}, set[int]()
    for k, s in enumerate(net.steps):
        if not reached.isdisjoint(s.args):
            found.add(k)
            reached.update(s.outs)
    return found


def collapsed(net: Net, path: Path) -> Net:
    """All steps under a path as one step."""
    inside = [s for s in net.steps if s.path[: len(path)] == path]
    made = {w for s in inside for w in s.outs}
    args = tuple(dict.fromkeys(a for s in inside for a in s.args if a not in made))
    needed = {a for s in net.steps if s not in inside for a in s.args} | {e.wire for e in net.exits}
    outs = tuple(w for s in inside for w in s.outs if w in needed)
    label = title(path, net.titles)
    step = Step(label, args, outs, inside[0].kind, tip=label, path=path[:-1], arrow=joined(net, inside, args, outs), opens=path)
    kept = [s for s in net.steps if s not in inside]
    return replace(net, steps=tuple(ordered([*kept, step])))


def title(path: Path, titles: Mapping[Path, str]) -> str:
    """What a group is called: what the last part of its path is, without the number of those called the same."""
    if path in titles:
        return titles[path]
    name, _, times = path[-1].rpartition("~")
    return name if name and times.isdigit() else path[-1]


def joined(net: Net, steps: Sequence[Step], args: Sequence[int], outs: Sequence[int]) -> Diagram | None:
    """What some steps do together, where each is an arrow."""
    place = {w: k for k, w in enumerate([*args, *(w for s in steps for w in s.outs)])}
    parts = tuple((s.arrow, tuple(place[a] for a in s.args)) for s in steps if s.arrow is not None)
    if len(parts) < len(steps):
        return None
    return assembled(Ty(tuple(net.lines[a].atom for a in args)), parts, tuple(place[o] for o in outs))


@lru_cache(512)
def assembled(dom: Ty, parts: tuple[tuple[Diagram, tuple[int, ...]], ...], outs: tuple[int, ...]) -> Diagram:
    """Arrows on wires by number as one arrow: the same value for the same ones."""
    return Diagram.assemble(dom, parts, outs)


def ordered(steps: Sequence[Step]) -> list[Step]:
    """Steps in an order in which each comes after those that make what it takes; as they are, where that will do."""
    waiting, done, found = list(steps), {w for s in steps for w in s.outs}, list[Step]()
    missing = set(done)
    while waiting:
        step = next((s for s in waiting if missing.isdisjoint(s.args)), waiting[0])
        waiting.remove(step)
        missing.difference_update(step.outs)
        found.append(step)
    return found


def needed(net: Net) -> Net:
    """The net without steps whose results nothing uses; those that answer are used by what they answer."""
    used = {e.wire for e in net.exits}
    kept = list[Step]()
    for s in reversed(net.steps):
        if s.kind == "cap" or not used.isdisjoint(s.outs):
            used.update(s.args)
            kept.append(s)
    return replace(net, steps=tuple(reversed(kept)))


def seeded(net: Net) -> Net:
    """The net without what would come back from nowhere: a wire whose value nobody answers has no way back."""
    alive = {e.wire for e in net.exits if net.lines[e.wire].back is not None and e.wanted}
    for s in reversed(net.steps):
        if s.kind != "lens" or any(w in alive for w in s.outs):
            alive.update(a for a in s.args if net.lines[a].back is not None)
    return kept_back(net, alive.__contains__)


def wanted(net: Net, formal: bool = False) -> Net:
    """The net without what comes back to nobody: what is not returned is never computed. `formal` takes all that comes in as returned."""
    alive = {e.wire for e in net.entries if e.wanted or formal}
    for s in net.steps:
        if any(a in alive and net.lines[a].back is not None for a in s.args):  # of a constant nothing is returned
            alive.update(s.outs)
    return kept_back(net, alive.__contains__)


def answers(net: Net, step: Step) -> bool:
    """Whether something comes back out of a box: of what has no loss behind it nothing does."""
    return step.kind in ("cap", "optimizer") or (step.kind == "lens" and any(net.lines[w].back is not None for w in step.outs))


def kept_back(net: Net, keep: Callable[[int], bool]) -> Net:
    """The net with a way back on some of its wires only."""
    return replace(net, lines=tuple([x if x.back is None or keep(w) else ahead(x) for w, x in enumerate(net.lines)]))


def ahead(line: Line) -> Line:
    """A wire without what comes back along it."""
    return Line(line.atom, None, (line.types[0], ""))
