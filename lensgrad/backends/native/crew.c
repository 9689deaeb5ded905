/* Threads that wait for work in C. A call reaches them and ends without Python, which would wake each of them twice. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>

enum { ROOM = 1024, SPIN = 2000, MOST = 4096 };

typedef void part(void *memory, void *given, void *seen, int64_t n, int id, int of, void *gate);

/* What is to be done. `turn` is the number of a call, and in its last digit how many take part: whoever does not may look late, when the
   rest is already of a later call. */
struct board {
  _Atomic int64_t turn;
  _Atomic int there, left; /* threads that came, and those that are not done */
  part *call;
  void *memory, *given, *seen, *gate;
  int64_t n;
  int asleep;
  pthread_mutex_t lock;
  pthread_cond_t more;
};
_Static_assert(sizeof(struct board) <= ROOM, "a board has room");

static void pause_(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static void sleep_(struct board *b, int64_t turn) {
  pthread_mutex_lock(&b->lock);
  b->asleep++;
  while (b->turn == turn) pthread_cond_wait(&b->more, &b->lock);
  b->asleep--;
  pthread_mutex_unlock(&b->lock);
}

/* The life of a thread: it waits a while in which the next call often comes, then it sleeps. */
static void serve(struct board *b) {
  const int id = atomic_fetch_add(&b->there, 1) + 1;
  int64_t turn = 0; /* of no call before this thread came was it a part */
  for (;;) {
    for (int k = 0; b->turn == turn && k < SPIN; k++) pause_();
    if (b->turn == turn) sleep_(b, turn);
    turn = b->turn;
    const int of = (int)(turn % MOST);
    if (id >= of) continue;
    b->call(b->memory, b->given, b->seen, b->n, id, of, b->gate);
    atomic_fetch_sub(&b->left, 1);
  }
}

/* One's own part of a call, and until all have done theirs. */
static void lead(struct board *b, int of) {
  b->left = of - 1;
  pthread_mutex_lock(&b->lock);
  b->turn = (b->turn / MOST + 1) * MOST + of;
  const int asleep = b->asleep;
  pthread_mutex_unlock(&b->lock);
  if (asleep) pthread_cond_broadcast(&b->more);
  b->call(b->memory, b->given, b->seen, b->n, 0, of, b->gate);
  for (int k = 0; b->left; k++) {
    if (k < SPIN) pause_();
    else sched_yield();
  }
}

/* What a board is asked for: 0 begins it, 1 serves, and 2 is a call of n steps by so many, or by as many as there are. */
void run(struct board *b, void *const *given, void *call, int64_t n, int asked, int of, void *gate) {
  if (asked == 0) {
    pthread_mutex_init(&b->lock, 0);
    pthread_cond_init(&b->more, 0);
  } else if (asked == 1) {
    serve(b);
  } else {
    b->call = (part *)call, b->n = n, b->gate = gate;
    b->memory = given[0], b->given = given[1], b->seen = given[2];
    lead(b, of <= b->there ? of : b->there + 1);
  }
}
