"""Threads that run a program together: those of this process, which begin when first needed and wait for work in C."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

import numpy as np

from lensgrad.backends.native.library import program
from lensgrad.core import checks
from lensgrad.core.errors import BadValue, NoRule

QUOTA = Path("/sys/fs/cgroup/cpu.max")  # how much of the processors a container may use
CREW_C = Path(__file__).with_name("crew.c")
ROOM = 1024  # bytes of a board, on which crew.c says what is to be done
BEGIN, SERVE, LEAD = range(3)  # what it is asked for
PATIENCE = 1.0  # seconds for a thread to come

Call = Callable[..., None]


def threads() -> int:
    """How many threads a program may run on: LENSGRAD_THREADS, or the processors that this process may use."""
    given = os.environ.get("LENSGRAD_THREADS")
    if not given:
        return processors()
    if not given.strip().isdecimal() or not 0 < int(given) <= 1024:
        raise BadValue(f"LENSGRAD_THREADS must be a whole number from 1 to 1024, got '{checks.clean(given)}'")
    return int(given)


def processors() -> int:
    """The processors that this process may use: those it is bound to, and no more than its container may."""
    found = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        allowed, period = QUOTA.read_text(encoding="utf-8").split()
        return max(1, min(found, int(allowed) // int(period)))
    except (OSError, ValueError):  # no container, or one without a limit
        return found


@cache
def crew() -> Call | None:
    """What threads wait in; None where nothing compiles it."""
    try:
        return program(CREW_C.read_text(encoding="utf-8"))
    except NoRule:
        return None


class Crew:
    """The threads beside those that call. One call has all of them at a time; another one goes alone meanwhile."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Begin without threads: at first, and in a process that was forked, which has none of those that were."""
        self.lock = Lock()
        self.asked = 0  # threads that were begun
        self.board = np.zeros(ROOM // 8, np.int64)
        self.place = self.board.ctypes.data
        self.ready = False

    def run(self, call: Any, places: Sequence[int], n: int, of: int, gate: int) -> None:
        """`call(*places, n, id, of, gate)`, a function in C, for each id below `of`, or below what threads there are."""
        there = crew() if of > 1 else None
        if there is None or not self.lock.acquire(blocking=False):
            call(*places, n, 0, 1, gate)
            return
        try:
            if self.asked < of - 1:
                self.hire(there, of - 1)
            given = (ctypes.c_void_p * len(places))(*places)
            there(self.place, ctypes.addressof(given), ctypes.cast(call, ctypes.c_void_p), n, LEAD, of, gate)
        finally:
            self.lock.release()

    def hire(self, there: Call, n: int) -> None:
        """Begin so many threads, or as many as the system lets begin, and wait until they are there: each counts itself."""
        if not self.ready:
            there(self.place, None, None, 0, BEGIN, 0, None)
            self.ready = True
        while self.asked < n:
            self.asked += 1
            came = Event()
            try:
                Thread(target=serve, args=(there, self.board, came), name="lensgrad", daemon=True).start()
            except RuntimeError:
                return
            came.wait(PATIENCE)


def serve(there: Call, board: np.ndarray[Any, Any], came: Event) -> None:
    """What a thread does all its life."""
    came.set()
    there(board.ctypes.data, None, None, 0, SERVE, 0, None)


CREW = Crew()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=CREW.begin)
