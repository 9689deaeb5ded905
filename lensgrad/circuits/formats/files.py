"""Circuits in files: the format is told by the ending when written, and by the content when read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lensgrad.circuits.formats.aiger import ascii_aiger, binary_aiger, read_aiger
from lensgrad.circuits.formats.blif import blif, read_blif
from lensgrad.circuits.formats.c import c_source
from lensgrad.circuits.formats.verilog import verilog
from lensgrad.circuits.gates.circuit import Circuit
from lensgrad.core.errors import BadValue

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
    path = Path(path)
    raw = path.read_bytes()
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
    path = Path(path)
    written = WRITERS[check_ending(path)](circuit)
    path.write_bytes(written if isinstance(written, bytes) else written.encode("utf-8"))


def check_ending(path: Path) -> str:
    """The ending of a path, which says the format."""
    ending = path.suffix[1:]
    if ending not in WRITERS:
        raise BadValue(f"a circuit is written to .aig, .aag, .blif, .v or .c, and '{path.name}' is none of these")
    return ending
