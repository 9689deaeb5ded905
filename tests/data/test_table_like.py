"""A table that is read like another one: what is said beside `like=…` must be what that one says."""

import pytest

import lensgrad as lg
from lensgrad.core.errors import BadValue

TABLE = {"a": [1, 2], "w": ["u", "v"], "extra": [3, 4], "y": ["p", "q"]}


@pytest.mark.parametrize(
    ("target", "options", "told"),
    [
        ("a", {}, "like=… has the target 'y', got target='a': give the same one, or None for a table without labels"),
        ("y", {"categorical": ["a"]}, "like=… does not read column 'a' as words, got it in categorical=…: leave categorical away"),
        ("y", {"categorical": ["none"]}, "like=… does not read column 'none' as words, got it in categorical=…: leave categorical away"),
        ("y", {"drop": ["a"]}, "like=… reads column 'a', got it in drop=…: leave drop away, or read both tables without the column"),
        ("y", {"drop": ["y"]}, "like=… reads column 'y', got it in drop=…: leave drop away, or read both tables without the column"),
        (
            "y",
            {"missing": "fill"},
            "like=… refuses empty cells, got missing='fill': leave missing away, or read the first table with missing='fill'",
        ),
    ],
)
def test_what_differs_is_refused(target, options, told):
    train = lg.data.table(TABLE, "y", drop=["extra"])
    with pytest.raises(BadValue) as error:
        lg.data.table(TABLE, target, like=train, **options)
    assert str(error.value) == told


def test_what_is_the_same_is_taken():
    train = lg.data.table(TABLE, "y", drop=["extra"], missing="fill")
    again = lg.data.table(TABLE, "y", like=train, drop=["extra"], categorical=["w", "y"], missing="fill")
    assert again.x.tolist() == train.x.tolist() and again.y.tolist() == train.y.tolist()
    assert lg.data.table(TABLE, None, like=train).x.tolist() == train.x.tolist()
    untold = lg.data.table(TABLE, None, drop=["extra"])
    with pytest.raises(BadValue) as error:
        lg.data.table(TABLE, "y", like=untold)
    assert str(error.value) == "like=… has no target, got target='y': give the same one, or None for a table without labels"
