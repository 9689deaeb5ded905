"""The transformer block with the published weights of a small Llama 2 tells the published story."""

import struct

import numpy as np

import lensgrad as lg
from lensgrad.backends import numpy as backend

STEPS = 48
BEGIN = 1  # the token that starts a text
LLAMA = {"norm": "rms", "gated": True, "activation": "silu", "rotary": True, "causal": True, "use_bias": False}


def read_weights(path):
    """The header and the arrays of a llama2.c file, by our names, in the order of the file."""
    raw = path.read_bytes()
    dim, hidden, layers, heads, shared, vocabulary, _ = sizes = struct.unpack("<7i", raw[:28])
    numbers, values = np.frombuffer(raw, "<f4", offset=28), {}
    kv = dim // heads * shared
    parts = [
        ("attention_norm/scale", (dim,)), ("attention/query/weight", (dim, dim)), ("attention/key/weight", (kv, dim)),
        ("attention/value/weight", (kv, dim)), ("attention/out/weight", (dim, dim)), ("mlp_norm/scale", (dim,)),
        ("mlp/gate/weight", (hidden, dim)), ("mlp/down/weight", (dim, hidden)), ("mlp/up/weight", (hidden, dim)),
    ]  # fmt: skip
    at = 0

    def take(*shape):
        nonlocal at
        at += (n := int(np.prod(shape)))
        return numbers[at - n : at].reshape(shape)

    values["embed/weight"] = values["out/weight"] = take(vocabulary, dim)
    for label, shape in parts:
        stacked = take(layers, *shape)
        values.update({f"block{i}/{label}": stacked[i] for i in range(layers)})
    values["norm/scale"] = take(dim)
    return sizes, values


def model_of(sizes):
    dim, hidden, layers, heads, shared, vocabulary, _ = sizes
    blocks = [lg.transformer_block(heads, hidden, key_value_heads=shared, **LLAMA, name=f"block{i}") for i in range(layers)]
    embed, norm, out = lg.embedding(vocabulary, dim, name="embed"), lg.rms_norm(name="norm"), lg.unembed(vocabulary, name="out")
    return lg.sequential(lg.input(STEPS, dtype="int32"), embed, *blocks, norm, out)


def read_tokens(path, count):
    raw, at, pieces = path.read_bytes(), 4, []
    for _ in range(count):
        _, size = struct.unpack("<fi", raw[at : at + 8])
        pieces.append(raw[at + 8 : at + 8 + size])
        at += 8 + size
    return [bytes([int(p[3:5], 16)]) if p.startswith(b"<0x") else p for p in pieces]


def test_the_published_weights_tell_the_published_story(data_folder):
    sizes, values = read_weights(data_folder / "tinystories" / "stories260K.bin")
    model = model_of(sizes)
    weights, run = [values[n] for n in model.names], backend.function(model.arrow)
    tokens = np.zeros(STEPS, np.int32)
    tokens[0] = BEGIN
    for t in range(STEPS - 1):  # what stands behind step t is never seen
        tokens[t + 1] = run(*weights, tokens)[0][t].argmax()
    pieces = read_tokens(data_folder / "tinystories" / "tok512.bin", sizes[5])
    told = b"".join(pieces[k] for k in tokens[1:]).decode().lstrip()
    story = (data_folder / "tinystories" / "expected.txt").read_text(encoding="utf-8")
    assert len(told) > 80 and story.startswith(told)
