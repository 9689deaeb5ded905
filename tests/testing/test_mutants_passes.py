"""Wrong passes of the C backend are caught; here a few: `python -m lensgrad.testing.mutants_passes` judges all."""

import os
import subprocess
import sys

import pytest

from lensgrad.backends.native.blocks import Ready
from lensgrad.backends.native.compiler import compiler
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
from lensgrad.backends.native.softmax import Softmax
from lensgrad.testing import mutants_c
from lensgrad.testing.mutations import installed
from lensgrad.testing.mutations_c import writing
from lensgrad.testing.passes_c import programs

program = next(p for p in programs() if p.name == "causal softmax")
print(mutants_c.passes(program, program.made()), program.right != "")
for mutant in writing(Softmax.seen):
    if "< {n}" in mutant.change or "'seen'" in mutant.change:
        with installed(mutant):
            print(mutants_c.judge(mutant.change, [program]).outcome)
"""


def test_a_right_program_passes_and_a_wrong_one_is_caught():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    first, *rest = done.stdout.split("\n")[:-1]
    assert first == "True True" and rest and set(rest) <= {"caught"}
