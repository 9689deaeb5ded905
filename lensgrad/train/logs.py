"""Logs of a run: a CSV file, or event files that TensorBoard shows."""

from __future__ import annotations

import csv
import errno
import io
import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from lensgrad.core import checks
from lensgrad.core.errors import BadCheckpoint, BadValue, MissingExtra, warn
from lensgrad.files.place import REFUSED, quoted, ready, reason, unwritable, write
from lensgrad.train.callbacks import Callback
from lensgrad.train.state import State

T = TypeVar("T")
LOGS = "a file that ends in .csv, or a folder for TensorBoard"


class Log:
    """What is written of each epoch to a path. Where that fails training goes on, and it is said once."""

    failed = False

    def __init__(self, path: str | os.PathLike[str], what: str = "the file of a log") -> None:
        self.path = checks.file(what, path)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({quoted(self.path)})"

    def on_epoch(self, state: State) -> None:
        self.tried(lambda: self.epoch(state))

    def epoch(self, state: State) -> None:
        """Write what is new."""
        raise NotImplementedError

    def tried(self, act: Callable[[], Any]) -> None:
        """Write, or say that it is tried again."""
        try:
            allowed(self.path, act)
            self.failed = False
        except BadValue as wrong:
            if not self.failed:
                warn(f"{wrong}: training goes on, and the log is tried again after each epoch")
            self.failed = True


def allowed(path: Path, act: Callable[[], T]) -> T:
    """What an act gives, or the sentence for a log that cannot be written."""
    try:
        return act()
    except BadCheckpoint as wrong:
        raise BadValue(f"the log {wrong}") from wrong
    except REFUSED as wrong:
        raise BadValue(f"the log {quoted(path)} cannot be written: {reason(wrong)}") from wrong


class CsvLog(Log):
    """Writes a row for each epoch: its number, what it reports, and its seconds. A resumed run writes its earlier epochs again.

    A path that cannot be written is refused at once. A row that could not be written is there after the next one that can.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(path)
        allowed(self.path, lambda: ready(self.path))

    def epoch(self, state: State) -> None:
        if self.failed or state.epoch == state.before + 1:
            write(self.path, table(state, 0, header=True))
        else:
            append(self.path, table(state, state.epoch - 1))


def table(state: State, first: int, header: bool = False) -> bytes:
    """The rows of a run's epochs behind the first so many, as they stand in a file."""
    written, columns = io.StringIO(newline=""), ["epoch", *state.report, "seconds"]
    rows = csv.DictWriter(written, columns, restval="", extrasaction="ignore")
    if header:
        rows.writeheader()
    done = zip(state.history[first:], state.seconds[first:], strict=True)
    rows.writerows({"epoch": k, **report, "seconds": f"{seconds:.3f}"} for k, (report, seconds) in enumerate(done, first + 1))
    return written.getvalue().encode()


def append(path: Path, raw: bytes) -> None:
    """Add whole rows to a file, or none."""
    try:
        with open(path, "ab", buffering=0) as file:
            size = file.tell()
            if file.write(raw) != len(raw):
                file.truncate(size)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except REFUSED as wrong:
        raise unwritable(path, wrong) from wrong


class TensorBoard(Log):
    """Writes each number of an epoch's report as a curve into a folder for `tensorboard --logdir`. It needs the extra `tensorboard`."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        super().__init__(folder, "the folder of a log")
        self.writer, self.event, self.summary = opened(self.path)

    def epoch(self, state: State) -> None:
        for name, value in {**state.report, "seconds": state.seconds[-1]}.items():
            curve = self.summary(value=[self.summary.Value(tag=name, simple_value=value)])
            self.writer.add_event(self.event(step=state.epoch, summary=curve))
        self.writer.flush()

    def close(self) -> None:
        self.tried(self.writer.close)


MODULES = ("compat.proto.event_pb2", "compat.proto.summary_pb2", "summary.writer.event_file_writer")


def opened(folder: Path) -> tuple[Any, Any, Any]:
    """A writer of event files, and the classes of what it writes."""
    try:
        event, summary, writer = (import_module(f"tensorboard.{name}") for name in MODULES)
    except ImportError as error:
        raise MissingExtra("event files need TensorBoard, which is not installed: pip install 'lensgrad[tensorboard]'") from error
    return allowed(folder, lambda: writer.EventFileWriter(str(folder))), event.Event, summary.Summary


def log_of(where: Any) -> tuple[Callback, ...]:
    """The log for a path: a table for a name that ends in .csv, event files for a folder."""
    if where is None:
        return ()
    if not checks.is_path(where):
        raise BadValue(f"log must be {LOGS}, got {checks.shown(where)}")
    path = checks.file("the place of a log", where)
    if path.suffix.lower() == ".csv":
        return (CsvLog(path),)
    if not os.path.isdir(path) and (path.suffix or os.path.exists(path)):
        raise BadValue(
            f"log must be {LOGS}, got {quoted(path)}: write {quoted(path.with_suffix('.csv'))}, or a folder whose name has no ending"
        )
    return (TensorBoard(path),)
