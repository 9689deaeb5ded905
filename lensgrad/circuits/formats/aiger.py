"""AIGER, ASCII and binary (format report of 2007, combinational part): written and read back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from lensgrad.circuits.formats.order import in_order
from lensgrad.circuits.gates.circuit import Circuit, check_name, given_circuit, numbered
from lensgrad.core.checks import instance, shown
from lensgrad.core.errors import BadValue

NUMBER = re.compile(r"0|[1-9][0-9]{0,9}")
MOST_VARIABLES = 1 << 24  # of a file that is read: its names alone are a gigabyte
SEVENTHS = 5  # bytes of a difference of literals


def ascii_aiger(circuit: Circuit) -> str:
    """The circuit as an ASCII AIGER file, with the names as symbols."""
    n = len(given_circuit("the circuit to write", circuit).inputs)
    lines = [header("aag", circuit), *(str(2 * k) for k in range(1, n + 1)), *map(str, circuit.roots.tolist())]
    lines += [f"{2 * (1 + n + k)} {a} {b}" for k, (a, b) in enumerate(circuit.ands.tolist())]
    return "\n".join([*lines, *symbols(circuit)]) + "\n"


def binary_aiger(circuit: Circuit) -> bytes:
    """The circuit as a binary AIGER file, with the names as symbols."""
    given_circuit("the circuit to write", circuit)
    head = "\n".join([header("aig", circuit), *map(str, circuit.roots.tolist())]) + "\n"
    body, first = bytearray(), 2 * (1 + len(circuit.inputs))
    for k, (a, b) in enumerate(circuit.ands.tolist()):
        a, b = max(a, b), min(a, b)
        body += seven_bits(first + 2 * k - a) + seven_bits(a - b)
    names = "".join(line + "\n" for line in symbols(circuit))
    return head.encode("ascii") + bytes(body) + names.encode("utf-8")


def header(kind: str, circuit: Circuit) -> str:
    return f"{kind} {circuit.variables - 1} {len(circuit.inputs)} 0 {len(circuit.outputs)} {circuit.size}"


def symbols(circuit: Circuit) -> list[str]:
    return [f"{kind}{k} {name}" for kind, names in (("i", circuit.inputs), ("o", circuit.outputs)) for k, name in enumerate(names)]


def seven_bits(number: int) -> bytes:
    """A number in groups of seven bits, least first; all but the last have their high bit set."""
    groups = bytearray()
    while number > 127:
        groups.append(number & 127 | 128)
        number >>= 7
    return bytes([*groups, number])


@dataclass(frozen=True)
class Header:
    """The first line: the largest variable, and how many inputs, outputs and ANDs."""

    most: int
    inputs: int
    outputs: int
    ands: int


class Reader:
    """A file with a place in it, and errors that name the place."""

    def __init__(self, raw: bytes, name: str) -> None:
        self.raw, self.name, self.at, self.line = raw, name, 0, 0
        self.ascii = not raw.startswith(b"aig")  # in a binary file a carriage return is no end of a line

    def bad(self, why: str) -> BadValue:
        return BadValue(f"'{self.name}', line {self.line}: {why}")

    def next(self, what: str) -> str:
        """The next line, which ends in a line feed; `what` says what should stand there."""
        self.line += 1
        end = self.raw.find(b"\n", self.at)
        if self.at >= len(self.raw):
            raise self.bad(f"the file ends where {what} should stand")
        if end < 0:
            raise self.bad(f"the file is cut: {what} should stand here, and its line has no end")
        text, self.at = self.raw[self.at : end], end + 1
        try:
            return text.decode("utf-8").removesuffix("\r" if self.ascii else "")
        except UnicodeDecodeError:
            raise self.bad(f"{what} should stand here, and these bytes are no text") from None

    def numbers(self, what: str, count: int) -> list[int]:
        words = (text := self.next(what)).split(" ")
        if len(words) != count or not all(map(NUMBER.fullmatch, words)):
            raise self.bad(f"{what} is {count} number{'s' * (count > 1)} with one space between, got {shown(text)}")
        return [int(w) for w in words]

    def delta(self) -> int:
        """A number in groups of seven bits."""
        number = 0
        for group in range(SEVENTHS):
            if self.at >= len(self.raw):
                raise BadValue(f"'{self.name}', byte {self.at + 1}: the file ends inside the binary ANDs")
            byte, self.at = self.raw[self.at], self.at + 1
            number |= (byte & 127) << 7 * group
            if byte < 128:
                return number
        raise BadValue(f"'{self.name}', byte {self.at}: a number of the binary ANDs has more than {SEVENTHS} bytes")


def read_aiger(raw: bytes, name: str = "the file") -> Circuit:
    """The circuit in an AIGER file, AND by AND. Sequential and malformed files are refused with the line and the reason."""
    raw = instance("an AIGER file", raw, bytes, "the bytes of the file, as path.read_bytes() gives")
    file = Reader(raw, instance("the name of a file", name, str, "text"))
    words = file.next("the header").split(" ")
    head = checked_header(file, words)
    inputs, roots, ands = (ascii_body if words[0] == "aag" else binary_body)(file, head)
    names = read_symbols(file, head)
    place, order = placed(file, head, inputs, ands)
    known = literal_reader(place, name)
    return Circuit(*names, [[known(x) for x in ands[v][:2]] for v in order], [known(r) for r in roots])  # pyright: ignore


def checked_header(file: Reader, words: list[str]) -> Header:
    if words[0] not in ("aag", "aig"):
        raise file.bad(f"an AIGER file begins with 'aag' or 'aig', got {shown(words[0])}")
    if not 6 <= len(words) <= 10 or not all(w.isascii() and w.isdigit() for w in words[1:]):
        raise file.bad(f"the header must be '{words[0]} M I L O A' in numbers, got {shown(' '.join(words))}")
    large = next((w for w in words[1:] if not NUMBER.fullmatch(w) or int(w) > MOST_VARIABLES), None)
    if large is not None:
        raise file.bad(
            f"the header has numbers up to 2^24, the largest circuit that is read, without zeros before them, got {shown(large)}"
        )
    most, inputs, latches, outputs, ands, *more = map(int, words[1:])
    if latches:
        raise file.bad(f"the circuit has {latches} latches, so it is sequential: only combinational circuits can be read")
    if any(more):
        raise file.bad("the circuit states bad states, constraints, justice or fairness, which combinational circuits have not")
    if most < inputs + ands or (words[0] == "aig" and most != inputs + ands):
        raise file.bad(f"the largest variable {most} does not fit {inputs} inputs and {ands} ANDs")
    return Header(most, inputs, outputs, ands)


Gates = dict[int, tuple[int, int, int]]  # of each AND's variable: two literals, and the line they stand on
Body = tuple[list[int], list[int], Gates]


def ascii_body(file: Reader, head: Header) -> Body:
    inputs = [new_variable(file, head, file.numbers("an input", 1)[0], "an input") for _ in range(head.inputs)]
    roots = [bounded(file, head, file.numbers("an output", 1)[0]) for _ in range(head.outputs)]
    ands: Gates = {}
    for _ in range(head.ands):
        left, a, b = file.numbers("an AND", 3)
        variable = new_variable(file, head, left, "an AND")
        if variable in ands:
            raise file.bad(f"variable {variable} is defined twice")
        ands[variable] = bounded(file, head, a), bounded(file, head, b), file.line
    return inputs, roots, ands


def binary_body(file: Reader, head: Header) -> Body:
    roots = [bounded(file, head, file.numbers("an output", 1)[0]) for _ in range(head.outputs)]
    ands: Gates = {}
    for k in range(head.ands):
        variable = head.inputs + 1 + k
        a = 2 * variable - file.delta()
        b = a - file.delta()
        if a >= 2 * variable or b < 0:
            raise BadValue(f"'{file.name}', byte {file.at}: AND {variable} reads a literal that is not before it")
        ands[variable] = a, b, 0
    return list(range(1, head.inputs + 1)), roots, ands


def bounded(file: Reader, head: Header, literal: int) -> int:
    if literal > 2 * head.most + 1:
        raise file.bad(f"literal {literal} is above the largest variable {head.most}")
    return literal


def new_variable(file: Reader, head: Header, literal: int, what: str) -> int:
    if bounded(file, head, literal) < 2 or literal % 2:
        raise file.bad(f"{what} must be defined by an even literal above 0, got {literal}")
    return literal >> 1


def read_symbols(file: Reader, head: Header) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of inputs and outputs; from a line that begins with c on, the file is a comment or another program's extension."""
    names = {"i": list(numbered("i", head.inputs)), "o": list(numbered("o", head.outputs))}
    lines: dict[tuple[str, int], int] = {}
    while file.at < len(file.raw) and file.raw[file.at] != ord("c"):
        kind, number, name = symbol(file, names)
        if (kind, number) in lines:
            raise file.bad(f"{kind}{number} has a name already, in line {lines[kind, number]}")
        lines[kind, number] = file.line
        names[kind][number] = name
    for kind, found in names.items():
        different(file, kind, found, lines)
    return tuple(names["i"]), tuple(names["o"])


def symbol(file: Reader, names: dict[str, list[str]]) -> tuple[str, int, str]:
    """A line as the kind of symbol, its number, and the name."""
    place, _, name = (text := file.next("a symbol")).partition(" ")
    kind, number = place[:1], place[1:]
    if kind not in names or not NUMBER.fullmatch(number) or int(number) >= len(names[kind]) or not name.strip(" "):
        raise file.bad(f"a symbol must be i or o, the number of an input or output, a space and a name, got {shown(text)}")
    name = "_".join(filter(None, name.split(" ")))
    try:
        check_name("a name", name)
    except BadValue as wrong:
        raise file.bad(str(wrong)) from None
    return kind, int(number), name


def different(file: Reader, kind: str, names: list[str], lines: dict[tuple[str, int], int]) -> None:
    """Refuse one name for two inputs or two outputs."""
    twice = {name for name, count in Counter(names).items() if count > 1}
    if twice:
        k = max((k for k, name in enumerate(names) if name in twice), key=lambda k: lines.get((kind, k), 0))
        file.line = lines[kind, k]
        raise file.bad(f"two {'inputs' if kind == 'i' else 'outputs'} are called '{names[k]}', and each has a name of its own")


def placed(file: Reader, head: Header, inputs: list[int], ands: Gates) -> tuple[dict[int, int], list[int]]:
    """A number for every variable, inputs first, and the ANDs in an order in which each comes after its arguments."""
    place = {0: 0, **{v: k + 1 for k, v in enumerate(inputs)}}
    twice = len(place) <= len(inputs) or place.keys() & ands.keys()
    if twice:
        raise BadValue(f"'{file.name}': a variable is both an input and something else")

    def below(v: int) -> list[int]:
        return [x >> 1 for x in ands[v][:2]]

    def wrong(v: int, why: str) -> BadValue:
        return BadValue(f"'{file.name}', line {ands[v][2]}: {why}")

    order = in_order(ands, place, below, lambda v, x: wrong(v, f"variable {x} is read and never defined"),
                     lambda v: wrong(v, f"variable {v} depends on itself"))  # fmt: skip
    place |= {v: 1 + len(inputs) + k for k, v in enumerate(order)}
    return place, order


def literal_reader(place: dict[int, int], name: str) -> Callable[[int], int]:
    def known(literal: int) -> int:
        if literal >> 1 not in place:
            raise BadValue(f"'{name}': literal {literal} is read and its variable never defined")
        return 2 * place[literal >> 1] + (literal & 1)

    return known
