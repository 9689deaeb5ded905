"""The same learner over bits: a lookup table learns XOR in one pass, without a single float (arXiv 2101.10488)."""

import numpy as np

import lensgrad as lg

inputs = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
outputs = inputs[:, :1] ^ inputs[:, 1:]

learner = lg.supervised(lg.lookup(2), loss=lg.xor, optimizer=lg.ascent, rate=lg.echo)
run = learner.fit((inputs, outputs), epochs=1, batch_size=None, progress=False)
print("table learned in one pass:", run.weights["table"].tolist())
print("it answers:", run.predict(inputs, batch_size=None)[:, 0].tolist(), "and should:", outputs[:, 0].tolist())
