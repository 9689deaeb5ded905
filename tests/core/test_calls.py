"""Wrong calls are told in the name of the function that was called, and by what it takes."""

from typing import TypedDict, Unpack

import pytest

import lensgrad as lg
from lensgrad.core.calls import in_words, options
from lensgrad.core.errors import TypeMismatch

CONVOLUTION = "stride, padding, dilation, groups, activation, use_bias, weights, name"
DEPTHWISE = "stride, padding, dilation, activation, use_bias, weights"
WRONG = {
    "near": (lambda: lg.conv2d(4, 3, strid=1), "conv2d takes no 'strid': did you mean 'stride'?"),
    "strange": (lambda: lg.conv1d(4, 3, shape=1), f"conv1d takes no 'shape': it takes filters, kernel, {CONVOLUTION}"),
    "foreign": (lambda: lg.conv3d(4, 3, strides=1), "conv3d takes no 'strides': it is stride here"),
    "missing": (lambda: lg.conv2d(4), "conv2d(filters, kernel, …) needs 'kernel' too: give it"),
    "not of depthwise": (
        lambda: lg.depthwise_conv(3, groups=2),
        f"depthwise_conv takes no 'groups': it takes kernel, multiplier, axes, name, {DEPTHWISE}",
    ),
    "pool near": (lambda: lg.max_pool2d(2, ceil=True), "max_pool2d takes no 'ceil': did you mean 'ceil_mode'?"),
    "pool foreign": (lambda: lg.average_pool1d(pool_size=2), "average_pool1d takes no 'pool_size': it is size here, and comes first"),
    "not of maxima": (
        lambda: lg.max_pool3d(2, count_include_pad=False),
        "max_pool3d takes no 'count_include_pad': it takes size, stride, padding, name, dilation, ceil_mode",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("call", "text"), WRONG.values(), ids=WRONG)
def test_a_keyword_that_is_none_is_refused_by_the_function_that_was_called(call, text):
    with pytest.raises(TypeMismatch) as error:
        call()
    assert str(error.value) == text


class Table(TypedDict, total=False):
    depth: int
    later: "NotThere"  # noqa: F821  a type that cannot be looked up: names alone are read


def test_options_are_read_from_a_table_and_any_name_passes_without_one():
    @in_words({"deep": "it is depth here"})
    def typed(a: int, **more: Unpack[Table]) -> int:
        return a + more.get("depth", 0)

    @in_words({"deep": "it is depth here"})
    def untyped(a: int, **more: int) -> int:
        return a + sum(more.values())

    assert typed(1, depth=2) == 3 == untyped(1, width=2)
    for call, text in (
        (lambda: typed(1, depht=2), "typed takes no 'depht': did you mean 'depth'?"),
        (lambda: typed(1, deep=2), "typed takes no 'deep': it is depth here"),
        (lambda: untyped(1, deep=2), "untyped takes no 'deep': it is depth here"),
        (lambda: untyped(), "untyped(a, …) needs 'a' too: give it"),
    ):
        with pytest.raises(TypeMismatch) as error:
            call()
        assert str(error.value) == text
    assert options(len) == ()
