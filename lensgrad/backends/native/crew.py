"""Threads that run a program together: those of this process, which begin when first needed and wait for work."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any

import numpy as np

from lensgrad.core import checks
from lensgrad.core.errors import BadValue

QUOTA = Path("/sys/fs/cgroup/cpu.max")  # how much of the processors a container may use
ENDED = 32  # where the gate of a program says that somebody will not come

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


@dataclass
class Part:
    """One thread's part of a call, and a lock that is held until it is done. What is `held` lives as long."""

    call: Call
    args: tuple[Any, ...]
    held: Any
    done: Any = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self.done.acquire()

    def run(self) -> None:
        try:
            self.call(*self.args)
        finally:
            self.done.release()


class Crew:
    """The threads beside those that call. One call has all of them at a time; another one goes alone meanwhile."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Begin without threads: at first, and in a process that was forked, which has none of those that were."""
        self.lock = Lock()
        self.queues: list[SimpleQueue[Part]] = []

    def run(self, call: Call, args: tuple[Any, ...], of: int, gate: np.ndarray[Any, Any], held: Any) -> None:
        """`call(*args, id, of, gate)` for each id below `of`, or below what there are.

        An error, such as Ctrl-C, may leave others at work: what is `held` is not to be used again then.
        """
        place = gate.ctypes.data
        if of == 1 or not self.lock.acquire(blocking=False):
            call(*args, 0, 1, place)
            return
        try:
            queues = self.hired(of - 1)
            of = len(queues) + 1
            parts = [Part(call, (*args, k, of, place), held) for k in range(1, of)]
            together(lambda: call(*args, 0, of, place), parts, queues, gate)
        finally:
            self.lock.release()

    def hired(self, n: int) -> list[SimpleQueue[Part]]:
        """The queues of so many threads, or of as many as the system lets begin."""
        while len(self.queues) < n:
            queue: SimpleQueue[Part] = SimpleQueue()
            try:
                Thread(target=work, args=(queue,), name="lensgrad", daemon=True).start()
            except RuntimeError:
                break
            self.queues.append(queue)
        return self.queues[:n]


def together(own: Call, parts: list[Part], queues: list[SimpleQueue[Part]], gate: np.ndarray[Any, Any]) -> None:
    """Give the other threads their parts, and do one's own. An error on the way tells the others not to wait."""
    try:
        for part, queue in zip(parts, queues, strict=True):
            queue.put(part)
        own()
        for part in parts:
            part.done.acquire()
    except BaseException:
        gate[ENDED] = 1
        raise


def work(queue: SimpleQueue[Part]) -> None:
    """What a thread does all its life."""
    while True:
        part = queue.get()
        part.run()
        del part  # and the memory that it held


CREW = Crew()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=CREW.begin)
