"""Wrong versions of passes that are no mistakes: each computes the same as the right one, and does no more, for the reason given."""

from __future__ import annotations

NEVER = "what is compared is never between both numbers, or any number but 0 will do"
UNSEEN = "what is written there is read by nobody, or meets zeros alone, so that any finite number will do"
BEYOND = "whole tiles and the rest of one give the same rows, and nobody reads rows behind the last"
WIDTH = "it is asked at each panel whether that has all its columns, which are then stored the same way"
LENGTH = "stretches of sums, or of panels, have another length"
ONE = "there are so few rows that the first tile has all of them"
ROOM = "more room than is needed"
SMALL = "what is at the limit, or below 1, is small enough with either sign"
FOUR = "four bytes are copied as any other number of them, which takes a machine longer"
SUMS = "the same sums, written in another way"

EQUIVALENT: dict[str, str] = {
    "square_sums.Summing.met: l, sums + {place}, t0 > 0' → l, sums + {place}, t0 > 1'": NEVER,
    "squares.Squaring.given: .loops(self.index, self.grid.examples * high * wide, self.columns) → "
    ".loops(self.index, self.columns, self.grid.examples * high * wide)": WIDTH,
    "squares.Squaring.met: f'if (squares - r >= HIGH)  → f'if (squares + r >= HIGH)": BEYOND,
    "squares.squares: 1 → 2 (2)": ROOM,
    "squares.squares: 1 → 2 (3)": ROOM,
    "blocks.Blocks.arrays: -depth.size // stretches → -depth.size * stretches": LENGTH,
    "blocks.Blocks.columns_met: ACROSS // BYTES[self. → ACROSS * BYTES[self.": LENGTH,
    "blocks.Blocks.stretch: 'more = 1;' → 'more = 2;'": NEVER,
    "blocks.Ready.arrays: -depth.size // -(-depth.si → -depth.size * -(-depth.si": LENGTH,
    "blocks.Ready.stretch: 'more = 1;' → 'more = 2;'": NEVER,
    "dots.Dotted.tile: .place('left', places)} + (int64_t)m0 → .place('left', places)} - (int64_t)m0": ONE,
    "toom.Sums.total:  row.items())).replace('+ -', '- ') →  row.items())).replace('- ', '+ -')": SUMS,
    "triangles.Cutting.panels: '1' → '2'": NEVER,
    "triangles.Cutting.tile: 'memset(tile, 0, HIGH * siz → 'memset(tile, 1, HIGH * siz": UNSEEN,
    "MATRIX 4.0: vector_##t c[HIGH][2]; → vector_##t c[HIGH][3];": ROOM,
    "MATRIX 35.1: WIDE_##t) memset(panel, 0, depth * WI → WIDE_##t) memset(panel, 1, depth * WI": UNSEEN,
    "LOWER 9.5: c++) other |= !((a[c] < 0 ? -a[c] : a → c++) other |= !((a[c] < 1 ? -a[c] : a": SMALL,
    "LOWER 9.6: c] < 0 ? -a[c] : a[c]) < most); → c] < 0 ? -a[c] : a[c]) <= most);": SMALL,
    "data.h 10.1: if (each == 4) memcpy(to  → if (each == 5) memcpy(to": FOUR,
    "DOTS 2.0: vector_##t c[4][2]; → vector_##t c[5][2];": ROOM,
    "DOTS 2.1: vector_##t c[4][2]; → vector_##t c[4][3];": ROOM,
    "DOTS 10.0: c[n][0] += a0 * *( → c[n][1] += a0 * *(": SUMS,
}
