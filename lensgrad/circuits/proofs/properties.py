"""Properties of a circuit, each asked as the equality of two circuits made for it, so that one kind of proof serves all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lensgrad.circuits.gates.circuit import Builder, Circuit, given_circuit
from lensgrad.circuits.gates.functions import zeros_and_ones
from lensgrad.circuits.proofs.miter import Question, places
from lensgrad.circuits.proofs.sat import PROVED, Verdict, prove
from lensgrad.core.checks import instance, listing, shown, whole
from lensgrad.core.errors import BadValue, listed

Place = Mapping[str, int]  # a literal for each input


def irrelevant(circuit: Circuit, names: str | Sequence[str], care: Circuit | None = None, timeout: float | None = 60.0) -> Verdict:
    """Inputs that can change without any output changing; with `care`, from one input that counts to another."""
    names = [names] if isinstance(names, str) else listing("what is irrelevant", names, "the name of an input, or a list of names")
    known(circuit, names, care)
    made = Builder([*circuit.inputs, *(f"{name}'" for name in names)])
    here = dict(zip(made.inputs, made.literals, strict=True))
    moved = here | {name: here[f"{name}'"] for name in names}
    return prove(asked(circuit, care, made, here, moved, f"{', '.join(names)} has no influence"), timeout)


def fair(circuit: Circuit, swap: Mapping[str, str], care: Circuit | None = None, timeout: float | None = 60.0) -> Verdict:
    """Outputs stay when inputs are exchanged, each name with the name that `swap` gives it."""
    instance("a swap", swap, Mapping, "a dict of names, such as {'sex=f': 'sex=m'}")
    known(circuit, [*swap, *swap.values()], care)
    both = dict(swap) | {b: a for a, b in swap.items()}
    if len(both) != 2 * len(swap) and any(a != b for a, b in swap.items()):
        raise BadValue("a swap names every input once: {'sex=f': 'sex=m'} exchanges the two")
    made = Builder(circuit.inputs)
    here = dict(zip(made.inputs, made.literals, strict=True))
    moved = here | {a: here[b] for a, b in both.items()}
    told = ", ".join(f"{a} and {b}" for a, b in swap.items())
    return prove(asked(circuit, care, made, here, moved, f"exchanging {told} changes nothing"), timeout)


def monotone(circuit: Circuit, name: str, care: Circuit | None = None, timeout: float | None = 60.0) -> Verdict:
    """No output falls from 1 to 0 when the input goes from 0 to 1. The two sides are the output with it and both together."""
    known(circuit, [name], care)
    made = Builder(circuit.inputs)
    here = dict(zip(made.inputs, made.literals, strict=True))
    low, high = here | {name: 0}, here | {name: 1}
    values = [outputs_at(made, circuit, env) for env in (low, high)]
    both = [made.conj(a, b) for a, b in zip(*values, strict=True)]
    left, right = (made.finish(circuit.outputs, side) for side in (values[0], both))
    return prove(Question(left, right, joint(care, made, low, high), f"raising {name} lowers nothing"), timeout)


def robust(circuit: Circuit, row: Sequence[int], radius: int, care: Circuit | None = None, timeout: float | None = 60.0) -> Verdict:
    """The outputs at `row` are those at every input that differs from it in at most `radius` bits."""
    known(circuit, (), care)
    row, radius = row_of(circuit, row), whole("a radius", radius)
    made = Builder(circuit.inputs)
    values = [v & 1 for v in circuit.values(row, 1)]
    flipped = [x ^ v for x, v in zip(made.literals, row, strict=True)]
    near = at_most(made, flipped, min(radius, len(row)))
    here = dict(zip(made.inputs, made.literals, strict=True))
    counts = near if care is None else made.conj(near, outputs_at(made, care, here)[0])
    right = Builder(circuit.inputs).finish(circuit.outputs, values)
    return prove(Question(circuit, right, made.finish(["near"], [counts]), f"no change of {radius} inputs or fewer matters"), timeout)


def hamming_radius(circuit: Circuit, row: Sequence[int], timeout: float | None = 60.0) -> tuple[int, Verdict]:
    """How many inputs of a row may change without effect, and the verdict that ended the search: refuted, or unknown."""
    verdict = robust(circuit, row, 0, timeout=timeout)
    for radius in range(1, len(circuit.inputs) + 1):
        verdict = robust(circuit, row, radius, timeout=timeout)
        if verdict.status != PROVED:
            return radius - 1, verdict
    return len(circuit.inputs), verdict


def known(circuit: Circuit, names: Sequence[Any], care: Circuit | None) -> None:
    """Refuse names that are no inputs, and what is no circuit."""
    given_circuit("the circuit with a property", circuit)
    if care is not None:
        places("input", circuit.inputs, given_circuit("a care set", care).inputs, "i")
    for name in names:
        if not isinstance(name, str) or name not in circuit.inputs:
            raise BadValue(f"the circuit has no input {shown(name)}, it has {listed(circuit.inputs)}")


def row_of(circuit: Circuit, row: Any) -> list[int]:
    """A row of zeros and ones, one for each input."""
    bits = zeros_and_ones("a row", row)
    if bits.shape != (len(circuit.inputs),):
        raise BadValue(f"a row of this circuit must have {len(circuit.inputs)} zeros and ones, got an array of shape {bits.shape}")
    return bits.tolist()


def outputs_at(made: Builder, circuit: Circuit, env: Place) -> list[int]:
    return made.inline(circuit, [env[name] for name in circuit.inputs])


def joint(care: Circuit | None, made: Builder, here: Place, moved: Place) -> Circuit | None:
    """The care set of pairs: both inputs count."""
    if care is None:
        return None
    return made.finish(["care"], [made.conj(outputs_at(made, care, here)[0], outputs_at(made, care, moved)[0])])


def asked(circuit: Circuit, care: Circuit | None, made: Builder, here: Place, moved: Place, about: str) -> Question:
    """A circuit at one input against itself at another."""
    left, right = (made.finish(circuit.outputs, outputs_at(made, circuit, env)) for env in (here, moved))
    return Question(left, right, joint(care, made, here, moved), about)


def at_most(made: Builder, literals: Sequence[int], most: int) -> int:
    """At most so many of the literals are 1: a counter in unary that is cut off above."""
    counts = [0] * (most + 1)  # counts[k]: more than k so far
    for x in literals:
        counts = [made.disj(c, made.conj(x, counts[k - 1] if k else 1)) for k, c in enumerate(counts)]
    return counts[most] ^ 1
