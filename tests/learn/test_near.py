"""Wiring by places."""

from collections import Counter

from refusals import told

from lensgrad.core.errors import BadValue
from lensgrad.learn.circuits import lut_layer
from lensgrad.learn.circuits.near import near, neighbors

PLACES = [(r, c) for r in range(6) for c in range(6)] + [(0, 0)]


def test_gates_read_two_different_bits_near_each_other_and_every_bit_first_equally_often():
    found = near(PLACES, 80, reach=1, seed=3)
    assert len(found) == 80 and all(a != b for a, b in found)
    assert all(max(abs(p - q) for p, q in zip(PLACES[a], PLACES[b], strict=True)) <= 1 for a, b in found)
    assert set(Counter(a for a, _ in found).values()) == {2, 3}
    assert lut_layer(37, 80, wiring=found).cod[0].size == 80
    assert found == near(PLACES, 80, reach=1, seed=3) != near(PLACES, 80, reach=1, seed=4)


def test_two_thresholds_of_one_pixel_are_near_and_lonely_bits_read_anything():
    assert neighbors(PLACES, 0)[0] == [36] and neighbors(PLACES, 0)[1] == []
    assert len({b for a, b in near(PLACES, 400, reach=0) if a == 1}) > 3 and {b for a, b in near(PLACES, 400, reach=0) if a == 0} == {36}
    assert neighbors(PLACES, 1)[36] == [0, 1, 6, 7]


def test_refusals():
    assert told(BadValue, lambda: near([(0,)], 3)) == (
        "gates read two bits near each other, among two or more and within a reach ≥ 0, got 1 and 3"
    )
