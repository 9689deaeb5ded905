"""Where training begins: anew, at a run to go on from, or at a checkpoint that is compared with what is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from lensgrad.core.checks import shown
from lensgrad.core.errors import BadCheckpoint, BadValue, listed
from lensgrad.program.values import Values
from lensgrad.train.callbacks import Checkpoint
from lensgrad.train.keep import kept_of, parted
from lensgrad.train.record import Record, recipe_fields
from lensgrad.train.snapshots import Snapshot
from lensgrad.train.state import Kept, Position, Standing, State, standing

if TYPE_CHECKING:
    from lensgrad.files.checkpoint import Saved
    from lensgrad.files.compare import Difference

ANYWAY = "anyway"
WITHIN = ("batch_size", "seed", "shuffle", "data_size", "contents")  # what the place of a batch in its epoch depends on
UNKNOWN = ("data_size", "contents")  # of a stream, where it is not compared
FREE = ("batch_size", "accumulate")  # what may change on purpose between two epochs
WORDS = {"data_size": "the number of examples", "weighting": "the weighting of examples", "shuffle": "shuffling"}
CONTENTS = "the data is not what it was: as many examples, and other numbers, names or order"
Begun = tuple[State, tuple[str, ...]]  # and sentences worth saying


class Earlier(Protocol):
    """A run to go on from."""

    @property
    def values(self) -> Values: ...
    @property
    def history(self) -> tuple[dict[str, float], ...]: ...
    @property
    def position(self) -> Standing: ...
    @property
    def seconds(self) -> tuple[float, ...]: ...
    @property
    def best_epoch(self) -> int | None: ...
    @property
    def kept(self) -> Kept | None: ...
    @property
    def ran_on(self) -> str: ...
    @property
    def records(self) -> tuple[Snapshot, ...]: ...


def checked(resume: Any, rule: Checkpoint | None) -> bool | str:
    """Whether to go on from a checkpoint, and whether from any."""
    if not (isinstance(resume, bool) or (isinstance(resume, str) and resume == ANYWAY)):
        raise BadValue(f"resume must be True, False or 'anyway', got {shown(resume)}")
    if resume and rule is None:
        raise BadValue(f"resume={resume!r} goes on from a checkpoint: give its path, checkpoint=path")
    return resume


def begin(
    learner: Record,
    seed: int,
    order: Mapping[str, Any],
    start: Mapping[str, Any] | None,
    rule: Checkpoint | None,
    resume: bool | str,
    after: Earlier | None,
) -> Begun:
    """The state that training begins with; `order` is what decides which steps it takes."""
    if rule is not None and checked(resume, rule) and rule.path.exists():
        return resumed(learner, seed, order, rule, resume == ANYWAY)
    if after is not None:
        return continued(learner, order, start, after), ()
    return State(learner, learner.initial(seed, start)), ()


# -- a run to go on from -----------------------------------------------------------------------------------------------


def continued(learner: Record, order: Mapping[str, Any], start: Mapping[str, Any] | None, after: Earlier) -> State:
    """A run that was interrupted goes on as if it had not been; one that had ended is begun from its values."""
    values = learner.known({**after.values, **(start or {})})
    within = bool(after.position["batch"])
    if within:
        same_order(after.position, order)
    place = place_of(after.position, within)
    done, begun = len(after.history), after.position.get("steps", 0)
    more: dict[str, Any] = {"backend": after.ran_on, "records": after.records, "begun": begun}
    if after.kept is not None:
        since = after.position.get("since", 0)
        return State(learner, values, after.history, after.seconds, place, done, after.kept, since, **more)
    best = None if start or within or not done else Kept(after.best_epoch or done, values)
    return State(learner, values, after.history, after.seconds, place, done, best, done, **more)


def same_order(position: Mapping[str, Any], order: Mapping[str, Any]) -> None:
    """Refuse other batches within an epoch."""
    found = [d.told for d in plans(position, order, True) if d.refused]
    if found:
        told = ", ".join(found).replace("in the file", "in this run")
        raise BadValue(f"this run stopped within an epoch, and its batches are other ones now: {told}; give the same, or start a new run")


def place_of(position: Standing, within: bool) -> Position:
    """The position in a file or of a run; the beginning of its epoch where the batches in it do not count."""
    return Position.of(position) if within else Position(position["epoch"])


# -- a checkpoint ------------------------------------------------------------------------------------------------------


def resumed(learner: Record, seed: int, order: Mapping[str, Any], rule: Checkpoint, anyway: bool) -> Begun:
    """The state in a checkpoint, after comparing its learner and its plan with those that are asked for."""
    from lensgrad.train import saved as files

    saved = files.read(rule.path)
    saved = replace(saved, fields=recipe_fields(files.learner_in(rule.path, saved, Record)))
    stands = standing(saved.position, len(saved.history))
    within = bool(stands["batch"])
    found = compared(saved, learner, order, within) if anyway else [*refusing(saved, learner, order, within, rule)]
    if anyway:
        values, best, missing = fitting(learner, saved, seed)
    else:
        (values, best), missing = parted(saved.values), ""
    again = within and any(d.refused for d in plans(stands, order, True))
    place = place_of(stands, not again)
    times, epoch = tuple(saved.position.get("seconds", ())), stands.get("best_epoch")
    kept = kept_of(values, best, epoch)
    since, ran_on = stands.get("since", 0), saved.position.get("backend", "")
    records, begun = recorded(saved.position, place)
    state = State(
        learner, values, saved.history, times, place, len(saved.history), kept, since, backend=ran_on, records=records, begun=begun
    )
    return state, told(rule, found, missing, again)


def recorded(position: Mapping[str, Any], place: Position) -> tuple[tuple[Snapshot, ...], int]:
    """The records in a file up to a place, and how many steps were taken before it: an epoch that is begun again is recorded again."""
    again = position.get("batch", 0) - place.batch
    steps = max(0, position.get("steps", 0) - again)
    return tuple(r for r in position.get("records", ()) if r.step < steps), steps


def refusing(saved: Saved, learner: Record, order: Mapping[str, Any], within: bool, rule: Checkpoint) -> list[Difference]:
    """The differences, if training may go on with them."""
    from lensgrad.files import checkpoint as files

    model = {*saved.fields["model"].names, *learner.model.names}
    here = learner.objects()
    files.agree(rule.path, *({n: ob for n, ob in objects.items() if n in model} for objects in (saved.objects, here)))
    found = compared(saved, learner, order, within)
    against = [d.told for d in found if d.refused]
    if against:
        go_on = 'give the same, start a new run, or go on all the same with resume="anyway"'
        raise BadCheckpoint(f"{files.quoted(rule.path)} is a checkpoint of another run: {listed(against)}; {go_on}")
    files.agree(rule.path, saved.objects, here)
    return found


def compared(saved: Saved, learner: Record, order: Mapping[str, Any], within: bool) -> list[Difference]:
    """All differences: of the learners, and of their plans."""
    from lensgrad.files.compare import differences

    return [*differences(saved.fields, recipe_fields(learner.frozen())), *plans(saved.position, order, within)]


def plans(there: Mapping[str, Any], here: Mapping[str, Any], within: bool) -> list[Difference]:
    """Differences of order; what a file does not say is not compared, and neither are the size and the contents of a stream."""
    from lensgrad.files.compare import Difference

    found = list[Difference]()
    for name, value in here.items():
        if name in there and there[name] != value and (name not in UNKNOWN or None not in (there[name], value)):
            refused = name in WITHIN if within else name not in FREE
            found.append(Difference(other(name, there[name], value), refused or name not in FREE))
    sizes = there.get("data_size") == here.get("data_size")
    return [d for d in found if sizes or d.told != CONTENTS]  # other numbers of examples say enough


def other(name: str, there: Any, here: Any) -> str:
    """What differs in a plan."""
    from lensgrad.files.compare import was

    return CONTENTS if name == "contents" else was(WORDS.get(name, name), *("none" if v in (None, "") else v for v in (there, here)))


def fitting(learner: Record, saved: Saved, seed: int) -> tuple[Values, Values | None, str]:
    """The values of a file that a learner has too, first values for the others, and a sentence on which these are."""
    values, best = parted(saved.values)
    here = learner.objects()
    fit = {n for n, ob in here.items() if saved.objects.get(n) == ob}
    new = [n for n in here if n not in fit]
    first = learner.initial(seed, {n: values[n] for n in fit})
    return first, None if new else best, f"{listed(new)} begin anew" if new else ""


def told(rule: Checkpoint, found: list[Difference], missing: str, again: bool) -> tuple[str, ...]:
    """What is said of a run that goes on with differences."""
    from lensgrad.files.place import quoted

    sentences = [*(d.told for d in found), missing, "its last epoch is begun again" if again else ""]
    said = listed([s for s in sentences if s])
    return (f"going on from {quoted(rule.path)}, though {said}",) if any(sentences) else ()
