"""What tests of tables share."""

import pytest


@pytest.fixture
def file(tmp_path):
    """Write a text into a file of a folder of this test's own."""

    def write(text, name="t.csv"):
        path = tmp_path / name
        path.write_bytes(text.encode("utf-8"))
        return path

    return write
