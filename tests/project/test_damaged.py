"""Run files that were changed by hand, digests right again: the tool that tries thousands, on a few hundred of them."""

from lensgrad.train import saved
from tools import damaged


def test_no_changed_file_ends_in_a_raw_error():
    count = damaged.tries(200)
    assert not count.raw, str(count)
    assert count.files == 200 == count.taken + count.refused
    assert count.refused > 100 and count.taken > 20  # else the changes are all of one sort
    assert all("\n" not in told for told in count.sentences)


def test_files_are_the_same_everywhere():
    assert damaged.tries(6, 40) == damaged.tries(6, 40) != damaged.tries(6, 46)


def test_an_entry_that_nobody_checks_is_found(monkeypatch):
    monkeypatch.setattr(saved, "placed", lambda given, epochs: dict(given))
    assert damaged.tries(1, 100).raw
