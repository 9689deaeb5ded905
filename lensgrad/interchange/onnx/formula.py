"""The graph of an ONNX file written as a formula: node by node, at one site."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from lensgrad.core.errors import BadCheckpoint, LensgradError, OutOfMemory
from lensgrad.core.graph import Wire
from lensgrad.interchange.dtypes import Numbers
from lensgrad.interchange.imported import Site, is_half
from lensgrad.interchange.onnx import control, functions, loops, meanings, sequences
from lensgrad.interchange.onnx.attributes import value as attribute
from lensgrad.interchange.onnx.call import Call, Known, Unsupported
from lensgrad.interchange.onnx.file import LARGEST, home, short
from lensgrad.interchange.onnx.fold import folded
from lensgrad.interchange.onnx.narrow import narrowed
from lensgrad.interchange.onnx.scope import Held, Item, Met, Scope, Source, told, wire_of

WRONG = (TypeError, ValueError, IndexError, KeyError, AttributeError, ArithmeticError)  # what attributes of a wrong kind raise

STATISTICS = {"BatchNormalization": (3, 4)}  # inputs that are means and variances of data
CONTROL = {**control.TABLE, **loops.TABLE, **sequences.TABLE}


def floating(array: Numbers) -> bool:
    """Whether an array is of floats."""
    return np.issubdtype(array.dtype, np.floating) or is_half(array)


class Writer:
    """Writes the nodes of a file at one site."""

    def __init__(self, source: Source, site: Site) -> None:
        self.source, self.site = source, site

    def at(self, site: Site) -> Writer:
        """The same for another site, that of a formula inside this one."""
        return Writer(self.source, site)

    def weight(self, name: str, array: Numbers) -> Held:
        """An initializer: a weight where it is of floats, has axes and is not frozen; else a constant."""
        if self.source.frozen or not floating(array) or not array.ndim:
            return self.constant(name, array)
        return Held(array, lambda: self.site.weight(self.source.label(name), array), True)

    def constant(self, name: str, array: Numbers) -> Held:
        """A fixed array of the file."""
        return Held(array, lambda: self.site.constant(self.source.label(name), array))

    def graph(self, graph: Any, scope: Scope) -> None:
        """All values of a graph whose inputs are in the scope."""
        if len(graph.sparse_initializer):
            raise Unsupported(f"{self.source.file.what} has sparse tensors, which have no meaning here")
        for proto in graph.initializer:
            if proto.name not in scope.values or proto.name not in {v.name for v in graph.input}:
                name = scope.stored + proto.name
                scope.define(proto.name, self.weight(name, self.source.tensor(name, proto)))
        self.nodes(graph.node, scope)

    def nodes(self, nodes: Sequence[Any], scope: Scope) -> None:
        """The values of nodes, each after those that it reads."""
        for index, node in enumerate(nodes):
            self.source.spend()
            results = self.results(node, index, scope)
            wanted = max((k + 1 for k, name in enumerate(node.output) if name), default=0)
            if len(results) < wanted:
                raise Unsupported(f"{told(node)} gives {len(results)} results here, and {wanted} are asked for")
            for name, result in zip(node.output, results, strict=False):
                if name:
                    scope.define(name, bearable(told(node), result))

    def results(self, node: Any, index: int, scope: Scope) -> Sequence[Item]:
        """The results of a node."""
        met = Met(node, index, tuple(scope.find(name, told(node)) if name else None for name in node.input), scope)
        if functions.is_local(self, met):
            return functions.local(self, met)
        if met.domain not in scope.versions:
            raise BadCheckpoint(f"{met.what} is of the domain '{short(met.domain)}', whose version the file does not say: it is damaged")
        reading = CONTROL.get(met.operator)
        if reading is not None:
            return fitting(met, lambda: reading(self, met))
        known = self.computed(met)
        return narrowed(met, self.meant(met)) if known is None else known

    def computed(self, met: Met) -> list[Item] | None:
        """The results of a node where the file gives all its inputs; None otherwise."""
        arrays = {name: v.array for name, v in zip(met.node.input, met.inputs, strict=True) if isinstance(v, Known)}
        if not met.inputs or len(arrays) < len({name for name in met.node.input if name}):
            return None
        found = self.source.once(met.place, lambda: self.source.hold(folded(met.node, met.scope.versions, arrays, met.what), met.what))
        if found is None:
            return None
        trained = any(isinstance(v, Held) and v.trained for v in met.inputs)

        @cache
        def wires() -> Sequence[Item]:
            return self.meant(met)

        return [self.held(met.name(k), y, trained, wires, k) for k, y in enumerate(found)]

    def held(self, name: str, array: Numbers, trained: bool, wires: Callable[[], Sequence[Item]], k: int) -> Held:
        """A computed array: fixed, or made of weights on wires where one is asked for."""
        if not trained or not floating(array):
            return self.constant(name, array)
        return Held(array, lambda: wire_of(wires()[k], short(name)), True)

    def settled(self, met: Met) -> Met:
        """The same node, its statistics constants whatever gives them: they are measured, not trained."""
        places = STATISTICS.get(met.operator, ())
        if not any(isinstance(v, Held) and v.trained for k, v in enumerate(met.inputs) if k in places):
            return met
        names = [met.scope.stored + name for name in met.node.input]
        inputs = [self.constant(names[k], v.array) if k in places and isinstance(v, Known) else v for k, v in enumerate(met.inputs)]
        return replace(met, inputs=tuple(inputs))

    def call(self, met: Met) -> Call:
        """A node as meanings see it."""
        node, scope, site = met.node, met.scope, Own(self, met)
        values = {a.name: attribute(self.source.file, told(node), a) for a in node.attribute}
        version = scope.versions.get(home(node.domain), 1)
        return Call(short(node.op_type), short(node.name), version, values, met.values, tuple(node.output), site)

    def meant(self, met: Met) -> Sequence[Item]:
        """The results of a node by the meaning of its operator on wires, or by the function that it stands for."""
        meaning = meanings.table().get(met.operator)
        if meaning is None:
            return functions.standard(self, met)
        call = self.call(self.settled(met))
        return fitting(met, lambda: meaning(call))


def bearable(what: str, value: Item) -> Item:
    """A result, refused where it is gigantic."""
    if isinstance(value, Wire) and value.atom.size > LARGEST:
        raise Unsupported(f"{what} gives {value.atom}, which is refused: {LARGEST:,} entries are the limit")
    return value


class Own(Site):
    """The site as one node sees it, whose constants are its own whatever it calls them."""

    def __init__(self, writer: Writer, met: Met) -> None:
        self.writer, self.met = writer, met

    def weight(self, label: str, array: Numbers) -> Wire:
        return self.writer.site.weight(self.writer.source.label(label, self.met.place), array)

    def constant(self, label: str, array: Numbers) -> Wire:
        return self.writer.site.constant(self.writer.source.label(label, self.met.place), array)


def fitting(met: Met, give: Callable[[], Sequence[Item]]) -> Sequence[Item]:
    """The results of a node, or what is wrong with it in a sentence that begins with its name."""
    try:
        return give()
    except (Unsupported, BadCheckpoint):
        raise
    except LensgradError as wrong:
        raise Unsupported(f"{met.what}: {wrong}") from wrong
    except MemoryError as wrong:
        raise OutOfMemory(f"{met.what} is of sizes that the memory of this machine does not hold") from wrong
    except WRONG as wrong:
        raise Unsupported(f"{met.what} has inputs or attributes that do not fit its operator: the file is damaged") from wrong
