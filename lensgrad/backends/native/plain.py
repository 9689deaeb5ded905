"""C99 out of what the printer prints for one machine: no extensions of compilers, one thread, and the helpers that are used."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
WORD = re.compile(r"[A-Za-z_]\w*")
TEXT = re.compile(r"/\*.*?\*/|\"[^\"]*\"", re.DOTALL)  # in which no name is used
FROM, LAST = r"(?:first|stretch)\((.+?), id, of\)", r"(?:first|stretch)\((.+?), id \+ 1, of\)"
KINDS = {"f64": "double", "i32": "int32_t", "u32": "uint32_t", "u8": "uint8_t"}
UNUSED = re.compile(r"^const \w+ (\w+) = (?!.*, \w+ = ).*;$")  # one name, not several
WHOLE = re.compile(r"\}( /\*.*\*/)?$")
INDENT = "  "


def plain(lines: Iterable[str]) -> list[str]:
    """Lines of functions for one thread, in C99."""
    found = [said(line.strip()) for text in lines for line in text.split("\n")]
    return dropped([line for line in found if line and not line.startswith("#pragma") and "__builtin_prefetch" not in line])


def said(line: str) -> str:
    """One line without what only some compilers know, and without threads."""
    if line.startswith("/*"):
        return line
    line = line.replace(" __attribute__((aligned(64)))", "").replace("if (id == 0) {", "{")
    line = re.sub(LAST, r"(\1)", re.sub(FROM, "0", line))
    line = re.sub(r"(, |(\())int id, int of\) \{$", lambda m: "(void) {" if m[2] else ") {", line)
    line = re.sub(r"^(part_\w+\(.*?)(?:, )?0, 1\);$", r"\1);", line)
    return re.sub(r"^(static const \w+ zeros\[\d+\]);$", r"\1 = {0};", line)


def dropped(lines: Sequence[str]) -> list[str]:
    """The same lines without numbers that are named and never used, function by function."""
    found: list[str] = []
    start = 0
    for at, line in enumerate(lines):
        if line.startswith("static ") and line.endswith("{"):
            found += used(lines[start:at])
            start = at
    return found + used(lines[start:])


def used(lines: Sequence[str]) -> list[str]:
    """A function without numbers that nothing reads, and without those that only they read."""
    while True:
        kept = [line for at, line in enumerate(lines) if not ((m := UNUSED.match(line)) and not read(m[1], lines[at + 1 :]))]
        if len(kept) == len(lines):
            return told(kept)
        lines = kept


def read(name: str, lines: Sequence[str]) -> bool:
    """Whether a name is in the rest of its block."""
    depth = 0
    for line in lines:
        depth += line.count("{") - line.count("}")
        if depth < 0:
            return False
        if name in WORD.findall(line):
            return True
    return False


def told(lines: Sequence[str]) -> list[str]:
    """The same function, which says of arrays that it never reads that it does so on purpose."""
    head = next((k for k, line in enumerate(lines) if line.startswith("static void ") and line.endswith("{")), None)
    if head is None:
        return [*lines]
    words = {word for line in lines[head + 1 :] for word in WORD.findall(line)}
    unused = [name for name in re.findall(r"\*(\w+)[,)]", lines[head]) if name not in words]
    return [*lines[: head + 1], *(f"(void){name};" for name in unused), *lines[head + 1 :]]


def indented(lines: Sequence[str]) -> str:
    """Lines moved in by how deep they stand; a loop over one statement moves that statement in."""
    found: list[str] = []
    depth, loops = 0, 0
    for line in lines:
        depth -= line.startswith("}")
        found.append(f"{INDENT * (depth + loops)}{line}" if line else "")
        head = line.startswith(("for (", "else", "if (")) and not line.endswith(("{", ";", "}"))
        loops = loops + 1 if head else 0 if not line.endswith("{") else loops
        if line.endswith("{"):
            depth, loops = depth + 1, 0
    return "\n".join(found)


@cache
def helpers() -> Mapping[str, str]:
    """The text of every helper by name. Where one has two, the one for any machine counts."""
    kernels = (HERE / "tiles.h").read_text(encoding="utf-8")
    order = kernels[kernels.index("/* The numbers of n entries") :]
    texts = [(HERE / "portable.h").read_text(encoding="utf-8"), (HERE / "functions.h").read_text(encoding="utf-8"), kernels]
    texts.append(kernels.replace("#define HIGH 4\n", "").replace("LANES_f32 = 8, WIDE_f32 = 16", "LANES_f64 = 4, WIDE_f64 = 8"))
    texts[-1] = texts[-1].replace("_f32", "_f64").replace("float", "double")
    texts += [order.replace("_f32", f"_{k}").replace("const float", f"const {t}") for k, t in KINDS.items() if k != "f64"]
    prelude = (HERE / "prelude.h").read_text(encoding="utf-8")
    texts.append(prelude[prelude.index("/* Threefry") : prelude.index("/* All threads")])
    found: dict[str, str] = {}
    for text in texts:
        for names, definition in definitions(text):
            found |= {n: definition for n in names if n not in found}
    return found


def definitions(text: str) -> Iterable[tuple[list[str], str]]:
    """The functions, numbers and macros of a text, each with the remark above it."""
    remark: list[str] = []
    body: list[str] = []
    for line in text.replace("(int32_t)n,", "to_int32(n),").replace("(int32_t)n)", "to_int32(n))").split("\n"):
        if body:
            body.append(line)
        elif line.startswith(("/*", "   ")) and (remark or line.startswith("/*")):
            remark.append(line)
        elif line.startswith(("INLINE", "static", "#define", "enum")):
            body = [line]
        elif not line:
            remark = []
        if body and (body[-1] == "}" or body[-1].startswith(("#define", "enum")) or (len(body) == 1 and WHOLE.search(line))):
            yield named(body[0]), "\n".join([*remark, *body]).replace("INLINE ", "static ")
            remark, body = [], []


def named(head: str) -> list[str]:
    """What a definition defines."""
    if head.startswith("enum"):
        return re.findall(r"(\w+) =", head)
    found = re.match(r"#define (\w+)", head) or re.search(r"(\w+)\(", head)
    return [found[1]] if found else []


def needed(text: str) -> str:
    """The helpers that a text uses, each behind those that it uses itself."""
    known = helpers()
    found: dict[str, None] = {}

    def visit(part: str) -> None:
        for name in WORD.findall(TEXT.sub("", part)):
            if name in known and known[name] not in found and known[name] != part:
                visit(known[name])
                found[known[name]] = None

    visit(text)
    return "\n\n".join(found)


__all__ = ["helpers", "indented", "needed", "plain"]
