"""A checker of proofs that trusts nobody: what it reads, what it accepts, and what it notices."""

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lensgrad import circuits
from lensgrad.circuits.proofs import checker, miter
from tests.circuits.proving import FILES, checked, multiplier, one_hot, rule
from tests.circuits.test_formats import some
from tests.circuits.test_simplify import FEATURES

pysat = pytest.importorskip("pysat", reason="not run: proofs need the extra `sat`")


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("ending", ["aag", "aig", "blif"])
def test_the_checker_builds_the_same_clauses_from_the_files(seed, ending, tmp_path):
    left, right, care = some(seed), some(seed + 1), some(seed + 2, outputs=1)
    paths = [tmp_path / f"{name}.{ending}" for name in ("left", "right", "care")]
    for circuit, path in zip((left, right, care), paths, strict=True):
        circuits.write(circuit, path)
    question = circuits.Question(*map(circuits.read, paths))
    assert checker.miter(*(checker.circuit(p.read_bytes()) for p in paths)) == question.clauses()


def test_the_checker_reads_tables_and_orders_that_no_writer_here_makes():
    aag = b"aag 7 2 0 1 3\n14\n4\n6\n6 13 11\n12 15 5\n10 14 4\ni0 x\ni1 y\no0 z\n"
    blif = ".model m\n.inputs x y w\n.outputs z\n.names t w z\n1- 0\n-1 0\n.names x y \\\n w t\n11- 1\n0-1 1\n10- 1\n.end\n"
    for raw, circuit in ((aag, circuits.read_aiger(aag)), (blif.encode(), circuits.read_blif(blif))):
        inputs, outputs, gates, roots = checker.circuit(raw)
        assert (tuple(inputs), tuple(outputs)) == (circuit.inputs, circuit.outputs)
        assert [list(map(list, gates)), roots] == [circuit.ands.tolist(), circuit.roots.tolist()]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Two circuits that are equal on a care set, with a proof of more than one step, in files."""
    folder = tmp_path_factory.mktemp("proved")
    made = circuits.Builder(FEATURES)
    x = dict(zip(FEATURES, made.literals, strict=True))
    cases = [made.all([x[f"a1={k}"], x[f"a2={m}"]]) for k in (1, 2, 3) for m in (1, 2, 3) if k != m]
    clumsy = made.finish(["y"], [made.conj(made.any(cases), x["a5=1"] ^ 1) ^ 1])
    verdict = circuits.equal(clumsy, rule(), one_hot())
    assert verdict.status == "proved" and len(verdict.proof) > 3
    verdict.save(folder)
    return folder


def copied(certificate, tmp_path):
    for name in FILES:
        shutil.copy(certificate / name, tmp_path)
    return [tmp_path / name for name in FILES]


def redigest(paths):
    """Make the proof claim to be about these files."""
    proof = paths[2].read_text(encoding="utf-8")
    for name, path in zip(("left", "right", "care"), (paths[0], paths[1], paths[3]), strict=True):
        proof = re.sub(f"c {name} .*", f"c {name} {hashlib.sha256(path.read_bytes()).hexdigest()}", proof)
    paths[2].write_text(proof, encoding="utf-8")


def test_a_proof_is_accepted_by_the_checker_as_a_program_of_its_own(certificate, tmp_path):
    """It is a folder that runs alone, elsewhere, without installed packages."""
    shutil.copytree(Path(checker.__file__).parent, tmp_path / "alone")
    call = [sys.executable, "-S", "-m", "alone", *(certificate / name for name in FILES)]
    ran = subprocess.run(call, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ran.returncode == 0 and re.fullmatch(r"accepted: [1-9]\d* clauses checked\n", ran.stdout), ran.stdout + ran.stderr


@pytest.mark.parametrize("which", [0, 1, 3], ids=["left", "right", "care"])
def test_swapping_a_file_is_noticed_even_if_the_proof_names_the_new_one(certificate, tmp_path, which):
    paths = copied(certificate, tmp_path)
    circuit = circuits.read(paths[which])
    ands = circuit.ands.copy()
    ands[-1, 0] ^= 1  # one inverter too many
    changed = circuits.Circuit(circuit.inputs, circuit.outputs, ands, circuit.roots)
    everything = circuits.formula(FEATURES, lambda x: {"care": x["a1=1"] | ~x["a1=1"]})
    circuits.write(everything if which == 3 else changed, paths[which])
    assert checked(*paths) == f"the proof is about another {('left', 'right', '', 'care')[which]} file"
    redigest(paths)
    assert re.fullmatch(r"line \d+ of the proof does not follow: .*|the proof ends before the empty clause follows", checked(*paths))


def test_a_proof_on_a_care_set_is_none_without_it(certificate, tmp_path):
    left, right, proof, _ = copied(certificate, tmp_path)
    assert checked(left, right, proof) == "the proof is about a care set, and none was given"


def test_every_step_of_the_proof_of_a_false_claim_is_caught(certificate, tmp_path):
    paths = copied(certificate, tmp_path)
    head = [line for line in paths[2].read_text(encoding="utf-8").splitlines() if line.startswith("c ")]
    for steps in (["0"], ["-2 0", "0"], ["2 0", "-2 0", "0"]):
        paths[2].write_text("\n".join([*head, *steps]) + "\n", encoding="utf-8")
        assert re.fullmatch(r"line \d+ of the proof does not follow: .*", checked(*paths))
    for steps, why in (
        ([], "the proof ends before the empty clause follows"),
        (["x 0"], "line 5 of the proof is no clause: 'x 0'"),
        (["2 3"], "line 5 of the proof does not end in 0: '2 3'"),
        (["d 2 3 0"], "the proof ends before the empty clause follows"),
    ):
        paths[2].write_text("\n".join([*head, *steps]) + "\n", encoding="utf-8")
        assert checked(*paths) == why


def test_a_proof_with_a_literal_changed_in_its_first_step_is_rejected(certificate, tmp_path):
    paths = copied(certificate, tmp_path)
    lines = paths[2].read_text(encoding="utf-8").splitlines()
    first = next(k for k, line in enumerate(lines) if line[0] not in "cd")
    question = circuits.Question(*(circuits.read(paths[k]) for k in (0, 1, 3)))
    lines[first] = f"{2 + len(FEATURES)} 0"  # a unit clause about the first gate, which is not constant
    paths[2].write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert not brute_unit(question, 2 + len(FEATURES))
    assert checked(*paths) == f"line {first + 1} of the proof does not follow: '{2 + len(FEATURES)} 0'"


def brute_unit(question, variable):
    """Whether unit propagation alone derives a variable."""
    database = held(question.clauses(), variable)
    return database.true[2 * variable] or database.follows([2 * variable])


def held(clauses, top):
    """A database of clauses."""
    database = checker.Database(max(top, *(abs(x) for clause in clauses for x in clause)))
    for clause in clauses:
        assert database.add(checker.coded(clause)) is None
    return database


PIGEONS = [[1, 2], [3, 4], [5, 6], *[[-a, -b] for h in (1, 2) for a, b in ((h, h + 2), (h, h + 4), (h + 2, h + 4))]]


def test_steps_are_checked_by_unit_propagation_and_by_resolution_on_the_first_literal():
    assert checker.check_steps(PIGEONS, [(1, "1 0"), (2, "0")]) == 1
    database = held([[1, 2], [-1, 3]], 4)
    fresh, wrong = checker.coded([4]), checker.coded([-3])
    assert not database.follows(fresh) and database.keeps(fresh, fresh[0]), "a fresh variable may be set"
    assert not database.keeps(wrong, wrong[0]) and not database.follows(wrong)
    assert database.follows(checker.coded([2, 3]))
    with pytest.raises(checker.Rejected):
        checker.check_steps([[1, 2]], [(1, "0")])


def test_deleted_clauses_are_used_no_more():
    with pytest.raises(checker.Rejected) as told:
        checker.check_steps(PIGEONS, [(1, "d 2 1 0"), (2, "1 0"), (3, "0")])
    assert str(told.value) == "line 2 of the proof does not follow: '1 0'"


STRANGE = {
    "aag 2 2 0 1 0\n2\n4\n2\ni0 a\ni1 a\n": "a circuit in which two inputs or two outputs have one name",
    "aag 1 0 1 0 0\n2 3\n": "a circuit with latches or properties",
    "aag 3 2 0 1 1\n2\n4\n6\n7 2 4\n": "an odd literal is defined",
    "aag 3 2 0 1 1\n2\n4\n6\n4 2 2\n": "a variable is defined twice",
    "aag 3 2 0 1 1\n2\n4\n6\n6 6 4\n": "a circuit that depends on itself",
    ".model m\n.inputs a\n.outputs y\n.names y\n1\n.names a\n1\n.end\n": "a is defined twice",
    ".model m\n.names a\n1\n.inputs a\n.outputs a\n.end\n": "an input that is defined, or more than one model",
    ".model m\n.inputs a\n.outputs y\n.names a y\n1 1\n0 0\n.end\n": "the table of y has rows of both kinds",
    ".model m\n.inputs a\n.outputs y\n.latch a y\n.end\n": ".latch a y is no line of a combinational circuit",
}


@pytest.mark.parametrize("text", STRANGE)
def test_the_checker_refuses_files_that_say_two_things(text):
    with pytest.raises(checker.Rejected) as told:
        checker.circuit(text.encode())
    assert str(told.value) == STRANGE[text]


def test_the_numbering_of_clauses_is_written_down_where_both_sides_read_it():
    clauses = miter.Question(*(circuits.formula(["a", "b"], lambda x: {"y": x["a"] & x["b"]}) for _ in range(2))).clauses()
    assert clauses == [[1], [-4, 3], [-4, 2], [4, -3, -2], [-5, 3], [-5, 2], [5, -3, -2], [-6, 4, 5], [-6, -4, -5], [6]]


def test_a_long_proof_about_few_inputs_is_checked_on_all_rows(tmp_path, capsys):
    left, right = multiplier(range(4), 4), multiplier([3, 1, 0, 2], 4)
    wrong = circuits.Circuit(right.inputs, right.outputs, right.ands, right.roots ^ [*[0] * 7, 1])
    circuits.equal(left, right).save(tmp_path)
    paths = [tmp_path / name for name in FILES[:3]]
    paths[2].write_text(paths[2].read_text(encoding="ascii") + "1 0\n" * 6000, encoding="ascii")
    assert checker.main(list(map(str, paths))) == 0 and capsys.readouterr().out == "accepted: 256 rows checked\n"
    circuits.write(wrong, paths[1])
    digest = hashlib.sha256(paths[1].read_bytes()).hexdigest()
    proof = re.sub("c right .*", f"c right {digest}", paths[2].read_text(encoding="ascii"))
    paths[2].write_text(proof, encoding="ascii")
    assert checked(*paths) == "the circuits differ on some row"


def test_a_step_that_is_wrong_and_not_needed_changes_nothing_and_one_that_is_needed_does():
    assert checker.check_steps(PIGEONS, [(1, "-2 0"), (2, "1 0")]) == 1
    with pytest.raises(checker.Rejected) as told:
        checker.check_steps([[1, 2], [-1, 2]], [(1, "-2 0"), (2, "1 0")])
    assert str(told.value) == "line 1 of the proof does not follow: '-2 0'"
