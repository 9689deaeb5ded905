"""A wheel, built and tried: in an environment of its own, in an empty folder, without the source tree, the demo runs.

`python -m tools.wheel` builds one, `python -m tools.wheel FOLDER` tries the one that lies in FOLDER.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
PIP = ("-m", "pip", "--disable-pip-version-check", "--quiet")
EXPECTED = "accuracy"


def told(*command: str | Path, cwd: Path | None = None) -> str:
    """What a command prints; its errors end this program."""
    clean = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")}
    ran = subprocess.run([str(c) for c in command], cwd=cwd, env=clean, capture_output=True, text=True, encoding="utf-8", check=False)
    if ran.returncode:
        sys.exit(f"{' '.join(map(str, command))} fails:\n{ran.stdout}{ran.stderr}")
    return ran.stdout


def built(folder: Path) -> Path:
    """The wheel of this tree, and of nothing that an earlier build left there."""
    shutil.rmtree(ROOT / "build" / "lib", ignore_errors=True)
    told(sys.executable, *PIP, "wheel", "--no-deps", "--wheel-dir", folder, ROOT)
    return next(folder.glob("lensgrad-*.whl"))


def tried(wheel: Path, folder: Path) -> str:
    """What the demo of an installed wheel prints, run from an empty folder."""
    home, empty = folder / "env", folder / "empty"
    empty.mkdir()
    venv.create(home, with_pip=True)
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    told(python, *PIP, "install", wheel)
    where = told(python, "-c", "import lensgrad; print(lensgrad.__file__)", cwd=empty).strip()
    if not Path(where).is_relative_to(home):
        sys.exit(f"the wheel was not what ran, but {where}")
    return told(python, "-m", "lensgrad", "demo", cwd=empty)


def main() -> int:
    """Build or take a wheel, try it, and print its size and the demo's last line."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        given = [Path(a) for a in sys.argv[1:]]
        wheel = next(given[0].glob("lensgrad-*.whl")) if given else built(folder)
        last = tried(wheel, folder).strip().splitlines()
    found = [line for line in last if EXPECTED in line]
    print(f"{wheel.name}: installed and run without the source tree: {found[-1] if found else last[-1]}")
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
