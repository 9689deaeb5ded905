# pyright: standard
# Not strict: JAX leaves the types of its functions open.
"""Whole steps in JAX: one program for a step, or one for many; where arrays live; sharding over devices and processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from lensgrad.backends.jax.table import JAX, host, is_wide, run, wide
from lensgrad.backends.loop import Loop, compiled_as_loop, steps_at_once
from lensgrad.backends.numpy import host as numpy_host
from lensgrad.backends.numpy import out_of_memory
from lensgrad.backends.table import Meanings
from lensgrad.core import checks
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import BadValue


class Layout:
    """Where arrays live: all of them on the default device, or on a mesh with the examples of a batch divided over it."""

    def __init__(self, devices: int = 0) -> None:
        self.devices = devices
        self.mesh = Mesh(np.array(available(devices)), ("examples",)) if devices else None

    def __reduce__(self) -> tuple[Any, ...]:
        return Layout, (self.devices,)

    def process(self) -> tuple[int, int]:
        """The number of this process among those whose devices are in the mesh, and how many they are."""
        owners = sorted({d.process_index for d in available(self.devices)})
        own = jax.process_index()
        return (owners.index(own) if own in owners else len(owners)), len(owners)

    def gather(self, number: int) -> tuple[int, ...]:
        """A number of 31 bits of each process of this run of JAX, which waits for all of them."""
        from jax.experimental.multihost_utils import process_allgather

        return tuple(map(int, process_allgather(np.array([number], np.int32)).ravel()))

    def whole(self) -> Any:
        """Every device has all of an array."""
        return None if self.mesh is None else NamedSharding(self.mesh, PartitionSpec())

    def divided(self, shape: Sequence[int], axis: int | None) -> Any:
        """Each device has its part of an axis, if there is one that can be divided evenly; all of the array otherwise."""
        if self.mesh is None or axis is None or shape[axis] % self.devices:
            return self.whole()
        return NamedSharding(self.mesh, PartitionSpec(*[None] * axis, "examples"))

    def place(self, x: Any, where: Any) -> Any:
        """An array where it belongs; each process gives the parts that are on its devices."""
        if where is None or (isinstance(x, jax.Array) and x.sharding == where):
            return x
        x = np.asarray(x)
        return jax.make_array_from_callback(x.shape, where, lambda index: x[index])

    def kept(self, x: Any) -> Any:
        """An array of the library's own, on every device."""
        if isinstance(x, jax.Array) and self.mesh is None:
            return x
        with precision(np.asarray(x).dtype.itemsize == 8):
            return jnp.array(x) if self.mesh is None else self.place(x, self.whole())


def precision(is_wide: bool) -> AbstractContextManager[Any]:
    """64-bit numbers where they are wanted; nothing outside changes."""
    return wide() if is_wide else nullcontext()


def within_memory(f: Diagram, call: Callable[[], Any]) -> Any:
    """What a call gives that runs `f`, with arrays that are too large for the device as an error of this library."""
    try:
        return call()
    except jax.errors.JaxRuntimeError as wrong:
        if "RESOURCE_EXHAUSTED" not in str(wrong):
            raise
        raise out_of_memory(f) from None


def available(devices: int | None) -> list[Any]:
    """So many devices, of all processes, or all that there are; an error where there are fewer."""
    found = jax.devices()
    devices = len(found) if devices is None else devices
    if not checks.is_whole(devices) or not 0 < devices <= len(found):
        told = f"a mesh of {checks.shown(devices)} devices is asked for, and JAX has {len(found)} of kind {found[0].platform}"
        hint = "for virtual ones on a processor set XLA_FLAGS=--xla_force_host_platform_device_count=8 before JAX is imported"
        raise BadValue(f"{told}: ask for 1 to {len(found)}; {hint}")
    return found[: int(devices)]


def examples(f: Diagram, rows: Sequence[int]) -> list[int]:
    """Of the inputs that are data, those that have the axis of examples in front: all, if they agree on its length."""
    sizes = {f.dom[i].shape[:1] for i in rows if hasattr(f.dom[i], "shape")}
    return list(rows) if len(sizes) == 1 and () not in sizes else []


def taken(f: Diagram, xs: Sequence[Any]) -> list[Any]:
    """Arrays as NumPy carries them, as JAX does: the same but for dtypes that NumPy lacks."""
    return [x.astype(host(a)[1]) for x, a in zip(xs, f.dom, strict=True)]


def given(f: Diagram, xs: Sequence[Any]) -> list[Any]:
    """Arrays as NumPy carries them."""
    return [x.astype(numpy_host(a)[1]) for x, a in zip(xs, f.cod, strict=True)]


class Whole:
    """An arrow as one program: a function on arrays that keeps none and changes none."""

    def __init__(self, f: Diagram, rows: Sequence[int], layout: Layout, table: Meanings = JAX) -> None:
        self.f, self.rows, self.layout, self.table = f, tuple(rows), layout, table
        self.split, self.wide = examples(f, rows), is_wide(f)

    def __deepcopy__(self, _: Any) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return Whole, (self.f, self.rows, self.layout, self.table)

    @cached_property
    def compiled(self) -> Any:
        f, table = self.f, self.table
        return jax.jit(lambda *xs: tuple(given(f, run(f, taken(f, xs), table))), out_shardings=self.layout.whole())

    def placed(self, xs: Sequence[Any]) -> list[Any]:
        """Arrays where they belong."""
        return [self.layout.place(x, self.layout.divided(np.shape(x), 0 if i in self.split else None)) for i, x in enumerate(xs)]

    def __call__(self, *xs: Any) -> tuple[Any, ...]:
        with precision(self.wide):
            # Waited for, as who calls reads what comes out at once: errors of the device are met here.
            return within_memory(self.f, lambda: jax.block_until_ready(self.compiled(*self.placed(xs))))

    def text(self, *xs: Any) -> str:
        """The compiled program, as XLA writes it."""
        with precision(self.wide):
            return self.compiled.lower(*self.placed(xs)).compile().as_text()


class Steps:
    """A step as the body of a loop, compiled: once for any number of steps, so that a run cut in other places is the same to the bit.

    From step to step the buffers of states are used again; those that are given stay as they are, so that a run can go back.
    """

    def __init__(self, f: Diagram, loop: Loop, layout: Layout, table: Meanings = JAX) -> None:
        self.f, self.loop, self.layout, self.table = f, loop, layout, table
        self.most = steps_at_once(f, loop)
        self.one_program = compiled_as_loop(f, loop)
        self.split, self.wide = examples(f, loop.rows), is_wide(f)

    def __deepcopy__(self, _: Any) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return Steps, (self.f, self.loop, self.layout, self.table)

    def once(self, states: Any, fixed: Any, rows: Any) -> tuple[Any, Any]:
        """The states after one step, and what was observed."""
        outs = run(self.f, taken(self.f, self.loop.inputs(states, fixed, rows)), self.table)
        states, seen = self.loop.outputs(given(self.f, outs))
        return tuple(states), tuple(seen)

    def many(self, states: Any, fixed: Any, rows: Any, n: Any) -> tuple[Any, Any]:
        """n steps as one program; the rows may be more, and so is what is observed.

        A small step costs as much as it has operations: the number of the step is unsigned, so that no index is asked whether it is
        negative, and whether what was observed is finite is asked of all steps together, by who reads it.
        """
        atoms = [numpy_host(self.f.cod[o]) for o in self.loop.seen]
        stacks = tuple(jnp.zeros((self.most, *shape), dtype) for shape, dtype in atoms)

        def body(at: Any, carry: Any) -> Any:
            states, stacks = carry
            states, seen = self.once(states, fixed, [lax.dynamic_index_in_dim(r, at, keepdims=False) for r in rows])
            return states, tuple(lax.dynamic_update_index_in_dim(s, v, at, 0) for s, v in zip(stacks, seen, strict=True))

        return lax.fori_loop(jnp.uint32(0), n, body, (states, stacks))

    @cached_property
    def looped(self) -> Any:
        return jax.jit(self.many, out_shardings=self.layout.whole())

    @cached_property
    def single(self) -> Any:
        return jax.jit(self.once, donate_argnums=0, out_shardings=self.layout.whole())

    def run(self, states: Sequence[Any], fixed: Sequence[Any], rows: Sequence[Any], n: int) -> tuple[list[Any], list[Any]]:
        """The states after n ≤ `most` steps, and what was observed: a row a step."""
        with precision(self.wide):
            return within_memory(self.f, lambda: self.waited(tuple(states), tuple(fixed), rows, n))

    def waited(self, states: Any, fixed: Any, rows: Sequence[Any], n: int) -> tuple[list[Any], list[Any]]:
        """The same, with what was observed in NumPy: errors of the steps are met here at the latest."""
        after, seen = (self.in_one if self.one_program else self.one_by_one)(states, fixed, rows, n)
        return list(after), [np.asarray(v)[:n] for v in seen]

    def in_one(self, states: Any, fixed: Any, rows: Sequence[Any], n: int) -> Any:
        """One call; rows are filled up to the length that the program is compiled for."""
        return self.looped(states, fixed, tuple(self.stacked(i, r) for i, r in zip(self.loop.rows, rows, strict=True)), np.uint32(n))

    def stacked(self, wire: int, rows: Any) -> Any:
        """The rows of all steps as one array."""
        if len(rows) < self.most:
            rows = np.concatenate([rows, np.zeros((self.most - len(rows), *np.shape(rows)[1:]), rows.dtype)])
        return self.layout.place(rows, self.layout.divided(np.shape(rows), 1 if wire in self.split else None))

    def one_by_one(self, states: Any, fixed: Any, rows: Sequence[Any], n: int) -> Any:
        """A call for each step; nothing is waited for in between."""
        states, seen = copied(states), list[Any]()
        axes = [0 if i in self.split else None for i in self.loop.rows]
        places = [self.layout.divided(np.shape(r)[1:], axis) for axis, r in zip(axes, rows, strict=True)]
        for at in range(n):
            states, found = self.single(states, fixed, tuple(self.layout.place(r[at], p) for r, p in zip(rows, places, strict=True)))
            seen.append(found)
        return states, [np.stack([np.asarray(v) for v in column]) for column in zip(*seen, strict=True)]


@jax.jit
def copied(xs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The same arrays in other buffers."""
    return tuple(map(jnp.copy, xs))


__all__ = ["Layout", "Steps", "Whole", "available"]
