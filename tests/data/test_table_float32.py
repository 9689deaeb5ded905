"""Numbers that float32 cannot tell apart: scaled before they are rounded, and told where nothing scales them."""

import json
import warnings

import numpy as np
import pytest

import lensgrad as lg
from lensgrad import cli
from lensgrad.core.errors import LensgradWarning
from lensgrad.data.columns import prepared, scaled
from lensgrad.data.forms import merged
from lensgrad.data.preparation import Preparation
from lensgrad.data.tables import frame_cells


def test_numbers_are_scaled_in_float64_and_rounded_after_that():
    cells = frame_cells({"t": [1_700_000_000 + k for k in range(50)], "w": ["u", "v", "v", "v", "v"] * 10, "y": range(50)})
    how = scaled(prepared(cells, "y", (), (), "refuse"), cells)
    assert Preparation.read(json.loads(json.dumps(how.data()))) == how and how.exact
    x = how.inputs(cells)
    t = np.arange(50.0)
    assert np.allclose(x[:, 0], (t - t.mean()) / t.std(), atol=1e-6) and len(np.unique(x[:, 0])) == 50
    assert np.allclose(x[:, 1:].mean(0), 0, atol=1e-6) and np.allclose(x[:, 1:].std(0), 1, atol=1e-6)


@pytest.mark.parametrize(
    ("values", "pair"),
    [
        ([20240501, 20240503, 20240504], (20240503, 20240504)),
        ([1_700_000_000.25 + k for k in range(9)], (1_700_000_000.25, 1_700_000_001.25)),
        ([2**24, 2**24 + 1, *range(1000)], (2**24, 2**24 + 1)),
        ([2**24, 2**24 + 2], None),
        ([0.1, 0.1 + 1e-12, *np.arange(30) / 7], None),  # two of many that are not whole
        ([5.0, 5.0], None),
    ],
)
def test_different_numbers_that_become_equal_are_found(values, pair):
    assert merged(np.array(values, np.float64)) == pair


def test_a_column_of_such_numbers_is_told_once_and_no_other(tmp_path):
    rows = "".join(f"{1_700_000_000 + k},{k},{k / 7},{k % 2}\n" for k in range(20))
    path = tmp_path / "t.csv"
    path.write_text(f"time,k,share,y\n{rows}", encoding="utf-8")
    fix = "subtract the smallest of them from all, or leave the column out with drop=…"
    told = f"column 'time' has different numbers that are one in float32, such as 1700000000 and 1700000001: {fix}"
    for call in (lambda: lg.data.csv(path, "y"), lambda: lg.data.csv(path, "time")):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            call()
        assert [str(w.message) for w in said] == [told] and said[0].category is LensgradWarning


def test_fit_learns_from_such_numbers_and_tells_of_such_labels(tmp_path, capsys):
    path = tmp_path / "t.csv"
    rows = "".join(f"{1_700_000_000 + k},{'early' if k < 30 else 'late'},{1_700_000_000 + 2 * k}\n" for k in range(60))
    path.write_text(f"time,kind,y\n{rows}", encoding="utf-8")
    assert cli.main(["fit", str(path), "--target", "kind", "--drop", "y", "--rate", "0.03"]) == 0
    out, err = capsys.readouterr()
    assert "held-back accuracy 1.0000" in out and err == ""
    assert cli.main(["fit", str(path), "--target", "y", "--drop", "time", "--epochs", "1"]) == 0
    told = "column 'y' has different numbers that are one in float32, such as 1700000000 and 1700000002"
    fix = "subtract the smallest of them from all, or leave the column out with --drop"
    assert capsys.readouterr().err == f"lensgrad: note: {told}: {fix}\n"
