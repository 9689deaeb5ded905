"""What the commands share: printing that no console chokes on, how this program is called, and examples under every help."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import typer.core

from lensgrad.core.printed import encodable

PLAIN: dict[str, Any] = {
    "add_completion": False,
    "pretty_exceptions_enable": False,
    "rich_markup_mode": None,
    "context_settings": {"help_option_names": ["-h", "--help"]},
}


def with_examples(kind: type[Any], *lines: str) -> type[Any]:
    """A kind of command with examples at the end of its help, line by line as they are."""

    class WithExamples(kind):
        def format_epilog(self, ctx: Any, formatter: Any) -> None:
            formatter.write("\n".join(["", "Examples:", *(f"  {line}" for line in lines), ""]))

    return WithExamples


def example(*lines: str) -> Any:
    """The class of a command with examples."""
    return with_examples(typer.core.TyperCommand, *lines)


def say(text: str, stream: Any = None) -> None:
    """Print, in ASCII where the console cannot write the text."""
    stream = sys.stdout if stream is None else stream
    print(encodable(text, stream.encoding or "utf-8"), file=stream, flush=True)


def complain(message: str, code: int = 2) -> int:
    say(f"lensgrad: {message}", sys.stderr)
    return code


def command() -> str:
    """How to call this program from here."""
    if shutil.which("lensgrad"):
        return "lensgrad"
    python, here = Path(sys.executable), Path.cwd()
    return f"{python.relative_to(here) if python.is_relative_to(here) else python} -m lensgrad"
