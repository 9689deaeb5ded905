"""What pages to explore take: CPU seconds to write one, its bytes, and what the browser spends on each click.

`python -m tools.pages` prints a line for each page, and one for its slowest click, with --all one for each. Clicks need Chromium; they open
boxes of the page as it begins and close them again, and open all. Of a click, `wall` is until the next frame stands, `cpu` is what the
thread of the page spent, and `after` is what it spends later on what is out of sight, in slices of 6 ms.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import lensgrad as lg
from lensgrad import recipes
from tools.browser import CHROMIUM, WHY, Browser
from tools.diagrams import transformer


def recorded() -> Any:
    """A short run of the learner of MNIST on noise, with records."""
    rng = np.random.default_rng(0)
    data = rng.random((256, 28, 28, 1), "float32"), rng.integers(0, 10, 256).astype("int32")
    learner = recipes.task("mnist").learner()
    return learner.fit(data, epochs=2, batch_size=32, seed=0, progress=False, record=lg.record(every=2))


PAGES: dict[str, Callable[[], Any]] = {
    "mnist learner": lambda: recipes.task("mnist").learner(),
    "run of mnist, recorded": recorded,
    "transformer of 12 layers": transformer,
    "learner of the transformer": lambda: lg.supervised(transformer(), lg.cross_entropy, lg.adam(1e-3)),
}
PLACES = """[...document.querySelectorAll('g[data-plate][role=button]')].map(g => {
  const r = g.querySelector('rect, path').getBoundingClientRect();
  return [g.getAttribute('aria-label'), r.x + Math.min(9, r.width / 2), r.y + Math.min(9, r.height / 2)];
})"""
CORNER = "(r => [r.x + 9, r.y + 9])(document.getElementById('{}').getBoundingClientRect())"
SETTLED = "new Promise(f => setTimeout(() => requestIdleCallback(f, {timeout: 500}), 700))"
PAINTED = "new Promise(f => requestAnimationFrame(() => setTimeout(f)))"
FEW = 6  # boxes that are clicked unless all are asked for
SPENT = ("TaskDuration", "ScriptDuration", "LayoutDuration", "RecalcStyleDuration")


def spent(browser: Browser) -> list[float]:
    """CPU seconds of the page so far: of all its tasks, and in them of its program, of layout and of styles."""
    found = {m["name"]: m["value"] for m in browser.call("Performance.getMetrics")["metrics"]}
    return [found[name] for name in SPENT]


Click = tuple[str, float, list[float], float]  # a name, milliseconds on the wall, those of CPU, and those of CPU afterwards


def clicks(file: Path, most: int | None) -> list[Click]:
    """What it takes to open and close each box on the screen, or so many of them, and to open and close all."""
    found = list[Click]()
    with Browser(file, (1600, 1000)) as browser:
        browser.call("Performance.enable", timeDomain="threadTicks")
        size = browser.run("(r => [r.right, r.bottom])(document.getElementById('diagram').getBoundingClientRect())")
        places = [(label, x, y) for label, x, y in browser.run(PLACES) if 0 <= x < size[0] and 0 <= y < size[1]][:most]
        found += [timed(browser, f"{what} {label}", x, y) for label, x, y in places for what in ("open", "close")]
        for what in ("open", "close"):
            found.append(timed(browser, f"{what} all", *browser.run(CORNER.format(what))))
    return found


def timed(browser: Browser, told: str, x: float, y: float) -> Click:
    """A click at a place."""
    browser.mouse("mouseMoved", x, y)
    browser.run(SETTLED)
    before, start = spent(browser), time.perf_counter()
    browser.click(x, y)
    browser.run(PAINTED)
    took, now = time.perf_counter() - start, spent(browser)
    browser.run(SETTLED)
    later = spent(browser)[0] - now[0]
    return told, 1000 * took, [1000 * (b - a) for a, b in zip(before, now, strict=True)], 1000 * later


def main() -> int:
    """Print the table."""
    with TemporaryDirectory() as folder:
        for name, make in PAGES.items():
            subject, file = make(), Path(folder) / "page.html"
            start = time.process_time()
            lg.explore(subject, file)
            print(f"{name:<28}{time.process_time() - start:6.2f} s of CPU to write,{file.stat().st_size / 1e3:5.0f} kB")
            if CHROMIUM is None:
                print(WHY)
                continue
            found = clicks(file, None if "--all" in sys.argv else FEW)
            for told, wall, (task, script, layout, style), after in found if "--all" in sys.argv else [max(found, key=lambda c: c[2][0])]:
                parts = f"program {script:.0f}, layout {layout:.0f}, styles {style:.0f}; after {after:.0f}"
                print(f"    {told:<40} wall {wall:4.0f} ms, cpu {task:4.0f} ms: {parts}")
            walls, cpus = [c[1] for c in found], [c[2][0] for c in found]
            slow = f"slowest wall {max(walls):.0f} ms, slowest cpu {max(cpus):.0f} ms"
            print(f"    {len(found)} clicks: median wall {median(walls):.0f} ms, median cpu {median(cpus):.0f} ms, {slow}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
