"""Sequences of different lengths: padded to one, with a mask beside them that every layer respects."""

import numpy as np

import lensgrad as lg

rng = np.random.default_rng(0)
words = [rng.integers(0, 10, rng.integers(3, 12)).astype(np.int32) for _ in range(400)]
answers = np.array([w.max() == 9 for w in words], np.int32)  # is there a 9 anywhere?

padded = lg.data.pad(words)  # {"x": i32[400, 11], "mask": bool[400, 11]}
steps = padded["x"].shape[1]
model = lg.sequential(
    lg.input(steps, dtype="int32") @ lg.input(steps, dtype="bool"),
    lg.beside(lg.embedding(10, 8)),
    lg.masked(lg.gru(16)),
    lg.global_max_pool(),
    lg.dense(2),
)
learner = lg.supervised(model, lg.cross_entropy, lg.adam(0.01), metrics=["accuracy"], input=("x", "mask"))
run = learner.fit({**{n: v[:300] for n, v in padded.items()}, "y": answers[:300]}, epochs=20, batch_size=32, progress=False)
accuracy = run.evaluate({**{n: v[300:] for n, v in padded.items()}, "y": answers[300:]})["accuracy"]
print(f"accuracy on unseen sequences: {accuracy:.3f}")
new = lg.data.pad([[9], [1, 2, 3]], length=steps)
print("is there a 9?", run.predict({"x": new["x"], "mask": new["mask"]}).argmax(1))
