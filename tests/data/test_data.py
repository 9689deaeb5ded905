"""The data that comes with the library is what its authors published."""

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.core.errors import BadValue
from lensgrad.data import bundled


def test_iris_has_150_flowers_of_three_species():
    data = lg.data.iris()
    assert (data.x.shape, data.x.dtype, data.y.dtype, len(data)) == ((150, 4), np.float32, np.int32, 150)
    assert data.classes == ("Iris-setosa", "Iris-versicolor", "Iris-virginica")
    assert np.bincount(data.y).tolist() == [50, 50, 50] and len(data.features) == 4
    assert data.x[0].tolist() == pytest.approx([5.1, 3.5, 1.4, 0.2], rel=1e-6)


def test_iris_is_the_bytes_of_the_repository_it_comes_from(data_folder):
    from importlib.resources import files

    assert (files("lensgrad.data") / "iris.data").read_bytes() == (data_folder / "iris" / "iris.data").read_bytes()


def test_a_data_set_is_a_pair():
    data = lg.data.iris()
    x, y = data
    assert x is data.x and y is data.y


def test_labels_become_unit_vectors():
    data = lg.data.iris().one_hot("float64")
    assert data.y.shape == (150, 3) and data.y.dtype == np.float64
    np.testing.assert_array_equal(data.y.argmax(1), lg.data.iris().y)
    assert (data.y.sum(1) == 1).all()


def test_floats_are_cast_and_class_numbers_stay():
    data = lg.data.iris().cast("float64")
    assert data.x.dtype == np.float64 and data.y.dtype == np.int32
    assert lg.data.iris().one_hot().cast("float64").y.dtype == np.float64


@pytest.mark.parametrize("labels", [[0, 3], [-1, 0]])
def test_class_numbers_outside_the_classes_are_refused(labels):
    with pytest.raises(BadValue) as error:
        bundled.one_hot(np.array(labels), 3)
    told = f"labels run from {min(labels)} to {max(labels)}, and 3 classes are numbered 0 to 2"
    assert str(error.value) == told


def test_one_hot_makes_rows_and_no_square_and_refuses_more_classes_than_rows_can_have():
    assert bundled.one_hot(np.array([2, 0]), 3).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert bundled.one_hot(np.array(1), 3).tolist() == [0, 1, 0] and bundled.one_hot(np.array([[1], [0]]), 2).shape == (2, 1, 2)
    assert bundled.one_hot(np.array([99_999]), 100_000).argmax() == 99_999  # a square of that side has 40 GB
    with pytest.raises(BadValue) as error:
        bundled.one_hot(np.array([0]), 10**30)
    assert str(error.value) == f"the number of classes must be a whole number from 1 to 1048576, got {10**30}"


def test_a_data_set_shows_what_it_has_and_not_all_of_it():
    assert repr(lg.data.monk(1)[0]) == "<124 examples: x float32[17], y int32[], classes 0, 1>"
    assert repr(bundled.Dataset(np.zeros((2, 3)), np.zeros(2))) == "<2 examples: x float64[3], y float64[]>"
