"""Layers of one's own: an arrow, a family of arrows, or a function on wires stands wherever a layer does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import signature
from typing import Any

from lensgrad.cat.names import Param
from lensgrad.cat.para import Para
from lensgrad.core import checks
from lensgrad.core.checks import is_a, shown
from lensgrad.core.diagram import Diagram, Family
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.graph import OnWires
from lensgrad.core.trace import called, trace
from lensgrad.core.ty import Ty
from lensgrad.learn import init
from lensgrad.learn.layers import parts

Layer = Para | Diagram | Family | str | OnWires | Sequence["Layer"]  # what a model is put together of
Activation = Para | Diagram | Family | str | OnWires  # a name, a layer such as lg.relu, or a function on wires


def layer_of(what: str, given: Any) -> Any:
    """A layer, in whichever way it is written; `what` begins the error for anything else, as in "residual takes"."""
    if isinstance(given, Diagram | Para | Family):
        return given
    if isinstance(given, type) or not callable(given):
        raise TypeMismatch(f"{what} a layer, a function on wires, or the name of an activation, got {shown(given)}")
    name = getattr(given, "__name__", "")
    if str(getattr(given, "__module__", "")).startswith(parts.__name__.rpartition(".")[0]):
        raise TypeMismatch(f"lg.{name} makes layers when it is called, and here it stands uncalled: write lg.{name}(…)")
    return function_layer(name if name.isidentifier() else "function", given)


def function_layer(name: str, fn: Callable[..., Any]) -> Family:
    """A function on wires as a layer without parameters, one box."""

    def build(dom: Ty) -> Diagram:
        takes(name, fn, dom)
        return trace(fn, *(Ty((a,)) for a in dom)).define(name)

    return Family(name, build, getattr(fn, "__doc__", None))


def takes(name: str, fn: Callable[..., Any], dom: Ty) -> None:
    """Refuse a function that takes another number of wires."""
    try:
        signature(fn).bind(*dom)
    except TypeError:
        raise TypeMismatch(f"{name}{signature(fn)} is called with one wire for each array, and here it meets {dom}") from None
    except ValueError:
        return  # a function in C, whose signature Python cannot read


def layer(kind: str, build: Callable[[Ty], Para], *, name: str = "", predict: Callable[[Ty], Diagram] | None = None) -> Family:
    """A layer of one's own with parameters: build(A) is the parametric arrow A → B for the object A that it meets.

    Write it with `lg.weight`, `lg.state` and `lens.parametric`. It becomes one box, its parameters under `name/` where there is
    a name. `predict(A)`, an arrow of the same type on parameters and input, stands for it when predicting.
    """
    checks.name("the kind of a layer", kind)
    if not callable(build):
        raise TypeMismatch(f"the layer '{parts.titled(kind, name)}' must be built by a function of the object it meets, got {shown(build)}")
    return parts.layer(kind, name, lambda dom: built(kind, called(build, f"the function that builds '{kind}'", [dom]), dom), predict)


def built(kind: str, made: Any, dom: Ty) -> Para:
    """What a function built, checked."""
    if not isinstance(made, Para) or not isinstance(made.arrow, Diagram):
        raise TypeMismatch(f"the function that builds '{kind}' must return a parametric arrow, made by lens.parametric, got {shown(made)}")
    if made.dom != dom:
        raise TypeMismatch(f"'{kind}' meets {dom}, and what its function builds takes {made.dom}")
    return made


def weight(label: str, ob: Ty, start: init.Init = init.glorot) -> Param:
    """A weight of a layer of one's own: its label, its object, and how it starts."""
    return parts.weight(label, ob, started(label, ob, start))


def state(label: str, ob: Ty, start: init.Init = init.zeros) -> Param:
    """A state, such as a running mean; an observable of the same label writes it after every step."""
    return parts.state(label, ob, started(label, ob, start))


def started(label: str, ob: Ty, start: Any) -> Any:
    """An initializer, checked."""
    checks.path("the name of a parameter", label)
    if not is_a(ob, Ty) or not len(ob):
        raise TypeMismatch(f"'{label}' needs an object such as lg.Real(8), got {shown(ob)}")
    if not callable(start):
        raise BadValue(f"'{label}' must start as an initializer says, such as lg.zeros or lg.constant(0.5), got {shown(start)}")
    return start
