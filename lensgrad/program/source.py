"""A training step as a file of its own: the program, the names of what goes in and out, and a loop."""

from __future__ import annotations

from lensgrad.backends.source import quoted
from lensgrad.cat.names import Role
from lensgrad.core.printed import Printed
from lensgrad.program.compile import Program
from lensgrad.program.readable import readable

LOOP = '''
INPUTS = {inputs}
RETURNS = {returns}
REPORTS = {reports}
DATA = {data}


def train(values, batches):
    """Run a step for each batch (a dict of {told}); returns the last values and the last report."""
    report = {{}}
    for batch in batches:
        known = {{**values, **batch}}
        results = step(*(known[name] for name in INPUTS))
        values = {{**values, **dict(zip(RETURNS, results))}}
        report = dict(zip(REPORTS, results[len(RETURNS):]))
    return values, report


if __name__ == "__main__":
    # python thisfile.py start.npz end.npz: start holds values by name, and those in DATA with one row a step.
    import sys

    start = dict(np.load(sys.argv[1]))
    steps = range(len(start[DATA[0]]))
    values = {{name: start[name] for name in INPUTS if name not in DATA}}
    values, report = train(values, ({{name: start[name][i] for name in DATA}} for i in steps))
    np.savez(sys.argv[2], **values)
    print({{name: float(np.mean(value)) for name, value in report.items()}})
'''


def training_file(step: Program) -> str:
    """The step of a learner as a Python file that runs with NumPy alone."""
    data = [p.name for p in step.inputs if p.role is Role.DATA]
    names = [p.name for p in step.inputs]
    taken = set(names)
    returns = [p.name for p in step.outputs if p.name in taken]
    reports = [p.name for p in step.outputs if p.name not in taken]
    step, layout = readable(step)
    doc = f"One training step: returns the next {', '.join(returns) or 'nothing'}; then the observed {', '.join(reports) or 'nothing'}."
    doc = doc if len(doc) <= 110 else "One training step: returns the next values of RETURNS, then what REPORTS names."
    header = "A training step, written by lensgrad as plain NumPy."
    loop = LOOP.format(inputs=names, returns=returns, reports=reports, data=data, told=quoted(", ".join(data)))
    return Printed(step.source("step", doc, header, layout) + "\n" + loop)
