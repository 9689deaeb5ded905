"""Programs in C as functions: compiled once, kept in the user's cache, and loaded from there by whoever needs the same again."""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from lensgrad.backends.loop import Loop
from lensgrad.backends.native import spelled
from lensgrad.backends.native.assemble import Assembled, assembled
from lensgrad.backends.native.compiler import NO_FAST_MATH, Command, NotCompiled, compiler, failure, failures, keyed, made, sound, version
from lensgrad.backends.native.meanings.table import NATIVE
from lensgrad.backends.table import Meanings
from lensgrad.core import checks
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import NoRule, warn
from lensgrad.core.folders import code_folder, private

Run = Callable[..., None]  # run(memory, rows, seen, n, id, of, gate)
ROOM = 500 << 20  # bytes of compiled programs that are kept
COMMON = (
    "-std=gnu11",
    "-O3",
    *NO_FAST_MATH,
    "-fno-math-errno",
    "-fno-trapping-math",
    "-fno-signed-zeros",
    "-fassociative-math",
    "-ffp-contract=fast",
    "-shared",
    "-fPIC",
    "-w",
)
LARGE = ("-O2", "-ftree-vectorize", "-fvect-cost-model=dynamic")  # what pays in a long text is the same, in half the time
GCC = ("-fno-thread-jumps", "-fno-split-paths")  # both take loops apart before they become vectors
X86 = ("-march=native", "-mprefer-vector-width=512")
ARM = ("-mcpu=native",)
MACHINES = {"x86_64": X86, "amd64": X86, "i686": X86, "arm64": ARM, "aarch64": ARM}
NO_COMPILER = "no C compiler is found here: install gcc or clang, or 'lensgrad[native]', which brings one"


def flags(found: Command) -> tuple[str, ...]:
    """What this compiler is told on this machine."""
    own = () if "clang" in version(found).lower() else GCC
    return (*COMMON, *MACHINES.get(platform.machine().lower(), ()), *own)


def step(f: Diagram, loop: Loop, table: Meanings = NATIVE, fuse: bool = True) -> tuple[Assembled, Run]:
    """A step in a loop as a function, and what its caller has to know; `NoRule` where nothing compiles it.

    What was compiled before is found by the program itself, and not written as C again.
    """
    name = spelled.program(f, loop, fuse) if table == NATIVE else None
    if name is None:
        made = assembled(f, loop, table, fuse)
        return made, program(made.text)
    run = kept(name, lambda: noted(assembled(f, loop, table, fuse)))
    return Assembled.told(ctypes.c_char_p.in_dll(run.library, "about").value or b"[]"), run.call


def noted(made: Assembled) -> str:
    """The text of a program that says of itself what its callers have to know."""
    about = made.about.replace('"', '\\"')
    text, half, _ = made.text.rpartition("#endif") if made.text.endswith("#endif") else (made.text, "", "")
    return f'{text}\nconst char *const about = "{about}";\n{half}\n'


def missing() -> str:
    """That there is no compiler, and what to do."""
    named = os.environ.get("CC")
    if named is None:
        return NO_COMPILER
    if not named.strip():
        return "CC is empty, which says that there is no C compiler: unset it, or name one in it"
    return f"CC names no C compiler that is found here, but '{checks.clean(named)}': correct it, or unset it"


def program(text: str) -> Run:
    """The function `run` of a text in C; `NoRule` where nothing compiles it."""
    return kept(text, lambda: text).call


def kept(name: str, write: Callable[[], str]) -> Opened:
    """The compiled form of a text, which is written where there is none under its name."""
    found = compiler()
    if found is None:
        raise NoRule(missing())
    told = flags(found)
    return loaded(Source(write, f"step-{keyed(found, [name, ' '.join(told)])}.so"), found, told, code_folder())


@dataclass(frozen=True)
class Source:
    """How to write a text, beside the name that is made of it."""

    write: Callable[[], str] = field(compare=False)
    name: str


@dataclass(frozen=True)
class Opened:
    """A compiled file, and its function."""

    library: Any
    call: Run


@cache
def loaded(source: Source, found: Command, told: tuple[str, ...], folder: Path) -> Opened:
    """The program in the file that is kept; one that is damaged, or that others could have written, is built once more."""
    path = folder / source.name
    there = opened(str(path)) if sound(path) else None
    if there is not None:
        touched(path)
        return there
    path = built(source.write(), found, told, path)
    # The system gives the library that it has under a name, so the new one goes by another.
    made = opened(f"{path.parent}/./{path.name}")
    if made is None:
        way = f"name another compiler in CC, or in LENSGRAD_CACHE a folder that programs are loaded from: {refusal(path)}"
        raise NoRule(f"what the C compiler '{found[0]}' made cannot be loaded, so {way}")
    return made


def opened(path: str) -> Opened | None:
    """A compiled file; None where it is no library, or another one."""
    try:
        library = ctypes.CDLL(path)
        run = library.run
    except (OSError, AttributeError):
        return None
    run.argtypes = [ctypes.c_void_p] * 3 + [ctypes.c_int64, ctypes.c_int, ctypes.c_int, ctypes.c_void_p]
    run.restype = None
    return Opened(library, run)


def refusal(path: Path) -> str:
    """Why the system does not load a file."""
    try:
        ctypes.CDLL(str(path))
    except OSError as wrong:
        return str(wrong)
    return "it has no function of this library"


def built(text: str, found: Command, told: tuple[str, ...], path: Path) -> Path:
    """Where the compiled text lies: in its place, or in a folder of this process where the cache takes nothing."""
    try:
        compiled(text, found, told, path)
    except OSError as wrong:
        warn(f"'{path.parent}' takes no compiled code ({wrong.strerror or wrong}): what is compiled now ends with this process")
        path = private() / path.name
        try:
            compiled(text, found, told, path)
        except OSError as again:
            raise NoRule(f"there is no place for compiled code, neither in the cache nor in '{path.parent}': {again}") from None
    tidy(path.parent)
    return path


def compiled(text: str, found: Command, told: tuple[str, ...], path: Path) -> None:
    """Compile a text to a file; an error with the compiler's words, and the text kept, where that fails."""

    def make(to: Path) -> str:
        source = to.with_suffix(".c")
        source.write_text(text, encoding="utf-8")
        wrong = halves(found, told, source, to) if "#if UNIT" in text else failure([*found, *told, "-o", str(to), str(source), "-lm"])
        return "" if to.is_file() and not wrong else wrong or "it made no file"

    try:
        made(path, make)
    except NotCompiled as wrong:
        if full(path.parent):
            raise OSError(f"no room is left on its disk: {first_line(wrong)}") from None
        kept = path.with_suffix(".c")
        kept.write_text(text, encoding="utf-8")
        raise NoRule(f"the C compiler '{found[0]}' does not compile '{kept}': {first_line(wrong)}") from None


def halves(found: Command, told: Sequence[str], source: Path, to: Path) -> str:
    """Compile the halves of a text at the same time, and join them; what went wrong."""
    quick = [*(t for t in told if t not in ("-O3", "-shared")), *(LARGE if set(GCC) <= set(told) else ("-O2",))]

    commands = [[*found, *quick, f"-DUNIT={unit}", "-c", "-o", f"{source}.{unit}.o", str(source)] for unit in (1, 2)]
    joined = [*found, *told, "-o", str(to), f"{source}.1.o", f"{source}.2.o", "-lm"]
    return next((wrong for wrong in failures(commands) if wrong), "") or failure(joined)


def full(folder: Path) -> bool:
    """Whether not even a small file fits into a folder any more: compilers say so in many ways."""
    place = folder / f"room-{os.getpid()}"
    try:
        place.write_bytes(bytes(1 << 16))
    except OSError:
        return True
    finally:
        place.unlink(missing_ok=True)
    return False


def first_line(wrong: Exception) -> str:
    """What a compiler says first of an error, or first at all."""
    lines = str(wrong).splitlines()
    return next((line for line in lines if "error" in line.lower()), lines[0] if lines else "it failed")[:300]


def touched(path: Path) -> None:
    """Note that a file was used."""
    with suppress(OSError):  # on a disk that is only read
        os.utime(path)


def tidy(folder: Path, room: int = ROOM) -> None:
    """Let go of the programs that were used least lately, where there are too many bytes of them."""
    about: list[tuple[float, int, Path]] = []
    for path in folder.glob("step-*"):
        try:
            found = path.stat()
            about.append((found.st_mtime, found.st_size, path))
        except OSError:  # another process was faster
            continue
    size = 0
    for _, bytes_, path in sorted(about, reverse=True):
        size += bytes_
        if size > room:
            try:
                path.unlink(missing_ok=True)
            except OSError:  # on Windows, one that is in use
                continue


def compiles() -> bool:
    """Whether there is a C compiler."""
    return compiler() is not None


__all__ = ["NO_COMPILER", "compiles", "program", "step"]
