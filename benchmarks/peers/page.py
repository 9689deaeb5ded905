"""docs/peers.md: every section is written by the command that it names, and the others are left as they are."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "peers.md"
HEAD = """# Beside its peers

Every section was written by the command in it; nothing is typed by hand. Training steps beside those of PyTorch, JAX, Flax and Keras are in
`benchmarks/RESULTS.md`, which `python -m benchmarks.run --write` writes.
"""


def where(versions: Mapping[str, str]) -> str:
    """When and on what figures were measured."""
    load = f", load {os.getloadavg()[0]:.1f} at the end" if hasattr(os, "getloadavg") else ""
    told = ", ".join(f"{name} {v}" for name, v in versions.items())
    return f"Measured on {datetime.now(UTC).date()}: {platform.system()} {platform.machine()}, {os.cpu_count()} processors{load}; {told}."


def write(title: str, command: str, versions: Mapping[str, str], lines: Sequence[str], page: Path = PAGE) -> None:
    """Write a section anew, or add it."""
    section = "\n".join([f"## {title}", "", f"`{command}`", "", where(versions), "", *lines]).rstrip() + "\n"
    old = page.read_text(encoding="utf-8") if page.exists() else HEAD
    _, *others = re.split(r"^(?=## )", old, flags=re.MULTILINE)
    kept = {s.splitlines()[0]: s.rstrip() + "\n" for s in others} | {f"## {title}": section}
    page.write_text("\n".join([HEAD, *kept.values()]), encoding="utf-8", newline="\n")


def row(cells: Sequence[str]) -> str:
    """A row of a table."""
    return f"| {' | '.join(cells)} |"
