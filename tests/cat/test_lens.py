"""Lenses: composition by its formula, R-images as one arrow, and no laws where none are asked."""

import pytest
from numerics import evaluate, generators, reals

from lensgrad.cat.lens import Delta, Lens, Pair, backward, delta, forward, silent, two, updated
from lensgrad.cat.reverse import R
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import BadValue, NotAReverse, TypeMismatch
from lensgrad.core.trace import trace
from lensgrad.core.ty import I, Ty
from lensgrad.theories.poly.circuit import Bits
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Int, Key, Real

A, B, C = (Real(n, dtype="float64") for n in (2, 3, 4))
X, Y, Z = (Ty((Pair(a, b),)) for a, b in ((A, C), (B, A), (C @ A, B)))


def narrow(x, n):
    return x[:n]


def widen(x, n):
    return ops.concatenate([x] * n)[:n]


# Neither is the reverse derivative of anything: what comes back has another type, and is squared.
F = Lens(X, Y, trace(lambda a: widen(a, 3), A), trace(lambda a, y: widen(y * y * a, 4), A, A), "f")
G = Lens(Y, Z, trace(lambda b: (widen(b, 4), narrow(b, 2)), B), trace(lambda b, z: narrow(z * b + b, 2), B, B), "g")
f = trace(lambda x: ops.tanh(widen(x, 3)), A)
g = trace(lambda x: widen(x * x, 4), B)
h = trace(lambda x: ops.sin(narrow(x, 2)), C)


def test_objects_say_what_flows_each_way():
    assert forward(X @ Z) == A @ C @ A and backward(X @ Z) == C @ B
    assert two(A @ Int(2)) == Ty((Pair(A, Ty((Delta(A[0]),))), Pair(Int(2), I)))
    assert silent(A) == Ty((Pair(A, I),)) and updated(A) == Ty((Pair(A, A),))
    assert delta(A @ Int(2)) == Ty((Delta(A[0]),)) and backward(two(A)) == A
    assert str(two(A)) == "(f64[2], Δf64[2])" and str(updated(Bits(3))) == "(Z2[3], Z2[3])"


def test_a_change_is_not_a_value():
    assert two(A) != updated(A)
    with pytest.raises(TypeMismatch):
        Lens.id(two(A)) >> Lens.id(updated(A))


def test_composition_is_the_formula():
    whole = F >> G
    assert (whole.dom, whole.cod) == (X, Z)
    assert whole.get == F.get >> G.get
    assert whole.put == trace(lambda a, c: F.put(a, G.put(F.get(a), c)), A, B)


def test_composition_of_three_runs_each_forward_once():
    sides = Ty((Pair(A, A),))
    half = Lens(sides, sides, trace(lambda x: ops.sin(x), A), trace(lambda x, d: d * d * x, A, A))
    whole = half.then(half, half)
    assert whole == (half >> half) >> half == half >> (half >> half)
    once, twice = half.get, half.get >> half.get
    assert whole.put == trace(lambda a, d: half.put(a, half.put(once(a), half.put(twice(a), d))), A, A)
    assert generators(whole.put).count("Sin") == 2


def test_tensor_is_side_by_side_both_ways():
    whole = F @ G
    assert whole.get == F.get @ G.get
    assert whole.put == trace(lambda a, b, y, z: (F.put(a, y), G.put(b, z)), A, B, A, B)


def test_identities_are_neutral_for_any_pair():
    for lens in (F, G, Lens.of(f)):
        assert Lens.id(lens.dom) >> lens == lens == lens >> Lens.id(lens.cod)
    assert Lens.id(X).get == Diagram.id(A)
    assert Lens.id(X).put == trace(lambda a, d: d, A, C)


def test_the_identity_on_updated_keys_gives_the_key_back():
    key = Ty((Key(),))
    assert Lens.id(updated(key)).put == Diagram.wiring(key @ key, [1])
    assert Lens.id(two(key)).put == Diagram.discard(key)


def test_the_symmetry_swaps_what_comes_back_as_well():
    swap = Lens.swap(X, Y)
    assert swap.get == Diagram.swap(A, B)
    assert swap.put == trace(lambda a, b, back_b, back_a: (back_a, back_b), A, B, A, C)
    assert (F @ G) >> Lens.swap(Y, Z) == Lens.swap(X, Y) >> (G @ F)


def test_lenses_are_neither_copied_nor_discarded():
    for outs in ((0, 0), (), (1, 1)):
        with pytest.raises(TypeMismatch) as error:
            Lens.wiring(X @ Y, outs)
        assert str(error.value) == "lenses can be neither copied nor discarded: every wire between them is used exactly once"


def test_get_and_put_are_checked():
    with pytest.raises(TypeMismatch) as error:
        Lens(X, Y, F.get, G.put)
    told = "the put of a lens (f64[2], f64[4]) → (f64[3], f64[2]) must be f64[2] × f64[2] → f64[4], got f64[3] × f64[3] → f64[2]"
    assert str(error.value) == told
    with pytest.raises(TypeMismatch, match="the get of a lens"):
        Lens(X, Y, G.get, F.put)


def test_a_composite_remembers_how_it_was_wired_and_is_not_compared_by_that():
    whole, image = F.then(G), Lens.of(f)
    assert whole.plan == (((F, (0,)), (G, (1,))), (2,))
    assert F.plan is None and image.then(Lens.of(g)).plan is None  # R-images stay one arrow
    assert whole == Lens(whole.dom, whole.cod, whole.get, whole.put)


def test_no_lens_laws_are_asked():
    forgetful = Lens(updated(A), updated(A), Diagram.id(A), trace(lambda a, d: a * 0.0, A, A))
    assert forgetful.put != Diagram.wiring(A @ A, [1])


# -- R : C → Lens(C) ---------------------------------------------------------------------------------------------------


def test_r_is_a_functor():
    assert Lens.of(f >> g) == Lens.of(f) >> Lens.of(g)
    assert Lens.of(f @ g) == Lens.of(f) @ Lens.of(g)
    assert Lens.of(Diagram.id(A @ B)) == Lens.id(two(A @ B))
    assert Lens.of(Diagram.swap(A, B)) == Lens.swap(two(A), two(B))


def test_an_r_image_is_the_arrow_and_its_reverse_derivative():
    lens = Lens.of(f)
    assert (lens.get, lens.put) == (f, R(f)) and lens.is_reverse and lens.primal == f
    assert lens == Lens(two(A), two(B), f, R(f)), "equality is that of get and put, however they were made"


def test_a_chain_of_r_images_stays_one_arrow_until_it_meets_another_lens():
    chain = Lens.of(f).then(Lens.of(g), Lens.of(h))
    assert chain.is_reverse and chain.primal == f >> g >> h
    assert chain._put is None, "R runs once, on the finished arrow, when it is asked for"
    end = Lens(two(A), I, Diagram.discard(A), trace(lambda a: a * 0.1, A), "end")
    closed = chain >> end
    assert not closed.is_reverse and chain._put is not None
    assert closed.put == trace(lambda a: chain.put(a, (f >> g >> h)(a) * 0.1), A)


def test_composites_of_r_images_compute_each_forward_once():
    links = [Lens.of(trace(lambda x, k=k: ops.sin(x * float(k)), A)) for k in range(1, 30)]
    whole = links[0]
    for link in links[1:]:
        whole = whole >> link
    assert generators(whole.put).count("Sin") == 28 and generators(whole.put).count("Cos") == 29


def test_the_put_of_a_composite_of_r_images_equals_the_formula_of_lenses():
    composite = Lens.of(f) >> Lens.of(g)
    pulled = trace(lambda a, c: R(f)(a, R(g)(f(a), c)), A, C)
    x, d = reals(0, (2,), (4,))
    assert composite.put == pulled
    assert (evaluate(composite.put, x, d) == evaluate(pulled, x, d)).all()


def test_ends_may_be_silent():
    lens = Lens.of(trace(lambda x, y: x * y, A, A), dom=silent(A) @ two(A))
    assert lens.put == trace(lambda x, y, d: d * x, A, A, A)
    watched = Lens.of(trace(lambda x: (x, x * x), A), cod=two(A) @ silent(A))
    assert watched.put == Diagram.wiring(A @ A, [1])


def test_a_lens_that_is_no_r_image_says_why():
    with pytest.raises(NotAReverse) as error:
        _ = (Lens.of(f) >> Lens(two(B), I, Diagram.discard(B), Diagram.id(B), "end")).primal
    why = "its backward part is not additive in what comes back, as learning rates and optimizers are; use its get and put instead"
    assert str(error.value) == f"this lens : (f64[2], Δf64[2]) → I is not the reverse derivative of an arrow: {why}"
    with pytest.raises(NotAReverse) as error:
        _ = F.primal
    assert str(error.value) == f"f : (f64[2], f64[4]) → (f64[3], f64[2]) is not the reverse derivative of an arrow: {why}"


def test_composition_checks_types():
    with pytest.raises(TypeMismatch) as error:
        F >> F
    lines = str(error.value).splitlines()
    assert lines[:3] == ["cannot compose  f >> f", "  f/out  gives  (f64[3], f64[2])", "  f/in   wants  (f64[2], f64[4])"]
    assert lines[3:] == ["                     ^ axis 0: 3 is not 2", "  fix: make both sizes 3, or both 2"]


def test_lenses_cannot_be_changed():
    with pytest.raises(BadValue, match="'dom' of a Lens cannot be set again"):
        F.dom = X
    with pytest.raises(BadValue, match="'get' of a Lens cannot be set again"):
        F.get = G.get


def test_lenses_that_differ_in_the_way_back_differ():
    half, whole = (Lens(two(A), two(A), Diagram.id(A), trace(lambda a, d, k=k: d * k, A, A)) for k in (0.5, 1.5))
    assert half != whole and half != Lens.id(two(A)) and Lens.id(two(A)) != half


def test_equal_lenses_hash_alike():
    assert hash(Lens.of(f >> g)) == hash(Lens.of(f) >> Lens.of(g))
    assert F != G and F != "f" and Lens.of(f) != Lens.of(trace(lambda x: widen(x, 3), A))
