"""Code of a user's own at the top of a module, where pickles find it."""

from lensgrad.core.op import Op, generator
from lensgrad.core.ty import Ty


@generator
class Tripled(Op):
    """x ↦ 3x"""

    def type(self, *dom):
        return Ty(dom)

    def adjoint(self, *dom):
        return self

    def batch(self, n, flags, x):
        return self(x)


def worst(outputs, labels):
    return float(abs(outputs - labels).max())
