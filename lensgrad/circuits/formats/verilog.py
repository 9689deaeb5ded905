"""Structural Verilog as simulators, yosys and abc read it: names, buses, pipeline registers, and a testbench that counts mismatches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lensgrad.circuits.formats.names import BUS, PLAIN, RENAME, WORDS
from lensgrad.circuits.gates.circuit import Circuit, given_circuit
from lensgrad.core.checks import clean, flag, instance, whole
from lensgrad.core.errors import BadValue
from lensgrad.data.arrays import array

MOST_STAGES = 1000  # each has registers


def identifier(name: str) -> str:
    """A name as Verilog writes it: as it is, or escaped, which allows every printing letter but one that tools expand even there."""
    if not (name.isascii() and name.isprintable() and name and "`" not in name and " " not in name):
        raise BadValue(f"the name '{clean(name)}' has letters outside ASCII, or a `, which Verilog cannot write: {RENAME}")
    return name if PLAIN.fullmatch(name) and name not in WORDS else f"\\{name} "


@dataclass(frozen=True)
class Port:
    """A port of the module: its name, its width, and the places in the circuit of its bits; width None is a single bit."""

    name: str
    width: int | None
    places: tuple[int, ...]

    def declared(self, kind: str) -> str:
        return f"  {kind} {f'[{self.width - 1}:0] ' if self.width else ''}{identifier(self.name)};"

    def bits(self) -> list[tuple[int, str]]:
        """Each place with the text that reads it."""
        name = identifier(self.name)
        return [(p, name if self.width is None else f"{name}[{k}]") for k, p in enumerate(self.places)]


def ports(names: Sequence[str], buses: bool) -> list[Port]:
    """Names x[0], x[1], … x[w−1] as one bus of width w; all others, and buses with gaps, bit by bit."""
    found: dict[str, dict[int, int]] = {}
    for place, name in enumerate(names):
        match = BUS.fullmatch(name) if buses else None
        key = match[1] if match else name
        found.setdefault(key, {})[int(match[2]) if match else -1] = place
    made: list[Port] = []
    for key, bits in found.items():
        whole = sorted(bits) == list(range(len(bits)))
        made += [Port(key, len(bits), tuple(bits[k] for k in range(len(bits))))] if whole else single(key, bits)
    return made


def single(key: str, bits: dict[int, int]) -> list[Port]:
    return [Port(key if k < 0 else f"{key}[{k}]", None, (place,)) for k, place in bits.items()]


def verilog(circuit: Circuit, module: str = "circuit", buses: bool = True, stages: int = 0) -> str:
    """The circuit as a module. With `stages` its gates are cut into so many slices of equal depth, with registers after each.

    The outputs then belong to the inputs of `stages` rising edges of `clk` before.
    """
    given_circuit("the circuit to write", circuit)
    module, buses, stages = form(module, buses, stages)
    inputs, outputs = ports(circuit.inputs, buses), ports(circuit.outputs, buses)
    different(inputs, outputs)
    return Writer(circuit, inputs, outputs, stages).text(module)


def form(module: Any, buses: Any, stages: Any) -> tuple[str, bool, int]:
    """How a circuit is written, checked: the name of its module, whether names make buses, and how many slices it is cut into."""
    name = instance("the name of a module", module, str, "text, such as 'circuit'")
    return name, flag("buses", buses), whole("the number of stages of a pipeline", stages, 0, MOST_STAGES)


def different(inputs: Sequence[Port], outputs: Sequence[Port]) -> None:
    """Refuse ports of one name: an input and an output, or bits x[0], x[1] that make a bus beside another x."""
    taken = {p.name for p in inputs}
    twice = next((p.name for p in outputs if p.name in taken), None)
    if twice is not None:
        raise BadValue(f"'{twice}' names an input and an output, alone or as a bus of bits, which Verilog cannot say: {RENAME}")


class Writer:
    """The module of one circuit: the text that reads each variable, and at which stage it is first there."""

    def __init__(self, circuit: Circuit, inputs: list[Port], outputs: list[Port], stages: int) -> None:
        self.circuit, self.inputs, self.outputs, self.stages = circuit, inputs, outputs, stages
        self.prefix, self.clock = fresh("n", inputs + outputs), fresh("clk", inputs + outputs, exact=True)
        self.read = ["1'b0"] * (1 + len(circuit.inputs))
        for port in inputs:
            for place, text in port.bits():
                self.read[1 + place] = text
        self.read += [f"{self.prefix}{v}" for v in range(len(self.read), circuit.variables)]
        slice_depth = -(-circuit.depth // stages) if stages and circuit.depth else 1
        self.stage = [max(0, level - 1) // slice_depth if stages else 0 for level in circuit.levels]

    def at(self, literal: int, stage: int) -> str:
        """A literal as it is read in a stage: later than its own it comes out of a register."""
        variable, sign = literal >> 1, "~" * (literal & 1)
        if variable == 0:
            return f"1'b{literal}"
        late = stage - self.stage[variable]
        return f"{sign}{self.register(variable, late)}" if late else f"{sign}{self.read[variable]}"

    def register(self, variable: int, late: int) -> str:
        return f"{self.prefix}{variable}_{late}"

    def late(self) -> list[int]:
        """For how many edges the value of each variable is kept."""
        most = [0] * self.circuit.variables
        first = 1 + len(self.circuit.inputs)
        ands: list[list[int]] = self.circuit.ands.tolist()
        roots: list[int] = self.circuit.roots.tolist()
        reads = [(x, self.stage[first + k]) for k, pair in enumerate(ands) for x in pair]
        for literal, stage in [*reads, *((r, self.stages) for r in roots)]:
            if literal > 1:
                most[literal >> 1] = max(most[literal >> 1], stage - self.stage[literal >> 1])
        return most

    def gates(self) -> list[str]:
        first = 1 + len(self.circuit.inputs)
        lines: list[str] = []
        for k, (a, b) in enumerate(self.circuit.ands.tolist()):
            stage = self.stage[first + k]
            wire = self.read[first + k]
            lines += [f"  wire {wire};", f"  assign {wire} = {self.at(a, stage)} & {self.at(b, stage)};"]
        return lines

    def registers(self) -> list[str]:
        kept = [(v, k) for v, most in enumerate(self.late()) for k in range(1, most + 1)]
        if not kept:
            return []
        declared = [f"  reg {self.register(v, k)};" for v, k in kept]
        moved = [f"    {self.register(v, k)} <= {self.register(v, k - 1) if k > 1 else self.read[v]};" for v, k in kept]
        return [*declared, f"  always @(posedge {self.clock}) begin", *moved, "  end"]

    def text(self, module: str) -> str:
        """Names of ports in the header and what they are behind it, as abc needs them."""
        clock = [self.clock] if self.stages else []
        head = ", ".join([*clock, *(identifier(p.name) for p in (*self.inputs, *self.outputs))])
        declared = [
            *(f"  input {c};" for c in clock),
            *(p.declared("input") for p in self.inputs),
            *(p.declared("output") for p in self.outputs),
        ]
        roots = self.circuit.roots.tolist()
        ends = [f"  assign {text} = {self.at(roots[place], self.stages)};" for p in self.outputs for place, text in p.bits()]
        lines = [f"module {identifier(module)} ({head});", *declared, *self.gates(), *self.registers(), *ends]
        return "\n".join([*lines, "endmodule"]) + "\n"


def fresh(name: str, taken: list[Port], exact: bool = False) -> str:
    """A name, or a beginning of names, that no port has."""
    while any(p.name == name if exact else p.name.startswith(name) for p in taken):
        name += "_"
    return name


def testbench(circuit: Circuit, x: Any, module: str = "circuit", buses: bool = True, stages: int = 0) -> str:
    """A module `testbench` that puts rows of inputs through `verilog(…)` and prints "mismatches 0 of N".

    What is expected is computed here, by `circuit.run(x)`.
    """
    module, buses, stages = form(module, buses, stages)
    rows = array(x, "the rows of a testbench")
    wanted = given_circuit("the circuit to test", circuit).run(rows)
    if module == "testbench":
        raise BadValue("a testbench is itself a module called 'testbench': call the one that it tests something else")
    n, m, count = len(circuit.inputs), len(circuit.outputs), len(rows)
    if min(n, m, count) < 1:
        raise BadValue(f"a testbench expects inputs, outputs and rows, got {n}, {m} and {count}")
    sides = (ports(circuit.inputs, buses), "x"), (ports(circuit.outputs, buses), "y")
    links = [f"    .{identifier(p.name)}({joined(p, w)})" for side, w in sides for p in side]
    clock = [f"    .{fresh('clk', sides[0][0] + sides[1][0], exact=True)}(clk)"] if stages else []
    edge, late = "    #1 clk = 1; #1 clk = 0; #1;", max(0, stages - 1)  # a new row at each edge, answered `late` rows on
    memory = [f"    xs[{k}] = {n}'b{word(a)}; ys[{k}] = {m}'b{word(b)};" for k, (a, b) in enumerate(zip(rows, wanted, strict=True))]
    lines = [
        "module testbench;", f"  reg [{n - 1}:0] x, xs [0:{count - 1}];", f"  reg [{m - 1}:0] ys [0:{count - 1}];",
        f"  wire [{m - 1}:0] y;",
        "  reg clk;", "  integer k, wrong;", f"  {identifier(module)} tested (", ",\n".join(clock + links), "  );", "  initial begin",
        "    clk = 0;", "    wrong = 0;", *memory, f"    for (k = 0; k < {count + late}; k = k + 1) begin",
        f"    if (k < {count}) x = xs[k];", edge,
        f"    if (k >= {late} && y !== ys[k - {late}]) wrong = wrong + 1;", "    end",
        f'    $display("mismatches %0d of {count}", wrong);', "    $finish;",
        "  end", "endmodule",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def joined(port: Port, wire: str) -> str:
    bits = [f"{wire}[{p}]" for p in reversed(port.places)]
    return bits[0] if len(bits) == 1 else "{" + ", ".join(bits) + "}"


def word(bits: Any) -> str:
    return "".join(str(int(b)) for b in reversed(bits))
