"""From a net to a scene: which boxes stand on others, which wires turn a corner, and what is inside a frame.

A parameter that one box reads stands on it, and so does what is made of parameters only, such as an optimizer. Data that a box takes with
nothing else from the left turns a corner and comes in there, as the input of a model does (arXiv 2404.00408, section 4). What several boxes
share turns a corner too, and comes to each from above.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from lensgrad.draw.labels import added, bundle, short
from lensgrad.draw.net import End, Net, Path, Step, answers
from lensgrad.draw.net import title as named
from lensgrad.draw.scene import Address, Box, Port, Scene, Side, Wire

DATA, KEY, INPUT, STATE = "data", "key", "input", "state"
Place = tuple[int, int]  # the number of a step, and of one of its arguments


class Reading:
    """Who makes and who takes each wire, and which wires come from parameters only."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self.takers: dict[int, list[Place]] = {}
        for k, s in enumerate(net.steps):
            for i, a in enumerate(s.args):
                self.takers.setdefault(a, []).append((k, i))
        self.leaving = {e.wire for e in net.exits}
        self.roles = {e.wire: e.role for e in net.entries if e.role != INPUT}
        self.entry = {e.wire: e for e in net.entries}
        self.maker = {w: k for k, s in enumerate(net.steps) for w in s.outs}
        self.still = self._still()
        self.riding = {k for k, s in enumerate(net.steps) if self._rides(s)}
        self.sides: list[list[Side]] = [[self._side(k, i) for i in range(len(s.args))] for k, s in enumerate(net.steps)]
        self.bundles = self._bundled()
        self.member = {w: wires[0] for wires in self.bundles.values() for w in wires}
        self.texts = [line.types for line in net.lines]
        for w, wires in self.bundles.items():
            self.texts[w] = side_by_side([self.texts[each] for each in wires])

    def _still(self) -> set[int]:
        """The wires that depend on nothing that comes in."""
        found = set[int]()
        for s in self.net.steps:
            if found.issuperset(s.args):
                found.update(s.outs)
        return found

    def _rides(self, s: Step) -> bool:
        """Whether a step is made of parameters only and gives one thing, so that it stands where a parameter would."""
        roles = [self.roles.get(a) for a in s.args]
        moved = s.kind == "optimizer"
        if moved and None not in roles:
            self.roles.update(dict.fromkeys(s.outs, "weight"))
        if not roles or None in roles or len(s.outs) != 1 or s.outs[0] in self.leaving or self._shared(s.args):
            return False
        if not moved and any(r in (DATA, KEY) for r in roles):
            return False
        self.roles[s.outs[0]] = (roles[-1] if moved else "weight") or ""
        return True

    def _bundled(self) -> dict[int, list[int]]:
        """Parameters that the same boxes share turn their corner on one cable: by the first of them, all of them."""
        groups: dict[tuple[object, ...], list[int]] = {}
        for w in self.roles:
            takers = self.takers.get(w, [])
            if len(takers) > 1 and w not in self.leaving and all(self.side(*t) == "top" for t in takers):
                label = self.net.steps[self.maker[w]].label if w in self.maker else ""
                groups.setdefault((*(k for k, _ in takers), label, self.net.lines[w].back is None), []).append(w)
        return {wires[0]: wires for wires in groups.values()}

    def _shared(self, wires: Iterable[int]) -> bool:
        return any(len(self.takers[w]) > 1 or w in self.leaving for w in wires)

    def side(self, k: int, i: int) -> Side:
        """On which side a wire meets a box: from above if it comes from parameters and something else comes from the left."""
        return self.sides[k][i]

    def _side(self, k: int, i: int) -> Side:
        step = self.net.steps[k]
        if step.args[i] not in self.roles or step.kind == "cap":
            return "left"
        if k in self.riding:
            return "top"
        other = any(a not in self.roles and a not in self.still for a in step.args)
        return "top" if other or self.roles[step.args[i]] != DATA else "left"

    def owner(self, wire: int) -> int | None:
        """The step that a wire of parameters stands on; None where it turns a corner."""
        takers = self.takers.get(wire, [])
        if len(takers) != 1 or wire in self.leaving or self.side(*takers[0]) != "top":
            return None
        return takers[0][0]

    def base(self, k: int) -> int:
        """The step that stands on the ground below a step."""
        while k in self.riding:
            owner = self.owner(self.net.steps[k].outs[0])
            if owner is None:
                return k
            k = owner
        return k

    def text(self, wire: int) -> tuple[str, str]:
        """The types of a wire, or of several on one cable: ahead and back."""
        return self.texts[wire]

    def first(self, wire: int) -> bool:
        """Whether a wire has a cable of its own, or is the first on one."""
        return self.member.get(wire, wire) == wire

    def taken(self, step: Step, wire: int) -> tuple[str, str]:
        """The types of a wire where a box takes it: back only what comes out of that box."""
        ahead, back = self.text(wire)
        return ahead, back if answers(self.net, step) else ""


@dataclass
class Cluster:
    """What is inside one frame, while it is written."""

    path: Path
    boxes: list[Box] = field(default_factory=list[Box])
    wires: list[Wire] = field(default_factory=list[Wire])
    ports: list[Port] = field(default_factory=list[Port])
    inner: dict[Path, Cluster] = field(default_factory=dict[Path, "Cluster"])
    numbers: int = 0

    def number(self) -> str:
        """An id for one more box: what is inside a frame is the same value whatever is around it, so it is laid out once."""
        self.numbers += 1
        return f"b{self.numbers}"

    def plate(self, id: str) -> str:
        """The id of a box in the whole picture: behind those of the frames around it."""
        return "".join(f"{key(self.path[: k + 1])}/" for k in range(len(self.path))) + id


class Builder:
    """A scene that is being written, one cluster for each frame."""

    def __init__(self, net: Net, apart: bool, reads: dict[int, tuple[str, ...]]) -> None:
        self.net, self.apart, self.reads = net, apart, reads
        self.reading = Reading(net)
        self.root = Cluster(())
        self.sources: dict[tuple[Path, int], Address] = {}
        self.homes: dict[int, Path] = {}  # where each wire was first to be had
        self.ids: dict[int, str] = {}
        self.shown: dict[str, tuple[Step, ...]] = {}  # the steps that a box stands for, by the id of its plate

    def scene(self, title: str = "") -> Scene:
        """The whole."""
        for entry in self.net.entries:
            if entry.role == INPUT:
                self.ending(entry)
        for k, step in enumerate(self.net.steps):
            if k not in self.reading.riding:
                self.step(k, step)
            elif self.reading.owner(step.outs[0]) is None and self.reading.first(step.outs[0]):
                self.corner(step.outs[0])
        taken = {a for s in self.net.steps for a in s.args}
        for entry in self.net.entries:
            if (
                entry.role != INPUT
                and self.reading.first(entry.wire)
                and (entry.wire not in taken or self.reading.owner(entry.wire) is None)
            ):
                self.corner(entry.wire)
        for e in self.net.exits:
            self.leave(e)
        self.connect()
        return self.finished(self.root, title)

    # -- boxes -----------------------------------------------------------------------------------------------------
    def cluster(self, path: Path) -> Cluster:
        """The cluster of a path, and a frame for it in the one around."""
        found = self.root
        for k in range(1, len(path) + 1):
            found = found.inner.setdefault(path[:k], Cluster(path[:k]))
        return found

    def ending(self, entry: End) -> None:
        """The name of an input at the left end of its wire."""
        id, (ahead, back) = self.root.number(), self.reading.text(entry.wire)
        lines = (short(entry.name or ahead),)
        self.root.boxes.append(Box(id, "input", lines, (Port("out", "right", ahead, back),), tip=f"input {entry.name} : {ahead}"))
        self.had((), entry.wire, (id, "out"))

    def step(self, k: int, step: Step) -> None:
        """A box on the ground, with all that stands on it."""
        cluster = self.cluster(step.path)
        id = self.ids[k] = cluster.number()
        self.shown[cluster.plate(id)] = (step,)
        tops, above = self.above(k, step, cluster, id)
        lefts = [Port(f"in{i}", "left", *self.reading.taken(step, a)) for i, a in enumerate(step.args) if self.reading.side(k, i) == "left"]
        lefts += [
            Port(f"in{i}", "top", *self.reading.taken(step, a))
            for i, a in enumerate(step.args)
            if self.reading.side(k, i) == "top" and self.reading.owner(a) is None and self.reading.first(a)
        ]
        going = [i for i, w in enumerate(step.outs) if w in self.reading.takers or w in self.reading.leaving]
        rights = [Port(f"out{i}", "right", *self.reading.text(step.outs[i])) for i in going]
        ports = (*lefts, *tops, *rights)
        reads, two = self.reads.get(k, ()), any(p.back for p in ports)
        moves = step.kind == "optimizer" and not lefts
        kind = "cap" if step.kind == "cap" else "optimizer" if moves else "lens" if two else "box"
        reverse = (f"R[{step.label}]" if step.arrow is not None else f"{step.label}*") if self.apart and kind == "lens" else ""
        cluster.boxes.append(Box(id, kind, (step.label,), ports, step.tip, step.path, reverse=reverse, reads=reads if reverse else ()))
        cluster.wires += above
        for i, w in enumerate(step.outs):
            self.had(step.path, w, (id, f"out{i}"))

    def above(self, k: int, step: Step, cluster: Cluster, id: str) -> tuple[list[Port], list[Wire]]:
        """What stands on a box: ports on its top, and the wires that come down to them."""
        wires = [a for i, a in enumerate(step.args) if self.reading.side(k, i) == "top" and self.reading.owner(a) == k]
        return self.stacked(wires, cluster, id)

    def stacked(self, wires: list[int], cluster: Cluster, id: str) -> tuple[list[Port], list[Wire]]:
        """Parameters, and what is made of them, standing on a box: equal ones share a cable."""
        groups: dict[tuple[str, bool, bool], list[int]] = {}
        for w in wires:
            k = self.reading.maker.get(w)
            label = "" if k is None else self.net.steps[k].label
            groups.setdefault((label, self.net.lines[w].back is not None, self.reading.roles[w] == DATA), []).append(w)
        ports, down = list[Port](), list[Wire]()
        for i, ((label, _, _), members) in enumerate(groups.items()):
            ahead, back = self.texts(members)
            source = self.leaf(members, cluster) if not label else self.rider(members, cluster)
            ports.append(Port(f"top{i}", "top", ahead, back))
            down.append(Wire(source, (id, f"top{i}"), ahead, back))
        return ports, down

    def texts(self, wires: list[int]) -> tuple[str, str]:
        """The types of several wires as one cable."""
        if wires[0] in self.reading.bundles:
            return self.reading.text(wires[0])
        return side_by_side([self.reading.text(w) for w in wires])

    def leaf(self, wires: list[int], cluster: Cluster) -> Address:
        """The names of parameters."""
        ends = [self.reading.entry[w] for w in wires]
        id, (ahead, back) = cluster.number(), self.texts(wires)
        states = [e.name for e in ends if e.role == STATE and added(e.name) and len(ends) > 1]
        lines = bundle([e.name for e in ends if e.name not in states], states)
        tip = "\n".join(f"{e.name} : {self.net.lines[e.wire].atom}" for e in ends)
        cluster.boxes.append(Box(id, "parameter", lines, (Port("out", "bottom", ahead, back),), tip, cluster.path))
        return id, "out"

    def rider(self, wires: list[int], cluster: Cluster) -> Address:
        """Optimizers, or other steps made of parameters, that stand on one box and are called the same: drawn once."""
        steps = [self.net.steps[self.reading.maker[w]] for w in wires]
        id, (ahead, back) = cluster.number(), self.texts(wires)
        self.shown[cluster.plate(id)] = tuple(steps)
        tops, down = self.stacked([a for s in steps for a in s.args], cluster, id)
        kind = "optimizer" if steps[0].kind == "optimizer" else "lens" if back else "box"
        ports = (*tops, Port("out", "bottom", ahead, back))
        cluster.boxes.append(Box(id, kind, (steps[0].label,), ports, steps[0].tip, cluster.path))
        cluster.wires += down
        return id, "out"

    def corner(self, wire: int) -> None:
        """A parameter that turns into an input."""
        ends = [self.net.steps[k].path for k, _ in self.reading.takers.get(wire, [])]
        path = common(ends) if ends and wire not in self.reading.leaving else ()
        cluster, (ahead, back) = self.cluster(path), self.reading.text(wire)
        id = cluster.number()
        wires = self.reading.bundles.get(wire, [wire])
        source = self.rider(wires, cluster) if wire in self.reading.maker else self.leaf(wires, cluster)
        cluster.boxes.append(Box(id, "corner", (), (Port("in", "top", ahead, back), Port("out", "right", ahead, back)), path=path))
        cluster.wires.append(Wire(source, (id, "in"), ahead, back))
        self.had(path, wire, (id, "out"))

    def leave(self, end: End) -> None:
        """The name of an output at the right end of its wire."""
        ahead, back = self.reading.text(end.wire)
        back = back if end.wanted else ""
        id = self.root.number()
        lines, port = (short(end.name or ahead),), Port("in", "left", ahead, back)
        near = any(e.role == STATE and e.name == end.name for e in self.net.entries)  # it is written back, and no result of the whole
        self.root.boxes.append(Box(id, "output", lines, (port,), tip=f"output {end.name} : {ahead}", near=near))
        self.join(self.source((), end.wire), (id, "in"), ahead, back, self.root)

    # -- wires -----------------------------------------------------------------------------------------------------
    def connect(self) -> None:
        """The wires to boxes on the ground, through the frames between."""
        for k, step in enumerate(self.net.steps):
            for i, a in enumerate(step.args):
                if k not in self.reading.riding and self.reading.owner(a) != k and self.reading.first(a):
                    target = self.ids[k], f"in{i}"
                    self.join(self.source(step.path, a), target, *self.reading.taken(step, a), self.cluster(step.path))

    def join(self, source: Address, target: Address, ahead: str, back: str, cluster: Cluster) -> None:
        cluster.wires.append(Wire(source, target, ahead, back))

    def had(self, path: Path, wire: int, address: Address) -> None:
        """Note where a wire is to be had."""
        self.sources[path, wire] = address
        self.homes.setdefault(wire, path)

    def source(self, path: Path, wire: int) -> Address:
        """Where a wire is to be had inside a frame: from a box there, out of a frame there, or through the frame itself."""
        if (path, wire) in self.sources:
            return self.sources[path, wire]
        home = self.homes[wire]
        ahead, back = self.reading.text(wire)
        if home[: len(path)] == path:
            inner, side = self.cluster(home[: len(path) + 1]), "right"
            name = f"out{len(inner.ports)}"
            self.join(self.source(inner.path, wire), (name, "in"), ahead, back, inner)
            inner.boxes.append(Box(name, "exit", (), (Port("in", "left", ahead, back),), path=inner.path))
            found = (key(inner.path), name)
        else:
            inner, side = self.cluster(path), "left"
            name = f"in{len(inner.ports)}"
            self.join(self.source(path[:-1], wire), (key(path), name), ahead, back, self.cluster(path[:-1]))
            inner.boxes.append(Box(name, "entry", (), (Port("out", "right", ahead, back),), path=path))
            found = (name, "out")
        inner.ports.append(Port(name, side, ahead, back))
        self.had(path, wire, found)
        return found

    def finished(self, cluster: Cluster, title: str) -> Scene:
        """A cluster as a scene, with a frame for each cluster inside."""
        boxes = list(cluster.boxes)
        for path, inner in cluster.inner.items():
            inside = self.finished(inner, path[-1])
            boxes.append(Box(key(path), "frame", (named(path, self.net.titles),), tuple(inner.ports), "/".join(path), path[:-1], inside))
        return Scene(tuple(boxes), tuple(cluster.wires), title, self.apart)


def side_by_side(texts: list[tuple[str, str]]) -> tuple[str, str]:
    """The types of several wires on one cable: ahead and back."""
    return texts[0] if len(texts) == 1 else (" × ".join([a for a, _ in texts]), " × ".join([b for _, b in texts if b]))


def key(path: Path) -> str:
    """The id of a frame, which no other box has."""
    return "/" + "/".join(path)


def common(paths: list[Path]) -> Path:
    """The longest path that all begin with."""
    first, last = min(paths), max(paths)
    same = [a == b for a, b in zip(first, last, strict=False)]
    return first[: same.index(False) if False in same else len(same)]
