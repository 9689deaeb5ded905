"""Logs: a path that cannot be written is refused before the first step, and a full disk costs no training and no row."""

import csv
import errno
import os
from functools import cache
from pathlib import Path

import pytest
from numerics import reals

import lensgrad as lg
from lensgrad.core.errors import BadCheckpoint, BadValue, LensgradWarning
from lensgrad.files import place
from lensgrad.train import logs

X, Y = reals(0, (24, 4), (24, 2))


@cache
def learner():
    return lg.supervised(lg.dense(4, 2, dtype="float64"), lg.mse, lg.sgd(0.1))


def refuse(batch, _):
    raise AssertionError("a step was begun")


@pytest.mark.parametrize(
    "name, told",
    [
        ("missing/log.csv", "the log '{0}/missing/log.csv' cannot be written: the folder '{0}/missing' is missing"),
        ("folder.csv", "the log '{0}/folder.csv' cannot be written: it is a folder"),
        ("a\0.csv", "the log '{0}/a\\x00.csv' cannot be written: its name has characters that no file's name has"),
        ("kept.csv", "the log '{0}/kept.csv' cannot be written: it is write-protected"),
        ("a.txt", "log must be a file that ends in .csv, or a folder for TensorBoard, got '{0}/a.txt': write '{0}/a.csv', or {1}"),
        ("file", "log must be a file that ends in .csv, or a folder for TensorBoard, got '{0}/file': write '{0}/file.csv', or {1}"),
    ],
)
def test_a_log_that_cannot_be_written_is_refused_before_the_first_step(tmp_path, name, told):
    (tmp_path / "folder.csv").mkdir()
    for there in ("file", "kept.csv"):
        (tmp_path / there).write_text("here before", encoding="utf-8")
        (tmp_path / there).chmod(0o444)
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(BadValue) as error:
        learner().fit(lg.data.transform((X, Y), refuse), log=tmp_path / name, progress=False)
    assert str(error.value) == told.format(tmp_path, "a folder whose name has no ending")
    assert sorted(os.listdir(tmp_path)) == before and (tmp_path / "kept.csv").read_text(encoding="utf-8") == "here before"


def full(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("first", [1, 2])
def test_a_full_disk_under_a_log_is_said_once_and_the_log_is_whole_when_there_is_room(tmp_path, monkeypatch, first):
    """The disk is full for two epochs, at the first one or later."""
    path, put, add = tmp_path / "log.csv", place.put, logs.append
    path.write_text("an earlier log", encoding="utf-8")

    class Disk:
        def on_epoch(self, state):
            is_full = first <= state.epoch + 1 < first + 2
            monkeypatch.setattr(place, "put", full if is_full else put)
            monkeypatch.setattr(logs, "append", lambda p, raw: place.write(p, raw) if is_full else add(p, raw))

    monkeypatch.setattr(place, "put", full if first == 1 else put)
    seen = []
    watch = lg.data.transform((X, Y), lambda batch, _: seen.append(path.read_text(encoding="utf-8")) or batch)
    with pytest.warns(LensgradWarning) as notes:
        run = learner().fit(watch, epochs=4, log=path, callbacks=[Disk()], progress=False)
    told = f"the log '{path}' cannot be written: No space left on device: training goes on, and the log is tried again after each epoch"
    assert [str(n.message) for n in notes] == [told]
    if first == 1:
        assert set(seen[: 2 * len(seen) // 4]) == {"an earlier log"}
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(int(r["epoch"]), float(r["loss"])) for r in rows] == [(k, r["loss"]) for k, r in enumerate(run.history, 1)]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this is about a device that is always full")
def test_a_row_is_added_whole_or_not_at_all():
    with pytest.raises(BadCheckpoint) as error:
        logs.append(Path("/dev/full"), b"a row")
    assert str(error.value) == "'/dev/full' cannot be written: No space left on device"
