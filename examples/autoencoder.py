"""An autoencoder is the code of a regression with its label tied to its input: digits through eight numbers and back."""

import sys

import numpy as np

import lensgrad as lg

epochs = 15 if "--quick" in sys.argv else 100

train, test = lg.data.digits()
model = lg.sequential(
    lg.input(8, 8, 1), lg.flatten(), lg.dense(64, activation="relu", name="encoder"), lg.dense(8, name="code"),
    lg.dense(64, activation="relu", name="decoder"), lg.dense(64, name="pixels"), lg.reshape(8, 8, 1),
)  # fmt: skip
learner = lg.supervised(model, loss=lg.mse, optimizer=lg.adam(3e-3), label="x")
run = learner.fit({"x": train.x}, epochs=epochs, batch_size=32, seed=0)

rebuilt = run.predict(test.x)
left = np.square(rebuilt - test.x).mean() / np.square(test.x - train.x.mean(0)).mean()
x = train.x.reshape(len(train.x), -1)
axes = np.linalg.svd(x - x.mean(0), full_matrices=False)[2][:8]
flat = test.x.reshape(len(test.x), -1) - x.mean(0)
linear = np.square(flat - flat @ axes.T @ axes).mean() / np.square(flat).mean()
print(f"unexplained variance of unseen digits: {left:.3f} (eight principal components leave {linear:.3f})")
assert left < (0.5 if "--quick" in sys.argv else linear), "the network rebuilds less than a linear map of the same width"

if "--quick" not in sys.argv:
    from lensgrad.draw.pictures import images

    images("autoencoder.png", np.concatenate([test.x[:10], rebuilt[:10]]), title="digits, and what eight numbers keep of them")
