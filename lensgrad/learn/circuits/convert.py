"""Models over Z as models elsewhere: over another semiring, or over the reals, where they learn; and back to bits."""

from __future__ import annotations

from lensgrad.cat.para import Para
from lensgrad.theories import bridges
from lensgrad.theories.poly.semiring import Semiring


def over(model: Para, semiring: Semiring) -> Para:
    """A model over Z as one over another semiring, by base change: same names, same wiring, first values with it."""
    return model.map(lambda ob: bridges.over(ob, semiring), lambda f: bridges.base_change(f, semiring))


def soften(model: Para, dtype: str = "float32") -> Para:
    """A model over Z as the same polynomial on real numbers; where its weights are 0 or 1 it computes what the circuit does."""
    return model.map(lambda ob: bridges.real(ob, dtype), lambda f: bridges.smooth(f, dtype))
