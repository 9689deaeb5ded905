"""What differs between two networks: their inputs, outputs, parameters, and the generators that they are made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lensgrad.cat.names import Param
from lensgrad.cat.para import Para
from lensgrad.core import checks
from lensgrad.core.checks import clean
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import LensgradError, TypeMismatch
from lensgrad.core.graph import Graph
from lensgrad.core.printed import Printed, counted
from lensgrad.core.ty import Ty, product, split
from lensgrad.interchange.dtypes import Numbers
from lensgrad.interchange.normal import normal
from lensgrad.interchange.typed import Learned
from lensgrad.learn.model import Model, para
from lensgrad.learn.predict import predict
from lensgrad.program.evaluate import evaluate
from lensgrad.program.values import checked
from lensgrad.theories.smooth.array import Array
from lensgrad.theories.smooth.scan import with_outs

EQUAL = "equal to the bit"
HEAD = ("what", "first", "second", "")


@dataclass(frozen=True)
class Line:
    """One thing of both networks: what it is, as the first and as the second has it, and how the two differ."""

    what: str
    first: str
    second: str
    told: str
    same: bool

    @property
    def cells(self) -> tuple[str, str, str, str]:
        return self.what, self.first, self.second, self.told


@dataclass(frozen=True)
class Differences:
    """What `differences` found: `print(found)` is the table, `found.same` whether there are none, `found.lines` each thing compared.

    `arrows` is whether both are one arrow, given that parameters of one name or of the same numbers are one parameter.
    """

    lines: tuple[Line, ...]
    arrows: bool

    @property
    def same(self) -> bool:
        """Whether the arrows are equal and all parameters are, by name and to the bit."""
        return self.arrows and all(line.same for line in self.lines)

    @property
    def head(self) -> str:
        """The whole in a sentence."""
        differ = sum(not line.same for line in self.lines)
        told = "one arrow" if self.arrows else "two arrows"
        return f"{told}, {f'{differ} of {len(self.lines)} lines differ' if differ else 'and nothing differs'}"

    def __str__(self) -> str:
        rows = [HEAD, *(line.cells for line in self.lines)]
        widths = [max(len(r[k]) for r in rows) for k in range(len(HEAD))]
        table = ["  ".join(cell.ljust(w) for cell, w in zip(r, widths, strict=True)).rstrip() for r in rows]
        return Printed("\n".join([*table, self.head]))

    @property
    def short(self) -> tuple[Line, ...]:
        """The lines, with those of parameters that are equal counted in one."""
        equal = [line for line in self.lines if line.what == "parameter" and line.same]
        n = counted(len(equal), "parameter")
        rest = [line for line in self.lines if line not in equal]
        return (*rest, Line("parameters", n, n, EQUAL, True)) if equal else tuple(rest)

    def show(self, whole: bool = False) -> None:
        """The table in colors, with a line for each parameter that differs, or with `whole` for all of them."""
        from rich.console import Console
        from rich.table import Table

        table = Table(*HEAD)
        for line in self.lines if checks.flag("whole", whole) else self.short:
            table.add_row(*line.cells, style="" if line.same else "yellow")
        console = Console(markup=False, highlight=False)
        console.width = max(console.width, *(len(w) for w in str(self).splitlines())) + 3 * len(HEAD)
        console.print(table)
        console.print(self.head)


@dataclass(frozen=True)
class Network:
    """A model as it predicts, and the value of each of its parameters."""

    model: Model
    values: Mapping[str, Any]

    @property
    def params(self) -> dict[str, Param]:
        return dict(zip(self.model.names, self.model.params, strict=True))

    def held(self, name: str) -> list[Numbers]:
        """The arrays of a parameter."""
        value = checked(name, self.params[name].ob, self.values)
        return [np.asarray(v) for v in (value if len(self.params[name].ob) != 1 else [value])]


def differences(
    first: Learned | tuple[Para, Mapping[str, ArrayLike]],
    second: Learned | tuple[Para, Mapping[str, ArrayLike]],
    examples: int = 4,
    seed: int = 0,
) -> Differences:
    """What differs between two networks that should be one, such as what was written to a file and what was read from it again.

    Two arrows are compared as arrows, whatever the shapes are that their arrays pass through: axes of size 1, transposes and
    reshapes after one another, and what is repeated early or late make no difference. Beside that, both are run.

    - `first`: a run, or a pair (model, values) as `from_onnx`, `from_torch` and `from_jax` give it.
    - `second`: the same.
    - `examples`: how many random examples both are run on; 4 unless given.
    - `seed`: what the examples are drawn from; 0 unless given.

    Raises `TypeMismatch` for what is no network, and `UnknownParameter` where a parameter has no value.
    """
    a, b = network("the first of what is compared", first), network("the second of what is compared", second)
    n = checks.whole("examples", examples, 1)
    pairs = paired(a, b)
    left, right = aligned(a, b, pairs)
    drawn = numbers(a, b, n, checks.whole("seed", seed))
    ends = [*inputs(a, b), *outputs(a, b, left, right, drawn, n)]
    return Differences((*ends, *weights(a, b, pairs), *generators(left, right)), left == right)


def network(what: str, given: Any) -> Network:
    """A run or a pair, as it predicts."""
    learner = getattr(given, "learner", None)
    pair = (learner.model, given.weights) if learner is not None and hasattr(given, "weights") else given
    if not checks.is_tuple(pair) or len(pair) != 2 or not checks.is_a(pair[0], Para) or not checks.is_dict(pair[1]):
        raise TypeMismatch(f"{what} must be a run or a pair (model, values) as from_onnx gives it, got {checks.shown(given)}")
    model = predict(para(pair[0]))
    return Network(model, pair[1])


# -- parameters --------------------------------------------------------------------------------------------------------


def paired(a: Network, b: Network) -> dict[str, str]:
    """Parameters of both that are one: those of one name and type, then those of the same numbers, which only one of each has."""
    theirs = b.params
    found = {name: name for name, p in a.params.items() if name in theirs and theirs[name].ob == p.ob}
    keys = [{name: contents(net, name) for name in net.params if name not in (*found, *found.values())} for net in (a, b)]
    counts = [Counter(each.values()) for each in keys]
    places = {key: name for name, key in keys[1].items()}
    return found | {name: places[key] for name, key in keys[0].items() if counts[0][key] == counts[1][key] == 1}


def contents(net: Network, name: str) -> Any:
    """What an array is, as a key."""
    return tuple((x.dtype.str, x.shape, x.tobytes()) for x in net.held(name))


def weights(a: Network, b: Network, pairs: Mapping[str, str]) -> list[Line]:
    """A line for each parameter."""
    back = {theirs: ours for ours, theirs in pairs.items()}
    both = [pair_line(a, b, ours, theirs) for ours, theirs in pairs.items()]
    changed = [n for n in a.params if n not in pairs and n in b.params and n not in back]
    alone = [line("parameter", typed(a, n), "", "only in the first") for n in a.params if n not in pairs and n not in changed]
    new = [line("parameter", "", typed(b, n), "only in the second") for n in b.params if n not in back and n not in changed]
    return [*both, *(line("parameter", typed(a, n), typed(b, n), retyped(a, b, n)) for n in changed), *alone, *new]


def line(what: str, first: str, second: str, told: str) -> Line:
    return Line(what, first, second, told, told == EQUAL)


def typed(net: Network, name: str) -> str:
    return f"{clean(name)} {net.params[name].ob}"


def pair_line(a: Network, b: Network, ours: str, theirs: str) -> Line:
    xs, ys = a.held(ours), b.held(theirs)
    same = EQUAL if all(map(identical, xs, ys)) else f"other numbers, {far(xs, ys)}"
    return line("parameter", typed(a, ours), typed(b, theirs), same if ours == theirs else f"renamed, {same}")


def retyped(a: Network, b: Network, name: str) -> str:
    """How the type of a parameter changed, and its numbers where they have one shape."""
    xs, ys = a.held(name), b.held(name)
    if [x.shape for x in xs] != [y.shape for y in ys]:
        return "another shape"
    return f"another dtype, {far(xs, ys)}"


def identical(x: Numbers, y: Numbers) -> bool:
    return x.dtype == y.dtype and x.shape == y.shape and x.tobytes() == y.tobytes()


def far(xs: Sequence[Numbers], ys: Sequence[Numbers]) -> str:
    """The largest difference, as a share of the largest number."""
    return f"up to {max(map(apart, xs, ys), default=0.0):.1e} of the largest"


def apart(x: Numbers, y: Numbers) -> float:
    """The largest difference of two arrays, as a share of the largest number of the first; infinite where only one has a number."""
    a, b = (np.asarray(v, np.float64) for v in (x, y))
    known = np.isfinite(a) & np.isfinite(b)
    other = ~known & ~((a == b) | (np.isnan(a) & np.isnan(b)))
    if other.any():
        return float("inf")
    return float(np.abs(a - b, where=known, out=np.zeros_like(a)).max(initial=0) / max(np.abs(a[known]).max(initial=0), 1e-30))


# -- arrows ------------------------------------------------------------------------------------------------------------


def aligned(a: Network, b: Network, pairs: Mapping[str, str]) -> tuple[Diagram, Diagram]:
    """Both arrows in one form, on the parameters of both and the inputs: those that are one stand for one input."""
    ours = [(name, a.params[name].ob) for name in (*pairs, *(n for n in a.params if n not in pairs))]
    new = [(name, b.params[name].ob) for name in b.params if name not in pairs.values()]
    theirs = [(pairs.get(name, ""), ob) for name, ob in ours]
    return rewired(a, [*ours, *(("", ob) for _, ob in new)]), rewired(b, [*theirs, *new])


def rewired(net: Network, order: Sequence[tuple[str, Ty]]) -> Diagram:
    """An arrow on parameters in another order, in its one form; those without a name it does not read."""
    graph = Graph(product([ob for _, ob in order]) @ net.model.dom)
    groups = split(range(len(graph.dom)), [*(ob for _, ob in order), net.model.dom])
    places = {name: group for (name, _), group in zip(order, groups, strict=False)}
    wires = [w for name in net.params for w in places[name]] + [*groups[-1]]
    return normal(Diagram.finish(graph, net.model.arrow.run(graph, wires)[: len(net.model.cod)]))


def inputs(a: Network, b: Network) -> list[Line]:
    """A line for each input."""
    both = side(a.model.dom, b.model.dom)
    return [Line(f"input {k}", x, y, "the same type" if x == y else "another type", x == y) for k, (x, y) in enumerate(both)]


def side(first: Ty, second: Ty) -> list[tuple[str, str]]:
    """The types of two objects one beside the other; nothing where one of them has fewer."""
    n = max(len(first), len(second))
    return [tuple(str(ob[k]) if k < len(ob) else "" for ob in (first, second)) for k in range(n)]  # pyright: ignore[reportReturnType]


def outputs(a: Network, b: Network, left: Diagram, right: Diagram, found: Any, n: int) -> list[Line]:
    """A line for each output: whether its arrows are equal, and how far its numbers are apart."""
    lines: list[Line] = []
    for k, both in enumerate(side(a.model.cod, b.model.cod)):
        if both[0] != both[1]:
            lines.append(Line(f"output {k}", *both, "another type", False))
            continue
        same = with_outs(left, [left.outs[k]]) == with_outs(right, [right.outs[k]])
        told = f"{'equal arrows' if same else 'another arrow'}, {ran(found, k, n)}"
        lines.append(Line(f"output {k}", *both, told, same and (isinstance(found, str) or identical(found[0][k], found[1][k]))))
    return lines


def ran(found: Any, k: int, n: int) -> str:
    """How far the numbers of an output are apart."""
    if isinstance(found, str):
        return found
    xs, ys = found[0][k], found[1][k]
    return f"{EQUAL if identical(xs, ys) else far([xs], [ys])} on {n} random {'example' if n == 1 else 'examples'}"


def numbers(a: Network, b: Network, n: int, seed: int) -> tuple[list[Numbers], list[Numbers]] | str:
    """What both give for random examples, one after another; why nothing, where they cannot be run on the same."""
    dom, draws = a.model.dom, np.random.default_rng(seed)
    if dom != b.model.dom or not all(isinstance(x, Array) for x in dom):
        return "not run, since the inputs differ" if dom != b.model.dom else "not run, since there is no random example of its type"
    rows = [drawn(draws, n, x) for x in dom]
    try:
        with np.errstate(all="ignore"):
            found = [by_one(net, rows) for net in (a, b)]
    except LensgradError as wrong:
        return f"not run: {str(wrong).splitlines()[0]}"
    return found[0], found[1]


def drawn(draws: np.random.Generator, n: int, atom: Any) -> Numbers:
    """Examples: normal numbers, and the whole numbers 0 and 1."""
    shape = (n, *atom.shape)
    values = draws.normal(size=shape) if atom.floating else draws.integers(0, 2, shape)
    with np.errstate(over="ignore"):
        return values.astype(np.dtype(atom.dtype) if atom.dtype != "bfloat16" else np.float32)


def by_one(net: Network, rows: list[Numbers]) -> list[Numbers]:
    """The results for examples, one by one, each output stacked."""
    given = zip(*rows, strict=True) if rows else [()]
    found: list[Any] = [evaluate(net.model, *x, values=net.values) for x in given]
    columns = [y if checks.is_tuple(y) else (y,) for y in found]
    return [np.stack([np.asarray(v) for v in column]) for column in zip(*columns, strict=True)]


# -- generators --------------------------------------------------------------------------------------------------------


def generators(left: Diagram, right: Diagram) -> list[Line]:
    """A line for each generator that one arrow has more often than the other, and why where that can be said."""
    if left == right:
        return [Line("generators", counted(len(left.nodes), "node"), counted(len(right.nodes), "node"), "the same", True)]
    both = [Counter(type(n.op).__name__ for n in f.nodes) for f in (left, right)]
    still = [Counter(type(n.op).__name__ for n in constant(f)) for f in (left, right)]
    return [
        Line("generator", spelled(name, both[0]), spelled(name, both[1]), why(name, both, still), False)
        for name in dict.fromkeys([*both[0], *both[1]])
        if both[0][name] != both[1][name]
    ] or [Line("generators", counted(len(left.nodes), "node"), counted(len(right.nodes), "node"), "wired or set in another way", False)]


def spelled(name: str, counts: Mapping[str, int]) -> str:
    """A name with its number; nothing where there is none."""
    return f"{name} {counts[name]}" if counts.get(name) else ""


def why(name: str, both: Sequence[Counter[str]], still: Sequence[Counter[str]]) -> str:
    """Why one arrow has a generator more often."""
    more = 0 if both[0][name] > both[1][name] else 1
    if name in ("Full", "Numbers"):
        return "constants of the program"
    if both[more][name] - both[1 - more][name] <= still[more][name] - still[1 - more][name]:
        return f"of no input, computed beforehand in the {('second', 'first')[more]}"
    return "gone, written by others" if not both[1][name] else "new, for others" if not both[0][name] else "another number"


def constant(f: Diagram) -> list[Any]:
    """The nodes that no input reaches."""
    reached = [True] * len(f.dom)
    found: list[Any] = []
    for node in f.nodes:
        moved = any(reached[k] for k in node.args)
        reached += [moved] * len(node.cod)
        if not moved:
            found.append(node)
    return found


__all__ = ["Differences", "Line", "differences", "spelled"]
