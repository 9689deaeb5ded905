"""Why a gradient is zero, huge or not finite: the wires of a step are followed back to the generator that made it so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lensgrad.backends.engine import Backend, NumPy
from lensgrad.backends.engine import backend as engine
from lensgrad.cat.names import Role, returns
from lensgrad.core import checks
from lensgrad.core.diagram import flatten
from lensgrad.core.errors import TypeMismatch
from lensgrad.core.printed import counted, printable
from lensgrad.data.arrays import count
from lensgrad.data.source import Data
from lensgrad.program.taps import Numbers, Tapped
from lensgrad.theories.smooth.array import Array
from lensgrad.train.fading import balanced, faint, in_rows, vanished
from lensgrad.train.faults import Fault, constant, finite, first_bad, not_finite, place, reached, span, tables
from lensgrad.train.insides import opened, path
from lensgrad.train.record import Record
from lensgrad.train.trials import gradient, huge, overshoot, root, size
from lensgrad.train.wires import numbers_of, rows_of, unknown
from lensgrad.train.witness import reproduction

SHARE = 0.5  # of rows without a gradient, from which it is said


@dataclass(frozen=True, repr=False)
class Explanation:
    """What `lg.why` found: `cause` in a word ("healthy" where nothing is wrong), where, the generator, a sentence, and the guilty part.

    `print(…)` shows all of it. `reproduction` is the text of a Python file that shows the fault with NumPy alone; empty where there is
    no fault of numbers.
    """

    about: str
    cause: str
    place: str
    generator: str
    verdict: str
    parts: tuple[str, ...] = ()
    reproduction: str = ""

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong."""
        return self.cause == "healthy"

    def __str__(self) -> str:
        more = ["print(….reproduction) is a Python file that shows it with NumPy alone"] if self.reproduction else []
        return printable("\n".join([f"{self.about}: {self.verdict}", *(f"  {line}" for line in self.parts), *more]))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


def why(
    learner: Record, values: Mapping[str, ArrayLike], batch: Data, name: str | None = None, backend: str | Backend = "numpy"
) -> Explanation:
    """Why the gradient of a weight is zero, huge or not finite on a batch; where nothing is wrong it says so.

    The step is evaluated wire by wire in NumPy and followed back from the gradient: to the first generator that left the finite numbers,
    to the one that lets nothing through, or to the array whose scale is wrong, which is tried out by scaling it. A gradient that is
    healthy is tried as a step: a rate is too high where the loss rises, and a smaller step of the same direction lowers it.

    - `learner`: what `lg.supervised` makes.
    - `values`: all values by name, as `run.values` or `learner.initial(seed)`.
    - `batch`: a pair (x, y) or a dict of arrays, as for `fit`.
    - `name`: a weight, or something reported, such as "loss"; the first weight with trouble unless given.
    - `backend`: where generators of your own have their meanings, of which those for NumPy are used; "numpy" unless given.
    """
    checks.instance("learner", learner, Record, "a learner, as lg.supervised makes it")
    checks.instance("values", values, Mapping, "a dict by name, as run.values is")
    check_real(learner)
    rows = rows_of(learner, batch)
    case = Case(learner, values, rows, engine(backend).reference())
    if name is not None:
        name = checks.path("name", name)
        return case.told(name, case.fault(name) or case.stepped() or case.partly(name))
    moved = [n for n in learner.model_names if case.params[n].role is Role.WEIGHT and case.fixed(n) is None]
    if not moved:
        told = "no weight learns: all of them are frozen, or have no optimizer"
        return case.told("this step", Fault("frozen", "", "", told))
    found = ((n, case.fault(n)) for n in moved)
    first = next(((n, f) for n, f in found if f is not None and not case.passing(f)), None)
    return case.told(*first) if first else case.told("this step", case.stepped())


def check_real(learner: Record) -> None:
    """Refuse a loss that is no real number: what comes back from it depends on the rate."""
    other = next((a for a in learner.task.cod if not isinstance(a, Array)), None)
    if other is not None:
        told = "lg.why follows gradients of a real loss"
        raise TypeMismatch(f"{told}, and the loss of this learner is of {other}: its wires are in run.wires(batch)")


@dataclass(frozen=True)
class Case:
    """A learner at some values on a batch."""

    learner: Record
    values: Mapping[str, Any]
    rows: Mapping[str, Any]
    engine: NumPy

    @cached_property
    def numbers(self) -> Numbers:
        return numbers_of(self.learner, self.values, self.rows, self.engine)

    @property
    def t(self) -> Tapped:
        return self.numbers.tapped

    @cached_property
    def params(self) -> dict[str, Any]:
        return dict(zip(self.t.task.names, self.t.task.params, strict=True))

    def wires(self, name: str) -> list[int]:
        """The wires of a parameter, or the wire of this name."""
        found = self.t.wires(name) if name in self.params else [w for n, w in self.t.names.items() if n == name]
        if not found:
            raise unknown(name, self.t.names, "weight is called")
        return found

    # -- what is looked for, in this order ---------------------------------------------------------------------------
    def fault(self, name: str) -> Fault | None:
        """What is wrong with a gradient, or with a value that is reported."""
        at = self.wires(name)
        given = self.sick()
        if given is not None:
            return given
        if name not in self.params:
            bad = next((w for w in at if not finite(self.numbers.at(w))), None)
            return None if bad is None else self.not_finite(bad)
        found = self.fixed(name) or self.unread(name, at)
        if found is not None:
            return found
        bad = next((w for w in self.t.outs if not finite(self.numbers.at(w))), None)
        return self.not_finite(bad) if bad is not None else self.gradient(name, at)

    def sick(self) -> Fault | None:
        """Data or values that are not finite themselves."""
        for name, value in (*self.rows.items(), *self.values.items()):
            x = np.asarray(flatten(value)[0])
            if not finite(x):
                which = "the data" if name in self.rows else "the values"
                bad = int((~np.isfinite(x)).sum())
                what = "data" if name in self.rows else "values"
                return Fault(what, name, "", f"{bad} of the {x.size:,} numbers of '{name}' in {which} are not finite")
        return None

    def fixed(self, name: str) -> Fault | None:
        """A weight that nothing moves."""
        param = self.params[name]
        if param.role is Role.DATA:
            return None
        if param.role is not Role.WEIGHT:
            told = f"'{name}' is a {param.role.value}, as frozen weights are: no optimizer moves it, and its gradient is never built"
            return Fault("frozen", name, "", told)
        closed = self.learner.lens()
        moved = {n for n, p in zip(closed.names, closed.params, strict=True) if returns(p)}
        if name in closed.names and name not in moved:
            return Fault("no optimizer", name, "", f"no optimizer is given for '{name}', so a step leaves it as it is")
        return None

    def unread(self, name: str, at: list[int]) -> Fault | None:
        """A weight that the loss does not read, or that it reads through what has no derivative."""
        way = [*path(self.t, at)]
        if not way:
            return Fault("unread", name, "", f"the loss does not read '{name}': no layer between them uses it")
        if any(w in self.t.back for w in at):
            return None
        for number, along in reversed(way):
            node = self.t.nodes[number]
            if any(w in self.t.back for w in self.t.outputs(number)) and not any(a in self.t.back for a in along):
                told = f"{node.op.name} in {place(node)} lets no gradient through, and all ways from '{name}' to the loss lead through it"
                return Fault("stopped", place(node), node.op.name, told, number)
        return Fault("stopped", name, "", f"no gradient flows from the loss to '{name}'")

    def not_finite(self, wire: int) -> Fault | None:
        """The generator that left the finite numbers on the way to a wire."""
        number = first_bad(self.numbers, wire)
        return None if number is None else root(self.numbers, opened(self.numbers, not_finite(self.numbers, number)), self.params)

    def passing(self, fault: Fault) -> bool:
        """Whether a fault harms nothing: a weight without effect, or one that is 0 at first, as one side of LoRA is, and is moved."""
        named = fault.place
        if fault.cause == "no effect":
            return True
        if fault.cause != "zero weights" or named not in self.params or self.fixed(named) is not None:
            return False
        return any(reached(self.numbers, w) for w in self.wires(named))

    def gradient(self, name: str, at: list[int]) -> Fault | None:
        """What is wrong with a gradient that is there."""
        back = [w for w in at if w in self.t.back]
        bad = next((w for w in back if not finite(self.numbers.cotangent(w))), None)
        if bad is not None:
            return self.not_finite(self.t.back[bad])
        none = balanced(self.numbers, name, back)
        if none is not None or faint(self.numbers, back):
            return none or vanished(self.numbers, back)
        return in_rows(self.numbers, name, back) or self.alike(name, back) or huge(self.learner, self.values, self.rows, self.numbers, name)

    def alike(self, name: str, back: list[int]) -> Fault | None:
        """Units that have the same weights and get the same gradients, and so stay one unit."""
        for w in back:
            x, g = (units(v) for v in (self.numbers.at(w), self.numbers.cotangent(w)))
            if len(x) > 1 and x.shape[1] > 1 and (x == x[:1]).all() and np.allclose(g, g[:1], rtol=1e-5, atol=0.0):
                told = f"all {len(x):,} units of '{name}' have the same weights and get the same gradient, so they stay one unit"
                return Fault("alike", name, "", f"{told}: begin with values drawn at random")
        return None

    def stepped(self) -> Fault | None:
        """A step that goes too far."""
        return overshoot(self.learner, self.values, self.rows, self.numbers)

    def partly(self, name: str) -> Fault | None:
        """Rows of a weight that get no gradient."""
        at = [w for w in self.wires(name) if w in self.t.back]
        g = self.numbers.cotangent(at[0]) if name in self.params and at else None
        if g is None or not g.ndim:
            return None
        still = ~np.any(g.reshape(len(g), -1), axis=1)
        table = next(tables(self.t, set(at)), None)
        some = ", ".join(map(str, np.flatnonzero(still)[:5]))
        where = f"{int(still.sum()):,} of the {len(g):,} rows of '{name}' get no gradient ({some}, …)"
        if table is not None and still.any():
            return Fault("unseen", place(table), table.op.name, f"{where}: no example of this batch reads them")
        if still.mean() >= SHARE:
            return Fault("partly dead", name, "", f"{where}: units behind them are not active on this batch")
        return None

    # -- what is said ------------------------------------------------------------------------------------------------
    def told(self, name: str, fault: Fault | None) -> Explanation:
        """The explanation of a fault, or of none."""
        if fault is None:
            return Explanation(name, "healthy", "", "", f"nothing is wrong{self.sizes(name)}")
        numbers = fault.within or self.numbers
        parts = () if fault.node is None else tuple(lines(numbers, fault.node))
        again = "" if fault.node is None else reproduction(numbers, fault.node, fault.told)
        return Explanation(name, fault.cause, fault.place, fault.generator, fault.told, parts, again)

    def sizes(self, name: str) -> str:
        """How large a gradient is, beside its weight."""
        at = [w for w in (self.wires(name) if name in self.params else ()) if w in self.t.back]
        if not at:
            return f" on {counted(count(self.rows), 'example')}"
        return f": its gradient is {gradient(self.numbers, name):.3g} on average, of numbers of {size(self.numbers.at(at[0])):.3g}"


def units(x: np.ndarray[Any, Any] | None) -> np.ndarray[Any, Any]:
    """A weight with a row for each unit: those of a kernel stand along its last axis."""
    if x is None or x.ndim < 2:
        return np.zeros((0, 0))
    return x if x.ndim == 2 else x.reshape(-1, x.shape[-1]).T


def lines(numbers: Numbers, number: int) -> Iterator[str]:
    """The smallest guilty part: what the generator reads and gives, with values, and what flows back there."""
    t, shown = numbers.tapped, t_number(numbers.tapped, number)
    node = t.nodes[shown]
    yield f"{node.op} in {place(node)}"
    for what, wires in (("reads", node.args), ("gives", t.outputs(shown))):
        for w in wires:
            back = numbers.cotangent(w)
            flows = "" if back is None else f"; flowing back: {numbers_told(back)}"
            named = "a constant" if constant(t, w) else t.labels.get(w, "a constant")
            yield f"{what} {named} : {t.types[w]}, {numbers_told(numbers.at(w))}{flows}"


def t_number(t: Tapped, number: int) -> int:
    """The node of the task that a node is, or goes back through."""
    return t.through.get(number, number)


def numbers_told(x: np.ndarray[Any, Any]) -> str:
    """`from -3 to 5`, or what is wrong with it."""
    if x.dtype.kind != "f":
        return f"{int(np.count_nonzero(x)):,} of {x.size:,} true" if x.dtype.kind == "b" else span(x)
    bad = int((~np.isfinite(x)).sum())
    rest = span(x[np.isfinite(x)]) if bad < x.size else "none finite"
    return f"{rest}{f', {bad:,} of {x.size:,} not finite' if bad else ''}"


__all__ = ["Explanation", "why"]
