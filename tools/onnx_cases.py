"""The cases of the ONNX standard, run through `lg.from_onnx`: `python -m tools.onnx_cases [pattern]`.

Each is a network of one operator, mostly, with inputs and outputs. A case is equal, or it is refused in a sentence, or it is wrong;
wrong is a value that is not the one of the case, and an error that is no sentence. Inputs that shapes are computed from are given
as constants where the first answer asks for that, and what onnx's own evaluator gives because nothing is left to compute is counted
apart. `--list KIND` names the cases of one kind.
"""

from __future__ import annotations

import re
import sys
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.loader import load_model_tests

import lensgrad as lg
from lensgrad.core.errors import LensgradError

SUITES = ("node", "simple", "pytorch-converted", "pytorch-operator")
# Equal is within a relative 1e-5. Near is within the relative tolerance of the case, or two last places of half precision. Entries near 0
# are compared with a millionth of the largest one.
CLOSE = 1e-5
KINDS = ("equal", "near", "equal with constants", "near with constants", "folded", "refused", "wrong", "raw")
OURS = KINDS[:4]


@dataclass(frozen=True)
class Answer:
    """What became of a case, and why."""

    case: str
    kind: str
    why: str = ""
    suite: str = ""


def cases(pattern: str = "") -> Iterator[Any]:
    """The cases whose names match a pattern."""
    for suite in SUITES:
        yield from (c for c in load_model_tests(kind=suite) if re.search(pattern, c.name))


def read(path: Path, kind: Any) -> Any:
    """An input or output of a case: an array, or None where it is none."""
    if kind.WhichOneof("value") != "tensor_type":
        return None
    tensor = onnx.TensorProto.FromString(path.read_bytes())
    array = numpy_helper.to_array(tensor)
    return array.astype("int32") if array.dtype.name in ("int4", "uint4", "int2", "uint2") else array


def data(folder: Path, model: Any) -> tuple[dict[str, Any], list[Any]]:
    """The inputs by name, and the outputs, of the first set of a case."""
    (first, *_) = sorted(folder.glob("test_data_set_*"))
    stored = {t.name for t in model.graph.initializer}
    inputs = [v for v in model.graph.input if v.name not in stored]
    given = {v.name: read(first / f"input_{k}.pb", v.type) for k, v in enumerate(inputs) if (first / f"input_{k}.pb").exists()}
    return given, [read(first / f"output_{k}.pb", v.type) for k, v in enumerate(model.graph.output)]


def retries(given: dict[str, Any]) -> Iterator[list[str]]:
    """Inputs to give as constants, fewer first: whole numbers beside the first input, all whole numbers, all but the first, all."""
    names = [*given]
    whole = [name for name, x in given.items() if x is not None and x.dtype.kind in "iub"]
    tried: list[list[str]] = [[]]
    for some in ([n for n in whole if n != names[0]], whole, names[1:], names):
        if some not in tried:
            tried.append(some)
            yield some


def compared(found: Any, wanted: list[Any], rtol: float, atol: float) -> str:
    """How near the results are: equal, near, or wrong and where."""
    outs = found if isinstance(found, tuple) else (found,)
    kind = "equal"
    for k, (y, want) in enumerate(zip(outs, wanted, strict=True)):
        y, want = np.asarray(y), np.asarray(want)
        if y.shape != want.shape:
            return f"wrong: output {k} of shape {y.shape}, not {want.shape}"
        if (y.dtype.kind == "f") != (
            np.issubdtype(want.dtype, np.floating) or want.dtype.name == "bfloat16"
        ) and y.dtype.name != "bfloat16":
            return f"wrong: output {k} of {y.dtype}, not {want.dtype}"
        a, b = (v.astype("float64") for v in (y, want))
        half = want.dtype.name in ("float16", "bfloat16")
        noise = 1e-6 * max(0.1, float(np.abs(b[np.isfinite(b)]).max(initial=0)))
        if not np.allclose(a, b, rtol=2.0**-9 if half else rtol, atol=max(atol, noise), equal_nan=True):
            return f"wrong: output {k} is {a.ravel()[:4]}, not {b.ravel()[:4]}"
        if not np.allclose(a, b, rtol=CLOSE, atol=noise, equal_nan=True):
            kind = "near"
    return kind


def tried(path: Path, given: dict[str, Any], wanted: list[Any], case: Any, constants: list[str]) -> str:
    """One way to run a case."""
    fixed = {name: given[name] for name in constants}
    sizes = {name: x.shape for name, x in given.items() if name not in fixed and x is not None}
    model, values = lg.from_onnx(path, batch=False, constants=fixed, sizes=sizes)
    found = lg.evaluate(model, *(x for name, x in given.items() if name not in fixed), values=values)
    return compared(found, wanted, case.rtol, case.atol)


def answer(case: Any) -> Answer:
    """What becomes of a case."""
    folder = Path(case.model_dir)
    model = onnx.load(folder / "model.onnx")
    try:
        given, wanted = data(folder, model)
    except Exception as wrong:
        return Answer(case.name, "refused", f"the data of the case cannot be read: {type(wrong).__name__}")
    first = attempt(case, folder / "model.onnx", given, wanted, [])
    if first.kind != "refused" or "constants={" not in first.why:
        return first
    for constants in retries(given):
        found = attempt(case, folder / "model.onnx", given, wanted, constants)
        if found.kind in ("equal", "near") and len(constants) == len(given):
            return Answer(case.name, "folded")
        if found.kind in ("equal", "near"):
            return Answer(case.name, f"{found.kind} with constants")
        if found.kind != "refused":
            return found
    return first


def attempt(case: Any, path: Path, given: dict[str, Any], wanted: list[Any], constants: list[str]) -> Answer:
    """One way to run a case, with what went wrong."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = tried(path, given, wanted, case, constants)
    except LensgradError as wrong:
        cause = wrong.__cause__
        if cause is not None and not isinstance(cause, LensgradError) and "do not fit its operator" in str(wrong):
            return Answer(case.name, "raw", f"{type(cause).__name__}: {cause}")
        return Answer(case.name, "refused", str(wrong))
    except Exception as wrong:
        return Answer(case.name, "raw", f"{type(wrong).__name__}: {wrong}")
    kind, _, why = found.partition(": ")
    return Answer(case.name, kind, why)


def reason(why: str) -> str:
    """Why a case is refused, without the names and numbers of its own."""
    line = why.split("\n")[0]
    return re.sub(r"\b\d[\d,]*\b", "n", re.sub(r" ?'[^']*'", "", line))[:110]


def table(answers: Iterable[Answer]) -> str:
    """How many cases are of each kind, and why those that are refused are."""
    found = [*answers]
    kinds = Counter(a.kind for a in found)
    lines = [f"{kinds[k]:6}  {k}" for k in KINDS]
    lines.append(f"{sum(kinds[k] for k in OURS):6}  equal or near in all, of {len(found)}")
    for suite in dict.fromkeys(a.suite for a in found):
        own = Counter(a.kind for a in found if a.suite == suite)
        lines.append(
            f"{sum(own[k] for k in OURS):6}  of the {own.total():,} of {suite}; {own['refused']} refused, {own['wrong'] + own['raw']} wrong"
        )
    reasons = Counter(reason(a.why) for a in found if a.kind == "refused")
    lines += ["", "refused:", *(f"{n:6}  {why}" for why, n in reasons.most_common())]
    lines += ["", *(f"{a.kind}: {a.case}: {a.why[:200]}" for a in found if a.kind in ("wrong", "raw"))]
    return "\n".join(lines)


def main(words: list[str]) -> int:
    """Run the cases and print the table; 1 where one is wrong."""
    listed = words[words.index("--list") + 1] if "--list" in words else ""
    pattern = next((w for w in words if w not in ("--list", listed)), "")
    answers = [replace(answer(c), suite=c.kind) for c in cases(pattern)]
    if listed:
        print("\n".join(f"{a.case}: {a.why[:160]}" for a in answers if a.kind == listed))
    else:
        print(table(answers))
    return int(any(a.kind in ("wrong", "raw") for a in answers))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
