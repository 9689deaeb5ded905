"""The forms of tools/forms.py, each against PyTorch in float64."""

import pytest

from tools import forms

pytest.importorskip("torch", reason="PyTorch is the oracle of these tests: pip install 'lensgrad[torch]'")


@pytest.mark.parametrize("form", forms.forms(), ids=lambda f: f.name)
def test_a_form_is_that_of_pytorch(form):
    value, slope = forms.differences(form)
    assert max(value, slope) < forms.NEAR
