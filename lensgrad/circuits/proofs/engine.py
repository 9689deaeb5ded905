"""The SAT solver, which is an extra."""

from __future__ import annotations

from typing import Any

from lensgrad.core.errors import MissingExtra


def solver() -> Any:
    """The class of solvers, or an error that names the extra it comes with."""
    try:
        from pysat.solvers import Solver  # pyright: ignore[reportMissingImports, reportMissingTypeStubs]
    except ImportError as error:
        raise MissingExtra("proofs need a SAT solver, which is not installed: pip install 'lensgrad[sat]'") from error
    return Solver
