"""Wrong command lines by the hundred: one that is right, with a wrong value, a file that is none, or an option that there is not.

`python -m tools.commands 500` counts what is not answered by one sentence and exit code 2; `500 circuit` keeps to commands that
begin so. Commands and options are read from the program itself. Seeds are fixed: line number n is the same line on every machine.
"""

from __future__ import annotations

import io
import shlex
import sys
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from inspect import Parameter, signature
from pathlib import Path
from random import Random
from typing import Any, get_args

import typer

from lensgrad import cli

NUMBERS = ("many", "", "1.5.2", "-1", "nan", "0x10", "9" * 5000, "--", "1e", "½")
WHOLE = (*NUMBERS, "1.5", "inf", "1e9")
SHARES = (*NUMBERS, "-inf", "-0.5")
NAMED = (
    "--backend",
    "--model",
    "--target",
    "--to",
    "--method",
    "--categorical",
    "--drop",
    "--irrelevant",
    "--monotone",
    "--swap",
    "--view",
    "--open",
    "--size",
    "--constant",
)
ASKED = ("--categorical", "--drop", "--irrelevant", "--monotone", "--open", "--swap")  # empty where nothing is asked, which is right
WORDS = ("abacus", "", "no such", "\u202e", "a\nb", "x" * 300, "../..", "%s", "{}")
FILES = (
    "none.csv", "folder", "binary.csv", "binary.safetensors", "empty.csv", "empty.safetensors", "folder/", ".", "text.aig",
    "x" * 300, "none.safetensors", "half.safetensors", "ragged.csv", "broken.npy", "broken.png", "", "a\nb.csv",
)  # fmt: skip
PLACES = ("nowhere/out", "folder", ".", "text.aig/out", "x" * 300 + "/out")
SAVED = ("text.aig/out", "x" * 300 + "/out", "empty.csv/proof")  # a folder that is there would be right
RIGHT: dict[str, tuple[str, ...]] = {  # a right line of each command; what is wrong is put into it
    "train": ("iris",),
    "fit": ("good.csv", "--target", "kind"),
    "evaluate": ("good.safetensors", "good.csv"),
    "predict": ("good.safetensors", "good.csv"),
    "show": ("good.safetensors",),
    "export": ("good.safetensors", "good.onnx"),
    "convert": ("good.safetensors", "other.onnx"),
    "draw": ("good.safetensors",),
    "explore": ("good.safetensors", "--output", "good.html"),
    "check": (),
    "demo": (),
    "circuit show": ("good.aig",),
    "circuit simplify": ("good.aig", "--output", "small.aig"),
    "circuit export": ("good.aig", "--to", "verilog"),
    "circuit prove": ("good.aig", "good.aig"),
    "circuit property": ("good.aig", "--irrelevant", "color=red"),
    "circuit learn": ("good.csv", "--target", "kind", "--method", "solve", "--output", "new.aig"),
    "circuit predict": ("good.aig", "good.csv"),
}


@dataclass(frozen=True)
class Option:
    """An option of a command, and what it takes: `int`, `float`, `Path`, `str` or `bool`."""

    name: str
    kind: str


@dataclass(frozen=True)
class Answer:
    """What a line was answered."""

    line: tuple[str, ...]
    code: int | None
    error: str
    raised: str = ""

    @property
    def right(self) -> bool:
        """One sentence on stderr, and exit code 2."""
        said = self.error.removesuffix("\n")
        return not self.raised and self.code == 2 and said.startswith("lensgrad: ") and "\n" not in said


def commands(group: Any = None, before: str = "") -> Iterator[tuple[str, Any]]:
    """Every command by its words."""
    top: Any = group or typer.main.get_command(cli.app)
    for name, command in top.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{before}{name} ")
        else:
            yield before + name, command


def options(command: Any) -> list[Option]:
    """The options of a command, by the annotations of its function."""
    kinds = {name: kind_of(p) for name, p in signature(command.callback, eval_str=True).parameters.items()}
    return [Option(p.opts[0], kinds[p.name]) for p in command.params if p.param_type_name == "option" and p.name in kinds]


def kind_of(parameter: Parameter) -> str:
    """`int` of `Annotated[int | None, …]`."""
    found = parameter.annotation
    while get_args(found):
        found = get_args(found)[0]
    return found.__name__


def spoiled(words: str, known: Sequence[Option], random: Random) -> tuple[str, ...]:
    """A right line of a command with one thing wrong in it."""
    right = list(RIGHT[words])
    valued = [o for o in known if o.kind in ("int", "float", "Path") or o.name in NAMED]
    given = [k for k, word in enumerate(right) if not word.startswith("--") and (k == 0 or not right[k - 1].startswith("--"))]
    way = random.choice(["strange", "strange value", *(["value"] * 5 if valued else []), *(["file"] * 4 if given else []), "cut"])
    if way == "value":
        option = random.choice(valued)
        right += [option.name, random.choice(wrong_values(option))]
    elif way == "file":
        right[random.choice(given)] = random.choice(FILES)
    elif way == "cut" and (given or valued):
        right = right[: given[0]] if given else [*right, valued[0].name]
    else:
        right += ["--no-such-option"] if way == "strange" else [f"--{random.choice(['fast', 'gpu', 'x'])}=1"]
    return (*words.split(), *right)


def wrong_values(option: Option) -> Sequence[str]:
    """What an option never takes."""
    if option.kind == "Path":
        return FILES if option.name in ("--resume", "--test", "--care") else SAVED if option.name == "--save" else PLACES
    if option.name in ASKED:
        return [word for word in WORDS if word]
    return {"int": WHOLE, "float": SHARES}.get(option.kind, WORDS)


def answered(line: Sequence[str]) -> Answer:
    """What the program says to a line."""
    out, told = io.StringIO(), io.StringIO()
    code, raised = None, ""
    with redirect_stdout(out), redirect_stderr(told):
        try:
            code = cli.main([*line])
        except BaseException as error:
            raised = f"{type(error).__name__}: {error}"
    return Answer((*line,), code, told.getvalue(), raised)


def prepared() -> None:
    """The files that lines name, good ones and broken ones, in the folder where we are."""
    rows = "\n".join(f"{k % 7},{'red' if k % 3 else 'blue'},{'big' if k % 7 > 3 else 'small'}" for k in range(40))
    Path("good.csv").write_text(f"size,color,kind\n{rows}\n", encoding="utf-8")
    Path("ragged.csv").write_text("a,b\n1,2\n3\n", encoding="utf-8")
    Path("text.aig").write_text("no circuit\n", encoding="utf-8")
    Path("folder").mkdir()
    for name in ("empty.csv", "empty.safetensors"):
        Path(name).touch()
    for name in ("binary.csv", "binary.safetensors", "broken.png"):
        Path(name).write_bytes(Random(0).randbytes(300))
    Path("broken.npy").write_bytes(b"\x93NUMPY\x01\x00v\x00{'descr'")
    made = ["fit", "good.csv", "--target", "kind", "--epochs", "1", "--save", "good.safetensors"]
    for line in (made, ["circuit", "learn", "good.csv", "--target", "kind", "--method", "solve", "-o", "good.aig"]):
        answered(line)
    Path("half.safetensors").write_bytes(Path("good.safetensors").read_bytes()[:900])


def wrong_lines(number: int, of: str = "") -> Iterator[tuple[str, ...]]:
    """So many wrong lines, of the commands whose words begin so."""
    known = {words: options(command) for words, command in commands() if words.startswith(of)}
    for seed in range(number):
        random = Random(seed)
        words = sorted(known)[random.randrange(len(known))]
        yield spoiled(words, known[words], random)


def tried(number: int, of: str = "") -> list[Answer]:
    """The answers to so many wrong lines, in a folder of their own."""
    return answers(wrong_lines(number, of))


def answers(lines: Iterable[Sequence[str]]) -> list[Answer]:
    """The answers to lines, in a folder with the files that they name."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        prepared()
        return [answered(line) for line in lines]


def main() -> int:
    """Try and print."""
    found = tried(int(sys.argv[1]) if len(sys.argv) > 1 else 500, " ".join(sys.argv[2:]))
    raw, other = [a for a in found if a.raised], [a for a in found if not a.raised and not a.right]
    for answer in [*raw, *other]:
        print(f"  {answer.code} {shlex.join(answer.line)[:160]}: {(answer.raised or answer.error)[:200]!r}")
    sentences = f"{len(found) - len(raw) - len(other)} answered by one sentence and exit code 2"
    print(f"{len(found)} wrong command lines: {sentences}, {len(raw)} tracebacks, {len(other)} otherwise")
    return 1 if raw or other else 0


if __name__ == "__main__":
    sys.exit(main())
