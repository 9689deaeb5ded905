"""MONK-1 as a rule that can be read: a polynomial over bits grows by the best flip at each step; then by a network of gates.

`python examples/monk.py` prints the rule and what each of three ways makes of all three problems; `--quick` is the first problem alone.
"""

import sys

import numpy as np

import lensgrad as lg
from lensgrad.circuits import anf, gain, hamming, lifted_flip, lut_network, monomials, soften, solve
from lensgrad.core.errors import BadValue
from lensgrad.learn.batching import batch
from lensgrad.program.compile import program
from lensgrad.theories.poly.semiring import Z

DEGREE = 3


def grown(train):
    """The coefficients of a normal form after flips, each the one that removes the most errors."""
    learner = lg.supervised(soften(anf(17, DEGREE, semiring=Z)), hamming, gain(), reduction="sum")
    run = learner.fit((train.x, train.y[:, None].astype(np.float32)), epochs=60, batch_size=len(train), progress=False)
    return run.weights


def read(weights, features):
    """The monomials that count, added modulo 2."""
    chosen = zip(monomials(17, DEGREE), weights["coefficients"], strict=True)
    return " + ".join("·".join(features[i] for i in m) or "1" for m, c in chosen if c)


def accuracy(weights, rows):
    """Of the normal form, on bits."""
    found = program(batch(anf(17, DEGREE), len(rows)))({**weights, "input": rows.x})["output"]
    return float((found[:, 0] == rows.y).mean())


def solved(train, test):
    """Of the weights that fit every row, by elimination; of noise as well."""
    try:
        return f"{accuracy(solve(anf(17, DEGREE), (train.x, train.y)), test):.3f}"
    except BadValue:
        return "no weights fit"


def flipped(train, test, steps):
    """Of a network of four layers of gates, whose truth tables flip bit by bit."""
    network = soften(lut_network(17, [96, 96, 96, 96], classes=2), temperature=6.0)
    learner = lg.supervised(network, lg.cross_entropy, lifted_flip(lg.linear_decay(0.01, steps)), metrics=["accuracy"])
    run = learner.fit((train.x, train.y), epochs=round(64 * steps / len(train)), batch_size=64, progress=False)
    return run.evaluate(test, batch_size=432)["accuracy"]


quick = "--quick" in sys.argv
for number in (1,) if quick else (1, 2, 3):
    train, test = lg.data.monk(number)
    weights = grown(train)
    print(f"MONK-{number}: {len(train)} robots to learn from, {len(test)} to be judged by")
    print(f"  grown greedily  {accuracy(weights, test):.3f}  {read(weights, train.features)}")
    print(f"  solved exactly  {solved(train, test)}")
    print(f"  network of gates {flipped(train, test, 150 if quick else 1000):.3f}")
