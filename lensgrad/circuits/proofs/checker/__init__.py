"""A checker of proofs that two circuit files are equal, on its own: standard library only, nothing of the rest is imported.

    python -m lensgrad.circuits.proofs.checker left.aig right.blif proof.drat [care.aig]

It reads the files, builds the clauses that say that they differ (numbered as written at the top of `lensgrad/circuits/proofs/miter.py`),
and goes through the proof backwards from the empty clause: each step that this needs must follow by unit propagation (RUP) or keep
satisfiability (RAT, on the first literal of the step; Wetzler, Heule, Hunt 2014). Where a proof is long and the circuits have few
inputs, their outputs are compared on all rows instead, which is shorter. The proof names the digest of each file, so it is a proof about
these files and no others. A file is refused unless it is whole and can be read in one way only.
"""

from .clauses import matched, miter
from .command import check, circuit_of, main
from .files import Rejected, circuit
from .steps import Database, check_steps, coded

__all__ = ["Database", "Rejected", "check", "check_steps", "circuit", "circuit_of", "coded", "main", "matched", "miter"]
