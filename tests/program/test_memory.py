"""What optimizers keep, as docs/optimizers.md tells it; and that page's code."""

import re
from pathlib import Path

import pytest

import lensgrad as lg

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "optimizers.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(.+)` \| ([0-9.]+) \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("written", "bytes_each"), ROWS, ids=[r[0] for r in ROWS])
def test_the_table_of_the_page_is_what_is_kept(written, bytes_each):
    optimizer = eval(written, vars(lg))
    assert f"{lg.optimizer_memory(optimizer):.3f}" == bytes_each


def test_every_optimizer_with_a_state_is_in_the_table():
    told = {w.partition("(")[0] for w, _ in ROWS}
    assert {"adadelta", "adafactor", "adagrad", "adam", "adamw", "lamb", "lion", "nadam", "optimistic", "rmsprop", "sgd"} <= told


def test_states_are_counted_in_the_dtype_of_the_weight():
    assert lg.optimizer_memory(lg.sgd(0.1, momentum=0.9), (10, 10), "float64") == 8.0
    assert lg.optimizer_memory(lg.adafactor(), (10, 20)) == (4 * (10 + 20) + 4) / 200


def test_the_code_of_the_page_runs():
    made = {}
    for code in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(code, made)
    assert made["clipped"].joint and made["seldom"].name == "accumulated(adam(0.001), 4)"
