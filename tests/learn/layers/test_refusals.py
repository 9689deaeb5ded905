"""What layers refuse, with the whole text."""

import pytest
from layer_checks import at, real

import lensgrad as lg
from lensgrad.core.errors import BadValue, TypeMismatch

IMAGE = lg.Real(4, 4, 3)
SEQUENCE = lg.Real(5, 6)


def refused(kind, call, text):
    with pytest.raises(kind) as error:
        call()
    assert str(error.value) == text


@pytest.mark.parametrize(
    ("layer", "dom", "text"),
    [
        (
            lg.conv2d(8, 5, name="stem"),
            IMAGE,
            "stem: a kernel of (5, 5) (dilation (1, 1)) does not fit into an image of (4, 4) padded by ((0, 0), (0, 0)); "
            "use a smaller kernel, padding='same', or larger images",
        ),
        (
            lg.max_pool2d(5),
            IMAGE,
            "max_pool2d: a kernel of (5, 5) (dilation (1, 1)) does not fit into an image of (4, 4) padded by ((0, 0), (0, 0)); "
            "use a smaller kernel, padding='same', or larger images",
        ),
        (
            lg.conv2d(8, 3),
            lg.Real(28, 28),
            "conv2d expects an array of axes (height, width, channels), got f32[28,28]: "
            "add the axis of channels with lg.reshape(28, 28, 1)",
        ),
        (lg.conv1d(8, 3), IMAGE, "conv1d expects an array of axes (length, channels), got f32[4,4,3]"),
        (lg.conv2d(8, 3), lg.Int(4, 4, 3), "conv2d expects one array of floats, got i32[4,4,3]"),
        (lg.conv2d(4, 3, groups=2), IMAGE, "conv2d cannot divide 3 input channels into 2 groups"),
        (lg.conv2d(4, 3, groups=3), IMAGE, "conv2d cannot divide 4 output channels into 3 groups"),
        (lg.global_max_pool(), lg.Real(3), "global_max_pool expects at least one space axis in front of the channels, got f32[3]"),
        (
            lg.conv_transpose(2, 2, padding=4),
            IMAGE,
            "conv_transpose of an image (4, 4) would give (-3, -3): use less padding, and output_padding below the stride or the dilation",
        ),
        (lg.embedding(9, 3), lg.Real(4), "embedding expects whole numbers, such as lg.input(9, dtype='int32'), got f32[4]"),
        (lg.dropout(), lg.Int(4), "dropout expects one array of floats, got i32[4]"),
        (lg.batch_norm(name="n"), lg.Real(), "n expects at least one axis of features, got f32[]"),
        (lg.group_norm(2), IMAGE, "group_norm cannot divide 3 channels into 2 groups"),
        (
            lg.multi_head_attention(4),
            SEQUENCE,
            "multi_head_attention cannot divide 6 features into 4 heads: choose a number of heads that divides them, or give width=",
        ),
        (lg.multi_head_attention(2), lg.Real(6), "multi_head_attention expects an array of axes (steps, features), got f32[6]"),
        (
            lg.multi_head_attention(2, rotary=True),
            SEQUENCE,
            "multi_head_attention turns pairs of features, and its heads are 3 wide: use an even width with rotary",
        ),
        (
            lg.lstm(3),
            SEQUENCE @ lg.Bool(4),
            "lstm expects a mask bool[5] beside f32[5,6], one truth value a step, got bool[4]",
        ),
        (lg.gru(3, name="g"), lg.Real(5, 6, 1), "g expects an array of axes (steps, features), got f32[5,6,1]"),
        (
            lg.graph_conv(2),
            SEQUENCE @ lg.Real(4, 4),
            "graph_conv expects the adjacency of 5 nodes beside f32[5,6]: f32[5,5], or its entries i32[E] × i32[E] × f32[E] "
            "(sources, targets, values); got f32[4,4]",
        ),
        (
            lg.residual(lg.dense(3)),
            lg.Real(4),
            "residual adds what its layer gives to what it takes, and f32[3] is not f32[4]: "
            "give shortcut=, a layer such as lg.dense(…) that makes the two equal",
        ),
        (lg.residual(3), lg.Real(4), "residual takes a layer, a function on wires, or the name of an activation, got 3"),
        (lg.masked(lg.dense(2, 3)), SEQUENCE @ lg.Bool(5), "masked meets f32[5,6] × bool[5], and the layer in it takes f32[2]"),
        (lg.each(lg.dense(3)), lg.Real(), "each expects wires with a first axis of one length, got f32[]"),
        (
            lg.cross_entropy(mask="m"),
            lg.Real(4, 3) @ lg.Bool(4),
            "cross_entropy expects logits, and nothing or a mask bool[4] beside them, got f32[4,3] × bool[4]",
        ),
    ],
    ids=lambda v: str(v) if not isinstance(v, str) else "",
)
def test_wires_that_do_not_fit(layer, dom, text):
    refused(TypeMismatch, lambda: at(layer, dom), text)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: lg.conv2d(0, 3), "conv2d: filters must be a whole number ≥ 1, got 0"),
        (lambda: lg.conv2d(4, (3, 3, 3), name="c"), "the kernel of c expects a whole number ≥ 1, or 2 of them, got (3, 3, 3)"),
        (lambda: lg.conv2d(4, 3, stride=0), "the stride of conv2d expects a whole number ≥ 1, or 2 of them, got 0"),
        (
            lambda: lg.conv2d(4, 3, padding="full"),
            "conv2d expects padding 'same', 'valid', whole numbers ≥ 0 or pairs (before, after), got 'full'",
        ),
        (lambda: lg.conv2d(4, 3, padding=-1), "the padding of conv2d expects a whole number ≥ 0, or 2 of them, got -1"),
        (lambda: lg.max_pool1d(1.5), "the size of max_pool1d expects a whole number ≥ 1, or 1 of them, got 1.5"),
        (lambda: lg.conv_transpose(1, 2, axes=4), "conv_transpose must have 1, 2 or 3 space axes, got 4"),
        (lambda: lg.depthwise_conv(2, axes=0), "depthwise_conv must have 1, 2 or 3 space axes, got 0"),
        (lambda: lg.dropout(1.0), "the rate of dropout must be a fraction from 0 up to, but not including, 1, got 1.0"),
        (lambda: lg.batch_norm(momentum=2), "the momentum of batch_norm must be a number from 0 to 1, got 2"),
        (lambda: lg.layer_norm(epsilon=-1.0), "the epsilon of layer_norm must be a number ≥ 0, got -1.0"),
        (lambda: lg.embedding(True, 3), "embedding: vocabulary must be a whole number ≥ 1, got True"),
        (
            lambda: lg.multi_head_attention(4, key_value_heads=3),
            "multi_head_attention shares keys and values evenly, and 4 heads are no multiple of 3 key_value_heads",
        ),
        (lambda: at(lg.sinusoidal_positions(), real(2, 3)), "sinusoidal_positions turns pairs of features, and 3 is odd"),
        (lambda: lg.transformer_block(2, norm="batch"), "the norm of transformer_block must be one of layer, rms, got 'batch'"),
        (lambda: lg.lstm(0, name="r"), "r: units must be a whole number ≥ 1, got 0"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_arguments_that_do_not_fit(call, text):
    refused(BadValue, call, text)


def test_types_that_do_not_meet_name_both_layers():
    first, second = lg.input(8) >> lg.dense(4, name="encoder"), lg.dense(5, 2, name="head")
    with pytest.raises(TypeMismatch, match=r"encoder/out +gives +f32\[4\]\n +head/in +wants +f32\[5\]"):
        first >> second
