"""Checkpoints: one safetensors file with a learner as data, its values, its history, and where training stands.

Any reader of safetensors finds the arrays by the names of the parameters; the rest is JSON in the file's metadata, under
`lensgrad`. Nothing in a file is ever run. Its SHA-256, taken with the 64 digits of the digest itself as zeros, covers every byte.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from lensgrad.core import checks
from lensgrad.core.checks import clean, file, is_dict, is_tuple, shown
from lensgrad.core.errors import BadCheckpoint, BadValue, listed
from lensgrad.core.ty import Ty
from lensgrad.files.names import Generators
from lensgrad.files.place import REFUSED, Where, quoted, reason, replaceable, write
from lensgrad.files.read import AGAIN, parts, typed, words
from lensgrad.files.write import FORMAT, WRONG, decode, digest, encode, parsed, sentence, text
from lensgrad.program.values import Value, Values, checked
from lensgrad.theories.smooth.array import Array
from lensgrad.version import __version__

FACTS = ("sha256", "format", "lensgrad", "digest", "learner", "run")  # what the metadata says, in this order
PLACE = "the place of a file"
BLANK = "0" * 64  # stands for the digest while it is computed
RUN = ("values", "others", "history", "position")  # and what they say of a run
Objects = dict[str, Ty]


@dataclass(frozen=True)
class Recipe:
    """A learner as files hold it: JSON data, its digest, and the objects of all that is moved or kept, by name."""

    data: Any
    digest: str
    objects: Objects


class Written(Protocol):
    """A learner that can be written."""

    def recipe(self, generators: Generators | None = None) -> Recipe: ...


class Typed(Protocol):
    """A learner that says what it moves and keeps."""

    def objects(self) -> Objects: ...


@dataclass(frozen=True)
class Saved:
    """What a checkpoint holds: the fields of the learner, the objects of its values, values, history and position."""

    fields: dict[str, Any]
    objects: Objects
    values: Values
    history: tuple[dict[str, float], ...] = ()
    position: dict[str, Any] = field(default_factory=dict[str, Any])


def recipe(fields: dict[str, Any], objects: Objects, generators: Generators | None = None) -> Recipe:
    """The recipe of a learner from its fields, read back once so that no file is written that cannot be read."""
    data, seal = parsed(text(encode(fields, generators))), digest(fields, generators)
    if digest(decode(data, generators), generators) != seal:
        raise BadCheckpoint("this learner reads back as another one, so no checkpoint of it was written: please report its model")
    return Recipe(data, seal, objects)


def save(
    path: Where,
    learner: Written,
    values: Mapping[str, Any],
    *,
    history: Iterable[Mapping[str, float]] = (),
    position: Mapping[str, Any] | None = None,
    generators: Generators | None = None,
) -> None:
    """Write a checkpoint beside `path` and put it in its place at once, so that a killed process leaves the old or the new one.

    `values` must have all that the learner moves or keeps, in the right types; `position` is a dict of plain values.
    Raises `BadCheckpoint` for a learner that no file can hold, when the file cannot be written, and for a file that is there and is no
    checkpoint.
    """
    place, known = file(PLACE, path), learner.recipe(generators)
    replaceable(place)
    others = {name: found(name, v) for name, v in values.items() if name not in known.objects}
    arrays = flat({name: (ob, checked(name, ob, values)) for name, ob in {**known.objects, **others}.items()})
    told = tuple(map(dict, history))
    run = encode(dict(zip(RUN, (known.objects, others, told, dict(position or {})), strict=True)))
    facts = BLANK, FORMAT, __version__, known.digest, known.data, run
    write(place, sealed(packed(arrays, text(dict(zip(FACTS, facts, strict=True))))))


def load(path: Where, generators: Generators | None = None) -> Saved:
    """Read a checkpoint; the file is closed and no longer needed. Raises `BadCheckpoint` with one sentence for any file that is none."""
    raw = contents(file(PLACE, path))
    facts = verified(path, raw)
    try:
        *_, seal, known, run = parts(facts, *FACTS)
        known, run, arrays = decoded("learner", known, generators), decoded("run", run), unpacked(raw)
        if facts["lensgrad"] == __version__ and digest(known, generators) != seal:  # another version may say the same in other words
            raise BadCheckpoint(f"its digest is not that of the learner in it; {AGAIN}")
        said = dict(zip(RUN, parts(run, *RUN), strict=True))
        objects, others = (objects_in(name, said[name]) for name in ("values", "others"))
        values = {name: gathered(name, ob, arrays) for name, ob in {**objects, **others}.items()}
        return Saved(words(typed(dict, known)), objects, values, reports(said["history"]), by_name("position", said["position"]))
    except WRONG as wrong:
        raise BadCheckpoint(f"{quoted(path)} cannot be read: {sentence(wrong)}") from wrong


def decoded(what: str, data: Any, generators: Generators | None = None) -> Any:
    """The value of an entry; of what is not known here its own sentence says what to do."""
    try:
        return decode(data, generators)
    except BadCheckpoint as wrong:
        if "upgrade lensgrad" in str(wrong):
            raise
        raise BadCheckpoint(f"its entry '{what}' is damaged: {wrong}; {AGAIN}") from wrong


def by_name(what: str, value: Any) -> dict[str, Any]:
    """A dict by names."""
    if not is_dict(value) or not all(isinstance(name, str) for name in value):
        raise BadCheckpoint(f"its entry '{what}' must be a dict by name, got {shown(value)}; {AGAIN}")
    return dict(value)


def objects_in(what: str, value: Any) -> Objects:
    """The objects of values by name."""
    objects = by_name(what, value)
    for name, ob in objects.items():
        if not isinstance(ob, Ty):
            raise BadCheckpoint(f"its entry '{what}' says of '{clean(name)}' what is no object: {shown(ob)}; {AGAIN}")
    return objects


def reports(value: Any) -> tuple[dict[str, float], ...]:
    """One report for each epoch."""
    if not is_tuple(value):
        raise BadCheckpoint(f"its entry 'history' must be a list of reports, got {shown(value)}; {AGAIN}")
    try:
        return tuple(report(f"the report on epoch {k}", one) for k, one in enumerate(value, 1))
    except BadValue as wrong:
        raise BadCheckpoint(f"its entry 'history' is damaged: {wrong}; {AGAIN}") from wrong


def report(what: str, value: Any) -> dict[str, float]:
    """Numbers by name; they may be infinite, as those of a run that went wrong."""
    if not is_dict(value):
        raise BadValue(f"{what} must be a dict of numbers by name, got {shown(value)}")
    for name, number in value.items():
        checks.path(f"each name in {what}", name)
        if not isinstance(number, float) and not checks.is_finite(number):
            raise BadValue(f"'{name}' in {what} must be a number, got {shown(number)}")
    return dict(value)


def load_into(path: Where, learner: Typed, generators: Generators | None = None) -> Saved:
    """Read a checkpoint for a learner at hand. Raises `BadCheckpoint` naming every parameter that differs, with both types."""
    saved = load(path, generators)
    agree(path, saved.objects, learner.objects())
    return saved


def agree(path: Where, there: Objects, here: Objects) -> None:
    """Refuse a checkpoint of another model."""
    names = [n for n in {**here, **there} if here.get(n) != there.get(n)]
    told = [f"'{n}' is {there.get(n, 'missing')} in the file and {here.get(n, 'missing')} here" for n in names]
    if told:
        raise BadCheckpoint(f"{quoted(path)} is a checkpoint of another learner: {listed(told)}")


# -- arrays ------------------------------------------------------------------------------------------------------------


def found(name: str, value: Value) -> Ty:
    """The object of a value that the learner does not move, as it is given."""
    arrays = [np.asarray(v) for v in (value if isinstance(value, tuple) else (value,))]
    try:
        return Ty(tuple(Array(v.shape, v.dtype.name) for v in arrays))
    except ValueError as wrong:
        raise BadCheckpoint(f"'{name}' cannot be written: {wrong}") from wrong


def flat(values: Mapping[str, tuple[Ty, Any]]) -> dict[str, Any]:
    """One array for each atom: `name`, or `name.0`, `name.1`, … for an object of several."""
    arrays: dict[str, Any] = {}
    for name, (ob, value) in values.items():
        for key, array in zip(keys(name, ob), [value] if len(ob) == 1 else value, strict=True):
            if key in arrays or key == "__metadata__":
                raise BadCheckpoint(f"two parameters would both be called '{key}' in the file: rename '{name}'")
            arrays[key] = np.array(array, order="C")
    return arrays


def gathered(name: str, ob: Ty, arrays: Mapping[str, Any]) -> Any:
    """The value of an object from its arrays."""
    missing = [key for key in keys(name, ob) if key not in arrays]
    if missing:
        raise BadCheckpoint(f"it has no array '{missing[0]}'; {AGAIN}")
    found = tuple(arrays[key] for key in keys(name, ob))
    return checked(name, ob, {name: found[0] if len(ob) == 1 else found})


def keys(name: str, ob: Ty) -> list[str]:
    """The names in the file of the arrays of one object."""
    return [name] if len(ob) == 1 else [f"{name}.{k}" for k in range(len(ob))]


def packed(arrays: dict[str, Any], facts: str) -> bytes:
    """The bytes of a safetensors file."""
    from safetensors.numpy import save as to_bytes

    return to_bytes(arrays, {"lensgrad": facts})


def unpacked(raw: bytes) -> dict[str, Any]:
    """The arrays of a safetensors file, as copies of their own."""
    from safetensors import SafetensorError
    from safetensors.numpy import load as from_bytes

    try:
        return {name: np.array(v) for name, v in from_bytes(raw).items()}
    except SafetensorError as wrong:
        raise BadCheckpoint(f"its arrays are damaged: {wrong}") from wrong


# -- bytes -------------------------------------------------------------------------------------------------------------


def sealed(raw: bytes) -> bytes:
    """The file with its digest in the place of the zeros."""
    return raw.replace(BLANK.encode(), hashlib.sha256(raw).hexdigest().encode(), 1)


def intact(raw: bytes, seal: Any) -> bool:
    """Whether the digest that a file holds is that of its bytes."""
    if not isinstance(seal, str) or len(seal) != len(BLANK) or not seal.isascii():
        return False
    return hashlib.sha256(raw.replace(seal.encode(), BLANK.encode(), 1)).hexdigest() == seal


def verified(path: Where, raw: bytes) -> Any:
    """What the metadata of a checkpoint says, after checking every byte of the file."""
    facts = noted(path, raw)
    if facts is None:
        raise BadCheckpoint(
            f"{quoted(path)} is a safetensors file that lensgrad did not write, so it holds no learner: read its arrays with "
            "safetensors and give them to fit(start=…)"
        )
    if not is_dict(facts) or not intact(raw, facts.get("sha256")):
        raise BadCheckpoint(f"{quoted(path)} is damaged: its bytes are not those that were written")
    if facts.get("format") != FORMAT:
        told = f"was written in format {facts.get('format')} by lensgrad {facts.get('lensgrad')}"
        raise BadCheckpoint(f"{quoted(path)} {told}, and lensgrad {__version__} reads format {FORMAT}: upgrade lensgrad")
    return facts


def noted(path: Where, raw: bytes) -> Any:
    """What lensgrad wrote into the header of a safetensors file: 8 bytes of length, then JSON."""
    size = int.from_bytes(raw[:8], "little")
    try:
        header = parsed(raw[8 : 8 + size]) if 8 + size <= len(raw) else None
        if not is_dict(header):
            raise BadCheckpoint("a header is expected")
        notes = header.get("__metadata__")
        facts = notes.get("lensgrad") if is_dict(notes) else None
        return None if facts is None else parsed(facts)
    except (BadCheckpoint, TypeError) as wrong:
        raise BadCheckpoint(f"{quoted(path)} is no checkpoint: it is another kind of file, or damaged at its beginning") from wrong


def contents(path: Path) -> bytes:
    """All bytes of a file."""
    try:
        strange = path.exists() and not path.is_file() and not path.is_dir()  # a pipe or a device would be read without end
        found = b"" if strange else path.read_bytes()
    except FileNotFoundError as wrong:
        raise BadCheckpoint(f"there is no checkpoint at {quoted(path)}: check its name and the current folder") from wrong
    except REFUSED as wrong:
        raise BadCheckpoint(f"{quoted(path)} cannot be read: {reason(wrong)}") from wrong
    if strange:
        raise BadCheckpoint(f"{quoted(path)} is no ordinary file, and a checkpoint is one")
    return found
