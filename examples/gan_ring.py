"""Two networks play against each other until one makes points on a ring of eight bumps: a Wasserstein GAN is one learner."""

import sys

import numpy as np

import lensgrad as lg

quick = "--quick" in sys.argv
seeds, steps = ((0,), 1000) if quick else (range(5), 6000)
CENTERS = 2 * np.stack([np.cos(np.arange(8) * np.pi / 4), np.sin(np.arange(8) * np.pi / 4)], 1)
STD, BATCH = 0.1, 128


def ring(n, seed):
    """n points of eight Gaussians on a circle of radius 2."""
    random = np.random.default_rng(seed)
    return (CENTERS[random.integers(0, 8, n)] + STD * random.standard_normal((n, 2))).astype(np.float32)


def covered(points):
    """How many of the eight have at least 2 % of the points within three standard deviations."""
    near = np.linalg.norm(points[:, None] - CENTERS, axis=2) < 3 * STD
    return int((near.mean(0) > 0.02).sum()), near.any(1).mean()


def distance(points, others):
    """W1 of two clouds, averaged over the distances along 64 directions (each is that of two sorted rows)."""
    angles = np.arange(64) * np.pi / 64
    lines = np.stack([np.cos(angles), np.sin(angles)])
    return np.abs(np.sort(points @ lines, 0) - np.sort(others @ lines, 0)).mean()


def network(inputs, outputs):
    return lg.sequential(lg.dense(inputs, 64, activation="relu"), lg.dense(64, activation="relu"), lg.dense(outputs))


judge, forger = (lg.adam(lg.cosine(rate, 6000), beta1=0.5) for rate in (3e-3, 1e-3))
learner = lg.gan(network(2, 2), network(2, 1), forger, judge, gradient_penalty=1.0)
test, z, found, falls = ring(2000, 99), np.random.default_rng(7).standard_normal((2000, 2)).astype(np.float32), [], []
for seed in seeds:
    data, run = {"x": ring(BATCH * 100, seed)}, None
    told = [distance(lg.Run(learner, learner.initial(seed)).predict(z), test)]
    for part in range(steps // 500):
        how = {"batch_size": BATCH, "seed": seed, "progress": False}
        run = learner.fit(data, epochs=5, **how) if run is None else run.fit(data, epochs=5, progress=False)
        told.append(distance(run.predict(z), test))
        print(f"seed {seed} step {500 * (part + 1)}: W1 {told[-1]:.3f}, {covered(run.predict(z))[0]} of 8 bumps", flush=True)
    found.append(run.predict(z))
    falls.append(told)
modes = [covered(points)[0] for points in found]
print(f"bumps covered: {modes}; on a bump: {[round(float(covered(p)[1]), 2) for p in found]}")
print(f"W1 to the data: {[f'{t[0]:.2f} to {t[-1]:.3f}' for t in falls]}")
if not quick:
    quarters = [[round(float(np.mean(part)), 3) for part in np.array_split(t, 4)] for t in falls]
    print(f"its mean over each quarter of training: {quarters}")
    assert all((np.diff(row) < 0.005).all() for row in quarters), "the distance to the data does not keep falling"
assert min(modes) >= (4 if quick else 7) and all(t[-1] < t[0] / 4 for t in falls), "the generator leaves out bumps of the ring"

if not quick:
    from lensgrad.draw.pictures import figure

    made, (axes,) = figure(1, len(found) + 1)
    for axis, points, seed in zip(axes, found, seeds, strict=False):
        axis.scatter(*test.T, s=2, color="lightgray")
        axis.scatter(*points.T, s=2)
        axis.set(title=f"seed {seed}: {covered(points)[0]} of 8", xlim=(-3, 3), ylim=(-3, 3))
    for told in falls:
        axes[-1].plot(500 * np.arange(len(told)), told)
    axes[-1].set(title="W1 to the data", xlabel="steps", yscale="log")
    made.savefig("gan_ring.png", dpi=80)
