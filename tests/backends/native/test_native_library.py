"""Compiled programs: kept, shared, bounded, never somebody else's, and what is said where there is no compiler, or no room."""

import ctypes
import os
import platform
import subprocess
import sys
import warnings
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.backends.native import compiler as tools
from lensgrad.backends.native import library
from lensgrad.core.errors import LensgradWarning, NoRule

needs_compiler = pytest.mark.skipif(tools.compiler() is None, reason="no C compiler")
TEXT = """
#include <stdint.h>
#include <string.h>
void run(char *m, const char *const *given, char *const *seen, int64_t n, int id, int of, int *gate) { memset(seen[0], NUMBER, 1); }
"""


def text(number):
    return TEXT.replace("NUMBER", str(number))


def said(run):
    """The byte that a program writes."""
    out = np.zeros(1, np.uint8)
    run(None, None, ctypes.addressof((ctypes.c_void_p * 1)(out.ctypes.data)), 1, 0, 1, None)
    return int(out[0])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LENSGRAD_CACHE", str(tmp_path))
    library.loaded.cache_clear()
    yield tmp_path / "native"
    library.loaded.cache_clear()


@needs_compiler
def test_a_program_is_compiled_once_for_all_processes(folder, monkeypatch):
    assert said(library.program(text(7))) == 7
    (path,) = folder.iterdir()
    assert path.name.startswith("step-") and path.suffix == ".so" and path.stat().st_mode & 0o077 == 0
    monkeypatch.setattr(library, "built", None)
    library.loaded.cache_clear()  # as in another process
    assert said(library.program(text(7))) == 7
    monkeypatch.undo()


@needs_compiler
def test_other_texts_flags_and_compilers_are_other_files(folder, monkeypatch):
    library.program(text(1))
    library.program(text(2))
    monkeypatch.setattr(library, "COMMON", (*library.COMMON, "-DOTHER"))
    library.program(text(2))
    monkeypatch.setenv("CC", f"{tools.compiler()[0]} -DMORE")
    library.program(text(2))
    assert len([*folder.iterdir()]) == 4


@needs_compiler
@pytest.mark.parametrize("asked", ["-ffast-math", "-funsafe-math-optimizations", "-Ofast"])
def test_what_is_asked_for_in_cc_takes_no_nan_away_and_no_small_numbers_of_the_process(folder, monkeypatch, asked):
    monkeypatch.setenv("CC", f"{tools.compiler()[0]} {asked}")
    assert said(library.program(text("4 + __FINITE_MATH_ONLY__"))) == 4
    assert (np.array([1e-40], np.float32) * np.float32(1.0))[0] > 0


@pytest.mark.parametrize(
    ("named", "told"),
    [
        (None, "no C compiler is found here: install gcc or clang, or 'lensgrad[native]', which brings one"),
        ("", "CC is empty, which says that there is no C compiler: unset it, or name one in it"),
        ("/no/gcc -g", "CC names no C compiler that is found here, but '/no/gcc -g': correct it, or unset it"),
    ],
)
def test_without_a_compiler_it_is_said_how_to_get_one(monkeypatch, named, told):
    monkeypatch.setattr(tools, "COMPILERS", ())
    monkeypatch.setattr(tools, "zig", lambda: None)
    monkeypatch.delenv("CC", raising=False) if named is None else monkeypatch.setenv("CC", named)
    with pytest.raises(NoRule) as error:
        library.program(text(1))
    assert str(error.value) == told


@needs_compiler
def test_what_a_compiler_refuses_is_told_and_kept(folder):
    with pytest.raises(NoRule) as error:
        library.program("void run(void) { return nonsense; }")
    (kept,) = folder.iterdir()
    assert kept.suffix == ".c" and "nonsense" in kept.read_text(encoding="utf-8")
    told = str(error.value)
    assert (
        told.startswith(f"the C compiler '{tools.compiler()[0]}' does not compile '{kept}': ") and "nonsense" in told and "\n" not in told
    )


@pytest.mark.skipif(sys.platform == "win32", reason="the compiler is a shell script")
@pytest.mark.parametrize(
    ("script", "told"),
    [("exit 3", "it ended with 3"), ("exit 0", "it made no file"), ("echo out of order >&2; exit 1", "out of order")],
)
def test_a_compiler_that_fails_is_told_with_its_words(folder, monkeypatch, script, told):
    broken = folder.parent / "broken"
    broken.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    broken.chmod(0o755)
    monkeypatch.setenv("CC", str(broken))
    with pytest.raises(NoRule) as error:
        library.program(text(1))
    assert str(error.value).endswith(f": {told}") and str(broken) in str(error.value)


@pytest.mark.skipif(sys.platform == "win32", reason="the compiler is a shell script")
def test_what_the_system_does_not_load_is_told_with_its_words(folder, monkeypatch):
    broken = folder.parent / "broken"
    broken.write_text('#!/bin/sh\nfor word; do [ "$last" = -o ] && echo nonsense > "$word"; last="$word"; done\n', encoding="utf-8")
    broken.chmod(0o755)
    monkeypatch.setenv("CC", str(broken))
    with pytest.raises(NoRule, match=r"made cannot be loaded, so name another compiler in CC, or in LENSGRAD_CACHE .*: .*\.so: .+"):
        library.program(text(1))


@pytest.mark.skipif(sys.platform == "win32", reason="the compiler is a shell script")
def test_compilers_end_with_who_began_them(monkeypatch):
    """Ctrl-C while two of them work; one of them does not listen."""
    began = []

    def interrupted(process):
        began.append(process)
        raise KeyboardInterrupt

    monkeypatch.setattr(tools, "ended", interrupted)
    with pytest.raises(KeyboardInterrupt):
        tools.failures([["sh", "-c", "trap '' TERM; sleep 60"], ["sleep", "60"]])
    assert began[0].poll() is not None


@needs_compiler
def test_a_damaged_file_is_built_once_more(folder):
    library.program(text(5))
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    half = len(whole) // 2
    for damage in (b"half a file", b"", whole[:half], whole[:-1], whole[:half] + bytes(len(whole) - half)):
        other = path.with_name("other")
        other.write_bytes(damage)
        other.chmod(0o700)
        os.replace(other, path)
        library.loaded.cache_clear()
        assert said(library.program(text(5))) == 5


@needs_compiler
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_a_file_that_others_could_have_written_is_not_loaded(folder):
    library.program(text(5))
    (path,) = folder.iterdir()
    library.program(text(66))
    evil = next(p for p in folder.iterdir() if p != path)
    os.replace(evil, path)
    path.chmod(0o722)
    library.loaded.cache_clear()
    assert said(library.program(text(5))) == 5 and path.stat().st_mode & 0o077 == 0


@needs_compiler
def test_a_cache_that_takes_nothing_is_stood_in_for(folder, monkeypatch):
    """Read-only, or full: the system says so when a file is made."""
    made = tools.made

    def refused(path, make):
        if path.parent == folder.resolve():
            raise OSError(28, "No space left on device")
        made(path, make)

    monkeypatch.setattr(library, "made", refused)
    with pytest.warns(LensgradWarning) as heard:
        assert said(library.program(text(9))) == 9
    told = f"'{folder.resolve()}' takes no compiled code (No space left on device): what is compiled now ends with this process"
    assert [str(w.message) for w in heard] == [told]
    monkeypatch.setattr(library, "made", lambda path, make: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with warnings.catch_warnings(), pytest.raises(NoRule, match="there is no place for compiled code"):
        warnings.simplefilter("ignore")
        library.program(text(10))


@needs_compiler
def test_a_compiler_that_finds_no_room_is_not_to_blame(folder, monkeypatch):
    """A full disk makes compilers fail, each in words of its own."""
    monkeypatch.setattr(
        library, "failure", lambda command: "error: cannot write" if str(folder.resolve()) in command[-2] else tools.failure(command)
    )
    monkeypatch.setattr(library, "full", lambda place: True)
    with pytest.warns(LensgradWarning, match="takes no compiled code"):
        assert said(library.program(text(11))) == 11


def test_a_full_disk_is_noticed(tmp_path, monkeypatch):
    assert not library.full(tmp_path) and [*tmp_path.iterdir()] == []

    def refuse(self, raw):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    assert library.full(tmp_path)


@needs_compiler
def test_processes_that_compile_the_same_at_once_do_not_meet(folder):
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from test_native_library import library, said, text\n"
        "print([said(library.program(text(k))) for k in range(4)])"
    )
    here = Path(__file__).parent
    many = [subprocess.Popen([sys.executable, "-c", code, str(here)], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [p.communicate()[0].strip() for p in many] == ["[0, 1, 2, 3]"] * 3
    assert sorted(p.suffix for p in folder.iterdir()) == [".so"] * 4


def test_what_was_used_least_lately_goes_first(tmp_path):
    for k in range(5):
        path = tmp_path / f"step-{k}.so"
        path.write_bytes(bytes(100))
        os.utime(path, (1000 + k, 1000 + k))
    (tmp_path / "lanes-xor.so").write_bytes(bytes(1000))
    library.tidy(tmp_path, room=250)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["lanes-xor.so", "step-3.so", "step-4.so"]


@needs_compiler
def test_a_program_that_is_used_again_is_not_the_oldest(folder):
    library.program(text(5))
    (path,) = folder.iterdir()
    os.utime(path, (1000, 1000))
    library.loaded.cache_clear()
    library.program(text(5))
    assert path.stat().st_mtime > 1000


# -- which compiler ----------------------------------------------------------------------------------------------------


def test_clang_is_not_told_what_only_gcc_knows(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(library, "version", lambda found: {"a": "gcc (GCC) 12.2.0", "b": "Apple clang version 16.0"}[found[0]])
    assert library.flags(("a",)) == (*library.COMMON, *library.X86, *library.GCC)
    assert library.flags(("b",)) == (*library.COMMON, *library.X86)
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    assert library.flags(("b",)) == (*library.COMMON, "-mcpu=native")
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert library.flags(("b",)) == library.COMMON


def test_macos_is_asked_before_its_stubs_open_a_dialog(monkeypatch):
    asked = []
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(tools.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(tools, "zig", lambda: None)
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(tools, "failure", lambda command: asked.append(command) or "xcode-select: error: no developer tools")
    tools.developer_tools.cache_clear()
    assert tools.compiler() is None and asked == [["xcode-select", "-p"]]
    monkeypatch.setattr(tools, "failure", lambda command: "")
    tools.developer_tools.cache_clear()
    assert tools.compiler() == ("/usr/bin/cc",)
    tools.developer_tools.cache_clear()


def test_ziglang_is_used_where_there_is_nothing_else(tmp_path, monkeypatch):
    import importlib.util

    spec = ModuleSpec("ziglang", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec if name == "ziglang" else None)
    monkeypatch.setattr(tools.shutil, "which", lambda name: None)
    monkeypatch.delenv("CC", raising=False)
    tools.zig.cache_clear()
    assert tools.compiler() is None
    (tmp_path / "zig").write_text("", encoding="utf-8")
    tools.zig.cache_clear()
    assert tools.compiler() == (str(tmp_path / "zig"), "cc")
    monkeypatch.setenv("CC", "")  # no compiler is wanted
    assert tools.compiler() is None
    tools.zig.cache_clear()


# -- names of layers ---------------------------------------------------------------------------------------------------

HARM = '__attribute__((constructor)) void at(void) { fopen("harm", "w"); }'


@needs_compiler
@pytest.mark.parametrize("name", [f"*/ {HARM} /*", f"x\\\n{HARM}", "??/", '"; }', "größe", "if", "0"], ids=range(7))
def test_no_name_of_a_layer_is_more_than_a_word(folder, monkeypatch, name):
    monkeypatch.chdir(folder.parent)
    try:
        model = lg.sequential(lg.input(4), lg.dense(3, name=name), lg.dense(2))
    except lg.LensgradError:
        return
    run = lg.supervised(model, lg.mse, lg.sgd(0.1)).fit((np.ones((4, 4), "f4"), np.ones((4, 2), "f4")), backend="native", progress=False)
    assert run.ran_on == "native" and not (folder.parent / "harm").exists()
