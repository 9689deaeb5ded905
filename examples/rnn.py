"""A recurrent network is one cell composed with itself and tied along its weights: it reads digits row by row.

The loop `lg.simple_rnn` is the same function with the same gradients, in a program that does not grow with the length.
"""

import sys

import numpy as np

import lensgrad as lg
from lensgrad.lens import Model, Param, Ty, trace
from lensgrad.theories.smooth import ops

quick = "--quick" in sys.argv
units, rows, width = 32, 8, 8
state, row, image = lg.Real(units), lg.Real(width), lg.Real(rows, width, 1)

weights = [
    Param("input/weight", lg.Real(units, width), init=lg.glorot(lg.Real(units, width))),
    Param("state/weight", lg.Real(units, units), init=lg.glorot(lg.Real(units, units))),
    Param("bias", state, init=lg.zeros(state)),
]
cell = Model.make(weights, trace(lambda w, u, b, h, x: ops.tanh(w @ x + b + u @ h), *(p.ob for p in weights), state, row))  # S ⊗ X → S


def reads(n):
    """cell ; … ; cell : S ⊗ Xⁿ → S, n cells that share their weights by copy, whose reverse is +."""
    chain = lg.sequential(*(cell @ Ty(row.atoms * k) for k in reversed(range(n)))) if n > 1 else cell
    for p in weights if n > 1 else ():
        chain = chain.tie(*(f"{p.label}.{k}" for k in range(n)))
    return chain


def recurrent(n):
    """The state after n rows of an image, from the state 0 : ℝ^(8,8,1) → S."""
    cut = trace(lambda x: (state[0].zero(), *(ops.reshape(x[k], width) for k in range(n))), image)
    return cut >> reads(n)


out = lg.dense(10, name="out")
model = recurrent(rows) >> out
loop = lg.sequential(lg.input(rows, width, 1), lg.reshape(rows, width), lg.simple_rnn(units, last=True), out)

train, test = lg.data.digits()
learners = [lg.supervised(m, lg.cross_entropy, lg.adam(3e-3), metrics=["accuracy"]) for m in (model, loop)]
start = learners[0].initial(seed=0)
found = [learner.step(32)({**start, "x": train.x[:32], "y": train.y[:32]}) for learner in learners]
gap = max(np.abs(found[0][n] - found[1][n]).max() for n in model.names)
print(
    f"a step of the chain and of the loop differ by {gap:.0e}; the programs have {[len(x.step(32).diagram.nodes) for x in learners]} nodes"
)

run = learners[1].fit(train, epochs=10 if quick else 60, batch_size=32, seed=0, start=start, progress=not quick)
same = lg.Run(learners[0], run.values)
print(f"accuracy on unseen digits: {run.evaluate(test)['accuracy']:.3f} by the loop, {same.evaluate(test)['accuracy']:.3f} by the chain")
assert gap < 1e-5 and run.evaluate(test)["accuracy"] > (0.75 if quick else 0.9), "the network does not read"

# After fewer rows the same weights are a shorter chain.
shorter = [lg.Run(lg.supervised(recurrent(n) >> out, lg.cross_entropy, lg.descent), run.values) for n in range(1, rows + 1)]
seen = [r.predict(test.x).argmax(1) for r in shorter]
print("right after each row:", " ".join(f"{np.mean(s == test.y):.2f}" for s in seen))

if not quick:
    from lensgrad.draw.pictures import images

    shown = [np.where(np.arange(8)[:, None, None] <= n, x, 0.0) for x in test.x[:5] for n in range(rows)]
    images(
        "rnn.png", np.stack(shown), columns=8, titles=[str(seen[n][k]) for k in range(5) for n in range(rows)], title="what it says so far"
    )
