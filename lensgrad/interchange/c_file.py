"""A step as a C file that needs nothing, with what a reader has to know at its top, a small program at its end, and values beside it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lensgrad.backends.native.portable import Called, Item, Portable, described, portable, safe
from lensgrad.core import checks
from lensgrad.core.errors import BadValue, NoRule
from lensgrad.files.place import quoted, ready, write
from lensgrad.program.compile import Port, Program

FIRST = {"step": "A training step, written by lensgrad", "predict": "A trained model as it predicts, written by lensgrad"}
NOTES = """\
C99 that needs no library but memcpy and memset, which every compiler has: no heap, no threads, no other file. The same bits
come out wherever float and double are those of IEEE 754, for any compiler that leaves sums as they stand (no -ffast-math;
-ffp-contract=off).

  {call}

takes {memory} bytes of memory, which begin where a double may; the largest arrays on the stack of a function have {stack} bytes.
All numbers lie in row-major order. exp, log, tanh, pow, sin, cos, sqrt and the like are within 4 units in the last place, erf and
erfc of 64 bits within 16.
"""
PROGRAM = {
    "step": """\
With -DLENSGRAD_MAIN this is a program: `step START DATA END` reads what stays in memory from START, takes a step for each batch in
DATA, prints the mean of what is observed, and writes what stays in memory to END, in the order above. DATA has the data of one step
after those of the other. END may be START, and is written after all steps; it is refused where it has the bytes of DATA, as one
file under two names has. Files are plain numbers, in the order of bytes of this machine; '{beside}' beside this file has first
values.""",
    "predict": """\
With -DLENSGRAD_MAIN this is a program: `predict WEIGHTS INPUT OUTPUT` reads the weights, as '{beside}' beside this file has them,
and writes what the model gives for each input. OUTPUT is refused where it has the bytes of one of the others, as one file under
two names has. Files are plain numbers, in the order above and in the order of bytes of this machine.""",
}
MAIN = """\
#ifdef LENSGRAD_MAIN
#include <stdio.h>

static union {
  double aligned;
  unsigned char bytes[MEMORY];
} whole;
static const struct {
  size_t at, size;
} kept[] = {%(kept)s};
%(buffers)s

/* Whether so many bytes were read. */
static int taken(void *to, size_t size, FILE *file) { return fread(to, 1, size, file) == size; }

static int wrong(const char *what, const char *path) {
  fprintf(stderr, "%%s %%s\\n", what, path);
  return 1;
}

/* Whether a file has the bytes of another one, at least one: then it may be the same, under this name or another. Nothing is written. */
static int alike(FILE *file, const char *path) {
  FILE *other = fopen(path, "r+b"); /* not to wait for the other end of a pipe */
  int a = EOF, b = EOF, some = 0;
  if (other && !fseek(file, 0, SEEK_END) && !fseek(other, 0, SEEK_END)) {
    rewind(file), rewind(other);
    while ((a = getc(file)) == (b = getc(other)) && a != EOF) some = 1;
  }
  rewind(file);
  if (other) fclose(other);
  return some && a == b;
}

int main(int count, char **words) {
  if (count != 4) return wrong("usage: %(usage)s,", "all of them files");
  FILE *start = fopen(words[1], "rb"), *data = fopen(words[2], "rb");
  if (!start || !data) return wrong("cannot read", words[start ? 2 : 1]);
  for (size_t k = 0; k < sizeof kept / sizeof *kept; k++)
    if (!taken(whole.bytes + kept[k].at, kept[k].size, start)) return wrong("too short:", words[1]);
%(apart)s
  fclose(start);
%(loop)s
  return fclose(end) ? wrong("cannot write", words[3]) : 0;
}
#endif
"""
APART = """\
  if (alike(%s, words[3])) return wrong("choose another %s: it has the same bytes as", words[%d]);"""
OPEN = """\
  FILE *end = fopen(words[3], "wb");
  if (!end) return wrong("cannot write", words[3]);"""
# What is learned is written after all is well: its file may be the one that it began from.
STEP = """\
  long steps = 0;
  for (; taken(%(first)s, 1, data); steps++) {
    if (!(%(rows)s)) return wrong("ends within a batch:", words[2]);
    %(call)s
%(sums)s
  }
  if (!steps) return wrong("no batch is in", words[2]);
%(open)s
%(prints)s
  for (size_t k = 0; k < sizeof kept / sizeof *kept; k++)
    if (fwrite(whole.bytes + kept[k].at, 1, kept[k].size, end) != kept[k].size) return wrong("cannot write", words[3]);"""
PREDICT = """\
%(open)s
  while (taken(%(first)s, 1, data)) {
    if (!(%(rows)s)) return wrong("ends within an input:", words[2]);
    %(call)s
    if (%(written)s) return wrong("cannot write", words[3]);
  }"""


def write_c(step: Program, path: Any, function: str, rows: Collection[str], values: Mapping[str, Any]) -> None:
    """Write a step as C, and the values that stay in memory beside it."""
    goal = checks.file("path", path)
    if goal.suffix.lower() != ".c":
        raise BadValue(f"the path of a C file must end in .c, got {quoted(goal)}")
    beside = goal.with_suffix(".bin")
    ready(goal)
    ready(beside)
    if beside.exists() and not ours(goal):
        told = f"{quoted(beside)} is there and was not written by an export"
        raise BadValue(f"{told}: the values of {quoted(goal.name)} would take its place, so choose another name")
    try:
        made = portable(step.diagram, step.loop(rows), Called(function, wires(step.inputs), wires(step.outputs)))
    except NoRule as gap:
        raise NoRule(f"{quoted(goal.name)} cannot be written: {gap}") from None
    write(beside, raw(made, step, values))
    write(goal, text(made, beside.name).encode())


def ours(goal: Path) -> bool:
    """Whether a file is one that was written here."""
    if not goal.is_file():
        return False
    with goal.open("rb") as file:
        return file.read(100).startswith(tuple(f"/* {first}".encode() for first in FIRST.values()))


def wires(ports: Sequence[Port]) -> tuple[str, ...]:
    """A name for each wire."""
    return tuple(p.name if len(p.ob) == 1 else f"{p.name}.{k}" for p in ports for k in range(len(p.ob)))


def raw(made: Portable, step: Program, values: Mapping[str, Any]) -> bytes:
    """The values that stay in memory, one after the other, in little-endian order."""
    found: dict[str, Any] = {}
    for p in step.inputs:
        if p.name in values:
            parts = (values[p.name],) if len(p.ob) == 1 else values[p.name]
            found |= dict(zip(wires([p]), parts, strict=True))
    arrays = (np.ascontiguousarray(found[i.name]) for i in (*made.states, *made.fixed))
    return b"".join(a.astype(a.dtype.newbyteorder("<")).tobytes() for a in arrays)


def text(made: Portable, beside: str) -> str:
    """The whole file."""
    # Not string.h: a machine without a system has none, and its compiler wants these two all the same.
    includes = "#include <stddef.h>\n#include <stdint.h>\n\nvoid *memcpy(void *, const void *, size_t);\nvoid *memset(void *, int, size_t);"
    contract = "#if defined(__clang__)\n#pragma STDC FP_CONTRACT OFF\n#endif"
    return "\n\n".join([head(made, beside), f"{includes}\n\n{contract}", made.text, program(made)])


def head(made: Portable, beside: str) -> str:
    """What somebody who uses the file has to know."""
    arguments = ", ".join(["memory", *(i.word for i in (*made.rows, *made.seen))])
    notes = NOTES.format(call=f"{made.function}({arguments});", memory=made.memory, stack=made.stack)
    parts = [
        ("what a step reads and writes in memory" if made.states else "", made.states),
        ("what is only read in memory", made.fixed),
        ("data of a step" if made.function == "step" else "input", made.rows),
        ("what is observed" if made.function == "step" else "output", made.seen),
    ]
    lines = [f"{FIRST[made.function]}.", "", notes]
    for told, items in parts:
        lines += [f"{told}:", *(f"  {i.word}  {described(i)}, {i.bytes} bytes" for i in items), ""] if items else []
    lines.append(PROGRAM[made.function].format(beside=safe(beside)))
    return f"/* {chr(10).join(lines)} */"


def program(made: Portable) -> str:
    """The program at the end of the file."""
    buffers = [(f"given_{i.word}", i) for i in made.rows], [(f"seen_{i.word}", i) for i in made.seen]
    arguments = ", ".join(["&whole", *(name for name, _ in (*buffers[0], *buffers[1]))])
    parts = {
        "open": OPEN,
        "first": buffers[0][0][0] if made.rows else "0",
        "rows": " && ".join(taken(k, name, i) for k, (name, i) in enumerate(buffers[0])),
        "call": f"{made.function}({arguments});",
        "sums": "\n".join(f"    for (int k = 0; k < {entries(i)}; k++) mean_{i.word} += (double){name}[k];" for name, i in buffers[1]),
        "prints": "\n".join(f'  printf("{safe(i.name)}: %.9g\\n", mean_{i.word} / ((double)steps * {entries(i)}));' for _, i in buffers[1]),
        "written": " || ".join(f"fwrite({name}, 1, {i.bytes}, end) != {i.bytes}" for name, i in buffers[1]),
    }
    kept = ", ".join(f"{{{i.word}, {i.bytes}}}" for i in (*made.states, *made.fixed)) or "{0, 0}"
    means = [f"static double mean_{i.word};" for i in made.seen] if made.function == "step" else []
    sizes = [f"static {i.type} {name}[{entries(i)}];" for name, i in (*buffers[0], *buffers[1])]
    usage, loop = ("step START DATA END", STEP) if made.function == "step" else ("predict WEIGHTS INPUT OUTPUT", PREDICT)
    others = [("data", "END", 2)] if made.function == "step" else [("data", "OUTPUT", 2), ("start", "OUTPUT", 1)]
    apart = "\n".join(APART % other for other in others)
    return MAIN % {"kept": kept, "buffers": "\n".join([*sizes, *means]), "usage": usage, "apart": apart, "loop": loop % parts}


def taken(number: int, name: str, item: Item) -> str:
    """The reading of a row; the first byte of the first one is read already, to know whether there is one."""
    return f"taken((char *){name} + 1, {item.bytes - 1}, data)" if number == 0 else f"taken({name}, {item.bytes}, data)"


def entries(item: Item) -> int:
    return max(1, int(np.prod(item.shape)))


__all__ = ["write_c"]
