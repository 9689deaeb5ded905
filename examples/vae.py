"""A variational autoencoder is an autoencoder with one layer more: digits are drawn from sixteen normal numbers."""

import sys
from importlib.util import find_spec

import numpy as np

import lensgrad as lg
from lensgrad.lens import batch
from lensgrad.program.compile import program

quick = "--quick" in sys.argv
backend = "jax" if find_spec("jax") and not quick else "numpy"
train, test = lg.data.digits() if quick else lg.data.mnist()
epochs, size, hidden, code = (20, (8, 8, 1), 64, 8) if quick else (10, (28, 28, 1), 400, 16)
pixels = int(np.prod(size))

decoder = lg.sequential(lg.dense(hidden, activation="relu", name="from_code"), lg.dense(pixels, name="pixels"), lg.reshape(*size))
model = lg.sequential(
    lg.input(*size), lg.flatten(), lg.dense(hidden, activation="relu", name="encoder"), lg.dense(2 * code, name="code"),
    lg.gaussian_sample(name="draw"), lg.beside(decoder),
)  # fmt: skip
learner = lg.supervised(model, loss=lg.elbo, optimizer=lg.adam(3e-3 if quick else 1e-3), label="x")
run = learner.fit({"x": train.x}, epochs=epochs, batch_size=32 if quick else 128, seed=0, backend=backend, progress=not quick)

bounds = [-report["loss"] for report in run.history]
found = program(batch(learner.task, len(test)))({**run.values, "x": test.x})  # as in training, with a draw for each digit
unseen = -float(found["loss"].mean())
print(f"the bound on log p(x): {bounds[0]:.1f} nats in epoch 1, {bounds[-1]:.1f} in epoch {epochs}, {unseen:.1f} for unseen digits")
mean = train.x.mean(0).clip(1e-3, 1 - 1e-3)
plain = (test.x * np.log(mean) + (1 - test.x) * np.log(1 - mean)).reshape(len(test.x), -1).sum(1).mean()
print(f"independent pixels, without a code: {plain:.1f} nats")
assert bounds[-1] > bounds[0] and unseen > plain, "the code explains nothing about the digits"

# A name says which parameter is meant, so the decoder alone is another model of the same values.
sampler = lg.Run(lg.supervised(lg.input(code) >> decoder, lg.binary_cross_entropy, lg.descent), run.values, backend=backend)
logits = sampler.predict(np.random.default_rng(0).standard_normal((50, code)).astype(np.float32))
drawn, rebuilt = (1 / (1 + np.exp(-v)) for v in (logits, run.predict(test.x[:10])))

if not quick:
    from lensgrad.draw.pictures import images

    images("vae.png", np.concatenate([test.x[:10], rebuilt, drawn]), title="unseen digits, the same rebuilt, and five rows of drawn ones")
