"""`lensgrad circuit learn` and `predict`: from a CSV file to gates with an encoder beside them, and back to classes."""

from __future__ import annotations

import sys
from collections.abc import Container, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lensgrad.cli.circuit import circuit
from lensgrad.cli.console import example, say
from lensgrad.cli.properties import names, once
from lensgrad.cli.train import writable
from lensgrad.core.checks import whole
from lensgrad.core.errors import BadValue, listed, some
from lensgrad.core.printed import brief

if TYPE_CHECKING:
    from lensgrad.circuits import Found, LearnedCircuit, Plan, Problem
    from lensgrad.data.cells import Cells
    from lensgrad.data.encode import Encoder

    Rows = tuple[Any, Any]  # bits and class numbers

MOST_CLASSES = 64
MOST_GATES = 1_000_000
READ = (".aig", ".aag", ".blif")
Table = Annotated[Path, typer.Argument(metavar="DATA", help="A CSV file whose first line names the columns.")]


@circuit.command(
    cls=example(
        "lensgrad circuit learn monk.csv --target class --categorical all -o monk.aig",
        "lensgrad circuit learn flowers.csv --target species --levels 4 --method soft --gates 300 --seed 1",
        "lensgrad circuit learn train.csv --target y --test test.csv --drop id,name",
        "lensgrad circuit learn adder.csv --target sum --target carry --raw adder.v",
        "",
        "Then: simplify, export and prove work on the circuit, and predict on new rows.",
    )
)
def learn(
    data: Table,
    target: Annotated[list[str], typer.Option(help="The column of classes; give it again for several, each with outputs of its own.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.", show_default="DATA, ending .aig")] = None,
    method: Annotated[str, typer.Option(help="How it learns: auto takes a complete truth table as it is, else the best of all.")] = "auto",
    gates: Annotated[int, typer.Option(help="Gates of a network, in three layers.")] = 288,
    steps: Annotated[int, typer.Option(help="Training steps of a network.")] = 2000,
    levels: Annotated[int, typer.Option(help="The most bits that a column of numbers becomes.")] = 8,
    categorical: Annotated[str, typer.Option(help="Columns of numbers to read as words, with commas between, or all.")] = "",
    drop: Annotated[str, typer.Option(help="Columns to leave out, with commas between.")] = "",
    validation: Annotated[float, typer.Option(help="The share of rows held back to choose and to measure by.")] = 0.2,
    test: Annotated[Path | None, typer.Option(help="Another CSV file to measure on at the end.", show_default=False)] = None,
    simplify: Annotated[bool, typer.Option(help="Write the simplified circuit, and not the one as learned.")] = True,
    raw: Annotated[Path | None, typer.Option(help="Write the circuit with its encoder, from raw columns.", show_default=False)] = None,
    seed: Annotated[int, typer.Option(help="Sets the wiring, the first values, and which rows are held back.")] = 0,
) -> None:
    """Learn a circuit from a table, and write it with its encoder beside it."""
    from lensgrad import circuits as ways
    from lensgrad.data.encode import csv_cells, encoder

    whole("--seed", seed)
    once("--target", target, ", ".join(target), "column")
    cells = csv_cells(data)
    output = writable(circuit_file(data.with_suffix(".aig") if output is None else output))
    places = places_of(output, target, raw)
    labels = {name: labelled(cells, name) for name in target}
    fitted = encoder(cells, levels=levels, categorical=named(categorical, cells.columns), drop=[*target, *names(drop, cells.columns)])
    checked = {name: None if test is None else rows_to_test(test, fitted, classes, name) for name, (_, classes) in labels.items()}
    say(f"{data.name}: {len(cells.rows)} rows, {len(fitted.columns)} columns as {len(fitted.names)} bits; {described(labels)}")
    plan, found = ways.Plan(layers_of(gates), steps, seed=seed, progress=True), list[Any]()
    for place, (name, (_, classes)) in zip(places, labels.items(), strict=True):
        problem = problem_of(fitted, cells, classes, name)
        known = problem if method == "auto" and problem.complete else ways.held_back(problem, validation, seed)
        found.append(one(known, plan, method, fitted, classes, name, place, simplify, checked[name]))
    together(found, output, raw)


def described(labels: dict[str, tuple[list[str], tuple[str, ...]]]) -> str:
    """The targets and their classes."""
    return "; ".join(counted(words, classes, name) for name, (words, classes) in labels.items())


def places_of(output: Path, targets: Sequence[str], raw: Path | None) -> list[Path]:
    """The file of each target, the output itself or one beside it; places that would be refused later are refused now."""
    from lensgrad.circuits.formats.files import check_ending
    from lensgrad.circuits.formats.names import plainly
    from lensgrad.circuits.learning.learned import check_place

    if raw is not None:
        check_ending(writable(raw))
    beside = [output.with_name(f"{output.stem}-{name}{output.suffix}") for name in plainly(targets, set())]
    places = [output] if len(targets) == 1 else beside
    for place in places:
        check_place(place)
    return places


def one(
    problem: Problem, plan: Plan, method: str, fitted: Encoder, classes: tuple[str, ...], target: str,
    place: Path, simplify: bool, test: Rows | None,
) -> LearnedCircuit:  # fmt: skip
    """Learn the circuit of one target, write it, and say what it reaches."""
    from lensgrad import circuits as ways

    found = ways.learn(problem, plan, method)
    learned = ways.LearnedCircuit(fitted, found.circuit, classes, target, found.method)
    written = learned.save(place)  # before anything that could fail, or take long
    small = learned.simplified()
    if simplify:
        small.save(place)
    report(found, problem, small, test)
    say(f"written: {listed([str(p) for p in written])}")
    return small if simplify else learned


def together(found: Sequence[LearnedCircuit], output: Path, raw: Path | None) -> None:
    """Write the outputs of several targets as one circuit, which shares their gates, and that of all from the raw columns in binary."""
    from lensgrad import circuits

    if len(found) > 1:
        made = circuits.simplify(circuits.side_by_side([one.circuit for one in found]), found[0].care)
        circuits.write(made, output)
        say(f"together: {output}: {made}")
    if raw is not None:
        whole = circuits.side_by_side([one.whole for one in found]).tidy()
        circuits.write(whole, raw)
        say(f"from raw columns: {raw}: {whole}")


def report(found: Found, problem: Problem, small: LearnedCircuit, test: Rows | None) -> None:
    """Print what a circuit reaches and needs, and what it says where that is short."""
    told = f"learned by {found.method}: train {problem.accuracy(small.circuit):.4f}"
    if found.score is not None and problem.held is not None:
        told += f", validation {found.score:.4f} ({len(problem.held[1])} rows held back)"
    say(told if test is None else f"{told}, test {share(small, test):.4f}")
    say(f"gates: {found.circuit.size} ANDs as learned, {small.circuit.size} ANDs and depth {small.circuit.depth} simplified")
    whole = small.whole
    say(f"with the encoder: {whole.size} ANDs, depth {whole.depth}, from {len(whole.inputs)} bits of raw columns")
    if small.rule is not None:
        say(f"rule: {small.rule}")


@circuit.command(cls=example("lensgrad circuit predict monk.aig rows.csv", "lensgrad circuit predict monk.aig labelled.csv > classes.txt"))
def predict(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A circuit that learn wrote, its .json beside it.")], data: Table
) -> None:
    """Print the class of each row of a table; where it has the column of classes, also how many are right."""
    from lensgrad.circuits import load_circuit
    from lensgrad.data.encode import csv_cells

    learned, cells = load_circuit(file), csv_cells(data)
    found = learned.predict(cells).tolist()
    truth = numbered(learned.target, cells, learned.classes) if learned.target in cells.columns else None
    if found:
        say("\n".join(learned.classes[int(k)] for k in found))
    if truth is not None:
        right = sum(k == t for k, t in zip(found, truth.tolist(), strict=True))
        say(f"right: {right} of {len(found)} ({right / max(1, len(found)):.4f})", sys.stderr)


# -- parts -------------------------------------------------------------------------------------------------------------


def labelled(cells: Cells, target: str) -> tuple[list[str], tuple[str, ...]]:
    """The classes of the rows as words, and all of them, sorted."""
    import numpy as np

    from lensgrad.data.encode import sorted_words, words

    if target not in cells.columns:
        raise BadValue(f"there is no column '{brief(target)}'; the columns are: {some(list(cells.columns))}")
    labels = words(target, np.array(cells.columns[target], object), cells.rows)
    classes = sorted_words(labels)
    if len(classes) < 2:
        told = f"only one class, '{classes[0]}'" if classes else "no rows"
        raise BadValue(f"column '{target}' has {told}, so there is nothing to learn: give rows of two classes or more")
    if len(classes) > MOST_CLASSES:
        told = f"column '{target}' has {len(classes)} different values, and a circuit chooses between at most {MOST_CLASSES} classes"
        raise BadValue(f"{told}: name another column, or put its values into groups")
    return labels, classes


def problem_of(encoder: Encoder, cells: Cells, classes: tuple[str, ...], target: str) -> Problem:
    from lensgrad.circuits import Problem, output_names

    labels = numbered(target, cells, classes)
    outputs = output_names(target, classes)
    return Problem(encoder.encode(cells), labels, encoder.names, outputs, len(classes), possible=encoder.possible)


def rows_to_test(file: Path, encoder: Encoder, classes: tuple[str, ...], target: str) -> Rows:
    """The bits and the class numbers of another file, read before anything is learned."""
    from lensgrad.data.encode import csv_cells

    cells = csv_cells(file)
    if target not in cells.columns:
        raise BadValue(f"there is no column '{brief(target)}' in '{file}'; the columns are: {some(list(cells.columns))}")
    if not cells.rows:
        raise BadValue(f"'{file}' has no rows to test on")
    return encoder.encode(cells), numbered(target, cells, classes)


def numbered(target: str, cells: Cells, classes: tuple[str, ...]) -> Any:
    """The classes of rows by their numbers."""
    import numpy as np

    from lensgrad.data.encode import words

    labels = words(target, np.array(cells.columns[target], object), cells.rows)
    for row, label in zip(cells.rows, labels, strict=True):
        if label not in classes:
            raise BadValue(f"{row}, column '{target}': '{brief(label)}' is none of the classes {some(classes)}")
    return np.array([classes.index(label) for label in labels], np.int64)


def share(learned: LearnedCircuit, test: Rows) -> float:
    """The share of rows that a circuit gives their class."""
    from lensgrad.circuits.learning.learned import decided

    bits, truth = test
    return float((decided(learned.circuit.run(bits)) == truth).mean())


def circuit_file(file: Path) -> Path:
    """A name whose ending says a format that `predict` and `prove` read again."""
    if file.suffix not in READ:
        raise BadValue(f"a circuit is learned into .aig, .aag or .blif, and '{file.name}' is none of these: write .aig, then export")
    return file


def layers_of(gates: int) -> tuple[int, ...]:
    """So many gates in three layers."""
    whole("--gates, in three layers,", gates, 3, MOST_GATES)
    return tuple((gates + k) // 3 for k in range(3))


def named(text: str, known: Container[str]) -> Any:
    return "all" if text == "all" else names(text, known)


def counted(labels: list[str], classes: tuple[str, ...], target: str) -> str:
    """`class is 0 (62), 1 (62)`."""
    return f"{target} is " + ", ".join(f"{c} ({labels.count(c)})" for c in classes)
