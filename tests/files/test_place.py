"""A path is refused before anything is lost by it, and a file is replaced as a whole or not at all."""

import errno
import os
import stat
from pathlib import Path

import pytest

import lensgrad as lg
from lensgrad.core.errors import BadCheckpoint, BadValue
from lensgrad.files import place
from lensgrad.files.place import parts, ready, write


def bad(folder):
    """Paths that no file can be written to, and why not."""
    (folder / "file").write_bytes(b"x")
    (folder / "folder").mkdir()
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "kept").write_bytes(b"old")
    (folder / "kept").chmod(0o444)
    return {
        folder / "file" / "a": f"the folder '{folder / 'file'}' is no folder",
        folder / "none" / "a": f"the folder '{folder / 'none'}' is missing",
        folder / "folder": "it is a folder",
        folder / "loop": "its links go round in a circle",
        folder / "kept": "it is write-protected",
        folder / ("a" * 300): "File name too long",
        folder / "a\0b": "its name has characters that no file's name has",
        folder / "a\ud800b": "its name has characters that no file's name has",
        Path("/dev/full"): "it is no ordinary file",
    }


fcntl = pytest.importorskip("fcntl", reason="paths and locks of Unix")
KINDS = range(9)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("act", [ready, lambda path: write(path, b"new")])
def test_a_path_that_leads_nowhere_is_refused_in_a_sentence(act, kind, tmp_path):
    path, told = list(bad(tmp_path).items())[kind]
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(BadCheckpoint) as error:
        act(path)
    assert str(error.value) == f"{place.quoted(path)} cannot be written: {told}" and "\n" not in str(error.value)
    assert sorted(os.listdir(tmp_path)) == before and (tmp_path / "kept").read_bytes() == b"old"


def test_the_test_has_all_bad_paths(tmp_path):
    assert len(bad(tmp_path)) == len(KINDS)


@pytest.mark.parametrize("wrong", [3, None, b"a", ["a"]])
def test_what_is_no_path_is_refused(wrong):
    with pytest.raises(BadValue) as error:
        lg.load(wrong)
    assert str(error.value) == f"the place of a file must be a path, got {wrong!r}"


def test_a_good_path_is_ready_and_nothing_is_left_there(tmp_path):
    old = tmp_path / "old"
    old.write_bytes(b"x")
    link = tmp_path / "link"
    link.symlink_to(old)
    for path in (tmp_path / "new", old, link, tmp_path / ("a" * 230), tmp_path / ("é" * 127)):
        ready(path)
    assert sorted(os.listdir(tmp_path)) == ["link", "old"] and old.read_bytes() == b"x"


@pytest.mark.parametrize("name", ["a" * 255, "é" * 127, "a b'\"\n", "[a-z]*.{2}"])
def test_a_file_of_any_name_is_written(name, tmp_path):
    for raw in (b"one", b"two"):
        write(tmp_path / name, raw)
        assert (tmp_path / name).read_bytes() == raw
    assert os.listdir(tmp_path) == [name]


def test_what_a_link_leads_to_is_replaced_and_the_link_stays(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "far" / "file")
    write(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "far" / "file").read_bytes() == b"new"


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_a_file_keeps_its_mode(mode, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(mode)
    write(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == mode and path.read_bytes() == b"new"


def test_what_is_beside_a_hidden_file_is_hidden_too(tmp_path, monkeypatch):
    path, seen = tmp_path / "file", []
    path.write_bytes(b"old")
    path.chmod(0o600)
    monkeypatch.setattr(os, "fsync", lambda _: seen.extend(stat.S_IMODE(p.stat().st_mode) for p in parts(path)))
    write(path, b"new")
    assert seen[0] == 0o600


def full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def locked(*_):
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_keeps_the_old_file_and_is_what_is_told(step, tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, step, full)
    with pytest.raises(BadCheckpoint) as error:
        write(path, b"new")
    assert str(error.value) == f"'{path}' cannot be written: No space left on device"
    assert os.listdir(tmp_path) == ["file"] and path.read_bytes() == b"old"
    monkeypatch.setattr(Path, "unlink", locked)
    with pytest.raises(BadCheckpoint) as error:
        write(path, b"new")
    assert str(error.value) == f"'{path}' cannot be written: No space left on device"


def test_parts_that_killed_writers_left_are_cleared_and_no_others(tmp_path):
    name = "a.b"
    left, others = f".{name}.{'0f' * 8}.part", [f".aXb.{'0f' * 8}.part", f".{name}.{'0f' * 7}.part", f".{name}.part", "part"]
    written = f".{name}.{'1e' * 8}.part"
    for n in (left, written, *others):
        (tmp_path / n).write_bytes(b"x")
    with open(tmp_path / written, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        write(tmp_path / name, b"new")
        assert set(os.listdir(tmp_path)) == {name, written, *others}
    write(tmp_path / name, b"new")
    assert set(os.listdir(tmp_path)) == {name, *others}


def test_a_part_is_locked_while_it_is_written(tmp_path, monkeypatch):
    path, seen = tmp_path / "file", []
    monkeypatch.setattr(os, "fsync", lambda _: seen.extend(map(place.abandoned, parts(path))))
    write(path, b"new")
    assert seen == [False]


@pytest.mark.parametrize("act", ["save", "load"])
@pytest.mark.parametrize("name", ["a\0b", "a\ud800b", "loop"])
def test_runs_are_saved_and_loaded_by_the_same_rules(act, name, tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    run = lg.supervised(lg.dense(4, 2), lg.mse, lg.descent).fit(([[0.0] * 4], [[0.0] * 2]), progress=False)
    with pytest.raises(BadCheckpoint):
        run.save(tmp_path / name) if act == "save" else lg.load(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with a name are a thing of Unix")
def test_a_pipe_is_no_checkpoint_and_is_not_waited_for(tmp_path):
    path = tmp_path / "pipe.safetensors"
    os.mkfifo(path)
    with pytest.raises(BadCheckpoint) as error:
        lg.load(path)
    assert str(error.value) == f"'{path}' is no ordinary file, and a checkpoint is one"


def test_a_checkpoint_of_a_name_that_no_folder_holds_is_refused():
    with pytest.raises(BadCheckpoint, match="cannot be read"):
        lg.load("é" * 300)
