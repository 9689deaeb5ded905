"""The page in a headless Chromium: opening, moving, searching, keys, buttons, curves. Skipped where there is none."""

import pytest

import lensgrad as lg
from tools.browser import CHROMIUM, WHY, Browser

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=WHY)
BOX = "[...document.querySelectorAll('g[data-plate]')]"
MIDDLE = f"""(label) => {{
  const box = {BOX}.find(g => g.getAttribute('aria-label').split(',')[0] === label);
  const r = box.querySelector('rect, path').getBoundingClientRect();
  return [r.x + r.width / 2, r.y + r.height / 2];
}}"""
EVIL = "</script><img src=x onerror=evil()>"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    model = lg.sequential(lg.input(4), lg.dense(5, activation="relu", name="hidden"), lg.dense(3, name="out"))
    learner = lg.supervised(model, loss=lg.cross_entropy, optimizer=lg.sgd(0.05), metrics=["accuracy"])
    train, _ = lg.data.split(lg.data.iris(), 0.5, seed=0)
    run = learner.fit(train, epochs=3, seed=0, progress=False, validation_split=0.2, record=lg.record(every=2))
    file = tmp_path_factory.mktemp("page") / "run.html"
    run.explore(file)
    with Browser(file) as browser:
        yield browser, file


@pytest.fixture
def browser(page):
    found, file = page
    found.open(file)
    return found


def labels(browser):
    return browser.run(f"{BOX}.map(g => g.getAttribute('aria-label'))")


def middle(browser, label):
    return browser.run(f"({MIDDLE})({label!r})")


def text(browser, id):
    return browser.run(f"document.getElementById({id!r}).textContent")


def test_nothing_is_asked_for_and_nothing_goes_wrong(page):
    browser, file = page
    assert set(browser.asked) == {file.as_uri()} and browser.said == []


def test_a_click_opens_a_box_and_another_closes_it(browser):
    before = labels(browser)
    browser.click(*middle(browser, "hidden"))
    assert "relu, in hidden" in labels(browser) and text(browser, "status") == "hidden is open"
    assert browser.run(f"{BOX}.find(g => g.getAttribute('aria-expanded') === 'true').getAttribute('aria-label')") == "hidden"
    x, y = browser.run(
        f"(() => {{ const r = {BOX}[0].querySelector('rect').getBoundingClientRect(); return [r.x + 5, r.y + r.height - 5] }})()"
    )
    browser.click(x, y)
    assert labels(browser) == before and text(browser, "status") == "hidden is closed"


def test_what_is_clicked_stays_where_it_is(browser):
    corner = (
        "(() => { const g = document.querySelector('g.opens[aria-label=\"out\"] > rect').getBoundingClientRect(); return [g.x, g.y] })()"
    )
    before = browser.run(corner)
    browser.click(*middle(browser, "out"))
    assert browser.run(corner) == pytest.approx(before, abs=0.5)


def test_the_keyboard_alone_opens_and_closes(browser):
    browser.run("document.getElementById('theme').focus()")
    browser.key("Tab")
    for _ in range(12):
        if browser.run("document.activeElement.getAttribute('aria-label')") == "hidden":
            break
        browser.key("ArrowRight")
    assert "f32[4]" in text(browser, "facts") and "weights25 numbers" in text(browser, "facts")
    assert browser.run("document.activeElement.matches(':focus-visible')")
    browser.key("Enter")
    assert text(browser, "status") == "hidden is open"
    assert browser.run("document.activeElement.getAttribute('aria-label')") == "hidden"
    browser.key("Enter")
    assert text(browser, "status") == "hidden is closed"


def test_the_pointer_tells_what_it_is_over(browser):
    browser.mouse("mouseMoved", *middle(browser, "out"))
    assert text(browser, "named") == "out" and "operations33 ahead" in text(browser, "facts")
    titles = browser.run(f"{BOX}.filter(g => g.querySelector('title')).map(g => g.querySelector('title').textContent)")
    assert len(titles) == 1 and "operations: 33 ahead" in titles[0]


def test_the_search_goes_from_hit_to_hit_and_opens_what_is_hidden(browser):
    browser.key("/")
    assert browser.run("document.activeElement.id") == "query"
    for letter in "relu":
        browser.key(letter)
    assert text(browser, "hits") == "1 found"
    browser.key("Enter")
    assert text(browser, "named") == "relu" and "hidden" in text(browser, "facts")


def test_wheel_keys_and_dragging_move_and_scale(browser):
    where = "document.querySelector('#diagram > g').getAttribute('transform')"
    first = browser.run(where)
    browser.mouse("mouseWheel", 400, 400, deltaX=0, deltaY=-200)
    second = browser.run(f"new Promise(f => requestAnimationFrame(() => setTimeout(() => f({where}))))")
    assert second != first
    browser.key("0")
    browser.key("+")
    larger = browser.run(where)
    browser.key("0")
    fitted = browser.run(where)
    assert float(larger.split("scale(")[1][:-1]) == pytest.approx(1.25 * float(fitted.split("scale(")[1][:-1]), rel=1e-3)
    browser.mouse("mousePressed", 300, 700, button="left", clickCount=1)
    browser.mouse("mouseMoved", 340, 720, button="left", buttons=1)
    browser.mouse("mouseReleased", 340, 720, button="left", clickCount=1)
    moved, still = ([float(v) for v in t.removeprefix("translate(").split(")")[0].split()] for t in (browser.run(where), fitted))
    assert [a - b for a, b in zip(moved, still, strict=True)] == pytest.approx([40, 20], abs=0.1)


def where(browser):
    """How far the diagram is moved, and its scale."""
    numbers = browser.run("document.querySelector('#diagram > g').getAttribute('transform').match(/-?[\\d.]+/g).map(Number)")
    return numbers[:2], numbers[2]


def test_one_finger_drags_and_does_not_click(browser):
    before, opened = where(browser), labels(browser)
    x, y = middle(browser, "hidden")
    browser.touch("touchStart", (x, y))
    for far in (20, 45, 60):
        browser.touch("touchMove", (x + far, y + far / 2))
    browser.touch("touchEnd")
    (to, scale), (start, size) = where(browser), before
    assert [a - b for a, b in zip(to, start, strict=True)] == pytest.approx([60, 30], abs=1) and scale == size
    assert labels(browser) == opened


def test_two_fingers_pinch_around_their_middle(browser):
    (dx, dy), size = where(browser)
    browser.touch("touchStart", (300, 300), (400, 300))
    for far in (10, 30, 50):
        browser.touch("touchMove", (300 - far, 300), (400 + far, 300))
    browser.touch("touchEnd")
    (x, y), scale = where(browser)
    left, top = browser.run("(r => [r.left, r.top])(document.getElementById('diagram').getBoundingClientRect())")
    assert scale / size == pytest.approx(2, rel=0.02)
    under = [((350 - left - a) / s, (300 - top - b) / s) for a, b, s in ((dx, dy, size), (x, y, scale))]  # what the middle is over
    assert under[0] == pytest.approx(under[1], abs=2)


def test_a_tap_opens_a_box(browser):
    x, y = middle(browser, "hidden")
    browser.touch("touchStart", (x, y))
    browser.touch("touchEnd")
    assert browser.run("new Promise(f => requestAnimationFrame(() => setTimeout(() => f(document.getElementById('status').textContent))))")
    assert text(browser, "status") == "hidden is open"


def test_buttons_show_one_way_or_both(browser):
    seen = "['ahead', 'back'].map(s => getComputedStyle(document.querySelector('.strand.' + s)).display !== 'none')"
    found = {}
    for way in ("ahead", "back", "both"):
        browser.run(f"document.querySelector('[data-way={way}]').click()")
        found[way] = browser.run(seen)
    assert found == {"ahead": [True, False], "back": [False, True], "both": [True, True]}


def test_dark_and_light_follow_the_reader_and_the_button(browser):
    paper = "getComputedStyle(document.body).backgroundColor"
    browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    dark = browser.run(paper)
    browser.run("document.getElementById('theme').click()")
    light = browser.run(paper)
    browser.call("Emulation.setEmulatedMedia", features=[])
    assert (dark, light) == ("rgb(13, 17, 23)", "rgb(255, 255, 255)")


def test_a_run_shows_curves_and_what_passed_at_the_step_of_the_slider(browser):
    assert browser.run("[...document.querySelectorAll('figcaption')].map(f => f.textContent.split(' ')[0])") == ["loss", "accuracy"]
    assert text(browser, "when") == "step 0, epoch 1"
    first = text(browser, "wires")
    browser.run("document.getElementById('step').focus()")
    browser.key("ArrowRight")
    assert text(browser, "when") == "step 2, epoch 2" and text(browser, "wires") != first
    browser.click(*middle(browser, "out"))
    assert set(browser.run("[...document.querySelectorAll('.wire h3')].map(h => h.textContent.split('/')[0])")) == {"out"}


def test_every_control_has_a_name_and_can_be_focused(browser):
    nameless = """[...document.querySelectorAll('button, input')].filter(e =>
      !(e.textContent.trim() || e.getAttribute('aria-label') || (e.labels && e.labels.length))).length"""
    assert browser.run(nameless) == 0
    assert browser.run(f"{BOX}.every(g => g.getAttribute('aria-label') && g.getAttribute('role'))")
    assert browser.run(f"{BOX}.filter(g => g.getAttribute('tabindex') === '0').length") == 1


def test_what_is_out_of_sight_is_made_later(tmp_path, page):
    browser, _ = page
    file = tmp_path / "long.html"
    lg.explore(lg.sequential(lg.input(2), *[lg.dense(2, name=f"layer{k}") for k in range(60)]), file)
    late = "window.late = [], window.setTimeout = f => late.push(f)"
    script = browser.call("Page.addScriptToEvaluateOnNewDocument", source=late)
    browser.open(file)
    browser.call("Page.removeScriptToEvaluateOnNewDocument", **script)
    count = "document.querySelectorAll('g[data-plate]').length"
    assert 5 < browser.run(count) < 100
    for letter in "/layer59":
        browser.key(letter)
    browser.key("Enter")  # what is looked for is made at once
    assert text(browser, "named") == "layer59" and "layer59" in labels(browser)
    browser.run("while (late.length) late.shift()()")
    assert browser.run(count) == 122  # a box and its parameters for each layer, an input, an output
    assert len(set(browser.run(f"{BOX}.map(g => g.dataset.plate)"))) == 122


def test_hostile_names_run_nothing(tmp_path, page):
    from lensgrad.draw.explore import pack, states
    from lensgrad.draw.explore import page as whole

    browser, _ = page
    packed = pack.pictures(states.Asked(lg.dense(2, 2), None, False, states.Style()))
    packed["texts"] = [t if t in ("", "box", "input", "output", "parameter", "frame") else EVIL for t in packed["texts"]]
    figures = [[0, 1, [[1, 1, 0, 0, 1, 0, [1, 2]]], [None]]]
    data = {**packed, "history": {EVIL: [1.0, 2.0]}, "records": {"wires": [EVIL], "steps": figures, "each": 1}}
    file = tmp_path / "evil.html"
    file.write_text(whole.page(EVIL, data), encoding="utf-8")
    browser.said.clear()
    browser.open(file)
    browser.click(*middle(browser, EVIL))
    assert browser.run("[document.images.length, document.scripts.length, typeof evil]") == [0, 2, "undefined"]
    assert browser.run("document.getElementById('title').textContent") == EVIL and browser.said == []


def test_a_window_of_another_size_keeps_the_middle_where_the_reader_has_moved(browser):
    size = {"deviceScaleFactor": 1, "mobile": False}
    browser.call("Emulation.setDeviceMetricsOverride", width=1000, height=600, **size)
    browser.run("new Promise(f => requestAnimationFrame(() => setTimeout(f)))")
    browser.key("+")
    (x, y), scale = where(browser)
    browser.call("Emulation.setDeviceMetricsOverride", width=1200, height=800, **size)
    browser.run("new Promise(f => requestAnimationFrame(() => setTimeout(f)))")
    assert where(browser) == ([pytest.approx(x + 100, abs=0.1), pytest.approx(y + 100, abs=0.1)], scale)
    browser.run("document.getElementById('fit').click()")


def test_a_narrow_window_scrolls_down_only(browser):
    browser.call("Emulation.setDeviceMetricsOverride", width=320, height=480, deviceScaleFactor=1, mobile=False)
    assert browser.run("document.documentElement.scrollWidth") == 320
    browser.call("Emulation.setDeviceMetricsOverride", width=1200, height=800, deviceScaleFactor=1, mobile=False)


def test_the_search_finds_what_stands_in_a_closed_box(browser):
    browser.key("/")
    for letter in "log soft":
        browser.key(letter)
    assert text(browser, "hits") == "1 found"
    browser.key("Enter")
    assert text(browser, "named") == "log softmax" and text(browser, "facts").startswith("whatLogSoftmax")
    assert browser.run(f"{BOX}.filter(g => g.getAttribute('aria-expanded') === 'true').length") == 1
