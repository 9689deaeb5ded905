"""Ctrl-C: the first asks a run to stop after its step, the second stops at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterable, Iterator
from types import FrameType, TracebackType
from typing import Any, TypeVar

T = TypeVar("T")


class Stopped(Exception):
    """A run was asked to stop in the middle of something that can be left unfinished."""


class Interrupt:
    """While open, the first Ctrl-C sets `asked`, and the next one is a KeyboardInterrupt. In other threads it does nothing.

    A handler that ignores the signal, as for background jobs, stays.
    """

    def __init__(self) -> None:
        self.asked = False
        self.previous: Any = None
        self.open = False

    def __enter__(self) -> Interrupt:
        if threading.current_thread() is threading.main_thread():
            self.previous = signal.getsignal(signal.SIGINT)
            if self.previous not in (signal.SIG_IGN, None):
                signal.signal(signal.SIGINT, self.handle)
                self.open = True
        return self

    def handle(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        if self.open:
            signal.signal(signal.SIGINT, self.previous)
            self.open = False

    def watch(self, items: Iterable[T]) -> Iterator[T]:
        """The same items; `Stopped` as soon as somebody asks."""
        for item in items:
            if self.asked:
                raise Stopped
            yield item
