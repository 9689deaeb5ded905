/* Products of matrices: HIGH rows and WIDE_f32 columns of results at a time. */
#define HIGH 4

enum { LANES_f32 = 8, WIDE_f32 = 16 };
enum { EXAMPLES = 8 };

/* Some rows of results: out[r] = sum over k of a[r][k] panel[k], with what is there already where `more` says so. */
static void tile_f32(int rows, int64_t depth, const float *a, int64_t down, int64_t along, const float *panel, float *out, int more) {
  for (int r = 0; r < rows; r++) {
    float sums[WIDE_f32];
    for (int n = 0; n < WIDE_f32; n++) sums[n] = more ? out[r * WIDE_f32 + n] : 0;
    for (int64_t k = 0; k < depth; k++) {
      const float x = a[r * down + k * along];
      for (int n = 0; n < WIDE_f32; n++) sums[n] += x * panel[k * WIDE_f32 + n];
    }
    for (int n = 0; n < WIDE_f32; n++) out[r * WIDE_f32 + n] = sums[n];
  }
}
static void whole_f32(int64_t depth, const float *a, int64_t down, int64_t along, const float *panel, float *out, int more) {
  tile_f32(HIGH, depth, a, down, along, panel, out, more);
}
static void rest_f32(int rows, int64_t depth, const float *a, int64_t down, int64_t along, const float *panel, float *out, int more) {
  tile_f32(rows, depth, a, down, along, panel, out, more);
}

/* Columns of a matrix side by side, row by row, zeros behind the last one. */
static void pack_f32(float *panel, const float *b, int64_t depth, int columns, int64_t down, int64_t along) {
  for (int64_t k = 0; k < depth; k++)
    for (int n = 0; n < WIDE_f32; n++) panel[k * WIDE_f32 + n] = n < columns ? b[k * down + n * along] : 0;
}

/* A few rows of results: out[r][n] = sum over k of a[r][k] b[n][k]. */
static void dots_f32(int rows, int columns, int64_t depth, const float *a, int64_t down, const float *b, int64_t apart, float *out) {
  for (int r = 0; r < rows; r++)
    for (int n = 0; n < columns; n++) {
      float sum = 0;
      for (int64_t k = 0; k < depth; k++) sum += a[r * down + k] * b[n * apart + k];
      out[r * WIDE_f32 + n] = sum;
    }
}

/* A part of a matrix, whose rows lie `wide` apart then. */
static void block_f32(float *block, const float *a, int deep, int rows, int64_t down, int wide) {
  for (int k = 0; k < deep; k++)
    for (int r = 0; r < rows; r++) block[k * wide + r] = a[k * down + r];
}

/* Stretches of results of a convolution with few channels: out[o][w] = sum over c, i, j of k[o][c][i][j] x[c][i][w + j]. */
static void strip_f32(int channels, int high, int wide, int outs, int vectors, const float *x, int64_t plane, int64_t row,
                      const float *k, int64_t kc, int64_t ki, int64_t kj, int64_t ko, float *out, int64_t gap) {
  for (int o = 0; o < outs; o++)
    for (int v = 0; v < vectors * LANES_f32; v += LANES_f32) {
      float sums[LANES_f32] = {0};
      for (int n = 0; n < channels; n++)
        for (int i = 0; i < high; i++)
          for (int j = 0; j < wide; j++) {
            const float by = k[o * ko + n * kc + i * ki + j * kj];
            for (int w = 0; w < LANES_f32; w++) sums[w] += by * x[n * plane + i * row + j + v + w];
          }
      for (int w = 0; w < LANES_f32; w++) out[o * gap + v + w] = sums[w];
    }
}

/* Gradients of its kernel: sums[o][j] += sum over w of x[w + j] y[o][w], each lane apart, from 0 on unless `more`. */
static void taps_f32(int wide, int outs, int vectors, const float *x, const float *y, int64_t plane, float *sums, int more) {
  if (!more) memset(sums, 0, wide * outs * LANES_f32 * sizeof(float));
  for (int v = 0; v < vectors * LANES_f32; v += LANES_f32)
    for (int o = 0; o < outs; o++)
      for (int j = 0; j < wide; j++)
        for (int l = 0; l < LANES_f32; l++) sums[(o * wide + j) * LANES_f32 + l] += x[v + l + j] * y[o * plane + v + l];
}

/* The lanes of each sum added up, in place. */
static void totals_f32(int count, int lanes, float *sums) {
  for (int s = 0; s < count; s++) {
    float total = 0;
    for (int l = 0; l < lanes; l++) total += sums[s * lanes + l];
    sums[s] = total;
  }
}

/* The same two for EXAMPLES examples side by side. */
static void batch_row_f32(int channels, int high, int wide, int outs, int across, const float *x, int64_t plane, int64_t row,
                          const float *k, int64_t kc, int64_t ki, int64_t kj, int64_t ko, float *out, int64_t gap) {
  for (int o = 0; o < outs; o++)
    for (int u = 0; u < across; u++) {
      float sums[EXAMPLES] = {0};
      for (int n = 0; n < channels; n++)
        for (int i = 0; i < high; i++)
          for (int j = 0; j < wide; j++) {
            const float by = k[o * ko + n * kc + i * ki + j * kj];
            for (int e = 0; e < EXAMPLES; e++) sums[e] += by * x[n * plane + i * row + (u + j) * EXAMPLES + e];
          }
      for (int e = 0; e < EXAMPLES; e++) out[o * gap + u * EXAMPLES + e] = sums[e];
    }
}
static void batch_taps_f32(int wide, int outs, int rows, int across, const float *x, int64_t row, const float *y, int64_t plane,
                           int64_t line, float *sums) {
  for (int i = 0; i < rows; i++)
    for (int w = 0; w < across; w++)
      for (int o = 0; o < outs; o++)
        for (int j = 0; j < wide; j++)
          for (int e = 0; e < EXAMPLES; e++)
            sums[(o * wide + j) * EXAMPLES + e] += x[i * row + (w + j) * EXAMPLES + e] * y[o * plane + i * line + w * EXAMPLES + e];
}

/* Rows of results of a convolution with many channels: out[r] = sum over taps and channels k of a[tap][r][k] panel[tap][k]. */
static void meet_rest_f32(int rows, int taps, int64_t depth, const float *const *a, const float *panel, float *out) {
  for (int r = 0; r < rows; r++) {
    float sums[WIDE_f32] = {0};
    for (int s = 0; s < taps; s++)
      for (int64_t k = 0; k < depth; k++) {
        const float x = a[s * HIGH + r][k];
        for (int n = 0; n < WIDE_f32; n++) sums[n] += x * panel[(s * depth + k) * WIDE_f32 + n];
      }
    for (int n = 0; n < WIDE_f32; n++) out[r * WIDE_f32 + n] = sums[n];
  }
}
static void meet_whole_f32(int taps, int64_t depth, const float *const *a, const float *panel, float *out) {
  meet_rest_f32(HIGH, taps, depth, a, panel, out);
}

/* Channels of each pixel, HIGH of them side by side, those of all pixels before the next ones: to[r / HIGH][k] = a[k][at + r ...]. */
static void beside_f32(int rows, int64_t depth, const float *const *a, int64_t at, float *to, int64_t gap) {
  for (int64_t k = 0; k < depth; k++)
    for (int r = 0; r < rows; r++) to[r / HIGH * gap + k * HIGH + r % HIGH] = a[k][at + r];
}

/* A row of a panel, zeros behind its last column. */
static void beside_row_f32(float *to, const float *from, int columns, int64_t along) {
  for (int c = 0; c < WIDE_f32; c++) to[c] = c < columns ? from[c * along] : 0;
}

/* The numbers of n entries in the order that sorts them upwards, equal ones as they stand and NaN last: by a heap, in which no two are equal. */
static int after_f32(const float *x, int32_t a, int32_t b) {
  const float p = x[a], q = x[b];
  const int first = p <= p, second = q <= q;
  return p > q || (!first && second) || (!(p < q) && first == second && a > b);
}
static void order_f32(const float *x, int32_t *order, int n) {
  for (int k = 0; k < n; k++) order[k] = k;
  int start = n / 2, end = n;
  while (end > 1) {
    if (start > 0) start--;
    else {
      const int32_t top = order[0];
      order[0] = order[--end];
      order[end] = top;
    }
    const int32_t sunk = order[start];
    int at = start;
    for (int child = 2 * at + 1; child < end; child = 2 * at + 1) {
      child += child + 1 < end && after_f32(x, order[child + 1], order[child]);
      if (!after_f32(x, order[child], sunk)) break;
      order[at] = order[child];
      at = child;
    }
    order[at] = sunk;
  }
}
