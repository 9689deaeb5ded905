"""Products of matrices and of more axes."""

from __future__ import annotations

from string import ascii_letters

from lensgrad.core.graph import Wire
from lensgrad.interchange.onnx.call import Call, Table
from lensgrad.interchange.shapes import spread_to
from lensgrad.theories.smooth import ops

LONGEST = 1000  # characters of an equation


def matmul(call: Call) -> list[Wire]:
    """MatMul, as NumPy has it."""
    x, y = call.wire(0), call.wire(1)
    if not x.atom.rank or not y.atom.rank:
        raise call.refused(f"must be of arrays with axes, got {x.atom} and {y.atom}")
    return [product(x, y)]


def product(x: Wire, y: Wire) -> Wire:
    """x @ y over the last two axes, those before them spread to one another."""
    left, right = list(x.atom.shape[:-2]), list(y.atom.shape[:-2])
    rank = max(len(left), len(right))
    letters = ascii_letters[3 : 3 + rank]
    a, b = (kept(shape, other, letters) for shape, other in ((left, right), (right, left)))
    m, n = "b" if x.atom.rank > 1 else "", "c" if y.atom.rank > 1 else ""
    x = ops.reshape(x, *sizes(left, a, letters), *x.atom.shape[-2:])
    y = ops.reshape(y, *sizes(right, b, letters), *y.atom.shape[-2:])
    both = "".join(c for c in letters if c in a or c in b)
    found = ops.einsum(f"{a}{m}a,{b}a{n}->{both}{m}{n}", x, y)
    if len(both) == rank:
        return found
    ends = [s for s, there in ((x.atom.shape[-2] if m else 0, m), (y.atom.shape[-1], n)) if there]
    wide = [max(own(left, letters, c), own(right, letters, c)) for c in letters]
    return ops.reshape(found, *wide, *ends)


def own(shape: list[int], letters: str, letter: str) -> int:
    """The size of an axis by its letter, 1 where it is not there."""
    k = letters.index(letter) - len(letters) + len(shape)
    return shape[k] if k >= 0 else 1


def kept(shape: list[int], other: list[int], letters: str) -> str:
    """The letters of the axes that are not of size 1, or that the other one has not either."""
    return "".join(c for c in letters[len(letters) - len(shape) :] if own(shape, letters, c) != 1)


def sizes(shape: list[int], there: str, letters: str) -> list[int]:
    return [own(shape, letters, c) for c in there]


def gemm(call: Call) -> list[Wire]:
    """Gemm: α A B + β C."""
    a, b = call.wire(0), call.wire(1)
    left, right = "ji" if call.attribute("transA", 0) else "ij", "kj" if call.attribute("transB", 0) else "jk"
    found = scaled(ops.einsum(f"{left},{right}->ik", a, b), call.attribute("alpha", 1.0))
    if not call.given(2):
        return [found]
    return [found + spread_to(scaled(call.wire(2), call.attribute("beta", 1.0)), found.atom.shape)]


def scaled(x: Wire, by: float) -> Wire:
    """by · x; whole numbers by a fraction are truncated."""
    if by == 1.0:
        return x
    return x * by if x.atom.floating or float(by).is_integer() else ops.cast(ops.cast(x, "float64") * by, x.atom.dtype)


def einsum(call: Call) -> list[Wire]:
    """Einsum; where no result is named, it has the letters that stand once, in the order of the alphabet."""
    equation = str(call.attribute("equation", "")).replace(" ", "")
    if len(equation) > LONGEST:
        raise call.refused(f"must have an equation of at most {LONGEST} characters, got {len(equation):,}")
    if "->" not in equation:
        once = sorted(c for c in set(equation) - {",", "."} if equation.count(c) == 1)
        equation += "->" + ("..." if "..." in equation else "") + "".join(once)
    return [ops.einsum(equation, *call.wires())]


TABLE: Table = {
    "Einsum": einsum,
    "Gemm": gemm,
    "MatMul": matmul,
}
