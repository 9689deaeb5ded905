"""BLIF (Berkeley logic interchange format, combinational part): written and read back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from lensgrad.circuits.formats.names import RENAME
from lensgrad.circuits.formats.order import in_order
from lensgrad.circuits.gates.circuit import Builder, Circuit, check_name, given_circuit
from lensgrad.core.checks import clean, instance, shown, unprintable
from lensgrad.core.errors import BadValue

SEQUENTIAL = {".latch", ".mlatch", ".clock"}
TIMING = {".default_input_arrival", ".area", ".delay", ".wire_load_slope", ".input_drive", ".output_load"}
IGNORED = TIMING | {".attr", ".param", ".cname"}  # the second three say of yosys' tables where they come from


def blif(circuit: Circuit, model: str = "top") -> str:
    """The circuit as a BLIF file: a table of two inputs for each AND, one of one input for each output."""
    given_circuit("the circuit to write", circuit)
    check_name("the name of a model", model)
    writable(circuit)
    names = wire_names(circuit)
    lines = [f".model {model}", wrapped(".inputs", circuit.inputs), wrapped(".outputs", circuit.outputs)]
    first = 1 + len(circuit.inputs)
    for k, (a, b) in enumerate(circuit.ands.tolist()):
        read, row = cube(names, (a, b))
        lines += [f".names {read}{names[first + k]}", *([f"{row}1"] if a and b else [])]
    for name, root in zip(circuit.outputs, circuit.roots.tolist(), strict=True):
        if name != names[root >> 1] or root & 1:
            read, row = cube(names, (root,))
            lines += [f".names {read}{name}", *([f"{row}1"] if root else [])]
    return "\n".join([*lines, ".end"]) + "\n"


def writable(circuit: Circuit) -> None:
    """Refuse what BLIF cannot say: a comment sign in a name, or an output that has the name of another input."""
    for name in (*circuit.inputs, *circuit.outputs):
        if "#" in name or "\\" in name or name.startswith("."):
            raise BadValue(f"the name '{name}' cannot be written to BLIF, where # . and \\ have meanings of their own: {RENAME}")
    for name, root in zip(circuit.outputs, circuit.roots.tolist(), strict=True):
        if name in circuit.inputs and root != 2 + 2 * circuit.inputs.index(name):
            raise BadValue(f"'{name}' names an input and an output that differ, which BLIF cannot say: {RENAME}")


def cube(names: list[str], literals: tuple[int, ...]) -> tuple[str, str]:
    """The header and the row of a table that is one where all literals are; constants need no column."""
    columns = [(names[x >> 1], "01"[1 - (x & 1)]) for x in literals if x > 1]
    return "".join(f"{n} " for n, _ in columns), "".join(v for _, v in columns) + " " * bool(columns)


def wire_names(circuit: Circuit) -> list[str]:
    """A name for every variable, none of them twice."""
    taken = {*circuit.inputs, *circuit.outputs}
    prefix = "n"
    while any(name.startswith(prefix) and name[len(prefix) :].isdigit() for name in taken):
        prefix += "_"
    count = 1 + len(circuit.inputs)
    return ["", *circuit.inputs, *(f"{prefix}{k}" for k in range(count, circuit.variables))]


def wrapped(head: str, names: tuple[str, ...]) -> str:
    """A line of names, broken where it gets long."""
    lines, line = list[str](), head
    for name in names:
        if len(line) + len(name) > 78:
            lines.append(line + " \\")
            line = ""
        line += f" {name}"
    return "\n".join([*lines, line])


@dataclass
class Model:
    """What a file says: names, and tables by the name they define."""

    inputs: dict[str, None] = field(default_factory=dict[str, None])
    outputs: dict[str, None] = field(default_factory=dict[str, None])
    tables: dict[str, Rows] = field(default_factory=lambda: dict[str, Rows]())


@dataclass
class Rows:
    """A table: the line it begins on, what it reads, its cubes, and the value they stand for."""

    line: int
    reads: list[str]
    cubes: list[str] = field(default_factory=list[str])
    value: str = ""


def read_blif(text: str, name: str = "the file") -> Circuit:
    """The circuit in a BLIF file. Sequential and malformed files are refused with the line and the reason."""
    text = instance("a BLIF file", text, str, "the text of the file, not its path or bytes")
    name = instance("the name of a file", name, str, "text")
    model = parsed(text, name)
    for what in model.outputs:
        if what not in model.tables and what not in model.inputs:
            raise BadValue(f"'{name}': output '{what}' is never defined")
    builder = Builder(list(model.inputs), share=False)
    env = dict(zip(model.inputs, builder.literals, strict=True))
    for wire in ordered(model, name):
        rows = model.tables[wire]
        env[wire] = table(builder, [env[x] for x in rows.reads], rows)
    return builder.finish(list(model.outputs), [env[what] for what in model.outputs])


def ordered(model: Model, name: str) -> list[str]:
    def wrong(wire: str, why: str) -> BadValue:
        return BadValue(f"'{name}', line {model.tables[wire].line}: {why}")

    return in_order(
        model.tables,
        model.inputs,
        lambda wire: model.tables[wire].reads,
        lambda wire, x: wrong(wire, f"'{x}' is read and never defined"),
        lambda wire: wrong(wire, f"'{wire}' depends on itself"),
    )


def table(builder: Builder, reads: list[int], rows: Rows) -> int:
    """A sum of products, AND by AND as it is written."""
    products = [[x ^ (v == "0") for x, v in zip(reads, cube, strict=True) if v != "-"] for cube in rows.cubes]
    if not products or [] in products:
        return int(rows.value == "1")  # no row at all stands for 0, a row without literals for its value
    return builder.any([builder.all(p) for p in products]) ^ (rows.value == "0")


def logical_lines(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Words of lines without comments, those that end in a backslash joined, each with the number it begins on.

    Lines end in a line feed only, whatever else a text editor may show as one, and words have spaces or tabs between.
    """
    begun, start = "", 0
    for number, line in enumerate(text.removeprefix("\ufeff").removesuffix("\n").split("\n"), 1):
        start = start if begun else number
        content, joins = without_comment(line.removesuffix("\r"), f"'{name}', line {number}")
        begun += content
        if joins:
            begun += " "
            continue
        if words := [w for w in begun.split(" ") if w]:
            yield start, words
        begun = ""
    if begun:
        raise BadValue(f"'{name}', line {start}: the file is cut: it ends after a backslash, which joins a line with the next")


def without_comment(line: str, where: str) -> tuple[str, bool]:
    """What a line says, and whether it goes on in the next."""
    content, _, comment = line.partition("#")
    content = content.replace("\t", " ")
    strange = next((c for c in content if unprintable(c)), None)
    if strange is not None:
        raise BadValue(f"{where}: outside of comments a file has readable text, and this line has the character {strange!a}")
    if (content.rstrip(" ").endswith("\\") and not line.endswith("\\")) or comment.endswith("\\"):
        raise BadValue(f"{where}: a backslash joins two lines where it is the last of a line without a comment, and programs differ here")
    return content.removesuffix("\\"), content.endswith("\\")


def parsed(text: str, name: str) -> Model:
    model, rows, last = Model(), None, ""
    for line, (word, *rest) in logical_lines(text, name):
        where = f"'{name}', line {line}"
        if last == ".end":
            raise BadValue(f"{where}: there is more after .end, and only files of one model can be read")
        if not last and word != ".model":
            raise BadValue(f"{where}: a BLIF file begins with .model, got {shown(' '.join([word, *rest]))}")
        if word.startswith("."):
            if word == ".model" and last:
                raise BadValue(f"{where}: a second model begins, and only files of one model can be read")
            rows, last = command(model, word, rest, where, line), word
        else:
            add_row(rows, [word, *rest], where)
    if last != ".end":
        told = "the file is cut: it has no .end" if last else "a BLIF file begins with .model, and this one has no commands"
        raise BadValue(f"'{name}', line {text.rstrip().count(chr(10)) + 1}: {told}")
    return model


def command(model: Model, word: str, rest: list[str], where: str, line: int) -> Rows | None:
    """Take up one command; the rows of a table follow on lines of their own."""
    if word in SEQUENTIAL:
        raise BadValue(f"{where}: {word} makes the circuit sequential: only combinational circuits can be read")
    if word in (".inputs", ".outputs"):
        named(model, word, rest, where)
    elif word == ".names":
        return new_table(model, rest, where, line)
    elif word not in (".model", ".end") and word not in IGNORED:
        raise BadValue(f"{where}: {clean(word)} is no command that can be read here; use .model, .inputs, .outputs, .names and .end")
    elif len(rest) > {".model": 1, ".end": 0}.get(word, len(rest)):
        raise BadValue(f"{where}: {word} has {'one name' if word == '.model' else 'nothing'} behind it, got {shown(' '.join(rest))}")
    return None


def named(model: Model, word: str, rest: list[str], where: str) -> None:
    """More inputs or outputs."""
    names = model.inputs if word == ".inputs" else model.outputs
    for found in rest:
        check(found, where)
        if found in names or (word == ".inputs" and found in model.tables):
            raise BadValue(f"{where}: '{found}' is defined twice")
        names[found] = None


def check(found: str, where: str) -> None:
    try:
        check_name("a name", found)
    except BadValue as wrong:
        raise BadValue(f"{where}: {wrong}") from None


def new_table(model: Model, names: list[str], where: str, line: int) -> Rows:
    if not names:
        raise BadValue(f"{where}: .names needs the name of what it defines")
    *reads, defined = names
    if defined in model.tables or defined in model.inputs:
        raise BadValue(f"{where}: '{defined}' is defined twice")
    model.tables[defined] = Rows(line, reads)
    return model.tables[defined]


def add_row(rows: Rows | None, words: list[str], where: str) -> None:
    if rows is None:
        raise BadValue(f"{where}: a row of a table stands outside of .names: {shown(' '.join(words))}")
    cube, value = ("", words[0]) if len(words) == 1 else (words[0], words[-1])
    if len(words) > 2 or len(cube) != len(rows.reads) or set(cube) - set("01-") or value not in ("0", "1"):
        raise BadValue(f"{where}: a row is {len(rows.reads)} of 0, 1 and -, a space, and 0 or 1, got {shown(' '.join(words))}")
    if rows.value not in ("", value):
        raise BadValue(f"{where}: the rows of one table all end in 0 or all end in 1, and this one has both")
    rows.value = value
    rows.cubes.append(cube)
