"""Iterators of batches: reading ahead in a thread, ending, failing, and coming back."""

import threading

import numpy as np
import pytest

from lensgrad.core.errors import BadValue
from lensgrad.data.stream import IteratorSource, prefetched


def parts(n, size=2):
    return [{"x": np.full((size, 1), float(i)), "y": np.full(size, i)} for i in range(n)]


def numbers(batches):
    return [int(p["y"][0]) for p in batches]


def readers():
    return [t for t in threading.enumerate() if t.name == "lensgrad-prefetch"]


def ended():
    """Wait for all reading threads, without a clock that decides."""
    for t in readers():
        t.join(10)
    assert not readers()


# -- reading ahead -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [0, 1, 2, 5])
@pytest.mark.parametrize("n", [0, 1, 7])
def test_reading_ahead_changes_neither_items_nor_order(depth, n):
    assert list(prefetched(iter(range(n)), depth)) == list(range(n))
    ended()


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_no_more_than_the_depth_is_read_ahead(depth):
    pulled, full, more = [], threading.Event(), threading.Event()

    def items():
        for i in range(100):
            pulled.append(i)
            if len(pulled) > depth:
                full.set()
            if len(pulled) > depth + 1:
                more.set()
            yield i

    ahead = prefetched(items(), depth)
    assert next(ahead) == 0
    assert full.wait(10)  # one was taken, so depth + 1 are pulled by and by
    assert not more.wait(0.1)  # and a reader without bounds would be at item 100 by now
    ahead.close()
    ended()
    assert len(pulled) == depth + 1


@pytest.mark.parametrize("depth", [0, 2])
@pytest.mark.parametrize("kind", [ValueError, OSError, KeyboardInterrupt])
def test_what_reading_raises_arrives_after_the_items_before_it(depth, kind):
    wrong = kind("the disk is gone")

    def items():
        yield 1
        yield 2
        raise wrong

    seen = []
    with pytest.raises(kind) as error:
        for item in prefetched(items(), depth):
            seen.append(item)
    assert error.value is wrong
    assert seen == [1, 2]
    ended()


@pytest.mark.parametrize("depth", [0, 2])
@pytest.mark.parametrize("interrupted", [False, True])
def test_closing_and_interrupting_close_the_iterator_and_end_the_thread(depth, interrupted):
    closed = threading.Event()

    def items():
        try:
            while True:
                yield 1
        finally:
            closed.set()

    ahead = prefetched(items(), depth)
    next(ahead)
    if interrupted:
        with pytest.raises(KeyboardInterrupt):
            ahead.throw(KeyboardInterrupt())
    else:
        ahead.close()
    assert closed.wait(10)
    ended()


def test_a_reader_that_hangs_does_not_hold_up_the_closing():
    go = threading.Event()

    def items():
        yield 1
        go.wait(60)

    ahead = prefetched(items(), 2)
    next(ahead)
    ahead.close()
    assert len(readers()) == 1
    go.set()
    ended()


# -- epochs and positions ----------------------------------------------------------------------------------------------


def test_a_function_is_called_for_every_epoch():
    source = IteratorSource(lambda: iter(parts(3)))
    assert [numbers(source.batches(e, 2, 0)) for e in range(3)] == [[0, 1, 2]] * 3


def test_a_function_gets_the_arguments_it_has_parameters_for():
    calls = []

    def make(epoch, *, seed):
        calls.append((epoch, seed))
        return parts(2)

    list(IteratorSource(make).batches(4, 2, 7))
    assert calls == [(4, 7)]


@pytest.mark.parametrize("start", [0, 1, 3, 5])
def test_a_run_comes_back_by_dropping_or_by_starting_there(start):
    dropping = IteratorSource(lambda: iter(parts(5)))
    starting = IteratorSource(lambda start: iter(parts(5)[start:]))
    assert numbers(dropping.batches(1, 2, 0, start)) == numbers(starting.batches(1, 2, 0, start)) == list(range(start, 5))


def test_steps_end_an_epoch_of_an_endless_function():
    def endless():
        i = 0
        while True:
            yield parts(i + 1)[i]
            i += 1

    source = IteratorSource(endless, steps=3)
    assert numbers(source.batches(0, 2, 0)) == numbers(source.batches(1, 2, 0)) == [0, 1, 2]
    assert numbers(source.batches(1, 2, 0, 2)) == [2]
    ended()


def test_a_single_iterator_goes_on_over_epochs_of_so_many_steps():
    source = IteratorSource(iter(parts(6)), steps=2)
    assert [numbers(source.batches(e, 2, 0)) for e in range(3)] == [[0, 1], [2, 3], [4, 5]]
    fresh = IteratorSource(iter(parts(6)), steps=2)
    assert numbers(fresh.batches(1, 2, 0, 1)) == [3]


def test_tuples_of_anything_array_like_are_batches():
    source = IteratorSource([([[1.0], [2.0]], (0, 1))], names=("image", "label"))
    (part,) = source.batches(0, 2, 0)
    assert part["image"].tolist() == [[1.0], [2.0]]
    assert part["label"].tolist() == [0, 1]


def failing(source, *wanted):
    with pytest.raises(BadValue) as error:
        list(source.batches(*wanted))
    ended()
    return str(error.value)


def test_a_single_iterator_has_no_second_epoch():
    source = IteratorSource(iter(parts(3)))
    list(source.batches(0, 2, 0))
    assert failing(source, 1, 2, 0) == (
        "this iterator gives its batches once, and epoch 2 needs them again: "
        "give a function that returns a new iterator, or say with steps how many batches an epoch has"
    )


def test_a_single_iterator_cannot_go_back():
    source = IteratorSource(iter(parts(3)), prefetch=0)
    batches = source.batches(0, 2, 0)
    next(batches)
    batches.close()
    assert failing(source, 0, 2, 0) == (
        "this iterator stands at batch 2 and cannot go back to batch 1: give a function that returns a new iterator"
    )


def test_an_iterator_that_ends_before_its_steps_is_refused():
    assert failing(IteratorSource(lambda: parts(2), steps=3), 1, 2, 0) == (
        "the iterator ended after 2 of 3 batches of epoch 2: make it longer, or give a smaller steps"
    )


def test_an_iterator_that_ends_before_its_examples_is_refused():
    assert failing(IteratorSource(lambda: parts(2), examples=10), 0, 2, 0) == (
        "the iterator ended after 4 of 10 examples of epoch 1: make it longer, or leave examples out"
    )


def test_an_iterator_without_a_batch_is_refused():
    assert failing(IteratorSource(list), 0, 2, 0) == "the iterator gave no batch in epoch 1"
    used = iter(parts(2))
    assert numbers(IteratorSource(lambda: used).batches(0, 2, 0)) == [0, 1]
    assert failing(IteratorSource(lambda: used), 1, 2, 0) == (
        "the iterator gave no batch in epoch 2: a function must return a new iterator every time it is called"
    )


@pytest.mark.parametrize(("item", "got"), [("a line", "str"), ((1, 2, 3), "3 items"), (np.zeros(3), "ndarray")])
def test_an_item_that_is_no_batch_is_refused(item, got):
    source = IteratorSource(lambda: [parts(1)[0], item])
    assert failing(source, 2, 2, 0) == f"batch 2 of epoch 3 is a dict of arrays by name, or a tuple (x, y); got {got}"


def test_a_batch_of_unequal_arrays_is_refused():
    source = IteratorSource(lambda: [(np.zeros((3, 1)), np.zeros(2))])
    assert (
        failing(source, 0, 2, 0) == "all data must have the same number of examples, got x: 3, y: 2: give one row of each for every example"
    )


def test_single_examples_are_refused():
    assert failing(IteratorSource(lambda: parts(1)), 0, None, 0) == (
        "an iterator gives batches, and batch_size=None takes single examples: give arrays, or batches of 1"
    )


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"steps": 0}, "steps must be a whole number ≥ 1, got 0"),
        ({"prefetch": -1}, "prefetch must be a whole number ≥ 0, got -1"),
        ({"prefetch": 1.5}, "prefetch must be a whole number ≥ 0, got 1.5"),
    ],
)
def test_numbers_of_batches_are_whole(wrong, message):
    with pytest.raises(BadValue) as error:
        IteratorSource(parts(1), **wrong)
    assert str(error.value) == message
