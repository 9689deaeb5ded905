"""What happens to all instructions at once: the unused go, products join sums, and shared operands find their place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Numbers = np.ndarray[Any, Any]
Step = tuple[int, Numbers]  # a kind, and instructions of it

# In the order of the source in C: which operands are slots (S) and which are shared by all rows (P).
KINDS = (
    "MAC_SSS", "MAC_PSS", "MAC_SSP", "MAC_PSP", "MUL_SS", "MUL_PS", "ADD_SS", "ADD_SP", "PUT_P", "SUM_S", "SUM_SS", "IN", "OUT",
)  # fmt: skip
KIND = {name: number for number, name in enumerate(KINDS)}
MAC, MUL, ADD, PUT, SUM, SUM_PRODUCT, IN, OUT = (KIND[n] for n in ("MAC_SSS", "MUL_SS", "ADD_SS", "PUT_P", "SUM_S", "SUM_SS", "IN", "OUT"))
CHEAP = tuple(KIND[n] for n in ("MAC_PSP", "MUL_PS", "ADD_SP"))
SLOTS = np.array([[False, *(letter == "S" for letter in letters)] for letters in (
    "SSS", "PSS", "SSP", "PSP", "SS-", "PS-", "S-S", "S-P", "P--", "S--", "SS-", "---", "S--",
)])  # fmt: skip  # by kind and place, whether an instruction reads an element
FAR = 1 << 15  # instructions between making an element and reading it, from which making it again is cheaper than keeping it
READS = {ADD: (1, 3), MUL: (1, 2), SUM: (1,), OUT: (1,), IN: (), PUT: ()}  # the operands that are elements, in the code of `Lowering`


def arranged(steps: Sequence[Step], shared: int, elements: int) -> tuple[Numbers, Numbers, int]:
    """Kinds and instructions of a program, from the steps of a lowering, and how many elements there are."""
    kept = used(steps, elements)
    if not kept:
        return np.zeros(0, np.uint8), np.zeros((0, 4), np.int32), elements
    kinds = np.concatenate([np.full(len(code), kind, np.uint8) for kind, code in kept])
    code = np.concatenate([code for _, code in kept])
    steps_of = np.repeat(np.arange(len(kept)), [len(code) for _, code in kept])
    left, kinds, code = fused(kinds, code, shared, elements)
    kinds, code = placed(kinds, code, shared)
    kinds, code, when, total = renewed(kinds, code, 2 * steps_of[left], elements)
    order = np.lexsort((kinds, when))  # the instructions of one step may come in any order: as few changes of kind as possible
    return kinds[order], code[order], total


def used(steps: Sequence[Step], elements: int) -> list[Step]:
    """The instructions that a sum or an output needs."""
    need = np.zeros(elements, bool)
    kept: list[Step] = []
    for kind, code in reversed(steps):
        if kind not in (SUM, OUT):
            code = code[need[code[:, 0]]]
        for k in READS[kind]:
            need[code[:, k]] = True
        kept.append((kind, code))
    return kept[::-1]


def fused(kinds: Numbers, code: Numbers, shared: int, elements: int) -> tuple[Numbers, Numbers, Numbers]:
    """Products that one sum alone reads move into it."""
    reads = np.zeros(elements, np.int32)
    for kind, operands in READS.items():
        for k in operands:
            reads += np.bincount(code[kinds == kind, k], minlength=elements).astype(np.int32)
    maker = np.full(elements, -1, np.int32)
    products = np.flatnonzero(kinds == MUL)
    single = products[reads[code[products, 0]] == 1]
    maker[code[single, 0]] = single
    code, gone = code.copy(), np.zeros(len(code), bool)
    kinds = kinds.copy()
    sums = np.flatnonzero(kinds == ADD)
    swap = sums[maker[code[sums, 1]] < 0]
    code[swap[:, None], [1, 3]] = code[swap[:, None], [3, 1]]
    joined = sums[maker[code[sums, 1]] >= 0]
    made = maker[code[joined, 1]]
    code[joined, 1:3], gone[made], kinds[joined] = code[made, 1:3], True, MAC
    totals = np.flatnonzero(kinds == SUM)
    made = maker[code[totals, 1]]
    able = (made >= 0) & (code[made, 1:3] >= shared).all(1)
    totals, made = totals[able], made[able]
    code[totals, 1:3], gone[made], kinds[totals] = code[made, 1:3], True, SUM_PRODUCT
    return ~gone, kinds[~gone], code[~gone]


def placed(kinds: Numbers, code: Numbers, shared: int) -> tuple[Numbers, Numbers]:
    """A shared factor first, a shared summand last, and the kind that says so."""
    products = np.isin(kinds, (MAC, MUL))
    swap = np.flatnonzero(products & (code[:, 2] < shared))
    code[swap[:, None], [1, 2]] = code[swap[:, None], [2, 1]]
    swap = np.flatnonzero((kinds == ADD) & (code[:, 1] < shared))
    code[swap[:, None], [1, 3]] = code[swap[:, None], [3, 1]]
    first = products & (code[:, 1] < shared)
    last = np.isin(kinds, (MAC, ADD)) & (code[:, 3] < shared)
    kinds = kinds + first + np.where(kinds == MAC, 2 * last, last)
    return kinds.astype(np.uint8), code


def renewed(kinds: Numbers, code: Numbers, when: Numbers, elements: int) -> tuple[Numbers, Numbers, Numbers, int]:
    """Elements of one slot and shared numbers are made again where they are read much later, so that their slot is free meanwhile."""
    maker = np.full(elements, -1, np.int64)
    cheap = np.flatnonzero(np.isin(kinds, CHEAP))
    maker[code[cheap, 0]] = cheap
    places = SLOTS[kinds] & (maker[code] >= 0) & (np.arange(len(code))[:, None] - maker[code] > FAR)
    at, operand = np.nonzero(places)
    pairs, which = np.unique(np.stack([when[at], code[at, operand]], 1), axis=0, return_inverse=True)
    again = code[maker[pairs[:, 1]]]
    again[:, 0] = elements + np.arange(len(pairs))
    code[at, operand] = again[which.ravel(), 0]
    kinds = np.concatenate([kinds, kinds[maker[pairs[:, 1]]]])
    return kinds, np.concatenate([code, again]), np.concatenate([when, pairs[:, 0] - 1]), elements + len(pairs)
