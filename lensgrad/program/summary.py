"""A model as a table: its layers, their parameters, what those weigh and cost. Plain lines, so nothing is ever cut off."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from math import prod
from typing import Any, Protocol

from lensgrad.backends.numpy import host, nbytes
from lensgrad.cat.lens import Lens
from lensgrad.cat.names import Param, Role
from lensgrad.cat.para import Arrow, Para, parametrized
from lensgrad.core.checks import clean, shown
from lensgrad.core.diagram import Definition, Diagram, Family, Recompute
from lensgrad.core.errors import TypeMismatch
from lensgrad.core.graph import Node
from lensgrad.core.printed import Printed, counted
from lensgrad.core.show import signature
from lensgrad.core.ty import Ty
from lensgrad.program.compile import Program
from lensgrad.program.costs import each_node
from lensgrad.program.layer_costs import Cost, added, amount, layer_costs
from lensgrad.program.liveness import kept, peak
from lensgrad.program.phases import Phase, phases
from lensgrad.program.values import forward_object

Row = tuple[str, str, str, str, str, str, str]
WIDEST = 60  # characters of a name or a type in the text
NOTHING = Cost(0, 0, 0).told
Named = Sequence[tuple[str, Param]]


class Modelled(Protocol):
    """A learner."""

    @property
    def model(self) -> Para: ...


class Learned(Protocol):
    """A run."""

    @property
    def learner(self) -> Modelled: ...


class Summary(Printed):
    """The text of a summary, which a notebook shows as a table."""

    head: str
    rows: Sequence[Row]
    after: str

    @classmethod
    def of(cls, head: str, rows: Sequence[Row], after: str = "") -> Summary:
        """A line, a table, and lines below it."""
        made = cls("\n\n".join([head, table([(*map(narrow, row[:2]), *row[2:]) for row in rows]), *([after] if after else [])]))
        made.head, made.rows, made.after = head, rows, after
        return made

    def followed_by(self, after: str) -> Summary:
        """The same with other lines below it."""
        return Summary.of(self.head, self.rows, after)

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in self.rows)
        name = "lensgrad-summary"  # a style is one of the whole page
        style = f"<style>.{name} td:nth-child(n + 3) {{text-align: right}} .{name} td:first-child {{white-space: pre}}</style>"
        return f'<div class="{name}">{style}<p>{escape(self.head)}</p><table>{rows}</table><pre>{escape(self.after)}</pre></div>'


def narrow(cell: str) -> str:
    """A name or a type that leaves room for figures beside it: a long one without its middle."""
    return cell if len(cell) <= WIDEST else f"{cell[: WIDEST // 3]}…{cell[1 - WIDEST + WIDEST // 3 :]}"


def summary(model: Arrow | Modelled | Learned) -> str:
    """A model's type, then a line for each layer and each of its parameters: name, type, how many numbers, bytes in NumPy, and costs.

    The costs are for one example, from the types alone: floating-point operations forward and backward (a multiply-add is 2), and the
    bytes of what the way back reads of the way forward. Of a learner or a run it is that of its model; `learner.summary(batch)` adds
    what a step costs. Where a console lacks a character of it, `print` writes it in ASCII.
    """
    return described(shown_model(model))


def shown_model(what: Any) -> Para:
    """The model to describe: as it is, or that of a learner or of a run; an error for anything else."""
    held = getattr(getattr(what, "learner", what), "model", what)
    if not isinstance(held, Para | Diagram | Lens | Family):
        raise TypeMismatch(f"summary expects a model, a learner or a run, got {shown(what)}")
    found = parametrized("what summary takes", held)
    if not isinstance(found.arrow, Diagram):
        raise TypeMismatch("a summary is of a model; this is the lens of a learner, whose model is `learner.model`")
    return found


def described(model: Para) -> Summary:
    """The type and the table of a model."""
    named = list(zip(model.names, model.params, strict=True))
    rows: list[Row] = [("layer", "type", "numbers", "bytes", "forward", "backward", "kept")]
    costs = layer_costs(model)
    other = set(range(len(costs)))
    for name, ob, group, nodes in layers(model, named):
        own = other.intersection(nodes)
        told = told_of([costs[i] for i in sorted(own)])
        other -= own
        rows.append((name, str(ob), *weight(p for _, p in group), *told))
        rows += [(f"  {label}", str(forward_object(p)), *weight([p]), "", "", "") for label, p in group]
    rest = added([costs[i] for i in other])
    rows += [("between layers", "", "", "", *rest.told)] if rest.forward or rest.backward or rest.kept else []
    rows.append(("total", "", *weight(model.params), *added(costs).told))
    learned = [p for p in model.params if p.role is Role.WEIGHT]
    if 0 < len(learned) < len(model.params):
        others = [p for p in model.params if p.role is not Role.WEIGHT]
        rows += [("  learned", "", *weight(learned), "", "", ""), ("  not learned", "", *weight(others), "", "", "")]
    return Summary.of(signature(model.dom, model.cod), [cleaned(row) for row in rows])


def cleaned(row: Row) -> Row:
    """A row without what steers a terminal."""
    name, kind, *figures = map(clean, row)
    numbers, size, forward, backward, kept = figures
    return name, kind, numbers, size, forward, backward, kept


def of_learner(model: Para, step: Program, batch: int | None) -> str:
    """The table of a model, and what a step of its learner costs."""
    return described(model).followed_by(of_step(step, batch))


def of_step(step: Program, batch: int | None) -> str:
    """What a training step costs: operations by phase, and memory."""
    kinds, costs = phases(step), each_node(step.diagram)
    spent = {kind: sum(c for k, c in zip(kinds, costs, strict=True) if k is kind) for kind in Phase}
    data, own = (sum(nbytes(a) for p in step.inputs for a in p.ob if (p.role is Role.DATA) is yes) for yes in (True, False))
    sizes = [*map(nbytes, step.diagram.dom), *(nbytes(a) for node in step.diagram.nodes for a in node.cod)]
    residuals = sum(sizes[w] for w in kept(step.diagram, [k is Phase.BACKWARD for k in kinds]))
    whole = own + data + peak(step.diagram)
    what = "one example" if batch is None else counted(batch, "example")
    work = ", ".join(f"{kind.value} {amount(spent[kind])}" for kind in Phase)
    memory = f"weights and states {amount(own)}, data {amount(data)}, kept for backward {amount(residuals)}, in all about {amount(whole)}"
    return f"a step on {what}: {amount(sum(spent.values()))} operations ({work})\nbytes: {memory} at the peak"


def layers(model: Para, named: Named) -> Iterator[tuple[str, Ty, Named, Sequence[int]]]:
    """The boxes of a model, and the generators in which a parameter meets data: name, what it gives, parameters read there first, nodes.

    What is made of parameters alone, as a reshaped kernel is, belongs to the generator that reads it.
    """
    f: Diagram = model.arrow
    held: dict[int, tuple[set[int], list[int]]] = {
        wire: ({i}, []) for wire, i in enumerate(i for i, (_, p) in enumerate(named) for _ in p.ob)
    }
    data = {*range(len(held), len(f.dom))}
    aside = {*f.outs[len(model.cod) :]} - {*f.outs[: len(model.cod)]} - {a for node in f.nodes for a in node.args}  # states and reports
    left, wire = dict(enumerate(named)), len(f.dom)
    for number, node in enumerate(f.nodes):
        outs = range(wire, wire := wire + len(node.cod))
        made = [held[a] for a in node.args if a in held]
        params, nodes = {i for some, _ in made for i in some}, sorted({number, *(n for _, before in made for n in before)})
        if made and not boxed(node) and not data.intersection(node.args) and not {*outs}.intersection(f.outs):
            held.update(dict.fromkeys(outs, (params, nodes)))
            continue
        if made or data.intersection(node.args):
            data.update(outs)
        group = [left.pop(i) for i in sorted(params & {*left})]
        if group or boxed(node):
            given = Ty(tuple(a for w, a in zip(outs, node.cod, strict=True) if w not in aside))
            yield node.op.name, given if len(given) else node.cod, group, nodes
    if left:
        yield "not read", Ty(), list(left.values()), []


def told_of(costs: Sequence[Cost]) -> tuple[str, str, str]:
    """The cost of some nodes as cells of a table."""
    return NOTHING if not costs else costs[0].told if len(costs) == 1 else added(costs).told


def boxed(node: Node) -> bool:
    return isinstance(node.op, Definition | Recompute)


def weight(params: Iterable[Param]) -> tuple[str, str]:
    """How many numbers some parameters hold, and how many bytes: nothing for none."""
    hosts = [host(atom) for p in params for atom in forward_object(p)]
    if not hosts:
        return "", ""
    return f"{sum(prod(s) for s, _ in hosts):,}", f"{sum(prod(s) * d.itemsize for s, d in hosts):,}"


def table(rows: Sequence[Sequence[Any]]) -> str:
    """Rows as columns of equal width, all but the first two to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [[cell.rjust(w) if i > 1 else cell.ljust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))] for row in rows]
    return "\n".join("  ".join(line).rstrip() for line in lines)
