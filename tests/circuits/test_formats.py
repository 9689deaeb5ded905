"""AIGER, BLIF, Verilog and C: read, written, and what is refused."""

import ctypes
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from lensgrad import circuits
from lensgrad.circuits.formats.names import RENAME
from lensgrad.circuits.gates import circuit as circuit_module
from lensgrad.core.errors import BadValue

DATA = Path(os.environ.get("LENSGRAD_DATA", "")) / "circuits"
EPFL = sorted(p.stem for p in (DATA / "epfl").glob("*.aig"))
BOTH = [name for name in EPFL if (DATA / "epfl" / f"{name}.blif").exists()]


def epfl(name, ending="aig"):
    return circuits.read(DATA / "epfl" / f"{name}.{ending}")


def rows(circuit, count=256, seed=0):
    return np.random.default_rng(seed).integers(0, 2, (count, len(circuit.inputs)))


def some(seed, inputs=5, gates=30, outputs=3):
    """A random circuit with ANDs that repeat, fold and are unused."""
    draw = np.random.default_rng(seed)
    ands = [draw.integers(0, 2 * (1 + inputs + k), 2) for k in range(gates)]
    roots = draw.integers(0, 2 * (1 + inputs + gates), outputs)
    return circuits.Circuit(tuple("abcdefgh"[:inputs]), tuple(f"y[{k}]" for k in range(outputs)), np.array(ands), roots)


def by_hand(circuit, row):
    """One row through the gates, one by one."""
    values = [0, *map(int, row)]
    for a, b in circuit.ands.tolist():
        values.append((values[a >> 1] ^ a & 1) & (values[b >> 1] ^ b & 1))
    return [values[r >> 1] ^ r & 1 for r in circuit.roots.tolist()]


@pytest.mark.parametrize("seed", range(5))
def test_many_rows_at_once_are_the_rows_one_by_one(seed):
    circuit = some(seed)
    x = rows(circuit, 77, seed)
    assert circuit.run(x).tolist() == [by_hand(circuit, row) for row in x]


@pytest.mark.skipif(not EPFL, reason="the EPFL circuits are not in the data folder")
@pytest.mark.parametrize("name", EPFL)
def test_an_epfl_circuit_comes_back_from_every_format_gate_by_gate(name):
    circuit, raw = epfl(name), (DATA / "epfl" / f"{name}.aig").read_bytes()
    assert raw.startswith(circuits.binary_aiger(circuit)), "all but the comment, byte by byte"
    assert circuits.read_aiger(circuits.binary_aiger(circuit)) == circuit
    assert circuits.read_aiger(circuits.ascii_aiger(circuit).encode()) == circuit
    assert circuits.read_blif(circuits.blif(circuit)) == circuit


@pytest.mark.skipif(not BOTH, reason="the EPFL circuits are not in the data folder")
@pytest.mark.parametrize("name", BOTH)
def test_the_two_files_of_an_epfl_circuit_agree(name):
    left, right = epfl(name), epfl(name, "blif")
    x = rows(left)
    assert (left.inputs, left.outputs) == (right.inputs, right.outputs)
    assert np.array_equal(left.run(x), right.run(x)) and left.run(x).any()


@pytest.mark.skipif("adder" not in EPFL, reason="the EPFL circuits are not in the data folder")
def test_the_adder_adds():
    adder, draw = epfl("adder"), np.random.default_rng(1)
    a, b = draw.integers(0, 2, (2, 20, 128))
    sums = adder.run(np.concatenate([a, b], 1))
    number = [[sum(int(v) << k for k, v in enumerate(row)) for row in bits] for bits in (a, b, sums)]
    assert [x + y for x, y in zip(*number[:2], strict=True)] == number[2]


@pytest.mark.parametrize("seed", range(8))
def test_any_circuit_comes_back_from_aiger_and_keeps_its_values_in_blif(seed, tmp_path):
    circuit = some(seed)
    sorted_ands = np.sort(circuit.ands, axis=1)[:, ::-1]
    for ending in ("aag", "aig"):
        circuits.write(circuit, tmp_path / f"c.{ending}")
        back = circuits.read(tmp_path / f"c.{ending}")
        assert np.array_equal(np.sort(back.ands, axis=1)[:, ::-1], sorted_ands) and back.tables() == circuit.tables()
    circuits.write(circuit, tmp_path / "c.blif")
    assert circuits.read(tmp_path / "c.blif").tables() == circuit.tables()


def test_ascii_aiger_may_list_its_gates_in_any_order():
    text = "aag 7 2 0 1 3\n14\n4\n6\n6 13 11\n12 15 5\n10 14 4\ni0 x\ni1 y\no0 x+y\nc\nanything\n"
    circuit = circuits.read_aiger(text.encode())
    assert (circuit.inputs, circuit.outputs, circuit.tables()) == (("x", "y"), ("x+y",), [0b0110])


def test_blif_tables_of_any_kind():
    text = """\
# a comment
.model top
.inputs a b \\
  c
.outputs one zero off any
.names one
1
.names zero
.names a b c off
1-1 0
01- 0
.names any2 any
1 1
.names a b c any2
1-- 1
-01 1
.end
"""
    one, zero, off, anyof = circuits.read_blif(text).tables()
    table = [(s & 1, s >> 1 & 1, s >> 2) for s in range(8)]
    assert (one, zero) == (255, 0)
    assert off == sum((not ((a and c) or (not a and b))) << s for s, (a, b, c) in enumerate(table))
    assert anyof == sum(bool(a or (not b and c)) << s for s, (a, b, c) in enumerate(table))


HEAD = "aag 3 2 0 1 1\n2\n4\n6\n"
AIGER = {
    "agg 1 1 0 0 0\n": "line 1: an AIGER file begins with 'aag' or 'aig', got 'agg'",
    "aag 1 1 0 0\n": "line 1: the header must be 'aag M I L O A' in numbers, got 'aag 1 1 0 0'",
    "aag 3 2 1 1 0\n": "line 1: the circuit has 1 latches, so it is sequential: only combinational circuits can be read",
    "aag 3 2 0 1 1 1\n": "line 1: the circuit states bad states, constraints, justice or fairness, which combinational circuits have not",
    "aag 2 2 0 1 1\n": "line 1: the largest variable 2 does not fit 2 inputs and 1 ANDs",
    "aag 3 2 0 1 1\n2\n": "line 3: the file ends where an input should stand",
    "aag 3 2 0 1 1\n2\nx\n": "line 3: an input is 1 number with one space between, got 'x'",
    "aag 3 2 0 1 1\n3\n": "line 2: an input must be defined by an even literal above 0, got 3",
    "aag 3 2 0 1 1\n2\n4\n9\n": "line 4: literal 9 is above the largest variable 3",
    HEAD + "6 2\n": "line 5: an AND is 3 numbers with one space between, got '6 2'",
    HEAD + "6 2 6\n": "line 5: variable 3 depends on itself",
    "aag 4 2 0 1 1\n2\n4\n6\n6 2 8\n": "line 5: variable 4 is read and never defined",
    HEAD + "6 2 4\ni2 x\n": "line 6: a symbol must be i or o, the number of an input or output, a space and a name, got 'i2 x'",
}


@pytest.mark.parametrize("text", AIGER)
def test_a_malformed_aiger_file_is_refused_with_line_and_reason(text):
    with pytest.raises(BadValue) as told:
        circuits.read_aiger(text.encode(), "a.aag")
    assert str(told.value) == f"'a.aag', {AIGER[text]}"


BINARY = {
    b"aig 3 2 0 1 1\n6\n\x02": "'a.aig', byte 18: the file ends inside the binary ANDs",
    b"aig 3 2 0 1 1\n6\n\x00\x02": "'a.aig', byte 18: AND 3 reads a literal that is not before it",
    b"aig 3 2 0 1 1\n6\n\x02\x09": "'a.aig', byte 18: AND 3 reads a literal that is not before it",
}


@pytest.mark.parametrize("raw", BINARY)
def test_a_malformed_binary_aiger_file_is_refused_with_the_byte(raw):
    with pytest.raises(BadValue) as told:
        circuits.read_aiger(raw, "a.aig")
    assert str(told.value) == BINARY[raw]


TOP = ".model top\n.inputs a b\n.outputs y\n"
BLIF = {
    "": "line 1: a BLIF file begins with .model, and this one has no commands",
    TOP + ".latch a y re clk 0\n": "line 4: .latch makes the circuit sequential: only combinational circuits can be read",
    TOP + ".subckt f x=a\n": "line 4: .subckt is no command that can be read here; use .model, .inputs, .outputs, .names and .end",
    TOP + "11 1\n": "line 4: a row of a table stands outside of .names: '11 1'",
    TOP + ".names a b y\n1 1\n": "line 5: a row is 2 of 0, 1 and -, a space, and 0 or 1, got '1 1'",
    TOP + ".names a b y\n1x 1\n": "line 5: a row is 2 of 0, 1 and -, a space, and 0 or 1, got '1x 1'",
    TOP + ".names a b y\n11 1\n00 0\n": "line 6: the rows of one table all end in 0 or all end in 1, and this one has both",
    TOP + ".names a b a\n": "line 4: 'a' is defined twice",
    TOP + ".names z y\n1 1\n.end\n": "line 4: 'z' is read and never defined",
    TOP + ".names y a y\n11 1\n.end\n": "line 4: 'y' depends on itself",
    TOP + ".names a y\n1 1\n.end\n.model two\n": "line 7: there is more after .end, and only files of one model can be read",
}


@pytest.mark.parametrize("text", BLIF)
def test_a_malformed_blif_file_is_refused_with_line_and_reason(text):
    with pytest.raises(BadValue) as told:
        circuits.read_blif(text, "a.blif")
    assert str(told.value) == f"'a.blif', {BLIF[text]}"


def test_an_output_that_nothing_defines_is_named():
    with pytest.raises(BadValue) as told:
        circuits.read_blif(TOP + ".end\n", "a.blif")
    assert str(told.value) == "'a.blif': output 'y' is never defined"


def test_a_file_of_another_kind_is_refused(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("hello", encoding="utf-8")
    with pytest.raises(BadValue) as told:
        circuits.read(file)
    assert str(told.value) == "'a.txt' is no circuit that can be read: give AIGER (.aig, .aag) or BLIF (.blif)"
    with pytest.raises(BadValue) as told:
        circuits.write(some(0), file)
    assert str(told.value) == "a circuit is written to .aig, .aag, .blif, .v or .c, and 'a.txt' is none of these"


def test_names_that_blif_cannot_say_are_refused():
    circuit = circuits.Circuit(("a",), ("a",), np.zeros((0, 2)), np.array([3]))
    with pytest.raises(BadValue) as told:
        circuits.blif(circuit)
    assert str(told.value) == "'a' names an input and an output that differ, which BLIF cannot say: " + RENAME
    with pytest.raises(BadValue) as told:
        circuits.blif(circuit.renamed(outputs=["#"]))
    assert str(told.value) == "the name '#' cannot be written to BLIF, where # . and \\ have meanings of their own: " + RENAME


def compiler():
    return shutil.which("cc") or shutil.which("gcc")


@pytest.mark.skipif(compiler() is None, reason="not run: no C compiler")
def test_compiled_c_gives_the_values_of_the_circuit(tmp_path):
    circuit = some(3, inputs=6)
    circuits.write(circuit, tmp_path / "c.c")
    flags = ["-Wall", "-Wno-unused-variable", "-Werror", "-O1", "-shared", "-fPIC"]
    subprocess.run([compiler(), *flags, "-o", tmp_path / "c.so", tmp_path / "c.c"], check=True)
    masks = [sum(1 << s for s in range(64) if s >> i & 1) for i in range(6)]
    given, found = (ctypes.c_uint64 * 6)(*masks), (ctypes.c_uint64 * 3)()
    ctypes.CDLL(str(tmp_path / "c.so")).circuit(given, found)
    assert list(found) == circuit.tables()


def test_verilog_groups_buses_escapes_names_and_delays_outputs():
    made = circuits.Builder(["x[0]", "x[1]", "a=1", "wire"])
    a, b, c, d = made.literals
    circuit = made.finish(["y"], [made.conj(made.conj(a, b), made.conj(c, d ^ 1))])
    flat = circuits.verilog(circuit)
    assert (
        flat
        == """\
module circuit (x, \\a=1 , \\wire , y);
  input [1:0] x;
  input \\a=1 ;
  input \\wire ;
  output y;
  wire n5;
  assign n5 = ~\\wire  & \\a=1 ;
  wire n6;
  assign n6 = x[1] & x[0];
  wire n7;
  assign n7 = n6 & n5;
  assign y = n7;
endmodule
"""
    )
    assert "input \\x[0] ;" in circuits.verilog(circuit, buses=False)
    registers = "  always @(posedge clk) begin\n    n5_1 <= n5;\n    n6_1 <= n6;\n    n7_1 <= n7;\n  end\n"
    assert registers in circuits.verilog(circuit, stages=2)
    with pytest.raises(BadValue) as told:
        circuits.verilog(circuit, stages=-1)
    assert str(told.value) == "the number of stages of a pipeline must be a whole number from 0 to 1000, got -1"


def simulator():
    found = shutil.which("iverilog")
    return found and shutil.which("vvp") and found


@pytest.mark.skipif(not simulator(), reason="not run: no iverilog on PATH")
@pytest.mark.parametrize("stages", [0, 1, 3])
def test_iverilog_finds_no_mismatch_and_finds_one_that_is_there(stages, tmp_path):
    circuit = some(4)
    x = rows(circuit, 32)
    other = circuits.Circuit(circuit.inputs, circuit.outputs, circuit.ands, circuit.roots ^ 1)
    for tested, wanted in ((circuit, "mismatches 0 of 32"), (other, "mismatches 32 of 32")):
        text = circuits.verilog(tested, stages=stages) + circuits.testbench(circuit, x, stages=stages)
        (tmp_path / "t.v").write_text(text, encoding="ascii")
        subprocess.run(["iverilog", "-g2005", "-Wall", "-o", tmp_path / "t", tmp_path / "t.v"], check=True, capture_output=True)
        assert subprocess.run(["vvp", tmp_path / "t"], capture_output=True, text=True, check=True).stdout.splitlines()[0] == wanted


@pytest.mark.parametrize("ands", [0, 1, 40])
def test_many_rows_run_on_lanes_as_few_rows_run_on_numbers(ands, monkeypatch):
    rng = np.random.default_rng(ands)
    pairs = [rng.integers(0, 2 * (1 + 6 + k), 2) for k in range(ands)]
    roots = np.concatenate([[0, 1, 2, 3], rng.integers(0, 2 * (7 + ands), 5)])
    made = circuits.Circuit(tuple("abcdef"), tuple(f"y{k}" for k in range(len(roots))), np.array(pairs).reshape(-1, 2), roots)
    x = rng.integers(0, 2, (700, 6), np.uint8)
    by_numbers = made.run(x)
    monkeypatch.setattr(circuit_module, "LARGE", 0)
    np.testing.assert_array_equal(made.run(x), by_numbers)
    assert made.run(x).dtype == by_numbers.dtype
    monkeypatch.setenv("CC", "")
    np.testing.assert_array_equal(made.run(x), by_numbers)
