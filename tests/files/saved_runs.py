"""Learners, their runs and their files, as the tests of files share them."""

import json
from dataclasses import replace

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.cat.names import Param, Role
from lensgrad.cat.para import Para
from lensgrad.core.errors import BadCheckpoint
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.files import checkpoint
from lensgrad.files.checkpoint import packed, sealed, unpacked
from lensgrad.files.write import decode, digest, text
from lensgrad.recipes import iris_data, iris_learner, iris_model
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Key, Real

AGAIN = "; take another copy of the file, or train again"
BITS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.uint8), np.array([[0], [1], [1], [0]], np.uint8)


def noisy() -> Para:
    """x + σ · noise, with a key and a counter that every step writes back."""
    params = [Param("key", Ty((Key(),)), Role.KEY), Param("count", Real(), Role.STATE, lg.zeros(Real()))]

    def body(key, count, x):
        now, later = ops.split(key)
        return x + ops.normal(now, x.atom.shape) * 0.1, later, count + 1.0

    arrow = trace(body, *(p.ob for p in params), Real(4))
    return Para.make(params, arrow, Real(4), [("key", Ty((Key(),))), ("count", Real())])


def hidden(optimizer, **named):
    return lg.supervised(iris_model(), lg.half_squared_error, optimizer, 0.01, metrics=["accuracy"], **named)


LEARNERS = {
    "descent": lambda: iris_learner("hidden"),
    "momentum": lambda: hidden(lg.momentum(0.9)),
    "nesterov": lambda: hidden(lg.momentum(0.9, nesterov=True), reduction="sum"),
    "an optimizer for each layer": lambda: hidden({"hidden/*": lg.momentum(0.5), "output/weight": lg.descent, lg.weights: lg.ascent}),
    "carried rate": lambda: replace(hidden(lg.sgd(0.1, momentum=0.9)), rate=lg.rate(1.0)),
    "a rate that reads the loss": lambda: replace(hidden(lg.descent), rate=lg.scaled_rate(0.1)),
    "keys and states": lambda: lg.supervised(noisy() >> iris_model(), lg.half_squared_error, lg.momentum(0.9), 0.01),
    "bfloat16": lambda: iris_learner("hidden", dtype="bfloat16"),
    "float16": lambda: iris_learner("hidden", dtype="float16"),
    "float64": lambda: iris_learner("dense", dtype="float64"),
}
CIRCUIT = lg.supervised(lg.lookup(2), lg.xor, lg.ascent, lg.echo)


def trained(name: str, **fit):
    learner = LEARNERS[name]()
    dtype = learner.model.dom[0].dtype.replace("bfloat16", "float32")
    return learner.fit(iris_data(dtype), progress=False, **{"epochs": 2, "batch_size": 32, **fit})


def same(a, b):
    assert list(a) == list(b)
    for name in a:
        left, right = (v if isinstance(v, tuple) else (v,) for v in (a[name], b[name]))
        assert [v.dtype for v in left] == [v.dtype for v in right] and [v.tobytes() for v in left] == [v.tobytes() for v in right]


def refused(path) -> str:
    """The sentence that refuses a file."""
    with pytest.raises(BadCheckpoint) as error:
        lg.load(path)
    assert "\n" not in str(error.value)
    return str(error.value)


def forged(path, change, arrays=None, told=True):
    """Write the checkpoint at `path` again with other facts and right digests, unless the learner's is told otherwise."""
    raw = path.read_bytes()
    header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    facts = json.loads(header["__metadata__"]["lensgrad"])
    change(facts)
    if told and "learner" in facts:
        facts["digest"] = digest(decode(facts["learner"]))
    facts["sha256"] = checkpoint.BLANK
    path.write_bytes(sealed(packed(unpacked(raw) if arrays is None else arrays, text(facts))))
