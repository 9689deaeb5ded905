"""Proofs that circuits are equal and have properties, counter-examples by name, and the same on the command line and by others' tools."""

import itertools
import shutil
import subprocess
import sys
from itertools import product

import numpy as np
import pytest

from lensgrad import circuits, cli
from lensgrad.circuits.proofs import checker
from lensgrad.circuits.proofs import sat as solve
from lensgrad.core.errors import BadValue, MissingExtra, WireError
from tests.circuits.proving import checked, multiplier, one_hot, rule
from tests.circuits.test_formats import EPFL, epfl, some
from tests.circuits.test_simplify import FEATURES, MONK, monk

pysat = pytest.importorskip("pysat", reason="not run: proofs need the extra `sat`")


def brute(question):
    """Whether two circuits differ somewhere, row by row."""
    n = len(question.left.inputs)
    return any(
        question.left.run([row]).tolist() != question.right.run([row]).tolist()
        and (question.care is None or question.care.run([row])[0, 0])
        for row in product((0, 1), repeat=n)
    )


@pytest.mark.parametrize("seed", range(20))
def test_the_verdict_is_that_of_all_rows_and_every_proof_is_accepted(seed, tmp_path):
    left, right = some(seed, 4, 12, 2), some(seed, 4, 12, 2).tidy()
    if seed % 2:
        right = circuits.Circuit(right.inputs, right.outputs, right.ands, right.roots ^ [0, 1])
    care = some(seed + 100, 4, 12, 1) if seed % 4 > 1 else None
    verdict = circuits.equal(left, right, care)
    assert (verdict.status == "refuted") == brute(verdict.question)
    if verdict.status == "proved":
        verdict.save(tmp_path)
        files = [tmp_path / "left.aig", tmp_path / "right.aig", tmp_path / "proof.drat", tmp_path / "care.aig"]
        assert isinstance(checked(*files[: 4 if care else 3]), int)
    else:
        row = [list(verdict.counterexample.values())]
        assert left.run(row).tolist() != right.run(row).tolist() and (care is None or care.run(row)[0, 0])


def test_inputs_and_outputs_are_matched_by_name():
    left = circuits.formula(["a", "b"], lambda x: {"u": x["a"] & ~x["b"], "v": x["b"]})
    right = circuits.formula(["b", "a"], lambda x: {"v": x["b"], "u": ~x["b"] & x["a"]})
    assert circuits.equal(left, right).status == "proved"
    other = circuits.formula(["a", "c"], lambda x: {"u": x["a"], "v": x["c"]})
    with pytest.raises(BadValue) as told:
        circuits.equal(left, other)
    assert str(told.value) == "circuits are compared when they have the same inputs, and only one of these has b and c: rename them"
    assert circuits.equal(left, left.renamed(["i0", "i1"])).status == "proved"


def test_a_counterexample_is_told_by_feature_name():
    left = circuits.formula(["age", "smokes", "old"], lambda x: {"risk": x["smokes"] & (x["age"] | x["old"])})
    right = circuits.formula(["age", "smokes", "old"], lambda x: {"risk": x["smokes"] & x["age"]})
    told = """\
refuted: not always true that the two circuits are equal
  inputs 1: smokes, old
  inputs 0: age
  risk: left 1, right 0"""
    assert str(circuits.equal(left, right)) == told


def test_a_solver_without_time_knows_nothing():
    verdict = circuits.equal(rule(), rule(), timeout=0)
    assert (verdict.status, verdict.proof, verdict.counterexample) == ("unknown", None, None)
    assert str(verdict) == "unknown: the solver ran out of time before it could tell whether the two circuits are equal"
    with pytest.raises(BadValue) as told:
        circuits.certificate(verdict, "nowhere", [])
    assert str(told.value) == "only what is proved has a proof, and this is unknown"


def test_a_hard_question_is_unknown_when_its_time_is_over_and_never_equal(monkeypatch):
    monkeypatch.setattr(solve, "SLICE", 1)
    clock = itertools.count(0.0, 1.0)
    monkeypatch.setattr(solve.time, "monotonic", lambda: next(clock))
    verdict = circuits.equal(multiplier(range(6)), multiplier([5, 3, 1, 0, 2, 4]), timeout=1.5)
    assert verdict.status == "unknown"


def test_a_verdict_is_no_truth_value():
    with pytest.raises(BadValue) as told:
        bool(circuits.equal(rule(), rule()))
    assert str(told.value) == "a verdict has three values: compare its status with 'proved', 'refuted' or 'unknown'"


def test_a_formula_is_written_with_gates():
    with pytest.raises(WireError) as told:
        circuits.formula(["a", "b"], lambda x: {"y": x["a"] and x["b"]})
    assert str(told.value) == "a bit of a formula has no value yet: write & | ~ where Python has and, or, not"
    with pytest.raises(WireError) as told:
        circuits.formula(["a"], lambda x: {"y": x["a"] & 1})
    assert str(told.value) == "a bit of a formula must be joined with bits of the same formula, got 1"
    with pytest.raises(BadValue) as told:
        circuits.formula(["a"], lambda x: [x["a"]])
    assert str(told.value) == "a formula must return a dict from names of outputs to bits, got [Bit(2)]"


def test_without_a_solver_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "pysat.solvers", None)
    with pytest.raises(MissingExtra) as told:
        circuits.equal(rule(), rule())
    assert str(told.value) == "proofs need a SAT solver, which is not installed: pip install 'lensgrad[sat]'"


# -- properties --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
def test_properties_are_those_of_all_rows(seed):
    circuit = some(seed, 4, 10, 2)
    table = {row: circuit.run([row])[0].tolist() for row in product((0, 1), repeat=4)}

    def put(row, k, v):
        return (*row[:k], v, *row[k + 1 :])

    for k, name in enumerate(circuit.inputs):
        wanted = all(table[put(row, k, 0)] == table[put(row, k, 1)] for row in table)
        assert (circuits.irrelevant(circuit, name).status == "proved") == wanted
        wanted = all(a <= b for row in table for a, b in zip(table[put(row, k, 0)], table[put(row, k, 1)], strict=True))
        assert (circuits.monotone(circuit, name).status == "proved") == wanted
    wanted = all(table[row] == table[row[1], row[0], *row[2:]] for row in table)
    assert (circuits.fair(circuit, {"a": "b"}).status == "proved") == wanted
    start = (0, 1, 1, 0)
    distances = [sum(x != y for x, y in zip(row, start, strict=True)) for row in table if table[row] != table[start]]
    radius, verdict = circuits.hamming_radius(circuit, start)
    assert radius == min(distances, default=5) - 1
    assert verdict.status == ("refuted" if distances else "proved")


def test_monk_1_has_the_properties_its_rule_says():
    care = one_hot()
    assert circuits.irrelevant(rule(), ["a6=1", "a6=2"], care).status == "proved"
    assert circuits.irrelevant(rule(), "a5=1").status == "refuted"
    assert circuits.monotone(rule(), "a5=1").status == "proved"
    swap = {f"a1={k}": f"a2={k}" for k in (1, 2, 3)}
    verdict = circuits.fair(rule(), swap, care)
    told = "a1=1 and a2=1, a1=2 and a2=2, a1=3 and a2=3"
    assert str(verdict) == f"proved: exchanging {told} changes nothing"


def test_questions_about_inputs_that_are_not_there_are_refused():
    circuit = circuits.formula(["a", "b"], lambda x: {"y": x["a"] & x["b"]})
    with pytest.raises(BadValue) as told:
        circuits.monotone(circuit, "c")
    assert str(told.value) == "the circuit has no input 'c', it has a, b"
    with pytest.raises(BadValue) as told:
        circuits.robust(circuit, [0], 1)
    assert str(told.value) == "a row of this circuit must have 2 zeros and ones, got an array of shape (1,)"
    with pytest.raises(BadValue) as told:
        circuits.equal(circuit, circuit, circuit.renamed(outputs=["care"]), timeout=-1)
    assert str(told.value) == "a time-out, in seconds, must be a number ≥ 0, got -1"


# -- circuits end to end -----------------------------------------------------------------------------------------------


@pytest.mark.skipif(not EPFL, reason="the EPFL circuits are not in the data folder")
@pytest.mark.parametrize("name", ["ctrl", "int2float", "router"])
def test_what_simplifying_an_epfl_circuit_did_is_certified(name, tmp_path):
    verdict = circuits.equal(epfl(name), circuits.simplify(epfl(name)))
    verdict.save(tmp_path)
    assert checked(tmp_path / "left.aig", tmp_path / "right.aig", tmp_path / "proof.drat") > 0


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def call(*args):
        code = cli.main(["circuit", *args])
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.mark.skipif(not MONK.is_dir(), reason="the MONK's problems are not in the data folder")
def test_monk_1_from_rows_to_a_proof_on_the_command_line(run, tmp_path):
    x, y = monk("monks-1.test")
    learned, care = circuits.from_rows(x, {"y": y}, FEATURES)
    for circuit, name in ((learned, "learned.aig"), (care, "rows.aig"), (rule(), "rule.blif")):
        circuits.write(circuit, tmp_path / name)
    code, out, err = run("simplify", "learned.aig", "-o", "small.blif", "--care", "rows.aig")
    small = circuits.read("small.blif")
    assert (code, err, small.size <= 20) == (0, "", True)
    assert out == f"learned.aig: {learned.size} ANDs, depth {learned.depth}\nsmall.blif: {small.size} ANDs, depth {small.depth}\n"
    code, out, err = run("prove", "small.blif", "rule.blif", "--care", "rows.aig", "--proof", "same.drat")
    assert (code, out, err) == (0, "proved: the two circuits are equal on the care set\nproof: same.drat\n", "")
    assert checker.main(["small.blif", "rule.blif", "same.drat", "rows.aig"]) == 0
    assert checker.main(["rule.blif", "small.blif", "same.drat", "rows.aig"]) == 1


def test_the_command_line_shows_exports_and_refutes(run, tmp_path):
    one = circuits.formula(["a[0]", "a[1]"], lambda x: {"y": x["a[0]"] & x["a[1]"]})
    two = circuits.formula(["a[0]", "a[1]"], lambda x: {"y": x["a[0]"] | x["a[1]"]})
    circuits.write(one, tmp_path / "one.aag")
    circuits.write(two, tmp_path / "two.blif")
    shown = "one.aag: 2 inputs, 1 output, 1 AND, depth 1\ninputs   a[0] a[1]\noutputs  y\n"
    assert run("show", "one.aag", "--names") == (0, shown, "")
    for kind, ending in (("verilog", "v"), ("blif", "blif"), ("c", "c"), ("aig", "aig")):
        assert run("export", "one.aag", "--to", kind) == (0, f"one.{ending}: 2 inputs, 1 output, 1 AND, depth 1\n", "")
    assert (tmp_path / "one.v").read_text(encoding="utf-8") == circuits.verilog(one)
    assert (tmp_path / "one.c").read_text(encoding="utf-8") == circuits.c_source(one)
    assert run("prove", "one.aag", "one.blif")[0] == 0
    code, out, err = run("prove", "one.aag", "two.blif")
    assert (code, err) == (1, "") and out.startswith("refuted: not always true that the two circuits are equal\n  inputs 1: a[")
    assert run("prove", "one.aag", "one.blif", "--timeout", "0")[0:2] == (
        3, "unknown: the solver ran out of time before it could tell whether the two circuits are equal\n"
    )  # fmt: skip


def test_wrong_calls_of_the_command_line_are_one_sentence(run, tmp_path):
    (tmp_path / "a.aag").write_text("aag 1 0 1 0 0\n2 3\n", encoding="utf-8")
    told = "'a.aag', line 1: the circuit has 1 latches, so it is sequential: only combinational circuits can be read"
    assert run("show", "a.aag") == (2, "", f"lensgrad: {told}\n")
    circuits.write(rule(), tmp_path / "r.aag")
    told = "'vhdl' is no format that circuits are written in; use one of aag, aig, blif, verilog, c"
    assert run("export", "r.aag", "--to", "vhdl") == (2, "", f"lensgrad: {told}\n")
    told = "--stages, --no-buses and --testbench are for --to verilog"
    assert run("export", "r.aag", "--to", "c", "--stages", "1") == (2, "", f"lensgrad: {told}\n")


# -- other people's tools ----------------------------------------------------------------------------------------------


def missing(tool):
    return pytest.mark.skipif(shutil.which(tool) is None, reason=f"not run: no {tool} on PATH")


@missing("abc")
def test_abc_agrees_about_equal_and_different_circuits(tmp_path):
    def cec(left, right):
        ran = subprocess.run(["abc", "-q", f"cec -n {left} {right}"], cwd=tmp_path, capture_output=True, text=True, check=True)
        return "Networks are equivalent" in ran.stdout

    small = circuits.from_tables(rule().tables(), FEATURES, ["y"])
    other = circuits.Circuit(small.inputs, small.outputs, small.ands, small.roots ^ 1)
    for circuit, name in ((rule(), "a.aig"), (small, "b.aig"), (small, "b.blif"), (other, "c.aig")):
        circuits.write(circuit, tmp_path / name)
    assert cec("a.aig", "b.aig") and cec("a.aig", "b.blif") and not cec("a.aig", "c.aig")


@missing("yosys")
def test_a_yosys_miter_agrees(tmp_path):
    def holds(gate):
        (tmp_path / "a.v").write_text(circuits.verilog(rule(), "gold") + circuits.verilog(gate, "gate"), encoding="utf-8")
        script = "read_verilog a.v; proc; opt; miter -equiv -flatten -make_assert gold gate m; sat -verify -prove-asserts m"
        return subprocess.run(["yosys", "-q", "-p", script], cwd=tmp_path, capture_output=True, check=False).returncode == 0

    small = circuits.from_tables(rule().tables(), FEATURES, ["y"])
    assert holds(small) and not holds(circuits.Circuit(small.inputs, small.outputs, small.ands, small.roots ^ 1))


@missing("iverilog")
@pytest.mark.skipif(not MONK.is_dir(), reason="the MONK's problems are not in the data folder")
def test_iverilog_runs_all_432_rows_of_monk_1(tmp_path):
    x, y = monk("monks-1.test")
    learned = circuits.from_rows(x, {"y": y}, FEATURES)[0]
    assert np.array_equal(learned.run(x), rule().run(x))
    (tmp_path / "t.v").write_text(circuits.verilog(learned) + circuits.testbench(rule(), x), encoding="utf-8")
    subprocess.run(["iverilog", "-g2005", "-o", tmp_path / "t", tmp_path / "t.v"], check=True)
    told = subprocess.run(["vvp", tmp_path / "t"], capture_output=True, text=True, check=True).stdout
    assert told.splitlines()[0] == "mismatches 0 of 432"
