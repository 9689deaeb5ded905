"""Run files changed by hand, with digests that are right again: is each of them either right or refused in a sentence?

`python -m tools.damaged 3000` saves a few runs, changes one JSON value of what a file says each time (its type, size or sign, a key,
the order of a list, an array), puts the digests right as somebody would who means harm, and then loads the file and does with the run
what people do: print, predict, evaluate, train on, save, resume. Seeds are fixed: change number n is the same on every machine, and
`python -m tools.damaged 1 731` makes number 731 alone.
"""

from __future__ import annotations

import io
import json
import signal
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout, suppress
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

import lensgrad as lg
from lensgrad.core.errors import PACKAGE, LensgradError
from lensgrad.files.checkpoint import BLANK, noted, packed, sealed, unpacked
from lensgrad.files.write import decode, digest
from lensgrad.train.state import Kept

try:
    import resource  # memory has a limit where the system knows one, so that a size beyond reason is an error and no dead machine
except ImportError:  # pragma: no cover, Windows
    resource = None

MEMORY, SECONDS = 12 << 30, 60  # what one process may take, and one file
SHOWN = 12
BEYOND = "a number beyond all floats"  # stands for 1e400, which no Python value is written as
X = np.linspace(-1, 1, 48, dtype=np.float32).reshape(12, 4)
Y = np.arange(12) % 3
TABLE = "color,day,size,kind\n" + "".join(
    f"{['red', 'blue', 'green'][k % 3]},2024-05-{k + 1:02},{k * 0.5 if k % 5 else ''},{'yes' if k % 2 else 'no'}\n" for k in range(12)
)


# -- runs --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """A run to be saved, and the data that it is used with."""

    make: Callable[[], lg.Run]
    data: Callable[[], Any] = lambda: (X, Y)
    x: Any = field(default_factory=lambda: X)


def plain() -> lg.Run:
    """Weights, momentum, and metrics."""
    model = lg.sequential(lg.input(4), lg.dense(5, activation="relu"), lg.dense(3))
    learner = lg.supervised(model, lg.cross_entropy, lg.sgd(0.1, momentum=0.9), metrics=["accuracy", "f1"])
    return learner.fit((X, Y), epochs=2, batch_size=5, progress=False)


def tabled() -> lg.Run:
    """A table of words, dates and numbers, on a scale, with the names of its classes."""
    train, _ = lg.data.standardize(rows())
    model = lg.sequential(lg.input(len(train.features)), lg.dense(2))
    return lg.supervised(model, lg.cross_entropy, lg.adam(0.1), metrics=["accuracy"]).fit(train, epochs=2, batch_size=4, progress=False)


def rows() -> Any:
    Path("table.csv").write_text(TABLE, encoding="utf-8")
    return lg.data.csv("table.csv", "kind", missing="fill")


def normed() -> lg.Run:
    """Statistics, a key, a mask of classes, and a learning rate that has been lowered."""
    layers = [lg.dense(4), lg.batch_norm(), lg.dropout(0.2), lg.dense(3)]
    learner = lg.supervised(lg.sequential(lg.input(4), *layers), lg.cross_entropy, lg.adamw(lg.cosine(0.1, steps=9)))
    slower = lg.reduce_on_plateau("loss", patience=1)
    return learner.fit((X, Y), epochs=3, batch_size=6, progress=False, callbacks=[slower], class_weight="balanced")


def stopped() -> lg.Run:
    """The last values and the best ones of a run that goes on within an epoch, as its checkpoint has them."""
    model = lg.sequential(lg.input(4), lg.reshape(4, 1), lg.conv1d(2, 3), lg.flatten(), lg.dense(3))
    how: dict[str, Any] = {"batch_size": 4, "progress": False, "validation_split": 0.25, "early_stopping": lg.early_stopping(patience=3)}
    run = lg.supervised(model, lg.cross_entropy, lg.adam(0.1), metrics=["accuracy"]).fit((X, Y), epochs=3, **how)
    within = {"batch": 1, "examples": 4, "totals": {"loss": 1.0, "accuracy": 2.0}, "since": 1}
    return replace(run, position={**run.position, **within}, interrupted=True, best_epoch=None, kept=Kept(2, dict(run.values)))


def game() -> lg.Run:
    """Two networks that play against each other, with a derivative of their own."""
    makes = lg.sequential(lg.input(2), lg.dense(4))
    judges = lg.sequential(lg.input(4), lg.dense(1))
    return lg.gan(makes, judges, lg.sgd(0.05), extragradient=0.05).fit({"x": X}, epochs=1, batch_size=6, progress=False)


KINDS: Mapping[str, Kind] = {
    "plain": Kind(plain),
    "table": Kind(tabled, rows, "table.csv"),
    "norms": Kind(normed),
    "stopped": Kind(stopped),
    "game": Kind(game, lambda: {"x": X}, X[:, :2]),
}


@cache
def kept(name: str) -> tuple[Any, dict[str, Any]]:
    """What the file of a run says, and its arrays."""
    KINDS[name].make().save("kept.safetensors")
    raw = Path("kept.safetensors").read_bytes()
    return noted("kept", raw), unpacked(raw)


# -- changes -----------------------------------------------------------------------------------------------------------

Place = tuple[Any, ...]  # the keys and positions that lead to a value
ODD: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 0.5, -0.0, -2.5, 1e-320, 1e39, 1.7e308, BEYOND, 2**31 - 1, 2**31, 2**32, 2**53 + 1, 2**63, 2**64),
    *(10**30, 10**400, -(10**30), -(10**400), "", "x", "y", "a\nb", "\x1b[2J", "inf", "nan", "1", "é" * 300, "/", "best:x", "\ud800"),
    *([], [[]], [None], [0] * 5, {}, {"": 0}, {"a": 1}, {"float": "nan"}, {"float": "inf"}, {"float": "-inf"}, {"float": 1}, {"list": []}),
    *({"dict": []}, {"dict": [["a", 1]]}, {"dict": [[[], 1]]}, {"dict": [[{"dict": []}, 1]]}, {"object": []}, {"arrow": 0}, {"arrow": -1}),
    *({"role": "data"}, {"role": 3}, {"table": [0, 1]}, {"Array": {"shape": [4], "dtype": "float32"}}, {"Key": {}}),
    *({"Array": {"shape": [10**9], "dtype": "float32"}}, {"Array": {"shape": [10**30], "dtype": "float32"}}, {"nothing": 1}),
)


def places(data: Any, before: Place = ()) -> Iterator[Place]:
    """Where each value of JSON data stands."""
    yield before
    inside = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in inside:
        yield from places(value, (*before, key))


def at(data: Any, place: Place) -> Any:
    for key in place:
        data = data[key]
    return data


def resized(random: Random, value: Any) -> Any:
    """A number of another size or sign; a text or a truth value that is another one; anything else is replaced."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return random.choice((-value, value + 1, value - 1, value * 2, value * 1000, value + 0.5, str(value), int(value) + 2**31))
    if isinstance(value, str):
        return random.choice((value + "x", value[:-1], value.upper(), value + "/" + value, [value], {value: value}))
    return deepcopy(random.choice(ODD))


def odd(random: Random, _: Any) -> Any:
    return deepcopy(random.choice(ODD))


def retyped(random: Random, value: Any) -> Any:
    """The same wrapped up or unwrapped."""
    inner = [*(value.values() if isinstance(value, dict) else value)] if isinstance(value, dict | list) else []
    return random.choice([[value], {"list": [value]}, {"dict": [[value, value]]}, {"object": value}, *inner])


def swapped(random: Random, value: Any) -> Any:
    """A list in another order or of another length; a dict with a key renamed or gone, or two values exchanged."""
    if isinstance(value, list) and value:
        i, j = random.randrange(len(value)), random.randrange(len(value))
        moved = [*value]
        moved[i], moved[j] = moved[j], moved[i]
        return random.choice((moved, value[::-1], value[:-1], value[1:], [*value, value[i]], value[:i] + value[i + 1 :], value * 2))
    if isinstance(value, dict) and value:
        key, other = random.choice([*value]), random.choice([*value])
        name = random.choice((f"{key}x", str(key)[:-1], "name", other, "", "smooth.Full", "list"))
        renamed = {(name if k == key else k): v for k, v in value.items()}
        gone = {k: v for k, v in value.items() if k != key}
        return random.choice((renamed, gone, {**value, key: value[other], other: value[key]}, {**value, "more": 1}))
    return resized(random, value)


CHANGES = (resized, odd, retyped, swapped, odd, swapped)


def changed(random: Random, data: Any, place: Place) -> Any:
    """JSON data with another value at a place; now and then one from elsewhere in it."""
    if not place:
        return random.choice(CHANGES)(random, data)
    again = deepcopy(data)
    owner = at(again, place[:-1])
    elsewhere = deepcopy(at(data, random.choice([*places(data)]))) if random.random() < 0.15 else None
    owner[place[-1]] = random.choice(CHANGES)(random, owner[place[-1]]) if elsewhere is None else elsewhere
    return again


def rearranged(random: Random, arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Arrays of which one has another name, shape, type or number, or is gone."""
    name = random.choice([*arrays])
    value, others = arrays[name], {n: v for n, v in arrays.items() if n != name}
    odd_ones = np.full_like(value, np.nan if value.dtype.kind == "f" else 2**31 - 1), value.astype(np.float64), value[..., None]
    new = random.choice((*odd_ones, value.reshape(-1), np.zeros(0), np.full(np.shape(value), 1e308)))
    return random.choice((others, {**others, f"{name}x": value}, {**others, name: new}, {**arrays, "best:more": value}))


def damaged(number: int) -> tuple[str, str, bytes]:
    """File number n: of which run it is, what was changed, and its bytes."""
    name = [*KINDS][number % len(KINDS)]
    random = Random(number)
    facts, arrays = kept(name)
    part = random.choice(("run", "run", "run", "learner", "learner", "top", "arrays"))
    if part == "arrays":
        return name, part, forged(facts, rearranged(random, arrays))
    where: list[Place] = [(k,) for k in facts] if part == "top" else [p for p in places(facts[part], (part,))]
    place = random.choice(where)
    told = "/".join(map(str, place))
    return name, told, forged(changed(random, facts, place), arrays, random.random() < 0.9)


def forged(facts: Any, arrays: Mapping[str, Any], right: bool = True) -> bytes:
    """A file that says this, with the digests that belong to it."""
    if isinstance(facts, dict):
        with suppress(Exception):  # what cannot be read has no digest, and keeps the old one
            facts = {**facts, "digest": digest(decode(facts["learner"]))} if right else {**facts, "lensgrad": "0.0.1"}
        facts = {**facts, **({"sha256": BLANK} if "sha256" in facts else {})}
    written = json.dumps(facts, separators=(",", ":")).replace(f'"{BEYOND}"', "1e400")
    return sealed(packed(dict(arrays), written))


# -- use ---------------------------------------------------------------------------------------------------------------


def used(name: str, path: str) -> None:
    """What people do with a run; each may be refused in a sentence, and then the next is done."""
    kind = KINDS[name]
    run = lg.load(path)
    told(repr(run), run.summary(), repr(run.learner), repr(run.history), repr(run.position))
    answered(lambda: run.predict(kind.x))
    answered(lambda: run.predict_classes(kind.x))
    answered(lambda: run.evaluate(kind.data()))
    answered(lambda: run.save("again.safetensors"))
    answered(lambda: run.fit(kind.data(), progress=True))
    answered(lambda: resumed(run.learner, path, kind))


def resumed(learner: Any, path: str, kind: Kind) -> None:
    """The learner that is in the file goes on from it, and so does one that had another seed."""
    for seed, resume in ((0, True), (1, "anyway")):
        Path("go_on.safetensors").write_bytes(Path(path).read_bytes())
        stop = lg.early_stopping("loss", patience=9)
        how: dict[str, Any] = {"checkpoint": "go_on.safetensors", "resume": resume, "early_stopping": stop}
        answered(lambda how=how, seed=seed: learner.fit(kind.data(), epochs=4, batch_size=4, seed=seed, progress=True, **how))


def answered(use: Callable[[], object]) -> None:
    """A use that may be refused in a sentence."""
    try:
        use()
    except LensgradError as error:
        told(str(error).replace("\n", " "))


def told(*texts: str) -> None:
    """What is for people has nothing in it that steers a terminal."""
    for text in texts:
        if any(ord(c) < 32 and c != "\n" for c in text):
            raise ValueError(f"a text for people steers a terminal: {text!a:.80}")


# -- counting ----------------------------------------------------------------------------------------------------------


@dataclass
class Count:
    """What became of the files."""

    files: int = 0
    taken: int = 0
    refused: int = 0
    raw: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    sentences: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        head = f"{self.files} run files changed by hand, digests right: {self.taken} used as they are, {self.refused} refused in a sentence"
        rows = (f"  {n:>5} {where}  ({self.examples[where]})" for where, n in self.raw.most_common(SHOWN))
        return "\n".join([f"{head}, {sum(self.raw.values())} raw errors", *rows])


def late(*_: object) -> None:
    raise TimeoutError(f"not done in {SECONDS} s")


def limited(use: Callable[[], object]) -> None:
    """A use that is stopped where it does not end; only `main` says what is to stop it."""
    timed = hasattr(signal, "SIGALRM") and signal.getsignal(signal.SIGALRM) is late
    signal.alarm(SECONDS if timed else 0)
    try:
        use()
    finally:
        signal.alarm(0)


def tried(count: Count, number: int) -> None:
    """One changed file, used."""
    name, place, raw = damaged(number)
    Path("damaged.safetensors").write_bytes(raw)
    count.files += 1
    try:
        limited(lambda: used(name, "damaged.safetensors"))
        count.taken += 1
    except LensgradError as error:
        count.refused += 1
        count.sentences[str(error)] += 1
    except Exception as error:  # what is counted
        frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith(PACKAGE)]
        last = frames[-1] if frames else traceback.extract_tb(error.__traceback__)[-1]
        where = f"{type(error).__name__} at {last.filename.rpartition('lensgrad/')[2]}:{last.lineno}"
        count.raw[where] += 1
        count.examples.setdefault(where, f"file {number}, {name}, {place}: {str(error)!a:.90}")


def tries(files: int, first: int = 0) -> Count:
    """So many files, each changed in one place, counted."""
    count = Count()
    with tempfile.TemporaryDirectory() as folder, chdir(folder), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            kept.cache_clear()
            for number in range(first, first + files):
                tried(count, number)
    return count


def main(args: list[str]) -> int:
    """Try and print."""
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, late)
    count = tries(*map(int, args or ["3000"]))
    print(count)
    return 1 if count.raw else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
