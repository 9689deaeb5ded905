"""A function of JAX as a parametric arrow: its jaxpr, equation by equation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lensgrad.core import checks
from lensgrad.core.errors import LensgradError, MissingExtra, TypeMismatch
from lensgrad.core.graph import Wire
from lensgrad.core.op import Table as Entries
from lensgrad.core.ty import Ty
from lensgrad.interchange.dtypes import Numbers, atom_of, carried
from lensgrad.interchange.imported import Imported, Site, imported, of_one
from lensgrad.interchange.jax.step import Step, Value
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import full
from lensgrad.theories.smooth.index import Numbers as Whole
from lensgrad.theories.smooth.scan import scan

try:
    import jax
    from jax.extend.core import Literal

    from lensgrad.backends.jax.table import wide
    from lensgrad.interchange.jax.meanings import MEANINGS
except ImportError as error:
    raise MissingExtra("from_jax needs JAX, which is not installed: pip install 'lensgrad[jax]'") from error

JAX: Any = jax  # whose types are open in many places
CALLS = {"jit": "jaxpr", "pjit": "jaxpr", "closed_call": "call_jaxpr", "core_call": "call_jaxpr", "custom_jvp_call": "call_jaxpr",
         "custom_vjp_call": "call_jaxpr", "custom_vjp_call_jaxpr": "fun_jaxpr", "remat2": "jaxpr", "checkpoint": "jaxpr"}  # fmt: skip


def from_jax(
    function: Callable[..., object], *examples: ArrayLike, weights: object = None, batch: bool = False, clip: bool = False
) -> Imported:
    """A function of arrays as an arrow A → B, or f(weights, x, …) as P × A → B with the leaves of `weights` by their paths.

    `examples` are arrays of the shapes and dtypes that the function takes. With batch=True their first axis, of size 1, is that of
    examples, and the arrow is on one. With clip=True places outside an array are moved inside, where JAX reads NaN. What the function
    closes over is constant. Loops are `scan`; a `cond` must have a predicate that is known; what has no meaning here is refused by
    the name of its primitive.
    """
    checks.function("what from_jax reads", function, "a function of JAX arrays")
    given = [np.asarray(x) for x in jax.tree.leaves(examples)]
    leaves = {} if weights is None else named(weights)
    with wide() if any(a.dtype == np.float64 for a in [*given, *leaves.values()]) else nullcontext():
        closed = read(function, examples, weights)
        return formula_of(closed, leaves, given, checks.flag("batch", batch), checks.flag("clip", clip))


def read(function: Callable[..., Any], examples: Sequence[Any], weights: Any) -> Any:
    """The jaxpr of a function; what JAX says of its own code comes as the cause."""
    held = [] if weights is None else [weights]
    try:
        return JAX.make_jaxpr(function)(*held, *examples)
    except LensgradError:
        raise
    except Exception as wrong:
        said = str(wrong).partition("\n")[0].strip("'\"") or repr(wrong)
        raise TypeMismatch(f"the function cannot be read at these examples: {said}") from wrong


def formula_of(closed: Any, leaves: dict[str, Numbers], given: Sequence[Numbers], batch: bool, clip: bool) -> Imported:
    """The arrow of a jaxpr."""

    def formula(site: Site, xs: list[Wire]) -> list[Wire]:
        walk = Walk(site, clip)
        held = [site.weight(name, array) for name, array in leaves.items()]
        return [walk.wire(v) for v in walk.run(closed.jaxpr, [np.asarray(c) for c in closed.consts], [*held, *xs])]

    dom = Ty(tuple(atom_of(carried(f"example {k}", x)) for k, x in enumerate(given)))
    return imported(*of_one("the function", dom, formula)) if batch else imported(dom, formula)


def named(tree: Any) -> dict[str, Numbers]:
    """The leaves of a tree by their paths, as in `layers/0/kernel`."""
    found: dict[str, Numbers] = {}
    for path, leaf in JAX.tree_util.tree_flatten_with_path(tree)[0]:
        label = "/".join(str(getattr(k, "key", getattr(k, "idx", getattr(k, "name", k)))) for k in path) or "weight"
        found[checks.path("the path of a weight", label)] = np.asarray(leaf)
    return found


class Walk:
    """A jaxpr that is gone through, with wires and arrays for its variables."""

    def __init__(self, site: Site | None, clip: bool) -> None:
        self.site, self.clip, self.count = site, clip, 0

    def wire(self, value: Value) -> Wire:
        """A wire as it is; an array as a constant, inside a loop as part of the program."""
        if not isinstance(value, np.ndarray):
            return value
        self.count += 1
        return self.site.constant(f"constant.{self.count}", value) if self.site is not None else written(value)

    def run(self, jaxpr: Any, consts: Sequence[Value], args: Sequence[Value]) -> list[Value]:
        """The results of a jaxpr."""
        held: dict[Any, Value] = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*consts, *args], strict=True))

        def value(v: Any) -> Value:
            aval: Any = v.aval
            return np.asarray(v.val, aval.dtype) if isinstance(v, Literal) else held[v]

        for eqn in jaxpr.eqns:
            held.update(zip(eqn.outvars, self.equation(eqn, [value(v) for v in eqn.invars]), strict=True))
        return [value(v) for v in jaxpr.outvars]

    def equation(self, eqn: Any, values: list[Value]) -> Sequence[Value]:
        """What one equation gives."""
        name, params = eqn.primitive.name, eqn.params
        if name in CALLS:
            if params.get("name") == "relu" and len(values) == 1:  # the rule that JAX gives it: 0 at 0
                return [ops.relu(self.wire(values[0]))]
            return self.inside(params[CALLS[name]], values)
        if name == "cond":
            return self.branch(params["branches"], values)
        if all(isinstance(v, np.ndarray) for v in values):
            found = eqn.primitive.bind(*values, **params)
            return [np.asarray(v) for v in (found if eqn.primitive.multiple_results else [found])]
        step = Step(name, params, tuple(values), self.wire, self.clip)
        if name == "scan":
            return self.loop(step)
        if name not in MEANINGS:
            raise step.refused()
        made = MEANINGS[name](step)
        return [made] if isinstance(made, Wire) else made

    def inside(self, jaxpr: Any, values: Sequence[Value]) -> list[Value]:
        """A jaxpr in place."""
        closed = hasattr(jaxpr, "jaxpr") and hasattr(jaxpr, "consts")
        return self.run(jaxpr.jaxpr, [np.asarray(c) for c in jaxpr.consts], values) if closed else self.run(jaxpr, [], values)

    def branch(self, branches: Sequence[Any], values: list[Value]) -> list[Value]:
        """The branch that a known number names."""
        which = values[0]
        if not isinstance(which, np.ndarray):
            told = "has a predicate that is computed from data, and both branches cannot be one program: use jnp.where"
            raise Step("cond", {}, (which,), self.wire).refused(told)
        return self.inside(branches[min(max(int(which), 0), len(branches) - 1)], values[1:])

    def loop(self, step: Step) -> list[Value]:
        """A scan: constants are shared by all steps."""
        given, xs = step.params, step.wires()
        shared, carry = xs[: given["num_consts"]], xs[given["num_consts"] : given["num_consts"] + given["num_carry"]]
        rows, body = xs[len(shared) + len(carry) :], given["jaxpr"]
        counted = rows or [whole_numbers(int(given["length"]))]

        def once(c: Any, x: Any, s: Any) -> tuple[tuple[Wire, ...], tuple[Wire, ...]]:
            walk = Walk(None, self.clip)
            args = [*grouped(s, len(shared)), *grouped(c, len(carry)), *(grouped(x, len(rows)) if rows else [])]
            outs = [walk.wire(v) for v in walk.inside(body, args)]
            return tuple(outs[: len(carry)]), tuple(outs[len(carry) :])

        last, ys = scan(once, tuple(carry), tuple(counted), tuple(shared), bool(given["reverse"]))
        n = len(body.jaxpr.outvars) - len(carry)
        return [*grouped(last, len(carry)), *grouped(ys, n)]


def whole_numbers(n: int) -> Wire:
    """0, 1, …, n − 1, for a loop that goes through nothing."""
    return Whole(Entries(range(n)))()


def grouped(wires: Any, n: int) -> list[Any]:
    """One wire, or a group of several, as a list."""
    return [] if n == 0 else [wires] if n == 1 else list(wires)


def written(array: Numbers) -> Wire:
    """An array inside a loop, as part of the program."""
    held = carried("a constant inside a loop", array)
    if held.size and (held.flat[0] == held).all():
        return full(held.flat[0].item(), atom_of(held))
    if held.dtype.kind in "fiub" and (held == np.trunc(held)).all() and np.abs(held.astype(np.float64)).max(initial=0) < 2**31:
        return ops.cast(ops.reshape(Whole(Entries(held.astype(np.int64).ravel().tolist()))(), *held.shape), held.dtype.name)
    raise TypeMismatch("a scan has an array of fractions inside its body: pass it as an argument of the function, or as a carry")


__all__ = ["from_jax"]
