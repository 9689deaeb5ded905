"""Nets of lenses: a composite is written out along its plan, R-images node by node, and what is left is a box with two ways."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lensgrad.cat.lens import Lens, Pair
from lensgrad.cat.names import returns
from lensgrad.cat.para import Para
from lensgrad.core.diagram import Diagram
from lensgrad.core.ty import Ty
from lensgrad.draw.labels import short
from lensgrad.draw.net import End, Groups, Grower, Line, Net, Opens, Step, ordered

Grouping = Callable[[Diagram], Groups]


def lens_net(f: Para, opens: Opens, grouping: Grouping = lambda _: {}) -> Net:
    """The net of a parametric lens P ⊗ A → B ⊗ O, with its parameters and observables by name."""
    grower, lens = Grower(opens), f.arrow
    wires = grower.wires([paired(p) for p in lens.dom])
    outs = written_out(grower, lens, wires, grouping)
    names = [(n, p.role.value, returns(p)) for n, p in zip(f.names, f.params, strict=True) for _ in p.ob]
    open_end = len(f.dom) > 0 or len(f.cod) > 0
    entries = [End(n, r, w, open_end or back) for (n, r, back), w in zip(names, wires, strict=False)]
    entries += [End(name, "input", w) for name, w in zip(numbered("", len(f.dom)), wires[len(names) :], strict=True)]
    labels = [*numbered("", len(f.cod)), *(label for label, ob in f.observables for _ in ob)]
    exits = [End(n, "output", w, k < len(f.cod)) for k, (n, w) in enumerate(zip(labels, outs, strict=True))]
    return Net(tuple(grower.lines), tuple(entries), tuple(ordered(grower.steps)), tuple(exits), tuple(grower.boxes))


def numbered(name: str, n: int) -> list[str]:
    """Names for so many wires."""
    return [name] * n


def paired(pair: Pair) -> Line:
    """A wire of Lens(C)."""
    ahead = pair.fwd[0] if len(pair.fwd) == 1 else pair.fwd
    return Line(ahead, None if not len(pair.bwd) else pair.bwd[0] if len(pair.bwd) == 1 else pair.bwd)


def written_out(grower: Grower, lens: Lens, wires: Sequence[int], grouping: Grouping) -> list[int]:
    """A lens on given wires, taken apart as far as it can be: the wires that come out."""
    if lens.is_reverse and single(lens.dom) and single(lens.cod):
        return grower.inline(lens.primal, wires, two=True, groups=grouping(lens.primal))
    if lens.plan is not None:
        env, (plan, outs) = list(wires), lens.plan
        for part, args in plan:
            env += written_out(grower, part, [env[a] for a in args], grouping)
        return [env[o] for o in outs]
    made = grower.wires([paired(p) for p in lens.cod])
    kind = "cap" if not len(lens.cod) else "optimizer" if len(lens.dom) else "lens"
    name = lens.piece.name or "lens"
    grower.steps.append(Step(short(name), tuple(wires), made, kind, tip=f"{name} : {lens.dom} → {lens.cod}"))
    return list(made)


def single(ob: Ty) -> bool:
    """Whether each pair carries one atom ahead, so that wires of Lens(C) are those of the arrow inside."""
    return all(len(p.fwd) == 1 for p in ob)
