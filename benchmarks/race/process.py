"""A worker seen from outside: started, asked, and given up where it is silent for too long."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryFile
from threading import Thread
from typing import Any

from benchmarks.race.competitors import Competitor

ROOT = Path(__file__).resolve().parents[2]
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "LENSGRAD_THREADS")
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu", "PYTHONWARNINGS": "ignore"}


class Lost(Exception):
    """A worker that will not answer, and why."""


class Process:
    """One worker. Lines that it says are read as they come, so that waiting for one can end."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        self.log = TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115  it lives as long as the process
        self.lines, self.began = SimpleQueue[str](), time.perf_counter()
        how: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "encoding": "utf-8"}
        self.process = subprocess.Popen(list(command), stderr=self.log, env=environment, cwd=ROOT, **how)
        Thread(target=self.read, daemon=True).start()

    def read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put("")

    def hear(self, patience: float) -> dict[str, Any]:
        """The next message."""
        try:
            line = self.lines.get(timeout=patience)
        except Empty:
            raise Lost(f"it said nothing for {patience:.0f} s") from None
        if not line:
            raise Lost(self.last_words())
        said = json.loads(line)
        if "failed" in said:
            raise Lost(said["failed"].splitlines()[0])
        return said

    def ask(self, patience: float, **message: Any) -> dict[str, Any]:
        """The answer to a message."""
        assert self.process.stdin
        try:
            print(json.dumps(message), file=self.process.stdin, flush=True)
        except OSError:
            raise Lost(self.last_words()) from None
        return self.hear(patience)

    def last_words(self) -> str:
        """The end of what a process that is gone wrote where errors go."""
        code = self.process.wait()
        self.log.seek(0)
        lines = [line.strip() for line in self.log.read().splitlines() if line.strip()]
        return lines[-1] if lines else f"its process ended with {code}"

    def end(self) -> None:
        """Whatever it does, it does no longer."""
        self.process.kill()
        self.process.communicate()
        self.log.close()


def worker(competitor: Competitor, python: str, arrays: Path, workload: str, one_core: bool, caches: Path) -> Process:
    """The process of a competitor, with caches of compiled code of its own."""
    module = "benchmarks.race.pinned" if one_core else "benchmarks.race.worker"
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    folders = {name: str(caches / name.lower()) for name in ("TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR", "LENSGRAD_CACHE", "KERAS_HOME")}
    threads = dict.fromkeys(THREADS, "1") if one_core else {}
    environment = {**os.environ, **QUIET, **folders, **threads, **competitor.environment, "PYTHONPATH": path}
    return Process([python, "-m", module, str(arrays), workload, competitor.name], environment)


def python_of(competitor: Competitor, peers: str) -> str:
    """Ours runs on this Python, peers on theirs."""
    return sys.executable if competitor.ours else peers
