"""Calls of compiled programs: memory, arguments, threads."""

from __future__ import annotations

import ctypes
import hashlib
import os
import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from lensgrad.backends.loop import Loop
from lensgrad.backends.native.assemble import Assembled, assembled
from lensgrad.backends.numpy import host
from lensgrad.core.diagram import Diagram

FLAGS = (
    "-std=gnu11",
    "-O3",
    "-march=native",
    "-mprefer-vector-width=512",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-fno-signed-zeros",
    "-fassociative-math",
    "-ffp-contract=fast",
    "-fwrapv",
    "-fno-thread-jumps",
    "-fno-split-paths",
    "-shared",
    "-fPIC",
    "-w",
)


@cache
def compiled(text: str) -> Any:
    folder = Path(os.environ.get("LG_C", tempfile.mkdtemp()))
    key = hashlib.sha256((text + str(FLAGS)).encode()).hexdigest()[:16]
    source, made = folder / f"{key}.c", folder / f"{key}.so"
    if not made.exists():
        source.write_text(text, encoding="utf-8")
        subprocess.run(["gcc", *FLAGS, "-o", str(made), str(source), "-lm"], check=True)
    run = ctypes.CDLL(str(made)).run
    run.argtypes = [ctypes.c_void_p] * 3 + [ctypes.c_int64, ctypes.c_int, ctypes.c_int, ctypes.c_void_p]
    run.restype = None
    return run


def aligned(n: int) -> np.ndarray[Any, Any]:
    raw = np.zeros(n + 64, np.uint8)
    at = -raw.ctypes.data % 64
    return raw[at : at + n]


@dataclass
class Steps:
    """A step as the body of a loop in C."""

    f: Diagram
    loop: Loop
    most: int = 1024
    threads: int = 2

    def __post_init__(self) -> None:
        self.made: Assembled = assembled(self.f, self.loop)
        self.call = compiled(self.made.text)
        self.memory = aligned(self.made.memory)
        self.gate = np.zeros(64, np.int32)
        self.pool = ThreadPoolExecutor(1)

    def run(self, states: Sequence[Any], fixed: Sequence[Any], rows: Sequence[Any], n: int) -> tuple[list[Any], list[Any]]:
        made, m = self.made, self.memory
        for slot, x in zip((*made.states, *made.fixed), (*states, *fixed), strict=True):
            m[slot.offset : slot.offset + slot.bytes] = np.ascontiguousarray(x).reshape(-1).view(np.uint8)
        given = [np.ascontiguousarray(r) for r in rows]
        seen = []
        for o in self.loop.seen:
            shape, kind = host(self.f.cod[o])
            seen.append(np.empty((n, *shape), kind))
        a = (ctypes.c_void_p * max(1, len(given)))(*(g.ctypes.data for g in given))
        b = (ctypes.c_void_p * max(1, len(seen)))(*(s.ctypes.data for s in seen))
        of = self.threads if made.parallel else 1
        args = (m.ctypes.data, ctypes.addressof(a), ctypes.addressof(b), n)
        others = [self.pool.submit(self.call, *args, k, of, self.gate.ctypes.data) for k in range(1, of)]
        self.call(*args, 0, of, self.gate.ctypes.data)
        for o in others:
            o.result()
        after = []
        for slot, x in zip(made.states, states, strict=True):
            x = np.asarray(x)
            after.append(m[slot.offset : slot.offset + slot.bytes].view(x.dtype).reshape(x.shape).copy())
        return after, seen
