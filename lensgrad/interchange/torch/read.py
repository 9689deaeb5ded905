"""From a module of PyTorch to a parametric arrow: each operator of its graph by its meaning on wires."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import getitem
from typing import Any

from lensgrad.cat.names import Role
from lensgrad.core.checks import flag, is_dict, is_group
from lensgrad.core.errors import BadValue, LensgradError, NoRule, TypeMismatch
from lensgrad.core.graph import Wire
from lensgrad.core.ty import Ty
from lensgrad.interchange.dtypes import Numbers, carried_dtype
from lensgrad.interchange.imported import Imported, Site, imported, of_one
from lensgrad.interchange.torch.exported import base, checked, graph_of, named, one_example
from lensgrad.interchange.torch.meanings import ATEN, WHY, Out
from lensgrad.interchange.torch.package import torch
from lensgrad.interchange.typed import Module
from lensgrad.theories.smooth.array import Array


def from_torch(module: Module, *examples: object, batch: bool = True) -> Imported:
    """The parametric arrow P × A → B of a torch.nn.Module, as it predicts, and its values: `model, values = lg.from_torch(net, x)`.

    The module is exported in eval mode (dropout is the identity, batch norm reads its statistics) and taken to core operators of
    ATen. Parameters are weights by their names in PyTorch with / for the dots, as in `layer1/0/conv/weight`, those without
    gradients and buffers are states, and what is shared is one. An operator without meaning is refused by name and place, as is a
    module that writes buffers, or whose operators depend on the numbers it is given.

    - `module`: the torch.nn.Module; its mode and parameters stay as they are.
    - `examples`: what its forward takes, tensors, whose numbers do not matter.
    - `batch`: with True the first axis is that of examples, and goes: the arrow is of one example, as all models are. With False
      all axes stay; True unless given.
    """
    checked(module, examples)
    single = flag("batch", batch)
    given = one_example(module, examples) if single else tuple(examples)
    program = graph_of(module, given)
    walk = Walk.of(module, program)
    dom = Ty(tuple(walk.atom(n.name, n.meta["val"]) for n in walk.inputs))
    return imported(*of_one(named(module), dom, walk.formula)) if single else imported(dom, walk.formula)


def array_of(what: str, tensor: Any) -> Numbers:
    """A tensor as an array."""
    if tensor.dtype in (torch.bfloat16, torch.complex64, torch.complex128):
        dtype = str(tensor.dtype).removeprefix("torch.")
        raise BadValue(f"{what} is of dtype {dtype}, which has no array in NumPy: take module.float() first")
    return tensor.detach().cpu().contiguous().numpy().copy()


@dataclass(frozen=True)
class Held:
    """A tensor that a module holds: what to call it, and what it is for."""

    label: str
    array: Numbers
    role: Role | None  # none for constants of the program


@dataclass(frozen=True)
class Walk:
    """A graph of ATen's operators with the tensors of its module by placeholder."""

    name: str
    graph: Any
    inputs: Sequence[Any]
    held: Mapping[str, Held]

    @classmethod
    def of(cls, module: Any, program: Any) -> Walk:
        signature, name = program.graph_signature, named(module)
        unwritten(name, signature)
        specs = {s.arg.name: s for s in signature.input_specs if hasattr(s.arg, "name")}
        holders = [n for n in program.graph.nodes if n.op == "placeholder"]
        kinds = {n.name: specs[n.name].kind.name for n in holders}
        inputs = [n for n in holders if kinds[n.name] == "USER_INPUT" and is_value(n.meta.get("val"))]
        tensors = {n.name: specs[n.name].target for n in holders if n.users and kinds[n.name] in ("PARAMETER", "BUFFER", "CONSTANT_TENSOR")}
        find = finder(module, program)
        return cls(name, program.graph, inputs, {n: find(target) for n, target in tensors.items()})

    def atom(self, what: str, tensor: Any) -> Array:
        """The type of a tensor that the graph describes."""
        dtype = carried_dtype(f"'{what}' of {self.name}", str(tensor.dtype).removeprefix("torch."))
        return Array(tuple(int(n) for n in tensor.shape), dtype)

    def formula(self, site: Site, xs: list[Wire]) -> list[Wire]:
        """The graph on wires."""
        env: dict[str, Any] = dict(zip([n.name for n in self.inputs], xs, strict=True))
        for node in self.graph.nodes:
            if node.op == "placeholder":
                if node.name in self.held:
                    env[node.name] = asked(site, self.held[node.name])
            elif node.op == "output":
                return [self.answer(env, a) for a in node.args[0] if a is not None]
            elif node.users or not base(node.target).startswith(("_assert", "sym_")):
                env[node.name] = self.applied(env, node)
        return []

    def answer(self, env: Mapping[str, Any], arg: Any) -> Wire:
        found = env.get(getattr(arg, "name", ""))
        if not isinstance(found, Wire):
            raise TypeMismatch(f"{self.name} must give tensors, got {arg} among its outputs")
        return found

    def applied(self, env: Mapping[str, Any], node: Any) -> Any:
        """What one operator gives."""
        args, kwargs = (filled(env, v) for v in (node.args, node.kwargs))
        if node.target is getitem:
            return args[0][args[1]]
        meaning: Callable[..., Any] | None = ATEN.get(base(node.target)) if node.op == "call_function" else None
        if meaning is None:
            raise NoRule(f"{self.place(node)} has no meaning here{why(node)}")
        atoms = [self.atom(node.name, v) for v in leaves(node.meta["val"]) if is_value(v)]
        try:
            return meaning(Out(tuple(atoms)), *args, **kwargs)
        except LensgradError as error:
            raise type(error)(f"{self.place(node)} cannot be written here: {error}") from error

    def place(self, node: Any) -> str:
        """An operator, and where in the module it is."""
        stack: list[Any] = [*(node.meta.get("nn_module_stack") or {}).values()]
        path, made = stack[-1] if stack else ("", "")
        kind: str = made if isinstance(made, str) else getattr(made, "__name__", str(made))
        where = f" in '{path}' ({kind.split('.')[-1]})" if path else ""
        return f"the operator {node.target}{where} of {self.name}"


def why(node: Any) -> str:
    """The reason, where there is one to give."""
    reason = WHY.get(base(node.target)) if node.op == "call_function" else "control that depends on numbers is no operator on arrays"
    return f": it {reason}" if node.op == "call_function" and reason else f": {reason}" if reason else ""


def is_value(x: Any) -> bool:
    return isinstance(x, torch.Tensor)


def leaves(vals: Any) -> list[Any]:
    """What an operator gives, one or several."""
    return [*vals] if is_group(vals) else [vals]


def filled(env: Mapping[str, Any], arg: Any) -> Any:
    """Arguments with wires in the place of nodes."""
    if is_dict(arg):
        return {str(k): filled(env, v) for k, v in arg.items()}
    if is_group(arg):
        return [filled(env, a) for a in arg]
    return env[arg.name] if isinstance(arg, torch.fx.Node) else arg


def asked(site: Site, held: Held) -> Wire:
    """A tensor of the module as a wire."""
    if held.role is None:
        return site.constant(held.label, held.array)
    return site.weight(held.label, held.array) if held.role is Role.WEIGHT else site.state(held.label, held.array)


def unwritten(name: str, signature: Any) -> None:
    """Refuse a module that writes what it holds or is given."""
    for spec in signature.output_specs:
        if "MUTATION" in spec.kind.name:
            what = f"its buffer '{spec.target}'" if spec.kind.name == "BUFFER_MUTATION" else f"'{spec.target}', which it is given,"
            raise BadValue(f"{name} writes {what} while it predicts, which has no meaning here: return the new value as an output")


def finder(module: Any, program: Any) -> Callable[[str], Held]:
    """What the tensor of a target is called and for; one that several names share has the first of them."""
    first: dict[int, str] = {}
    for name, tensor in [*module.named_parameters(remove_duplicate=False), *module.named_buffers(remove_duplicate=False)]:
        first.setdefault(id(tensor), name)
    own = dict(module.named_parameters(remove_duplicate=False)) | dict(module.named_buffers(remove_duplicate=False))

    def find(target: str) -> Held:
        tensor = own.get(target)
        if tensor is None:
            constant = program.constants[target] if target in program.constants else program.state_dict[target]
            return Held(our_name(target), array_of(f"'{target}'", constant), None)
        trained = isinstance(tensor, torch.nn.Parameter) and tensor.requires_grad
        label = first[id(tensor)]
        return Held(our_name(label), array_of(f"'{label}'", tensor), Role.WEIGHT if trained else Role.STATE)

    return find


def our_name(name: str) -> str:
    """A name of PyTorch as ours: `layer1.0.conv.weight` → `layer1/0/conv/weight`."""
    return name.replace(".", "/")


__all__ = ["from_torch"]
