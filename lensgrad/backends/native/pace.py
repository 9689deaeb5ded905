"""How many threads a step is worth just now."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

AGAIN = 8, 64  # calls after which the number of threads that was slower is tried once more: twice as many each time it is slower still
CALM = 1.5  # times the least that a step took on all threads, up to which one alone cannot be faster
FORGET = 1.01  # by what the least grows from call to call, as one lucky call is no measure


@dataclass
class Pace:
    """What a step took lately on all threads and on one: whichever took less has the next call, and the other one is tried now and then.

    Threads wait for each other at every function. Where another program has one of their cores, all of them wait until it is their turn
    again: a step of 3 ms took 13 ms on two threads then, and 3.5 ms on one. What a step gives is the same to the bit.
    """

    took: dict[int, float] = field(default_factory=dict[int, float])
    least: float = inf
    again: int = AGAIN[0]
    calls: int = 0  # since the slower one was slower still
    tried: int = 0

    def threads(self, most: int) -> int:
        """How many threads take the next call, of as many as there may be."""
        one, many = self.took.get(1), self.took.get(most)
        if most == 1 or many is None:
            return most
        if one is None:
            return 1
        better, other = (most, 1) if many <= one else (1, most)
        self.calls += 1
        if self.calls < self.again or (better > 1 and many <= CALM * self.least):
            return better
        self.tried = other
        return other

    def note(self, of: int, seconds: float) -> None:
        """What a step of a call took."""
        self.took[of] = (self.took.get(of, seconds) + seconds) / 2
        others = min((t for k, t in self.took.items() if k != of), default=inf)
        if of > 1:
            self.least = min(self.least * FORGET, seconds)
        if self.took[of] < others:
            self.again = AGAIN[0] if of == self.tried else self.again
        elif of == self.tried and seconds >= others:  # one that was faster this time is asked again at once
            self.calls, self.again = 0, min(2 * self.again, AGAIN[1])
        self.tried = 0
