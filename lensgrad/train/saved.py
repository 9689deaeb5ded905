"""What a file says of a run, each entry checked where it is read, and the learner in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

from lensgrad.core import checks
from lensgrad.core.errors import BadCheckpoint, LensgradError
from lensgrad.data.meaning import PLACE, Meaning
from lensgrad.files import checkpoint
from lensgrad.files.checkpoint import Saved, Where, quoted
from lensgrad.files.names import Generators, fits, hints
from lensgrad.files.read import AGAIN
from lensgrad.files.write import WRONG, sentence
from lensgrad.program.values import Values, checked
from lensgrad.train.keep import parted
from lensgrad.train.record import Record
from lensgrad.train.snapshots import Snapshot

R = TypeVar("R", bound=Record)
MOST = 2**53 - 1  # of what is counted: the whole numbers that a float holds too


def read(path: Where, generators: Generators | None = None) -> Saved:
    """What is in a file; raises `BadCheckpoint` with the entry that says nothing sensible, as what it should be."""
    saved = checkpoint.load(path, generators)
    try:
        return replace(saved, position=placed(saved.position, len(saved.history)))
    except LensgradError as wrong:
        raise BadCheckpoint(f"{quoted(path)} is damaged: {sentence(wrong)}; {AGAIN}") from wrong


def learner_in(path: Where, saved: Saved, kind: type[R]) -> R:
    """The learner in a file, whose values are those in it."""
    try:
        learner = restored(saved.fields, kind)
        objects = learner.objects()
        check_best(parted(saved.values)[1], objects, saved.position)
    except WRONG as wrong:
        raise BadCheckpoint(f"{quoted(path)} holds no learner that can be trained: {sentence(wrong)}") from wrong
    checkpoint.agree(path, saved.objects, objects)
    return learner


def check_best(best: Values | None, objects: Mapping[str, Any], position: Mapping[str, Any]) -> None:
    """Refuse values of the best epoch that are not the learner's, or of which nothing says which epoch it was."""
    if best is None:
        return
    if "best_epoch" not in position:
        raise BadCheckpoint(f"it has values of the best epoch, and its entry 'best_epoch' is missing; {AGAIN}")
    for name, ob in objects.items():
        checked(name, ob, best)


def restored(known: Mapping[str, Any], kind: type[R]) -> R:
    """A learner from its fields."""
    kinds = {f.name: hints(kind)[f.name] for f in fields(kind) if f.compare}
    strange = [n for n, v in known.items() if n not in kinds or not fits(v, kinds[n])]
    if strange:
        raise BadCheckpoint(f"a learner has no field '{strange[0]}' of type {type(known[strange[0]]).__name__}")
    return kind(**known)


# -- entries -----------------------------------------------------------------------------------------------------------


def placed(given: Mapping[str, Any], epochs: int) -> dict[str, Any]:
    """Where a run stands, as plain values; what is not known here is kept as it is."""
    position = {name: ENTRIES[name](f"the entry '{name}'", value) if name in ENTRIES else value for name, value in given.items()}
    for name in ("epoch", "best_epoch", "since", "seconds"):
        found = position.get(name)
        done = len(found) if checks.is_tuple(found) else found
        if done is not None and (done > epochs or (name == "epoch" and done < epochs)):
            raise BadCheckpoint(f"the entry '{name}' says {done}, and there are reports on {epochs} epochs")
    try:
        Meaning.read(position.get(PLACE, {}))
    except LensgradError as wrong:
        raise BadCheckpoint(f"the entry '{PLACE}' says nothing sensible of its data: {wrong}") from wrong
    return position


def counted(least: int = 0, most: int = MOST) -> Callable[[str, Any], int]:
    """A whole number."""
    return lambda what, value: checks.whole(what, value, least, most)


def optional(check: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    """Nothing, or what is checked."""
    return lambda what, value: None if value is None else check(what, value)


def text(what: str, value: Any) -> str:
    """A text, which may be empty."""
    return checks.name(what, value, checks.LONGEST_PATH) if value != "" else ""


def times(what: str, value: Any) -> tuple[float, ...]:
    """One time for each epoch."""
    return tuple(checks.number(f"each of {what}", v, 0) for v in checks.listing(what, value, "a list of numbers"))


def records(what: str, value: Any) -> tuple[Snapshot, ...]:
    """What passed on wires."""
    from lensgrad.train.recording import read

    return read(what, value)


ENTRIES: Mapping[str, Callable[[str, Any], Any]] = {
    "accumulate": counted(1),
    "backend": text,
    "batch": counted(),
    "batch_size": optional(counted(1)),
    "best_epoch": counted(1),
    "contents": optional(text),
    "data_size": optional(counted()),
    "ended": checks.flag,
    "epoch": counted(),
    "examples": counted(),
    "reason": text,
    "records": records,
    "seconds": times,
    "seed": counted(0, 2**64 - 1),
    "shuffle": checks.flag,
    "since": counted(),
    "steps": counted(),
    "totals": checkpoint.report,
    "weighting": text,
}
