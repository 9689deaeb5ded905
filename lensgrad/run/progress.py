"""What a person sees while training: a bar on a terminal, a few lines elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any


class Progress:
    """A bar with the epoch and its report; without a terminal at most about ten lines; nothing when not wanted."""

    def __init__(self, epochs: int, examples: int, batch_size: int | None, wanted: bool) -> None:
        self.epochs, self.wanted = epochs, wanted and epochs > 0
        self.every = max(1, -(-epochs // 10))
        self.bar: Any = None
        self.task: Any = None
        self.console: Any = None
        self.drawn = 0.0

    def __enter__(self) -> Progress:
        if self.wanted:
            from rich.console import Console

            self.console = Console()
            if self.console.is_terminal:
                self._open()
        return self

    def _open(self) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        columns = (TextColumn("epoch"), MofNCompleteColumn(), BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        self.bar = Bar(*columns, console=self.console)
        self.task = self.bar.add_task("", total=self.epochs)
        self.bar.start()

    def epoch(self, epoch: int, report: dict[str, float]) -> None:
        """Show that an epoch is done."""
        if not self.wanted:
            return
        last = epoch + 1 == self.epochs
        if self.bar is not None:
            now = time.monotonic()
            if last or now - self.drawn > 0.05:
                self.bar.update(self.task, completed=epoch + 1, description=line(report))
                self.drawn = now
        elif last or (epoch + 1) % self.every == 0:
            self.console.print(f"epoch {epoch + 1}/{self.epochs}  {line(report)}", highlight=False)

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        if self.bar is not None:
            self.bar.stop()


def line(report: dict[str, float]) -> str:
    """`loss 0.0312  accuracy 0.9800`."""
    return "  ".join(f"{name} {value:.4f}" for name, value in report.items())
