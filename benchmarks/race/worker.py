"""One competitor in its process: it trains a first epoch, says what it saw, and then runs whenever it is asked to.

    python -m benchmarks.race.worker ARRAYS WORKLOAD COMPETITOR

ARRAYS is a file of data and first values. Messages are lines of JSON. The worker says four: what making it took and its first
call, that an epoch is done, the loss after as many steps as losses are compared at with how far the weights have moved, and that it
is ready. Then it answers {"train": seconds}, {"predict": batch, "seconds": …} and {"end": true}.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TextIO

import numpy as np

from benchmarks.race.competitors import COMPETITORS, Competitor
from benchmarks.race.contract import Array, Arrays, Peer
from benchmarks.race.workloads import WORKLOADS, Workload

Answer = dict[str, Any]
DATA, START = "data/", "start/"  # what names in the file begin with


def main(args: Sequence[str]) -> None:
    """Work until told to end, or until the other side is gone."""
    path, workload, name = args
    out = own_output()
    warnings.filterwarnings("ignore")
    try:
        with np.load(path) as file:
            arrays = {key: file[key] for key in file.files}
        work(WORKLOADS[workload], COMPETITORS[name], arrays, sys.stdin, lambda answer: print(json.dumps(answer), file=out, flush=True))
    except Exception as error:
        print(json.dumps({"failed": f"{type(error).__name__}: {error}"}), file=out, flush=True)
        raise


def own_output() -> TextIO:
    """Where messages go. Whatever a library prints goes where errors do."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return out


def work(workload: Workload, competitor: Competitor, arrays: Arrays, inputs: TextIO, say: Callable[[Answer], None]) -> None:
    """The life of a worker."""
    data, start = ({key.removeprefix(kind): v for key, v in arrays.items() if key.startswith(kind)} for kind in (DATA, START))
    racer = Racer(workload, data)
    say(racer.begin(competitor, start))
    say({"epoch": True})
    say(racer.check())
    say(racer.settle())
    for line in inputs:
        asked = json.loads(line)
        if "end" in asked:
            say({"memory": memory()})
            return
        say(racer.predicting(asked["predict"], asked["seconds"]) if "predict" in asked else racer.training(asked["train"]))


@dataclass
class Racer:
    """A peer, and what is known of its pace."""

    workload: Workload
    data: Arrays

    def begin(self, competitor: Competitor, start: Arrays) -> Answer:
        """Import, make, and train an epoch."""
        module, importing = clocked(lambda: import_module(f"benchmarks.race.peers.{competitor.module}"))
        self.peer, making = clocked(lambda: module.make(self.workload, competitor.variant, self.data, start))
        self.first = norms(self.peer)
        self.loss, first = clocked(lambda: self.peer.run(self.peer.quantum))
        left = self.workload.steps - self.peer.quantum
        if left:
            self.loss = self.peer.run(left)
        return {"import": importing, "make": making, "first": first, "versions": versions(module.PACKAGES)}

    def check(self) -> Answer:
        """What others must agree with."""
        left = self.workload.check - self.workload.steps
        if left:
            self.loss = self.peer.run(left)
        return {"loss": self.loss if math.isfinite(self.loss) else None, "moved": distance(self.first, norms(self.peer))}

    def settle(self) -> Answer:
        """Run as rounds will, so that none of them compiles, and see how long a step takes."""
        n = self.peer.at_once
        if n > 1:
            self.peer.run(n)
        _, took = clocked(lambda: self.peer.run(n))
        self.pace = took / n
        return {"ready": True}

    def training(self, seconds: float) -> Answer:
        """About so many seconds of steps from the first values on, and the seconds of one."""
        calls = max(1, round(seconds / self.pace / self.peer.at_once))
        n = calls * self.peer.at_once
        self.peer.reset()
        found = timed(lambda: self.peer.run(n), n)
        self.pace = found["seconds"]
        return found

    def predicting(self, batch: int, seconds: float) -> Answer:
        """The same of predictions for a batch, with a number that tells whether outputs are those of others."""
        x = self.examples(batch)
        self.peer.reset()
        self.peer.predict(x)
        out, once = clocked(lambda: self.peer.predict(x))
        n = max(1, round(seconds / max(once, 1e-7)))
        found = timed(lambda: [self.peer.predict(x) for _ in range(n)], n)
        return found | {"outputs": float(np.linalg.norm(out.astype(np.float64)))}

    def examples(self, batch: int) -> Array:
        """So many rows of the data, from the beginning again where they are few."""
        rows = self.data["x"].reshape(-1, *self.data["x"].shape[2:])
        return np.ascontiguousarray(np.resize(rows, (batch, *rows.shape[1:])))


# -- measures ----------------------------------------------------------------------------------------------------------


def clocked(job: Callable[[], Any]) -> tuple[Any, float]:
    """What a job gives, and its seconds."""
    began = time.perf_counter()
    found = job()
    return found, time.perf_counter() - began


def timed(job: Callable[[], Any], n: int) -> Answer:
    """The seconds of one of n, by the clock and on processors."""
    busy, began = time.process_time(), time.perf_counter()
    job()
    clock, busy = time.perf_counter() - began, time.process_time() - busy
    return {"seconds": clock / n, "busy": busy / n, "count": n}


def norms(peer: Peer) -> list[Array]:
    """The weights, as numbers of double precision."""
    return [np.asarray(w, np.float64) for w in peer.weights()]


def distance(a: Sequence[Array], b: Sequence[Array]) -> float:
    """How far apart weights are; their order and layout do not matter."""
    return math.sqrt(sum(float(np.sum((x - y) ** 2)) for x, y in zip(a, b, strict=True)))


def memory() -> float | None:
    """The largest part of memory that this process had, in MiB; nothing where the system does not tell."""
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def versions(packages: Sequence[str]) -> dict[str, str]:
    """The versions of packages that are installed."""
    found: dict[str, str] = {}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = getattr(sys.modules.get(name), "__version__", "?")
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
