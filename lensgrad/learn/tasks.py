"""Whole learning tasks as closed parametric arrows I → L (arXiv 2404.00408, section 4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from lensgrad.cat.lens import Pair
from lensgrad.cat.names import Param, select
from lensgrad.cat.para import Para, Places, Point, lens
from lensgrad.core.checks import is_a
from lensgrad.core.diagram import Family, at
from lensgrad.core.errors import BadValue, TypeMismatch, UnknownParameter, listed
from lensgrad.core.ty import Ty
from lensgrad.learn.batching import batch
from lensgrad.learn.model import Model, corner
from lensgrad.learn.optimizers.groups import parameter_groups
from lensgrad.learn.rates import Rate
from lensgrad.theories.poly.circuit import Vector
from lensgrad.theories.smooth.ops import mean, total

if TYPE_CHECKING:
    from lensgrad.learn.ways.derivatives import Derivative

REDUCTIONS = {"mean": mean, "sum": total}  # of the losses of a batch


def reduced(batched: Para, reduction: str) -> Para:
    """One loss of the losses of a batch. Over a semiring each example keeps its own, and its own answer of the rate (arXiv 2101.10488)."""
    return batched if all(isinstance(a, Vector) for a in batched.cod) else batched >> REDUCTIONS[reduction]


def input_of(ob: Ty, names: str | tuple[str, ...]) -> Model:
    """A corner for the whole object, or one for each of its atoms: I → A₁ ⊗ … ⊗ Aₙ."""
    if isinstance(names, str):
        return corner(ob, names)
    if len(names) != len(ob) or len(set(names)) < len(names):
        raise BadValue(f"the model takes {ob}, so its inputs need {len(ob)} different names, got {listed(names)}")
    first, *others = (corner(Ty((a,)), n) for n, a in zip(names, ob, strict=True))
    return first.tensor(*others)


def supervised_task(model: Para, loss: Family, label: str | tuple[str, ...] = "x") -> Model:
    """corner ; model ; loss : I → L, with the input as the parameter `label` (arXiv 2404.00408, section 4.1), or several."""
    if isinstance(model, Family):
        raise TypeMismatch(
            f"the model {model.name} does not say what it takes: begin it with lg.input(…) or give the first layer its input size"
        )
    if not is_a(model, Para):
        raise TypeMismatch(f"a model must be made of layers, such as lg.dense(4, 3), got {model!r:.60}")
    if any(isinstance(a, Pair) for a in (*model.dom, *model.cod)):
        raise TypeMismatch("a model is given before lens(…): the learner makes the lens of it, its task and its loss")
    return input_of(model.dom, label) >> model >> loss


def closed_lens(
    task: Para, rate: Family | Para, optimizer: Point | Places, n: int | None, reduction: str = "mean", derivative: Derivative | None = None
) -> Para:
    """The closed parametric lens of a task: batch, reduce, `lens`, rate, optimizer, in this order.

    With n = None the task is taken as it is, one example a step. `optimizer` is for all weights, or a dict of patterns.
    A derivative, such as `sam(0.05)`, stands in the place of `lens`, for the weights that an optimizer reaches.
    """
    if not is_a(reduction, str) or reduction not in REDUCTIONS:
        raise BadValue(f"'{reduction}' is no reduction; use one of {listed(sorted(REDUCTIONS))}")
    whole = task if n is None else reduced(batch(task, n), reduction)
    groups = parameter_groups(whole.params, optimizer)
    back = lens(whole) if derivative is None else derivative(whole, reached(whole.params, groups))
    closed = (back >> rate).reparam(groups)
    one_rate(rate, groups.values())  # last, since an optimizer of floats at bits says more
    return closed


def reached(params: Sequence[Param], groups: Iterable[Any]) -> set[int]:
    """The positions of the parameters that the patterns of optimizers reach."""
    found = set[int]()
    for where in groups:
        try:
            found.update(i for group in select(params, where) for i in group)
        except UnknownParameter:  # a state that an earlier pattern made
            continue
    return found


def frozen(task: Para, rate: Family | Para, optimizer: Point | Places) -> tuple[Para, dict[Any, tuple[Para, ...]]]:
    """Rate and optimizer as values without functions, at this task: the lens of the rate, and a point for each place.

    `closed_lens(task, *frozen(task, rate, optimizer), n)` is `closed_lens(task, rate, optimizer, n)` for every n, since
    neither the loss of a batch nor its weights have a batch axis. Only an optimizer of data, as in deep dreaming, has
    one: such a learner keeps to one example a step.
    """
    start = lens(task)
    cap, groups = at(rate, start.cod), parameter_groups(start.params, optimizer)
    made = (start >> cap).made(groups)
    return cap, {where: tuple(named(p, of) for p in made[where]) for where, of in zip(made, groups.values(), strict=True)}


def named(point: Para, optimizer: Point) -> Para:
    """A point that errors call as the optimizer that gave it."""
    name = getattr(optimizer, "name", "")
    return point.told(name) if isinstance(name, str) and name else point


def one_rate(rate: Family | Para, points: Iterable[Point]) -> None:
    """Refuse a second rate in front of an optimizer whose steps hardly depend on the size of the gradient."""
    own: list[Any] = [p for p in points if getattr(p, "owns_rate", False)]
    if own and not (isinstance(rate, Rate) and rate.size == 1):
        raise BadValue(
            f"{own[0].name} carries its learning rate and hardly depends on the size of the gradient, so {getattr(rate, 'name', 'a rate')} "
            "in front of it would be lost: give the rate to the optimizer only"
        )
