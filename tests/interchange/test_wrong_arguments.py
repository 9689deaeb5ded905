"""Every door of interchange with what it does not take: one sentence each, nothing executed, no error of somebody else."""

import json
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.cli import main
from lensgrad.core.errors import LensgradError

onnx = pytest.importorskip("onnx")
jax = pytest.importorskip("jax")

X = np.ones((8, 4), np.float32)
MODEL = lg.sequential(lg.dense(4, 3), lg.dense(2))
ARRAYS = (
    np.full(4, np.nan, "f4"), np.ones(4, "f2"), np.ones(4, "i8"), np.ones((4, 8), "f4")[:, ::2], np.array([object()]), np.array(["a"]),
    np.ones(4, "c8"), np.array(["2020"], "M8"), np.zeros(2, [("a", "f4")]), np.zeros((0, 4), "f4"), np.float32(1), np.ones(4, ">f4"),
    np.broadcast_to(np.float32(1), (4,)), np.ma.array([1, 2]),
)  # fmt: skip
WEIRD = (
    None, "x", "", b"x", [], [1], {}, {"a": 1}, {1: 2}, 0, -1, 1.5, float("nan"), True, object(), len, int, Exception, np, MODEL, (1, 2),
    (MODEL, None), (MODEL, {}), (None, {}), set(), range(3), *ARRAYS,
)  # fmt: skip


class Evil:
    """A pickle that makes a file where it is read."""

    def __init__(self, place):
        self.place = str(place)

    def __reduce__(self):
        return os.mkdir, (self.place,)


@pytest.fixture(scope="module")
def run():
    return lg.supervised(MODEL, lg.mse, lg.sgd(0.1)).fit((X, X[:, :2]), epochs=1, progress=False)


def wrong(call):
    """What a call raises that is no sentence of ours."""
    try:
        with np.errstate(all="ignore"):
            call()
    except LensgradError as error:
        said = str(error)
        return None if 0 < len(said) < 1500 and all(line.isprintable() for line in said.split("\n")) else said
    except Exception as error:  # this is what is looked for
        return repr(error)
    return None


def failing(calls):
    return [(name, found) for name, call in calls for found in [wrong(call)] if found is not None]


def brought(w, net):
    """Doors in, each with this value at one argument."""
    return {
        "from_onnx": lambda: lg.from_onnx(w),
        **{f"from_onnx {n}": lambda n=n: lg.from_onnx(net, **{n: w}) for n in ("batch", "constants", "sizes", "frozen")},
        "from_onnx a constant": lambda: lg.from_onnx(net, constants={"x": w}),
        "from_onnx a size": lambda: lg.from_onnx(net, batch=False, sizes={"N": w}),
        "from_jax": lambda: lg.from_jax(w, X),
        "from_jax example": lambda: lg.from_jax(lambda a: a * 2, w),
        "from_jax weights": lambda: lg.from_jax(lambda p, a: a * 2, X, weights=w),
        **{f"from_jax {n}": lambda n=n: lg.from_jax(lambda a: a * 2, X, **{n: w}) for n in ("batch", "clip")},
        "from_jax result": lambda: lg.from_jax(lambda a: w, X),
        "from_stablehlo": lambda: lg.from_stablehlo(w),
    }


def weighed(w, run, out):
    """Doors of weights, each with this value at one argument."""
    one = {**run.weights, "weight.0": w}
    return {
        "load_weights": lambda: lg.load_weights(MODEL, w),
        "load_weights model": lambda: lg.load_weights(w, run.weights),
        "load_weights mapping": lambda: lg.load_weights(MODEL, run.weights, w),
        "load_weights entry": lambda: lg.load_weights(MODEL, run.weights, {"weight.0": w}),
        "load_weights way": lambda: lg.load_weights(MODEL, run.weights, {"weight.0": ("weight.0", w)}),
        "load_weights value": lambda: lg.load_weights(MODEL, one),
        "match_weights": lambda: lg.match_weights(MODEL, w),
        "save_weights": lambda: lg.save_weights(w, out),
        "save_weights value": lambda: lg.save_weights({"a": w}, out),
        "save_weights mapping": lambda: lg.save_weights(run.weights, out, w),
        "save_weights entry": lambda: lg.save_weights(run.weights, out, {"weight.0": w}),
        "differences": lambda: lg.differences(run, w),
        "differences value": lambda: lg.differences((MODEL, one), run),
        **{f"differences {n}": lambda n=n: lg.differences(run, run, **{n: w}) for n in ("examples", "seed")},
    }


def taken(w, run, net):
    """Doors out, each with this value at one argument."""
    program, (function, arrays) = lg.to_stablehlo(run), lg.to_jax(run)
    paths = {"export": lambda: run.export(w), "export_step": lambda: run.learner.export_step(w)}
    return {
        "to_jax": lambda: lg.to_jax(w),
        "to_jax values": lambda: lg.to_jax(MODEL, w),
        "to_jax value": lambda: lg.to_jax(MODEL, {"weight.0": w}),
        **{f"to_jax {n}": lambda n=n: lg.to_jax(MODEL, **{n: w}) for n in ("seed", "batch")},
        "the function": lambda: function(arrays, w),
        "the function's values": lambda: function(w, X),
        "to_stablehlo": lambda: lg.to_stablehlo(w),
        "to_stablehlo values": lambda: lg.to_stablehlo(MODEL, w),
        "the program": lambda: lg.from_stablehlo(program)(w),
        "export batch": lambda: run.export(net, w),
        "export_step batch": lambda: run.learner.export_step(net, batch=w),
        **({} if isinstance(w, str) else paths),
    }


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("k", range(len(WEIRD)))
def test_every_argument_of_every_door(k, run, tmp_path):
    w, net, out = WEIRD[k], tmp_path / "net.onnx", tmp_path / "out.safetensors"
    run.export(net)
    assert failing([*brought(w, net).items(), *weighed(w, run, out).items(), *taken(w, run, net).items()]) == []


@pytest.mark.parametrize("k", range(len(WEIRD)))
def test_every_argument_of_the_doors_of_pytorch(k, run):
    torch = pytest.importorskip("torch", reason="these doors need PyTorch: pip install 'lensgrad[torch]'")
    w, linear = WEIRD[k], torch.nn.Linear(4, 2)
    network = lg.to_torch(run)
    calls = {
        "from_torch": lambda: lg.from_torch(w, torch.ones(1, 4)),
        "from_torch example": lambda: lg.from_torch(linear, w),
        "from_torch shape": lambda: lg.from_torch(linear, torch.ones(2, 3)),
        "from_torch batch": lambda: lg.from_torch(linear, torch.ones(1, 4), batch=w),
        "to_torch": lambda: lg.to_torch(w),
        "to_torch values": lambda: lg.to_torch(MODEL, w),
        "to_torch value": lambda: lg.to_torch(MODEL, {**run.weights, "weight.0": w}),
        "the module": lambda: network(w),
    }
    assert failing(calls.items()) == []


def header(said, body=b"0000"):
    raw = said if isinstance(said, bytes) else json.dumps(said).encode()
    return struct.pack("<Q", len(raw)) + raw + body


def part(shape, dtype="F32", ends=(0, 4)):
    return header({"a\n\x1b[31m": {"dtype": dtype, "shape": shape, "data_offsets": ends}})


def damaged(pwned):
    """Files that are none, by name; those that are pickles would make a folder."""
    evil = pickle.dumps(Evil(pwned))
    return {
        **{
            f"{k}.safetensors": raw
            for k, raw in enumerate([b"", b"\1\2", struct.pack("<Q", 2**62) + b"{}", part([-1]), part([2**40, 2**40])])
        },
        **{f"more{k}.safetensors": raw for k, raw in enumerate([part([1], ends=(0, 400)), part([4], "F8_E4M3"), part([1])])},
        **{f"head{k}.safetensors": header(raw) for k, raw in enumerate([b"{{{{", b"\xff\xfe{}", b"[" * 100_000])},
        **{f"evil{end}": evil for end in (".pt", ".pth", ".bin", ".safetensors", ".onnx", ".py", ".npz", "")},
        **{f"text{end}": b"hello" for end in (".pt", ".onnx", ".safetensors")},
    }


def test_files_that_are_none_are_said_to_be_none_and_no_pickle_is_read(run, tmp_path, capsys):
    for name, raw in damaged(tmp_path / "pwned").items():
        (tmp_path / name).write_bytes(raw)
    (tmp_path / "folder.safetensors").mkdir()
    (tmp_path / "folder.safetensors" / "inner.safetensors").mkdir()
    names = [*sorted(p.name for p in tmp_path.iterdir()), "missing.pt", "missing.onnx", ""]
    calls = [(f"load_weights {n}", lambda n=n: lg.load_weights(MODEL, tmp_path / n)) for n in names]
    calls += [(f"from_onnx {n}", lambda n=n: lg.from_onnx(tmp_path / n)) for n in names]
    assert failing(calls) == []
    for words in [w for n in names for w in (["show", n], ["convert", n, "o.onnx"], ["convert", n, "o.py"])]:
        code = main([words[0], str(tmp_path / words[1]), *(str(tmp_path / w) for w in words[2:])])
        said = capsys.readouterr().err.removesuffix("\n")
        assert (code, said.startswith("lensgrad: "), "\n" in said, said.isprintable()) == (2, True, False, True), (words, said)
    assert not (tmp_path / "pwned").exists() and not list(Path(tmp_path).glob("o.*"))


def test_damaged_programs_never_come_to_a_compiler(run):
    program, rng = lg.to_stablehlo(run), np.random.default_rng(0)
    told = r"^these bytes are no StableHLO as to_stablehlo gives it, or are damaged: take another copy$"
    for k in range(60):
        raw = bytearray(program)
        raw[int(rng.integers(len(raw)))] ^= 1 + k
        with pytest.raises(LensgradError, match=told):
            lg.from_stablehlo(bytes(raw))
    for n in range(0, len(program), len(program) // 20):
        with pytest.raises(LensgradError, match=told):
            lg.from_stablehlo(program[:n])
    whole = jax.export.deserialize(bytearray(program))  # what is at the end is nothing to JAX itself
    assert np.allclose(np.asarray(whole.call(X)), run.predict(X), atol=1e-6)
    with pytest.raises(lg.LensgradError, match=r"^this program takes .*, and cannot be called with nothing$"):
        lg.from_stablehlo(program)()
