"""NIST's 27 nonlinear regressions (StRD) from both starts, against their certified values: `python -m tools.nist`."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np

from lensgrad.core.errors import LensgradError
from lensgrad.theories.smooth import ops
from lensgrad.train.least_squares import fit_curve
from tools.measures import kept

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "data" / "nist"


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


def fitted(name, start):
    """The fit of a set from its first start (0) or its second (1)."""
    *starts, _, rows = read(FOLDER / f"{name}.dat")
    y = np.log(rows[:, 0]) if name == "Nelson" else rows[:, 0]
    x = rows[:, 1:] if name == "Nelson" else rows[:, 1]
    return fit_curve(MODELS[name], x, y, {f"b{i + 1}": v for i, v in enumerate(starts[start])})


def agreement(name, start):
    """How many digits of all parameters a fit has right; 0 where it is refused."""
    try:
        found = fitted(name, start).parameters
    except LensgradError:
        return 0.0
    return digits(np.array(list(found.values())), read(FOLDER / f"{name}.dat")[2])


def table():
    """The digits from both starts, by set."""
    return {name: (agreement(name, 0), agreement(name, 1)) for name in MODELS}


def reached(found, least=6.0):
    """From how many starts so many digits were reached."""
    return sum(d >= least for pair in found.values() for d in pair)


def curves():
    """For the evidence: how many starts reach the certified values, and the digits of each."""
    found = table()
    rows = [f"| {name} | {one:.1f} | {two:.1f} |" for name, (one, two) in found.items()]
    told = f"{reached(found)} of {2 * len(found)} starts to 6 digits or more"
    return kept(reached(found) >= 50, told, ["| set | digits from start 1 | from start 2 |", "| --- | --- | --- |", *rows])


def main():
    found = table()
    for name, pair in found.items():
        print(name.ljust(10), *(f"{d:5.1f}" for d in pair))
    print(f"{reached(found)} of {2 * len(found)} starts to 6 digits or more")


if __name__ == "__main__":
    main()
