"""Layers in float64: small cases of each, and what to compare them by."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numerics import differences, evaluate

import lensgrad as lg
from lensgrad.backends import numpy as backend
from lensgrad.cat.names import Role
from lensgrad.cat.para import Para, para
from lensgrad.cat.reverse import R
from lensgrad.cat.structure import change
from lensgrad.core.diagram import Diagram
from lensgrad.core.ty import Ty


def real(*shape: int) -> Ty:
    return lg.Real(*shape, dtype="float64")


def at(layer: Any, dom: Ty) -> Para:
    """A family at an object, as a parametric arrow."""
    return para(Diagram.id(dom)) >> layer


@dataclass(frozen=True)
class Case:
    """A layer by its name, made from a name for its parameters, at an object."""

    title: str
    make: Callable[[str], Any]
    dom: Ty

    def __str__(self) -> str:
        return self.title

    def layer(self, name: str = "") -> Para:
        return at(self.make(name), self.dom)


SEQUENCE, MASKED = real(4, 6), real(4, 6) @ lg.Bool(4)
CASES = [
    Case("dense", lambda n: lg.dense(3, activation="tanh", name=n), real(4)),
    Case("conv1d", lambda n: lg.conv1d(3, 2, stride=2, name=n), real(5, 2)),
    Case("conv2d", lambda n: lg.conv2d(3, 3, padding="same", activation="tanh", name=n), real(4, 5, 2)),
    Case("conv2d grouped", lambda n: lg.conv2d(4, (2, 1), dilation=2, groups=2, use_bias=False, name=n), real(4, 2, 4)),
    Case("conv3d", lambda n: lg.conv3d(2, 2, padding=1, stride=(1, 2, 1), name=n), real(2, 3, 2, 1)),
    Case("depthwise_conv", lambda n: lg.depthwise_conv(2, multiplier=2, name=n), real(3, 3, 2)),
    Case("conv_transpose", lambda n: lg.conv_transpose(2, 3, stride=2, padding=1, output_padding=1, name=n), real(2, 3, 3)),
    Case("conv_transpose same", lambda n: lg.conv_transpose(2, 3, stride=2, padding="same", axes=1, name=n), real(3, 2)),
    Case("max_pool1d", lambda n: lg.max_pool1d(2, name=n), real(5, 2)),
    Case("max_pool2d", lambda n: lg.max_pool2d(2, stride=1, padding=1, name=n), real(3, 4, 2)),
    Case("max_pool3d", lambda n: lg.max_pool3d(2, name=n), real(2, 4, 3, 1)),
    Case("average_pool1d", lambda n: lg.average_pool1d(2, name=n), real(5, 2)),
    Case("average_pool2d", lambda n: lg.average_pool2d((2, 3), stride=1, padding=1, name=n), real(3, 4, 2)),
    Case("average_pool3d", lambda n: lg.average_pool3d(2, name=n), real(2, 4, 3, 1)),
    Case("global_average_pool", lambda n: lg.global_average_pool(name=n), real(2, 3, 2)),
    Case("global_max_pool", lambda n: lg.global_max_pool(name=n), real(2, 3, 2)),
    Case("embedding", lambda n: lg.embedding(7, 3, dtype="float64", name=n), lg.Int(4)),
    Case("unembed", lambda n: lg.unembed(7, name=n), SEQUENCE),
    Case("sinusoidal_positions", lambda n: lg.sinusoidal_positions(name=n), SEQUENCE),
    Case("learned_positions", lambda n: lg.learned_positions(name=n), SEQUENCE),
    Case("rotary_positions", lambda n: lg.rotary_positions(name=n), real(4, 2, 6)),
    Case("layer_norm", lambda n: lg.layer_norm(name=n), SEQUENCE),
    Case("rms_norm", lambda n: lg.rms_norm(name=n), SEQUENCE),
    Case("group_norm", lambda n: lg.group_norm(2, name=n), real(2, 3, 4)),
    Case("multi_head_attention", lambda n: lg.multi_head_attention(2, name=n), SEQUENCE),
    Case("attention, masked and causal", lambda n: lg.multi_head_attention(3, causal=True, name=n), MASKED),
    Case("attention, a mask of pairs", lambda n: lg.multi_head_attention(2, name=n), SEQUENCE @ lg.Bool(4, 4)),
    Case("attention, numbers added", lambda n: lg.multi_head_attention(2, causal=True, name=n), SEQUENCE @ real(4, 4)),
    Case("cross_attention", lambda n: lg.cross_attention(2, name=n), SEQUENCE @ real(3, 5)),
    Case(
        "cross_attention, grouped and masked",
        lambda n: lg.cross_attention(4, width=2, key_value_heads=2, name=n),
        SEQUENCE @ real(3, 5) @ lg.Bool(3),
    ),
    Case("transformer_block, numbers added", lambda n: lg.transformer_block(2, 5, name=n), SEQUENCE @ real(4, 4)),
    Case("attention, grouped and rotary", lambda n: lg.multi_head_attention(4, width=2, key_value_heads=2, rotary=True, name=n), SEQUENCE),
    Case("feed_forward", lambda n: lg.feed_forward(5, "silu", gated=True, use_bias=False, name=n), SEQUENCE),
    Case("transformer_block of GPT-2", lambda n: lg.transformer_block(2, 5, activation="gelu_tanh", causal=True, name=n), SEQUENCE),
    Case(
        "transformer_block of Llama 2",
        lambda n: lg.transformer_block(
            3, 5, activation="silu", gated=True, norm="rms", rotary=True, causal=True, key_value_heads=1, use_bias=False, name=n
        ),
        MASKED,
    ),
    Case("simple_rnn", lambda n: lg.simple_rnn(3, name=n), SEQUENCE),
    Case("lstm", lambda n: lg.lstm(3, name=n), MASKED),
    Case("lstm, last", lambda n: lg.lstm(2, last=True, backward=True, name=n), SEQUENCE),
    Case("gru", lambda n: lg.gru(3, name=n), SEQUENCE),
    Case("gru, masked", lambda n: lg.gru(2, last=True, name=n), MASKED),
    Case("graph_conv", lambda n: lg.graph_conv(3, activation="tanh", name=n), real(4, 6) @ real(4, 4)),
    Case("graph_conv by edges", lambda n: lg.graph_conv(3, name=n), real(4, 6) @ lg.Int(5) @ lg.Int(5) @ real(5)),
]


def numbers(rng: np.random.Generator, atom: Any) -> np.ndarray:
    """A value of this type; a mask shows at least its first step."""
    shape, dtype = backend.host(atom)
    if atom.change is not None:
        return rng.standard_normal(shape).astype(dtype)
    values = rng.integers(0, 2 if dtype == np.bool_ else 4, shape).astype(dtype)
    if dtype == np.bool_:
        values.reshape(-1)[0] = True
    return values


def inputs(f: Para, seed: int = 0) -> list[np.ndarray]:
    """Values of all parameters and inputs; running variances are positive."""
    rng = np.random.default_rng(seed)
    values = [numbers(rng, a) for a in f.arrow.dom]
    return [abs(v) if i < len(f.params) and f.params[i].label.endswith("variance") else v for i, v in enumerate(values)]


def outputs(f: Para, xs: list[Any]) -> list[np.ndarray]:
    """The results, without observables."""
    ys = evaluate(f.arrow, *xs)
    return list(ys[: len(f.cod)] if isinstance(ys, tuple) else (ys,))


def cotangents(f: Para, seed: int = 1) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(a.shape) for a in f.cod]


def gradients(f: Para, xs: list[Any], dys: list[Any]) -> dict[int, np.ndarray]:
    """⟨dys, ∂f⟩ for each input that has changes, by its position."""
    rest = [np.zeros(a.shape) for a in f.arrow.cod.atoms[len(f.cod) :] if change(a) is not None]
    found = evaluate(R(f.arrow), *xs, *dys, *rest)
    moving = [i for i, a in enumerate(f.arrow.dom) if change(a) is not None]
    return dict(zip(moving, found if isinstance(found, tuple) else (found,), strict=True))


def by_differences(f: Para, xs: list[Any], dys: list[Any], which: int) -> np.ndarray:
    run = backend.function(f.arrow)

    def paired(*values: Any) -> Any:
        return sum(np.sum(y * dy) for y, dy in zip(run(*values), dys, strict=False))

    return differences(paired, xs, which)


def weights_of(f: Para) -> dict[str, int]:
    """The position of each weight among the inputs, by name."""
    return {n: i for i, (n, p) in enumerate(zip(f.names, f.params, strict=True)) if p.role is Role.WEIGHT}


def rows_of(f: Para, values: list[Any], k: int) -> list[Any]:
    """The inputs of example k, where the inputs of the arrow are batched and its parameters are not."""
    held = len(f.arrow.dom) - len(f.dom)
    return [*values[:held], *(v[k] for v in values[held:])]
