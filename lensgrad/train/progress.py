"""What a person sees while training: a bar on a terminal or in a notebook, a few lines elsewhere."""

from __future__ import annotations

import time
from importlib import import_module
from types import TracebackType
from typing import Any

from lensgrad.core.errors import warn
from lensgrad.train.state import Report, State

LONG = 0.5  # seconds of compiling that are worth a word
BARRED, PACED, ROOMY = 40, 60, 100  # characters of a terminal from which there is a bar, how fast it goes, and the time that has passed
BAR, PACE, TIME = 6, 17, 7  # characters that the bar has at least, and that speed and times take
LINES = 20  # about as many are printed where there is no bar


class Progress:
    """A bar with the epoch, its report, its speed and the time left; about twenty lines without a terminal; nothing when not wanted.

    The bar is drawn by steps where the number of examples is known, by epochs otherwise.
    """

    def __init__(self, epochs: int, examples: int | None, batch_size: int | None, wanted: bool, done: int = 0) -> None:
        self.epochs, self.wanted, self.done = epochs, wanted and epochs > done, done
        self.examples = examples
        self.steps = -(-examples // (batch_size or 1)) if examples else 1
        self.every = max(1, -(-(epochs - done) // LINES))
        self.bar: Any = None
        self.task: Any = None
        self.output: Any = None  # of a notebook, where the bar is drawn as HTML
        self.console: Any = None
        self.drawn = 0.0
        self.began = 0.0  # when the bar was opened
        self.shown: Report = {}

    def __enter__(self) -> Progress:
        if self.wanted:
            from rich.console import Console

            self.console = Console()
            if self.console.is_terminal or self.console.is_jupyter:
                self._open()
        return self

    def _open(self) -> None:
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        texts = TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"), TextColumn("{task.description}", markup=False)
        pace = TextColumn("{task.fields[speed]}", markup=False)
        wide = self.console.width
        more = [pace] * (wide >= PACED) + [TimeElapsedColumn()] * (wide >= ROOMY)
        self.bar = Bar(texts[0], *[BarColumn()] * (wide >= BARRED), texts[1], *more, TimeRemainingColumn(), console=self.console)
        whole = {"total": self.epochs * self.steps, "completed": self.done * self.steps}
        self.task = self.bar.add_task("", epoch=self.done + 1, epochs=self.epochs, speed="", **whole)
        self.began = time.monotonic()
        if self.console.is_jupyter:
            self.output = import_module("IPython.display").display(self.bar, display_id=True)  # rich itself would want ipywidgets for that
        else:
            self.bar.start()

    def _draw(self, **how: Any) -> None:
        self.drawn = time.monotonic()
        each, what = (self.examples / self.steps, "examples") if self.examples else (1, "epochs")
        done = (how["completed"] - self.done * self.steps) * each
        self.bar.update(self.task, speed=speed(done, self.drawn - self.began, what), **how)
        if self.output is not None:
            self.output.update(self.bar)

    def _told(self, report: Report) -> str:
        """So much of a report as leaves room for the bar and the time left."""
        wide = self.console.width
        others = [
            *[BAR] * (wide >= BARRED),
            len(f"epoch {self.epochs}/{self.epochs}"),
            TIME,
            *[PACE] * (wide >= PACED),
            *[TIME] * (wide >= ROOMY),
        ]
        return line(report, wide - sum(others) - len(others))

    def say(self, text: str) -> None:
        """A sentence of its own, above the bar."""
        if self.console is not None:
            self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def note(self, text: str) -> None:
        """A sentence that a person should see, progress shown or not."""
        if self.console is not None:
            self.say(text)
        else:
            warn(text)

    def compiling(self, seconds: float) -> None:
        """Show in the bar that what comes now takes a while, if it does."""
        if self.bar is not None and seconds > LONG:
            self._draw(description="compiling the step")

    def step(self, state: State) -> None:
        """Show that a step is done; between two drawings nothing happens."""
        if self.bar is not None and time.monotonic() - self.drawn > 0.05:
            at = state.position
            done = at.epoch * self.steps + min(at.batch, self.steps)
            self._draw(completed=done, epoch=at.epoch + 1, description=self._told({**self.shown, **at.report}))

    def epoch(self, epoch: int, report: Report) -> None:
        """Show that an epoch is done."""
        if not self.wanted:
            return
        last, self.shown = epoch + 1 == self.epochs, report
        if self.bar is not None:
            if last or time.monotonic() - self.drawn > 0.05:
                self._draw(completed=(epoch + 1) * self.steps, epoch=epoch + 1, description=self._told(report))
        elif last or (epoch + 1 - self.done) % self.every == 0:
            self.say(f"epoch {epoch + 1}/{self.epochs}  {line(report)}")

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        if self.bar is not None:
            self.bar.stop()


def speed(done: float, seconds: float, what: str) -> str:
    """`1,234 examples/s`; nothing before something is done."""
    if done <= 0 or seconds <= 0:
        return ""
    pace = done / seconds
    return f"{pace:,.0f} {what}/s" if pace >= 10 else f"{pace:.2g} {what}/s"


def line(report: Report, room: int | None = None) -> str:
    """`loss 0.0312  accuracy 0.9800`; of what has no room only the first."""
    found = [f"{name} {value:.4f}" if abs(value) < 1e6 else f"{name} {value:.4e}" for name, value in report.items()]
    while room is not None and len(found) > 1 and len("  ".join(found)) > room:
        found.pop()
    return "  ".join(found)
