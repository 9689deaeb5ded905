"""Rewrite rules: pairs of parallel arrows, matched anywhere, functional ones only when asked."""

import pytest
from toy import A, B, Fuse, Halves, Join, Point, Step

from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.functor import unfold
from lensgrad.core.graph import Graph, Node
from lensgrad.core.rewrite import Equation, Rule, Soundness, match, rewrite
from lensgrad.core.trace import trace


def rule(name, left, right, *dom, **how):
    equation = Equation(trace(left, *dom), trace(right, *dom))
    return Rule(name, lambda node: equation, **how)


unit = rule("x + 0 = x", lambda x: Join()(x, Point(0)()), lambda x: x, A)
absorb = rule("x · 0 = 0", lambda x: Fuse()(x, Point(0)()), lambda x: Point(0)(), A)
merge = rule("2 steps = 1", lambda x: Step(1)(Step(1)(x)), lambda x: Step(2)(x), A)
square = rule("x · x = x", lambda x: Fuse()(x, x), lambda x: x, A, soundness=Soundness.FUNCTIONAL)


def test_a_rule_is_used_wherever_its_left_side_ends():
    f = trace(lambda x, y: Fuse()(Join()(Step(1)(x), Point(0)()), Join()(y, Point(0)())), A, A)
    assert rewrite(f, [unit]) == trace(lambda x, y: Fuse()(Step(1)(x), y), A, A)


def test_what_a_rule_leaves_is_rewritten_again():
    f = trace(lambda x: Join()(Fuse()(Join()(x, Point(0)()), Point(0)()), Point(0)()), A)
    assert rewrite(f, [unit, absorb]) == trace(lambda x: Point(0)(), A)


def test_nothing_fits_and_nothing_changes():
    f = trace(lambda x: Join()(Point(0)(), Step(3)(x)), A)
    assert rewrite(f, [unit, absorb, merge]) == f


def test_a_repeated_variable_matches_equal_wires_only():
    f = trace(lambda x, y: (Fuse()(x, y), Fuse()(x, x)), A, A)
    assert rewrite(f, [square], after_reverse=True) == trace(lambda x, y: (Fuse()(x, y), x), A, A)


def test_functional_rules_are_used_only_after_the_reverse_derivative():
    f = trace(lambda x: Fuse()(x, x), A)
    assert rewrite(f, [square]) == f
    assert rewrite(f, [square], after_reverse=True) == Diagram.id(A)


def test_a_deep_left_side_matches_through_nodes():
    assert rewrite(trace(lambda x: Step(1)(Step(1)(Step(2)(x))), A), [merge]) == trace(lambda x: Step(2)(Step(2)(x)), A)


def test_a_matched_node_that_others_use_stays():
    f = trace(lambda x: (Step(1)(x), Step(1)(Step(1)(x))), A)
    assert rewrite(f, [merge]) == trace(lambda x: (Step(1)(x), Step(2)(x)), A)


FIRST = Equation(trace(lambda x: Step(7)(Halves()(x)[0]), A), Diagram.id(A))


def test_which_output_of_a_node_is_used_matters():
    class Same(Halves):
        def type(self, *dom):
            return A @ A

    left = trace(lambda x: Step(7)(Same()(x)[0]), A)
    rules = [Rule("first", lambda node: Equation(left, Diagram.id(A)))]
    assert rewrite(left, rules) == Diagram.id(A)
    other = trace(lambda x: Step(7)(Same()(x)[1]), A)
    assert rewrite(other, rules) == other


def test_a_rule_holds_at_its_own_type_only():
    f = trace(lambda x: Join()(x, Point(0)()), B)
    assert rewrite(f, [unit]) == f


def test_match_gives_the_wires_of_the_variables():
    graph = Graph(A @ A)
    (w,) = graph.apply(Halves(), (1,))[:1]
    node = Node(Step(7), (w,), A)
    assert match(graph, FIRST.left, node) == [1]
    assert match(graph, FIRST.left, Node(Step(8), (w,), A)) is None
    assert match(graph, FIRST.left, Node(Step(7), (0,), A)) is None


def test_origins_survive_where_no_rule_fits():
    box = trace(lambda x: Step(3)(x), A).define("box")
    assert [n.origin for n in rewrite(unfold(box), [merge]).nodes] == [("box",)]


def test_the_sides_of_a_rule_are_parallel():
    with pytest.raises(TypeMismatch) as error:
        Equation(Diagram.of(Step(), A), Diagram.id(B))
    assert str(error.value) == "the two sides of a rule must be parallel: a → a is not b → b"


@pytest.mark.parametrize(
    "left",
    [Diagram.id(A), trace(lambda x: Halves()(x)[0], A), Diagram.of(Halves(), A) >> Diagram.swap(A, B), trace(lambda x: (Step()(x), x), A)],
    ids=["nothing", "half", "swapped", "more"],
)
def test_the_left_side_of_a_rule_is_what_its_last_node_gives(left):
    with pytest.raises(BadValue) as error:
        Equation(left, left)
    assert str(error.value) == "the left side of a rule must return the outputs of its last node, in order"
