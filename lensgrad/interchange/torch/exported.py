"""A module of PyTorch as one graph of ATen's operators, as it predicts."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Generator, Sequence
from typing import Any

from lensgrad.core.checks import shown
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.interchange.torch.meanings import ATEN, WHOLE, WHY
from lensgrad.interchange.torch.package import torch

tree: Any = torch.utils._pytree


@contextlib.contextmanager
def predicting(module: Any) -> Generator[None]:
    """The module in eval mode; afterwards each part is in the mode it was in."""
    modes = [(part, part.training) for part in module.modules()]
    module.train(False)
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode


@contextlib.contextmanager
def quiet() -> Generator[None]:
    """Without the warnings that PyTorch has for itself while it exports."""
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def graph_of(module: Any, examples: Sequence[Any]) -> Any:
    """The exported program of a module at these examples, in operators that have a meaning as far as PyTorch can take others apart."""
    try:
        with predicting(module), quiet(), torch.no_grad():
            return decomposed(torch.export.export(module, tuple(examples), strict=False))
    except Exception as error:  # whatever its tracer meets inside the module
        told = str(error).strip().split("\n")[0]
        fix = "what it does may not depend on the numbers it is given"
        raise BadValue(f"torch.export cannot write {named(module)} as one graph ({type(error).__name__}: {told}): {fix}") from error


def named(module: Any) -> str:
    return f"the module {type(module).__name__}"


def decomposed(program: Any) -> Any:
    """The program in core operators, and those without a meaning here in what PyTorch itself says they are made of."""
    table = dict(torch.export.default_decompositions())
    for op in [op for op in table if spelled(op) in WHOLE or spelled(op).split(".")[0] in WHOLE]:
        del table[op]
    program = program.run_decompositions(table)
    strange = {n.target for n in program.graph.nodes if n.op == "call_function" and base(n.target) not in {*ATEN, *WHY}}
    more = {op: how for op, how in torch._decomp.decomposition_table.items() if op in strange}
    return program.run_decompositions({**table, **more}) if more else program


def spelled(op: Any) -> str:
    """An operator by its name and overload: `add.Tensor`."""
    return str(op).removeprefix("aten.")


def base(op: Any) -> str:
    """An operator by its name alone, if it is one of ATen's."""
    return spelled(op).split(".")[0] if str(op).startswith("aten.") else str(op)


def one_example(module: Any, examples: Sequence[Any]) -> tuple[Any, ...]:
    """Examples cut to one each; refused where the module gives for one another answer than for it among others."""
    tensors = [x for x in tree.tree_leaves(tuple(examples)) if is_tensor(x)]
    counts = {x.shape[0] if x.ndim else 0 for x in tensors}
    if len(counts) != 1 or 0 in counts:
        shapes = " and ".join(str([*x.shape]) for x in tensors)
        raise TypeMismatch(f"the examples must have one first axis, that of examples, got tensors of shapes {shapes}: or give batch=False")
    cut = tree.tree_map(first, tuple(examples))
    if counts != {1}:
        alone(module, examples, cut)
    return cut


def first(x: Any) -> Any:
    """The first example of a tensor; what is none stays."""
    return x[:1] if is_tensor(x) else x


def alone(module: Any, examples: Sequence[Any], cut: tuple[Any, ...]) -> None:
    """Refuse a module that mixes its examples."""
    try:
        with predicting(module), quiet(), torch.no_grad():
            many, one = (tree.tree_leaves(module(*xs)) for xs in (examples, cut))
    except Exception as error:  # whatever the module raises
        told = str(error).strip().split("\n")[0]
        raise BadValue(
            f"{named(module)} cannot be called with these examples ({type(error).__name__}: {told}): give what it takes"
        ) from error
    for whole, single in zip(many, one, strict=True):
        near = 1e-9 if whole.dtype == torch.float64 else 1e-3
        if whole.ndim and not torch.allclose(whole[:1].to(single.dtype), single, rtol=near, atol=near, equal_nan=True):
            raise BadValue(
                f"{named(module)} gives for an example another answer than for it among others: give batch=False to keep all axes"
            )


def is_tensor(x: Any) -> bool:
    return isinstance(x, torch.Tensor)


def checked(module: Any, examples: Sequence[Any]) -> None:
    """Refuse what is no module, or has no inputs to be exported at."""
    if not isinstance(module, torch.nn.Module):
        raise TypeMismatch(f"from_torch expects a torch.nn.Module, got {shown(module)}")
    if not any(is_tensor(x) for x in tree.tree_leaves(tuple(examples))):
        raise TypeMismatch(
            f"from_torch expects the inputs of {named(module)} as examples: lg.from_torch(module, torch.randn(1, 3, 32, 32))"
        )
