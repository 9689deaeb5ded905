"""The name under which a compiled step is kept is its own: equal programs find it, and no others."""

import pytest
from test_native_calls import same, step

import lensgrad as lg
from lensgrad.backends.loop import Loop
from lensgrad.backends.native import assemble, functions, library, running, spelled
from lensgrad.backends.native.compiler import compiler
from lensgrad.core.diagram import Diagram
from lensgrad.core.trace import trace

needs_compiler = pytest.mark.skipif(compiler() is None, reason="no C compiler")
LOOP = Loop((), (0,), (1, 1))


def name(fn, *dom, loop=LOOP, fuse=True):
    return spelled.program(trace(fn, *(dom or (lg.Real(3),))), loop, fuse)


def test_equal_programs_have_one_name_and_others_have_others():
    table = [lambda x: x * 2.0, lambda x: x * 2.0000000000000004, lambda x: x * -0.0, lambda x: x * 0.0, lambda x: x + 2.0, lambda x: x[1:]]
    names = [name(f) for f in table]
    assert names == [name(f) for f in table] and len({*names}) == len(table)
    others = [
        name(table[0], lg.Real(4)),
        name(table[0], lg.Real(3, dtype="float64")),
        name(table[0], loop=Loop(((0, 0),), (), (1, 1))),
        name(table[0], fuse=False),
        name(lambda x: (x * 2.0, x)),
    ]
    assert len({*names, *others}) == len(names) + len(others)


def test_what_stands_inside_generators_is_in_the_name():
    loops = [lambda x, k=k: lg.ops.cumsum(x) * k for k in (2.0, 3.0)]
    convolved = [lg.sequential(lg.input(8, 8, 1), lg.conv2d(2, 3, padding=p)).arrow for p in (0, 1)]
    known = [spelled.program(f, LOOP, True) for f in convolved]
    assert None not in known and len({*known, *map(name, loops)}) == 4


def test_what_has_no_text_of_its_own_has_no_name():
    f = trace(lambda x: x * 2.0, lg.Real(3))
    node = f.nodes[0]
    odd = type("Odd", (type(node.op),), {"fields": ("thing",), "thing": object()})
    op = odd.__new__(odd)
    op.__dict__["thing"] = object()
    spelling = spelled.Spelling()
    with pytest.raises(spelled.Unspelled):
        spelling.value(op)
    assert isinstance(f, Diagram)


@needs_compiler
def test_what_is_kept_is_not_written_again(tmp_path, monkeypatch):
    monkeypatch.setenv("LENSGRAD_CACHE", str(tmp_path))
    f, loop, given = step()
    first = running.Steps(f, loop)
    wanted = first.run(*given, 30)
    monkeypatch.setattr(library, "assembled", None)
    library.loaded.cache_clear()  # as in another process
    again = running.Steps(f, loop)
    found = again.run(*given, 30)
    assert same(found[0], wanted[0]) and again.made.about == first.made.about
    with pytest.raises(TypeError):
        running.Steps(f, loop, fuse=False)
    library.loaded.cache_clear()


@needs_compiler
def test_a_program_in_halves_says_of_itself_what_its_callers_need(tmp_path, monkeypatch):
    monkeypatch.setenv("LENSGRAD_CACHE", str(tmp_path))
    for module in (assemble, functions):
        monkeypatch.setattr(module, "MANY", 2)
    library.loaded.cache_clear()
    f, loop, given = step()
    first, made = running.Steps(f, loop), assemble.assembled(f, loop)
    assert made.text.endswith("#endif") and first.made.about == made.about
    monkeypatch.setattr(library, "assembled", None)
    library.loaded.cache_clear()
    assert same(first.run(*given, 30)[0], running.Steps(f, loop).run(*given, 30)[0])
    library.loaded.cache_clear()
