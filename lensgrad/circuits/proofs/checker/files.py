"""Circuit files as the checker reads them: AIGER and BLIF, whole and in one way only, else refused."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

NUMBER = re.compile(r"0|[1-9][0-9]{0,9}")
MOST_VARIABLES = 1 << 24  # of a circuit
LONGEST = 1000  # characters of a name
TIMING = {".default_input_arrival", ".area", ".delay", ".wire_load_slope", ".input_drive", ".output_load"}
IGNORED = TIMING | {".attr", ".param", ".cname"}
Pair = tuple[int, int]  # two literals, 2v and 2v + 1
Circuit = tuple[list[str], list[str], list[Pair], list[int]]  # names of inputs, names of outputs, ANDs, and literals of the outputs
Table = tuple[list[str], list[tuple[str, str]]]  # what a table of BLIF reads, and its rows: a cube and a value
K = TypeVar("K", int, str)


class Rejected(Exception):
    """Why a proof is not accepted."""


def require(holds: object, why: str) -> None:
    if not holds:
        raise Rejected(why)


def circuit(raw: bytes) -> Circuit:
    """(inputs, outputs, gates, roots): names, and ANDs of literals 2v and 2v + 1, where v counts inputs first."""
    found = aiger(raw) if raw[:4] in (b"aag ", b"aig ") else blif(raw.decode("utf-8"))
    for names in found[:2]:
        require(len(set(names)) == len(names), "a circuit in which two inputs or two outputs have one name")
        require(all(map(readable, names)), "a name that is no word of readable text")
    return found


def readable(name: str) -> bool:
    return 0 < len(name) <= LONGEST and name == "".join(name.split()) and not any(map(unprintable, name))


def unprintable(c: str) -> bool:
    return c not in "\u200c\u200d" and unicodedata.category(c) in {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"}


def whole(word: str, most: int = 2 * MOST_VARIABLES + 1) -> int:
    """A number as files write it."""
    require(NUMBER.fullmatch(word) and int(word) <= most, f"{word[:40]!r} is no number of a circuit that can be read")
    return int(word)


class Lines:
    """The lines of an AIGER file, each of which ends in a line feed."""

    def __init__(self, raw: bytes) -> None:
        self.raw, self.at = raw, 0
        self.ending = "" if raw.startswith(b"aig") else "\r"

    def next(self) -> str:
        end = self.raw.find(b"\n", self.at)
        require(end >= 0, "a circuit file that is cut")
        line, self.at = self.raw[self.at : end].decode("utf-8").removesuffix(self.ending), end + 1
        return line

    def numbers(self, count: int) -> list[int]:
        words = self.next().split(" ")
        require(len(words) == count, "a line with more or fewer numbers than it has")
        return list(map(whole, words))


def aiger(raw: bytes) -> Circuit:
    file = Lines(raw)
    kind, *counts = file.next().split(" ")
    require(5 <= len(counts) <= 9, "a header of another length")
    most, n, latches, m, a, *more = (whole(x, MOST_VARIABLES) for x in counts)
    require(not latches and not any(more), "a circuit with latches or properties")
    require(most == n + a or (kind == "aag" and most > n + a), "a header whose numbers do not fit")
    if kind == "aag":
        given, roots, gates = ascii_body(file, n, m, a)
    else:
        given, roots = list(range(1, n + 1)), [file.numbers(1)[0] for _ in range(m)]
        gates = binary_gates(file, n, a)
    require(len(set(given) | set(gates)) == n + a and 0 not in given and 0 not in gates, "a variable is defined twice")
    used = {x >> 1 for x in roots} | {x >> 1 for pair in gates.values() for x in pair} | set(given) | set(gates)
    require(max(used, default=0) <= most, "a variable above the largest")
    require(all(r >> 1 in gates or r >> 1 in {0, *given} for r in roots), "an output that is not defined")
    order = post_order(list(gates), lambda v: [x >> 1 for x in gates[v]], {0, *given})
    place = {v: k for k, v in enumerate([0, *given, *order])}

    def moved(x: int) -> int:
        return 2 * place[x >> 1] + (x & 1)

    inputs, outputs = symbol_names(file, n, m)
    return inputs, outputs, [(moved(gates[v][0]), moved(gates[v][1])) for v in order], [moved(r) for r in roots]


def ascii_body(file: Lines, n: int, m: int, a: int) -> tuple[list[int], list[int], dict[int, Pair]]:
    given = [file.numbers(1)[0] for _ in range(n)]
    roots = [file.numbers(1)[0] for _ in range(m)]
    rows = [file.numbers(3) for _ in range(a)]
    require(not any(x & 1 for x in given) and not any(row[0] & 1 for row in rows), "an odd literal is defined")
    return [x >> 1 for x in given], roots, {lhs >> 1: (x, y) for lhs, x, y in rows}


def binary_gates(file: Lines, n: int, count: int) -> dict[int, Pair]:
    gates: dict[int, Pair] = {}
    for v in range(n + 1, n + 1 + count):
        first = 2 * v - delta(file)
        second = first - delta(file)
        require(first < 2 * v and second >= 0, "a binary AND reads what is not before it")
        gates[v] = first, second
    return gates


def delta(file: Lines) -> int:
    found = 0
    for group in range(5):
        byte, file.at = file.raw[file.at], file.at + 1
        found |= (byte & 127) << 7 * group
        if byte < 128:
            return found
    raise Rejected("a number of a binary AND that does not end")


def symbol_names(file: Lines, n: int, m: int) -> tuple[list[str], list[str]]:
    """Names of inputs and outputs; a line that begins with c begins a comment, or what another program adds."""
    names = {"i": [f"i{k}" for k in range(n)], "o": [f"o{k}" for k in range(m)]}
    seen: set[str] = set()
    while file.at < len(file.raw) and file.raw[file.at] != ord("c"):
        place, _, name = file.next().partition(" ")
        kind, number = names.get(place[:1], []), whole(place[1:])
        require(number < len(kind) and place not in seen and name.strip(" "), "a symbol of nothing, or a second one")
        seen.add(place)
        kind[number] = "_".join(filter(None, name.split(" ")))
    return names["i"], names["o"]


def post_order(gates: Sequence[K], below: Callable[[K], Sequence[K]], given: Iterable[K]) -> list[K]:
    """Gates in their order in the file, each after those it reads."""
    order: list[K] = []
    state: dict[K, int] = dict.fromkeys(given, 2)
    for start in gates:
        stack: list[K] = [start]
        while stack:
            v = stack[-1]
            if state.get(v) == 2:
                stack.pop()
                continue
            waiting = [x for x in below(v) if state.get(x) != 2]
            require(all(state.get(x) != 1 for x in waiting), "a circuit that depends on itself")
            state[v] = 1 if waiting else 2
            if not waiting:
                order.append(stack.pop())
            stack += reversed(waiting)
    return order


def blif(text: str) -> Circuit:
    inputs, outputs, tables = blif_tables(text)
    known = set(inputs)
    order = post_order(list(tables), lambda w: tables[w][0], known)
    env = {name: 2 * k for k, name in enumerate(inputs, 1)}
    gates: list[Pair] = []

    def conj(a: int, b: int) -> int:
        gates.append((a, b))
        return 2 * (len(inputs) + len(gates))

    def tree(row: list[int], join: Callable[[int, int], int]) -> int:
        while len(row) > 1:
            row = [join(row[k], row[k + 1]) if k + 1 < len(row) else row[k] for k in range(0, len(row), 2)]
        return row[0]

    for wire in order:
        reads, rows = tables[wire]
        values = {value for _, value in rows}
        require(len(values) < 2, f"the table of {wire} has rows of both kinds")
        flip = int(values == {"0"})
        products = [[env[x] ^ (c == "0") for x, c in zip(reads, cube, strict=True) if c != "-"] for cube, _ in rows]
        if not products or [] in products:
            env[wire] = int(values == {"1"})
        else:
            env[wire] = tree([tree(p, conj) for p in products], lambda a, b: conj(a ^ 1, b ^ 1) ^ 1) ^ flip
    return inputs, outputs, gates, [env[name] for name in outputs]


def blif_tables(text: str) -> tuple[list[str], list[str], dict[str, Table]]:
    inputs: list[str] = []
    outputs: list[str] = []
    tables: dict[str, Table] = {}
    reads: list[str] = []
    rows: list[tuple[str, str]] | None = None
    last: str | None = None
    for word, *rest in logical_lines(text):
        require(last != ".end" and (word == ".model") == (last is None), "a file that is not one model, from .model to .end")
        if not word.startswith("."):
            if rows is None:
                raise Rejected(f"the row {word[:40]} outside of a table")
            rows.append(table_row([word, *rest], len(reads)))
            continue
        last, rows = word, None
        if word in (".inputs", ".outputs"):
            (inputs if word == ".inputs" else outputs).extend(rest)
        elif word == ".names":
            require(rest, "a table of nothing")
            *reads, wire = rest
            require(wire not in tables and wire not in inputs, f"{wire} is defined twice")
            rows = []
            tables[wire] = reads, rows
        else:
            known = word in IGNORED or (word == ".model" and len(rest) < 2) or (word == ".end" and not rest)
            require(known, f"{' '.join([word, *rest])[:40]} is no line of a combinational circuit")
    require(last == ".end", "a circuit file that is cut: it has no .end")
    require(not set(inputs) & set(tables), "an input that is defined, or more than one model")
    return inputs, outputs, tables


def logical_lines(text: str) -> Iterator[list[str]]:
    """The words of each line, those that end in a backslash joined with the next."""
    begun = ""
    for line in text.removeprefix("\ufeff").removesuffix("\n").split("\n"):
        line = line.removesuffix("\r")
        content, _, comment = line.partition("#")
        content = content.replace("\t", " ")
        require(not any(map(unprintable, content)), "a line with a character that is no text")
        joins = content.endswith("\\") and content == line.replace("\t", " ")
        require(joins or not content.rstrip(" ").endswith("\\"), "a backslash that is not the last of its line")
        require(not comment.endswith("\\"), "a comment that ends in a backslash")
        begun += content[:-1] + " " if joins else content
        if not joins:
            if words := [w for w in begun.split(" ") if w]:
                yield words
            begun = ""
    require(not begun, "a circuit file that is cut: it ends in a backslash")


def table_row(words: Sequence[str], reads: int) -> tuple[str, str]:
    """The cube and the value of a row."""
    cube, value = "".join(words[:-1]), words[-1]
    fits = len(words) == 1 + (reads > 0) and len(cube) == reads
    require(fits and not set(cube) - set("01-") and value in ("0", "1"), f"{' '.join(words)[:40]} is no row of a combinational circuit")
    return cube, value
