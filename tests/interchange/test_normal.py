"""The one form of arrows that are arranged in different ways: the same numbers to the bit, and the same form of the same arrow."""

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.cat.reverse import R
from lensgrad.core.errors import NoChange, NoRule
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.interchange.normal import normal
from lensgrad.interchange.ranges import ends, rest
from lensgrad.testing.case import Facts
from lensgrad.testing.cases import CASES
from lensgrad.testing.samples import natural
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array
from lensgrad.theories.smooth.batch import batch_all as batch
from lensgrad.theories.smooth.scan import scan

SMOOTH = [c for c in CASES if type(c.op).__module__.startswith(("lensgrad.theories.smooth", "lensgrad.core"))]
NAMES = [f"{k} {type(c.op).__name__}" for k, c in enumerate(SMOOTH)]
NEAR = {"Einsum", "Recompute", "Scan"}  # sums of products, which may be added up in another order


def numbers(f, xs):
    with np.errstate(all="ignore"):  # some cases have entries that are not finite
        outs = lg.evaluate(f, *xs)
    return [np.asarray(y) for y in (outs if isinstance(outs, tuple) else (outs,))]


def agree(f, xs, near=False):
    g = normal(f)
    assert (g.dom, g.cod) == (f.dom, f.cod) and normal(g) == g
    for a, b in zip(numbers(f, xs), numbers(g, xs), strict=True):
        assert a.dtype == b.dtype and a.shape == b.shape
        if near:
            np.testing.assert_allclose(a.astype("float64"), b.astype("float64"), 1e-12 if a.dtype == np.float64 else 1e-2)
        else:
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("case", SMOOTH, ids=NAMES)
def test_the_form_of_a_generator_gives_the_same_numbers(case):
    facts, near = Facts(case), type(case.op).__name__ in NEAR
    agree(facts.f, facts.xs, near)
    for n in (1, 2):
        agree(batch(facts.f, n), [np.stack([x] * n) for x in facts.xs], near)


@pytest.mark.parametrize("case", SMOOTH, ids=NAMES)
def test_the_form_of_a_reverse_derivative_gives_the_same_numbers(case):
    facts = Facts(case)
    try:
        back = R(batch(facts.f, 1))
    except (NoRule, NoChange) as none:
        pytest.skip(f"no reverse: {none}")
    rng = np.random.default_rng(0)
    xs = [np.stack([x]) for x in facts.xs]
    agree(back, [*xs, *(natural(rng, a) for a in back.dom.atoms[len(xs) :])], True)


@pytest.mark.parametrize("case", SMOOTH, ids=NAMES)
def test_one_example_in_a_batch_has_the_form_of_an_example(case):
    f = Facts(case).f
    if type(case.op).__name__ in ("AxisMean", "BatchSize") or not all(isinstance(a, Array) for a in (*f.dom, *f.cod)):
        pytest.skip("its batch is another arrow")
    one = trace(lambda *xs: [ops.reshape(y, *a.shape) for y, a in zip(group(batch(f, 1)(*rows(xs))), f.cod, strict=True)], *objects(f.dom))
    if type(case.op).__name__ in ("Take", "ScatterAdd", "Scan"):
        return agree(one, Facts(case).xs, True)  # a batch of reads is another way to read
    assert normal(one) == normal(f)


def objects(ob):
    return [Ty((a,)) for a in ob]


def rows(xs):
    return [ops.reshape(x, 1, *x.atom.shape) for x in xs]


def group(ys):
    return ys if isinstance(ys, tuple) else (ys,)


F, INT = lg.Real(2, 3), (-(2**31), 2**31 - 1)


def same(left, right, *obs):
    assert normal(trace(left, *obs)) == normal(trace(right, *obs))


def test_moves_after_moves_are_one_move():
    same(lambda x: ops.reshape(ops.reshape(x, 3, 2), 6), lambda x: ops.reshape(x, 6), F)
    same(lambda x: x.T.T, lambda x: x, F)
    same(lambda x: ops.reshape(x, 2, 1, 3).sum(1), lambda x: x, F)
    same(lambda x: ops.spread(ops.spread(x, (4, 2, 3), (1, 2)), (4, 2, 5, 3), (0, 1, 3)), lambda x: ops.spread(x, (4, 2, 5, 3), (1, 3)), F)
    same(lambda x: ops.tanh(ops.spread(x, (4, 2, 3), (1, 2))), lambda x: ops.spread(ops.tanh(x), (4, 2, 3), (1, 2)), F)
    same(lambda x: ops.transpose(ops.spread(x, (4, 2, 3), (1, 2)), 2, 0, 1), lambda x: ops.spread(x.T, (3, 4, 2), (0, 2)), F)


def test_products_have_one_form():
    a, b = lg.Real(2, 3), lg.Real(3, 4)
    same(lambda x, y: ops.einsum("ij,jk->ki", x, y), lambda x, y: ops.einsum("kj,ij->ki", y.T, x), a, b)
    same(lambda x, y: ops.einsum("i,i->i", x, y), lambda x, y: x * y, lg.Real(3), lg.Real(3))
    merged = lambda x, y: ops.reshape(ops.einsum("ij,jk->ik", ops.reshape(x, 10, 3), y), 2, 5, 4)  # noqa: E731
    same(merged, lambda x, y: ops.einsum("abj,jk->abk", x, y), lg.Real(2, 5, 3), b)


def test_casts_there_and_back_and_bounds_that_are_there_anyway():
    whole = Ty((Array((3,), "int32"),))
    same(lambda x: ops.cast(ops.cast(x, "float64"), "int32"), lambda x: x, whole)
    back = lambda x: ops.cast(ops.cast(x, "float32"), "int32")  # noqa: E731
    assert normal(trace(back, whole)) != normal(trace(lambda x: x, whole))  # float32 does not hold every int32
    clip = lambda x: ops.minimum(ops.maximum(x, -(2.0**31)), 2.0**31 - 1)  # noqa: E731
    wide = Ty((Array((3,), "float64"),))
    same(lambda x: ops.cast(clip(x), "int32"), lambda x: ops.cast(x, "int32"), wide)
    inside = lambda x: ops.cast(ops.minimum(ops.maximum(x, -5.0), 5.0), "int32")  # noqa: E731
    assert normal(trace(inside, wide)) != normal(trace(lambda x: ops.cast(x, "int32"), wide))
    rows, at = lg.Real(4, 2), Ty((Array((3,), "int32"),))
    same(lambda x, k: ops.take(x, ops.minimum(ops.maximum(k, 0), 3)), lambda x, k: ops.take(x, k), rows, at)
    short = lambda x, k: ops.take(x, ops.minimum(ops.maximum(k, 0), 2))  # noqa: E731
    assert normal(trace(short, rows, at)) != normal(trace(lambda x, k: ops.take(x, k), rows, at))


def test_what_is_different_stays_different():
    pairs = [
        (lambda x: x.sum(0), lambda x: x.sum(1), lg.Real(3, 3)),
        (lambda x: x.T, lambda x: x, lg.Real(3, 3)),
        (lambda x: ops.reshape(x.T, 6), lambda x: ops.reshape(x, 6), F),
        (lambda x: x - x.T, lambda x: x.T - x, lg.Real(3, 3)),
    ]
    for left, right, ob in pairs:
        assert normal(trace(left, ob)) != normal(trace(right, ob))


def test_the_ends_of_whole_numbers():
    found = {}

    def f(x, k):
        w = ops.argmax(x, 1)
        for name, y in {
            "place": w,
            "sum": w + 5,
            "bounded": ops.minimum(ops.maximum(k, 2), 9),
            "any": k,
            "product": w * w,
            "less": 3 - w,
            "chosen": ops.select(k < 0, w, w + 1),
        }.items():
            found[name] = ends(y)
        for _ in range(60):  # each twice the one before: asked for once each
            w = ops.minimum(w + w, 100)
        assert ends(w) == (0, 100)
        assert rest(w, 101) is w and rest(w, 100) is None and rest(k, 7) is None
        return w

    trace(f, F, Ty((Array((2,), "int32"),)))
    assert found == {
        "place": (0, 2), "sum": (5, 7), "bounded": (2, 9), "any": INT, "product": (0, 4), "less": (1, 3), "chosen": (0, 3),
    }  # fmt: skip


def test_a_loop_gives_no_stack_that_nothing_reads():
    def f(x):
        last, ys = scan(lambda c, row, _: (c + row, (c * row, c)), ops.reshape(x, 2, 1, 3)[0], ops.reshape(x, 2, 1, 3))
        return last, ys[1]

    made = normal(trace(f, F))
    loop = next(n.op for n in made.nodes if type(n.op).__name__ == "Scan")
    assert (len(loop.body.cod), str(loop.body.dom)) == (1, "f32[3] × f32[3]")
    agree(trace(f, F), [np.arange(6, dtype=np.float32).reshape(2, 3)])
