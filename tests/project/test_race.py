"""The race beside peers: its workers, what it refuses, the page that it writes, and how it finds what became slower."""

import io
import json
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from benchmarks import run
from benchmarks.race import agree, data, driver, page, plot, show, worker
from benchmarks.race.competitors import COMPETITORS, Competitor
from benchmarks.race.peers import ours, ours_models
from benchmarks.race.process import Lost, Process
from benchmarks.race.results import Found, Race, Row
from benchmarks.race.workloads import WORKLOADS

TINY = replace(WORKLOADS["W1"], steps=4, check=8, at_once=2, predicts=True)


# -- workers -----------------------------------------------------------------------------------------------------------


class Halver:
    """A peer whose weight is half as large after each step, which is its loss too."""

    quantum = at_once = 4

    def __init__(self):
        self.calls = []
        self.reset()

    def reset(self):
        self.weight = 1.0

    def run(self, n):
        self.calls.append(n)
        self.weight *= 0.5**n
        return self.weight

    def weights(self):
        return [np.array([self.weight])]

    def predict(self, x):
        return 2 * x * self.weight


@pytest.fixture
def halver(monkeypatch):
    """A peer in the place of a library."""
    made = Halver()
    fake = SimpleNamespace(PACKAGES=("numpy",), make=lambda *_: made)
    monkeypatch.setitem(sys.modules, "benchmarks.race.peers.fake", fake)
    return made


def said_by_worker(*messages):
    said, inputs = [], io.StringIO("".join(json.dumps(m) + "\n" for m in messages))
    arrays = {"data/x": np.ones((4, 1, 3), np.float32), "start/w": np.ones(1)}
    worker.work(TINY, Competitor("fake", "Fake", "fake", ""), arrays, inputs, said.append)
    return said


def test_a_worker_trains_an_epoch_says_what_it_saw_and_answers(halver):
    begun, epoch, checked, ready, trained, predicted, ended = said_by_worker(
        {"train": 1e-9}, {"predict": 2, "seconds": 1e-9}, {"end": True}
    )
    assert set(begun) == {"import", "make", "first", "versions"} and begun["versions"] == {"numpy": np.__version__}
    assert epoch == {"epoch": True} and checked == {"loss": 0.5**8, "moved": 1 - 0.5**8} and ready == {"ready": True}
    assert halver.calls[:2] == [4, 4] and trained["count"] == 4 and trained["seconds"] > 0
    assert predicted["outputs"] == pytest.approx(2 * 6**0.5) and predicted["count"] == 1
    assert ended["memory"] is None or ended["memory"] > 1


def test_every_round_begins_at_the_first_values(halver):
    said_by_worker(*[{"train": 1e-9}] * 3)
    assert halver.weight == 0.5**4


def test_the_weights_of_two_layouts_are_equally_far_from_where_they_began():
    rng = np.random.default_rng(0)
    a, b, bias = rng.random((3, 2)), rng.random((3, 2)), [np.zeros(3), np.ones(3)]
    assert worker.distance([a, bias[0]], [b, bias[1]]) == pytest.approx(worker.distance([bias[0], a.T], [bias[1], b.T]))


@pytest.mark.parametrize("name", WORKLOADS)
def test_first_values_are_those_of_all_weights_of_ours(name):
    workload = WORKLOADS[name]
    learner, start = ours_models.learner(workload), ours_models.start(workload, data.start(workload))
    batch = None if workload.batch == 1 or name == "W6" else 2
    shapes = {p.name: p.ob[0].shape for p in learner.step(batch, "numpy").inputs if p.role.value == "weight"}
    assert {n: v.shape for n, v in start.items()} == shapes


@pytest.mark.parametrize("name", ["W1", "W6"])
def test_all_read_the_same_data_and_first_values(name):
    for drawn in (data.data, data.start):
        a, b = drawn(WORKLOADS[name]), drawn(WORKLOADS[name])
        assert all(np.array_equal(a[key], b[key]) for key in a)


@pytest.mark.parametrize("variant", ["numpy", "native"])
def test_a_run_in_parts_goes_the_same_way(variant):
    whole, parts = (ours.make(TINY, variant, data.data(TINY), data.start(TINY)) for _ in range(2))
    whole.run(11)
    for n in (3, 6, 2):
        parts.run(n)
    assert near_all(whole.weights(), parts.weights())


@pytest.mark.parametrize("variant", ["numpy", "native", "numpy fit"])
def test_bare_steps_and_fit_go_the_same_way(variant):
    arrays, start = data.data(TINY), data.start(TINY)
    peer, by_hand = (ours.make(TINY, v, arrays, start) for v in (variant, "numpy"))
    loss = peer.run(8)
    assert near_all(peer.weights(), by_hand.weights()) is False
    other = by_hand.run(8)
    assert near_all(peer.weights(), by_hand.weights()) and (loss == pytest.approx(other, rel=1e-5) or variant.endswith("fit"))
    peer.reset()
    assert near_all(peer.weights(), start.values())
    x = np.resize(arrays["x"][:, 0], (5, 4))
    assert peer.predict(x) == pytest.approx(by_hand.predict(x), rel=1e-5) and peer.predict(x).shape == (5, 3)


def near_all(a, b):
    """Whether weights are equal to rounding, whatever their layout."""
    return sorted(map(squares, a)) == pytest.approx(sorted(map(squares, b)), rel=1e-5)


def squares(x):
    return float(np.sum(np.square(x, dtype=np.float64)))


# -- a race ------------------------------------------------------------------------------------------------------------

SCRIPT = """
import json, sys
loss, seconds = {loss}, {seconds}
begun = {{"import": 1, "make": 2, "first": 3, "versions": {{"p": "1"}}}}
for line in (begun, {{"epoch": True}}, {{"loss": loss, "moved": 1.0}}, {{"ready": True}}):
    print(json.dumps(line), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    if "end" in asked:
        print(json.dumps({{"memory": 10}}), flush=True)
    elif "predict" in asked:
        print(json.dumps({{"seconds": seconds, "busy": seconds, "count": 1, "outputs": {outputs}}}), flush=True)
    else:
        print(json.dumps({{"seconds": seconds, "busy": seconds, "count": 1}}), flush=True)
"""


def script(loss=0.5, seconds=1e-6, outputs=1.0):
    """A program that says what a worker does."""
    return SCRIPT.format(loss=loss, seconds=seconds, outputs=outputs)


class Silent:
    """A watcher that remembers who was lost."""

    def __init__(self):
        self.gone = {}

    def begins(self, workload, parts):
        self.parts = parts

    def at(self, what):
        pass

    def done(self):
        self.parts -= 1

    def lost(self, row):
        self.gone[row.name] = row.why


def fake(text):
    return Process([sys.executable, "-c", text])


def test_a_race_times_who_agrees_and_says_why_the_others_do_not_run():
    scripts = {
        "native": script(),
        "torch": script(0.500001, 3e-6),
        "jax": script(0.6),
        "jax-scan": script(outputs=2),
        "nnx": "import sys; sys.exit('there is no such library')",
        "keras-jax": 'print(\'{"failed": "ImportError: no keras"}\')',
    }
    watch = Silent()
    found = driver.run(TINY, [COMPETITORS[n] for n in scripts], driver.Plan(3, 0.1), watch, lambda c, *_: fake(scripts[c.name]))
    assert [r.name for r in found.timed] == ["native", "torch"] and found.row("torch").steps == [3e-6] * 3
    assert found.row("native").first == 5 and found.row("native").memory == 10 and found.row("native").predictions["256"] == [1e-6] * 3
    assert watch.gone == {
        "jax": "its loss after 8 steps is 0.6, not 0.5 as others have it",
        "jax-scan": "the norm of its outputs for 256 is 2, not 1 as others have it",
        "nnx": "there is no such library",
        "keras-jax": "ImportError: no keras",
    }
    assert watch.parts == 0 and {r.name: r.why for r in found.rows if r.why} == watch.gone


def test_a_silent_worker_is_given_up():
    process = fake("import sys; sys.stdin.read()")
    try:
        with pytest.raises(Lost, match=r"^it said nothing for 0 s$"):
            process.hear(0.01)
    finally:
        process.end()


def outsiders(digits, **found):
    return agree.outsiders(found, dict.fromkeys(found, digits))


def test_losses_are_compared_before_speed():
    assert outsiders(5, a=1.0, b=1.000009, c=1.1) == {"c": 1.0} == outsiders(5, a=1.0, b=1.000009, c=1.00003)
    assert outsiders(5, a=1.0, b=1.1) == {"a": 1.1, "b": 1.0}
    assert outsiders(4, a=1.0, b=1.00002, c=1.00004) == {} == outsiders(5, a=1.0)


def test_who_has_another_formula_is_near_to_fewer_digits():
    assert agree.outsiders({"a": 1.0, "b": 1.0, "c": 1.00003}, {"a": 5, "b": 5, "c": 4}) == {}
    assert agree.outsiders({"a": 1.0, "b": 1.00003, "c": 1.00001, "d": 1.00003}, {"a": 5, "b": 5, "c": 4, "d": 5}) == {"a": 1.00003}


def test_weights_are_compared_where_a_loss_is_not_seen():
    rows = [Row("native", loss=1.0, moved=2.0), Row("jax", loss=1.0, moved=2.0), Row("native-fit", moved=2.1)]
    agree.refuse(rows, TINY)
    assert [r.why for r in rows] == ["", "", "the distance from its first weights after 8 steps is 2.1, not 2 as others have it"]


# -- what was found ----------------------------------------------------------------------------------------------------

MACHINE = {"system": "Linux x86_64", "cores": 2, "vectors": 256, "memory": 8, "python": "3.12", "peak": {"1": 1e9, "2": 2e9}}


def row(name, *steps, why="", **more):
    return Row(name, why, {"p": "1"}, 0.5, 1.0, 2.0, 0.25, 1.0, 100.0, list(steps), list(steps), **more)


def found(native=1e-6, one_core=False):
    rows = [
        row("native", native, native, predictions={"1": [2e-5]}),
        row("native-fit", 2e-6, 2e-6),
        row("torch", 4e-6, 2e-6, predictions={"1": [5e-3]}),
        row("jax-scan", 5e-7, 5e-7),
    ]
    race = Race("W1", one_core, [*rows, row("nnx", why="<no> | `flax`")], "2026-01-01", (0.0, 1.5))
    return Found(MACHINE, {race.key: race})


def test_the_page_has_losing_rows_and_those_that_did_not_run():
    text = page.written(found())
    lines = text.splitlines()
    assert "| **W1** Iris, batch 1 | JAX + optax, scan, 500 ns | 1.00 µs | 0.50 (0.50 … 0.50) |  | 2.00 | 250 |  |" in lines
    assert "| PyTorch, eager | 5.00 ms | 250 |" in lines and "1.2 k operations a step" in text
    told = "| PyTorch, eager | 3.00 µs | 2.00 µs … 4.00 µs | 3.00 | 20 % | 0.250000 | 500 ms | 1.00 s | 2.00 s | 100 MiB |"
    assert told in lines
    assert "| Flax NNX + optax | not run: &lt;no&gt; \\| 'flax' |  |  |  |  |  |  |  |  |" in lines
    assert "Linux x86_64, 2 cores, vectors of 256 bits, 8 GiB of memory, Python 3.12" in text and "load of the machine" in text


def test_the_plot_has_a_mark_for_each_peer_on_a_logarithmic_axis(tmp_path):
    pytest.importorskip("matplotlib")
    plot.draw(found(), tmp_path / "a.svg")
    plot.draw(found(), tmp_path / "b.svg")
    text = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert "PyTorch, eager" in text and "JAX + optax, scan" in text and "lensgrad, native, fit" not in text
    assert text == (tmp_path / "b.svg").read_text(encoding="utf-8")


def test_results_are_kept_as_they_are(tmp_path):
    found().write(tmp_path / "build" / "a.json")
    assert Found.read(tmp_path / "build" / "a.json") == found() and Found.read(tmp_path / "none.json") == Found({}, {})


def test_times_are_shown_to_three_digits():
    assert [show.seconds(t) for t in (1.5, 0.0123, 123.4e-6, 5e-9)] == ["1.50 s", "12.3 ms", "123 µs", "5.00 ns"]
    assert [show.times(t) for t in (0.5, 12345.6)] == ["0.50", "12,346"] and show.amount(213e9) == "213 G"


def test_the_table_of_a_race_names_everybody():
    console = Console(record=True, width=160, file=io.StringIO())
    console.print(show.table(found().races["W1"]))
    text = console.export_text()
    assert "lensgrad, native, fit" in text and "Flax" not in text
    assert show.absent(found().races["W1"]) == ["Flax NNX + optax: not run: <no> | `flax`"]


# -- what became slower ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("native, code, said", [(1e-6, 0, "0 of 1"), (2e-6, 1, "1 of 1")])
def test_quick_finds_what_became_slower(native, code, said, monkeypatch, tmp_path, capsys):
    file = tmp_path / "RESULTS.json"
    found(one_core=True).write(file)
    now = found(native, one_core=True).races["W1, one core"]
    monkeypatch.setattr(page, "DATA", file)
    monkeypatch.setattr(run.driver, "run", lambda *_: replace(now, rows=[r for r in now.rows if r.steps]))
    assert run.main(["--quick", "W1"]) == code
    told = " ".join(capsys.readouterr().out.split())
    assert f"slower by more than 1.3 ×: {said}; not run: 0" in told
    assert ("W1 lensgrad, native: the twin takes 0.25 × as long, 0.50 × when written: 2.00 × slower" in told) == bool(code)


def test_quick_fails_where_ours_does_not_run(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(page, "DATA", tmp_path / "none.json")
    monkeypatch.setattr(run.driver, "run", lambda *_: Race("W1", True, [row("native", why="no")]))
    assert run.main(["--quick", "W1"]) == 1
    assert "not run: 1" in " ".join(capsys.readouterr().out.split())


def test_a_race_that_is_there_is_not_run_again(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(run, "KEPT", tmp_path)
    monkeypatch.setattr(run.limit, "machine", lambda: MACHINE)
    monkeypatch.setattr(run.driver, "run", lambda *_: found().races["W1"])
    asked = ["W1", "--cores", "all", "--peers", "native"]
    assert run.main(asked) == 0
    monkeypatch.setattr(run.driver, "run", lambda *_: pytest.fail("run again"))
    assert run.main([*asked, "--resume"]) == 0


def test_all_is_written_and_what_was_there_stays(monkeypatch, tmp_path):
    for name in ("DATA", "PAGE", "PLOT"):
        monkeypatch.setattr(page, name, tmp_path / f"RESULTS{getattr(page, name).suffix}")
    monkeypatch.setattr(run, "ROOT", tmp_path)
    found(one_core=True).write(page.DATA)
    run.write(found(), Console(file=io.StringIO()))
    assert set(Found.read(page.DATA).races) == {"W1", "W1, one core"} and "On one core:" in page.PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "args, told",
    [
        (["W9"], "'W9' is no workload"),
        (["--peers", "nobody"], "'nobody' is no competitor"),
        (["--rounds", "0"], "--rounds must be above 0"),
    ],
)
def test_wrong_arguments_are_refused(args, told, capsys):
    with pytest.raises(SystemExit):
        run.main(args)
    assert told in capsys.readouterr().err
