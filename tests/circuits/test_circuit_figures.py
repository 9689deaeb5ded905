"""The figures of circuits that learn, in small: what `make evidence` measures in full."""

import numpy as np
import pytest

import lensgrad as lg
from lensgrad import circuits
from lensgrad.theories.poly.semiring import Z2
from tools import measures_circuits as figures


@pytest.mark.parametrize(("classes", "wanted"), [(2, 0.98), (3, 0.733)])
@pytest.mark.parametrize("one_hot", [False, True])
def test_the_paper_on_flowers_to_the_digit(classes, wanted, one_hot):
    assert round(figures.iris(classes, one_hot), 3) == wanted


def test_the_pseudo_linear_model_ascends_as_the_paper_writes_it():
    """θ ← θ + R[f](θ, x, f(θ, x) + y), with R by n + 1 evaluations, on digits of 8 × 8."""
    train, _ = lg.data.digits()
    chosen = np.flatnonzero(train.y < 2)[:60]
    x, y = (train.x[chosen].reshape(-1, 64) > 0.25).astype(np.uint8), train.y[chosen].astype(np.uint8)

    def f(mask, row):
        return int((mask & row).sum() <= mask.sum() // 4)

    mask = np.zeros(64, np.uint8)
    for row, label in zip(x, y, strict=True):
        now = f(mask, row)
        mask ^= np.array([(f(mask ^ e, row) ^ now) & now ^ (f(mask ^ e, row) ^ now) & label for e in np.eye(64, dtype=np.uint8)], np.uint8)
    learner = lg.supervised(circuits.pseudo_linear(64, 4), lg.xor, lg.ascent, lg.echo)
    run = learner.fit((x, y[:, None]), batch_size=None, shuffle=False, progress=False)
    assert run.weights["mask"].tolist() == mask.tolist() and 0 < mask.sum() < 64


def test_the_rules_of_monk_1_and_3_grow_greedily():
    for number, size in ((1, 7), (3, 5)):
        accuracy, monomials = figures.greedy(figures.monk(number))
        assert accuracy == 1.0 and len(monomials) == size
    assert monomials == ["a2=1", "a2=2", "a2=1·a5=4", "a2=2·a5=4", "a2=3·a4=1·a5=3"]


def test_monk_2_is_solved_over_bits():
    assert figures.solved(figures.monk(2)) == (431 / 432, 3)


def test_a_network_learns_monk_1_by_lifted_flips():
    _, test = figures.Flip(steps=250).run(figures.monk(1), seed=0)
    assert test > 0.97


def test_plain_ascent_stays_near_chance_on_the_same_network():
    task = figures.monk(1)
    x, y = (a.astype(np.uint8) for a in task.train)
    network = circuits.over(circuits.lut_network(17, (96, 96, 96, 1)), Z2)
    learner = lg.supervised(network, lg.xor, lg.ascent, lg.echo)
    run = learner.fit((x, y[:, None]), epochs=3, batch_size=None, progress=False)
    assert figures.right(network, run.weights, task.test) < 0.75
