"""ONNX files that mean harm, or are damaged: each is refused in a sentence, before it takes memory or reads what it should not."""

import os
import random
import tracemalloc
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import lensgrad as lg
from lensgrad.core.errors import LensgradError
from tests.interchange.onnx_files import graph, model, node, value
from tools import onnx_cases

X, Y = [value("x", [2])], [value("y", [2])]


def told(net, **how):
    with pytest.raises(LensgradError) as error:
        lg.from_onnx(net, batch=False, **how)
    return str(error.value)


def plain(**stored):
    return model([node("Add", "x w", "y")], X, Y, stored or {"w": np.ones(2, "f4")})


def test_what_is_no_onnx_file(tmp_path):
    cases = {"empty": b"", "text": b"hello", "cut": plain().SerializeToString()[:40], "noise": bytes(range(256))}
    for name, raw in cases.items():
        (tmp_path / name).write_bytes(raw)
        said = told(tmp_path / name)
        assert "is no ONNX file, or is damaged" in said and said.startswith(f"'{tmp_path / name}' ")
    assert told(tmp_path / "none.onnx") == f"'{tmp_path / 'none.onnx'}' is no file: give the path of an .onnx file"
    assert told(tmp_path) == f"'{tmp_path}' is no file: give the path of an .onnx file"
    assert told(3) == "what is read must be the path of an ONNX file or an onnx.ModelProto, got 3"


def tensor(**changed):
    net = plain()
    (held,) = net.graph.initializer
    for name, v in changed.items():
        held.ClearField(name)
        held.MergeFrom(TensorProto(**{name: v}))
    return net


def test_tensors_that_say_more_than_they_have():
    tracemalloc.start()
    assert told(tensor(dims=[10**9, 10**9])).startswith(
        "'w' has the shape [1000000000, 1000000000], which is 4,000,000,000,000,000,000 bytes"
    )
    assert tracemalloc.get_traced_memory()[1] < 10**7
    tracemalloc.stop()
    assert told(tensor(dims=[3])) == "'w' has the shape [3], which is 12 bytes, and 8 are there: the file is damaged"
    assert told(tensor(dims=[-2])) == "'w' has the shape [-2]: sizes of axes are numbers ≥ 0"
    assert told(tensor(raw_data=b"")) == "'w' has the shape [2], which is 8 bytes, and 0 are there: the file is damaged"
    assert told(tensor(data_type=99)).startswith("'w' is of type 99, which has no meaning here")
    assert told(tensor(data_type=8)).startswith("'w' is of type STRING, which has no meaning here")


def beside(folder, location, offset=None, length=None):
    net = plain()
    (held,) = net.graph.initializer
    held.ClearField("raw_data")
    held.data_location = TensorProto.EXTERNAL
    for key, v in (("location", location), ("offset", offset), ("length", length)):
        if v is not None:
            held.external_data.add(key=key, value=v)
    onnx.save(net, folder / "net.onnx")
    return folder / "net.onnx"


def test_data_beside_the_model_is_read_in_its_folder_only(tmp_path):
    folder = tmp_path / "model"
    (folder / "inner").mkdir(parents=True)
    raw = np.array([0, 5, 7], "f4").tobytes()
    (folder / "w.bin").write_bytes(raw)
    (tmp_path / "secret").write_bytes(raw)
    os.symlink(tmp_path / "secret", folder / "link")
    os.symlink(tmp_path, folder / "inner" / "up")
    found, values = lg.from_onnx(beside(folder, "w.bin", "4", "8"), batch=False)
    assert lg.evaluate(found, np.zeros(2, "f4"), values=values).tolist() == [5, 7]
    for place in ("../secret", str(tmp_path / "secret"), "inner/../../secret", "C:\\\\secret", "..\\\\secret", "", "\\\\\\\\host\\\\share"):
        assert told(beside(folder, place)).endswith("and only files in the folder of the model are read")
    for place in ("link", "inner/up/secret"):
        assert told(beside(folder, place)).endswith(f"'{place}', which is a link, and links are not followed")
    assert told(beside(folder, "none")) == "'w' is in the file 'none', which is not beside the model: put it there"
    assert told(beside(folder, "inner")) == "'w' is in the file 'inner', which is not beside the model: put it there"
    assert told(beside(folder, "w.bin", "8")) == "'w' is 8 bytes from 8 on of 'w.bin', and the file has 12: it is damaged"
    assert "which is no whole number" in told(beside(folder, "w.bin", "-4"))
    assert "has no folder: give the path" in told(onnx.load(beside(folder, "w.bin"), load_external_data=False))


@pytest.mark.parametrize("kind", ["FLOAT", "DOUBLE", "FLOAT16", "BFLOAT16", "INT32", "UINT8", "BOOL", "INT4"])
def test_data_beside_the_model_is_what_it_would_be_inside(kind, tmp_path):
    dtype = helper.tensor_dtype_to_np_dtype(TensorProto.DataType.Value(kind))
    made = model([node("Cast", "w", "v", to=1), node("MatMul", "x v", "y")], X, [value("y", [3])])
    made.graph.initializer.append(onnx.numpy_helper.from_array(np.array([[0, 1, 1], [1, 0, 1]]).astype(dtype), "w"))
    onnx.save(made, tmp_path / "net.onnx", save_as_external_data=True, size_threshold=0, location="w.bin")
    network, values = lg.from_onnx(tmp_path / "net.onnx", batch=False)
    assert lg.evaluate(network, np.float32([1, 2]), values=values).tolist() == [2, 1, 3]


def test_graphs_that_are_none():
    assert (
        told(model([node("Neg", "y", "y")], X, Y))
        == "Neg 'the Neg' reads 'y', which no input and no node before it gives: the file is damaged"
    )
    assert told(model([node("Neg", "z", "y"), node("Neg", "y", "z")], X, Y)).startswith("Neg 'the Neg' reads 'z', which no input")
    assert told(model([node("Neg", "x", "y"), node("Abs", "x", "y")], X, Y)).startswith("the name 'y' is given to two values of one graph")
    assert (
        told(model([node("Neg", "x", "z")], X, Y))
        == "the end of the graph reads 'y', which no input and no node before it gives: the file is damaged"
    )
    assert told(model([], X, [])).endswith("has no graph with an output: it is no ONNX file, or is damaged")
    assert told(model([node("Neg", "x", "y")], X, Y, opset=99)).startswith(
        "the ONNX model is of operator set 99, and those read here are 6 to "
    )
    assert told(model([node("Neg", "x x", "y z q")], X, Y)).startswith("Neg 'the Neg' gives 1 results here, and 3 are asked for")


def test_attributes_that_are_none():
    assert told(model([node("Transpose", "x", "y", perm=[0, 5])], X, Y)).startswith("Transpose 'the Transpose': transpose by")
    assert "do not fit its operator: the file is damaged" in told(model([node("Concat", "x x", "y", axis="a")], X, Y))
    assert told(model([node("Concat", "x x", "y", axis=7)], X, Y)) == "Concat 'the Concat' must have an axis from -1 to 0, got 7"
    assert "do not fit its operator: the file is damaged" in told(model([node("Cast", "x", "y")], X, Y))


def nested(depth):
    inner = graph([node("Identity", "x", "b0")], [], [value("b0", [2])])
    for k in range(1, depth):
        inner = graph([node("If", "c", f"b{k}", then_branch=inner, else_branch=inner)], [], [value(f"b{k}", [2])])
    return model([node("If", "c", "y", then_branch=inner, else_branch=inner)], X, Y, {"c": np.array(True)})


def test_depth_without_end():
    assert lg.from_onnx(nested(8), batch=False).model.cod == lg.Real(2)
    recursive = helper.make_function("own", "F", ["v"], ["w"], [node("F", "v", "w", domain="own")], [helper.make_opsetid("own", 1)])
    assert "more than 40 deep: it is refused" in told(model([node("F", "x", "y", domain="own")], X, Y, functions=[recursive]))
    twice = [twofold(k) for k in range(30)]
    assert "nodes when all of it is unfolded: it is refused" in told(model([node("F29", "x", "y", domain="own")], X, Y, functions=twice))


def twofold(k):
    """A function that calls the one before it twice."""
    op, where = (f"F{k - 1}", "own") if k else ("Neg", "")
    calls = [node(op, "v", "a", domain=where), node(op, "a", "w", domain=where)]
    return helper.make_function("own", f"F{k}", ["v"], ["w"], calls, [helper.make_opsetid("", 21), helper.make_opsetid("own", 1)])


HUGE = np.array([10**6, 10**6, 10**3])
BOMBS = {
    "ConstantOfShape": (node("ConstantOfShape", "n", "y"), {"n": HUGE}),
    "Expand": (node("Expand", "one n", "y"), {"one": np.ones((1, 1, 1), "f4"), "n": HUGE}),
    "Tile": (node("Tile", "one n", "y"), {"one": np.ones((1, 1, 1), "f4"), "n": HUGE}),
    "Range": (node("Range", "a b c", "y"), {"a": np.int64(0), "b": np.int64(10**15), "c": np.int64(1)}),
    "Pad": (node("Pad", "one n", "y"), {"one": np.ones(3, "f4"), "n": np.array([0, 10**12])}),
    "Add": (node("Add", "a b", "y"), {"a": np.ones((10**5, 1), "f4"), "b": np.ones((1, 10**5), "f4")}),
    "OneHot": (node("OneHot", "i n v", "y"), {"i": np.zeros(3, "i8"), "n": np.int64(10**12), "v": np.array([0.0, 1.0], "f4")}),
}


@pytest.mark.parametrize("op", BOMBS)
def test_what_is_gigantic_is_refused_before_it_is_made(op):
    made, stored = BOMBS[op]
    tracemalloc.start()
    assert "which is refused: " in told(model([made], X, [value("y", None)], stored))
    assert tracemalloc.get_traced_memory()[1] < 10**8
    tracemalloc.stop()


def test_what_takes_long_is_left_to_the_program():
    nodes = [node("ConstantOfShape", "n", "c"), node("TopK", "c n", "most at"), node("ReduceSum", "most", "s"), node("Add", "s x", "y")]
    tracemalloc.start()
    lg.from_onnx(model(nodes, X, [value("y", None)], {"n": np.array([2**24])}), batch=False)
    assert tracemalloc.get_traced_memory()[1] < 10**8
    tracemalloc.stop()


def test_an_operator_of_the_standard_that_a_file_defines_anew_is_refused():
    for name, version, refused in (("Neg", 18, True), ("Gelu", 20, True), ("Gelu", 18, False)):
        own = helper.make_function("", name, ["v"], ["w"], [node("Exp", "v", "w")], [helper.make_opsetid("", version)])
        made = model([node(name, "x", "y")], X, Y, functions=[own], opset=version)
        if refused:
            assert told(made).startswith(f"{name} 'the {name}' is defined by the file and by the standard, and runtimes differ in which")
        else:
            assert lg.evaluate(lg.from_onnx(made, batch=False).model, np.float32([0, 0])).tolist() == [1, 1]


def test_growth_step_by_step_is_refused():
    nodes = [node("Concat", f"a{k} a{k}", f"a{k + 1}", axis=0) for k in range(40)]
    said = told(model(nodes, X, [value("a40", None)], {"a0": np.arange(1000)}))
    assert "is refused" in said
    wires = [node("Concat", f"a{k} a{k}", f"a{k + 1}", axis=0) for k in range(40)]
    assert "entries are the limit" in told(model([node("Neg", "x", "a0"), *wires], X, [value("a40", None)]))


def test_types_without_meaning_are_refused_by_name():
    text = helper.make_tensor_value_info("x", TensorProto.STRING, [2])
    assert told(model([node("Identity", "x", "y")], [text], Y)).startswith(
        "the input 'x' of the ONNX model is of type STRING, which has no meaning"
    )
    row = helper.make_tensor_sequence_value_info("x", TensorProto.FLOAT, None)
    assert told(model([node("Identity", "x", "y")], [row], Y)).startswith(
        "the input 'x' of the ONNX model is of type sequence, which has no meaning"
    )


def test_files_with_wrong_bytes_are_read_or_refused(tmp_path):
    rng = random.Random(0)
    files = [
        Path(c.model_dir) / "model.onnx" for c in onnx_cases.cases("^test_(add|gather|split|loop|if|scan|slice|pad|gemm|topk|einsum|lstm)")
    ]
    for k in range(400):
        raw = bytearray(rng.choice(files).read_bytes())
        for _ in range(rng.randint(1, 3)):
            raw[rng.randrange(len(raw))] = rng.randrange(256)
        (tmp_path / "damaged.onnx").write_bytes(raw)
        try:
            lg.from_onnx(tmp_path / "damaged.onnx", batch=rng.choice([None, True, False]))
        except LensgradError as refused:
            assert str(refused), k
