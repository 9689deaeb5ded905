"""Mapped files: the arrays that were written, without reading them as a whole."""

import struct

import numpy as np
import pytest
from safetensors.numpy import save_file

import lensgrad as lg
from lensgrad.core.errors import BadValue, MissingData
from lensgrad.data.mapped import idx_array

X = np.arange(24.0, dtype=np.float32).reshape(6, 4)
Y = np.arange(6, dtype=np.int32)


def idx_bytes(array, code):
    header = bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.fixture
def places(tmp_path):
    """The same two arrays in every form."""
    folder = tmp_path / "folder"
    folder.mkdir()
    np.save(folder / "x.npy", X)
    np.save(folder / "y.npy", Y)
    np.savez(tmp_path / "both.npz", x=X, y=Y)
    save_file({"x": X, "y": Y}, tmp_path / "both.safetensors", {"made": "here"})
    (tmp_path / "y-idx1-int").write_bytes(idx_bytes(Y, 0x0C))
    return [folder, tmp_path / "both.npz", str(tmp_path / "both.safetensors"), {"x": folder / "x.npy", "y": tmp_path / "y-idx1-int"}]


@pytest.mark.parametrize("form", [0, 1, 2, 3])
def test_every_form_gives_the_arrays_mapped_and_read_only(places, form):
    found = lg.data.mapped(places[form])
    assert found.keys() == {"x", "y"}
    for name, wanted in (("x", X), ("y", Y)):
        assert isinstance(found[name], np.memmap)
        assert not found[name].flags.writeable
        assert found[name].dtype.newbyteorder("=") == wanted.dtype
        assert np.array_equal(found[name], wanted)


@pytest.mark.parametrize("form", [0, 1, 2, 3])
def test_batches_of_mapped_arrays_are_those_of_the_arrays_and_plain(places, form):
    inside, mapped = lg.data.source((X, Y)), lg.data.source(lg.data.mapped(places[form]))
    for size in (4, None):
        for a, b in zip(inside.batches(1, size, 2), mapped.batches(1, size, 2), strict=True):
            assert np.array_equal(a["x"], b["x"]) and np.array_equal(a["y"], b["y"])
            assert type(b["x"]) is np.ndarray


def test_a_source_keeps_the_files_mapped(places):
    assert isinstance(lg.data.source(lg.data.mapped(places[0])).arrays["x"], np.memmap)


def test_a_file_of_one_array_goes_by_its_name(tmp_path):
    np.save(tmp_path / "x.npy", np.asfortranarray(X))
    assert np.array_equal(lg.data.mapped(tmp_path / "x.npy")["x"], X)


def test_an_array_may_be_one_of_several_in_its_file(places):
    assert np.array_equal(lg.data.mapped({"y": places[1]})["y"], Y)
    with pytest.raises(BadValue) as error:
        lg.data.mapped({"z": places[1]})
    assert str(error.value) == f"'{places[1]}' has no array 'z'; it has: x, y"


def test_an_array_without_entries_is_an_array(tmp_path):
    np.save(tmp_path / "x.npy", X[:0])
    assert lg.data.mapped(tmp_path / "x.npy")["x"].shape == (0, 4)


@pytest.mark.parametrize("name", ["x.npy", "x-idx2", "x.safetensors"])
def test_a_file_that_is_cut_off_is_refused(tmp_path, name):
    path = tmp_path / name
    save_file({"x": X}, path) if name.endswith("tensors") else np.save(tmp_path / "x.npy", X)
    if name == "x-idx2":
        path.write_bytes(idx_bytes(X, 0x0D))
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(BadValue) as error:
        lg.data.mapped({"x": path})
    assert str(error.value) == f"'{path}' is cut off: its header promises 96 bytes of data, and it has 89: get it again"


def refused(where):
    with pytest.raises(BadValue) as error:
        lg.data.mapped(where)
    return str(error.value)


def test_a_compressed_file_is_refused(tmp_path):
    path = tmp_path / "x.npz"
    np.savez_compressed(path, x=X)
    assert refused(path) == f"'x.npy' in '{path}' is compressed, so it cannot be mapped: save with np.savez, or load it with np.load"


def test_python_objects_are_refused(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.array([None, {}]), allow_pickle=True)
    assert refused(path) == f"'{path}' holds Python objects, which are never loaded: save arrays of numbers"


def test_foreign_files_are_refused(tmp_path):
    for name, kind in (("x.npz", ".npz"), ("x.npy", ".npy"), ("x.safetensors", ".safetensors"), ("x", "idx")):
        path = tmp_path / name
        path.write_bytes(b"hello")
        assert refused(path).startswith(f"'{path}' is no {kind} file")
    packed = tmp_path / "packed"
    packed.write_bytes(b"\x1f\x8b\x08\x00")
    assert refused(packed) == f"'{packed}' is no idx file: unpack it first"
    (tmp_path / "empty").mkdir()
    assert refused(tmp_path / "empty") == f"'{tmp_path / 'empty'}' has no .npy files"


@pytest.mark.parametrize("shape", ["(-1, 2)", f"(0, {10**30})", "(3, -4)"])
def test_a_shape_that_no_array_has_is_refused(tmp_path, shape):
    path, header = tmp_path / "x.npy", f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"
    path.write_bytes(b"\x93NUMPY\x02\x00" + struct.pack("<I", len(header)) + header.encode() + b"\0" * 8)
    assert refused(path) == f"'{path}' is damaged: its header promises an array of shape {shape}, which there cannot be"


def test_the_advice_to_trust_a_file_is_not_passed_on(tmp_path):
    path = tmp_path / "x.npy"
    path.write_bytes(b"\x93NUMPY\x02\x00" + struct.pack("<I", 20_000) + b"x" * 20_000)
    assert refused(path) == f"'{path}' is no .npy file: its header cannot be read"


def test_a_dtype_that_numpy_has_not_is_refused(tmp_path):
    path = tmp_path / "x.safetensors"
    header = b'{"x":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}'
    path.write_bytes(struct.pack("<Q", len(header)) + header + b"\0" * 4)
    assert refused(path) == f"'x' in '{path}' has dtype BF16, which NumPy has not: save it as F32"


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(MissingData) as error:
        lg.data.mapped(tmp_path / "x.npy")
    assert str(error.value) == f"there is no file '{tmp_path / 'x.npy'}': check its name and the current folder"
    assert isinstance(error.value, FileNotFoundError)


@pytest.mark.parametrize(("code", "dtype"), [(0x08, "u1"), (0x09, "i1"), (0x0B, "i2"), (0x0C, "i4"), (0x0D, "f4"), (0x0E, "f8")])
def test_idx_bytes_of_every_type_are_read(code, dtype):
    wanted = np.arange(12).reshape(2, 3, 2).astype(dtype)
    found = idx_array(idx_bytes(wanted, code), "x")
    assert found.dtype.newbyteorder("=") == wanted.dtype and np.array_equal(found, wanted)


def test_idx_bytes_of_another_length_are_refused():
    raw = idx_bytes(Y, 0x0C)
    with pytest.raises(BadValue) as error:
        idx_array(raw + b"\0", "y")
    assert str(error.value) == "'y' promises 24 bytes of data and has 25"
