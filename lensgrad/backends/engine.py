"""The seam between programs and what runs them: four functions that every backend has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from types import MappingProxyType
from typing import Any, Protocol, Self

import numpy as np

from lensgrad.backends import numpy as numpy_backend
from lensgrad.backends.loop import Loop
from lensgrad.backends.source import Layout
from lensgrad.backends.table import Meanings
from lensgrad.core import checks
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import BadValue, listed
from lensgrad.core.op import Op

Runnable = Callable[..., tuple[Any, ...]]  # a function on arrays, one argument a wire
NONE = Meanings("JAX")
IN_C = Meanings("native")
LANES = ("compiled", "packed")
Lines = Mapping[type[Op], Any]  # generators, and what they mean in one backend


class Iteration(Protocol):
    """A step as the body of a loop, ready to run up to `most` times."""

    @property
    def most(self) -> int: ...
    @property
    def loop(self) -> Loop: ...

    def run(self, states: Sequence[Any], fixed: Sequence[Any], rows: Sequence[Any], n: int) -> tuple[list[Any], list[Any]]:
        """The states after n steps, and what was observed with one row a step.

        `rows` have one row a step. Nothing that is given is changed.
        """
        ...


class Backend(Protocol):
    """What runs programs. Backends are values: equal ones run alike, and a program compiles once for each."""

    @property
    def process(self) -> tuple[int, int]:
        """The number of this process among those that run one program together, and how many they are: (0, 1) for one alone."""
        ...

    def gather(self, number: int) -> tuple[int, ...]:
        """A small number of each of those processes; whoever asks waits for all of them."""
        ...

    def function(self, f: Diagram, rows: Sequence[int] = ()) -> Runnable:
        """`f` as a function on arrays; the wires `rows` are data, whose leading axis may be that of examples."""
        ...

    @property
    def holds(self) -> bool:
        """Whether data that is the same at every step is best given once, and not with each of them."""
        ...

    @property
    def table(self) -> Meanings:
        """What each generator means in it."""
        ...

    def extended(self, lines: Lines) -> Backend:
        """The same backend with the meanings of further generators: `backend("numpy").extended({Cube: "{0} ** 3"})`."""
        ...

    def source(self, f: Diagram, name: str, inputs: Sequence[str], doc: str = "", header: str = "", layout: Layout | None = None) -> str:
        """`f` as a Python file that needs NumPy only; `layout` says what its lines are called, where people read them."""
        ...

    def reference(self) -> NumPy:
        """NumPy alone, with the meanings that this backend has there."""
        ...

    def place(self, x: Any) -> Any:
        """An array where programs of this backend keep theirs."""
        ...

    def fetch(self, x: Any) -> np.ndarray[Any, Any]:
        """An array as NumPy's."""
        ...

    def iterate(self, f: Diagram, loop: Loop) -> Iteration:
        """`f` as the body of a loop."""
        ...


@dataclass(frozen=True)
class NumPy:
    """The reference: NumPy source, one step at a time. `table` says what each generator means."""

    table: Meanings = numpy_backend.NUMPY

    @property
    def holds(self) -> bool:
        return True

    @property
    def process(self) -> tuple[int, int]:
        return 0, 1

    def gather(self, number: int) -> tuple[int, ...]:
        return (number,)

    def function(self, f: Diagram, rows: Sequence[int] = ()) -> Runnable:
        return numpy_backend.function(f, table=self.table)

    def extended(self, lines: Lines) -> Self:
        return replace(self, table=self.table.extended(lines))

    def source(self, f: Diagram, name: str, inputs: Sequence[str], doc: str = "", header: str = "", layout: Layout | None = None) -> str:
        return numpy_backend.source(f, name, inputs, doc, header, self.table, layout)

    def reference(self) -> NumPy:
        return NumPy(self.table)

    def place(self, x: Any) -> Any:
        return x

    def fetch(self, x: Any) -> np.ndarray[Any, Any]:
        return np.asarray(x)

    def iterate(self, f: Diagram, loop: Loop) -> Iteration:
        return NumPySteps(f, loop, self)


@dataclass(frozen=True)
class Native(NumPy):
    """C: a program as a whole, compiled by the machine's compiler; circuits on lanes, and then NumPy for the rest of their program.

    The `lanes` of circuits are "compiled" too where there is a C compiler, else, or if asked for, "packed", 64 bits to a
    machine word; then nothing is compiled. Circuits give the same as in NumPy alone to the last bit, everything else to the rounding of
    sums. `own` holds what further generators mean in C.
    """

    lanes: str = "compiled"
    own: Meanings = IN_C

    def __post_init__(self) -> None:
        checks.one_of("lanes", self.lanes, LANES)

    def function(self, f: Diagram, rows: Sequence[int] = ()) -> Runnable:
        return native("running").Once(f, self.meanings, rows) if self.compiles(f) else self.plain(f)

    def iterate(self, f: Diagram, loop: Loop) -> Iteration:
        return native("running").Steps(f, loop, self.meanings) if self.compiles(f) else NumPySteps(f, loop, self)

    def plain(self, f: Diagram) -> Runnable:
        """`f` in NumPy, circuits on lanes."""
        if not numpy_backend.has_circuits(f):
            return numpy_backend.function(f, table=self.table)
        return native("lanes").function(f, self.lanes == "compiled", self.table)

    def compiles(self, f: Diagram) -> bool:
        """Whether a program is one for C: not one of circuits, nor one with a generator that means something in NumPy only."""
        return self.lanes == "compiled" and not numpy_backend.has_circuits(f) and not native("choice").foreign(f, self.table, self.own)

    def in_c(self, lines: Lines) -> Self:
        """The same backend with what further generators mean in C, as a formula: `in_c({Cube: "{0} * {0} * {0}"})`."""
        return replace(self, own=self.own.extended(lines))

    @property
    def meanings(self) -> Meanings:
        """What each generator means in C."""
        return import_module("lensgrad.backends.native.meanings.table").NATIVE.extended(self.own)


@dataclass(frozen=True)
class Auto(Native):
    """What suits a program and how often it runs: C where that is worth compiling, else NumPy. Circuits run on lanes in any case.

    `lensgrad.program.choice` decides, once for each program of a run; where nobody knows how often a program runs it is NumPy.
    """

    def compiles(self, f: Diagram) -> bool:
        return False

    @property
    def compiled(self) -> Native:
        """What runs a program that is, and circuits."""
        return Native(self.table, self.lanes, self.own)


def named(runs: Backend) -> str:
    """The name of what runs programs; empty where it is not of this library."""
    names = ((Auto, "numpy"), (Native, "native"), (NumPy, "numpy"), (Jax, "jax"))
    return next((name for kind, name in names if isinstance(runs, kind)), "")


def native(part: str) -> Any:
    """A part of the native backend, imported when first asked for."""
    return import_module(f"lensgrad.backends.native.{part}")


@dataclass(frozen=True)
class NumPySteps:
    """A step as the body of a loop in Python."""

    f: Diagram
    loop: Loop
    engine: NumPy
    most: int = 1

    @cached_property
    def function(self) -> Runnable:
        return self.engine.function(self.f)

    def __deepcopy__(self, _: Any) -> Self:
        return self

    def run(self, states: Sequence[Any], fixed: Sequence[Any], rows: Sequence[Any], n: int) -> tuple[list[Any], list[Any]]:
        now, seen = list(states), list[list[Any]]()
        # Whoever reads what was observed tells where a number left the finite ones, which is more than NumPy's warnings say.
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            for at in range(n):
                now, found = self.loop.outputs(self.function(*self.loop.inputs(now, fixed, [r[at] for r in rows])))
                seen.append(found)
        return now, [np.stack(column) for column in zip(*seen, strict=True)]


def jax_loop() -> Any:
    """What runs programs on JAX, imported when first asked for."""
    import_module("lensgrad.backends.jax.table")  # first, because it says what to install where JAX is missing
    return import_module("lensgrad.backends.jax.loop")


@dataclass(frozen=True)
class Jax:
    """JAX, imported when a program first asks for it: on its default device, or on a mesh of so many devices.

    `own` holds what generators mean that the table of the library lacks, or means otherwise.
    """

    devices: int = 0
    own: Meanings = NONE

    def __reduce__(self) -> tuple[Any, ...]:
        return Jax, (self.devices, self.own)

    @cached_property
    def layout(self) -> Any:
        return jax_loop().Layout(self.devices)

    @property
    def holds(self) -> bool:
        return False  # each batch is divided over the devices, and what is held is on all of them

    @property
    def process(self) -> tuple[int, int]:
        return self.layout.process() if self.devices else (0, 1)

    def gather(self, number: int) -> tuple[int, ...]:
        return self.layout.gather(number) if self.process[1] > 1 else (number,)

    def function(self, f: Diagram, rows: Sequence[int] = ()) -> Runnable:
        return jax_loop().Whole(f, rows, self.layout, self.table)

    @property
    def table(self) -> Meanings:
        """What each generator means."""
        return import_module("lensgrad.backends.jax.table").JAX.extended(self.own)

    def extended(self, lines: Lines) -> Self:
        return replace(self, own=self.own.extended(lines))

    def source(self, f: Diagram, name: str, inputs: Sequence[str], doc: str = "", header: str = "", layout: Layout | None = None) -> str:
        return self.reference().source(f, name, inputs, doc, header, layout)

    def reference(self) -> NumPy:
        return NumPy()

    def place(self, x: Any) -> Any:
        return self.layout.kept(x)

    def fetch(self, x: Any) -> np.ndarray[Any, Any]:
        return np.asarray(x)

    def iterate(self, f: Diagram, loop: Loop) -> Iteration:
        return jax_loop().Steps(f, loop, self.layout, self.table)


# Every name, here only.
BACKENDS: Mapping[str, Backend] = MappingProxyType({"auto": Auto(), "jax": Jax(), "native": Native(), "numpy": NumPy()})


def backend(name: str | Backend) -> Backend:
    """What runs programs, by its name or as it is."""
    if hasattr(name, "process") and not isinstance(name, str | type):
        return name
    if not isinstance(name, str) or name not in BACKENDS:
        given = checks.clean(name) if isinstance(name, str) else checks.shown(name)
        raise BadValue(f"'{given}' is no backend here; use one of {listed(sorted(BACKENDS))}{checks.nearest(name, BACKENDS)}")
    return BACKENDS[name]


def installed() -> tuple[Backend, ...]:
    """Everything here that runs programs, the reference first: NumPy, circuits on both kinds of lanes, and JAX where it is installed."""
    from importlib.util import find_spec

    return (NumPy(), Native(), Native(lanes="packed"), *((Jax(),) if find_spec("jax") is not None else ()))


def mesh(devices: int | None = None) -> Backend:
    """The JAX backend on a mesh of so many devices, all there are if not given: for `fit(…, backend=lg.mesh(8))`.

    Each batch is divided over the devices and the parameters are on every one of them; a batch that does not divide evenly
    is on all of them too. Training gives the same numbers as on one device, up to the order of sums. Over several processes
    each runs the same script, calls `jax.distributed.initialize` first, and feeds its devices with their part of the batch; the
    first of them prints, logs and writes checkpoints, and all of them read the checkpoint that a run goes on from.
    """
    return Jax(len(jax_loop().available(devices)))
