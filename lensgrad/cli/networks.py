"""`lensgrad show net.onnx` and `lensgrad convert`: what a network in a file of another format is made of, and the same in one more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lensgrad.cli.console import command, say
from lensgrad.cli.messages import in_options
from lensgrad.cli.opening import ONNX, OPTIONS, Given
from lensgrad.core.checks import LONGEST_NAME, clean
from lensgrad.core.errors import BadValue, LensgradError
from lensgrad.data.cells import quoted
from lensgrad.interchange.differences import Differences, Line, differences, spelled
from lensgrad.interchange.dtypes import Numbers
from lensgrad.interchange.export import Trained, export
from lensgrad.interchange.onnx.file import File, opened
from lensgrad.interchange.onnx.read import from_onnx
from lensgrad.learn.batching import batch
from lensgrad.learn.model import Model
from lensgrad.learn.predict import predict
from lensgrad.learn.tasks import input_of
from lensgrad.program.compile import Program, program
from lensgrad.program.summary import summary
from lensgrad.train.loading import load

BESIDE = {".py": ".safetensors", ".c": ".bin"}  # where the weights of these are
EXAMPLES = 4  # that both are run on


def described(path: Path, how: Given) -> str:
    """The operators of an ONNX file, most frequent first, then its layers; why it has no meaning here, where it has none."""
    file = opened(path)
    graph = file.model.graph
    counted = Counter(node.op_type for node in graph.node)
    told = ", ".join(f"{clean(name)} {n}" for name, n in counted.most_common())
    versions = ", ".join(f"{domain or 'ai.onnx'} {n}" for domain, n in sorted(file.versions.items()))
    lines = [f"{clean(path.name)}: {len(graph.node)} nodes, operator sets {versions}", told or "no operators"]
    return "\n".join([*lines, "", layers(file, how)])


def layers(file: File, how: Given) -> str:
    """The summary of a network, or why it cannot be read; where sizes were given, that is an error."""
    try:
        return summary(how.model(file.model).model)
    except LensgradError as why:
        if how.options:
            raise
        return f"not readable as a model: {in_options(str(why), OPTIONS)}"


def converted(source: Path, target: Path, examples: int | None, how: Given) -> None:
    """Write a network in another format, say which files that gave, and show what differs from what was read."""
    net = read(source, how)
    written(net, target, examples)
    ending = target.suffix.lower()
    beside = BESIDE.get(ending)
    for place in [target, *([target.with_suffix(beside)] if beside else [])]:
        say(f"{place}  {place.stat().st_size:,} bytes")
    if ending == ONNX:
        compared(net, source, target, examples).show()


def written(net: Net, target: Path, examples: int | None) -> None:
    """Write a network."""
    if not net.inputs:
        raise BadValue("this network has no input, so there is nothing to predict from")
    entrance = input_of(net.model.dom, net.inputs[0] if len(net.inputs) == 1 else net.inputs)

    def predictor(n: int) -> Program:
        return program(batch(predict(entrance >> net.model), n))

    export(Trained(predictor, net.values, net.inputs, net.outputs), target, examples)


@dataclass(frozen=True)
class Net:
    """A network with what its inputs and outputs are called."""

    model: Model
    values: dict[str, Numbers]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...] = ()


def read(source: Path, how: Given) -> Net:
    """The network of a file."""
    if source.suffix.lower() == ONNX:
        file = opened(source)
        model, values = how.model(source)
        stored = {t.name for t in file.model.graph.initializer} | {*how.constants}
        inputs = called([v.name for v in file.model.graph.input if v.name not in stored], len(model.dom), "input", model.names)
        return Net(
            model, values, inputs, called([v.name for v in file.model.graph.output], len(model.cod), "output", (*inputs, *model.names))
        )
    if source.suffix.lower() != ".safetensors":
        made = f"{command()} convert net.onnx net.py"
        raise BadValue(f"convert reads a network in .onnx or a saved run in .safetensors, got {quoted(source)}: for example {made}")
    run = load(source)
    inputs = run.learner.input
    return Net(run.learner.model, run.weights, (inputs,) if isinstance(inputs, str) else tuple(inputs))


def called(names: Sequence[str], n: int, otherwise: str, taken: Sequence[str]) -> tuple[str, ...]:
    """The names of a file, or plain ones where they are no names here."""
    plain = (otherwise,) if n == 1 else tuple(f"{otherwise}.{k}" for k in range(n))
    fit = len({*names}) == len(names) == n and not {*names} & {*taken}
    return tuple(names) if fit and all(0 < len(name) <= LONGEST_NAME and clean(name) == name for name in names) else plain


def compared(net: Net, source: Path, target: Path, examples: int | None) -> Differences:
    """What was written, read again, beside what was read."""
    model = net.model if examples is None else batch(predict(net.model), examples)
    found = differences((model, net.values), from_onnx(target), examples=EXAMPLES)
    files = operators(opened(source), opened(target)) if source.suffix.lower() == ONNX else []
    return Differences((*found.lines, *files), found.arrows)


def operators(first: File, second: File) -> list[Line]:
    """A line for each version and each operator in which two files differ."""
    versions = [{f"operators of {domain or 'ai.onnx'}": n for domain, n in file.versions.items()} for file in (first, second)]
    counts = [Counter(clean(node.op_type) for node in file.model.graph.node) for file in (first, second)]
    told = ((*versions, "operator set", "another version"), (*counts, "operator", "another number"))
    return [
        Line(what, spelled(name, a), spelled(name, b), why, False)
        for a, b, what, why in told
        for name in dict.fromkeys([*a, *b])
        if a.get(name) != b.get(name)
    ]
