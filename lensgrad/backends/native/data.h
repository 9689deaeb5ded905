/* What steps read of an array of data, a row of so many bytes each. The rows lie one after the other, and after `period` of them the first
   comes again; or an `order` has the numbers of `batch` examples for each step. Several of them are brought together in `room`. */
struct data {
  const char *rows;
  const int64_t *order;
  int64_t batch, period, at;
  char *room;
};

INLINE int scattered(const struct data *d) { return d->order && d->batch > 1; }

/* Where the row of a step lies that lies in one piece. */
INLINE const char *lying(const struct data *d, int64_t at, int64_t bytes) { return d->rows + (d->order ? d->order[at] : at) * bytes; }

/* Bring a thread's part of the examples of a step together. */
static __attribute__((noinline, unused)) void gather(char *to, const struct data *d, int64_t at, int64_t bytes, int id, int of) {
  const int64_t each = bytes / d->batch, end = d->batch * (id + 1) / of, *order = d->order + at * d->batch;
  for (int64_t i = d->batch * id / of; i < end; i++)
    if (each == 4) memcpy(to + i * 4, d->rows + order[i] * 4, 4);
    else memcpy(to + i * each, d->rows + order[i] * each, each);
}
