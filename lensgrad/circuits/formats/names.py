"""Names of inputs and outputs where a format cannot have all: the words that Verilog keeps for itself, and plain names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from lensgrad.circuits.gates.circuit import Circuit, given_circuit

RENAME = "use `circuits.plain_names`, or --plain-names on the command line"
PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
BUS = re.compile(r"(.+)\[(0|[1-9][0-9]*)\]")
VERILOG = """
always and assign automatic begin buf bufif0 bufif1 case casex casez cell cmos config deassign default defparam design disable
edge else end endcase endconfig endfunction endgenerate endmodule endprimitive endspecify endtable endtask event for force forever
fork function generate genvar highz0 highz1 if ifnone incdir include initial inout input instance integer join large liblist
library localparam macromodule medium module nand negedge nmos nor noshowcancelled not notif0 notif1 or output parameter pmos
posedge primitive pull0 pull1 pulldown pullup pulsestyle_ondetect pulsestyle_onevent rcmos real realtime reg release repeat rnmos
rpmos rtran rtranif0 rtranif1 scalared showcancelled signed small specify specparam strong0 strong1 supply0 supply1 table task
time tran tranif0 tranif1 tri tri0 tri1 triand trior trireg unsigned use uwire vectored wait wand weak0 weak1 while wire wor xnor
xor
"""
SYSTEM_VERILOG = """
accept_on alias always_comb always_ff always_latch assert assume before bind bins binsof bit break byte chandle checker class
clocking const constraint context continue cover covergroup coverpoint cross dist do endchecker endclass endclocking endgroup
endinterface endpackage endprogram endproperty endsequence enum eventually expect export extends extern final first_match foreach
forkjoin global iff ignore_bins illegal_bins implements implies import inside int interconnect interface intersect join_any
join_none let local logic longint matches modport nettype new nexttime null package packed priority program property protected
pure rand randc randcase randsequence ref reject_on restrict return s_always s_eventually s_nexttime s_until s_until_with sequence
shortint shortreal soft solve static string strong struct super sync_accept_on sync_reject_on tagged this throughout timeprecision
timeunit type typedef union unique unique0 until until_with untyped var virtual void wait_order weak wildcard with within
"""
WORDS = frozenset([*VERILOG.split(), *SYSTEM_VERILOG.split()])


def plain_names(circuit: Circuit) -> Circuit:
    """The same circuit with names of letters, digits and _, all different, in the same order; x[0], x[1], … stay as they are."""
    taken, circuit = set[str](), given_circuit("what gets plain names", circuit)
    return circuit.renamed(plainly(circuit.inputs, taken), plainly(circuit.outputs, taken))


def plainly(names: Sequence[str], taken: set[str]) -> list[str]:
    """Names made plain, none of which is taken; what was one bus stays one."""
    places: dict[str, list[int]] = {}
    for name in names:
        if match := BUS.fullmatch(name):
            places.setdefault(match[1], []).append(int(match[2]))
    whole = {base for base, found in places.items() if sorted(found) == list(range(len(found))) and base not in names}
    bases: dict[str, str] = {}
    made: list[str] = []
    for name in names:
        match = BUS.fullmatch(name)
        bus = match is not None and match[1] in whole
        base = match[1] if match is not None and bus else name
        if base not in bases:
            bases[base] = unused(plain(base), taken)
        made.append(f"{bases[base]}[{match[2]}]" if match is not None and bus else bases[base])
    return made


def plain(name: str) -> str:
    """A name in letters, digits and _: `width>0.8` as `width_gt_0_8`."""
    spelled = unicodedata.normalize("NFKD", name.replace(">", "_gt_").replace("<", "_lt_"))
    letters = "".join(c for c in spelled if not unicodedata.combining(c))
    found = re.sub("[^A-Za-z0-9]+", "_", letters).strip("_")[:200]
    return found if found and not found[0].isdigit() else f"x_{found}".rstrip("_")


def unused(name: str, taken: set[str]) -> str:
    """The name, or the name with a number, that nothing has; it is taken from now on."""
    number, found = 1, name
    while found in taken or found in WORDS:
        number += 1
        found = f"{name}_{number}"
    taken.add(found)
    return found
