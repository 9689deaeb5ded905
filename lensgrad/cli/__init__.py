"""The command line: train, evaluate, predict, look, check. What goes wrong is one sentence on stderr and exit code 2."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from textwrap import indent
from typing import Annotated, Any

import typer
import typer.core

from lensgrad import __version__, recipes
from lensgrad.cli import look
from lensgrad.cli.console import PLAIN, command, complain, encodable, example, say, with_examples
from lensgrad.cli.learn import circuit
from lensgrad.cli.messages import in_options, told
from lensgrad.cli.opening import Constants, Sizes, given
from lensgrad.cli.table import Network, Table, fitted
from lensgrad.cli.train import engine, finish, new, resumed
from lensgrad.core.drawing import Options
from lensgrad.core.errors import BadValue, LensgradError
from lensgrad.core.printed import clean, unprintable
from lensgrad.recipes.recipe import Sampling

INTERRUPTED = 130  # the exit code of a program that was stopped by Ctrl-C

EXAMPLES = (
    "lensgrad demo                                          train the Iris network, print its accuracy",
    "lensgrad train digits --save digits.safetensors        train, and keep what was learned",
    "lensgrad train digits --resume digits.safetensors      go on after Ctrl-C or a crash",
    "lensgrad evaluate digits.safetensors digits            accuracy on images it has not seen",
    "lensgrad predict digits.safetensors images.csv         a row of numbers for each image",
    "lensgrad fit people.csv --target species               a network for a table of your own",
    "lensgrad export digits.safetensors digits.onnx         a file for other runtimes, or for NumPy alone",
    "lensgrad show digits                                   layers, parameters, bytes",
    "lensgrad show iris --source                            the training step as plain NumPy",
    "lensgrad draw iris                                     its string diagram; --output iris.svg writes a picture",
    "lensgrad circuit learn data.csv --target y             a circuit of gates from a table",
    "lensgrad circuit prove net.aig small.aig               are two circuits equal? a proof or an input",
    "lensgrad check                                         every law, every generator",
)

app = typer.Typer(name="lensgrad", cls=with_examples(typer.core.TyperGroup, *EXAMPLES), **PLAIN)
app.add_typer(circuit)

NAMES = "|".join(recipes.TASKS)
MODELS = ", ".join(f"{r.name}: {'|'.join(r.plans)}" for r in recipes.TASKS.values() if len(r.plans) > 1)

Task = Annotated[str, typer.Argument(metavar="TASK", help=f"One of {NAMES}.")]
Model = Annotated[str | None, typer.Option(help=f"Which model ({MODELS}).", show_default=False)]
Epochs = Annotated[int | None, typer.Option(help="How often to go through the data; with --resume, in all.", show_default="the task's")]
Batch = Annotated[int | None, typer.Option(help="Examples per step.", show_default="the task's")]
Rate = Annotated[float | None, typer.Option(help="The learning rate.", show_default="the task's")]
Seed = Annotated[int | None, typer.Option(help="Sets the first weights and the order of the data.", show_default="0")]
Backend = Annotated[
    str | None,
    typer.Option(metavar="auto|native|numpy|jax", help="What runs the steps.", show_default="jax for large tasks, where installed"),
]
Save = Annotated[Path | None, typer.Option(help="Keep the run in this file, written while it trains.", show_default=False)]
Resume = Annotated[Path | None, typer.Option(help="Go on with the run in this file as if it had never stopped.", show_default=False)]
File = Annotated[Path, typer.Argument(metavar="FILE", help="A file that train --save, fit --save, or run.save in Python, wrote.")]
Engine = Annotated[str, typer.Option("--backend", metavar="auto|native|numpy|jax", help="What runs the model.")]


@app.callback(invoke_without_command=True)
def start(context: typer.Context, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Deep learning with a training step that you can read."""
    if version:
        say(f"lensgrad {__version__}")
    elif context.invoked_subcommand is None:
        say(context.get_help())


@app.command(
    cls=example(
        "lensgrad train digits",
        "lensgrad train iris --model dense --seed 3",
        "lensgrad train mnist --model paper --epochs 1 --save mnist.safetensors",
        "lensgrad train mnist --resume mnist.safetensors --epochs 4",
        "lensgrad train shakespeare --model transformer",
        "",
        "Tasks:",
        *(f"{r.name:<12} {r.about}" for r in recipes.TASKS.values()),
    )
)
def train(
    task: Task,
    model: Model = None,
    epochs: Epochs = None,
    batch_size: Batch = None,
    rate: Rate = None,
    seed: Seed = None,
    backend: Backend = None,
    save: Save = None,
    resume: Resume = None,
) -> int:
    """Train a model on a ready-made task and print how well it does."""
    recipe = recipes.task(task)
    if resume is None:
        job = new(recipe, model, epochs, batch_size, rate, 0 if seed is None else seed, save)
    else:
        refuse_beside_resume(resume, {"--model": model, "--batch-size": batch_size, "--rate": rate, "--seed": seed, "--save": save})
        job = resumed(recipe, resume, epochs)
    job, data = job.on(engine(recipe, backend)), recipe.data()
    say(job.heading(data))
    return finish(job, job.run(data), data)


def refuse_beside_resume(file: Path, options: dict[str, Any]) -> None:
    """A run that goes on is what it was; only its number of epochs and its backend are asked for anew."""
    for name, value in options.items():
        if value is not None:
            kept = "is written to the file it goes on from" if name == "--save" else f"keeps the {name[2:]} it began with"
            raise BadValue(f"the run in '{file}' {kept}: leave {name} away, or start a new run without --resume")


@app.command(
    cls=example(
        "lensgrad fit people.csv --target species",
        "lensgrad fit people.csv --target species --save people.safetensors",
        "lensgrad fit houses.csv --target price --drop address --categorical district --hidden 64",
    ),
    short_help="Train a small network on a CSV file.",
)
def fit(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV file; its first line names the columns.")],
    target: Annotated[str, typer.Option(help="The column to predict: words are classes, numbers are numbers.")],
    save: Annotated[Path | None, typer.Option(help="Keep the run in this file.", show_default=False)] = None,
    categorical: Annotated[str, typer.Option(help="Columns of numbers to read as words, with commas between.")] = "",
    drop: Annotated[str, typer.Option(help="Columns to leave out, with commas between.")] = "",
    delimiter: Annotated[str, typer.Option(help="What stands between two cells: a character, or tab.")] = ",",
    held_back: Annotated[float, typer.Option(help="The share of the rows to judge by.")] = 0.2,
    hidden: Annotated[int, typer.Option(help="The size of the two hidden layers.")] = 32,
    epochs: Annotated[int, typer.Option(help="How often to go through the data at most.")] = 200,
    rate: Annotated[float, typer.Option(help="The learning rate.")] = 0.003,
    seed: Annotated[int, typer.Option(help="Sets the first weights, and which rows are held back.")] = 0,
) -> int:
    """Train a small network on a CSV file: columns on one scale, empty cells filled in, some rows held back to judge by."""
    table = Table(file, target, words(categorical), words(drop), "\t" if delimiter in ("tab", "\\t") else delimiter, held_back)
    return fitted(table, Network(hidden, rate, epochs, seed), save)


def words(text: str) -> tuple[str, ...]:
    """Words with commas between."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


@app.command(
    cls=example(
        "lensgrad evaluate people.safetensors new.csv          rows that it was not trained on",
        "lensgrad evaluate digits.safetensors digits",
        "lensgrad evaluate mnist.safetensors mnist --backend jax",
    ),
    short_help="Print what a saved run reaches on a task or a table.",
)
def evaluate(
    file: File,
    task: Annotated[str, typer.Argument(metavar="TASK|TABLE", help=f"One of {NAMES}, or a CSV file such as the run was trained on.")],
    backend: Engine = "auto",
) -> None:
    """Print what a saved run reaches on the test data of a task, or on a table."""
    say(look.evaluated(file, task, backend))


@app.command(
    cls=example(
        "lensgrad predict people.safetensors new.csv           columns are found by their names",
        "lensgrad predict digits.safetensors images.csv        64 numbers from 0 to 1 a line",
        "lensgrad predict mnist.safetensors images.npy         bytes 0 to 255, or numbers from 0 to 1",
        "lensgrad predict cifar10.safetensors cat.png dog.png  pictures of the model's size, gray or in color as it takes them",
        "lensgrad predict shakespeare.safetensors 'ROMEO:' --temperature 0.5 --length 500",
        "lensgrad predict cora.safetensors 17,42               papers by number",
    ),
    short_help="Print what a saved run predicts.",
)
def predict(
    file: File,
    given: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT",
            help="A table; a .csv or .npy file of numbers; pictures; a text to continue; papers by number.",
        ),
    ],
    length: Annotated[int, typer.Option(help="How many characters to add to a text.")] = 300,
    temperature: Annotated[float, typer.Option(help="Small: the likeliest characters. 1: as they were learned.")] = 0.8,
    seed: Annotated[int, typer.Option(help="Sets what is drawn.")] = 0,
    backend: Engine = "auto",
) -> None:
    """Print what a saved run predicts: classes with probabilities, or a text continued."""
    say(look.predicted(file, given, Sampling(length, temperature, seed), backend))


@app.command(
    cls=example(
        "lensgrad export digits.safetensors digits.onnx              the model as it predicts, for any number of examples",
        "lensgrad export digits.safetensors step.onnx --step         its training step, on as many examples as it was trained on",
        "lensgrad export digits.safetensors predict.py               NumPy and safetensors only, the weights beside it",
        "lensgrad export digits.safetensors predict.c                one C99 file that needs no library; with --step it trains",
    )
)
def export(
    file: File,
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="The file to write, ending in .onnx, .py or .c.")],
    step: Annotated[bool, typer.Option("--step", help="The training step, and not the model as it predicts.")] = False,
    batch: Annotated[
        int | None, typer.Option(help="Examples that it always takes.", show_default="any number, 1 in C; a step, those of the run")
    ] = None,
) -> None:
    """Write a saved run in a format that needs no lensgrad."""
    say(look.exported(file, target, step, batch))


@app.command(
    cls=example(
        "lensgrad convert net.onnx net.py                            NumPy and safetensors only, the weights beside it",
        "lensgrad convert digits.safetensors digits.onnx             a saved run, as export writes it, and read again to compare",
    )
)
def convert(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="A network in .onnx, or a saved run in .safetensors.")],
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="The file to write, ending in .onnx, .py or .c.")],
    batch: Annotated[int | None, typer.Option(help="Examples that it always takes.", show_default="any number")] = None,
    size: Sizes = None,
    constant: Constants = None,
) -> None:
    """Write a network in another format, and list what differs from the one that was read."""
    from lensgrad.cli.networks import converted

    converted(source, target, batch, given(source, size, constant))


@app.command(
    cls=example(
        "lensgrad show digits",
        "lensgrad show digits.safetensors",
        "lensgrad show iris --source --output step.py",
        "lensgrad show net.onnx --size height=32 --picture net.svg",
    )
)
def show(
    what: Annotated[str, typer.Argument(metavar="TASK|FILE", help=f"One of {NAMES}, the file of a saved run, or a network in .onnx.")],
    model: Model = None,
    source: Annotated[bool, typer.Option("--source", help="The training step as a Python file that needs NumPy only.")] = False,
    diagram: Annotated[bool, typer.Option("--diagram", help="The model as a straight-line program with the type of every wire.")] = False,
    output: Annotated[Path | None, typer.Option(help="Write to this file instead.")] = None,
    picture: Annotated[Path | None, typer.Option(help="Also draw it into this file: .svg, .png, .tex or .txt.", show_default=False)] = None,
    size: Sizes = None,
    constant: Constants = None,
) -> None:
    """Print a model's layers, diagram or training step."""
    how = given(what, size, constant)
    if picture is not None:
        from lensgrad.cli.draw import drawn

        say(drawn(what, model, picture, {}, how))
    text = look.shown(what, model, source, diagram, how)
    if output is None:
        say(text)
    else:
        output.write_text(text + "\n", encoding="utf-8")


@app.command(
    cls=example(
        "lensgrad draw iris",
        "lensgrad draw mnist --model modern --output mnist.svg",
        "lensgrad draw iris --view step --output step.svg           forward and backward pass apart",
        "lensgrad draw gan --output gan.tex                         TikZ, for a paper",
        "lensgrad draw circuit                                      gates; also of a .aig, .aag or .blif file",
        "lensgrad draw digits.safetensors --open conv --types",
        "lensgrad draw net.onnx --output net.svg",
    ),
    short_help="Draw a string diagram.",
)
def draw(
    what: Annotated[
        str, typer.Argument(metavar="WHAT", help=f"One of {NAMES}, gan, dream, circuit, or a file: a saved run, .onnx, .aig, .aag, .blif.")
    ],
    model: Model = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to this file: .svg, .png, .tex or .txt.", show_default="the terminal")
    ] = None,
    view: Annotated[str | None, typer.Option(metavar="arrow|lens|step", help="What is shown.", show_default="lens for learners")] = None,
    depth: Annotated[int, typer.Option(help="How many levels of boxes are opened.")] = 0,
    opened: Annotated[str, typer.Option("--open", help="Names of boxes to open, with commas between; * stands for any.")] = "",
    types: Annotated[bool, typer.Option("--types", help="Types on wires.")] = False,
    states: Annotated[bool, typer.Option("--states", help="Also what a step writes back to states and keys.")] = False,
    width: Annotated[
        float | None, typer.Option(help="How wide a row is: pixels, or characters of text.", show_default="1600, or the terminal's")
    ] = None,
    size: Sizes = None,
    constant: Constants = None,
) -> None:
    """Draw a model or learner as a string diagram, as text here or into a file."""
    from lensgrad.cli.draw import drawn

    net = given(what, size, constant)
    shown: Options = {"view": view, "depth": depth, "open": words(opened), "types": types, "states": states, "width": width}
    say(drawn(what, model, output, shown, net))


@app.command(
    cls=example(
        "lensgrad explore iris                                      writes iris.html",
        "lensgrad explore run.safetensors --output run.html         with the curves and records of the run",
        "lensgrad explore net.onnx",
    ),
    short_help="Write a page in which the diagram is explored.",
)
def explore(
    what: Annotated[
        str, typer.Argument(metavar="WHAT", help=f"One of {NAMES}, gan, dream, circuit, or a file: a saved run, .onnx, .aig, .aag, .blif.")
    ],
    model: Model = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file, .html.", show_default="WHAT.html")] = None,
    size: Sizes = None,
    constant: Constants = None,
) -> None:
    """Write one HTML file with the diagram of a model or learner: move in it, search it, open its boxes; of a run, see its records."""
    from lensgrad.cli.draw import explored

    say(explored(what, model, output, given(what, size, constant)))


@app.command(cls=example("lensgrad check"))
def check() -> None:
    """Check every law and every generator, a line each."""
    from lensgrad import testing

    failed = 0
    for name, why in chain(testing.law_checks(), testing.generator_checks()):
        failed += bool(why)
        say(f"FAILED  {name}\n{indent(why, '        ')}" if why else f"ok      {name}")
    say(f"{failed} failed" if failed else "all hold")
    if failed:
        raise typer.Exit(1)


@app.command(cls=example("lensgrad demo"))
def demo() -> None:
    """Train the paper's Iris network and print its accuracy."""
    train("iris")
    say(f"the step it ran, as plain NumPy: {command()} show iris --source")


def main(args: Sequence[str] | None = None) -> int:
    """The entry point: the exit code is 0, 1 where a check failed, 2 where the call or its input is wrong."""
    with told(lambda message: complain(lined(f"note: {message}", args))):
        return answered(args)


def answered(args: Sequence[str] | None) -> int:
    """Run a command, and say what is wrong with it in one sentence; the exit code."""
    try:
        code = int(app(args, standalone_mode=False) or 0)
        return complain("stopped", code) if code == INTERRUPTED else code
    except LensgradError as error:
        return complain(lined(str(error), args))
    except MemoryError:
        return complain("what this computes must fit into memory, and it does not: give fewer rows, or a smaller network")
    except OSError as error:
        return complain(lined(f"cannot use '{error.filename}': {error.strerror}" if error.filename else str(error), args))
    except typer.Abort:
        return complain("stopped", INTERRUPTED)
    except Exception as error:
        # Usage errors: typer has its own copy of click or uses the installed one, so they are known by what they offer.
        message = getattr(error, "format_message", None)
        if message is None:
            raise
        return complain(lined(f"{message().rstrip('.')}; see lensgrad --help", args))


def lined(message: str, args: Sequence[str] | None) -> str:
    """A message in the options of this command, in which no word of the call begins a line of its own."""
    given = sys.argv[1:] if args is None else args
    message = in_options(message, options(given))
    return clean(message) if any(unprintable(c) for word in given for c in word) else message


def options(words: Sequence[str]) -> list[str]:
    """The options of the command that is called."""
    found: Any = typer.main.get_command(app)
    for word in words:
        if word not in getattr(found, "commands", {}):
            break
        found = found.commands[word]
    return [option for parameter in found.params for option in parameter.opts]


__all__ = ["app", "encodable", "main"]
