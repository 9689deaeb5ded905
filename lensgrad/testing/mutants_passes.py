"""Mutation testing of the passes of the C backend: every wrong version gives other numbers than NumPy, or does more, or is no program.

Wrong are the functions that write C, in their expressions and in the text that they write; the functions in C that they call; and one
sign at a time in the matrices of squares. `python -m lensgrad.testing.mutants_passes` prints a line for each; names of functions as
arguments choose some. It needs a C compiler and a system that can fork. A version does more where it goes through more basic blocks
than the right one, alone or in one of two threads: it adds the zeros that it could leave out, or leaves to one thread what two could do.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lensgrad.backends.native import assemble, blocks, dots, panels, softmax, square_sums, squares, toom, triangles
from lensgrad.backends.native.assemble import Assembled
from lensgrad.backends.native.meanings.table import NATIVE
from lensgrad.backends.native.toom import Transforms
from lensgrad.backends.table import Meanings
from lensgrad.testing import mutants_c
from lensgrad.testing.equivalent_passes import EQUIVALENT
from lensgrad.testing.mutants import Verdict
from lensgrad.testing.mutants_c import Subject, judge, passes, printed
from lensgrad.testing.mutations import installed
from lensgrad.testing.mutations_c import changes, short, writing, wrong_texts
from lensgrad.testing.passes_c import Pass
from lensgrad.testing.programs_c import programs
from lensgrad.testing.refusals_c import refusals

MODULES = (blocks, dots, panels, softmax, square_sums, squares, toom, triangles, assemble)
READING = ("Assembly.found", "Assembly.copied")  # of how a step is put together, what reads rows where they lie
KERNELS = (("prelude.h", "MATRIX"), ("prelude.h", "DOTS"), ("prelude.h", "LOWER"), ("data.h", ""))
SPACE = " \\"  # around a line of a macro
SECONDS = 20  # after which a wrong program is running forever, if it does not count so far
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
    def right(self) -> Assembled:
        return self.of.right

    @property
    def wanted(self) -> Sequence[Any]:
        return self.of.wanted

    def made(self, table: Meanings = NATIVE) -> Assembled:
        return replace(self.right, text=self.right.text.replace(self.before, self.after))

    def text(self, made: Assembled) -> str:
        return self.of.text(made)

    def same(self, made: Assembled, library: Any) -> bool:
        return self.of.same(made, library)


def subjects(programs: Sequence[Pass]) -> list[Subject]:
    """Every function of a pass that is called for one of the programs, with those."""
    found = mutants_c.subjects(programs, MODULES)
    return [s for s in found if s.function.__module__ != assemble.__name__ or s.function.__qualname__ in READING]


def limited(programs: Sequence[Pass]) -> list[Pass]:
    """The same programs, each of which may go through as many blocks as the right one does; those of few blocks first."""
    for program in programs:
        if not passes(program, program.right):
            raise ValueError(f"the right program of {program.name} does not give what NumPy does")
        program.most = tuple(program.blocks.tolist())
    return sorted(programs, key=lambda p: p.most)


def decided() -> list[Pass]:
    """Programs that take a pass or not, for which it is enough to look at them."""
    found = refusals()
    for program in found:
        _ = program.right
    return found


def of_function(subject: Subject) -> Iterator[Verdict]:
    function: Any = subject.function  # said so, a type checker would bind it as a method
    for mutant in writing(function):
        with installed(mutant):
            yield judge(f"{subject.name}: {mutant.change}", subject.users, equal=EQUIVALENT)


def of_signs(programs: Sequence[Pass]) -> Iterator[Verdict]:
    """The programs by squares with wrong matrices."""
    met = [p for p in programs if p.name.startswith("squares")]
    for name, forms in signs():
        sizes: Any = {(m, "FORMS"): forms for m in (squares, square_sums)}
        wrong = [replace(p, sizes={**p.sizes, **sizes}) for p in met]
        for mine, right in zip(wrong, met, strict=True):
            mine.__dict__.update(right=right.right, wanted=right.wanted)
        yield judge(name, wrong, equal=EQUIVALENT)


def signs() -> Iterator[tuple[str, Transforms]]:
    """One sign after the other in the matrices of squares."""
    for name in ("image", "kernel", "result"):
        matrix = getattr(squares.FORMS, name)
        for i, row in enumerate(matrix):
            for j in (j for j, c in enumerate(row) if c):
                other = [[-c if (a, b) == (i, j) else c for b, c in enumerate(line)] for a, line in enumerate(matrix)]
                yield f"toom.{name}: −{row[j]} in row {i}, column {j}", replace(squares.FORMS, **{name: other})


def of_kernel(file: str, macro: str, programs: Sequence[Pass]) -> Iterator[Verdict]:
    """Functions in C on the programs that they are in."""
    for name, line, new in lines(file, macro):
        yield judge(name, [Other(p, line, new) for p in programs], equal=EQUIVALENT)


def lines(file: str, macro: str) -> Iterator[tuple[str, str, str]]:
    """Functions in C, line by line, each of them in all wrong versions."""
    text = (Path(squares.__file__).parent / file).read_text(encoding="utf-8")
    whole = text.split(f"#define {macro}(")[1].split(f"\n{macro}(")[0].split("\n")[1:] if macro else text.split("};\n")[1].split("\n")
    for number, line in enumerate(whole):
        if not line.strip().startswith("/*"):
            for k, new in enumerate(wrong_texts(line)):
                yield f"{macro or file} {number}.{k}: {short(line.strip(SPACE), new.strip(SPACE))}", line, new


def named() -> Iterator[str]:
    """The names of all wrong versions, none of which is made."""
    for subject in subjects([*refusals(), *programs()]):
        function: Any = subject.function
        yield from (f"{subject.name}: {change.name}" for change in changes(function))
    yield from (name for name, _ in signs())
    yield from (name for file, macro in KERNELS for name, *_ in lines(file, macro))


def verdicts(names: Sequence[str] = ()) -> Iterator[Judged]:
    """Judge all wrong versions of all parts, or of those with these names."""
    tried = limited(programs())
    for subject in subjects([*decided(), *tried]):
        if not names or any(n in (subject.name, *subject.name.split(".")) for n in names):
            yield subject.name, list(of_function(subject))
    if not names or "signs" in names:
        yield "signs in matrices", list(of_signs(tried))
    for file, macro in KERNELS:
        if not names or macro in names or file in names:
            yield macro or file, list(of_kernel(file, macro, using(macro, tried)))


def using(macro: str, programs: Sequence[Pass]) -> list[Pass]:
    """The programs that a function in C is called in."""
    words = {"MATRIX": ("panel", "block", "attention"), "DOTS": ("dots",), "LOWER": ("attention", "hidden"), "": ("rows of",)}[macro]
    return [p for p in programs if any(w in p.name for w in words)]


def main(names: Sequence[str] = ()) -> int:
    """Print the table; the exit code is 1 when a mutant survived."""
    mutants_c.SECONDS = SECONDS
    return printed(verdicts(names), EQUIVALENT, "pass")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
