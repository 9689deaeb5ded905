/* Numbers, threads and words that every program of this backend may use. Functions of one number are free of branches, so
   that loops over them run on vectors. */
#include <math.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

INLINE float number_f32(int32_t bits) { float x; memcpy(&x, &bits, 4); return x; }
INLINE int32_t bits_f32(float x) { int32_t bits; memcpy(&bits, &x, 4); return bits; }

/* e^x = 2^k e^r with |r| <= ln 2 / 2 */
INLINE float exp_f32(float x) {
  float y = x > 89.0f ? 89.0f : x;
  y = y < -104.0f ? -104.0f : y;
  float z = y * 1.44269504f;
  int32_t k = (int32_t)(z + (z < 0.0f ? -0.5f : 0.5f));
  float n = (float)k;
  float r = EXACT(y - n * 0.693359375f);
  r = EXACT(r - n * -2.12194440e-4f);
  float p = 1.98756915e-4f;
  p = p * r + 1.39819995e-3f;
  p = p * r + 8.33345191e-3f;
  p = p * r + 4.16657960e-2f;
  p = p * r + 1.66666655e-1f;
  p = p * r + 0.5f;
  p = (p * r) * r + r + 1.0f;
  int32_t half = k >> 1;
  return p * number_f32((half + 127) << 23) * number_f32((k - half + 127) << 23);
}

INLINE float expm1_f32(float x) {
  float p = 1.0f / 5040;
  p = p * x + 1.0f / 720;
  p = p * x + 1.0f / 120;
  p = p * x + 1.0f / 24;
  p = p * x + 1.0f / 6;
  p = p * x + 0.5f;
  p = (p * x) * x + x;
  float e = exp_f32(x) - 1.0f;
  return x > -0.35f && x < 0.35f ? p : e;
}

INLINE float log_f32(float x) {
  float y = x < 1.17549435e-38f ? x * 8388608.0f : x;
  int32_t bits = bits_f32(y);
  int32_t k = ((bits >> 23) & 255) - 126;
  float m = number_f32((bits & 0x007fffff) | 0x3f000000); /* in [1/2, 1) */
  int32_t low = m < 0.707106781f;
  k = k - low - (x < 1.17549435e-38f ? 23 : 0);
  m = low ? m + m - 1.0f : m - 1.0f;
  float z = m * m, p = 7.0376836292e-2f, n = (float)k;
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  p = p * m * z;
  p = EXACT(p + n * -2.12194440e-4f);
  p = EXACT(p - 0.5f * z);
  p = EXACT(m + p);
  p = p + n * 0.693359375f;
  p = x == 0.0f ? -INFINITY : p;
  p = x == INFINITY ? x : p;
  return x < 0.0f || x != x ? NAN : p;
}

INLINE float log1p_f32(float x) { return log1pf(x); }
INLINE float tanh_f32(float x) {
  float a = x < 0.0f ? -x : x, z = x * x;
  float p = -5.70498872745e-3f;
  p = p * z + 2.06390887954e-2f;
  p = p * z - 5.37397155531e-2f;
  p = p * z + 1.33314422036e-1f;
  p = p * z - 3.33332819422e-1f;
  p = p * z * x + x;
  float e = 1.0f - 2.0f / (exp_f32(a + a) + 1.0f);
  e = x < 0.0f ? -e : e;
  return a < 0.625f ? p : e;
}
INLINE float logistic_f32(float x) {
  float e = exp_f32(x < 0.0f ? x : -x);
  return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}
INLINE float sin_f32(float x) { return sinf(x); }
INLINE float cos_f32(float x) { return cosf(x); }
INLINE float atan_f32(float x) { return atanf(x); }
INLINE float atan2_f32(float y, float x) { return atan2f(y, x); }
INLINE float asinh_f32(float x) { return asinhf(x); }
INLINE float round_f32(float x) { return __builtin_rintf(x); }
INLINE float erf_f32(float x) { return erff(x); }
INLINE float erfc_f32(float x) { return erfcf(x); }
INLINE float sqrt_f32(float x) { return __builtin_sqrtf(x); }
INLINE float abs_f32(float x) { return __builtin_fabsf(x); }
INLINE float sign_f32(float x) { return x != x ? x : (float)((x > 0.0f) - (x < 0.0f)); }
INLINE float floor_f32(float x) { return __builtin_floorf(x); }
INLINE float pow_f32(float x, float y) { return powf(x, y); }

INLINE double exp_f64(double x) { return exp(x); }
INLINE double expm1_f64(double x) { return expm1(x); }
INLINE double log_f64(double x) { return log(x); }
INLINE double log1p_f64(double x) { return log1p(x); }
INLINE double tanh_f64(double x) { return tanh(x); }
INLINE double logistic_f64(double x) { double e = exp(x < 0 ? x : -x); return x < 0 ? e / (1 + e) : 1 / (1 + e); }
INLINE double sin_f64(double x) { return sin(x); }
INLINE double cos_f64(double x) { return cos(x); }
INLINE double atan_f64(double x) { return atan(x); }
INLINE double atan2_f64(double y, double x) { return atan2(y, x); }
INLINE double asinh_f64(double x) { return asinh(x); }
INLINE double round_f64(double x) { return __builtin_rint(x); }
INLINE double erf_f64(double x) { return erf(x); }
INLINE double erfc_f64(double x) { return erfc(x); }
INLINE double sqrt_f64(double x) { return __builtin_sqrt(x); }
INLINE double abs_f64(double x) { return __builtin_fabs(x); }
INLINE double sign_f64(double x) { return x != x ? x : (double)((x > 0) - (x < 0)); }
INLINE double floor_f64(double x) { return __builtin_floor(x); }
INLINE double pow_f64(double x, double y) { return pow(x, y); }

INLINE int32_t abs_i32(int32_t x) { return x < 0 ? (int32_t)(0u - (uint32_t)x) : x; }
INLINE int32_t sign_i32(int32_t x) { return (x > 0) - (x < 0); }
INLINE uint32_t abs_u32(uint32_t x) { return x; }
INLINE uint32_t sign_u32(uint32_t x) { return x > 0; }
INLINE uint8_t abs_u8(uint8_t x) { return x; }
INLINE uint8_t sign_u8(uint8_t x) { return x > 0; }

INLINE int32_t to_int32(double x) { return x != x ? 0 : x <= -2147483648.0 ? (-2147483647 - 1) : x >= 2147483647.0 ? 2147483647 : (int32_t)x; }
INLINE uint32_t to_uint32(double x) { return !(x > 0) ? 0 : x >= 4294967295.0 ? 4294967295u : (uint32_t)x; }
INLINE uint8_t to_uint8(double x) { return !(x > 0) ? 0 : x >= 255.0 ? 255 : (uint8_t)x; }

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
#endif
  }
}
