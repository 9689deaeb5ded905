"""Two networks play until one draws digits: a GAN on MNIST, and how many of the ten classes a classifier sees in what it draws.

`--seed N` plays another game; `--quick` plays a small one on 8×8 digits.
"""

import sys
from importlib.util import find_spec

import numpy as np

import lensgrad as lg

quick = "--quick" in sys.argv
seed = int(sys.argv[sys.argv.index("--seed") + 1]) if "--seed" in sys.argv else 0
how = {"backend": "jax" if find_spec("jax") and not quick else "numpy", "progress": not quick, "seed": seed}
leaky, half = lg.leaky_relu(0.2), {"kernel": 4, "stride": 2, "padding": 1}


def large():
    """ℝ⁶⁴ → ℝ^(28,28,1) and ℝ^(28,28,1) → ℝ, with two convolutions each (arXiv 1511.06434)."""
    generator = lg.sequential(
        lg.input(64), lg.dense(7 * 7 * 32, use_bias=False), lg.reshape(7, 7, 32), lg.batch_norm(), lg.relu,
        lg.conv_transpose(16, **half, use_bias=False), lg.batch_norm(), lg.relu, lg.conv_transpose(1, **half, activation="sigmoid"),
    )  # fmt: skip
    discriminator = lg.sequential(
        lg.input(28, 28, 1), lg.conv2d(16, **half, activation=leaky), lg.conv2d(32, **half, activation=leaky), lg.flatten(), lg.dense(1)
    )
    return generator, discriminator


def small():
    """ℝ¹⁶ → ℝ^(8,8,1), and ℝ^(8,8,1) → ℝ of dense layers."""
    first = lg.dense(4 * 4 * 16, use_bias=False)
    generator = lg.sequential(
        lg.input(16), first, lg.reshape(4, 4, 16), lg.batch_norm(), lg.relu, lg.conv_transpose(1, **half, activation="sigmoid")
    )
    dense = lg.dense(128, activation=leaky), lg.dense(64, activation=leaky), lg.dense(1)
    return generator, lg.sequential(lg.input(8, 8, 1), lg.flatten(), *dense)


def judge(train, test):
    """A classifier of its own, which never meets the game."""
    layers = lg.conv2d(8, 3, activation="relu"), lg.max_pool2d(2), lg.flatten(), lg.dense(64, activation="relu"), lg.dense(10)
    learner = lg.supervised(lg.sequential(lg.input(*train.x.shape[1:]), *layers), lg.cross_entropy, lg.adam(2e-3), metrics=["accuracy"])
    run = learner.fit(train, epochs=10 if quick else 2, batch_size=64, **how)
    print(f"the judge is right about {run.evaluate(test)['accuracy']:.1%} of unseen digits", flush=True)
    return run


train, test = lg.data.digits() if quick else lg.data.mnist()
generator, discriminator = small() if quick else large()
sight = judge(train, test)
learner = lg.gan(generator, discriminator, lg.adam(1e-3, beta1=0.5), lg.adam(4e-4, beta1=0.5), loss="non_saturating")
run = learner.fit({"x": train.x}, epochs=30 if quick else 4, batch_size=64, **how)

z = np.random.default_rng(7).standard_normal((1000, *generator.dom[0].shape)).astype(np.float32)
drawn = run.predict(z)
logits = sight.predict(drawn)
chances = np.exp(logits - logits.max(1, keepdims=True))
chances /= chances.sum(1, keepdims=True)
counts = np.bincount(logits.argmax(1), minlength=10)
sure = np.mean(chances.max(1) > 0.9)
print(f"seed {seed}: of 1000 drawn digits the judge sees {counts.tolist()}; it is surer than 90 % of {sure:.0%} of them")
assert (counts > 0).sum() == 10 and (quick or counts.min() >= 10), "the generator leaves out a digit"

if not quick:
    from lensgrad.draw.pictures import images

    images("gan_mnist.png", drawn[:100], title=f"drawn from noise (seed {seed})")
