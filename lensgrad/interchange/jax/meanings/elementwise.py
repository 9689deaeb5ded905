"""Primitives that act entry by entry."""

from __future__ import annotations

from collections.abc import Callable

from lensgrad.core.graph import Wire
from lensgrad.core.op import Op
from lensgrad.interchange.dtypes import carried_dtype
from lensgrad.interchange.jax.step import Meaning, Step, Table
from lensgrad.interchange.shapes import alike
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth import pointwise as p


def of_one(function: Callable[[Wire], Wire]) -> Meaning:
    """The meaning of a function of one argument."""
    return lambda step: function(step.wire())


def of_two(function: Callable[[Wire, Wire], Wire]) -> Meaning:
    """The meaning of a function of two arguments at one shape."""

    def meaning(step: Step) -> Wire:
        x, y = alike(*step.wires())
        return function(x, y)

    return meaning


def floating(step: Step) -> Step:
    """The same step, where it is of floats."""
    if not step.wire().atom.floating:
        raise step.refused("has a meaning for floats only")
    return step


def division(step: Step) -> Wire:
    x, y = alike(*floating(step).wires())
    return x / y


def remainder(step: Step) -> Wire:
    """x − y · trunc(x / y), of the sign of x."""
    x, y = alike(*floating(step).wires())
    return x - y * ops.trunc(x / y)


def rounded(step: Step) -> Wire:
    """To the nearest whole number; halves go away from 0, or to the even one."""
    x = floating(step).wire()
    return ops.round(x) if int(step.params["rounding_method"]) == 1 else ops.sign(x) * ops.floor(ops.absolute(x) + 0.5)


def integer_power(step: Step) -> Wire:
    n, x = int(step.params["y"]), step.wire()
    return x**n if n >= 0 else 1.0 / x**-n


def cast(step: Step) -> Wire:
    return ops.cast(step.wire(), carried_dtype("the result of convert_element_type", str(step.params["new_dtype"])))


def logical(connective: Op) -> Meaning:
    """A connective of truth values."""

    def meaning(step: Step) -> Wire:
        xs = alike(*step.wires())
        if any(x.atom.dtype != "bool" for x in xs):
            raise step.refused("has a meaning for truth values only")
        return connective(*xs)

    return meaning


def chosen(step: Step) -> Wire:
    """The case that a truth value or a number names."""
    which, *cases = step.wires()
    cases = alike(*cases)
    if which.atom.dtype == "bool":
        which, _ = alike(which, cases[0])
        return ops.select(which, cases[1], cases[0])
    which, *_ = alike(which, cases[0])
    result = cases[-1]
    for k in reversed(range(len(cases) - 1)):
        result = ops.select(which <= k, cases[k], result)
    return result


def clamped(step: Step) -> Wire:
    low, x, high = alike(*step.wires())
    return ops.minimum(ops.maximum(x, low), high)


def same(step: Step) -> Wire:
    return step.wire()


def precise(step: Step) -> Wire:
    """The identity, where no precision is lost."""
    kept = {"float32": (8, 23), "float64": (11, 52), "bfloat16": (8, 7), "float16": (5, 10)}.get(step.wire().atom.dtype)
    if (step.params["exponent_bits"], step.params["mantissa_bits"]) != kept:
        raise step.refused("rounds to a precision that has no meaning here")
    return step.wire()


def relation(sign: str) -> Meaning:
    return of_two(p.Compare(sign))


UNARY: dict[str, Callable[[Wire], Wire]] = {
    "abs": ops.absolute, "acos": ops.acos, "acosh": ops.acosh, "asin": ops.asin, "asinh": ops.asinh, "atan": ops.atan, "atanh": ops.atanh,
    "ceil": ops.ceil, "cos": ops.cos, "cosh": ops.cosh, "erf": ops.erf, "erfc": ops.erfc, "exp": ops.exp, "exp2": ops.exp2,
    "expm1": ops.expm1, "floor": ops.floor, "log": ops.log, "log1p": ops.log1p, "logistic": ops.sigmoid, "rsqrt": ops.rsqrt,
    "sign": ops.sign, "sin": ops.sin, "sinh": ops.sinh, "sqrt": ops.sqrt, "stop_gradient": ops.stop_gradient, "tan": ops.tan,
    "tanh": ops.tanh, "square": ops.square, "neg": lambda x: -x, "is_finite": lambda x: ops.equal(x - x, 0.0),
    "cbrt": lambda x: ops.sign(x) * ops.absolute(x) ** (1.0 / 3.0),
}  # fmt: skip
TABLE: Table = {
    **{name: of_one(function) for name, function in UNARY.items()},
    "add": of_two(lambda x, y: x + y),
    "add_any": of_two(lambda x, y: x + y),
    "sub": of_two(lambda x, y: x - y),
    "mul": of_two(lambda x, y: x * y),
    "div": division,
    "rem": remainder,
    "pow": of_two(lambda x, y: x ** (y if y.atom.dtype == x.atom.dtype else ops.cast(y, x.atom.dtype))),
    "max": of_two(ops.maximum),
    "min": of_two(ops.minimum),
    "atan2": of_two(ops.atan2),
    "eq": relation("=="),
    "ne": relation("!="),
    "lt": relation("<"),
    "le": relation("<="),
    "gt": relation(">"),
    "ge": relation(">="),
    "and": logical(p.And()),
    "or": logical(p.Or()),
    "xor": logical(p.Compare("!=")),
    "not": logical(p.Not()),
    "integer_pow": integer_power,
    "round": rounded,
    "convert_element_type": cast,
    "select_n": chosen,
    "clamp": clamped,
    "copy": same,
    "copy_p": same,
    "optimization_barrier": lambda step: step.wires(),
    "reduce_precision": precise,
}
