"""Networks in ONNX files as models: `lg.from_onnx`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

from numpy.typing import ArrayLike

from lensgrad.core import checks
from lensgrad.core.graph import Wire
from lensgrad.interchange.imported import Imported, Site, imported, of_one
from lensgrad.interchange.onnx.entries import Entries
from lensgrad.interchange.onnx.file import opened, short
from lensgrad.interchange.onnx.formula import Writer, wire_of
from lensgrad.interchange.onnx.scope import Scope, Source
from lensgrad.interchange.typed import Serializable


def from_onnx(
    path_or_model: str | PathLike[str] | Serializable,
    *,
    batch: bool | None = None,
    constants: Mapping[str, ArrayLike] | None = None,
    sizes: Mapping[str, int | Sequence[int]] | None = None,
    frozen: bool = False,
) -> Imported:
    """The network of an ONNX file as a parametric arrow P × A → B, and the values of P: `model, values = lg.from_onnx("net.onnx")`.

    - `path_or_model`: the path of an .onnx file, or an `onnx.ModelProto`.
    - `batch`: True where the first axis of all inputs and outputs is that of examples, which leaves their types: examples are
      batched by the functor, as for every arrow. It is so where the file leaves the first size of all inputs open, unless given.
    - `constants`: arrays for inputs that are fixed, by name, such as those that shapes are computed from; none unless given.
    - `sizes`: sizes that the file leaves open, by the name of the axis, or a whole shape by the name of the input; none unless given.
    - `frozen`: True for no weights. Initializers of floats are weights by their names in the file, but for single numbers
      without axes, which are part of the program, and statistics of batches; in a file that has none, constants are; unless given.

    `lg.evaluate(model, x, values=values)` is what the network gives, and `lg.supervised(model, …).fit(data, start=values)` trains on.
    Raises `BadCheckpoint` for a damaged file, and `TypeMismatch`, with the name of the node, for what has no meaning here.
    """
    file = opened(path_or_model)
    known: Any = {} if sizes is None else sizes
    entries = Entries(file, known, {} if constants is None else constants, batch)
    source = Source(file, checks.flag("frozen", frozen))

    def formula(site: Site, xs: list[Wire]) -> list[Wire]:
        source.begin()
        writer = Writer(source, site)
        scope = Scope("", file.versions)
        for name, array in entries.fixed.items():
            scope.define(name, writer.constant(name, array))
        for name, x in zip(entries.names, xs, strict=True):
            scope.define(name, x)
            scope.kinds[name] = entries.kind(name)
        writer.graph(file.model.graph, scope)
        return [wire_of(scope.find(v.name, "the end of the graph"), f"the result '{short(v.name)}'") for v in file.model.graph.output]

    return imported(*(of_one(file.what, entries.dom, formula) if entries.examples else (entries.dom, formula)))


__all__ = ["from_onnx"]
