"""A worker on one core, which it is bound to before anything counts cores: what worker.py takes, after this module's name."""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    from benchmarks.race.worker import main

    main(sys.argv[1:])
