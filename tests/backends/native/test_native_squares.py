"""Convolutions by squares: their matrices, exactly, and all three forms of a convolution on images that are no whole number of squares."""

from fractions import Fraction

import numpy as np
import pytest
from native_check import differing, in_c, in_numpy, once

from lensgrad.backends.native import assemble, toom
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.theories.smooth.array import Array
from lensgrad.theories.smooth.conv import Convolve, Window

CASES = {  # examples, image, padding, channels
    "odd": (7, (9, 7), ((1, 1), (1, 1)), 64, 32),
    "bare": (9, (9, 6), ((0, 0), (0, 0)), 32, 96),
    "far": (9, (8, 7), ((2, 3), (3, 2)), 32, 160),
}


@pytest.mark.parametrize("results", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_products_of_sums_are_a_convolution(results, size):
    forms = toom.transforms(results, size)
    x, k = ([Fraction(n * n - 7 * n + 3, n + 1) for n in range(count)] for count in (results + size - 1, size))
    pairs = zip(times(forms.image, x), times(forms.kernel, k), strict=True)
    found = times(forms.result, [a * b for a, b in pairs])
    assert found == [sum(x[i + j] * k[j] for j in range(size)) for i in range(results)]


def times(matrix, vector):
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


def test_what_rows_have_in_common_is_added_once():
    forms, text = toom.transforms(4, 3), toom.Sums("float")
    names = [f"x{k}" for k in range(6)]
    scope = {name: 1.5**k for k, name in enumerate(names)}
    made = text.times(forms.image, names)
    for line in text.lines:
        name, value = line.removeprefix("const float ").rstrip(";").split(" = ")
        scope[name] = eval(value.replace("f ", " "), {}, scope)
    assert len(text.lines) == 4
    assert [eval(m.replace("f ", " "), {}, scope) for m in made] == pytest.approx(times(forms.image, [scope[n] for n in names]))


@pytest.mark.parametrize(("name", "dtype", "tolerance"), [*((name, "float32", 2e-5) for name in CASES), ("odd", "float64", 1e-12)])
def test_results_and_gradients_are_those_of_numpy(name, dtype, tolerance):
    examples, image, padding, inner, outer = CASES[name]
    window = Window((1, 1), (1, 1), padding, 1)
    shapes = {"x": (examples, *image, inner), "k": (3, 3, inner, outer), "y": (examples, *window.out(image, (3, 3)), outer)}

    def forms(**values):
        ops = (Convolve(slot, window, image, (3, 3)) for slot in "yxk")
        return tuple(op(*(values[s] for s in op.args())) * 0.5 for op in ops)

    f = trace(lambda x, k, y: forms(x=x, k=k, y=y), *(Ty((Array(s, dtype),)) for s in shapes.values()))
    assert assemble.assembled(f, once(f)).text.count("int squares =") == 3
    rng = np.random.default_rng(3)
    xs = [rng.normal(size=s).astype(dtype) for s in shapes.values()]
    one, two = (in_c(f, xs, threads=n) for n in (1, 2))
    assert differing(one, in_numpy(f, xs), [tolerance] * 3) == []
    assert all(map(np.array_equal, one, two))


@pytest.mark.parametrize(("channels", "size", "stride"), [((32, 33), 3, 1), ((64, 64), 3, 2), ((64, 64), 2, 1)])
def test_other_convolutions_go_pixel_by_pixel(channels, size, stride):
    op = Convolve("y", Window((stride,) * 2, (1, 1), ((1, 1),) * 2, 1), (8, 8), (size,) * 2)
    arrays = Array((6, 8, 8, channels[0]), "float32"), Array((size, size, *channels), "float32")
    f = trace(lambda a, b: op(a, b), *(Ty((a,)) for a in arrays))
    assert "int squares =" not in assemble.assembled(f, once(f)).text
