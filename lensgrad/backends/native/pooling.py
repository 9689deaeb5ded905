"""Max-pooling without gather and scatter: what is read at the largest entry is that entry; back, each entry asks whether it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from lensgrad.backends.native.flat import Call, Flat, Value
from lensgrad.backends.native.integers import Atom, Index, flat, of, unflat
from lensgrad.backends.native.scope import Here, Moved, Pulled, Scope, Where, meaning_of
from lensgrad.theories.smooth.conv import Convolve, WindowArgMax
from lensgrad.theories.smooth.index import ScatterAdd, Take

TAPS = 25  # entries of a window that are written out one by one
NEAR = 1 << 14  # bytes that stay in the nearest cache
Makers = Mapping[int, tuple[Call, int]]


def unrolled(op: Any) -> bool:
    """Whether the entries of a window are few, and none is padding."""
    return prod(op.size) <= TAPS and not any(map(any, op.window.padding))


def chosen(op: Any, dom: Sequence[Value]) -> Pulled | None:
    """Where the largest entries are, window by window, if those are small. What is read again is in an array, and what stays near."""
    return Pulled(argmax, 12, again=not apart(op) or dom[0].bytes <= NEAR) if unrolled(op) else None


def apart(op: Any) -> bool:
    """Whether windows do not overlap."""
    return all(s >= k and d == 1 for s, k, d in zip(op.window.stride, op.size, op.window.dilation, strict=True))


def positions(op: Any, image: tuple[int, ...], index: Where) -> list[tuple[Index, ...]]:
    """The places in the image of the entries of the window at an index, in row-major order."""
    win, places = op.window, list[tuple[Index, ...]]()
    for tap in range(prod(op.size)):
        at = unflat(Index(tap), op.size)
        places.append(tuple(i * s + (t.constant * d) for i, s, t, d in zip(index, win.stride, at, win.dilation, strict=True)))
    return places


def argmax(here: Here) -> str:
    """Where the first largest entry of a window is."""
    n, *space, c = here.index
    image = here.dom[0].shape[1:-1]
    best, where = "", ""
    for place in positions(here.op, image, tuple(space)):
        text, number = here.arg(0, (n, *place, c)), f"({flat(place, image)})"
        if not best:
            best, where = text, here.let(number)
            continue
        better = here.scope.let(f"{text} > {best}", "bool")
        where = here.let(f"{better} ? {number} : {where}")
        best = here.scope.let(f"{better} ? {text} : {best}", here.dom[0].dtype)
    return where


def origin(program: Flat, makers: Makers, wire: int, index: Where) -> tuple[int, Where]:
    """Where an entry comes from that others only moved."""
    while wire in makers:
        call, _ = makers[wire]
        meaning = meaning_of(program, call)
        if not isinstance(meaning, Moved):
            break
        index = meaning(call.op, program.dom(call), index)
        wire = call.args[0]
    return wire, index


def variables(shape: tuple[int, ...]) -> Where:
    return tuple(of(Atom(f"v{k}", n)) for k, n in enumerate(shape))


def simplified(program: Flat) -> None:
    """Note for each pair of gather and window, and of scatter and window, that entries can be computed one by one."""
    makers: Makers = {o: (c, k) for c in program.calls for k, o in enumerate(c.outs)}
    for call in program.calls:
        if isinstance(call.op, Take) and (window := pooled(program, makers, call)):
            program.special[call.outs[0]] = Pulled(lambda here, w=window: largest(here, w), 3 * prod(window.op.size))
        elif isinstance(call.op, ScatterAdd) and (window := spread_back(program, makers, call)):
            program.special[call.outs[0]] = Pulled(lambda here, w=window: asked(here, w), 3, again=False)
            nearer(program, makers, call.args[1])


def nearer(program: Flat, makers: Makers, wire: int) -> None:
    """Have a value that is only moved, and not from a convolution, in an array of its own, as each entry is read several times."""
    start, _ = origin(program, makers, wire, variables(program.values[wire].shape))
    call = makers[wire][0] if wire in makers else None
    if call is not None and start != wire and not (start in makers and isinstance(makers[start][0].op, Convolve)):
        program.near.add(wire)


def window_of(program: Flat, makers: Makers, wire: int, index: Where) -> tuple[Call, Where] | None:
    """The window whose largest entry a number tells, and at which index it is."""
    at, place = origin(program, makers, wire, index)
    call = makers[at][0] if at in makers else None
    return (call, place) if call is not None and isinstance(call.op, WindowArgMax) and unrolled(call.op) else None


def pooled(program: Flat, makers: Makers, call: Call) -> Call | None:
    """The window, if this reads an image at the largest entries of its own windows."""
    x, where = program.dom(call)
    index = variables(where.shape)
    found = window_of(program, makers, call.args[1], index)
    if found is None or len(where.shape) != call.op.lead + 1 or len(x.shape) != call.op.lead + 1:
        return None
    window, place = found
    image = program.values[window.args[0]].shape
    row = of(Atom("row", x.shape[-1]))
    read = origin(program, makers, call.args[0], (*index[:-1], row))
    wanted = origin(program, makers, window.args[0], (place[0], *unflat(row, image[1:-1]), place[-1]))
    return window if read == wanted else None


def largest(here: Here, window: Call) -> str:
    """The largest entry of the window that the index is of."""
    scope = here.scope
    reading = scope.reading
    _, place = origin(reading.flat, reading.makers, here.call.args[1], here.index)
    n, *space, c = place
    image = reading.flat.values[window.args[0]].shape[1:-1]
    best = ""
    for spot in positions(window.op, image, tuple(space)):
        text = scope.at(window.args[0], (n, *spot, c))
        best = here.let(f"{text} > {best} ? {text} : {best}") if best else text
    return best


def spread_back(program: Flat, makers: Makers, call: Call) -> Call | None:
    """The window, if this adds at the largest entries of windows that do not overlap."""
    where, _ = program.dom(call)
    found = window_of(program, makers, call.args[0], variables(where.shape))
    if found is None or len(where.shape) != call.op.lead + 1 or len(program.dom(call)[1].shape) != len(where.shape):
        return None
    window, place = found
    op, image = window.op, program.values[window.args[0]].shape
    if (
        not apart(op)
        or call.op.rows != prod(image[1:-1])
        or flat(place[1:-1], program.values[window.outs[0]].shape[1:-1]) != variables(where.shape)[-1]
    ):
        return None
    return window


def asked(here: Here, window: Call) -> str:
    """What flows to an entry: that of its window, if it was the largest one."""
    reading = here.scope.reading
    image, counts = (reading.flat.values[w].shape[1:-1] for w in (window.args[0], window.outs[0]))
    place = unflat(here.index[-1], image)
    tests: list[str] = []
    spot: list[Index] = []
    for i, s, k, n in zip(place, window.op.window.stride, window.op.size, counts, strict=True):
        first, rest = i.divided(s)
        if s > k and rest.bounds[1] >= k:
            tests.append(f"{rest} < {k}")
        if first.bounds[1] >= n:
            tests.append(f"{first} < {n}")
        spot.append(first)
    row = (*here.index[:-1], flat(spot, counts))
    read = here.call.args

    def value(scope: Scope) -> str:
        return scope.let(f"{scope.at(read[0], row)} == {here.index[-1]} ? {scope.at(read[1], row)} : {here.number(0)}", here.cod.dtype)

    from lensgrad.backends.native.meanings.entries import guarded

    return guarded(here, " && ".join(tests) or "1", value, here.number(0))
