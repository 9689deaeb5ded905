"""The methods that learn circuits, and the choice among them."""

from dataclasses import replace

import numpy as np
import pytest
from refusals import told

import lensgrad as lg
from lensgrad import circuits
from lensgrad.circuits import METHODS, LearnedCircuit, Plan, Problem, held_back, learn, load_circuit, output_names
from lensgrad.circuits.gates.circuit import Circuit
from lensgrad.circuits.learning import networks, polynomials
from lensgrad.circuits.learning.polynomials import decoded
from lensgrad.circuits.learning.problem import Infeasible
from lensgrad.core.errors import BadValue, CheckFailed
from tests.circuits.test_simplify import MONK

monks = pytest.mark.skipif(not MONK.is_dir(), reason="not run: the MONK's problems are not in the data folder")
QUICK = Plan(layers=(24, 24), steps=200)


def rows_of(function, n=6):
    """All rows of n bits with what a function gives."""
    x = np.array([[s >> i & 1 for i in range(n)] for s in range(1 << n)], np.uint8)
    return Problem(x, np.array([function(r) for r in x]), tuple(f"x{i}" for i in range(n)), ("y=1",), 2)


def monk(number, part):
    rows = np.array(
        [line.split()[:7] for line in (MONK / f"monks-{number}.{part}").read_text(encoding="utf-8").splitlines() if line.strip()], int
    )
    return {f"a{i}": rows[:, i] for i in range(1, 7)}, rows[:, 0]


def on_monk(number, method):
    """Accuracy on the test part of what a method learns from the training part."""
    (table, y), (others, truth) = monk(number, "train"), monk(number, "test")
    encoder = lg.data.encoder(table, categorical="all")
    found = learn(Problem(encoder.encode(table), y, encoder.names, ("y=1",), 2), Plan(), method)
    return (LearnedCircuit(encoder, found.circuit, ("0", "1"), "y").predict(others) == truth).mean()


@pytest.mark.parametrize("method", METHODS)
def test_every_method_learns_a_rule_of_three_bits(method):
    problem = rows_of(lambda r: r[0] & r[1] ^ r[2], 4)
    found = learn(problem, Plan(layers=(24, 24), steps=600), method)
    assert problem.accuracy(found.circuit) == 1.0 and found.method == method and found.score is None


def test_parity_is_solved_exactly_from_half_of_its_rows_and_no_gradient_is_asked():
    whole = rows_of(lambda r: r.sum() % 2, 8)
    order = np.random.default_rng(0).permutation(256)
    half = replace(whole, x=whole.x[order[:40]], y=whole.y[order[:40]])
    assert whole.accuracy(learn(half, Plan(), "solve").circuit) == 1.0


@monks
def test_monk_2_is_solved_and_monk_1_is_found_term_by_term():
    assert on_monk(2, "solve") >= 0.99
    assert on_monk(1, "anf") == 1.0


def test_auto_takes_the_best_on_rows_held_back_and_learns_it_from_all_rows():
    problem = held_back(rows_of(lambda r: r.sum() % 2, 7), 0.25, 0)
    found = learn(problem, QUICK, "auto")
    assert (found.method, found.score) == ("solve", 1.0) and problem.whole().accuracy(found.circuit) == 1.0


def test_the_degree_that_rows_held_back_choose_is_that_of_the_circuit_returned():
    """With noise in the labels: the rows held back choose another degree than all rows would, if it were chosen anew by those."""
    whole = rows_of(lambda r: r[0] ^ r[1], 6)
    problem = held_back(replace(whole, y=whole.y ^ (np.random.default_rng(0).random(64) < 0.15)), 0.4, 0)
    found, free = learn(problem, QUICK, "anf"), METHODS["anf"](problem.whole(), QUICK)
    assert (found.degree, free.degree) == (1, 2) and found.score == problem.accuracy(METHODS["anf"](problem, QUICK).circuit, held=True)
    assert found.circuit == METHODS["anf"](problem.whole(), replace(QUICK, degree=found.degree)).circuit


def test_a_polynomial_of_a_degree_that_is_too_much_for_all_rows_stays_as_it_was_found(monkeypatch):
    problem = held_back(rows_of(lambda r: r[0] & r[1] ^ r[2], 6), 0.5, 0)
    monkeypatch.setattr(polynomials, "MOST_PRODUCTS", 32 * 42)
    found = learn(problem, QUICK, "anf")
    assert found.degree is not None and problem.accuracy(found.circuit, held=True) == found.score
    many = "a polynomial of degree 3 has too many products to try on 64 rows"
    assert told(Infeasible, lambda: METHODS["anf"](problem.whole(), replace(QUICK, degree=3))) == many


@pytest.mark.parametrize("method", ["anf", "solve"])
def test_a_method_without_epochs_does_not_stop_early_so_it_learns_from_all_rows(method):
    whole = rows_of(lambda r: (r[0] & r[1]) ^ (r[2] & r[3]), 4)
    found = learn(held_back(whole, 0.5, 0), replace(QUICK, stopping=lg.early_stopping("val_loss", 3)), method)
    assert found.score is not None and found.circuit == learn(whole, replace(QUICK, degree=found.degree), method).circuit


def test_rows_that_contradict_each_other_are_for_other_methods():
    problem = rows_of(lambda r: r[0], 3)
    noisy = replace(problem, x=np.concatenate([problem.x] * 2), y=np.concatenate([problem.y, 1 - problem.y]))
    why = "where labels are noisy use method 'anf' or 'soft', which may leave some rows wrong"
    assert told(Infeasible, lambda: learn(noisy, QUICK, "solve")) == f"no polynomial of degree ≤ 3 fits all 16 rows: {why}"
    assert learn(noisy, QUICK, "auto").method != "solve"


@pytest.mark.parametrize(("method", "least"), [("anf", 0.5), ("soft", 0.85)])
def test_of_many_classes_exactly_one_output_is_one(method, least):
    data = lg.data.iris()
    encoder = lg.data.encoder(data.x[::2], levels=2)
    names = output_names("kind", data.classes)
    problem = Problem(encoder.encode(data.x[::2]), data.y[::2].astype(int), encoder.names, names, 3)
    found = learn(problem, replace(QUICK, layers=(30,)), method)
    every = np.array([[s >> i & 1 for i in range(8)] for s in range(256)], np.uint8)
    assert (found.circuit.run(every).sum(1) == 1).all() and problem.accuracy(found.circuit) > least


def test_the_first_class_whose_output_is_one_counts_and_the_last_where_none_is():
    gates = circuits.formula(["a", "b"], lambda x: {"p": x["a"], "q": x["b"], "r": x["a"] & x["b"]})
    problem = Problem(np.zeros((1, 2)), np.zeros(1), ("a", "b"), ("y=p", "y=q", "y=r"), 3)
    assert decoded(gates, problem).run([[0, 0], [1, 0], [0, 1], [1, 1]]).tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0], [1, 0, 0]]


def test_a_circuit_that_is_not_what_its_network_computes_at_bits_is_refused(monkeypatch):
    problem, whole = rows_of(lambda r: r[0] & r[1], 4), networks.voted

    def turned(*args):
        made = whole(*args)
        return circuits.Circuit(made.inputs, made.outputs, made.ands, made.roots ^ 1)

    monkeypatch.setattr(networks, "voted", turned)
    assert told(CheckFailed, lambda: learn(problem, QUICK, "soft")) == (
        "the hardened circuit decides 16 of 16 rows otherwise than its network at bits: this is a defect of lensgrad, please report it"
    )


def test_what_cannot_be_held_back_is_not():
    problem = rows_of(lambda r: r[0], 2)
    assert held_back(problem, 0.1, 0) is problem and held_back(problem, 0.0, 0) is problem
    assert len(held_back(problem, 0.5, 0).held[1]) == 2


def test_counts_and_shares_are_checked_before_anything_is_learned():
    problem = rows_of(lambda r: r[0], 2)
    for share in (1.5, 1, -1, float("nan")):
        wanted = f"the part of the rows held back must be a fraction from 0 up to, but not including, 1, got {share!r}"
        assert told(BadValue, lambda s=share: held_back(problem, s, 0)) == wanted
    for given in (0, -3, 2.5, True, "9"):
        assert told(BadValue, lambda g=given: Plan(steps=g)) == f"steps must be a whole number ≥ 1, got {given!r}"
    assert told(BadValue, lambda: Plan(batch_size=0)) == "batch_size must be a whole number ≥ 1, got 0"
    assert told(BadValue, lambda: Plan(layers=(4, 0))) == "the number of gates of a layer must be a whole number ≥ 1, got 0"
    for layers in ((), 5):
        wanted = f"layers must be the gates of each layer, one or more, as in (96, 96), got {layers!r}"
        assert told(BadValue, lambda g=layers: Plan(layers=g)) == wanted


def test_classes_that_would_be_called_alike_are_refused():
    for classes in (("r s", "r_s"), ("a", "r s", "r_s")):
        assert told(BadValue, lambda c=classes: output_names("y", c)) == (
            "classes 'r s' and 'r_s' would both be called 'y=r_s': rename one, as spaces in names become '_'"
        )


def test_refusals(tmp_path):
    problem = rows_of(lambda r: r[0], 2)
    assert told(BadValue, lambda: problem.accuracy(learn(problem, QUICK, "solve").circuit, held=True)) == (
        "no rows of this problem are held back, so nothing is measured on them: see held_back"
    )
    assert told(BadValue, lambda: learn(problem, QUICK, "luck")) == (
        "method must be one of auto, anf, flip, soft, solve, table, got 'luck'"
    )
    one = replace(problem, x=problem.x[:1], y=problem.y[:1])
    assert told(BadValue, lambda: learn(one, QUICK)) == "a circuit needs two rows or more to learn from, got 1"
    wide = Problem(np.zeros((5000, 5000), np.uint8), np.zeros(5000), tuple(f"x{i}" for i in range(5000)), ("y=1",), 2)
    assert told(Infeasible, lambda: learn(wide, QUICK, "anf")) == (
        "5000 bits of 5000 rows have too many products to try: use method 'soft', or fewer levels or columns"
    )
    encoder = lg.data.encoder({"a": [1, 2]})
    two = Problem(np.array([[0], [1]]), np.array([0, 1]), encoder.names, ("y=1",), 2)
    saved = LearnedCircuit(encoder, learn(two, QUICK, "solve").circuit, ("0", "1"))
    nowhere = tmp_path / "none" / "c.aig"
    assert told(BadValue, lambda: saved.save(nowhere)) == f"cannot save to '{nowhere}': there is no folder '{nowhere.parent}'"
    saved.save(tmp_path / "c.aig")
    (tmp_path / "c.json").write_text("{}", encoding="utf-8")
    assert told(BadValue, lambda: load_circuit(tmp_path / "c.aig")) == "'c.json' is no encoder that `learn` wrote: 'classes'"
    assert told(BadValue, lambda: replace(saved, target="z")) == (
        "a learned circuit has the bits of its encoder as inputs and its classes as outputs, and these differ"
    )


def test_another_json_is_not_written_over(tmp_path):
    encoder = lg.data.encoder({"a": [0, 1]})
    found = LearnedCircuit(encoder, Circuit(encoder.names, ("y=1",), np.zeros((0, 2)), np.array([2])), ("0", "1"))
    (tmp_path / "x.json").write_text('{"mine": 1}', encoding="utf-8")
    wanted = f"an encoder would be written to '{tmp_path / 'x.json'}', and what is there is none: choose another name, or move that file"
    assert told(BadValue, lambda: found.save(tmp_path / "x.aig")) == wanted
    assert (tmp_path / "x.json").read_text(encoding="utf-8") == '{"mine": 1}' and not (tmp_path / "x.aig").exists()
    assert found.save(tmp_path / "y.aig") == found.save(tmp_path / "y.aig")
    assert load_circuit(tmp_path / "y.aig") == found
