"""Any wire of a learner on a batch, forward or cotangent, by name: computed when it is read."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from lensgrad.backends.engine import NumPy
from lensgrad.core import checks
from lensgrad.core.diagram import flatten
from lensgrad.core.errors import BadValue, UnknownParameter, listed
from lensgrad.core.printed import brief, counted
from lensgrad.data.arrays import count
from lensgrad.data.check import check_values
from lensgrad.data.source import ArraySource, source
from lensgrad.learn.batching import batch as batched
from lensgrad.learn.loss_scale import LABEL as LOSS_SCALE
from lensgrad.learn.tasks import reduced
from lensgrad.program.loops import Inside, loops
from lensgrad.program.taps import Numbers, Tapped, tapped
from lensgrad.program.values import checked
from lensgrad.theories.smooth.array import Array
from lensgrad.train.advice import forms
from lensgrad.train.record import Record

SHOWN = 6  # names that the text of some wires tells
Values = Mapping[str, Any]


class Wires(Mapping[str, "np.ndarray[Any, np.dtype[Any]]"]):
    """The wires of a task on a batch by name: `wires["encoder/out"]`, and `wires.cotangent["encoder/out"]` for what flows back there.

    Names are those of parameters and data, `layer/out` and `layer/in` for what a layer gives and takes, `layer/add` for what a generator
    makes in it, `task/…` for what stands in no layer, and the labels of what is reported. `lstm/loop/tanh` is what a generator makes in the
    body of a loop, and `lstm/loop/carry` what goes round: of all steps, one above the other. A cotangent is the gradient of the loss of the
    batch at that wire (with a loss scale: times it). Each is computed when it is first read, in NumPy, and kept.
    """

    def __init__(self, numbers: Numbers, names: Mapping[str, int], examples: int, back: bool = False) -> None:
        self._numbers, self._names, self._examples, self._back = numbers, names, examples, back

    @property
    def cotangent(self) -> Wires:
        """The same for what flows back: the wires that a gradient reaches, by the same names."""
        back = self._numbers.tapped.back
        return Wires(self._numbers, {n: back[w] for n, w in self._names.items() if w in back}, self._examples, True)

    @cached_property
    def _inner(self) -> dict[str, tuple[Inside, int]]:
        """The wires of loops, which stand in them by number."""
        found = dict[str, tuple[Inside, int]]()
        for loop in loops(self._numbers):
            back = loop.tapped.back
            if self._back and loop.back is None:
                continue
            mine = {n: back[w] for n, w in loop.names.items() if w in back} if self._back else loop.names
            found |= {n: (loop, w) for n, w in mine.items() if n not in self._names}
        return found

    def __getitem__(self, name: str) -> np.ndarray[Any, np.dtype[Any]]:
        if not isinstance(name, str) or name not in self:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise unknown(name, [*self], "gradient flows back at" if self._back else "wire is called")
        shown = self._found(name).view()
        shown.flags.writeable = False
        return shown

    def _found(self, name: str) -> np.ndarray[Any, np.dtype[Any]]:
        if name in self._names:
            return self._numbers.at(self._names[name])
        loop, wire = self._inner[name]
        return loop.stacked(wire)

    def __iter__(self) -> Iterator[str]:
        yield from self._names
        yield from self._inner

    def __len__(self) -> int:
        return len(self._names) + len(self._inner)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (name in self._names or name in self._inner)

    def __repr__(self) -> str:
        what = "cotangents" if self._back else "wires"
        return f"<{len(self)} {what} on {counted(self._examples, 'example')}: {', '.join(map(brief, [*self][:SHOWN]))}, …>"


def unknown(name: Any, names: Collection[str], what: str) -> UnknownParameter:
    """The error for a name that no wire has, with the nearest ones."""
    shown = f"'{brief(checks.clean(name), checks.SHOWN)}'" if isinstance(name, str) else checks.shown(name)
    layer = str(name).rpartition("/")[0]
    within = inside(layer, names)
    if not names:
        return UnknownParameter(f"no {what} {shown}, nor at anything else here")
    there = f"; in '{checks.clean(layer)}' there are {listed(within)}" if within else f"; there are {listed([*names][:SHOWN])}, …"
    return UnknownParameter(f"no {what} {shown}{checks.nearest(name, list(names)) or there}")


def inside(layer: str, names: Collection[str]) -> list[str]:
    """Some of the wires of a layer."""
    return [n for n in names if layer and n.startswith(f"{layer}/")][:SHOWN]


def rows_of(learner: Record, data: Any) -> dict[str, Any]:
    """A batch as arrays by name: a pair (x, y), a dict, or a data set; labels and tokens are what `fit` takes."""
    found = source(one_row(learner, data) if checks.is_dict(data) else data, learner.ports)
    if not isinstance(found, ArraySource):
        raise BadValue(f"a batch is a pair ({', '.join(learner.ports)}) of arrays or a dict of them, got {type(data).__name__}")
    rows = {n: v for n, v in found.arrays.items() if n in learner.task.names}
    forms(learner, rows)
    check_values(rows, learner.kinds(), learner.ranges())
    return rows


def one_row(learner: Record, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """One unbatched example, as a step without batches takes it, as a batch of one; a batch as it is."""
    alone = all(n in data and np.shape(data[n]) == getattr(a, "shape", None) for n, a in learner.examples().items())
    return {n: np.asarray(v)[None] for n, v in data.items()} if alone else data


def task_of(learner: Record, n: int) -> Tapped:
    """The task of a learner on n examples with all its wires, made once."""
    return learner.kept(("tapped", n), lambda: tapped(reduced(batched(learner.task, n), learner.reduction)))


def numbers_of(learner: Record, values: Values, rows: Values, engine: NumPy | None = None) -> Numbers:
    """All wires of a learner at these values and on this batch, of which none is computed yet."""
    found = task_of(learner, count(rows))
    held = [checked(name, p.ob, {**values, **rows}) for name, p in zip(found.task.names, found.task.params, strict=True)]
    arrays = flatten(held)
    scale = np.asarray(values.get(LOSS_SCALE, 1.0))
    seeds = [np.full(a.shape, scale, a.dtype) for a in found.types[len(arrays) : found.inputs] if isinstance(a, Array)]
    return Numbers(found, [*arrays, *seeds], NumPy() if engine is None else engine)


def wires_of(learner: Record, values: Values, data: Any, engine: NumPy | None = None) -> Wires:
    """The wires of a learner at these values and on this batch."""
    checks.instance("values", values, Mapping, "a dict by name, as run.values is")
    rows = rows_of(learner, data)
    numbers = numbers_of(learner, values, rows, engine)
    return Wires(numbers, numbers.tapped.names, count(rows))


__all__ = ["Wires", "numbers_of", "rows_of", "task_of", "wires_of"]
