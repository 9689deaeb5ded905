"""Weights under other people's names: a mapping that is found, printed and checked, and written back by.

`lg.load_weights(model, "net.safetensors", {"dense/weight": ("fc.weight", "transpose")})` gives the values of a model, and
`lg.save_weights(values, "net.safetensors", mapping)` writes values under the other names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lensgrad.cat.names import Param, Role, unique
from lensgrad.cat.para import Para, para
from lensgrad.core.checks import flag, instance, is_a, is_dict, mapping, nearest, shown
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import BadValue, NameClash, TypeMismatch, UnknownParameter, listed
from lensgrad.core.printed import Printed
from lensgrad.interchange.dtypes import Numbers
from lensgrad.interchange.torch import ways
from lensgrad.interchange.torch.stored import Source, arrays_of, put
from lensgrad.interchange.typed import Learned
from lensgrad.program.values import array
from lensgrad.theories.smooth.array import Array

Mapped = Mapping[str, str | tuple[str, ways.Way]]  # from our names to theirs, or to (theirs, how)
LONGEST = 24  # parameters of a mapping that a message proposes
WORDS = {"scale": "weight", "gamma": "weight", "kernel": "weight", "beta": "bias", "mean": "running_mean", "variance": "running_var"}


class Pair(NamedTuple):
    """One parameter, what it is called elsewhere, how its axes are moved, and what told so."""

    ours: str
    theirs: str
    way: ways.Way
    shape: tuple[int, ...]
    stored: tuple[int, ...]
    by: str


@dataclass(frozen=True)
class Matched:
    """Which array goes where: `print(matched)` is the table, `matched.values` the values, `matched.mapping` what was found."""

    pairs: tuple[Pair, ...]
    values: dict[str, Numbers]
    unused: tuple[str, ...]

    @property
    def mapping(self) -> dict[str, str | tuple[str, ways.Way]]:
        """From our names to theirs, as `save_weights` and `load_weights` take it."""
        return {p.ours: (p.theirs, p.way) if p.way else p.theirs for p in self.pairs}

    def rows(self) -> list[tuple[str, ...]]:
        return [(p.ours, str([*p.shape]), p.theirs, str([*p.stored]), ways.spelled(p.way), p.by) for p in self.pairs]

    def __str__(self) -> str:
        head = ("parameter", "shape", "stored as", "shape", "moved", "matched by")
        rows = [head, *self.rows()]
        widths = [max(len(r[k]) for r in rows) for k in range(len(head))]
        lines = ["  ".join(cell.ljust(w) for cell, w in zip(r, widths, strict=True)).rstrip() for r in rows]
        return Printed("\n".join([*lines, *([f"not used: {listed(self.unused)}"] if self.unused else [])]))

    def show(self) -> None:
        """The table in colors."""
        from rich.console import Console
        from rich.table import Table

        table = Table("parameter", "shape", "stored as", "shape", "moved", "matched by")
        for row in self.rows():
            table.add_row(*row)
        console = Console(markup=False, highlight=False)
        console.width = max(console.width, *map(len, str(self).splitlines())) + 3 * len(table.columns)
        console.print(table)
        if self.unused:
            console.print(f"not used: {listed(self.unused)}")


def load_weights(model: Para | Diagram | Learned, source: Source, mapping: Mapped | None = None, show: bool = False) -> dict[str, Numbers]:
    """The values of a model's weights and states from arrays under other names, each matched by name and shape.

    What a mapping leaves out is found: by the same name (with dots for /), by the same words, or because no other array has its
    shape. Axes are moved only where the mapping says so. What is missing, or of another shape, is refused.

    - `model`: an arrow P × A → B, as layers give it.
    - `source`: a file of safetensors (of Hugging Face, as it is), a folder of such files, a state_dict that PyTorch saved, or a
      dict of arrays or tensors by name.
    - `mapping`: from our names to theirs, or to (theirs, how), where how is "transpose", "kernel" (out, in, *size → *size, in,
      out), an order of axes, or ("rotary", heads); nothing unless given.
    - `show`: whether the table of what goes where is printed; False unless given.
    """
    matched = match_weights(model, source, mapping)
    if flag("show", show):
        matched.show()
    return matched.values


def match_weights(model: Para | Diagram | Learned, source: Source, mapping: Mapped | None = None) -> Matched:
    """The same as a record: which array goes where, as a table, a mapping and values."""
    params = parameters(model)
    stored, said = arrays_of(source), entries(mapping)
    strange = [name for name in said if name not in params]
    if strange:
        told = f"the mapping names '{strange[0]}', and this model has {listed([*params])}"
        raise UnknownParameter(f"{told}{nearest(strange[0], params)}")
    left = [name for name in stored if name not in {theirs for theirs, _ in said.values()}]
    found = {
        **{n: (*how, "mapping") for n, how in said.items()},
        **guessed({n: a for n, a in params.items() if n not in said}, stored, left),
    }
    pairs = tuple(pair(name, atom, stored, found, lambda: in_order(params, stored)) for name, atom in params.items())
    values = {p.ours: array(p.ours, params[p.ours], ways.taken(p.theirs, stored[p.theirs], p.way)) for p in pairs}
    return Matched(pairs, values, tuple(n for n in stored if n not in {p.theirs for p in pairs}))


def save_weights(values: Mapping[str, ArrayLike], path: str | PathLike[str], mapping: Mapped | Matched | None = None) -> None:
    """Write values as safetensors under other names, their axes moved back: `module.load_state_dict(load_file(path))` takes them.

    - `values`: arrays by our names, such as `run.weights`.
    - `path`: where the file goes.
    - `mapping`: as `load_weights` takes it, or what `match_weights` gave; names that it leaves out, and all without one, are
      written with dots for /.
    """
    given = mapping.mapping if isinstance(mapping, Matched) else mapping
    arrays = by_name(values)
    said = entries(given)
    strange = [n for n in said if n not in arrays]
    if strange:
        raise UnknownParameter(f"the mapping names '{strange[0]}', and the values are {listed([*arrays])}{nearest(strange[0], arrays)}")
    written: dict[str, Numbers] = {}
    for name, x in arrays.items():
        theirs, way = said.get(name, (their_name(name), ""))
        out = ways.given(name, x, way)
        if theirs in written and not np.array_equal(written[theirs], out):
            raise NameClash(f"two different arrays would be written as '{theirs}', one of them '{name}': give them names of their own")
        written[theirs] = out
    put(path, written)


def by_name(values: Any) -> dict[str, Numbers]:
    """Arrays by name."""
    checked = mapping("values", values, "a dict of arrays by name")
    groups = [n for n, x in checked.items() if isinstance(x, tuple)]
    if groups:
        raise BadValue(f"'{groups[0]}' has several arrays, which have no name each: merge it first, as lg.merge does")
    return {str(n): np.asarray(x) for n, x in checked.items()}


def parameters(model: Any) -> dict[str, Array]:
    """The weights and states of a model, each one array."""
    if not is_a(model, Para):
        raise TypeMismatch(f"weights are loaded into a model, an arrow with parameters, got {shown(model)}")
    held = para(model)
    named = {n: p for n, p in zip(unique([p.label for p in held.params]), held.params, strict=True) if carried(p)}
    several = [n for n, p in named.items() if len(p.ob) != 1 or not isinstance(p.ob[0], Array)]
    if several:
        raise TypeMismatch(f"'{several[0]}' : {named[several[0]].ob} is not one array, and weights are loaded array by array")
    return {n: p.ob[0] for n, p in named.items()}


def carried(p: Param) -> bool:
    return p.role in (Role.WEIGHT, Role.STATE)


def entries(given: Any) -> dict[str, tuple[str, ways.Way]]:
    """A mapping, each of its entries as a name and a way."""
    if given is None:
        return {}
    if not is_dict(given):
        raise BadValue(f"the mapping must be a dict from our names to theirs, got {shown(given)}")
    return {instance("a name in the mapping", n, str, "text"): ways.split(v) for n, v in given.items()}


def their_name(name: str) -> str:
    """Our name with dots for /."""
    return name.replace("/", ".")


def words(name: str) -> str:
    """A name in the words of the field, without what is written between them."""
    parts = name.replace("/", ".").replace("-", "_").lower().split(".")
    return ".".join(WORDS.get(p, p) for p in parts)


Found = dict[str, tuple[str, ways.Way, str]]


SURE: dict[str, Callable[[str, tuple[int, ...]], Any]] = {  # what may tell that two names mean one array, the surest first
    "name": lambda name, _: their_name(name),
    "words": lambda name, _: words(name),
    "last word and shape": lambda name, shape: (words(name).split(".")[-1], shape),
    "shape": lambda _, shape: shape,
}


def guessed(params: Mapping[str, Array], stored: Mapping[str, Numbers], left: Sequence[str]) -> Found:
    """Matches that names or shapes leave no doubt about, the surest first."""
    found: Found = {}
    for by, key in SURE.items():
        ours = {n: key(n, a.shape) for n, a in params.items() if n not in found}
        theirs = {n: key(n, stored[n].shape) for n in left if n not in {t for t, _, _ in found.values()}}
        alone, once = Counter(ours.values()), Counter(theirs.values())
        places = {k: n for n, k in theirs.items()}
        found |= {n: (places[k], "", by) for n, k in ours.items() if alone[k] == 1 and once[k] == 1}
    return found


def in_order(params: Mapping[str, Array], stored: Mapping[str, Numbers]) -> str:
    """A mapping of all parameters to what is stored in the same order, to be looked at, where shapes and last words agree one by one."""
    theirs = [n for n in stored if words(n).split(".")[-1] != "num_batches_tracked"]
    ends = [(words(n).split(".")[-1], a.shape) for n, a in params.items()], [(words(n).split(".")[-1], stored[n].shape) for n in theirs]
    if ends[0] != ends[1] or len(theirs) > LONGEST:
        return ""
    return f", or if they stand in one order mapping={dict(zip(params, theirs, strict=True))}"


def pair(name: str, atom: Array, stored: Mapping[str, Numbers], found: Found, proposed: Callable[[], str]) -> Pair:
    """One match, checked."""
    if name not in found:
        several = [n for n, x in stored.items() if x.shape == atom.shape]
        told = f"{listed(several)} have its shape" if len(several) > 1 else f"what is stored is {brief(stored)}"
        raise UnknownParameter(f"no array is found for '{name}' : {atom}; {told}: write mapping={{'{name}': …}}{proposed()}")
    theirs, way, by = found[name]
    if theirs not in stored:
        raise UnknownParameter(
            f"the mapping takes '{name}' from '{theirs}', and what is stored is {brief(stored)}{nearest(theirs, stored)}"
        )
    shape = ways.taken(theirs, stored[theirs], way).shape
    if shape != atom.shape:
        fix = ways.suggested(atom.shape, stored[theirs].shape)
        hint = f": write mapping={{'{name}': ('{theirs}', '{fix}')}}" if fix else ": give another array, or a model of its sizes"
        raise TypeMismatch(f"'{name}' : {atom} and '{theirs}' of shape {[*shape]} differ{hint}")
    return Pair(name, theirs, way, atom.shape, stored[theirs].shape, by)


def brief(stored: Mapping[str, Numbers], most: int = 12) -> str:
    """What is stored, the first of many."""
    told = [f"{n} {[*x.shape]}" for n, x in stored.items()]
    return listed(told[:most]) + (f" and {len(told) - most} more" if len(told) > most else "")


__all__ = ["Matched", "load_weights", "match_weights", "save_weights"]
