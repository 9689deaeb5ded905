"""What an editor shows inside a function on wires: operators, methods and `lg.ops` give wires, and a lambda in a model takes them."""

import re

import pytest
from checker import messages, pyright

import lensgrad as lg

pytestmark = pytest.mark.skipif(pyright() is None, reason="pyright is not installed: pip install 'lensgrad[dev]'")

START = """
import lensgrad as lg
from lensgrad.core.graph import Wire
from lensgrad.core.trace import trace
from lensgrad.lens import parametric

def traced(x: Wire, y: Wire) -> None:
"""

WIRES = """
x * y; x + 1.0; 2.0 - x; 1 / x; x / y; x @ y; -x; abs(x); x**2; 2.0**x
x > y; x <= 0.0; x == y; x != 0; (x > 0.0) & (y > 0.0); (x > 0.0) | (y > 0.0); ~(x > 0.0)
x[0]; x[1:, ::2]; x.T; x.sum(); x.mean(-1); x.max((0, 1)); x.reshape(2, -1)
lg.ops.exp(x); lg.ops.sqrt(x * x + 1.0); lg.ops.square(x); lg.ops.softmax(x); lg.ops.total(x); lg.relu(x); lg.gelu(x)
lg.ops.select(x > 0.0, x, 0.0); lg.ops.maximum(x, 0.0); lg.ops.einsum("ij,j->i", x, y); lg.ops.sum_over(x, -1); lg.ops.take(x, y)
lg.ops.concatenate([x, y]); lg.ops.one_hot(y, 3); lg.ops.reshape(x, 4); lg.ops.logsumexp(x); lg.ops.variance(x); lg.ops.convolve(x, y)
"""

OTHERS = {
    "x.shape": "tuple[int, ...]",
    "x.dtype": "str",
    "len(x)": "int",
    "lg.ops.split(x)": "tuple[Wire, ...]",
    "lg.relu()": "Family",
    "lg.ops.exp >> lg.relu": "Family",
}


def revealed(folder, body: list[str]) -> list[str]:
    """What is shown at each of these expressions."""
    found = messages(folder, START + "\n".join(f"    reveal_type({each})" for each in body))
    assert [m for _, kind, m in found if kind == "error"] == []
    return [m.partition(' is "')[2].rstrip('"') for _, kind, m in found if kind == "information"]


def test_operators_methods_and_functions_give_wires(tmp_path):
    body = [each.strip() for each in re.split(r"[;\n]", WIRES) if each.strip()]
    assert len(body) > 40
    assert dict(zip(body, revealed(tmp_path, body), strict=True)) == dict.fromkeys(body, "Wire")


def test_what_gives_no_wire_is_shown_as_what_it_gives(tmp_path):
    assert dict(zip(OTHERS, revealed(tmp_path, list(OTHERS)), strict=True)) == OTHERS


LAMBDAS = """
lg.sequential(lg.input(4), lambda h: reveal_type(h) * 2.0, lg.dense(3))
lg.residual(lambda h: reveal_type(h) * 0.5)
lg.dense(3, lambda h: reveal_type(h) * lg.ops.sigmoid(h))
trace(lambda a, b: reveal_type(a) + reveal_type(b), lg.Real(3), lg.Real(3))
trace(lambda a, b, c: reveal_type(c) * a + b, lg.Real(3), lg.Real(3), lg.Real(3))
parametric([lg.weight("w", lg.Real(3))], lg.Real(3), lambda w, v: reveal_type(w) * reveal_type(v))
"""


def test_a_lambda_takes_wires(tmp_path):
    found = messages(tmp_path, START + "    ...\n" + LAMBDAS)
    assert [m for _, kind, m in found if kind == "error"] == []
    shown = [m for _, kind, m in found if kind == "information"]
    assert len(shown) == 8
    assert [m for m in shown if not m.endswith('is "Wire"')] == []


TAKEN = """
def one(x: Wire) -> Wire: return x
def two(x: Wire, y: Wire) -> list[Wire]: return [x, y]
def group(xs: tuple[Wire, Wire]) -> Wire: return xs[0]
def many(*xs: Wire) -> tuple[Wire, ...]: return xs
def none() -> Wire: return lg.Real()[0].zero()
def six(a: Wire, b: Wire, c: Wire, d: Wire, e: Wire, f: Wire) -> Wire: return a
def more(x: Wire, *, times: float = 2.0) -> Wire: return x * times
for f in (one, two, group, many, none, six, more):
    trace(f)
lg.sequential(one, more, lg.relu, "tanh", [one, "relu"])
"""


def test_functions_of_any_shape_are_taken(tmp_path):
    assert [m for _, kind, m in messages(tmp_path, START + "    ...\n" + TAKEN) if kind == "error"] == []


WRONG = {
    'x + "1"': "Operator",
    "x * [1.0, 2.0]": "Operator",
    "x[0.5]": "getitem",
    'x["a"]': "getitem",
    "x.sum('rows')": "axis",
    "x.reshape([2, 3])": "reshape",
    "lg.ops.exp(2.0)": '"float" is not assignable to "Wire"',
    "lg.ops.maximum(x, None)": "None",
    "lg.ops.select(True, x, y)": "condition",
    "lg.ops.cast(x, 32)": "dtype",
    "trace(lambda a: 3, lg.Real(3))": "fn",
    "lg.sequential(lg.input(4), lambda h: 'relu')": "sequential",
}


def test_wrong_uses_of_wires_are_told(tmp_path):
    start = START.count("\n")
    found = messages(tmp_path, START + "\n".join(f"    {each}" for each in WRONG))
    told = [" ".join(m for line, kind, m in found if kind == "error" and line == start + k) for k in range(1, len(WRONG) + 1)]
    assert [(each, m) for (each, word), m in zip(WRONG.items(), told, strict=True) if word not in m] == []


def test_they_are_wrong_when_run_too():
    """What the checker refuses, the library refuses: the types are no stricter than the rules."""
    for fn in (lambda x: x + "1", lambda x: x * [1.0, 2.0], lambda x: x[0.5], lambda x: x["a"], lambda x: lg.ops.exp(2.0)):
        with pytest.raises(lg.LensgradError):
            lg.sequential(lg.input(4), fn)
