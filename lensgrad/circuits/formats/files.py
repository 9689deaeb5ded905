"""Circuits in files: the format is told by the ending when written, and by the content when read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lensgrad.circuits.formats.aiger import ascii_aiger, binary_aiger, read_aiger
from lensgrad.circuits.formats.blif import blif, read_blif
from lensgrad.circuits.formats.c import c_source
from lensgrad.circuits.formats.verilog import verilog
from lensgrad.circuits.gates.circuit import Circuit, given_circuit
from lensgrad.core.checks import file
from lensgrad.core.errors import BadValue, MissingData
from lensgrad.files.place import REFUSED, quoted, reason

WRITERS: dict[str, Callable[[Circuit], str | bytes]] = {
    "aag": ascii_aiger,
    "aig": binary_aiger,
    "blif": blif,
    "v": verilog,
    "c": c_source,
}
FORMATS = {"aag": "aag", "aig": "aig", "blif": "blif", "verilog": "v", "c": "c"}  # what `--to` takes, and the ending


def read(path: str | Path) -> Circuit:
    """The circuit in an AIGER or BLIF file, gate by gate."""
    raw, path = content("a circuit", path), Path(path)
    if raw[:4] in (b"aag ", b"aig ") or path.suffix in (".aag", ".aig"):
        return read_aiger(raw, path.name)
    if path.suffix != ".blif":
        raise BadValue(f"'{path.name}' is no circuit that can be read: give AIGER (.aig, .aag) or BLIF (.blif)")
    try:
        return read_blif(raw.decode("utf-8"), path.name)
    except UnicodeDecodeError as wrong:
        line = raw[: wrong.start].count(b"\n") + 1
        raise BadValue(f"'{path.name}', line {line}: these bytes are no text") from None


def write(circuit: Circuit, path: str | Path) -> None:
    """The circuit as AIGER (.aig, .aag), BLIF (.blif), Verilog (.v) or C (.c), by the ending of the path."""
    path = file("the place of a circuit", path)
    put(path, WRITERS[check_ending(path)](given_circuit("the circuit to write", circuit)))


def content(what: str, path: str | Path) -> bytes:
    """What is in a file, or a sentence that says why there is nothing."""
    place = file(f"the place of {what}", path)
    try:
        return place.read_bytes()
    except FileNotFoundError:
        raise MissingData(f"there is no file {quoted(path)}: check its name and the current folder") from None
    except REFUSED as wrong:
        told = "it is a folder" if isinstance(wrong, IsADirectoryError) else reason(wrong)
        raise BadValue(f"{quoted(path)} cannot be read: {told}; give the path of {what}") from wrong


def put(path: Path, written: str | bytes) -> None:
    """Write a file, or say in a sentence why it cannot be written."""
    try:
        path.write_bytes(written if isinstance(written, bytes) else written.encode("utf-8"))
    except REFUSED as wrong:
        raise BadValue(f"{quoted(path)} cannot be written: {reason(wrong)}; name a file in a folder that is there") from wrong


def check_ending(path: Path) -> str:
    """The ending of a path, which says the format."""
    ending = path.suffix[1:]
    if ending not in WRITERS:
        raise BadValue(f"a circuit is written to .aig, .aag, .blif, .v or .c, and '{path.name}' is none of these")
    return ending
