"""Every generator of Smooth in C99 without a warning gives what it gives in NumPy, on all of its cases."""

import pytest
from native_check import differing, in_numpy
from portable_check import in_c99, needs_compiler
from test_native_meanings import SMOOTH, smooth_cases

from lensgrad.core.diagram import Diagram
from lensgrad.testing.cases import named
from lensgrad.testing.meaning import AGREE

pytestmark = needs_compiler


@pytest.mark.parametrize("cls", SMOOTH, ids=named)
def test_it_means_in_c99_what_it_means_in_numpy(cls, tmp_path):
    cases = smooth_cases(cls)
    whole, xs = Diagram.tensor(*(f for f, _ in cases)), [x for _, given in cases for x in given]
    narrow = [max(AGREE.get(getattr(a, "dtype", ""), 0.0) for a in (*f.dom, *f.cod)) for f, _ in cases for _ in f.cod]
    assert differing(in_c99(whole, xs, tmp_path, "-O1"), in_numpy(whole, xs), narrow) == []
