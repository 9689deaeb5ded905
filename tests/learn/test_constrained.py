"""Weights that stay on a sphere or a Stiefel manifold, by lenses around any optimizer."""

import numpy as np
import pytest
from numerics import evaluate, reals
from refusals import told

import lensgrad as lg
from lensgrad.cat.lens import two
from lensgrad.cat.names import Param, Role, weights
from lensgrad.cat.para import lens, parametric
from lensgrad.core.errors import TypeMismatch
from lensgrad.core.trace import trace
from lensgrad.core.ty import I
from lensgrad.learn import init
from lensgrad.learn.optimizers.constrained import orthonormal
from lensgrad.learn.rates import rate
from lensgrad.program.compile import compile
from lensgrad.program.values import initial
from lensgrad.theories.smooth import ops

N = 6
(BASE,) = reals(7, (N, N))
MATRIX = BASE @ BASE.T / N
POINT = lg.Real(N, dtype="float64")
FRAME = lg.Real(N, 2, dtype="float64")
TABLE = lg.Real(N, N, dtype="float64")


def task(ob, loss):
    return parametric([Param("p", ob, init=init.normal()(ob)), Param("a", TABLE, Role.DATA)], I, loss)


def rayleigh(p, a):
    """−⟨p, A p⟩ / 2, least at the eigenvectors of the largest eigenvalues."""
    return ops.sum_over(p * ops.matmul(a, p)) * -0.5


def run(ob, optimizer, steps):
    closed = (lens(task(ob, rayleigh)) >> rate(1.0)).reparam({weights: optimizer})
    step, values = compile(closed), {**initial(closed.params, 1), "a": MATRIX}
    yield values["p"]
    for _ in range(steps):
        values = {**values, **step(values)}
        yield values["p"]


@pytest.mark.parametrize("optimizer", [lg.sgd(0.2), lg.sgd(0.1, momentum=0.9), lg.adam(0.05)], ids=lambda o: o.name)
def test_a_point_stays_on_the_sphere_for_ten_thousand_steps(optimizer):
    worst = max(abs(np.linalg.norm(p) - 1) for p in run(POINT, lg.sphere(optimizer), 10_000))
    assert worst < 1e-12


def gap(p):
    tall = p if p.shape[0] >= p.shape[1] else p.T
    return np.abs(tall.T @ tall - np.eye(2)).max()


def test_a_frame_stays_orthonormal_for_ten_thousand_steps():
    assert max(map(gap, run(FRAME, lg.stiefel(lg.sgd(0.5, momentum=0.5)), 10_000))) < 1e-12


def test_a_wide_matrix_keeps_orthonormal_rows():
    wide = lg.Real(2, N, dtype="float64")
    waves = parametric([Param("p", wide, init=init.normal()(wide))], I, lambda p: ops.sum_over(ops.sin(p * 3.0)))
    closed = (lens(waves) >> rate(1.0)).reparam({weights: lg.stiefel(lg.adam(0.5))})
    step, values = compile(closed), initial(closed.params, 1)
    for _ in range(1000):
        assert gap(values["p"]) < 1e-12
        values = step(values)


def test_they_reach_the_eigenvectors_of_the_largest_eigenvalues():
    values, vectors = np.linalg.eigh(MATRIX)
    *_, point = run(POINT, lg.sphere(lg.sgd(0.5)), 3000)
    assert abs(point @ vectors[:, -1]) == pytest.approx(1.0, abs=1e-9)
    *_, frame = run(FRAME, lg.stiefel(lg.sgd(0.5)), 3000)
    assert np.trace(frame.T @ MATRIX @ frame) == pytest.approx(values[-2:].sum(), abs=1e-9)


def test_one_step_is_the_formula():
    """For a gradient G whose XᵀG is not symmetric."""
    x, (slope,) = np.linalg.qr(BASE[:, :2])[0], reals(3, (N, 2))
    made = lg.stiefel(lg.sgd(0.3))(Param("p", two(FRAME)))
    later = evaluate(made.arrow.put, x, slope)
    tangent = slope - x @ (x.T @ slope + slope.T @ x) / 2
    q, r = np.linalg.qr(x - 0.3 * tangent)
    np.testing.assert_allclose(later, q * np.sign(np.diag(r)), rtol=0, atol=1e-13)


def test_columns_that_are_nearly_parallel_are_made_orthogonal_to_the_last_digit():
    column = BASE[:, :1]
    near = np.concatenate([column, column + 1e-7 * BASE[:, 1:2]], 1)
    q = evaluate(trace(orthonormal, FRAME), near)
    assert np.abs(q.T @ q - np.eye(2)).max() < 1e-14
    np.testing.assert_allclose(q[:, 0], near[:, 0] / np.linalg.norm(near[:, 0]), rtol=1e-14)


def test_a_stiefel_weight_is_a_matrix():
    closed = lens(task(POINT, rayleigh)) >> rate(1.0)
    text = told(TypeMismatch, lambda: closed.reparam({weights: lg.stiefel(lg.sgd(0.1))}))
    assert text == "stiefel(sgd(0.1)) moves matrices, and 'p' is f64[6]"
