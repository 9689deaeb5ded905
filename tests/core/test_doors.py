"""What a package offers without importing it: the same names as ever, each from its module when somebody asks."""

import ast
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

import lensgrad as lg
from lensgrad.core.errors import MissingExtra, NoAttribute

DOORS = ["lensgrad", "lensgrad.data"]
FRESH = """
import sys
import numpy
before = set(sys.modules)
import lensgrad as lg
{then}
new = set(sys.modules) - before
print(*[name for name in {names!r} if name in new])
"""
LATE = [  # what training on arrays does without
    "lensgrad.circuits", "lensgrad.data.bundled", "lensgrad.data.encode", "lensgrad.data.files", "lensgrad.data.official",
    "lensgrad.data.preparation", "lensgrad.data.tables", "lensgrad.data.text", "lensgrad.draw", "lensgrad.files.checkpoint",
    "lensgrad.learn.circuits", "lensgrad.learn.layers.attention", "lensgrad.learn.layers.convolution",
    "lensgrad.learn.layers.recurrent", "lensgrad.learn.loss_scale", "lensgrad.learn.ways.derivatives", "lensgrad.testing",
    "lensgrad.train.accumulate", "lensgrad.train.games", "lensgrad.train.logs", "csv", "hashlib", "json", "pathlib", "queue",
    "random", "shutil", "tempfile",
]  # fmt: skip
TRAINED = """
model = lg.sequential(lg.input(2), lg.dense(1))
data = numpy.ones((4, 2)), numpy.ones((4, 1))
lg.supervised(model, "mse", "sgd").fit(data, progress=False, backend="numpy").predict(data[0])
"""
NUMPY = ["hashlib", "pathlib", "random", "shutil", "tempfile"]  # random numbers of NumPy bring these, or may


def printed(then="", names=LATE):
    ran = subprocess.run([sys.executable, "-c", FRESH.format(then=then, names=names)], capture_output=True, text=True)
    assert ran.stderr == ""
    return ran.stdout.split()


def for_checkers(package):
    """What a package imports for type checkers only, by name: the module below the package, if it is in one."""
    [block] = [
        node
        for node in ast.parse(Path(package.__file__).read_text(encoding="utf-8")).body
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name)
    ]
    return {alias.name: node.module for node in block.body for alias in node.names}


def test_the_library_is_imported_without_what_few_programs_need():
    assert printed() == []


def test_training_and_predicting_on_arrays_import_none_of_it_either():
    assert printed(TRAINED, [name for name in LATE if name not in NUMPY]) == []


def test_what_is_late_is_imported_when_it_is_asked_for():
    assert printed(
        "lg.conv2d; lg.data.csv", ["lensgrad.learn.layers.convolution", "lensgrad.data.tables", "lensgrad.learn.layers.graph"]
    ) == [
        "lensgrad.learn.layers.convolution",
        "lensgrad.data.tables",
    ]


@pytest.mark.parametrize("name", DOORS)
def test_type_checkers_and_python_are_told_of_the_same_names(name):
    package = import_module(name)
    late = {n for names in package.LATER.values() for n in names}
    assert set(for_checkers(package)) == late
    assert late <= set(package.__all__) | {"LensClassifier", "LensRegressor"}  # those two need an extra


@pytest.mark.parametrize("name", DOORS)
def test_type_checkers_and_python_find_the_same_thing(name):
    package = import_module(name)
    for offered, module in for_checkers(package).items():
        try:
            home = import_module(module)
        except MissingExtra as missing:  # a stand-in says what to install, when it is called
            with pytest.raises(MissingExtra) as told:
                getattr(package, offered)()
            assert str(told.value) == str(missing)
            continue
        there = getattr(home, offered) if hasattr(home, offered) else import_module(f"{module}.{offered}")
        found = getattr(package, offered)
        assert (found.called() if hasattr(found, "called") else found) is there  # a package may be called as a function of it


@pytest.mark.parametrize("name", DOORS)
def test_no_module_is_called_as_another_thing_that_is_late(name):
    package = import_module(name)
    homes = {n: module for module, names in package.LATER.items() for n in names}
    assert [n for n in homes if find_spec(f"{name}.{n}") and homes[n] != n] == []


@pytest.mark.parametrize("name", DOORS)
def test_every_name_is_listed_and_there(name):
    package = import_module(name)
    assert set(package.__all__) <= set(dir(package)) and dir(package) == sorted(set(dir(package)))
    assert [n for n in package.__all__ if not hasattr(package, n)] == []


def test_what_is_not_there_is_said():
    with pytest.raises(NoAttribute) as error:
        lg.data.tabel  # noqa: B018
    assert str(error.value) == "module 'lensgrad.data' has no attribute 'tabel': did you mean 'table'?"
    assert not hasattr(lg.data, "nothing") and not hasattr(lg, "nothing")
