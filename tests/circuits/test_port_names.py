"""Names of inputs and outputs, in every format: none breaks a line, ends a comment, or says more than a name."""

import random
import re
import shutil
import subprocess

import numpy as np
import pytest

from lensgrad import circuits
from lensgrad.circuits.formats.names import RENAME, WORDS
from lensgrad.core.errors import BadValue

PIECES = [
    "a", "x[0]", "x[1]", "=1", ">0.8", "#", "\\", "/*", "*/", "//", "`include", '"', "'", ";", "endmodule", "(", ")", "$display", ".end",
    ".names",    "\n", "\r", "\t", " ", "\x0c", "\x0b", "\x00", "\x85", "\u2028", "\u2029", "\u200b", "\u202e", "\ud800", "é", "ß", "漢",
    "%s", "{}", "??/",
    "logic",    "wire", "c", "i0 ", "-", "~", "|", "0", "1",
]  # fmt: skip


def one_gate(*names):
    """Names of two inputs and one output."""
    return circuits.Circuit(names[:2], names[2:], [[4, 2]], [6])


def hostile(draw):
    return "".join(draw.choice(PIECES) for _ in range(draw.randrange(1, 4)))


@pytest.mark.parametrize("seed", range(10))
def test_hostile_names_are_refused_or_come_back_and_break_no_line(seed):
    draw, plain, taken = random.Random(seed), one_gate("p", "q", "r"), 0
    for _ in range(300):
        names = hostile(draw), hostile(draw), hostile(draw)
        try:
            made = one_gate(*names)
        except BadValue:
            assert any(not n.isprintable() or " " in n for n in names) or names[0] == names[1]
            continue
        taken += 1
        assert circuits.read_aiger(circuits.ascii_aiger(made).encode()) == made == circuits.read_aiger(circuits.binary_aiger(made))
        text = circuits.c_source(made)
        assert text.count("\n") == circuits.c_source(plain).count("\n") and text.isprintable() is False
        assert re.sub(r"/\*.*?\*/", "", text) == re.sub(r"/\*.*?\*/", "", circuits.c_source(plain)), "comments are all that differs"
        for writer, ways in ((circuits.blif, circuits.read_blif), (circuits.verilog, None)):
            try:
                text = writer(made)
            except BadValue as told:
                assert str(told).endswith(RENAME)
                continue
            assert len(text.splitlines()) == text.count("\n") and (ways is None or ways(text) == made)
        tame = circuits.plain_names(made)
        assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*(\[\d+\])?", n) for n in (*tame.inputs, *tame.outputs))
        assert circuits.read_blif(circuits.blif(tame)) == tame and "\\" not in circuits.verilog(tame)
    assert taken > 20


def test_verilog_refuses_two_ports_of_one_name_and_escapes_words_of_systemverilog():
    told = f"names an input and an output, alone or as a bus of bits, which Verilog cannot say: {RENAME}"
    for names, name in ((("a", "b", "a"), "a"), (("x[0]", "x[1]", "x"), "x"), (("x", "y", "x[0]"), "x")):
        with pytest.raises(BadValue) as why:
            circuits.verilog(one_gate(*names))
        assert str(why.value) == f"'{name}' {told}"
    assert "input \\logic ;" in circuits.verilog(one_gate("logic", "b", "bit")) and {"logic", "wire", "priority"} <= WORDS
    for name in ("größe", "a`b"):
        with pytest.raises(BadValue) as why:
            circuits.verilog(one_gate(name, "b", "y"))
        assert str(why.value) == f"the name '{name}' has letters outside ASCII, or a `, which Verilog cannot write: {RENAME}"


def test_plain_names_are_readable_different_and_keep_buses():
    inputs = ("petal_width>0.8", "a=1", "a-1", "größe", "x[0]", "x[1]", "wire", "7", "z[1]")
    made = circuits.Circuit(inputs, ("a=1", "x"), np.zeros((0, 2)), [2, 3])
    tame = circuits.plain_names(made)
    assert tame.inputs == ("petal_width_gt_0_8", "a_1", "a_1_2", "gro_e", "x[0]", "x[1]", "wire_2", "x_7", "z_1")
    assert tame.outputs == ("a_1_3", "x_2") and tame.tables() == made.tables()


def test_names_are_text_of_a_length_that_tools_take():
    for name, told in (
        ("a" * 1001, "the name of an input has 1 to 1000 characters, got 1001: "),
        ("", "the name of an input has 1 to 1000 characters, got 0: ''"),
        (3, "the name of an input must be text, got 3"),
        ("a b", "the name of an input must have letters and no spaces, got 'a b'"),
        ("a\nb", r"the name of an input is one line of readable text, and 'a\nb' has the character '\n'"),
    ):
        with pytest.raises(BadValue) as why:
            one_gate(name, "b", "y")
        assert str(why.value).startswith(told)


ODD = one_gate('a//b"', "\\e/*f\\", "logic")


@pytest.mark.skipif(shutil.which("abc") is None, reason="not run: no abc on PATH")
@pytest.mark.parametrize("made", [one_gate("x[0]", "x[1]", "y"), one_gate("a=1", "b>3", "out>0.5"), ODD], ids=["bus", "escaped", "odd"])
def test_abc_reads_what_is_written_as_verilog(made, tmp_path):
    (tmp_path / "a.v").write_text(circuits.verilog(made), encoding="ascii")
    circuits.write(circuits.plain_names(made), tmp_path / "b.aig")
    ran = subprocess.run(["abc", "-q", "read_verilog a.v; strash; cec -n b.aig"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "Networks are equivalent" in ran.stdout, ran.stdout


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="not run: no iverilog on PATH")
def test_iverilog_reads_names_that_look_like_comments(tmp_path):
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    (tmp_path / "t.v").write_text(circuits.verilog(ODD) + circuits.testbench(ODD, x), encoding="ascii")
    for language in ("2005", "2012"):
        subprocess.run(["iverilog", f"-g{language}", "-o", tmp_path / "t", tmp_path / "t.v"], check=True, capture_output=True)
        assert subprocess.run(["vvp", tmp_path / "t"], capture_output=True, text=True, check=True).stdout.startswith("mismatches 0 of 4")
