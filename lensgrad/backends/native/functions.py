"""Groups as C functions on arrays that they are given, so that layers that do the same share one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from lensgrad.backends.native.flat import TYPES, Flat
from lensgrad.backends.native.printer import Function, Place

NAME = re.compile(r"\b[A-Za-z]\w*_\d+\b")  # how arrays are called
MANY = 24  # functions that take a compiler long
Address = Callable[[int], str]  # where an array lies, as C


def shared(
    flat: Flat, places: Mapping[int, Place], functions: Sequence[Function], address: Address, inline: bool = False
) -> tuple[list[str], list[str]]:  # fmt: skip
    """The texts of the functions, each once, and for each group its call, to be ended by the numbers of threads.

    With `inline` a few of them become one text for the compiler.
    """
    texts: dict[tuple[object, ...], str] = {}
    named: dict[tuple[object, ...], str] = {}
    inline = inline and len(functions) < MANY
    calls: list[str] = []
    for f in functions:
        wires = ordered(f, places)
        kinds = [TYPES[flat.values[w].dtype] for w in wires]
        key = (f.parallel, tuple(kinds), neutral(f, [places[w].name for w in wires]))
        if key not in named:
            arrays = [f"{k} *{places[w].name}" for k, w in zip(kinds, wires, strict=True)]
            named[key], texts[key] = f.name, "\n".join([*f.before, written(f, arrays, inline and not f.many)])
        given = [f"({k} *)({address(w)})" for k, w in zip(kinds, wires, strict=True)]
        calls.append(f"{named[key]}({''.join(g + ', ' for g in given)}")
    return list(texts.values()), calls


def ordered(f: Function, places: Mapping[int, Place]) -> list[int]:
    """The arrays of a function as its lines name them first."""
    wires = {places[w].name: w for w in f.reads | f.writes}
    return [wires[name] for name in dict.fromkeys(NAME.findall("\n".join(f.lines))) if name in wires]


def neutral(f: Function, names: Sequence[str]) -> str:
    """The lines with numbers for the names of arrays."""
    numbers = {name: f"@{k}" for k, name in enumerate(names)}
    return NAME.sub(lambda m: numbers.get(m[0], m[0]), "\n".join(f.lines))


def written(f: Function, arrays: Sequence[str], inline: bool) -> str:
    kind = "INLINE" if inline else "static __attribute__((noinline))" if f.parallel else "static"
    more = ", _Atomic int *gate, int *sense" if f.waits else ""
    head = f"{kind} void {f.name}({''.join(a + ', ' for a in arrays)}int id, int of{more}) {{"
    return indented([*([f"/* {f.title} */"] if f.title else []), head, *f.lines, "}"])


def indented(lines: Sequence[str]) -> str:
    """Lines, each as far in as there are open braces before it."""
    depth, found = 0, list[str]()
    for line in "\n".join(lines).splitlines():
        depth -= line.startswith("}")
        found.append(line if line.startswith("#") else "  " * depth + line)
        depth += line.count("{") - line.count("}") + line.startswith("}")
    return "\n".join(found)


UNITS = """
#ifndef UNIT /* 1 or 2 where this text is compiled in halves, one beside the other */
#define UNIT 0
#define PART static
#else
#define PART __attribute__((visibility("hidden")))
#endif"""


def halved(texts: Sequence[str]) -> list[str]:
    """The same functions, such that two compilers can have half of them each."""
    if len(texts) < MANY:
        return [*texts]
    parts = [re.sub(r"^static (.*\) \{)$", r"PART \1", t, flags=re.MULTILINE) for t in texts]
    heads = [re.sub(r" \{$", ";", line) for t in parts for line in t.splitlines() if line.startswith("PART ")]
    half, sizes = 0, [len(t) for t in parts]
    while sum(sizes[: half + 1]) * 2 < sum(sizes):
        half += 1
    return [UNITS, *heads, "#if UNIT != 2", *parts[:half], "#endif", "#if UNIT != 1", *parts[half:]]
