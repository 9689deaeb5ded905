/* Programs of polynomial circuits on lanes: one instruction computes one element for a block of rows.

   An element of a block lies in a slot of `width` vectors of 64 bytes. An operand is a slot, or a number that all rows
   share. Compiled once for each kind of lane, by -D: XOR (Z2) and OR (or, and) with a row in each bit, FLOAT32, FLOAT64,
   INT64 (Z) and SAT (numbers cut off at a top). Products and sums round one after the other: no contraction. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

#if defined(XOR) || defined(OR)
#define BITS
typedef uint64_t T;
typedef int64_t Total;
#elif defined(FLOAT32)
typedef float T;
typedef double Total;
#elif defined(FLOAT64)
typedef double T;
typedef double Total;
#else
typedef int64_t T;
typedef int64_t Total;
#endif

typedef T V __attribute__((vector_size(64)));
typedef T Loose __attribute__((vector_size(64), aligned(8)));
typedef int64_t Mask __attribute__((vector_size(64)));
enum { LANES = 64 / sizeof(T) };

#ifdef BITS
enum { ROWS = 512 }; /* of a vector */
#else
enum { ROWS = LANES };
#endif

#if defined(XOR)
#define MUL(x, y) ((x) & (y))
#define ADD(x, y) ((x) ^ (y))
#elif defined(OR)
#define MUL(x, y) ((x) & (y))
#define ADD(x, y) ((x) | (y))
#elif defined(SAT)
#define MUL(x, y) cut((x) * (y), top)
#define ADD(x, y) cut((x) + (y), top)
INLINE V cut(V x, V top) {
    Mask below = x < top;
    return (x & below) | (top & ~below);
}
#else
#define MUL(x, y) ((x) * (y))
#define ADD(x, y) ((x) + (y))
#endif

/* Kinds of instructions, which name their operands a, b, c: S is a slot, P a number that all rows share. */
enum { MAC_SSS, MAC_PSS, MAC_SSP, MAC_PSP, MUL_SS, MUL_PS, ADD_SS, ADD_SP, PUT_P, SUM_S, SUM_SS, IN, OUT };

typedef struct {
    const int32_t *runs, *code; /* pairs (kind, how many), and their instructions (dst, a, b, c) */
    int64_t run_count;
    char *slots;
    const T *shared;
    void *const *inputs, *const *outputs;
    const int64_t *input_steps, *output_steps; /* numbers from one row to the next; of bits, words from one element to the next */
    Total *totals;
    double *peak;
    int64_t from, to; /* the rows to do */
    int64_t width;
    T top;
} Job;

/* What one vector adds to the sums over rows: of bits, how many are 1 in each word. */
#ifdef BITS
typedef int64_t Partial __attribute__((vector_size(64)));
INLINE Partial counted(V x) {
    Partial n;
    for (int i = 0; i < LANES; i++) n[i] = __builtin_popcountll(x[i]);
    return n;
}
#else
typedef V Partial;
INLINE Partial counted(V x) { return x; }
#endif

/* Lane i of the result is the sum of all lanes of vector i. */
INLINE Partial folded(Partial *x) {
#if defined(FLOAT32)
#define EVEN 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define ODD 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
#else
#define EVEN 0, 2, 4, 6, 8, 10, 12, 14
#define ODD 1, 3, 5, 7, 9, 11, 13, 15
#endif
    for (int n = LANES / 2; n; n /= 2)
        for (int i = 0; i < n; i++)
            x[i] = __builtin_shufflevector(x[2 * i], x[2 * i + 1], EVEN) + __builtin_shufflevector(x[2 * i], x[2 * i + 1], ODD);
    return x[0];
}

INLINE V masked(V x, Mask m) { return (V)((Mask)x & m); }

/* Over Z, the largest number that an instruction could have made, rounded: where it is far from 2^63 nothing went around. */
#ifdef INT64
typedef double Sizes __attribute__((vector_size(64)));
#define SIZE(x) size_of(x)
#define NOTE(bound)                                                       \
    {                                                                     \
        Sizes found = (Sizes)((Mask)(bound) & m[v]);                      \
        Mask more = found > peak;                                         \
        peak = (Sizes)(((Mask)found & more) | ((Mask)peak & ~more));      \
    }
INLINE Sizes size_of(V x) { return (Sizes)((Mask)__builtin_convertvector(x, Sizes) & INT64_MAX); }
#else
#define SIZE(x)
#define NOTE(bound)
#endif

/* Which lanes of a vector that begins with this row hold rows before the end. */
static Mask present(int64_t row, int64_t end) {
    T all[LANES];
    for (int i = 0; i < LANES; i++) {
#ifdef BITS
        int64_t left = end - row - 64 * i;
        all[i] = left >= 64 ? ~0ULL : left > 0 ? (1ULL << left) - 1 : 0;
#else
        memset(all + i, row + i < end ? 255 : 0, sizeof(T));
#endif
    }
    Mask m;
    memcpy(&m, all, sizeof m);
    return m;
}

/* One element of an input for a block of rows; behind the last row it is 0. */
INLINE void fetch(const Job *j, V *d, int32_t wire, int64_t element, int64_t row, int width) {
    int64_t step = j->input_steps[wire];
#ifdef BITS
    const T *x = (const T *)j->inputs[wire] + element * step + row / 64;
    for (int v = 0; v < width; v++) d[v] = row / 64 + 8 * (v + 1) <= step ? (V) * (const Loose *)(x + 8 * v) : (V){0};
#else
    const T *x = (const T *)j->inputs[wire] + row * step + element;
    T *flat = (T *)d;
    int64_t n = width * ROWS, have = j->to - row < n ? j->to - row : n;
    for (int64_t r = 0; r < have; r++) flat[r] = x[r * step];
    for (int64_t r = have; r < n; r++) flat[r] = 0;
#endif
}

INLINE void store(const Job *j, const V *s, int32_t wire, int64_t element, int64_t row, int width) {
    int64_t step = j->output_steps[wire];
#ifdef BITS
    T *y = (T *)j->outputs[wire] + element * step + row / 64;
    for (int v = 0; v < width; v++)
        if (row / 64 + 8 * (v + 1) <= step) *(Loose *)(y + 8 * v) = (Loose)s[v];
#else
    T *y = (T *)j->outputs[wire] + row * step + element;
    const T *flat = (const T *)s;
    int64_t n = width * ROWS, have = j->to - row < n ? j->to - row : n;
    for (int64_t r = 0; r < have; r++) y[r * step] = flat[r];
#endif
}

#define SLOT(n) ((V *)(slots + (int64_t)(n) * width * 64))
#define EACH for (const int32_t *stop = p + 4 * count; p < stop; p += 4)
#define COMPUTE(A, B, C, expression, bound)                                             \
    EACH {                                                                              \
        V *d = SLOT(p[0]);                                                              \
        A B C for (int v = 0; v < width; v++) {                                         \
            NOTE(bound);                                                                \
            d[v] = (expression);                                                        \
        }                                                                               \
    }                                                                                   \
    break
/* Sums over the rows of the block, as many at a time as a vector has lanes. */
#define SUM(OPERANDS, expression, bound)                                                       \
    for (int64_t left = count; left > 0; left -= LANES) {                               \
        Partial parts[LANES];                                                           \
        const int32_t *here = p;                                                        \
        int n = left < LANES ? (int)left : LANES;                                       \
        for (int i = 0; i < n; i++, p += 4) {                                           \
            OPERANDS Partial all = {0};                                                 \
            for (int v = 0; v < width; v++) {                                           \
                NOTE(bound);                                                            \
                all += counted(masked((expression), m[v]));                             \
            }                                                                           \
            parts[i] = all;                                                             \
        }                                                                               \
        for (int i = n; i < LANES; i++) parts[i] = (Partial){0};                        \
        Partial sums = folded(parts);                                                   \
        for (int i = 0; i < n; i++) j->totals[here[4 * i]] += sums[i];                  \
    }                                                                                   \
    break
#define SLOT_A const V *a = SLOT(p[1]);
#define SLOT_B const V *b = SLOT(p[2]);
#define SLOT_C const V *c = SLOT(p[3]);
#define SAME_A const V a = (V){0} + q[p[1]];
#define SAME_C const V c = (V){0} + q[p[3]];

INLINE void block(const Job *j, int64_t row, int width) {
    const int32_t *p = j->code;
    const T *q = j->shared;
    char *slots = j->slots;
    V top = (V){0} + j->top;
    (void)top;
    Mask m[8];
#ifdef INT64
    Sizes peak = {0};
#endif
    for (int v = 0; v < width; v++) m[v] = present(row + v * ROWS, j->to);
    for (int64_t r = 0; r < j->run_count; r++) {
        int64_t count = j->runs[2 * r + 1];
        switch (j->runs[2 * r]) {
        case MAC_SSS: COMPUTE(SLOT_A, SLOT_B, SLOT_C, ADD(MUL(a[v], b[v]), c[v]), SIZE(a[v]) * SIZE(b[v]) + SIZE(c[v]));
        case MAC_PSS: COMPUTE(SAME_A, SLOT_B, SLOT_C, ADD(MUL(a, b[v]), c[v]), SIZE(a) * SIZE(b[v]) + SIZE(c[v]));
        case MAC_SSP: COMPUTE(SLOT_A, SLOT_B, SAME_C, ADD(MUL(a[v], b[v]), c), SIZE(a[v]) * SIZE(b[v]) + SIZE(c));
        case MAC_PSP: COMPUTE(SAME_A, SLOT_B, SAME_C, ADD(MUL(a, b[v]), c), SIZE(a) * SIZE(b[v]) + SIZE(c));
        case MUL_SS: COMPUTE(SLOT_A, SLOT_B, , MUL(a[v], b[v]), SIZE(a[v]) * SIZE(b[v]));
        case MUL_PS: COMPUTE(SAME_A, SLOT_B, , MUL(a, b[v]), SIZE(a) * SIZE(b[v]));
        case ADD_SS: COMPUTE(SLOT_A, , SLOT_C, ADD(a[v], c[v]), SIZE(a[v]) + SIZE(c[v]));
        case ADD_SP: COMPUTE(SLOT_A, , SAME_C, ADD(a[v], c), SIZE(a[v]) + SIZE(c));
        case PUT_P: COMPUTE(SAME_A, , , a, SIZE(a));
        case SUM_S: SUM(SLOT_A, a[v], SIZE(a[v]));
        case SUM_SS: SUM(SLOT_A SLOT_B, MUL(a[v], b[v]), SIZE(a[v]) * SIZE(b[v]));
        case IN:
            EACH fetch(j, SLOT(p[0]), p[1], p[2], row, width);
            break;
        case OUT:
            EACH store(j, SLOT(p[1]), p[0], p[2], row, width);
            break;
        }
    }
#ifdef INT64
    for (int i = 0; i < LANES; i++)
        if (peak[i] > *j->peak) *j->peak = peak[i];
#endif
}

#define WIDTH(n)                                                          \
    case n:                                                               \
        for (int64_t row = j->from; row < j->to; row += n * ROWS) block(j, row, n); \
        return 0

int lanes_run(const Job *j) {
    switch (j->width) {
        WIDTH(1);
        WIDTH(2);
        WIDTH(4);
        WIDTH(8);
    }
    return 1;
}

int lanes_rows(void) { return ROWS; }

/* Give the slots of a program numbers that are used again once nothing reads them any more; returns how many there are.
   Elements are `first`, first + 1, … in the order in which the instructions define them. */
int64_t lanes_allocate(const uint8_t *kinds, int32_t *code, int64_t count, int64_t first, int64_t elements) {
    int64_t *last = malloc(sizeof *last * (elements + 1)), free_count = 0, used = 0;
    int32_t *slot = malloc(sizeof *slot * (elements + 1)), *unused = malloc(sizeof *unused * (elements + 1));
    if (!last || !slot || !unused) used = -1;
    for (int64_t e = 0; used == 0 && e < elements; e++) last[e] = -1;
    static const uint8_t reads[] = {14, 12, 6, 4, 6, 4, 10, 2, 0, 2, 6, 0, 2}; /* bit k: operand k is a slot */
    for (int64_t i = 0; used == 0 && i < count; i++)
        for (int k = 1; k < 4; k++)
            if (reads[kinds[i]] >> k & 1) last[code[4 * i + k] - first] = i;
    for (int64_t i = 0; used >= 0 && i < count; i++) {
        int32_t *p = code + 4 * i;
        int64_t gone[3];
        int n = 0;
        for (int k = 1; k < 4; k++)
            if (reads[kinds[i]] >> k & 1) {
                int64_t e = p[k] - first;
                p[k] = slot[e];
                if (last[e] == i) gone[n++] = e, last[e] = -2;
            }
        while (n) unused[free_count++] = slot[gone[--n]];
        if (kinds[i] == SUM_S || kinds[i] == SUM_SS || kinds[i] == OUT) continue;
        int64_t e = p[0] - first;
        slot[e] = free_count ? unused[--free_count] : (int32_t)used++;
        p[0] = slot[e];
        if (last[e] == -1) unused[free_count++] = slot[e];
    }
    free(last), free(slot), free(unused);
    return used;
}

#ifdef BITS
enum { CHUNK = 512 };

/* Bytes 0 or 1, a row after the other, to words, an element after the other. */
void lanes_pack(const uint8_t *x, int64_t rows, int64_t size, uint64_t *words, int64_t step) {
    for (int64_t row = 0; row < rows; row += 64)
        for (int64_t e = 0; e < size; e += CHUNK) {
            uint64_t all[CHUNK] = {0};
            int64_t n = size - e < CHUNK ? size - e : CHUNK, last = rows - row < 64 ? rows - row : 64;
            for (int64_t r = 0; r < last; r++)
                for (int64_t i = 0; i < n; i++) all[i] |= (uint64_t)x[(row + r) * size + e + i] << r;
            for (int64_t i = 0; i < n; i++) words[(e + i) * step + row / 64] = all[i];
        }
}

void lanes_unpack(const uint64_t *words, int64_t step, int64_t rows, int64_t size, uint8_t *y) {
    for (int64_t row = 0; row < rows; row += 64)
        for (int64_t e = 0; e < size; e += CHUNK) {
            uint64_t all[CHUNK];
            int64_t n = size - e < CHUNK ? size - e : CHUNK, last = rows - row < 64 ? rows - row : 64;
            for (int64_t i = 0; i < n; i++) all[i] = words[(e + i) * step + row / 64];
            for (int64_t r = 0; r < last; r++)
                for (int64_t i = 0; i < n; i++) y[(row + r) * size + e + i] = all[i] >> r & 1;
        }
}
#endif
