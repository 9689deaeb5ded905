"""Errors in tests: what a refused call says."""

import pytest

from lensgrad.core.errors import LensgradError


def told(kind, call):
    with pytest.raises(kind) as error:
        call()
    assert isinstance(error.value, LensgradError)
    return str(error.value)
