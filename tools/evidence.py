"""`make evidence`: measure every promise and write docs/evidence.md, each figure with its date, commit and machine.

Pieces run one after the other, and one that fails is reported where its figure would stand. Names of pieces may be
given to measure only those again; what the others gave before is kept, in docs/evidence.json.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

import numpy as np

from tools import measures as m
from tools import measures_circuits as c
from tools import measures_examples as e
from tools import nist

PAGE = m.ROOT / "docs" / "evidence.md"


@dataclass(frozen=True)
class Piece:
    """A promise, in words, and how it is measured."""

    name: str
    promise: str
    measure: Callable[[], m.Measured]


PIECES = (
    Piece("laws", "Plumbing by `==`, calculus exactly in polynomials, 200 random cases each, over arrays and over bits", m.laws),
    Piece("generators", "One check for every generator: types, R against finite differences and JAX, R of R, batching", m.generators),
    Piece("mutants", "Every rule broken mechanically is caught, and those equal to the original are listed", m.mutants),
    Piece(
        "mutants in C",
        "What generators mean in C, broken mechanically, gives other numbers than NumPy or no program",
        m.mutants_in_c,
    ),
    Piece(
        "mutants of passes in C",
        "Squares, panels, blocks, dots, causal attention, softmax and rows read where they lie, broken mechanically, give other numbers",
        m.mutants_of_passes,
    ),
    Piece("cost", "Slopes at most 1.15 for seconds and nodes, 1000 layers under 5 s, each forward once", m.cost),
    Piece("same lens", "`learner.lens(batch=n)` equals the lens composed by hand", m.same_lens),
    Piece("unmoved", "Weights without an optimizer, and data, are bit-unchanged after 100 steps", m.unmoved),
    Piece("masks", "A key gives each example of a batch its own dropout mask", m.masks),
    Piece("regression", "Linear regression reaches the least-squares solution to 1e-6", m.regression),
    Piece("curves", "NIST's nonlinear regressions from both starts: certified values to 6 digits from at least 50 of 54", nist.curves),
    Piece("iris hidden", "The paper's hidden network: median of 5 seeds at least .975, none under .96", m.hidden),
    Piece("iris dense", "The paper's dense network: at least .95", m.dense),
    Piece("iris linear", "The paper's linear model: final and best, as they are", m.linear),
    Piece("twin", "Equal to a loop of NumPy written by hand, to 1e-8", m.twin),
    Piece("source", "The printed step runs with NumPy alone and repeats the weights bit for bit", m.source),
    Piece("mnist paper", "The paper's MNIST network reaches .95 in one epoch for each of three seeds", m.mnist_paper),
    Piece("mnist modern", "A small modern network reaches .99 on MNIST in five epochs for each of three seeds", m.mnist_modern),
    Piece("cora", "A graph convolutional network reaches .80 on Cora, the mean of ten seeds", m.cora),
    Piece("shakespeare", "An LSTM and a transformer learn to write like Shakespeare, as far as that goes", m.shakespeare),
    Piece("circuits paper", "Reverse derivative ascent gives the figures of its paper to the digit", c.paper),
    Piece("circuits flips", "Networks of gates learn by lifted flips where plain ascent stays at chance", c.lifted),
    Piece("circuits forms", "Normal forms grow greedily to the rule, and are solved exactly over Z2", c.forms),
    Piece("circuits digits", "MNIST 0/1 at least .998 with at most 2000 gates in under 30 s", c.digits),
    Piece("examples", "Each example that leaves a picture runs in full in under three minutes on two cores", e.examples),
    Piece("packages", "`pip install .` in a fresh environment brings nothing heavy, and trains", m.packages),
    Piece("import", "Importing adds at most 0.2 s to NumPy's import", m.importing),
    Piece("refusals", "Wrong input is refused in a sentence", m.refusals),
    Piece("hostile names", "No name is run, by whatever takes, writes or reads it, and none ends in a raw error", m.hostile_names),
    Piece(
        "damaged files",
        "A run file changed by hand, digests right, is used as it is or refused in a sentence: 0 raw errors",
        m.damaged_files,
    ),
    Piece("other checkpoints", "Training goes on from no checkpoint of another learner, order or data in silence", m.other_checkpoints),
    Piece("wrong calls", "A wrong call works or is refused in a sentence: 0 of 100000 end in a raw error", m.wrong_calls),
    Piece("sizes", "No file over 400 lines, no function over 40", m.sizes),
)


@dataclass(frozen=True)
class Result:
    """What measuring a piece gave, when and where."""

    good: bool
    figure: str
    details: list[str] = field(default_factory=list)
    seconds: float = 0.0
    date: str = ""
    place: str = ""

    def row(self, piece: Piece) -> str:
        told = self.figure.splitlines()[0].replace("|", "\\|")
        return f"| {piece.name} | {'holds' if self.good else '**FAILS**'} | {told} |"

    def section(self, piece: Piece) -> str:
        told = f"{'Holds' if self.good else '**FAILS**'}: {self.figure}"
        when = f"Measured on {self.date}, {self.place}, in {self.seconds:.0f} s."
        return "\n".join([f"## {piece.name}", "", f"{piece.promise}.", "", told, "", *listed(self.details), when, ""])


def listed(details: Sequence[str]) -> list[str]:
    """Details as a list, unless they are a table or a block already."""
    shaped = any(line.startswith(("|", "```")) for line in details)
    return [*details, ""] if shaped else [f"- {line}" for line in details] + [""] * bool(details)


def measured(piece: Piece) -> Result:
    """Measure one piece; whatever goes wrong is its result."""
    start, place = time.perf_counter(), f"{commit()}, {machine()}"
    good, figure, details = outcome(piece)
    return Result(good, figure, details, time.perf_counter() - start, str(datetime.now(UTC).date()), place)


def outcome(piece: Piece) -> tuple[bool, str, list[str]]:
    """Whether it holds, its figure, and details."""
    try:
        return True, *piece.measure()
    except m.Broken as broken:
        figure, *details = str(broken).splitlines()
        return False, figure, details[:40]
    except Exception as error:
        return False, f"could not be measured: {type(error).__name__}: {error}", []


def commit() -> str:
    """The commit, and whether the tree has changes beside the evidence."""
    try:
        name, status = m.command("git", "rev-parse", "--short", "HEAD").strip(), m.command("git", "status", "--short")
    except (OSError, m.Broken):
        return "outside version control"
    changed = [line for line in status.splitlines() if "docs/evidence." not in line]
    return f"commit {name}" + (f" with {len(changed)} changed files" if changed else "")


def machine() -> str:
    """Where the figures are from."""
    software = f"Python {platform.python_version()}, NumPy {np.__version__}"
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors, {software}"


def page(results: Mapping[str, Result]) -> str:
    """docs/evidence.md."""
    known = [(p, results[p.name]) for p in PIECES if p.name in results]
    good, missing = sum(r.good for _, r in known), [p.name for p in PIECES if p.name not in results]
    head = [
        "# Evidence",
        "",
        "`make evidence` measures every line and writes this page; nothing in it is typed by hand.",
        "Each figure says when, where and at which commit.",
        "",
        f"**{good} of {len(PIECES)} promises hold.**"
        + (f" {len(known) - good} do not." if good < len(known) else "")
        + (f" Not measured yet: {', '.join(missing)}." if missing else ""),
        "",
        "| promise | | figure |",
        "| --- | --- | --- |",
    ]
    return anonymous("\n".join([*head, *(r.row(p) for p, r in known), "", *(r.section(p) for p, r in known)]).rstrip() + "\n")


def before() -> dict[str, Result]:
    """What was measured before, by piece."""
    store = PAGE.with_suffix(".json")
    return {name: Result(**kept) for name, kept in json.loads(store.read_text(encoding="utf-8")).items()} if store.exists() else {}


def write(results: Mapping[str, Result]) -> None:
    """Keep the results, and the page that shows them."""
    kept = {p.name: asdict(results[p.name]) for p in PIECES if p.name in results}
    text = anonymous(json.dumps(kept, indent=1, ensure_ascii=False)) + "\n"
    PAGE.with_suffix(".json").write_text(text, encoding="utf-8", newline="\n")
    PAGE.write_text(page(results), encoding="utf-8", newline="\n")


def anonymous(text: str) -> str:
    """The text without the folders of this machine."""
    for folder, name in ((sys.executable, "python"), (f"{m.ROOT}{os.sep}", ""), (str(m.ROOT), "."), (tempfile.gettempdir(), "(temporary)")):
        text = text.replace(folder, name)
    return text


def main(names: Sequence[str]) -> int:
    """Measure the named pieces, or all, and write the page; 1 where one fails."""
    unknown = set(names) - {p.name for p in PIECES}
    if unknown:
        print(f"no piece is called {', '.join(sorted(unknown))}; there are: {', '.join(p.name for p in PIECES)}", file=sys.stderr)
        return 2
    chosen = [p for p in PIECES if not names or p.name in names]
    results = before()
    for piece in chosen:
        results[piece.name] = found = measured(piece)
        print(f"{'holds' if found.good else 'FAILS'}  {piece.name}: {found.figure}  ({found.seconds:.0f} s)", flush=True)
        write(results)
    return int(not all(results[p.name].good for p in chosen))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
