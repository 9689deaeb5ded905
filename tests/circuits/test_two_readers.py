"""The library and the checker have readers of their own, and take and refuse the same files."""

import random

import pytest

from lensgrad import circuits
from lensgrad.circuits.proofs import checker
from lensgrad.core.errors import BadValue
from tests.circuits.test_formats import some

MODEL = ".model t\n.inputs a b\n.outputs y\n.names a b y\n11 1\n00 1\n.end\n"
AAG = "aag 3 2 0 1 1\n2\n4\n6\n6 2 4\ni0 a\ni1 b\no0 y\n"
AIG = b"aig 3 2 0 1 1\n6\n\x02\x02i0 a\ni1 b\no0 y\n"

TAKEN = {
    "lines that end as Windows ends them": MODEL.replace("\n", "\r\n"),
    "a byte order mark": "\ufeff" + MODEL,
    "form feed and vertical tab in a comment": MODEL.replace("t\n", "t # p.1\x0cp.2\x0b.outputs z\n", 1),
    "line separator in a comment": MODEL.replace("t\n", "t # a\u2028b\u2029c\x85d\n", 1),
    "what yosys says of tables": MODEL.replace(".end", '.cname $x\n.attr src "x.v:1"\n.param T 0\n.end'),
    "lines that are joined": MODEL.replace(".inputs a b", ".inputs \\\n\ta \\\r\n b"),
    "no line feed behind .end": MODEL.removesuffix("\n"),
    "comments and empty lines behind .end": MODEL + "\n# the end\n",
    "a table before the inputs": ".model t\n.names a b y\n11 1\n.inputs a b\n.outputs y\n.end\n",
    "a comment": AAG + "c\nanything\n\xff",
    "what abc adds": AAG.encode() + b"cnadd\0\nThis file was produced by the GIA package in ABC\n",
    "a comment on the line of its c": AAG + "c made by hand",
    "AIGER from Windows": AAG.replace("\n", "\r\n"),
    "binary": AIG,
    "no symbols": AAG[: AAG.index("i0")],
    "one symbol": AAG[: AAG.index("i1")],
    "spaces in a name": AAG.replace("i0 a", "i0  a  c "),
}
REFUSED = {
    "a last line that ends in a backslash": MODEL.replace("00 1\n.end\n", "00 1\\\n"),
    "an .end that ends in a backslash": MODEL.replace(".end", ".end\\"),
    "a last line that ends in a backslash, behind .end": MODEL + "\\",
    "a file that is cut between lines": MODEL[: MODEL.index("00")],
    "a file that is cut in .end": MODEL[:-3],
    "a backslash with a space behind": MODEL.replace("11 1", "11 \\ \n1"),
    "a backslash with a comment behind": MODEL.replace("11 1", "11 \\# joined?\n1"),
    "a comment that ends in a backslash": MODEL.replace("11 1", "11 1 # joined? \\"),
    "a form feed between rows": MODEL.replace("11 1\n", "11 1\x0c"),
    "a line separator between rows": MODEL.replace("11 1\n", "11 1\u2028"),
    "a carriage return between rows": MODEL.replace("11 1\n", "11 1\r"),
    "a name with a character that shows nothing": MODEL.replace("a b", "a b\u200b"),
    "no .model": MODEL.replace(".model t\n", ""),
    "two models": MODEL + MODEL,
    "a model of two names": MODEL.replace(" t\n", " t u\n"),
    "a word behind .end": MODEL.replace(".end", ".end t"),
    "a row outside of a table": MODEL.replace(".names a b y\n", "11 1\n.names a b y\n"),
    "a row behind another command": MODEL.replace("00 1", ".area 1\n00 1"),
    "a row of two spaces in it": MODEL.replace("11 1", "1 1 1"),
    "a row that is too short": MODEL.replace("11 1", "1 1"),
    "an input twice": MODEL.replace(".inputs a b", ".inputs a b a"),
    "an output twice": MODEL.replace(".outputs y", ".outputs y y"),
    "a table twice": MODEL.replace(".end", ".names y\n.end"),
    "an input that has a table": MODEL.replace(".end", ".names a\n.end"),
    "an output that nothing defines": MODEL.replace(".outputs y", ".outputs y z"),
    "a wire that nothing defines": MODEL.replace(".names a b y", ".names a z y"),
    "a table of nothing": MODEL.replace(".end", ".names\n.end"),
    "a latch": MODEL.replace(".end", ".latch a z\n.end"),
    "no text": MODEL.encode() + b"# \xff\n",
    "a second name of one input": AAG.replace("i1 b", "i0 b"),
    "one name of two inputs": AAG.replace("i1 b", "i1 a"),
    "the name that another has by its number": AAG.replace("i0 a\ni1 b", "i0 i1"),
    "a symbol of no input": AAG.replace("i1", "i2"),
    "a symbol with a zero before its number": AAG.replace("i1", "i01"),
    "a symbol without a name": AAG.replace("i1 b", "i1  "),
    "a name with a character that shows nothing, in AIGER": AAG.replace("i1 b", "i1 b\u2028"),
    "a last number without an end": AAG[: AAG.index("\ni0")],
    "a last symbol without an end": AAG.removesuffix("\n"),
    "a number that no machine has": AAG.replace("6 2 4", "6 2 " + "4" * 5000),
    "a header that no machine has": AAG.replace("aag 3", "aag " + "3" * 5000),
    "more inputs than memory": "aig 999999999999 999999999999 0 0 0\n",
    "more inputs than are read": f"aig {1 << 25} {1 << 25} 0 0 0\n",
    "more outputs than there are": AAG.replace("0 1 1", "0 16777216 1"),
    "a symbol's number that no machine has": AAG.replace("i1", "i" + "1" * 5000),
    "a literal above the largest": AAG.replace("6 2 4", "6 2 9"),
    "a literal that nothing defines": AAG.replace("aag 3", "aag 4").replace("6 2 4", "6 2 8"),
    "an output that nothing defines, in AIGER": AAG.replace("aag 3", "aag 4").replace("4\n6\n6", "4\n8\n6"),
    "an AND that is an input": AAG.replace("6 2 4", "4 2 2"),
    "an AND of its own": AAG.replace("6 2 4", "6 6 4"),
    "an odd AND": AAG.replace("6 2 4", "7 2 4"),
    "a constant as an input": AAG.replace("\n2\n4\n", "\n0\n4\n"),
    "two spaces": AAG.replace("6 2 4", "6  2 4"),
    "a sign": AAG.replace("6 2 4", "6 2 +4"),
    "an underscore": AAG.replace("6 2 4", "6 2 0_4"),
    "latches": AAG.replace("2 0 1 1", "2 1 1 1"),
    "a header that is too small": AAG.replace("aag 3", "aag 2"),
    "a binary header that is too large": AIG.replace(b"aig 3", b"aig 4"),
    "a binary file that is cut": AIG[: AIG.index(b"\x02\x02") + 1],
    "a binary number that does not end": AIG.replace(b"\x02\x02", b"\x82\x80\x80\x80\x80\x80\x00\x02"),
    "a binary AND of its own": AIG.replace(b"\x02\x02", b"\x00\x02"),
    "a binary file from Windows": AIG.replace(b"\n", b"\r\n"),
}


def raw(text):
    return text if isinstance(text, bytes) else text.encode("utf-8")


def ours(text, tmp_path):
    """The circuit as the library reads it, None where it refuses."""
    path = tmp_path / ("c.aag" if raw(text)[:2] == b"ai" or raw(text)[:2] == b"aa" else "c.blif")
    path.write_bytes(raw(text))
    try:
        return circuits.read(path)
    except BadValue:
        return None


def theirs(text):
    try:
        return checker.circuit_of(raw(text))
    except checker.Rejected:
        return None


def same(ours, theirs):
    """Whether both are nothing, or one circuit AND by AND."""
    if ours is None or theirs is None:
        return ours is theirs
    names = (list(ours.inputs), list(ours.outputs)) == (list(theirs[0]), list(theirs[1]))
    return names and (ours.ands.tolist(), ours.roots.tolist()) == (list(map(list, theirs[2])), list(theirs[3]))


@pytest.mark.parametrize("what", TAKEN)
def test_both_take(what, tmp_path):
    found = ours(TAKEN[what], tmp_path)
    assert found is not None and same(found, theirs(TAKEN[what]))


@pytest.mark.parametrize("what", REFUSED)
def test_both_refuse(what, tmp_path):
    assert ours(REFUSED[what], tmp_path) is None and theirs(REFUSED[what]) is None


@pytest.mark.parametrize("seed", range(12))
def test_both_read_damaged_files_alike(seed, tmp_path):
    draw, circuit = random.Random(seed), some(seed, 3, 5, 2)
    for whole in (circuits.blif(circuit).encode(), circuits.ascii_aiger(circuit).encode(), circuits.binary_aiger(circuit)):
        for _ in range(60):
            at = draw.randrange(4, len(whole))
            piece = draw.choice([b"", b"\\", b"\n", b" ", b"#", b"0", b"1", b"\r", b"\x0c", b"-", b".", b"c", b"\xe2\x80\xa8", b"\xff"])
            damaged = draw.choice([whole[:at], whole[:at] + piece + whole[at:], whole[:at] + piece + whole[at + 1 :]])
            assert same(ours(damaged, tmp_path), theirs(damaged)), damaged


def test_a_cut_table_is_no_proof_that_xnor_is_and(tmp_path):
    (tmp_path / "xnor.blif").write_text(MODEL.replace("00 1\n.end\n", "00 1\\\n"), encoding="utf-8")
    (tmp_path / "and.blif").write_text(MODEL.replace("00 1\n", ""), encoding="utf-8")
    with pytest.raises(BadValue) as told:
        circuits.equal_files(tmp_path / "xnor.blif", tmp_path / "and.blif")
    why = "the file is cut: it ends after a backslash, which joins a line with the next"
    assert str(told.value) == f"'xnor.blif', line 6: {why}"


def test_the_line_of_a_name_that_is_there_twice_is_told():
    for text, why in (
        (AAG.replace("i1 b", "i0 b"), "line 7: i0 has a name already, in line 6"),
        (AAG.replace("i1 b", "i1 a"), "line 7: two inputs are called 'a', and each has a name of its own"),
        ("aig 999999999999 999999999999 0 0 0\n", "line 1: the header has numbers up to 2^24, the largest circuit that is read, "
         "without zeros before them, got '999999999999'"),
    ):  # fmt: skip
        with pytest.raises(BadValue) as told:
            circuits.read_aiger(text.encode(), "a.aag")
        assert str(told.value) == f"'a.aag', {why}"
