"""The machine's C compiler, and the lanes, which are compiled once for each machine and kept in the user's cache folder."""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from lensgrad.core.folders import code_folder, trusted

SOURCE = Path(__file__).with_name("lanes") / "lanes.c"
# Who asks for it in CC would lose NaN, and with it the guard, and small numbers in all of the process, NumPy's too.
NO_FAST_MATH = ("-fno-fast-math", "-fno-unsafe-math-optimizations")
FLAGS = ("-O3", *NO_FAST_MATH, "-march=native", "-ffp-contract=off", "-shared", "-fPIC")
COMPILERS = ("cc", "gcc", "clang")
PATIENCE = 120  # seconds for a compiler
SEAL = hashlib.sha256().digest_size
SEALS = sys.platform != "darwin"  # whose files are signed, and nothing may stand behind the signature
STUBS = "/usr/bin/"  # where macOS has programs that ask to install the compilers they stand for


Command = tuple[str, ...]  # a compiler with options of its own, as in CC="ccache gcc"


def compiler() -> Command | None:
    """The C compiler: that of the environment variable CC, else the first of the usual names on the path, else that of ziglang.

    None without one. CC="" says that there is none.
    """
    named = os.environ.get("CC")
    commands = [(name,) for name in COMPILERS] if named is None else [tuple(words(named))]
    found = ((path, *command[1:]) for command in commands if command and (path := shutil.which(command[0])))
    return next(filter(usable, found), zig() if named is None else None)


def usable(found: Command) -> bool:
    """Whether a program compiles, rather than opening a dialog that offers to install what does."""
    return sys.platform != "darwin" or not found[0].startswith(STUBS) or developer_tools()


@cache
def developer_tools() -> bool:
    """Whether macOS has its compilers: it answers this without a dialog."""
    return not failure(["xcode-select", "-p"])


@cache
def zig() -> Command | None:
    """The compiler in the package ziglang, where that is installed."""
    from importlib.util import find_spec

    found = find_spec("ziglang")
    places = [] if found is None else [Path(p) for p in found.submodule_search_locations or ()]
    files = (place / name for place in places for name in ("zig", "zig.exe"))
    return next(((str(file), "cc") for file in files if file.is_file()), None)


def words(named: str) -> list[str]:
    """A command as a shell reads it, or as one path where it is one, with spaces."""
    try:
        return [named] if shutil.which(named) else shlex.split(named)
    except ValueError:  # an open quote
        return []


def failure(command: Sequence[str]) -> str:
    """What a program says that fails, or why it does not run; nothing where all is well."""
    return failures([command])[0]


def failures(commands: Sequence[Sequence[str]]) -> list[str]:
    """The same of programs that run side by side. An error on the way, such as Ctrl-C, ends them."""
    running: list[subprocess.Popen[str] | str] = []
    try:
        running += map(begun, commands)
        return [ended(process) for process in running]
    finally:
        for process in running:
            stopped(process)


def begun(command: Sequence[str]) -> subprocess.Popen[str] | str:
    """A program that runs, or why it does not. It leads a group, as compilers have others work for them."""
    null, group = subprocess.DEVNULL, -1 if sys.platform == "win32" else 0
    try:
        return subprocess.Popen(command, stdin=null, stdout=null, stderr=subprocess.PIPE, text=True, errors="replace", process_group=group)
    except (OSError, ValueError) as wrong:
        return str(wrong) or type(wrong).__name__


def ended(process: subprocess.Popen[str] | str) -> str:
    """What a program said that failed; nothing where all went well."""
    if isinstance(process, str):
        return process
    try:
        _, said = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return f"it has not ended after {PATIENCE} seconds"
    return "" if process.returncode == 0 else said.strip() or f"it ended with {process.returncode}"


def stopped(process: subprocess.Popen[str] | str) -> None:
    """End a program that still runs, and those that work for it: first so that they can tidy up."""
    if isinstance(process, str):
        return
    with process:
        for sign in ("SIGTERM", "SIGKILL") if process.poll() is None else ():
            with suppress(OSError, subprocess.TimeoutExpired):
                process.kill() if sys.platform == "win32" else os.killpg(process.pid, getattr(signal, sign))
                process.wait(0.1)
                break


def library(lane: str) -> Any:
    """The functions of one kind of lane, compiled at first use; None where no compiler makes them."""
    found = compiler()
    return None if found is None else loaded(lane, found, code_folder())


@cache
def loaded(lane: str, found: Command, folder: Path) -> Any:
    """The functions in the file that is kept; one that is damaged, or that others could have written, is built once more."""
    path = folder / f"lanes-{lane.lower()}-{digest(lane, found)}.so"
    kept = opened(str(path)) if sound(path) else None
    # The system gives the library that it has under a name, so the new one goes by another.
    return opened(f"{path.parent}/./{path.name}") if kept is None and built(lane, found, path) and trusted(path) else kept


def opened(path: str) -> Any:
    """The functions of a compiled file; None where it is no library, or not one of lanes."""
    try:
        return declared(ctypes.CDLL(path))
    except (OSError, AttributeError):
        return None


def digest(lane: str, found: Command) -> str:
    """What a compiled file depends on: its source, the compiler, and the processor that it is for."""
    return keyed(found, [SOURCE.read_bytes(), lane, " ".join(FLAGS)])


def keyed(found: Command, parts: Sequence[bytes | str]) -> str:
    """A name for what a compiler makes of some texts on this machine."""
    whole = [*parts, " ".join(found), version(found), platform.machine(), processor()]
    return hashlib.sha256(b"\0".join(p if isinstance(p, bytes) else p.encode() for p in whole)).hexdigest()[:16]


@cache
def version(found: Command) -> str:
    try:
        return subprocess.run([*found, "--version"], capture_output=True, text=True, timeout=PATIENCE, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return ""


@cache
def processor() -> str:
    """What this processor can do, as Linux tells it; elsewhere its name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line for line in lines if line.startswith(("flags", "Features"))), platform.processor())


def built(lane: str, found: Command, path: Path) -> bool:
    """Compile the lanes; whether that went well."""
    try:
        made(path, lambda to: failure([*found, *FLAGS, f"-D{lane}", "-o", str(to), str(SOURCE)]))
    except (OSError, NotCompiled):
        return False
    return True


class NotCompiled(Exception):
    """What a compiler said that made nothing."""


def made(path: Path, make: Callable[[Path], str]) -> None:
    """Make a file beside its place and rename it, so that nobody ever loads half a file; `make(to)` says what went wrong."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as beside:
        to = Path(beside) / path.name
        wrong = make(to)
        if wrong:
            raise NotCompiled(wrong)
        sealed(to)
        to.chmod(0o700)
        os.replace(to, path)


def sealed(path: Path) -> None:
    """Write behind what a file has the digest of it, which no system looks at that loads the file."""
    if SEALS:
        whole = path.read_bytes()
        with path.open("ab") as file:
            file.write(hashlib.sha256(whole).digest())


def sound(path: Path) -> bool:
    """Whether a file is one that only this user can have written, and as it was made: to load half a file ends the process."""
    if not trusted(path):
        return False
    try:
        whole = path.read_bytes()
    except OSError:
        return False
    return not SEALS or hashlib.sha256(whole[:-SEAL]).digest() == whole[-SEAL:]


class Job(ctypes.Structure):
    """The struct of the same name in the source; `top` stands for a number of any lane, as its bytes."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("runs", "code")),
        ("run_count", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("slots", "shared", "inputs", "outputs", "input_steps", "output_steps", "totals", "peak")),
        *((name, ctypes.c_int64) for name in ("start", "stop", "width", "top")),
    ]


def declared(made: Any) -> Any:
    """The library with the types of its functions."""
    pointer, number = ctypes.c_void_p, ctypes.c_int64
    made.lanes_run.argtypes = [pointer]
    made.lanes_allocate.argtypes, made.lanes_allocate.restype = [pointer, pointer, number, number, number], number
    if hasattr(made, "lanes_pack"):
        made.lanes_pack.argtypes, made.lanes_pack.restype = [pointer, number, number, pointer, number], None
        made.lanes_unpack.argtypes, made.lanes_unpack.restype = [pointer, number, number, number, pointer], None
    return made
