"""What is printed reaches any console, and is the same text everywhere else."""

import os
import pickle
import subprocess
import sys

import pytest

from lensgrad.core.printed import Printed, encodable

PROGRAM = """
import lensgrad as lg, numpy as np
model = lg.sequential(lg.input(4), lg.dense(3, name="größe→α"), lg.dense(3))
learner = lg.supervised(model, lg.cross_entropy, lg.sgd(.1))
run = learner.fit((np.ones((4, 4)), np.arange(4) % 3), progress=False)
print(run.summary()); print(lg.summary(model)); print(f"{lg.summary(run)}"); print(learner.source(4)); print(model); print(model.arrow)
"""


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "cp437", "utf-8"])
def test_summaries_sources_and_arrows_print_on_any_console(encoding):
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    told = done.stdout.decode(encoding)
    assert ("f32[4] → f32[3]" if encoding == "utf-8" else "f32[4] -> f32[3]") in told
    assert ("größe→α" in told) == (encoding == "utf-8")


def test_a_printed_text_is_a_text():
    text = Printed("f32[4] → f32[3]")
    assert text == "f32[4] → f32[3]" and hash(text) == hash("f32[4] → f32[3]") and len(text) == 15
    assert isinstance(text, str) and pickle.loads(pickle.dumps(text)) == text
    assert "\n".join([text, "x"]) == "f32[4] → f32[3]\nx" and text.encode() == "f32[4] → f32[3]".encode()


def test_what_an_encoding_lacks_is_spelled_in_ascii():
    assert encodable("A → ΔB × ½", "ascii") == "A -> dB x 1/2"
    assert encodable("größe", "cp1252") == "größe" and encodable("größe →", "cp1252") == "größe ->"
    assert encodable("名", "cp1252") == "\\u540d" and encodable("A → B", "utf-8") == "A → B"
