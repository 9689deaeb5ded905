"""Folds: evaluation, unfolding of definitions, functors, counting."""

from toy import A, Atom, B, Fuse, Halves, Join, Point, Step

from lensgrad.core.diagram import Diagram, Recompute
from lensgrad.core.functor import count, fold, translate, unfold
from lensgrad.core.trace import trace
from lensgrad.core.ty import I, Ty

inner = trace(lambda x: Step(1)(Step(2)(x)), A).define("inner")
outer = trace(lambda x: Join()(inner(x), Step(3)(x)), A).define("outer")


def meaning(node, values):
    return {Join: lambda a, b: [a + b], Fuse: lambda a, b: [a * b], Step: lambda a: [a + node.op.size], Halves: lambda a: [a // 2, a % 2]}[
        type(node.op)
    ](*values)


def test_fold_evaluates_each_node_once_with_its_arguments():
    seen = []

    def rule(node, values):
        seen.append(node.op)
        return meaning(node, values)

    f = trace(lambda x, y: (Fuse()(Step(5)(x), Step(5)(x)), Halves()(y)[1]), A, A)
    assert fold(f, [2, 7], rule) == [49, 1]
    assert seen == [Step(5), Fuse(), Halves()]


def test_unfolding_gives_the_arrow_without_boxes():
    assert unfold(outer) == trace(lambda x: Join()(Step(1)(Step(2)(x)), Step(3)(x)), A)
    assert unfold(unfold(outer)) == unfold(outer)
    assert fold(unfold(outer), [10], meaning) == [26]


def test_an_arrow_without_boxes_is_unfolded_to_itself():
    f = trace(lambda x: Step(1)(x), A)
    assert unfold(f) is f


def test_each_node_remembers_the_boxes_it_came_from():
    assert [(str(n.op), n.origin) for n in unfold(inner >> outer).nodes] == [
        ("Step(size=2)", ("inner",)),
        ("Step(size=1)", ("inner",)),
        ("Step(size=2)", ("outer", "inner")),
        ("Step(size=1)", ("outer", "inner")),
        ("Step(size=3)", ("outer",)),
        ("Join", ("outer",)),
    ]


def test_origins_are_not_compared():
    plain = trace(lambda x: Step(1)(Step(2)(x)), A)
    assert unfold(inner) == plain and hash(unfold(inner)) == hash(plain)
    assert [n.origin for n in plain.nodes] == [(), ()]


def test_unfolding_shares_what_two_boxes_have_in_common():
    f = trace(lambda x: Join()(inner(x), outer(x)), A)
    assert count(f) == 7 and len(unfold(f).nodes) == 5


def test_some_boxes_may_be_kept():
    kept = unfold(outer, keep=lambda d: d.label == "inner")
    assert [str(n.op) for n in kept.nodes] == ["inner", "Step(size=3)", "Join"]
    assert kept.nodes[0].origin == ("outer",)
    assert unfold(kept) == unfold(outer)
    assert [n.origin for n in unfold(kept).nodes] == [n.origin for n in unfold(outer).nodes]


def test_a_recomputation_is_never_unfolded():
    f = Diagram.of(Recompute(inner), A)
    assert unfold(f) is f
    assert [str(n.op) for n in unfold(f.define("box")).nodes] == ["Recompute(1 nodes)"]


def test_count_looks_into_definitions():
    assert (count(inner), count(outer), count(Diagram.id(A))) == (2, 4, 0)


def to_b(op):
    return {Join: Diagram.of(Join(), B @ B) >> Diagram.of(Recolor(), A)}.get(type(op), op)


class Recolor(Join):
    def type(self, *dom):
        return B


def test_translate_is_the_functor_given_on_atoms_and_generators():
    f = trace(lambda x, y: Join()(x, Join()(x, y)), A, A)
    image = translate(f, lambda a: Atom("b"), to_b)
    assert (image.dom, image.cod) == (B @ B, B)
    assert [type(n.op) for n in image.nodes] == [Join, Recolor, Join, Recolor]


def test_translate_respects_composition_and_tensor():
    f, g = trace(lambda x: (Step()(x), Point(3)()), A), trace(lambda x, y: Fuse()(y, x), A, A)

    def twice(op):
        return trace(lambda x: op(op(x)), A) if isinstance(op, Step) else op

    def on(h):
        return translate(h, lambda a: a, twice)

    assert on(f >> g) == on(f) >> on(g)
    assert on(f @ g) == on(f) @ on(g)
    assert on(Diagram.id(A @ B)) == Diagram.id(A @ B)
    assert on(Diagram.swap(A, B)) == Diagram.swap(A, B)
    assert [str(n.op) for n in on(trace(lambda x: Step(4)(x), A)).nodes] == ["Step(size=4)"] * 2


def test_translate_keeps_origins():
    image = translate(unfold(inner), lambda a: a, lambda op: op)
    assert [n.origin for n in image.nodes] == [("inner",), ("inner",)]


def test_fold_of_an_arrow_from_the_unit():
    assert fold(Diagram.of(Point(3), I), [], lambda node, values: [node.op.value]) == [3]
    assert fold(Diagram.id(Ty()), [], meaning) == []
