"""Programs in C that count what they do, and take turns: each basic block of each of two threads, of which one runs at a time.

Of two programs that compute the same, one that goes through more blocks does something twice, or for nothing. What two threads do, and
in which order, is the same at every run, however loaded a machine is: a thread goes on until it waits for the other one, or until it
went through some blocks.
"""

from __future__ import annotations

import ctypes
import re
from dataclasses import dataclass
from threading import Thread
from typing import Any

from lensgrad.backends.native.assemble import READY
from lensgrad.backends.native.running import Room, Steps

FLAGS = ("-fsanitize-coverage=trace-pc",)
TOGETHER = 3  # steps of a call
HEIGHT = 6  # rows of a tile, of which few sizes are a multiple
COUNT = """
#include <pthread.h>
#include <stdlib.h>
#if defined(__clang__)
#define UNCOUNTED __attribute__((no_sanitize("coverage")))
#else
#define UNCOUNTED __attribute__((no_sanitize_coverage))
#endif
static _Thread_local int me, on; /* among how many that count */
static _Thread_local int64_t gone, products;
int64_t blocks[2], many, most; /* how many of them are a turn, and too many */
int turn; /* whose it is */
static int idle[2]; /* who waits for the other one, 1, or is done, 2 */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;

UNCOUNTED static void give(void) {
  turn = 1 - me;
  pthread_cond_broadcast(&more);
}
UNCOUNTED static void take(void) {
  while (turn != me) pthread_cond_wait(&more, &lock);
}
UNCOUNTED void __sanitizer_cov_trace_pc(void) {
  if (!on || ++gone % many) return;
  if (gone > most) abort();
  pthread_mutex_lock(&lock);
  if (on > 1 && !idle[1 - me]) give(), take();
  pthread_mutex_unlock(&lock);
}
/* The last one that comes goes on first. Nobody comes when the other one is done. */
UNCOUNTED static void comes(void) {
  pthread_mutex_lock(&lock);
  if (idle[1 - me] == 2) abort();
  if (idle[1 - me]) idle[1 - me] = 0, pthread_cond_broadcast(&more);
  else {
    idle[me] = 1, give();
    while (idle[me]) pthread_cond_wait(&more, &lock);
  }
  pthread_mutex_unlock(&lock);
}
UNCOUNTED static void goes(void) {
  pthread_mutex_lock(&lock);
  take();
  pthread_mutex_unlock(&lock);
}
UNCOUNTED static void ends(void) {
  pthread_mutex_lock(&lock);
  if (idle[1 - me] == 1) abort();
  if (idle[1 - me]) idle[1 - me] = 0;
  else idle[me] = 2;
  give();
  pthread_mutex_unlock(&lock);
}
#define wait(gate, sense, of) __extension__({ \\
  if (of > 1) on = 0, comes(), met(gate, sense, of), goes(), on = of; \\
})
"""
COUNTED = """
UNCOUNTED void counted(char *m, const struct data *given, char *const *seen, int64_t n, int id, int of, _Atomic int *gate) {
  struct data all[3 * DATA]; /* with nothing before and behind what is given */
  memset(all, 0, sizeof all);
  memcpy(all + DATA, given, DATA * sizeof *all);
  me = id, gone = products = 0;
  if (of > 1) goes();
  on = of;
  run(m, all + DATA, seen, n, id, of, gate);
  on = 0;
  blocks[id] += gone + PRODUCT * products;
  if (of > 1) ends();
}
"""
STEP = "IN_REGISTER(b0);"  # what is done once for each number of a panel's columns
PRODUCT = 100  # blocks that such a step counts for: where matrices are large, nothing else takes long
ARRAY = re.compile(r"(\w+)(?:\[[^;\]]*\])+ __attribute__\(\(aligned\(64\)\)\);")
DOUBLE = re.compile(r"^[A-Z]+\(double, f64.*\)$", re.MULTILINE)
OTHERS = re.compile(r"^(SPARSE|BATCHES|PIXELS|STRIPS|PLANES)\(float, f32.*\)$", re.MULTILINE)


def counting(text: str, double: bool, data: int) -> str:
    """A program that counts and reads so many arrays of data, with tiles of another height and without what it does not need. What
    lies on the stack is no number before it is written."""
    given = re.sub(r"#define HIGH \d+", f"#define HIGH {HEIGHT}", OTHERS.sub("", text))
    before, after = (given if double else DOUBLE.sub("", given)).split("INLINE void wait(", 1)
    body, rest = after.split("\n}\n", 1)
    rest = ARRAY.sub(r"\g<0> memset(\1, 255, sizeof \1);", rest.replace(STEP, f"{STEP} products++;"))
    ends = COUNTED.replace("DATA", str(max(1, data))).replace("PRODUCT", str(PRODUCT))
    return f"{before}INLINE void met({body}\n}}\n{COUNT}{rest}{ends}"


@dataclass
class Counted:
    """A program that counts, from its library."""

    library: Any

    def begin(self, first: int, many: int, most: int) -> None:
        """Count from 0; this thread goes first, and each goes through so many blocks at a time. Too many of them end the process."""
        self.number(ctypes.c_int, "turn").value = first
        self.number(ctypes.c_int64, "many").value = many
        self.number(ctypes.c_int64, "most").value = most
        self.number(ctypes.c_int64 * 2, "blocks")[:] = 0, 0

    @property
    def run(self) -> Any:
        found = self.library.counted
        found.argtypes = self.library.run.argtypes
        return found

    @property
    def blocks(self) -> tuple[int, int]:
        """The blocks that each thread went through."""
        first, second = self.number(ctypes.c_int64 * 2, "blocks")
        return first, second

    def number(self, kind: Any, name: str) -> Any:
        return kind.in_dll(self.library, name)


class Taken(Steps):
    """Steps that are taken three at a time by as many threads as are asked for, however long they take."""

    def take(self, room: Room, n: int) -> None:
        for done in range(0, n, TOGETHER):
            number, of = min(TOGETHER, n - done), self.threads
            team = [Thread(target=self.call, args=(*room.places, number, k, of, room.turnstile)) for k in range(of)]
            for thread in team:
                thread.start()
            for thread in team:
                thread.join()
            room.gate[READY] = self.made.once
            if done + number < n:
                room.move(number)


__all__ = ["FLAGS", "Counted", "Taken", "counting"]
