"""Fewer gates for the same function, and the functors between arrows and gates."""

import os
from pathlib import Path

import numpy as np
import pytest

import lensgrad as lg
from lensgrad import circuits
from lensgrad.backends.numpy import function
from lensgrad.circuits.gates.functions import cover, ones, variants
from lensgrad.circuits.gates.simplify import rewritten
from lensgrad.core.diagram import Diagram, Recompute
from lensgrad.core.errors import BadValue, NoRule
from lensgrad.core.trace import trace
from lensgrad.theories.poly.circuit import Collect, Repeat
from lensgrad.theories.poly.semiring import LOGIC
from lensgrad.theories.smooth.batch import batch_all
from tests.circuits.test_formats import DATA, EPFL, epfl, rows, some

TRUTHS = [p for p in sorted((DATA / "iwls2022").glob("*.truth")) if p.stat().st_size < 3000]
MONK = Path(os.environ.get("LENSGRAD_DATA", "")) / "boolean"
SIZES = (3, 3, 2, 3, 4, 2)
FEATURES = [f"a{i + 1}={v + 1}" for i, k in enumerate(SIZES) for v in range(k)]


def monk(name):
    """One-hot rows and labels."""
    found = [list(map(int, line.split()[:7])) for line in (MONK / name).read_text(encoding="utf-8").splitlines() if line.strip()]
    x = [[int(row[1 + i] == v + 1) for i, k in enumerate(SIZES) for v in range(k)] for row in found]
    return np.array(x), np.array([row[0] for row in found])


@pytest.mark.parametrize("seed", range(12))
def test_simplifying_keeps_every_value_and_adds_no_gate(seed):
    circuit = some(seed, gates=60)
    for made in (circuit.tidy(), rewritten(circuit.tidy()), circuits.simplify(circuit)):
        assert made.tables() == circuit.tables() and made.size <= circuit.size
        assert (made.inputs, made.outputs) == (circuit.inputs, circuit.outputs)
    assert circuit.tidy().tidy() == circuit.tidy()


@pytest.mark.skipif(not EPFL, reason="the EPFL circuits are not in the data folder")
@pytest.mark.parametrize(("name", "most"), [("ctrl", 125), ("int2float", 243), ("router", 245)])
def test_epfl_circuits_get_smaller(name, most):
    circuit = epfl(name)
    made = circuits.simplify(circuit)
    x = rows(circuit, 4096)
    assert np.array_equal(made.run(x), circuit.run(x)) and made.size <= most


def test_two_level_rules_fold_what_one_gate_cannot_see():
    made = circuits.Builder([*"xyz"])
    x, y, z = made.literals
    both = made.conj(x, y)
    assert made.conj(both, x) == both and made.conj(both, x ^ 1) == 0
    assert made.conj(both ^ 1, x ^ 1) == x ^ 1
    assert made.conj(both ^ 1, made.conj(x, y ^ 1) ^ 1) == x ^ 1
    assert made.conj(both ^ 1, x) == made.conj(x, y ^ 1)
    assert made.conj(both, made.conj(x ^ 1, z)) == 0
    assert made.xor(x, y) == made.xor(y ^ 1, x ^ 1) == made.xor(x ^ 1, y) ^ 1


def test_every_function_of_three_inputs_has_its_table_in_all_variants():
    for table in range(256):
        assert {v.tables()[0] for v in variants(table, 3)} == {table}
    assert min(v.size for v in variants(0b11101000, 3)) == 4, "the majority of three"
    assert min(v.size for v in variants(0b10010110, 3)) == 6, "the sum of three"


@pytest.mark.parametrize("seed", range(20))
def test_a_cover_lies_between_its_bounds_and_no_cube_can_go(seed):
    draw = np.random.default_rng(seed)
    least, free = (int.from_bytes(draw.bytes(4), "little") for _ in range(2))
    least &= ~free
    whole = [[s for s in range(32) if all((s >> (x >> 1) & 1) != x & 1 for x in cube)] for cube in cover(least, least | free, 5)]
    sets = [sum(1 << s for s in cube) for cube in whole]
    union = 0
    for cube in sets:
        union |= cube
    assert least & ~union == 0 and union & ~(least | free) == 0
    for k in range(len(sets)):
        rest = 0
        for cube in sets[:k] + sets[k + 1 :]:
            rest |= cube
        assert least & ~rest


@pytest.mark.skipif(not TRUTHS, reason="the IWLS truth tables are not in the data folder")
@pytest.mark.parametrize("file", TRUTHS, ids=lambda p: p.stem)
def test_an_iwls_truth_table_is_the_table_of_its_circuit(file):
    tables = circuits.read_truth(file.read_text(encoding="utf-8"), file.name)
    n = (len(file.read_text(encoding="utf-8").split()[0])).bit_length() - 1
    assert circuits.from_tables(tables, n).tables() == tables


def test_a_truth_table_of_the_wrong_length_is_refused():
    with pytest.raises(BadValue) as told:
        circuits.read_truth("0110\n011\n", "a.truth")
    assert str(told.value) == "'a.truth', line 2: a truth table of 2 inputs has 4 of 0 and 1, got 3 letters"
    with pytest.raises(BadValue) as told:
        circuits.read_truth("011\n", "a.truth")
    assert str(told.value) == "'a.truth', line 1: a truth table must have 1, 2, 4, 8, … entries, got 3"
    with pytest.raises(BadValue) as told:
        circuits.from_tables([1 << 4], 2)
    assert str(told.value) == "a truth table of 2 inputs must be a number of 4 bits, and one has 5"
    with pytest.raises(BadValue) as told:
        circuits.from_tables([0], 21)
    assert str(told.value) == "a truth table of 21 inputs has 2^21 rows: use at most 20 inputs, or fewer features"


@pytest.mark.skipif(not MONK.is_dir(), reason="the MONK's problems are not in the data folder")
def test_monk_1_from_its_rows_has_at_most_20_ands():
    x, y = monk("monks-1.test")
    circuit, care = circuits.from_rows(x, {"y": y}, FEATURES)
    assert circuit.run(x)[:, 0].tolist() == y.tolist() and circuits.simplify(circuit, care).size <= 20
    assert care.run(x).all() and bin(care.tables()[0]).count("1") == 432


@pytest.mark.skipif(not MONK.is_dir(), reason="the MONK's problems are not in the data folder")
def test_a_care_set_makes_a_clumsy_circuit_small():
    x, y = monk("monks-1.test")
    clumsy = circuits.Builder(FEATURES)
    terms = [clumsy.all([v ^ int(bit == 0) for v, bit in zip(clumsy.literals, row, strict=True)]) for row in x[y == 1]]
    circuit, care = clumsy.finish(["y"], [clumsy.any(terms)]), circuits.from_rows(x, {"y": y}, FEATURES)[1]
    made = circuits.simplify(circuit, care)
    assert circuit.size > 500 and made.size <= 20 and np.array_equal(made.run(x), circuit.run(x))


def test_a_label_that_contradicts_itself_is_refused():
    with pytest.raises(BadValue) as told:
        circuits.from_rows([[0, 1], [0, 1]], {"y": [0, 1]}, ["a", "b"])
    assert str(told.value) == "'y' is 0 or 1, the same for equal rows, and it is not: a circuit gives one answer"


# -- functors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(10))
def test_gates_to_an_arrow_and_back_is_the_canonical_circuit(seed):
    circuit = some(seed, gates=50)
    assert circuits.to_gates(circuits.to_diagram(circuit), inputs=circuit.inputs, outputs=circuit.outputs) == circuit.tidy()


@pytest.mark.parametrize("seed", range(4))
def test_the_arrow_of_a_circuit_has_its_values(seed):
    circuit = some(seed)
    arrow = circuits.to_diagram(circuit)
    run = function(arrow)
    x = rows(circuit, 20, seed).astype(np.uint8)
    assert [run(row)[0].tolist() for row in x] == circuit.run(x).tolist()


def test_a_lookup_table_at_its_weights_is_a_truth_table_with_its_first_bit_most_significant():
    table = np.random.default_rng(0).integers(0, 2, 2 * 8)
    circuit = circuits.to_gates(lg.lookup(3, 2), {"table": table}, inputs=["a", "b", "c"], outputs=["u", "v"])
    x = np.array([[s >> 2, s >> 1 & 1, s & 1] for s in range(8)])
    assert circuit.run(x).T.tolist() == table.reshape(2, 8).tolist()


@pytest.mark.parametrize("semiring", [None, LOGIC], ids=["Z2", "OR/AND"])
def test_the_image_of_a_composite_is_the_composite_of_images(semiring):
    bits = lg.Bits(3) if semiring is None else lg.Bits(3, semiring)
    f, g = trace(lambda x: x + x[::-1] * x, bits), trace(lambda x: x[::-1] * (x + 1), bits)
    left, right = circuits.to_gates(f), circuits.to_gates(g)
    made = circuits.Builder(left.inputs)
    both = made.finish(right.outputs, made.inline(right, made.inline(left, made.literals)))
    assert circuits.to_gates(f >> g).tables() == both.tables()


def test_sums_are_xor_over_z2_and_or_over_logic():
    assert circuits.to_gates(trace(lambda x, y: x + y, lg.Bits(1), lg.Bits(1))).tables() == [0b0110]
    assert circuits.to_gates(trace(lambda x, y: x + y, lg.Bits(1, LOGIC), lg.Bits(1, LOGIC))).tables() == [0b1110]


def test_boxes_are_opened():
    f = trace(lambda x: x * x[::-1] + 1, lg.Bits(2))
    boxed = Diagram.of(Recompute(f), f.dom)
    assert circuits.to_gates(boxed) == circuits.to_gates(f.define("f")) == circuits.to_gates(f)


def test_what_is_no_circuit_is_refused():
    with pytest.raises(NoRule) as told:
        circuits.to_gates(trace(lambda x: x + x, lg.Real(2)))
    assert str(told.value) == "gates carry bits of Z2 or OR/AND without rows, and a wire has type f32[2]"
    with pytest.raises(NoRule) as told:
        circuits.to_gates(batch_all(trace(lambda x: x * x, lg.Bits(2)), 3))
    assert str(told.value) == (
        "gates carry bits of Z2 or OR/AND without rows, and a wire has type Z2[3,2]: gates are for one example, so export the arrow "
        "that was batched"
    )
    with pytest.raises(NoRule) as told:
        circuits.to_gates(trace(lambda x: Collect()(Repeat(2)(x)), lg.Bits(2)))
    assert str(told.value) == "'Repeat' has no rule for gates: circuits of Constant, Add, Mul, Gather, Scatter have"
    with pytest.raises(BadValue) as told:
        circuits.to_gates(lg.lookup(2), {"tables": [0] * 4})
    assert str(told.value) == "this circuit has the parameters table, and values were given for tables"
    with pytest.raises(BadValue) as told:
        circuits.to_gates(lg.lookup(2), {"table": [0] * 3})
    assert str(told.value) == "'table' has 4 bits, 0 or 1, got 3 entries"
    with pytest.raises(BadValue) as told:
        circuits.to_gates(lg.lookup(2), {"table": [0] * 4}, inputs=["a"])
    assert str(told.value) == "this circuit has 2 bits of input, and 1 names were given: give one for each, or none"


def test_a_circuit_that_is_none_is_refused():
    with pytest.raises(BadValue) as told:
        circuits.Circuit(("a", "a"), (), np.zeros((0, 2)), np.zeros(0))
    assert str(told.value) == "every input of a circuit has a name of its own, and 'a' is there twice"
    with pytest.raises(BadValue) as told:
        circuits.Circuit(("a",), ("y",), np.array([[2, 4]]), np.array([4]))
    assert str(told.value) == "an AND of a circuit reads the inputs and the ANDs before it, and one reads something else"
    with pytest.raises(BadValue) as told:
        some(0).run(np.zeros((2, 4)))
    assert str(told.value) == "this circuit expects rows of 5 zeros and ones, got an array of shape (2, 4)"


def test_constants_of_the_widest_table_are_all_ones():
    assert ones(2) == 0b1111 and circuits.from_tables([ones(2)], 2).roots.tolist() == [1]


def test_cells_of_rows_that_are_no_bits_are_refused():
    names = ["a", "b"]
    for x, y, why in (
        ([[0, 2]], [1], "each row has bits, each 0 or 1, got 2"),
        ([[0, 0.5]], [1], "each row has bits, each 0 or 1, got 0.5"),
        ([["0", "1"]], [1], "each row has bits, each 0 or 1, got '0'"),
        ([[0, 1], [1]], [1, 1], "each row has bits, as many as the others, each 0 or 1"),
        ([[0, 1, 1]], [1], "rows of 2 inputs must be a table of that many columns, got an array of shape (1, 3)"),
        ([[0, 1]], [3], "the column 'y' has bits, each 0 or 1, got 3"),
        ([[0, 1]], [1, 0], "there are 1 rows and 2 labels 'y': give each row one"),
    ):
        with pytest.raises(BadValue) as told:
            circuits.from_rows(x, {"y": y}, names)
        assert str(told.value) == why
    with pytest.raises(BadValue) as told:
        circuits.from_rows(np.ones((1, 64)), {"y": [1]}, [f"i{k}" for k in range(64)])
    assert str(told.value) == "a truth table of 64 inputs has 2^64 rows: use at most 20 inputs, or fewer features"
    assert circuits.from_rows(np.array([[True, False]]), {"y": [np.True_]}, names)[0].run([[1, 0]]).tolist() == [[1]]
