"""Weights on losses: of examples, as one more port of data, and of outputs, as numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lensgrad.cat.body import Body
from lensgrad.cat.names import Param, Role
from lensgrad.cat.para import P, Para, para
from lensgrad.core.diagram import Family, at, flatten
from lensgrad.core.errors import BadValue, TypeMismatch, listed
from lensgrad.core.graph import Wire
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.theories.smooth.array import Array


def weighted(task: P, label: str = "sample_weight") -> P:
    """(w, p) ↦ w · task(p) : I → ℝ, for a task with the loss of one example as its result; w is data.

    Batched and averaged it is Σ w l / n with n the number of examples, as in Keras: a weight of 2 counts an example twice in the
    sum and once in n. (PyTorch's weight= of a loss divides by Σ w instead.) What it reports as `loss` is w · l.
    """
    body = task.body
    loss = body.arrow.cod[0] if len(task.cod) == 1 else None
    if not isinstance(loss, Array) or not loss.floating or loss.shape:
        raise TypeMismatch(f"weights multiply the loss of one example, a single float, and this loss is {task.cod}")
    if label in task.names:
        raise BadValue(f"'{label}' is the name of the weights of examples, and this learner has a parameter of that name: rename it")
    names = ["", *(n for n, ob in body.observables for _ in ob)]

    def times(*wires: Wire) -> tuple[Wire, ...]:
        weight, outs = wires[-1], flatten(body.arrow(*wires[:-1]))
        return tuple(w * weight if n in ("", "loss") and w.atom == loss else w for n, w in zip(names, outs, strict=True))

    arrow = trace(times, *(Ty((a,)) for a in body.arrow.dom), Ty((loss,)))
    params = (*body.params, Param(label, Ty((loss,)), Role.DATA))
    return type(task)(task.dom, task.cod, Body(params, arrow, body.observables), piece=task.piece, ends=task.ends)


def together(losses: Mapping[str, Family], shares: Sequence[float]) -> Family:
    """Σ cᵢ lᵢ : B₁ ⊗ … ⊗ Bₙ → ℝ for losses lᵢ of the outputs Bᵢ; it reports `loss` and, for each output, `name/loss`."""

    def build(dom: Ty) -> Para:
        if len(dom) != len(losses):
            raise TypeMismatch(f"there are losses for {listed(list(losses))}, and the model gives {dom}: one loss for each output")
        parts = [prefixed(para(at(f, Ty((a,)))), name) for (name, f), a in zip(losses.items(), dom, strict=True)]
        whole = parts[0].tensor(*parts[1:])
        if any(a != whole.cod[0] for a in whole.cod) or len(whole.cod) != len(losses):
            raise TypeMismatch(f"losses are added, so they must be of one type, got {whole.cod}")

        def total(*values: Any) -> Any:
            found = sum((v * c for v, c in zip(values[1:], shares[1:], strict=True)), values[0] * shares[0])
            return found, found

        one = Ty(whole.cod.atoms[:1])
        add = Para.make((), trace(total, *(Ty((a,)) for a in whole.cod)), one, [("loss", one)])
        return (whole >> add).told("losses")

    return Family("losses", build)


def prefixed(f: Para, name: str) -> Para:
    """The same arrow with `name/` before its observables; its label keeps its name."""
    body = f.body
    seen = tuple((f"{name}/{label}", ob) for label, ob in body.observables)
    return Para(f.dom, f.cod, Body(body.params, body.arrow, seen), piece=f.piece, ends=f.ends)
