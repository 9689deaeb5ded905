"""Circuits to prove things about, and proofs in files to check, as the tests of both share them."""

from lensgrad import circuits
from lensgrad.circuits.proofs import checker
from tests.circuits.test_simplify import FEATURES


def monk_1(x):
    same = x["a1=1"] & x["a2=1"] | x["a1=2"] & x["a2=2"] | x["a1=3"] & x["a2=3"]
    return {"y": same | x["a5=1"]}


def one_hot():
    """The care set of MONK's problems: one bit of each feature."""

    def body(x):
        groups = {}
        for name in FEATURES:
            groups.setdefault(name.split("=")[0], []).append(x[name])
        whole = None
        for bits in groups.values():
            some_bit, pairs = bits[0], [~(a & b) for k, a in enumerate(bits) for b in bits[:k]]
            for bit in bits[1:]:
                some_bit = some_bit | bit
            for part in [some_bit, *pairs]:
                whole = part if whole is None else whole & part
        return {"care": whole}

    return circuits.formula(FEATURES, body)


def rule():
    return circuits.formula(FEATURES, monk_1)


def checked(left, right, proof, care=None):
    """How many clauses were checked, or why not."""
    try:
        return checker.check(left, right, proof, care)
    except checker.Rejected as why:
        return str(why)


FILES = ("left.aig", "right.aig", "proof.drat", "care.aig")


def multiplier(order, n=6):
    """n × n bits, partial products added in an order."""
    made = circuits.Builder([f"{v}[{k}]" for v in "ab" for k in range(n)])
    a, b = made.literals[:n], made.literals[n:]
    total = [0] * (2 * n)
    for i in order:
        carry = 0
        for k in range(i, 2 * n):
            bit = made.conj(a[k - i], b[i]) if k - i < n else 0
            half = made.xor(total[k], bit)
            total[k], carry = made.xor(half, carry), made.disj(made.conj(total[k], bit), made.conj(half, carry))
    return made.finish([f"p[{k}]" for k in range(2 * n)], total)
