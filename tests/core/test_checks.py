"""What a user gives is checked in one place, and NumPy's numbers are numbers."""

import math

import numpy as np
import pytest

from lensgrad.core import checks
from lensgrad.core.errors import BadValue, TypeMismatch

TAKEN = [
    (checks.whole, 3, 3),
    (checks.whole, np.int64(3), 3),
    (checks.whole, np.uint8(0), 0),
    (checks.number, np.float32(0.5), 0.5),
    (checks.number, -2, -2),
    (checks.positive, np.float64(1e-8), 1e-8),
    (checks.share, 0, 0),
    (checks.share, np.float16(0.25), 0.25),
    (checks.flag, np.bool_(True), True),
    (checks.name, "größe/β.1", "größe/β.1"),
    (checks.bound, math.inf, math.inf),
    (checks.bound, np.float32(-math.inf), -math.inf),
    (checks.bound, 2, 2),
    (checks.wholes, [np.int8(3), 0], (3, 0)),
    (checks.wholes, range(2), (0, 1)),
]
REFUSED = [
    (checks.whole, 1.5, "n must be a whole number ≥ 0, got 1.5"),
    (checks.whole, True, "n must be a whole number ≥ 0, got True"),
    (checks.whole, -1, "n must be a whole number ≥ 0, got -1"),
    (checks.whole, np.array([1, 2]), "n must be a whole number ≥ 0, got array([1, 2])"),
    (checks.whole, None, "n must be a whole number ≥ 0, got None"),
    (checks.number, math.nan, "n must be a finite number, got nan"),
    (checks.number, "1", "n must be a finite number, got '1'"),
    (checks.number, np.ones(2), "n must be a finite number, got array([1., 1.])"),
    (checks.positive, 0, "n must be a positive number, got 0"),
    (checks.positive, math.inf, "n must be a positive number, got inf"),
    (checks.share, 1, "n must be a fraction from 0 up to, but not including, 1, got 1"),
    (checks.share, math.nan, "n must be a fraction from 0 up to, but not including, 1, got nan"),
    (checks.number, 10**400, f"n must be a finite number, got 1{'0' * 58}…"),
    (checks.bound, math.nan, "n must be a number, got nan"),
    (checks.wholes, 3, "n must be whole numbers ≥ 0 in a list, got 3"),
    (checks.wholes, "12", "n must be whole numbers ≥ 0 in a list, got '12'"),
    (checks.wholes, [1, -1], "n must be whole numbers ≥ 0 in a list, got [1, -1]"),
    (checks.wholes, [1, True], "n must be whole numbers ≥ 0 in a list, got [1, True]"),
    (checks.flag, 1, "n must be True or False, got 1"),
    (checks.flag, np.array([True]), "n must be True or False, got array([ True])"),
    (checks.name, 3, "n must be text, got 3"),
    (checks.name, "", "n has 1 to 200 characters, got 0: ''"),
    (checks.name, "a\nb", r"n is one line of readable text, and 'a\nb' has the character '\n'"),
    (checks.name, "a\u2028b", r"n is one line of readable text, and 'a\u2028b' has the character '\u2028'"),
    (checks.name, "a\udc80", r"n is one line of readable text, and 'a\udc80' has the character '\udc80'"),
    (checks.name, "\u202eevil", r"n is one line of readable text, and '\u202eevil' has the character '\u202e'"),
]


@pytest.mark.parametrize(("check", "given", "found"), TAKEN)
def test_what_is_taken_becomes_a_plain_value(check, given, found):
    got = check("n", given)
    assert got == found and type(got) is type(found)


@pytest.mark.parametrize(("check", "given", "told"), REFUSED)
def test_what_is_refused_is_one_sentence(check, given, told):
    with pytest.raises(BadValue) as error:
        check("n", given)
    assert str(error.value) == told


def test_bounds_are_said():
    for call, told in (
        (lambda: checks.whole("n", 0.5, -(2**31), 2**31 - 1), "n must be a whole number from -2^31 to 2^31 - 1, got 0.5"),
        (lambda: checks.whole("n", 0.5, -(2**31) + 1, 2**31 - 2), "n must be a whole number from -2147483647 to 2147483646, got 0.5"),
        (lambda: checks.whole("n", 9, 1, 8), "n must be a whole number from 1 to 8, got 9"),
        (lambda: checks.number("n", 2, 0, 1), "n must be a number from 0 to 1, got 2"),
        (lambda: checks.number("n", -1, least=0), "n must be a number ≥ 0, got -1"),
        (lambda: checks.number("n", 1, most=0), "n must be a number ≤ 0, got 1"),
    ):
        with pytest.raises(BadValue) as error:
            call()
        assert str(error.value) == told


def test_whole_numbers_are_counted():
    assert checks.wholes("n", [3, 4], 1, 2) == (3, 4) == checks.per_axis("n", (3, 4), 2)
    assert checks.per_axis("n", np.int64(3), 2) == (3, 3) and checks.per_axis("n", 0, 2, 0) == (0, 0)
    for call, told in (
        (lambda: checks.wholes("n", [3, 4], 1, 3), "n must be a list of 3 whole numbers ≥ 1, got [3, 4]"),
        (lambda: checks.per_axis("n", [3, 4], 3), "n expects a whole number ≥ 1, or 3 of them, got [3, 4]"),
        (lambda: checks.per_axis("n", 0, 2), "n expects a whole number ≥ 1, or 2 of them, got 0"),
    ):
        with pytest.raises(BadValue) as error:
            call()
        assert str(error.value) == told


def test_axes_are_numbers_of_axes():
    assert [checks.axis("sum", a, 2, "A") for a in (0, -1, np.int64(1))] == [0, 1, 1]
    assert [checks.axes("sum", a, 3, "A") for a in (None, 1, -1, (2, 0), [-1, 0], range(2), ())] == [
        (0, 1, 2), (1,), (2,), (0, 2), (0, 2), (0, 1), ()
    ]  # fmt: skip
    axes = "axes must be whole numbers from -2 to 1, each once, or None for all"
    for call, told in (
        (
            lambda: checks.axis("sum", 2, 2, "f32[3,4]"),
            "sum with axis=2 does not fit f32[3,4]: an axis must be a whole number from -2 to 1",
        ),
        (
            lambda: checks.axis("sum", None, 2, "f32[3,4]"),
            "sum with axis=None does not fit f32[3,4]: an axis must be a whole number from -2 to 1",
        ),
        (
            lambda: checks.axis("sum", True, 1, "f32[3]"),
            "sum with axis=True does not fit f32[3]: an axis must be a whole number from -1 to 0",
        ),
        (lambda: checks.axis("sum", 0, 0, "f32[]"), "sum with axis=0 does not fit f32[]: it has no axes"),
        (lambda: checks.axes("sum", 2, 2, "f32[3,4]"), f"sum with axes=2 does not fit f32[3,4]: {axes}"),
        (lambda: checks.axes("sum", [0, -2], 2, "f32[3,4]"), f"sum with axes=[0, -2] does not fit f32[3,4]: {axes}"),
        (lambda: checks.axes("sum", "01", 2, "f32[3,4]"), f"sum with axes='01' does not fit f32[3,4]: {axes}"),
        (lambda: checks.axes("sum", 0.0, 2, "f32[3,4]"), f"sum with axes=0.0 does not fit f32[3,4]: {axes}"),
    ):
        with pytest.raises(TypeMismatch) as error:
            call()
        assert str(error.value) == told


def test_words_are_compared_with_the_nearest():
    assert checks.one_of("padding", "same", ("same", "valid")) == "same"
    with pytest.raises(BadValue) as error:
        checks.one_of("padding", "Same", ("same", "valid"))
    assert str(error.value) == "padding must be one of same, valid, got 'Same': did you mean 'same'?"
    with pytest.raises(BadValue) as error:
        checks.one_of("padding", np.ones(2), ("same", "valid"))
    assert str(error.value) == "padding must be one of same, valid, got array([1., 1.])"
    with pytest.raises(BadValue) as error:
        checks.table("options", {"rat": 1}, ("rate", "decay"))
    assert str(error.value) == "options has no 'rat', only rate, decay: did you mean 'rate'?"


def test_a_class_is_said_in_the_words_of_users():
    with pytest.raises(TypeMismatch) as error:
        checks.instance("early_stopping", 3, dict, "lg.early_stopping(…)")
    assert str(error.value) == "early_stopping must be lg.early_stopping(…), got 3"


def test_showing_a_value_never_fails_and_stays_on_one_line():
    class Broken:
        def __repr__(self):
            raise RuntimeError("no")

    assert checks.shown(Broken()) == "a Broken"
    assert "\n" not in checks.shown(np.ones((50, 50))) and len(checks.shown("x" * 500)) == checks.SHOWN
    assert checks.clean("a\x1b[31mb\u202e") == "a\\x1b[31mb\\u202e"
