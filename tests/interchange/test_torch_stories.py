"""The Llama of 260 thousand weights: its golden story, token for token, and its weights there and back. Needs its files."""

import numpy as np
import pytest
from safetensors.numpy import load_file

import lensgrad as lg
from lensgrad.program.compile import program
from tools import stories

FOLDER = stories.home()
pytestmark = pytest.mark.skipif(not (FOLDER / "stories260K.bin").is_file(), reason="needs LENSGRAD_DATA with tinystories/stories260K.bin")


@pytest.fixture(scope="module")
def llama():
    sizes, arrays = stories.stored(FOLDER / "stories260K.bin")
    matched = lg.match_weights(sizes.model(64), arrays, sizes.mapping())
    return sizes, arrays, matched, stories.Words(FOLDER / "tok512.bin")


def test_the_likeliest_token_after_each_of_the_golden_story_is_the_next(llama):
    """So the greedy story is the golden one: each token is what follows from those before it."""
    sizes, _, matched, words = llama
    golden = (FOLDER / "expected.txt").read_text(encoding="utf-8").strip()
    ids = words.ids(golden)
    assert words.text(ids) == golden and len(ids) == 257
    logits = program(lg.predict(sizes.model(256)))({**matched.values, "input": np.array(ids[:-1], np.int32)})["output"]
    assert logits.argmax(1).tolist() == ids[1:]
    assert stories.told(sizes, matched.values, 20) == ids[:21]


def test_it_learns_and_goes_back_under_the_other_names(llama, tmp_path):
    sizes, arrays, matched, words = llama
    assert matched.unused == () and len(matched.pairs) == 47
    run = stories.taught(sizes, matched.values, words.ids("Once upon a time, there was a little boy named Tom."), 3)
    assert run.history[-1]["loss"] < run.history[0]["loss"]
    file = tmp_path / "llama.safetensors"
    lg.save_weights(matched.values, file, matched)
    back = load_file(file)
    assert {*back} == {*arrays} and all(np.array_equal(back[n], arrays[n]) for n in arrays)
