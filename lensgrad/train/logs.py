"""Logs of a run: a CSV file, or event files that TensorBoard shows."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

from lensgrad.core import checks
from lensgrad.core.errors import BadValue, MissingExtra
from lensgrad.train.callbacks import Callback
from lensgrad.train.state import State


class CsvLog:
    """Writes a row for each epoch: its number, what it reports, and its seconds. A resumed run writes its earlier epochs again."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = checks.file("the file of a log", path)

    def on_epoch(self, state: State) -> None:
        columns = ["epoch", *state.report, "seconds"]
        first = state.epoch == state.before + 1
        rows = list(zip(state.history, state.seconds, strict=True))
        with open(self.path, "w" if first else "a", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, columns, restval="", extrasaction="ignore")
            if first:
                table.writeheader()
            for epoch, (report, seconds) in enumerate(rows if first else rows[-1:], 1 if first else state.epoch):
                table.writerow({"epoch": epoch, **report, "seconds": f"{seconds:.3f}"})


class TensorBoard:
    """Writes each number of an epoch's report as a curve into a folder for `tensorboard --logdir`. It needs the extra `tensorboard`."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = checks.file("the folder of a log", folder)
        self.writer, self.event, self.summary = opened(self.folder)

    def on_epoch(self, state: State) -> None:
        for name, value in {**state.report, "seconds": state.seconds[-1]}.items():
            curve = self.summary(value=[self.summary.Value(tag=name, simple_value=value)])
            self.writer.add_event(self.event(step=state.epoch, summary=curve))
        self.writer.flush()

    def close(self) -> None:
        self.writer.close()


def opened(folder: Path) -> tuple[Any, Any, Any]:
    """A writer of event files, and the classes of what it writes."""
    try:
        from tensorboard.compat.proto.event_pb2 import Event  # pyright: ignore[reportMissingImports]
        from tensorboard.compat.proto.summary_pb2 import Summary  # pyright: ignore[reportMissingImports]
        from tensorboard.summary.writer.event_file_writer import EventFileWriter  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise MissingExtra("event files need TensorBoard, which is not installed: pip install 'lensgrad[tensorboard]'") from error
    return EventFileWriter(str(folder)), Event, Summary


def log_of(where: Any) -> tuple[Callback, ...]:
    """The log for a path: a table for a name that ends in .csv, event files for a folder."""
    if where is None:
        return ()
    if not isinstance(where, str | os.PathLike):
        raise BadValue(f"log is a file that ends in .csv, or a folder for TensorBoard, got {where!r:.60}")
    return (CsvLog(where) if Path(where).suffix == ".csv" else TensorBoard(where),)
