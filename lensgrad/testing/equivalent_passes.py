"""Wrong versions of passes that are no mistakes: each computes the same as what it was made from, for the reason given."""

from __future__ import annotations

NEVER = "what is compared is never between both numbers, or any number but 0 will do"
EMPTY = "a turn more, in which there is nothing to do"
AGAIN = "what is done already is done again, with the same result"
BEYOND = "whole tiles and the rest of one give the same rows, and nobody reads rows behind the last"
REST = "a whole tile is computed as a rest, which takes longer"
THREADS = "it is divided over threads, or not, with the same result"
WIDTH = "it is asked at each panel whether that has all its columns, which are then stored the same way"
LENGTH = "stretches of sums, or of panels, have another length"
ONE = "there are so few rows that the first tile has all of them"
ROOM = "more room than is needed"
SUMS = "the same sums, written in another way"
INFINITE = "e to the power of minus infinity is 0, whatever is taken from it"
SLOWER = "zeros are not found, or not made use of: all is computed, with the same result"

EQUIVALENT: dict[str, str] = {
    "square_sums.Summing.met: l, sums + {place}, t0 > 0' → l, sums + {place}, t0 > 1'": NEVER,
    "square_sums.Summing.met: 'for (int r = 0; r < rows; r +=  → 'for (int r = 0; r <= rows; r +=": EMPTY,
    "square_sums.Summing.met: f'if (rows - r >= HIGH)  → f'if (rows + r >= HIGH)": BEYOND,
    "square_sums.Summing.met: f'if (rows - r >= HIGH) whole → f'if (rows - r > HIGH) whole": REST,
    "square_sums.Summing.units: 'for (int u = from; u < end; u++) { → 'for (int u = from; u <= end; u++) {": AGAIN,
    "square_sums.Summing.units: f'for (int t0 = 0; t0 < {self.grid. → f'for (int t0 = 0; t0 <= {self.grid.": EMPTY,
    "square_sums.Summing.write: .size * self.grid.count >= PARALLEL → .size * self.grid.count < PARALLEL": THREADS,
    "squares.Squaring.given: .loops(self.index, self.grid.examples * high * wide, self.columns) → "
    ".loops(self.index, self.columns, self.grid.examples * high * wide)": WIDTH,
    "blocks.Blocks.arrays: -depth.size // DEEP[self.v → -depth.size * DEEP[self.v": LENGTH,
    "blocks.Blocks.arrays: -depth.size // stretches → -depth.size * stretches": LENGTH,
    "blocks.Blocks.met: 'for (int m0 = r0; m0 < r1; m0 += H → 'for (int m0 = r0; m0 <= r1; m0 += H": EMPTY,
    "blocks.Blocks.panels: s.size} + WIDE_{self.t} - 1) / WIDE_{ → s.size} + WIDE_{self.t} + 1) / WIDE_{": EMPTY,
    "blocks.Blocks.panels: not self.apart → self.apart": AGAIN,
    "blocks.Blocks.panels: or (int p0 = {low}; p0 < {high}; p0  → or (int p0 = {low}; p0 <= {high}; p0": AGAIN,
    "blocks.Blocks.panels: f'for (int r0 = 0; r0 < {rows.size} → f'for (int r0 = 0; r0 <= {rows.size}": EMPTY,
    "blocks.Blocks.stretch: f'for (int k0 = 0; k0 < {depth.size → f'for (int k0 = 0; k0 <= {depth.size": EMPTY,
    "blocks.Blocks.stretch: 'if (rows == HIGH)' → 'if (rows != HIGH)'": BEYOND,
    "blocks.Blocks.stretch: 'more = 1;' → 'more = 2;'": NEVER,
    "blocks.Ready.arrays: -depth.size // -(-depth.si → -depth.size * -(-depth.si": LENGTH,
    "blocks.Ready.arrays: -depth.size // HALF → -depth.size * HALF": LENGTH,
    "blocks.Ready.stretch: 'if (rows == HIGH)' → 'if (rows != HIGH)'": BEYOND,
    "blocks.Ready.stretch: f'for (int k0 = 0; k0 < {depth.size → f'for (int k0 = 0; k0 <= {depth.size": EMPTY,
    "blocks.Ready.stretch: 'more = 1;' → 'more = 2;'": NEVER,
    "dots.Dotted.tile: .place('left', places)} + (int64_t)m0 → .place('left', places)} - (int64_t)m0": ONE,
    "panels.Packing.write: lf.depth * self.columns >= PARALLEL → lf.depth * self.columns < PARALLEL": THREADS,
    "panels.Packing.write: self.depth * self.column → self.depth / self.column": THREADS,
    "panels.divided: (f'first({count}, id, of)', f'first({count}, id + 1, of)') if over else ('0', count) → "
    "('0', count) if over else (f'first({count}, id, of)', f'first({count}, id + 1, of)')": AGAIN,
    "panels.room: -columns // WIDEST → -columns * WIDEST": ROOM,
    "toom.Sums.term: 1 → 2": SUMS,
    "toom.Sums.total:  row.items())).replace('+ -', '- ') →  row.items())).replace('- ', '+ -')": SUMS,
    "toom.common: found if often > 1 else None → None if often > 1 else found": SUMS,
    "toom.common: often > 1 → often <= 1": SUMS,
    "toom.common: 1 → 2 (2)": SUMS,
    "triangles.Cutting.panels: 2 → 3": SLOWER,
    "triangles.Cutting.panels: depth.left if self.across else rows.left → rows.left if self.across else depth.left": SLOWER,
    "triangles.Cutting.panels: '1' → '2'": NEVER,
    "softmax.Softmax.body: self.cod.size >= PARALLEL → self.cod.size < PARALLEL": THREADS,
    "softmax.Softmax.row: op = top == -INFINITY ? 0 : top < {mo → op = top == -INFINITY ? 1 : top < {mo": INFINITE,
    "softmax.Softmax.seen: nt far = ({around[-1]}) / {STEP} * {S → nt far = ({around[-1]}) * {STEP} * {S": SLOWER,
    "triangles.Cutting.across: self.rows[0].letters == self.cut.a → self.rows[0].letters != self.cut.a": SLOWER,
    "triangles.Cutting.packed: Cut(self.cut.axes, 2) → Cut(2, self.cut.axes)": SLOWER,
    "triangles.Cutting.packed: 2 → 3": SLOWER,
    "triangles.Cutting.tile: 'if (cut && n0 >= m0 + rows)' → 'if (cut && n0 > m0 + rows)'": SLOWER,
    "triangles.Cutting.tile: 'memset(tile, 0, HIGH * siz → 'memset(tile, 1, HIGH * siz": SLOWER,
    "triangles.Cutting.tile: 'memset(tile, 0, HIGH * sizeof *til → 'memset(tile, 0, HIGH + sizeof *til": SLOWER,
    "triangles.Cutting.tile:  0, HIGH * sizeof *tile * WIDE_' →  0, HIGH * sizeof *tile + WIDE_'": SLOWER,
    "triangles.Cutting.tile: 'if (rows == HIGH)' → 'if (rows != HIGH)'": BEYOND,
    "squares.Squaring.met: 'for (int r = 0; r < squares; r  → 'for (int r = 0; r <= squares; r": EMPTY,
    "squares.Squaring.met: f'if (squares - r >= HIGH)  → f'if (squares + r >= HIGH)": BEYOND,
    "squares.Squaring.met: f'if (squares - r >= HIGH) whole → f'if (squares - r > HIGH) whole": REST,
    "blocks.Blocks.columns_met: ACROSS // BYTES[self. → ACROSS * BYTES[self.": LENGTH,
    "blocks.Blocks.panels: f'const int p1 = p0 + {some} < {h → f'const int p1 = p0 - {some} < {h": AGAIN,
}
