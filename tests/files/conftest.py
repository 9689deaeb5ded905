"""A run, and where it is saved."""

import pytest
from saved_runs import trained


@pytest.fixture(scope="module")
def run():
    return trained("momentum")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "iris.safetensors"
