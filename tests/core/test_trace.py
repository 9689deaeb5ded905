"""Arrows written as functions on wires."""

import pytest
from toy import A, B, Halves, Join, Point, Sink, Step

from lensgrad.core.diagram import Diagram, Family
from lensgrad.core.errors import WireError
from lensgrad.core.trace import trace
from lensgrad.core.ty import I, Ty


def test_an_object_of_one_atom_is_a_wire_and_others_are_tuples():
    seen = []

    def body(one, two, none):
        seen.append((one, two, none))
        return one, two, none

    f = trace(body, A, B @ A, I)
    (one, two, none), *_ = seen
    assert f == Diagram.id(A @ B @ A)
    assert repr(one) == "<wire 0: a>" and [w.index for w in two] == [1, 2] and none == ()


def test_results_may_be_nested_tuples_and_lists():
    assert trace(lambda x, y: ((y, [x]), ((), y)), A, B) == Diagram.wiring(A @ B, [1, 0, 1])
    assert trace(lambda x: (), A) == Diagram.discard(A)


def test_operators_are_those_of_the_wire():
    assert trace(lambda x, y: x + y, A, A) == Diagram.of(Join(), A @ A)


def test_points_are_wires_without_a_function_and_may_be_used_in_any():
    point = Point(1)()
    f = trace(lambda x: Join()(x, point), A)
    assert f == trace(lambda x: Join()(x, Point(1)()), A)
    assert trace(lambda: Step()(point)) == Diagram.of(Point(1), I) >> Diagram.of(Step(), A)


def test_points_may_be_computed_outside_and_combined():
    both = Join()(Step()(Point(1)()), Point(2)())
    assert trace(lambda x: (x, both), A) == Diagram.id(A) @ trace(lambda: Join()(Step()(Point(1)()), Point(2)()))


def test_a_point_may_be_returned_as_it_is():
    assert trace(lambda x: Point(1)(), A) == Diagram.discard(A) >> Diagram.of(Point(1), I)
    assert trace(lambda: Point(1)()) == Diagram.of(Point(1), I)


def test_equal_points_are_shared():
    f = trace(lambda x: Join()(Point(1)(), Point(1)()), A)
    assert [str(n.op) for n in f.nodes] == ["Point(value=1)", "Join"]


def test_a_function_is_called_once():
    calls = []
    trace(lambda x: calls.append(x) or x, A)
    assert len(calls) == 1


def test_outputs_of_one_generator_arrive_as_a_tuple():
    assert trace(lambda x: tuple(reversed(Halves()(x))), A) == Diagram.of(Halves(), A) >> Diagram.swap(A, B)


def test_a_generator_without_outputs_gives_an_empty_tuple():
    assert trace(lambda x: Sink()(x), A) == Diagram.discard(A)


def message(fn, *objects):
    with pytest.raises(WireError) as error:
        trace(fn, *objects)
    return str(error.value)


def test_a_value_cannot_be_returned():
    def body(x):
        return 3.0

    assert message(body, A) == "body returned float 3.0 where a wire or a tuple of wires is wanted"


def test_a_forgotten_return_is_an_error():
    def body(x):
        Step()(x)

    assert message(body, A) == "body returned nothing: end it with `return`, or with `return ()` for an arrow to I"


def test_wires_of_two_functions_do_not_mix():
    outside = []
    trace(lambda x: outside.append(x) or x, A)
    told = "got wires of two different traced functions; pass them through one function's arguments"
    assert message(lambda y: Join()(outside[0], y), A) == f"Join {told}"
    assert message(lambda y: outside[0], A) == f"<lambda> {told}"


def test_a_generator_is_applied_to_wires_only():
    told = "Join must be applied to wires of a traced function, got int 3: "
    told += "make it an argument or a parameter, or ask lg.evaluate(…) for numbers"
    assert message(lambda x: Join()(x, 3), A) == told


def test_an_arrow_or_a_family_is_applied_to_wires_only():
    told = "got str 'text': make it an argument or a parameter, or ask lg.evaluate(…) for numbers"
    step = Diagram.of(Step(), A)
    assert message(lambda x: step("text"), A) == f"Step must be applied to wires of a traced function, {told}"
    assert message(lambda x: Family("f", Diagram.id)("text"), A) == f"f must be applied to wires of a traced function, {told}"


def test_an_arrow_checks_the_types_of_its_wires():
    with pytest.raises(TypeError) as error:
        trace(lambda x, y: Diagram.of(Step(), A).define("layer")(y), A, B)
    assert str(error.value) == "layer expects a, got b"


def test_a_wire_has_no_truth_value_and_is_no_group():
    wanted = "so `if`, `while`, `and` and `or` cannot read it; write select(condition, a, b) to choose between two wires"
    assert message(lambda x: x if x else Step()(x), A) == f"this wire (a) has no value while the function is traced, {wanted}"
    assert message(lambda x: [*x], A) == "this wire (a) is one wire, not a group: index it with [i] or slice it to take it apart"


def test_a_wire_without_operations_says_so():
    class Bare:
        def __str__(self):
            return "bare"

    assert message(lambda x: x + x, Ty((Bare(),))) == "a wire of type bare has no operation 'add'"
    assert message(lambda x: x == x, Ty((Bare(),))) == "a wire of type bare has no operation 'equal'"
