"""Ways back other than R: lenses whose put looks at the whole arrow, not at one gradient (arXiv 2404.00408, future work).

Each is a value that stands in the place of `lens`: `sam(0.05)(batch(task, n) >> mean) >> rate(0.1)`. A learner has one as its
`derivative`. Their get is that of R; what their put gives to the weights is no gradient there, so they are no R-images.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lensgrad.cat.lens import Lens, forward
from lensgrad.cat.names import Role, select
from lensgrad.cat.para import Para, lens
from lensgrad.cat.reverse import reverse
from lensgrad.cat.structure import change
from lensgrad.core.checks import is_a, number, positive
from lensgrad.core.checks import whole as whole_number
from lensgrad.core.diagram import Diagram, flatten
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.learn.optimizers.parts import length, total, whole
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.index import Iota
from lensgrad.theories.smooth.scan import scan

Change = Callable[[list[Any], list[Any], list[Any]], list[Any]]  # (inputs, what comes back, all that R gives) ↦ what the put gives


@dataclass(frozen=True)
class Sam:
    """The way back of `sam`."""

    radius: float = 0.05

    def __post_init__(self) -> None:
        object.__setattr__(self, "radius", positive("the radius of sam", self.radius))

    def __call__(self, f: Para, learning: Collection[int] | None = None) -> Para:
        """The lens of a closed task; `learning` are the positions of the weights that count, all where nothing is said."""
        back, moving = parts(f, learning)

        def steps(slope: list[Any]) -> list[Any]:
            size = length(slope)
            scale = ops.select(size > 0.0, self.radius / ops.select(size > 0.0, size, 1.0), 0.0)
            return [g * whole(g, ops.cast(scale, g.atom.dtype)) for g in slope]

        return changed(f, elsewhere(back, moving, steps))


def sam(radius: float = 0.05) -> Sam:
    """The gradient at p + radius · g/‖g‖, with g the gradient at p, over all weights that learn (arXiv 2010.01412, sharpness-aware
    minimization). For `lg.supervised(…, derivative=…)`, or by hand in the place of `lens`."""
    return Sam(radius)


@dataclass(frozen=True)
class Extrapolated:
    """The way back of `extrapolated`."""

    size: float
    ascending: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", positive("the size of extrapolated", self.size))

    def __call__(self, f: Para, learning: Collection[int] | None = None) -> Para:
        """The lens of a closed task; `learning` are the positions of the weights that count, all where nothing is said."""
        back, moving = parts(f, learning)
        up = {i for pattern in self.ascending for group in select(f.params, pattern) for i in group}
        owners = [i for i, p in enumerate(f.params) for _ in p.ob]
        signs = [self.size if owners[wire] in up else -self.size for wire, _ in moving]
        return changed(f, elsewhere(back, moving, lambda slope: [g * s for g, s in zip(slope, signs, strict=True)]))


def extrapolated(size: float, ascending: str | Sequence[str] = ()) -> Extrapolated:
    """The gradient at p − size · g, with g the gradient at p on the same data and the same draws; at p + size · g for the
    weights whose patterns are in `ascending`. A step of plain descent, and ascent there, is then extragradient's (Korpelevich, 1976;
    for games arXiv 1802.10551), with p̄ = p − size · rate · g where a rate stands in front of the optimizer."""
    return Extrapolated(size, (ascending,) if isinstance(ascending, str) else tuple(ascending))


@dataclass(frozen=True)
class NewtonCG:
    """The way back of `newton_cg`."""

    steps: int = 10
    damping: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", whole_number("the number of steps of newton_cg", self.steps, 1))
        object.__setattr__(self, "damping", number("the damping of newton_cg", self.damping, 0))

    def __call__(self, f: Para, learning: Collection[int] | None = None) -> Para:
        """The lens of a closed task; `learning` are the positions of the weights that count, all where nothing is said."""
        back, moving = parts(f, learning)
        product = curvature(f, back, moving)

        def put(inputs: list[Any], seeds: list[Any], given: list[Any]) -> list[Any]:
            slope = [given[k] for _, k in moving]
            found = conjugate(product, [*inputs, *seeds], slope, self.steps, self.damping)
            later = list(given)
            for (_, k), d in zip(moving, found, strict=True):
                later[k] = d
            return later

        return changed(f, put)


def newton_cg(steps: int = 10, damping: float = 0.0) -> NewtonCG:
    """d ≈ (H + damping)⁻¹ g by so many steps of conjugate gradients, with H v = R[g](v), in the place of the gradient g.

    It stops where the curvature along a direction is not positive; if that is the first, d = g. Without damping d does not
    depend on a constant rate in front: `sgd(1.0)` after it is Newton's step. For `lg.supervised(…, derivative=…)`, or by hand.
    """
    return NewtonCG(steps, damping)


Derivative = Sam | Extrapolated | NewtonCG


def parts(f: Para, learning: Collection[int] | None = None) -> tuple[Diagram, list[tuple[int, int]]]:
    """put of the lens of f, and the weights: the number of each among the inputs and among what comes back."""
    if not is_a(f, Para) or not isinstance(f.arrow, Diagram) or len(f.dom):
        raise TypeMismatch(f"this expects a closed task I → ℝ before lens(…), got {f!r:.80}")
    counts = [p.role is Role.WEIGHT and (learning is None or i in learning) for i, p in enumerate(f.params) for _ in p.ob]
    back = [i for i, a in enumerate(a for p in f.params for a in p.ob) if change(a) is not None]
    moving = [(i, k) for k, i in enumerate(back) if counts[i]]
    if not moving:
        raise BadValue("no optimizer reaches a weight by itself, so there is no gradient for this derivative to change")
    return lens(f).arrow.put, moving


def elsewhere(back: Diagram, moving: Sequence[tuple[int, int]], steps: Callable[[list[Any]], list[Any]]) -> Change:
    """What R gives at another point: the weights and `steps` of their gradients."""

    def put(inputs: list[Any], seeds: list[Any], given: list[Any]) -> list[Any]:
        there = list(inputs)
        for (i, _), step in zip(moving, steps([given[k] for _, k in moving]), strict=True):
            there[i] = there[i] + step
        return flatten([back(*there, *seeds)])

    return put


def changed(f: Para, put: Change) -> Para:
    """The lens of f with another put."""
    made = lens(f)
    old: Lens = made.arrow
    n = len(forward(old.dom))

    def body(*wires: Any) -> Any:
        return put(list(wires[:n]), list(wires[n:]), flatten([old.put(*wires)]))

    arrow = Lens(old.dom, old.cod, old.get, trace(body, *(Ty((a,)) for a in old.put.dom)))
    return Para(made.dom, made.cod, replace(made.body, arrow=arrow), piece=made.piece, ends=made.ends)


def curvature(f: Para, back: Diagram, moving: Sequence[tuple[int, int]]) -> Diagram:
    """(inputs, what comes back, v) ↦ H v: the reverse derivative of the gradient, which is symmetric (RD.7)."""
    into, seeded = {i for i, _ in moving}, {k for _, k in moving}
    return reverse(back, [i in into for i in range(len(back.dom))], [k in seeded for k in range(len(back.cod))])


def inner(xs: Sequence[Any], ys: Sequence[Any]) -> Any:
    """⟨x, y⟩ over several arrays."""
    return total([ops.sum_over(x * y) for x, y in zip(xs, ys, strict=True)])


def conjugate(product: Diagram, at: Sequence[Any], slope: Sequence[Any], steps: int, damping: float) -> list[Any]:
    """d with (H + damping) d ≈ g, by conjugate gradients from 0, as a loop."""
    n = len(slope)

    def step(carry: Any, _: Any, shared: Any) -> Any:
        d, r, p, alive = carry[:n], carry[n : 2 * n], carry[2 * n : -1], carry[-1]
        bent = [h + v * damping for h, v in zip(flatten([product(*shared, *p)]), p, strict=True)]
        size, bend = inner(r, r), inner(p, bent)
        on = ops.select(bend > 0.0, alive, 0.0)
        length = on * ops.select(bend > 0.0, size / ops.select(bend > 0.0, bend, 1.0), 0.0)
        d = [x + v * whole(v, length) for x, v in zip(d, p, strict=True)]
        rest = [x - h * whole(h, length) for x, h in zip(r, bent, strict=True)]
        turn = ops.select(size > 0.0, inner(rest, rest) / ops.select(size > 0.0, size, 1.0), 0.0)
        return (*d, *rest, *(x + v * whole(v, turn) for x, v in zip(rest, p, strict=True)), on), on

    zeros, one = [g * 0.0 for g in slope], inner(slope, slope) * 0.0 + 1.0
    found, alive = scan(step, (*zeros, *slope, *slope, one), Iota(steps)(), tuple(at))
    return [ops.select(whole(g, alive[0] > 0.0), d, g) for d, g in zip(found[:n], slope, strict=True)]
