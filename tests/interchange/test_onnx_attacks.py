"""Hundreds of damaged and hostile ONNX files, read in a process of their own with little memory."""

import json
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.core.errors import LensgradError
from tests.interchange.onnx_files import model, node, value

pytest.importorskip("onnx")
pytest.importorskip("resource", reason="this system has no limits of memory")


def test_each_is_read_or_refused_in_one_sentence(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-m", "tests.interchange.onnx_attacks", str(tmp_path)], capture_output=True, text=True, check=False
    )
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    assert ran.returncode == 0, (lines[-1:], ran.stderr[-500:])
    answers = [line for line in lines if line[1] != "begun"]
    assert [a for a in answers if a[1] not in ("read", "refused")] == []
    assert len(answers) > 700 and Counter(kind for _, kind, _ in answers)["refused"] > 400


X, ANY = [value("x", [2])], [value("y", None)]


def told(net):
    with pytest.raises(LensgradError) as error:
        lg.from_onnx(net, batch=False)
    return str(error.value)


@pytest.mark.parametrize("size", [0, -1, 2**32, 2**62])
def test_what_would_end_the_process_inside_of_onnx_is_never_given_to_it(size):
    image = {"i": np.ones((1, 4, 4, 4), "f4")}
    assert told(model([node("DepthToSpace", "i", "y", blocksize=size)], X, ANY, image)).startswith("DepthToSpace 'the DepthToSpace'")
    assert told(model([node("SpaceToDepth", "i", "y", blocksize=size)], X, ANY, image)).startswith("SpaceToDepth 'the SpaceToDepth'")


def test_long_names_are_cut_and_lines_stay_lines():
    said = told(model([node("Neg", "x" * 5000, "y")], X, ANY))
    assert len(said) < 300 and "xxx…" in said
    strange = node("Neg", "x", "y")
    strange.op_type = "a\nb"
    assert told(model([strange], X, ANY)) == r"a\nb 'the Neg' has no meaning here: export the network without it"


def test_endless_equations_and_neighborhoods_are_refused():
    assert told(model([node("Einsum", "x", "y", equation="x" * 10**5)], X, ANY)).endswith("at most 1000 characters, got 100,000")
    image = [value("x", [1, 2, 4, 4])]
    assert (
        told(model([node("LRN", "x", "y", size=10**12)], image, ANY)) == "LRN 'the LRN' must have a size from 1 to 1024, got 1000000000000"
    )
