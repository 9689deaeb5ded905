"""What `make evidence` measures, one function a promise: each returns a headline figure and lines of detail, or raises."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from statistics import fmean, median
from typing import Any

import numpy as np

import lensgrad as lg
from benchmarks import iris_source, iris_twin, mnist
from lensgrad import recipes
from lensgrad.lens import Param, Role, Ty, batch, corner, lens, mean, parametric, rate
from lensgrad.program.compile import program
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Key
from tools import refusals as wrong

ROOT = Path(__file__).resolve().parent.parent
Measured = tuple[str, list[str]]


class Broken(Exception):
    """A promise that the measurement does not keep; the message is the figure."""


def kept(good: bool, figure: str, details: Iterable[str] = ()) -> Measured:
    """The figure, if the promise is kept by it."""
    if not good:
        raise Broken("\n".join([figure, *details]))
    return figure, list(details)


def command(*args: str, cwd: Path = ROOT, **env: str) -> str:
    """What a command prints; one that fails, or takes over 30 minutes, is a broken promise with its last lines."""
    options: dict[str, Any] = {"cwd": cwd, "env": {**os.environ, **env}, "encoding": "utf-8", "timeout": 1800}
    ran = subprocess.run(args, capture_output=True, check=False, **options)
    if ran.returncode:
        raise Broken("\n".join(["`" + " ".join(args) + f"` ended with {ran.returncode}", *(ran.stdout + ran.stderr).splitlines()[-15:]]))
    return ran.stdout


# -- mathematics -------------------------------------------------------------------------------------------------------


def laws() -> Measured:
    """Every law on 200 random cases, in every category and theory."""
    from lensgrad import testing

    found = dict(testing.law_checks(200))
    broken = [name for name, failure in found.items() if failure]
    theories = Counter(name.split()[0] for name in found)
    figure = f"{len(found)} laws on 200 random cases each, {len(broken)} broken"
    return kept(bool(found) and not broken, figure, [f"{n}: {k} laws" for n, k in theories.items()] + broken)


def generators() -> Measured:
    """The shared check of every generator."""
    from lensgrad.testing.cases import CASES, generator_report
    from lensgrad.testing.cases import generators as all_generators

    reports = [generator_report(cls) for cls in all_generators()]
    counts = Counter(f.status for report in reports for f in report.findings)
    told = ", ".join(f"{n} {status}" for status, n in sorted(counts.items()))
    figure = f"{len(reports)} generators at {len(CASES)} types; parts of the check: {told}"
    return kept(all(reports), figure, [str(report) for report in reports if not report])


def mutants() -> Measured:
    """Each reverse rule, adjoint and batching rule broken in turn."""
    return mutants_of("lensgrad.testing.mutants")


def mutants_in_c() -> Measured:
    """What each generator means in C broken in turn."""
    return mutants_of("lensgrad.testing.mutants_c")


def mutants_of_passes() -> Measured:
    """What writes C for whole programs broken in turn."""
    return mutants_of("lensgrad.testing.mutants_passes")


def mutants_of(module: str) -> Measured:
    *table, total = command(sys.executable, "-m", module).strip().splitlines()
    made, caught, equal, survived = total.split()[-4:]
    figure = f"{made} mutants: {caught} caught, {equal} equal to the original, {survived} survived"
    return kept(survived == "0", figure, ["```text", *table, total, "```"])


def refusals() -> Measured:
    """Wrong calls and the sentences they are answered with."""
    answers = {name: wrong.answer(call) for name, call in wrong.CALLS.items()}
    accepted = [name for name, text in answers.items() if text == "not refused"]
    details = [line for name, text in answers.items() for line in (f"{name}:", "", "```text", *text.splitlines(), "```", "")]
    return kept(not accepted, f"{len(answers)} wrong calls, {len(accepted)} accepted", details)


def hostile_names() -> Measured:
    """Ten thousand hostile names through everything that takes, writes or reads a name; it fails where one is run or raw."""
    figure, *details = command(sys.executable, "-m", "tools.hostile", "10000").splitlines()
    return figure, details


def damaged_files() -> Measured:
    """Three thousand run files, each changed by hand in one place; it fails where one ends in a raw error."""
    return command(sys.executable, "-m", "tools.damaged", "3000").splitlines()[0], []


def other_checkpoints() -> Measured:
    """Two hundred pairs of runs that differ in one thing; it fails where one goes on in silence, or otherwise than it should."""
    return command(sys.executable, "-m", "tools.resumes", "200").splitlines()[-1], []


def wrong_calls() -> Measured:
    """A hundred thousand wrong calls of everything behind the public door; it fails where one ends in a raw error."""
    return command(sys.executable, "-m", "tools.fuzz", "100000").splitlines()[0], []


def cost() -> Measured:
    """Chains of dense + tanh, composed in three bracketings, in a process of its own; it fails where a limit is broken."""
    *rows, left, right, balanced, total = command(sys.executable, "-m", "benchmarks.linear_cost").splitlines()
    return "; ".join([left, right, balanced, total, "each forward once in put"]), ["```text", *rows, "```"]


# -- learners ----------------------------------------------------------------------------------------------------------


def same_lens() -> Measured:
    """The learner's lens against the one composed by hand."""
    sizes, model = (1, 2, 16, 150), recipes.iris_model()
    learner = recipes.iris_learner()
    equal = [by_hand(model, n) == learner.lens(batch=n) for n in sizes]
    other = by_hand(model, 3) == learner.lens(batch=4)
    return kept(all(equal) and not other, f"equal for n = {', '.join(map(str, sizes))}, and different for different n")


def by_hand(model: Any, n: int) -> Any:
    """The five parts of supervised learning, composed."""
    task = corner(lg.Real(4), "x") >> model >> lg.half_squared_error("y", metrics=["accuracy"])
    return (lens(batch(task, n) >> mean) >> rate(0.01)).reparam({lg.weights: lg.descent})


def unmoved() -> Measured:
    """100 steps that move one layer of two, on data that is kept beside them."""
    data, model = recipes.iris_data(), recipes.iris_model()
    copies = data.x.tobytes(), data.y.tobytes()
    learner = lg.supervised(model, lg.half_squared_error, {"output/*": lg.descent}, 0.01)
    start = learner.initial() | {n: v for n, v in recipes.iris_learner().initial().items() if n.startswith("hidden")}
    run = learner.fit(data, epochs=10, batch_size=15, start=start, progress=False)
    still = [n for n in start if start[n].tobytes() == run.values[n].tobytes()]
    wanted = [n for n in start if n.startswith("hidden")]
    same = copies == (data.x.tobytes(), data.y.tobytes())
    return kept(still == wanted and same, f"after 100 steps unchanged in every bit: {', '.join(still)}{', the data' if same else ''}")


def masks() -> Measured:
    """One key, one batch of equal examples: how many different masks."""
    ob, n = lg.Real(32), 8
    drop = parametric([Param("key", Ty((Key(),)), Role.KEY)], ob, lambda key, x: x * ops.cast(ops.uniform(key, (32,)) < 0.5, "float32"))
    out = program(batch(drop, n))({"key": np.array([0, 7], np.uint32), "input": np.ones((n, 32))})["output"]
    different = len({row.tobytes() for row in out})
    return kept(different == n, f"{different} different masks for {n} equal examples of one batch and one key")


def regression() -> Measured:
    """Descent on petal widths against the least-squares solution."""
    _, far = recipes.train_regression(progress=False)
    return kept(far <= 1e-6, f"largest difference from the least-squares solution {far:.1e}")


@cache
def accuracies(kind: str) -> tuple[list[float], list[float]]:
    """Final and best accuracy of 400 epochs for five seeds."""
    data, final, best = recipes.iris_data(), list[float](), list[float]()
    for seed in range(5):
        run = recipes.iris_learner(kind).fit(data, epochs=400, batch_size=None, seed=seed, progress=False)
        final.append(run.evaluate(data)["accuracy"])
        best.append(max(report["accuracy"] for report in run.history))
    return final, best


def iris(kind: str, good: Any) -> Measured:
    """One of the paper's models."""
    final, best = accuracies(kind)
    told = ", ".join(f"{a:.4f}" for a in final)
    figure = f"median {median(final):.4f}, least {min(final):.4f}"
    return kept(good(final), figure, [f"final, seeds 0 to 4: {told}", f"best epoch while training: {', '.join(f'{a:.4f}' for a in best)}"])


def hidden() -> Measured:
    return iris("hidden", lambda a: median(a) >= 0.975 and min(a) >= 0.96)


def dense() -> Measured:
    return iris("dense", lambda a: min(a) >= 0.95)


def linear() -> Measured:
    return iris("linear", lambda a: True)


def twin() -> Measured:
    """The library against a loop written by hand."""
    found = iris_twin.difference()
    return kept(found <= iris_twin.LIMIT, f"largest difference of a weight after 400 epochs in float64: {found:.1e}")


def source() -> Measured:
    """The printed step as a file of its own."""
    wrong = iris_source.differing()
    return kept(not wrong, f"400 epochs without the library: {'every weight equal bit for bit' if not wrong else f'different: {wrong}'}")


# -- real tasks --------------------------------------------------------------------------------------------------------


def mnist_paper() -> Measured:
    """The paper's net, one image a step, three seeds: test accuracy after each of four epochs."""
    runs = [mnist.accuracies("paper", seed) for seed in range(3)]
    figure = f"after one epoch at least {min(r[0] for r in runs):.4f}, after four {min(r[3] for r in runs):.4f}"
    return kept(min(r[0] for r in runs) >= 0.95, figure, per_seed(runs))


def mnist_modern() -> Measured:
    """The small modern network, three seeds of five epochs at batch 128."""
    runs = [mnist.accuracies("modern", seed) for seed in range(3)]
    last = [r[-1] for r in runs]
    return kept(min(last) >= 0.99, f"after {len(runs[0])} epochs median {median(last):.4f}, least {min(last):.4f}", per_seed(runs))


def per_seed(runs: list[list[float]]) -> list[str]:
    return [f"seed {seed}, test accuracy by epoch: {', '.join(f'{a:.4f}' for a in run)}" for seed, run in enumerate(runs)]


def trained(name: str, kind: str, seed: int) -> tuple[lg.Run, recipes.Data]:
    """A ready-made task as the command line trains it, on JAX."""
    recipe = recipes.task(name)
    plan, data, learner = recipe.plan(kind), recipe.data(), recipe.learner(kind)
    how: dict[str, Any] = {"epochs": plan.epochs, "batch_size": plan.batch_size, "seed": seed, "backend": "jax", "progress": False}
    return learner.fit(data.train, validation_data=data.validation, **how), data


def cora() -> Measured:
    """The graph convolutional network on the standard split, ten seeds."""
    found = list[float]()
    for seed in range(10):
        run, data = trained("cora", "gcn", seed)
        found.append(run.evaluate(data.test.rows(), batch_size=None)["accuracy"])
    told = f"seeds 0 to 9: {', '.join(f'{a:.4f}' for a in found)}"
    return kept(fmean(found) >= 0.80, f"mean test accuracy {fmean(found):.4f}, least {min(found):.4f}", [told])


def shakespeare() -> Measured:
    """Both character models: validation loss by epoch, which must fall and end below 2 nats a character, and a text drawn from each."""
    recipe, last, details = recipes.task("shakespeare"), dict[str, float](), list[str]()
    for kind in recipe.plans:
        run, _ = trained("shakespeare", kind, 0)
        losses = [report["val_loss"] for report in run.history]
        last[kind] = losses[-1] if losses[-1] <= losses[0] else float("inf")
        text = recipe.closing(run, 0) if recipe.closing is not None else ""
        told = ", ".join(f"{v:.4f}" for v in losses)
        details += [f"{kind}, validation loss by epoch: {told}", "", "```text", *text.splitlines(), "```", ""]
    figure = ", ".join(f"{kind} {loss:.4f}" for kind, loss in last.items())
    return kept(max(last.values()) < 2, f"validation loss for a character: {figure}", details)


# -- the package -------------------------------------------------------------------------------------------------------


@cache
def place() -> tempfile.TemporaryDirectory[str]:
    """A folder of its own, kept until the process ends."""
    return tempfile.TemporaryDirectory(prefix="lensgrad-")


@cache
def environment() -> str:
    """A fresh environment into which a copy of the project was installed with `pip install .`; its Python."""
    copy, env = Path(place().name) / "copy", Path(place().name) / "env"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".git", ".venv*", "build", "*.egg-info", "__pycache__", ".*_cache"))
    command(sys.executable, "-m", "venv", str(env))
    python = str(env / ("Scripts" if os.name == "nt" else "bin") / "python")
    command(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", ".", cwd=copy)
    return python


def fresh(*args: str) -> str:
    """What the fresh environment's Python prints, away from the project and from folders that PYTHONPATH names."""
    return command(environment(), *args, cwd=Path(environment()).parent, PYTHONPATH="")


def packages() -> Measured:
    """What `pip install .` brings into a fresh environment, and that it works there."""
    listed = json.loads(fresh("-m", "pip", "list", "--format", "json", "--disable-pip-version-check"))
    names = [f"{p['name']} {p['version']}" for p in listed if p["name"] not in ("pip", "setuptools")]
    heavy = [p["name"] for p in listed if p["name"].lower() in ("jax", "jaxlib", "torch", "scipy")]
    trained = fresh("-m", "lensgrad", "train", "iris", "--model", "dense", "--epochs", "50").splitlines()[-1]
    told = f"{len(names)} packages, {', '.join(heavy) or 'no JAX, torch or SciPy'}"
    return kept(not heavy, told, [", ".join(names), f"the dense network after 50 epochs there: {trained}"])


def importing() -> Measured:
    """How long `import lensgrad` takes after `import numpy`, in ten processes after one that is not counted.

    Judged by the median on the clock, which is what a person waits.
    """
    clocks = "time.process_time(), time.perf_counter()"
    timed = f"import time, numpy; a, b = {clocks}; import lensgrad; c, d = {clocks}; print(c - a, d - b)"
    pairs = [[float(word) for word in fresh("-c", timed).split()] for _ in range(11)][1:]
    busy, passed = zip(*pairs, strict=True)
    told = [f"{name}: median {median(found):.3f}, slowest {max(found):.3f}" for name, found in (("processor", busy), ("clock", passed))]
    return kept(median(passed) <= 0.2, f"{median(passed):.3f} s beyond NumPy's own import, the median of ten processes", told)


def sizes() -> Measured:
    """How long files and functions are."""
    lines = command(sys.executable, "-m", "tools.size").splitlines()
    return lines[-1], ["```text", *lines[:-1], "```"]
