"""Sweeping: wires that are equal, proved one after the other, with steps that the checker takes."""

from itertools import product

import numpy as np
import pytest

from lensgrad import circuits
from lensgrad.circuits.gates import simplify
from lensgrad.circuits.gates.simplify import rewritten
from lensgrad.circuits.proofs import checker
from lensgrad.circuits.proofs.sweep import Answer, Sweep
from tests.circuits.proving import FILES, checked
from tests.circuits.test_formats import some

pysat = pytest.importorskip("pysat", reason="not run: proofs need the extra `sat`")


@pytest.mark.parametrize("seed", range(12))
def test_a_sweep_with_a_care_set_merges_what_is_equal_there_and_the_checker_takes_its_steps(seed, tmp_path):
    """Two circuits of one function on the rows that count, of many bits, against all rows."""
    left, care = some(seed, 5, 40, 3), some(seed + 50, 5, 6, 1)
    merged = simplify.merged(left, care)
    rows = np.array(list(product((0, 1), repeat=5)))
    counts = care.run(rows)[:, 0].astype(bool)
    assert np.array_equal(merged.run(rows)[counts], left.run(rows)[counts]) and merged.size <= left.size
    assert np.array_equal(simplify.merged(left).run(rows), left.run(rows))
    circuits.equal(left, merged, care).save(tmp_path)
    assert isinstance(checked(*(tmp_path / name for name in FILES)), int)


def gates(seed, inputs=24, layers=(60, 60, 60), classes=4):
    """A network of random two-input gates that vote, as learning makes them."""
    draw = np.random.default_rng(seed)
    made = circuits.Builder([f"x{k}" for k in range(inputs)])
    row = made.literals
    for width in layers:
        pairs = draw.integers(0, len(row), (width, 2))
        kinds = [made.conj, made.disj, made.xor]
        row = [kinds[draw.integers(3)](row[a] ^ int(draw.integers(2)), row[b]) for a, b in pairs]
    return circuits.network_circuit(made.finish([f"g{k}" for k in range(len(row))], row), classes)


def test_a_network_is_proved_equal_to_its_simplified_form_and_a_changed_gate_is_found(tmp_path):
    left = gates(1)
    small = rewritten(left.tidy())
    assert small.size < left.tidy().size
    verdict = circuits.equal(left, small)
    verdict.save(tmp_path)
    assert verdict.status == "proved" and checked(*(tmp_path / name for name in FILES[:3])) > 100
    ands = small.ands.copy()
    ands[len(ands) // 2, 0] ^= 1
    other = circuits.Circuit(small.inputs, small.outputs, ands, small.roots)
    assert circuits.equal(left, other).status == "refuted"


def test_sweeping_asks_no_solver_about_wires_that_are_the_same_gate():
    left = gates(2, layers=(32, 32))
    asked = Sweep(len(left.inputs), circuits.Question(left, left.tidy()).gates(), None)
    asked.ask = lambda *_: Answer(None)
    asked.run(lambda: True)
    right = [v for v, _, _ in asked.gates[left.size :]]
    assert all(asked.same[v] != v for v in right), "all of the second circuit is read as the first"


def test_the_question_is_written_in_dimacs_with_a_proof_that_follows_from_it(tmp_path):
    left = some(3)
    circuits.equal(left, left.tidy()).save(tmp_path)
    head, *lines = (tmp_path / "miter.cnf").read_text(encoding="ascii").splitlines()
    clauses = [list(map(int, line.split()))[:-1] for line in lines]
    assert head == f"p cnf {max(abs(x) for c in clauses for x in c)} {len(clauses)}" and all(line.endswith(" 0") for line in lines)
    steps = [line for line in (tmp_path / "proof.drat").read_text(encoding="ascii").splitlines() if not line.startswith("c")]
    assert checker.check_steps(clauses, list(enumerate(steps))) >= 0
