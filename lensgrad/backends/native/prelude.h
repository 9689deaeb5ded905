/* Words, threads and orders that every program of this backend may use. */
#include <math.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-tree-reassoc") /* which forgets EXACT once a loop runs over vectors */
#endif
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
#define EXACT(x) __builtin_assoc_barrier(x) /* no sum is reordered across it */
#elif defined(__clang__)
#define EXACT(x) __arithmetic_fence(x)
#else
#define EXACT(x) (x)
#endif
#define INLINE static inline __attribute__((always_inline, unused))

#define larger(a, b) __extension__({ __typeof__(a) a_ = (a), b_ = (b); (a_ > b_ || a_ != a_) ? a_ : b_; })
#define smaller(a, b) __extension__({ __typeof__(a) a_ = (a), b_ = (b); (a_ < b_ || a_ != a_) ? a_ : b_; })

INLINE int first(int n, int id, int of) { return (int)((int64_t)n * id / of); }

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
   lets others have the core. gate[32] says that one will not come: then nobody waits any more, and what is computed is of no use. */

INLINE void wait(_Atomic int *gate, int *sense, int of) {
  if (of == 1) return;
  *sense ^= 1;
  if (atomic_fetch_add(gate, 1) == of - 1) {
    atomic_store(gate, 0);
    atomic_store(gate + 16, *sense);
    return;
  }
  for (int turns = 0; atomic_load_explicit(gate + 16, memory_order_acquire) != *sense; turns++) {
    if (turns > 4000) {
      if (atomic_load(gate + 32)) return;
      sched_yield();
    }
#if defined(__x86_64__)
    else __builtin_ia32_pause();
#elif defined(__aarch64__)
    else __asm__ volatile("yield");
#endif
  }
}
