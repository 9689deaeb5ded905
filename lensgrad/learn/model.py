"""Models: parametric arrows between arrays, with the verbs of people who train them as methods (arXiv 2404.00408, section 2.1).

The category knows `reparam` only, and each verb is one: `model.lora("**/weight", rank=4)` is
`model.reparam({"**/weight": lora(rank=4)})`. What is composed with a model is a model.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Self, overload

from lensgrad.cat import para as category
from lensgrad.cat.names import Param, Role, Together, Where, select
from lensgrad.cat.para import Para
from lensgrad.core.checks import instance, is_group
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import BadValue, listed
from lensgrad.core.graph import OnWires
from lensgrad.core.ty import Ty
from lensgrad.learn.adapt import Adapter, ema, freeze, lora, thaw, tie


class Model(Para):
    """A parametric arrow P × A → B ⊗ O before `lens(…)`, with adapters as methods."""

    __slots__ = ()

    def freeze(self, *where: Where | Sequence[Where]) -> Self:
        """The model with the weights that a pattern reaches, or one of several patterns, frozen; without a pattern, all."""
        return self._at_each(where or (Role.WEIGHT,), freeze)

    def thaw(self, *where: Where | Sequence[Where]) -> Self:
        """The model with frozen weights, named exactly, as weights again."""
        return self._at_each(where, thaw)

    def tie(self, *names: str, transpose: bool = False) -> Self:
        """The model with one weight, that of the first name, for all of these."""
        for name in names:
            instance("each name of tie", name, str, "the name of a weight")
        return self._at(names, tie(transpose))

    def lora(self, where: Where = "**/weight", *, rank: int, alpha: float | None = None) -> Self:
        """The model with its weights frozen and a product of low rank beside each."""
        return self._at(where, lora(rank, alpha))

    def ema(self, where: Where = Role.WEIGHT, *, decay: float = 0.999) -> Self:
        """The model that predicts with the moving average of its weights."""
        return self._at(where, ema(decay))

    def _at(self, where: Any, adapter: Adapter) -> Self:
        """The model with an adapter at the places that a pattern reaches."""
        instance("where an adapter goes", where, (str, tuple, Role, Together), "a name, a pattern, a tuple of names or a role")
        return self.reparam({where: adapter})

    def _at_each(self, patterns: Sequence[Any], adapter: Adapter) -> Self:
        """The model with an adapter at all places that one pattern of several reaches."""
        each: list[Any] = [w for given in patterns for w in (given if is_group(given) else (given,))]
        if not each:
            raise BadValue(f"{adapter} needs the name of a parameter; this model has {listed(self.names)}")
        for where in each:
            instance("where an adapter goes", where, (str, Role, Together), "a name, a pattern or a role")
        model, done = self, set[int]()
        for where in each:
            found = [i for group in select(self.params, where) for i in group]
            new = [i for i in found if i not in done]
            points = {self.names[i]: adapter for i in new} if len(new) < len(found) else {where: adapter}
            model, done = model.reparam(points), done | set(new)
        return model


@overload
def para(arrow: Para | Diagram) -> Model: ...
@overload
def para(arrow: Any) -> Any: ...
def para(arrow: Any) -> Any:
    """A plain arrow, or a parametric one, as a model; anything else as it is."""
    found: Any = category.para(arrow)
    return Model.of(found) if isinstance(found, Para) else found


def parametric(params: Iterable[tuple[str, Ty] | Param], dom: Ty, fn: OnWires) -> Model:
    """A parametric arrow written as a function on wires: fn(p₁, …, pₙ, a), each object grouped."""
    return Model.of(category.parametric(params, dom, fn))


def corner(ob: Ty, label: str, role: Role = Role.DATA) -> Model:
    """η : I → A, the parametric arrow whose parameter is its value; the paper's corner (arXiv 2404.00408, section 4)."""
    return Model.of(category.corner(ob, label, role))


def observe(label: str, ob: Ty) -> Model:
    """A → A with the observable `label` equal to its value."""
    return Model.of(category.observe(label, ob))


__all__ = ["Model", "corner", "observe", "para", "parametric"]
