"""Pictures are read as they are, or refused in a sentence: nothing is resized, made gray, or put on a background."""

import sys

import numpy as np
import pytest

from lensgrad.core.errors import BadValue, LensgradWarning, MissingData, MissingExtra
from lensgrad.data.pictures import folder, picture

Image = pytest.importorskip("PIL.Image", reason="Pillow is an optional package")
PIXELS = np.random.default_rng(0).integers(0, 256, (3, 5, 3), np.uint8)


def saved(path, array, mode=None):
    found = Image.fromarray(array)
    (found if mode is None else found.convert(mode)).save(path)
    return path


def told(error, *args):
    with pytest.raises(error) as found:
        picture(*args)
    return str(found.value)


@pytest.mark.parametrize("ending", ["png", "bmp"])
def test_the_bytes_of_a_picture_are_those_that_were_saved(tmp_path, ending):
    color, gray = (saved(tmp_path / f"{k}.{ending}", x) for k, x in enumerate((PIXELS, PIXELS[..., 0].copy())))
    assert np.array_equal(picture(color, (3, 5, 3)), PIXELS)
    assert np.array_equal(picture(gray, (3, 5, 1)), PIXELS[..., :1])
    two = np.where(PIXELS[..., :1] > 99, np.uint8([255, 0, 51]), np.uint8([0, 0, 0]))  # both among the colors of the web
    palette = Image.fromarray(two).convert("P", palette=Image.Palette.WEB)
    palette.save(tmp_path / f"palette.{ending}")
    assert palette.mode == "P" and np.array_equal(picture(tmp_path / f"palette.{ending}", (3, 5, 3)), two)
    black = saved(tmp_path / "black.png", (PIXELS[..., 0] > 99).astype("uint8") * 255, "1")
    assert np.array_equal(picture(black, (3, 5, 1))[..., 0], (PIXELS[..., 0] > 99) * 255)


def test_what_is_no_picture_of_the_model_is_refused(tmp_path):
    color, gray = saved(tmp_path / "c.png", PIXELS), saved(tmp_path / "g.png", PIXELS[..., 0].copy())
    clear = saved(tmp_path / "t.png", np.dstack([PIXELS, PIXELS[..., 0]]))
    deep = saved(tmp_path / "d.png", PIXELS[..., 0].astype("uint16") * 256)
    assert told(BadValue, color, (3, 5, 1)) == f"'{color}' is a color picture, and this model expects gray ones: turn it into one first"
    assert told(BadValue, gray, (3, 5, 3)) == f"'{gray}' is a gray picture, and this model expects color ones: turn it into one first"
    size = f"'{color}' is 5 pixels wide and 3 high, and this model expects 28 and 32: cut it out or resize it first"
    assert told(BadValue, color, (32, 28, 3)) == size
    behind = "is transparent in places, and nobody here knows what is behind: put it on a background first"
    assert told(BadValue, clear, (3, 5, 3)) == f"'{clear}' {behind}"
    kind = "is a picture of kind I;16: save it as 8 bits gray, or as 8 bits each of red, green and blue"
    assert told(BadValue, deep, (3, 5, 1)) == f"'{deep}' {kind}"
    shape = "is a picture, and this model expects arrays of shape (4,): give numbers, as a .csv or .npy file"
    assert told(BadValue, color, (4,)) == f"'{color}' {shape}"


def test_a_damaged_picture_is_refused(tmp_path):
    whole = saved(tmp_path / "whole.png", np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)).read_bytes()
    for bad, text in ((whole[:9000], "is damaged: its pixels cannot be read"), (b"no picture", None), (b"", None)):
        path = tmp_path / "bad.png"
        path.write_bytes(bad)
        wanted = text or "cannot be read as a picture: it is none, or damaged, or too large"
        assert told(BadValue, path, (64, 64, 3)) == f"'{path}' {wanted}"


def test_without_pillow_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    wanted = "reading pictures needs Pillow, which is not installed: pip install 'lensgrad[images]'"
    assert told(MissingExtra, tmp_path / "a.png", (3, 5, 1)) == wanted


def test_a_picture_that_is_shown_turned_or_moves_is_refused(tmp_path):
    turned, many = tmp_path / "turned.png", tmp_path / "many.png"
    exif, image = Image.Exif(), Image.fromarray(PIXELS)
    exif[0x0112] = 3
    image.save(turned, exif=exif)
    image.save(many, save_all=True, append_images=[Image.fromarray(PIXELS[::-1].copy())])
    wanted = f"'{turned}' is shown turned, as its EXIF orientation 3 says: save it as it is shown"
    assert told(BadValue, turned, (3, 5, 3)) == wanted
    assert told(BadValue, many, (3, 5, 3)) == f"'{many}' has 2 pictures, one after the other: save one of them"


def test_a_folder_of_class_folders_is_a_data_set_of_one_size(tmp_path):
    for name, shape in (("dog", (3, 5, 3)), ("cat", (40, 20, 3)), ("cat", (8, 8, 3))):
        (tmp_path / name).mkdir(exist_ok=True)
        saved(tmp_path / name / f"{shape[0]}.png", np.full(shape, 255 if name == "dog" else 51, np.uint8))
    (tmp_path / "notes.txt").write_text("no picture", encoding="utf-8")
    data = folder(tmp_path, (4, 6))
    assert (data.classes, data.y.tolist(), data.x.shape, data.x.dtype) == (("cat", "dog"), [0, 0, 1], (3, 4, 6, 3), np.float32)
    assert np.allclose(data.x[:2], 0.2) and np.allclose(data.x[2], 1)


def test_files_with_other_endings_are_told_once_and_what_systems_write_is_not(tmp_path):
    for name in ("cat", "dog", "empty", ".git"):
        (tmp_path / name).mkdir()
    for name in ("cat", "dog"):
        saved(tmp_path / name / "1.PNG", PIXELS)
        for quiet in (".DS_Store", "Thumbs.db", "Desktop.ini", ".a.txt"):
            (tmp_path / name / quiet).write_bytes(b"")
    (tmp_path / ".git" / "config").write_bytes(b"")
    (tmp_path / "README.md").write_bytes(b"")
    assert len(folder(tmp_path, (4, 6))) == 2
    (tmp_path / "cat" / "2.GIF").write_bytes(b"")
    end = "pictures must end in .bmp, .jpeg, .jpg, .png, .webp; save others as one of these, or take them out"
    with pytest.warns(LensgradWarning) as one:
        assert len(folder(tmp_path, (4, 6))) == 2
    assert [str(w.message) for w in one] == [f"'{tmp_path}' has 1 file that is left out (.gif): {end}"]
    for name in ("cat/notes", "dog/3.tiff", "dog/4.gif", "empty/5.heic"):
        (tmp_path / name).write_bytes(b"")
    with pytest.warns(LensgradWarning) as many:
        data = folder(tmp_path, (4, 6))
    assert data.classes == ("cat", "dog")
    assert [str(w.message) for w in many] == [f"'{tmp_path}' has 5 files that are left out (.gif, .heic, .tiff, no ending): {end}"]


def test_a_folder_with_a_broken_picture_or_none_is_told_in_a_sentence(tmp_path):
    with pytest.raises(BadValue, match="has no folders of pictures"):
        folder(tmp_path, (4, 4))
    with pytest.raises(MissingData, match="there is no folder"):
        folder(tmp_path / "none", (4, 4))
    with pytest.raises(BadValue, match=r"size must be \(height, width\), such as \(32, 32\), got 4"):
        folder(tmp_path, 4)
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "1.png").write_bytes(b"no picture")
    with pytest.raises(BadValue, match=r"1\.png' cannot be read as a picture"):
        folder(tmp_path, (4, 4))


def test_a_file_is_read_as_one_of_few_formats_whatever_its_name(tmp_path, monkeypatch):
    import PIL.EpsImagePlugin

    def started(*_, **__):
        raise AssertionError("a program was started to read a picture")

    monkeypatch.setattr(PIL.EpsImagePlugin, "Ghostscript", started)
    path = tmp_path / "a.png"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n")
    with pytest.raises(BadValue) as error:
        picture(path, (8, 8, 1))
    assert str(error.value) == f"'{path}' cannot be read as a picture: it is none, or damaged, or too large"


def test_links_that_lead_out_of_the_folder_are_left_out_and_told(tmp_path):
    top, outside = tmp_path / "photos", tmp_path / "outside"
    for place in (top / "cat", top / "dog", outside):
        place.mkdir(parents=True)
    for path in (top / "cat" / "1.png", top / "dog" / "1.png", outside / "secret.png"):
        saved(path, PIXELS)
    (top / "dog" / "2.png").symlink_to(top / "cat" / "1.png")  # stays inside
    (top / "cat" / "2.png").symlink_to(outside / "secret.png")
    end = "left out: put copies of the files there"
    with pytest.warns(LensgradWarning) as one:
        assert folder(top, (4, 6)).y.tolist() == [0, 1, 1]
    assert [str(w.message) for w in one] == [f"'{top}' has 1 link that leads out of the folder and is {end}"]
    (top / "other").symlink_to(outside)
    (top / "cat" / "a.gif").write_bytes(b"")
    others = (
        "1 file that is left out (.gif): pictures must end in .bmp, .jpeg, .jpg, .png, .webp; save others as one of these, or take them out"
    )
    with pytest.warns(LensgradWarning) as two:
        assert folder(top, (4, 6)).classes == ("cat", "dog")
    assert [str(w.message) for w in two] == [f"'{top}' has {others}, and 2 links that lead out of the folder and are {end}"]


def test_a_huge_picture_is_refused_and_pillow_says_nothing(tmp_path, monkeypatch):
    path = saved(tmp_path / "a.png", PIXELS)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)  # 15 are more, and not more than twice as many
    with pytest.MonkeyPatch.context() as patch:
        shown = []
        patch.setattr("warnings.showwarning", lambda *told, **_: shown.append(told))
        size = "is 5 pixels wide and 3 high, and this model expects 28 and 28: cut it out or resize it first"
        assert told(BadValue, path, (28, 28, 3)) == f"'{path}' {size}" and shown == []
