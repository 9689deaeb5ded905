"""Forms that are sums modulo 2 of products: algebraic normal form, parity, and sums of masked products, with coefficients to learn.

A sum modulo 2 over Z is the polynomial a + b − 2ab, which is a bit where a and b are, is linear in each, and becomes a + b modulo 2. So
these models over Z compute, at bits, the bits that they compute over Z2, and flips are learned over Z.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from math import comb
from typing import Any

from lensgrad.cat.names import Param
from lensgrad.core.checks import instance, whole
from lensgrad.core.errors import BadValue
from lensgrad.core.graph import Wire
from lensgrad.learn import init
from lensgrad.learn.model import Model, parametric
from lensgrad.theories.poly.circuit import Bits, concatenate, gather, scatter
from lensgrad.theories.poly.semiring import Z2, Semiring

LARGEST = 1_000_000  # coefficients of a form
MOST_BITS = 1 << 24  # of the weights of a model
MANY = 20  # of so many inputs, or of so high a degree, there are more monomials than that, and they are not counted


def anf(inputs: int, degree: int, outputs: int = 1, semiring: Semiring = Z2) -> Model:
    """Algebraic normal form (Reed–Muller): the sum modulo 2 of chosen monomials of at most this degree : Sᵃ → Sᵇ.

    The weight `coefficients` : S^(b·m) says for each output which of the m monomials count, by degree, then as `monomials` lists them.
    It starts at 0. Affine in its weights over Z2, so `circuits.solve` finds them exactly.
    """
    semiring = given_semiring(semiring)
    inputs, outputs = sizes("an algebraic normal form", inputs=inputs, outputs=outputs)
    size = counted(inputs, degree, outputs)
    return chosen("coefficients", lambda x: products(x, degree), inputs, size, outputs, semiring).told("anf")


def counted(inputs: int, degree: int, outputs: int = 1) -> int:
    """How many monomials a form has, if its coefficients are no more than are feasible."""
    degree = whole(f"the degree of an algebraic normal form of {inputs} inputs", degree, 0, inputs)
    count = outputs * sum(comb(inputs, d) for d in range(min(degree, MANY) + 1))
    if count > LARGEST:
        raise BadValue(f"{told(inputs, degree, outputs, count)}, more than {LARGEST}: {advice(inputs, degree, outputs)}")
    return count // outputs


def told(inputs: int, degree: int, outputs: int, count: int) -> str:
    least = "" if degree <= MANY else "at least "
    many = f" for each of {outputs} outputs, {least}{count} coefficients" if outputs > 1 else ""
    return f"{inputs} inputs have {least}{count // outputs} monomials of degree ≤ {degree}{many}"


def advice(inputs: int, degree: int, outputs: int) -> str:
    """The largest degree that is feasible, or how many inputs would be."""
    fits = [d for d in range(1, min(degree, MANY)) if outputs * sum(comb(inputs, e) for e in range(d + 1)) <= LARGEST]
    if fits:
        return f"use degree {fits[-1]}, fewer inputs, or a lut_network, which needs no list of monomials"
    return "use fewer inputs, or a lut_network, which needs no list of monomials"


def monomials(inputs: int, degree: int) -> list[tuple[int, ...]]:
    """Which inputs each monomial of an algebraic normal form multiplies, in the order of its coefficients."""
    (inputs,) = sizes("an algebraic normal form", inputs=inputs)
    counted(inputs, degree)
    return [c for d in range(degree + 1) for c in combinations(range(inputs), d)]


def products(x: Any, degree: int) -> Any:
    """The values of all monomials: those of degree d are those of degree d − 1 times one input further right."""
    inputs = x.atom.size
    parts, last = [x.atom.one()[:1] if inputs else x.atom.one()], [()]
    for d in range(1, degree + 1):
        pairs = [(i, k) for i, c in enumerate(last) for k in range(c[-1] + 1 if c else 0, inputs)]
        fresh = gather(x, [k for _, k in pairs])
        parts.append(fresh if d == 1 else gather(parts[-1], [i for i, _ in pairs]) * fresh)
        last = [(*last[i], k) for i, k in pairs]
    return concatenate(parts)


def parity(inputs: int, outputs: int = 1, semiring: Semiring = Z2) -> Model:
    """For each output the sum modulo 2 of chosen inputs : Sᵃ → Sᵇ, over Z2 the product with the matrix `mask` (b rows of a bits)."""
    semiring = given_semiring(semiring)
    inputs, outputs = sizes("a parity", inputs=inputs, outputs=outputs)
    feasible("a parity", inputs * outputs)
    return chosen("mask", lambda x: x, inputs, inputs, outputs, semiring).told("parity")


def chosen(label: str, basis: Callable[[Wire], Wire], inputs: int, size: int, outputs: int, semiring: Semiring) -> Model:
    """Σ c_om φ_m(x) modulo 2 for each output o, with the coefficients as a weight that starts at 0."""
    ob = Bits(outputs * size, semiring)
    rows = [m for m in range(size) for _ in range(outputs)]

    def body(c: Any, x: Any) -> Any:
        columns = c if outputs == 1 else gather(c, [o * size + m for m in range(size) for o in range(outputs)])
        return exclusive(columns * gather(basis(x), rows), outputs)

    return parametric([Param(label, ob, init=init.zeros(ob))], Bits(inputs, semiring), body)


def esop(inputs: int, terms: int, outputs: int = 1, semiring: Semiring = Z2) -> Model:
    """For each output the sum modulo 2 of `terms` products of literals (ESOP) : Sᵃ → Sᵇ.

    Two weights of b·terms·a bits each, input after input: a literal counts where `mask` is 1, and is 1 − x where `negated` is 1. Both
    start with random bits; a product without a literal is 1.
    """
    semiring = given_semiring(semiring)
    inputs, terms, outputs = sizes("a sum of products", inputs=inputs, terms=terms, outputs=outputs)
    feasible("a sum of products", inputs * terms * outputs)
    width = terms * outputs
    ob = Bits(inputs * width, semiring)
    places = [i for i in range(inputs) for _ in range(width)]

    def body(mask: Any, negated: Any, x: Any) -> Any:
        literals = xor(gather(x, places), negated)
        return exclusive(multiplied(1 - mask * (1 - literals), width), outputs)

    weights = [Param(label, ob, init=init.bits(ob)) for label in ("mask", "negated")]
    return parametric(weights, Bits(inputs, semiring), body).told("esop")


def xor(a: Any, b: Any) -> Any:
    """a + b modulo 2, as a polynomial that is a bit where both are."""
    return a + b if a.atom.semiring == Z2 else a + b - 2 * (a * b)


def exclusive(x: Wire, outputs: int) -> Wire:
    """The sum modulo 2 of rows of so many entries: over Z2 in one node, else as a tree."""
    if x.atom.semiring == Z2:
        return scatter(x, list(range(outputs)) * (x.atom.size // outputs), outputs)
    return halved(x, outputs, xor)


def multiplied(x: Wire, width: int) -> Wire:
    """The product of rows of so many entries, as a tree."""
    return halved(x, width, lambda a, b: a * b)


def halved(x: Wire, width: int, join: Callable[[Wire, Wire], Wire]) -> Wire:
    """Rows of so many entries joined pairwise until one is left."""
    while x.atom.size > width:
        half = x.atom.size // width // 2 * width
        joined = join(x[:half], x[half : 2 * half])
        x = joined if 2 * half == x.atom.size else concatenate([joined, x[2 * half :]])
    return x


def sizes(what: str, **given: Any) -> list[int]:
    """Whole numbers from 1 up to what a machine holds."""
    return [whole(f"{name} of {what}", n, 1, LARGEST) for name, n in given.items()]


def feasible(what: str, bits: int) -> None:
    """Refuse weights of more bits than a machine holds beside what is made of them."""
    if bits > MOST_BITS:
        raise BadValue(f"{what} of these sizes has {bits} bits to learn, and {MOST_BITS} are the most: use fewer inputs, terms or outputs")


def given_semiring(given: Any) -> Semiring:
    """The semiring that a model is over."""
    return instance("semiring", given, Semiring, "a semiring, such as Z or Z2 of lensgrad.theories.poly.semiring")


__all__: Sequence[str] = ["anf", "esop", "monomials", "parity"]
