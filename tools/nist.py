"""NIST's 27 nonlinear regressions from both starts, against their certified values: `python -m tools.nist FOLDER` with the .dat files."""

from __future__ import annotations

import math
import re
import sys
from pathlib import Path

import numpy as np

from lensgrad.core.errors import LensgradError
from lensgrad.theories.smooth import ops
from lensgrad.train.least_squares import fit_curve


def power(x, n):
    return ops.exp(ops.log(x) * n)


def saturating(x, b1, b2):
    return b1 * (1.0 - ops.exp(-(b2 * x)))


def chwirut(x, b1, b2, b3):
    return ops.exp(-(b1 * x)) / (b2 + b3 * x)


def peaks(x, b1, b2, b3, b4, b5, b6, b7, b8):
    first, second = (x - b4) / b5, (x - b7) / b8
    return b1 * ops.exp(-(b2 * x)) + b3 * ops.exp(-(first * first)) + b6 * ops.exp(-(second * second))


def exponentials(x, b1, b2, b3, b4, b5, b6):
    return b1 * ops.exp(-(b2 * x)) + b3 * ops.exp(-(b4 * x)) + b5 * ops.exp(-(b6 * x))


def cubics(x, b1, b2, b3, b4, b5, b6, b7):
    return (b1 + x * (b2 + x * (b3 + x * b4))) / (x * (b5 + x * (b6 + x * b7)) + 1.0)


def quadratics(x, b1, b2, b3, b4, b5):
    return (b1 + x * (b2 + x * b3)) / (x * (b4 + x * b5) + 1.0)


def wave(x, a, b, period):
    return a * ops.cos(x * (2 * math.pi) / period) + b * ops.sin(x * (2 * math.pi) / period)


def enso(x, b1, b2, b3, b4, b5, b6, b7, b8, b9):
    year = b2 * ops.cos(x * (2 * math.pi / 12)) + b3 * ops.sin(x * (2 * math.pi / 12))
    return b1 + year + wave(x, b5, b6, b4) + wave(x, b8, b9, b7)


def eckerle(x, b1, b2, b3):
    z = (x - b3) / b2
    return b1 / b2 * ops.exp(z * z * -0.5)


MODELS = {
    "Bennett5": lambda x, b1, b2, b3: b1 * power(b2 + x, -1.0 / b3),
    "BoxBOD": saturating, "Chwirut1": chwirut, "Chwirut2": chwirut,
    "DanWood": lambda x, b1, b2: b1 * power(x, b2),
    "ENSO": enso, "Eckerle4": eckerle, "Gauss1": peaks, "Gauss2": peaks, "Gauss3": peaks, "Hahn1": cubics, "Kirby2": quadratics,
    "Lanczos1": exponentials, "Lanczos2": exponentials, "Lanczos3": exponentials,
    "MGH09": lambda x, b1, b2, b3, b4: b1 * (x * x + x * b2) / (x * x + x * b3 + b4),
    "MGH10": lambda x, b1, b2, b3: b1 * ops.exp(b2 / (x + b3)),
    "MGH17": lambda x, b1, b2, b3, b4, b5: b1 + b2 * ops.exp(-(x * b4)) + b3 * ops.exp(-(x * b5)),
    "Misra1a": saturating,
    "Misra1b": lambda x, b1, b2: b1 * (1.0 - 1.0 / ((b2 * x * 0.5 + 1.0) * (b2 * x * 0.5 + 1.0))),
    "Misra1c": lambda x, b1, b2: b1 * (1.0 - 1.0 / ops.sqrt(b2 * x * 2.0 + 1.0)),
    "Misra1d": lambda x, b1, b2: b1 * b2 * x / (b2 * x + 1.0),
    "Nelson": lambda x1, x2, b1, b2, b3: b1 - b2 * x1 * ops.exp(-(b3 * x2)),
    "Rat42": lambda x, b1, b2, b3: b1 / (ops.exp(b2 - b3 * x) + 1.0),
    "Rat43": lambda x, b1, b2, b3, b4: b1 / power(ops.exp(b2 - b3 * x) + 1.0, 1.0 / b4),
    "Roszman1": lambda x, b1, b2, b3, b4: b1 - b2 * x - ops.atan(b3 / (x - b4)) * (1 / math.pi),
    "Thurber": cubics,
}  # fmt: skip


def read(path):
    """The two starts, the certified values and the rows of a file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    found = [re.findall(r"[-+]?\d[\d.]*(?:E[-+]?\d+)?", x.split("=")[1]) for x in lines[40:60] if re.match(r"\s*b\d\s*=", x)]
    table = np.array([[float(v) for v in row] for row in found])
    rows = np.array([[float(v) for v in x.split()] for x in lines[60:] if x.strip()])
    return table[:, 0], table[:, 1], table[:, 2], rows


def digits(found, certified):
    """How many digits agree, at most 11."""
    off = np.abs(found - certified) / np.abs(certified)
    return float(min(11.0, -np.log10(max(off.max(), 1e-11))))


def main(folder):
    good = 0
    for name, model in MODELS.items():
        one, two, certified, rows = read(Path(folder) / f"{name}.dat")
        y = np.log(rows[:, 0]) if name == "Nelson" else rows[:, 0]
        x = rows[:, 1:] if name == "Nelson" else rows[:, 1]
        told = []
        for start in (one, two):
            try:
                fit = fit_curve(model, x, y, {f"b{i + 1}": v for i, v in enumerate(start)})
                agreed = digits(np.array(list(fit.parameters.values())), certified)
            except LensgradError:
                agreed = 0.0
            good += agreed >= 6
            told.append(f"{agreed:5.1f}")
        print(name.ljust(10), *told)
    print(f"{good} of 54 starts to 6 digits or more")


if __name__ == "__main__":
    main(sys.argv[1])
