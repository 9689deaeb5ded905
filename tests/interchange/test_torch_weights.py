"""Weights under other people's names: matched, printed, refused, and written back. No test here needs PyTorch but the last."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import lensgrad as lg
from lensgrad.core.errors import BadValue, MissingData, NameClash, TypeMismatch, UnknownParameter

MODEL = lg.sequential(lg.input(5, 5, 2), lg.conv2d(3, 3, name="conv"), lg.batch_norm(name="norm"), lg.flatten, lg.dense(4, name="head"))
DRAWS = np.random.default_rng(0)
STORED = {
    "features.0.weight": (3, 2, 3, 3),
    "features.0.bias": (3,),
    "norm.weight": (3,),
    "norm.bias": (3,),
    "norm.running_mean": (3,),
    "norm.running_var": (3,),
    "norm.num_batches_tracked": (),
    "head.weight": (27, 4),
    "head.bias": (4,),
}
ARRAYS = {n: DRAWS.standard_normal(s).astype(np.float32) for n, s in STORED.items()}
MAPPING = {"conv/kernel": ("features.0.weight", "kernel"), "conv/bias": "features.0.bias", "head/weight": ("head.weight", "transpose")}
TABLE = """\
parameter      shape         stored as          shape         moved      matched by
conv/kernel    [3, 3, 2, 3]  features.0.weight  [3, 2, 3, 3]  kernel     mapping
conv/bias      [3]           features.0.bias    [3]                      mapping
norm/scale     [3]           norm.weight        [3]                      words
norm/bias      [3]           norm.bias          [3]                      name
norm/mean      [3]           norm.running_mean  [3]                      words
norm/variance  [3]           norm.running_var   [3]                      words
head/weight    [4, 27]       head.weight        [27, 4]       transpose  mapping
head/bias      [4]           head.bias          [4]                      name
not used: norm.num_batches_tracked"""


def test_a_mapping_is_found_and_printed(capsys):
    matched = lg.match_weights(MODEL, ARRAYS, MAPPING)
    assert str(matched) == TABLE
    assert matched.mapping["norm/scale"] == "norm.weight" and matched.mapping["conv/kernel"] == ("features.0.weight", "kernel")
    values = lg.load_weights(MODEL, ARRAYS, MAPPING, show=True)
    assert np.array_equal(values["head/weight"], ARRAYS["head.weight"].T)
    assert np.array_equal(values["conv/kernel"], ARRAYS["features.0.weight"].transpose(2, 3, 1, 0))
    told = capsys.readouterr().out
    assert "conv/kernel" in told and "not used: norm.num_batches_tracked" in told


def test_what_was_found_is_written_back(tmp_path):
    save_file(ARRAYS, tmp_path / "a.safetensors")
    matched = lg.match_weights(MODEL, tmp_path / "a.safetensors", MAPPING)
    lg.save_weights(matched.values, tmp_path / "b.safetensors", matched)
    back = load_file(tmp_path / "b.safetensors")
    assert {*back} == {*ARRAYS} - {"norm.num_batches_tracked"} and all(np.array_equal(back[n], ARRAYS[n]) for n in back)
    lg.save_weights(matched.values, tmp_path / "c.safetensors")
    assert {*load_file(tmp_path / "c.safetensors")} == {n.replace("/", ".") for n in matched.values}
    again = lg.load_weights(MODEL, tmp_path / "c.safetensors")
    assert all(np.array_equal(again[n], v) for n, v in matched.values.items())


def test_shapes_alone_tell_where_there_is_one_of_each():
    model = lg.sequential(lg.input(4), lg.dense(3, name="a"), lg.dense(2, name="b"))
    arrays = {"x.w": np.ones((3, 4)), "x.b": np.ones(3), "y.w": np.ones((2, 3)), "y.b": np.ones(2)}
    matched = lg.match_weights(model, arrays)
    assert matched.mapping == {"a/weight": "x.w", "a/bias": "x.b", "b/weight": "y.w", "b/bias": "y.b"}
    assert [p.by for p in matched.pairs] == ["shape"] * 4


def test_a_folder_and_half_precision_are_read(tmp_path):
    half = np.array([1.0, -2.5, 0.15625], np.float32)
    header = b'{"w":{"dtype":"BF16","shape":[3],"data_offsets":[0,6]}}'
    raw = (half.view(np.uint32) >> 16).astype("<u2").tobytes()
    (tmp_path / "one.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + raw)
    save_file({"b": np.ones(3, np.float16)}, tmp_path / "two.safetensors")
    model = lg.sequential(lg.input(3), lg.layer_norm(name="n"))
    values = lg.load_weights(model, tmp_path, {"n/scale": "w", "n/bias": "b"})
    assert values["n/scale"].tolist() == half.tolist() and values["n/bias"].dtype == np.float32


def refused(kind, *args, **options):
    with pytest.raises(kind) as error:
        lg.load_weights(*args, **options)
    return str(error.value)


def test_what_is_missing_or_of_another_shape_is_told():
    small = lg.sequential(lg.input(4), lg.dense(3, name="fc"))
    assert refused(TypeMismatch, small, {"fc.weight": np.ones((4, 3)), "fc.bias": np.ones(3)}) == (
        "'fc/weight' : f32[3,4] and 'fc.weight' of shape [4, 3] differ: write mapping={'fc/weight': ('fc.weight', 'transpose')}"
    )
    assert refused(TypeMismatch, small, {"fc.weight": np.ones((9, 3)), "fc.bias": np.ones(3)}) == (
        "'fc/weight' : f32[3,4] and 'fc.weight' of shape [9, 3] differ: give another array, or a model of its sizes"
    )
    assert refused(UnknownParameter, small, {"fc.weight": np.ones((3, 4))}) == (
        "no array is found for 'fc/bias' : f32[3]; what is stored is fc.weight [3, 4]: write mapping={'fc/bias': …}"
    )
    assert refused(UnknownParameter, small, {"fc.weight": np.ones((3, 4)), "p": np.ones(3), "q": np.ones(3)}) == (
        "no array is found for 'fc/bias' : f32[3]; p, q have its shape: write mapping={'fc/bias': …}"
    )
    assert refused(UnknownParameter, small, {"fc.weight": np.ones((3, 4))}, {"fc/bias": "fc.weigh"}) == (
        "the mapping takes 'fc/bias' from 'fc.weigh', and what is stored is fc.weight [3, 4]: did you mean 'fc.weight'?"
    )
    assert refused(UnknownParameter, small, {}, {"fc/wieght": "w"}) == (
        "the mapping names 'fc/wieght', and this model has fc/weight, fc/bias: did you mean 'fc/weight'?"
    )
    assert refused(BadValue, small, {"fc.weight": np.ones((3, 4)), "fc.bias": np.ones(3)}, {"fc/bias": ("fc.bias", "transpose")}) == (
        "'fc.bias' of shape [3] cannot be taken by 'transpose': write one of 'transpose', 'kernel', an order of axes such as "
        "(2, 3, 1, 0), or ('rotary', heads) that fits"
    )
    assert refused(BadValue, small, {}, {"fc/bias": 3}) == (
        "a mapping goes from names to names, or to a name and one of 'transpose', 'kernel', an order of axes such as (2, 3, 1, 0), or "
        "('rotary', heads), got 3"
    )


def test_other_sources_are_told(tmp_path):
    small = lg.sequential(lg.input(4), lg.dense(3))
    assert refused(TypeMismatch, small, 3) == "weights are read from a file or a dict of arrays by name, got 3"
    assert refused(TypeMismatch, 3, {}) == "weights are loaded into a model, an arrow with parameters, got 3"
    assert refused(MissingData, small, tmp_path / "none") == f"there is no file of weights at '{tmp_path / 'none'}'"
    assert refused(MissingData, small, tmp_path) == f"the folder '{tmp_path}' has no file that ends in .safetensors"
    (tmp_path / "x.safetensors").write_bytes(b"no")
    told = refused(BadValue, small, tmp_path / "x.safetensors")
    assert told.startswith(f"'{tmp_path / 'x.safetensors'}' is no file of safetensors (")
    assert refused(BadValue, small, {"w": "text"}) == "'w' must be an array of numbers, got 'text'"
    with pytest.raises(NameClash) as error:
        lg.save_weights({"a": np.ones(1), "b": np.zeros(1)}, tmp_path / "y", {"a": "w", "b": "w"})
    assert str(error.value) == "two different arrays would be written as 'w', one of them 'b': give them names of their own"
    with pytest.raises(UnknownParameter) as error:
        lg.save_weights({"a": np.ones(1)}, tmp_path / "y", {"b": "w"})
    assert str(error.value) == "the mapping names 'b', and the values are a"


def test_rotary_rows_go_and_come_back(tmp_path):
    model = lg.sequential(lg.input(8), lg.dense(8, use_bias=False, name="q"))
    stored = np.arange(64, dtype=np.float32).reshape(8, 8)
    values = lg.load_weights(model, {"q_proj.weight": stored}, {"q/weight": ("q_proj.weight", ("rotary", 2))})
    assert values["q/weight"][:, 0].tolist() == [0, 16, 8, 24, 32, 48, 40, 56]
    lg.save_weights(values, tmp_path / "q.safetensors", {"q/weight": ("q_proj.weight", ("rotary", 2))})
    assert np.array_equal(load_file(tmp_path / "q.safetensors")["q_proj.weight"], stored)


def test_a_state_dict_of_pytorch_is_read_and_its_code_is_not(tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle of this test")
    net = torch.nn.Linear(4, 3).bfloat16()
    small = lg.sequential(lg.input(4), lg.dense(3))
    torch.save(net.state_dict(), tmp_path / "net.pt")
    for source in (tmp_path / "net.pt", net.state_dict()):
        assert np.array_equal(lg.load_weights(small, source)["weight"], net.weight.detach().float().numpy())
    torch.save({"weight": print}, tmp_path / "code.pt")
    told = refused(BadValue, small, tmp_path / "code.pt")
    advice = "save module.state_dict(), or safetensors"
    assert told == f"'{tmp_path / 'code.pt'}' is damaged or holds more than tensors by name: {advice}"


def test_two_lists_that_agree_one_by_one_are_proposed_as_a_mapping():
    ours = lg.sequential(lg.dense(4, 3, name="a"), lg.batch_norm(), lg.dense(3, name="b"))
    shapes = {"0.weight": (3, 4), "0.bias": (3,), "1.weight": (3,), "1.bias": (3,), "1.running_mean": (3,), "1.running_var": (3,)}
    shapes |= {"4.weight": (3, 3), "4.bias": (3,)}
    stored = {n: np.random.default_rng(k).normal(size=s).astype("f4") for k, (n, s) in enumerate(shapes.items())}
    said = refused(UnknownParameter, ours, stored | {"1.num_batches_tracked": np.int64(3)})
    head, _, proposed = said.partition(": write mapping={'a/bias': …}, or if they stand in one order mapping=")
    assert head.startswith("no array is found for 'a/bias' : f32[3]; ") and proposed
    mapping = json.loads(proposed.replace("'", '"'))
    assert mapping["scale"] == "1.weight" and mapping["b/bias"] == "4.bias"
    assert np.array_equal(lg.load_weights(ours, stored, mapping)["mean"], stored["1.running_mean"])
    swapped = {n: stored[n] for n in ("0.bias", "0.weight", *[n for n in stored if n[0] != "0"])}
    assert refused(UnknownParameter, ours, swapped).endswith(": write mapping={'a/bias': …}")
