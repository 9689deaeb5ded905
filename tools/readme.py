"""The output in README.md and on the pages of docs is what their blocks print: this writes it, or with --check says where it differs.

With names of pages only these: `python -m tools.readme docs/systems.md`.

All python blocks run in order in one namespace; the text block after one is its output. In a console block, each
line that begins with `$ lensgrad` is run and followed by its output.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import chdir, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lensgrad.cli import main as lensgrad

os.environ.setdefault("LENSGRAD_COMPILE", "never")  # what pages print is the same with and without a compiler
README = Path(__file__).resolve().parent.parent / "README.md"
DOCS = README.parent / "docs"
CIRCUITS, SYSTEMS, TRADE_OFFS = (DOCS / f"{name}.md" for name in ("circuits", "systems", "trade-offs"))
WALK = DOCS / "circuits-walk.md"  # its data lies in LENSGRAD_DATA
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = [p for p in sorted(DOCS.rglob("*.md")) if p != WALK and "```python" in p.read_text(encoding="utf-8")]
DECIMAL = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")


def printed(call: Any, *args: Any) -> str:
    """What a call prints."""
    with redirect_stdout(io.StringIO()) as out:
        call(*args)
    return out.getvalue()


def console(text: str) -> str:
    """Each command of a console block, followed by what it prints."""
    commands = [line for line in text.splitlines() if line.startswith("$ lensgrad")]
    return "".join(f"{line}\n{printed(lensgrad, shlex.split(line)[2:])}" for line in commands)


def blocks(text: str) -> Iterator[tuple[re.Match[str], str]]:
    """Each block that holds output, with the output its source gives now."""
    names: dict[str, Any] = {"__name__": "readme"}
    last = ""
    with TemporaryDirectory() as folder, chdir(folder):  # where blocks may save files
        for found in BLOCK.finditer(text):
            kind, body = found.groups()
            if kind == "python":
                last = printed(exec, compile(body, "model.py", "exec"), names)
            elif kind in ("text", "console"):
                yield found, last if kind == "text" else console(body)


def written(text: str) -> str:
    """The page with fresh output."""
    parts, end = [], 0
    for found, output in blocks(text):
        parts += [text[end : found.start(2)], output]
        end = found.end(2)
    return "".join([*parts, text[end:]])


def same(left: str, right: str) -> bool:
    """Equal, up to the last digits of decimal numbers, which processors round in their own ways."""
    numbers = zip(DECIMAL.findall(left), DECIMAL.findall(right), strict=False)
    return DECIMAL.sub("#", left) == DECIMAL.sub("#", right) and all(abs(float(a) - float(b)) <= 0.02 for a, b in numbers)


def stale(text: str) -> list[str]:
    """One entry for each block whose output is not what its source gives."""
    return [f"written:\n{found[2]}\nprinted:\n{output}" for found, output in blocks(text) if not same(found[2], output)]


def differences(page: Path) -> list[str]:
    """What is stale on a page, or the error that a block of it ends in."""
    try:
        return stale(page.read_text(encoding="utf-8"))
    except Exception as error:  # a block may raise anything; the other pages are still looked at
        return [f"a block raises {type(error).__name__}: {error}"]


def main() -> int:
    """Write the pages, or check them."""
    named = [Path(name).resolve() for name in sys.argv[1:] if not name.startswith("--")]
    chosen = named or [README, *PAGES, *([WALK] if os.environ.get("LENSGRAD_DATA") else [])]
    if "--check" in sys.argv:
        wrong = [f"{page.name}: {difference}" for page in chosen for difference in differences(page)]
        print("\n".join(wrong) or f"{len(chosen)} pages: every block prints what is written")
        return 1 if wrong else 0
    for page in chosen:
        page.write_text(written(page.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
