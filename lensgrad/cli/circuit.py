"""`lensgrad circuit`: what gates are in a file, fewer of them, another format, and whether two files are equal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core

from lensgrad.cli.console import PLAIN, example, say, with_examples
from lensgrad.core.errors import BadValue, MissingData

EXAMPLES = (
    "lensgrad circuit learn data.csv --target y -o net.aig",
    "lensgrad circuit show net.aig",
    "lensgrad circuit simplify net.aig -o small.aig",
    "lensgrad circuit export small.aig --to verilog",
    "lensgrad circuit prove net.aig small.aig --proof same.drat",
)
circuit = typer.Typer(
    name="circuit", cls=with_examples(typer.core.TyperGroup, *EXAMPLES), short_help="Learn, simplify and prove Boolean circuits.", **PLAIN
)

Given = Annotated[Path, typer.Argument(metavar="FILE", help="A circuit: AIGER (.aig, .aag) or BLIF (.blif).")]
Care = Annotated[Path | None, typer.Option(help="A circuit whose one output is 1 where inputs count.", show_default=False)]
Seconds = Annotated[float, typer.Option(help="Seconds after which the answer is unknown.")]


@circuit.callback()
def about() -> None:
    """Boolean circuits: learn, show, simplify, export, prove, predict, properties."""


@circuit.command(cls=example("lensgrad circuit show net.aig", "lensgrad circuit show net.blif --names"))
def show(file: Given, names: Annotated[bool, typer.Option("--names", help="Also the names of inputs and outputs.")] = False) -> None:
    """Print how many inputs, outputs and ANDs a circuit has, and its depth."""
    from lensgrad import circuits

    found = circuits.read(file)
    say(f"{file.name}: {found}")
    if names:
        say("inputs   " + " ".join(found.inputs))
        say("outputs  " + " ".join(found.outputs))


@circuit.command(
    cls=example("lensgrad circuit simplify net.aig -o small.aig", "lensgrad circuit simplify net.aig -o small.blif --care rows.aig")
)
def simplify(
    file: Given,
    output: Annotated[Path, typer.Option("--output", "-o", help="Write to this file, in the format of its ending.")],
    care: Care = None,
) -> None:
    """Write a circuit with the same values and fewer ANDs; `prove` certifies it."""
    from lensgrad import circuits
    from lensgrad.circuits.learning.learned import check_place

    found, beside = circuits.read(file), learned_beside(file)
    if beside:
        check_place(output)
    made = circuits.simplify(found, None if care is None else circuits.read(care))
    circuits.write(made, output)
    for ending, content in beside.items():
        output.with_suffix(ending).write_bytes(content)
    say(f"{file.name}: {found.size} ANDs, depth {found.depth}")
    say(f"{output.name}: {made.size} ANDs, depth {made.depth}")


def learned_beside(file: Path) -> dict[str, bytes]:
    """What `learn` wrote beside a circuit, by its endings, which stays beside it; nothing where the .json is another's."""
    from lensgrad.circuits import load_circuit

    try:
        load_circuit(file)
    except (BadValue, MissingData):
        return {}
    return {end: file.with_suffix(end).read_bytes() for end in (".json", ".care.aig") if file.with_suffix(end).is_file()}


@circuit.command(
    name="export",
    cls=example(
        "lensgrad circuit export net.aig --to verilog",
        "lensgrad circuit export net.aig --to verilog --stages 2 -o net.v --testbench test.v",
        "lensgrad circuit export net.aig --to verilog --plain-names",
        "lensgrad circuit export net.blif --to c -o net.c",
    ),
)
def exported(
    file: Given,
    to: Annotated[str, typer.Option("--to", metavar="verilog|blif|c|aag|aig", help="The format.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.", show_default="FILE, other ending")] = None,
    stages: Annotated[int, typer.Option(help="Verilog: pipeline registers after so many slices of equal depth.")] = 0,
    buses: Annotated[bool, typer.Option(help="Verilog: x[0], x[1], … as one port.")] = True,
    testbench: Annotated[Path | None, typer.Option(help="Verilog: write a testbench to this file.", show_default=False)] = None,
    plain: Annotated[bool, typer.Option("--plain-names", help="Names of letters, digits and _ only, in the same order.")] = False,
) -> None:
    """Write a circuit in another format."""
    from lensgrad import circuits
    from lensgrad.circuits.formats.files import put

    if to not in circuits.FORMATS:
        raise BadValue(f"'{to}' is no format that circuits are written in; use one of {', '.join(circuits.FORMATS)}")
    if to != "verilog" and (stages or testbench or not buses):
        raise BadValue("--stages, --no-buses and --testbench are for --to verilog")
    found, output = circuits.read(file), output or file.with_suffix(f".{circuits.FORMATS[to]}")
    found = circuits.plain_names(found) if plain else found
    written = circuits.verilog(found, stages=stages, buses=buses) if to == "verilog" else circuits.WRITERS[circuits.FORMATS[to]](found)
    put(output, written)
    say(f"{output}: {found}")
    if testbench is not None:
        put(testbench, circuits.testbench(found, some_rows(found), stages=stages, buses=buses))


def some_rows(found: Any, most: int = 1024) -> Any:
    """All rows of inputs, or that many drawn from a fixed seed."""
    import numpy as np

    n = len(found.inputs)
    if 1 << n <= most:
        return np.arange(1 << n)[:, None] >> np.arange(n) & 1
    return np.random.default_rng(0).integers(0, 2, (most, n))


@circuit.command(
    cls=example(
        "lensgrad circuit prove net.aig net.blif",
        "lensgrad circuit prove learned.aig rule.aig --care rows.aig --proof equal.drat",
        "python -m lensgrad.circuits.proofs.checker learned.aig rule.aig equal.drat rows.aig",
    )
)
def prove(
    left: Annotated[Path, typer.Argument(metavar="LEFT", help="A circuit: AIGER or BLIF.")],
    right: Annotated[Path, typer.Argument(metavar="RIGHT", help="Another, with the same names of inputs and outputs.")],
    proof: Annotated[Path | None, typer.Option(help="Write the DRAT proof to this file.", show_default=False)] = None,
    care: Care = None,
    timeout: Seconds = 60.0,
) -> None:
    """Prove that two circuits are equal, or print an input at which they differ. Exit code 0 proved, 1 refuted, 3 unknown."""
    from lensgrad import circuits

    verdict = circuits.equal_files(left, right, care, timeout)
    say(str(verdict))
    stop_unless_proved(verdict.status)
    if proof is not None:
        circuits.certificate(verdict, proof, [left, right, *([] if care is None else [care])])
        say(f"proof: {proof}")


def stop_unless_proved(status: str) -> None:
    """The exit codes of a verdict: what is refuted is known to be wrong, and what is unknown is not known (2 is a wrong call)."""
    if status != "proved":
        raise typer.Exit(1 if status == "refuted" else 3)
