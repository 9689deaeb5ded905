"""How far a long run in C goes from the same run in 64 bits: the paper's Iris net, one example after the other.

Both start from the same weights and see the same rows. Printed are, after more and more steps, the largest difference of a weight in
parts of the largest weight of its layer, for C in 32 bits and for NumPy in 32 bits, which rounds the same sums in another order; and how
far C in 64 bits is from NumPy in 64 bits, as long as NumPy is run. python -m benchmarks.drift [--steps 1000000] [--numpy 30000]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

import lensgrad as lg

HIDDEN, RATE = 20, 0.01
Values = Mapping[str, np.ndarray[Any, Any]]


def learner(dtype: str) -> lg.Learner:
    """The paper's net, with half the squared error and plain descent."""
    layers = lg.dense(HIDDEN, activation="sigmoid", name="hidden"), lg.dense(3, activation="sigmoid", name="output")
    return lg.supervised(lg.sequential(lg.input(4, dtype=dtype), *layers), lg.half_squared_error, lg.descent, RATE)


def data(dtype: str) -> Values:
    found = lg.data.iris()
    places = np.random.default_rng(7).permutation(len(found.x))
    return {"x": found.x[places].astype(dtype), "y": np.eye(3, dtype=dtype)[found.y[places]]}


def run(dtype: str, backend: str, stops: list[int]) -> Iterator[Values]:
    """The weights after so many steps, each time counted from the beginning."""
    made, rows = learner(dtype), data(dtype)
    step = made.step(None, backend)
    iteration, start = step.iteration(tuple(rows)), learner("float32").initial(0)
    held = {**{name: v.astype(dtype) if v.dtype.kind == "f" else v for name, v in start.items()}, **rows}
    arrays = [held[p.name] for p in step.inputs]
    loop, done, n = iteration.loop, 0, len(rows["x"])
    now, fixed, own = ([arrays[i] for i in wires] for wires in (loop.states, loop.fixed, loop.rows))
    names = [step.inputs[i].name for i in loop.states]
    for stop in stops:
        while done < stop:
            at = done % n
            number = min(stop - done, n - at)
            now, _ = iteration.run(now, fixed, [r[at : at + number] for r in own], number)
            done += number
        yield dict(zip(names, now, strict=True))


def apart(a: Values, b: Values) -> float:
    """The largest difference, in parts of the largest number of its array."""
    return max(float(np.abs(a[n].astype("f8") - b[n]).max() / np.abs(b[n]).max()) for n in b)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1_000_000, help="steps in C")
    parser.add_argument("--numpy", type=int, default=30_000, help="steps in NumPy, which takes a thousand times as long")
    given = parser.parse_args()
    stops = sorted({*(n for k in range(3, 9) for n in (10**k, 3 * 10**k) if n < given.steps), given.steps})
    slow = [n for n in stops if n <= given.numpy]
    exact, c = [*run("float64", "native", stops)], [*run("float32", "native", stops)]
    plain, twin = [*run("float32", "numpy", slow)], [*run("float64", "numpy", slow)]
    print(f"{'steps':>10}  {'C, 32 bits':>12}  {'NumPy, 32 bits':>14}  {'C and NumPy, 64 bits':>20}")
    for k, n in enumerate(stops):
        others = (f"{apart(plain[k], exact[k]):14.1e}  {apart(exact[k], twin[k]):20.1e}") if k < len(slow) else ""
        print(f"{n:10,}  {apart(c[k], exact[k]):12.1e}  {others}")


if __name__ == "__main__":
    main()
