"""Labels, roles and patterns: how parameters are named and found."""

import pytest

from lensgrad.cat.lens import two, updated
from lensgrad.cat.names import Param, Role, select, unique, weights
from lensgrad.core.errors import NameClash, UnknownParameter
from lensgrad.theories.smooth.array import Real

A = Real(2)


def params(*labels, role=Role.WEIGHT, ob=A):
    return [Param(label, ob, role) for label in labels]


MANY = params("enc/0/weight", "enc/0/bias", "enc/1/weight", "head/weight", "weight")


def found(pattern, given=MANY):
    return [given[i].label for (i,) in select(given, pattern)]


def test_a_label_given_once_is_a_name_and_others_are_numbered():
    assert unique(["w", "b", "w", "c", "w"]) == ("w.0", "b", "w.1", "c", "w.2")
    assert unique([]) == ()


def test_a_computed_name_may_not_be_a_given_one():
    with pytest.raises(NameClash) as error:
        unique(["w", "w", "w.1"])
    assert str(error.value) == "the name 'w.1' is given to one parameter and computed for another; rename or scope one of them"


@pytest.mark.parametrize(
    ("pattern", "reached"),
    [
        ("weight", ["weight"]),
        ("enc/0/weight", ["enc/0/weight"]),
        ("*", ["weight"]),
        ("*/weight", ["head/weight"]),
        ("enc/*/weight", ["enc/0/weight", "enc/1/weight"]),
        ("enc/*", []),
        ("enc/**", ["enc/0/weight", "enc/0/bias", "enc/1/weight"]),
        ("**/weight", ["enc/0/weight", "enc/1/weight", "head/weight", "weight"]),
        ("**", [p.label for p in MANY]),
        ("h*d/weight", ["head/weight"]),
        ("**b*as", ["enc/0/bias"]),
        ("en.*", []),
        ("head/weigh", []),
        ("eight", []),
    ],
)
def test_one_star_stays_within_a_level_and_two_cross_levels(pattern, reached):
    if reached:
        assert found(pattern) == reached
    else:
        with pytest.raises(UnknownParameter) as error:
            found(pattern)
        names = "enc/0/weight, enc/0/bias, enc/1/weight, head/weight, weight"
        assert str(error.value) == f"no parameter matches '{pattern}'; use a name of this arrow, or a pattern of some: {names}"


def test_patterns_read_unique_names():
    given = params("w", "w", "b")
    assert select(given, "w.1") == [(1,)] and select(given, "w*") == [(0,), (1,)]


def test_patterns_reach_weights_that_nothing_returns():
    given = [
        *params("w", "v", ob=two(A)),
        *params("moved", ob=updated(A)),
        *params("x", role=Role.DATA),
        *params("s", role=Role.STATE),
        *params("k", role=Role.KEY),
    ]
    assert found("*", given) == found(weights, given) == ["w", "v"]
    assert found("moved", given) == ["moved"] and found("x", given) == ["x"]
    assert [found(role, given) for role in (Role.DATA, Role.STATE, Role.KEY)] == [["x"], ["s"], ["k"]]


def test_a_pattern_that_reaches_only_others_says_how_to_reach_them():
    given = [*params("enc/w", ob=updated(A)), *params("enc/x", role=Role.DATA), *params("w")]
    with pytest.raises(UnknownParameter) as error:
        found("enc/*", given)
    told = "no parameter matches 'enc/*'; use a name of this arrow, or a pattern of some: enc/w, enc/x, w"
    note = "patterns reach weights without an optimizer only, name enc/w, enc/x exactly to reach it"
    assert str(error.value) == f"{told}; {note}"


def test_a_role_without_parameters_left_is_an_error():
    with pytest.raises(UnknownParameter) as error:
        found(weights, params("w", ob=updated(A)))
    told = "no parameter of role weight is left to reparameterize; this arrow has: w"
    assert str(error.value) == f"{told}; all that could be are frozen or have an optimizer"
    with pytest.raises(UnknownParameter) as error:
        found(Role.KEY, [])
    assert str(error.value) == "no parameter of role key is left to reparameterize; this arrow has: none"


def test_a_tuple_is_one_group_in_its_own_order():
    assert select(MANY, ("weight", "enc/0/bias")) == [(4, 1)]
    assert select(MANY, ("enc/1/*", "h*/weight")) == [(2, 3)]


def test_each_member_of_a_group_is_one_parameter():
    with pytest.raises(UnknownParameter) as error:
        select(MANY, ("weight", "enc/*/weight"))
    assert str(error.value) == "'enc/*/weight' in a group must reach one parameter, and reaches enc/0/weight, enc/1/weight"
    with pytest.raises(NameClash) as error:
        select(MANY, ("weight", "head/weight", "weight"))
    assert str(error.value) == "the group weight, head/weight, weight names one parameter twice"


def test_a_pattern_of_another_kind_is_an_unknown_name():
    with pytest.raises(UnknownParameter) as error:
        select(params("w"), 3)
    assert str(error.value) == "no parameter matches '3'; use a name of this arrow, or a pattern of some: w"
