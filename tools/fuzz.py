"""Wrong calls by the thousand: a call that is right, with some of its arguments replaced by values that are not.

`python -m tools.fuzz 100000` counts what is answered by an error that is not the library's own. A right program never meets one, and
a wrong one should be told in a sentence. Seeds are fixed: call number n is the same call on every machine.
`python -m tools.fuzz 500 lg.dense` keeps to some names.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from lensgrad.core.errors import PACKAGE, LensgradError
from tools.fuzz_calls import CALLS as CALLS_AT_THE_DOOR
from tools.fuzz_calls import Call
from tools.fuzz_more import MORE
from tools.fuzz_values import UsersOwn, values

CALLS = {**CALLS_AT_THE_DOOR, **MORE}
ROOT = Path(__file__).resolve().parent.parent
SECONDS = 5.0  # a call that takes longer is counted as slow and left
SHOWN = 12


class Slow(BaseException):
    """A call that was left."""


@dataclass
class Count:
    """What became of the calls."""

    calls: int = 0
    right: int = 0
    refused: int = 0
    slow: Counter[str] = field(default_factory=Counter)
    raw: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)


def mutated(call: Call, random: Random, pool: Callable[[Random], Any]) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of a right call, one to three of them replaced."""
    args, named = list(call.args()), dict(call.named())
    places = [*range(len(args)), *named]
    for place in random.sample(places, min(len(places), random.choice((1, 1, 1, 2, 3)))):
        where: Any = args if isinstance(place, int) else named
        where[place] = pool(random)
    return args, named


def answer(call: Call, args: list[Any], named: dict[str, Any]) -> tuple[str, BaseException | None]:
    """`right`, `refused`, `slow` or `raw`, with the error."""
    try:
        with limit():
            call.use(call.function(*args, **named))
    except Slow as slow:
        return "slow", slow
    except (LensgradError, UsersOwn) as error:
        return "refused", error
    except Exception as error:
        return ("refused" if pythons_own(error) else "raw"), error
    return "right", None


def pythons_own(error: Exception) -> bool:
    """Whether Python said that a call has the wrong arguments, or scikit-learn that its data is wrong: both tell the user."""
    frames = traceback.extract_tb(error.__traceback__)
    bound = isinstance(error, TypeError) and "argument" in str(error) and frames[-1].filename == __file__
    return bound or any(part in frames[-1].filename for part in (f"{os.sep}sklearn{os.sep}",))


@contextmanager
def limit() -> Iterator[None]:
    """Leave a call that takes too long, where the system has timers."""

    def leave(*_: Any) -> None:
        raise Slow

    if not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGALRM, leave)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def place(error: BaseException) -> str:
    """Where an error came from: the innermost line of the library."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith(PACKAGE)]
    where = f"{Path(frames[-1].filename).relative_to(ROOT)}:{frames[-1].lineno}" if frames else "outside"
    return f"{type(error).__name__} at {where}"


def fuzzed(calls: int, chosen: str = "", first: int = 0) -> Count:
    """So many calls, counted."""
    names = [name for name in sorted(CALLS) if chosen in name]
    count = Count()
    for number in range(first, first + calls):
        random = Random(number)
        name = names[random.randrange(len(names))]
        args, named = mutated(CALLS[name], random, values)
        kind, error = answer(CALLS[name], args, named)
        count.calls += 1
        count.right += kind == "right"
        count.refused += kind == "refused"
        if kind == "slow":
            count.slow[name] += 1
        if kind == "raw" and error is not None:
            where = place(error)
            count.raw[where] += 1
            count.examples.setdefault(where, f"call {number}, {name}: {str(error).splitlines()[0] if str(error) else ''}"[:160])
    return count


def told(count: Count) -> str:
    """What became of the calls, and where the first raw errors came from."""
    lines = [
        f"  {n:>5} {where}  ({count.examples[where]})" for where, n in count.raw.most_common(SHOWN if "--all" not in sys.argv else None)
    ]
    slow = f", {sum(count.slow.values())} left after {SECONDS:g} s" if count.slow else ""
    head = f"{count.calls} wrong calls: {count.right} worked, {count.refused} refused in a sentence{slow}"
    return "\n".join([f"{head}, {sum(count.raw.values())} raw errors at {len(count.raw)} places", *lines])


def main() -> int:
    """Fuzz and print."""
    words = [w for w in sys.argv[1:] if not w.startswith("--")]
    calls, chosen = int(words[0]) if words else 10_000, words[1] if len(words) > 1 else ""
    with tempfile.TemporaryDirectory() as folder, chdir(folder), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            count = fuzzed(calls, chosen)
    print(told(count))
    return 1 if count.raw else 0


if __name__ == "__main__":
    sys.exit(main())
