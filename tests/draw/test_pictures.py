"""Pictures as files: grids of images, and what is said where matplotlib is missing."""

import builtins
import sys

import numpy as np
import pytest
from refusals import told

from lensgrad.core.errors import MissingExtra, TypeMismatch
from lensgrad.draw.pictures import figure, images

SENTENCE = "a picture needs the package matplotlib: pip install 'lensgrad[plot]'"


def test_images_stand_in_reading_order_with_ink_on_paper(tmp_path):
    matplotlib = pytest.importorskip("matplotlib.image")
    images(tmp_path / "a.png", np.stack([np.ones((4, 4)), np.zeros((4, 4))]), columns=2, size=1.0)
    found = matplotlib.imread(tmp_path / "a.png")[..., :3].mean(2)
    assert found.shape == (100, 200)
    assert found[50, 50] < 0.01 and found[50, 150] > 0.99


def test_images_have_colors_titles_and_an_end(tmp_path):
    matplotlib = pytest.importorskip("matplotlib.image")
    red = np.broadcast_to([2.0, -1.0, 0.0], (3, 5, 5, 3))
    images(tmp_path / "a.png", red, columns=2, titles=["one", "two", "three"], title="colors", size=1.0)
    found = matplotlib.imread(tmp_path / "a.png")[..., :3]
    shown = (np.abs(found - [1, 0, 0]).max(2) < 0.01).sum((0, 1))
    assert shown > 3000  # three of four places


def test_what_is_no_image_is_refused(tmp_path):
    assert told(TypeMismatch, lambda: images(tmp_path / "a.png", np.zeros((2, 4, 4, 2)))) == (
        "images must be [n, height, width] or [n, height, width, 1 or 3], at least one, got shape (2, 4, 4, 2)"
    )


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    plain = builtins.__import__

    def refuse(name, *args, **more):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return plain(name, *args, **more)

    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setattr(builtins, "__import__", refuse)
    assert told(MissingExtra, figure) == SENTENCE
