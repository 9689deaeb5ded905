"""Right calls of `lg.circuits` and of the estimators: small circuits, small tables, few steps, so that a thousand of them take seconds."""

from __future__ import annotations

import tempfile
from functools import lru_cache, reduce
from operator import and_
from pathlib import Path
from typing import Any

import numpy as np

import lensgrad as lg
from lensgrad.circuits.learning.choose import METHODS
from lensgrad.lens import batch as batched
from lensgrad.lens import corner, lens
from lensgrad.theories.poly.semiring import Z2, Z
from tools.fuzz_calls import Call, given
from tools.fuzz_values import X, Y

circuits: Any = lg.circuits
BITS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.uint8)
XOR = np.array([0, 1, 1, 0], np.uint8)
HIGH = np.where(X[:, 0] > 0, "high", "low")


# -- values ------------------------------------------------------------------------------------------------------------


@lru_cache
def gates() -> Any:
    """Two inputs i0 and i1, two outputs o0 (XOR) and o1 (AND)."""
    return circuits.from_tables([6, 8], 2)


@lru_cache
def encoder() -> Any:
    return lg.data.encoder(X, levels=1)


@lru_cache
def problem() -> Any:
    labels = (X[:, 0] > 0).astype(np.int64)
    return circuits.Problem(encoder().encode(X), labels, encoder().names, circuits.output_names("y", ("low", "high")), 2)


@lru_cache
def plan() -> Any:
    return circuits.Plan(layers=(4,), steps=2, batch_size=6)


@lru_cache
def found() -> Any:
    return METHODS["table"](problem(), plan())


@lru_cache
def learned() -> Any:
    return circuits.LearnedCircuit(encoder(), found().circuit, ("low", "high"), "y", "table")


@lru_cache
def network() -> Any:
    return circuits.lut_network(2, [4], classes=2)


@lru_cache
def proved() -> Any:
    return circuits.equal(gates(), gates())


@lru_cache
def written() -> dict[str, bytes]:
    """What is in files that calls read."""
    with tempfile.TemporaryDirectory() as folder:
        for circuit in ("gates.aig", "gates.blif"):
            circuits.write(gates(), Path(folder, circuit))
        learned().save(Path(folder, "learned.aig"))
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


@lru_cache
def estimator(kind: str, **settings: Any) -> Any:
    return LEARN[kind](**settings).fit(X, X[:, 0] if kind == "LensRegressor" else Y)


def files() -> None:
    """The files that calls read, anew where a call before has written something else there."""
    for name, content in written().items():
        if not Path(name).is_file() or Path(name).read_bytes() != content:
            Path(name).write_bytes(content)


def reading(function: Any, *args: Any, use: Any = repr, **named: Any) -> Call:
    """A call that reads files of the folder we are in."""

    def called(*a: Any, **k: Any) -> Any:
        files()
        return function(*a, **k)

    return given(called, *args, use=use, **named)


def moved(optimizer: Any) -> Any:
    """An optimizer that moves the bits of a soft network."""
    return repr(optimizer), lg.supervised(circuits.soften(network()), lg.cross_entropy, optimizer)


def judged(loss: Any) -> Any:
    return repr(loss), lg.supervised(circuits.soften(network()), loss, circuits.gain())


def turned(model: Any) -> Any:
    """A model, batched and turned."""
    return repr(model), lens(batched(corner(model.dom, "x") >> model, 2))


# -- calls -------------------------------------------------------------------------------------------------------------

GATES = {
    "Circuit": given(circuits.Circuit, ("a", "b"), ("y",), [[4, 2]], [6], use=str),
    "Circuit.run": given(lambda *a: gates().run(*a), BITS),
    "Circuit.values": given(lambda *a: gates().values(*a), [3, 5], 15),
    "Circuit.renamed": given(lambda *a, **k: gates().renamed(*a, **k), inputs=["a", "b"], outputs=["c", "d"]),
    "Builder": given(circuits.Builder, ["a", "b"], share=True, use=lambda b: b.finish(["y"], [b.all(b.literals)])),
    "Builder.finish": given(lambda *a: circuits.Builder(["a", "b"]).finish(*a), ["y"], [2]),
    "Builder.inline": given(lambda *a: circuits.Builder(["a", "b"]).inline(*a), gates(), [2, 4]),
    "from_tables": given(circuits.from_tables, [6, 8], 2, outputs=["a", "b"], care=None),
    "from_tables 2": given(circuits.from_tables, [6], ["a", "b"], ["y"], 7),
    "from_rows": given(circuits.from_rows, BITS, {"y": XOR}, ["a", "b"]),
    "formula": given(circuits.formula, ["a", "b"], lambda bits: {"y": reduce(and_, bits.values())} if bits else {}),
    "encoder_circuit": given(circuits.encoder_circuit, encoder()),
    "possible": given(circuits.possible, encoder(), names=["x0>0.0"] if "x0>0.0" in encoder().names else None),
    "rule": given(circuits.rule, gates(), care=None, most=12),
    "simplify": given(circuits.simplify, gates(), care=None),
    "simplify 2": given(circuits.simplify, gates(), circuits.from_tables([7], 2, ["care"])),
    "chained": given(circuits.chained, gates(), circuits.from_tables([6], ["o0", "o1"], ["y"])),
    "side_by_side": given(circuits.side_by_side, [gates(), gates().renamed(outputs=["p", "q"])]),
    "vote": given(circuits.vote, 6, 3, inputs=None, outputs=["a", "b", "c"]),
    "network_circuit": given(circuits.network_circuit, gates(), 2, outputs=["y"]),
    "to_gates": given(circuits.to_gates, circuits.parity(3), {"mask": [1, 0, 1]}, ["a", "b", "c"], outputs=["y"]),
    "to_diagram": given(circuits.to_diagram, gates()),
    "plain_names": given(circuits.plain_names, gates()),
}
FILES = {
    "blif": given(circuits.blif, gates(), model="top"),
    "verilog": given(circuits.verilog, gates(), module="m", buses=True, stages=1),
    "c_source": given(circuits.c_source, gates(), name="c"),
    "ascii_aiger": given(circuits.ascii_aiger, gates()),
    "binary_aiger": given(circuits.binary_aiger, gates()),
    "testbench": given(circuits.testbench, gates(), BITS, module="m", buses=True, stages=1),
    "read_aiger": given(circuits.read_aiger, circuits.binary_aiger(gates()), name="f"),
    "read_blif": given(circuits.read_blif, circuits.blif(gates()), name="f"),
    "read_truth": given(circuits.read_truth, "0110\n1000\n", name="f"),
    "write": given(circuits.write, gates(), "written.blif"),
    "read": reading(circuits.read, "gates.aig"),
}
LEARNING = {
    "Problem": given(
        circuits.Problem, BITS, XOR, ("a", "b"), ("y",), 2, held=(BITS, XOR), possible=4, use=lambda p: (p.whole(), p.complete)
    ),
    "Problem.accuracy": given(lambda *a, **k: problem().accuracy(*a, **k), found().circuit, held=False),
    "Plan": given(
        circuits.Plan,
        layers=(4,),
        steps=2,
        batch_size=6,
        learning_rate=0.05,
        temperature=3.0,
        straight=0.5,
        seed=0,
        stopping=None,
        progress=False,
        backend="numpy",
        degree=1,
        wiring=None,
    ),
    "Found": given(circuits.Found, gates(), "table", history=(), score=0.5, degree=1),
    "Search": given(circuits.Search, {"x": XOR}, (1, 0), use=lambda s: s.solved),
    "learn": given(circuits.learn, problem(), plan(), method="table"),
    "learn 2": given(circuits.learn, problem(), plan(), method="solve"),
    "held_back": given(circuits.held_back, problem(), 0.5, 0),
    "output_names": given(circuits.output_names, "y", ("low", "high")),
    "LearnedCircuit": given(circuits.LearnedCircuit, encoder(), found().circuit, ("low", "high"), target="y", method="table"),
    "LearnedCircuit.predict": given(lambda *a: learned().predict(*a), X),
    "LearnedCircuit.save": given(lambda *a: learned().save(*a), "saved.aig"),
    "load_circuit": reading(circuits.load_circuit, "learned.aig"),
    "solve": given(circuits.solve, circuits.anf(2, 2), (BITS, XOR[:, None])),
    "search": given(circuits.search, circuits.anf(2, 2, semiring=Z), (BITS, XOR[:, None]), steps=2, noise=0.3, seed=0, start=None),
    "satisfy": given(circuits.satisfy, circuits.anf(2, 1, semiring=Z), {"coefficients": [0, 1, 1]}, [1], steps=2, noise=0.3, seed=0),
}
PROOFS = {
    "Question": given(circuits.Question, gates(), gates(), care=None, about="they are equal", use=lambda q: q.clauses()),
    "Verdict": given(circuits.Verdict, circuits.Question(gates(), gates()), "refuted", {"i0": 1, "i1": 0}, proof=None, use=str),
    "Verdict.save": given(lambda *a: proved().save(*a), "proof"),
    "prove": given(circuits.prove, circuits.Question(gates(), gates()), timeout=5.0),
    "equal": given(circuits.equal, gates(), gates(), care=None, timeout=5.0, use=str),
    "equal_files": reading(circuits.equal_files, "gates.aig", "gates.blif", care=None, timeout=5.0),
    "certificate": reading(circuits.certificate, proved(), "proof.drat", ["gates.aig", "gates.blif"]),
    "irrelevant": given(circuits.irrelevant, gates(), ["i0"], care=None, timeout=5.0, use=str),
    "fair": given(circuits.fair, gates(), {"i0": "i1"}, care=None, timeout=5.0),
    "monotone": given(circuits.monotone, gates(), "i0", care=None, timeout=5.0, use=str),
    "robust": given(circuits.robust, gates(), [0, 1], 1, care=None, timeout=5.0, use=str),
    "hamming_radius": given(circuits.hamming_radius, gates(), [0, 1], timeout=5.0),
}
MODELS = {
    "lookup": given(circuits.lookup, 2, 1, use=turned),
    "anf": given(circuits.anf, 3, 2, outputs=1, semiring=Z2, use=turned),
    "esop": given(circuits.esop, 3, 2, outputs=1, semiring=Z, use=turned),
    "parity": given(circuits.parity, 3, outputs=1, semiring=Z2, use=turned),
    "monomials": given(circuits.monomials, 3, 2),
    "pseudo_linear": given(circuits.pseudo_linear, 3, 2),
    "lut_layer": given(circuits.lut_layer, 4, 3, k=2, seed=0, wiring=[(0, 1), (1, 2), (2, 3)], semiring=Z, use=turned),
    "lut_layer 2": given(circuits.lut_layer, 4, 3, k=2, seed=0),
    "lut_network": given(circuits.lut_network, 4, [4, 3], classes=3, k=2, seed=0, semiring=Z, use=turned),
    "votes": given(circuits.votes, 6, 3, semiring=Z, use=turned),
    "tree_conv2d": given(circuits.tree_conv2d, (3, 3, 1), 1, depth=1, size=2, stride=1, seed=0, semiring=Z),
    "or_pool2d": given(circuits.or_pool2d, (4, 4, 1), size=2, semiring=Z),
    "over": given(circuits.over, network(), Z2),
    "soften": given(circuits.soften, network(), dtype="float32", temperature=2.0, whole=True),
    "lift": given(circuits.lift, network()),
    "unit": given(lambda f: f >> circuits.unit, circuits.lift(network())),
    "hamming": given(circuits.hamming, "y", metrics=("accuracy",), use=judged),
    "perceptron": given(circuits.perceptron, "y", metrics=("accuracy",), margin=1.0, use=judged),
    "gain": given(circuits.gain, 1, chance=0.5, use=moved),
    "lifted_flip": given(circuits.lifted_flip, 0.01, decay=0.9, chance=0.5, use=moved),
    "random_mask": given(circuits.random_mask, 0.5, use=lambda m: moved(lg.chain(m, lg.sgd(0.1)))),
    "last_bit": given(lambda f: lg.chain(circuits.last_bit, f), lg.descent),
    "walk": given(circuits.walk, 0.3),
    "searching": given(circuits.searching, circuits.soften(circuits.anf(2, 2, semiring=Z)), 4, noise=0.3),
    "satisfying": given(circuits.satisfying, circuits.soften(circuits.anf(2, 1, semiring=Z)), noise=0.3),
}
CIRCUITS = {f"circuits.{name}": call for group in (GATES, FILES, LEARNING, PROOFS, MODELS) for name, call in group.items()}

# -- estimators --------------------------------------------------------------------------------------------------------

NETWORK = {
    "hidden": (3,), "activation": "relu", "optimizer": "adam", "learning_rate": 0.01, "epochs": 1, "batch_size": 6,
    "early_stopping": False, "validation_split": 0.5, "patience": 1, "standardize": True, "random_state": 0, "warm_start": False,
    "backend": "numpy", "verbose": False, "model": None,
}  # fmt: skip
TABLE = {
    "method": "table", "layers": (4,), "levels": 1, "categorical": (), "encoder": None, "steps": 2, "batch_size": 6, "learning_rate": 0.05,
    "temperature": 3.0, "early_stopping": False, "validation_split": 0.5, "patience": 1, "simplify": True, "feature_names": None,
    "target": "y", "random_state": 0, "backend": "numpy", "verbose": False,
}  # fmt: skip
QUICK = {"hidden": (3,), "epochs": 1, "backend": "numpy", "random_state": 0}


LEARN = {kind: getattr(lg, kind) for kind in ("CircuitClassifier", "LensClassifier", "LensRegressor")}  # found here: to import is slow


def fitted(kind: str, x: Any, y: Any, settings: dict[str, Any]) -> Call:
    """An estimator with settings, fitted to a table; all of them are mutated."""
    return given(lambda x, y, **how: LEARN[kind](**how).fit(x, y), x, y, use=lambda made: made.predict(x), **settings)


ESTIMATORS = {
    "LensClassifier": fitted("LensClassifier", X, Y, {**NETWORK, "class_weight": None}),
    "LensClassifier.fit": given(lambda *a, **k: lg.LensClassifier(**QUICK).fit(*a, **k), X, Y, sample_weight=np.ones(6)),
    "LensClassifier.predict": given(lambda x: estimator("LensClassifier", **QUICK).predict(x), X),
    "LensClassifier.predict_proba": given(lambda x: estimator("LensClassifier", **QUICK).predict_proba(x), X),
    "LensRegressor": fitted("LensRegressor", X, X[:, 0], NETWORK),
    "LensRegressor.predict": given(lambda x: estimator("LensRegressor", **QUICK).predict(x), X),
    "CircuitClassifier": fitted("CircuitClassifier", X[:, :2], HIGH, TABLE),
    "CircuitClassifier 2": fitted("CircuitClassifier", X[:, :2], HIGH, {**TABLE, "method": "solve", "feature_names": ["a", "b"]}),
    "CircuitClassifier.predict": given(lambda x: estimator("CircuitClassifier", method="solve", levels=9).predict(x), X),
    "CircuitClassifier.save": given(lambda p: estimator("CircuitClassifier", method="solve", levels=9).save(p), "classifier.aig"),
}
