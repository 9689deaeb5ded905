"""Models over Z as models elsewhere: over another semiring, or over the reals, where they learn; and back to bits."""

from __future__ import annotations

from math import inf

from lensgrad.cat.para import Para, para
from lensgrad.core.errors import BadValue
from lensgrad.core.trace import trace
from lensgrad.theories import bridges
from lensgrad.theories.poly.semiring import Semiring


def over(model: Para, semiring: Semiring) -> Para:
    """A model over Z as one over another semiring, by base change: same names, same wiring, first values with it."""
    return model.map(lambda ob: bridges.over(ob, semiring), lambda f: bridges.base_change(f, semiring))


def soften(model: Para, dtype: str = "float32", temperature: float = 1.0) -> Para:
    """A model over Z as the same polynomial on real numbers; where its weights are 0 or 1 it computes what the circuit does.

    Its results are divided by a temperature, which makes logits of votes: with many gates a class, one of about their square root.
    """
    if not isinstance(temperature, int | float) or not 0 < temperature < inf:
        raise BadValue(f"votes are divided by a temperature above 0, got {temperature!r}")
    soft = model.map(lambda ob: bridges.real(ob, dtype), lambda f: bridges.smooth(f, dtype))
    return soft if temperature == 1 else soft >> para(trace(lambda *votes: tuple(v * (1.0 / temperature) for v in votes), soft.cod))
