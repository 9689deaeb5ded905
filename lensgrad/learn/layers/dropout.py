"""Dropout: randomness as a parameter, written back like any state."""

from __future__ import annotations

from typing import Any

from lensgrad.cat.names import Param, Role
from lensgrad.core.calls import in_words
from lensgrad.core.checks import share
from lensgrad.core.diagram import Diagram, Family
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.learn.layers.parts import FOREIGN, layer, one_array, titled
from lensgrad.learn.model import Model
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Key

KEY = Ty((Key(),))


@in_words(FOREIGN)
def dropout(rate: float = 0.5, name: str = "") -> Family:
    """x · m / (1 − rate) : A → A with m = 0 at each entry with probability `rate`, else 1; the identity when predicting.

    The parameter `key` (role key) is read once a step and its successor is the observable `key`, so every step draws
    anew; in a batch every example has its own mask (Srivastava et al., JMLR 15, 2014, in the inverted form).
    """
    what = titled("dropout", name)
    by = share(f"the rate of {what}", rate)

    def build(dom: Ty) -> Model:
        one_array(what, dom)
        return Model.make([Param("key", KEY, Role.KEY)], trace(lambda k, x: dropped(k, x, by), KEY, dom), dom, [("key", KEY)])

    return layer("dropout", name, build, lambda dom: Diagram.wiring(KEY @ dom, [1, 0]))


def dropped(key: Any, x: Any, rate: float) -> tuple[Any, Any]:
    """x with entries dropped, and the next key."""
    now, later = ops.split(key)
    kept = ops.uniform(now, x.atom.shape, x.atom.dtype) >= rate
    return ops.select(kept, x * (1.0 / (1.0 - rate)), 0.0), later
