"""MONK-1 end to end: learned from 124 robots, simplified, written, proved equal to its rule; other people's tools agree on all 432."""

import shutil
import subprocess

import numpy as np
import pytest

import lensgrad as lg
from lensgrad import circuits
from lensgrad import circuits as ways
from lensgrad.circuits import LearnedCircuit, load_circuit
from lensgrad.circuits.gates.circuit import Builder
from lensgrad.circuits.proofs import checker
from tests.circuits.test_simplify import MONK

pytestmark = pytest.mark.skipif(not MONK.is_dir(), reason="not run: the MONK's problems are not in the data folder")
COLUMNS = ("a1", "a2", "a3", "a4", "a5", "a6")


def robots(part):
    rows = np.array([line.split()[:7] for line in (MONK / part).read_text(encoding="utf-8").splitlines() if line.strip()], int)
    return dict(zip(COLUMNS, rows[:, 1:].T, strict=True)), rows[:, 0]


def rule(names, output):
    def body(x):
        same = x["a1=1"] & x["a2=1"] | x["a1=2"] & x["a2=2"] | x["a1=3"] & x["a2=3"]
        return {output: same | x["a5=1"]}

    return circuits.formula(names, body)


def gated(circuit, care):
    """A circuit with its output 0 where the care set is 0, for tools that know no care sets."""
    made = Builder(care.inputs)
    where = dict(zip(care.inputs, made.literals, strict=True))
    (value,) = made.inline(circuit, [where[n] for n in circuit.inputs])
    return made.finish(circuit.outputs, [made.conj(value, made.inline(care, made.literals)[0])])


@pytest.fixture(scope="module")
def learned():
    """Learned from the training part of the official split only."""
    table, labels = robots("monks-1.train")
    encoder = lg.data.encoder(table, categorical="all")
    problem = ways.Problem(encoder.encode(table), labels, encoder.names, ("class=1",), 2)
    found = ways.learn(problem, ways.Plan(), "anf")
    return LearnedCircuit(encoder, found.circuit, ("0", "1"), "class", found.method)


@pytest.fixture(scope="module")
def small(learned):
    return learned.simplified()


@pytest.fixture(scope="module")
def others(small):
    """The rule, and the circuit and the rule where the care set holds."""
    monk = rule(small.circuit.inputs, "class=1")
    return monk, gated(small.circuit, small.care), gated(monk, small.care)


def test_it_is_right_on_all_robots_and_needs_at_most_twenty_ands(learned, small):
    table, labels = robots("monks-1.test")
    assert (learned.predict(table) == labels).all() and (small.predict(table) == labels).all()
    assert small.circuit.size <= 20 and small.whole.size <= 40
    assert small.rule == "class=1 = a5=1 | a1=1 & a2=1 | a1=2 & a2=2 | a1=3 & a2=3"


def test_it_is_proved_equal_to_its_rule_from_files_of_every_kind(small, others, tmp_path):
    pytest.importorskip("pysat", reason="not run: proofs need the extra `sat`")
    small.save(tmp_path / "monk.aig")
    circuits.write(others[0], tmp_path / "rule.aig")
    for ending in ("aig", "aag", "blif"):
        circuits.write(small.circuit, tmp_path / f"monk.{ending}")
        verdict = circuits.equal_files(tmp_path / f"monk.{ending}", tmp_path / "rule.aig", tmp_path / "monk.care.aig")
        assert verdict.status == "proved"
    verdict.save(tmp_path / "proof")
    assert checker.check(*(str(tmp_path / "proof" / n) for n in ("left.aig", "right.aig", "proof.drat", "care.aig"))) > 0
    assert load_circuit(tmp_path / "monk.aig").circuit == small.circuit.tidy()


def missing(tool):
    return pytest.mark.skipif(shutil.which(tool) is None, reason=f"not run: no {tool} on PATH")


@missing("abc")
def test_abc_finds_the_learned_circuit_and_the_rule_equivalent(others, tmp_path):
    def cec(left, right):
        ran = subprocess.run(["abc", "-q", f"cec -n {left} {right}"], cwd=tmp_path, capture_output=True, text=True, check=True)
        return "Networks are equivalent" in ran.stdout

    _, circuit, monk = others
    wrong = circuits.Circuit(circuit.inputs, circuit.outputs, circuit.ands, circuit.roots ^ 1)
    for made, name in ((circuit, "a.aig"), (circuit, "a.blif"), (monk, "b.aig"), (wrong, "c.aig")):
        circuits.write(made, tmp_path / name)
    assert cec("a.aig", "b.aig") and cec("a.blif", "b.aig") and not cec("c.aig", "b.aig")


@missing("yosys")
def test_a_yosys_miter_of_the_learned_circuit_and_the_rule_has_no_model(others, tmp_path):
    def holds(gold, gate):
        (tmp_path / "a.v").write_text(circuits.verilog(gold, "gold") + circuits.verilog(gate, "gate"), encoding="utf-8")
        script = "read_verilog a.v; proc; opt; miter -equiv -flatten -make_assert gold gate m; sat -verify -prove-asserts m"
        return subprocess.run(["yosys", "-q", "-p", script], cwd=tmp_path, capture_output=True, check=False).returncode == 0

    _, circuit, monk = others
    assert holds(monk, circuit) and not holds(monk, circuits.Circuit(circuit.inputs, circuit.outputs, circuit.ands, circuit.roots ^ 1))


@missing("iverilog")
def test_iverilog_finds_no_mismatch_on_all_432_robots(small, others, tmp_path):
    table, _ = robots("monks-1.test")
    bits = small.encoder.encode(table)
    (tmp_path / "t.v").write_text(circuits.verilog(small.circuit) + circuits.testbench(others[0], bits), encoding="utf-8")
    subprocess.run(["iverilog", "-g2005", "-o", tmp_path / "t", tmp_path / "t.v"], check=True)
    told = subprocess.run(["vvp", tmp_path / "t"], capture_output=True, text=True, check=True).stdout
    assert told.splitlines()[0] == "mismatches 0 of 432"
