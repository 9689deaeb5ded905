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
# Exact numbers of runs are those of NumPy: what "auto" would compile depends on whether a compiler is found.
os.environ.setdefault("LENSGRAD_COMPILE", "never")


HERE = Path(__file__).resolve().parent
SLOW = (  # what `pytest --fast` leaves out: each of these takes seconds, and few changes break them alone
    "acceptance", "backends/test_jax.py", "backends/test_jax_step.py", "backends/test_lanes.py", "backends/test_shard.py",
    "circuits/test_circuit_classifier.py", "circuits/test_circuit_figures.py", "circuits/test_digits_in_gates.py",
    "circuits/test_learn_methods.py", "circuits/test_page.py", "circuits/test_simplify.py", "circuits/test_sweep.py", "cli", "estimators",
    "laws", "learn/layers/test_padded.py", "learn/layers/test_repeat.py", "learn/layers/test_sequences.py", "learn/layers/test_stories.py",
    "learn/test_constrained.py", "learn/test_losses_twins.py", "learn/test_precision.py", "learn/test_trajectories.py",
    "learn/test_ways.py", "project", "recipes", "testing", "theories/test_bridges.py", "theories/test_semirings.py",
    "train/test_fit_weights.py",
    "train/test_fit_interrupt.py", "train/test_fit_others.py", "train/test_fit_resume.py", "typing",
)  # fmt: skip


def pytest_addoption(parser):
    parser.addoption("--fast", action="store_true", help="leave out the tests that take long")


def pytest_ignore_collect(collection_path, config):
    """With --fast, what is slow is not even read."""
    return True if config.getoption("--fast") and any(collection_path == HERE / name for name in SLOW) else None


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
