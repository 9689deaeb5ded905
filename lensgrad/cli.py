"""The command line: train, look, check. What goes wrong is one sentence on stderr and exit code 2."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from textwrap import indent
from typing import Annotated, Any

import numpy as np
import typer
import typer.core

from lensgrad import __version__, recipes
from lensgrad.core.errors import BadValue, LensgradError
from lensgrad.learner import Learner
from lensgrad.run.summary import summary

ASCII = str.maketrans({
    "→": "->", "×": "x", "⊗": "(x)", "≥": ">=", "≤": "<=", "≠": "!=", "−": "-", "…": "...", "·": "*", "∘": "o", "⟨": "<", "⟩": ">",
    "Δ": "d", "ℝ": "R", "β": "b", "σ": "s", "²": "^2", "½": "1/2", "Σ": "sum", "π": "p", "∂": "d", "—": "-", "–": "-",
})  # fmt: skip

INTERRUPTED = 130  # the exit code of a program that was stopped by Ctrl-C

EXAMPLES = """
Examples:
  lensgrad demo                               train the Iris network, print its accuracy
  lensgrad train iris --model dense --seed 3  another model, another start
  lensgrad train linear                       descent against the least-squares solution
  lensgrad show iris --source                 the training step as plain NumPy
  lensgrad check                              every law, every generator
"""


class WithExamples(typer.core.TyperGroup):
    """The commands, and examples under the list of them."""

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        formatter.write(EXAMPLES)


plain: dict[str, Any] = {
    "add_completion": False,
    "pretty_exceptions_enable": False,
    "rich_markup_mode": None,
    "context_settings": {"help_option_names": ["-h", "--help"]},
}
app = typer.Typer(name="lensgrad", cls=WithExamples, **plain)
training = typer.Typer(name="train", help="Train a model and print how well it does.", **plain)
app.add_typer(training)

Epochs = Annotated[int, typer.Option(help="How often to go through the data.")]
Seed = Annotated[int, typer.Option(help="Sets the first weights and the order of the data.")]
Rate = Annotated[float, typer.Option(help="The learning rate.")]
Batch = Annotated[int | None, typer.Option(help="Examples per step.")]
Model = Annotated[str, typer.Option(metavar="dense|hidden|linear", help="Which of the paper's Iris models.")]


@app.callback(invoke_without_command=True)
def start(context: typer.Context, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Deep learning with a training step that you can read."""
    if version:
        say(f"lensgrad {__version__}")
    elif context.invoked_subcommand is None:
        say(context.get_help())


@training.command("iris")
def train_iris(model: Model = "hidden", epochs: Epochs = 400, seed: Seed = 0, rate: Rate = 0.01, batch_size: Batch = None) -> None:
    """Classify 150 flowers.

    Without --batch-size each step sees one flower, as in the paper.
    """
    learner, data = recipes.iris_learner(model, rate), recipes.iris_data()
    say(f"Iris, {model} model: {len(data)} flowers, 4 measurements, 3 species, {learner.parameter_count} weights")
    run = learner.fit(data, epochs=epochs, seed=seed, batch_size=batch_size)
    accuracy = run.evaluate(data)["accuracy"]
    say(f"accuracy {accuracy:.4f}: {round(accuracy * len(data))} of the {len(data)} flowers it was trained on")


@training.command("linear")
def train_linear(epochs: Epochs = 1000, seed: Seed = 0, rate: Rate = 0.2, batch_size: Batch = None) -> None:
    """Fit a straight line to 150 flowers.

    It predicts a petal's width from three other measurements. Without --batch-size each step sees all flowers.
    """
    data = recipes.petal_width()
    say(f"Linear regression: petal width from the {len(data.features)} other measurements of {len(data)} flowers")
    learner = recipes.regression_learner(len(data.features), rate)
    run = learner.fit(data, epochs=epochs, seed=seed, batch_size=len(data) if batch_size is None else batch_size)
    solution = recipes.least_squares(data)
    say(comparison(run.weights, solution, data.features))
    far = recipes.distance(run.weights, solution)
    say(f"largest difference {far:.1e}" + ("" if far <= 1e-6 else ": not there yet, give it more --epochs or another --rate"))


@app.command()
def show(
    what: Annotated[str, typer.Argument(metavar="iris|linear", help="Which learner.")],
    model: Model = "hidden",
    source: Annotated[bool, typer.Option("--source", help="The training step as a Python file that needs NumPy only.")] = False,
    diagram: Annotated[bool, typer.Option("--diagram", help="The model as a straight-line program with the type of every wire.")] = False,
    output: Annotated[Path | None, typer.Option(help="Write to this file instead.")] = None,
) -> None:
    """Print a model's layers, diagram or training step."""
    learner, batch = subject(what, model)
    shown = [str(learner.model.arrow)] if diagram else []
    shown += [learner.source(batch)] if source else []
    text = "\n\n".join(shown or [summary(learner.model)])
    if output is None:
        say(text)
    else:
        output.write_text(text + "\n", encoding="utf-8")


@app.command()
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


@app.command()
def demo() -> None:
    """Train the paper's Iris network and print its accuracy."""
    train_iris()
    say(f"\nthe step it ran, as plain NumPy:  {command()} show iris --source")


def subject(what: str, model: str) -> tuple[Learner, int | None]:
    """A learner by name, and the batch it steps on."""
    if what == "iris":
        return recipes.iris_learner(model), None
    if what == "linear":
        return recipes.regression_learner(), len(recipes.petal_width())
    raise BadValue(f"'{what}' is nothing that can be shown; use iris or linear")


def command() -> str:
    """How to call this program from here."""
    if shutil.which("lensgrad"):
        return "lensgrad"
    python, here = Path(sys.executable), Path.cwd()
    return f"{python.relative_to(here) if python.is_relative_to(here) else python} -m lensgrad"


def comparison(ours: dict[str, Any], best: dict[str, Any], features: Sequence[str]) -> str:
    """Two straight lines side by side, a row for each number."""
    (a, b), names = [np.append(v["weight"], v["bias"]) for v in (ours, best)], [*features, "constant"]
    rows = [f"{name:<14}{x:>14.9f}{y:>16.9f}" for name, x, y in zip(names, a, b, strict=True)]
    return "\n".join([f"{'':<14}{'trained':>14}{'least squares':>16}", *rows])


def say(text: str, stream: Any = None) -> None:
    """Print, in ASCII where the console cannot write the text."""
    stream = sys.stdout if stream is None else stream
    print(encodable(text, stream.encoding or "utf-8"), file=stream, flush=True)


def encodable(text: str, encoding: str) -> str:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(ASCII).encode(encoding, "backslashreplace").decode(encoding)
    return text


def complain(message: str, code: int = 2) -> int:
    say(f"lensgrad: {message}", sys.stderr)
    return code


def main(args: Sequence[str] | None = None) -> int:
    """The entry point: the exit code is 0, 1 where a check failed, 2 where the call or its input is wrong."""
    try:
        code = int(app(args, standalone_mode=False) or 0)
        return complain("stopped", code) if code == INTERRUPTED else code
    except LensgradError as error:
        return complain(str(error))
    except OSError as error:
        return complain(f"cannot use '{error.filename}': {error.strerror}" if error.filename else str(error))
    except typer.Abort:
        return complain("stopped", INTERRUPTED)
    except Exception as error:
        # Usage errors: typer has its own copy of click or uses the installed one, so they are known by what they offer.
        told = getattr(error, "format_message", None)
        if told is None:
            raise
        return complain(f"{told().rstrip('.')}; see lensgrad --help")
