"""Checkpoints of other learners: each pair of runs differs in one thing, and the second is asked to go on from the first's file.

`python -m tools.resumes 200` counts how many are refused in a sentence that names the file, and how many go on and say what is
another. None may go on in silence, none may fail otherwise, and what changes the meaning of a learner may not merely be said.
The rest of both learners is drawn at random; seeds are fixed, so that pair number n is the same on every machine.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import lensgrad as lg
from lensgrad.core.errors import BadCheckpoint, LensgradWarning
from lensgrad.lens import extrapolated, newton_cg, sam

Setting = Mapping[str, Any]
REFUSED, SAID, SILENT, RAW = "refused", "said", "silent", "raw"

CHOICES: dict[str, tuple[Any, ...]] = {
    "activation": ("relu", "tanh", "sigmoid", "elu", "gelu", "softplus", None),
    "slope": (0.01, 0.1, 0.2),
    "width": (6, 4, 8),
    "depth": (1, 2, 3),
    "use_bias": (True, False),
    "kernel": (3, 5),
    "padding": ("same", "valid"),
    "stride": (1, 2),
    "dilation": (1, 2),
    "pool": (lg.global_average_pool, lg.global_max_pool),
    "norm": (lg.layer_norm, lg.rms_norm, lg.batch_norm),
    "epsilon": (1e-5, 1e-3),
    "dropout": (0.2, 0.5, 0.0),
    "order": ("norm first", "dropout first", "norm last"),
    "skip": (False, True),
    "names": ("layer", "block"),
    "dtype": ("float32", "float64"),
    "frozen": ((), ("stem/kernel",), ("head/weight", "head/bias")),
    "adapter": (None, lg.weight_norm, lg.prune),
    "loss": (lg.mse, lg.l1, lg.huber, lg.smooth_l1, lg.quantile, lg.cross_entropy),
    "loss_number": (0.5, 0.75),
    "smoothing": (0.0, 0.1),
    "class_weights": (None, (1.0, 2.0, 3.0), (3.0, 2.0, 1.0)),
    "optimizer": ("adam", "adamw", "sgd", "momentum", "nesterov", "rmsprop", "lion", "adagrad", "nadam", "lamb", "adadelta"),
    "stage": (None, lg.clip_norm, lg.clip_value, lg.weight_decay),
    "head_optimizer": (None, "sgd", "lion"),
    "schedule": (None, lg.cosine, lg.linear_decay, lg.step_decay),
    "rate": (0.01, 0.02),
    "reduction": ("mean", "sum"),
    "derivative": (None, sam(0.05), sam(0.1), extrapolated(0.1), newton_cg(2)),
    "metrics": ((), ("mae",)),
    "label": ("y", "target"),
    "input": ("x", "signal"),
    "seed": (0, 1),
    "shuffle": (True, False),
    "size": (24, 20),
    "contents": ("drawn", "one number", "one label", "order", "drawn again"),
    "batch_size": (8, 6),
    "accumulate": (1, 2),
    "weighting": (None, "later", "earlier"),
}
MAY_CHANGE = {"rate", "metrics", "batch_size", "accumulate"}  # on purpose between two epochs: said, and gone on
USUAL = {name: values[0] for name, values in CHOICES.items()}
NEEDS: dict[str, Setting] = {  # what makes a choice matter
    "slope": {"activation": "leaky"},
    "loss_number": {"loss": lg.quantile},
    "smoothing": {"loss": lg.cross_entropy},
    "class_weights": {"loss": lg.cross_entropy},
    "epsilon": {"norm": lg.layer_norm},
    "loss": {"metrics": ()},
    "metrics": {"loss": lg.mse},
    "derivative": {"accumulate": 1, "norm": lg.layer_norm, "dropout": 0.0},
    "schedule": {"optimizer": "adam", "head_optimizer": None},
    "dropout": {"derivative": None},
}
MIXED = ("activation", "width", "depth", "pool", "norm", "order", "skip", "loss", "optimizer", "stage", "shuffle", "seed")


# -- pairs -------------------------------------------------------------------------------------------------------------


def pairs(names: Iterable[str] = tuple(CHOICES)) -> Iterator[tuple[str, Setting, Setting]]:
    """Without end: what differs, and two settings that differ in it; each choice in turn, both ways round."""
    numbers, turn = np.random.default_rng(11), 0
    while True:
        for what in names:
            values = CHOICES[what]
            base = {**drawn(numbers), **NEEDS.get(what, {})}
            there, here = values[turn % len(values)], values[(turn + 1) % len(values)]
            yield what, {**base, what: there}, {**base, what: here}
        turn += 1


def drawn(numbers: np.random.Generator) -> dict[str, Any]:
    """A setting that is the usual one but for a few choices."""
    places = {name: CHOICES[name][int(numbers.integers(len(CHOICES[name])))] for name in MIXED if numbers.random() < 0.3}
    return {**USUAL, **places}


# -- learners ----------------------------------------------------------------------------------------------------------


def model(s: Setting) -> Any:
    """A convolution, dense layers with a norm and a dropout, and a head."""
    act = lg.leaky_relu(s["slope"]) if s["activation"] == "leaky" else s["activation"]
    how = {"padding": s["padding"], "stride": s["stride"], "dilation": s["dilation"]}
    stem = lg.reshape(9, 1), lg.conv1d(4, s["kernel"], name="stem", **how), s["pool"]()
    dense = [lg.dense(s["width"], activation=act, use_bias=s["use_bias"], name=f"{s['names']}{k}") for k in range(s["depth"])]
    dense = [lg.residual(d, shortcut=lg.dense(s["width"])) if s["skip"] else d for d in dense]
    norm, drop = s["norm"](epsilon=s["epsilon"], name="norm"), lg.dropout(s["dropout"], name="drop")
    middle = {"norm first": [norm, *dense, drop], "dropout first": [drop, *dense, norm], "norm last": [*dense, drop, norm]}
    made = lg.sequential(lg.input(9, dtype=s["dtype"]), *stem, *middle[s["order"]], lg.dense(3, name="head"))
    made = made.reparam({pattern: lg.freeze for pattern in s["frozen"]}) if s["frozen"] else made
    return made.reparam({"head/weight": s["adapter"]}) if s["adapter"] else made


def loss(s: Setting) -> Any:
    if s["loss"] is lg.cross_entropy:
        return lg.cross_entropy(s["label"], smoothing=s["smoothing"], class_weights=s["class_weights"])
    return lg.quantile(s["label"], level=s["loss_number"]) if s["loss"] is lg.quantile else s["loss"](s["label"])


def optimizer(s: Setting) -> Any:
    """One for all, with a stage before it, or another one for the head."""
    size = s["rate"] if s["schedule"] is None else scheduled(s)
    one = by_name(s["optimizer"], size)
    one = one if s["stage"] is None else lg.chain(s["stage"](0.1), one)
    return one if s["head_optimizer"] is None else {"**": one, "head/bias": by_name(s["head_optimizer"], size)}


def scheduled(s: Setting) -> Any:
    return lg.step_decay(s["rate"], every=10) if s["schedule"] is lg.step_decay else s["schedule"](s["rate"], steps=10)


def by_name(name: str, size: Any) -> Any:
    if name in ("momentum", "nesterov"):
        return lg.sgd(size, momentum=0.9, nesterov=name == "nesterov")
    return getattr(lg, name)(size)


def learner(s: Setting) -> lg.Learner:
    names = {"input": s["input"], "label": s["label"], "metrics": s["metrics"]}
    return lg.supervised(model(s), loss(s), optimizer(s), reduction=s["reduction"], derivative=s["derivative"], **names)


@cache
def numbers(size: int, dtype: str) -> tuple[Any, Any]:
    draw = np.random.default_rng(0)
    return draw.standard_normal((size, 9)).astype(dtype), draw.integers(3, size=size)


def held(contents: str, x: Any, y: Any) -> tuple[Any, Any]:
    """Data of one size that differs in what it holds."""
    if contents == "order":
        return x[::-1], y[::-1]
    if contents == "drawn again":
        return x[::2].repeat(2, 0), y
    last = np.arange(len(x)) == len(x) - 1
    return x + (last[:, None] * x.dtype.type(contents == "one number")), np.where(last & (contents == "one label"), (y + 1) % 3, y)


def fit(s: Setting, path: Path, epochs: int, **how: Any) -> lg.Run:
    """A run of so many epochs that is written after each."""
    x, y = held(s["contents"], *numbers(s["size"], s["dtype"]))
    y = y if s["loss"] is lg.cross_entropy else np.eye(3, dtype=s["dtype"])[y]
    weight = {None: None, "later": np.linspace(1, 2, s["size"]), "earlier": np.linspace(2, 1, s["size"])}[s["weighting"]]
    order = {name: s[name] for name in ("batch_size", "seed", "shuffle", "accumulate")}
    data = {s["input"]: x, s["label"]: y}
    order |= {"sample_weight": weight, "epochs": epochs, "progress": False, "backend": "numpy"}
    return learner(s).fit(data, checkpoint=path, **order, **how)


# -- what happens ------------------------------------------------------------------------------------------------------


def outcome(path: Path, here: Setting) -> tuple[str, str]:
    """What becomes of going on from a file with these settings, and what is said."""
    with warnings.catch_warnings(record=True) as notes:
        warnings.simplefilter("always")
        try:
            fit(here, path, 2, resume=True)
        except BadCheckpoint as wrong:
            told = str(wrong)
            return (REFUSED if told.startswith(f"'{path}' is a checkpoint of another ") and "\n" not in told else RAW), told
        except Exception as wrong:  # any other error is what is counted
            return RAW, f"{type(wrong).__name__}: {wrong}"
    told = [str(n.message) for n in notes if issubclass(n.category, LensgradWarning)]
    said = [t for t in told if t.startswith(f"going on from '{path}', though ")]
    return (SAID, said[0]) if said else (SILENT, "")


def tried(times: int, heard: Callable[[str], None] = print, names: Iterable[str] = tuple(CHOICES)) -> Counter[str]:
    """How many of so many pairs came to what; `heard` is told of each that did not come to what it should."""
    found = Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        for n, (what, there, here) in zip(range(times), pairs(names), strict=False):
            path = Path(folder) / f"{n}.safetensors"
            fit(there, path, 1)
            kind, told = outcome(path, here)
            found[kind] += 1
            if kind != (SAID if what in MAY_CHANGE else REFUSED):
                found["wrong"] += 1
                heard(f"{n}: {what} was {there[what]!r} and is {here[what]!r}: {kind} {told}")
    return found


def line(times: int, found: Mapping[str, int]) -> str:
    counts = f"{found.get(REFUSED, 0)} refused in a sentence, {found.get(SAID, 0)} said and gone on"
    bad = f"{found.get(SILENT, 0)} accepted silently, {found.get(RAW, 0)} other errors"
    return f"{times} checkpoints of other learners: {counts}, {bad}; {found.get('wrong', 0)} not as they should"


def main(args: list[str]) -> int:
    times = int(args[0]) if args else 200
    warnings.simplefilter("ignore")
    found = tried(times)
    print(line(times, found))
    return 1 if found["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
