"""Arrows as text."""

from toy import A, B, Halves, Join, Point, Step

from lensgrad.core.diagram import Diagram
from lensgrad.core.functor import unfold
from lensgrad.core.op import Table
from lensgrad.core.show import listing, signature
from lensgrad.core.trace import trace
from lensgrad.core.ty import I

LISTING = """\
a × a → b × a
  w2 = Step(size=0.5)(w1) : a    # outer/half
  w3, w4 = Halves(w2) : a × b    # outer
  w5 = Point(value=[1, 2])() : a
  w6 = Join(w0, w5) : a
  return w4, w6"""


def test_a_listing_shows_every_wire_type_and_origin():
    half = trace(lambda x: Step(0.5)(x), A).define("half")
    outer = trace(lambda x: Halves()(half(x))[1], A).define("outer")
    f = trace(lambda x, y: (outer(y), Join()(x, Point(Table([1, 2]))())), A, A)
    assert listing(unfold(f)) == LISTING == str(unfold(f))


def test_a_box_is_one_line():
    assert listing(Diagram.of(Step(), A).define("layer")) == "a → a\n  w1 = layer(w0) : a\n  return w1"


def test_wiring_has_no_lines_of_its_own():
    assert listing(Diagram.swap(A, B)) == "a × b → b × a\n  return w1, w0"
    assert listing(Diagram.discard(A)) == "a → I\n  return "
    assert repr(Diagram.swap(A, B)) == "<arrow a × b → b × a>"
    assert signature(I, A @ B) == "I → a × b"
