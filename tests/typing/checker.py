"""Run pyright on a program, offline."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def pyright() -> str | None:
    """The command, from the environment of these tests."""
    return shutil.which("pyright", path=str(Path(sys.executable).parent)) or shutil.which("pyright")


def messages(folder: Path, text: str) -> list[tuple[int, str, str]]:
    """(line, severity, message) of a program that is checked strictly against this source tree."""
    program = folder / "program.py"
    program.write_text(text, encoding="utf-8")
    settings = {"include": ["program.py"], "extraPaths": [str(ROOT)], "pythonVersion": "3.11", "typeCheckingMode": "standard"}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    command = [str(pyright()), "--outputjson", "--pythonpath", sys.executable, "--project", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)["generalDiagnostics"]
    return [(d["range"]["start"]["line"] + 1, d["severity"], d["message"]) for d in found]


def untyped(message: str) -> bool:
    """Whether a type is open in part, where it is not the shape or the entries of a NumPy array."""
    return bool(re.search(r"\b(Any|Unknown)\b", re.sub(r"\bdtype\[Any\]|\bndarray\[(tuple\[)?Any\b(, \.\.\.\])?(, Any\b)?", "", message)))
