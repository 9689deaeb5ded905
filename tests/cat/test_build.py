"""The builder, over a category of plain functions: the two definitions of parametric arrows, and what it refuses."""

import pytest

from lensgrad.cat.body import Body
from lensgrad.cat.build import Block, Program, build, joined
from lensgrad.cat.names import Param
from lensgrad.cat.para import Para
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import Piece, TypeMismatch
from lensgrad.core.ty import I, Ty, product

A, B, C = (Ty((atom,)) for atom in "ABC")


class Function:
    """An arrow that is a Python function of its inputs, which gives the tuple of its outputs."""

    def __init__(self, dom, cod, call):
        self.dom, self.cod, self.call, self.piece = dom, cod, call, Piece("")

    @classmethod
    def assemble(cls, dom, steps, outs):
        plan, counted = list(steps), [*dom, *(a for f, _ in steps for a in f.cod)]

        def call(*inputs):
            values = list(inputs)
            for f, args in plan:
                values += f.call(*(values[a] for a in args))
            return tuple(values[o] for o in outs)

        return cls(dom, Ty(tuple(counted[o] for o in outs)), call)


def parametric(name, ob, dom, cod, call, seen=()):
    return Para(dom, cod, Body((Param(name, ob),), Function(ob @ dom, cod @ product(ob for _, ob in seen), call), seen))


f = parametric("p", A, B, C, lambda p, b: (f"f({p}, {b})",))
g = parametric("q", B, C, A, lambda q, c: (f"g({q}, {c})",))
alpha = parametric("r", C, I, A, lambda r: (f"α({r})",))


def test_composition_is_the_formula_of_the_paper():
    whole = f >> g
    assert whole.names == ("p", "q") and whole.arrow.call("p", "q", "a") == ("g(q, f(p, a))",)


def test_reparameterization_is_the_formula_of_the_paper():
    moved = f.reparam({"p": alpha})
    assert moved.names == ("r",) and moved.arrow.call("q", "a") == ("f(α(q), a)",)


def test_side_by_side_each_arrow_has_its_own_parameters():
    assert (f @ g).arrow.call("p", "q", "b", "c") == ("f(p, b)", "g(q, c)")


def test_a_group_of_parameters_stands_at_the_place_of_its_first_member():
    two = parametric("t", C, I, A @ A, lambda t: (f"first({t})", f"second({t})"))
    whole = (f @ g @ f).reparam({("p.0", "p.1"): two})
    assert whole.names == ("t", "q") and whole.arrow.call("t", "q", "x", "y", "z") == ("f(first(t), x)", "g(q, y)", "f(second(t), z)")
    turned = (f @ g @ f).reparam({("p.1", "p.0"): two})
    assert turned.names == ("q", "t") and turned.arrow.call("q", "t", "x", "y", "z") == ("f(second(t), x)", "g(q, y)", "f(first(t), z)")


def test_what_is_observed_comes_after_the_value_in_order_of_appearance():
    tapped = parametric("p", A, B, C, lambda p, b: ("c", f"seen({p})"), seen=(("tap", A),))
    told = parametric("r", C, I, A, lambda r: (f"α({r})", f"told({r})"), seen=(("told", B),))
    whole = (tapped >> g).reparam({"p": told})
    assert [label for label, _ in whole.observables] == ["tap", "told"]
    assert whole.arrow.call("r", "q", "b") == ("g(q, c)", "seen(α(r))", "told(r)")


def test_a_formula_may_take_values_apart_and_in_any_order():
    swap = build(Function, lambda apply, x: reversed_parts(x), A @ B)
    assert (swap.dom, swap.cod, swap.call("a", "b")) == (A @ B, B @ A, ("b", "a"))


def reversed_parts(x: Block) -> list[Block]:
    a, b = x.parts(A, B)
    return [b, a]


def test_over_diagrams_a_formula_is_the_composite():
    copy, drop = Diagram.copy(A), Diagram.discard(A) @ Diagram.id(A)
    assert build(Diagram, lambda apply, a: [apply(drop, apply(copy, a))], A) == copy >> drop == Diagram.id(A)


def test_an_arrow_applied_to_a_value_of_another_object_is_an_error_with_both():
    with pytest.raises(TypeMismatch, match=r"^an arrow A × B → C is applied to a value of B$"):
        build(Function, lambda apply, b: [apply(f.arrow, b)], B)
    with pytest.raises(TypeMismatch, match=r"^a value of A × B cannot be taken apart as B × A$"):
        joined([Program().input(A), Program().input(B)]).parts(B, A)
