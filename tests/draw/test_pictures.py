"""Pictures as files: grids of images, and what is said where matplotlib is missing."""

import builtins
import sys

import numpy as np
import pytest
from refusals import told

from lensgrad.core.errors import BadValue, MissingExtra, TypeMismatch
from lensgrad.draw import plots
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


WRONG = {
    "": "a picture ends in .png, .svg, .pdf, or another ending that matplotlib knows, got ''",
    ".svg": "a picture ends in .png, .svg, .pdf, or another ending that matplotlib knows, got '.svg'",
    "a.doc": "a picture ends in .png, .svg, .pdf, or another ending that matplotlib knows, got 'a.doc'",
    "a\0.svg": "'a\\x00.svg' cannot be written: its name has characters that no file's name has",
    "folder.svg": "'folder.svg' cannot be written: it is a folder",
}


@pytest.mark.parametrize("path", WRONG, ids=ascii)
def test_where_no_picture_can_be_is_told(path, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.svg").mkdir()
    made, _ = figure()
    assert told(BadValue, lambda: plots.ended(made, path)) == WRONG[path]


def test_every_class_is_in_the_legend_and_long_names_are_cut():
    pytest.importorskip("matplotlib")
    _, axes = figure()
    line = (np.array([0.0, 1.0]), np.array([0.0, 1.0]), 0.5)
    plots.roc(axes[0, 0], {"_private": line, "a" * 40: line})
    plots.confusion(axes[0, 0], np.eye(2, dtype=int), ["_b", "c" * 40])
    assert [t.get_text() for t in axes[0, 0].get_legend().get_texts()] == [" _private 0.500", f"{'a' * 19}… 0.500"]
    assert [t.get_text() for t in axes[0, 0].get_yticklabels()] == ["_b", f"{'c' * 19}…"]


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    plain = builtins.__import__

    def refuse(name, *args, **more):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return plain(name, *args, **more)

    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setattr(builtins, "__import__", refuse)
    assert told(MissingExtra, figure) == SENTENCE
