"""How a line of a printed step is called by what it computes, what may stand inside of another line, and the bodies of loops."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from lensgrad.backends import kernels
from lensgrad.backends.helpers import RESERVED, functions_of
from lensgrad.backends.source import Layout, free, identifier
from lensgrad.core.diagram import Diagram
from lensgrad.core.functor import unfold
from lensgrad.core.graph import BACK, Node
from lensgrad.program.phases import Phase, makers
from lensgrad.program.taps import snake
from lensgrad.theories.smooth.linear import Spread
from lensgrad.theories.smooth.scan import Scan

WORDS = {  # what the results of generators are called
    "Add": "sum", "Sub": "difference", "Mul": "product", "Div": "quotient", "Neg": "negative", "Einsum": "product", "Sum": "total",
    "Spread": "repeated", "Select": "chosen", "Compare": "mask", "Cast": "cast", "Exp": "exponential", "Log": "logarithm", "Sqrt": "root",
    "Rsqrt": "inverse_root", "Expm1": "exponential_less_1", "IntegerPower": "power", "Convolve": "convolution", "AMax": "largest",
    "LogSoftmax": "log_probabilities", "LogSumExp": "log_total", "OneHot": "targets", "ArgMax": "likeliest", "Take": "rows",
    "ScatterAdd": "scattered", "Scan": "loop", "Reshape": "reshaped", "Transpose": "transposed", "Logistic": "sigmoid", "Full": "constant",
}  # fmt: skip
CALLS = ("Exp", "Expm1", "Log", "Log1p", "Sqrt", "Tanh", "Abs", "Logistic")
INNER = frozenset(("Add", "Sub", "Mul", "Div", "Neg", "Einsum", "Cast", *CALLS))  # what may stand in a line of OUTER
OUTER = frozenset(("Add", "Sub", "Mul", "Div", "Neg", "Select", "Maximum", "Minimum", *CALLS))
TAKEN = frozenset({*RESERVED, *functions_of(kernels), "step", "train", "values", "batches"})


@dataclass(frozen=True)
class Part:
    """Where a node stands: its phase, and the path of its layer, or the weight that it moves."""

    phase: Phase
    path: tuple[str, ...]

    @property
    def group(self) -> tuple[Phase, str]:
        """What one comment stands above."""
        return self.phase, self.path[0] if self.path else ""


def word_of(node: Node) -> str:
    """What the result of a node is called by what it computes."""
    return WORDS.get(node.op.name, snake(node.op.name))


def told_apart(wanted: Sequence[str], first: int, without: Collection[int]) -> list[str]:
    """Names for wires, all different: those from `first` on get numbers where they are alike, those without a line take what is left."""
    names = list(wanted)
    lines = [*(w for w in range(first, len(wanted)) if w not in without), *sorted(without)]
    taken, found = {*TAKEN, *wanted[:first]}, Counter[str]()
    times = Counter(wanted[w] for w in lines[: len(wanted) - first - len(without)])
    for w in lines:
        name = wanted[w]
        found[name] += 1
        names[w] = free(f"{name}_{found[name]}" if times[name] > 1 or found[name] > 1 else name, taken)
        taken.add(names[w])
    return names


def broadcast(f: Diagram) -> frozenset[int]:
    """The wires that repeat an array only for elementwise generators beside arrays of the full shape: NumPy does that by itself."""
    start, made, full = len(f.dom), dict[int, int](), set[int]()
    for i, node in enumerate(f.nodes):
        if isinstance(node.op, Spread):
            made[start] = i
        start += len(node.cod)
    kept, owner = set(f.outs), makers(f)
    constant = {w for w, i in enumerate(owner) if i >= 0 and not f.nodes[i].args}
    for node in f.nodes:
        here = [a for a in node.args if a in made]
        whole = any(a not in made and a not in constant for a in node.args)
        if here and not (getattr(node.op, "arity", 0) and whole):
            full.update(here)
    return frozenset(w for w in made if w not in full and w not in kept and f.nodes[made[w]].args[0] not in made)


def inside(f: Diagram, parts: Sequence[Part]) -> frozenset[int]:
    """The wires that one elementwise generator of the same part reads once: they may stand in its line."""
    found, wire, owner, kept = set[int](), len(f.dom), makers(f), set(f.outs)
    readers: dict[int, list[int]] = {}
    for i, node in enumerate(f.nodes):
        for a in node.args:
            readers.setdefault(a, []).append(i)
    for i, node in enumerate(f.nodes):
        if node.op.name in INNER and len(readers.get(wire, ())) == 1 and wire not in kept:
            reader = readers[wire][0]
            if f.nodes[reader].op.name in OUTER and parts[reader].group == parts[i].group and parts[reader].path == parts[i].path:
                found.add(wire)
        wire += len(node.cod)
    return frozenset(found - {w for w in found if owner[w] < 0})


# -- loops -------------------------------------------------------------------------------------------------------------


def bodies(f: Diagram) -> dict[Diagram, tuple[list[str], Layout]]:
    """The arguments and the layout of each body of a loop in a program, and in these."""
    found: dict[Diagram, tuple[list[str], Layout]] = {}
    for node in f.nodes:
        if isinstance(node.op, Scan) and node.op.body not in found:
            body = unfold(node.op.body)
            found |= {node.op.body: body_told(body, node.op), **bodies(body)}
    return found


def body_told(f: Diagram, op: Scan) -> tuple[list[str], Layout]:
    """The arguments of the body of a loop, and its layout: what goes round, what all steps share, and the rows of this step."""
    kinds = [("carry", op.carries), ("shared", op.shared), ("row", len(f.dom) - op.carries - op.shared)]
    wanted = [f"{kind}_{k}" if many > 1 else kind for kind, many in kinds for k in range(1, many + 1)]
    parts = [Part(Phase.BACKWARD if BACK in node.origin else Phase.FORWARD, tuple(p for p in node.origin if p != BACK)) for node in f.nodes]
    for node, part in zip(f.nodes, parts, strict=True):
        mark = ["d"] if part.phase is Phase.BACKWARD else []
        wanted += [identifier("_".join([*mark, *part.path, word_of(node)]))] * len(node.cod)
    wide, inner = broadcast(f), inside(f, parts)
    return wanted[: len(f.dom)], Layout(tuple(told_apart(wanted, len(f.dom), wide | inner)), {}, wide, inner)


__all__ = ["Part", "bodies", "broadcast", "inside", "told_apart", "word_of"]
