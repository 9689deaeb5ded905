"""Wrong passes of the C backend are caught; here a few: `python -m lensgrad.testing.mutants_passes` judges all."""

import os
import subprocess
import sys

import pytest

from lensgrad.backends.native.blocks import Ready
from lensgrad.backends.native.compiler import compiler
from lensgrad.testing.equivalent_passes import EQUIVALENT
from lensgrad.testing.mutants_passes import named
from lensgrad.testing.mutations_c import writing, wrong_texts

pytestmark = pytest.mark.skipif(compiler() is None or not hasattr(os, "fork"), reason="it takes a C compiler and a system that can fork")


def test_the_wrong_versions_of_a_text_are_these():
    assert list(wrong_texts("for (int k = 0; k < n; k++) x[k] += y[k - 1];")) == [
        "for (int k = 1; k < n; k++) x[k] += y[k - 1];",
        "for (int k = 0; k <= n; k++) x[k] += y[k - 1];",
        "for (int k = 0; k < n; k++) x[k] = y[k - 1];",
        "for (int k = 0; k < n; k++) x[k] += y[k + 1];",
        "for (int k = 0; k < n; k++) x[k] += y[k - 2];",
    ]
    assert list(wrong_texts("a < b ? a : b;")) == ["a > b ? a : b;"]


def test_texts_expressions_and_lines_of_a_function_are_changed():
    changes = [m.change for m in writing(Ready.stretch)]
    assert any("(int64_t)m0 *" in c and "(int64_t)m0 + " in c for c in changes) and any("k0 += " in c for c in changes)


PROGRAM = """
from lensgrad.backends.native.assemble import Assembly
from lensgrad.backends.native.softmax import Softmax
from lensgrad.testing import mutants_c, mutants_passes
from lensgrad.testing.mutations import installed
from lensgrad.testing.mutations_c import writing
from lensgrad.testing.programs_c import programs


def judged(function, change):
    (mutant,) = (m for m in writing(function) if change in m.change)
    with installed(mutant):
        return mutants_c.judge("", [softmax if function is Softmax.seen else rows]).outcome


softmax, rows = (p for p in programs() if p.name in ("causal softmax", "rows of 4, 90 wide"))
mutants_passes.limited([softmax, rows])
print("wrong:", judged(Softmax.seen, "→ far = {far}, seen = far > {n}"))
print("more:", judged(Softmax.seen, "→ f'({around[-1]}) * {STEP} * {S"))
print("a race:", judged(Assembly.found, "' || ' → ' && '"))
softmax.most = ()
print("more, uncounted:", judged(Softmax.seen, "→ f'({around[-1]}) * {STEP} * {S"))
"""


def test_what_is_wrong_or_does_more_or_is_a_race_is_caught():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:-1] == ["wrong: caught", "more: caught", "a race: caught", "more, uncounted: survived"]


def test_a_reason_is_given_for_no_wrong_version_that_is_gone():
    assert sorted(set(EQUIVALENT) - set(named())) == []
