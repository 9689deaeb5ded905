"""Mutation testing of the passes of the C backend: every wrong version must give other numbers than NumPy, or no program.

Wrong are the functions that write C, in their expressions and in the text that they write; the functions in C that they call; and one
sign at a time in the matrices of squares. `python -m lensgrad.testing.mutants_passes` prints a line for each; names of functions as
arguments choose some. It needs a C compiler and a system that can fork.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from lensgrad.backends.native import assemble, blocks, dots, panels, softmax, square_sums, squares, toom, triangles
from lensgrad.backends.native.assemble import Assembled
from lensgrad.backends.native.meanings.table import NATIVE
from lensgrad.backends.table import Meanings
from lensgrad.testing import mutants_c
from lensgrad.testing.equivalent_passes import EQUIVALENT
from lensgrad.testing.mutants import Verdict
from lensgrad.testing.mutants_c import Subject, judge, printed
from lensgrad.testing.mutations import installed
from lensgrad.testing.mutations_c import short, writing, wrong_texts
from lensgrad.testing.passes_c import Pass, programs

MODULES = (blocks, dots, panels, softmax, square_sums, squares, toom, triangles, assemble)
READING = ("Assembly.found", "Assembly.copied")  # of how a step is put together, what reads rows where they lie
KERNELS = (("prelude.h", "MATRIX"), ("prelude.h", "DOTS"), ("prelude.h", "LOWER"), ("data.h", ""))
SECONDS = 5  # after which a wrong program is running forever
Judged = tuple[str, list[Verdict]]


@dataclass
class Other:
    """A program with another text, which was written elsewhere."""

    of: Pass
    before: str
    after: str

    @property
    def flags(self) -> tuple[str, ...]:
        return self.of.flags

    @property
    def right(self) -> str:
        return self.of.right

    @property
    def wanted(self) -> Sequence[Any]:
        return self.of.wanted

    @cached_property
    def whole(self) -> Assembled:
        return self.of.made()

    def made(self, table: Meanings = NATIVE) -> Assembled:
        return replace(self.whole, text=self.right.replace(self.before, self.after))

    def text(self, made: Assembled) -> str:
        return self.of.text(made)

    def same(self, made: Assembled, library: Any) -> bool:
        return self.of.same(made, library)


def subjects(programs: Sequence[Pass]) -> list[Subject]:
    """Every function of a pass that is called for one of the programs, with those."""
    found = mutants_c.subjects(programs, MODULES)
    return [s for s in found if s.function.__module__ != assemble.__name__ or s.function.__qualname__ in READING]


def of_function(subject: Subject) -> Iterator[Verdict]:
    for program in subject.users:
        _ = program.right
    function: Any = subject.function  # said so, a type checker would bind it as a method
    for mutant in writing(function):
        with installed(mutant):
            yield judge(f"{subject.name}: {mutant.change}", subject.users, equal=EQUIVALENT)


def of_signs(programs: Sequence[Pass]) -> Iterator[Verdict]:
    """One sign after the other in the matrices of squares."""
    met = [p for p in programs if p.name.startswith("squares")]
    for name in ("image", "kernel", "result"):
        matrix = getattr(squares.FORMS, name)
        for i, row in enumerate(matrix):
            for j in (j for j, c in enumerate(row) if c):
                other = [[-c if (a, b) == (i, j) else c for b, c in enumerate(line)] for a, line in enumerate(matrix)]
                forms = replace(squares.FORMS, **{name: other})
                sizes: Any = {(m, "FORMS"): forms for m in (squares, square_sums)}
                wrong = [replace(p, sizes={**p.sizes, **sizes}) for p in met]
                for mine, right in zip(wrong, met, strict=True):
                    mine.__dict__.update(right=right.right, wanted=right.wanted)
                yield judge(f"toom.{name}: −{row[j]} in row {i}, column {j}", wrong, equal=EQUIVALENT)


def of_kernel(file: str, macro: str, programs: Sequence[Pass]) -> Iterator[Verdict]:
    """Functions in C, line by line, on the programs that they are in."""
    text = (Path(squares.__file__).parent / file).read_text(encoding="utf-8")
    lines = text.split(f"#define {macro}(")[1].split(f"\n{macro}(")[0].split("\n")[1:] if macro else text.split("};\n")[1].split("\n")
    for number, line in enumerate(lines):
        if not line.strip().startswith("/*"):
            for k, new in enumerate(wrong_texts(line)):
                before, after = (t.strip(" \\") for t in (line, new))
                name = f"{macro or file} {number}.{k}: {short(before, after)}"
                yield judge(name, [Other(p, line, new) for p in programs], equal=EQUIVALENT)


def verdicts(names: Sequence[str] = ()) -> Iterator[Judged]:
    """Judge all wrong versions of all parts, or of those with these names."""
    tried = programs()
    for subject in subjects(tried):
        if not names or any(n in (subject.name, *subject.name.split(".")) for n in names):
            yield subject.name, list(of_function(subject))
    if not names or "signs" in names:
        yield "signs in matrices", list(of_signs(tried))
    for file, macro in KERNELS:
        if not names or macro in names or file in names:
            yield macro or file, list(of_kernel(file, macro, using(macro, tried)))


def using(macro: str, programs: Sequence[Pass]) -> list[Pass]:
    """The programs that a function in C is called in."""
    words = {"MATRIX": ("product", "panel", "block"), "DOTS": ("dots",), "LOWER": ("attention",), "": ("rows of",)}[macro]
    return [p for p in programs if any(w in p.name for w in words)]


def main(names: Sequence[str] = ()) -> int:
    """Print the table; the exit code is 1 when a mutant survived."""
    mutants_c.SECONDS = SECONDS
    return printed(verdicts(names), EQUIVALENT, "pass")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
