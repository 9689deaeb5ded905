"""The gallery is what the code draws, and nothing that people choose from is missing."""

import lensgrad as lg
from lensgrad.core.diagram import Family
from tools import gallery
from tools.gallery_list import ACTIVATIONS, APART, LAYERS, LOSSES, OPTIMIZERS

APART_TOO = ("chain", "clip_norm", "clip_weights", "stiefel")  # what puts optimizers together, moves all weights at once, or matrices


def offered(*rooms):
    """The names of the door that come from some rooms."""
    return {n for n in lg.__all__ if getattr(getattr(lg, n), "__module__", "").startswith(rooms)}


def test_the_gallery_is_what_the_code_draws():
    assert [p.name for p in gallery.stale()] == [], "if this is meant: python -m tools.gallery"


def test_nothing_is_missing():
    families = {n for n in lg.__all__ if isinstance(getattr(lg, n), Family)} - {"echo", "flatten"}
    assert offered("lensgrad.learn.layers") | {"flatten"} == LAYERS.keys() - {"linear"} | {"linear", "elu", "leaky_relu", *APART}
    assert families | {"elu", "leaky_relu"} == ACTIVATIONS.keys()
    assert offered("lensgrad.learn.losses") - {"loss"} == LOSSES.keys()
    assert offered("lensgrad.learn.optimizers") - {*APART_TOO} | {"ascent", "descent"} == OPTIMIZERS.keys()


def test_a_long_reverse_is_cut_in_the_middle():
    assert gallery.cut("\n".join(map(str, range(200)))).splitlines()[-2:] == ["  … 141 more lines", "199"]
    assert gallery.cut("a\nb") == "a\nb"
