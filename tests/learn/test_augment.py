"""Augmentations: what they do to an example, one draw for each example, a new one each step, nothing when predicting."""

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.learn import augment
from lensgrad.learn.batching import batch
from lensgrad.learn.predict import predict
from lensgrad.program.compile import program
from lensgrad.program.values import key

N, H, W = 64, 5, 6
IMAGES = np.random.default_rng(0).random((N, H, W, 2), np.float32) + 1

LAYERS = {
    "flip": augment.flip(),
    "noise": augment.noise(0.1),
    "shift": augment.shift(2),
    "crop": augment.crop(4, 5, padding=1),
    "cutout": augment.cutout(3),
}


def ran(layer, images=IMAGES, seed=3):
    f = program(batch(lg.input(*images.shape[1:]) >> layer, len(images)))
    return f({"key": key(seed), "input": images})


@pytest.mark.parametrize("kind", LAYERS)
def test_the_step_writes_another_key_back_and_the_same_key_repeats(kind):
    first, again, other = ran(LAYERS[kind]), ran(LAYERS[kind]), ran(LAYERS[kind], seed=4)
    assert np.array_equal(first["output"], again["output"]) and np.array_equal(first["key"], again["key"])
    assert not np.array_equal(first["key"], key(3))
    assert not np.array_equal(first["output"], other["output"])


@pytest.mark.parametrize("kind", LAYERS)
def test_examples_of_a_batch_draw_apart(kind):
    same = np.repeat(IMAGES[:1], N, 0)
    assert len({row.tobytes() for row in ran(LAYERS[kind], same)["output"]}) > 1


@pytest.mark.parametrize("kind", [k for k in LAYERS if k != "crop"])
def test_predicting_is_the_identity_without_a_key(kind):
    f = predict(lg.input(H, W, 2) >> LAYERS[kind])
    assert f.params == () and f.observables == ()
    assert np.array_equal(program(f)({"input": IMAGES[0]})["output"], IMAGES[0])


def test_predicting_a_crop_takes_the_middle():
    f = predict(lg.input(H, W, 2) >> augment.crop(3, 4))
    assert np.array_equal(program(f)({"input": IMAGES[0]})["output"], IMAGES[0][1:4, 1:5])
    wide = predict(lg.input(H, W, 2) >> augment.crop(7, 6, padding=1))
    assert np.array_equal(program(wide)({"input": IMAGES[0]})["output"], np.pad(IMAGES[0], [(1, 1), (0, 0), (0, 0)]))


@pytest.mark.parametrize("axis", [0, 1])
def test_a_flip_is_the_image_or_its_mirror(axis):
    found = ran(augment.flip(axis))["output"]
    turned = [np.array_equal(f, np.flip(x, axis)) for f, x in zip(found, IMAGES, strict=True)]
    kept = [np.array_equal(f, x) for f, x in zip(found, IMAGES, strict=True)]
    assert all(a != b for a, b in zip(turned, kept, strict=True))
    assert 16 < sum(turned) < 48


def places(image, height, width, padding):
    """Every window of a padded image, by its corner."""
    wide = np.pad(image, [(padding, padding), (padding, padding), (0, 0)])
    tops, lefts = wide.shape[0] - height + 1, wide.shape[1] - width + 1
    return {(i, j): wide[i : i + height, j : j + width] for i in range(tops) for j in range(lefts)}


@pytest.mark.parametrize(("layer", "window"), [(augment.shift(1), (H, W, 1)), (augment.crop(4, 5), (4, 5, 0)), (LAYERS["crop"], (4, 5, 1))])
def test_a_shift_and_a_crop_are_windows_and_all_of_them_occur(layer, window):
    seen = set()
    for found, image in zip(ran(layer)["output"], IMAGES, strict=True):
        matching = [corner for corner, view in places(image, *window).items() if np.array_equal(view, found)]
        assert len(matching) == 1
        seen.update(matching)
    assert len(seen) >= 0.8 * len(places(IMAGES[0], *window))


@pytest.mark.parametrize("size", [2, 3])
def test_a_cutout_is_a_square_of_zeros_cut_off_at_the_edges(size):
    whole = 0
    for found, image in zip(ran(augment.cutout(size))["output"], IMAGES, strict=True):
        gone = found[..., 0] == 0
        rows, columns = np.flatnonzero(gone.any(1)), np.flatnonzero(gone.any(0))
        assert np.array_equal(gone, np.outer(gone.any(1), gone.any(0)))
        assert np.array_equal(np.where(gone[..., None], 0, image), found)
        for span, n in ((rows, H), (columns, W)):
            assert (np.diff(span) == 1).all()
            assert 1 <= len(span) <= size and (len(span) == size or span[0] == 0 or span[-1] == n - 1)
        whole += len(rows) == len(columns) == size
    assert whole > N / 4


def test_noise_has_its_mean_and_deviation():
    noise = ran(augment.noise(0.5))["output"] - IMAGES
    assert abs(noise.mean()) < 0.05 and abs(noise.std() - 0.5) < 0.02
    assert np.array_equal(ran(augment.noise(0.0))["output"], IMAGES)


def test_augmentations_train_in_a_model():
    model = lg.sequential(lg.input(8, 8, 1), augment.noise(0.1, name="noise"), augment.cutout(1), lg.flatten(), lg.dense(10))
    learner = lg.supervised(model, lg.cross_entropy, lg.momentum(0.9), rate=0.1, metrics=["accuracy"])
    train, test = lg.data.digits()
    run = learner.fit(train, epochs=3, batch_size=32, progress=False)
    assert run.evaluate(test)["accuracy"] > 0.9
    assert not np.array_equal(run.values["noise/key"], learner.initial(0)["noise/key"])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: lg.input(4, 4, 1) >> augment.flip(3), "flip along axis 3 does not fit f32[4,4,1]: axes are whole numbers from 0 to 2"),
        (lambda: augment.noise(-1.0), "the standard deviation of noise must be a number ≥ 0, got -1.0"),
        (lambda: augment.shift(0), "shift: pixels must be a whole number ≥ 1, got 0"),
        (lambda: augment.cutout(1.5), "cutout: size must be a whole number ≥ 1, got 1.5"),
        (lambda: augment.crop(0, 2), "crop: height must be a whole number ≥ 1, got 0"),
        (lambda: augment.crop(2, 2, -1, name="c"), "c: padding must be a whole number ≥ 0, got -1"),
    ],
)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(BadValue) as error:
        make()
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("layer", "ob", "message"),
    [
        (augment.crop(5, 4), lg.Real(4, 4, 1), "crop(5, 4, padding=0) is larger than its image f32[4,4,1]: add padding"),
        (augment.shift(1), lg.Real(4, 4), "shift expects an array of axes (height, width, channels), got f32[4,4]"),
        (augment.noise(0.1), lg.Int(4), "noise expects one array of floats, got i32[4]"),
    ],
)
def test_examples_of_another_kind_are_refused(layer, ob, message):
    with pytest.raises(TypeMismatch) as error:
        lg.input(*ob[0].shape, dtype=ob[0].dtype) >> layer
    assert str(error.value) == message
