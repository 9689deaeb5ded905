"""Wrong calls of everything behind the public door: each works, or is refused in a sentence."""

from contextlib import chdir

import numpy as np
import pytest

from tools import fuzz
from tools.fuzz_calls import Call


@pytest.mark.filterwarnings("ignore")
def test_wrong_calls_end_in_no_raw_error(tmp_path):
    with chdir(tmp_path), np.errstate(all="ignore"):
        count = fuzz.fuzzed(1500, first=2_000_000)
    assert count.calls == 1500
    assert dict(count.raw) == {}, fuzz.told(count)
    assert count.refused > 1000


def test_an_error_that_is_not_the_librarys_own_is_raw_and_has_a_place():
    kind, error = fuzz.answer(Call(lambda x: x.shape), ["text"], {})
    assert kind == "raw"
    assert error is not None
    assert fuzz.place(error) == "AttributeError at outside"
