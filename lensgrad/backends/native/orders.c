/* Orders of n rows, one for each four words of a seed, as NumPy draws them: its generator PCG64 (O'Neill 2014), and a shuffle from the
   last row to the first. */
#include <stdint.h>

typedef unsigned __int128 wide;

enum { MANY = 256 }; /* places that are drawn together */

struct pcg { wide state, more; uint32_t left; int has; };

static wide stepped(const struct pcg *g) {
  return g->state * (((wide)2549297995355413924u << 64) | 4865540595714422341u) + g->more;
}

static uint64_t drawn(struct pcg *g) {
  g->state = stepped(g);
  const uint64_t mixed = (uint64_t)(g->state >> 64) ^ (uint64_t)g->state;
  const int turn = (int)(g->state >> 122);
  return mixed >> turn | mixed << (-turn & 63);
}

/* Places for the `many` rows from i down, all with one mask: a half of a number each, the lower one first, and the next half where that
   is too large. There is no branch on what is drawn, as nobody foresees it. */
static void places(struct pcg *g, uint32_t *found, int64_t i, int64_t many, uint32_t mask) {
  int64_t k = 0;
  if (g->has) k += (found[0] = g->left & mask) <= i, g->has = 0;
  while (k < many) {
    const uint64_t both = drawn(g);
    k += (found[k] = (uint32_t)both & mask) <= i - k;
    if (k == many) g->has = 1, g->left = (uint32_t)(both >> 32);
    else k += (found[k] = (uint32_t)(both >> 32) & mask) <= i - k;
  }
}

void run(const uint64_t *words, int64_t *orders, void *none, int64_t n, int epochs, int of, void *gate) {
  for (int e = 0; e < epochs; e++, words += 4, orders += n) {
    struct pcg g = {0, ((wide)words[2] << 64 | words[3]) << 1 | 1, 0, 0};
    g.state = stepped(&g) + ((wide)words[0] << 64 | words[1]);
    g.state = stepped(&g);
    for (int64_t i = 0; i < n; i++) orders[i] = i;
    for (int64_t i = n - 1; i > 0;) {
      const uint32_t mask = 0xffffffffu >> __builtin_clz((unsigned)i);
      const int64_t same = i - (mask >> 1), many = same < MANY ? same : MANY;
      uint32_t found[MANY];
      places(&g, found, i, many, mask);
      for (int64_t k = 0; k < many; k++, i--) {
        const int64_t other = orders[found[k]];
        orders[found[k]] = orders[i], orders[i] = other;
      }
    }
  }
}
