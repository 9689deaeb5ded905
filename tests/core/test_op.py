"""Generators: equality by type and by bits, tables, definitions."""

import copy
import hashlib
import math
import pickle
import struct
from itertools import combinations
from typing import ClassVar

import pytest
from toy import A, Halves, Join, Point, Step

from lensgrad.core.diagram import Definition, Diagram, Recompute
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.op import Standing, Table, generator
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty

DISTINCT = [1, 1.0, True, "1", (1,), (1.0,), (True,), 0, 0.0, -0.0, False, None, (), ((1,),), math.inf, -math.inf, 5e-324]


@pytest.mark.parametrize(("a", "b"), list(combinations(DISTINCT, 2)), ids=str)
def test_attributes_differ_by_type_and_by_bits(a, b):
    assert Step(a) != Step(b)
    assert trace(lambda x: (Step(a)(x), Step(b)(x)), A).outs == (1, 2), "two nodes, not one shared"


@pytest.mark.parametrize("a", DISTINCT, ids=str)
def test_equal_attributes_are_equal_and_hash_alike(a):
    assert Step(a) == Step(copy.deepcopy(a)) and hash(Step(a)) == hash(Step(copy.deepcopy(a)))


def test_classes_with_equal_attributes_differ():
    assert Step(1) != Point(1) and Join() == Join() and Join() != "Join"


@pytest.mark.parametrize("value", [math.nan, -math.nan, (1.0, math.nan), ((math.nan,),)], ids=str)
def test_a_nan_attribute_is_refused(value):
    with pytest.raises(BadValue) as error:
        trace(lambda x: Step(value)(x), A)
    assert str(error.value) == "a NaN attribute never equals itself, so it cannot be part of a generator"


def test_a_generator_prints_its_attributes():
    assert (str(Step(2.5)), repr(Join()), Step().name) == ("Step(size=2.5)", "Join", "Step")


@pytest.mark.parametrize(
    ("wrong", "given"),
    [
        (lambda: Step(1, 2), "(1, 2)"),
        (lambda: Step(1, size=2), "(1, size=2)"),
        (lambda: Step(sise=2), "(sise=2)"),
    ],
)
def test_a_generator_says_what_it_is_built_from(wrong, given):
    with pytest.raises(TypeError) as error:
        wrong()
    assert str(error.value) == f"Step must be built from (size), got {given}"


def test_a_generator_lacking_a_field_says_so():
    with pytest.raises(TypeError) as error:
        Definition("box")
    assert str(error.value) == "Definition must be built from (label, body, predict), got ('box')"


def test_fields_are_inherited_and_class_variables_are_none():
    @generator
    class Longer(Step):
        arity: ClassVar[int] = 1
        far: int = 3

    assert Longer.fields == ("size", "far") and str(Longer(far=4)) == f"Longer(size={Step().size}, far=4)"


def test_a_generator_is_exact_unless_it_says_otherwise():
    assert Step().standing is Standing.EXACT and Step().kinks == ""


def test_a_generator_is_pickled_without_what_it_cached():
    op = Step((1, -0.0))
    assert hash(op) == hash(op)
    assert "_hash" in vars(op) and set(vars(pickle.loads(pickle.dumps(op)))) == {"size"}
    assert pickle.loads(pickle.dumps(op)) == op


def test_a_table_holds_32_bit_integers():
    table = Table([2, 0, -(2**31), 2**31 - 1])
    assert table.entries == (2, 0, -(2**31), 2**31 - 1) and len(table) == 4
    assert table.raw == bytes([2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 128, 255, 255, 255, 127])
    assert Table.of(table.raw) == table and hash(Table.of(table.raw)) == hash(table)
    assert Table(iter([1, 2])) == Table((1, 2)) != Table([2, 1])
    assert Table([]) == Table.of(b"") and len(Table([])) == 0


@pytest.mark.parametrize("entries", [[2**31], [-(2**31) - 1], [0.5], ["a"], [None]], ids=str)
def test_a_table_refuses_other_entries(entries):
    with pytest.raises(BadValue) as error:
        Table(entries)
    assert str(error.value) == f"a table holds whole numbers of 32 bits, got {entries!r}"


def test_a_table_refuses_part_of_an_integer():
    with pytest.raises(BadValue) as error:
        Table.of(b"12345")
    assert str(error.value) == "a table holds 32-bit integers, and 5 bytes are no whole number of them"


def test_a_table_cannot_be_changed():
    table = Table([1])
    with pytest.raises(BadValue) as error:
        table.raw = b""
    assert str(error.value) == "'raw' of a Table cannot be set again: values are immutable, build another one"
    assert table.entries == (1,)


def test_a_table_is_copied_and_pickled():
    table = Table(range(100))
    assert copy.deepcopy(table) == table == pickle.loads(pickle.dumps(table))


def test_a_table_prints_briefly():
    assert str(Table([1, 2])) == "[1, 2]" == repr(Table([1, 2]))
    digest = hashlib.sha256(struct.pack("<9i", *range(9))).hexdigest()
    assert str(Table(range(9))) == f"table of 9, {digest[:8]}"


def test_tables_are_compared_by_their_entries_as_attributes():
    assert Step(Table([1, 2])) == Step(Table([1, 2])) != Step(Table([1, 3]))


BODY = trace(lambda x: Halves()(Step()(x)), A)


def test_a_definition_is_a_box_of_its_label_and_body():
    box = Definition("layer", BODY)
    assert box == Definition("layer", BODY) != Definition("other", BODY)
    assert box != Definition("layer", BODY >> Diagram.swap(*(Ty((a,)) for a in BODY.cod)))
    assert (str(box), box.name, box.type(*A)) == ("layer", "layer", BODY.cod)


def test_a_box_checks_what_it_is_applied_to():
    for box, name in ((Definition("layer", BODY), "layer"), (Recompute(BODY), "recompute")):
        with pytest.raises(TypeMismatch) as error:
            Diagram.of(box, A @ A)
        assert str(error.value) == f"{name} expects a, got a × a"


def test_recompute_is_another_generator_than_a_definition():
    assert Recompute(BODY) == Recompute(BODY) and str(Recompute(BODY)) == "Recompute(2 nodes)"
    assert Diagram.of(Recompute(BODY), A) != BODY
