/* Words, threads and orders that every program of this backend may use. */
#include <math.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__clang__)
#define EXACT(x) __arithmetic_fence(x) /* no sum is reordered across it */
#else
/* No sum is reordered but those of loops over vectors. The barrier that this compiler has is forgotten when a loop is made one over
   vectors, and the entries before and behind the vectors would be rounded in another way than those in them. */
#pragma GCC optimize("no-tree-reassoc")
#define EXACT(x) (x)
#endif
#define INLINE static inline __attribute__((always_inline, unused))

#define larger(a, b) __extension__({ __typeof__(a) a_ = (a), b_ = (b); (a_ > b_ || a_ != a_) ? a_ : b_; })
#define smaller(a, b) __extension__({ __typeof__(a) a_ = (a), b_ = (b); (a_ < b_ || a_ != a_) ? a_ : b_; })

/* Where the part of a thread begins; and the same where only every 64th entry may be a beginning, so that an entry that one thread
   computes in a vector is in one for two threads too, and is rounded alike. */
INLINE int first(int n, int id, int of) { return (int)((int64_t)n * id / of); }
INLINE int stretch(int n, int id, int of) { return id == of ? n : first((n + 63) / 64, id, of) * 64; }

/* The numbers of n entries in the order that sorts them upwards, equal ones as they stand and NaN last: a heap, in which no two are equal. */
#define ORDER(kind, T)                                                                                                       \
  INLINE int after_##kind(const T *x, int32_t a, int32_t b) {                                                                \
    const T p = x[a], q = x[b];                                                                                              \
    return p > q || (p != p && q == q) || (!(p < q) && !(p == p && q != q) && a > b);                                        \
  }                                                                                                                          \
  static __attribute__((unused)) void order_##kind(const T *x, int32_t *order, int n) {                                      \
    for (int k = 0; k < n; k++) order[k] = k;                                                                                \
    int start = n / 2, end = n;                                                                                              \
    while (end > 1) {                                                                                                        \
      if (start > 0) start--;                                                                                                \
      else { const int32_t top = order[0]; order[0] = order[--end]; order[end] = top; }                                      \
      const int32_t sunk = order[start];                                                                                     \
      int at = start;                                                                                                        \
      for (int child; (child = 2 * at + 1) < end; at = child) {                                                              \
        child += child + 1 < end && after_##kind(x, order[child + 1], order[child]);                                         \
        if (!after_##kind(x, order[child], sunk)) break;                                                                     \
        order[at] = order[child];                                                                                            \
      }                                                                                                                      \
      order[at] = sunk;                                                                                                      \
    }                                                                                                                        \
  }
ORDER(f32, float)
ORDER(f64, double)
ORDER(i32, int32_t)
ORDER(u32, uint32_t)
ORDER(u8, uint8_t)
#define order_b8 order_u8

/* Threefry-2x32 with 20 rounds: a word, 0 or 1, of the two that a key and a counter give. */
INLINE uint32_t threefry(uint32_t k0, uint32_t k1, uint32_t x0, uint32_t x1, int word) {
  const uint32_t keys[3] = {k0, k1, k0 ^ k1 ^ 0x1BD11BDAu};
  const int turns[2][4] = {{13, 15, 26, 6}, {17, 29, 16, 24}};
  x0 += k0, x1 += k1;
  for (int block = 0; block < 5; block++) {
    for (int i = 0; i < 4; i++) {
      const int turn = turns[block % 2][i];
      x0 += x1;
      x1 = (x1 << turn) | (x1 >> (32 - turn));
      x1 ^= x0;
    }
    x0 += keys[(block + 1) % 3];
    x1 += keys[(block + 2) % 3] + (uint32_t)(block + 1);
  }
  return word ? x1 : x0;
}

/* All threads come here before any goes on: gate[0] counts those who came, gate[16] turns when all have. Whoever waits long
   lets others have the core. */

INLINE void wait(_Atomic int *gate, int *sense, int of) {
  if (of == 1) return;
  *sense ^= 1;
  if (atomic_fetch_add(gate, 1) == of - 1) {
    atomic_store(gate, 0);
    atomic_store(gate + 16, *sense);
    return;
  }
  for (int turns = 0; atomic_load_explicit(gate + 16, memory_order_acquire) != *sense; turns++) {
    if (turns > 4000) sched_yield();
#if defined(__x86_64__)
    else __builtin_ia32_pause();
#elif defined(__aarch64__)
    else __asm__ volatile("yield");
#endif
  }
}

/* A small square of a matrix turned: to[i][j] = from[j][i]. */
typedef float square_f32 __attribute__((vector_size(16), aligned(4), may_alias));
typedef double square_f64 __attribute__((vector_size(16), aligned(8), may_alias));
enum { SIDE_f32 = 4, SIDE_f64 = 2 };
#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define BESIDE __builtin_shufflevector
#endif
#endif
#ifdef BESIDE
INLINE void turn_f32(float *to, int64_t wide, const float *from, int64_t along) {
  const square_f32 a = *(const square_f32 *)from, b = *(const square_f32 *)(from + along);
  const square_f32 c = *(const square_f32 *)(from + 2 * along), d = *(const square_f32 *)(from + 3 * along);
  const square_f32 p = BESIDE(a, b, 0, 4, 1, 5), q = BESIDE(c, d, 0, 4, 1, 5), r = BESIDE(a, b, 2, 6, 3, 7), s = BESIDE(c, d, 2, 6, 3, 7);
  *(square_f32 *)to = BESIDE(p, q, 0, 1, 4, 5);
  *(square_f32 *)(to + wide) = BESIDE(p, q, 2, 3, 6, 7);
  *(square_f32 *)(to + 2 * wide) = BESIDE(r, s, 0, 1, 4, 5);
  *(square_f32 *)(to + 3 * wide) = BESIDE(r, s, 2, 3, 6, 7);
}
INLINE void turn_f64(double *to, int64_t wide, const double *from, int64_t along) {
  const square_f64 a = *(const square_f64 *)from, b = *(const square_f64 *)(from + along);
  *(square_f64 *)to = BESIDE(a, b, 0, 2);
  *(square_f64 *)(to + wide) = BESIDE(a, b, 1, 3);
}
#else
#define TURN(type, t)                                                                                                            \
  INLINE void turn_##t(type *to, int64_t wide, const type *from, int64_t along) {                                                \
    for (int i = 0; i < SIDE_##t; i++)                                                                                           \
      for (int j = 0; j < SIDE_##t; j++) to[i * wide + j] = from[j * along + i];                                                 \
  }
TURN(float, f32)
TURN(double, f64)
#endif

/* Products of matrices, a tile of HIGH rows and two vectors of columns at a time. `panel` has the columns of the right side, row
   by row; numbers of the left side are read one by one, at any distance. */
#if defined(__AVX512F__)
#define WIDTH 64
#define HIGH 12
#elif defined(__AVX__)
#define WIDTH 32
#define HIGH 6
#elif defined(__aarch64__)
#define WIDTH 16
#define HIGH 8
#else
#define WIDTH 16
#define HIGH 4
#endif
#if defined(__AVX__)
#define IN_REGISTER(x) __asm__("" : "+x"(x)) /* read once, not by each of the instructions that use it */
#else
#define IN_REGISTER(x)
#endif
#define MATRIX(type, t)                                                                                                          \
  typedef type vector_##t __attribute__((vector_size(WIDTH), aligned(sizeof(type)), may_alias));                                 \
  enum { LANES_##t = WIDTH / sizeof(type), WIDE_##t = 2 * LANES_##t };                                                           \
  INLINE void tile_##t(const int rows, const int64_t depth, const type *a, const int64_t down, const int64_t along,              \
                       const type *panel, type *out, const int more) {                                                          \
    vector_##t c[HIGH][2];                                                                                                       \
    _Pragma("GCC unroll 16") for (int r = 0; r < rows; r++) {                                                                    \
      c[r][0] = more ? *(const vector_##t *)(out + r * WIDE_##t) : (vector_##t){0};                                              \
      c[r][1] = more ? *(const vector_##t *)(out + r * WIDE_##t + LANES_##t) : (vector_##t){0};                                  \
    }                                                                                                                            \
    for (int64_t k = 0; k < depth; k++) {                                                                                        \
      vector_##t b0 = *(const vector_##t *)(panel + k * WIDE_##t), b1 = *(const vector_##t *)(panel + k * WIDE_##t + LANES_##t); \
      IN_REGISTER(b0);                                                                                                           \
      IN_REGISTER(b1);                                                                                                           \
      _Pragma("GCC unroll 16") for (int r = 0; r < rows; r++) {                                                                  \
        const type x = a[r * down + k * along];                                                                                  \
        c[r][0] += x * b0;                                                                                                       \
        c[r][1] += x * b1;                                                                                                       \
      }                                                                                                                          \
    }                                                                                                                            \
    _Pragma("GCC unroll 16") for (int r = 0; r < rows; r++) {                                                                    \
      *(vector_##t *)(out + r * WIDE_##t) = c[r][0];                                                                             \
      *(vector_##t *)(out + r * WIDE_##t + LANES_##t) = c[r][1];                                                                 \
    }                                                                                                                            \
  }                                                                                                                              \
  static void __attribute__((noinline, unused)) whole_##t(int64_t depth, const type *a, int64_t down, int64_t along,             \
                                                          const type *panel, type *out, int more) {                              \
    tile_##t(HIGH, depth, a, down, along, panel, out, more);                                                                     \
  }                                                                                                                              \
  static void __attribute__((noinline, unused)) rest_##t(int rows, int64_t depth, const type *a, int64_t down, int64_t along,    \
                                                         const type *panel, type *out, int more) {                               \
    for (; rows >= 4; rows -= 4, a += 4 * down, out += 4 * WIDE_##t) tile_##t(4, depth, a, down, along, panel, out, more);       \
    if (rows >= 2) tile_##t(2, depth, a, down, along, panel, out, more), rows -= 2, a += 2 * down, out += 2 * WIDE_##t;          \
    if (rows) tile_##t(1, depth, a, down, along, panel, out, more);                                                              \
  }                                                                                                                              \
  static void __attribute__((noinline, unused)) pack_##t(type *restrict panel, const type *restrict b, int64_t depth, int columns, int64_t down, int64_t along) { \
    if (columns < WIDE_##t) memset(panel, 0, depth * WIDE_##t * sizeof(type));                                                   \
    if (along == 1 && columns == WIDE_##t)                                                                                       \
      for (int64_t k = 0; k < depth; k++) memcpy(panel + k * WIDE_##t, b + k * down, WIDE_##t * sizeof(type));                   \
    else if (along == 1)                                                                                                         \
      for (int64_t k = 0; k < depth; k++)                                                                                        \
        for (int n = 0; n < columns; n++) panel[k * WIDE_##t + n] = b[k * down + n];                                             \
    else {                                                                                                                       \
      /* Small squares as vectors where a column lies side by side, then the rest, some rows of the panel at a time. */          \
      const int whole = down == 1 ? columns - columns % SIDE_##t : 0;                                                            \
      const int64_t turned = whole ? depth - depth % SIDE_##t : 0;                                                               \
      for (int64_t k = 0; k < turned; k += SIDE_##t)                                                                             \
        for (int n = 0; n < whole; n += SIDE_##t) turn_##t(panel + k * WIDE_##t + n, WIDE_##t, b + k + n * along, along);        \
      for (int64_t k0 = whole == columns ? turned : 0; k0 < depth; k0 += 16)                                                       \
        for (int n = 0; n < columns; n++)                                                                                        \
          for (int64_t k = n < whole && k0 < turned ? turned : k0; k < k0 + 16 && k < depth; k++)                                \
            panel[k * WIDE_##t + n] = b[k * down + n * along];                                                                   \
    }                                                                                                                            \
  }                                                                                                                             \
  /* A part of a matrix, whose rows lie `wide` apart then. */                                                                   \
  static void __attribute__((noinline, unused)) block_##t(type *restrict block, const type *restrict a, int deep, int rows, int64_t down, int wide) { \
    for (int k = 0; k < deep; k++, block += wide, a += down)                                                                    \
      for (int r = 0; r < rows; r++) block[r] = a[r];                                                                           \
  }
MATRIX(float, f32)
MATRIX(double, f64)

/* Products of a few rows with a matrix whose rows are summed: it is read once, from whichever cache it is in. */
#define DOTS(type, t)                                                                                                           \
  /* out[n] = sum of a[k] b[n][k], in two vectors each, whose lanes are added up at the end */                                  \
  INLINE void dot_##t(const int count, const int64_t depth, const type *a, const type *b, const int64_t apart, type *out) {     \
    vector_##t c[4][2];                                                                                                         \
    _Pragma("GCC unroll 4") for (int n = 0; n < count; n++) c[n][0] = c[n][1] = (vector_##t){0};                                \
    int64_t k = 0;                                                                                                              \
    for (; k + WIDE_##t <= depth; k += WIDE_##t) {                                                                              \
      vector_##t a0 = *(const vector_##t *)(a + k), a1 = *(const vector_##t *)(a + k + LANES_##t);                              \
      IN_REGISTER(a0);                                                                                                          \
      IN_REGISTER(a1);                                                                                                          \
      _Pragma("GCC unroll 4") for (int n = 0; n < count; n++) {                                                                 \
        c[n][0] += a0 * *(const vector_##t *)(b + n * apart + k);                                                               \
        c[n][1] += a1 * *(const vector_##t *)(b + n * apart + k + LANES_##t);                                                   \
      }                                                                                                                         \
    }                                                                                                                           \
    _Pragma("GCC unroll 4") for (int n = 0; n < count; n++) {                                                                   \
      const vector_##t lanes = c[n][0] + c[n][1];                                                                               \
      type sum = 0;                                                                                                             \
      _Pragma("GCC unroll 16") for (int l = 0; l < LANES_##t; l++) sum += lanes[l];                                             \
      for (int64_t j = k; j < depth; j++) sum += a[j] * b[n * apart + j];                                                       \
      out[n] = sum;                                                                                                             \
    }                                                                                                                           \
  }                                                                                                                             \
  /* Some columns of a few rows of results, four at a time: out[r][n] = sum of a[r][k] b[n][k] */                               \
  static void __attribute__((noinline, unused)) dots_##t(int rows, int columns, int64_t depth, const type *a, int64_t down,     \
                                                         const type *b, int64_t apart, type *out) {                             \
    int n = 0;                                                                                                                  \
    for (; n + 4 <= columns; n += 4)                                                                                            \
      for (int r = 0; r < rows; r++) dot_##t(4, depth, a + r * down, b + n * apart, apart, out + r * WIDE_##t + n);             \
    for (; n < columns; n++)                                                                                                    \
      for (int r = 0; r < rows; r++) dot_##t(1, depth, a + r * down, b + n * apart, apart, out + r * WIDE_##t + n);             \
  }
DOTS(float, f32)
DOTS(double, f64)

/* Whether a matrix has zeros alone behind its diagonal; and whether all its numbers are so small that products of two are finite. */
#define LOWER(type, t, most)                                                                                                    \
  static int __attribute__((noinline, unused)) lower_##t(const type *a, int n, int64_t down) {                                  \
    int other = 0;                                                                                                              \
    for (int r = 0; r < n; r++, a += down)                                                                                      \
      for (int c = r + 1; c < n; c++) other |= !(a[c] == 0);                                                                    \
    return !other;                                                                                                              \
  }                                                                                                                             \
  static int __attribute__((noinline, unused)) small_##t(const type *a, int rows, int columns, int64_t down) {                  \
    int other = 0;                                                                                                              \
    for (int r = 0; r < rows; r++, a += down)                                                                                   \
      for (int c = 0; c < columns; c++) other |= !((a[c] < 0 ? -a[c] : a[c]) < most);                                       \
    return !other;                                                                                                              \
  }
LOWER(float, f32, 0x1p52f)
LOWER(double, f64, 0x1p500)

/* Products with a matrix that is mostly zeros. It is kept row by row, in stretches of `block` columns: what is not zero in row r of stretch s
   begins at starts[s * rows + r], `places` are columns in the stretch. Where there is more than `most` of it, starts[0] is -1. */
#define SPARSE(type, t)                                                                                                         \
  static void __attribute__((noinline, unused)) thin_##t(const type *a, int rows, int depth, int64_t down, int64_t along, int block, \
                                                         int64_t most, int32_t *starts, int32_t *places, type *numbers) {       \
    const int by_rows = along <= down, outer = by_rows ? rows : depth, inner = by_rows ? depth : rows;                          \
    const int64_t far = by_rows ? down : along, near = by_rows ? along : down;                                                  \
    const int64_t count = (int64_t)rows * ((depth + block - 1) / block);                                                        \
    int64_t found = 0;                                                                                                          \
    memset(starts, 0, (count + 2) * sizeof *starts);                                                                            \
    for (int fill = 0; fill < 2; fill++) {                                                                                      \
      for (int o = 0; o < outer; o++)                                                                                           \
        for (int i0 = 0; i0 < inner; i0 += 16) {                                                                                \
          const type *x = a + o * far + i0 * near;                                                                              \
          const int some = inner - i0 < 16 ? inner - i0 : 16;                                                                   \
          int any = some < 16 || near != 1;                                                                                     \
          if (!any) for (int i = 0; i < 16; i++) any |= x[i] != 0;                                                              \
          for (int i = 0; any && i < some; i++) {                                                                               \
            if (x[i * near] == 0) continue;                                                                                     \
            const int row = by_rows ? o : i0 + i, column = by_rows ? i0 + i : o;                                                \
            int32_t *const at = starts + 1 + (int64_t)(column / block) * rows + row;                                            \
            if (fill) {                                                                                                         \
              places[*at] = column % block;                                                                                     \
              numbers[*at] = x[i * near];                                                                                       \
              ++*at;                                                                                                            \
            } else {                                                                                                            \
              if (++found > most) {                                                                                             \
                starts[0] = -1;                                                                                                 \
                return;                                                                                                         \
              }                                                                                                                 \
              at[1]++;                                                                                                          \
            }                                                                                                                   \
          }                                                                                                                     \
        }                                                                                                                       \
      for (int64_t b = 2; !fill && b < count + 2; b++) starts[b] += starts[b - 1];                                              \
    }                                                                                                                           \
  }                                                                                                                             \
  /* Whether all of an array is finite: then 0 times any of it is 0. */                                                         \
  static int __attribute__((noinline, unused)) finite_##t(const type *a, int rows, int64_t columns, int64_t down) {             \
    int strange = 0;                                                                                                            \
    for (int r = 0; r < rows; r++)                                                                                              \
      for (int64_t i = 0; i < columns; i++) strange |= a[r * down + i] - a[r * down + i] != 0;                                  \
    return !strange;                                                                                                            \
  }                                                                                                                             \
  /* Rows of results: out[r] = sum of numbers times rows of the right side, which are `down` apart. */                          \
  static void __attribute__((noinline, unused)) few_##t(int rows, const int32_t *starts, const int32_t *places, const type *numbers, \
                                                        const type *panel, int64_t down, type *out, int more) {                 \
    for (int r = 0; r < rows; r++, out += WIDE_##t) {                                                                           \
      vector_##t c[2][2] = {{{0}, {0}}, {{0}, {0}}};                                                                            \
      if (more) c[0][0] = *(const vector_##t *)out, c[0][1] = *(const vector_##t *)(out + LANES_##t);                           \
      int32_t e = starts[r];                                                                                                    \
      for (; e + 1 < starts[r + 1]; e += 2)                                                                                     \
        _Pragma("GCC unroll 2") for (int k = 0; k < 2; k++) {                                                                   \
          const type *row = panel + places[e + k] * down;                                                                       \
          c[k][0] += numbers[e + k] * *(const vector_##t *)row;                                                                 \
          c[k][1] += numbers[e + k] * *(const vector_##t *)(row + LANES_##t);                                                   \
        }                                                                                                                       \
      if (e < starts[r + 1]) {                                                                                                  \
        const type *row = panel + places[e] * down;                                                                             \
        c[0][0] += numbers[e] * *(const vector_##t *)row;                                                                       \
        c[0][1] += numbers[e] * *(const vector_##t *)(row + LANES_##t);                                                         \
      }                                                                                                                         \
      *(vector_##t *)out = c[0][0] + c[1][0];                                                                                   \
      *(vector_##t *)(out + LANES_##t) = c[0][1] + c[1][1];                                                                     \
    }                                                                                                                           \
  }
SPARSE(float, f32)
SPARSE(double, f64)

#if defined(__clang__)
#define MIXED(type, a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
typedef int32_t places_float __attribute__((vector_size(16)));
typedef int64_t places_double __attribute__((vector_size(32)));
#define MIXED(type, a, b, i, j, k, l) __builtin_shuffle(a, b, (places_##type){i, j, k, l}) /* numbers of two vectors of four */
#endif

/* Convolutions with few channels, each channel a plane of rows, one behind the other: numbers side by side are one vector. */
#define PLANES(type, t)                                                                                                          \
  typedef type quad_##t __attribute__((vector_size(4 * sizeof(type)), aligned(sizeof(type)), may_alias));                        \
  /* sums[s] = the sum of the lanes of sums[s], four of them at a time */                                                        \
  INLINE void totals_##t(const int count, const int lanes, type *sums) {                                                         \
    int s = 0;                                                                                                                   \
    for (; lanes % 4 == 0 && s + 4 <= count; s += 4) {                                                                           \
      quad_##t h[4];                                                                                                             \
      _Pragma("GCC unroll 4") for (int r = 0; r < 4; r++) {                                                                      \
        h[r] = *(const quad_##t *)(sums + (s + r) * lanes);                                                                      \
        for (int l = 4; l < lanes; l += 4) h[r] += *(const quad_##t *)(sums + (s + r) * lanes + l);                              \
      }                                                                                                                          \
      const quad_##t a = MIXED(type, h[0], h[1], 0, 4, 1, 5) + MIXED(type, h[0], h[1], 2, 6, 3, 7);                              \
      const quad_##t b = MIXED(type, h[2], h[3], 0, 4, 1, 5) + MIXED(type, h[2], h[3], 2, 6, 3, 7);                              \
      *(quad_##t *)(sums + s) = MIXED(type, a, b, 0, 1, 4, 5) + MIXED(type, a, b, 2, 3, 6, 7);                                   \
    }                                                                                                                            \
    for (; s < count; s++) {                                                                                                     \
      type total = 0;                                                                                                            \
      for (int l = 0; l < lanes; l++) total += sums[s * lanes + l];                                                              \
      sums[s] = total;                                                                                                           \
    }                                                                                                                            \
  }                                                                                                                              \
  /* `outs` stretches of results, some vectors of each: out[o][w] = sum of k[o][c][i][j] x[c][i][w + j] */                       \
  INLINE void strip_##t(const int channels, const int high, const int wide, const int outs, const int vectors, const type *x,    \
                        const int64_t plane, const int64_t row, const type *k, const int64_t kc, const int64_t ki,               \
                        const int64_t kj, const int64_t ko, type *out, const int64_t gap) {                                      \
    vector_##t c[12];                                                                                                            \
    _Pragma("GCC unroll 12") for (int s = 0; s < outs * vectors; s++) c[s] = (vector_##t){0};                                    \
    for (int n = 0; n < channels; n++)                                                                                           \
      for (int i = 0; i < high; i++)                                                                                             \
        _Pragma("GCC unroll 8") for (int j = 0; j < wide; j++) {                                                                 \
          const type *from = x + n * plane + i * row + j, *by = k + n * kc + i * ki + j * kj;                                    \
          vector_##t a[4];                                                                                                       \
          _Pragma("GCC unroll 4") for (int v = 0; v < vectors; v++) { a[v] = *(const vector_##t *)(from + v * LANES_##t); IN_REGISTER(a[v]); }\
          _Pragma("GCC unroll 5") for (int o = 0; o < outs; o++) {                                                               \
            vector_##t b = by[o * ko] - (vector_##t){0};                                                                         \
            IN_REGISTER(b);                                                                                                      \
            _Pragma("GCC unroll 4") for (int v = 0; v < vectors; v++) c[o * vectors + v] += b * a[v];                            \
          }                                                                                                                      \
        }                                                                                                                        \
    _Pragma("GCC unroll 5") for (int o = 0; o < outs; o++)                                                                       \
      _Pragma("GCC unroll 4") for (int v = 0; v < vectors; v++) *(vector_##t *)(out + o * gap + v * LANES_##t) = c[o * vectors + v];\
  }                                                                                                                              \
  /* sums[o][j] += x[w + j] y[o][w], lane by lane */                                                                             \
  INLINE void taps_##t(const int wide, const int outs, const int vectors, const type *x, const type *y, const int64_t plane,     \
                       type *sums, const int more) {                                                                             \
    vector_##t c[12];                                                                                                            \
    _Pragma("GCC unroll 12") for (int s = 0; s < wide * outs; s++) c[s] = more ? *(const vector_##t *)(sums + s * LANES_##t) : (vector_##t){0};          \
    for (int v = 0; v < vectors; v++) {                                                                                          \
      vector_##t d[12];                                                                                                          \
      _Pragma("GCC unroll 12") for (int o = 0; o < outs; o++) {                                                                  \
        d[o] = *(const vector_##t *)(y + o * plane + v * LANES_##t);                                                             \
        IN_REGISTER(d[o]);                                                                                                       \
      }                                                                                                                          \
      _Pragma("GCC unroll 12") for (int j = 0; j < wide; j++) {                                                                  \
        vector_##t a = *(const vector_##t *)(x + v * LANES_##t + j);                                                             \
        IN_REGISTER(a);                                                                                                          \
        _Pragma("GCC unroll 12") for (int o = 0; o < outs; o++) c[o * wide + j] += a * d[o];                                     \
      }                                                                                                                          \
    }                                                                                                                            \
    _Pragma("GCC unroll 12") for (int s = 0; s < wide * outs; s++) *(vector_##t *)(sums + s * LANES_##t) = c[s];                 \
  }
PLANES(float, f32)
PLANES(double, f64)

/* The same for EXAMPLES examples side by side, which are one vector at each pixel, or several. */
enum { EXAMPLES = 8 };
#define BATCHES(type, t)                                                                                                         \
  typedef type some_##t                                                                                                          \
    __attribute__((vector_size(WIDTH < EXAMPLES * sizeof(type) ? WIDTH : EXAMPLES * sizeof(type)), aligned(sizeof(type)), may_alias)); \
  enum { SOME_##t = sizeof(some_##t) / sizeof(type) };                                                                           \
  /* `across` pixels of `outs` rows of results: out[o][w] = sum of k[o][c][i][j] x[c][i][w + j] */                               \
  INLINE void batch_row_##t(const int channels, const int high, const int wide, const int outs, const int across, const type *x, \
                            const int64_t plane, const int64_t row, const type *k, const int64_t kc, const int64_t ki,           \
                            const int64_t kj, const int64_t ko, type *out, const int64_t gap) {                                  \
    for (int e = 0; e < EXAMPLES; e += SOME_##t) {                                                                               \
some_##t c[12];                                                                                                            \
      _Pragma("GCC unroll 12") for (int s = 0; s < outs * across; s++) c[s] = (some_##t){0};                                     \
      for (int n = 0; n < channels; n++)                                                                                         \
        for (int i = 0; i < high; i++)                                                                                           \
          _Pragma("GCC unroll 8") for (int j = 0; j < wide; j++) {                                                               \
            const type *from = x + n * plane + i * row + j * EXAMPLES + e, *by = k + n * kc + i * ki + j * kj;                   \
            some_##t a[4];                                                                                                       \
            _Pragma("GCC unroll 4") for (int u = 0; u < across; u++) { a[u] = *(const some_##t *)(from + u * EXAMPLES); IN_REGISTER(a[u]); }\
            _Pragma("GCC unroll 5") for (int o = 0; o < outs; o++) {                                                             \
              some_##t b = by[o * ko] - (some_##t){0};                                                                           \
              IN_REGISTER(b);                                                                                                    \
              _Pragma("GCC unroll 4") for (int u = 0; u < across; u++) c[o * across + u] += b * a[u];                            \
            }                                                                                                                    \
          }                                                                                                                      \
      _Pragma("GCC unroll 5") for (int o = 0; o < outs; o++)                                                                     \
        _Pragma("GCC unroll 4") for (int u = 0; u < across; u++)                                                                 \
          *(some_##t *)(out + o * gap + u * EXAMPLES + e) = c[o * across + u];                                                   \
    }                                                                                                                            \
  }                                                                                                                              \
  /* sums[o][j] += x[w + j] y[o][w] over rows of one plane, example by example */                                                \
  INLINE void batch_taps_##t(const int wide, const int outs, const int rows, const int across, const type *x, const int64_t row, \
                             const type *y, const int64_t plane, const int64_t line, type *sums) {                               \
    for (int e = 0; e < EXAMPLES; e += SOME_##t) {                                                                               \
      some_##t c[12];                                                                                                            \
      _Pragma("GCC unroll 12") for (int s = 0; s < wide * outs; s++) c[s] = *(const some_##t *)(sums + s * EXAMPLES + e);        \
      for (int i = 0; i < rows; i++)                                                                                             \
        for (int w = 0; w < across; w++) {                                                                                       \
          some_##t d[12];                                                                                                        \
          _Pragma("GCC unroll 12") for (int o = 0; o < outs; o++)                                                                \
            d[o] = *(const some_##t *)(y + o * plane + i * line + w * EXAMPLES + e);                                             \
          _Pragma("GCC unroll 12") for (int j = 0; j < wide; j++) {                                                              \
            some_##t a = *(const some_##t *)(x + i * row + (w + j) * EXAMPLES + e);                                              \
            IN_REGISTER(a);                                                                                                      \
            _Pragma("GCC unroll 12") for (int o = 0; o < outs; o++) c[o * wide + j] += a * d[o];                                 \
          }                                                                                                                      \
        }                                                                                                                        \
      _Pragma("GCC unroll 12") for (int s = 0; s < wide * outs; s++) *(some_##t *)(sums + s * EXAMPLES + e) = c[s];              \
    }                                                                                                                            \
  }
BATCHES(float, f32)
BATCHES(double, f64)

/* Convolutions with many channels: rows of pixels that lie anywhere, each a run of channels; padding is a run of zeros. */
#define PIXELS(type, t)                                                                                                          \
  /* out[r] = sum over taps and channels of a[tap][r][k] panel[tap][k] */                                                        \
  INLINE void meet_##t(const int rows, int taps, int64_t depth, const type *const *a, const type *panel, type *out) {            \
    vector_##t c[HIGH][2];                                                                                                       \
    _Pragma("GCC unroll 16") for (int r = 0; r < rows; r++) c[r][0] = c[r][1] = (vector_##t){0};                                 \
    for (int s = 0; s < taps; s++, a += HIGH) {                                                                                  \
      const type *p[HIGH];                                                                                                       \
      _Pragma("GCC unroll 16") for (int r = 0; r < rows; r++) p[r] = a[r];                                                       \
      for (int64_t k = 0; k < depth; k++, panel += WIDE_##t) {                                                                   \
        vector_##t b0 = *(const vector_##t *)panel, b1 = *(const vector_##t *)(panel + LANES_##t);                               \
        IN_REGISTER(b0);                                                                                                         \
        IN_REGISTER(b1);                                                                                                         \
        _Pragma("GCC unroll 16") for (int r = 0; r < rows; r++) {                                                                \
          const type x = p[r][k];                                                                                                \
          c[r][0] += x * b0;                                                                                                     \
          c[r][1] += x * b1;                                                                                                     \
        }                                                                                                                        \
      }                                                                                                                          \
    }                                                                                                                            \
    _Pragma("GCC unroll 16") for (int r = 0; r < rows; r++) {                                                                    \
      *(vector_##t *)(out + r * WIDE_##t) = c[r][0];                                                                             \
      *(vector_##t *)(out + r * WIDE_##t + LANES_##t) = c[r][1];                                                                 \
    }                                                                                                                            \
  }                                                                                                                              \
  static void __attribute__((noinline, unused)) meet_whole_##t(int taps, int64_t depth, const type *const *a,                    \
                                                               const type *panel, type *out) {                                   \
    meet_##t(HIGH, taps, depth, a, panel, out);                                                                                  \
  }                                                                                                                              \
  static void __attribute__((noinline, unused)) meet_rest_##t(int rows, int taps, int64_t depth, const type *const *a,           \
                                                              const type *panel, type *out) {                                    \
    for (; rows >= 2; rows -= 2, a += 2, out += 2 * WIDE_##t) meet_##t(2, taps, depth, a, panel, out);                           \
    if (rows) meet_##t(1, taps, depth, a, panel, out);                                                                           \
  }                                                                                                                              \
  /* Channels of each pixel, HIGH of them side by side, those of all pixels before the next ones: to[r / HIGH][k] = a[k][at + r ...] */\
  INLINE void beside_##t(int rows, int64_t depth, const type *const *a, int64_t at, type *to, int64_t gap) {                     \
    for (int64_t k = 0; k < depth; k++) {                                                                                        \
      type *place = to + k * HIGH;                                                                                               \
      int r = 0;                                                                                                                 \
      for (; r + HIGH <= rows; r += HIGH, place += gap) memcpy(place, a[k] + at + r, HIGH * sizeof(type));                       \
      for (int c = 0; r + c < rows; c++) place[c] = a[k][at + r + c];                                                            \
    }                                                                                                                            \
  }                                                                                                                              \
  /* A row of a panel, zeros behind its last column */                                                                           \
  INLINE void beside_row_##t(type *to, const type *from, int columns, int64_t along) {                                           \
    if (along == 1 && columns == WIDE_##t) memcpy(to, from, WIDE_##t * sizeof(type));                                            \
    else                                                                                                                         \
      for (int c = 0; c < WIDE_##t; c++) to[c] = c < columns ? from[c * along] : 0;                                              \
  }
PIXELS(float, f32)
PIXELS(double, f64)
