"""Pictures: what is in them, that they are read by other programs, and that names stay names."""

import json
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from refusals import told

import lensgrad as lg
from lensgrad.circuits import Circuit
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.draw.front import drawn_text, placed, scened, shown_svg
from lensgrad.draw.gates import gates_net
from lensgrad.draw.groups import of_scopes, scoped
from lensgrad.draw.labels import bundle
from lensgrad.draw.net import Opens
from lensgrad.draw.png import zoom
from lensgrad.draw.style import INK, thousandths
from lensgrad.draw.svg import HEAD, svg
from lensgrad.draw.text import bands
from lensgrad.lens import Diagram, Ty, corner, lens, parametric
from tools.diagrams import DIAGRAMS, adder, game, quickstart

SVG = "{http://www.w3.org/2000/svg}"


def kinds(scene):
    return [b.kind for b in scene.boxes]


def labels(scene):
    return [b.label for b in scene.boxes if b.label]


def test_a_model_is_its_layers_with_parameters_above():
    scene = scened(quickstart().model)
    assert labels(scene) == ["f32[4]", "weight.0, bias.0", "dense", "weight.1, bias.1", "dense", "f32[3]"]
    stands = [(scene.box(w.source[0]).label, scene.box(w.target[0]).label) for w in scene.wires if w.target[1].startswith("top")]
    assert stands == [("weight.0, bias.0", "dense"), ("weight.1, bias.1", "dense")]


def test_a_learner_is_model_loss_and_rate_with_optimizers_above():
    scene = scened(quickstart())
    assert labels(scene) == [
        "weight.0, bias.0 + velocity", "sgd(0.02, momentum=0.9)", "dense", "weight.1, bias.1 + velocity", "sgd(0.02, momentum=0.9)",
        "dense", "y", "cross_entropy", "rate(1.0)", "x", "loss", "accuracy",
    ]  # fmt: skip
    rate = next(b for b in scene.boxes if b.kind == "cap")
    assert [(p.ahead, p.back) for p in rate.ports] == [("f32[]", "Δf32[]")]


def test_a_step_has_both_passes_and_what_the_way_back_reads():
    scene = scened(quickstart(), view="step")
    first, second, loss = (b for b in scene.boxes if b.reverse)
    assert (first.reverse, second.reverse, loss.reverse) == ("R[dense]", "R[dense]", "R[cross_entropy]")
    assert first.reads == ("f32[16,4]", "f32[16]", "f32[4]")  # the sigmoid is computed again from all three
    assert second.reads == ("f32[3,16]", "f32[16]")  # the bias is added: R does not read it
    assert not any(p.back for b in scene.boxes if b.kind == "corner" for p in b.ports)  # nobody returns a gradient of the data


def test_frozen_weights_have_no_way_back_in_a_step():
    frozen = lg.supervised(lg.dense(4, 3), loss="mse", optimizer={"bias": lg.descent})
    scene = scened(frozen, view="step")
    above = {b.label: bool(b.ports[-1].back) for b in scene.boxes if b.kind == "parameter"}
    assert above == {"weight": False, "bias": True, "y": False, "x": False}


def test_a_dream_learns_its_input():
    from lensgrad.train.games import dreaming

    scene = scened(dreaming(quickstart().model))
    (corner,) = (b for b in scene.boxes if b.kind == "corner")
    (above,) = (w.source[0] for w in scene.wires if w.target[0] == corner.id)
    assert scene.box(above).label == "ascent"


def test_a_lens_made_by_hand_has_what_depends_on_its_labels_as_one_box():
    made = (lens(corner(lg.Real(4), "x") >> lg.dense(4, 3) >> lg.mse("y")) >> lg.rate(0.1)).reparam({lg.weights: lg.descent})
    assert labels(scened(made)) == ["weight, bias", "descent", "dense", "y", "mse", "rate(0.1)", "x", "loss"]
    assert kinds(scened(made, open="loss")).count("frame") == kinds(scened(made, open="mse")).count("frame") == 1
    with pytest.raises(BadValue, match="no box to open is called 'mae'; this picture has: dense, mse: did you mean 'mse'"):
        scened(made, open="mae")


def test_constants_go_with_what_alone_reads_them():
    model = lg.sequential(lg.input(4), lg.dense(4, name="layer")).lora("**/weight", rank=2)
    scene = scened(lg.supervised(model, "mse", lg.descent))
    assert labels(scene).count("layer") == 1 and "1" not in labels(scene)
    (corner_,) = (b for b in scene.boxes if b.kind == "corner")
    (above,) = (scene.box(w.source[0]).label for w in scene.wires if w.target[0] == corner_.id)
    assert above == "x"


def test_a_game_shares_its_discriminator_on_one_cable():
    scene = scened(game())
    assert labels(scene).count("discriminator") == 2
    (shared,) = (b for b in scene.boxes if b.kind == "corner" and b.port("out").ahead.count("×"))
    assert len({w.target[0] for w in scene.wires if w.source[0] == shared.id}) == 2


def test_boxes_open_by_depth_and_by_name():
    model = quickstart().model
    assert kinds(scened(model, depth=1)).count("frame") == 2
    assert kinds(scened(model, open="dense~2")).count("frame") == 1
    inside = next(b.inside for b in scened(model, depth=1).boxes if b.kind == "frame")
    assert labels(inside) == ["weight.0", "einsum", "bias.0", "+", "σ"]
    deep = scened(lg.sequential(lg.input(8, 16), lg.transformer_block(2, name="block")), open="block/attention")
    opened = [b for b in deep.boxes if b.kind == "frame"]
    assert [b.label for b in opened] == ["block"] and [b.label for b in opened[0].inside.boxes if b.kind == "frame"] == ["attention"]
    assert Opens(0, ("block*",))(("block1",)) and not Opens(0, ("block*",))(("block1", "norm"))


def test_states_are_shown_on_request():
    learner = lg.supervised(lg.sequential(lg.input(4), lg.batch_norm(name="norm")), loss="mse", optimizer="sgd")
    outs = {s: [b.label for b in scened(learner, states=s).boxes if b.kind == "output"] for s in (False, True)}
    assert outs == {False: ["loss"], True: ["norm/mean", "norm/variance", "loss"]}


def test_numbered_states_are_those_that_a_step_moves():
    block = lg.sequential(lg.dense(4, 4), lg.batch_norm(), lg.dense(4), lg.batch_norm()).scope("block")
    learner = lg.supervised(lg.sequential(lg.input(4), block), loss="mse", optimizer="sgd")
    moved = [f"block/{name}.{k}" for k in range(2) for name in ("mean", "variance")]
    outs = {s: [b.label for b in scened(learner, states=s).boxes if b.kind == "output"] for s in (False, True)}
    assert outs == {False: ["loss"], True: [*moved, "loss"]}
    assert "block/ 4 arrays" in labels(scened(learner))


def test_a_shortcut_and_what_it_passes_by_are_told_apart():
    a, b, c, d = (lg.dense(4, name=n) for n in "abcd")
    block = lg.residual(lg.sequential(a, b), shortcut=lg.sequential(c, d), name="block")
    model = lg.sequential(lg.input(4), lg.dense(4, name="in"), block)
    assert [b.label for b in scened(model).boxes if b.kind == "box"] == ["in", "block shortcut", "block", "+"]
    assert [b.label for b in scened(model, open="block shortcut").boxes if b.kind == "frame"] == ["block shortcut"]


def test_a_picture_is_plain_data():
    for make, how in (DIAGRAMS["quickstart as a step"], DIAGRAMS["full adder"]):
        picture = placed(make(), **how)
        assert json.loads(json.dumps(picture.as_dict()))["width"] == picture.width
        options = {k: v for k, v in how.items() if k != "types"}
        assert json.loads(json.dumps(scened(make(), **options).as_dict()))["boxes"]
        ids = [(p.id, p.part) for p in picture.plates]
        assert len(set(ids)) == len(ids)


def test_the_same_arrow_gives_the_same_text():
    assert svg(placed(quickstart())) == svg(placed(quickstart()))


def test_svg_names_its_boxes_and_draws_both_ways():
    root = ET.fromstring(svg(placed(quickstart(), view="step")))
    titles = [g.find(f"{SVG}title").text for g in root.iter(f"{SVG}g")]
    assert len(titles) == len(list(root.iter(f"{SVG}g"))) and "LogSoftmax" not in titles[0]
    assert root.get("aria-label") == "from left to right: dense, dense, cross_entropy, rate(1.0), loss, accuracy"
    strands = {p.get("class") for p in root.iter(f"{SVG}path")}
    assert {"ahead", "back", "read", "head ahead", "head back"} <= strands
    style = root.find(f"{SVG}style").text
    assert "prefers-color-scheme:dark" in style and ".lensgrad path.back{stroke-dasharray:6 3}" in style
    rules = re.findall(r"([^{}]+)\{[^{}]*\}", style.replace("@media (prefers-color-scheme:dark){", ""))
    assert rules and all(s.startswith(".lensgrad ") for rule in rules for s in rule.split(","))  # a page keeps its own style


HOSTILE = ("</svg><script>alert(1)</script>", 'a" onload="x', "$x_{1}$ & \\input{/etc/passwd} % #", "日本語 ü")


@pytest.mark.parametrize("name", HOSTILE)
def test_names_stay_names(name, tmp_path):
    name = name.replace("/", "|")  # which is a level of a name
    model = lg.sequential(lg.input(4), lg.dense(3, name=name))
    model.draw(tmp_path / "a.svg", depth=1, types=True)
    root = ET.fromstring((tmp_path / "a.svg").read_text(encoding="utf-8"))
    assert not list(root.iter(f"{SVG}script")) and all("onload" not in e.attrib for e in root.iter())
    assert name[:20] in "".join(root.itertext())
    model.draw(tmp_path / "a.tex")
    tex = (tmp_path / "a.tex").read_text(encoding="utf-8")
    assert "\\input" not in tex and not re.search(r"(?<!\\)[&#%$]x|(?<!\\)&", tex)
    assert name[:20] in drawn_text(model)


def test_endings_decide_and_others_are_refused(tmp_path):
    model = quickstart().model
    for ending, begin in (("svg", b"<svg"), ("tex", b"% needs"), ("txt", b" ")):
        lg.draw(model, tmp_path / f"a.{ending}")
        assert (tmp_path / f"a.{ending}").read_bytes().startswith(begin)
    assert told(BadValue, lambda: model.draw("a.gif")) == "a picture ends in .svg, .tex, .png, .txt, got 'a.gif'"
    assert told(BadValue, lambda: model.draw("a.html")).endswith("got 'a.html'; lg.explore writes a page")


def test_a_gigantic_picture_gets_fewer_pixels():
    text = '<svg xmlns="http://www.w3.org/2000/svg" width="{}" height="{}"></svg>'
    assert zoom(text.format(300, "200.5")) == 2.0
    assert zoom(text.format(70000, 4000)) == pytest.approx((2**26 / 280e6) ** 0.5)


def test_png_is_drawn_by_resvg(tmp_path):
    pytest.importorskip("resvg_py")
    quickstart().draw(tmp_path / "a.png")
    image = (tmp_path / "a.png").read_bytes()
    width = int.from_bytes(image[16:20], "big")
    assert image.startswith(b"\x89PNG") and abs(width - 2 * placed(quickstart()).width) <= 2


def test_an_image_without_letters_is_refused(tmp_path, monkeypatch):
    resvg = pytest.importorskip("resvg_py")
    monkeypatch.setattr(resvg, "svg_to_bytes", lambda **_: b"an image without fonts")
    assert told(BadValue, lambda: quickstart().draw(tmp_path / "a.png")) == (
        "a picture in PNG needs a font without serifs, and this machine has none: install one, such as DejaVu Sans, or "
        "pip install 'lensgrad[plot]', which brings it, or write .svg"
    )


def test_what_has_no_picture_is_refused():
    assert told(TypeMismatch, lambda: lg.draw(3, "a.svg")) == "what is drawn must be an arrow, a lens, a model, a learner or a run, got 3"
    assert told(TypeMismatch, lambda: lg.draw(lg.relu, "a.svg")) == (
        "relu has no type before it meets one, so it has no picture: begin with lg.input(…), or give it its object with .at(…)"
    )
    model = quickstart().model
    assert told(BadValue, lambda: model.draw("a.svg", view="lense")) == (
        "view must be one of arrow, lens, step, got 'lense': did you mean 'lens'?"
    )
    assert (
        told(BadValue, lambda: lens(model).draw("a.svg", view="arrow")) == "a lens goes both ways: draw it with view='lens' or view='step'"
    )
    assert told(BadValue, lambda: model.draw("a.svg", depth=-1)) == "depth must be a whole number ≥ 0, got -1"


def test_arguments_of_other_libraries_are_answered():
    model = quickstart().model
    assert told(TypeMismatch, lambda: model.draw("a.svg", show_shapes=True)) == "draw takes no 'show_shapes': it is types=True here"
    assert told(TypeMismatch, lambda: lg.draw(model, "a.svg", dept=1)) == "draw takes no 'dept': did you mean 'depth'?"
    assert told(TypeMismatch, lambda: lg.draw(model)) == "draw(subject, path, view=…, …) needs 'path' too: give it"


def test_notebooks_show_what_is_not_too_large():
    model = quickstart().model
    assert model._repr_svg_() == svg(placed(model)) == shown_svg(model)
    assert all(ET.fromstring(x._repr_svg_()) is not None for x in (quickstart(), lens(model), model.arrow, lens(model).arrow, adder()))
    assert lg.relu._repr_svg_() is None
    assert lg.linear(3, 3).arrow._repr_svg_() is not None
    many = lg.sequential(lg.input(2), *[lg.dense(2)] * 300)
    assert many._repr_svg_() is None


def test_text_for_terminals():
    assert drawn_text(quickstart().model) == TEXT


TEXT = """\
          weight.0, bias.0   weight.1, bias.1
                  │                  │
                  ▼                  ▼
              ┌───┴────┐         ┌───┴────┐
f32[4] ──────▶┤ dense  ├────────▶┤ dense  ├─────▶f32[3]
              └────────┘         └────────┘"""


def test_text_of_a_lens_has_both_ways():
    lines = drawn_text(quickstart()).splitlines()
    assert any("▶┤ dense  ├───" in line for line in lines) and any("┤        ├◀╌╌╌" in line for line in lines)
    assert len(re.findall("rate", drawn_text(quickstart()))) == 1


def test_wires_that_turn_in_a_text_have_columns_of_their_own():
    assert drawn_text(adder()) == ADDER
    places = [ADDER.index(f"{name} ─") for name in adder().inputs]
    assert places == sorted(places)  # inputs in their order


ADDER = """\
          ┌────┐
a ─●─┬───▶┤    │                    ┌────┐
     │    │ ∧  ├───────────────────▶┤    │
b ─●┬┼───▶┤    │          ┌────┐    │ ∨  ├──────────▶over
    ││    └────┘ ┌───────▶┤    │ ┌─▶┤    │
    ││   carry ─●┴──┐     │ ∧  ├─┘  └────┘
    ││    ┌────┐  ┌─┼────▶┤    │
    │└───▶┤    │  │ │     └────┘    ┌────┐
    │     │ ⊕  ├●─┴┐└──────────────▶┤    │  ┌────┐
    └────▶┤    │   │      ┌────┐    │ ⊕  ├─▶┤ ¬  ├──▶sum
          └────┘   └─────▶┤ ¬  ├───▶┤    │  └────┘
                          └────┘    └────┘"""


def wild(seed):
    """A circuit of three inputs and random gates, among them each way to write an exclusive or."""
    rng = np.random.default_rng(seed)
    ands = []
    for k in range(6):
        a, b = (int(rng.integers(2, 2 * (4 + len(ands)))) for _ in range(2))
        ands += [(a, b), (a ^ 1, b ^ 1)]
        ands.append((2 * (4 + len(ands) - 2) + 1, 2 * (4 + len(ands) - 1) + 1) if k % 2 else (b ^ 1, a))
    roots = rng.integers(0, 2 * (4 + len(ands)), 4)
    return Circuit(("a", "b", "c"), ("w", "x", "y", "z"), np.array(ands), roots)


@pytest.mark.parametrize("circuit", [adder(), *map(wild, range(40))])
def test_gates_that_are_drawn_compute_what_the_circuit_does(circuit):
    net = gates_net(circuit)
    rows = np.array([[(s >> i) & 1 for i in range(3)] for s in range(8)])
    values = {e.wire: rows[:, k] for k, e in enumerate(net.entries)}
    signs = {"∧": np.logical_and, "∨": np.logical_or, "⊕": np.logical_xor, "¬": np.logical_not}
    for step in net.steps:
        constant = np.full(8, int(step.label)) if step.label in "01" else None
        values[step.outs[0]] = constant if constant is not None else signs[step.label](*(values[a] for a in step.args)).astype(int)
    assert np.array_equal(np.stack([values[e.wire] for e in net.exits], 1), circuit.run(rows))


def test_an_exclusive_or_is_one_gate():
    assert [s.label for s in gates_net(adder()).steps].count("⊕") == 2


def test_widths_are_those_of_the_widest_usual_font():
    assert INK.width("dense", 10) == 30.2
    fonts, files = pytest.importorskip("fontTools.ttLib"), pytest.importorskip("matplotlib")
    font = fonts.TTFont(f"{files.get_data_path()}/fonts/ttf/DejaVuSans.ttf")
    sizes, names, unit = font["hmtx"], font.getBestCmap(), font["head"].unitsPerEm
    for c in [*map(chr, range(32, 127)), *"ΔΣσ×−√∧∨⊕¬→…′é"]:
        real = 1000 * sizes[names[ord(c)]][0] / unit
        assert thousandths(c) >= real - 0.5 and (c > "~" or thousandths(c) <= real + 0.5), c


def test_scopes_are_the_outermost_of_which_there_are_several():
    assert scoped(["encoder/w", "encoder/b", "head/w", "scale"]) == ["encoder", "encoder", "head", ""]
    assert scoped(["net.encoder.0.weight", "net.encoder.1.weight", "net.head.bias", "net.scale"]) == ["encoder", "encoder", "head", ""]
    assert scoped(["weight.0", "bias.0", "weight.1"]) == ["", "", ""]
    assert scoped(["block/w", "block/b"]) == ["block", "block"]


def test_a_reshaped_kernel_is_in_the_box_of_its_scope():
    def times(w, rows, x):
        return lg.ops.einsum("ij,j->i", lg.ops.reshape(w, rows, x.shape[0]), x)

    weights = [lg.weight(name, lg.Real(n)) for name, n in {"a/w": 12, "a/b": 3, "c/v": 6}.items()]
    named = parametric(weights, lg.Real(4), lambda w, b, v, x: times(v, 2, times(w, 3, x) + b))
    assert sorted({(n.op.name, *of_scopes(named, named.arrow).get(k, ())) for k, n in enumerate(named.arrow.nodes)}) == [
        ("Add", "a", 0),
        ("Einsum", "a", 0),
        ("Einsum", "c", 0),
        ("Reshape", "a", 0),
        ("Reshape", "c", 0),
    ]


def test_shortcuts_far_apart_are_no_box_around_all_between_them():
    def block(k):
        return lg.residual(lg.dense(4, name=f"b{k}"), shortcut=lg.dense(4, name=f"s{k}"))

    model = lg.sequential(lg.input(4), block(1), block(2), block(3))
    labels = {line for box in scened(model).boxes for line in box.lines}
    assert {"b1", "b2", "b3", "s1", "s2", "s3"} <= labels
    assert not [line for line in labels if "shortcut" in line and "/" not in line]


def test_a_line_ends_below_its_head_which_is_a_plain_triangle():
    text = svg(placed(quickstart()))
    assert text.index(".lensgrad path.head{stroke:none}") > max(text.index(f"path.{s}{{stroke:") for s in ("ahead", "back", "read"))
    line, head = re.search(
        r'd="M[\d.]+ ([\d.]+)L([\d.]+) \1">(?:<title>[^<]*</title>)?</path><path class="head ahead" d="M([\d.]+) \1', text
    ).groups()[1:]
    assert float(head) - float(line) == pytest.approx(HEAD / 2, abs=0.06)


def test_many_parameters_of_one_scope_are_counted():
    assert bundle(["encoder/attention/weight", "encoder/attention/bias"]) == ("encoder/attention/", "weight, bias")
    assert bundle(["discriminator/weight.0", "discriminator/bias.0"]) == ("discriminator/", "weight.0, bias.0")
    assert bundle(["lstm/input/weight", "lstm/state/weight", "lstm/bias"]) == ("lstm/ 3 arrays",)
    assert bundle(["block3/attention_norm/inner/scale", *(f"block3/attention_norm/inner/b{k}" for k in range(4))]) == ("…/inner/ 5 arrays",)
    assert bundle(["attention_norm/scale", *(f"attention/weight_{k}" for k in range(15))]) == ("16 arrays",)
    assert bundle(["hidden/weight", "hidden/bias"]) == ("hidden/ weight, bias",)


def test_a_text_that_is_wider_than_a_terminal_stands_in_pieces():
    whole = drawn_text(quickstart())
    pieces = bands(whole, 60).split("\n" + "· " * 30 + "\n")
    assert len(pieces) == -(-max(map(len, whole.split("\n"))) // 60) and all(len(row) <= 60 for p in pieces for row in p.split("\n"))
    assert "cross_entropy" in pieces[1] and "x" in pieces[0] and all(p.strip() for p in pieces)
    assert bands(whole, 300) == whole == bands(whole, 8) and bands("", 40) == ""


@pytest.mark.parametrize("write", [lg.draw, lg.explore])
def test_a_file_that_cannot_be_written_is_told(write, tmp_path):
    place = tmp_path / "none" / ("a.html" if write is lg.explore else "a.svg")
    assert told(BadValue, lambda: write(lg.dense(2, 2), place)) == f"'{place}' cannot be written: the folder '{place.parent}' is missing"
    (tmp_path / "none").write_text("", encoding="utf-8")
    assert "cannot be written" in told(BadValue, lambda: write(lg.dense(2, 2), place))


def test_nothing_has_a_picture_in_every_form(tmp_path):
    nothing = Diagram.wiring(Ty(), [])
    for ending in ("svg", "tex", "txt"):
        lg.draw(nothing, tmp_path / f"a.{ending}")
    lg.explore(nothing, tmp_path / "a.html")
    assert drawn_text(nothing) == "" and ET.fromstring((tmp_path / "a.svg").read_text(encoding="utf-8")).get("width") == "28"
