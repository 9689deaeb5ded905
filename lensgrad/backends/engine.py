"""The seam between programs and what runs them: four functions that every backend has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any, Protocol

import numpy as np

from lensgrad.backends import numpy as numpy_backend
from lensgrad.backends.loop import Loop
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import BadValue, listed

Runnable = Callable[..., tuple[Any, ...]]  # a function on arrays, one argument a wire
LANES = ("compiled", "packed", "off")


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
    """The reference: one step at a time.

    The parts of circuits that work row by row, and images of circuits in Smooth, run on `lanes`: "compiled" by the machine's
    C compiler where there is one, else "packed", 64 bits to a machine word; "off" is NumPy source alone. Circuits give the same
    to the last bit in all three, and their images to the rounding of sums.
    """

    lanes: str = "compiled"

    @property
    def process(self) -> tuple[int, int]:
        return 0, 1

    def gather(self, number: int) -> tuple[int, ...]:
        return (number,)

    def function(self, f: Diagram, rows: Sequence[int] = ()) -> Runnable:
        if self.lanes not in LANES:
            raise BadValue(f"circuits run on the lanes {listed(LANES)}, got {self.lanes!r}")
        if self.lanes == "off" or not numpy_backend.has_circuits(f):
            return numpy_backend.function(f)
        return import_module("lensgrad.backends.native.lanes").function(f, compiled=self.lanes == "compiled")

    def place(self, x: Any) -> Any:
        return x

    def fetch(self, x: Any) -> np.ndarray[Any, Any]:
        return np.asarray(x)

    def iterate(self, f: Diagram, loop: Loop) -> Iteration:
        return NumPySteps(f, loop, self)


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
    """JAX, imported when a program first asks for it: on its default device, or on a mesh of so many devices."""

    devices: int = 0

    @cached_property
    def layout(self) -> Any:
        return jax_loop().Layout(self.devices)

    @property
    def process(self) -> tuple[int, int]:
        return self.layout.process() if self.devices else (0, 1)

    def gather(self, number: int) -> tuple[int, ...]:
        return self.layout.gather(number) if self.process[1] > 1 else (number,)

    def function(self, f: Diagram, rows: Sequence[int] = ()) -> Runnable:
        return jax_loop().Whole(f, rows, self.layout)

    def place(self, x: Any) -> Any:
        return self.layout.kept(x)

    def fetch(self, x: Any) -> np.ndarray[Any, Any]:
        return np.asarray(x)

    def iterate(self, f: Diagram, loop: Loop) -> Iteration:
        return jax_loop().Steps(f, loop, self.layout)


BACKENDS: dict[str, Backend] = {"jax": Jax(), "numpy": NumPy()}


def backend(name: str | Backend) -> Backend:
    """What runs programs, by its name or as it is."""
    if hasattr(name, "process") and not isinstance(name, str):
        return name
    if not isinstance(name, str) or name not in BACKENDS:
        raise BadValue(f"'{name}' is no backend here; use one of {listed(sorted(BACKENDS))}")
    return BACKENDS[name]


def mesh(devices: int | None = None) -> Backend:
    """The JAX backend on a mesh of so many devices, all there are if not given: for `fit(…, backend=lg.mesh(8))`.

    Each batch is divided over the devices and the parameters are on every one of them; a batch that does not divide evenly
    is on all of them too. Training gives the same numbers as on one device, up to the order of sums. Over several processes
    each runs the same script, calls `jax.distributed.initialize` first, and feeds its devices with their part of the batch; the
    first of them prints, logs and writes checkpoints, and all of them read the checkpoint that a run goes on from.
    """
    return Jax(len(jax_loop().available(devices)))
