"""Every rewrite rule is an equation: of values, and, being formal, of reverse derivatives as well."""

import numpy as np
import pytest

from lensgrad.backends.numpy import function
from lensgrad.cat.reverse import R
from lensgrad.core.diagram import Diagram
from lensgrad.core.rewrite import Soundness, rewrite
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.theories.smooth import pointwise as p
from lensgrad.theories.smooth.array import Array, Real
from lensgrad.theories.smooth.rules import RULES

ROW = Array((3,), "float64")
ENDS = [Diagram.of(op, Ty((ROW,) * op.arity)).nodes[0] for op in (p.Mul(), p.Add(), p.Sub(), p.Neg(), p.Div())]
EQUATIONS = [(r, e) for r in RULES for node in ENDS for e in [r.at(node)] if e is not None]


def test_every_rule_has_an_instance():
    assert [r.name for r, _ in EQUATIONS] == [r.name for r in RULES]


@pytest.mark.parametrize("rule, equation", EQUATIONS, ids=[r.name for r, _ in EQUATIONS])
def test_a_rule_keeps_every_value_bit_by_bit_but_the_sign_of_zero(rule, equation):
    x = np.concatenate([np.random.default_rng(0).standard_normal(40), [0.0, np.inf, -np.inf, np.nan, 1e-310, -1e308]])
    wide = Array(x.shape, "float64")
    equation = rule.at(Diagram.of(equation.left.nodes[-1].op, Ty((wide,) * len(equation.left.nodes[-1].args))).nodes[0])
    left, right = (function(side)(x)[0] for side in (equation.left, equation.right))
    assert np.array_equal(left, right, equal_nan=True)


@pytest.mark.parametrize("rule, equation", EQUATIONS, ids=[r.name for r, _ in EQUATIONS])
def test_a_formal_rule_keeps_the_reverse_derivative(rule, equation):
    assert rule.soundness is Soundness.FORMAL
    x, dy = np.random.default_rng(1).standard_normal((2, 3))
    assert np.array_equal(function(R(equation.left))(x, dy)[0], function(R(equation.right))(x, dy)[0])


@pytest.mark.parametrize("rule, equation", EQUATIONS, ids=[r.name for r, _ in EQUATIONS])
def test_rewriting_uses_the_rule(rule, equation):
    assert rewrite(equation.left, [rule]) == equation.right
    assert rewrite(equation.right, [rule]) == equation.right


def test_rules_chain_and_leave_the_rest_alone():
    f = trace(lambda x, y: (p.Neg()(-(x * 1.0)) + 0.0) * y - 0.0, Real(3), Real(3))
    assert rewrite(f, RULES) == trace(lambda x, y: x * y, Real(3), Real(3))


def test_whole_numbers_are_left_alone():
    node = Diagram.of(p.Mul(), Ty((Array((3,), "int32"),) * 2)).nodes[0]
    assert [r.name for r in RULES if r.at(node) is not None] == []
