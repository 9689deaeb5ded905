"""What does a network think a three looks like? The weights stay and the image learns; another network judges the result."""

import sys

import numpy as np

import lensgrad as lg

quick = "--quick" in sys.argv
epochs, steps, digits = (5, 100, (3,)) if quick else (30, 200, range(10))

train, test = lg.data.digits()


def classifier(seed, *layers):
    model = lg.sequential(lg.input(8, 8, 1), *layers, lg.flatten(), lg.dense(10))
    learner = lg.supervised(model, lg.cross_entropy, lg.adam(3e-3), metrics=["accuracy"])
    return learner.fit(train, epochs=epochs, batch_size=32, seed=seed, progress=not quick)


dreamer = classifier(0, lg.augment.shift(1), lg.augment.noise(0.3), lg.conv2d(16, 3, activation="relu"), lg.max_pool2d(2))
judge = classifier(1, lg.augment.noise(0.1), lg.flatten(), lg.dense(64, activation="relu"))
print(f"the judge is right about {judge.evaluate(test)['accuracy']:.1%} of unseen digits")
mean, found = train.x.mean(0), []
for digit in digits:
    dream = lg.dream(dreamer, mean, digit, steps=steps, rate=0.02)
    assert (np.diff(dream.history) > 0).all(), "the logit of the target falls"
    found.append(np.clip(dream.x, 0, 1))
    sight = judge.predict(found[-1][None])[0].argmax()
    print(f"{digit}: logit {dream.history[0]:6.2f} to {dream.history[-1]:6.2f}, the judge sees a {sight}")
seen = judge.predict(np.stack(found)).argmax(1)
assert (seen == list(digits)).all(), f"the judge sees {seen}"

if not quick:
    from lensgrad.draw.pictures import images

    images("dream_digit.png", np.stack([mean, *found]), columns=11, titles=["start", *map(str, digits)])
