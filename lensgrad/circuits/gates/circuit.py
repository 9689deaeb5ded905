"""Boolean circuits as and-inverter graphs: two-input ANDs, inverters on any wire, and a name for every input and output."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from lensgrad.backends.native.lanes.gates import evaluated
from lensgrad.core.checks import flag, instance, is_whole, listing, name, shown, whole
from lensgrad.core.drawing import Drawn
from lensgrad.core.errors import BadValue
from lensgrad.core.printed import counted, few
from lensgrad.data.arrays import array

Numbers = np.ndarray[Any, Any]
LARGE = 1 << 22  # gates times rows, from which compiled lanes are faster than large numbers
MOST_INPUTS = 20  # of a truth table: 2²⁰ rows
FEW = 4  # names that the text of a circuit tells
LONGEST = 1000  # characters of a name, about as many as Verilog's tools take


@dataclass(frozen=True, eq=False, repr=False)
class Circuit(Drawn):
    """𝔹ⁿ → 𝔹ᵐ. Variable 0 is false, 1..n are the inputs, then come the ANDs, each after its arguments.

    Literal 2v is variable v and 2v + 1 its negation, as in the AIGER format. `ands` holds two literals for each AND and
    `roots` one for each output. `tidy()` is the canonical form, in which equal ANDs are one and none is unused.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    ands: Numbers
    roots: Numbers

    def __post_init__(self) -> None:
        for field, what, shape in (("ands", "the ANDs", (-1, 2)), ("roots", "the roots", (-1,))):
            made = literals_in(f"{what} of a circuit", getattr(self, field), shape)
            made.setflags(write=False)
            object.__setattr__(self, field, made)
        for field in ("inputs", "outputs"):
            object.__setattr__(self, field, names_in(field[:-1], getattr(self, field)))
        self._check_literals()

    def __repr__(self) -> str:
        return f"Circuit({few(self.inputs, FEW)} → {few(self.outputs, FEW)}, {counted(len(self.ands), 'AND')})"

    def _check_literals(self) -> None:
        limit = 2 * (1 + len(self.inputs) + np.arange(len(self.ands)))[:, None]
        if len(self.roots) != len(self.outputs):
            raise BadValue(f"a circuit must have one literal for each output, got {len(self.roots)} for {len(self.outputs)}")
        if (self.ands < 0).any() or (self.ands >= limit).any():
            raise BadValue("an AND of a circuit reads the inputs and the ANDs before it, and one reads something else")
        if (self.roots < 0).any() or (self.roots >= 2 * self.variables).any():
            raise BadValue("an output of a circuit reads an input or an AND, and one reads something else")

    @property
    def variables(self) -> int:
        return 1 + len(self.inputs) + len(self.ands)

    @property
    def size(self) -> int:
        """How many ANDs it has."""
        return len(self.ands)

    @property
    def pairs(self) -> list[list[int]]:
        """The two literals of each AND."""
        return self.ands.tolist()

    @property
    def literals(self) -> list[int]:
        """The literal of each output."""
        return self.roots.tolist()

    @property
    def depth(self) -> int:
        """The most ANDs on a way from an input to an output."""
        roots: list[int] = self.roots.tolist()
        return max((self.levels[r >> 1] for r in roots), default=0)

    @cached_property
    def levels(self) -> list[int]:
        """Of each variable, the most ANDs on a way to it."""
        levels = [0] * (1 + len(self.inputs))
        for a, b in self.pairs:
            levels.append(1 + max(levels[a >> 1], levels[b >> 1]))
        return levels

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Circuit) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @cached_property
    def _key(self) -> tuple[Any, ...]:
        return self.inputs, self.outputs, self.ands.tobytes(), self.roots.tobytes()

    def __str__(self) -> str:
        counts = ((len(self.inputs), "input"), (len(self.outputs), "output"), (self.size, "AND"))
        return ", ".join([*(f"{n} {thing}{'s' * (n != 1)}" for n, thing in counts), f"depth {self.depth}"])

    def values(self, inputs: Sequence[int], ones: int) -> list[int]:
        """The value of every output where each bit of a number is one example; `ones` has a 1 for each of them."""
        found, ones = [0, *self._words(inputs)], whole("the number with a 1 for each example", ones)
        for a, b in self.pairs:
            found.append((found[a >> 1] ^ -(a & 1)) & (found[b >> 1] ^ -(b & 1)) & ones)
        return [(found[r >> 1] ^ -(r & 1)) & ones for r in self.roots.tolist()]

    def _words(self, inputs: Any) -> list[int]:
        """A whole number for each input, in which each bit is one example."""
        found = listing("what a circuit is evaluated at", inputs, "a list of whole numbers")
        if len(found) != len(self.inputs) or not all(map(is_whole, found)):
            raise BadValue(f"a circuit of {len(self.inputs)} inputs must be evaluated at that many whole numbers, got {shown(inputs)}")
        return [int(word) for word in found]

    def run(self, x: Any) -> Numbers:
        """Rows of inputs to rows of outputs, in zeros and ones."""
        rows = array(x, "the rows of a circuit")
        if rows.ndim != 2 or rows.shape[1] != len(self.inputs) or rows.dtype.kind not in "buif" or not np.isin(rows, (0, 1)).all():
            raise BadValue(f"this circuit expects rows of {len(self.inputs)} zeros and ones, got an array of shape {rows.shape}")
        count = len(rows)
        if count * self.size >= LARGE:
            found = evaluated(self.ands, self.roots, rows)
            if found is not None:
                return found
        packed = [int.from_bytes(np.packbits(c.astype(np.uint8), bitorder="little").tobytes(), "little") for c in rows.T]
        found = [np.frombuffer(v.to_bytes(-(-count // 8), "little"), np.uint8) for v in self.values(packed, (1 << count) - 1)]
        columns = [np.unpackbits(v, count=count, bitorder="little") for v in found]
        return np.stack(columns, 1) if columns else np.zeros((count, 0), np.uint8)

    def tables(self) -> list[int]:
        """The truth table of every output as a number: bit s is the value at the inputs whose bit i is bit i of s."""
        n = len(self.inputs)
        if n > MOST_INPUTS:
            raise BadValue(f"a truth table of {n} inputs has 2^{n} rows: use at most {MOST_INPUTS} inputs, or `equal` to compare")
        return self.values([pattern(i, n) for i in range(n)], (1 << (1 << n)) - 1)

    def tidy(self) -> Circuit:
        """The same function, with constants folded, equal ANDs shared, dead ones gone, in one fixed order."""
        made = Builder(self.inputs)
        return made.finish(self.outputs, made.inline(self, made.literals))

    def renamed(self, inputs: Sequence[str] | None = None, outputs: Sequence[str] | None = None) -> Circuit:
        """The same circuit with other names."""
        inputs = self.inputs if inputs is None else names_for("input", inputs, "i", len(self.inputs))
        outputs = self.outputs if outputs is None else names_for("output", outputs, "o", len(self.outputs))
        return Circuit(inputs, outputs, self.ands, self.roots)


def given_circuit(what: str, given: Any) -> Circuit:
    """A circuit of gates, said in the user's words: `the circuit to simplify is …, got 3`."""
    return instance(what, given, Circuit, "a circuit of gates, as circuits.read and circuits.from_tables give")


def literals_in(what: str, given: Any, shape: tuple[int, ...]) -> Numbers:
    """Literals as whole numbers, in rows of two or in a row: a copy."""
    found = array(given, what)
    if (found.size and found.dtype.kind not in "iu") or found.size % shape[-1]:
        raise BadValue(f"{what} must be literals, whole numbers{' in rows of two' * (len(shape) - 1)}, got {shown(given)}")
    return found.reshape(shape).astype(np.int64)


def names_in(what: str, given: Any) -> tuple[str, ...]:
    """The names of all inputs, or of all outputs, in a list."""
    names = tuple(listing(f"the {what}s of a circuit", given, "a list of names"))
    check_names(what, names)
    return names


def names_for(what: str, names: Any, letter: str, count: int) -> tuple[str, ...]:
    """A name for each of so many inputs or outputs: those given, or numbered ones."""
    if names is None:
        return numbered(letter, count)
    found = names_in(what, names)
    if len(found) != count:
        raise BadValue(f"this circuit has {count} bits of {what}, and {len(found)} names were given: give one for each, or none")
    return found


def check_names(what: str, names: Sequence[str]) -> None:
    for n in names:
        check_name(f"the name of an {what}", n)
    if len(set(names)) < len(names):
        twice = next(n for n, count in Counter(names).items() if count > 1)
        raise BadValue(f"every {what} of a circuit has a name of its own, and '{twice}' is there twice")


def check_name(what: str, given: Any) -> None:
    """Refuse a name that a file cannot have on one line as one word."""
    if name(what, given, LONGEST) != "".join(given.split()):
        raise BadValue(f"{what} must have letters and no spaces, got {shown(given)}")


def numbered(letter: str, count: int) -> tuple[str, ...]:
    """Names for who gives none: i0, i1, …"""
    return tuple(f"{letter}{k}" for k in range(count))


def pattern(i: int, n: int) -> int:
    """The truth table of input i among n, as a number of 2ⁿ bits."""
    table, width = ((1 << (1 << i)) - 1) << (1 << i), 2 << i
    while width < 1 << n:
        table, width = table | table << width, 2 * width
    return table


class Builder:
    """A growing circuit. With `share` one constructor folds constants and shares equal ANDs, so that neither is a pass."""

    def __init__(self, inputs: Sequence[str], share: bool = True) -> None:
        self.inputs = tuple(listing("the inputs of a circuit", inputs, "a list of names"))
        self.share = flag("share, whether equal ANDs are one,", share)
        self.pairs: list[tuple[int, int]] = [(0, 0)] * (1 + len(self.inputs))
        self.keys = [mixed(k, k) for k in range(len(self.pairs))]  # of each variable, a number made from its structure
        self.memo: dict[tuple[int, int], int] = {}

    @property
    def literals(self) -> list[int]:
        """The literals of the inputs."""
        return [2 * k for k in range(1, 1 + len(self.inputs))]

    def args(self, literal: int) -> tuple[int, int] | None:
        """The two arguments of an AND, None for an input or a constant."""
        return self.pairs[literal >> 1] if literal >> 1 > len(self.inputs) else None

    def conj(self, a: int, b: int) -> int:
        """a ∧ b."""
        if not self.share:
            return self._append(a, b)
        a, b = max(a, b), min(a, b)
        if b == 0 or a == b ^ 1:
            return 0
        if b == 1 or a == b:
            return a
        found = self.memo.get((a, b))
        if found is None:
            found = self.memo[a, b] = self._simpler(a, b)
        return found

    def _simpler(self, a: int, b: int) -> int:
        for x, y in ((a, b), (b, a)):
            found = self._against(x, y)
            if found is not None:
                return found if isinstance(found, int) else self.conj(*found)
        return self._append(a, b)

    def _against(self, a: int, b: int) -> int | tuple[int, int] | None:
        """a ∧ b where b, or what b is made of, decides part of a: a literal, a simpler pair, or None."""
        inner, other = self.args(a), self.args(b)
        if inner is None:
            return None
        known = {b} if other is None or b & 1 else {b, *other}
        for x, y in (inner, inner[::-1]):
            if x ^ 1 in known:
                return b if a & 1 else 0
            if x in known:
                return (b, y ^ 1) if a & 1 else b if y in known else (b, y)
        if a & b & 1 and other is not None:
            return resolved(inner, other)
        return None

    def _append(self, a: int, b: int) -> int:
        self.pairs.append((a, b))
        self.keys.append(mixed(*sorted((self.key(a), self.key(b)))))
        return 2 * len(self.pairs) - 2

    def key(self, literal: int) -> int:
        return 2 * self.keys[literal >> 1] + (literal & 1)

    def disj(self, a: int, b: int) -> int:
        """a ∨ b."""
        return self.conj(a ^ 1, b ^ 1) ^ 1

    def xor(self, a: int, b: int) -> int:
        """a + b over Z2: three ANDs, whatever the signs."""
        sign, a, b = (a ^ b) & 1, a & ~1, b & ~1
        return self.conj(self.conj(a, b ^ 1) ^ 1, self.conj(a ^ 1, b) ^ 1) ^ 1 ^ sign

    def choose(self, c: int, a: int, b: int) -> int:
        """a where c, else b."""
        return self.disj(self.conj(c, a), self.conj(c ^ 1, b))

    def all(self, literals: Sequence[int]) -> int:
        """The conjunction, as a balanced tree."""
        return self._balanced(self.conj, literals, 1)

    def any(self, literals: Sequence[int]) -> int:
        """The disjunction, as a balanced tree."""
        return self._balanced(self.disj, literals, 0)

    def sum(self, literals: Sequence[int]) -> int:
        """The sum over Z2, as a balanced tree."""
        return self._balanced(self.xor, literals, 0)

    def _balanced(self, join: Any, literals: Sequence[int], empty: int) -> int:
        row = list(literals) or [empty]
        while len(row) > 1:
            row = [join(*row[k : k + 2]) if k + 1 < len(row) else row[k] for k in range(0, len(row), 2)]
        return row[0]

    def inline(self, circuit: Circuit, literals: Sequence[int]) -> list[int]:
        """The outputs of a finished circuit applied to literals."""
        env = [0, *self._known(literals)]
        if len(env) != 1 + len(given_circuit("what is inlined", circuit).inputs):
            raise BadValue(f"a circuit of {len(circuit.inputs)} inputs must be applied to that many literals, got {len(env) - 1}")
        for a, b in circuit.pairs:
            env.append(self.conj(env[a >> 1] ^ a & 1, env[b >> 1] ^ b & 1))
        return [env[r >> 1] ^ r & 1 for r in circuit.roots.tolist()]

    def finish(self, outputs: Sequence[str], literals: Sequence[int]) -> Circuit:
        """The circuit with these outputs. With `share`: what they need, depth first, in an order that only structure decides."""
        literals = self._known(literals)
        order = self._needed(literals) if self.share else range(1 + len(self.inputs), len(self.pairs))
        place = {v: v for v in range(1 + len(self.inputs))}
        place |= {v: 1 + len(self.inputs) + k for k, v in enumerate(order)}
        moved = [[2 * place[x >> 1] + (x & 1) for x in self.pairs[v]] for v in order]
        ands = [sorted(pair, reverse=True) for pair in moved] if self.share else moved
        return Circuit(
            self.inputs,
            tuple(listing("the outputs of a circuit", outputs, "a list of names")),
            np.array(ands, np.int64),
            np.array([2 * place[r >> 1] + (r & 1) for r in literals]),
        )

    def _known(self, literals: Any) -> list[int]:
        """Literals of this circuit, checked."""
        found, most = listing("the literals of a circuit", literals, "a list of whole numbers"), 2 * len(self.pairs) - 1
        return [whole("a literal of this circuit", x, 0, most) for x in found]

    def _needed(self, literals: Sequence[int]) -> list[int]:
        order: list[int] = []
        done = set(range(1 + len(self.inputs)))
        stack = [r >> 1 for r in reversed(literals)]
        while stack:
            v = stack[-1]
            waiting = [] if v in done else [x >> 1 for x in sorted(self.pairs[v], key=self.key) if x >> 1 not in done]
            stack.extend(waiting)
            if not waiting:
                stack.pop()
                if v not in done:
                    done.add(v)
                    order.append(v)
        return order


def mixed(a: int, b: int) -> int:
    """Two numbers to one of 61 bits, the same on every machine."""
    return (a * 0x1F83D9ABFB41BD6B + b * 0x5BE0CD19137E2179 + 0x3C6EF372FE94F82B) % (2**61 - 1) ** 2 >> 61


def resolved(left: tuple[int, int], right: tuple[int, int]) -> int | None:
    """¬(x ∧ y) ∧ ¬(x ∧ ¬y) = ¬x, or None where the two have no such pair."""
    for x, y in (left, left[::-1]):
        for z, w in (right, right[::-1]):
            if x == z and y == w ^ 1:
                return x ^ 1
    return None
