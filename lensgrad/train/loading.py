"""A run from its file. What reads files is imported here and where runs are saved, so that it costs nothing before."""

from __future__ import annotations

from typing import Any

from lensgrad.data.meaning import from_file
from lensgrad.files import checkpoint
from lensgrad.files.names import Generators
from lensgrad.train.keep import parted
from lensgrad.train.run import Given, Learner, Run
from lensgrad.train.saved import learner_in, read
from lensgrad.train.state import Kept, standing


def load(path: checkpoint.Where, generators: Generators | None = None) -> Run[Given]:
    """The run that `run.save(path)` wrote; no class of the user's is needed, and nothing in the file is ever run.

    `generators` gives a user's own generators by their names in the file. Raises `BadCheckpoint` with one sentence for a
    file that is damaged, foreign or newer.
    """
    saved = read(path, generators)
    return run_in(learner_in(path, saved, Learner), saved)


def run_in(learner: Learner, saved: checkpoint.Saved) -> Run[Any]:
    """The run in a file: with the best values where training had come to its end, and with the last ones where it goes on."""
    position, (values, best) = dict(saved.position), parted(saved.values)
    meaning = from_file(position)
    times, epoch, ended = position.pop("seconds", ()), position.pop("best_epoch", None), position.pop("ended", True)
    records = position.pop("records", ())
    reason, ran_on = position.pop("reason", ""), position.pop("backend", "")
    kept = None if best is None or ended else Kept(epoch, best)
    if kept is None:
        position.pop("since", None)
    if ended:
        position.pop("steps", None)
    told: dict[str, Any] = {
        "best_epoch": epoch if kept is None else None,
        "meaning": meaning,
        "kept": kept,
        "reason": reason,
        "ran_on": ran_on,
        "records": records,
    }
    stands = standing(position, len(saved.history))
    return Run(learner, best if best and ended else values, saved.history, stands, times, interrupted=not ended, **told)
