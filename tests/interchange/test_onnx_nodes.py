"""Cases of the ONNX standard: the values that it gives, or a refusal in a sentence."""

from collections import Counter

import pytest

from tools import onnx_cases

FAST = (
    r"^test_(a|b[a-l]|c[aelou]|e|f|g|h|i[df]|l[eo]|m[aeiou]|ne|not|o|p[oar]|r[ae]|s[cehilqtuw]|t|u|where|x)"  # most of one operator
    r"(?!.*(attention|resize|pool|conv|grid|roi|optional|quantize|nll|sce))"
)


@pytest.fixture(scope="module")
def answers():
    """A third of the cases that take little time."""
    found = [*onnx_cases.cases(FAST)]
    return [onnx_cases.answer(c) for c in found[::2]]


def test_no_case_of_the_standard_has_another_value(answers):
    assert [f"{a.case}: {a.why}" for a in answers if a.kind in ("wrong", "raw")] == []


def test_most_cases_have_a_meaning(answers):
    kinds = Counter(a.kind for a in answers)
    assert len(answers) > 400
    assert sum(kinds[k] for k in onnx_cases.OURS) > 0.65 * len(answers)
