"""What does a network think a three looks like? The weights stay and the image learns; another network judges the result."""

import sys
from importlib.util import find_spec

import numpy as np

import lensgrad as lg

quick = "--quick" in sys.argv
train, test = lg.data.digits() if quick else lg.data.mnist()
epochs, steps, digits, size = (5, 100, (3,), (8, 8, 1)) if quick else (2, 100, range(10), (28, 28, 1))
how = {"batch_size": 32 if quick else 64, "backend": "jax" if find_spec("jax") and not quick else "numpy", "progress": not quick}


def classifier(seed, *layers):
    model = lg.sequential(lg.input(*size), *layers, lg.flatten(), lg.dense(10))
    learner = lg.supervised(model, lg.cross_entropy, lg.adam(3e-3), metrics=["accuracy"])
    return learner.fit(train, epochs=epochs, seed=seed, **how)


if quick:
    dreamer = classifier(0, lg.augment.shift(1), lg.augment.noise(0.3), lg.conv2d(16, 3, activation="relu"), lg.max_pool2d(2))
    judge = classifier(1, lg.augment.noise(0.1), lg.flatten(), lg.dense(64, activation="relu"))
else:
    deep = lg.conv2d(16, 5, stride=2, activation="relu"), lg.conv2d(32, 3, stride=2, activation="relu")
    dreamer = classifier(0, lg.augment.shift(3), lg.augment.noise(0.3), *deep)
    other = lg.conv2d(8, 3, activation="relu"), lg.max_pool2d(2), lg.flatten(), lg.dense(64, activation="relu")
    judge = classifier(1, lg.augment.noise(0.2), *other)
print(f"the judge is right about {judge.evaluate(test)['accuracy']:.1%} of unseen digits", flush=True)
mean, found = train.x.mean(0), []
for digit in digits:
    dream = lg.dream(dreamer, mean, digit, steps=steps, rate=0.02 if quick else 0.05)
    assert (np.diff(dream.history) > 0).all(), "the logit of the target falls"
    found.append(np.clip(dream.x, 0, 1))
    sight = judge.predict(found[-1][None])[0].argmax()
    print(f"{digit}: logit {dream.history[0]:6.2f} to {dream.history[-1]:6.2f}, the judge sees a {sight}", flush=True)
seen = judge.predict(np.stack(found)).argmax(1)
assert (seen == list(digits)).all(), f"the judge sees {seen}"

if not quick:
    from lensgrad.draw.pictures import images

    images("dream_digit.png", np.stack([mean, *found]), columns=11, titles=["start", *map(str, digits)])
