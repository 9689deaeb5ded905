"""What all tests share: one reproducible way to draw random cases, and where larger data sets are."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in background jobs; tests of Ctrl-C need it heard
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile(
    "lensgrad",
    derandomize=True,
    deadline=None,
    print_blob=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("lensgrad")


@pytest.fixture
def data_folder() -> Path:
    """The folder of data sets that do not come with the library: LENSGRAD_DATA, which `make test` sets where it finds one."""
    where = os.environ.get("LENSGRAD_DATA")
    if not where:
        pytest.skip("LENSGRAD_DATA is not set, and this test reads data that does not come with the library")
    folder = Path(where)
    if not folder.is_dir():
        pytest.fail(f"LENSGRAD_DATA is {where}, which is no folder")
    return folder
