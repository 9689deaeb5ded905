"""Wrong versions of meanings in C that are no mistakes: each computes the same as what it was made from, for the reason given."""

from __future__ import annotations

SYMMETRIC = "the operation does not care for the order of its arguments"
CERTAIN = "a condition more, which always holds"
DEAD = "a part more, which no index falls into"
SOONER = "the entry is read before it is asked whether it is there, and the value is not used where it is not"
THREADS = "other loops are divided over threads, or none: tests/backends/native compare one thread with two"
ORDER = "the loops run in another order, which no entry depends on"
MORE = "an array more is kept, which nobody reads"
AGAIN = "what is the same at all steps is computed at each of them"
APART = "it differs for NaN only, which no case has: tests/backends/native/test_native_numbers.py does"
NAMED = "a number more has a name"

EQUIVALENT: dict[str, str] = {
    "entries.choice: [f'{local(dtype)} {name} = {other};', f'if ({condition}) {{', *inside.lines, f'{name} = {text};', '}'] → "
    "[f'{local(dtype)} {name} = {other};', *inside.lines, f'if ({condition}) {{', f'{name} = {text};', '}']": SOONER,
    "entries.concatenate: 0 → 1": DEAD,
    "entries.concatenate: 0 → -1": DEAD,
    "entries.pad: 1 → 0 (4)": CERTAIN,
    "entries.within: [*([f'{place} >= 0'] if low < 0 else []), *([f'{place} < {size}'] if high >= size else [])] → "
    "[*([f'{place} < {size}'] if high >= size else []), *([f'{place} >= 0'] if low < 0 else [])]": SYMMETRIC,
    "entries.within: 0 → 1": CERTAIN,
    "loops.Looped.arrays: w not in self.inner.inputs and w not in self.homes → w not in self.inner.inputs": MORE,
    "loops.Turning.stack: wire in c.args → wire not in c.args": MORE,
    "loops.Turning.still: [*own, *((w, self.name(a)) for w, a in shared)] → [*((w, self.name(a)) for w, a in shared), *own]": SYMMETRIC,
    "loops.Turning.write: [f'char *a[{max(1, len(self.numbers))}];', *self.still(), *self.together(once, self.beginning()), "
    "f'for (int t = 0; t < {kind.op.n}; t++) {{', f'const int64_t s = {at};', *self.moving(), *self.together(each, self.ending()), '}'] → "
    "[f'char *a[{max(1, len(self.numbers))}];', *self.still(), f'for (int t = 0; t < {kind.op.n}; t++) {{', "
    "*self.together(once, self.beginning()), f'const int64_t s = {at};', *self.moving(), *self.together(each, self.ending()), '}']": AGAIN,
    "smooth.pointwise.And: {0} & {1} → {1} & {0}": SYMMETRIC,
    "smooth.pointwise.Maximum: larger({0}, {1}) → larger({1}, {0})": SYMMETRIC,
    "smooth.pointwise.Minimum: smaller({0}, {1}) → smaller({1}, {0})": SYMMETRIC,
    "smooth.pointwise.Or: {0} | {1} → {1} | {0}": SYMMETRIC,
    "sums.log_of_sum: Compare('==')(top - top, zero) → Compare('==')(zero, top - top)": SYMMETRIC,
    "sums.argmax: x.dtype in ('float32', 'float64') → x.dtype not in ('float32', 'float64')": APART,
    "sums.outer: 1 → 0": NAMED,
    "sweeps.Added.body: self.cod.size + rows.size >= PARALLEL and (bool(around) or count > 1) → "
    "self.cod.size + rows.size >= PARALLEL or (bool(around) or count > 1)": THREADS,
    "sweeps.Added.body: self.cod.size + rows.size >= PARALLEL and (bool(around) or count > 1) → bool(around) or count > 1": THREADS,
    "sweeps.Added.body: self.cod.size + rows.size >= PARALLEL → self.cod.size + rows.size < PARALLEL": THREADS,
    "sweeps.Added.body: [*loops(row), *loops(rest)] → [*loops(rest), *loops(row)]": ORDER,
    "sweeps.Added.body: parallel and (not around) → parallel or not around": THREADS,
    "sweeps.Added.body: parallel and (not around) → not around": THREADS,
    "sweeps.Added.body: False → True": THREADS,
    "sweeps.Added.body: parallel and bool(around) → parallel or bool(around)": THREADS,
    "sweeps.Added.body: parallel and bool(around) → bool(around)": THREADS,
    "sweeps.Running.body: self.cod.size >= PARALLEL and bool(around) → self.cod.size >= PARALLEL or bool(around)": THREADS,
    "sweeps.Running.body: self.cod.size >= PARALLEL and bool(around) → bool(around)": THREADS,
    "sweeps.Running.body: self.cod.size >= PARALLEL → self.cod.size < PARALLEL": THREADS,
    "sweeps.Running.body: [*around, *loops(index[axis:])] → [*loops(index[axis:]), *around]": ORDER,
    "sums.argmax: f' || ({text} != {text} && {best} == {best})' if x.dtype in ('float32', 'float64') else '' → "
    "'' if x.dtype in ('float32', 'float64') else f' || ({text} != {text} && {best} == {best})'": APART,
    "windows.argmax: [f'const int better = {text} > {best} || {where} < 0;', f'{best} = better ? {text} : {best};', "
    "f'{where} = better ? {flat(place, image)} : {where};'] → [f'const int better = {text} > {best} || {where} < 0;', "
    "f'{where} = better ? {flat(place, image)} : {where};', f'{best} = better ? {text} : {best};']": SYMMETRIC,
    "windows.shifted: start.bounds[0] // step → start.bounds[0] * step": "the same with more steps further on",
}
