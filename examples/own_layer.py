"""A layer is a function on wires: write what it computes, and its derivative, batching and source follow."""

import sys

import lensgrad as lg
from lensgrad.lens import Param, parametric

epochs = 10 if "--quick" in sys.argv else 100


def gated(inputs, outputs):
    """tanh(W x) · sigmoid(V x) : ℝᵃ → ℝᵇ."""
    ob = lg.Real(outputs, inputs)
    ports = [Param("value", ob, init=lg.glorot(ob)), Param("gate", ob, init=lg.glorot(ob))]
    return parametric(ports, lg.Real(inputs), lambda value, gate, x: lg.tanh(value @ x) * lg.sigmoid(gate @ x))


model = gated(4, 16).scope("gated") >> lg.dense(3)
learner = lg.supervised(model, loss=lg.cross_entropy, optimizer=lg.sgd(0.02, momentum=0.9), metrics=["accuracy"])
data = lg.data.iris()
run = learner.fit(data, epochs=epochs, batch_size=25, seed=0)
print(lg.summary(model))
print(f"accuracy {run.evaluate(data)['accuracy']:.3f} on the flowers it was trained on")
