"""Characters and windows."""

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.core.errors import BadValue
from lensgrad.data.text import Characters, windows


def test_encoding_and_decoding_are_inverse():
    text = "to be, or not to be\n∀é"
    characters = Characters.of(text)
    assert characters.symbols == "".join(sorted(set(text))) and len(characters) == len(set(text))
    ids = characters.encode(text)
    assert ids.dtype == np.int32 and characters.decode(ids) == text
    assert [characters.symbols[i] for i in ids] == list(text)
    assert characters.encode("").shape == (0,) and characters.decode([]) == ""


def refused(function, *args):
    with pytest.raises(BadValue) as error:
        function(*args)
    return str(error.value)


def test_what_the_vocabulary_has_not_is_refused():
    characters = Characters("abc")
    assert refused(characters.encode, "abxc") == "character 'x' at position 2 is not among the 3 of this vocabulary"
    assert refused(characters.decode, [0, 3]) == "numbers run from 0 to 3, and the 3 characters are numbered 0 to 2"
    assert refused(Characters, "aba") == "a vocabulary must have every character once, got 'aba'"


@pytest.mark.parametrize("stride", [None, 1, 2, 5])
@pytest.mark.parametrize("n", [5, 12, 13])
def test_windows_are_pieces_and_the_same_pieces_one_step_later(n, stride):
    ids = np.arange(n) * 10
    data = windows(ids, 4, stride)
    starts = range(0, n - 4, stride or 4)
    assert data.x.tolist() == [ids[s : s + 4].tolist() for s in starts]
    assert data.y.tolist() == [ids[s + 1 : s + 5].tolist() for s in starts]


def test_windows_copy_nothing_and_make_batches():
    ids = np.arange(1000, dtype=np.int32)
    data = lg.data.windows(ids, 100, 1)
    assert np.shares_memory(data.x, ids) and len(data) == 900
    (part,) = list(lg.data.source(data).batches(0, 1000, 0))
    assert np.array_equal(part["y"], part["x"] + 1)


def test_windows_need_a_sequence_long_enough():
    assert refused(windows, np.arange(4), 4) == "a window of 4 tokens and its next one need 5, and the sequence has 4"
    assert refused(windows, np.arange(9), 0) == "the length of a window must be a whole number ≥ 1, got 0"
    assert refused(windows, np.arange(9), 2, 0) == "stride must be a whole number ≥ 1, got 0"


def test_a_filling_that_no_array_holds_is_refused():
    with pytest.raises(BadValue) as error:
        lg.data.pad([[1, 2], [3]], value=10**30)
    assert str(error.value).startswith("value, what pad fills up with, must be a number that 32 bits hold, got 1000000")
