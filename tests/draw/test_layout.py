"""Where things stand: nothing lies on anything else in twelve pictures, and each pass of layout alone does what it says."""

import pytest
from geometry import cut, loose, outside, overlaps, pierced

import lensgrad as lg
from lensgrad.draw.front import placed
from lensgrad.draw.heights import Extent, heights, isotonic, straightened, wishes
from lensgrad.draw.layers import Link, Run, grid, ranks, shared
from lensgrad.draw.order import crossings as crossed
from lensgrad.draw.order import ordered
from lensgrad.draw.svg import svg
from tools import figures
from tools.crossings import crossings, ours
from tools.diagrams import DIAGRAMS, game
from tools.gallery import at
from tools.gallery_list import LAYERS


@pytest.fixture(scope="module", params=DIAGRAMS, ids=str)
def drawn(request):
    make, how = DIAGRAMS[request.param]
    return request.param, placed(make(), **how)


def test_nothing_lies_on_anything_else_and_no_label_is_cut(drawn):
    _, picture = drawn
    assert overlaps(picture) == []
    assert cut(picture) == []
    assert outside(picture) == []
    assert pierced(picture) == []
    assert loose(picture) == []


def test_wires_of_tied_weights_meet_their_boxes():
    chain = [lg.dense(5, "tanh", name="enc"), lg.dense(5, "tanh", name="mid"), lg.dense(5, name="dec")]
    tied = lg.sequential(lg.input(5), *chain).tie("enc/weight", "dec/weight")
    picture = placed(lg.supervised(tied, loss="mse", optimizer=lg.sgd(0.1)), view="step")
    assert (loose(picture), overlaps(picture), pierced(picture)) == ([], [], [])


@pytest.mark.parametrize("name", LAYERS)
def test_layers_opened_with_types_and_both_passes_are_in_order(name):
    picture = placed(at(*LAYERS[name]), view="step", depth=3, types=True, states=True)
    assert (overlaps(picture), cut(picture), outside(picture), pierced(picture), loose(picture)) == ([], [], [], [], [])


def test_a_picture_is_small(drawn):
    assert len(svg(drawn[1])) < 300_000


MOST = {"full adder": 2, "gan as a step": 4, "quickstart as a step": 1, "ResNet-18": 1}  # crossings


def test_few_wires_cross(drawn):
    name, picture = drawn
    assert ours(picture) <= MOST.get(name, 0)


# -- the passes --------------------------------------------------------------------------------------------------------


def test_layers_follow_what_is_read_and_sources_stand_before_it():
    rank = ranks(["a", "b", "c", "late", "out"], [("a", "b"), ("b", "c"), ("late", "c"), ("b", "out")], last=["out"])
    assert rank == {"a": 0, "b": 1, "c": 2, "late": 1, "out": 3}


def test_what_comes_in_stands_first_alone():
    assert ranks(["in", "one", "two"], [("in", "two"), ("one", "two")], first=["in"]) == {"in": 0, "one": 1, "two": 2}


def test_what_hangs_on_nothing_else_stands_just_before_what_reads_it():
    pairs = [("in", "a"), ("a", "b"), ("b", "c"), ("one", "two"), ("two", "c")]
    assert ranks(["in", "a", "b", "c", "one", "two"], pairs, first=["in"]) == {"in": 0, "a": 1, "b": 2, "c": 3, "one": 1, "two": 2}
    pairs = [("x", "a"), ("a", "b"), ("b", "c"), ("c", "end"), ("x", "and"), ("y", "and"), ("and", "end")]
    assert ranks(["x", "y", "a", "b", "c", "and", "end"], pairs)["and"] == 1  # what it shares with another box does not go farther for it


def test_what_several_read_can_stand_earlier():
    pairs = [("z", "g"), ("g", "d"), ("x", "e"), ("q", "d"), ("q", "e"), ("d", "loss"), ("e", "loss")]
    assert shared(pairs) == ["q"] and shared(pairs, 1) == []
    found = [ranks(["z", "g", "d", "x", "e", "q", "loss"], pairs, early=k) for k in (0, 1, 2)]
    assert [r["d"] - r["q"] for r in found] == [1, 2, 3] and [min(r.values()) for r in found] == [0, 0, 0]


def test_the_wires_of_tied_discriminators_go_around_what_they_read():
    for made in (figures.game(), game()):
        picture = placed(made)
        assert ours(picture) == 0 and (overlaps(picture), pierced(picture), loose(picture)) == ([], [], [])
        twins = [p for p in picture.plates if p.lines == ("discriminator",)]
        assert len({p.x for p in twins}) == 1 and len(twins) == 2  # one above the other


def test_wires_of_one_port_share_their_way():
    made = grid({"a": 0, "b": 2, "c": 3}, [Run("a", "o", "b", 1.0, 2.0), Run("a", "o", "c", 1.0, 3.0)])
    assert [len(c) for c in made.columns] == [1, 1, 2, 1]
    assert made.routes[0][1] == made.routes[1][1]
    assert made.links[0] == (Link("a", made.routes[0][1], 1.0, 0.0),)


def test_crossings_are_counted_and_a_split_is_none():
    links = [Link("a", "y", 0, 0), Link("b", "x", 0, 0)]
    assert crossed(["a", "b"], ["x", "y"], links) == 1
    assert crossed(["a", "b"], ["y", "x"], links) == 0
    assert crossed(["a"], ["x", "y"], [Link("a", "y", 0, 0), Link("a", "x", 0, 0)]) == 0
    assert crossed(["a"], ["x", "y"], [Link("a", "y", 0, 0), Link("a", "x", 5, 0)]) == 1  # ports in their order


def test_an_order_without_crossings_is_found():
    runs = [Run("a", "o", "z", 0, 0), Run("b", "o", "y", 0, 0), Run("c", "o", "x", 0, 0)]
    made = grid({"a": 0, "b": 0, "c": 0, "x": 1, "y": 1, "z": 1}, runs)
    left, right = ordered(made)
    assert crossed(left, right, made.links[0]) == 0


def test_isotonic_heights_rise_and_are_nearest():
    assert isotonic([[(5.0, 1.0)], [(3.0, 1.0)], [(9.0, 1.0)]]) in ([3.0, 3.0, 9.0], [5.0, 5.0, 9.0])
    assert isotonic([[(5.0, 1.0)], [(3.0, 9.0)]]) == [3.0, 3.0]


def test_heights_keep_their_distance_and_straighten_chains():
    made = grid({"a": 0, "b": 1, "c": 1, "d": 2}, [Run("a", "o", "b", 10, 4, 3.0), Run("b", "o", "d", 6, 1), Run("a", "p", "c", 20, 3)])
    extents = {k: Extent(0, 30) for k in "abcd"}
    y = heights((("a",), ("b", "c"), ("d",)), made, extents, 8)
    assert y["a"] + 10 == y["b"] + 4 and y["b"] + 6 == y["d"] + 1
    assert y["c"] >= y["b"] + 38


def test_crossings_of_a_drawing_are_geometry():
    assert crossings([[(0, 0), (2, 2)], [(0, 2), (2, 0)], [(0, 0), (0, 2)]]) == 1


def test_states_that_are_written_back_stand_near_their_layer():
    layers = [layer for k in range(8) for layer in (lg.dense(4, name=f"d{k}"), lg.batch_norm(name=f"n{k}"))]
    learner = lg.supervised(lg.sequential(lg.input(4), *layers), loss="mse", optimizer=lg.sgd(0.1))
    picture = placed(learner, view="step", states=True)
    assert picture.height < 1.5 * placed(learner, view="step").height
    assert (loose(picture), overlaps(picture), pierced(picture), cut(picture)) == ([], [], [], [])


def test_a_straight_piece_is_moved_as_a_whole_as_far_as_there_is_room():
    made = grid({"s": 0, "under": 0, "over": 1, "a": 1, "b": 2}, [Run("s", "o", "a", 0, 0), Run("a", "o", "b", 0, 0)])
    extents = {k: Extent(0, 4) for k in ("s", "under", "over", "a", "b")}
    for column, y in ((("a",), 0), (("over", "a"), 6)):
        found = {"s": 0.0, "under": 6.0, "over": 0.0, "a": 50.0, "b": 50.0}
        straightened((("s", "under"), column, ("b",)), wishes(made), extents, 2, found)
        assert (found["a"], found["b"]) == (y, y)
