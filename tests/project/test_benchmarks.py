"""The benchmarks beside peers: their statistics, what they say of peers that are not there, and the page that they write."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from benchmarks import accuracy, circuit_ways, circuits
from benchmarks.peers import page
from benchmarks.quickstart import __main__ as quickstart
from lensgrad.backends.native import compiler as native

TASK = replace(accuracy.TASKS[0], epochs=1)


def peer(name, *found, missing=""):
    return accuracy.Peer(name, "", "", missing=missing, found={TASK.name: list(found)})


@pytest.mark.parametrize("seed", range(3))
def test_the_permutation_test_is_that_of_scipy(seed):
    stats = pytest.importorskip("scipy.stats", reason="comes with scikit-learn")
    a, b = np.random.default_rng(seed).integers(0, 6, (2, 5)) / 6 + [[0], [0.3]]
    other = stats.permutation_test((a, b), lambda x, y: abs(x.mean() - y.mean()), n_resamples=np.inf, alternative="greater")
    assert accuracy.permutation(a, b) == other.pvalue


@pytest.mark.parametrize("seed", range(3))
def test_the_interval_is_that_of_welch(seed):
    stats = pytest.importorskip("scipy.stats", reason="comes with scikit-learn")
    a, b = np.random.default_rng(seed).normal(0, [[1], [3]], (2, 6)).tolist()
    other = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    assert accuracy.interval(a, b) == pytest.approx((other.high - other.low) / 2, rel=1e-12)
    assert accuracy.interval([1.0, 1.0], [2.0, 2.0]) == 0.0


def test_p_values_are_corrected_by_holm():
    assert accuracy.holm([0.5, 0.25, 0.0625, 0.375]) == [0.75, 0.75, 0.25, 0.75]
    assert accuracy.holm([0.9, 0.8]) == [1.0, 1.0] and accuracy.holm([]) == []


def test_the_table_counts_differences_and_peers_that_did_not_run():
    ours, far = peer("lensgrad", 0.5, 0.5, 0.75, 0.75), peer("far", 1.0, 1.0, 1.0, 1.0)
    lines = accuracy.table([TASK], ours, [far, peer("absent", missing="No module named 'absent'")], 4)
    assert lines[2:] == [
        "| iris | lensgrad | 0.6250 | 0.1443 | 0.5000 | 0.7500 |  |  |",
        "| iris | far | 1.0000 | 0.0000 | 1.0000 | 1.0000 | +0.3750 ± 0.2297 | 0.03 |",
        "| iris | absent | not run |  |  |  |  |  |",
        "",
        "1 comparisons over 4 seeds from 8 on, 1 with a difference beyond noise (p < 0.05); "
        "0.029 is the least p that so many seeds can give; "
        "not run: 1, absent (No module named 'absent').",
    ]


def test_our_peer_reads_tasks_and_gives_an_accuracy_for_each_seed(tmp_path):
    accuracy.write_tasks(tmp_path, [TASK], 2)
    ours = accuracy.Peer("lensgrad", "lensgrad_peer.py", sys.executable)
    ours.run(tmp_path)
    assert len(ours.found["iris"]) == 2 and not ours.missing and set(ours.versions) >= {"lensgrad", "JAX", "NumPy", "Python"}
    learner = accuracy.lg.supervised(
        accuracy.lg.sequential(accuracy.lg.input(4), accuracy.lg.dense(16, activation="relu"), accuracy.lg.dense(3)),
        accuracy.lg.cross_entropy, accuracy.lg.adam(1e-2), metrics=["accuracy"],
    )  # fmt: skip
    data = accuracy.iris()
    run = learner.fit((data["x_train"], data["y_train"]), batch_size=16, seed=1, progress=False)
    assert ours.found["iris"][1] == run.evaluate((data["x_test"], data["y_test"]))["accuracy"]


def test_training_and_test_sets_of_the_benchmarks_have_no_row_in_common():
    for name in ("digits", "breast cancer"):
        data = accuracy.DATA[name]()
        rows = [{x.tobytes() for x in data[part]} for part in ("x_train", "x_test")]
        assert not rows[0] & rows[1]


def test_the_quickstart_that_is_timed_is_the_readmes():
    script = quickstart.ours()
    assert script in "import lensgrad as lg\n\n" + quickstart.README.read_text(encoding="utf-8").split("```python\n")[2]
    assert "lg.data.digits()" in script and quickstart.SAID.pattern.split(":")[0] in script


def test_libraries_that_are_not_there_are_shown_as_not_run():
    there = quickstart.Library("a", {"a": "a"}, "", "", {"a": "1"}, [3.0, 1.0, 2.0], [0.5, 0.25, 0.5])
    absent = quickstart.Library("b", {"b": "there_is_no_such_package"}, sys.executable, "")
    absent.ask()
    assert quickstart.table([there, absent])[2:] == [
        "| a | 2.00 | 1.00 | 3.00 | 0.250 … 0.500 |",
        "| b | not run |  |  |  |",
        "",
        "Cold runs of each: 3; not run: 1, b.",
    ]


def test_a_section_of_the_page_is_written_anew_and_the_others_stay(tmp_path):
    file = tmp_path / "peers.md"
    page.write("A", "a", {"x": "1"}, ["old"], file)
    page.write("B", "b", {}, ["| 1 |"], file)
    before = file.read_text(encoding="utf-8")
    page.write("A", "a", {"x": "1"}, ["new"], file)
    after = file.read_text(encoding="utf-8")
    assert "\nold\n" in before and "\nold\n" not in after and "\nnew\n" in after
    assert before.count("## ") == after.count("## ") == 2 and before.split("## B")[1] == after.split("## B")[1]
    assert after.startswith(page.HEAD) and after.index("## A") < after.index("## B")


# -- circuits ----------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(native.compiler() is None, reason="no C compiler")
def test_circuits_are_raced_on_equal_answers(monkeypatch, capsys):
    monkeypatch.setattr(circuits, "limits", lambda rounds: {"in registers": 1.0})
    assert circuits.main(["--quick", "--rounds", "1"]) == 0
    said = capsys.readouterr().out
    titles = [line.split(":")[0] for line in said.splitlines() if "equal bit for bit" in line]
    assert titles == ["forward", "reverse with counts"] * 2 + ["random circuit"]
    assert said.count("  NumPy") == said.count("  compiled") == 6


def test_a_race_with_different_answers_ends():
    ways = {"compiled": lambda: np.zeros(3), "NumPy": lambda: np.ones(3)}
    with pytest.raises(SystemExit, match=r"^wrong: the answers differ$"):
        circuits.Race("wrong", 1, 1, ways).run(1)


def test_every_gate_of_the_random_circuit_has_an_effect():
    dag = circuits.Dag.random(400)
    read = np.unique(np.concatenate([dag.left, dag.right]))
    last = np.arange(dag.inputs + dag.gates - dag.outputs, dag.inputs + dag.gates)
    assert set(range(dag.inputs + dag.gates)) - set(read.tolist()) <= set(last.tolist())


@pytest.mark.skipif(native.compiler() is None, reason="no C compiler")
def test_generated_code_gives_the_same_words(capsys):
    assert circuit_ways.main(["--quick", "--rounds", "1"]) == 0
    assert "generated C" in capsys.readouterr().out


def test_without_a_compiler_there_is_nothing_to_race(monkeypatch, capsys):
    monkeypatch.setenv("CC", "")
    assert circuits.main([]) == circuit_ways.main([]) == 1
    told = "there is no C compiler here, and these are figures of compiled circuits"
    assert capsys.readouterr().err.splitlines() == [told, told]
