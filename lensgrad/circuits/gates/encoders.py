"""What an encoder costs: the comparators of thermometers and the decoders of words, as gates."""

from __future__ import annotations

from math import ceil, log2
from typing import Any

import numpy as np

from lensgrad.circuits.gates.circuit import Builder, Circuit
from lensgrad.core.checks import instance
from lensgrad.data.encode import Encoder, OneHot, Thermometer, joined


def encoder_circuit(encoder: Encoder) -> Circuit:
    """The encoder as gates, from the raw columns in binary (`width[0]` the least bit) to its bits.

    A number v arrives as the whole number round((v − low) / step), cut off at both ends, and a word as its place among the words.
    """
    encoder = given_encoder("what is made of gates", encoder)
    wires = {c.name: [f"{joined(c.name)}[{i}]" for i in range(width(c))] for c in encoder.columns}
    made = Builder([n for names in wires.values() for n in names])
    literals = dict(zip(made.inputs, made.literals, strict=True))
    found: list[int] = []
    for column in encoder.columns:
        bits = [literals[n] for n in wires[column.name]]
        found += words(made, bits, column) if isinstance(column, OneHot) else comparisons(made, bits, column)
    return made.finish(encoder.names, found)


def given_encoder(what: str, given: Any) -> Encoder:
    """A fitted encoder, said in the user's words."""
    return instance(what, given, Encoder, "a fitted encoder, as lg.data.encoder(rows) gives")


def width(column: Thermometer | OneHot) -> int:
    """How many bits a raw column has."""
    if isinstance(column, OneHot):
        return ceil(log2(len(column.values))) if len(column.values) > 1 else 0
    return round((column.high - column.low) / column.step).bit_length() if column.thresholds else 0


def raw(encoder: Encoder, row: Any) -> list[int]:
    """The bits in which a row of values arrives, in the order of the inputs of `encoder_circuit`; numbers beyond the ends are cut off."""
    bits: list[int] = []
    for column, value in zip(encoder.columns, row, strict=True):
        bits += [whole(column, value) >> i & 1 for i in range(width(column))]
    return bits


def whole(column: Thermometer | OneHot, value: Any) -> int:
    """The whole number in which a value arrives."""
    if isinstance(column, Thermometer):
        return column.whole(float(value))
    return int(column.bits(np.array([value], object), ["this row"])[0].argmax())


def comparisons(made: Builder, bits: list[int], column: Thermometer) -> list[int]:
    return [above(made, bits, column.bound(t)) for t in column.thresholds]


def above(made: Builder, bits: list[int], bound: int) -> int:
    """The number > bound, a constant: an AND or an OR for each bit but the last."""
    found = 0
    for i, bit in enumerate(bits):
        found = made.conj(bit, found) if bound >> i & 1 else made.disj(bit, found)
    return found


def words(made: Builder, bits: list[int], column: OneHot) -> list[int]:
    """One bit for each word: all bits of its place."""
    return [made.all([b if k >> i & 1 else b ^ 1 for i, b in enumerate(bits)]) for k in range(len(column.values))]
