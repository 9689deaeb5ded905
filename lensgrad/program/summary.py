"""A model as a table: its layers, their parameters, and what those weigh. Plain lines, so nothing is ever cut off."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import prod
from typing import Any, Protocol

from lensgrad.backends.numpy import host
from lensgrad.cat.lens import Lens
from lensgrad.cat.names import Param
from lensgrad.cat.para import Arrow, Para, parametrized
from lensgrad.core.checks import clean, shown
from lensgrad.core.diagram import Definition, Diagram, Family, Recompute
from lensgrad.core.errors import TypeMismatch
from lensgrad.core.graph import Node
from lensgrad.core.printed import Printed
from lensgrad.core.show import signature
from lensgrad.core.ty import Ty
from lensgrad.program.values import forward_object

Row = tuple[str, str, str, str]
Named = Sequence[tuple[str, Param]]


class Modelled(Protocol):
    """A learner."""

    @property
    def model(self) -> Para: ...


class Learned(Protocol):
    """A run."""

    @property
    def learner(self) -> Modelled: ...


def summary(model: Arrow | Modelled | Learned) -> str:
    """A model's type, then a line for each layer and each of its parameters: name, type, how many numbers, bytes in NumPy.

    Of a learner or a run it is that of its model. Where a console lacks a character of it, `print` writes it in ASCII.
    """
    return Printed(described(shown_model(model)))


def shown_model(what: Any) -> Para:
    """The model to describe: as it is, or that of a learner or of a run; an error for anything else."""
    held = getattr(getattr(what, "learner", what), "model", what)
    if not isinstance(held, Para | Diagram | Lens | Family):
        raise TypeMismatch(f"summary expects a model, a learner or a run, got {shown(what)}")
    found = parametrized("what summary takes", held)
    if not isinstance(found.arrow, Diagram):
        raise TypeMismatch("a summary is of a model; this is the lens of a learner, whose model is `learner.model`")
    return found


def described(model: Para) -> str:
    """The type and the table of a model."""
    named = list(zip(model.names, model.params, strict=True))
    rows: list[Row] = [("layer", "type", "numbers", "bytes")]
    for name, ob, group in layers(model, named):
        rows.append((name, str(ob), *weight(p for _, p in group)))
        rows += [(f"  {label}", str(forward_object(p)), *weight([p])) for label, p in group]
    rows.append(("total", "", *weight(model.params)))
    return f"{signature(model.dom, model.cod)}\n\n{table([[clean(cell) for cell in row] for row in rows])}"


def layers(model: Para, named: Named) -> Iterator[tuple[str, Ty, Named]]:
    """The boxes of a model, and the generators that read a parameter: name, what it gives, parameters read there first."""
    owner = {wire: i for wire, i in enumerate(i for i, (_, p) in enumerate(named) for _ in p.ob)}
    left = dict(enumerate(named))
    for node in model.arrow.nodes:
        read = sorted({owner[a] for a in node.args if owner.get(a) in left})
        if read or boxed(node):
            yield node.op.name, node.cod, [left.pop(i) for i in read]
    if left:
        yield "not read", Ty(), list(left.values())


def boxed(node: Node) -> bool:
    return isinstance(node.op, Definition | Recompute)


def weight(params: Iterable[Param]) -> tuple[str, str]:
    """How many numbers some parameters hold, and how many bytes: nothing for none."""
    hosts = [host(atom) for p in params for atom in forward_object(p)]
    if not hosts:
        return "", ""
    return f"{sum(prod(s) for s, _ in hosts):,}", f"{sum(prod(s) * d.itemsize for s, d in hosts):,}"


def table(rows: Sequence[Sequence[Any]]) -> str:
    """Rows as columns of equal width, the last two to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [[cell.rjust(w) if i > 1 else cell.ljust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))] for row in rows]
    return "\n".join("  ".join(line).rstrip() for line in lines)
