"""What the tests of the native backend share: run an arrow in C, and compare it with NumPy."""

import sys
from dataclasses import dataclass

import numpy as np

from lensgrad.backends import numpy as reference
from lensgrad.backends.engine import NumPy
from lensgrad.backends.loop import Loop
from lensgrad.backends.native import assemble, spelled
from lensgrad.backends.native.running import Steps
from lensgrad.testing.report import distance


def once(f):
    """An arrow as one step, with all inputs given for it."""
    return Loop((), tuple(range(len(f.dom))), (len(f.dom), len(f.cod)))


@dataclass(frozen=True)
class InC(NumPy):
    """A backend whose loops over steps run in C."""

    threads: int = 1
    fuse: bool = True

    def iterate(self, f, loop):
        return Steps(f, loop, fuse=self.fuse, threads=self.threads)


def in_c(f, xs, fuse=True, threads=1):
    """The results of an arrow in C."""
    _, seen = Steps(f, once(f), fuse=fuse, threads=threads).run([], [], [np.asarray(x)[None] for x in xs], 1)
    return [y[0] for y in seen]


def divided_always(monkeypatch):
    """Divide loops over threads however small they and their step are.

    What is compiled is found by its text, as by its program it would be what was compiled without.
    """
    monkeypatch.setattr(spelled, "program", lambda *_: None)
    monkeypatch.setattr(assemble, "THREADS", 0)
    for name, module in list(sys.modules.items()):
        if name.startswith("lensgrad.backends.native.") and hasattr(module, "PARALLEL"):
            monkeypatch.setattr(module, "PARALLEL", 2)


def in_numpy(f, xs):
    """The results of an arrow in the reference."""
    with np.errstate(all="ignore"):
        return [np.asarray(y) for y in reference.function(f)(*xs)]


def differing(found, wanted, tolerances):
    """The results that are not what they should be: their numbers, and how far they are off."""
    assert [(y.dtype, y.shape) for y in found] == [(w.dtype, w.shape) for w in wanted]
    errors = [distance(y, w) for y, w in zip(found, wanted, strict=True)]
    return [(k, e) for k, (e, most) in enumerate(zip(errors, tolerances, strict=True)) if not e <= most]
