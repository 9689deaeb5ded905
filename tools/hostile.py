"""Hostile names through everything that takes, writes or reads a name: is any of them run, and does any end in a raw error?

`python -m tools.hostile 10000` gives each name to one of the doors below, in turn, and prints what became of them. A name is run
where the call that is hidden in it is made; what is generated is run too, and C is looked through for code outside of comments.
Seeds are fixed: name number n is the same name at the same door on every machine.
"""

from __future__ import annotations

import builtins
import io
import json
import re
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

import lensgrad as lg
from lensgrad import circuits
from lensgrad.backends import numpy as numpy_backend
from lensgrad.backends.engine import backend
from lensgrad.core.diagram import Definition
from lensgrad.core.errors import PACKAGE, LensgradError
from lensgrad.core.printed import encodable
from lensgrad.files.checkpoint import noted, packed, sealed, unpacked
from lensgrad.lens import Diagram, Param, corner, lens, observe, parametric, trace
from lensgrad.program.source import training_file
from tools.fuzz_calls import CALLS
from tools.hostile_names import name_of
from tools.hostile_pictures import pictures
from tools.hostile_seen import seen

SHOWN = 12
X = np.linspace(-1, 1, 24, dtype=np.float32).reshape(6, 4)
Y = np.arange(6) % 3
HELD = "placeholder"  # stands in files for the name that is put there


# -- doors -------------------------------------------------------------------------------------------------------------

Door = Callable[[Any], object]


def model(name: str = "dense") -> Any:
    return lg.sequential(lg.input(4), lg.dense(3, name=name))


def used(learner: lg.Learner, data: Any = (X, Y), x: Any = X) -> None:
    """Everything that a learner writes: a step with its log, its sources run, a file and what is read of it, texts."""
    run = learner.fit(data, batch_size=3, progress=True, log="log.csv")
    ran(learner.source(3))
    ran(training_file(learner.step(2)))
    run.save("run.safetensors")
    again = lg.load("run.safetensors")
    again.predict(x)
    again.evaluate(data)
    shown, files = seen(run, data)
    texts(run.summary(), learner, run, str(learner.model), str(learner.model.arrow), *pictures(learner), *shown)
    for text in files:
        ran(text)


def texts(*what: Any) -> None:
    """Texts for people stay on their lines, and are written on any console."""
    for each in what:
        text = each if isinstance(each, str) else repr(each)
        encodable(text, "ascii")
        if any(ord(c) < 32 and c != "\n" for c in text) or any("\ud800" <= c <= "\udfff" or c in "\x85\u2028\u2029\u202e" for c in text):
            raise ValueError(f"a text for people holds what steers a terminal: {text!r:.80}")


def ran(source: str) -> None:
    """Generated Python, run as a file that is imported."""
    source[:].encode()
    exec(compile(source[:], "<generated>", "exec"), {"__name__": "generated"})


def classes(**named: Any) -> lg.Learner:
    return lg.supervised(model(), lg.cross_entropy, lg.sgd(0.1), metrics=["accuracy"], **named)


def layer_name(name: Any) -> None:
    used(lg.supervised(model(name), lg.cross_entropy, lg.sgd(0.1)))


def scope(name: Any) -> None:
    used(lg.supervised(lg.input(4) >> model().scope(name), lg.cross_entropy, lg.adam(0.1)))


def box_name(name: Any) -> None:
    box = Diagram.of(Definition(name, trace(lambda x: lg.tanh(x), lg.Real(3))), lg.Real(3))
    used(lg.supervised(model() >> box, lg.cross_entropy, lg.sgd(0.1)))


def parameter(name: Any) -> None:
    ob = lg.Real(3, 4)
    made = parametric([Param(name, ob, init=lg.glorot(ob))], lg.Real(4), lambda w, x: w @ x)
    used(lg.supervised(made, lg.cross_entropy, lg.momentum(0.9), rate=0.1))


def input_name(name: Any) -> None:
    used(lg.supervised(model(), lg.cross_entropy, lg.sgd(0.1), input=name), {name: X, "y": Y}, {name: X})


def label_name(name: Any) -> None:
    used(lg.supervised(model(), lg.cross_entropy, lg.sgd(0.1), label=name), {"x": X, name: Y})


def output_name(name: Any) -> None:
    two = model() >> Diagram.copy(lg.Real(3), 2)
    made = lg.supervised(two, {name: lg.cross_entropy, "b": lg.cross_entropy}, lg.sgd(0.1), metrics=["accuracy"])
    used(made, {"x": X, name: Y, "b": Y})


def loss_label(name: Any) -> None:
    task = corner(lg.Real(4), "x") >> model() >> lg.cross_entropy(name)
    texts(task, lens(task), str(task.arrow))


def observed(name: Any) -> None:
    used(lg.supervised(model() >> observe(name, lg.Real(3)), lg.cross_entropy, lg.sgd(0.1)))


def corner_name(name: Any) -> None:
    texts(corner(lg.Real(4), name) >> model(), lg.summary(corner(lg.Real(4), name) >> model()))


def patterns(name: Any) -> None:
    for use in (lambda: model().freeze(name), lambda: model().tie(name, name), lambda: model().lora(name, rank=2)):
        use()
    lg.supervised(model(), lg.cross_entropy, {name: lg.sgd(0.1)}).fit((X, Y), progress=False)


def words(name: Any) -> None:
    """A word among some that are known: each is refused in a sentence."""
    for use in (
        lambda: backend(name),
        lambda: lg.dense(3, activation=name),
        lambda: lg.supervised(model(), lg.cross_entropy, lg.sgd(0.1), metrics=[name]),
        lambda: lg.supervised(model(), lg.cross_entropy, lg.sgd(0.1), reduction=name),
        lambda: lg.Real(3, dtype=name),
    ):
        answered(use)


def printed(name: Any) -> None:
    """Everything of a printed file that may be called something, or says something."""
    f = trace(lambda x, y: lg.tanh(x) * lg.softmax(y) + 0.5, lg.Real(3), lg.Real(3))
    ran(numpy_backend.source(f, "f", [name, "y"] if isinstance(name, str) else ["x", "y"]))
    ran(numpy_backend.source(f, "f", header=f"{name}"))
    ran(numpy_backend.source(f, "f", doc=f"{name}"))
    answered(lambda: ran(numpy_backend.source(f, name, ["x", "y"])))


def tampered(name: Any) -> None:
    """A checkpoint with another name in the place of one, its digests made anew."""
    raw = kept()
    fresh = json.dumps(name if isinstance(name, str) else f"{name}")[1:-1]
    facts = json.dumps(noted("kept", raw)).replace(HELD, fresh)
    arrays = {n.replace(HELD, name) if isinstance(name, str) else n: v for n, v in unpacked(raw).items()}
    known = json.loads(facts)
    known["sha256"] = "0" * 64
    try:
        forged = sealed(packed(arrays, json.dumps(known, separators=(",", ":"))))
    except UnicodeEncodeError:  # the format of the file itself holds no such name
        return
    Path("forged.safetensors").write_bytes(forged)
    run = lg.load("forged.safetensors")
    run.predict({run.learner.input: X} if isinstance(run.learner.input, str) else X)
    ran(run.learner.source(3))
    texts(run.summary(), run)


@cache
def kept() -> bytes:
    """A checkpoint in which a layer, an input and a label have a name to be replaced."""
    made = lg.supervised(model(f"{HELD}l"), lg.cross_entropy, lg.adam(0.1), input=f"{HELD}x", label=f"{HELD}y", metrics=["accuracy"])
    made.fit({f"{HELD}x": X, f"{HELD}y": Y}, batch_size=3, progress=False).save("kept.safetensors")
    return Path("kept.safetensors").read_bytes()


def exported(name: Any, place: str) -> None:
    """A name in everything that is written for others: an ONNX file of a model and of a step, and a Python file, which is run."""
    how: dict[str, Any] = {} if place == "layer" else {place: name}
    made = lg.supervised(model(name) if place == "layer" else model(), lg.cross_entropy, lg.sgd(0.1), **how)
    run = made.fit({**{n: X for n in made.inputs}, **{n: Y for n in made.labels}}, batch_size=3, progress=False)
    made.export_step("step.onnx", batch=3)
    run.export("run.onnx")
    run.export("predict.py")
    text = Path("predict.py").read_text(encoding="utf-8")
    exec(compile(text, "<generated>", "exec"), space := {"__name__": "generated", "__file__": "predict.py"})
    space["predict"](X)


def exported_file(name: Any) -> None:
    """The path itself."""
    answered(lambda: exported_at(f"{name}.py" if isinstance(name, str) else name))


def exported_at(path: Any) -> None:
    run = small()
    run.export(path)
    ran_there = {"__name__": "generated", "__file__": str(path)}
    exec(compile(Path(path).read_text(encoding="utf-8"), "<generated>", "exec"), ran_there)


@cache
def small() -> lg.Run:
    return classes().fit((X, Y), batch_size=3, progress=False)


def columns(name: Any) -> None:
    data = lg.data.table({name: [1.0, 2.0, 3.0], "b": ["u", "v", "u"]}, "b")
    texts(repr(data))


def csv_columns(name: Any) -> None:
    """The first line of a table."""
    Path("table.csv").write_bytes(f"{name},b\n1,u\n2,v\n3,u\n".encode("utf-8", "surrogatepass"))
    texts(repr(lg.data.csv("table.csv", "b")))


def circuit(name: Any, place: str) -> None:
    ports = {"inputs": ("p", "q"), "outputs": ("r",)}
    ports[place] = (name, *ports[place][1:])
    made = circuits.Circuit(**ports, ands=np.array([[2, 4]]), roots=np.array([6]))
    for ending in circuits.WRITERS:
        answered(lambda e=ending: written(made, e))


def written(made: circuits.Circuit, ending: str) -> None:
    """One format; what can be read is read again, and C has the name in comments only."""
    path = f"circuit.{ending}"
    circuits.write(made, path)
    if ending in ("aag", "aig", "blif"):
        circuits.read(path)
    if ending in ("c", "v"):
        text = Path(path).read_text(encoding="utf-8", errors="surrogatepass")
        code = re.sub(r"/\*.*?\*/", "", re.sub(r"//[^\n]*", "", text) if ending == "v" else text, flags=re.DOTALL)
        if re.search(r"hostile\s*\(\s*\)", re.sub(r"\\\S+\s", "", code) if ending == "v" else code):
            builtins.hostile()


def circuit_file(name: Any) -> None:
    """What strangers write into circuits."""
    for text, ending in ((f".model {name}\n.inputs a {name}\n.outputs y\n.names a y\n1 1\n.end\n", "blif"),
                         (f"aag 1 1 0 1 0\n2\n2\ni0 {name}\no0 y\nc\n{name}\n", "aag")):  # fmt: skip
        Path(f"given.{ending}").write_bytes(text.encode("utf-8", "surrogatepass"))
        answered(lambda e=ending: [written(circuits.read(f"given.{e}"), other) for other in circuits.WRITERS])


def calls(name: Any) -> None:
    """A right call of each public function that takes a `name`, a `label` or the like, with this name."""
    at = sum(map(ord, str(name))) % len(NAMED)
    call, place = NAMED[at]
    call.use(call.function(*call.args(), **{**call.named(), place: name}))


NAMED = [
    (call, p)
    for _, call in sorted(CALLS.items())
    for p in call.named()
    if p in ("name", "label", "input", "activation", "dtype", "monitor")
]

DOORS: Mapping[str, Door] = {
    "layer name": layer_name,
    "scope": scope,
    "box": box_name,
    "parameter": parameter,
    "input": input_name,
    "label": label_name,
    "output": output_name,
    "loss label": loss_label,
    "observable": observed,
    "corner": corner_name,
    "patterns": patterns,
    "words": words,
    "printed source": printed,
    "forged checkpoint": tampered,
    "exported layer": lambda name: exported(name, "layer"),
    "exported input": lambda name: exported(name, "input"),
    "exported label": lambda name: exported(name, "label"),
    "exported file": exported_file,
    "columns": columns,
    "columns of a CSV file": csv_columns,
    "circuit input": lambda name: circuit(name, "inputs"),
    "circuit output": lambda name: circuit(name, "outputs"),
    "circuit file": circuit_file,
    "public calls": calls,
}


# -- counting ----------------------------------------------------------------------------------------------------------


@dataclass
class Count:
    """What became of the names."""

    names: int = 0
    taken: int = 0
    refused: int = 0
    executed: Counter[str] = field(default_factory=Counter)
    raw: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        head = f"{self.names} hostile names at {len(DOORS)} doors: {self.taken} taken as data, {self.refused} refused in a sentence"
        end = f"{sum(self.executed.values())} executed, {sum(self.raw.values())} raw errors"
        found = [*self.executed.most_common(SHOWN), *self.raw.most_common(SHOWN)]
        return "\n".join([f"{head}, {end}", *(f"  {n:>5} {where}  ({self.examples[where]})" for where, n in found)])


def answered(use: Callable[[], object]) -> None:
    """A use that may be refused, where others follow."""
    with suppress(LensgradError):
        use()


def python_says(error: Exception) -> bool:
    """What Python itself says of the call in this file: an unhashable key, or keywords that are no text."""
    return traceback.extract_tb(error.__traceback__)[-1].filename == __file__ and isinstance(error, TypeError)


def tried(count: Count, door: str, name: Any, runs: list[str]) -> None:
    """One name at one door."""
    count.names += 1
    before = len(runs)
    try:
        DOORS[door](name)
        count.taken += 1
    except LensgradError as error:
        count.refused += 1
        texts(str(error).replace("\n", " "))
    except Exception as error:
        if python_says(error):
            count.refused += 1
        else:
            last = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith(PACKAGE) or f.filename == __file__][-1]
            where = f"{door}: {type(error).__name__} at {last.filename.rpartition('lensgrad/')[2]}:{last.lineno}"
            count.raw[where] += 1
            count.examples.setdefault(where, f"{name!a:.60}: {str(error)!a:.80}")
    if len(runs) > before:
        count.executed[door] += 1
        count.examples.setdefault(door, ascii(name)[:60])


def hostile(names: int, chosen: str = "") -> Count:
    """So many names, each at one door, counted."""
    doors, count, runs = [d for d in DOORS if chosen in d], Count(), list[str]()
    builtins.hostile = lambda *_: runs.append("run")  # what a name calls
    try:
        for number in range(names):
            tried(count, doors[number % len(doors)], name_of(Random(number)), runs)
    finally:
        del builtins.hostile
    return count


def main() -> int:
    """Try and print."""
    words_given = [w for w in sys.argv[1:] if not w.startswith("--")]
    with tempfile.TemporaryDirectory() as folder, chdir(folder), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            count = hostile(int(words_given[0]) if words_given else 10_000, words_given[1] if len(words_given) > 1 else "")
    print(count)
    return 1 if count.raw or count.executed else 0


if __name__ == "__main__":
    sys.exit(main())
