"""Threefry in ONNX: words of 32 bits in 64, where shifts are products and quotients by powers of two."""

from __future__ import annotations

from collections.abc import Sequence

from lensgrad.interchange.onnx.writing.sheet import Value, counted, size

WORD = 0xFFFFFFFF
TURNS = ((13, 15, 26, 6), (17, 29, 16, 24))
PARITY = 0x1BD11BDA


def threefry(key: tuple[Value, Value], x0: Value, x1: Value) -> tuple[Value, Value]:
    """Threefry-2×32 with 20 rounds: two words of key and two of counter to two random words."""
    keys = (*key, xor(xor(*key), key[0].like(PARITY)))
    x0, x1 = word(x0 + keys[0]), word(x1 + keys[1])
    for block in range(5):
        for turn in TURNS[block % 2]:
            x0 = word(x0 + x1)
            x1 = xor(turned(x1, turn), x0)
        x0 = word(x0 + keys[(block + 1) % 3])
        x1 = word(x1 + (keys[(block + 2) % 3] + (block + 1)))
    return x0, x1


def word(x: Value) -> Value:
    """The last 32 bits."""
    return x.on("BitwiseAnd", WORD)


def xor(x: Value, y: Value) -> Value:
    return x.on("BitwiseXor", y)


def turned(x: Value, bits: int) -> Value:
    """A word turned to the left: what is pushed out above comes in below."""
    wide = x * (1 << bits)
    return word(wide).on("BitwiseOr", wide / (1 << 32))


def words_of(key: Value) -> tuple[Value, Value]:
    """The two words of each key."""
    wide = key.to("int64")
    shape = key.shape[:-1]
    a, b = (key.sheet.add("Gather", [wide, key.sheet.constant(k, "int64")], "int64", shape, axis=-1) for k in (0, 1))
    return a, b


def fold_in(key: Value, data: Value) -> Value:
    """A key for each whole number."""
    shape = (*key.shape[:-1], *[1] * (data.rank - (key.rank - 1)))
    a, b = (w.reshaped(*shape) for w in words_of(key))
    count = word(data.to("int64"))
    found = [v.wide(data.shape).reshaped(*data.shape, 1) for v in threefry((a, b), count, count.like(1))]
    return found[0].joined(found[1], axis=data.rank)


def random_bits(key: Value, shape: Sequence[int]) -> Value:
    """Uniform words, one counter an entry."""
    a, b = (w.reshaped(*w.shape, 1) for w in words_of(key))
    count = counted(key.sheet, size(shape))
    found, _ = threefry((a, b), count, count.like(0))
    return found.wide((*key.shape[:-1], size(shape))).reshaped(*key.shape[:-1], *shape)


def spread(key: Value, n: int, axis: int) -> Value:
    """The same key n times along a new axis."""
    shape = [*key.shape[:axis], 1, *key.shape[axis:]]
    return key.reshaped(*shape).wide((*key.shape[:axis], n, *key.shape[axis:]))
