"""Every acceptance row has its test, and docs/paper.md names nothing that is not there."""

from tools import rows


def test_every_row_has_a_test_and_every_name_of_the_paper_page_exists(capsys):
    assert rows.main() == 0, capsys.readouterr().out
    assert capsys.readouterr().out.splitlines()[-1].startswith(f"{len(rows.WANTED)} rows, ")


def test_a_missing_row_is_told(monkeypatch, capsys):
    monkeypatch.setattr(rows, "ROWS", {r: v for r, v in rows.ROWS.items() if r != "S4"} | {"C1": ("x", ("tests/nowhere.py::test_a",))})
    assert rows.main() == 1
    told = capsys.readouterr().out
    assert "row S4 is missing" in told and "row C1 names tests/nowhere.py::test_a, which is no test" in told and "S4   MISSING" in told


def test_a_wrong_name_in_the_paper_page_is_told():
    text = "`lensgrad/cat/para.py: Para.thaws` `lensgrad/none.py` `tests/project/test_rows.py::test_not_there` `lensgrad/cat/lens.py: Lens`"
    assert rows.paper(text) == [
        "docs/paper.md names tests/project/test_rows.py::test_not_there, which is no test",
        "docs/paper.md names lensgrad/none.py, which is not there",
        "docs/paper.md names lensgrad/cat/para.py: Para.thaws, which is not there",
    ]
