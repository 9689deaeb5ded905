/* A sum or product that is rounded as it stands: compile without -ffast-math. */
#define EXACT(x) (x)

#define NAN number_f32(0x7fc00000)

#define INFINITY number_f32(0x7f800000)

/* The larger one, the smaller one; NaN where one of them is. */
#define larger(a, b) ((a) <= (b) ? (b) : (b) < (a) ? (a) : (a) + (b))

#define smaller(a, b) ((b) <= (a) ? (b) : (a) < (b) ? (a) : (a) + (b))

/* The whole number below, and the nearest one, the even one of two. */
static double floor_f64(double x) {
  if (!(abs_f64(x) < 4503599627370496.0)) return x;
  const double t = (double)(int64_t)x;
  return signed_f64(t > x ? t - 1.0 : t, x);
}
static double round_f64(double x) {
  const double low = floor_f64(x), rest = x - low;
  if (!(abs_f64(x) < 4503599627370496.0)) return x;
  const int up = rest > 0.5 || (rest == 0.5 && (int64_t)low % 2 != 0);
  return signed_f64(up ? low + 1.0 : low, x);
}
static float floor_f32(float x) { return (float)floor_f64(x); }
static float round_f32(float x) { return (float)round_f64(x); }
static float near_f32(float x) { return (float)round_f64(x); }
static double near_f64(double x) { return round_f64(x); }
static float abs_f32(float x) { return number_f32(bits_f32(x) & 0x7fffffff); }
static double abs_f64(double x) { return number_f64(bits_f64(x) & 0x7fffffffffffffff); }
static double signed_f64(double x, double sign) {
  return number_f64((bits_f64(x) & 0x7fffffffffffffff) | (bits_f64(sign) & (-0x7fffffffffffffff - 1)));
}

/* What a b loses when it is rounded, for numbers far from the ends: each in two parts of 26 bits, whose products are exact. */
static double lost_f64(double a, double b) {
  const double s = a * 134217729.0, t = b * 134217729.0;
  const double a1 = EXACT(s - EXACT(s - a)), b1 = EXACT(t - EXACT(t - b)), a2 = a - a1, b2 = b - b1;
  return EXACT(EXACT(EXACT(a1 * b1 - a * b) + a1 * b2) + a2 * b1) + a2 * b2;
}

/* The square root by Newton's rule from half the exponent, then what its square lacks: rounded as it should be but for a few numbers. */
static double sqrt_f64(double x) {
  if (!(x > 0.0) || x == INFINITY) return x < 0.0 ? NAN : x;
  const int small = x < 1e-280, large = x > 1e280;
  const double z = small ? x * 0x1p108 : large ? x * 0x1p-108 : x;
  double y = number_f64((bits_f64(z) >> 1) + ((int64_t)1023 << 51));
  for (int k = 0; k < 4; k++) y = 0.5 * (y + z / y);
  y = y + (z - y * y - lost_f64(y, y)) / (2.0 * y);
  return small ? y * 0x1p-54 : large ? y * 0x1p54 : y;
}
static float sqrt_f32(float x) { return (float)sqrt_f64(x); }

static float log1p_f32(float x) {
  const float u = 1.0f + x;
  if (!(u > 0.0f) || u == INFINITY) return u == 0.0f ? -INFINITY : u > 0.0f ? x : NAN;
  const uint32_t bits = (uint32_t)bits_f32(u) - SPLIT_f32;
  const int32_t k = (int32_t)bits >> 23, j = k > 60 ? 60 : k;
  const float scale = number_f32((127 - j) << 23), less = scale - 1.0f;
  return log_sum_f32(k > 60 ? fraction_f32(bits) - 1.0f : less + scale * x, k);
}

/* ln (1 + x) = ln u + (1 + x - u) / u for the u that 1 + x is rounded to */
static double log1p_f64(double x) {
  const double u = 1.0 + x, least = x < 0.0 ? -x : x;
  if (least < 1e-17 || !(u > 0.0) || u == INFINITY) return u > 0.0 ? x : u == 0.0 ? -INFINITY : NAN;
  if (least > 0.25) return log_f64(u) + (least > 1e15 ? 0.0 : EXACT(x - EXACT(u - 1.0)) / u);
  return log_sum_f64(x, 0.0);
}

static double asinh_f64(double x) {
  const double a = abs_f64(x), z = a * a;
  const double w = a > 1e150 ? a : a + z / (1.0 + sqrt_f64(1.0 + z));
  return signed_f64(log1p_f64(w) + (a > 1e150 ? 0.6931471805599453 : 0.0), x);
}

/* atan t for 0 <= t <= 1: that of the nearest quarter c, and of (t - c) / (1 + t c), by its series */
static double angle_f64(double t) {
  static const double at[5] = {0.0, 0.24497866312686414, 0.4636476090008061, 0.6435011087932844, 0.7853981633974483};
  static const double rest[5] = {0.0, 1.0698755618734451e-17, 2.2698777452961687e-17, 1.5834785051444286e-17, 3.061616997868383e-17};
  const int k = (int)(t * 4.0 + 0.5);
  const double c = 0.25 * k, r = (t - c) / (1.0 + t * c), z = r * r;
  double p = 0.047619047619047616; /* 1 / n for n = 21, 19, ..., 3 */
  p = 0.05263157894736842 - p * z;
  p = 0.058823529411764705 - p * z;
  p = 0.06666666666666667 - p * z;
  p = 0.07692307692307693 - p * z;
  p = 0.09090909090909091 - p * z;
  p = 0.1111111111111111 - p * z;
  p = 0.14285714285714285 - p * z;
  p = 0.2 - p * z;
  p = 0.3333333333333333 - p * z;
  return at[k] + (r - (p * z * r - rest[k]));
}
static double atan_f64(double x) {
  const double a = abs_f64(x);
  if (x != x) return x;
  const double p = angle_f64(a > 1.0 ? 1.0 / a : a);
  return signed_f64(a > 1.0 ? 1.5707963267948966 - (p - 6.123233995736766e-17) : p, x);
}
static double atan2_f64(double y, double x) {
  if (x != x || y != y) return NAN;
  const double a = abs_f64(y), b = abs_f64(x), top = a > b ? a : b, low = a > b ? b : a;
  double p = angle_f64(top == 0.0 ? 0.0 : low == INFINITY ? 1.0 : low / top);
  p = a > b ? 1.5707963267948966 - (p - 6.123233995736766e-17) : p;
  p = bits_f64(x) < 0 ? 3.141592653589793 - (p - 1.2246467991473532e-16) : p;
  return signed_f64(p, y);
}

/* How many quarter turns x is, of four, and in `left` what remains, at most half of one either way, in radians. The bits of 1 / 2 pi that a
   number of this size needs are multiplied as whole numbers, so that nothing is lost however large it is. */
static int turned_f64(double x, double *left) {
  static const uint32_t bits_of[] = { /* of 1 / 2 pi, three words of zeros before them */
    0x00000000, 0x00000000, 0x00000000, 0x28be60db, 0x9391054a, 0x7f09d5f4, 0x7d4d3770, 0x36d8a566,
    0x4f10e410, 0x7f9458ea, 0xf7aef158, 0x6dc91b8e, 0x909374b8, 0x01924bba, 0x82746487, 0x3f877ac7,
    0x2c4a69cf, 0xba208d7d, 0x4baed121, 0x3a671c09, 0xad17df90, 0x4e64758e, 0x60d4ce7d, 0x272117e2,
    0xef7e4a0e, 0xc7fe25ff, 0xf7816603, 0xfbcbc462, 0xd6829b47, 0xdb4d9fb3, 0xc9f2c26d, 0xd3d18fd9,
    0xa797fa8b, 0x5d49eeb1, 0xfaf97c5e, 0xcf41ce7d, 0xe294a4ba, 0x9afed7ec, 0x47e35742, 0x1580cc11,
    0xbf1edaea, 0xfc33ef08, 0x26bd0d87,
  };
  const uint64_t bits = (uint64_t)bits_f64(abs_f64(x));
  const uint64_t whole = (bits & 0x000fffffffffffffu) | 0x0010000000000000u;
  const int from = (int)(bits >> 52) - 1075 + 96, turn = from % 32;
  *left = x;
  if (!(abs_f64(x) >= 1e-4)) return 0;
  *left = NAN;
  if (abs_f64(x) == INFINITY) return 0;
  uint32_t part[8], found[8] = {0};
  for (int k = 0; k < 8; k++) {
    const uint64_t two = ((uint64_t)bits_of[from / 32 + k] << 32) | bits_of[from / 32 + k + 1];
    part[k] = (uint32_t)(two >> (32 - turn));
  }
  for (int i = 0; i < 2; i++) {
    const uint64_t by = i ? whole >> 32 : whole & 0xffffffffu;
    uint64_t sum = 0;
    for (int k = 7; k >= i; k--) {
      sum += by * part[k] + found[k - i];
      found[k - i] = (uint32_t)sum;
      sum >>= 32;
    }
  }
  const uint32_t quarter = (found[0] + 0x20000000u) >> 30;
  found[0] -= quarter << 30;
  const int minus = found[0] >> 31 != 0;
  double rest = 0.0;
  for (int k = 4; k >= 0; k--) rest = (rest + (double)(minus ? ~found[k] : found[k])) * 0x1p-32;
  rest *= 6.283185307179586;
  *left = minus != (x < 0.0) ? -rest : rest;
  return x < 0.0 ? (int)(4u - quarter) : (int)quarter;
}

/* The sine of x + so many quarter turns. */
static double wave_f64(double x, int more) {
  double r;
  const int quarter = turned_f64(x, &r) + more;
  const double z = r * r;
  double s = 2.8114572543455206e-15; /* 1 / n! for n = 17, 15, ..., 3, with alternating signs */
  s = s * z - 7.647163731819816e-13;
  s = s * z + 1.6059043836821613e-10;
  s = s * z - 2.505210838544172e-08;
  s = s * z + 2.7557319223985893e-06;
  s = s * z - 0.0001984126984126984;
  s = s * z + 0.008333333333333333;
  s = s * z - 0.16666666666666666;
  s = s * z * r + r;
  double c = -1.5619206968586225e-16; /* 1 / n! for n = 18, 16, ..., 4 */
  c = c * z + 4.779477332387385e-14;
  c = c * z - 1.1470745597729725e-11;
  c = c * z + 2.08767569878681e-09;
  c = c * z - 2.755731922398589e-07;
  c = c * z + 2.48015873015873e-05;
  c = c * z - 0.001388888888888889;
  c = c * z + 0.041666666666666664;
  const double half = 0.5 * z, near = 1.0 - half;
  c = near + (EXACT(1.0 - near) - half + c * z * z);
  const double found = quarter & 1 ? c : s;
  return quarter & 2 ? -found : found;
}
static double sin_f64(double x) { return wave_f64(x, 0); }
static double cos_f64(double x) { return wave_f64(x, 1); }

/* e^(-a^2), the square in two parts */
static double bell_f64(double a) {
  const double high = number_f64(bits_f64(a) & -0x8000000); /* 26 bits, whose square is exact */
  return exp_f64(-high * high) * exp_f64((high - a) * (high + a));
}

/* erf a = 2 a e^(-a^2) / sqrt pi (1 + 2 a^2 / 3 (1 + 2 a^2 / 5 (1 + ...))) for 0 <= a < 2.25, in terms that are all positive */
static double near_erf_f64(double a) {
  const double z = 2.0 * a * a;
  double term = 1.0, sum = 0.0;
  for (int n = 3; term > 1e-18; n += 2) sum += term *= z / n;
  return 1.1283791670955126 * a * bell_f64(a) * (1.0 + sum);
}

/* erfc a = e^(-a^2) / sqrt pi / (a + 1/2 / (a + 1 / (a + 3/2 / (a + ...)))) for a >= 0.75 */
static double far_erfc_f64(double a) {
  if (a > 27.3) return 0.0;
  double f = a;
  for (int n = a < 1.5 ? 320 : 120; n > 0; n--) f = a + 0.5 * n / f;
  return bell_f64(a) * 0.5641895835477563 / f;
}
static double erf_f64(double x) {
  const double a = abs_f64(x);
  if (x != x) return x;
  return signed_f64(a < 2.25 ? near_erf_f64(a) : 1.0 - far_erfc_f64(a), x);
}
static double erfc_f64(double x) {
  if (x != x) return x;
  if (x < 0.75) return 1.0 - erf_f64(x);
  return far_erfc_f64(x);
}

/* x^y = e^(y ln |x|), the logarithm in two parts: 2^k (1 + f), s = f / (2 + f), ln (1 + f) = 2 s + 2 s^3 / 3 + 2 s^5 / 5 + ... */
static double power_of_f64(double a, double y) {
  const int small = a < 2.2250738585072014e-308;
  const uint64_t bits = (uint64_t)bits_f64(small ? a * 0x1p54 : a) - SPLIT_f64;
  const int k = (int)((int64_t)bits >> 52) - (small ? 54 : 0);
  const double f = number_f64((int64_t)((bits & 0x000fffffffffffffu) + SPLIT_f64)) - 1.0;
  const double d = 2.0 + f, d_low = EXACT(EXACT(2.0 - d) + f), s = f / d, z = s * s;
  const double s_low = (EXACT(EXACT(f - EXACT(s * d)) - lost_f64(s, d)) - s * d_low) / d;
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
  const double base = k * 0.6931471803691238, top = EXACT(base + 2.0 * s);
  const double low = EXACT(EXACT(base - top) + 2.0 * s) + (2.0 * s_low + p * z * s + k * 1.9082149292705877e-10);
  const double high = EXACT(top + low), rest = EXACT(EXACT(top - high) + low), t = y * high;
  if (t > 710.0) return INFINITY;
  if (t < -746.0) return 0.0;
  return exp_sum_f64(t, lost_f64(y, high) + y * rest);
}
/* e^(x + low) for a low that is small */
static double exp_sum_f64(double x, double low) {
  const double n = near_f64(x * 1.4426950408889634);
  const int32_t k = to_int32(n), half = k / 2;
  double r = EXACT(x - n * 0.693147180369123816490);
  r = EXACT(r - n * 1.90821492927058770002e-10) + low;
  const double p = EXACT(above_line_f64(r) * r * r + r) + 1.0;
  return EXACT(p * power_f64(half)) * power_f64(k - half);
}
static double pow_f64(double x, double y) {
  const double a = abs_f64(x), size = abs_f64(y), most = size > 1e20 ? 1e20 : size;
  const int whole = floor_f64(size) == size, odd = whole && floor_f64(0.5 * size) != 0.5 * size;
  if (y == 0.0 || x == 1.0 || (x == -1.0 && size == INFINITY)) return 1.0;
  if (x != x || y != y || (x < 0.0 && x > -INFINITY && !whole)) return NAN;
  double found = a == 0.0 || a == INFINITY ? ((a > 1.0) == (y > 0.0) ? INFINITY : 0.0) : a == 1.0 ? 1.0 : power_of_f64(a, y < 0.0 ? -most : most);
  return bits_f64(x) < 0 && odd ? -found : found;
}
