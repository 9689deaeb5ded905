"""A checker of proofs that two circuit files are equal, on its own: standard library only, nothing of the rest is imported.

    python -m lensgrad.circuits.proofs.checker left.aig right.blif proof.drat [care.aig]

It reads the files, builds the clauses that say that they differ (numbered as written at the top of `lensgrad/circuits/proofs/miter.py`),
and checks that each step of the proof follows by unit propagation (RUP) or keeps satisfiability (RAT, on the first
literal of the step; Wetzler, Heule, Hunt 2014). It accepts only when the empty clause follows. The proof names the digest of
each file, so it is a proof about these files and no others.
"""

import hashlib
import sys
from pathlib import Path


class Rejected(Exception):
    """Why a proof is not accepted."""


# -- circuit files -----------------------------------------------------------------------------------------------------


def circuit(raw):
    """(inputs, outputs, gates, roots): names, and ANDs of literals 2v and 2v + 1, where v counts inputs first."""
    found = aiger(raw) if raw[:4] in (b"aag ", b"aig ") else blif(raw.decode("utf-8"))
    for names in found[:2]:
        if len(set(names)) < len(names):
            raise Rejected("a circuit in which two inputs or two outputs have one name")
    return found


def aiger(raw):
    head, _, rest = raw.partition(b"\n")
    kind, *counts = head.split()
    _, n, latches, m, a = map(int, counts[:5])
    if latches or any(map(int, counts[5:])):
        raise Rejected("a circuit with latches or properties")
    lines = rest.split(b"\n")
    if kind == b"aag":
        given = [int(x) >> 1 for x in lines[:n]]
        roots = [int(x) for x in lines[n : n + m]]
        rows = [[int(x) for x in line.split()] for line in lines[n + m : n + m + a]]
        gates = {lhs >> 1: (x, y) for lhs, x, y in rows}
        if any(int(x) & 1 for x in lines[:n]) or any(row[0] & 1 for row in rows):
            raise Rejected("an odd literal is defined")
        symbols = lines[n + m + a :]
    else:
        given, roots = list(range(1, n + 1)), [int(x) for x in lines[:m]]
        at = sum(len(line) + 1 for line in lines[:m])
        gates, at = binary_gates(rest, at, n, a)
        symbols = rest[at:].split(b"\n")
    if len(set(given) | set(gates)) != n + a or 0 in given or 0 in gates:
        raise Rejected("a variable is defined twice")
    order = post_order(list(gates), lambda v: [x >> 1 for x in gates[v]], {0, *given})
    place = {v: k for k, v in enumerate([0, *given, *order])}
    moved = lambda x: 2 * place[x >> 1] + (x & 1)  # noqa: E731
    names = symbol_names(symbols, n, m)
    return *names, [(moved(gates[v][0]), moved(gates[v][1])) for v in order], [moved(r) for r in roots]


def binary_gates(raw, at, n, count):
    gates = {}
    for v in range(n + 1, n + 1 + count):
        pair, top = [], 2 * v
        for _ in range(2):
            delta = shift = 0
            while True:
                delta |= (raw[at] & 127) << shift
                shift, at = shift + 7, at + 1
                if raw[at - 1] < 128:
                    break
            top -= delta
            pair.append(top)
        if pair[0] >= 2 * v or pair[1] < 0:
            raise Rejected("a binary AND reads what is not before it")
        gates[v] = tuple(pair)
    return gates, at


def symbol_names(lines, n, m):
    names = {"i": [f"i{k}" for k in range(n)], "o": [f"o{k}" for k in range(m)]}
    for line in lines:
        if line == b"c":
            break
        place, _, name = line.decode("utf-8").partition(" ")
        if place:
            names[place[0]][int(place[1:])] = "_".join(name.split())
    return names["i"], names["o"]


def post_order(gates, below, given):
    """Gates in their order in the file, each after those it reads."""
    order, state = [], dict.fromkeys(given, 2)
    for start in gates:
        stack = [start]
        while stack:
            v = stack[-1]
            if state.get(v) == 2:
                stack.pop()
                continue
            waiting = [x for x in below(v) if state.get(x) != 2]
            if any(state.get(x) == 1 for x in waiting):
                raise Rejected("a circuit that depends on itself")
            state[v] = 1 if waiting else 2
            if not waiting:
                order.append(stack.pop())
            stack += reversed(waiting)
    return order


def blif(text):
    inputs, outputs, tables = blif_tables(text)
    known = set(inputs)
    order = post_order(list(tables), lambda w: tables[w][0], known)
    env, gates = {name: 2 * k for k, name in enumerate(inputs, 1)}, []

    def conj(a, b):
        gates.append((a, b))
        return 2 * (len(inputs) + len(gates))

    def tree(row, join):
        while len(row) > 1:
            row = [join(row[k], row[k + 1]) if k + 1 < len(row) else row[k] for k in range(0, len(row), 2)]
        return row[0]

    for wire in order:
        reads, rows = tables[wire]
        values = {value for _, value in rows}
        if len(values) > 1:
            raise Rejected(f"the table of {wire} has rows of both kinds")
        flip = int(values == {"0"})
        products = [[env[x] ^ (c == "0") for x, c in zip(reads, cube, strict=True) if c != "-"] for cube, _ in rows]
        if not products or [] in products:
            env[wire] = int(values == {"1"})
        else:
            env[wire] = tree([tree(p, conj) for p in products], lambda a, b: conj(a ^ 1, b ^ 1) ^ 1) ^ flip
    return inputs, outputs, gates, [env[name] for name in outputs]


def blif_tables(text):
    inputs, outputs, tables, rows, pending, seen = [], [], {}, [], "", []
    for line in text.splitlines():
        line = pending + line.split("#")[0].rstrip()
        pending = line[:-1] + " " if line.endswith("\\") else ""
        words = [] if pending else line.split()
        if not words:
            continue
        if words[0].startswith("."):
            seen.append(words[0])
        if words[0] in (".inputs", ".outputs"):
            (inputs if words[0] == ".inputs" else outputs).extend(words[1:])
        elif words[0] == ".names":
            rows = []
            if words[-1] in tables or words[-1] in inputs:
                raise Rejected(f"{words[-1]} is defined twice")
            tables[words[-1]] = (words[1:-1], rows)
        elif words[0] not in (".model", ".end"):
            rows.append(table_row(words))
    if set(inputs) & set(tables) or seen.count(".model") > 1 or ".end" in seen[:-1]:
        raise Rejected("an input that is defined, or more than one model")
    return inputs, outputs, tables


def table_row(words):
    """The cube and the value of a row."""
    cube, value = "".join(words[:-1]), words[-1]
    if len(words) > 2 or set(cube) - set("01-") or value not in ("0", "1"):
        raise Rejected(f"{' '.join(words)} is no row of a combinational circuit")
    return cube, value


# -- clauses -----------------------------------------------------------------------------------------------------------


def matched(ours, theirs, letter):
    """Our names among theirs: by name, or by number where one side has none."""
    if len(ours) == len(theirs) and set(ours) == set(theirs):
        return [theirs.index(name) for name in ours]
    if len(ours) != len(theirs) or [f"{letter}{k}" for k in range(len(ours))] not in (list(ours), list(theirs)):
        raise Rejected("the circuits have other inputs or outputs than each other")
    return list(range(len(ours)))


def miter(left, right, care):
    """Clauses that can be satisfied exactly where the circuits differ."""
    n = len(left[0])
    clauses, top, ends = [[1]], n + 2, []
    for inputs, _, gates, roots in [left, right] + ([care] if care else []):
        env = [-1, *(2 + k for k in matched(inputs, left[0], "i"))]
        for a, b in gates:
            x, y = (-env[w >> 1] if w & 1 else env[w >> 1] for w in (a, b))
            clauses += [[-top, x], [-top, y], [top, -x, -y]]
            env.append(top)
            top += 1
        ends.append([-env[w >> 1] if w & 1 else env[w >> 1] for w in roots])
    order = matched(left[1], right[1], "o")
    for k, a in enumerate(ends[0]):
        b = ends[1][order[k]]
        clauses += [[-(top + k), a, b], [-(top + k), -a, -b]]
    clauses.append(list(range(top, top + len(order))))
    if care:
        if len(ends[2]) != 1:
            raise Rejected("a care set has one output")
        clauses.append([ends[2][0]])
    return clauses


# -- proofs ------------------------------------------------------------------------------------------------------------


class Database:
    """Clauses with two watched literals each, and what follows from them alone."""

    def __init__(self, clauses):
        self.clauses, self.watch, self.places = {}, {}, {}
        self.true, self.trail, self.closed, self.next = set(), [], False, 0
        for clause in clauses:
            self.add(clause)

    def add(self, clause):
        """A clause that follows, and what follows from it."""
        clause = list(dict.fromkeys(clause))
        if any(-x in clause for x in clause):
            return
        clause.sort(key=lambda x: -x in self.true)  # those that are not false come first, and are watched
        number, self.next = self.next, self.next + 1
        self.clauses[number] = clause
        self.places.setdefault(tuple(sorted(clause)), []).append(number)
        for x in clause[:2]:
            self.watch.setdefault(x, []).append(number)
        free = [x for x in clause if -x not in self.true]
        if not free or (len(free) == 1 and free[0] not in self.true and not self.propagate([free[0]])):
            self.closed = True

    def remove(self, clause):
        """Forget a clause, unless it is not there or a literal follows from it alone: keeping more makes no wrong step right."""
        numbers = self.places.get(tuple(sorted(dict.fromkeys(clause))), [])
        if numbers and sum(-x not in self.true for x in clause) > 1 and not any(x in self.true for x in clause):
            del self.clauses[numbers.pop()]

    def propagate(self, literals):
        """Unit propagation; False on a conflict."""
        begin = len(self.trail)
        for x in literals:
            if -x in self.true:
                return False
            if x not in self.true:
                self.true.add(x)
                self.trail.append(x)
        while begin < len(self.trail):
            falsified = -self.trail[begin]
            begin += 1
            if not self.visit(falsified):
                return False
        return True

    def visit(self, falsified):
        """Move the watches of the clauses that watch a literal that became false."""
        true, kept, numbers = self.true, [], self.watch.get(falsified, [])
        for index, number in enumerate(numbers):
            clause = self.clauses.get(number)
            if clause is None:
                continue
            if clause[0] == falsified and len(clause) > 1:
                clause[0], clause[1] = clause[1], clause[0]
            if clause[0] in true:
                kept.append(number)
                continue
            for k in range(2, len(clause)):
                if -clause[k] not in true:
                    clause[1], clause[k] = clause[k], clause[1]
                    self.watch.setdefault(clause[1], []).append(number)
                    break
            else:
                kept.append(number)
                if -clause[0] in true:
                    self.watch[falsified] = kept + numbers[index + 1 :]
                    return False
                true.add(clause[0])
                self.trail.append(clause[0])
        self.watch[falsified] = kept
        return True

    def follows(self, clause):
        """Whether denying the clause leads to a conflict by unit propagation."""
        mark = len(self.trail)
        conflict = not self.propagate([-x for x in clause])
        self.true.difference_update(self.trail[mark:])
        del self.trail[mark:]
        return conflict

    def keeps(self, clause):
        """RAT on the first literal: every resolvent follows."""
        if not clause:
            return False
        pivot = clause[0]
        others = [[x for x in c if x != -pivot] for c in self.clauses.values() if -pivot in c]
        return all(any(-x in clause for x in other) or self.follows([*clause, *other]) for other in others)


def check_steps(clauses, steps):
    """Go through a proof; return how many clauses it took to close it."""
    database, count = Database(clauses), 0
    for number, step in steps:
        if database.closed:
            return count
        words = step.split()
        deletes = words[:1] == ["d"]
        try:
            literals = [int(w) for w in words[deletes:]]
        except ValueError:
            raise Rejected(f"line {number} of the proof is no clause: {step[:40]!r}") from None
        if literals[-1:] != [0] or 0 in literals[:-1]:
            raise Rejected(f"line {number} of the proof does not end in 0: {step[:40]!r}")
        if deletes:
            database.remove(literals[:-1])
            continue
        if not database.follows(literals[:-1]) and not database.keeps(literals[:-1]):
            raise Rejected(f"line {number} of the proof does not follow: {step[:40]!r}")
        database.add(literals[:-1])
        count += 1
    if not database.closed:
        raise Rejected("the proof ends before the empty clause follows")
    return count


def check(left, right, proof, care=None):
    """Accept the files and return how many clauses were checked, or raise `Rejected` with the reason."""
    raws = {name: Path(path).read_bytes() for name, path in (("left", left), ("right", right), ("care", care)) if path is not None}
    lines = list(enumerate(Path(proof).read_text(encoding="ascii", errors="replace").splitlines(), 1))
    said = {w[1]: w[2] for _, line in lines if line.startswith("c ") and len(w := line.split()) == 3}
    for name, raw in raws.items():
        if said.get(name) != hashlib.sha256(raw).hexdigest():
            raise Rejected(f"the proof is about another {name} file")
    if set(said) & {"left", "right", "care"} != set(raws):
        raise Rejected("the proof is about a care set, and none was given")
    try:
        circuits = {name: circuit(raw) for name, raw in raws.items()}
    except (ValueError, KeyError, IndexError, AttributeError, TypeError) as wrong:
        raise Rejected("a circuit file is malformed") from wrong
    clauses = miter(circuits["left"], circuits["right"], circuits.get("care"))
    return check_steps(clauses, [(n, line) for n, line in lines if line.strip() and not line.startswith("c")])


def main(args):
    """The command: exit code 0 where the proof is accepted, 1 where it is rejected."""
    if len(args) not in (3, 4):
        print("usage: python -m lensgrad.circuits.proofs.checker LEFT RIGHT PROOF [CARE]")
        return 2
    try:
        print(f"accepted: {check(*args)} clauses checked")
        return 0
    except Rejected as why:
        print(f"rejected: {why}")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
