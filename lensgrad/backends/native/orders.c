/* Orders of n rows, one for each four words of a seed, as NumPy draws them: its generator PCG64 (O'Neill 2014), and a shuffle from the
   last row to the first. */
#include <stdint.h>

typedef unsigned __int128 wide;

struct pcg { wide state, more; uint32_t left; int has; };

static wide stepped(const struct pcg *g) {
  return g->state * (((wide)2549297995355413924u << 64) | 4865540595714422341u) + g->more;
}

static uint32_t drawn(struct pcg *g) {
  if (g->has) {
    g->has = 0;
    return g->left;
  }
  g->state = stepped(g);
  const uint64_t mixed = (uint64_t)(g->state >> 64) ^ (uint64_t)g->state;
  const int turn = (int)(g->state >> 122);
  const uint64_t found = mixed >> turn | mixed << (-turn & 63);
  g->has = 1, g->left = (uint32_t)(found >> 32);
  return (uint32_t)found;
}

void run(const uint64_t *words, int64_t *orders, void *none, int64_t n, int epochs, int of, void *gate) {
  for (int e = 0; e < epochs; e++, words += 4, orders += n) {
    struct pcg g = {0, ((wide)words[2] << 64 | words[3]) << 1 | 1, 0, 0};
    g.state = stepped(&g) + ((wide)words[0] << 64 | words[1]);
    g.state = stepped(&g);
    for (int64_t i = 0; i < n; i++) orders[i] = i;
    for (int64_t i = n - 1; i > 0; i--) {
      const uint32_t mask = 0xffffffffu >> __builtin_clz((unsigned)i);
      uint32_t j = drawn(&g) & mask;
      while (j > i) j = drawn(&g) & mask;
      const int64_t other = orders[j];
      orders[j] = orders[i], orders[i] = other;
    }
  }
}
