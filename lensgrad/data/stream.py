"""Batches from any iterator, read ahead in a thread."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from inspect import Parameter, signature
from itertools import islice
from threading import Event, Semaphore, Thread
from typing import TYPE_CHECKING, Any, TypeGuard, TypeVar

from lensgrad.core.checks import is_dict, is_group, shown, whole
from lensgrad.core.errors import BadValue
from lensgrad.data.arrays import array, close, count
from lensgrad.program.values import Values

if TYPE_CHECKING:
    from queue import SimpleQueue

T = TypeVar("T")
END = object()


class IteratorSource:
    """Batches from a function that returns an iterator, from an iterable, or from a single iterator.

    A batch is a dict of arrays by name, or a tuple in the order of `names`; its size is the iterator's own affair. A function
    gets those of `epoch`, `start`, `seed` and `batch_size` that it has parameters for; one with `start` begins there, and
    of others the first `start` batches are read and dropped. `steps` is the number of batches of an epoch: needed where the iterator
    does not end, and what makes a single iterator last for several epochs. `prefetch` batches are read ahead in a thread (0 for none).
    """

    def __init__(
        self,
        batches: Callable[..., Iterable[Any]] | Iterable[Any],
        *,
        names: tuple[str, ...] = ("x", "y"),
        steps: int | None = None,
        examples: int | None = None,
        prefetch: int = 2,
    ) -> None:
        if not callable(batches) and (not is_iterable(batches) or getattr(batches, "shape", None) == ()):
            raise BadValue(f"batches come from an iterator, or a function that returns one, got {shown(batches)}")
        self.takes = accepted(batches) if callable(batches) else set[str]()
        self.made: Any = batches if callable(batches) or iter(batches) is not batches else Once(batches)
        self.steps = None if steps is None else whole("steps", steps, 1)
        self.examples = None if examples is None else whole("examples", examples, 1)
        self.names, self.prefetch = names, whole("prefetch", prefetch)

    def batches(self, epoch: int, batch_size: int | None, seed: int | None, start: int = 0) -> Iterator[Values]:
        if batch_size is None:
            raise BadValue("an iterator gives batches, and batch_size=None takes single examples: give arrays, or batches of 1")
        items = self.opened(epoch, batch_size, seed, start)
        number, seen = start, 0
        with closing(prefetched(items, self.prefetch)) as ahead:
            for number, item in enumerate(ahead, start + 1):
                part = batch(item, self.names, f"batch {number} of epoch {epoch + 1}")
                seen += count(part)
                yield part
        self.finished(epoch, start, number, seen)

    def opened(self, epoch: int, batch_size: int, seed: int | None, start: int) -> Iterator[Any]:
        """The items of an epoch from batch `start` on."""
        left = None if self.steps is None else max(0, self.steps - start)
        if isinstance(self.made, Once):
            return taken(self.made, self.made.skip(epoch, start, self.steps), left, keep=self.steps is not None)
        make: Any = self.made
        if not callable(make):
            return taken(iter(make), start, left)
        offered = {"epoch": epoch, "start": start, "seed": seed, "batch_size": batch_size}
        known = {name: value for name, value in offered.items() if name in self.takes}
        made: Any = make(**known)
        if not is_iterable(made):
            raise BadValue(f"a function of batches returns an iterator of them, and this one returned {shown(made)}")
        return taken(iter(made), 0 if "start" in known else start, left)

    def finished(self, epoch: int, start: int, number: int, seen: int) -> None:
        """Refuse an epoch with fewer batches or examples than promised."""
        if self.steps is not None and number < self.steps:
            told = f"the iterator ended after {number} of {self.steps} batches of epoch {epoch + 1}"
            raise BadValue(f"{told}: make it longer, or give a smaller steps")
        if not start and not seen:
            again = ": a function must return a new iterator every time it is called" if epoch else ""
            raise BadValue(f"the iterator gave no batch in epoch {epoch + 1}{again}")
        if not start and self.examples is not None and seen < self.examples:
            told = f"the iterator ended after {seen} of {self.examples} examples of epoch {epoch + 1}"
            raise BadValue(f"{told}: make it longer, or leave examples out")


class Once:
    """An iterator that can be read once, with a count of what was taken from it."""

    def __init__(self, items: Iterable[Any]) -> None:
        self.items, self.count = iter(items), 0

    def __iter__(self) -> Once:
        return self

    def __next__(self) -> Any:
        item = next(self.items)
        self.count += 1
        return item

    def close(self) -> None:
        close(self.items)

    def skip(self, epoch: int, start: int, steps: int | None) -> int:
        """How many items to drop to arrive at batch `start` of an epoch."""
        if epoch and steps is None:
            raise BadValue(
                f"this iterator gives its batches once, and epoch {epoch + 1} needs them again: "
                "give a function that returns a new iterator, or say with steps how many batches an epoch has"
            )
        wanted = epoch * (steps or 0) + start
        if wanted < self.count:
            raise BadValue(
                f"this iterator stands at batch {self.count + 1} and cannot go back to batch {wanted + 1}: "
                "give a function that returns a new iterator"
            )
        return wanted - self.count


OFFERED = ("epoch", "start", "seed", "batch_size")


def accepted(function: Callable[..., Any]) -> set[str]:
    """The names of the parameters that may be given by name; a function that needs others is refused."""
    named = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
    try:
        known = signature(function).parameters
    except (TypeError, ValueError) as wrong:
        raise BadValue(f"{shown(function)} is no function of batches: give one that returns an iterator of them") from wrong
    free = [n for n, p in known.items() if p.default is not Parameter.empty or p.kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)]
    needed = [n for n, p in known.items() if n not in free and (n not in OFFERED or p.kind not in named)]
    if needed:
        told = f"a function of batches is called with those of {', '.join(OFFERED)} that it takes"
        raise BadValue(f"{told}, and {shown(function)} needs '{needed[0]}'")
    return {name for name, p in known.items() if p.kind in named}


def taken(items: Iterator[Any], skip: int, left: int | None, keep: bool = False) -> Iterator[Any]:
    """Items after the first `skip`, at most `left`; closed at the end unless somebody reads on."""
    try:
        yield from islice(items, skip, None if left is None else skip + left)
    finally:
        if not keep:
            close(items)


def is_iterable(value: Any) -> TypeGuard[Iterable[Any]]:
    """Whether something can be gone through, and says so by its class."""
    return isinstance(value, Iterable)


def batch(item: Any, names: tuple[str, ...], where: str) -> Values:
    """One item of an iterator as arrays by name."""
    if is_dict(item):
        return {str(k): array(v, str(k)) for k, v in item.items()}
    if is_group(item) and len(item) == len(names):
        return {n: array(v, n) for n, v in zip(names, item, strict=True)}
    got = f"{len(item)} items" if is_group(item) else type(item).__name__
    raise BadValue(f"{where} is a dict of arrays by name, or a tuple ({', '.join(names)}); got {got}")


def prefetched(items: Iterator[T], depth: int) -> Generator[T]:
    """The same items in the same order, up to `depth` of them read ahead in a thread.

    What the reading raises is raised here, with its own type. Closing stops the thread after the item it is reading.
    """
    if not depth:
        try:
            yield from items
        finally:
            close(items)
        return
    from queue import SimpleQueue

    box: SimpleQueue[Any] = SimpleQueue()
    room, stop = Semaphore(depth - 1), Event()
    reader = Thread(target=read, args=(items, box, room, stop), name="lensgrad-prefetch", daemon=True)
    reader.start()
    try:
        while (found := wait(box))[0] is not END:
            room.release()
            yield found[0]
        if found[1] is not None:
            raise found[1]
    finally:
        stop.set()
        room.release()
        reader.join(0.1)  # a reader that waits for a disk or a network is left to end with its item


def read(items: Iterator[Any], box: SimpleQueue[Any], room: Semaphore, stop: Event) -> None:
    """Put items into the box as long as there is room and nobody says stop; then why it ended."""
    wrong = None
    try:
        for item in items:
            box.put((item, None))
            room.acquire()
            if stop.is_set():
                break
    except BaseException as error:
        wrong = error
    try:
        close(items)
    except BaseException as error:
        wrong = wrong or error
    box.put((END, wrong))


def wait(box: SimpleQueue[Any]) -> Any:
    """The next thing in the box. Waiting is cut into pieces, because on Windows Ctrl-C does not end a wait."""
    from queue import Empty

    while True:
        try:
            return box.get(timeout=0.1)
        except Empty:
            continue
