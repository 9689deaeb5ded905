"""What runs a program, where that is left open: decided once, from the program and from how often it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from lensgrad.backends.engine import Auto, Backend, Native, named, native
from lensgrad.backends.engine import backend as engine
from lensgrad.core.errors import NoRule, listed
from lensgrad.program.compile import Program

LONG = 0.5  # seconds of compiling that are worth a word


@dataclass(frozen=True)
class Choice:
    """What runs a program, what that is called, and a sentence worth saying, if there is one."""

    backend: str | Backend
    name: str
    told: str = ""


Make = Callable[[str | Backend], Program]
Ready = Callable[[Program], object]  # makes a program ready to run


def nothing(seconds: float) -> None:
    """What is done before compiling, unless something is."""


def chosen(
    asked: str | Backend, make: Make, times: float, ready: Ready, before: str = "", begun: Callable[[float], None] = nothing
) -> Choice:
    """The backend for a program that runs so many times; `make(backend)` is the program on one.

    "auto" is C where a compiler is found, the program can be said in C, and NumPy would take longer than twice what compiling takes,
    both by an estimate from the program and its number of runs alone. `before` is what a run that goes on ran on: it stays with that
    where it can. `begun` is called before anything is compiled, with about how many seconds that takes.
    """
    runs = engine(asked)
    if not isinstance(runs, Native):
        return Choice(asked, named(runs))
    f = make(asked)
    if not isinstance(runs, Auto):
        return in_c(Choice(asked, "native"), make, f, ready, begun)
    compiled = Choice("native" if asked == "auto" else runs.compiled, "native")
    if f.circuits:
        return compiled
    plain = Choice(asked, "numpy")
    if not wanted(f, times, before):
        return plain
    try:
        return in_c(compiled, make, f, ready, begun)
    except NoRule as wrong:
        return Choice(asked, "numpy", f"{wrong}; this runs in NumPy")


def wanted(f: Program, times: float, before: str) -> bool:
    """Whether a program should run in C."""
    choice = native("choice")
    if before in ("native", "numpy") and choice.when() == "auto":
        return before == "native"
    return choice.worth(f.seconds, times)


def in_c(choice: Choice, make: Make, f: Program, ready: Ready, begun: Callable[[float], None]) -> Choice:
    """A choice of C, with the program ready to run; NumPy where generators are a user's own and mean nothing in C."""
    runs = engine(choice.backend)
    strange: list[str] = native("choice").foreign(f.diagram, runs.table, runs.own) if isinstance(runs, Native) else []
    if strange:
        told = f"{listed(strange)} has a meaning in NumPy only, so this runs in NumPy: backend.in_c(…) gives it one in C"
        return Choice(choice.backend, "numpy", told)
    begun(f.seconds[1])
    began = perf_counter()
    made = ready(make(choice.backend))
    seconds, threads = perf_counter() - began, getattr(made, "threads", 1)
    told = f"the step runs as C on {threads} thread{'s' * (threads > 1)}"
    return Choice(choice.backend, "native", f"{told}, compiled in {seconds:.1f} s" if seconds > LONG else told)


def suited(asked: str | Backend, make: Make, times: float) -> str | Backend:
    """The backend for a program that is called so many times: where C is not asked for, what `chosen` says, and no word of it."""
    return chosen(asked, make, times, lambda p: p.function).backend if isinstance(engine(asked), Auto) else asked


__all__ = ["Choice", "chosen", "suited"]
