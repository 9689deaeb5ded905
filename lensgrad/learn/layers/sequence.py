"""Layers one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

from lensgrad.core.checks import is_group
from lensgrad.core.diagram import Diagram, Family, at
from lensgrad.core.errors import BadValue
from lensgrad.learn.layers.activations import activation_named
from lensgrad.learn.layers.own import Layer
from lensgrad.learn.model import Model, para


@overload
def sequential(first: Model | Diagram, /, *rest: Layer) -> Model: ...
@overload
def sequential(first: Family | str, /, *rest: Layer) -> Family: ...
@overload
def sequential(*layers: Layer) -> Model | Family: ...
def sequential(*layers: Any) -> Model | Family:
    """layers[0] >> layers[1] >> …, families included. The layers may stand in one list.

    A layer is an arrow, a family such as `lg.dense(8)` or `lg.relu`, a function on wires, the name of an activation, or a list of
    layers. `lg.upto(model, "hidden")` is the part of a model up to a layer.
    """
    given = layers[0] if len(layers) == 1 and is_group(layers[0]) else layers
    return joined(given)


def joined(given: Sequence[Any]) -> Model | Family:
    """These layers one after the other."""
    if not given:
        raise BadValue("sequential needs at least one layer")
    result, *rest = (part(f"layer {k} of sequential must be", f) for k, f in enumerate(given, 1))
    for f in rest:
        result = result >> para(at(f, result.cod) if not isinstance(result, Family) else f)
    return result


def part(what: str, given: Any) -> Any:
    """A layer, or a list of layers one after the other."""
    return para(joined(given) if is_group(given) else activation_named(given, what))
