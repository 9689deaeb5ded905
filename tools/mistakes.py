"""What newcomers get wrong, and what the library answers: `python -m tools.mistakes` prints the table and writes docs/mistakes.md.

Each mistake is a line of code as somebody writes it. It works, with or without a word of advice, or it ends in a `LensgradError`
that says what to do. Anything else is *raw*, and there is none.
"""

from __future__ import annotations

import io
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import lensgrad as lg
from tools.mistakes_list import MISTAKES

PAGE = Path(__file__).resolve().parent.parent / "docs" / "mistakes.md"
HEAD = """# Mistakes, and what is said

Lines that people write when they come from elsewhere, or in a hurry, with what each one gives today. Some simply work. The others
end in a `lensgrad.LensgradError` that says what to do. `python -m tools.mistakes` writes this page, and a test runs every line again.

Here `x` and `y` are the flowers of `lg.data.iris()`: 150 rows of 4 numbers, and class numbers 0, 1 and 2. `model` is
`lg.sequential(lg.input(4), lg.dense(8, "relu"), lg.dense(3))`, `learner` is
`lg.supervised(model, lg.cross_entropy, lg.adam(0.01))`, and `run` is `learner.fit(x, y)`.
"""
DO = "use give write put take change add leave fill convert begin train make call check read bring relabel number round pad freeze"
REMEDY = re.compile(
    rf"[:;,] (?:or |and )?(?:{'|'.join(DO.split())})\b|fix: |did you mean|lg\.\w+|run\.\w+|: (?:y|x|run|one row) (?:=|is) |it is \w+ here|"
    r"progress=False|so fill it in|fit\(data|percent is|(?:is|must be|needs|expects) (?:an? |one of|at least|dense\()"
)


@dataclass(frozen=True)
class Answer:
    """What a line of code gave: how it ended ("works", "refused" or "raw"), and what was said."""

    end: str
    text: str

    @property
    def helps(self) -> bool:
        """Whether it works, or says what to do."""
        return self.end == "works" or (self.end == "refused" and REMEDY.search(self.text) is not None)


def names() -> dict[str, Any]:
    """What a line may use."""
    x, y = lg.data.iris()
    model = lg.sequential(lg.input(4), lg.dense(8, "relu"), lg.dense(3))
    learner = lg.supervised(model, lg.cross_entropy, lg.adam(0.01))
    run = learner.fit(x, y, progress=False)
    return {"lg": lg, "np": np, "x": x, "y": y, "model": model, "learner": learner, "run": run}


def answer(code: str, known: dict[str, Any]) -> Answer:
    """What one line gives."""
    said = io.StringIO()
    try:
        with warnings.catch_warnings(), redirect_stdout(said), redirect_stderr(said), TemporaryDirectory() as folder, chdir(folder):
            warnings.simplefilter("ignore")
            exec(compile(code, "yours.py", "exec"), dict(known))
    except lg.LensgradError as error:
        return Answer("refused", str(error))
    except Exception as error:
        return Answer("raw", f"{type(error).__name__}: {error}")
    return Answer("works", " ".join(advice(said.getvalue())))


def advice(printed: str) -> list[str]:
    """What was said beside the reports of epochs."""
    return [line.strip() for line in printed.splitlines() if line.strip() and not line.startswith("epoch ")]


def answers() -> Iterator[tuple[str, str, Answer]]:
    """Each mistake with its room and its answer."""
    known = names()
    for room, lines in MISTAKES.items():
        for code in lines:
            yield room, code, answer(code, known)


def page(found: list[tuple[str, str, Answer]]) -> str:
    """The table of all mistakes, a part for each room."""
    parts, last = [HEAD], ""
    for room, code, given in found:
        if room != last:
            parts.append(f"## {room}\n")
        last = room
        parts.append(f"```py\n{code}\n```\n\n{paragraph(given)}\n")
    return "\n".join(parts)


def paragraph(given: Answer) -> str:
    """An answer on the page: as it is printed, or that it works."""
    if given.end == "works":
        return f"Works, and says: *{given.text}*" if given.text else "Works."
    return "```text\n" + given.text + "\n```"


def summary(found: list[tuple[str, str, Answer]]) -> str:
    """How many mistakes end in which way."""
    ends = [given.end for *_, given in found]
    helping = sum(given.helps for *_, given in found)
    counts = f"{ends.count('works')} work, {ends.count('refused')} are refused, {ends.count('raw')} are raw"
    return f"{len(found)} mistakes: {counts}; {helping} work or say what to do"


def main() -> int:
    """Print the table, and write the page."""
    found = list(answers())
    for _, code, given in found:
        print(f"{'  ' if given.helps else '! '}{given.end:8}{code}\n            {given.text}")
    PAGE.write_text(page(found), encoding="utf-8", newline="\n")
    print(summary(found))
    return 0 if all(given.helps for *_, given in found) else 1


if __name__ == "__main__":
    sys.exit(main())
