"""The benchmark of MNIST in gates: a small run, what is counted, and what is kept."""

import json
import shutil

import numpy as np
import pytest

import lensgrad as lg
from benchmarks import digits_in_gates as digits
from benchmarks.digits import picture
from lensgrad import circuits


def test_layers_have_as_many_gates_as_asked_and_divide_by_the_classes():
    for gates in digits.SIZES:
        assert sum(digits.layers(gates)) == gates and digits.layers(gates)[-1] % 10 == 0


def test_pixels_arrive_as_bytes_and_their_comparators_are_counted():
    images = np.zeros((4, 2, 2, 1), np.uint8)
    images[0, 0, 1], images[1, 1, 0] = 200, 90
    encoder = lg.data.encoder(images, thresholds=[63])
    gates = digits.bytes_to_bits(encoder)
    assert digits.places(encoder) == [(0, 1), (1, 0)] and encoder.names == gates.outputs
    bits = [[v >> i & 1 for image in (row,) for v in image for i in range(8)] for row in ((200, 0), (0, 90), (63, 64), (64, 63))]
    assert len(gates.inputs) == 16 and gates.run(bits).tolist() == [[1, 0], [0, 1], [0, 1], [1, 0]] and gates.size == 2


@pytest.mark.skipif(shutil.which("abc") is None, reason="not run: no abc on PATH")
def test_lookup_tables_are_counted_by_abc():
    six = circuits.formula([f"i{k}" for k in range(6)], lambda x: {"y": x["i0"] ^ x["i1"] ^ x["i2"] ^ x["i3"] ^ x["i4"] ^ x["i5"]})
    assert digits.in_luts(six) == {"lut6": 1, "lut6_depth": 1}


def test_figures_are_kept_beside_those_measured_before(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib", reason="not run: the picture needs matplotlib")
    monkeypatch.setattr(digits, "DOCS", tmp_path)
    (tmp_path / "circuits-walk.md").write_text("a\n<!-- figures -->\nold\n<!-- end of figures -->\nb\n", encoding="utf-8")
    for row in ({"gates": 20, "test": 0.9}, {"gates": 10, "test": 0.8}, {"gates": 20, "test": 0.95}):
        digits.keep("lensgrad", row)
    digits.keep("other", {"gates": 5, "test": 0.5})
    kept = json.loads((tmp_path / "digits-in-gates.json").read_text(encoding="utf-8"))
    assert kept == {"lensgrad": [{"gates": 10, "test": 0.8}, {"gates": 20, "test": 0.95}], "other": [{"gates": 5, "test": 0.5}]}
    drawn = (tmp_path / "digits-in-gates.svg").read_text(encoding="utf-8")
    assert drawn.lstrip().startswith("<?xml") and "svg" in drawn
    page = (tmp_path / "circuits-walk.md").read_text(encoding="utf-8")
    assert page.startswith("a\n<!-- figures -->\n| model") and page.endswith(
        "| other | 5 | 50.00 % |  |  |  |  |  |\n<!-- end of figures -->\nb\n"
    )


def test_the_quick_run_learns_and_counts(data_folder, capsys):
    assert digits.main(["--quick", "--models", "lensgrad"]) == 0
    line = capsys.readouterr().out.splitlines()[-1]
    assert line.startswith("lensgrad gates 600  layers (300, 300)  test 0.") and float(line.split("test ")[1].split()[0]) > 0.7


def test_a_table_is_written_between_its_marks_and_nothing_else_changes():
    page = "a\n<!-- figures -->\n{}<!-- end of figures -->\nb\n"
    assert [picture.placed(page.format(old), "t") for old in ("", "old\n")] == [page.format("t\n")] * 2
    assert picture.placed("no marks\n", "t") == "no marks\n"


def test_the_page_has_the_figures_that_were_kept():
    page, kept = ((digits.DOCS / name).read_text(encoding="utf-8") for name in ("circuits-walk.md", "digits-in-gates.json"))
    assert picture.table(json.loads(kept)) in page
