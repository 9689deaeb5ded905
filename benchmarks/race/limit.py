"""How fast this machine can multiply and add, and what it is, in general terms."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lensgrad.backends.native import compiler as native
from lensgrad.backends.native.crew import processors

CHAINS = 10  # of vectors that do not wait for each other, and with two constants fit into the fewest registers
ROUNDS, TURNS = 10, 10_000_000
LOOP = """
typedef float V __attribute__((vector_size(4 * LANES)));
float multiply_add(long n, float a, float b) {
    V zero = {0}, p = zero + a, q = zero + b, x[CHAINS];
    for (int i = 0; i < CHAINS; i++) x[i] = zero + (float)i;
    for (long k = 0; k < n; k++)
        for (int i = 0; i < CHAINS; i++) x[i] = x[i] * p + q;
    for (int i = 0; i < CHAINS; i++) zero += x[i];
    return zero[0];
}
"""


def peak(cores: int) -> float | None:
    """Operations a second in float32 on so many cores: the best of some rounds, of vectors that stay in registers.

    A multiply-add is two operations. None where there is no C compiler.
    """
    found = native.compiler()
    if found is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        source, made = Path(folder) / "limit.c", Path(folder) / "limit.so"
        source.write_text(LOOP, encoding="utf-8")
        lanes = (vector_bits() or 128) // 32
        flags = ["-O3", "-march=native", "-ffp-contract=fast", "-shared", "-fPIC", f"-DLANES={lanes}", f"-DCHAINS={CHAINS}"]
        if subprocess.run([*found, *flags, "-o", str(made), str(source)], capture_output=True, check=False).returncode:
            return None
        loop = ctypes.CDLL(str(made)).multiply_add
        loop.restype = ctypes.c_float
        return max(rate(loop, lanes, cores) for _ in range(ROUNDS))


def rate(loop: Any, lanes: int, cores: int) -> float:
    """Operations a second of one round."""
    with ThreadPoolExecutor(cores) as pool:
        began = time.perf_counter()
        list(pool.map(lambda _: loop(ctypes.c_long(TURNS), ctypes.c_float(0.5), ctypes.c_float(0.5)), range(cores)))
        return 2.0 * lanes * CHAINS * TURNS * cores / (time.perf_counter() - began)


def machine() -> dict[str, Any]:
    """The machine in general terms, and its limits."""
    cores = processors()
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": cores,
        "vectors": vector_bits(),
        "memory": memory_gib(),
        "python": platform.python_version(),
        "peak": {"1": peak(1), str(cores): peak(cores)},
    }


def vector_bits() -> int | None:
    """How wide vectors are, where the system tells."""
    features = native.processor().lower()
    widths = {"avx512f": 512, "avx2": 256, "asimd": 128, "neon": 128, "sse2": 128}
    return next((bits for name, bits in widths.items() if name in features), None)


def memory_gib() -> int | None:
    """How much memory there is, where the system tells."""
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return None
    return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30)
