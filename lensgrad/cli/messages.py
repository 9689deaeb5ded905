"""What the library says, in the words of the command line: options where Python has arguments."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from typing import Any

from lensgrad.core.errors import LensgradWarning

ELSEWHERE = (  # what no command takes
    (r"(, or give|, or all of them as) names=…", ""),
    (r"leave the row out, or say missing='fill'", "or leave the row out"),
)
TAKEN = {  # what to write where a command has the option
    "--delimiter": (
        (r"delimiter='\\t'", "--delimiter tab"),
        (r"delimiter=('[^']*')", r"--delimiter \1"),
        (r"^delimiter must", "--delimiter must"),
    ),
    "--drop": ((r"drop=…", "--drop"),),
    "--categorical": ((r"categorical=…", "--categorical"),),
    "--size": (
        (r"^sizes has", "--size has"),
        (r"give batch=False", "give it a size by --size"),
        (r"sizes=\{'([^']*)': …\}", r"--size \1=N"),
        (r"sizes=\{'([^']*)': \(…\)\}", r"--size \1=N,N,…"),
    ),
    "--output": (
        (
            r"^Got unexpected extra argument(?:s|\(s\))? \(([^()\s]+\.\w+)\)",
            r"there is one argument more, '\1': if it is the file to write, say --output \1",
        ),
    ),
    "--constant": (
        (r"^constants has", "--constant has"),
        (r"by constants=\{…\}", "by --constant NAME=N"),
    ),
}
LEFT = {  # and where it has none
    "--delimiter": ((r"give delimiter='[^']*', or ", ""),),
    "--drop": ((r",? or [^,:;]+ drop=…", ""),),
    "--categorical": ((r",? or [^,:;]+ categorical=…[^,:;]*", ""),),
    "--size": (),
    "--output": (),
    "--constant": (),
}


def in_options(message: str, known: Collection[str]) -> str:
    """A message with the options of a command in the place of arguments that Python's functions take."""
    rules = [rule for option in TAKEN for rule in (TAKEN if option in known else LEFT)[option]]
    for pattern, words in (*ELSEWHERE, *rules):
        message = re.sub(pattern, words, message)
    return message


@contextmanager
def told(say: Callable[[str], Any]) -> Generator[None]:
    """While open, a warning of the library is said once, as a sentence and without the line of a program; others are as ever."""
    seen, usual = set[str](), warnings.showwarning

    def show(message: Any, category: type[Warning], *place: Any, **more: Any) -> None:
        if not issubclass(category, LensgradWarning):
            usual(message, category, *place, **more)
        elif str(message) not in seen:
            seen.add(str(message))
            say(str(message))

    with warnings.catch_warnings():
        warnings.simplefilter("always", LensgradWarning)
        warnings.showwarning = show
        yield


__all__ = ["in_options", "told"]
