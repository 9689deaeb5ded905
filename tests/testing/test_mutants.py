"""Every wrong version of a reverse or batching rule is caught by the check of its generator.

All mutants are judged here except those of the functions of loops and of batching itself, which are slow: of these each
sixth. `python -m lensgrad.testing.mutants` judges all.
"""

from itertools import islice

import pytest

from lensgrad.testing import mutants
from lensgrad.testing.equivalent import EQUIVALENT
from lensgrad.testing.mutations import LIMIT, Marker, Runaway, installed
from lensgrad.testing.mutations import mutants as versions
from lensgrad.theories.smooth.pointwise import Mul, share_of

pytest.importorskip("jax")

SLOW = ("scan.", "batch.")


def product_rule(x, y, dz, axis=0):
    """A rule with one of each thing that can be wrong."""
    if axis > 0 and not x:
        raise ValueError(f"{axis + 1}")
    return dz * y, -(dz / x) if axis else dz[axis + 1]


def test_the_wrong_versions_of_a_function_are_these():
    assert [m.change for m in versions(product_rule)] == [
        "axis > 0 and (not x) → axis > 0 or not x",
        "axis > 0 and (not x) → not x",
        "axis > 0 and (not x) → axis > 0",
        "axis > 0 → axis <= 0",
        "0 → 1",
        "0 → -1",
        "not x → x",
        "return (dz * y, -(dz / x) if axis else dz[axis + 1]) → return (-(dz * y), -(dz / x) if axis else dz[axis + 1])",
        "return (dz * y, -(dz / x) if axis else dz[axis + 1]) → return (None, -(dz / x) if axis else dz[axis + 1])",
        "return (dz * y, -(dz / x) if axis else dz[axis + 1]) → return (dz * y, -(-(dz / x) if axis else dz[axis + 1]))",
        "return (dz * y, -(dz / x) if axis else dz[axis + 1]) → return (dz * y, None)",
        "(dz * y, -(dz / x) if axis else dz[axis + 1]) → (-(dz / x) if axis else dz[axis + 1], dz * y)",
        "dz * y → dz / y",
        "dz * y → dz",
        "dz * y → y",
        "-(dz / x) if axis else dz[axis + 1] → dz[axis + 1] if axis else -(dz / x)",
        "-(dz / x) → dz / x",
        "dz / x → dz * x",
        "dz / x → dz",
        "dz / x → x",
        "axis + 1 → axis - 1",
        "axis + 1 → axis",
        "axis + 1 → 1",
        "1 → 2",
        "1 → 0",
    ]


def test_a_mutant_runs_in_place_of_the_function_and_the_function_comes_back():
    (mutant,) = [m for m in versions(product_rule) if m.change == "dz * y → y"]
    with installed(mutant) as marker:
        assert product_rule(2.0, 3.0, [5.0, 7.0]) == (3.0, 7.0)
        assert marker.count == 1
    with pytest.raises(ZeroDivisionError), installed(mutant):
        raise ZeroDivisionError
    assert product_rule(2.0, 3, [5.0, 7.0]) == ([5.0, 7.0] * 3, 7.0)
    assert "_reached" not in product_rule.__globals__


def test_a_mutant_that_runs_forever_is_stopped():
    marker = Marker()
    with pytest.raises(Runaway, match=f"^still running after {LIMIT} evaluations$"):
        while marker(True):
            pass


def test_rules_and_their_helpers_are_found_mechanically():
    found = {s.name: s for s in mutants.subjects()}
    assert found["pointwise.Mul.reverse"].users == [Mul]
    assert {c.__name__ for c in found["pointwise.share_of"].users} == {"Maximum", "Minimum"}
    assert {"linear.Einsum._pull", "scan.ReverseStep.body", "pointwise.Pointwise.batch", "batch._boxed"} <= set(found)
    assert not [n for n in found if n.endswith(".type")]


def test_an_uncaught_mutant_is_reported(monkeypatch):
    """With no cases at all nothing is caught: so the verdicts depend on the cases."""
    monkeypatch.setattr(mutants, "cases_of", lambda _: [])
    (found,) = [v for s, v in mutants.verdicts(["share_of"])]
    assert {(v.outcome, v.reason) for v in found} == {("survived", "no case reaches it")}
    assert share_of.__code__.co_filename.endswith("pointwise.py")


def judged(prefixes, every=1):
    bench = mutants.Bench()
    for subject in mutants.subjects():
        if subject.name.startswith(prefixes):
            for mutant in islice(versions(subject.function, subject.linear), 0, None, every):
                yield bench.judge(subject, mutant)


OTHERS = ("random.", "special.", "circuit.", "diagram.", "shape.", "bridges.")


@pytest.mark.parametrize("prefixes", ["pointwise.", ("linear.", "reduce."), ("conv.", "index."), OTHERS])
def test_every_wrong_rule_is_caught(prefixes):
    assert [v.name for v in judged(prefixes) if v.outcome == "survived"] == []


def test_wrong_rules_of_loops_and_of_batching_are_caught():
    assert [v.name for v in judged(SLOW, every=6) if v.outcome == "survived"] == []


def test_the_parts_together_are_all_rules():
    named = ("pointwise.", "linear.", "reduce.", "conv.", "index.", *OTHERS, *SLOW)
    assert [s.name for s in mutants.subjects() if not s.name.startswith(named)] == []


def test_the_table_of_equal_mutants_has_nothing_that_is_gone():
    every = {f"{s.name}: {m.change}" for s in mutants.subjects() for m in versions(s.function, s.linear)}
    assert sorted(set(EQUIVALENT) - every) == []


def test_the_command_prints_a_line_for_each_rule(capsys):
    assert mutants.main(["share_of"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "rule                                     mutants  caught  equal  survived"
    assert lines[-1].split() == ["total", "15", "14", "1", "0"]
    assert lines[2] == (
        "    equal     pointwise.share_of: Compare('==')(winner, loser) → Compare('==')(loser, winner)"
        "  the operation does not care for the order of its arguments"
    )
