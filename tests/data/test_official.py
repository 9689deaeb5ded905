"""Official files: where they are looked for, how they are verified, and what is said when they are not to be had."""

import gzip
import hashlib
import io
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.core import folders
from lensgrad.core.errors import BadValue, MissingData
from lensgrad.data import bundled, files, official
from lensgrad.data.files import Official

CONTENT = b"the official bytes" * 1000
MD5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A machine with an empty cache, no LENSGRAD_DATA, and one mirror, which is a folder."""
    for name in ("cache", "data", "mirror"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("LENSGRAD_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("LENSGRAD_DATA", raising=False)
    return tmp_path


def served(home, content=CONTENT):
    (home / "mirror" / "a.bin").write_bytes(content)
    return Official("set", "a.bin", "md5", MD5, ((home / "mirror").as_uri() + "/",))


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_a_download_is_verified_and_kept(home, capsys):
    file = served(home)
    path = files.official(file)
    assert path == home / "cache" / "set" / "a.bin" and path.read_bytes() == CONTENT
    assert capsys.readouterr().err == "downloading a.bin (0.0 MB)\n"
    (home / "mirror" / "a.bin").unlink()
    assert files.official(file) == path
    assert [p.name for p in path.parent.iterdir()] == ["a.bin"]


def test_the_users_own_folder_comes_first(home, monkeypatch):
    monkeypatch.setenv("LENSGRAD_DATA", str(home / "data"))
    put(home / "data" / "set" / "a.bin", CONTENT)
    assert files.official(served(home)) == home / "data" / "set" / "a.bin"
    assert list((home / "cache").iterdir()) == []


def test_the_next_mirror_is_asked_when_one_has_not_the_file(home):
    file = served(home)
    nowhere = (home / "nowhere").as_uri() + "/"
    assert files.official(replace(file, mirrors=(nowhere, *file.mirrors))).read_bytes() == CONTENT


def test_a_mirror_may_name_the_file_itself_another_way(home):
    put(home / "mirror" / "input.txt", CONTENT)
    file = replace(served(home), mirrors=((home / "mirror" / "a.bin").as_uri(),))
    assert files.official(file).read_bytes() == CONTENT


def test_without_a_network_the_sentence_says_where_to_put_the_file(home):
    file = served(home)
    (home / "mirror" / "a.bin").unlink()
    with pytest.raises(MissingData) as error:
        files.official(file)
    told = str(error.value)
    assert told.startswith(f"'set/a.bin' is not on this machine and could not be downloaded ({file.addresses[0]}: ")
    assert told.endswith(f"): put the file at '{home / 'cache' / 'set' / 'a.bin'}', or set LENSGRAD_DATA to a folder that has set/a.bin")
    assert list((home / "cache" / "set").iterdir()) == []


def test_a_corrupt_download_is_not_kept(home):
    file = served(home, b"an error page")
    found = hashlib.md5(b"an error page", usedforsecurity=False).hexdigest()
    with pytest.raises(MissingData) as error:
        files.official(file)
    why = f"{file.addresses[0]}: this serves another file, its md5 is {found} and should be {MD5}"
    place = f"put the file at '{home / 'cache' / 'set' / 'a.bin'}', or set LENSGRAD_DATA to a folder that has set/a.bin"
    assert str(error.value) == f"'set/a.bin' is not on this machine and could not be downloaded ({why}): {place}"
    assert list((home / "cache" / "set").iterdir()) == []


def test_a_download_that_breaks_off_leaves_nothing(home, monkeypatch):
    monkeypatch.setattr(files, "copy", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        files.official(served(home))
    assert list((home / "cache" / "set").iterdir()) == []


@pytest.mark.parametrize("place", ["cache", "data"])
def test_a_corrupt_file_is_named_with_both_checksums_and_the_fix(home, monkeypatch, place):
    file = served(home)
    path = home / place / "set" / "a.bin"
    put(path, CONTENT[:-1])
    if place == "data":
        monkeypatch.setenv("LENSGRAD_DATA", str(home / "data"))
    found = hashlib.md5(CONTENT[:-1], usedforsecurity=False).hexdigest()
    fix = "delete it, and it is downloaded again" if place == "cache" else f"replace it with the official file, {file.addresses[0]}"
    with pytest.raises(BadValue) as error:
        files.official(file)
    assert str(error.value) == f"'{path}' is corrupt: its md5 is {found} and should be {MD5}; {fix}"


def test_a_copy_that_packs_the_official_bytes_in_another_way_is_accepted(home):
    path = home / "cache" / "set" / "a.bin"
    put(path, gzip.compress(CONTENT, 1))
    file = replace(served(home), digest="0" * 32, content=hashlib.sha256(CONTENT).hexdigest())
    assert files.official(file) == path
    put(path, gzip.compress(CONTENT, 1)[:-9])
    with pytest.raises(BadValue, match="is corrupt"):
        files.official(file)


@pytest.mark.parametrize(
    ("platform", "variables", "wanted"),
    [
        ("linux", {"XDG_CACHE_HOME": str(Path("X").absolute())}, Path("X").absolute() / "lensgrad"),
        ("linux", {}, Path.home() / ".cache" / "lensgrad"),
        ("win32", {"LOCALAPPDATA": "L"}, Path("L") / "lensgrad" / "cache"),
        ("darwin", {"LENSGRAD_CACHE": "C", "XDG_CACHE_HOME": "X"}, Path("C")),
    ],
)
def test_the_cache_is_where_the_system_keeps_caches(monkeypatch, platform, variables, wanted):
    for name in ("LENSGRAD_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(folders.sys, "platform", platform)
    assert folders.cache_folder() == wanted


# -- the sets ----------------------------------------------------------------------------------------------------------


def test_mnist_is_the_published_set(data_folder):
    train, test = lg.data.mnist("uint8")
    assert np.bincount(train.y).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(test.y).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert (train.x.shape, test.x.shape, train.y.dtype) == ((60000, 28, 28, 1), (10000, 28, 28, 1), np.int32)
    assert train.y[:8].tolist() == [5, 0, 4, 1, 9, 2, 1, 3] and train.x[0].sum() == 27525
    assert not (train.x.flags.writeable or train.y.flags.writeable)
    raw = gzip.decompress((data_folder / "mnist" / "t10k-images-idx3-ubyte.gz").read_bytes())
    assert test.x.tobytes() == raw[16:]


def test_shakespeare_is_the_published_text(data_folder):
    ids, characters = lg.data.shakespeare()
    assert (len(ids), len(characters), ids.dtype) == (1115394, 65, np.int32)
    assert characters.decode(ids[:14]) == "First Citizen:" and not ids.flags.writeable
    assert hashlib.sha256(characters.decode(ids).encode()).hexdigest() == official.SHAKESPEARE.digest


def test_cora_is_the_published_graph():
    graph = bundled.cora()
    assert graph.x.shape == (2708, 1433) and graph.x.sum() == 49216 and set(np.unique(graph.x)) == {0, 1}
    assert np.bincount(graph.y).tolist() == [351, 217, 418, 818, 426, 298, 180] and len(graph.classes) == 7
    assert graph.edges.shape == (5278, 2) and (graph.edges[:, 0] < graph.edges[:, 1]).all() and graph.edges.max() == 2707
    assert len({tuple(e) for e in graph.edges.tolist()}) == 5278
    parts = [set(p.tolist()) for p in (graph.train, graph.validation, graph.test)]
    assert [len(p) for p in parts] == [140, 500, 1000] and len(set.union(*parts)) == 1640
    assert np.bincount(graph.y[graph.train]).tolist() == [20] * 7


def test_images_are_scaled_or_left_and_nothing_else():
    raw = np.arange(256, dtype=np.uint8)
    assert official.images(raw.copy(), "uint8").tolist() == raw.tolist()
    assert np.array_equal(official.images(raw.copy(), "float64"), raw / 255)
    assert official.images(raw.copy(), "float32").dtype == np.float32
    with pytest.raises(BadValue) as error:
        official.images(raw, "int64")
    assert str(error.value) == "images come as float32 or float64 from 0 to 1, or as uint8, not as 'int64'"


def test_cifar_records_are_a_class_and_three_planes(home, monkeypatch):
    random = np.random.default_rng(0)
    pictures, classes = random.integers(0, 256, (12, 32, 32, 3), np.uint8), random.integers(0, 10, 12)
    records = [bytes([c]) + b"".join(p[..., k].tobytes() for k in range(3)) for p, c in zip(pictures, classes, strict=True)]
    packed, bodies = io.BytesIO(), {}
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for i, name in enumerate(["data_batch_1", "test_batch", "data_batch_5", "data_batch_3", "data_batch_2", "data_batch_4"]):
            entry = tarfile.TarInfo(f"cifar-10-batches-bin/{name}.bin")
            body = bodies[f"{name}.bin"] = b"".join(records[2 * i : 2 * i + 2])
            entry.size = len(body)
            archive.addfile(entry, io.BytesIO(body))
    put(home / "cache" / "cifar10" / "cifar-10-binary.tar.gz", packed.getvalue())
    digest = hashlib.md5(packed.getvalue(), usedforsecurity=False).hexdigest()
    monkeypatch.setattr(official, "CIFAR10", replace(official.CIFAR10, digest=digest))
    train, test = lg.data.cifar10("uint8")
    order = [0, 1, 8, 9, 6, 7, 10, 11, 4, 5]
    assert np.array_equal(train.x, pictures[order]) and np.array_equal(train.y, classes[order])
    assert np.array_equal(test.x, pictures[2:4]) and test.classes[3] == "cat"

    (home / "cache" / "cifar10" / "cifar-10-binary.tar.gz").unlink()
    digests = {name: hashlib.md5(body, usedforsecurity=False).hexdigest() for name, body in bodies.items()}
    monkeypatch.setattr(official, "CIFAR10_BATCHES", tuple(replace(b, digest=digests[b.name]) for b in official.CIFAR10_BATCHES))
    folder = home / "data" / "cifar10" / "cifar-10-batches-bin"
    for name, body in bodies.items():
        put(folder / name, body)
    monkeypatch.setenv("LENSGRAD_DATA", str(home / "data"))
    unpacked, rest = lg.data.cifar10("uint8")
    assert np.array_equal(unpacked.x, train.x) and np.array_equal(unpacked.y, train.y) and np.array_equal(rest.x, test.x)
    bad = folder / "data_batch_2.bin"
    put(bad, bodies["test_batch.bin"])
    with pytest.raises(BadValue) as error:
        lg.data.cifar10()
    md5 = f"its md5 is {digests['test_batch.bin']} and should be {digests[bad.name]}"
    told = "replace it with the official file, https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
    assert str(error.value) == f"'{bad}' is corrupt: {md5}; {told}"


# -- bundled digits ----------------------------------------------------------------------------------------------------


def test_digits_are_split_by_the_stated_rule():
    train, test = lg.data.digits()
    assert (train.x.shape, test.x.shape) == ((1442, 8, 8, 1), (355, 8, 8, 1))
    assert (train.x.dtype, train.y.dtype, train.classes) == (np.float32, np.int32, tuple("0123456789"))
    assert (train.x.min(), train.x.max()) == (0, 1) and not train.x.flags.writeable
    assert np.bincount(test.y).tolist() == [n // 5 for n in np.bincount(np.append(train.y, test.y))]


def test_digits_are_the_images_that_scikit_learn_has():
    datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn is an optional package")
    train, test = lg.data.digits()
    theirs = datasets.load_digits()
    for digit in range(10):
        images = theirs.images[theirs.target == digit] / 16
        chosen = np.arange(len(images)) % 5 == 4
        assert np.array_equal(train.x[train.y == digit][..., 0], images[~chosen])
        assert np.array_equal(test.x[test.y == digit][..., 0], images[chosen])


def test_monks_problems_are_the_official_rows_and_the_published_rules():
    for number, rows, positive, wrong in ((1, 124, 216, 0), (2, 169, 142, 0), (3, 122, 228, 6)):
        train, test = lg.data.monk(number)
        assert (train.x.shape, test.x.shape, test.y.sum()) == ((rows, 17), (432, 17), positive)
        assert train.features == test.features and train.features[:4] == ("a1=1", "a1=2", "a1=3", "a2=1")
        rule = {row.tobytes(): y for row, y in zip(test.x, test.y, strict=True)}
        assert sum(rule[row.tobytes()] != y for row, y in zip(train.x, train.y, strict=True)) == wrong
    with pytest.raises(BadValue) as error:
        lg.data.monk(4)
    assert str(error.value) == "the number of a MONK's problem must be a whole number from 1 to 3, got 4"


def test_every_bundled_file_is_small_and_has_its_license():
    folder = Path(bundled.__file__).parent
    told = (folder / "LICENSES.md").read_text(encoding="utf-8")
    bundle = [p for p in folder.iterdir() if p.is_file() and p.suffix not in (".py", ".md")]
    assert {p.name for p in bundle} >= {"iris.data", "digits.csv.gz", "cora.npz"}
    for path in bundle:
        assert f"`{path.name}`" in told
        assert path.stat().st_size < 200_000
