"""Wrong versions of what generators mean in C are caught; here a part of them: `python -m lensgrad.testing.mutants_c` judges all."""

import os
import subprocess
import sys

import pytest

from lensgrad.backends.native.compiler import compiler
from lensgrad.testing import mutants_c
from lensgrad.testing.equivalent_c import EQUIVALENT
from lensgrad.testing.mutations import mutants

pytestmark = pytest.mark.skipif(compiler() is None or not hasattr(os, "fork"), reason="it takes a C compiler and a system that can fork")
EVERY = 25


@pytest.fixture(scope="module")
def subjects():
    return mutants_c.subjects()


def test_functions_that_write_c_are_found_mechanically(subjects):
    found = {s.name: {b.cls.__name__ for b in s.users} for s in subjects}
    assert found["entries.pad"] == {"Pad"} and {"Take", "ScatterAdd"} <= found["entries.clipped"]
    assert {"loops.Turning.carry", "windows.met", "sweeps.Added.body", "sums.summed_products"} <= set(found)


def test_the_wrong_versions_of_a_formula_are_these():
    assert list(mutants_c.wrong_texts("{0} - {1}")) == ["{1} - {0}", "{0}", "{1}", "{0} + {1}"]
    assert list(mutants_c.wrong_texts("exp_{t}({0})")) == ["expm1_{t}({0})"]


FORMULAS = """
from lensgrad.testing import mutants_c
from lensgrad.theories.smooth.pointwise import Add, Exp

benches = [b for b in mutants_c.benches() if b.cls in (Add, Exp)]
tables = mutants_c.NATIVE, *(mutants_c.NATIVE.extended({Exp: text}) for text in ("expm1_{t}({0})", "exp({0}"))
print(*(mutants_c.judge("a formula", benches, table).outcome for table in tables))
"""
MEANINGS = f"""
from itertools import islice
from lensgrad.testing import mutants_c
from lensgrad.testing.mutations import installed, mutants

named = [(s, m) for s in mutants_c.subjects() for m in mutants(s.function)]
for subject, mutant in islice(named, 0, None, {EVERY}):
    _ = [b.right for b in subject.users]
    with installed(mutant):
        found = mutants_c.judge(f"{{subject.name}}: {{mutant.change}}", subject.users)
    if found.outcome == "survived":
        print(found.name)
"""


def printed(program):
    """What a program prints that has a process of its own: one that holds JAX does not fork."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")[:-1]


def test_a_wrong_formula_is_caught_and_the_right_one_is_equal():
    assert printed(FORMULAS) == ["equal caught caught"]


def test_wrong_meanings_are_caught():
    assert printed(MEANINGS) == []


def test_the_table_of_equal_meanings_has_nothing_that_is_gone(subjects):
    every = {f"{s.name}: {m.change}" for s in subjects for m in mutants(s.function)}
    every |= {name for b in mutants_c.benches() for name, _ in mutants_c.of_formula(b)}
    assert sorted(set(EQUIVALENT) - every) == []
