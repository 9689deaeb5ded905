"""What boxes are called: short words on them, and all there is to say in their titles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lensgrad.core.checks import clean

SIGNS = {  # generators of all theories that have a sign of their own
    "Add": "+", "Sub": "−", "Mul": "×", "Div": "÷", "Neg": "−", "And": "∧", "Or": "∨", "Xor": "⊕", "Not": "¬", "Equal": "=",
    "Exp": "exp", "Log": "log", "Sqrt": "√", "Sum": "Σ", "Tanh": "tanh", "Relu": "relu", "Logistic": "σ", "Einsum": "einsum",
    "Reshape": "reshape", "Transpose": "transpose", "Concat": "concat", "Spread": "spread", "OneHot": "one-hot",
    "LogSoftmax": "log softmax", "Softmax": "softmax", "ArgMax": "argmax",
}  # fmt: skip
LONGEST = 28  # characters on a box
NAMED = 3  # parameters that a label names


def label_of(op: Any) -> str:
    """A few characters for a generator; constants show their value."""
    name: str = op.name
    if name == "Full":
        return short(f"{op.value:g}" if isinstance(op.value, float) else str(op.value))
    if name == "Compare":
        return short(str(op.relation))
    if name == "Scan":
        return f"loop of {op.n}"
    return short(SIGNS.get(name, name))


def tip_of(op: Any) -> str:
    """All that a generator says of itself."""
    return clean(str(op))[:400]


def short(text: str) -> str:
    """A text on one line, cut where it is long."""
    text = clean(text)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def bundle(names: Sequence[str], states: Sequence[str] = ()) -> tuple[str, ...]:
    """Parameters on one cable as the lines of a label: what their names share once, and the kinds of states below."""
    lines = [together(names)] if names else []
    suffixes = list(dict.fromkeys(suffix(s) for s in states))
    if suffixes:
        lines.append(short(("+ " if names else "") + few(suffixes)))
    return tuple(lines)


def suffix(name: str) -> str:
    """What a state adds to the name of its weight: velocity, of weight.velocity.0."""
    parts = [p for p in name.rsplit("/", 1)[-1].split(".") if not p.isdigit()]
    return parts[-1]


def together(names: Sequence[str]) -> str:
    """`output/ weight, bias`, for names that share their first part."""
    scopes = {n.rpartition("/")[0] for n in names}
    scope = scopes.pop() if len(scopes) == 1 else ""
    if scope and len(names) > 1:
        whole = f"{scope}/ {few([n.rpartition('/')[2] for n in names])}"
        return short(whole if len(whole) <= LONGEST else f"{scope}/ {len(names)} arrays")
    return short(few(list(names)))


def few(names: Sequence[str]) -> str:
    """The first of some names, and how many more there are."""
    return ", ".join(names) if len(names) <= NAMED else f"{', '.join(names[:2])} + {len(names) - 2} more"
