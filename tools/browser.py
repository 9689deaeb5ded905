"""A headless Chromium, driven over pipes by its own protocol: no package is needed, only the program."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from itertools import count
from pathlib import Path

CHROMIUM = next((found for name in ("chromium", "chromium-browser", "google-chrome", "chrome") if (found := shutil.which(name))), None)
WHY = "no Chromium is on this machine (apt install chromium): the page is not tried in a browser"
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--remote-debugging-pipe")
# Chromium reads pipe 3 and writes pipe 4. Another program puts them there and becomes Chromium, since a function that runs between fork and
# exec is refused in a process with threads, as one with JAX is.
WIRED = """
import fcntl, os, sys
give, take = (fcntl.fcntl(int(f), fcntl.F_DUPFD, 10) for f in sys.argv[1:3])
os.dup2(give, 3), os.dup2(take, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Browser:
    """One page in one browser. What the page logs, and its errors, are in `said`."""

    def __init__(self, file, size=(1200, 800)):
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        (give, into), (out, take) = os.pipe(), os.pipe()
        command = [CHROMIUM, *FLAGS, f"--user-data-dir={self.folder.name}", f"--window-size={size[0]},{size[1]}", "about:blank"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        wired = [sys.executable, "-I", "-S", "-c", WIRED, str(give), str(take), *command]
        self.process = subprocess.Popen(wired, pass_fds=(give, take), **quiet)
        os.close(give), os.close(take)
        self.into, self.out = os.fdopen(into, "wb", 0), os.fdopen(out, "rb", 0)
        self.numbers, self.left, self.said, self.session, self.asked = count(1), b"", [], None, []
        target = next(t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=size[0], height=size[1], deviceScaleFactor=1, mobile=False)
        self.open(file)

    def call(self, method, **params):
        """What the browser answers."""
        number = next(self.numbers)
        session = {"sessionId": self.session} if self.session else {}
        self.into.write(json.dumps({"id": number, "method": method, "params": params, **session}).encode() + b"\0")
        while True:
            told = self.told()
            if told.get("id") == number:
                if "error" in told:
                    raise RuntimeError(f"{method}: {told['error']}")
                return told["result"]

    def told(self):
        """The next thing that the browser says."""
        while b"\0" not in self.left:
            more = self.out.read(1 << 16)
            if not more:
                raise RuntimeError("the browser has ended")
            self.left += more
        one, _, self.left = self.left.partition(b"\0")
        told = json.loads(one)
        if told.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled", "Page.javascriptDialogOpening"):
            self.said.append(told["params"])
        if told.get("method") == "Network.requestWillBeSent":
            self.asked.append(told["params"]["request"]["url"])
        return told

    def open(self, file):
        """Go to a file, and wait until it is there."""
        self.call("Page.navigate", url=Path(file).resolve().as_uri())
        while self.told().get("method") != "Page.loadEventFired":
            pass

    def run(self, expression):
        """The value of an expression in the page; of a promise, what it comes to."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in found:
            raise RuntimeError(str(found["exceptionDetails"]))
        return found["result"].get("value")

    def key(self, key, text="", modifiers=0):
        """Press a key and let it go."""
        code = {"Enter": 13, "Tab": 9, "Escape": 27, "ArrowRight": 39, "ArrowDown": 40, "ArrowLeft": 37, "ArrowUp": 38}.get(
            key, ord(key[0])
        )
        more = {"text": text or ("\r" if key == "Enter" else key if len(key) == 1 else "")}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, windowsVirtualKeyCode=code, modifiers=modifiers, **more)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code, modifiers=modifiers)

    def mouse(self, kind, x, y, **more):
        """One event of the mouse."""
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def click(self, x, y):
        """Press the button there and let it go."""
        self.mouse("mouseMoved", x, y)
        for kind in ("mousePressed", "mouseReleased"):
            self.mouse(kind, x, y, button="left", clickCount=1)

    def touch(self, kind, *fingers):
        """One event of fingers, each at its place: touchStart, touchMove, touchEnd."""
        points = [{"x": x, "y": y, "id": k} for k, (x, y) in enumerate(fingers)]
        self.call("Input.dispatchTouchEvent", type=kind, touchPoints=points)

    def close(self):
        """End the browser."""
        self.process.kill()
        self.process.wait()
        self.into.close(), self.out.close()
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
