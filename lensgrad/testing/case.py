"""One generator at one type: what there is to know about it before its rules are looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import Any

import numpy as np

from lensgrad.backends.engine import Backend, Jax, backend, installed
from lensgrad.cat.structure import change
from lensgrad.core.checks import flag, function, instance, listing, shown
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.op import Op
from lensgrad.core.ty import Ty
from lensgrad.testing.precision import Precision, precision
from lensgrad.testing.samples import Rng, Sampler, natural

Arrays = list[Any]


@dataclass(frozen=True)
class Kink:
    """What R gives where the derivative does not exist: inputs, cotangents, and the declared answer."""

    inputs: tuple[Any, ...]
    cotangents: tuple[Any, ...]
    answer: tuple[Any, ...]


@dataclass(frozen=True)
class Case:
    """A generator at a type, given as atoms or as an object such as `lg.Real(3)`, with samplers of inputs that stay away from its kinks.

    `values` has one sampler for each input (all by their type when empty), `kinks` the declared answers where the
    derivative does not exist, `together` what the results of examples make in a batch, and `without` the parts of
    the check that do not apply, each with its reason. `variadic` says that more inputs of the last type are welcome. `backends`
    are those that must agree, the reference first: all that are installed, unless given.
    """

    op: Op
    dom: Any = ()  # atoms
    values: tuple[Sampler, ...] = ()
    kinks: tuple[Kink, ...] = ()
    together: Callable[[Sequence[Any]], Any] = np.stack
    without: Mapping[str, str] = field(default_factory=dict[str, str])
    variadic: bool = False
    backends: tuple[Backend, ...] = ()

    def __post_init__(self) -> None:
        instance("the generator of a case", self.op, Op, "an object of a class marked @generator")
        instance("the inputs of a case", self.dom, (Ty, tuple, list), "a tuple of atoms")
        object.__setattr__(self, "dom", flat([self.dom] if isinstance(self.dom, Ty) else self.dom))
        draws = [
            function("each of the values of a case", draw, "a sampler, such as testing.positive") for draw in several("values", self.values)
        ]
        if draws and len(draws) != len(self.dom):
            raise BadValue(f"a case has one sampler for each input, got {len(draws)} values for {len(self.dom)} inputs")
        for kink in several("kinks", self.kinks):
            instance("each of the kinks of a case", kink, Kink, "testing.Kink(inputs, cotangents, answer)")
        for engine in several("backends", self.backends):
            if backend(engine) is not engine:
                raise BadValue(f"each of the backends of a case must be a backend itself, such as backend({engine!r}), got {engine!r}")
        function("what a case puts results together with", self.together, "a function such as np.stack")
        instance("what a case goes without", self.without, Mapping, "a dict of reasons by part of the check")
        flag("variadic", self.variadic)

    @property
    def engines(self) -> tuple[Backend, ...]:
        """What must agree, the reference first."""
        return self.backends or installed()

    @property
    def name(self) -> str:
        return f"{self.op} at {Ty(self.dom)}"

    def draw(self, rng: Rng) -> Arrays:
        """Random inputs."""
        samplers = self.values or (natural,) * len(self.dom)
        return [draw(rng, a) for draw, a in zip(samplers, self.dom, strict=True)]


def flat(dom: Iterable[Any]) -> tuple[Any, ...]:
    """Atoms, given one by one or as objects such as `lg.Real(3)`."""
    return tuple(atom for given in dom for atom in (given.atoms if isinstance(given, Ty) else (named(given),)))


def named(atom: Any) -> Any:
    """An atom, which is a value that can be looked up."""
    try:
        hash(atom)
    except TypeError:
        raise TypeMismatch(f"a case takes atoms, or objects such as lg.Real(3), got {shown(atom)}") from None
    return atom


def several(what: str, given: Any) -> list[Any]:
    """A field that is several things."""
    return listing(f"the {what} of a case", instance(f"the {what} of a case", given, (tuple, list), "a tuple"), "a tuple")


class Facts:
    """A case with its meaning, random inputs, and the derivative by two independent ways; no rule of its generator is used."""

    def __init__(self, case: Case, seed: int = 0) -> None:
        rng = np.random.Generator(np.random.PCG64(seed))
        self.case = case
        self.f = Diagram.of(case.op, Ty(case.dom))
        self.precision: Precision = precision((*case.dom, *self.f.cod))
        self.xs = case.draw(rng)
        self.moving = [i for i, a in enumerate(case.dom) if change(a) is not None]
        self.seen = [o for o, a in enumerate(self.f.cod) if change(a) is not None]
        self.dys, self.other_dys = ([natural(rng, self.f.cod[o]) for o in self.seen] for _ in range(2))
        self.dxs, self.other_dxs = ([natural(rng, case.dom[i]) for i in self.moving] for _ in range(2))
        self.examples = [case.draw(rng) for _ in range(3)]
        self.example_dys = [[natural(rng, self.f.cod[o]) for o in self.seen] for _ in self.examples]

    @cached_property
    def run(self) -> Callable[..., Arrays]:
        """The meaning in the reference."""
        return self.runs(self.f)

    def runs(self, f: Diagram, backend: Backend | None = None) -> Callable[..., Arrays]:
        """An arrow as a function on NumPy arrays, in the reference or in another backend."""
        engine = self.case.engines[0] if backend is None else backend
        call = engine.function(f)
        return lambda *xs: [engine.fetch(y) for y in call(*xs)]

    def in_jax(self) -> Jax:
        """The JAX backend of the case; without one, that of the library."""
        return next((b for b in self.case.engines if isinstance(b, Jax)), Jax())

    def visible(self, *xs: Any) -> Arrays:
        """The results that change when inputs do."""
        ys = self.run(*xs)
        return [ys[o] for o in self.seen]

    @cached_property
    def central(self) -> Arrays:
        """⟨dy, ∂f⟩ by central differences, one input entry at a time."""
        return gradient(lambda *xs: pairing(self.dys, self.visible(*xs)), self.xs, self.moving, self.precision.step)

    @cached_property
    def central_along(self) -> Arrays:
        """∂f · dx by central differences."""
        step = self.precision.step
        ahead, behind = (self.visible(*moved(self.xs, self.moving, self.dxs, h)) for h in (step, -step))
        return [(a - b) / (2 * step) for a, b in zip(ahead, behind, strict=True)]

    @cached_property
    def oracle(self) -> tuple[Arrays, Arrays]:
        """What JAX returns, and the vector-Jacobian product that it finds by itself in its own meaning of the generator."""
        from lensgrad.backends.jax import table as jax_backend

        call = jax_backend.function(self.f, self.in_jax().table)
        jax: Any = import_module("jax")

        def both(xs: Arrays, dys: Arrays) -> tuple[Any, Any]:
            def meaning(*moving: Any) -> tuple[Any, Any]:
                ys = call(*replaced(xs, self.moving, moving))
                return tuple(ys[o] for o in self.seen), ys

            outputs, pull, ys = jax.vjp(meaning, *(xs[i] for i in self.moving), has_aux=True)
            return ys, pull(tuple(dy.astype(y.dtype) for dy, y in zip(dys, outputs, strict=True)))

        with jax_backend.wide():
            found = jax.jit(both)(*jax.tree.map(jax.numpy.asarray, (self.xs, self.dys)))
            return jax.tree.map(np.asarray, found)


def pairing(a: Arrays, b: Arrays) -> float:
    """⟨a, b⟩ over lists of arrays."""
    return float(sum(np.sum(np.asarray(x, np.float64) * y) for x, y in zip(a, b, strict=True)))


def replaced(xs: Sequence[Any], places: Sequence[int], new: Sequence[Any]) -> Arrays:
    """`xs` with other arrays at these places."""
    answer = list(xs)
    for i, x in zip(places, new, strict=True):
        answer[i] = x
    return answer


def moved(xs: Arrays, places: Sequence[int], by: Arrays, step: float) -> Arrays:
    """`xs` a step further in a direction."""
    return replaced(xs, places, [np.asarray(xs[i] + step * d, np.asarray(d).dtype) for i, d in zip(places, by, strict=True)])


def gradient(fn: Callable[..., float], xs: Arrays, places: Sequence[int], step: float) -> Arrays:
    """The gradient of a number by central differences in the inputs at `places`."""
    return [np.array([slope(fn, xs, i, at, step) for at in np.ndindex(xs[i].shape)]).reshape(xs[i].shape) for i in places]


def slope(fn: Callable[..., float], xs: Arrays, place: int, at: tuple[int, ...], size: float) -> float:
    """One partial derivative by a central difference."""
    ends: list[float] = []
    for step in (size, -size):
        x = np.array(xs[place])
        x[at] += step
        ends.append(fn(*replaced(xs, [place], [x])))
    return (ends[0] - ends[1]) / (2 * size)
