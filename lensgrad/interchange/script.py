"""A trained model as a Python file that needs NumPy and safetensors only, with its weights in a file beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from textwrap import indent
from typing import Any

from lensgrad.backends import numpy as numpy_backend
from lensgrad.backends.numpy import host
from lensgrad.backends.source import Module, identifier, quoted
from lensgrad.interchange.sizes import AXIS, linear, refused, together
from lensgrad.program.compile import Port, Program

NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![\w.])")
ROWS = 1024  # examples at once, as run.predict takes them

FILE = '''"""{header}"""

import functools
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

{helpers}@functools.lru_cache(maxsize=8)
def program({axis}):
    """The model on {axis} examples."""
{body}
    return model


WEIGHTS = load_file(Path(__file__).with_suffix(".safetensors"))
ARGUMENTS = {arguments}
INPUTS = {inputs}
OUTPUTS = {outputs}
ROWS = {rows}


def predict(x):
    """What the model gives for the rows of x: {told}."""
    given = x if isinstance(x, dict) else {{name: x for name in INPUTS}}
    arrays = {{name: rows(name, given[name]) for name in INPUTS}}
    n = min(len(a) for a in arrays.values())
    if any(len(a) != n for a in arrays.values()):
        raise ValueError("all inputs must have equally many rows, got " + ", ".join(f"{{len(a)}}" for a in arrays.values()))
    parts = [run({{name: a[k:k + ROWS] for name, a in arrays.items()}}) for k in range(0, max(n, 1), ROWS)]
    found = [np.concatenate(column) for column in zip(*parts)]
    return found[0] if len(OUTPUTS) == 1 else dict(zip(OUTPUTS, found))


def rows(name, x):
    """An input, checked to be rows of the shape that the model takes."""
    shape, dtype = INPUTS[name]
    x = np.asarray(x)
    if x.shape[1:] != shape or x.ndim != len(shape) + 1:
        raise ValueError(f"{{name!r}} must be rows of shape {{shape}}, got an array of shape {{x.shape}}: one row is x[None]")
    return x.astype(dtype)


def run(arrays):
    """The model on some rows."""
    n = len(next(iter(arrays.values())))
{fixed}    known = {{**WEIGHTS, **arrays}}
    return [np.asarray(y) for y in program(n)(*(known[name] for name in ARGUMENTS))]


if __name__ == "__main__":
    # python thisfile.py in.npy out.npy; .npz files where there are several inputs or outputs, each by its name.
    source, target = sys.argv[1:]
    found = predict(dict(np.load(source)) if source.endswith(".npz") else np.load(source))
    np.savez(target, **found) if isinstance(found, dict) else np.save(target, found)
'''
FIXED = """    if n != {n}:
        raise ValueError(f"this file takes {n} rows at a time, got {{n}}")
"""


def module(step: Program) -> Module:
    """The model on a fixed number of examples, as source."""
    names = [name for port in step.inputs for name in wires(port)]
    names = [f"{name}_" if identifier(name) == AXIS else name for name in names]
    return numpy_backend.module(step.diagram, "model", names)


def wires(port: Port) -> list[str]:
    """The names of the arrays of an input or output."""
    return [port.name] if len(port.ob) == 1 else [f"{port.name}.{k}" for k in range(len(port.ob))]


def body(made: Module) -> str:
    """Constants and functions of a file."""
    constants = [f"{name} = {code}  # {told}" for (code, told), name in made.constants.items()]
    return "\n\n".join(["\n".join(constants), *made.functions] if constants else made.functions)


def for_any(texts: Sequence[str]) -> str:
    """One text for any number of examples, from three for fixed numbers."""
    if len({NUMBER.sub("0", t) for t in texts}) > 1:
        raise refused("the program")
    found = [sized(words) for words in together([NUMBER.findall(t) for t in texts])]
    numbers = iter(found)
    return NUMBER.sub(lambda _: next(numbers), texts[0])


def sized(words: Sequence[str]) -> str:
    """A number of three programs as one, or as an expression in N."""
    if len(set(words)) == 1:
        return words[0]
    if not all(w.isdigit() for w in words):
        raise refused("a number")
    form = str(linear("a number", [int(w) for w in words]))
    return form if form == AXIS else f"({form})"


def script(steps: Sequence[Program], inputs: Sequence[str], outputs: Sequence[str], header: str) -> str:
    """The file: of three programs for any number of examples, or of one for its own number.

    - `steps`: the program that predicts, for each number of examples.
    - `inputs`: the names of what it takes from the user; everything else is a weight.
    - `outputs`: a name for each array that it gives.
    - `header`: what the file says of itself.
    """
    modules, (first, *_) = [module(s) for s in steps], steps
    text = for_any([body(m) for m in modules]) if len(steps) > 1 else body(modules[0])
    helpers = "".join(f"{t}\n\n\n" for t in modules[0].helpers.texts())
    takes = {p.name: host(p.ob[0]) for p in first.inputs if p.name in inputs}
    n = next(iter(takes.values()))[0][0]
    known: dict[str, Any] = {name: (shape[1:], dtype.name) for name, (shape, dtype) in takes.items()}
    told = "an array, or a dict of arrays by name" if len(takes) > 1 else "an array with a row for each example"
    return FILE.format(
        header=quoted(header), helpers=helpers, axis=AXIS, body=indent(text, "    "), rows=ROWS if len(steps) > 1 else n, told=told,
        arguments=[name for p in first.inputs for name in wires(p)], inputs=known, outputs=list(outputs),
        fixed="" if len(steps) > 1 else FIXED.format(n=n),
    )  # fmt: skip
