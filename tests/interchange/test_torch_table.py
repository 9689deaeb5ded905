"""Each generator of Smooth in PyTorch: on the shared cases it gives what NumPy gives, and autograd gives what R gives."""

import numpy as np
import pytest

from lensgrad.backends.table import Hole, Meanings
from lensgrad.cat.reverse import R
from lensgrad.core.diagram import Definition, Diagram
from lensgrad.core.errors import NoRule
from lensgrad.core.op import Standing
from lensgrad.core.ty import Ty
from lensgrad.testing.case import Facts
from lensgrad.testing.cases import cases_of, generators, named
from lensgrad.theories.poly.circuit import Bits
from lensgrad.theories.smooth.array import Array, Real
from lensgrad.theories.smooth.conv import Convolve, Window

torch = pytest.importorskip("torch", reason="PyTorch is the oracle of these tests: pip install 'lensgrad[torch]'")
from lensgrad.interchange.torch.table import TORCH, host, run  # noqa: E402

MEANT = [c for c in generators() if c is not Definition]
NEAR = {"float64": 1e-12, "float32": 1e-5, "float16": 1e-2, "bfloat16": 5e-2}


def tensors(atoms, xs):
    """Arrays as tensors that carry their types; floats are followed by autograd."""
    wide = [np.asarray(x).astype(np.int64) if np.asarray(x).dtype == np.uint32 else np.asarray(x) for x in xs]
    made = [torch.tensor(x, dtype=host(a)[1]) for x, a in zip(wide, atoms, strict=True)]
    return [t.requires_grad_(t.is_floating_point()) for t in made]


def close(ours, theirs, atom):
    near = NEAR.get(getattr(atom, "dtype", ""), 0.0)
    theirs = theirs.detach().to(torch.float64) if theirs.dtype == torch.bfloat16 else theirs.detach()
    scale = max(1.0, float(np.abs(np.nan_to_num(np.asarray(ours, np.float64), posinf=0, neginf=0)).max())) if np.size(ours) else 1.0
    np.testing.assert_allclose(np.asarray(theirs, np.float64), np.asarray(ours, np.float64), rtol=near, atol=near * scale)


def test_every_generator_has_a_meaning_or_a_declared_hole():
    assert isinstance(TORCH, Meanings) and TORCH.backend == "PyTorch"
    assert [named(c) for c in MEANT if c not in TORCH] == []
    assert all(line.reason for line in TORCH.values() if isinstance(line, Hole))


@pytest.mark.parametrize("cls", [c for c in MEANT if not isinstance(TORCH.get(c), Hole)], ids=named)
def test_pytorch_gives_what_numpy_gives_and_autograd_what_reverse_gives(cls):
    torch.set_num_threads(1)
    for case in cases_of(cls):
        facts = Facts(case)
        xs = tensors(facts.f.dom, facts.xs)
        try:
            found = run(facts.f, xs)
        except NoRule as none:
            assert "space axes" in str(none)
            continue
        for ours, theirs, atom in zip(facts.run(*facts.xs), found, facts.f.cod, strict=True):
            assert tuple(theirs.shape) == host(atom)[0] and theirs.dtype == host(atom)[1], case.name
            close(ours, theirs, atom)
        slopes(facts, xs, found)


def slopes(facts, xs, found):
    if not facts.moving or not facts.seen or facts.case.op.standing is Standing.CHOSEN:
        return
    if any(not isinstance(facts.case.dom[i], Array) for i in facts.moving):
        return
    ends = [found[o] for o in facts.seen if found[o].requires_grad]
    with np.errstate(invalid="ignore"):  # where inputs are infinite
        ours = facts.runs(R(facts.f))(*facts.xs, *facts.dys)
    if not ends:
        return
    moving = [xs[i] for i in facts.moving]
    dys = [dy for o, dy in zip(facts.seen, facts.dys, strict=True) if found[o].requires_grad]
    given = [torch.tensor(dy).to(e.dtype) for dy, e in zip(dys, ends, strict=True)]
    theirs = torch.autograd.grad(ends, moving, given, allow_unused=True)
    for i, dx, own in zip(facts.moving, theirs, ours, strict=True):
        close(own, torch.zeros_like(xs[i]) if dx is None else dx, facts.f.dom[i])


def test_what_pytorch_does_not_convolve_and_circuits_are_refused():
    window = Window((1,) * 4, (1,) * 4, ((0, 0),) * 4)
    f = Diagram.of(Convolve("y", window, (2,) * 4, (1,) * 4), Real(1, 2, 2, 2, 2, 1) @ Real(1, 1, 1, 1, 1, 1))
    with pytest.raises(NoRule) as error:
        run(f, [torch.ones(1, 2, 2, 2, 2, 1), torch.ones(1, 1, 1, 1, 1, 1)])
    assert str(error.value) == "Convolve over 4 space axes has no meaning in PyTorch, which convolves over 1 to 3"
    from lensgrad.theories.poly.circuit import Add

    with pytest.raises(NoRule) as error:
        run(Diagram.of(Add(), Ty((*Bits(2), *Bits(2)))), [torch.zeros(2), torch.zeros(2)])
    assert str(error.value) == (
        "Add has no meaning in the PyTorch backend: circuits are no tensors; lg.circuits writes them as C, Verilog or AIGER"
    )
