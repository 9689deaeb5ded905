"""Mutants that are no mistakes: each has the same values as the rule it was made from, for the reason given."""

from __future__ import annotations

SYMMETRIC = "the operation does not care for the order of its arguments"
GENERAL = "the shortcut is not taken, and the general rule gives the same values"
SOONER = "the cotangent is stacked and summed after the loop instead of in a carry"
UNFOLDED = "the image of a circuit is taken apart, and means the same"
LATER = "the cotangent is summed in a carry instead of being contracted after the loop"

EQUIVALENT: dict[str, str] = {
    "bridges.Image.batch: a.rows is None → a.rows is not None": UNFOLDED,
    "bridges.Image.batch: True → False": UNFOLDED,
    "bridges.Image.reverse_through: True → False": UNFOLDED,
    "conv.Convolve._to_channels: return merged(rotated(v, 0, v.atom.rank - 2), v.atom.rank - 2) → "
    "return -merged(rotated(v, 0, v.atom.rank - 2), v.atom.rank - 2)": "both arguments change sign, and the form is linear in each",
    "index.ScatterAdd.batch: True → False": GENERAL,
    "index.ScatterAdd.batch: 0 → -1": GENERAL,
    "index.Take.batch: True → False": GENERAL,
    "index.Take.batch: 0 → -1": GENERAL,
    "index.Take.batch: (False, True) → (True, False)": GENERAL,
    "index.Take.batch: True → False (2)": GENERAL,
    "index.Take.batch: 0 → -1 (5)": GENERAL,
    "pointwise.Clamp.reverse: And()(Compare('>=')(x, full(self.low, x.atom)), Compare('<=')(x, full(self.high, x.atom))) → "
    "And()(Compare('<=')(x, full(self.high, x.atom)), Compare('>=')(x, full(self.low, x.atom)))": SYMMETRIC,
    "pointwise.IntegerPower.reverse: 1 → 0": "x to the power 0, times 1, is 1",
    "pointwise.share_of: Compare('==')(winner, loser) → Compare('==')(loser, winner)": SYMMETRIC,
    "reduce.AMax.reverse: Compare('==')(x, back(self(x), x, self.axes)) → Compare('==')(back(self(x), x, self.axes), x)": SYMMETRIC,
    "scan.ReverseStep.body: zip(dc0, flatten([dstack]), strict=True) → zip(flatten([dstack]), dc0, strict=True)": SYMMETRIC,
    "scan.ReverseStep.body: zip(flatten([acc]), added, strict=True) → zip(added, flatten([acc]), strict=True)": SYMMETRIC,
    "scan.ReverseStep.__init__: len(m.args) > 1 → len(m.args) <= 1": LATER,
    "scan.ReverseStep.__init__: 1 → 2": LATER,
    "scan.ReverseStep.__init__: 1 → 0": SOONER,
    "scan.ReverseStep.__init__: m is not None and isinstance(m.op, Einsum) and (len(m.args) > 1) → "
    "m is not None and isinstance(m.op, Einsum)": SOONER,
}
