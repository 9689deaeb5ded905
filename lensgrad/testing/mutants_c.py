"""Mutation testing of what generators mean in C: every wrong version of every meaning must give other numbers than NumPy, or no program.

`python -m lensgrad.testing.mutants_c` prints a line for each function; names of functions as arguments choose some. It needs a C
compiler and a system that can fork: a wrong program runs in a process of its own, since it may write anywhere and never end.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any

import numpy as np

from lensgrad.backends import numpy as reference
from lensgrad.backends.loop import Loop
from lensgrad.backends.native import loops, running
from lensgrad.backends.native.assemble import Assembled, assembled
from lensgrad.backends.native.compiler import compiler
from lensgrad.backends.native.flat import TYPES
from lensgrad.backends.native.meanings import entries, moves, sums, sweeps, windows
from lensgrad.backends.native.meanings.table import NATIVE
from lensgrad.backends.table import Hole, Meanings
from lensgrad.core.diagram import Diagram
from lensgrad.core.op import Op
from lensgrad.testing.case import Facts
from lensgrad.testing.cases import cases_of, generators, named
from lensgrad.testing.equivalent_c import EQUIVALENT
from lensgrad.testing.meaning import AGREE, dtypes
from lensgrad.testing.mutants import Verdict, row
from lensgrad.testing.mutations import installed, mutants
from lensgrad.testing.report import distance
from lensgrad.theories.smooth.scan import with_outs

MODULES = (entries, loops, moves, sums, sweeps, windows)
SECONDS = 20  # after which a wrong program is running forever
QUICK = ("-std=gnu11", "-O0", "-w", "-shared", "-fPIC")
SWAPS = {" + ": " - ", " - ": " + ", " * ": " / ", " / ": " * ", " & ": " | ", " | ": " & ", " >> ": " << ", "!": "", "-": ""}
NAMES = sorted({text.split("_{t}")[0].split()[-1] for text in NATIVE.values() if isinstance(text, str) and "_{t}" in text})


@dataclass
class Bench:
    """All cases of one generator as one program, its inputs, and what NumPy gives."""

    cls: type[Op]
    flags: tuple[str, ...] = ()

    @cached_property
    def facts(self) -> list[tuple[Diagram, list[Any]]]:
        tried = [(f, xs) for case in cases_of(self.cls) for _, f, xs in dtypes(Facts(case))]
        kept = [(f, xs) for f, xs in tried if all(getattr(a, "dtype", "uint32") in TYPES for a in (*f.dom, *f.cod))]
        return [*kept, *((with_outs(f, f.outs[:1]), xs) for f, xs in kept if len(f.outs) > 1)]

    @cached_property
    def whole(self) -> Diagram:
        return Diagram.tensor(*(f for f, _ in self.facts))

    @cached_property
    def loop(self) -> Loop:
        return Loop((), tuple(range(len(self.whole.dom))), (len(self.whole.dom), len(self.whole.cod)))

    @cached_property
    def wanted(self) -> list[Any]:
        with np.errstate(all="ignore"):
            return [np.asarray(y) for f, xs in self.facts for y in reference.function(f)(*xs)]

    @cached_property
    def right(self) -> Assembled:
        return self.made()

    def made(self, table: Meanings = NATIVE) -> Assembled:
        return assembled(self.whole, self.loop, table)

    def text(self, made: Assembled) -> str:
        return made.text

    def same(self, made: Assembled, library: Any) -> bool:
        """Whether a program gives what NumPy does. Run it in a process of its own."""

        def given(*_: object) -> tuple[Assembled, Any]:
            return made, library.run

        module: Any = running  # whose programs are this one and no other, in this process
        module.step = given
        steps = running.Steps(self.whole, self.loop, threads=1)
        _, seen = steps.run([], [], [np.asarray(x)[None] for _, xs in self.facts for x in xs], 1)
        most = [max((AGREE.get(getattr(a, "dtype", ""), 0.0) for a in (*f.dom, *f.cod)), default=0.0) for f, _ in self.facts for _ in f.cod]
        return all(distance(y[0], w) <= t for y, w, t in zip(seen, self.wanted, most, strict=True))


@dataclass
class Subject:
    """A function of the meanings or passes, and the programs that call it."""

    function: FunctionType
    users: list[Any] = field(default_factory=list[Any])

    @property
    def name(self) -> str:
        return f"{self.function.__module__.rsplit('.', 1)[-1]}.{self.function.__qualname__}"


def functions(modules: Sequence[ModuleType] = MODULES) -> dict[CodeType, FunctionType]:
    """All functions and methods of the meanings, or of other modules."""
    found: dict[CodeType, FunctionType] = {}
    for module in modules:
        for value in vars(module).values():
            if getattr(value, "__module__", "") == module.__name__:
                for member in [value, *vars(value).values()] if isinstance(value, type) else [value]:
                    plain = member.fget if isinstance(member, property) else member
                    if isinstance(plain, FunctionType) and plain.__code__.co_filename == module.__file__:
                        found[plain.__code__] = plain
    return found


def subjects(tried: Sequence[Any] = (), modules: Sequence[ModuleType] = MODULES) -> list[Subject]:
    """Every function that writes C for a case, with the generators that it writes for; or for other programs."""
    known = functions(modules)
    found: dict[CodeType, Subject] = {}
    for bench in tried or benches():
        called: set[CodeType] = set()

        def noted(frame: FrameType, event: str, _: Any, called: set[CodeType] = called) -> None:
            if event == "call" and frame.f_code in known:
                called.add(frame.f_code)

        sys.setprofile(noted)
        try:
            bench.made()
        finally:
            sys.setprofile(None)
        for code in called:
            found.setdefault(code, Subject(known[code])).users.append(bench)
    return sorted(found.values(), key=lambda s: s.name)


def benches() -> list[Bench]:
    """The generators that have a meaning in C, each with its cases."""
    meant = [c for c in generators() if not isinstance(NATIVE.get(c, Hole("")), Hole)]
    return [b for b in map(Bench, meant) if b.facts]


def judge(name: str, benches: Sequence[Any], table: Meanings = NATIVE, equal: Mapping[str, str] = EQUIVALENT) -> Verdict:
    """What becomes of the meanings as they are now, or of another table, at these generators."""
    changed = False
    for bench in benches:
        try:
            made = bench.made(table)
        except Exception:
            return Verdict(name, "caught")
        if made != bench.right:
            changed = True
            if not passes(bench, made):
                return Verdict(name, "caught")
    if not changed:
        return Verdict(name, "equal", "the same programs on all cases")
    return Verdict(name, "equal", equal[name]) if name in equal else Verdict(name, "survived")


def passes(bench: Any, made: Assembled) -> bool:
    """Whether a program compiles, ends and gives what NumPy does."""
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder) / "step.c", Path(folder) / "step.so"
        source.write_text(bench.text(made), encoding="utf-8")
        command = [*(compiler() or ("cc",)), *QUICK, *bench.flags, "-o", str(library), str(source), "-lm"]
        if subprocess.run(command, capture_output=True, check=False, timeout=120).returncode:
            return False
        _ = bench.wanted  # before there is another process
        child = os.fork()
        if child:
            return os.waitpid(child, 0)[1] == 0
        wrong = 1
        try:
            signal.alarm(SECONDS)
            opened = ctypes.CDLL(str(library))
            opened.run.argtypes = [ctypes.c_void_p] * 3 + [ctypes.c_int64, ctypes.c_int, ctypes.c_int, ctypes.c_void_p]
            wrong = int(not bench.same(made, opened))
        finally:
            os._exit(wrong)


def wrong_texts(text: str) -> Iterator[str]:
    """The wrong versions of a formula: arguments exchanged, another operation, another function, one argument alone."""
    if "{1}" in text:
        yield text.replace("{0}", "{9}").replace("{1}", "{0}").replace("{9}", "{1}")
        yield from ("{0}", "{1}")
    for a, b in SWAPS.items():
        if text.startswith(a) if len(a) == 1 else a in text:
            yield text.replace(a, b, 1)
    word = text.split("_{t}")[0].split()[-1]
    if word in NAMES:
        yield text.replace(word, NAMES[(NAMES.index(word) + 1) % len(NAMES)])


def verdicts(names: Sequence[str] = ()) -> Iterator[tuple[str, list[Verdict]]]:
    """Judge all wrong versions of all functions and formulas, or of those with these names."""
    for subject in subjects():
        if not names or any(n in subject.name.split(".") for n in names):
            yield subject.name, list(of_function(subject))
    for bench in benches():
        if not names or named(bench.cls).rsplit(".", 1)[-1] in names:
            found = [judge(name, [bench], table) for name, table in of_formula(bench)]
            if found:
                yield named(bench.cls), found


def of_formula(bench: Bench) -> Iterator[tuple[str, Meanings]]:
    """Tables with a wrong version of the formula of a generator, if it has one."""
    text = NATIVE[bench.cls]
    for new in wrong_texts(text) if isinstance(text, str) else ():
        yield f"{named(bench.cls)}: {text} → {new}", NATIVE.extended({bench.cls: new})


def of_function(subject: Subject) -> Iterator[Verdict]:
    for bench in subject.users:
        _ = bench.right
    function: Any = subject.function  # said so, a type checker would bind it as a method
    for mutant in mutants(function):
        with installed(mutant):
            yield judge(f"{subject.name}: {mutant.change}", subject.users)


def main(names: Sequence[str] = ()) -> int:
    """Print the table; the exit code is 1 when a mutant survived."""
    return printed(verdicts(names), EQUIVALENT, "meaning")


def printed(judged: Iterable[tuple[str, list[Verdict]]], equal: Mapping[str, str], what: str) -> int:
    """Print a line for each part, those that survived, and why those that were no mistakes are none; 1 when one survived, or when a
    reason is given for what is caught."""
    total, kinds, idle = [0, 0, 0, 0], ("caught", "equal", "survived"), 0
    print(f"{what:40} mutants  caught  equal  survived")
    for name, found in judged:
        counts = [len(found), *(sum(v.outcome == k for v in found) for k in kinds)]
        total = [a + b for a, b in zip(total, counts, strict=True)]
        print(row(name, counts), flush=True)
        for v in found:
            needless = v.name in equal and v.reason != equal[v.name]
            idle += needless
            if v.outcome == "survived" or v.name in equal:
                print(f"    {'needless' if needless else v.outcome:9} {v.name}  {equal.get(v.name, '')}".rstrip())
    print(row("total", total))
    return int(total[3] + idle > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
