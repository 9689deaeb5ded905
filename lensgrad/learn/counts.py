"""How many examples ask for a change of each parameter: the reverse derivative with the last sum taken over Z."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lensgrad.cat.names import Role
from lensgrad.cat.para import Para
from lensgrad.cat.reverse import reverse
from lensgrad.core.diagram import Diagram, flatten
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty, product
from lensgrad.learn.batching import many
from lensgrad.theories.poly.circuit import Count, Vector
from lensgrad.theories.smooth.batch import batch_all, spread


def counted(f: Para, n: int, covectors: int = 1) -> Diagram:
    """P × Aⁿ × ΔBⁿ × … → Z^P × … for f : (P, A → B) over a semiring S: for each covector, R[f] at each example, summed over Z.

    Over Z2 an entry says at how many examples the reverse derivative of that weight is 1. R of the batched arrow adds the same
    terms in S, so it is the image of the counts under Z → S: the counts modulo 2 over Z2, cut off at k − 1 over Sat_k. With the
    errors e and 1 + e as covectors the counts are how many examples flipping a bit would repair, and how many it would spoil,
    first-order (exactly, where the bit comes in multilinearly). Parameters of role data have a row for each example, as A has.
    """
    check(f, n)
    weights = [p.role is Role.WEIGHT for p in f.params for _ in p.ob]
    into = [*weights, *(False for _ in f.dom)]
    ends = [True] * len(f.cod) + [False] * (len(f.arrow.cod) - len(f.cod))
    pulled = reverse(batch_all(f.arrow, n), into, ends)

    def body(*wires: Any) -> Any:
        inputs, dys = rows(f, n, wires), wires[len(into) :]
        answers = [flatten(pulled(*inputs, *dys[k : k + len(f.cod)])) for k in range(0, len(dys), len(f.cod))]
        return [Count(w.atom.semiring)(w) for answer in answers for w in answer]

    return trace(body, *given(f, n), *(Ty((a,)) for a in product([many(f.cod, n)] * covectors)))


def repairing(f: Para, n: int) -> Diagram:
    """P × Aⁿ × Bⁿ → Z^P × Z^P for f : (P, A → B) over Z2 and wanted outputs: the counts for the errors e, and for 1 + e."""
    check(f, n)
    twice, get = counted(f, n, 2), batch_all(f.arrow, n)

    def body(*wires: Any) -> Any:
        inputs, wanted = wires[: len(f.arrow.dom)], wires[len(f.arrow.dom) :]
        errors = [a + b for a, b in zip(flatten(get(*rows(f, n, wires)))[: len(f.cod)], wanted, strict=True)]
        return twice(*inputs, *errors, *(e + 1 for e in errors))

    return trace(body, *given(f, n), *(Ty((a,)) for a in many(f.cod, n)))


def check(f: Para, n: int) -> None:
    if type(n) is not int or n < 1:
        raise BadValue(f"counting needs a whole number of examples ≥ 1, got {n}")
    strange = [a for a in (*f.arrow.dom, *f.cod) if not isinstance(a, Vector)]
    if strange:
        raise TypeMismatch(f"counting is for circuits over a semiring, and this arrow has a wire of type {strange[0]}")


def shared(f: Para) -> list[bool]:
    """Which inputs of the arrow are one for all examples."""
    return [p.role is not Role.DATA for p in f.params for _ in p.ob] + [False for _ in f.dom]


def given(f: Para, n: int) -> list[Ty]:
    return [Ty((a,)) if s else many(Ty((a,)), n) for a, s in zip(f.arrow.dom, shared(f), strict=True)]


def rows(f: Para, n: int, wires: Sequence[Any]) -> list[Any]:
    """The inputs of the arrow with a row for each example."""
    return [spread(w, n) if s else w for w, s in zip(wires, shared(f), strict=False)]
