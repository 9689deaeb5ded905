"""Pictures in rows: nothing lies on anything else, no wire more is crossed, and rows are as wide as they may be."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import pairwise

import pytest
from geometry import cut, loose, outside, overlaps, pierced
from refusals import told

import lensgrad as lg
from lensgrad.core.errors import BadValue
from lensgrad.draw.breaks import Edge, Moved, below, breaks, edges, sources
from lensgrad.draw.front import drawn_text, placed, scened, shown_svg
from lensgrad.draw.place import Layout
from lensgrad.draw.rows import bridge
from lensgrad.draw.style import INK
from lensgrad.draw.svg import svg
from tools.crossings import crossings, ours, polyline
from tools.diagrams import game, resnet18, transformer

ONE = float("inf")


def deep():
    layers = [lg.dense(16, activation="relu", name=f"d{k}") for k in range(29)]
    return lg.supervised(lg.sequential(lg.input(8), *layers, lg.dense(3, name="out")), loss=lg.cross_entropy, optimizer=lg.sgd(0.1))


def normed():
    layers = [layer for k in range(8) for layer in (lg.dense(4, name=f"d{k}"), lg.batch_norm(name=f"n{k}"))]
    return lg.supervised(lg.sequential(lg.input(4), *layers), loss="mse", optimizer=lg.sgd(0.1))


def tied():
    chain = [lg.dense(5, "tanh", name=name) for name in ("enc", "mid", "more", "dec")]
    return lg.supervised(lg.sequential(lg.input(5), *chain).tie("enc/weight", "dec/weight"), loss="mse", optimizer=lg.sgd(0.1))


WIDE = {
    "30 layers": (deep, {}, 1600),
    "30 layers as a step with types": (deep, {"view": "step", "types": True}, 900),
    "transformer": (transformer, {}, 800),
    "transformer, one block opened": (transformer, {"view": "step", "open": "block3"}, 900),
    "ResNet-18": (resnet18, {"view": "lens"}, 1600),
    "states": (normed, {"view": "step", "states": True}, 700),
    "tied weights": (tied, {"view": "step"}, 500),
    "gan as a step": (game, {"view": "step", "depth": 1}, 900),
}


@pytest.fixture(scope="module", params=WIDE, ids=str)
def wide(request):
    make, how, width = WIDE[request.param]
    made = make()
    return placed(made, width=width, **how), placed(made, width=ONE, **how), width


def test_in_rows_nothing_lies_on_anything_else(wide):
    picture, _, _ = wide
    assert (overlaps(picture), cut(picture), outside(picture), pierced(picture), loose(picture)) == ([], [], [], [], [])


def test_rows_are_as_wide_as_they_may_be_and_cross_no_more_wires(wide):
    picture, one, width = wide
    assert len(picture.rows) > 1 and picture.width <= width * 1.05 < one.width and not one.rows
    assert ours(picture) <= ours(one)
    assert sorted(p.lines for p in picture.plates) == sorted(p.lines for p in one.plates)


def test_both_strands_of_a_wire_go_on_in_the_next_row_side_by_side():
    picture, one = placed(deep(), width=1600), placed(deep(), width=ONE)
    for strand in ("ahead", "back"):
        lines = [polyline(s.path) for s in picture.strokes if s.strand == strand]
        assert sum(1 for line in lines if line[0][0] > line[-1][0] + 500) == len(picture.rows) - 1
    assert crossings([polyline(s.path) for s in picture.strokes]) == crossings([polyline(s.path) for s in one.strokes])


def test_a_picture_is_broken_by_default_where_few_wires_are():
    assert placed(transformer()).width < 1600 < placed(transformer(), width=ONE).width
    made = deep()
    shown = shown_svg(made)
    assert shown == svg(placed(made)) and len(shown) < 300_000
    words = ET.fromstring(shown).get("aria-label")
    assert all(words.index(f"d{k},") < words.index(f"d{k + 1},") for k in range(28))  # told row by row


def test_a_picture_with_many_wires_everywhere_stays_in_one_row_unless_it_is_told():
    braid = lg.sequential(lg.input(4), *[lg.dense(4, name=f"d{k}") for k in range(12)])
    scene, style = scened(braid), replace(INK, most=400.0)
    assert len(Layout(scene, style).rows) > 1
    assert len(Layout(scene, replace(style, few=0)).rows) == 1


def test_text_is_no_wider_than_it_is_told():
    rows = drawn_text(transformer(), width=80).split("\n")
    assert 60 < max(map(len, rows)) <= 80 and len(drawn_text(transformer()).split("\n")) < len(rows)


def test_a_width_below_that_of_anything_is_a_row_for_each_layer():
    picture = placed(game(), view="step", depth=2, width=1)
    assert len(picture.rows) > 3 and (overlaps(picture), outside(picture), pierced(picture), loose(picture)) == ([], [], [], [])


@pytest.mark.parametrize("width", [80, 100, 116, 120])
def test_what_moves_to_the_next_row_has_room_there(width):
    assert max(map(len, drawn_text(game(), view="step", width=width).split("\n"))) <= width


@pytest.mark.parametrize("width", [0, -5, float("nan"), "wide", True])
def test_a_width_that_is_none_is_told(width, tmp_path):
    assert told(BadValue, lambda: lg.draw(lg.dense(2, 2), tmp_path / "a.svg", width=width)).startswith("width must be a ")


# -- where rows end ----------------------------------------------------------------------------------------------------


def spans(n, wide=100.0):
    return [(k * wide, (k + 1) * wide) for k in range(n)]


def test_rows_are_about_equally_full():
    ends = breaks(spans(13), [Edge(1, 1)] * 13, INK, 700.0)
    sizes = [b - a for a, b in pairwise((-1, *ends, 12))]
    assert sum(sizes) == 13 and max(sizes) - min(sizes) <= 1


def test_a_row_ends_where_one_cable_goes_on():
    passing = [Edge(1, 1) if k == 4 else Edge(3, 3) for k in range(13)]
    assert 4 in breaks(spans(13), passing, INK, 900.0)


def test_a_row_that_cannot_end_is_wider():
    assert breaks(spans(13), [Edge(5, 5, whole=True)] * 13, INK, 300.0) == ()
    assert breaks(spans(4), [Edge(1, 1), Edge(1, 1, whole=True), Edge(1, 1), Edge(1, 1)], INK, 120.0) == (0, 2)


def test_what_goes_on_is_counted_by_ports_and_names_are_not_alone():
    rank = {"x": 0, "a": 1, "b": 2, "c": 3, "y": 4}
    pairs = [(("x", "o"), "a"), (("a", "o"), "b"), (("a", "o"), "c"), (("b", "o"), "c"), (("c", "o"), "y")]
    found = edges(rank, pairs, Moved({}, {}), {"x", "y"}, few=1)
    assert [e.cables for e in found] == [1, 1, 2, 1, 0] and [e.wires for e in found] == [1, 2, 2, 1, 0]
    assert [e.whole for e in found] == [True, False, True, True, True]


def test_a_parameter_begins_the_row_of_what_reads_it():
    rank = {"a": 0, "p": 0, "b": 1}
    pairs = [(("a", "o"), "b"), (("p", "o"), "b")]
    moved = sources(rank, pairs, {"a"})
    assert moved == {"p": 0} and sources(rank, pairs, ()) == {}  # not all of a layer
    assert below(rank, (0,), Moved(moved, {})) == ({"a": 0, "p": 2, "b": 3}, [1])


def test_a_state_that_is_written_back_ends_the_row_of_what_makes_it():
    rank, pairs = {"a": 0, "state": 1, "b": 1}, [(("a", "o"), "b"), (("a", "s"), "state")]
    moved = Moved({}, {"state": 1})
    assert edges(rank, pairs, moved, (), few=1)[0] == Edge(1, 1)
    assert below(rank, (0,), moved) == ({"a": 0, "state": 1, "b": 3}, [2])


def test_strands_keep_their_order_from_row_to_row():
    laid = Layout(scened(deep()), replace(INK, most=1600.0))
    above, below_it = laid.rows[:2]
    (upper, lower), start, end = above.strands, above.y + 60, below_it.y + 90
    ways = [
        polyline([("M", above.span(above.last)[1], start + k), *bridge(above, below_it, s, start + k, end + k, INK)])
        for s, k in ((upper, 0), (lower, 16))
    ]
    assert crossings(ways) == 0 and ways[0][-1] == (below_it.span(below_it.first)[0], end)
