# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# (the two sides of a law are lambdas whose arguments are arrows of any category)
"""Axioms of parametric arrows as data, and all axioms by category (arXiv 2404.00408, section 2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lensgrad.cat.body import Body
from lensgrad.cat.laws import ADDITIVE, CARTESIAN, CATEGORY, FUNCTOR, INTERCHANGE, REVERSE, TENSOR, Law
from lensgrad.cat.lens import Lens
from lensgrad.cat.para import Para, lens
from lensgrad.cat.structure import category
from lensgrad.core.diagram import Diagram
from lensgrad.core.ty import Ty, product, split


class ParaOver:
    """The structure of Para(C): identities and symmetries of C, without parameters."""

    def __init__(self, base: Any) -> None:
        self.base = base

    def id(self, a: Ty) -> Para:
        return Para.lift(self.base.id(a))

    def swap(self, a: Ty, b: Ty) -> Para:
        return Para.lift(self.base.swap(a, b))


def arranged(f: Para) -> Para:
    """The same arrow with parameters and observables in the order of their labels, which are distinct here."""
    body, base = f.body, category(f.body.arrow)
    sizes = [p.ob for p in body.params]
    order = sorted(range(len(sizes)), key=lambda i: body.params[i].label)
    watched = sorted(range(len(body.observables)), key=lambda i: body.observables[i][0])
    dom = product(sizes[i] for i in order) @ f.dom
    places = split(range(len(dom)), [sizes[i] for i in order])
    args = [w for i in range(len(order)) for w in places[order.index(i)]] + list(range(len(dom) - len(f.dom), len(dom)))
    outs = split(range(len(dom), len(dom) + len(body.arrow.cod)), [f.cod, *(ob for _, ob in body.observables)])
    wanted = [*outs[0], *(w for i in watched for w in outs[i + 1])]
    arrow = base.assemble(dom, [(body.arrow, args)], wanted)
    return Para(f.dom, f.cod, Body(tuple(body.params[i] for i in order), arrow, tuple(body.observables[i] for i in watched)))


def up_to_order(law: Law) -> Law:
    """The law up to the order of parameters and observables."""

    def sides(c: Any, *arrows: Any) -> tuple[Any, Any]:
        left, right = law.sides(c, *arrows)
        return arranged(left), arranged(right)

    return Law(f"{law.name}, up to the order of parameters", law.arrows, sides, law.holds)


def at_each(f: Para, points: Sequence[Para]) -> dict[Any, Any]:
    """Which point goes to which parameter of f, by name."""
    return dict(zip(f.names, points, strict=True))


def identity_point(c: ParaOver, f: Para) -> tuple[Para, Para]:
    return f.reparam({n: lambda p: corner_like(c, p) for n in f.names}), f


def corner_like(c: ParaOver, p: Any) -> Para:
    return Para(Ty(), p.ob, Body((p,), c.base.id(p.ob)))


def twice_reparam(c: ParaOver, f: Para, alpha: Para, beta: Para) -> tuple[Para, Para]:
    """f^α^β = f^(β;α)."""
    name = f.names[0]
    step = f.reparam({name: alpha})
    left = step.reparam({step.names[0]: beta})
    return left, f.reparam({name: alpha.reparam({alpha.names[0]: beta})})


def reparam_then(c: ParaOver, f: Para, g: Para, alpha: Para, beta: Para) -> tuple[Para, Para]:
    """f^α ; g^β = (f;g)^(α⊗β)."""
    left = f.reparam({f.names[0]: alpha}) >> g.reparam({g.names[0]: beta})
    return left, (f >> g).reparam({f.names[0]: alpha, g.names[0]: beta})


def reparam_beside(c: ParaOver, f: Para, g: Para, alpha: Para, beta: Para) -> tuple[Para, Para]:
    """f^α ⊗ g^β = (f⊗g)^(α⊗β)."""
    left = f.reparam({f.names[0]: alpha}) @ g.reparam({g.names[0]: beta})
    return left, (f @ g).reparam({f.names[0]: alpha, g.names[0]: beta})


PARA = (
    *CATEGORY,
    *TENSOR,
    *map(up_to_order, INTERCHANGE),
    Law("f^1 = f", ("P×A→B",), identity_point),
    Law("f^α^β = f^(β;α)", ("P×A→B", "Q×I→P", "S×I→Q"), twice_reparam),
    up_to_order(Law("f^α ; g^β = (f;g)^(α⊗β)", ("P×A→B", "Q×B→C", "S×I→P", "T×I→Q"), reparam_then)),
    up_to_order(Law("f^α ⊗ g^β = (f⊗g)^(α⊗β)", ("P×A→B", "Q×C→D", "S×I→P", "T×I→Q"), reparam_beside)),
    Law("scope keeps composition", ("P×A→B", "Q×B→C"), lambda c, f, g: ((f >> g).scope("s"), f.scope("s") >> g.scope("s"))),
)
PARA_FUNCTOR = (
    Law("Para(R)(f;g) = Para(R)(f);Para(R)(g)", ("P×A→B", "Q×B→C"), lambda c, f, g: (lens(f >> g), lens(f) >> lens(g))),
    Law("Para(R)(f⊗g) = Para(R)(f)⊗Para(R)(g)", ("P×A→B", "Q×C→D"), lambda c, f, g: (lens(f @ g), lens(f) @ lens(g))),
    Law(
        "Para(R)(f^α) = Para(R)(f)^R(α)",
        ("P×A→B", "Q×I→P"),
        lambda c, f, a: (lens(f.reparam({f.names[0]: a})), lens(f).reparam({f.names[0]: lens(a)})),
    ),
)

LAWS: dict[str, tuple[Law, ...]] = {
    "C": (*CATEGORY, *TENSOR, *INTERCHANGE, *CARTESIAN, *ADDITIVE, *REVERSE, *FUNCTOR),
    "Lens(C)": (*CATEGORY, *TENSOR, *INTERCHANGE),
    "Para(C)": (*PARA, *PARA_FUNCTOR),
    "Para(Lens(C))": PARA,
}


def structure_of(name: str) -> Any:
    """What gives identities and symmetries in a category of LAWS."""
    return {"C": Diagram, "Lens(C)": Lens, "Para(C)": ParaOver(Diagram), "Para(Lens(C))": ParaOver(Lens)}[name]
