"""From a closed parametric lens to a step: names and arrays in, names and arrays out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from lensgrad.backends.engine import Backend, Iteration, Runnable, backend, native
from lensgrad.backends.loop import Loop
from lensgrad.backends.numpy import has_circuits
from lensgrad.backends.source import Layout
from lensgrad.cat.lens import Lens, forward
from lensgrad.cat.names import Param, Role, returns, unique, written
from lensgrad.cat.para import Para, parametrized
from lensgrad.core import checks
from lensgrad.core.diagram import Diagram, flatten
from lensgrad.core.errors import TypeMismatch, UnknownParameter, listed
from lensgrad.core.functor import unfold
from lensgrad.core.graph import Wire
from lensgrad.core.printed import Printed, counted
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty, product, split
from lensgrad.program.rewrites import finished
from lensgrad.program.values import Values, by_name, carrier, checked


@dataclass(frozen=True)
class Port:
    """One named input or output of a program: an object, and where its atoms stand among the wires."""

    name: str
    ob: Ty
    role: Role = Role.DATA


@dataclass(frozen=True, repr=False)
class Program:
    """An arrow with named inputs and outputs, ready to run: `program(values)` gives its outputs by name.

    `diagram` : ⊗ inputs → ⊗ outputs, definitions unfolded.
    """

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    diagram: Diagram
    backend: str | Backend = "auto"
    iterations: dict[tuple[str, ...], Iteration] = field(default_factory=dict[Any, Any], compare=False, repr=False)

    def __repr__(self) -> str:
        inputs, outputs = (counted(len(ports), what) for ports, what in ((self.inputs, "input"), (self.outputs, "output")))
        return f"<program of {counted(len(self.diagram.nodes), 'node')}: {inputs}, {outputs}>"

    def __deepcopy__(self, _: Any) -> Program:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """What pickle needs: what it is made of. Whoever reads it compiles it anew, or finds it compiled."""
        return Program, (self.inputs, self.outputs, self.diagram, self.backend)

    @cached_property
    def engine(self) -> Backend:
        """What runs this program."""
        return backend(self.backend)

    @cached_property
    def function(self) -> Runnable:
        return self.engine.function(self.diagram, self.wires([p.name for p in self.inputs if p.role is Role.DATA]))

    @cached_property
    def circuits(self) -> bool:
        """Whether circuits run in it."""
        return has_circuits(self.diagram)

    @cached_property
    def seconds(self) -> tuple[float, float]:
        """About how long it takes in NumPy, and how long to compile."""
        choice = native("choice")
        return choice.numpy_seconds(self.diagram), choice.compile_seconds(self.diagram)

    @cached_property
    def plain(self) -> tuple[str, ...]:
        """The names of the outputs, where every input and output is one wire; otherwise nothing."""
        single = all(len(p.ob) == 1 for p in (*self.inputs, *self.outputs))
        return tuple(p.name for p in self.outputs) if single else ()

    def wires(self, names: Collection[str]) -> tuple[int, ...]:
        """The input wires of these names."""
        owners = [p.name for p in self.inputs for _ in p.ob]
        return tuple(i for i, name in enumerate(owners) if name in names)

    def loop(self, rows: Collection[str]) -> Loop:
        """This program as the body of a loop whose steps have inputs `rows` of their own: outputs go back to inputs of their name."""
        moved = [p for p in self.outputs if p.name not in rows and any(p.name == q.name for q in self.inputs)]
        outs = [i for i, p in enumerate(p for p in self.outputs for _ in p.ob) if p in moved]
        back = zip(outs, [i for p in moved for i in self.wires([p.name])], strict=True)
        return Loop(tuple(back), self.wires(rows), (len(self.diagram.dom), len(self.diagram.cod)))

    def iteration(self, rows: tuple[str, ...]) -> Iteration:
        """The loop of these rows, compiled once."""
        found = self.iterations.get(rows)
        if found is None:
            loop = self.loop(rows)
            same = (i for i in self.iterations.values() if i.loop == loop)  # the same names in another order
            found = self.iterations[rows] = next(same, None) or self.engine.iterate(self.diagram, loop)
        return found

    def on(self, backend: str | Backend) -> Program:
        """The same program on a backend."""
        return replace(self, backend=backend, iterations={})

    def __call__(self, values: Values) -> Values:
        """The outputs by name; every input is checked for name, shape and dtype."""
        return self.run(self.taken(by_name(values)))

    @cached_property
    def carriers(self) -> tuple[tuple[str, Any, Ty], ...]:
        """Each input: its name, shape and dtype of the array that it wants where that is all, and its object."""
        return tuple((p.name, carrier(p.ob), p.ob) for p in self.inputs)

    def taken(self, given: Mapping[str, Any]) -> list[Any]:
        """The inputs in order, checked; what is already the array that is wanted takes no detour."""
        found: list[Any] = []
        for name, wanted, ob in self.carriers:
            value = given.get(name)
            fits = type(value) is np.ndarray and (value.shape, value.dtype) == wanted
            found.append(value if fits else checked(name, ob, given))
        return found

    def run(self, inputs: Sequence[Any]) -> Values:
        """The same without checks, for loops that have checked already: inputs in order."""
        if self.plain:  # the usual case, and a step of a small model is no longer than the bookkeeping of groups
            return dict(zip(self.plain, self.function(*inputs), strict=True))
        outs = self.function(*flatten([*inputs]))
        return named(self.outputs, outs)

    def source(self, name: str = "f", doc: str = "", header: str = "", layout: Layout | None = None) -> str:
        """This program as a Python file that needs NumPy only."""
        names = [p.name if len(p.ob) == 1 else f"{p.name}.{k}" for p in self.inputs for k in range(len(p.ob))]
        return Printed(self.engine.source(self.diagram, name, names, doc, header, layout))


def named(ports: Sequence[Port], arrays: Sequence[Any]) -> Values:
    """Arrays, one a wire, by the names of ports."""
    groups = split(arrays, [p.ob for p in ports])
    return {p.name: g[0] if len(g) == 1 else g for p, g in zip(ports, groups, strict=True)}


def compile(closed: Para, backend: str | Backend = "auto", returned: Sequence[str] | None = None) -> Program:
    """The step of a closed parametric lens I → (O, I): its put, beside its observables.

    The step returns the parameters whose backward object equals their forward object (or those named in `returned`),
    and the state or key parameters that have an observable of the same name. What nothing returns is never computed.
    """
    closed = parametrized("what compile takes", closed)
    if not isinstance(closed.arrow, Lens) or len(closed.dom) or len(closed.cod):
        raise TypeMismatch(f"compile expects a closed lens I → I (model, loss, rate), got {closed.dom} → {closed.cod}; end it with a rate")
    names, params = closed.names, closed.params
    wanted = () if returned is None else checks.names("returned", returned)
    strange = [n for n in wanted if n not in names]
    if strange:
        raise UnknownParameter(f"the step cannot return '{strange[0]}'; this lens has: {listed(names)}")
    lens: Lens = closed.arrow
    kept = [i for i, p in enumerate(params) if (returns(p) if returned is None else names[i] in returned)]
    step = paired(lens, [p.ob for p in params], kept)
    seen = [(label, forward(ob)) for label, ob in closed.observables]
    inputs = tuple(Port(n, forward(p.ob), p.role) for n, p in zip(names, params, strict=True))
    outputs = [Port(names[i], forward(params[i].ob), params[i].role) for i in kept]
    writes = written(params, [label for label, _ in seen])
    outputs += [observed(label, ob, where, names, params) for (label, ob), where in zip(seen, writes, strict=True)]
    return Program(inputs, tuple(outputs), finished(unfold(step)), backend)


def paired(lens: Lens, objects: Sequence[Ty], kept: Sequence[int]) -> Diagram:
    """⟨put, get⟩ with only the wanted parameters given back."""
    spans = split(range(len(lens.put.cod)), [Ty(tuple(a for p in ob for a in p.bwd)) for ob in objects])
    atoms = [Ty((a,)) for a in forward(product(objects))]

    def body(*wires: Wire) -> Any:
        back = flatten(lens.put(*wires)) if kept else []
        return [back[w] for i in kept for w in spans[i]], lens.get(*wires)

    return trace(body, *atoms)


def observed(label: str, ob: Ty, where: int | None, names: Sequence[str], params: Sequence[Param]) -> Port:
    """An observable: it writes the state or key at a position, or it is reported."""
    if where is None:
        return Port(label, ob, Role.DATA)
    state = forward(params[where].ob)
    if state != ob:
        raise TypeMismatch(
            f"the {params[where].role.value} '{names[where]}' : {state} is written by an observable of type {ob}; "
            "what examples differ in has to be averaged first, with axis_mean"
        )
    return Port(names[where], ob, params[where].role)


def program(f: Para, backend: str | Backend = "auto", input_name: str = "input", output_name: str = "output") -> Program:
    """A parametric arrow as a program: its parameters and its input by name, its output and observables by name."""
    f = parametrized("what program takes", f)
    for name in (input_name, output_name):
        checks.path("the name of an input or output", name)
    names = unique([p.label for p in f.params])
    inputs = [Port(n, p.ob, p.role) for n, p in zip(names, f.params, strict=True)]
    inputs += [Port(input_name, f.dom)] if len(f.dom) else []
    outputs = [Port(output_name, f.cod)] if len(f.cod) else []
    outputs += [Port(label, ob) for label, ob in f.observables]
    return Program(tuple(inputs), tuple(outputs), finished(unfold(f.arrow)), backend)


def merged(old: Values, new: Mapping[str, Any]) -> Values:
    """Values with some of them replaced."""
    return {**old, **new}
