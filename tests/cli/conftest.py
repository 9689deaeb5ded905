"""What tests of the command line share."""

import pytest

from lensgrad import cli


@pytest.fixture
def run(capsys):
    """Call the command line in this process: exit code, output, errors."""

    def call(*args):
        code = cli.main([str(a) for a in args])
        out, err = capsys.readouterr()
        return code, out, err

    return call
