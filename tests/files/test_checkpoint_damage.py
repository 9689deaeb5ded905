"""Files that are no checkpoints, are damaged, or were made to deceive: each is refused in one sentence."""

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from saved_runs import AGAIN, forged, hidden, refused, same

import lensgrad as lg
from lensgrad import __version__
from lensgrad.files import checkpoint
from lensgrad.files.write import encode
from lensgrad.recipes import iris_model

# -- files that are none -----------------------------------------------------------------------------------------------


def test_a_missing_file_is_refused(path):
    assert refused(path) == f"there is no checkpoint at '{path}': check its name and the current folder"


def test_a_folder_is_refused(tmp_path):
    assert refused(tmp_path).startswith(f"'{tmp_path}' cannot be read: ")


@pytest.mark.parametrize("raw", [b"", b"PK\x03\x04 zip", b"\x80\x04pickle", b"\x08" + bytes(7) + b"not json", b"\x02" + bytes(7) + b"[]"])
def test_a_foreign_file_is_refused(path, raw):
    path.write_bytes(raw)
    assert refused(path) == f"'{path}' is no checkpoint: it is another kind of file, or damaged at its beginning"


@pytest.mark.parametrize("notes", [None, {"format": "pt"}])
def test_a_foreign_safetensors_file_is_refused(path, notes):
    save_file({"w": np.zeros(3)}, path, notes)
    assert refused(path) == (
        f"'{path}' is a safetensors file that lensgrad did not write, so it holds no learner: "
        "read its arrays with safetensors and give them to fit(start=…)"
    )


def test_a_newer_format_is_refused(path, run, monkeypatch):
    monkeypatch.setattr(checkpoint, "FORMAT", 2)
    monkeypatch.setattr(checkpoint, "__version__", "9.0")
    run.save(path)
    monkeypatch.undo()
    assert refused(path) == (
        f"'{path}' was written in format 2 by lensgrad 9.0, and lensgrad {__version__} reads format 1: upgrade lensgrad"
    )


def test_a_cut_file_is_refused(path, run):
    run.save(path)
    raw = path.read_bytes()
    path.write_bytes(raw[:-1])
    assert refused(path) == f"'{path}' is damaged: its bytes are not those that were written"
    path.write_bytes(raw + b"\0")
    assert refused(path) == f"'{path}' is damaged: its bytes are not those that were written"


def test_a_flipped_byte_in_a_weight_is_refused(path, run):
    run.save(path)
    raw = bytearray(path.read_bytes())
    raw[-3] ^= 1
    path.write_bytes(raw)
    assert refused(path) == f"'{path}' is damaged: its bytes are not those that were written"


def corrupted(raw: bytes, rng) -> bytes:
    """A file with a flipped byte, a cut, a hole, or two parts exchanged."""
    a, b = sorted(rng.integers(0, len(raw), 2))
    kind = rng.integers(4)
    if kind == 0:
        return raw[:a] + bytes([raw[a] ^ int(rng.integers(1, 256))]) + raw[a + 1 :]
    return (raw[:a], raw[:a] + bytes(b - a) + raw[b:], raw[b:] + raw[a:b] + raw[:a])[kind - 1]


def test_any_corruption_is_refused_in_one_sentence_or_loads_correctly(path, run):
    run.save(path)
    raw, rng = path.read_bytes(), np.random.Generator(np.random.PCG64(0))
    header = int.from_bytes(raw[:8], "little")
    parts = [(0, len(raw))] * 100 + [(0, 8)] * 20 + [(8, 8 + header)] * 40 + [(8, 200)] * 40
    told = set()
    for low, high in parts:
        bad = raw[:low] + corrupted(raw[low:high], rng) + raw[high:]
        path.write_bytes(bad)
        if bad == raw:
            same(lg.load(path).values, run.values)
        else:
            told.add(refused(path).removeprefix(f"'{path}' ")[:20])
    assert told >= {"is damaged: its byte", "is no checkpoint: it"}


# -- files that were made to deceive -----------------------------------------------------------------------------------


def test_a_forged_file_with_nothing_changed_loads(path, run):
    run.save(path)
    forged(path, lambda facts: None)
    same(lg.load(path).values, run.values)


def put(key, value):
    return lambda facts: facts.__setitem__(key, value)


def learner_with(**fields):
    learner = hidden(lg.momentum(0.9)).frozen()
    known = {"model": learner.model, "task": learner.task, "rate": learner.rate, "optimizer": learner.optimizer}
    return put("learner", encode({**known, **fields}))


PLACE = "cannot be read: this is no arrow or learner as lensgrad writes them: "
NONE = "holds no learner that can be trained: "
FORGED = {
    "no learner": (
        lambda facts: facts.pop("learner"),
        PLACE + "sha256, format, lensgrad, digest, run must be sha256, format, lensgrad, digest, learner, run",
    ),
    "another value": (put("learner", encode(3)), PLACE + "3 is out of place"),
    "no run": (put("run", encode({})), PLACE + "none must be values, others, history, position"),
    "no format": (
        put("format", None),
        f"was written in format None by lensgrad {__version__}, and lensgrad {__version__} reads format 1: upgrade lensgrad",
    ),
    "a field of another type": (learner_with(model=3), NONE + "a learner has no field 'model' of type int"),
    "a field too many": (learner_with(boss=3), NONE + "a learner has no field 'boss' of type int"),
    "an optimizer of nothing": (
        learner_with(optimizer={lg.weights: ()}),
        NONE + "0 points are given for 'weight', which reaches 4: give one for each place, or one for all",
    ),
    "an optimizer of another type": (
        learner_with(optimizer={lg.weights: 3}),
        NONE + "an optimizer must be one such as lg.adam(1e-3), or a dict from patterns to these, got 3",
    ),
    "a task that is no task": (
        learner_with(task=iris_model()),
        NONE + "cannot compose output >> rate(0.01) output/out gives (f32[3], Δf32[3]) rate(0.01)/in wants (f32[], Δf32[]) fix: "
        "make the two types equal, or put a reshape, flatten or cast between them",
    ),
    "another optimizer": (
        learner_with(optimizer=hidden(lg.descent).frozen().optimizer),
        "is a checkpoint of another learner: 'hidden/weight.velocity' is f32[20,4] in the file and missing here, 'hidden/bias.velocity' is "
        "f32[20] in the file and missing here, 'output/weight.velocity' is f32[3,20] in the file and missing here, 'output/bias.velocity' "
        "is f32[3] in the file and missing here",
    ),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_file_is_refused_in_one_sentence(name, path, run):
    change, told = FORGED[name]
    run.save(path)
    forged(path, change)
    assert refused(path) == f"'{path}' {told}"


@pytest.mark.parametrize("place", [0, 31, 63])
def test_a_damaged_digest_of_the_learner_is_refused(place, path, run):
    def flip(facts):
        seal = facts["digest"]
        facts["digest"] = seal[:place] + ("0" if seal[place] != "0" else "1") + seal[place + 1 :]

    run.save(path)
    forged(path, flip, told=False)
    assert refused(path) == f"'{path}' cannot be read: its digest is not that of the learner in it" + AGAIN


def test_a_damaged_digest_of_the_file_is_refused(path, run):
    run.save(path)
    raw = path.read_bytes()
    at = raw.index(b"sha256") + len("sha256") + 8
    path.write_bytes(raw[:at] + (b"0" if raw[at : at + 1] != b"0" else b"1") + raw[at + 1 :])
    assert refused(path) == f"'{path}' is damaged: its bytes are not those that were written"


def test_a_forged_array_is_refused(path, run):
    run.save(path)
    arrays = load_file(path)
    forged(path, lambda facts: None, {**arrays, "output/bias": np.zeros(4, np.float32)})
    assert refused(path) == (
        f"'{path}' cannot be read: 'output/bias' expects f32[3], got an array of shape (4,): give it in the shape (3,)"
    )
    forged(path, lambda facts: None, {n: v for n, v in arrays.items() if n != "output/bias"})
    assert refused(path) == f"'{path}' cannot be read: it has no array 'output/bias'" + AGAIN
