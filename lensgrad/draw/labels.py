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
    lines = [*together(names)] if names else []
    suffixes = list(dict.fromkeys(suffix(s) for s in states))
    if suffixes:
        lines.append(short(("+ " if names else "") + few(suffixes)))
    return tuple(lines)


def words(name: str) -> list[str]:
    """The parts of the last level of a name, without numbers: weight and velocity, of layer/weight.velocity.0."""
    return [p for p in name.rpartition("/")[2].split(".") if not p.isdigit()]


def added(name: str) -> bool:
    """Whether a state is called after a weight, as weight.velocity.0 is; mean.0 has a name of its own."""
    return len(words(name)) > 1


def suffix(name: str) -> str:
    """What a state adds to the name of its weight: velocity, of weight.velocity.0."""
    return words(name)[-1]


def together(names: Sequence[str]) -> tuple[str, ...]:
    """`output/ weight, bias`, for names that share their first part; in two lines, or as `output/ 2 arrays`, where that is too long."""
    scope = shared(names)
    if not scope:
        return (short(fitting(few(names), *([f"{names[0]} + {len(names) - 1} more", f"{len(names)} arrays"] if names[1:] else []))),)
    inner = few([n[len(scope) + 1 :] for n in names])
    whole = names[0] if len(names) == 1 else f"{scope}/ {inner}"
    if len(whole) > LONGEST and len(names) <= NAMED and max(len(scope) + 1, len(inner)) <= LONGEST:
        return short(f"{scope}/"), short(inner)
    tail = scope.rpartition("/")[2]
    count = f"{len(names)} arrays" if len(names) > 1 else inner
    return (short(fitting(whole, f"{scope}/ {count}", f"…/{tail}/ {count}")),)


def shared(names: Sequence[str]) -> str:
    """The levels with which all names begin, at most all but the last of each."""
    paths = [n.split("/")[:-1] for n in names]
    same = [len(set(level)) == 1 for level in zip(*paths, strict=False)]
    return "/".join(paths[0][: same.index(False) if False in same else len(same)])


def fitting(*texts: str) -> str:
    """The first text that is not too long for a box; the first of all where each is."""
    return next((t for t in texts if len(t) <= LONGEST), texts[0])


def few(names: Sequence[str]) -> str:
    """The first of some names, and how many more there are."""
    return ", ".join(names) if len(names) <= NAMED else f"{', '.join(names[:2])} + {len(names) - 2} more"
