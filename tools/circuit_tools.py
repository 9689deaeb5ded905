"""abc, yosys and iverilog from Debian's packages, unpacked into a folder without root.

    python -m tools.circuit_tools FOLDER

prints the folder to put on PATH. The tests that use these tools are not run where they are missing.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PACKAGES = ("berkeley-abc", "yosys", "iverilog")
LIBRARY = "$here/usr/lib/*/ivl"
WRAPPERS = {
    "abc": '"$here/usr/bin/berkeley-abc" "$@"',
    "yosys": '"$here/usr/bin/yosys" "$@"',
    "iverilog": f'"$here/usr/bin/iverilog" -B {LIBRARY} "$@"',
    "vvp": f'"$here/usr/bin/vvp" -M {LIBRARY} "$@"',
}


def fetch(folder: Path) -> None:
    """Download the packages and unpack them."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["apt-get", "download", *PACKAGES], cwd=folder, check=True)
    for package in sorted(folder.glob("*.deb")):
        subprocess.run(["dpkg-deb", "-x", package.name, "."], cwd=folder, check=True)


def wrap(folder: Path) -> Path:
    """Scripts that call the tools where they were unpacked."""
    where = folder / "bin"
    where.mkdir(exist_ok=True)
    for name, call in WRAPPERS.items():
        script = where / name
        script.write_text(f'#!/bin/sh\nhere="{folder}"\nexec {call}\n', encoding="utf-8", newline="\n")
        script.chmod(0o755)
    return where


def main() -> int:
    """Fetch and wrap."""
    if len(sys.argv) != 2:
        print("usage: python -m tools.circuit_tools FOLDER")
        return 2
    folder = Path(sys.argv[1]).resolve()
    fetch(folder)
    print(wrap(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
