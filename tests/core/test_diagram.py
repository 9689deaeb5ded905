"""Diagrams are arrows of the free Cartesian category: `==` is equality of arrows, whatever the way they were written."""

import copy
import pickle
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy import A, B, Fuse, Halves, Join, Point, Sink, Step

from lensgrad.core.diagram import Diagram, Family
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.trace import trace
from lensgrad.core.ty import I, Ty

step, halves, point, sink = (Diagram.of(op, dom) for op, dom in ((Step(), A), (Halves(), A), (Point(), I), (Sink(), A)))
join, fuse = Diagram.of(Join(), A @ A), Diagram.of(Fuse(), A @ A)
DEEP = 5000


def ops(f):
    return [str(n.op) for n in f.nodes]


def test_equal_applications_are_one_node():
    f = trace(lambda x: Join()(Step()(x), Step()(x)), A)
    assert ops(f) == ["Step(size=1)", "Join"]
    assert f.nodes[1].args == (1, 1)


def test_what_no_output_needs_is_dropped():
    def body(x, y):
        Join()(Step()(x), y)
        return Fuse()(x, y)

    assert trace(body, A, A) == fuse


def test_a_generator_with_no_output_is_a_discard():
    assert sink == Diagram.discard(A)


def test_one_unused_output_of_two_keeps_the_node():
    first = trace(lambda x: Halves()(x)[0], A)
    assert ops(first) == ["Halves"] and first.outs == (1,) and first.cod == A


def test_nodes_are_numbered_depth_first_from_the_outputs_whatever_the_order_of_writing():
    def one(x, y):
        left, right = Step(1)(x), Step(2)(y)
        return Join()(left, right)

    def other(x, y):
        right = Step(2)(y)
        left = Step(1)(x)
        return Join()(left, right)

    assert trace(one, A, A) == trace(other, A, A)
    assert ops(trace(other, A, A)) == ["Step(size=1)", "Step(size=2)", "Join"]


def test_order_of_outputs_and_of_arguments_is_part_of_the_arrow():
    assert trace(lambda x, y: (x, y), A, A) != trace(lambda x, y: (y, x), A, A)
    assert trace(lambda x, y: Join()(x, y), A, A) != trace(lambda x, y: Join()(y, x), A, A)


def test_structural_arrows_have_no_nodes():
    for f in (Diagram.id(A @ B), Diagram.copy(A @ B, 3), Diagram.discard(A @ B), Diagram.swap(A, B)):
        assert f.nodes == ()
    assert Diagram.id(A @ B).outs == (0, 1)
    assert Diagram.copy(A @ B, 3).outs == (0, 1, 0, 1, 0, 1)
    assert Diagram.swap(A @ B, A).outs == (2, 0, 1)
    assert Diagram.swap(A @ B, A).cod == A @ A @ B


def test_copy_and_discard_are_natural():
    assert step >> Diagram.copy(A) == Diagram.copy(A) >> step @ step
    assert halves >> Diagram.discard(A @ B) == Diagram.discard(A)


def test_the_symmetry_is_natural_and_its_own_inverse():
    assert (step @ halves) >> Diagram.swap(A, A @ B) == Diagram.swap(A, A) >> (halves @ step)
    assert Diagram.swap(A, B) >> Diagram.swap(B, A) == Diagram.id(A @ B)


def test_interchange():
    assert (step @ halves) >> (step @ Diagram.id(A @ B)) == (step >> step) @ halves


def test_objects_act_as_identities_in_the_tensor():
    assert A @ step == Diagram.id(A) @ step
    assert step @ A == step @ Diagram.id(A)
    assert I @ step == step == step @ I


def test_types_are_strictly_associative_and_unital():
    assert (A @ B) @ A == A @ (B @ A)
    assert I @ A == A == A @ I
    assert str(I) == "I" and str(A @ B) == "a × b" and len(A @ B) == 2


@st.composite
def bracketed(draw, parts, combine):
    """The parts combined in some bracketing."""
    if len(parts) == 1:
        return parts[0]
    cut = draw(st.integers(1, len(parts) - 1))
    return combine(draw(bracketed(parts[:cut], combine)), draw(bracketed(parts[cut:], combine)))


LINE = [trace(lambda x, y, k=k: (Join()(Step(k)(x), y), x), A, A) for k in range(6)]


@given(bracketed(LINE, lambda f, g: f >> g))
def test_composition_is_associative_in_every_bracketing(f):
    assert f == LINE[0].then(*LINE[1:])
    assert len(f.nodes) == 12


@given(bracketed([step, halves, point, join, Diagram.id(B), sink], lambda f, g: f @ g))
def test_the_tensor_is_associative_in_every_bracketing(f):
    assert f == step.tensor(halves, point, join, Diagram.id(B), sink)
    assert (f.dom, f.cod) == (A @ A @ A @ A @ B @ A, A @ A @ B @ A @ A @ B)


def left(n):
    f = step
    for _ in range(n - 1):
        f = f >> step
    return f


def right(n):
    f = step
    for _ in range(n - 1):
        f = step >> f
    return f


def balanced(n):
    return step if n == 1 else balanced(n // 2) >> balanced(n - n // 2)


def test_chains_of_any_depth_and_bracketing_are_computed_without_recursion():
    expected = Diagram.assemble(A, [(step, [k]) for k in range(DEEP)], [DEEP])
    assert left(DEEP) == expected == right(DEEP) == balanced(DEEP) == step.then(*[step] * (DEEP - 1))
    assert len(expected.nodes) == DEEP and str(expected.cod) == "a"


def test_tensors_of_any_depth_are_computed_without_recursion():
    # Every partial product keeps its type, so a nested tensor costs the square of its length; an n-ary one does not.
    up = down = step
    for _ in range(1999):
        up, down = up @ step, step @ down
    assert up == down == step.tensor(*[step] * 1999)
    # Copying first makes every factor the same application.
    assert ops(Diagram.copy(A, DEEP) >> step.tensor(*[step] * (DEEP - 1))) == ["Step(size=1)"]


def test_composites_nested_in_tensors_and_back_are_computed_without_recursion():
    f = step
    for _ in range(DEEP):
        f = (f @ A) >> join >> Diagram.copy(A) >> (A @ Diagram.discard(A)) if f.dom == A @ A else f >> step
    assert len(f.nodes) == DEEP + 1
    g = step
    for _ in range(1000):
        g = Diagram.copy(A) >> (g @ A) >> join
    assert len(g.nodes) == 1001 and g.dom == A


def test_composing_computes_nothing_until_looked_at():
    f = step >> step
    assert f._form is None
    assert len(f.nodes) == 2
    assert f._form is not None and f._pending is None


def test_a_long_chain_is_hashed_compared_and_printed():
    f, g = left(DEEP), right(DEEP)
    assert hash(f) == hash(g) and len({f, g}) == 1
    assert len(str(f).splitlines()) == DEEP + 2


def test_types_are_checked_when_composing():
    with pytest.raises(TypeMismatch):
        step >> Diagram.id(B)
    with pytest.raises(TypeMismatch):
        step.then(step, Diagram.id(B))


def test_arrows_of_different_types_differ_although_their_nodes_agree():
    assert Diagram.discard(A) != Diagram.discard(B)
    assert Diagram.id(A) != Diagram.id(B)
    assert step != "step"


def test_assemble_is_the_straight_line_program():
    f = Diagram.assemble(A @ A, [(join, [1, 0]), (step, [2]), (halves, [3])], [5, 0, 4])
    assert f == trace(lambda x, y: (lambda h: (h[1], x, h[0]))(Halves()(Step()(Join()(y, x)))), A, A)


def test_a_family_takes_the_type_it_meets():
    anything = Family("twice", lambda dom: Diagram.copy(dom))
    assert step >> anything == step >> Diagram.copy(A)
    assert Diagram.id(A @ B) >> anything == Diagram.copy(A @ B)
    assert repr(anything) == "twice"


def test_families_compose_into_families():
    twice, joined = Family("twice", Diagram.copy), Family("join", lambda dom: Diagram.of(Join(), dom))
    layer = twice >> joined >> step
    assert repr(layer) == f"twice >> join >> {step!r}"
    assert layer.at(A) == Diagram.copy(A) >> join >> step
    assert step >> layer == step >> Diagram.copy(A) >> join >> step


def test_a_family_is_applied_to_wires():
    joined = Family("join", lambda dom: Diagram.of(Join(), dom))
    assert trace(lambda x, y: joined(x, y), A, A) == join


def test_an_arrow_is_applied_to_grouped_wires():
    assert trace(lambda x, y: join((x, y)), A, A) == join
    assert trace(lambda p: join(p), A @ A) == join


def test_diagrams_cannot_be_changed():
    for name in ("dom", "cod", "piece"):
        with pytest.raises(BadValue, match=f"'{name}' of a Diagram cannot be set again"):
            setattr(step, name, A)
    with pytest.raises(BadValue, match="'dom' of a Diagram cannot be deleted"):
        del step.dom
    with pytest.raises(AttributeError):
        step.anything = 1
    with pytest.raises(BadValue, match="'nodes' of a Diagram cannot be set again"):
        step.nodes = ()
    with pytest.raises(BadValue, match="'name' of a Family cannot be set again"):
        Family("f", Diagram.id).name = "g"
    assert step.dom == A


def test_nodes_types_and_generators_cannot_be_changed():
    for value, name in ((step.nodes[0], "args"), (A, "atoms")):
        with pytest.raises(AttributeError):
            setattr(value, name, ())
    with pytest.raises(BadValue) as error:
        Step().size = 2
    assert str(error.value) == "'size' of a Step cannot be set again: values are immutable, build another one"
    with pytest.raises(BadValue):
        del Step().size


def test_copies_are_equal():
    for f in (step, halves, left(10), step.define("box")):
        assert copy.deepcopy(f) == copy.copy(f) == f == pickle.loads(pickle.dumps(f))


def test_pickling_does_not_recurse():
    assert pickle.loads(pickle.dumps(left(DEEP))) == right(DEEP)


READ = """
import pickle, sys
from lensgrad.core.trace import trace
from toy import A, Join, Step
f = pickle.load(open(sys.argv[1], "rb"))
g = trace(lambda x: Join()(Step(2)(x), Step(1.0)(x)), A).define("box")
assert f == g and hash(f) == hash(g) and {f: 1}[g] == 1 and f.piece.name == "box"
"""


def test_a_pickled_arrow_is_found_in_a_dict_of_another_process(tmp_path):
    f = trace(lambda x: Join()(Step(2)(x), Step(1.0)(x)), A).define("box")
    assert hash(f) == hash(f)  # hashes are cached before writing
    (tmp_path / "arrow").write_bytes(pickle.dumps(f))
    ran = subprocess.run([sys.executable, "-c", READ, str(tmp_path / "arrow")], env={"PYTHONPATH": ":".join(sys.path)}, capture_output=True)
    assert (ran.returncode, ran.stderr) == (0, b"")


def test_an_object_of_many_atoms_is_one_product():
    assert Ty(tuple(A.atoms * 3)) == A @ A @ A
