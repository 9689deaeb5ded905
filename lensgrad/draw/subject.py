"""What can be drawn, as nets: arrows, lenses, models, parametric lenses, learners and runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

from lensgrad.cat.lens import Lens
from lensgrad.cat.names import glob
from lensgrad.cat.para import Para, lens
from lensgrad.core.checks import clean, nearest, shown
from lensgrad.core.diagram import Diagram, Family
from lensgrad.core.errors import BadValue, TypeMismatch, some
from lensgrad.draw.build import Builder
from lensgrad.draw.gates import Gates, gates_net
from lensgrad.draw.groups import LOSS, of_learner, of_scopes
from lensgrad.draw.labels import short
from lensgrad.draw.lenses import lens_net
from lensgrad.draw.net import Net, Opens, closed, grown, labelled, needed, seeded, seen, wanted
from lensgrad.draw.reads import reads
from lensgrad.draw.scene import Scene
from lensgrad.program.compile import Program

VIEWS = ("arrow", "lens", "step")


@runtime_checkable
class Learns(Protocol):
    """A learner: a model, its task, and the closed lens of both with a rate and an optimizer."""

    @property
    def model(self) -> Para: ...

    @property
    def task(self) -> Para: ...

    def lens(self, batch: int | None = None) -> Para: ...


@runtime_checkable
class Learned(Protocol):
    """A run, which has a learner."""

    @property
    def learner(self) -> Learns: ...


Subject = Diagram | Lens | Para | Family | Learns | Learned | Gates | Program  # what has a picture, or, as a family, will have one


def scene(subject: Subject, view: str | None = None, depth: int = 0, opened: Sequence[str] = (), states: bool = False) -> Scene:
    """The picture of an arrow, without places."""
    return builder(subject, view, Opens(depth, tuple(opened)), states).scene()


def builder(subject: Subject, view: str | None, opens: Opens, states: bool) -> Builder:
    """What builds the scene of an arrow with some boxes open, and knows then which steps each box stands for."""
    return builders(subject, view, states)(opens)


def builders(subject: Subject, view: str | None, states: bool) -> Callable[[Opens], Builder]:
    """The same for many sets of open boxes: what they share is made once."""
    nets = nets_of(subject, view)

    def built(opens: Opens) -> Builder:
        net = nets(opens)
        opens = by_path(net, opens)
        net = nets(opens) if net.titles and opens.patterns else net
        known(net, opens)
        net = closed(net if states else unwritten(net), opens)
        two = any(line.back is not None for line in net.lines)
        kind = view or ("lens" if two else "arrow")
        if kind not in VIEWS:
            raise BadValue(f"view must be one of {', '.join(VIEWS)}, got {shown(view)}")
        net = seeded(net)
        if kind != "step":
            return Builder(wanted(net, formal=True), False, {})
        net = wanted(net)
        return Builder(net, True, reads(net))

    return built


def learner_of(subject: Any) -> Learns | None:
    """The learner of a run, a learner as it is."""
    held = getattr(subject, "learner", subject)
    return held if isinstance(held, Learns) and isinstance(getattr(held, "task", None), Para) else None


def by_path(net: Net, opens: Opens) -> Opens:
    """What is opened, by the paths of boxes where their titles are given."""
    titles = {title: "/".join(path) for path, title in net.titles.items()}
    return replace(opens, patterns=tuple(titles.get(p, p) for p in opens.patterns)) if opens.patterns else opens


def known(net: Net, opens: Opens) -> None:
    """Refuse a pattern that opens nothing."""
    for pattern in opens.patterns:
        if not any(glob(pattern).fullmatch("/".join(path)) for path in net.boxes):
            there = [net.titles.get(path, "/".join(path)) for path in net.boxes]
            raise BadValue(f"no box to open is called '{clean(pattern)}'; this picture has: {some(there)}{nearest(pattern, there)}")


def unwritten(net: Net) -> Net:
    """The net without the outputs that are written back to a state or key of the same name, and without states that nothing else reads."""
    kept = {e.name for e in net.entries if e.role in ("state", "key")}
    left = needed(replace(net, exits=tuple(e for e in net.exits if e.name not in kept)))
    read = {a for s in left.steps for a in s.args} | {e.wire for e in left.exits}
    return replace(left, entries=tuple(e for e in left.entries if e.wire in read or e.name not in kept))


Nets = Callable[[Opens], Net]


def nets_of(subject: Any, view: str | None) -> Nets:
    """The nets of an arrow, as it is or as the lens that it becomes: one for each set of open boxes."""
    learner = learner_of(subject)
    if learner is not None:
        return titled(lens_net(learner.lens(), lambda f: of_learner(learner.model, learner.task, f)), learner.task)
    if isinstance(subject, Family):
        told = "begin with lg.input(…), or give it its object with .at(…)"
        raise TypeMismatch(f"{subject.name} has no type before it meets one, so it has no picture: {told}")
    if isinstance(subject, Gates):
        net = gates_net(subject)
        return lambda _: net
    if isinstance(subject, Program):
        return program_net(subject)
    if isinstance(subject, Lens | Diagram):
        subject = Para.lift(subject)
    if not isinstance(subject, Para):
        raise TypeMismatch(f"what is drawn must be an arrow, a lens, a model, a learner or a run, got {shown(subject)}")
    if isinstance(subject.arrow, Diagram):
        return lens_net(lens(subject), lambda f: of_scopes(subject, f)) if view in ("lens", "step") else arrow_net(subject)
    if view == "arrow":
        raise BadValue("a lens goes both ways: draw it with view='lens' or view='step'")
    nets = titled(lens_net(subject), subject)
    return lambda opens: labelled(nets(opens), LOSS)


def titled(nets: Nets, task: Para) -> Nets:
    """The same with the loss called by its name, where one loss says it."""
    names = {name for p in task.params if (name := getattr(p.about, "name", ""))}
    titles = {(LOSS,): short(names.pop())} if len(names) == 1 else {}
    return lambda opens: replace(nets(opens), titles=titles)


def program_net(f: Program) -> Nets:
    """The nets of a program, whose inputs and outputs have names."""
    ins, outs = ([port.name for port in ports for _ in port.ob] for ports in (f.inputs, f.outputs))
    return lambda opens: grown(f.diagram, ins, ["input"] * len(ins), outs, opens)


def arrow_net(f: Para) -> Nets:
    """The nets of a parametric arrow of C."""
    named = [(n, p.role.value) for n, p in zip(f.names, f.params, strict=True) for _ in p.ob]
    names, roles = [*(n for n, _ in named), *[""] * len(f.dom)], [*(r for _, r in named), *["input"] * len(f.dom)]
    outs = [*[""] * len(f.cod), *seen(f)]
    groups = of_scopes(f, f.arrow)
    return lambda opens: grown(f.arrow, names, roles, outs, opens, groups)
