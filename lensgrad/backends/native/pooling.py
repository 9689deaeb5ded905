"""Max-pooling without gather and scatter: what is read at the largest entry is that entry; back, each entry asks whether it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from lensgrad.backends.native.flat import Call, Flat, Value
from lensgrad.backends.native.integers import Atom, Index, flat, of, unflat
from lensgrad.backends.native.scope import Here, Moved, Pulled, Scope, Where, meaning_of
from lensgrad.theories.smooth.array import Full
from lensgrad.theories.smooth.conv import Convolve, WindowArgMax
from lensgrad.theories.smooth.index import ScatterAdd, Take
from lensgrad.theories.smooth.linear import Einsum
from lensgrad.theories.smooth.pointwise import Compare, Select

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
    taken: dict[int, Call] = {}
    for call in program.calls:
        if isinstance(call.op, Take) and (window := pooled(program, makers, call)):
            program.special[call.outs[0]] = Pulled(lambda here, w=window: largest(here, w), 3 * prod(window.op.size))
            taken[window.outs[0]] = call
        elif isinstance(call.op, ScatterAdd) and (window := spread_back(program, makers, call)):
            program.special[call.outs[0]] = Pulled(lambda here, w=window: asked(here, w), 3, again=False)
            nearer(program, makers, call.args[1])
        elif isinstance(call.op, Select) and (gated := rectified(program, makers, taken, call)):
            program.special[call.outs[0]] = Pulled(gated, 4)
            program.near.update((gated.through, *multiplied(program, makers, gated.through)))


@dataclass(frozen=True)
class Gated:
    """What flows back through a window and the relu before it: what comes, if the largest entry was this one and above 0."""

    scatter: Call
    window: Call
    through: int  # the largest entries

    def __call__(self, here: Here) -> str:
        reading = here.scope.reading
        _, index = origin(reading.flat, reading.makers, here.call.args[1], here.index)
        return asked(Here(here.scope, self.scatter, 0, index), self.window, self.through)


def rectified(program: Flat, makers: Makers, taken: Mapping[int, Call], call: Call) -> Gated | None:
    """Whether this lets pass what windows give back where the entry that they read, x where x > 0 and else 0, was above 0."""
    index = variables(program.values[call.outs[0]].shape)
    at, row = origin(program, makers, call.args[1], index)
    scatter = makers[at][0] if at in makers else None
    window = spread_back(program, makers, scatter) if scatter is not None and isinstance(scatter.op, ScatterAdd) else None
    take = taken.get(window.outs[0]) if window is not None else None
    if scatter is None or window is None or take is None or not zero(program, makers, call.args[2]):
        return None
    image, spots = (program.values[w].shape for w in (window.args[0], take.outs[0]))
    spot = (*row[:-1], variables(spots)[-1])
    number, place = origin(program, makers, take.args[1], spot)
    if program.values[scatter.args[0]].shape != spots or origin(program, makers, scatter.args[0], spot) != (number, place):
        return None
    read = origin(program, makers, window.args[0], (place[0], *unflat(row[-1], image[1:-1]), place[-1]))
    relu = makers[read[0]][0] if read[0] in makers else None
    if relu is None or not isinstance(relu.op, Select) or not zero(program, makers, relu.args[2]):
        return None
    test, own = origin(program, makers, relu.args[0], read[1])
    above = makers[test][0] if test in makers else None
    if above is None or not isinstance(above.op, Compare) or above.op.relation != ">" or not zero(program, makers, above.args[1]):
        return None
    alike = origin(program, makers, above.args[0], own) == origin(program, makers, relu.args[1], read[1])
    through = shaped(program, makers, take.outs[0], program.values[window.outs[0]].shape, (place, spot))
    same = alike and origin(program, makers, call.args[0], index) == (test, own)
    return Gated(scatter, window, through) if same and through is not None else None


def shaped(program: Flat, makers: Makers, wire: int, shape: tuple[int, ...], pair: tuple[Where, Where]) -> int | None:
    """A value of this shape that is another one moved, such that the first index of the pair is where the second one was."""
    here, there = pair
    moved = (c.outs[0] for c in program.calls if c.outs and program.values[c.outs[0]].shape == shape)
    return next((w for w in moved if w != wire and origin(program, makers, w, here) == (wire, there)), None)


def multiplied(program: Flat, makers: Makers, wire: int) -> list[int]:
    """What products read that is the same entries as a value, moved: in an array of its own, as they read it many times."""
    start, _ = origin(program, makers, wire, variables(program.values[wire].shape))
    args = dict.fromkeys(a for c in program.calls if isinstance(c.op, Einsum) for a in c.args if a != wire)
    return [a for a in args if origin(program, makers, a, variables(program.values[a].shape))[0] == start]


def zero(program: Flat, makers: Makers, wire: int) -> bool:
    """Whether all entries of a value are 0."""
    at, _ = origin(program, makers, wire, variables(program.values[wire].shape))
    return at in makers and isinstance(makers[at][0].op, Full) and makers[at][0].op.value == 0


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


def asked(here: Here, window: Call, through: int | None = None) -> str:
    """What flows to an entry: that of its window, if it was the largest one, and if the one that `through` has is above 0."""
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
        given = scope.at(read[1], row)
        if through is not None:
            _, place = origin(reading.flat, reading.makers, read[0], row)
            given = scope.let(f"{scope.at(through, place)} > 0 ? {given} : 0", here.cod.dtype)
        return scope.let(f"{scope.at(read[0], row)} == {here.index[-1]} ? {given} : {here.number(0)}", here.cod.dtype)

    from lensgrad.backends.native.meanings.entries import guarded

    return guarded(here, " && ".join(tests) or "1", value, here.number(0))
