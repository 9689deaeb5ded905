"""The paper's words: what a learner is made of, for those who compose it by hand."""

from lensgrad.cat.lens import Delta, Lens, Pair, delta, two
from lensgrad.cat.names import Role
from lensgrad.cat.para import Para, Param, lens, share
from lensgrad.cat.reverse import R, grad, hvp, jvp, vjp
from lensgrad.core.diagram import Definition, Diagram, Family, Recompute
from lensgrad.core.functor import unfold
from lensgrad.core.trace import trace
from lensgrad.core.ty import I, Ty
from lensgrad.learn.batching import batch
from lensgrad.learn.calculus import jacobian
from lensgrad.learn.iteration import epoch, moved, rate_port, stepping, steps
from lensgrad.learn.model import Model, corner, observe, parametric
from lensgrad.learn.rates import echo, rate, scaled_rate
from lensgrad.learn.ways.derivatives import extrapolated, newton_cg, sam
from lensgrad.theories.smooth.ops import mean, total

__all__ = [
    "Definition", "Delta", "Diagram", "Family", "I", "Lens", "Model", "Pair", "Para", "Param", "R", "Recompute", "Role", "Ty",
    "batch", "corner", "delta", "echo", "epoch", "extrapolated", "grad", "hvp", "jacobian", "jvp", "lens", "mean", "moved", "newton_cg",
    "observe", "parametric", "rate", "rate_port", "sam", "scaled_rate", "share", "stepping", "steps", "total", "trace",
    "two", "unfold", "vjp",
]  # fmt: skip
