"""Pages to explore: which pictures are in them, what is said of boxes, and that names stay data."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest

import lensgrad as lg
from lensgrad import recipes
from lensgrad.core.errors import BadValue
from lensgrad.draw.explore import pack
from lensgrad.draw.explore.states import Asked, wanted
from lensgrad.draw.front import placed, scened
from lensgrad.draw.placed import Stroke
from lensgrad.draw.style import INK
from tools.diagrams import adder, game

HOSTILE = [
    "</script><script>evil()</script>",
    "<!--<script>",
    "\u2028\u2029",
    "\"'`onload=evil()",
    "\x1b[31mred",
    "{{data}}{{program}}",
    "&lt;b&gt;",
    "𝕏é",
]


class Parts(HTMLParser):
    """The elements of a page, and what is in its scripts and styles."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.inside, self.open = [], [], {}, None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        kind = dict(attrs).get("type", tag)
        self.open = kind if tag in ("script", "style", "title") else None

    def handle_endtag(self, tag):
        self.open = None

    def handle_data(self, data):
        if self.open:
            self.inside[self.open] = self.inside.get(self.open, "") + data


def made(subject, tmp_path, name="page.html", **how):
    file = tmp_path / name
    lg.explore(subject, file, **how)
    return Parts(file.read_text(encoding="utf-8"))


def data(page):
    return json.loads(page.inside["application/json"])


def opened(found):
    return [sorted(found["texts"][t] for t in p["open"]) for p in found["pictures"]]


def learner(names=("hidden", "out")):
    model = lg.sequential(lg.input(4), lg.dense(5, activation="relu", name=names[0]), lg.dense(3, name=names[1]))
    return lg.supervised(model, loss=lg.cross_entropy, optimizer=lg.sgd(0.05, momentum=0.9), metrics=["accuracy"])


def test_a_small_learner_has_a_picture_for_every_set_of_open_boxes(tmp_path):
    found = data(made(learner(), tmp_path))
    singles = ["hidden", "loss", "out"]
    every = [[s for k, s in enumerate(singles) if n >> k & 1] for n in range(8)]
    deeper = [[*s[:1], "hidden/relu", *s[1:]] for s in every if "hidden" in s]
    assert found["full"] and sorted(opened(found)) == sorted(every + deeper)
    assert opened(found)[0] == []


def test_the_pictures_are_those_of_draw(tmp_path):
    task = learner()
    found = data(made(task, tmp_path))
    for depth in (0, 1, 2):
        picture = placed(task, depth=depth, width=float("inf"))
        names = sorted({"/".join(p.id.split("/")[-1:]) for p in picture.plates if p.kind == "frame"})
        mine = next(p for p in found["pictures"] if sorted(found["texts"][t].split("/")[-1] for t in p["open"]) == names)
        shapes = [[found["texts"][found["shapes"][s][0]], x, y, *found["shapes"][s][1:3]] for s, x, y in mine["plates"]]
        assert shapes == [[p.kind, *(round(v, 1) for v in (p.x, p.y, p.width, p.height))] for p in picture.plates]
        assert len(mine["strokes"]) == len(picture.strokes)
        starts = [[round(s.path[0][1], 1), round(s.path[0][2], 1)] for s in picture.strokes]
        assert [place for _, *place in mine["strokes"]] == starts


def facts_of(found, label, kind="lens"):
    texts, shapes = found["texts"], found["shapes"]
    for shape, _, _ in found["pictures"][0]["plates"]:
        row = shapes[shape]
        if texts[row[0]] == kind and [texts[t] for t in row[3]] == [label]:
            return {texts[a]: texts[b] for a, b in found["facts"][row[6]]}
    raise LookupError(label)


def test_a_box_is_told_with_types_weights_bytes_and_operations(tmp_path):
    assert facts_of(data(made(learner(), tmp_path)), "hidden") == {
        "takes": "f32[4]; back: Δf32[4]",
        "parameters": "f32[5,4] × f32[5]; back: Δf32[5,4] × Δf32[5]",
        "gives": "f32[5]; back: Δf32[5]",
        "weights": "25 numbers, 100 bytes",
        "bytes given": "20",
        "operations": "55 ahead, of one example",
    }


def test_a_box_weighs_the_same_open_and_closed(tmp_path):
    model = lg.sequential(lg.input(2, 2, 3), lg.batch_norm(name="norm"), lg.flatten(), lg.dense(3, name="out"))
    found = data(made(lg.supervised(model, loss=lg.mse, optimizer=lg.adam(0.1)), tmp_path))
    told = {}
    for picture in found["pictures"]:
        for shape, _, _ in picture["plates"]:
            row = found["shapes"][shape]
            if row[7] >= 0:
                facts = {found["texts"][a]: found["texts"][b] for a, b in found["facts"][row[6]]}
                told.setdefault(found["texts"][row[7]], []).append(facts.get("weights"))
    assert {box: set(told[box]) for box in ("norm", "out")} == {"norm": {"6 numbers, 24 bytes"}, "out": {"39 numbers, 156 bytes"}}


def test_the_operations_are_those_of_the_summary(tmp_path):
    told = facts_of(data(made(learner(), tmp_path)), "out")["operations"]
    row = next(line for line in learner().summary().splitlines() if line.startswith("out "))
    assert told.split()[0] == row.split()[4]


def test_names_are_data_wherever_they_stand(tmp_path):
    seen = 0
    for number, name in enumerate(HOSTILE):
        try:
            task = learner((name, "out"))
        except lg.LensgradError:
            continue  # a name that the library refuses does not reach a page
        page, plain = made(task, tmp_path), made(learner(), tmp_path)
        assert (page.tags, page.attributes) == (plain.tags, plain.attributes), number
        seen += 1
        text = page.inside["application/json"]
        assert text.isascii() and not set("<>&") & set(text)
        assert not any(ord(c) < 32 or c == "\x7f" for c in text)
    assert seen == 6


def test_hostile_texts_do_not_end_their_element():
    from lensgrad.draw.explore.page import page

    given = {"texts": HOSTILE, "history": {name: [1.0] for name in HOSTILE}}
    found = Parts(page("</title><script>evil()</script>{{data}}", given))
    assert found.tags == Parts(page("plain", {})).tags
    assert data(found) == given
    assert found.inside["title"].startswith("</title><script>")


def test_the_policy_lets_only_its_own_program_and_style_run(tmp_path):
    page = made(learner(), tmp_path)
    policy = next(v for k, v in page.attributes if k == "content" and "default-src" in v)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    for kind, text in (("script", page.inside["script"]), ("style", page.inside["style"])):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[f"{kind}-src"] == f"'sha256-{digest}'"
    assert (rules["default-src"], rules["base-uri"], rules["form-action"]) == ("'none'",) * 3
    assert not {k for k, _ in page.attributes} & {"src", "href", "style", "onclick", "onload", "srcset"}
    for word in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "fetch(", "XMLHttp", "import(", "Function("):
        assert word not in page.inside["script"]
    assert not re.search(r"url\((?!#)|@import", page.inside["style"])


def test_a_run_has_its_curves_and_its_records(tmp_path):
    train, _ = lg.data.split(lg.data.iris(), 0.5, seed=0)
    run = learner().fit(train, epochs=4, seed=0, progress=False, validation_split=0.2, record=lg.record(every=2, bins=4))
    found = data(made(run, tmp_path))
    assert list(found["history"]) == list(run.history[0])
    assert found["history"]["loss"] == [float(f"{r['loss']:.4g}") for r in run.history]
    told, first = found["records"], run.records[0]
    assert [s[:2] for s in told["steps"]] == [[r.step, r.epoch] for r in run.records] and told["each"] == 1
    at = told["wires"].index("hidden/out")
    mean, norm, zeros, low, high, odd, counts = told["steps"][0][2][at]
    assert counts == list(first["hidden/out"].counts) and odd == 0
    assert [mean, norm, zeros, low, high] == [float(f"{v:.4g}") for v in first["hidden/out"].figures[:5]]
    assert told["steps"][0][3][at][6] == list(first.cotangent["hidden/out"].counts)


def test_many_records_are_thinned_and_the_page_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(pack, "MOST_NUMBERS", 400)
    train, _ = lg.data.split(lg.data.iris(), 0.5, seed=0)
    run = learner().fit(train, epochs=4, seed=0, progress=False, record=lg.record(every=1, bins=4))
    told = data(made(run, tmp_path))["records"]
    assert told["each"] > 1 and len(told["steps"]) == -(-len(run.records) // told["each"])


def test_what_is_not_finite_is_no_number():
    assert pack.history(({"loss": float("inf")}, {"loss": float("nan"), "new": 1.0})) == {"loss": [None, None], "new": [None, 1.0]}


def test_a_page_without_room_has_the_closed_picture_first(tmp_path, monkeypatch):
    monkeypatch.setattr(pack, "MOST_BOXES", 0)
    found = data(made(learner(), tmp_path))
    assert opened(found) == [[]] and found["full"] is False


@pytest.mark.parametrize("name", ["iris", "mnist", "cifar10"])
def test_the_page_of_a_task_is_below_a_megabyte(name, tmp_path, monkeypatch):
    monkeypatch.setattr(pack, "MOST_PICTURES", 20)
    page = made(recipes.task(name).learner(), tmp_path)
    assert (tmp_path / "page.html").stat().st_size < 1_000_000
    singles = [o[0] for o in opened(data(page)) if len(o) == 1]
    frames = {b.tip for b in scened(recipes.task(name).learner(), depth=1).boxes if b.kind == "frame"}
    assert "loss" in frames and frames <= {*singles}


def test_blocks_open_with_what_is_around_them():
    block = lg.sequential(lg.input(3, 8), *[lg.transformer_block(2, name=f"block{k}") for k in range(2)])
    sets = [*wanted(Asked(block, None, False, INK).levels())]
    assert sets[0] == frozenset() and len(sets) == len(set(sets))
    assert frozenset({("block1",), ("block1", "attention")}) in sets
    assert all(path[:k] in opened for opened in sets for path in opened for k in range(1, len(path)))


@pytest.mark.parametrize(
    "what", [adder, game, lambda: lg.dense(2, 3), lambda: lg.dense(2, 3).arrow], ids=["circuit", "gan", "model", "arrow"]
)
def test_whatever_is_drawn_is_explored(what, tmp_path):
    assert data(made(what(), tmp_path))["pictures"]


def test_methods_and_views(tmp_path):
    file = tmp_path / "m.html"
    learner().model.explore(file, view="lens")
    assert "Δf32[5]" in " ".join(data(Parts(file.read_text(encoding="utf-8")))["texts"])
    learner().explore(file, view="step", types=True, states=True)
    assert data(Parts(file.read_text(encoding="utf-8")))["pictures"][0]["notes"]


def test_wrong_files_and_views_are_answered(tmp_path):
    with pytest.raises(BadValue, match=r"a page to explore ends in \.html, got 'a\.svg'; lg\.draw writes pictures"):
        lg.explore(learner(), "a.svg")
    with pytest.raises(BadValue, match="view must be one of arrow, lens, step, got 'len'"):
        lg.explore(learner(), tmp_path / "a.html", view="len")
    with pytest.raises(lg.LensgradError, match="what is drawn must be an arrow"):
        lg.explore(3, tmp_path / "a.html")
    with pytest.raises(lg.LensgradError, match="explore takes no 'depth': boxes are opened in the page, by a click or Enter"):
        learner().explore(tmp_path / "a.html", depth=2)


@pytest.mark.parametrize("arrow", ["start", "end"])
def test_the_middle_of_a_head_is_before_the_end_also_behind_a_curve(arrow):
    way = (("M", 0.0, 0.0), ("L", 4.0, 0.0), ("C", 10.0, 0.0, 10.0, 8.0, 16.0, 8.0), ("L", 20.0, 8.0))
    *_, drawn = pack.Packer().stroke(Stroke("ahead", way, arrow))
    assert (drawn.startswith("M3.8 0"), drawn.endswith("L16.2 8")) == (arrow == "start", arrow == "end")
