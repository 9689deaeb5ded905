"""Where the library keeps what it can make again, on systems as they are."""

import os
import sys
import tempfile
from pathlib import Path

import pytest

from lensgrad.core import folders
from lensgrad.core.errors import BadValue, LensgradWarning
from lensgrad.core.folders import cache_folder, code_folder, danger, private, temporary, trusted

unix = pytest.mark.skipif(sys.platform == "win32", reason="users have no numbers")


def test_the_environment_names_the_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("LENSGRAD_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path


@unix
def test_a_user_has_a_folder_in_the_cache(monkeypatch, tmp_path):
    monkeypatch.delenv("LENSGRAD_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "lensgrad"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert cache_folder() == tmp_path / "x" / "lensgrad"
    monkeypatch.setenv("XDG_CACHE_HOME", "x")  # in whatever folder a program runs
    assert cache_folder() == tmp_path / ".cache" / "lensgrad"


@unix
def test_a_user_without_a_home_has_a_folder_that_nobody_else_writes_to(monkeypatch, tmp_path):
    def nowhere():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("LENSGRAD_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", nowhere)
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    mine = tmp_path / f"lensgrad-{os.getuid()}"
    assert cache_folder() == mine / "lensgrad" and mine.stat().st_mode & 0o777 == 0o700
    mine.chmod(0o777)
    temporary.cache_clear()
    other = cache_folder()
    assert other.parent != mine and cache_folder() == other and other.parent.stat().st_mode & 0o777 == 0o700


# -- folders that code is loaded from ----------------------------------------------------------------------------------


@pytest.fixture
def place(monkeypatch, tmp_path):
    """A cache folder of this user alone, named by the environment."""
    (tmp_path / "cache").mkdir(mode=0o700)
    monkeypatch.setenv("LENSGRAD_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def refused():
    with pytest.raises(BadValue) as error:
        code_folder()
    return str(error.value)


def told(why):
    return f"LENSGRAD_CACHE is a folder that compiled code is loaded from, and {why}: make it yours alone (chmod 700), or choose another"


@unix
def test_code_is_kept_in_a_folder_of_this_user_alone(place):
    assert code_folder() == place.resolve() / "native" and code_folder().stat().st_mode & 0o777 == 0o700


@unix
@pytest.mark.parametrize("mode", [0o702, 0o777, 0o1777])
@pytest.mark.parametrize("part", ["", "native"])
def test_a_folder_that_others_can_write_to_is_refused_where_the_environment_names_it(place, mode, part):
    (place / "native").mkdir(mode=0o700)
    (place / part).chmod(mode)
    if mode == 0o1777 and not part:  # as /tmp is: nobody puts something in the place of what is there
        assert code_folder() == place.resolve() / "native"
    else:
        assert refused() == told(f"others can write to '{(place / part).resolve()}'")


@unix
def test_a_folder_that_a_group_can_write_to_is_refused_unless_the_group_is_the_users_own(place, monkeypatch):
    place.chmod(0o770)
    own = place.stat()
    assert (code_folder().parent == place.resolve()) == (own.st_gid == own.st_uid == os.getgid())
    monkeypatch.setattr(os, "getgid", lambda: own.st_gid + 1)
    assert refused() == told(f"others can write to '{place.resolve()}'")


@unix
def test_a_folder_of_another_user_is_refused(place, monkeypatch):
    uid = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: uid + 1)
    if uid:  # what root owns is safe for everybody
        assert refused().startswith(told(f"'{place.resolve() / 'native'}' belongs to another user"))
    else:
        os.chown(place, 12345, 12345)
        assert refused() == told(f"'{place.resolve()}' belongs to another user")


@unix
def test_links_are_followed_before_anything_is_checked(place, monkeypatch, tmp_path):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    theirs.chmod(0o777)
    for link in (place / "native", tmp_path / "link"):
        link.symlink_to(theirs)
    assert refused() == told(f"others can write to '{theirs.resolve()}'")
    monkeypatch.setenv("LENSGRAD_CACHE", str(tmp_path / "link"))
    assert refused() == told(f"others can write to '{theirs.resolve()}'")
    (tmp_path / "round").symlink_to(tmp_path / "round")
    monkeypatch.setenv("LENSGRAD_CACHE", str(tmp_path / "round"))
    with pytest.warns(LensgradWarning, match=f"'{tmp_path / 'round' / 'native'}' takes no compiled code"):
        assert code_folder() == private()


@unix
def test_a_folder_of_the_system_that_others_can_write_to_is_not_used(monkeypatch, tmp_path):
    monkeypatch.delenv("LENSGRAD_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert code_folder() == tmp_path.resolve() / "lensgrad" / "native"
    (tmp_path / "lensgrad").chmod(0o777)
    told = f"'{tmp_path}/lensgrad/native' takes no compiled code (others can write to '{tmp_path.resolve()}/lensgrad'): "
    with pytest.warns(LensgradWarning) as heard:
        assert [code_folder() for _ in range(3)] == [private()] * 3
    assert [str(w.message) for w in heard] == [f"{told}what is compiled now ends with this process"]
    assert danger(private()) == "" and private().stat().st_mode & 0o777 == 0o700


def test_a_file_in_the_place_of_the_folder_is_said_once(place, monkeypatch):
    (place / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("LENSGRAD_CACHE", str(place / "file"))
    with pytest.warns(LensgradWarning, match="takes no compiled code") as heard:
        assert code_folder() == code_folder() == private()
    assert len(heard) == 1


@unix
def test_a_file_is_trusted_where_only_this_user_can_have_written_it(place):
    file = place / "a.so"
    assert not trusted(file)
    file.write_bytes(b"")
    file.chmod(0o700)
    assert trusted(file.resolve())
    (place / "b.so").symlink_to(file)
    assert not trusted(place.resolve() / "b.so") and not trusted(place)
    file.chmod(0o706)
    assert not trusted(file.resolve())
    file.chmod(0o700)
    place.chmod(0o777)
    assert not trusted(file.resolve())


def test_windows_keeps_users_apart_by_itself(place, monkeypatch):
    monkeypatch.setattr(folders.sys, "platform", "win32")
    assert danger(place) == ""
