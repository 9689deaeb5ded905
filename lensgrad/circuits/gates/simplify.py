"""Fewer ANDs for the same function: sharing and two-level rules, rewriting of small cuts, and truth tables anew."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from lensgrad.circuits.gates.circuit import Builder, Circuit, given_circuit, pattern
from lensgrad.circuits.gates.functions import from_tables, ones, variants
from lensgrad.circuits.proofs.engine import solver
from lensgrad.circuits.proofs.miter import Question
from lensgrad.circuits.proofs.sweep import TRUE, Sweep
from lensgrad.core.errors import BadValue, MissingExtra

CUTS = 8  # kept for each AND
WIDTH = 4  # inputs of a cut
FEW_INPUTS = 17  # up to here a circuit with a care set is made anew from its tables
QUESTIONS = 2000  # about equal wires, asked of a solver
ROUNDS = 30
PATIENCE = 3  # rounds without gain, in which exchanges for as many ANDs are tried


def simplify(circuit: Circuit, care: Circuit | None = None) -> Circuit:
    """A circuit of the same names and values with at most as many ANDs; `equal` certifies it.

    With `care`, a circuit on the same inputs with one output, values count only where that is 1.
    """
    given_circuit("the circuit to simplify", circuit)
    if care is not None:
        check_care(circuit, care)
    best = rewritten(circuit.tidy())
    fewer = merged(best, care)
    best = rewritten(fewer) if fewer.size < best.size else best
    if care is not None or len(circuit.inputs) <= 10:
        anew = made_anew(best, care)
        other = best if anew is None else rewritten(anew)
        best = other if other.size < best.size else best
    return best


def merged(circuit: Circuit, care: Circuit | None = None) -> Circuit:
    """Wires that are always equal, or equal where `care` is 1, as one; the circuit as it is where no solver is installed."""
    try:
        engine = solver()
    except MissingExtra:
        return circuit
    question, left = Question(circuit, circuit, care), count()
    swept = Sweep(len(circuit.inputs), question.parts()[0][1], engine, question.counts())
    swept.run(lambda: next(left) < QUESTIONS)
    made = Builder(circuit.inputs)
    env = {TRUE: 1, **dict(zip(swept.inputs, made.literals, strict=True))}

    def known(literal: int) -> int:
        found = swept.read(literal)
        return env[abs(found)] ^ (found < 0)

    for v, x, y in question.parts()[0][1]:
        env[v] = made.conj(known(x), known(y)) if swept.same[v] == v else known(v)
    return made.finish(circuit.outputs, [known(end.left) for end in question.ends()])


def rewritten(circuit: Circuit) -> Circuit:
    """Cuts rewritten until that gains nothing more."""
    best, idle = circuit, 0
    for _ in range(ROUNDS):
        circuit = Rewriting(circuit, least=0 if idle else 1).result()
        best, idle = (circuit, 0) if circuit.size < best.size else (best, idle + 1)
        if idle == PATIENCE:
            break
    return best


def made_anew(circuit: Circuit, care: Circuit | None) -> Circuit | None:
    """The circuit from its truth tables, None where it has too many inputs for that."""
    if care is not None:
        check_care(circuit, care)
    if len(circuit.inputs) > FEW_INPUTS:
        return None
    return from_tables(circuit.tables(), circuit.inputs, circuit.outputs, None if care is None else matched(care, circuit).tables()[0])


def matched(circuit: Circuit, other: Circuit) -> Circuit:
    """The circuit with its inputs in the order of another's, by name."""
    made = Builder(other.inputs)
    where = dict(zip(other.inputs, made.literals, strict=True))
    return made.finish(circuit.outputs, made.inline(circuit, [where[name] for name in circuit.inputs]))


def check_care(circuit: Circuit, care: Circuit) -> None:
    given_circuit("a care set", care)
    if set(care.inputs) != set(circuit.inputs) or len(care.outputs) != 1:
        told = f"{len(care.inputs)} inputs and {len(care.outputs)} outputs"
        raise BadValue(f"a care set is a circuit with the same {len(circuit.inputs)} input names and one output, and this one has {told}")


Cut = tuple[int, ...]  # variables, rising


class Rewriting:
    """One walk over a circuit that replaces ANDs by smaller circuits on their cuts where that frees more than it adds."""

    def __init__(self, circuit: Circuit, least: int = 1) -> None:
        self.circuit, self.least = circuit, least
        self.made = Builder(circuit.inputs)
        self.refs: list[int] = [1] * len(self.made.pairs)
        self.cuts: list[dict[Cut, int]] = [{(v,): 0b10} for v in range(len(self.made.pairs))]
        self.cuts[0] = {(): 0}

    def result(self) -> Circuit:
        counts = [0] * self.circuit.variables
        ends: list[int] = self.circuit.roots.tolist()
        for x in [*(x for pair in self.circuit.pairs for x in pair), *ends]:
            counts[x >> 1] += 1
        env = [0, *self.made.literals]
        for k, (a, b) in enumerate(self.circuit.pairs):
            literal = self.made.conj(env[a >> 1] ^ a & 1, env[b >> 1] ^ b & 1)
            self.grow()
            best = self.best(literal)
            self.grow()
            self.refs[best >> 1] += counts[1 + len(self.circuit.inputs) + k]
            env.append(best)
        roots = [env[r >> 1] ^ r & 1 for r in ends]
        return self.made.finish(self.circuit.outputs, roots)

    def grow(self) -> None:
        """References and cuts of what was built since."""
        for v in range(len(self.refs), len(self.made.pairs)):
            self.refs.append(0)
            self.cuts.append(self.merged(v))

    def merged(self, v: int) -> dict[Cut, int]:
        """The cuts of an AND with the function of each: unions of those of its arguments, the smallest first."""
        a, b = self.made.pairs[v]
        found: dict[Cut, int] = {}
        for left, f in self.cuts[a >> 1].items():
            for right, g in self.cuts[b >> 1].items():
                cut = tuple(sorted({*left, *right}))
                if len(cut) <= WIDTH and cut not in found:
                    whole = ones(len(cut))
                    found[cut] = (widened(f, left, cut) ^ -(a & 1)) & (widened(g, right, cut) ^ -(b & 1)) & whole
        kept = sorted(found, key=lambda c: (len(c), c))[: CUTS - 1]
        return {(v,): 0b10} | {c: found[c] for c in kept}

    def best(self, literal: int) -> int:
        """The literal itself, or one with the same function for which fewer ANDs are needed."""
        v = literal >> 1
        choice, most = literal, self.least - 1
        if v <= len(self.circuit.inputs) or self.refs[v]:
            return choice
        for cut, table in list(self.cuts[v].items()):
            if cut == (v,):
                continue
            gone = self.cone(v, cut)
            for way in variants(table, len(cut)):
                gain = len(gone) - self.added(way, cut, gone) if len(gone) > most else -1
                if gain > most or gain == most == self.least:
                    choice, most = self.made.inline(way, [2 * w for w in cut])[0] ^ literal & 1, gain
        return choice

    def cone(self, v: int, cut: Cut) -> set[int]:
        """The ANDs between a cut and v that nothing else reads: they go when v goes."""
        inside, stack, reads = {v}, [v], dict[int, int]()
        while stack:
            for x in self.made.pairs[stack.pop()]:
                w = x >> 1
                if w in cut or w <= len(self.circuit.inputs):
                    continue
                reads[w] = reads.get(w, 0) + 1
                if reads[w] == self.waiting(w) and w not in inside:
                    inside.add(w)
                    stack.append(w)
        return inside

    def waiting(self, w: int) -> int:
        """How many readers an AND has, or will have."""
        return max(1, self.refs[w])

    def added(self, way: Circuit, cut: Cut, gone: set[int]) -> int:
        """How many ANDs a small circuit needs that are not there already, those that go not counted as there."""
        env: list[int | None] = [0, *(2 * v for v in cut)]
        count = 0
        for a, b in way.pairs:
            x, y = env[a >> 1], env[b >> 1]
            found = None if x is None or y is None else self.there(x ^ a & 1, y ^ b & 1)
            count += found is None or found >> 1 in gone
            env.append(found)
        return count

    def there(self, a: int, b: int) -> int | None:
        """a ∧ b where it needs no new AND."""
        found = trivial(max(a, b), min(a, b))
        return self.made.memo.get((max(a, b), min(a, b))) if found is None else found


def trivial(a: int, b: int) -> int | None:
    """a ∧ b where it is no AND."""
    if b == 0 or a == b ^ 1:
        return 0
    return a if b == 1 or a == b else None


def widened(table: int, cut: Cut, wider: Cut) -> int:
    """The table of a function of one cut as one of a cut that has more variables."""
    n = len(wider)
    patterns = [pattern(wider.index(v), n) for v in cut]
    found = 0
    for s in minterms(table):
        product = ones(n)
        for i, p in enumerate(patterns):
            product &= p if s >> i & 1 else ~p
        found |= product
    return found


def minterms(table: int) -> Iterator[int]:
    """The places of the ones in a table."""
    while table:
        yield (table & -table).bit_length() - 1
        table &= table - 1
