"""No module imports itself by way of others, however late."""

from tools.circles import ROOT, circle, graph


def test_there_is_no_circle_among_the_modules():
    assert circle(graph(ROOT)) == []


def test_a_circle_through_a_late_import_is_found(tmp_path):
    house = tmp_path / "house"
    house.mkdir()
    (house / "__init__.py").write_text("", encoding="utf-8")
    (house / "low.py").write_text("def f():\n    from house.high import g\n", encoding="utf-8")
    (house / "high.py").write_text("from house import low\n", encoding="utf-8")
    found = circle(graph(tmp_path, "house"))
    assert found[0] == found[-1] and set(found) == {"house.low", "house.high"}
    (house / "low.py").write_text("import math\n", encoding="utf-8")
    assert circle(graph(tmp_path, "house")) == []
