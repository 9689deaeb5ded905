"""Parametric arrows: composition with names, reparameterization, sharing, observables, and the same over lenses."""

import copy
import pickle

import numpy as np
import pytest
from numerics import differences, evaluate, reals

from lensgrad.cat.lens import Lens, delta, silent, two, updated
from lensgrad.cat.names import Param, Role, weights
from lensgrad.cat.para import Para, corner, lens, observe, para, parametric, share
from lensgrad.cat.reverse import R
from lensgrad.core.diagram import Diagram, Family
from lensgrad.core.errors import BadValue, NameClash, TypeMismatch, WireError
from lensgrad.core.trace import trace
from lensgrad.core.ty import I
from lensgrad.learn.layers.basic import bias, dense, linear
from lensgrad.learn.optimizers import descent
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Real

A, B, C = (Real(n, dtype="float64") for n in (2, 3, 4))


def lin(a, b):
    return linear(a, b, "float64")


f, g, h = lin(2, 3), lin(3, 4), lin(4, 2)


def test_composition_is_the_formula_with_parameters_in_order_of_appearance():
    whole = f >> g
    assert (whole.dom, whole.cod, [p.ob for p in whole.params]) == (A, C, [f.params[0].ob, g.params[0].ob])
    assert whole.arrow == trace(lambda p, q, x: q @ (p @ x), f.params[0].ob, g.params[0].ob, A)


def test_tensor_is_side_by_side():
    whole = f @ g
    assert (whole.dom, whole.cod, whole.names) == (A @ B, B @ C, ("weight.0", "weight.1"))
    assert whole.arrow == trace(lambda p, q, x, y: (p @ x, q @ y), f.params[0].ob, g.params[0].ob, A, B)


def test_composition_is_associative_with_names():
    left, right = (f >> g) >> h, f >> (g >> h)
    assert left == right == f.then(g, h) and hash(left) == hash(right)
    assert left.names == right.names == ("weight.0", "weight.1", "weight.2")


def test_identities_are_neutral_and_objects_stand_for_them():
    assert para(Diagram.id(A)) >> f == f == f >> para(Diagram.id(B))
    assert A @ f == para(Diagram.id(A)) @ f and f @ A == f @ para(Diagram.id(A)) and I @ f == f == f @ I


def test_interchange_up_to_the_order_of_parameters():
    left, right = (f >> g) @ (g >> h), (f @ g) >> (g @ h)
    p, q, r, s = (x.params[0].ob for x in (f, g, g, h))
    permuted = trace(lambda p, r, q, s, x, y: left.arrow(p, q, r, s, x, y), p, r, q, s, A, B)
    assert right.arrow == permuted


def test_plain_arrows_and_families_join_a_chain():
    square = trace(lambda x: x * x, B)
    assert f >> square == f >> para(square)
    assert square >> g == para(square) >> g
    assert f >> ops.tanh == f >> para(ops.tanh.at(B))
    assert square >> Family("layer", lambda dom: lin(dom[0].size, 5)) == para(square) >> lin(3, 5)
    assert f >> (ops.tanh >> Family("layer", lambda dom: lin(3, 5))) == f >> ops.tanh >> lin(3, 5)


def test_a_chain_of_5000_layers_is_flattened_without_recursion():
    layer = bias(2, "float64")
    left = right = layer
    for _ in range(4999):
        left, right = left >> layer, layer >> right
    assert left == right and len(left.params) == 5000
    assert left.names[:2] + left.names[-1:] == ("bias.0", "bias.1", "bias.4999")
    assert pickle.loads(pickle.dumps(left)) == left


# -- names -------------------------------------------------------------------------------------------------------------


def test_scope_prefixes_labels_and_observables():
    model = (f >> observe("tap", B) >> g).scope("net").scope("outer")
    assert model.names == ("outer/net/weight.0", "outer/net/weight.1")
    assert model.observables == (("outer/net/tap", B),)
    assert model.arrow == (f >> observe("tap", B) >> g).arrow


def test_scope_distributes_over_composition():
    assert (f >> g).scope("net") == f.scope("net") >> g.scope("net")


def test_a_layer_may_be_named():
    model = dense(2, 3, name="hidden") >> dense(3, 1, name="out")
    assert model.names == ("hidden/weight", "hidden/bias", "out/weight", "out/bias")
    assert dense(2, 3, name="hidden").params == dense(2, 3).scope("hidden").params


def test_clashing_names_are_refused_when_they_are_looked_at():
    other = parametric([("weight.1", A)], A, lambda w, x: w + x)
    with pytest.raises(NameClash):
        _ = (other >> f >> g).names


# -- reparameterization ------------------------------------------------------------------------------------------------


def scaled(param):
    """A point that is twice a new parameter."""
    ob = param.ob
    return parametric([Param(f"half {param.label}", ob)], I, lambda p: p * 2.0)


def test_one_name():
    made = (f >> g).reparam({"weight.1": scaled})
    assert made.names == ("weight", "half weight")
    assert made.arrow == trace(lambda p, q, x: (q * 2.0) @ (p @ x), f.params[0].ob, g.params[0].ob, A)


def test_a_glob_takes_each_parameter_by_itself():
    model = f.scope("enc/0") >> g.scope("enc/1") >> h.scope("head")
    made = model.reparam({"enc/**": scaled})
    assert made.names == ("half enc/0/weight", "half enc/1/weight", "head/weight")
    assert made == model.reparam({"enc/0/weight": scaled, "enc/1/weight": scaled})


def test_a_role_reaches_weights_and_leaves_data():
    task = corner(A, "x") >> f
    made = task.reparam({weights: scaled})
    assert [(p.label, p.role) for p in made.params] == [("x", Role.DATA), ("half weight", Role.WEIGHT)]


def test_data_is_reached_by_its_name():
    made = (corner(A, "x") >> f).reparam({"x": corner(A, "z")})
    assert made == corner(A, "z") >> f


def test_a_tuple_ties_parameters_together():
    model = bias(2, "float64").scope("a") >> lin(2, 2) >> bias(2, "float64").scope("b")
    made = model.reparam({("a/bias", "b/bias"): Para.make([Param("shared", A)], Diagram.copy(A))})
    assert made.names == ("shared", "weight")
    assert made.arrow == trace(lambda s, w, x: w @ (x + s) + s, A, model.params[1].ob, A)


def test_a_tuple_gives_the_values_in_its_own_order():
    model = bias(2, "float64").scope("a") >> bias(2, "float64").scope("b")
    both = Para.make([Param("p", A), Param("q", A)], Diagram.id(A @ A))
    assert model.reparam({("a/bias", "b/bias"): both}).arrow == model.arrow
    swapped = model.reparam({("b/bias", "a/bias"): both})
    assert swapped.arrow == trace(lambda p, q, x: (x + q) + p, A, A, A)
    assert swapped.names == ("p", "q"), "the parameters of the point stand where the first of the group stood"


def test_a_tied_weight_gets_the_sum_of_the_gradients():
    model = bias(2, "float64").scope("a") >> para(ops.sin.at(A)) >> bias(2, "float64").scope("b")
    tied = model.reparam({("a/bias", "b/bias"): Para.make([Param("s", A)], Diagram.copy(A))})
    s, x, d = reals(0, (2,), (2,), (2,))
    da, db, _ = evaluate(lens(model).arrow.put, s, s, x, d)
    np.testing.assert_array_equal(evaluate(lens(tied).arrow.put, s, x, d)[0], db + da)


def test_the_laws_of_reparameterization():
    identity, double = corner(f.params[0].ob, "weight", Role.WEIGHT), scaled(f.params[0])
    twice = double.reparam({"half weight": scaled})
    assert f.reparam({"weight": identity}) == f
    assert f.reparam({"weight": double}).reparam({"half weight": scaled}) == f.reparam({"weight": twice})
    both = (f.scope("a") >> g.scope("b")).reparam({"a/weight": scaled, "b/weight": scaled})
    assert both == f.scope("a").reparam({"a/weight": scaled}) >> g.scope("b").reparam({"b/weight": scaled})


def test_entries_apply_in_the_order_written():
    made = f.reparam({"weight": scaled, "half weight": scaled})
    assert made.names == ("half half weight",)
    assert made.arrow == trace(lambda p, x: (p * 2.0 * 2.0) @ x, f.params[0].ob, A)


def test_a_constant_freezes_a_weight():
    frozen = bias(2, "float64").reparam({"bias": trace(lambda: A[0].zero())})
    assert frozen.params == () and frozen.arrow == trace(lambda x: x + A[0].zero(), A)


def test_a_weight_without_an_optimizer_stays_free():
    closed = lens(f.scope("a") >> g.scope("b")).reparam({"b/*": descent})
    assert [p.ob for p in closed.params] == [two(f.params[0].ob), updated(g.params[0].ob)]


def test_a_point_is_checked():
    def message(point):
        with pytest.raises(TypeMismatch) as error:
            (f >> g).reparam({"weight.0": point})
        return str(error.value)

    want = "the reparameterization of weight must give a parametric arrow I → f64[3,2]"
    assert message(corner(A, "p")) == "the reparameterization of weight must be I → f64[3,2], got I → f64[2]"
    assert message(f) == "the reparameterization of weight must be I → f64[3,2], got f64[2] → f64[3]"
    assert message("adam") == f"{want}, got 'adam'"
    assert message(lambda p: 3) == f"{want}, got 3"
    assert message(maker) == f"{want}, got a function: call maker(…) first"


def maker(_):
    """A function that makes a point only when it is called twice."""
    return descent


# -- sharing -----------------------------------------------------------------------------------------------------------


def test_share_has_one_set_of_parameters():
    twice = share(dense(2, 3, name="d", dtype="float64"))
    assert (twice.names, twice.dom, twice.cod) == (("d/weight", "d/bias"), A @ A, B @ B)
    layer = dense(2, 3, name="d", dtype="float64").arrow
    assert twice.arrow == trace(lambda w, b, x, y: (layer(w, b, x), layer(w, b, y)), *(p.ob for p in twice.params), A, A)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_the_gradient_of_a_shared_weight_is_the_sum_over_its_copies(times):
    layer = f >> ops.tanh
    shared, apart = share(layer, times), layer.tensor(*[layer] * (times - 1))
    w, *xs = reals(1, (3, 2), *[(2,)] * times)
    ds = reals(2, *[(3,)] * times)
    singles = evaluate(R(apart.arrow), *[w] * times, *xs, *ds)[:times]
    found = evaluate(R(shared.arrow), w, *xs, *ds)[0]
    np.testing.assert_allclose(found, sum(singles), rtol=1e-15)
    numeric = differences(lambda w: sum((np.tanh(w @ x) * d).sum() for x, d in zip(xs, ds, strict=True)), [w], 0)
    np.testing.assert_allclose(found, numeric, rtol=1e-7, atol=1e-9)


def test_an_arrow_is_shared_at_least_once():
    with pytest.raises(BadValue) as error:
        share(f, 0)
    assert str(error.value) == "the number of copies that share must be a whole number ≥ 1, got 0"


# -- observables -------------------------------------------------------------------------------------------------------


def test_observables_concatenate_and_nobody_composes_with_them():
    model = f >> observe("first", B) >> g >> observe("second", C)
    assert (model.cod, model.observables) == (C, (("first", B), ("second", C)))
    assert model.arrow == trace(lambda p, q, x: (q @ (p @ x), p @ x, q @ (p @ x)), *(p.ob for p in model.params), A)
    side = observe("left", A) @ observe("right", B)
    assert (side.cod, side.observables) == (A @ B, (("left", A), ("right", B)))


def test_observables_of_a_point_are_kept():
    point = corner(f.params[0].ob, "w") >> observe("seen", f.params[0].ob)
    made = (f >> observe("tap", B)).reparam({"weight": point})
    assert made.observables == (("tap", B), ("seen", f.params[0].ob))
    assert made.arrow == trace(lambda w, x: (w @ x, w @ x, w), f.params[0].ob, A)


def test_nothing_flows_back_into_an_observable():
    model = lens(f >> observe("tap", B))
    assert model.observables == (("tap", silent(B)),) and model.cod == two(B)
    assert model.arrow.put == lens(f).arrow.put
    assert model.arrow.cod == two(B) @ silent(B)


# -- Para over Lens ----------------------------------------------------------------------------------------------------


def test_lens_is_the_base_change_along_r():
    made = lens(f)
    assert (made.dom, made.cod, [p.ob for p in made.params]) == (two(A), two(B), [two(f.params[0].ob)])
    assert (made.arrow.get, made.arrow.put) == (f.arrow, R(f.arrow))
    assert made == f.map(two, Lens.of)


def test_differentiating_commutes_with_composing():
    assert lens(f >> g) == lens(f) >> lens(g)
    assert lens(f @ g) == lens(f) @ lens(g)
    assert lens(f.scope("a")) == lens(f).scope("a")
    assert lens(f.reparam({"weight": scaled})) == lens(f).reparam({"weight": lambda p: lens(scaled(f.params[0]))})


def test_composition_over_lenses_is_the_formula_of_puts():
    end = Lens(two(B), two(A), trace(lambda b: b[:2], B), trace(lambda b, a: ops.concatenate([a, a[:1]]) * b, B, A))
    whole = lens(f) >> end
    put = trace(lambda p, x, d: R(f.arrow)(p, x, end.put(p @ x, d)), f.params[0].ob, A, A)
    assert whole.arrow.put == put and not whole.arrow.is_reverse


def test_a_parametric_chain_of_r_images_stays_one_arrow():
    chain = lens(f) >> lens(g) >> lens(h)
    assert chain.arrow.is_reverse and chain.arrow.primal == (f >> g >> h).arrow


def test_an_optimizer_is_a_reparameterization_by_a_lens():
    moved = lens(f).reparam({weights: descent})
    ob = f.params[0].ob
    assert [p.ob for p in moved.params] == [updated(ob)]
    assert moved.arrow.get == f.arrow
    assert moved.arrow.put == trace(lambda w, x, d: (w - R(f.arrow)(w, x, d)[0], R(f.arrow)(w, x, d)[1]), ob, A, B)


def test_a_change_of_a_weight_is_no_weight():
    ob = two(f.params[0].ob)
    with pytest.raises(TypeMismatch) as error:
        lens(f).reparam({"weight": corner(updated(f.params[0].ob), "w")})
    told = "the reparameterization of weight must be I → (f64[3,2], Δf64[3,2]), got I → (f64[3,2], f64[3,2])"
    assert str(error.value) == told
    assert delta(f.params[0].ob) == ob[0].bwd


# -- values ------------------------------------------------------------------------------------------------------------


def test_the_type_of_a_parametric_arrow_is_checked():
    with pytest.raises(TypeMismatch) as error:
        Para(A, A, f.body)
    assert str(error.value) == "this parametric arrow must be f64[3,2] × f64[2] → f64[2], got f64[3,2] × f64[2] → f64[3]"


def test_arrows_with_other_labels_or_roles_differ():
    ob = f.params[0].ob
    assert f != f.scope("a")
    assert corner(ob, "w") != corner(ob, "w", Role.WEIGHT) != corner(ob, "v", Role.WEIGHT)
    assert f != "f" and f != f >> ops.tanh


def test_first_values_are_carried_and_not_compared():
    one, other = (parametric([Param("w", A, init=init)], A, lambda w, x: w + x) for init in (None, Diagram.id(A)))
    assert one == other and one.params[0].init != other.params[0].init
    assert (other >> f).params[0].init == other.scope("s").params[0].init == lens(other).params[0].init == Diagram.id(A)


def test_parametric_arrows_cannot_be_changed_and_are_copied():
    with pytest.raises(BadValue, match="'params' of a Model cannot be set again"):
        f.params = ()
    model = (f >> g).scope("net") >> observe("tap", C)
    assert copy.deepcopy(model) == model == pickle.loads(pickle.dumps(model))
    assert pickle.loads(pickle.dumps(lens(model))) == lens(model)


def test_a_layer_is_not_called():
    with pytest.raises(WireError) as error:
        dense(2, 3)([1.0, 2.0])
    has = "this parametric arrow has parameters (weight, bias), so it is composed with >>, not called"
    assert str(error.value) == f"{has}: run.predict(x) gives the numbers of a trained model, lg.evaluate(f, x, values=…) of any"


def test_a_parametric_arrow_prints_its_parameters():
    assert repr(f) == "<parametric arrow f64[2] → f64[3] with weight>"
    assert repr(observe("tap", A)) == "<parametric arrow f64[2] → f64[2] with no parameters>"
