"""What the tests of exported C share: compile a file as C99 without a single warning, and call what is in it."""

import ctypes
import hashlib
import subprocess

import numpy as np
import pytest

from lensgrad.backends.loop import Loop
from lensgrad.backends.native.compiler import compiler
from lensgrad.backends.native.portable import Called, portable

STRICT = ("-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror")
INCLUDES = "#include <stdint.h>\n#include <string.h>\n\n"
needs_compiler = pytest.mark.skipif(compiler() is None, reason="no C compiler is found")


def compiled(source, to, *flags, command=None):
    """Compile a file; what the compiler says to it ends the test."""
    done = subprocess.run([*(command or compiler()), *STRICT, *flags, str(source), "-o", str(to)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:2000]
    return to


def printed(f):
    """An arrow as a function in C99 of all its inputs."""
    loop = Loop((), tuple(range(len(f.dom))), (len(f.dom), len(f.cod)))
    return portable(f, loop, Called("step", tuple(f"x{k}" for k in range(len(f.dom))), tuple(f"y{k}" for k in range(len(f.cod)))))


def library(text, folder, *flags):
    """A text as a library, under a name of its own."""
    source = folder / f"f{hashlib.sha256(text.encode()).hexdigest()[:16]}.c"
    source.write_text(INCLUDES + text + "\n", encoding="utf-8")
    return ctypes.CDLL(str(compiled(source, source.with_suffix(".so"), "-shared", "-fPIC", *flags)))


def called(made, run, xs):
    """The results of one call."""
    memory = np.zeros(made.memory // 8 + 1)
    given = [np.ascontiguousarray(x).astype(np.bool_ if i.dtype == "bool" else i.dtype) for x, i in zip(xs, made.rows, strict=True)]
    found = [np.empty(i.shape, np.bool_ if i.dtype == "bool" else i.dtype) for i in made.seen]
    run.restype = None
    run(*(ctypes.c_void_p(a.ctypes.data) for a in (memory, *given, *found)))
    return found


def in_c99(f, xs, folder, *flags):
    """The results of an arrow in C99."""
    made = printed(f)
    return called(made, library(made.text, folder, *flags).step, xs)
