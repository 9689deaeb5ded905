"""A Llama of 260 thousand weights from a file of Hugging Face's names: its golden story, a few steps of training, and back.

`python -m tools.stories FOLDER` takes the folder with stories260K.bin, tok512.bin and expected.txt ($LENSGRAD_DATA/tinystories unless
given), stores the weights as safetensors under Llama's names, loads them into a model of lensgrad's layers by a mapping, tells the
story greedily, trains on a story of somebody else, and writes the weights back. Needs NumPy only.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

import lensgrad as lg
from lensgrad.program.compile import program

FLOAT, INT = np.dtype("<f4"), np.dtype("<i4")
BOS, FIRST = 1, 3  # the token that begins a story, and the first of the single bytes


@dataclass(frozen=True)
class Llama:
    """The sizes of a model, as its file begins."""

    width: int
    hidden: int
    layers: int
    heads: int
    shared: int
    words: int
    length: int

    def model(self, length: int) -> Any:
        """{0, …}^T → ℝ^(T, words): blocks of Llama 2, and a head that is the embedding."""
        options: dict[str, Any] = {"activation": "silu", "gated": True, "norm": "rms", "causal": True, "rotary": True, "use_bias": False}
        blocks = [
            lg.transformer_block(self.heads, self.hidden, key_value_heads=self.shared, name=f"b{k}", **options) for k in range(self.layers)
        ]
        ends = [lg.rms_norm(name="norm"), lg.unembed(self.words, name="head")]
        net = lg.sequential(lg.input(length, dtype="int32"), lg.embedding(self.words, self.width, name="embed"), *blocks, *ends)
        return net.tie("embed/weight", "head/weight")

    def mapping(self) -> dict[str, Any]:
        """From our names to Hugging Face's; rows of queries and keys are stored there in halves, and turned here in pairs."""
        found: dict[str, Any] = {"embed/weight": "model.embed_tokens.weight", "norm/scale": "model.norm.weight"}
        for k in range(self.layers):
            theirs = f"model.layers.{k}"
            found[f"b{k}/attention_norm/scale"] = f"{theirs}.input_layernorm.weight"
            found[f"b{k}/attention/query/weight"] = (f"{theirs}.self_attn.q_proj.weight", ("rotary", self.heads))
            found[f"b{k}/attention/key/weight"] = (f"{theirs}.self_attn.k_proj.weight", ("rotary", self.shared))
            found[f"b{k}/attention/value/weight"] = f"{theirs}.self_attn.v_proj.weight"
            found[f"b{k}/attention/out/weight"] = f"{theirs}.self_attn.o_proj.weight"
            found[f"b{k}/mlp_norm/scale"] = f"{theirs}.post_attention_layernorm.weight"
            found |= {f"b{k}/mlp/{part}/weight": f"{theirs}.mlp.{part}_proj.weight" for part in ("gate", "up", "down")}
        return found


def stored(file: Path) -> tuple[Llama, dict[str, np.ndarray]]:
    """The weights of a file of llama2.c under Hugging Face's names."""
    raw = file.read_bytes()
    sizes = Llama(*(abs(int(n)) for n in np.frombuffer(raw, INT, 7)))
    numbers, at = np.frombuffer(raw, FLOAT, offset=28), 0
    per, d, kv = sizes.layers, sizes.width, sizes.width * sizes.shared // sizes.heads
    shapes = {
        "embed": (sizes.words, d), "input": (per, d), "q": (per, d, d), "k": (per, kv, d), "v": (per, kv, d), "o": (per, d, d),
        "post": (per, d), "gate": (per, sizes.hidden, d), "down": (per, d, sizes.hidden), "up": (per, sizes.hidden, d), "norm": (d,),
    }  # fmt: skip
    parts = dict[str, np.ndarray]()
    for name, shape in shapes.items():
        n = int(np.prod(shape))
        parts[name], at = numbers[at : at + n].reshape(shape), at + n
    return sizes, {"model.embed_tokens.weight": parts["embed"], "model.norm.weight": parts["norm"], **dict(layered(sizes, parts))}


def layered(sizes: Llama, parts: dict[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray]]:
    """The arrays of each layer by their names."""
    for k in range(sizes.layers):
        before = f"model.layers.{k}"
        yield f"{before}.input_layernorm.weight", parts["input"][k]
        yield f"{before}.post_attention_layernorm.weight", parts["post"][k]
        yield f"{before}.self_attn.q_proj.weight", halves(parts["q"][k], sizes.heads)
        yield f"{before}.self_attn.k_proj.weight", halves(parts["k"][k], sizes.shared)
        yield from ((f"{before}.self_attn.{n}_proj.weight", parts[n][k]) for n in "vo")
        yield from ((f"{before}.mlp.{n}_proj.weight", parts[n][k]) for n in ("gate", "up", "down"))


def halves(w: np.ndarray, heads: int) -> np.ndarray:
    """Pairs of rows of each head as two halves, as Hugging Face's converter stores them."""
    return w.reshape(heads, -1, 2, w.shape[1]).swapaxes(1, 2).reshape(w.shape)


class Words:
    """Tokens of a file of llama2.c: pieces of text with scores, by which they are joined."""

    def __init__(self, file: Path) -> None:
        raw, at = file.read_bytes(), 4
        self.pieces, self.scores = list[bytes](), list[float]()
        while at < len(raw):
            self.scores.append(float(np.frombuffer(raw, FLOAT, 1, at)[0]))
            n = int(np.frombuffer(raw, INT, 1, at + 4)[0])
            self.pieces.append(raw[at + 8 : at + 8 + n])
            at += 8 + n
        self.places = {piece: k for k, piece in enumerate(self.pieces)}

    def text(self, ids: list[int]) -> str:
        """What tokens say; one of a byte is that byte, and the space that begins a story goes."""
        said = b"".join(bytes([k - FIRST]) if FIRST <= k < FIRST + 256 else self.pieces[k] for k in ids if k != BOS)
        return said.decode("utf-8", "replace").removeprefix(" ")

    def ids(self, text: str) -> list[int]:
        """Tokens of a text: the pair that makes the likeliest piece is joined first."""
        letters = [c.encode() for c in f" {text}"]
        found = [k for c in letters for k in ([self.places[c]] if c in self.places else [b + FIRST for b in c])]
        while True:
            pairs = [self.places.get(self.pieces[a] + self.pieces[b], -1) for a, b in pairwise(found)]
            best = max((i for i, k in enumerate(pairs) if k >= 0), key=lambda i: self.scores[pairs[i]], default=-1)
            if best < 0:
                return [BOS, *found]
            found[best : best + 2] = [pairs[best]]


def told(sizes: Llama, values: Any, most: int) -> list[int]:
    """The story that always takes the likeliest token, up to so many; what stands behind does not matter, since nothing looks ahead."""
    ids, runs = [BOS], dict[int, Any]()
    while len(ids) <= most:
        length = min(most, -(-len(ids) // 64) * 64)
        if length not in runs:
            runs[length] = program(lg.predict(sizes.model(length)))
        seen = np.zeros(length, np.int32)
        seen[: len(ids)] = ids
        ids.append(int(np.argmax(runs[length]({**values, "input": seen})["output"][len(ids) - 1])))
        if ids[-1] == BOS:
            break
    return ids


def taught(sizes: Llama, values: Any, ids: list[int], steps: int) -> Any:
    """A run of a few steps on one story."""
    learner = lg.supervised(sizes.model(len(ids) - 1), lg.cross_entropy, lg.adam(1e-3))
    row = np.array([ids], np.int32)
    return learner.fit(row[:, :-1], row[:, 1:], epochs=steps, batch_size=1, start=values, progress=False)


def main(folder: Path) -> int:
    """Everything of the above, printed; 1 where the story is another one."""
    sizes, arrays = stored(folder / "stories260K.bin")
    words, golden = Words(folder / "tok512.bin"), (folder / "expected.txt").read_text(encoding="utf-8").strip()
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "llama.safetensors"
        save_file({n: np.ascontiguousarray(a) for n, a in arrays.items()}, file)
        matched = lg.match_weights(sizes.model(64), file, sizes.mapping())
        print(matched)
        ids = told(sizes, matched.values, 256)
        story = words.text(ids)
        print(f"\n{story}\n\n{len(ids)} tokens, {len(story)} characters: {'the golden story' if story == golden else 'ANOTHER STORY'}")
        run = taught(sizes, matched.values, words.ids(golden.replace("Lily", "Tom").replace(" She", " He")[:200]), 10)
        losses = [report["loss"] for report in run.history]
        print(f"ten steps on the story of Tom: the loss of a token goes from {losses[0]:.3f} to {losses[-1]:.3f}")
        lg.save_weights({n: run.values[n] for n in matched.values}, file, matched)
        again = lg.load_weights(sizes.model(64), file, sizes.mapping())
    same = all(np.array_equal(again[n], run.values[n]) for n in again)
    print(f"written back under the other names and read again: {'equal' if same else 'DIFFERENT'}")
    return int(story != golden or not same or not losses[-1] < losses[0])


def home() -> Path:
    """The folder of the model."""
    return Path(os.environ.get("LENSGRAD_DATA", "")) / "tinystories"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else home()))
