"""What `make evidence` measures of the examples that leave a picture: their seconds, what they say, and that the picture is there."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.measures import ROOT, Broken, Measured, command, kept

LIMIT = 180.0  # seconds, on two cores
PICTURE = re.compile(r'"(\w+\.png)"')
ON_THE_WAY = re.compile(r"epoch \d|step \d|seed \d+ step|\S+: class")


def examples(folder: Path = ROOT / "examples") -> Measured:
    """Every example that leaves a picture runs in full, under three minutes each."""
    rows = [ran(file, *found) for file in sorted(folder.glob("*.py")) if (found := PICTURE.findall(file.read_text(encoding="utf-8")))]
    table = ["| example | seconds | picture | what it says |", "| --- | --- | --- | --- |", *(row for _, row in rows)]
    slowest = max(seconds for seconds, _ in rows)
    return kept(slowest < LIMIT, f"{len(rows)} examples with pictures, the slowest in {slowest:.0f} s", table)


def ran(file: Path, picture: str) -> tuple[float, str]:
    """The seconds of an example, and its row of the table."""
    with TemporaryDirectory() as folder:
        start = time.perf_counter()
        said = command(sys.executable, str(file), cwd=Path(folder), PYTHONPATH=str(ROOT)).splitlines()
        seconds, drawn = time.perf_counter() - start, Path(folder) / picture
        if not drawn.exists() and not said[-1].startswith("this example needs"):
            raise Broken(f"{file.name} left no {picture}")
        size = f"{picture}, {drawn.stat().st_size // 1024} KB" if drawn.exists() else "none"
    return seconds, f"| {file.stem} | {seconds:.0f} | {size} | {figure(said)} |"


def figure(said: Sequence[str]) -> str:
    """The lines that are no progress, as one."""
    return "; ".join(line.strip() for line in said if line.strip() and not ON_THE_WAY.match(line)).replace("|", "\\|")
