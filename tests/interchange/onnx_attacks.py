"""Damaged and hostile ONNX files by name: `python -m tests.interchange.onnx_attacks FOLDER` reads each of them here, under limits.

It prints a line of JSON for each file: its name, whether it was read, refused or worse, and what was said.
"""

from __future__ import annotations

import json
import os
import random
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

import lensgrad as lg
from tests.interchange.onnx_files import graph, model, node, value
from tools import onnx_cases

X, Y, ANY = [value("x", [2])], [value("y", [2])], [value("y", None)]
SEED = 1
MEMORY = 6 * 2**30
NAMES = (
    "it's", 'a"b', "a\nb", "\x1b[31mred\x1b[0m", "__import__('os').system('true')", "{x}", "%s", "a" * 5000, "\u202e", "../../etc", "",
    " ", "\x00", "'''", "\\", "<script>", "N", "0", "$(true)",
)  # fmt: skip
NUMBERS = (0, -1, 2**31, 2**32, 10**12, 2**62, 2**63 - 1, -(2**63))
PLACES = (
    "../secret",
    "/etc/passwd",
    "a/../../secret",
    "C:\\x",
    "\\\\h\\s",
    "link",
    "w\x00x",
    "w/",
    "",
    "." * 300,
    "a" * 5000,
    "/dev/zero",
    "fifo",
)
STORED: dict[str, Any] = {
    "v": np.array([0.0, 1.0], "f4"), "z": np.int64(0), "o": np.int64(1), "i": np.ones((1, 2, 4, 4), "f4"), "m": np.ones((4, 4), "f4"),
    "k": np.ones((2, 2, 3, 3), "f4"), "s": np.ones((3, 1, 2), "f4"), "r": np.ones((1, 8, 2), "f4"), "c": np.ones(2, "f4"),
    "d": np.ones((1, 8, 1), "f4"), "t": np.ones((1, 2, 3), "f4"), "a": np.ones((1, 4, 8), "f4"),
}  # fmt: skip
SIZED: tuple[tuple[str, str, str], ...] = (  # an operator, its inputs, and its attribute that is the number; n is the number itself
    ("ConstantOfShape", "n", ""), ("Expand", "x n", ""), ("Tile", "x n", ""), ("Reshape", "x n", ""), ("Unsqueeze", "x n", ""),
    ("ReduceSum", "x n", ""), ("Gather", "x n", ""), ("TopK", "x n", ""), ("OneHot", "n n v", ""), ("EyeLike", "m", "k"),
    ("Range", "z l o", ""),
    ("Slice", "x n n", ""), ("Split", "x n", ""), ("CumSum", "x l", ""), ("Concat", "x x", "axis"), ("Flatten", "x", "axis"),
    ("Softmax", "x", "axis"), ("Resize", "x . . n", ""), ("DepthToSpace", "i", "blocksize"), ("SpaceToDepth", "i", "blocksize"),
    ("Conv", "i k", "group"), ("LRN", "i", "size"), ("HannWindow", "l", ""), ("Shape", "x", "start"), ("LSTM", "s r r", "hidden_size"),
    ("GroupNormalization", "i c c", "num_groups"), ("Trilu", "m l", ""), ("DFT", "d l", ""), ("AffineGrid", "t n", ""), ("Cast", "x", "to"),
    ("Attention", "a a a", "q_num_heads"), ("MelWeightMatrix", "l l l o o", ""), ("Col2Im", "x n n", ""), ("Squeeze", "x n", ""),
)  # fmt: skip
LISTED = (
    ("MaxPool", "i", "strides"), ("MaxPool", "i", "kernel_shape"), ("AveragePool", "i", "dilations"), ("Conv", "i k", "pads"),
    ("ConvTranspose", "i k", "strides"),
    ("ConvTranspose", "i k", "output_padding"), ("LpPool", "i", "strides"),
)  # fmt: skip


def attacks() -> Iterator[tuple[str, bytes]]:
    """All files by name; seeds are fixed."""
    raw = model([node("Add", "x w", "y")], X, Y, {"w": np.ones(2, "f4")}).SerializeToString()
    yield from ((f"cut {k}", raw[:k]) for k in range(0, len(raw), 5))
    yield from noise()
    for kind, made in (*named(), *sized(), *broken(), *beside(), *changed()):
        yield kind, made.SerializeToString()


def noise() -> Iterator[tuple[str, bytes]]:
    """Files of the standard with wrong bytes, bytes that are gone, and bytes that are new."""
    rng = random.Random(SEED)
    files = [
        Path(c.model_dir) / "model.onnx"
        for c in onnx_cases.cases("^test_(attention|loop|if|scan|seq|resize|lstm|quant|stft|center|unique|pad)")
    ]
    for k in range(80):
        raw = bytearray(rng.choice(files).read_bytes())
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(raw))
            new = [rng.randrange(256) for _ in range(rng.randint(0, 3))]
            raw[at : at + rng.randint(0, 3)] = bytes(new)
        yield f"noise {k}", bytes(raw)


def named() -> Iterator[tuple[str, Any]]:
    """Names that mean something to a shell, a terminal, a language or a path, in each place of a file that has one."""
    for k, n in enumerate(NAMES):
        w = np.arange(2, dtype="f4")
        yield f"weight {k}", model([helper.make_node("Add", ["x", n or "w"], ["y"], name=n)], X, Y, {n or "w": w})
        yield f"input {k}", model([helper.make_node("Neg", [n or "x"], ["y"], name=n)], [value(n or "x", [2])], Y)
        yield f"output {k}", model([helper.make_node("Neg", ["x"], [n or "y"])], X, [value(n or "y", [2])])
        yield f"operator {k}", model([helper.make_node(n or "Q", ["x"], ["y"], name=n)], X, Y)
        yield f"domain {k}", model([helper.make_node("Neg", ["x"], ["y"], name=n, domain=n)], X, Y)
        yield f"attribute {k}", model([helper.make_node("Neg", ["x"], ["y"], **{n or "q": 1})], X, Y)
        yield f"axis {k}", model([node("Neg", "x", "y")], [value("x", [n or "N", 2])], [value("y", [n or "N", 2])])


def sized() -> Iterator[tuple[str, Any]]:
    """Numbers that are no sizes, or would fill any memory, or end a process that divides by them."""
    for b in NUMBERS:
        yield f"dim {b}", model([node("Neg", "x", "y")], [value("x", [b, 3])], ANY)
        numbers = {"n": np.array([b]), "l": np.int64(b)}
        for op, inputs, attribute in SIZED:
            stored = {w: (STORED | numbers)[w] for w in inputs.split() if w in STORED | numbers}
            yield f"{op} {attribute} {b}", model([node(op, inputs, "y", **({attribute: b} if attribute else {}))], X, ANY, stored, opset=23)
        for op, inputs, attribute in LISTED:
            how = {"kernel_shape": [2, 2]} | {attribute: [b] * (4 if attribute == "pads" else 2)}
            stored = {w: STORED[w] for w in inputs.split()}
            yield f"{op} {attribute} {b}", model([node(op, inputs, "y", **how)], X, ANY, stored, opset=22)


def counting(times: int, inner: Any = None) -> Any:
    """A loop of so many rounds, in which another one may be."""
    i, c = helper.make_tensor_value_info("i", TensorProto.INT64, []), helper.make_tensor_value_info("c", TensorProto.BOOL, [])
    step = node("Add", "v v", "w") if inner is None else node("Loop", "M c0 v", "w", body=inner)
    kept = helper.make_tensor_value_info("d", TensorProto.BOOL, [])
    return graph([node("Identity", "c", "d"), step], [i, c, value("v", [2])], [kept, value("w", [2])])


def broken() -> Iterator[tuple[str, Any]]:
    """Graphs that are none, go in circles, or stand for an endless program."""
    for times in (3, 10**6, 2**62, -5):
        stored = {"M": np.int64(times), "c0": np.array(True)}
        yield f"loop {times}", model([node("Loop", "M c0 x", "y", body=counting(times))], X, Y, stored)
    body, stored = counting(500), {"M": np.int64(500), "c0": np.array(True)}
    for depth in range(3):
        body = counting(500, body)
        yield f"loops in loops {depth}", model([node("Loop", "M c0 x", "y", body=body)], X, Y, stored)
    calls = [
        (a, helper.make_function("own", a, ["v"], ["w"], [node(b, "v", "w", domain="own")], [helper.make_opsetid("own", 1)]))
        for a, b in ("AB", "BA")
    ]
    yield "functions in a circle", model([node("A", "x", "y", domain="own")], X, Y, functions=[f for _, f in calls])
    yield "itself", model([node("Add", "x y", "y")], X, Y)
    yield "two inputs of a name", model([node("Neg", "x", "y")], X + X, Y)
    yield "all names stored", model([node("Neg", "x", "y")], X, Y, {"x": np.ones(2, "f4"), "y": np.ones(2, "f4")})
    yield "an input is the output", model([], X, [value("x", [2])])
    yield "a weight is the output", model([], X, [value("w", [2])], {"w": np.ones(2, "f4")})
    many = [node("Add", f"a{k} a{k}", f"a{k + 1}") for k in range(300)]
    yield "each twice the one before", model([node("Neg", "x", "a0"), *many, node("Neg", "a300", "y")], X, Y)
    for k, equation in enumerate((",".join("a" * 60) + "->a", "x" * 10**5 + "->", "a->" + "b" * 9, "->", "", "...", "a" * 60)):
        yield f"einsum {k}", model([helper.make_node("Einsum", ["x"] * equation.count(",") + ["x"], ["y"], equation=equation)], X, ANY)
    wide = helper.make_node("Einsum", ["x"] * 8, ["y"], equation="a,b,c,d,e,f,g,h->abcdefgh")
    yield "einsum wide", model([wide], [value("x", [100])], ANY)


def beside() -> Iterator[tuple[str, Any]]:
    """Weights in other files, in places and at numbers that are none."""
    ends = [("-1", "8"), ("0", "-8"), ("9" * 30, "8"), ("0", "9" * 30), ("x", "8"), ("0", "")]
    for k, (place, start, length) in enumerate([*((p, "0", "8") for p in PLACES), *(("w.bin", *e) for e in ends)]):
        made = model([node("Add", "x w", "y")], X, Y, {"w": np.ones(2, "f4")})
        (held,) = made.graph.initializer
        held.ClearField("raw_data")
        held.data_location = TensorProto.EXTERNAL
        for key, text in (("location", place), ("offset", start), ("length", length)):
            held.external_data.add(key=key, value=text)
        yield f"beside {k}", made


def changed() -> Iterator[tuple[str, Any]]:
    """Files of the standard in which an attribute is of another kind, or an input is gone, twice or elsewhere."""
    rng = random.Random(SEED)
    cases = [c for c in onnx_cases.cases("^test_") if (Path(c.model_dir) / "model.onnx").stat().st_size < 20_000]
    for k in range(120):
        made = onnx.load(Path(rng.choice(cases).model_dir) / "model.onnx")
        (some,) = rng.sample([*made.graph.node], 1)
        if some.attribute and k % 2:
            a = rng.choice([*some.attribute])
            new = rng.choice([float("nan"), -7, 2**40, b"\xff", [1] * 9, [-1.5], ["a", "b"], "text", 0])
            some.attribute.remove(a)
            some.attribute.append(helper.make_attribute(a.name, new))
        elif some.input:
            rng.choice([lambda n: n.input.pop(), lambda n: n.input.insert(0, n.input[0]), lambda n: n.input.reverse()])(some)
        yield f"changed {k}", made


def answer(path: Path, batch: bool | None) -> tuple[str, str]:
    """What reading a file comes to: read, refused, or worse."""
    begun = time.process_time()
    try:
        with np.errstate(all="ignore"):
            lg.from_onnx(path, batch=batch)
        kind, said = "read", ""
    except lg.LensgradError as error:
        said = str(error)
        kind = "refused" if said.isprintable() and 0 < len(said) < 1500 else "no sentence"
    except Exception as error:  # whatever it is: this is what is looked for
        kind, said = "raw", repr(error)[:300]
    return ("slow" if time.process_time() - begun > 10 else kind), said


def main(folder: Path) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    (folder / "w.bin").write_bytes(bytes(8))
    os.symlink("/etc/passwd", folder / "link")
    os.mkfifo(folder / "fifo")
    opened: list[str] = []
    sys.addaudithook(lambda event, given: opened.append(str(given[0])) if event == "open" else None)
    for k, (name, raw) in enumerate(attacks()):
        path = folder / f"{k}.onnx"
        path.write_bytes(raw)
        print(json.dumps([name, "begun", ""]), flush=True)
        opened.clear()
        kind, said = answer(path, (None, False, True)[k % 3])
        strange = [o for o in opened if o in ("/etc/passwd", "/dev/zero") or o.endswith(("secret", "fifo", "link"))]
        print(json.dumps([name, "opened" if strange else kind, said]), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
