"""Data that describes nothing is refused in one sentence, and nothing in it is ever run."""

import copy
import re
from pathlib import Path

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.cat.para import lens
from lensgrad.core.errors import BadCheckpoint
from lensgrad.core.trace import trace
from lensgrad.files.write import FORMAT, decode, encode, parsed
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import SHORT, Real

MODULES = ("checkpoint.py", "names.py", "read.py", "write.py")


# -- data that describes nothing ---------------------------------------------------------------------------------------


def around(root, *bodies):
    return {"format": FORMAT, "bodies": list(bodies), "root": root}


REAL = {"object": [{"Array": {"shape": [2], "dtype": "float32"}}]}
KEY = {"object": [{"Key": {"shape": []}}]}
TANH = {"dom": REAL, "nodes": [[{"smooth.Tanh": {}}, [0]]], "outs": [1]}
PLACE = "this is no arrow or learner as lensgrad writes them: "
UNIT = {"object": []}


def para(dom, *params):
    return {"para": {"dom": dom, "cod": REAL, "params": [*params], "arrow": {"arrow": 0}, "observables": [], "called": [["", "", ""]] * 3}}


def arrow(**changes):
    """Data of tanh, with changes."""
    return around({"arrow": 0}, {**TANH, **changes})


BEFORE = "names what is not there yet: only"
UPGRADE = "upgrade lensgrad if a newer one wrote this"
REFUSED = {
    "no data": (None, PLACE + "format, bodies and root are expected"),
    "no root": ({"format": 1, "bodies": []}, PLACE + "format, bodies and root are expected"),
    "older than all": ({**around(1), "format": 0}, PLACE + "format, bodies and root are expected"),
    "newer": (
        {**around(1), "format": 7},
        "this was written in format 7 by a newer lensgrad, and this one reads format 1: upgrade lensgrad",
    ),
    "unknown generator": (
        arrow(nodes=[[{"smooth.Tan": {}}, [0]]]),
        f"'smooth.Tan' is unknown here: {UPGRADE}, or give the class as generators={{'smooth.Tan': …}}",
    ),
    "two keys": (around({"role": "weight", "table": []}), PLACE + "{'role': 'weight', 'table': []} must have one key"),
    "a wire from nowhere": (arrow(outs=[2]), f"[2] {BEFORE} 2 came before it"),
    "a wire from the end": (arrow(outs=[-1]), f"[-1] {BEFORE} 2 came before it"),
    "a later argument": (arrow(nodes=[[{"smooth.Tanh": {}}, [1]]]), f"[1] {BEFORE} 1 came before it"),
    "a later body": (around({"arrow": 1}, TANH), f"[1] {BEFORE} 1 came before it"),
    "itself": (arrow(nodes=[[{"core.Recompute": {"body": {"arrow": 0}}}, [0]]]), f"[0] {BEFORE} 0 came before it"),
    "another type": (arrow(dom=KEY), PLACE + "Tanh expects floats, got key; cast it first"),
    "another number of inputs": (
        arrow(nodes=[[{"smooth.Tanh": {}}, [0, 0]]]),
        PLACE + "Tanh expects 1 input, got f32[2] × f32[2]",
    ),
    "a field of another type": (around({"smooth.Sum": {"axes": ["0"]}}), "'axes' of smooth.Sum cannot be ('0',)"),
    "a truth value for a number": (around({"smooth.Iota": {"n": True}}), "'n' of smooth.Iota cannot be True"),
    "a field too many": (around({"smooth.Tanh": {"n": 1}}), f"smooth.Tanh has no 'n' here: {UPGRADE}"),
    "a field too few": (
        around({"smooth.Sum": {}}),
        PLACE + "Sum must be built from (axes), got ()",
    ),
    "a bad shape": (
        around({"Array": {"shape": [-1], "dtype": "float32"}}),
        PLACE + "a shape must be made of whole numbers ≥ 0, got (-1,)",
    ),
    "a bad dtype": (
        around({"Array": {"shape": [1], "dtype": "object"}}),
        PLACE + f"'object' is no dtype here; use one of {', '.join(SHORT)}",
    ),
    "no atom": (around({"object": [1]}), PLACE + "1 is out of place"),
    "no semiring": (around({"semiring": "F7"}), f"'F7' is no semiring here: {UPGRADE}"),
    "no role": (around({"role": "boss"}), PLACE + "'boss' is not a valid Role"),
    "no float": (around({"float": "1.5"}), "'1.5' is no float that JSON cannot write"),
    "an image of no type": (
        around({"image": {"dom": UNIT, "cod": {"object": [{"Pair": {"fwd": REAL, "bwd": REAL}}]}, "arrow": {"arrow": 0}}}, TANH),
        "no reverse derivative has the type I → (f32[2], f32[2])",
    ),
    "a lens without a put": (
        around({"lens": {"dom": UNIT, "cod": UNIT, "get": None, "put": None}}),
        PLACE + "None is out of place",
    ),
    "a parametric arrow of another type": (
        around(para(REAL, ["w", REAL, "weight", None]), TANH),
        PLACE + "this parametric arrow must be f32[2] × f32[2] → f32[2], got f32[2] → f32[2]",
    ),
    "a first value of another type": (
        around(para(UNIT, ["w", REAL, "weight", {"arrow": 0}]), TANH),
        "the first value of 'w' : f32[2] cannot come from an arrow to f32[2]",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_data_that_describes_nothing_is_refused_in_one_sentence(name):
    data, told = REFUSED[name]
    with pytest.raises(BadCheckpoint) as error:
        decode(data)
    assert str(error.value) == told


@pytest.mark.parametrize("written", ["", "{", '{"a": NaN}', "[" * 100_000, b"\xff"], ids=["empty", "open", "NaN", "deep", "no text"])
def test_text_that_is_no_json_is_refused(written):
    with pytest.raises(BadCheckpoint, match=r"^this is not the text of JSON data: "):
        parsed(written)


def test_data_nested_beyond_reason_is_refused():
    data = around(1)
    for _ in range(5000):
        data["root"] = [data["root"]]
    with pytest.raises(BadCheckpoint):
        decode(data)


def test_shuffled_nodes_come_back_in_canonical_order():
    f = trace(lambda x: ops.tanh(x) + ops.exp(x), Real(2))
    data = encode(f)
    (body,) = data["bodies"]
    one, other, last = body["nodes"]
    body["nodes"] = [other, one, one, [last[0], [2, 1]]]
    body["outs"] = [4]
    assert decode(data) == f


def places(data, path=()):
    """Every place inside JSON data."""
    yield path
    inside = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in inside:
        yield from places(value, (*path, key))


def changed(data, path, value):
    if not path:
        return value
    data = copy.deepcopy(data)
    at = data
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return data


def test_any_change_of_the_data_is_refused_in_one_sentence_or_describes_something():
    rng = np.random.Generator(np.random.PCG64(0))
    data = encode({"task": lg.supervised(lg.dense(2, 2), lg.mse, lg.descent, 0.1).frozen().task, "lens": lens(lg.dense(1, 1))})
    everywhere = list(places(data))
    values = [None, True, -1, 0, 1, 3, 10**20, 0.5, "x", [], {}, [0], {"arrow": 0}, {"dict": []}, {"float": "nan"}, REAL]
    refused = 0
    for _ in range(800):
        path = everywhere[rng.integers(len(everywhere))]
        try:
            decode(changed(data, path, values[rng.integers(len(values))]))
        except BadCheckpoint as error:
            assert "\n" not in str(error)
            refused += 1
    assert 500 < refused < 800


def test_nothing_in_the_modules_could_run_what_a_file_says():
    folder = Path(lg.__file__).parent / "files"
    for name in MODULES:
        source = (folder / name).read_text(encoding="utf-8")
        assert not re.findall(r"\b(?:pickle|marshal|eval|exec|compile|__import__|literal_eval|getattr\(\w+, \w+\)\()", source), name
