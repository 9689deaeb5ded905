"""Learners as C files: what their programs train to, under sanitizers, by other compilers, and with hostile names."""

import os
import re
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from shutil import which

import numpy as np
import pytest
from portable_check import compiled, needs_compiler

import lensgrad as lg
from lensgrad.backends.native.compiler import compiler
from lensgrad.backends.native.portable import Words
from lensgrad.core.errors import BadValue, NoRule
from lensgrad.train.iterate import stretch

STEPS, BATCH = 4, 6
SANE = ("-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
ZIG = (sys.executable, "-m", "ziglang", "cc")
TARGETS = {"x86_64-windows-gnu": b"\x64\x86", "aarch64-linux-musl": b"\x7fELF\x02", "thumb-freestanding-eabi": b"\x7fELF\x01"}
needs_zig = pytest.mark.skipif(find_spec("ziglang") is None, reason="ziglang is not installed")


def iris():
    layers = lg.input(4), lg.dense(8, activation="tanh", name="hidden"), lg.dropout(0.2), lg.dense(3, name="output")
    return lg.supervised(lg.sequential(*layers), lg.cross_entropy, lg.adam(0.01), metrics=["accuracy"])


def pictures():
    blocks = lg.conv2d(3, 3, activation="relu", name="few"), lg.max_pool2d(2), lg.conv2d(9, 2, name="more"), lg.batch_norm()
    wide = lg.conv2d(8, 2, stride=2, padding="same", name="many"), lg.flatten(), lg.dense(3)
    return lg.supervised(lg.sequential(lg.input(9, 9, 2), *blocks, *wide), lg.cross_entropy, lg.sgd(0.05, momentum=0.9))


def sentences():
    layers = lg.input(6, 4), lg.lstm(5), lg.flatten(), lg.dense(3)
    return lg.supervised(lg.sequential(*layers), lg.cross_entropy, lg.rmsprop(1e-2))


LEARNERS = {"iris": iris, "pictures": pictures, "sentences": sentences}


@cache
def learner_of(name):
    return LEARNERS[name]()


def rows_of(learner):
    rng = np.random.default_rng(5)
    shape = (STEPS, BATCH, *learner.model.dom[0].shape)
    return {"x": rng.standard_normal(shape).astype(np.float32), "y": rng.integers(0, 3, (STEPS, BATCH)).astype(np.int32)}


def written(learner, folder):
    """The C file of a learner, and its data as its program reads them."""
    source, rows = folder / "step.c", rows_of(learner)
    learner.export_c(source, BATCH, learner.initial(1))
    folder.joinpath("data.bin").write_bytes(b"".join(rows["x"][k].tobytes() + rows["y"][k].tobytes() for k in range(STEPS)))
    return source


def trained(program, *by):
    """What a program says and what it leaves."""
    folder = program.parent
    done = subprocess.run(
        [*by, str(program), folder / "step.bin", folder / "data.bin", folder / "end.bin"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout, (folder / "end.bin").read_bytes()


def named(learner, raw):
    """The values in a file, by name, in the order of the outputs of a step."""
    step, found, at = learner.step(BATCH), {}, 0
    for port in step.outputs:
        if any(port.name == p.name for p in step.inputs):
            like = np.asarray(learner.initial(1)[port.name])
            found[port.name] = np.frombuffer(raw, like.dtype, like.size, at).reshape(like.shape)
            at += like.nbytes
    assert at == len(raw)
    return found


def sanitizes(folder):
    """Whether the compiler has what finds wrong addresses."""
    command = [*compiler(), *SANE, "-xc", "-", "-o", folder / "probe"]
    return not subprocess.run(command, input="int main(void) { return 0; }", text=True, capture_output=True, check=False).returncode


@needs_compiler
@pytest.mark.parametrize("name", LEARNERS)
def test_it_trains_as_in_numpy_and_sanitizers_find_nothing(name, tmp_path):
    learner = learner_of(name)
    if not sanitizes(tmp_path):
        pytest.skip("this compiler has no AddressSanitizer")
    source = written(learner, tmp_path)
    said, raw = trained(compiled(source, tmp_path / "sane", "-DLENSGRAD_MAIN", *SANE))
    plain = stretch(learner.step(BATCH, "numpy"), learner.initial(1), rows_of(learner), STEPS)
    found = named(learner, raw)
    for n, values in found.items():
        assert np.allclose(values, plain.values[n], rtol=2e-5, atol=2e-6), n
        assert values.dtype.kind == "f" or np.array_equal(values, plain.values[n]), n
    assert any(not np.allclose(values, learner.initial(1)[n]) for n, values in found.items())
    assert float(re.search(r"^loss: (.*)$", said, re.MULTILINE)[1]) == pytest.approx(float(np.mean(plain.seen["loss"])), rel=1e-4)


@needs_compiler
@pytest.mark.parametrize("name", ["iris"])
def test_the_bits_are_the_same_for_every_optimization(name, tmp_path):
    source = written(learner_of(name), tmp_path)
    results = [trained(compiled(source, tmp_path / f"step{k}", "-DLENSGRAD_MAIN", flag)) for k, flag in enumerate(("-O0", "-O3"))]
    assert results[0] == results[1]


@needs_zig
@pytest.mark.parametrize("target", TARGETS)
def test_it_compiles_for_other_machines(target, tmp_path):
    source = written(learner_of("iris"), tmp_path)
    own = ("-ffreestanding", "-mcpu=cortex_m4") if "freestanding" in target else ("-DLENSGRAD_MAIN",)
    made = compiled(source, tmp_path / "made.o", "-c", "-O2", "-target", target, *own, command=ZIG)
    assert made.read_bytes().startswith(TARGETS[target])


@needs_zig
@pytest.mark.skipif(which("qemu-aarch64") is None, reason="qemu-aarch64 is not on the path")
def test_another_processor_gives_the_same_bits(tmp_path):
    source = written(learner_of("iris"), tmp_path)
    program = compiled(source, tmp_path / "arm", "-DLENSGRAD_MAIN", "-O2", "-static", "-target", "aarch64-linux-musl", command=ZIG)
    assert trained(program, "qemu-aarch64") == trained(compiled(source, tmp_path / "own", "-DLENSGRAD_MAIN", "-O2", command=ZIG))


@needs_zig
@needs_compiler
def test_another_compiler_gives_the_same_bits(tmp_path):
    source = written(learner_of("iris"), tmp_path)
    both = [trained(compiled(source, tmp_path / f"by{k}", "-DLENSGRAD_MAIN", "-O2", command=c)) for k, c in enumerate((compiler(), ZIG))]
    assert both[0] == both[1]


HOSTILE = (
    '*/ int evil(void) { return 1; } /*', '"; evil();\n#include <evil.h>\n', "évil", "évül", "%s%n", "int", "part_3", "memory", "??/", "//",
    "9a",
)  # fmt: skip


@needs_compiler
@pytest.mark.parametrize("label", ["memcpy", "LENSGRAD_MAIN"])
def test_no_name_becomes_code(label, tmp_path):
    layers = [lg.dense(4, name=lg_name(n)) for n in HOSTILE]
    learner = lg.supervised(lg.sequential(lg.input(4), *layers), lg.mse, lg.sgd(0.1), input="*/ evil", label=label)
    source = tmp_path / "step.c"
    learner.export_c(source, 2)
    compiled(source, tmp_path / "step", "-DLENSGRAD_MAIN", "-O0")
    text = source.read_text(encoding="utf-8")
    code = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    assert text.isascii() and "evil(" not in text and "#include <evil" not in text and "%n" not in code
    words = re.findall(r"^  (AT_\w+) = \d+,", text, re.MULTILINE)
    assert len(words) == len(set(words)) == 2 * len(HOSTILE)
    assert "part_0(" in code  # comments alone were taken away


def test_no_input_is_called_as_a_function_is():
    words = Words({"x"})
    found = [
        words.new(prefix, name)
        for prefix, name in (("", "part"), ("", "part_0"), ("", "Part 0"), ("", "part.0"), ("AT", "part_0"), ("", "x"))
    ]
    assert found == ["v_part", "v_part_0", "Part_0", "v_part_0_2", "AT_part_0", "x_2"]


def lg_name(name):
    """A name as a layer takes it, or what is nearest to it."""
    try:
        lg.dense(4, name=name)
    except (BadValue, TypeError):
        return name.replace("/", "_").replace("\n", " ")
    return name


@needs_compiler
def test_rows_that_nothing_reads_are_not_in_the_file(tmp_path):
    """The sum of one entry is read where it is computed, by the update that it is for."""
    optimizer = lg.accumulated(lg.rmsprop(0.1), 2)
    lg.supervised(lg.sequential(lg.input(5), lg.dense(1)), lg.mse, optimizer).export_c(tmp_path / "step.c", 3)
    compiled(tmp_path / "step.c", tmp_path / "step.o", "-c")


@needs_compiler
def test_a_run_predicts(tmp_path):
    learner = learner_of("iris")
    rows = rows_of(learner)
    run = learner.fit(rows["x"][0], rows["y"][0], epochs=1, progress=False)
    source = tmp_path / "predict.c"
    run.export_c(source, batch=2)
    program = compiled(source, tmp_path / "predict", "-DLENSGRAD_MAIN", "-O1")
    (tmp_path / "in.bin").write_bytes(rows["x"][1].tobytes())
    subprocess.run([str(program), tmp_path / "predict.bin", tmp_path / "in.bin", tmp_path / "out.bin"], check=True)
    found = np.frombuffer((tmp_path / "out.bin").read_bytes(), np.float32).reshape(BATCH, 3)
    assert np.allclose(found, run.predict(rows["x"][1]), atol=1e-6) and found.std() > 0


@needs_compiler
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("step.bin",), "usage: step START DATA END, all of them files\n"),
        (("none.bin", "data.bin", "end.bin"), "cannot read {0}\n"),
        (("data.bin", "step.bin", "end.bin"), "ends within a batch: {1}\n"),
        (("empty.bin", "data.bin", "end.bin"), "too short: {0}\n"),
        (("data.bin", "step.bin", "data.bin"), "ends within a batch: {1}\n"),
        (("step.bin", "empty.bin", "step.bin"), "no batch is in {1}\n"),
    ],
)
def test_the_program_says_what_is_wrong_with_its_files(words, told, tmp_path):
    program = compiled(written(learner_of("iris"), tmp_path), tmp_path / "step", "-DLENSGRAD_MAIN")
    (tmp_path / "empty.bin").write_bytes(b"")
    if told.startswith("ends"):
        (tmp_path / "data.bin").write_bytes((tmp_path / "step.bin").read_bytes())
        (tmp_path / "step.bin").write_bytes((tmp_path / "data.bin").read_bytes()[:100])
    places, before = [str(tmp_path / w) for w in words], {p: p.read_bytes() for p in tmp_path.glob("*.bin")}
    done = subprocess.run([str(program), *places], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, told.format(*places))
    assert {p: p.read_bytes() for p in before} == before


@needs_compiler
def test_no_program_writes_over_what_it_reads(tmp_path):
    """Under whatever name, as C99 tells by what is in a file; what is no file, such as a pipe, is written to."""
    learner = learner_of("iris")
    rows = rows_of(learner)
    learner.fit(rows["x"][0], rows["y"][0], progress=False).export_c(tmp_path / "predict.c", batch=2)
    programs = [compiled(s, s.with_suffix(""), "-DLENSGRAD_MAIN") for s in (tmp_path / "predict.c", written(learner, tmp_path))]
    given = [rows["x"][1].tobytes(), b"".join(a.tobytes() for a in (rows["x"][0][:2], rows["y"][0][:2]))]
    for program, what, data in zip(programs, ("OUTPUT", "END"), given, strict=True):
        (tmp_path / "data.bin").write_bytes(data)
        (tmp_path / "link.bin").unlink(missing_ok=True)
        os.link(tmp_path / "data.bin", tmp_path / "link.bin")
        first = program.with_suffix(".bin")
        for end in ("data.bin", "./data.bin", "link.bin", *(["predict.bin"] if what == "OUTPUT" else [])):
            done = subprocess.run([program, first.name, "data.bin", end], cwd=tmp_path, capture_output=True, text=True)
            over = end if end == first.name else "data.bin"
            assert (done.returncode, done.stderr) == (1, f"choose another {what}: it has the same bytes as {over}\n")
        assert (tmp_path / "link.bin").read_bytes() == data
    (tmp_path / "in.bin").write_bytes(given[0])
    if Path("/dev/stdout").exists():
        done = subprocess.run([programs[0], "predict.bin", "in.bin", "/dev/stdout"], cwd=tmp_path, capture_output=True, check=True)
        assert len(done.stdout) == 4 * 3 * BATCH


def test_what_has_no_meaning_in_c_is_refused_in_a_sentence(tmp_path):
    learner = lg.supervised(lg.sequential(lg.input(4), lg.dense(3)), lg.cross_entropy, lg.sgd(0.1), precision="bfloat16")
    with pytest.raises(NoRule, match=r"^'.*step\.c' cannot be written: .*bf16.* has no meaning in the native backend: "):
        learner.export_c(tmp_path / "step.c", 2)
    assert list(tmp_path.iterdir()) == []


def test_files_of_others_stay(tmp_path):
    learner = learner_of("iris")
    with pytest.raises(BadValue, match=r"^the path of a C file must end in \.c, got '.*step\.h'$"):
        learner.export_c(tmp_path / "step.h")
    (tmp_path / "step.bin").write_bytes(b"mine")
    with pytest.raises(BadValue, match=r"was not written by an export: the values of '.*step\.c' would take its place"):
        learner.export_c(tmp_path / "step.c")
    assert (tmp_path / "step.bin").read_bytes() == b"mine"
