"""Long calls document each parameter on a line of its own, in the order of the call, with what holds where it is not given."""

import re
from collections.abc import Callable
from inspect import Parameter, cleandoc, getmodule, signature, unwrap
from typing import Any

import pytest

import lensgrad as lg

LONG: dict[str, Callable[..., Any]] = {
    "conv2d": lg.conv2d,
    "cross_attention": lg.cross_attention,
    "data.csv": lg.data.csv,
    "fit_curve": lg.fit_curve,
    "from_onnx": lg.from_onnx,
    "Learner.fit": lg.Learner.fit,
    "LensClassifier": lg.LensClassifier,
    "minimize": lg.minimize,
    "multi_head_attention": lg.multi_head_attention,
    "supervised": lg.supervised,
    "transformer_block": lg.transformer_block,
}


def parameters(call: Callable[..., Any]) -> dict[str, bool]:
    """The parameters of a call, those of its options among them, and whether each may be left out."""
    found: dict[str, bool] = {}
    for name, p in signature(call).parameters.items():
        if p.kind is Parameter.VAR_KEYWORD:
            options = re.findall(r"Unpack\[(\w+)\]", str(p.annotation))
            found |= dict.fromkeys(getmodule(unwrap(call)).__dict__[options[0]].__annotations__, True)
        elif name != "self":
            found[name] = p.default is not Parameter.empty
    return found


def lines(call: Callable[..., Any]) -> dict[str, str]:
    """What is said of each parameter."""
    found = re.findall(r"^- `(\w+)`: (.*?)(?=^\S|^\n|\Z)", f"{cleandoc(call.__doc__ or '')}\n", re.MULTILINE | re.DOTALL)
    return {name: " ".join(text.split()) for name, text in found}


@pytest.mark.parametrize("name", LONG)
def test_each_parameter_has_a_line(name):
    wanted, said = parameters(LONG[name]), lines(LONG[name])
    assert [*said] == [*wanted]
    assert {n: text.endswith("unless given.") for n, text in said.items()} == wanted
