"""Circuits on lanes, compiled and packed, give what the NumPy reference gives: bit for bit, and their images in Smooth to rounding."""

import itertools
import subprocess
import sys

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.backends import numpy as plain
from lensgrad.backends.engine import Native, NumPy
from lensgrad.backends.native import compiler as native
from lensgrad.backends.native import lanes
from lensgrad.backends.native.lanes import fuse, kernel, run
from lensgrad.backends.native.lanes.group import Rows
from lensgrad.cat.reverse import R
from lensgrad.core.errors import BadValue, TooLarge
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.theories.bridges import Image, opened, smooth
from lensgrad.theories.poly.circuit import Bits, Collect, Count, Repeat, Vector, gather, scatter
from lensgrad.theories.poly.semiring import LOGIC, Z2, Z, modulo, saturating
from lensgrad.theories.smooth.batch import batch

needs_compiler = pytest.mark.skipif(native.compiler() is None, reason="no C compiler")
WAYS = [pytest.param(True, marks=needs_compiler, id="compiled"), pytest.param(False, id="packed")]


@pytest.fixture(autouse=True)
def everything(monkeypatch):
    """Circuits of any size go to the lanes."""
    monkeypatch.setattr(run, "LEAST", 0)


def random_circuit(semiring, rng, layers=4, width=12, inputs=5, params=6):
    """(p, x) ↦ sums and products of random earlier entries, with constants, copies, gaps and sums of many sources."""

    def f(p, x):
        wires = [x]
        for _ in range(layers):
            before = wires[rng.integers(len(wires))]
            a, b = (gather(before, rng.integers(0, before.atom.size, width)) for _ in range(2))
            made = formulas[rng.integers(len(formulas))](a, b, gather(p, rng.integers(0, params, width)))
            many = scatter(made, rng.integers(0, width - 2, width), width)
            wires.append(many if rng.integers(2) else made)
        return scatter(wires[-1], rng.integers(0, 2, width), 3), wires[-2], p

    formulas = (
        lambda a, b, s: a * b + s,
        lambda a, b, s: (a + s) * (b + 1),
        lambda a, b, s: a * s + b * s,
        lambda a, b, s: a * a + b,
        lambda a, b, s: s * s + a,
    )
    return trace(f, Bits(params, semiring), Bits(inputs, semiring))


def values(f, rng, semiring):
    return [rng.integers(0, min(semiring.size or 4, 4), plain.host(a)[0]).astype(plain.host(a)[1]) for a in f.dom]


def same(f, xs, compiled):
    for found, wanted in zip(lanes.function(f, compiled)(*xs), plain.function(f)(*xs), strict=True):
        assert found.dtype == wanted.dtype
        np.testing.assert_array_equal(found, wanted)


def parts(f, compiled=True):
    return [n.op for n in run.prepared(f, compiled).nodes if isinstance(n.op, Rows)]


@pytest.mark.parametrize("compiled", WAYS)
@pytest.mark.parametrize("rows", [1, 3, 64, 70, 512, 1100])
def test_bits_are_those_of_the_reference(rows, compiled):
    for seed in range(4):
        rng = np.random.default_rng([seed, rows])
        f, _ = batch(random_circuit(Z2, rng), rows, [False, True])
        for arrow in (f, R(f)):
            assert [op.semiring for op in parts(arrow, compiled)] == [Z2]
            same(arrow, values(arrow, rng, Z2), compiled)


@needs_compiler
@pytest.mark.parametrize("semiring", [LOGIC, Z, saturating(3), saturating(99)], ids=str)
@pytest.mark.parametrize("rows", [5, 150])
def test_other_semirings_too(semiring, rows):
    for seed in range(3):
        rng = np.random.default_rng([seed, rows])
        f, _ = batch(random_circuit(semiring, rng), rows, [False, True])
        for arrow in (f, R(f)):
            assert [op.semiring for op in parts(arrow)] == [semiring]
            same(arrow, values(arrow, rng, semiring), True)


def test_a_semiring_without_lanes_is_left_to_the_reference():
    f, _ = batch(random_circuit(modulo(3), np.random.default_rng(0)), 7, [False, True])
    assert parts(f) == []
    same(f, values(f, np.random.default_rng(1), modulo(3)), True)


@needs_compiler
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows", [1, 17, 200])
def test_images_are_their_unfolded_forms(dtype, rows):
    near = {"float32": 1e-6, "float64": 1e-14}[dtype]
    for seed in range(3):
        rng = np.random.default_rng([seed, rows])
        circuit = random_circuit(Z, rng, layers=3)
        (whole, _), (flat, _) = (batch(smooth(circuit, dtype, whole=w), rows, [False, True]) for w in (True, False))
        pairs = [(whole, flat), (R(whole), R(flat)), (R(R(whole)), R(R(flat)))]
        for one, other in pairs:
            assert [type(n.op) for n in one.nodes] == [Image]
            assert parts(one)
            xs = [rng.standard_normal(a.shape).astype(dtype) for a in one.dom]
            wanted = plain.function(other)(*xs)
            for found in (lanes.function(one)(*xs), plain.function(one)(*xs)):
                for a, b in zip(found, wanted, strict=True):
                    assert a.dtype == b.dtype
                    assert np.abs(a - b).max() <= near * max(1, np.abs(b).max())


def test_the_reverse_of_an_image_is_the_image_of_the_reverse_and_so_are_batches():
    circuit = random_circuit(Z, np.random.default_rng(3))
    assert R(smooth(circuit, whole=True)) == smooth(R(circuit), whole=True)
    many, flags = batch(circuit, 4, [False, True])
    assert batch(smooth(circuit, whole=True), 4, [False, True]) == (smooth(many, whole=True), flags)
    assert opened(R(smooth(circuit, whole=True))) == smooth(R(circuit))


def test_a_batch_of_rows_is_that_of_the_unfolded_form():
    many, _ = batch(random_circuit(Z, np.random.default_rng(3)), 4, [False, True])
    whole, flat = (batch(smooth(many, whole=w), 3, [True, True])[0] for w in (True, False))
    assert whole == flat


def rows_of(size, rows, semiring=Z2):
    return Ty((Vector(semiring, size, rows),))


def test_parts_that_read_sums_of_parts_come_after_them():
    def f(p, x):
        once = Collect()(x * Repeat(70)(p))
        again = Collect()(x * Repeat(70)(once + p) + x)
        return once * again, Repeat(70)(again) * x

    arrow = trace(f, Bits(4), rows_of(4, 70))
    assert len(parts(arrow, False)) == 3
    same(arrow, values(arrow, np.random.default_rng(0), Z2), False)


@needs_compiler
def test_rows_of_several_lengths_and_semirings_are_parts_of_their_own():
    arrow = trace(lambda x, y, v: (x * x + 1, y + y * y, v * v), rows_of(3, 7), rows_of(3, 9), rows_of(3, 7, Z))
    assert sorted((op.semiring.name, op.body.dom[0].rows) for op in parts(arrow)) == [("Z", 7), ("Z2", 7), ("Z2", 9)]
    same(arrow, values(arrow, np.random.default_rng(0), Z2), True)


@pytest.mark.parametrize("compiled", WAYS)
@pytest.mark.parametrize("sources", [1, 16, 17, 100])
def test_sums_of_many_sources(sources, compiled):
    rng = np.random.default_rng(sources)
    f = trace(lambda x, p: scatter(x * gather(p, [0] * sources), rng.integers(0, 2, sources), 3), rows_of(sources, 90), rows_of(1, 90))
    same(f, values(f, rng, Z2), compiled)


@pytest.mark.parametrize("compiled", WAYS)
@pytest.mark.parametrize("rows", [1, 64, 130, 700])
def test_counts_are_sums_over_the_integers(rows, compiled):
    arrow = trace(
        lambda x, p: (Count()(x * Repeat(rows)(p)), Collect()(x * Repeat(rows)(p)), Count()(Repeat(rows)(p))), rows_of(5, rows), Bits(5)
    )
    xs = values(arrow, np.random.default_rng(rows), Z2)
    same(arrow, xs, compiled)
    counts, modulo_two, _ = lanes.function(arrow, compiled)(*xs)
    assert counts.tolist() == (xs[0] & xs[1]).sum(0, np.int64).tolist()
    assert (counts % 2).tolist() == modulo_two.tolist()


@pytest.mark.parametrize("compiled", WAYS)
@pytest.mark.parametrize("rows", [1, 64, 513])
def test_words_in_words_out(rows, compiled):
    rng = np.random.default_rng(rows)
    f, _ = batch(random_circuit(Z2, rng), rows, [False, True])
    p, x = values(f, rng, Z2)
    words = lanes.Words.of(x)
    np.testing.assert_array_equal(words.bytes(), x)
    first, second, shared = lanes.function(f, compiled)(p, words)
    for found, wanted in zip((first.bytes(), second.bytes(), shared), plain.function(f)(p, x), strict=True):
        np.testing.assert_array_equal(found, wanted)


@needs_compiler
def test_elements_that_are_cheap_are_made_again_when_they_are_read_much_later(monkeypatch):
    rng = np.random.default_rng(0)
    f, _ = batch(random_circuit(Z2, rng, layers=8), 40, [False, True])
    xs = values(R(f), rng, Z2)
    before = kernel.native(parts(R(f))[0].body, Z2)
    monkeypatch.setattr(fuse, "FAR", 20)
    after = kernel.native(parts(R(f))[0].body, Z2)
    assert len(after.machine.code) > len(before.machine.code)
    same(R(f), xs, True)


def test_small_parts_are_left_to_numpy(monkeypatch):
    monkeypatch.setattr(run, "LEAST", 1000)
    f = random_circuit(Z2, np.random.default_rng(0))
    assert [len(parts(batch(f, n, [False, True])[0])) for n in (2, 200)] == [0, 1]


# -- whole numbers that do not fit -------------------------------------------------------------------------------------

TOLD = (
    "a sum or product over Z could pass 2^62, and 64 bits end at 2^63: use smaller numbers or fewer examples, or modulo(2**64) "
    "to go around on purpose"
)
OVER_Z = {  # a function of rows of two numbers, the largest of them for which it fits, and one for which it does not
    "product": (lambda x: gather(x, [0]) * gather(x, [1]), 2**31 - 1, 2**31),
    "sum": (lambda x: gather(x, [0]) + gather(x, [1]), 2**61 - 1024, 2**61),
    "product and sum": (lambda x: gather(x, [0]) * gather(x, [1]) + gather(x, [0]), 2**31 - 2, 2**31),
    "product inside": (lambda x: gather(x, [0]) * gather(x, [0]) * gather(x, [1]), 2**20, 2**21),
    "places": (lambda x: scatter(x, [0, 0], 1), 2**61 - 1024, 2**61),
    "rows": (lambda x: Collect()(x), 2**62 // 40 - 1024, 2**62 // 40 + 1),
    "rows of products": (lambda x: Collect()(x * x), 2**28, 2**29),
    "counts": (lambda x: Count(Z)(x), 2**62 // 40 - 1024, 2**62 // 40 + 1),
}


@pytest.mark.parametrize("way", ["compiled", "off"])
@pytest.mark.parametrize("name", OVER_Z)
def test_over_z_nothing_goes_around_silently(name, way):
    fn, fits, does_not = OVER_Z[name]
    call = (Native() if way == "compiled" else NumPy()).function(trace(fn, rows_of(2, 40, Z)))
    exact = None if name == "counts" else trace(fn, rows_of(2, 40, modulo(2**64)))
    for sign in (1, -1):
        x = np.full((40, 2), sign * fits, np.int64)
        wanted = x.sum(0) if exact is None else plain.function(exact)(x.astype(np.uint64))[0].astype(np.int64)
        assert call(x)[0].tolist() == wanted.tolist()
        with pytest.raises(TooLarge) as error:
            call(np.full((40, 2), sign * does_not, np.int64))
        assert str(error.value) == TOLD


@needs_compiler
def test_a_coarse_bound_of_the_lanes_is_no_refusal():
    """The bound of all numbers times the rows passes 2^62, and no sum does: NumPy, which looks closer, answers."""
    f = trace(lambda x: Collect()(x * x * x), rows_of(2, 40, Z))
    x = np.zeros((40, 2), np.int64)
    x[3] = 2**20 - 1
    assert lanes.function(f)(x)[0].tolist() == [(2**20 - 1) ** 3] * 2


def test_without_rows_too():
    call = plain.function(trace(lambda x: x * x, Bits(1, Z)))
    assert call(np.array([2**31 - 1]))[0].tolist() == [(2**31 - 1) ** 2]
    with pytest.raises(TooLarge, match="could pass 2\\^62"):
        call(np.array([-(2**63)]))


# -- where no compiler is ----------------------------------------------------------------------------------------------


@pytest.fixture
def no_compiler(monkeypatch):
    monkeypatch.setenv("CC", "")


def test_without_a_compiler_bits_are_packed_and_numbers_are_plain(no_compiler):
    rng = np.random.default_rng(0)
    assert native.compiler() is None
    for semiring, found in ((Z2, [Z2]), (Z, []), (LOGIC, [])):
        f, _ = batch(random_circuit(semiring, rng), 70, [False, True])
        assert [op.semiring for op in parts(f)] == found
        same(f, values(f, rng, semiring), True)
    whole = batch(smooth(random_circuit(Z, rng), whole=True), 70, [False, True])[0]
    assert parts(whole) == []
    xs = [rng.standard_normal(a.shape).astype("float32") for a in whole.dom]
    for a, b in zip(lanes.function(whole)(*xs), plain.function(opened(whole))(*xs), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("script", ["exit 1", "exit 0", 'while [ "$1" != -o ]; do shift; done; echo nonsense > "$2"'])
def test_a_compiler_that_fails_is_as_none(tmp_path, monkeypatch, script):
    """It may fail, write nothing, or write what is no library."""
    broken = tmp_path / "broken"
    broken.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    broken.chmod(0o755)
    monkeypatch.setenv("CC", str(broken))
    monkeypatch.setenv("LENSGRAD_CACHE", str(tmp_path))
    rng = np.random.default_rng(0)
    f, _ = batch(random_circuit(Z2, rng), 70, [False, True])
    assert native.library("XOR") is None
    same(f, values(f, rng, Z2), True)


@needs_compiler
def test_the_lanes_are_compiled_once_for_a_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("LENSGRAD_CACHE", str(tmp_path))
    made = native.library("XOR")
    assert made is not None and native.library("XOR") is made
    (path,) = (tmp_path / "native").iterdir()
    assert path.name == f"lanes-xor-{native.digest('XOR', native.compiler())}.so"
    monkeypatch.setattr(native, "built", None)  # a second process finds the file and compiles nothing
    native.loaded.cache_clear()
    assert native.library("XOR") is not None


def other_library(path):
    """A library that loads, without the functions of lanes."""
    source = path.with_suffix(".c")
    source.write_text("int nothing(void) { return 0; }", encoding="utf-8")
    subprocess.run([*native.compiler(), "-shared", "-fPIC", "-o", str(path), str(source)], check=True)


@needs_compiler
@pytest.mark.parametrize("spoil", [lambda path: path.write_bytes(b"half a file"), other_library], ids=["no library", "another library"])
def test_a_kept_file_that_is_damaged_is_built_once_more(tmp_path, spoil):
    place = tmp_path / "native" / f"lanes-xor-{native.digest('XOR', native.compiler())}.so"
    place.parent.mkdir()
    spoil(place)
    assert native.opened(str(place)) is None
    assert native.loaded("XOR", native.compiler(), place.parent).lanes_run is not None


@needs_compiler
def test_the_compiler_may_have_options_of_its_own(tmp_path, monkeypatch):
    (found,) = native.compiler()
    monkeypatch.setenv("LENSGRAD_CACHE", str(tmp_path))
    monkeypatch.setenv("CC", f"{found} -O2 '-DA=b c'")
    assert native.compiler() == (found, "-O2", "-DA=b c")
    assert native.library("XOR") is not None
    spaced = tmp_path / "my cc"
    spaced.write_text("#!/bin/sh\n", encoding="utf-8")
    spaced.chmod(0o755)
    monkeypatch.setenv("CC", str(spaced))
    assert native.compiler() == (str(spaced),)
    monkeypatch.setenv("CC", "gcc '")
    assert native.compiler() is None


# -- in a learner ------------------------------------------------------------------------------------------------------


def test_a_learner_learns_the_same_with_any_lanes():
    x = np.array(list(itertools.product((0, 1), repeat=6)), np.uint8)
    y = (x.sum(1, keepdims=True) % 3 == 0).astype(np.uint8)
    found = []
    for engine in (NumPy(), Native(lanes="packed"), Native()):
        learner = lg.supervised(lg.lookup(6), lg.xor, lg.ascent, rate=lg.echo)
        done = learner.fit((x, y), batch_size=16, epochs=2, seed=0, progress=False, backend=engine)
        found.append((done.values["table"].tolist(), done.history, done.predict(x).tolist()))
    assert found[0] == found[1] == found[2]


def test_unknown_lanes_are_refused():
    with pytest.raises(BadValue) as error:
        Native(lanes="pack")
    assert str(error.value) == "lanes must be one of compiled, packed, got 'pack': did you mean 'packed'?"


def test_the_source_of_an_image_runs_without_the_library():
    whole = R(batch(smooth(random_circuit(Z, np.random.default_rng(0)), whole=True), 3, [False, True])[0])
    text = plain.source(whole)
    assert "lensgrad" not in text and "given_" not in text
    space = {}
    exec(text, space)
    xs = [np.random.default_rng(1).standard_normal(a.shape).astype("float32") for a in whole.dom]
    for a, b in zip(space["f"](*xs), plain.function(whole)(*xs), strict=True):
        np.testing.assert_array_equal(a, b)


@needs_compiler
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_a_kept_file_that_others_could_have_written_is_not_loaded(tmp_path, monkeypatch):
    """It says that it was loaded, and never is: one of ours is built in its place."""
    folder, canary = tmp_path / "native", tmp_path / "canary"
    folder.mkdir(mode=0o700)
    path = folder / f"lanes-xor-{native.digest('XOR', native.compiler())}.so"
    source = tmp_path / "evil.c"
    harm = f'#include <stdio.h>\n__attribute__((constructor)) void at(void) {{ fclose(fopen("{canary}", "w")); }}'
    source.write_text(harm, encoding="utf-8")
    subprocess.run([*native.compiler(), "-shared", "-fPIC", "-o", str(path), str(source)], check=True)
    path.chmod(0o777)
    monkeypatch.setenv("LENSGRAD_CACHE", str(tmp_path))
    native.loaded.cache_clear()
    assert native.library("XOR").lanes_run is not None and not canary.exists()
    assert path.stat().st_mode & 0o077 == 0
