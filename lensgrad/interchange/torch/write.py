"""From a parametric arrow to a module of PyTorch, with our parameters by our names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lensgrad.cat.names import Param, Role, unique
from lensgrad.cat.para import Para
from lensgrad.core.checks import is_a, mapping, shown
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import NameClash, TypeMismatch, UnknownParameter
from lensgrad.core.functor import unfold
from lensgrad.core.rewrite import rewrite
from lensgrad.core.ty import Ty
from lensgrad.interchange.torch import table
from lensgrad.interchange.torch.package import torch
from lensgrad.interchange.torch.weights import their_name
from lensgrad.interchange.typed import Learned, Module
from lensgrad.learn.batching import batch
from lensgrad.learn.model import para
from lensgrad.learn.predict import predict
from lensgrad.program.values import checked, initial
from lensgrad.theories.smooth.array import Array, Key
from lensgrad.theories.smooth.rules import RULES


def to_torch(model: Para | Diagram | Learned, values: Mapping[str, ArrayLike] | None = None) -> Module:
    """A torch.nn.Module that gives what a model predicts, on batches: tensors whose first axis is that of examples.

    Weights are its parameters, which PyTorch's optimizers train, and states and keys its buffers; their names are ours with dots
    for /, as in `dense.weight`, in its state_dict too. The model is taken as it predicts (dropout is the identity, batch norm reads
    its statistics), with its axes as they are: channels come last. Several outputs are a tuple.

    - `model`: an arrow P × A → B, or what training gave, a run.
    - `values`: arrays by name; those of the run, and for a model its first values, unless given.
    """
    found: Any = getattr(getattr(model, "learner", None), "model", model)
    if not is_a(found, Para) or not isinstance(found.arrow, Diagram):
        raise TypeMismatch(f"to_torch expects a model, before lens(…), or a run, got {shown(model)}")
    arrow = predict(para(found))
    strange = [n for n, p in zip(arrow.names, arrow.params, strict=True) if p.role is Role.DATA]
    if strange:
        raise TypeMismatch(f"to_torch expects a model whose only data is its input, and this one has '{strange[0]}' beside it")
    given = getattr(model, "values", None) if values is None else mapping("values", values, "a dict of arrays by name")
    return Network(arrow, initial(arrow.params) if given is None else given)


class Network(torch.nn.Module):
    """An arrow as a module: for each size of a batch it runs the arrow that batching gives, generator by generator."""

    def __init__(self, model: Para, values: Mapping[str, Any]) -> None:
        torch.nn.Module.__init__(self)
        self.model = model
        self.slots: list[tuple[Any, str]] = []
        self.arrows: dict[int, Diagram] = {}
        for key, (atom, value, role) in named(model.params, values).items():
            self.slots.append(hold(self, key, tensor_of(atom, value), role is Role.WEIGHT))

    def forward(self, *xs: Any) -> Any:
        """B of the examples of A, one tensor for each wire."""
        n = self.examples(xs)
        if n not in self.arrows:
            self.arrows[n] = rewrite(unfold(batch(self.model, n).arrow), RULES)
        inputs = [x.to(table.host(a)[1]) for x, a in zip(xs, self.model.dom, strict=True)]
        with xs[0].device:  # where constants are made
            outs = table.run(self.arrows[n], [*(getattr(owner, name) for owner, name in self.slots), *inputs])[: len(self.model.cod)]
        return outs[0] if len(outs) == 1 else outs

    def examples(self, xs: Sequence[Any]) -> int:
        """How many there are; tensors of other shapes are refused."""
        wanted = self.model.dom
        strange = [x for x in xs if not isinstance(x, torch.Tensor)]
        if strange:
            raise TypeMismatch(f"this module takes tensors of PyTorch, {wanted} with an axis of examples in front, got {shown(strange[0])}")
        if len(xs) != len(wanted) or not len(wanted):
            raise TypeMismatch(f"this module takes {wanted}, {len(wanted)} tensors with an axis of examples in front, got {len(xs)}")
        counts = {x.shape[0] if tuple(x.shape[1:]) == table.host(a)[0] and x.ndim else 0 for x, a in zip(xs, wanted, strict=True)}
        if len(counts) != 1 or 0 in counts:
            told = " and ".join(str([*x.shape]) for x in xs)
            raise TypeMismatch(f"this module takes {wanted} with an axis of examples in front, got tensors of shapes {told}")
        return int(xs[0].shape[0])


Slot = tuple[Any, Any, Role]  # the type, the array and the role of one tensor


def named(params: Sequence[Param], values: Mapping[str, Any]) -> dict[str, Slot]:
    """Each array of each parameter by its key; one whose key is a folder of others too is called `value` in there."""
    found = list[tuple[str, Slot]]()
    for name, p in zip(unique([p.label for p in params]), params, strict=True):
        if name not in values:
            raise UnknownParameter(f"to_torch needs a value for '{name}' : {p.ob}: give values={{'{name}': …}}")
        found += zip(keys(name, p.ob), [(a, v, p.role) for a, v in arrays(name, p.ob, values)], strict=True)
    folders = {key[:k] for key, _ in found for k, c in enumerate(key) if c == "."}
    placed = [(f"{key}.value" if key in folders else key, slot) for key, slot in found]
    twice = [key for key, times in Counter(key for key, _ in placed).items() if times > 1]
    if twice:
        raise NameClash(f"two parameters would be called '{twice[0]}' in PyTorch: give one of the layers another name")
    return dict(placed)


def keys(name: str, ob: Ty) -> list[str]:
    """What the arrays of a parameter are called."""
    key = their_name(name)
    return [key] if len(ob) == 1 else [f"{key}.{k}" for k in range(len(ob))]


def arrays(name: str, ob: Ty, values: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    """The types and arrays of a parameter, checked."""
    strange = [a for a in ob if not isinstance(a, Array | Key)]
    if strange:
        raise TypeMismatch(f"'{name}' : {strange[0]} is no array, and a module of PyTorch holds arrays only")
    value = checked(name, ob, values)
    return [*zip(ob, value if len(ob) != 1 else [value], strict=True)]


def tensor_of(atom: Any, value: Any) -> Any:
    """An array as the tensor that carries it."""
    held = np.asarray(value)
    wide = held.astype(np.int64) if held.dtype == np.uint32 else held
    return torch.tensor(wide, dtype=table.host(atom)[1])


def hold(module: Any, key: str, tensor: Any, trained: bool) -> tuple[Any, str]:
    """Put a tensor at its place in a module, and give the place."""
    *folders, name = key.split(".")
    for folder in folders:
        module = module._modules.setdefault(folder, Folder())
    if trained and tensor.is_floating_point():
        module._parameters[name] = torch.nn.Parameter(tensor)
    else:
        module._buffers[name] = tensor
    return module, name


class Folder(torch.nn.Module):
    """A part of a network that only holds tensors."""

    def forward(self, *xs: Any) -> Any:
        raise TypeMismatch("a part of a network made by to_torch holds tensors only: call the network")


__all__ = ["Network", "to_torch"]
