"""A circuit that was learned: its encoder, its gates, its classes, and what it says to new rows. Kept as a circuit file and a JSON file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lensgrad.circuits.formats.files import content, put, read, write
from lensgrad.circuits.gates.circuit import Circuit, given_circuit
from lensgrad.circuits.gates.encoders import encoder_circuit, given_encoder
from lensgrad.circuits.gates.rules import possible, reading, rule
from lensgrad.circuits.gates.simplify import FEW_INPUTS, simplify
from lensgrad.circuits.gates.votes import chained
from lensgrad.core.checks import file, instance, listing, shown
from lensgrad.core.errors import BadValue, MissingData
from lensgrad.data.encode import Encoder, joined

Numbers = np.ndarray[Any, Any]
FEW_ANDS = 4000  # up to here the cuts of a circuit are rewritten, which takes a second for some hundred ANDs


@dataclass(frozen=True)
class LearnedCircuit:
    """Encoder and gates : rows → 𝔹ⁿ → class. Of two classes one output is the second; of more each has an output, and one is 1.

    `method` says how it was learned and `accuracy` what it reaches, by the names of parts of the data.
    """

    encoder: Encoder
    circuit: Circuit
    classes: tuple[str, ...]
    target: str = "y"
    method: str = ""

    def __post_init__(self) -> None:
        given_encoder("the encoder of a learned circuit", self.encoder)
        given_circuit("the gates of a learned circuit", self.circuit)
        object.__setattr__(self, "classes", texts("the classes of a learned circuit", self.classes))
        instance("the method of a learned circuit", self.method, str, "text")
        if self.circuit.outputs != output_names(self.target, self.classes) or self.circuit.inputs != self.encoder.names:
            raise BadValue("a learned circuit has the bits of its encoder as inputs and its classes as outputs, and these differ")

    def predict(self, rows: Any) -> Numbers:
        """The number of the class of each row."""
        return decided(self.circuit.run(self.encoder.encode(rows)))

    @property
    def care(self) -> Circuit:
        """The rows of bits that can occur."""
        return possible(self.encoder)

    @property
    def whole(self) -> Circuit:
        """Encoder and gates as one circuit, from the raw columns in binary: what hardware needs in all."""
        return chained(encoder_circuit(self.encoder), self.circuit)

    @property
    def rule(self) -> str | None:
        """What it says, where that is short: a rule has at most 17 bits, and the others of the encoder may be as many as they are."""
        if len(self.encoder.names) <= FEW_INPUTS:
            return rule(self.circuit, self.care)
        read = reading(self.circuit)
        return rule(read, possible(self.encoder, read.inputs))

    def simplified(self) -> LearnedCircuit:
        """The same answers for all rows that can occur, by fewer ANDs; a large circuit is only tidied."""
        tidy = self.circuit.tidy()
        few = len(self.encoder.names) <= FEW_INPUTS or tidy.size <= FEW_ANDS
        return replace(self, circuit=simplify(tidy, self.care) if few else tidy)

    def save(self, path: str | Path) -> list[Path]:
        """The circuit by the ending of the path, beside it the encoder (.json) and the rows that can occur (.care.aig)."""
        path = named_file(path)
        if not path.parent.is_dir():
            raise BadValue(f"cannot save to '{path}': there is no folder '{path.parent}'")
        check_place(path)
        write(self.circuit, path)
        data = {"target": self.target, "classes": self.classes, "method": self.method, "encoder": self.encoder.data()}
        beside, care = path.with_suffix(".json"), path.with_suffix(".care.aig")
        put(beside, json.dumps(data, ensure_ascii=False, indent=1) + "\n")
        write(self.care, care)
        return [path, beside, care]


def load_circuit(path: str | Path) -> LearnedCircuit:
    """What `save` wrote. The circuit may have been simplified or written anew since, as long as it has the same names."""
    path = named_file(path)
    beside = path.with_suffix(".json")
    if not there(beside):
        raise MissingData(f"there is no '{beside.name}' beside '{path.name}', and it says how rows become bits: `learn` writes both")
    encoder, classes, target, method = written(beside)
    return LearnedCircuit(encoder, read(path), classes, target, method)


def written(beside: Path) -> tuple[Encoder, tuple[str, ...], str, str]:
    """What the .json beside a circuit says: encoder, classes, target and method."""
    try:
        data = json.loads(content("an encoder", beside))
        classes, target = tuple(map(str, data["classes"])), str(data["target"])
        return Encoder.read(data["encoder"]), classes, target, str(data.get("method", ""))
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise BadValue(f"'{beside.name}' is no encoder that `learn` wrote: {wrong}") from None


def named_file(path: str | Path) -> Path:
    """The path of a circuit, which has a name: a folder such as . has none."""
    found = file("the place of a circuit", path)
    if not found.name:
        raise BadValue(f"'{found}' is a folder, and a circuit is a file")
    return found


def there(path: Path) -> bool:
    """Whether a file is there; a name that no file can have is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def check_place(path: Path) -> None:
    """Refuse to write an encoder where a .json of something else is."""
    beside = named_file(path).with_suffix(".json")
    try:
        if beside.exists():
            written(beside)
    except (BadValue, OSError):
        told = f"an encoder would be written to '{beside}', and what is there is none"
        raise BadValue(f"{told}: choose another name, or move that file") from None


def output_names(target: str, classes: Sequence[str]) -> tuple[str, ...]:
    """What the outputs of a circuit for these classes are called."""
    target, classes = instance("the target of a circuit", target, str, "text"), texts("the classes of a circuit", classes)
    named = tuple(f"{joined(target)}={joined(c)}" for c in classes)
    first = dict(zip(reversed(named), reversed(classes), strict=True))
    for name, c in zip(named, classes, strict=True):
        if first[name] != c:
            raise BadValue(f"classes '{first[name]}' and '{c}' would both be called '{name}': rename one, as spaces in names become '_'")
    return named[1:] if len(named) == 2 else named


def texts(what: str, given: Any) -> tuple[str, ...]:
    """Words in a list, each of them text."""
    found = listing(what, given, "a list of words")
    strange = [word for word in found if not isinstance(word, str)]
    if strange:
        raise BadValue(f"{what} must be words, each of them text, got {shown(strange[0])}")
    return tuple(found)


def decided(outputs: Numbers) -> Numbers:
    """Class numbers from the outputs of a circuit."""
    return outputs[:, 0].astype(np.int64) if outputs.shape[1] == 1 else outputs.argmax(1)
