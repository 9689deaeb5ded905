"""Sources: which rows each batch has, coming back to any batch, transformations with randomness of their own."""

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.core.errors import BadValue
from lensgrad.data.arrays import positions
from lensgrad.data.source import ArraySource
from lensgrad.data.stream import IteratorSource
from lensgrad.train.plan import Plan

X = np.arange(22.0, dtype=np.float32).reshape(11, 2)
Y = np.arange(11, dtype=np.int32)


def same(one, other):
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        assert a.keys() == b.keys()
        for name in a:
            assert a[name].dtype == b[name].dtype
            assert np.array_equal(a[name], b[name])


@pytest.mark.parametrize("epoch", [0, 1, 7])
def test_an_epoch_is_the_permutation_of_seed_and_epoch_cut_into_batches(epoch):
    order = np.random.Generator(np.random.PCG64([3, epoch])).permutation(11)
    wanted = [{"x": X[order[i : i + 4]], "y": Y[order[i : i + 4]]} for i in (0, 4, 8)]
    same(list(ArraySource({"x": X, "y": Y}).batches(epoch, 4, 3)), wanted)
    assert [w.tolist() for w in Plan(1, 4, 3).batches(epoch, 11)] == [order[:4].tolist(), order[4:8].tolist(), order[8:].tolist()]


def test_without_a_seed_the_order_is_kept_and_the_last_batch_is_short():
    assert [b["y"].tolist() for b in ArraySource({"y": Y}).batches(5, 4, None)] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10]]


def test_without_a_batch_size_examples_come_one_at_a_time_and_have_no_batch_axis():
    parts = list(ArraySource({"x": X, "y": Y}).batches(0, None, None))
    assert [p["y"].shape for p in parts] == [()] * 11
    assert [p["x"].tolist() for p in parts] == X.tolist()


@pytest.mark.parametrize("size", [None, 1, 4, 11, 50])
def test_a_run_comes_back_to_any_batch_of_an_epoch(size):
    source = ArraySource({"x": X, "y": Y})
    whole = list(source.batches(2, size, 9))
    for start in range(len(whole) + 2):
        same(list(source.batches(2, size, 9, start)), whole[start:])


def test_positions_cover_every_row_once():
    assert sorted(np.concatenate(list(positions(101, 4, 7, 1))).tolist()) == list(range(101))


def test_arrays_of_unequal_length_are_refused():
    with pytest.raises(BadValue) as error:
        ArraySource({"x": X, "y": Y[:3]})
    assert str(error.value) == "all data must have the same number of examples, got x: 11, y: 3: give one row of each for every example"


def test_no_examples_are_refused():
    with pytest.raises(BadValue) as error:
        lg.data.source((X[:0], Y[:0]))
    assert str(error.value) == "there is no data: every array has 0 examples, and at least one is wanted: give it"


# -- the door ----------------------------------------------------------------------------------------------------------


def test_pairs_dicts_and_data_sets_are_the_same_source():
    wanted = list(ArraySource({"x": X, "y": Y}).batches(0, 4, 1))
    for data in ((X, Y), [X, Y], {"x": X, "y": Y}, lg.data.Dataset(X, Y), (X.tolist(), Y.tolist())):
        found = list(lg.data.source(data).batches(0, 4, 1))
        assert [p["x"].tolist() for p in found] == [p["x"].tolist() for p in wanted]
        assert [p["y"].tolist() for p in found] == [p["y"].tolist() for p in wanted]


def test_a_pair_goes_by_the_names_of_the_learner():
    assert lg.data.source((X, Y), ("image", "label")).arrays.keys() == {"image", "label"}


def test_a_source_is_taken_as_it_is():
    class Own:
        examples = None

        def batches(self, epoch, batch_size, seed, start=0):
            return iter([])

    own = Own()
    assert lg.data.source(own) is own


def test_functions_generators_and_lists_of_batches_are_iterator_sources():
    parts = [{"x": X, "y": Y}, {"x": X, "y": Y}]
    for data in (lambda: iter(parts), iter(parts), parts, (p for p in parts), [(X, Y)] * 3):
        source = lg.data.source(data)
        assert isinstance(source, IteratorSource)
        same(list(source.batches(0, 4, 0))[:2], parts)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ("x.csv", "str: read a table with lg.data.csv(path, target=…), and arrays with lg.data.mapped(path)"),
        (3, "int: write fit(x, y)"),
        (X, "ndarray: give the labels too, as in fit(x, y)"),
        (None, "NoneType: write fit(x, y)"),
    ],
)
def test_what_is_no_data_is_refused(data, kind):
    with pytest.raises(BadValue) as error:
        lg.data.source(data)
    assert str(error.value) == (
        f"data is a pair (x, y), a dict of arrays by name, a data set with .x and .y, or an iterator of batches; got {kind}"
    )


def test_a_data_frame_must_name_its_target():
    pandas = pytest.importorskip("pandas", reason="pandas is an optional package")
    with pytest.raises(BadValue) as error:
        lg.data.source(pandas.DataFrame({"a": [1.0]}))
    assert str(error.value) == "a table does not say which column is the target: give lg.data.table(frame, target=…)"


# -- transformations ---------------------------------------------------------------------------------------------------


def drawing(batch, random):
    return {**batch, "draw": np.full(len(batch["y"]), random.random())}


def draws(source, epoch=0, seed=0, start=0):
    return [float(p["draw"][0]) for p in source.batches(epoch, 4, seed, start)]


def test_a_transformation_draws_by_seed_epoch_and_batch_and_resumes():
    source = lg.data.transform((X, Y), drawing)
    whole = draws(source, 1, 5)
    assert whole == draws(source, 1, 5)
    assert whole[2:] == draws(source, 1, 5, 2)
    assert len({*whole, *draws(source, 0, 5), *draws(source, 1, 6)}) == 9
    assert source.examples == 11


def test_a_transformation_is_independent_of_the_shuffle_and_of_another_one():
    # Entropy is padded with zeros, so [seed, epoch] and [seed, epoch, 0, 0] are one stream: the last word must not be 0.
    first = draws(lg.data.transform((X, Y), drawing), 3, 2)[0]
    assert first != np.random.Generator(np.random.PCG64([2, 3])).random()
    seen = []

    def note(batch, random):
        seen.append(random.random())
        return batch

    list(lg.data.transform(lg.data.transform((X, Y), note), note).batches(0, 11, 0))
    assert len(set(seen)) == 2


def test_a_transformation_closes_what_it_reads():
    ended = []

    def parts():
        try:
            yield from [(X, Y)] * 5
        finally:
            ended.append(True)

    batches = lg.data.transform(IteratorSource(parts, prefetch=0), lambda batch, random: batch).batches(0, 4, 0)
    next(batches)
    batches.close()
    assert ended == [True]


# -- mixup -------------------------------------------------------------------------------------------------------------

ONE_HOT = np.eye(8, dtype=np.float32)


def test_mixup_mixes_two_examples_of_a_batch_inputs_and_labels_alike():
    parts = list(lg.data.mixup((ONE_HOT, ONE_HOT), alpha=1.0).batches(0, 4, 0))
    order = np.random.Generator(np.random.PCG64([0, 0])).permutation(8)
    mixed = 0
    for part, rows in zip(parts, (order[:4], order[4:]), strict=True):
        assert np.array_equal(part["x"], part["y"])
        assert part["x"].dtype == np.float32
        for i, row in enumerate(part["x"]):
            share = row[rows[i]]
            others = np.delete(row, rows[i])
            partner = others.max()
            assert 0 <= share <= 1
            assert share == 1 or partner == np.float32(1) - share
            assert np.count_nonzero(others) <= 1
            assert set(np.flatnonzero(row)) <= set(rows)
            mixed += 0 < share < 1
    assert mixed >= 4


def test_mixup_resumes_at_any_batch():
    source = lg.data.mixup((ONE_HOT, ONE_HOT), alpha=1.0)
    whole = list(source.batches(1, 2, 3))
    same(list(source.batches(1, 2, 3, 2)), whole[2:])


@pytest.mark.parametrize(
    ("data", "size", "message"),
    [
        (
            (ONE_HOT, np.arange(8)),
            4,
            "mixup mixes floats, and 'y' holds class numbers or bytes: give labels with one_hot(), and images as floats",
        ),
        (
            (ONE_HOT[:, 0], ONE_HOT[:, 0]),
            None,
            "mixup mixes the examples of a batch, and batch_size=None has one example at a time: give a batch_size",
        ),
    ],
)
def test_what_cannot_be_mixed_is_refused(data, size, message):
    with pytest.raises(BadValue) as error:
        list(lg.data.mixup(data).batches(0, size, 0))
    assert str(error.value) == message


def test_mixup_wants_a_positive_alpha():
    with pytest.raises(BadValue) as error:
        lg.data.mixup((ONE_HOT, ONE_HOT), alpha=0.0)
    assert str(error.value) == "alpha of mixup must be a positive number, got 0.0"
