"""What the doors of interchange take and give, as types that need none of the packages they are of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from lensgrad.interchange.dtypes import Numbers
from lensgrad.learn.model import Model


class Owner(Protocol):
    """What a learner has: its model."""

    @property
    def model(self) -> Model: ...


class Learned(Protocol):
    """What a trained run has: its learner, and the values of the model by name."""

    @property
    def learner(self) -> Owner: ...
    @property
    def weights(self) -> dict[str, Numbers]: ...


class Module(Protocol):
    """What is used of a torch.nn.Module."""

    def __call__(self, *inputs: object) -> object: ...
    def parameters(self) -> Iterable[object]: ...
    def state_dict(self) -> Mapping[str, object]: ...


class Serializable(Protocol):
    """What is used of an onnx.ModelProto."""

    def SerializeToString(self) -> bytes: ...
