/* Functions of numbers, free of branches, so that loops over them run on vectors. All are within 4 units in the last place for every
   number, and at the ends as in NumPy: tests/backends/native/test_native_numbers.py. */

INLINE float number_f32(int32_t bits) { float x; memcpy(&x, &bits, 4); return x; }
INLINE int32_t bits_f32(float x) { int32_t bits; memcpy(&bits, &x, 4); return bits; }
INLINE double number_f64(int64_t bits) { double x; memcpy(&x, &bits, 8); return x; }
INLINE int64_t bits_f64(double x) { int64_t bits; memcpy(&bits, &x, 8); return bits; }
INLINE double power_f64(int32_t k) { return number_f64((int64_t)(k + 1023) << 52); } /* 2^k */

/* The nearest whole number. No number is added and taken away again for it: compilers that may reorder sums leave both out, and what
   keeps them from it in a loop of single numbers is forgotten when the loop is made one over vectors. */
#if defined(__SSE4_1__) || defined(__aarch64__)
INLINE float near_f32(float x) { return __builtin_rintf(x); }
INLINE double near_f64(double x) { return __builtin_rint(x); }
#else
INLINE float near_f32(float x) { return (float)(int32_t)(x + (x < 0.0f ? -0.5f : 0.5f)); }
INLINE double near_f64(double x) { return (double)(int32_t)(x + (x < 0.0 ? -0.5 : 0.5)); }
#endif

INLINE float abs_f32(float x) { return __builtin_fabsf(x); }
INLINE float signed_f32(float x, float sign) { return number_f32((bits_f32(x) & 0x7fffffff) | (bits_f32(sign) & (-0x7fffffff - 1))); }
INLINE float sqrt_f32(float x) { return __builtin_sqrtf(x); }
INLINE float sign_f32(float x) { return x != x ? x : (float)((x > 0.0f) - (x < 0.0f)); }
INLINE float floor_f32(float x) { return __builtin_floorf(x); }
INLINE float round_f32(float x) { return __builtin_rintf(x); }

/* (e^r - 1 - r) / r^2 for |r| <= ln 2 / 2 */
INLINE float above_line_f32(float r) {
  const float z = r * r;
  const float low = 1.6666666e-1f * r + 0.5f, middle = 8.33339e-3f * r + 4.166636e-2f, high = 1.9845885e-4f * r + 1.3940721e-3f;
  return (high * z + middle) * z + low; /* by pairs, which wait less for each other */
}

/* e^(x + low) = 2^k e^r with |r| <= ln 2 / 2, for a low that is small */
INLINE float exp_sum_f32(float x, float low) {
  float y = x > 89.0f ? 89.0f : x;
  y = y < -104.0f ? -104.0f : y;
  const float n = near_f32(y * 1.44269504f);
  const int32_t k = (int32_t)n, half = k >> 1;
  float r = EXACT(y - n * 0.693359375f);
  r = EXACT(r + n * 2.12194440e-4f) + low;
  const float p = EXACT(above_line_f32(r) * r * r + r) + 1.0f;
  return EXACT(p * number_f32((half + 127) << 23)) * number_f32((k - half + 127) << 23);
}
INLINE float exp_f32(float x) { return exp_sum_f32(x, 0.0f); }

INLINE float expm1_f32(float x) {
  float y = x > 89.0f ? 89.0f : x;
  y = y < -18.0f ? -18.0f : y;
  const float n = near_f32(y * 1.44269504f);
  float r = EXACT(y - n * 0.693359375f);
  r = EXACT(r + n * 2.12194440e-4f);
  const float half = number_f32(((int32_t)n + 126) << 23); /* 2^k / 2, which is finite where 2^k may not be */
  const float less = EXACT(half - 0.5f), more = EXACT(above_line_f32(r) * r * r + r);
  return n == 0.0f ? more : EXACT(half * more + less) * 2.0f;
}

/* The bits of a number without those of sqrt 1/2 have the k in front for which 2^-k x is from there to sqrt 2; the rest is that one's. */
#define SPLIT_f32 0x3f3504f3u
#define SPLIT_f64 0x3fe6a09e667f3bcdu
INLINE float fraction_f32(uint32_t bits) { return number_f32((int32_t)((bits & 0x007fffffu) + SPLIT_f32)); }

/* ln (1 + f) + k ln 2, for 1 + f from sqrt 1/2 to sqrt 2 */
INLINE float log_sum_f32(float f, int32_t k) {
  const float z = f * f, n = (float)k;
  float p = 6.746601e-2f;
  p = p * f - 1.1675641e-1f;
  p = p * f + 1.1888175e-1f;
  p = p * f - 1.24055915e-1f;
  p = p * f + 1.4219551e-1f;
  p = p * f - 1.6667996e-1f;
  p = p * f + 2.0002119e-1f;
  p = p * f - 2.500001e-1f;
  p = p * f + 3.3333313e-1f;
  p = p * f * z;
  p = EXACT(p - n * 2.12194440e-4f);
  p = EXACT(p - 0.5f * z);
  p = EXACT(f + p);
  return p + n * 0.693359375f;
}
INLINE float log_f32(float x) {
  const int32_t small = x < 1.17549435e-38f;
  const uint32_t bits = (uint32_t)bits_f32(small ? x * 8388608.0f : x) - SPLIT_f32;
  const int32_t k = ((int32_t)bits >> 23) - (small ? 23 : 0);
  const float p = log_sum_f32(fraction_f32(bits) - 1.0f, k);
  const float end = x == 0.0f ? -INFINITY : x == INFINITY ? x : p;
  return x < 0.0f || x != x ? NAN : end;
}

/* 1 + f = 2^-k (1 + x) for the k of 1 + x rounded */
INLINE float log1p_f32(float x) {
  const float u = 1.0f + x;
  const uint32_t bits = (uint32_t)bits_f32(u) - SPLIT_f32;
  const int32_t k = (int32_t)bits >> 23, j = k > 60 ? 60 : k;
  const float scale = number_f32((127 - j) << 23), less = scale - 1.0f;
  const float f = k > 60 ? fraction_f32(bits) - 1.0f : less + scale * x;
  const float p = log_sum_f32(f, k);
  const float end = u == 0.0f ? -INFINITY : x == INFINITY ? x : p;
  return x < -1.0f || x != x ? NAN : end;
}

/* e / (e + 2) for e = e^2|x| - 1 = 2^k p + (2^k - 1), where p = e^r - 1: nothing is lost near 0, as k is 0 there */
INLINE float tanh_f32(float x) {
  const float a = abs_f32(x), y = a > 10.0f ? 20.0f : a + a, n = near_f32(y * 1.44269504f);
  float r = EXACT(y - n * 0.693359375f);
  r = EXACT(r + n * 2.12194440e-4f);
  const float p = EXACT(above_line_f32(r) * r * r + r), whole = number_f32(((int32_t)n + 127) << 23);
  const float less = EXACT(whole - 1.0f), e = EXACT(whole * p + less);
  return signed_f32(e / (e + 2.0f), x);
}
INLINE float logistic_f32(float x) {
  const float e = exp_f32(-abs_f32(x));
  return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}
INLINE float asinh_f32(float x) {
  const float a = abs_f32(x), z = a * a;
  const float w = a > 1e18f ? a : a + z / (1.0f + sqrt_f32(1.0f + z));
  return signed_f32(log1p_f32(w) + (a > 1e18f ? 0.693147181f : 0.0f), x);
}

/* atan t for 0 <= t <= 1 */
INLINE float angle_f32(float t) {
  const float z = t * t;
  float p = -1.793616e-3f;
  p = p * z + 1.0914581e-2f;
  p = p * z - 3.1177804e-2f;
  p = p * z + 5.7957556e-2f;
  p = p * z - 8.403448e-2f;
  p = p * z + 1.0952185e-1f;
  p = p * z - 1.4264241e-1f;
  p = p * z + 1.9998549e-1f;
  p = p * z - 3.33333e-1f;
  return p * z * t + t;
}
INLINE float atan_f32(float x) {
  const float a = abs_f32(x), p = angle_f32(a > 1.0f ? 1.0f / a : a);
  return signed_f32(a > 1.0f ? 1.57079637f - p : p, x);
}
INLINE float atan2_f32(float y, float x) {
  const float a = abs_f32(y), b = abs_f32(x), top = a > b ? a : b, low = a > b ? b : a;
  const float t = top == 0.0f ? 0.0f : low == INFINITY ? 1.0f : low / top;
  float p = angle_f32(t);
  p = a > b ? 1.57079637f - p : p;
  p = bits_f32(x) < 0 ? 3.14159274f - p : p;
  return x != x || y != y ? NAN : signed_f32(p, y);
}

/* erf x = x + x p(x^2) for |x| < 1, else 1 - e^-q(|x|) */
INLINE float erf_f32(float x) {
  const float a = abs_f32(x), z = x * x, b = a > 3.95f ? 3.95f : a;
  float p = -9.64168e-6f;
  p = p * z + 1.12570095e-4f;
  p = p * z - 8.482838e-4f;
  p = p * z + 5.220946e-3f;
  p = p * z - 2.68654e-2f;
  p = p * z + 1.1283782e-1f;
  p = p * z - 3.7612638e-1f;
  p = p * z + 1.2837917e-1f;
  p = p * x + x;
  float q = 2.1697726e-5f;
  q = q * b - 4.4147397e-4f;
  q = q * b + 4.205291e-3f;
  q = q * b - 2.5210358e-2f;
  q = q * b + 1.0842213e-1f;
  q = q * b + 6.332164e-1f;
  q = q * b + 1.1295804f;
  q = q * b - 1.8847054e-4f;
  return a < 1.0f ? p : signed_f32(1.0f - exp_f32(-q), x);
}

/* erfc a = e^(-a^2) p(u) / (a + 5/2) with u = (a - 5/2) / (a + 5/2), the square in two parts; 1 - erf x below 0.85 */
INLINE float erfc_f32(float x) {
  const float a = abs_f32(x), z = x * x;
  float near = -6.315255e-4f;
  near = near * z + 5.0511197e-3f;
  near = near * z - 2.6802566e-2f;
  near = near * z + 1.1282718e-1f;
  near = near * z - 3.7612572e-1f;
  near = near * z + 1.2837917e-1f;
  near = (float)(1.0 - (double)x * (1.0 + (double)near)); /* 64 bits, as the difference has fewer */
  const float b = a > 11.0f ? 11.0f : a, u = (b - 2.5f) / (b + 2.5f);
  float p = 5.6870384e-5f;
  p = p * u + 6.0091045e-4f;
  p = p * u - 4.439886e-4f;
  p = p * u - 4.7840755e-3f;
  p = p * u + 8.394386e-3f;
  p = p * u + 2.8356612e-2f;
  p = p * u - 1.7125124e-1f;
  p = p * u + 4.5391437e-1f;
  p = p * u - 8.0465186e-1f;
  p = p * u + 1.0540318f;
  const float high = number_f32(bits_f32(b) & -4096); /* 12 bits, whose square is exact */
  const float far = (float)(p / (b + 2.5) * exp_sum_f32(EXACT(-high * high), (high - b) * (high + b)));
  const float below = x < 0.0f ? 2.0f - far : far;
  return a < 0.85f ? near : below;
}

/* x^y = 2^(y log2 |x|) in 64 bits, rounded once */
INLINE float pow_f32(float x, float y) {
  const float a = abs_f32(x), scaled = a < 1.17549435e-38f ? a * 8388608.0f : a;
  const uint32_t bits = (uint32_t)bits_f32(scaled) - SPLIT_f32;
  const int32_t k = ((int32_t)bits >> 23) - (a < 1.17549435e-38f ? 23 : 0);
  const double m = fraction_f32(bits), s = (m - 1.0) / (m + 1.0), z = s * s;
  double p = 0.2219530832136867; /* 2 / (n ln 2) for n = 13, 11, ..., 1 */
  p = p * z + 0.2623081892525388;
  p = p * z + 0.3205988979753252;
  p = p * z + 0.41219858311113244;
  p = p * z + 0.5770780163555853;
  p = p * z + 0.9617966939259757;
  p = p * z + 2.8853900817779268;
  double t = p * s + (double)k;
  t = a == 0.0f ? -INFINITY : a == INFINITY ? INFINITY : t;
  t = (double)y * t;
  t = t > 160.0 ? 160.0 : t;
  t = t < -160.0 ? -160.0 : t;
  const double n = near_f64(t), r = (t - n) * 0.6931471805599453;
  double e = 2.48015873015873e-05; /* 1 / n! for n = 8, 7, ..., 0 */
  e = e * r + 0.0001984126984126984;
  e = e * r + 0.001388888888888889;
  e = e * r + 0.008333333333333333;
  e = e * r + 0.041666666666666664;
  e = e * r + 0.16666666666666666;
  e = e * r + 0.5;
  e = e * r + 1.0;
  e = e * r + 1.0;
  float found = (float)(e * power_f64((int32_t)n));
  const float size = abs_f32(y);
  const int32_t whole = size >= 16777216.0f || floor_f32(size) == size;
  const int32_t odd = whole & (size < 16777216.0f) & (floor_f32(size * 0.5f) != size * 0.5f);
  found = x < 0.0f && x > -INFINITY && !whole ? NAN : found;
  found = bits_f32(x) < 0 && odd ? -found : found;
  found = x != x || y != y ? NAN : found;
  return y == 0.0f || x == 1.0f || (x == -1.0f && size == INFINITY) ? 1.0f : found;
}

/* How far x times a part of 1 / 2 pi is from a whole number of turns; the product is exact. */
INLINE double turned(double x, double part) { const double t = x * part; return EXACT(t - near_f64(t)); }

/* The sine of x + so many quarter turns: x in turns by 1 / 2 pi in parts of 29 bits, as many as the largest x needs. */
INLINE float wave_f32(float x, int32_t more) {
  const double a = turned(x, 0.15915494272485375), b = turned(x, 3.6704158115630214e-10), c0 = turned(x, 5.690025167992954e-19);
  const double d = turned(x, 1.4703036846932608e-27), e = turned(x, 2.5867171752090537e-36), f = turned(x, 9.458140877728297e-46);
  const double n = near_f64((a + b + c0 + d + e + f) * 4.0);
  const double rest = EXACT(EXACT(EXACT(EXACT(EXACT(EXACT(a - n * 0.25) + b) + c0) + d) + e) + f);
  const float r = (float)(rest * 6.283185307179586), z = r * r;
  const int32_t quarter = (int32_t)n + more;
  float s = -1.9508741e-4f;
  s = s * z + 8.332113e-3f;
  s = s * z - 1.6666654e-1f;
  s = s * z * r + r;
  float c = 2.442568e-5f;
  c = c * z - 1.3887251e-3f;
  c = c * z + 4.1666646e-2f;
  c = EXACT(c * z * z + EXACT(1.0f - 0.5f * z));
  const float found = quarter & 1 ? c : s;
  return quarter & 2 ? -found : found;
}
INLINE float sin_f32(float x) { return wave_f32(x, 0); }
INLINE float cos_f32(float x) { return wave_f32(x, 1); }

/* (e^r - 1 - r) / r^2 for |r| <= ln 2 / 2 */
INLINE double above_line_f64(double r) {
  double p = 1.1470745597729725e-11; /* 1 / n! for n = 14, 13, ..., 2 */
  p = p * r + 1.6059043836821613e-10;
  p = p * r + 2.08767569878681e-09;
  p = p * r + 2.505210838544172e-08;
  p = p * r + 2.755731922398589e-07;
  p = p * r + 2.7557319223985893e-06;
  p = p * r + 2.48015873015873e-05;
  p = p * r + 0.0001984126984126984;
  p = p * r + 0.001388888888888889;
  p = p * r + 0.008333333333333333;
  p = p * r + 0.041666666666666664;
  p = p * r + 0.16666666666666666;
  return p * r + 0.5;
}
INLINE double abs_f64(double x) { return __builtin_fabs(x); }
INLINE double signed_f64(double x, double sign) { return __builtin_copysign(x, sign); }
INLINE double exp_f64(double x) {
  double y = x > 710.0 ? 710.0 : x;
  y = y < -746.0 ? -746.0 : y;
  const double n = near_f64(y * 1.4426950408889634);
  const int32_t k = (int32_t)n, half = k >> 1;
  double r = EXACT(y - n * 0.693147180369123816490);
  r = EXACT(r - n * 1.90821492927058770002e-10);
  const double p = EXACT(above_line_f64(r) * r * r + r) + 1.0;
  return EXACT(p * power_f64(half)) * power_f64(k - half);
}
INLINE double expm1_f64(double x) {
  double y = x > 710.0 ? 710.0 : x;
  y = y < -40.0 ? -40.0 : y;
  const double n = near_f64(y * 1.4426950408889634);
  double r = EXACT(y - n * 0.693147180369123816490);
  r = EXACT(r - n * 1.90821492927058770002e-10);
  const double half = power_f64((int32_t)n - 1);
  const double less = EXACT(half - 0.5), more = EXACT(above_line_f64(r) * r * r + r);
  return n == 0.0 ? more : EXACT(half * more + less) * 2.0;
}
/* ln (1 + f) = f - f^2/2 + s (f^2/2 + R) with s = f / (2 + f) and R = 2 s^2 / 3 + 2 s^4 / 5 + ... */
INLINE double log_sum_f64(double f, double n) {
  const double s = f / (2.0 + f), z = s * s, square = 0.5 * f * f;
  double p = 0.08695652173913043; /* 2 / n for n = 23, 21, ..., 3 */
  p = p * z + 0.09523809523809523;
  p = p * z + 0.10526315789473684;
  p = p * z + 0.11764705882352941;
  p = p * z + 0.13333333333333333;
  p = p * z + 0.15384615384615385;
  p = p * z + 0.18181818181818182;
  p = p * z + 0.2222222222222222;
  p = p * z + 0.2857142857142857;
  p = p * z + 0.4;
  p = p * z + 0.6666666666666666;
  p = EXACT(s * (square + p * z) + n * 1.90821492927058770002e-10);
  p = EXACT(f - EXACT(square - p));
  return p + n * 0.693147180369123816490;
}
INLINE double log_f64(double x) {
  const int32_t small = x < 2.2250738585072014e-308;
  const uint64_t bits = (uint64_t)bits_f64(small ? x * 18014398509481984.0 : x) - SPLIT_f64;
  const double n = number_f64((int64_t)(((bits + 0x4000000000000000u) >> 52) + 0x4330000000000000u)) - 4503599627371520.0 - (small ? 54.0 : 0.0);
  const double p = log_sum_f64(number_f64((int64_t)((bits & 0x000fffffffffffffu) + SPLIT_f64)) - 1.0, n);
  const double end = x == 0.0 ? -INFINITY : x == INFINITY ? x : p;
  return x < 0.0 || x != x ? NAN : end;
}
INLINE double tanh_f64(double x) {
  const double a = abs_f64(x), e = expm1_f64(a > 20.0 ? 40.0 : a + a);
  return signed_f64(e / (e + 2.0), x);
}
INLINE double logistic_f64(double x) {
  const double e = exp_f64(-abs_f64(x));
  return (x < 0.0 ? e : 1.0) / (1.0 + e);
}
INLINE double log1p_f64(double x) { return log1p(x); }
INLINE double sin_f64(double x) { return sin(x); }
INLINE double cos_f64(double x) { return cos(x); }
INLINE double atan_f64(double x) { return atan(x); }
INLINE double atan2_f64(double y, double x) { return atan2(y, x); }
INLINE double asinh_f64(double x) { return asinh(x); }
INLINE double round_f64(double x) { return __builtin_rint(x); }
INLINE double erf_f64(double x) { return erf(x); }
INLINE double erfc_f64(double x) { return erfc(x); }
INLINE double sqrt_f64(double x) { return __builtin_sqrt(x); }
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

/* The largest of some numbers, of which NaN is none: TOPS of them beside each other, as a single one would wait for itself. */
enum { TOPS = 16 };
INLINE float top_f32(const float *row, int n) {
  float tops[TOPS], top = -INFINITY;
  int k = 0;
  for (int c = 0; c < TOPS; c++) tops[c] = -INFINITY;
  for (; k + TOPS <= n; k += TOPS)
    for (int c = 0; c < TOPS; c++) tops[c] = row[k + c] > tops[c] ? row[k + c] : tops[c];
  for (; k < n; k++) top = row[k] > top ? row[k] : top;
  for (int c = 0; c < TOPS; c++) top = tops[c] > top ? tops[c] : top;
  return top;
}
INLINE double top_f64(const double *row, int n) {
  double tops[TOPS], top = -INFINITY;
  int k = 0;
  for (int c = 0; c < TOPS; c++) tops[c] = -INFINITY;
  for (; k + TOPS <= n; k += TOPS)
    for (int c = 0; c < TOPS; c++) tops[c] = row[k + c] > tops[c] ? row[k + c] : tops[c];
  for (; k < n; k++) top = row[k] > top ? row[k] : top;
  for (int c = 0; c < TOPS; c++) top = tops[c] > top ? tops[c] : top;
  return top;
}
