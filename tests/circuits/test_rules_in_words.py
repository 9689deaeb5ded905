"""Rules in words, and the rows that an encoder can give."""

from functools import reduce
from itertools import product
from operator import and_

import numpy as np
import pytest

import lensgrad as lg
from lensgrad import circuits
from lensgrad.circuits.gates.rules import possible, rule

TABLE = {"width": [1, 2, 3, 4], "color": ["red", "blue", "green", "red"]}


def test_possible_rows_are_those_that_some_row_of_the_table_has():
    encoder = lg.data.encoder(TABLE)
    rows = {tuple(encoder.encode({"width": [w], "color": [c]})[0]) for w in range(1, 5) for c in ("red", "blue", "green")}
    every = np.array(list(product((0, 1), repeat=len(encoder.names))))
    assert {tuple(r) for r in every[possible(encoder).run(every)[:, 0] == 1]} == rows


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (lambda x: x["a"] & x["b"] | x["c"], "y = c | a & b"),
        (lambda x: ~(x["a"] & x["b"] & x["c"]), "y = not (a & b & c)"),
        (lambda x: x["a"] ^ x["b"], "y = a & ~b | ~a & b"),
        (lambda x: x["a"] & ~x["a"], "y = 0"),
        (lambda x: x["a"] | ~x["a"], "y = 1"),
    ],
)
def test_a_rule_is_the_shorter_of_a_sum_and_its_negation(body, told):
    assert rule(circuits.formula(["a", "b", "c"], lambda x: {"y": body(x)})) == told


def test_what_cannot_occur_makes_a_rule_short():
    encoder = lg.data.encoder({"a": ["u", "v", "w"], "b": ["u", "v", "w"]})
    names = encoder.names
    equal = circuits.formula(
        names, lambda x: {"y": x["a=u"] & x["b=u"] | x["a=v"] & x["b=v"] | ~x["a=u"] & ~x["a=v"] & ~x["b=u"] & ~x["b=v"]}
    )
    assert rule(equal, possible(encoder)) == "y = a=u & b=u | a=v & b=v | a=w & b=w"


def test_long_rules_and_many_inputs_have_no_words():
    odd = circuits.formula(list("abcdef"), lambda x: {"y": x["a"] ^ x["b"] ^ x["c"] ^ x["d"] ^ x["e"] ^ x["f"]})
    assert rule(odd) is None and rule(odd, most=32) is not None
    wide = circuits.formula([f"i{k}" for k in range(18)], lambda x: {"y": reduce(and_, (x[f"i{k}"] for k in range(18)))})
    assert rule(wide) is None


def test_a_rule_of_few_bits_is_told_whatever_the_encoder_has():
    names = [f"x{k}" for k in range(60)]
    made = circuits.formula(names, lambda x: {"y": x["x3"] & ~x["x59"] | x["x20"]})
    assert circuits.rule(made) == "y = x20 | x3 & ~x59"
    parity = circuits.Builder(names)
    assert circuits.rule(parity.finish(["y"], [parity.all(parity.literals[:18])])) is None
    table = {"size": np.arange(40) % 30, "color": [("red", "green", "blue")[k % 3] for k in range(40)]}
    fitted = lg.data.encoder(table, levels=40)
    bits = dict(zip(fitted.names, range(len(fitted.names)), strict=True))
    assert len(bits) > 17
    both = circuits.formula(fitted.names, lambda x: {"y=1": x["size>3.5"] & x["size>9.5"] & ~x["color=red"]})
    assert circuits.LearnedCircuit(fitted, both, ("0", "1")).rule == "y=1 = size>9.5 & ~color=red"
