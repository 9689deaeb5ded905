"""A model as a function of JAX, and any program as StableHLO."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lensgrad.cat.para import Para, parametrized
from lensgrad.core import checks
from lensgrad.core.diagram import Diagram, Family, flatten
from lensgrad.core.errors import BadCheckpoint, MissingExtra, TypeMismatch
from lensgrad.interchange.dtypes import Numbers
from lensgrad.interchange.typed import Learned
from lensgrad.learn.model import Model, para
from lensgrad.learn.predict import predict
from lensgrad.program.compile import Program
from lensgrad.program.values import checked, initial

try:
    import jax
    import jax.numpy as jnp
    from jax import export

    from lensgrad.backends.jax.table import host, precision, run
except ImportError as error:
    raise MissingExtra("to_jax needs JAX, which is not installed: pip install 'lensgrad[jax]'") from error

JAX: Any = jax  # whose types are open in many places
EXPORT: Any = export
MARK, DIGEST = b"lensgrad", 32  # what ends the bytes of a program: a word and a digest of all before
END = len(MARK) + DIGEST
NUMPY: Any = jnp


class Exported(NamedTuple):
    """A pure function f(values, x, …) of JAX arrays, and the values: it works under jit, vmap, grad and optax."""

    function: Callable[..., jax.Array]
    values: dict[str, jax.Array]


def to_jax(
    model: Para | Diagram | Learned, values: Mapping[str, ArrayLike] | None = None, *, seed: int = 0, batch: bool = True
) -> Exported:
    """The function (P, A) → B of a model or a run as it predicts, and a dict of its parameters.

    With batch=True, which is so unless given, inputs and results have a first axis of examples. `values` are those of a run, or
    those given by name; what is not given begins as `seed` says. Dropout and batch norms are as they are when predicting.
    """
    found, known = taken(model)
    held = {**known, **({} if values is None else checks.mapping("values", values, "a dict of arrays by name"))}
    f = predict(found)
    missing = [p for n, p in zip(f.names, f.params, strict=True) if n not in held]
    given = {n: v for n, v in held.items() if n in f.names}
    start = {**(initial(f.params, seed, tuple(given)) if missing else {}), **given}
    arrays = [checked(name, p.ob, start) for name, p in zip(f.names, f.params, strict=True)]
    leaves = {name: each[0] if len(each) == 1 else tuple(each) for name, each in zip(f.names, map(listed, arrays), strict=True)}
    with precision(f.arrow):
        return Exported(function(f, checks.flag("batch", batch)), JAX.tree.map(NUMPY.asarray, leaves))


def listed(value: Any) -> list[Any]:
    """The arrays of a parameter, one for each atom."""
    return [*value] if checks.is_group(value) else [value]


def taken(model: Any) -> tuple[Model, Mapping[str, Any]]:
    """A model, and what is known of its values."""
    learner = getattr(model, "learner", None)
    if learner is not None:
        return learner.model, model.weights
    if isinstance(model, Family):
        parametrized("what to_jax takes", model)
    found = para(model)
    if not isinstance(found, Model) or not isinstance(found.arrow, Diagram):
        raise TypeMismatch(f"to_jax expects a model or a trained run, got {checks.shown(model)}")
    return found, {}


def function(f: Model, batch: bool) -> Callable[..., Any]:
    """The pure function of an arrow."""
    names, wanted, width = f.names, len(f.dom), len(f.cod)

    def one(values: Mapping[str, Any], *xs: Any) -> Any:
        outs = run(f.arrow, [*flatten([listed(values[n]) for n in names]), *xs])[:width]
        return outs[0] if width == 1 else tuple(outs)

    def call(values: Mapping[str, Any], *xs: Any) -> Any:
        if len(xs) != wanted:
            raise TypeMismatch(f"this function expects the values and {wanted} array{'s' * (wanted != 1)}, got {len(xs)}")
        held = checks.mapping("the values of this function", values, "a dict of arrays by name")
        missing = [n for n in names if n not in held]
        if missing:
            raise TypeMismatch(f"the values have no '{missing[0]}', which this function reads")
        with precision(f.arrow):
            given = [placed(f"input {k}", x, a, batch) for k, (x, a) in enumerate(zip(xs, f.dom, strict=True))]
            return JAX.vmap(one, (None, *[0] * wanted))(values, *given) if batch and wanted else one(values, *given)

    return call


def placed(what: str, x: Any, atom: Any, batch: bool) -> Any:
    """An input as an array of its type, with an axis of examples in front where there are several."""
    shape, dtype = host(atom)
    try:
        found = NUMPY.asarray(x, dtype)
    except (TypeError, ValueError) as wrong:
        raise TypeMismatch(f"{what} must be an array of {dtype}, got {checks.shown(x)}") from wrong
    if found.shape[batch:] != shape or found.ndim != len(shape) + batch:
        axis = " with an axis of examples in front" if batch else ""
        raise TypeMismatch(f"{what} must be of shape {[*shape]}{axis}, got {[*found.shape]}")
    return found


def to_stablehlo(what: Para | Diagram | Learned | Program, values: Mapping[str, ArrayLike] | None = None) -> bytes:
    """StableHLO of a run, a model or a compiled program (a training step too), as portable bytes of `jax.export`.

    A run is (x, …) ↦ y with its weights inside and any number of examples; a model is (values, x, …) ↦ y; a program is
    a function of its inputs by position, as `program.inputs` names them.
    """
    if isinstance(what, Program):
        f = what.diagram

        def step(*arrays: Any) -> tuple[Any, ...]:
            return run(f, arrays)

        with precision(f):
            return exported(step, [JAX.ShapeDtypeStruct(*host(a)) for a in f.dom])
    model, known = taken(what)
    made = to_jax(what, values)
    n, dom = EXPORT.symbolic_shape("n")[0], predict(model).dom
    xs = [JAX.ShapeDtypeStruct((n, *host(a)[0]), host(a)[1]) for a in dom]

    def predicting(*arrays: Any) -> Any:
        return made.function(made.values, *arrays)

    with precision(model.arrow):
        if known:
            return exported(predicting, xs)
        return exported(made.function, [JAX.tree.map(shape, made.values), *xs])


def shape(value: Any) -> Any:
    """The type of an array."""
    return JAX.ShapeDtypeStruct(value.shape, value.dtype)


def exported(function: Any, shapes: list[Any]) -> bytes:
    """A function at these shapes, as bytes, and at their end what shows whether they are whole; JAX's own reader passes over that."""
    raw = bytes(EXPORT.export(JAX.jit(function))(*shapes).serialize())
    return raw + MARK + sha256(raw).digest()


def from_stablehlo(data: bytes) -> Callable[..., Numbers]:
    """The function of what `to_stablehlo` gave; it is called with arrays and can be compiled, not differentiated.

    Damaged bytes are refused before they come to a compiler. Take them from people you trust, as any program.
    """
    if not checks.is_a(data, (bytes, bytearray)):
        raise TypeMismatch(f"from_stablehlo expects bytes that to_stablehlo gave, got {checks.shown(data)}")
    raw, mark, told = bytes(data[:-END]), bytes(data[-END:-DIGEST]), bytes(data[-DIGEST:])
    if mark != MARK or sha256(raw).digest() != told:
        raise BadCheckpoint("these bytes are no StableHLO as to_stablehlo gives it, or are damaged: take another copy")
    try:
        found = EXPORT.deserialize(bytearray(raw))
    except Exception as wrong:
        raise BadCheckpoint("these bytes are StableHLO that this version of JAX does not read: write them again") from wrong

    def call(*xs: Any) -> Any:
        try:
            return JAX.tree.map(as_numbers, found.call(*xs))
        except (TypeError, ValueError) as wrong:
            wanted = ", ".join(map(str, found.in_avals))
            raise TypeMismatch(
                f"this program takes {wanted}, and cannot be called with {', '.join(map(checks.shown, xs)) or 'nothing'}"
            ) from wrong

    return call


def as_numbers(x: Any) -> Numbers:
    return np.asarray(x)


__all__ = ["Exported", "from_stablehlo", "to_jax", "to_stablehlo"]
