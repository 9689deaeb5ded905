"""Ways back other than R: lenses whose put looks at the whole arrow, not at one gradient (arXiv 2404.00408, future work).

Each is a function from a closed task to its lens, in the place of `lens`: `sam(0.05)(batch(task, n) >> mean) >> rate(0.1)`.
Their get is that of R; what their put gives to the weights is no gradient, so they are no R-images.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from lensgrad.cat.lens import Lens, forward
from lensgrad.cat.names import Role
from lensgrad.cat.para import Para, lens
from lensgrad.cat.reverse import reverse
from lensgrad.cat.structure import change
from lensgrad.core.diagram import Diagram, flatten
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.learn.optimizers.chain import total
from lensgrad.learn.optimizers.parts import limit, whole
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.index import Iota
from lensgrad.theories.smooth.scan import scan

Change = Callable[[list[Any], list[Any], list[Any]], list[Any]]  # (inputs, what comes back, all that R gives) ↦ what the put gives


def sam(radius: float = 0.05) -> Callable[[Para], Para]:
    """The gradient at p + radius · g/‖g‖, with g the gradient at p, over all weights (arXiv 2010.01412, sharpness-aware minimization)."""
    size = limit("sam", radius)

    def build(f: Para) -> Para:
        back, moving = parts(f)

        def put(inputs: list[Any], seeds: list[Any], given: list[Any]) -> list[Any]:
            slope = [given[k] for _, k in moving]
            length = ops.sqrt(inner(slope, slope))
            scale = ops.select(length > 0.0, size / ops.select(length > 0.0, length, 1.0), 0.0)
            there = list(inputs)
            for (i, _), g in zip(moving, slope, strict=True):
                there[i] = there[i] + g * whole(g, ops.cast(scale, g.atom.dtype))
            return flatten([back(*there, *seeds)])

        return changed(f, put)

    return build


def newton_cg(steps: int = 10, damping: float = 0.0) -> Callable[[Para], Para]:
    """d ≈ (H + damping)⁻¹ g by so many steps of conjugate gradients, with H v = R[g](v), in the place of the gradient g.

    It stops where the curvature along a direction is not positive; if that is the first, d = g. d does not depend on a
    constant rate in front: `sgd(1.0)` after it is Newton's step.
    """
    if type(steps) is not int or steps < 1:
        raise BadValue(f"newton_cg wants a whole number of steps ≥ 1, got {steps!r}")

    def build(f: Para) -> Para:
        back, moving = parts(f)
        product = curvature(f, back, moving)

        def put(inputs: list[Any], seeds: list[Any], given: list[Any]) -> list[Any]:
            slope = [given[k] for _, k in moving]
            found = conjugate(product, [*inputs, *seeds], slope, steps, damping)
            later = list(given)
            for (_, k), d in zip(moving, found, strict=True):
                later[k] = d
            return later

        return changed(f, put)

    return build


def parts(f: Para) -> tuple[Diagram, list[tuple[int, int]]]:
    """put of the lens of f, and the weights: the number of each among the inputs and among what comes back."""
    if not isinstance(f, Para) or not isinstance(f.arrow, Diagram) or len(f.dom):
        raise TypeMismatch(f"this takes a closed task I → ℝ before lens(…), got {f!r:.80}")
    roles = [(p.role, a) for p in f.params for a in p.ob]
    back = [i for i, (_, a) in enumerate(roles) if change(a) is not None]
    return lens(f).arrow.put, [(i, k) for k, i in enumerate(back) if roles[i][0] is Role.WEIGHT]


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
