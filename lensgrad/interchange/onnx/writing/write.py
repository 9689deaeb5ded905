"""Programs as ONNX files: a model as it predicts, or a whole training step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lensgrad.cat.para import Para, parametrized
from lensgrad.core import checks
from lensgrad.core.checks import clean
from lensgrad.core.diagram import Diagram
from lensgrad.core.ty import Ty
from lensgrad.files.place import ready, write
from lensgrad.interchange.dtypes import Numbers
from lensgrad.interchange.onnx.writing.proto import message
from lensgrad.interchange.onnx.writing.sheet import Info, Net, Sheet, Value
from lensgrad.interchange.onnx.writing.words import dtype_of, shape_of, written
from lensgrad.program.compile import Port, Program, program
from lensgrad.program.values import by_name, checked

Wire = tuple[str, Any]  # a name and an atom
NEXT = "next/"  # before the name of an output that is the next value of an input


def write_onnx(what: Program | Para | Diagram, path: Any, values: Mapping[str, Any] | None = None) -> None:
    """Write a program as an ONNX file that any runtime runs: its inputs and outputs by name, in the shapes that it has.

    - `what`: a program, a parametric arrow P × A → B or an arrow, whose inputs are called x0, x1, … and its outputs y0, y1, ….
    - `path`: the file, ending in .onnx.
    - `values`: arrays by name for inputs that the file is to hold, such as weights; all inputs are open unless given.
    """
    goal = checks.file("path", path)
    ready(goal)
    known = by_name({} if values is None else values)
    write(goal, message(net(as_program(what), known), goal.stem))


def as_program(what: Any) -> Program:
    """What is written, with names for its inputs and outputs."""
    if isinstance(what, Program):
        return what
    if isinstance(what, Diagram):
        inputs = tuple(Port(f"x{k}", Ty((a,))) for k, a in enumerate(what.dom))
        return Program(inputs, tuple(Port(f"y{k}", Ty((a,))) for k, a in enumerate(what.cod)), what)
    return program(parametrized("what write_onnx takes", what))


def net(step: Program, values: Mapping[str, Any]) -> Net:
    """A program as a graph, with the values that are given inside it; an output of an input's name is that input's next value."""
    taken, known = set[str](), {p.name for p in step.inputs}
    inputs = [(p, wires(p.name, p.ob, taken)) for p in step.inputs]
    outputs = [wire for p in step.outputs for wire in wires(f"{NEXT}{p.name}" if p.name in known else p.name, p.ob, taken)]
    sheet = Sheet([*taken])
    given = [Value(sheet, name, dtype_of(atom), shape_of(atom)) for _, named in inputs for name, atom in named]
    found = written(step.diagram, given, sheet)
    for value, (name, atom) in zip(found, outputs, strict=True):
        sheet.called(value.wide(shape_of(atom)), name)
    held = {name: array for port, named in inputs if port.name in values for name, array in holding(port, named, values)}
    halves = frozenset(v.name for v in given if v.name in held and v.dtype == "bfloat16")
    ends = tuple(Info(name, dtype_of(atom), shape_of(atom)) for name, atom in outputs)
    return Net(tuple(v.info for v in given if v.name not in held), ends, tuple(sheet.scopes[0].nodes), {**held, **sheet.constants}, halves)


def holding(port: Port, named: Sequence[Wire], values: Mapping[str, Any]) -> list[tuple[str, Numbers]]:
    """The arrays that a file holds for an input, by the names of its wires."""
    found = checked(port.name, port.ob, values)
    parts: Sequence[Any] = found if len(port.ob) != 1 else (found,)
    return [(name, np.asarray(v)) for (name, _), v in zip(named, parts, strict=True)]


def wires(name: str, ob: Ty, taken: set[str]) -> list[Wire]:
    """The wires of an input or output with their types, under plain names that nothing else in the file has."""
    base = clean(name)
    wanted = [base] if len(ob) == 1 else [f"{base}.{k}" for k in range(len(ob))]
    return [(free(n, taken), a) for n, a in zip(wanted, ob, strict=True)]


def free(name: str, taken: set[str]) -> str:
    """A name that nothing has yet, which is taken now."""
    while name in taken:
        name += "_"
    taken.add(name)
    return name


__all__ = ["NEXT", "net", "write_onnx"]
