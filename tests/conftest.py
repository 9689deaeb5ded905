"""What all tests share: one reproducible way to draw random cases, and where larger data sets are."""

import os
import signal
from collections import Counter
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


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session):
    """After all else: why tests could not run, and as the very last line how many."""
    result = yield
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and not session.config.option.collectonly:
        for line in closing_lines(reporter.stats):
            reporter.write_line(line)
    return result


def closing_lines(stats):
    """The reasons for which tests were not run, each with how many, and the counts."""
    whys = Counter(str(report.longrepr[2]).removeprefix("Skipped: ").removeprefix("not run: ") for report in stats.get("skipped", []))
    counts = [(len(stats.get(kind, [])), word) for kind, word in (("failed", "failed"), ("error", "errors"), ("passed", "passed"))]
    told = [f"{n} {word}" for n, word in counts if n or word == "passed"]
    return [*(f"not run: {n}, because {why}" for why, n in sorted(whys.items())), ", ".join([*told, f"{sum(whys.values())} not run"])]
