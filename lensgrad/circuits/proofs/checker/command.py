"""Files and a proof, accepted or rejected."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from .clauses import miter
from .files import Circuit, Rejected, circuit, require
from .rows import same_on_all_rows
from .steps import check_steps

Place = str | PathLike[str]
FEW_INPUTS, LONG = 16, 5000  # up to so many inputs, a proof of more steps is replaced by all rows


def check(left: Place, right: Place, proof: Place, care: Place | None = None) -> int:
    """Accept the files and return how many clauses (or, where that is shorter, rows) were checked, or raise `Rejected` with the reason."""
    return checked(left, right, proof, care)[0]


def checked(left: Place, right: Place, proof: Place, care: Place | None) -> tuple[int, str]:
    """How many of what were checked."""
    raws = {name: Path(path).read_bytes() for name, path in (("left", left), ("right", right), ("care", care)) if path is not None}
    lines = list(enumerate(Path(proof).read_text(encoding="ascii", errors="replace").split("\n"), 1))
    said = {w[1]: w[2] for _, line in lines if line.startswith("c ") and len(w := line.split()) == 3}
    for name, raw in raws.items():
        require(said.get(name) == hashlib.sha256(raw).hexdigest(), f"the proof is about another {name} file")
    require(set(said) & {"left", "right", "care"} == set(raws), "the proof is about a care set, and none was given")
    first, second, *third = [circuit_of(raw) for raw in raws.values()]
    counts = third[0] if third else None
    clauses = miter(first, second, counts)
    steps = [(n, line) for n, line in lines if line.strip() and not line.startswith("c")]
    if len(first[0]) <= FEW_INPUTS and len(steps) > LONG:
        return same_on_all_rows(first, second, counts), "rows"
    return check_steps(clauses, steps), "clauses"


def circuit_of(raw: bytes) -> Circuit:
    """The circuit in a file, or `Rejected` whatever is wrong with it."""
    try:
        return circuit(raw)
    except (ValueError, KeyError, IndexError, AttributeError, TypeError) as wrong:
        raise Rejected("a circuit file is malformed") from wrong


def main(args: Sequence[str]) -> int:
    """The command: exit code 0 where the proof is accepted, 1 where it is rejected."""
    if len(args) not in (3, 4):
        print("usage: python -m lensgrad.circuits.proofs.checker LEFT RIGHT PROOF [CARE]")
        return 2
    try:
        count, what = checked(args[0], args[1], args[2], args[3] if len(args) > 3 else None)
        print(f"accepted: {count} {what} checked")
        return 0
    except Rejected as why:
        print(f"rejected: {why}")
        return 1
    except OSError as why:
        print(f"rejected: cannot read '{why.filename}': {why.strerror}")
        return 1
