"""Nets of lenses: a composite is written out along its plan, R-images node by node, and what is left is a box with two ways."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lensgrad.cat.lens import Lens, Pair
from lensgrad.cat.names import returns
from lensgrad.cat.para import Para
from lensgrad.core.diagram import Diagram
from lensgrad.core.ty import Ty
from lensgrad.draw.labels import short
from lensgrad.draw.net import End, Groups, Grower, Line, Net, Opens, Step, ordered, seen, typed

UNNAMED = {"cap": "rate", "optimizer": "update", "lens": "lens"}  # a file does not say what its lenses are called
Grouping = Callable[[Diagram], Groups]


def lens_net(f: Para, grouping: Grouping = lambda _: {}) -> Callable[[Opens], Net]:
    """The nets of a parametric lens P ⊗ A → B ⊗ O, with its parameters and observables by name: one for each set of opened boxes."""
    lens = f.arrow
    lines = [paired(p) for p in lens.dom]
    writer = Writer(grouping, len(lines))
    outs = writer.written_out(lens, range(len(lines)))
    names = [(n, p.role.value, returns(p)) for n, p in zip(f.names, f.params, strict=True) for _ in p.ob]
    open_end = len(f.dom) > 0 or len(f.cod) > 0
    ends = [(n, r, open_end or back) for n, r, back in names] + [("", "input", True)] * len(f.dom)
    entries = tuple(End(n, r, w, back) for w, (n, r, back) in enumerate(ends))
    labels = [*[""] * len(f.cod), *seen(f)]

    def net(opens: Opens) -> Net:
        grower = Grower(opens)
        env = list(grower.wires(lines))
        for part in writer.parts:
            env += part.on(grower, [env[a] for a in part.args])
        exits = tuple(End(n, "output", env[o], k < len(f.cod)) for k, (n, o) in enumerate(zip(labels, outs, strict=True)))
        return Net(tuple(grower.lines), entries, tuple(ordered(grower.steps)), exits, tuple(grower.boxes))

    return net


def paired(pair: Pair) -> Line:
    """A wire of Lens(C)."""
    ahead = pair.fwd[0] if len(pair.fwd) == 1 else pair.fwd
    return typed(ahead, None if not len(pair.bwd) else pair.bwd[0] if len(pair.bwd) == 1 else pair.bwd)


@dataclass(frozen=True, slots=True)
class Part:
    """A lens that is not a composite of others, on wires by number: an R-image, whose `primal` is written out, or a box of its own."""

    args: tuple[int, ...]
    lines: tuple[Line, ...]
    primal: Diagram | None = None
    groups: Groups | None = None
    label: str = ""
    tip: str = ""
    kind: str = "lens"

    def on(self, grower: Grower, wires: Sequence[int]) -> Sequence[int]:
        """The wires that come out."""
        if self.primal is not None:
            return grower.inline(self.primal, wires, two=True, groups=self.groups)
        made = grower.wires(self.lines)
        grower.steps.append(Step(self.label, tuple(wires), made, self.kind, tip=self.tip))
        return made


class Writer:
    """The parts of a composite lens, in order; wires are numbered as they come."""

    def __init__(self, grouping: Grouping, wires: int) -> None:
        self.grouping, self.wires = grouping, wires
        self.parts: list[Part] = []

    def written_out(self, lens: Lens, wires: Sequence[int]) -> list[int]:
        """A lens on given wires, taken apart as far as it can be: the wires that come out."""
        if lens.plan is not None and not reversible(lens):
            env, (plan, outs) = list(wires), lens.plan
            for part, args in plan:
                env += self.written_out(part, [env[a] for a in args])
            return [env[o] for o in outs]
        self.parts.append(part_of(lens, tuple(wires), self.grouping))
        self.wires += len(lens.cod)
        return list(range(self.wires - len(lens.cod), self.wires))


def part_of(lens: Lens, wires: tuple[int, ...], grouping: Grouping) -> Part:
    """A lens that is not taken apart."""
    lines = tuple(paired(p) for p in lens.cod)
    if reversible(lens):
        return Part(wires, lines, lens.primal, grouping(lens.primal))
    kind = "cap" if not len(lens.cod) else "optimizer" if len(lens.dom) else "lens"
    name = lens.piece.name or UNNAMED[kind]
    return Part(wires, lines, label=short(name), tip=f"{name} : {lens.dom} → {lens.cod}", kind=kind)


def reversible(lens: Lens) -> bool:
    """Whether a lens is R of an arrow, with a wire of C for each of its own."""
    return lens.is_reverse and single(lens.dom) and single(lens.cod)


def single(ob: Ty) -> bool:
    """Whether each pair carries one atom ahead, so that wires of Lens(C) are those of the arrow inside."""
    return all(len(p.fwd) == 1 for p in ob)
