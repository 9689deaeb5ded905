"""C: a circuit as one function on 64 examples at a time."""

from __future__ import annotations

import re
from collections.abc import Callable

from lensgrad.circuits.gates.circuit import Circuit, given_circuit
from lensgrad.core.checks import instance, shown
from lensgrad.core.errors import BadValue


def c_source(circuit: Circuit, name: str = "circuit") -> str:
    """`void circuit(const uint64_t *in, uint64_t *out)`: bit e of in[i] is input i of example e."""
    given_circuit("the circuit to write", circuit)
    name = instance("the name of a C function", name, str, "text")
    if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
        raise BadValue(f"{shown(name)} is no name of a C function: give letters, digits and _, no digit first, such as 'circuit'")
    inputs = [comment(f"in[{k}]", label) for k, label in enumerate(circuit.inputs)]
    outputs = [comment(f"out[{k}]", label) for k, label in enumerate(circuit.outputs)]
    wires = ["0", *(f"in[{k}]" for k in range(len(circuit.inputs)))]
    wires += [f"n{v}" for v in range(len(wires), circuit.variables)]
    read = negated("~", wires)
    first = 1 + len(circuit.inputs)
    lines = [f"    const uint64_t n{first + k} = {read(a)} & {read(b)};" for k, (a, b) in enumerate(circuit.ands.tolist())]
    lines += [f"    out[{k}] = {read(r)};" for k, r in enumerate(circuit.roots.tolist())]
    head = ["#include <stdint.h>", "", *inputs, *outputs, f"void {name}(const uint64_t *in, uint64_t *out)"]
    return "\n".join([*head, "{", "    (void)in;", *lines, "}"]) + "\n"


def comment(place: str, label: str) -> str:
    return f"/* {place}: {label.replace('*/', '* /')} */"


def negated(sign: str, wires: list[str]) -> Callable[[int], str]:
    """How a literal is read, where `sign` negates."""

    def read(literal: int) -> str:
        if literal < 2:
            return f"{sign}(uint64_t)0" if literal else "(uint64_t)0"
        return sign * (literal & 1) + wires[literal >> 1]

    return read
