"""A run from its file. What reads files is imported here and where runs are saved, so that it costs nothing before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, cast

from lensgrad.core.checks import shown
from lensgrad.core.errors import BadCheckpoint, LensgradError
from lensgrad.data.meaning import from_file
from lensgrad.files import checkpoint
from lensgrad.files.names import Generators, fits, hints
from lensgrad.files.write import WRONG, sentence
from lensgrad.train.keep import parted
from lensgrad.train.run import Given, Learner, Run
from lensgrad.train.state import Kept, Standing


def load(path: checkpoint.Where, generators: Generators | None = None) -> Run[Given]:
    """The run that `run.save(path)` wrote; no class of the user's is needed, and nothing in the file is ever run.

    `generators` gives a user's own generators by their names in the file. Raises `BadCheckpoint` with one sentence for a
    file that is damaged, foreign or newer.
    """
    saved = checkpoint.load(path, generators)
    try:
        learner = restored(saved.fields)
        objects = learner.objects()
    except WRONG as wrong:
        raise BadCheckpoint(f"'{path}' holds no learner that can be trained: {sentence(wrong)}") from wrong
    checkpoint.agree(path, saved.objects, objects)
    return run_in(path, learner, saved)


def run_in(path: checkpoint.Where, learner: Learner, saved: checkpoint.Saved) -> Run[Any]:
    """The run in a file: with the best values where training had come to its end, and with the last ones where it goes on."""
    position, (values, best) = dict(saved.position), parted(saved.values)
    try:
        meaning = from_file(position)
    except LensgradError as wrong:
        raise BadCheckpoint(f"'{path}' says nothing sensible of its data: {wrong}") from wrong
    times, epoch, ended = position.pop("seconds", ()), position.pop("best_epoch", None), position.pop("ended", True)
    reason = position.pop("reason", "")
    if not isinstance(reason, str):
        raise BadCheckpoint(f"'{path}' says in no words why its minimization ended")
    kept = None if best is None or ended else Kept(epoch, best)
    if kept is None:
        position.pop("since", None)
    more: dict[str, Any] = {"best_epoch": epoch if kept is None else None, "meaning": meaning, "kept": kept, "reason": reason}
    return Run(
        learner, best if best and ended else values, saved.history, standing(path, position), tuple(times), interrupted=not ended, **more
    )


def standing(path: checkpoint.Where, position: dict[str, Any]) -> Standing:
    """Where the run in a file stands; what it says of that is refused where it is of another type."""
    kinds = hints(Standing)
    strange = next((name for name, value in position.items() if name in kinds and not fits(value, kinds[name])), None)
    if strange is not None:
        raise BadCheckpoint(f"'{path}' does not say where its run stands: '{strange}' is {shown(position[strange])}")
    return cast(Standing, position)  # each entry has its type, and a type checker cannot follow a test by name


def restored(known: Mapping[str, Any]) -> Learner[Any]:
    """A learner from its fields."""
    kinds = {f.name: hints(Learner)[f.name] for f in fields(Learner) if f.compare}
    strange = [n for n, v in known.items() if n not in kinds or not fits(v, kinds[n])]
    if strange:
        raise BadCheckpoint(f"a learner has no field '{strange[0]}' of type {type(known[strange[0]]).__name__}")
    return Learner(**known)
