"""Right calls of everything behind the public door, each with what is done with its result: the ground that `tools.fuzz` changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import lensgrad as lg
from lensgrad import lens as words
from lensgrad.lens import Diagram, Lens, Param, corner, parametric
from tools.fuzz_values import X, Y, learner, model, run

Use = Callable[[Any], Any]
NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Call:
    """A function with right arguments, made anew for each call, and what is done with what it gives."""

    function: Callable[..., Any]
    args: Callable[[], tuple[Any, ...]] = tuple
    named: Callable[[], Mapping[str, Any]] = dict
    use: Use = repr


def given(function: Any, *args: Any, use: Use = repr, **named: Any) -> Call:
    """A call whose arguments are values that do not change."""
    return Call(function, lambda: args, lambda: named, use)


def after(*shape: int) -> Use:
    """A layer is put after an input of this shape, batched, and turned."""

    def use(layer: Any) -> Any:
        made = lg.input(*shape) >> layer
        return words.lens(words.batch(made, 2)), lg.summary(made)

    return use


def seeing(layer: Any) -> Any:
    """A layer that sees a second sequence."""
    return words.lens(words.batch(words.Para.lift(words.Diagram.id(lg.Real(5, 4) @ lg.Real(3, 2))) >> layer, 2))


def in_a_file(name: str) -> str:
    """A small file in the current folder: a table, or an array."""
    if name.endswith("csv"):
        Path(name).write_text("a,b,y\n1,2,u\n3,4,v\n", encoding="utf-8")
    else:
        np.save(name, X)
    return name


def tokens(layer: Any) -> Any:
    return words.lens(words.batch(corner(lg.Int(5), "x") >> layer, 2))


def trained(optimizer: Any) -> Any:
    found = lg.supervised(model(), lg.cross_entropy, optimizer)
    return repr(found), found.fit((X, Y), batch_size=3, progress=False)


def lost(loss: Any) -> Any:
    return lg.supervised(model(), loss, lg.sgd(0.1)).fit((X, X[:, :3]), batch_size=3, progress=False)


def classified(loss: Any) -> Any:
    return lg.supervised(model(), loss, lg.sgd(0.1)).fit((X, Y), batch_size=3, progress=False)


def fitted(found: Any) -> Any:
    return repr(found), found.fit((X, Y), batch_size=3, progress=False).evaluate((X, Y))


LAYERS = {
    "dense": given(lg.dense, 8, activation="relu", name="d", use_bias=True, weights=lg.glorot, dtype="float32", use=after(4)),
    "dense 2": given(lg.dense, 4, 8, use=after(4)),
    "linear": given(lg.linear, 4, 3, dtype="float32", use=after(4)),
    "bias": given(lg.bias, 4, dtype="float32", use=after(4)),
    "input": given(lg.input, 4, dtype="float32"),
    "reshape": given(lg.reshape, 2, 2, use=after(4)),
    "flatten": given(lg.flatten, use=after(2, 2)),
    "conv1d": given(lg.conv1d, 3, 2, stride=1, padding="same", dilation=1, groups=1, activation=None, name="c", use=after(6, 2)),
    "conv2d": given(lg.conv2d, 4, 3, stride=1, padding="valid", dilation=1, activation="relu", name="c", use=after(6, 6, 2)),
    "conv3d": given(lg.conv3d, 2, 2, use=after(3, 3, 3, 1)),
    "conv_transpose": given(lg.conv_transpose, 2, 3, stride=2, padding=1, dilation=1, groups=1, output_padding=1, use=after(4, 4, 2)),
    "depthwise_conv": given(lg.depthwise_conv, 3, multiplier=2, axes=2, name="c", use=after(5, 5, 2)),
    "max_pool1d": given(lg.max_pool1d, 2, stride=2, padding=0, name="p", use=after(6, 2)),
    "max_pool2d": given(lg.max_pool2d, 2, stride=2, padding=0, use=after(6, 6, 2)),
    "average_pool2d": given(lg.average_pool2d, 2, stride=1, padding=1, use=after(6, 6, 2)),
    "max_pool3d": given(lg.max_pool3d, 2, use=after(4, 4, 4, 1)),
    "global_average_pool": given(lg.global_average_pool, name="g", use=after(4, 4, 2)),
    "batch_norm": given(lg.batch_norm, momentum=0.1, epsilon=1e-5, name="n", use=after(4)),
    "layer_norm": given(lg.layer_norm, epsilon=1e-5, use_bias=True, name="n", use=after(4)),
    "rms_norm": given(lg.rms_norm, epsilon=1e-5, name="n", use=after(4)),
    "group_norm": given(lg.group_norm, 2, epsilon=1e-5, name="n", use=after(3, 3, 4)),
    "dropout": given(lg.dropout, 0.5, name="d", use=after(4)),
    "embedding": given(lg.embedding, 10, 4, weights=None, dtype="float32", name="e", use=tokens),
    "unembed": given(lg.unembed, 10, weights=None, name="u", use=after(5, 4)),
    "learned_positions": given(lg.learned_positions, weights=None, name="p", use=after(5, 4)),
    "sinusoidal_positions": given(lg.sinusoidal_positions, base=1e4, name="p", use=after(5, 4)),
    "rotary_positions": given(lg.rotary_positions, base=1e4, name="p", use=after(5, 4)),
    "multi_head_attention": given(
        lg.multi_head_attention, 2, key_value_heads=1, width=4, causal=True, rotary=True, use_bias=False, name="a", use=after(5, 4)
    ),
    "cross_attention": given(lg.cross_attention, 2, key_value_heads=1, width=4, use_bias=False, name="c", use=seeing),
    "transformer_block": given(lg.transformer_block, 2, 8, activation="gelu", norm="layer", causal=True, dropout_rate=0.1, use=after(5, 4)),
    "feed_forward": given(lg.feed_forward, 8, activation="relu", gated=True, use_bias=True, name="f", use=after(5, 4)),
    "simple_rnn": given(lg.simple_rnn, 3, activation="tanh", last=True, backward=False, name="r", use=after(5, 4)),
    "lstm": given(lg.lstm, 3, last=False, backward=True, name="r", use=after(5, 4)),
    "gru": given(lg.gru, 3, last=True, use=after(5, 4)),
    "repeat": given(lg.repeat, lg.dense(4), 3, name="r", use=after(4)),
    "residual": given(lg.residual, lg.dense(4), name="r", use=after(4)),
    "each": given(lg.each, lg.dense(3), use=after(5, 4)),
    "masked": given(lg.masked, lg.lstm(3, last=True)),
    "beside": given(lg.beside, lg.dense(3)),
    "sequential": given(lg.sequential, lg.input(4), lg.dense(3), lg.relu),
    "elu": given(lg.elu, alpha=1.0, use=after(4)),
    "leaky_relu": given(lg.leaky_relu, slope=0.1, use=after(4)),
    "activation": given(lg.dense, 3, activation=lg.gelu, use=after(4)),
    "gaussian_sample": given(lg.gaussian_sample, name="z"),
    "Real": given(lg.Real, 3, 4, dtype="float32"),
    "Int": given(lg.Int, 3, dtype="int32"),
    "Bits": given(lg.Bits, 3),
    "Array": given(lg.Array, (3,), "float32"),
    "lookup": given(lg.lookup, 2, 1),
    "constant": given(lg.constant, 0.5, use=lambda init: lg.dense(4, 3, weights=init)),
    "normal": given(lg.normal, 0.1, use=lambda init: lg.dense(4, 3, weights=init)),
    "uniform": given(lg.uniform, 0.1, use=lambda init: lg.dense(4, 3, weights=init)),
    "glorot": given(lg.glorot, lg.Real(3, 4)),
    "mixed_precision": given(lg.mixed_precision, model(), "bfloat16"),
    "predict": given(lg.predict, model()),
    "augment.crop": given(lg.augment.crop, 4, 4, padding=1, name="c", use=after(6, 6, 1)),
    "then": given(lambda b: lg.dense(4, 3) >> b, lg.dense(3, 2)),
    "then 2": given(lambda b: b >> lg.dense(3, 2), lg.relu),
    "then 3": given(lambda b: lg.relu >> b, lg.dense(3, 2)),
    "tensor": given(lambda b: lg.dense(4, 3) @ b, lg.dense(3, 2)),
}
OPTIMIZERS = {
    "adam": given(lg.adam, 0.1, beta1=0.9, beta2=0.99, epsilon=1e-8, use=trained),
    "adamw": given(lg.adamw, 0.1, weight_decay=0.01, use=trained),
    "sgd": given(lg.sgd, 0.1, momentum=0.9, nesterov=True, use=trained),
    "rmsprop": given(lg.rmsprop, 0.1, decay=0.9, momentum=0.1, centered=True, use=trained),
    "adagrad": given(lg.adagrad, 0.1, epsilon=1e-8, initial=0.1, use=trained),
    "adadelta": given(lg.adadelta, 1.0, decay=0.9, use=trained),
    "adafactor": given(lg.adafactor, 0.1, use=trained),
    "nadam": given(lg.nadam, 0.1, use=trained),
    "lamb": given(lg.lamb, 0.1, weight_decay=0.1, use=trained),
    "lion": given(lg.lion, 0.1, use=trained),
    "momentum": given(lg.momentum, 0.9, nesterov=False, use=lambda m: lg.supervised(model(), lg.cross_entropy, m, rate=0.1)),
    "chain": given(lg.chain, lg.clip_norm(1.0), lg.sgd(0.1), use=trained),
    "accumulated": given(lg.accumulated, lg.sgd(0.1), 2, use=trained),
    "clip_norm": given(lg.clip_norm, 1.0, use=lambda c: trained(lg.chain(c, lg.sgd(0.1)))),
    "clip_value": given(lg.clip_value, 1.0, use=lambda c: trained(lg.chain(c, lg.sgd(0.1)))),
    "clip_weights": given(lg.clip_weights, 1.0),
    "weight_decay": given(lg.weight_decay, 0.1, use=lambda c: trained(lg.chain(c, lg.sgd(0.1)))),
    "sphere": given(lg.sphere, lg.sgd(0.1)),
    "stiefel": given(lg.stiefel, lg.sgd(0.1)),
    "maximize": given(lg.maximize, lg.sgd(0.1), use=trained),
    "optimistic": given(lg.optimistic, 0.1, use=trained),
    "cosine": given(lg.cosine, 0.1, 10, floor=0.01, use=lambda r: trained(lg.sgd(r))),
    "linear_decay": given(lg.linear_decay, 0.1, 10, end=0.0, use=lambda r: trained(lg.sgd(r))),
    "one_cycle": given(lg.one_cycle, 0.1, 10, rising=0.3, use=lambda r: trained(lg.sgd(r))),
    "step_decay": given(lg.step_decay, 0.1, 5, factor=0.1, use=lambda r: trained(lg.sgd(r))),
    "warm_up": given(lg.warm_up, 0.1, 5, start=0.0, use=lambda r: trained(lg.sgd(r))),
    "rate": given(lg.rate, 0.1),
    "scaled_rate": given(lg.scaled_rate, 0.1),
    "loss_scale": given(lg.loss_scale, 8.0, every=10),
    "optimizer_memory": given(lg.optimizer_memory, lg.adam(0.1), (10, 10), dtype="float32"),
    "lora": given(lambda *a, **k: model().reparam({"o/weight": lg.lora(*a, **k)}), 2, alpha=1.0),
    "low_rank": given(lambda *a, **k: model().reparam({"o/weight": lg.low_rank(*a, **k)}), 2),
    "ema": given(lambda *a, **k: model().reparam({"o/weight": lg.ema(*a, **k)}), 0.9),
    "tie": given(lambda *a: (lg.dense(3, 3, name="a") >> lg.dense(3, 3, name="b")).tie(*a), "a/weight", "b/weight"),
    "freeze": given(lambda *a: model().freeze(*a), "o/**"),
    "reparam": given(lambda *a: model().reparam(*a), {"o/weight": lg.freeze}),
    "scope": given(lambda *a: model().scope(*a), "body"),
    "magnitude_mask": given(lg.magnitude_mask, X, 0.5),
}
LOSSES = {
    "mse": given(lg.mse, "y", reduction="mean", use=lost),
    "l1": given(lg.l1, "y", use=lost),
    "huber": given(lg.huber, "y", delta=1.0, use=lost),
    "half_squared_error": given(lg.half_squared_error, "y", use=lost),
    "hinge": given(lg.hinge, "y"),
    "dot": given(lg.dot, "y", use=lost),
    "smooth_l1": given(lg.smooth_l1, "y", beta=1.0, use=lost),
    "quantile": given(lg.quantile, "y", level=0.3, use=lost),
    "poisson": given(lg.poisson, "y", reduction="mean"),
    "cosine_similarity": given(lg.cosine_similarity, "y", reduction="mean", use=lost),
    "weighted cross_entropy": given(lg.cross_entropy, "y", class_weights=[1.0, 2.0, 3.0], ignore_index=-1, use=classified),
    "weighted binary_cross_entropy": given(lg.binary_cross_entropy, "y", pos_weight=2.0),
    "loss of ones own": given(lg.loss, "own", "y", lambda t, p: lg.ops.mean_over((p - t) * (p - t)), kind="regression", use=lost),
    "kl_divergence": given(lg.kl_divergence, "y"),
    "cross_entropy": given(lg.cross_entropy, "y", labels="index", smoothing=0.1, reduction="mean", use=classified),
    "binary_cross_entropy": given(lg.binary_cross_entropy, "y"),
    "contrastive": given(lg.contrastive, "y", margin=1.0),
    "info_nce": given(lg.info_nce, "y", temperature=0.1),
    "elbo": given(lg.elbo, "x", likelihood="bernoulli", weight=1.0),
    "loss as metric": given(lg.mse, "y", metrics=("accuracy",)),
}
LEARNERS = {
    "supervised": given(
        lg.supervised,
        model(),
        lg.cross_entropy,
        lg.sgd(0.1),
        rate=1.0,
        metrics=["accuracy"],
        input="x",
        label="y",
        reduction="mean",
        use=fitted,
    ),
    "supervised 2": given(
        lg.supervised, model(), lg.cross_entropy, {"o/*": lg.adam(0.1)}, loss_weights=None, precision="bfloat16", loss_scale=8.0, use=fitted
    ),
    "supervised 3": given(lg.supervised, model(), lg.cross_entropy, lg.sgd(0.1), derivative=words.sam(0.1)),
    "gan": given(lg.gan, lg.dense(2, 3, name="g"), lg.dense(3, 1, name="d"), lg.adam(0.1), lg.adam(0.1), loss="wasserstein", clip=0.1),
    "dream": given(lg.dream, run(), X[0], 1, steps=2),
    "fit": given(lambda *a, **k: learner().fit(*a, **{"progress": False, **k}), (X, Y), epochs=1, batch_size=3, seed=0, shuffle=True),
    "fit 2": given(
        lambda *a, **k: learner().fit(*a, **{"progress": False, **k}),
        (X, Y),
        validation_data=(X, Y),
        early_stopping=lg.early_stopping(),
        callbacks=(),
        accumulate=1,
        backend="numpy",
        guard=True,
    ),
    "fit 3": given(
        lambda *a, **k: learner().fit(*a, **{"progress": False, **k}),
        (X, Y),
        validation_split=0.3,
        class_weight={0: 2.0},
        sample_weight=np.ones(6),
        start={"o/bias": np.zeros(3)},
    ),
    "fit 4": given(
        lambda *a, **k: learner().fit(*a, **{"progress": False, **k}), (X, Y), checkpoint="c.safetensors", resume=False, log="l.csv"
    ),
    "fit 5": given(lambda *a, **k: learner().fit(*a, **{"progress": False, **k}), {"x": X, "y": Y}, after=None, class_weight="balanced"),
    "fit_curve": given(
        lg.fit_curve,
        lambda x, a: a * x,
        [1.0, 2.0],
        [2.0, 4.1],
        {"a": 1.0},
        sigma=[1.0, 1.0],
        absolute_sigma=True,
        bounds={"a": (0.0, None)},
    ),
    "minimize": given(lg.minimize, learner(), X, Y, method="lbfgs", steps=3, memory=2, tolerance=1e-3, seed=0, start=None, backend="numpy"),
    "minimize weighted": given(lg.minimize, learner(), X, Y, steps=2, sample_weight=np.ones(6), class_weight="balanced"),
    "learner.step": given(lambda *a, **k: learner().step(*a, **k), 3, backend="numpy", parts=1),
    "learner.lens": given(lambda *a, **k: learner().lens(*a, **k), batch=3),
    "learner.initial": given(lambda *a, **k: learner().initial(*a, **k), seed=0, start=None),
    "why": given(lambda *a, **k: lg.why(learner(), learner().initial(0), *a, **k), (X, Y), name="o/weight", backend="numpy"),
    "record": given(lg.record, every=3, wires=["**/out"], bins=5),
    "step_through": given(lambda *a, **k: lg.step_through(learner(), *a, **k), (X, Y), values=learner().initial(0), backend="numpy"),
    "run.report": given(lambda *a, **k: run().report(*a, **k), (X, Y), batch_size=4),
    "run.plot": given(lambda *a, **k: run().plot(*a, **k), "curves.png"),
    "run.wires": given(lambda *a, **k: run().wires(*a, **k), (X, Y)),
    "learner.summary": given(lambda *a, **k: learner().summary(*a, **k), batch=3),
    "learner.source": given(lambda *a, **k: learner().source(*a, **k), batch=3),
    "run.predict": given(lambda *a, **k: run().predict(*a, **k), X, batch_size=4),
    "run.evaluate": given(lambda *a, **k: run().evaluate(*a, **k), (X, Y), batch_size=4),
    "run.fit": given(lambda *a, **k: run().fit(*a, **{"progress": False, **k}), (X, Y), epochs=1, seed=0),
    "run.save": given(lambda *a, **k: run().save(*a, **k), "r.safetensors", generators=None),
    "load": given(lg.load, "r.safetensors", generators=None),
    "summary": given(lg.summary, model()),
    "draw": given(lg.draw, model(), "model.svg", view="step", depth=1, open=["o"], types=True, states=False),
    "model.draw": given(lambda *a, **k: model().draw(*a, **k), "model.txt", view="lens"),
    "early_stopping": given(lg.early_stopping, monitor="val_loss", patience=3, min_delta=0.0, mode="min"),
    "checkpoint": given(lg.checkpoint, "c.safetensors", epochs=1, steps=None),
    "CsvLog": given(lg.CsvLog, "log.csv"),
    "mesh": given(lg.mesh, 1),
    "compile": given(lg.compile, learner().lens(3), backend="numpy", returned=None),
    "step": given(lambda values: learner().step(3)(values), {**run().values, "x": X[:3], "y": Y[:3]}),
}
DATA = {
    "split": given(lg.data.split, (X, Y), 0.5, seed=0, stratify=True, label="y"),
    "standardize": given(lg.data.standardize, (X, Y), (X, Y)),
    "one_hot": given(lg.data.one_hot, Y, 3, dtype="float32"),
    "csv": Call(lg.data.csv, lambda: (in_a_file("t.csv"), "y"), lambda: {"categorical": (), "drop": (), "names": None, "delimiter": ","}),
    "table": given(lg.data.table, {"a": [1.0, 2.0], "b": ["u", "v"]}, "b", categorical=(), drop=()),
    "windows": given(lg.data.windows, np.arange(20), 4, stride=2),
    "pad": given(lg.data.pad, [[1, 2], [3]], length=3, value=0),
    "mixup": given(lg.data.mixup, (X, X), alpha=0.2),
    "mapped": Call(lg.data.mapped, lambda: ({"x": in_a_file("x.npy")},)),
    "source": given(lg.data.source, (X, Y), ("x", "y")),
    "ArraySource": given(lg.data.ArraySource, {"x": X, "y": Y}),
    "IteratorSource": given(lg.data.IteratorSource, lambda: iter([(X, Y)]), names=("x", "y"), steps=1, examples=6, prefetch=0),
    "encoder": given(lg.data.encoder, X, levels=3, categorical=(), drop=()),
    "monk": given(lg.data.monk, 1),
    "Characters": given(lg.data.Characters, "abc", use=lambda c: c.encode("ab")),
    "transform": given(lg.data.transform, lg.data.ArraySource({"x": X, "y": Y}), lambda batch, _: batch),
    **{f"metrics.{name}": given(getattr(lg.metrics, name), Y, Y[::-1]) for name in ("accuracy", "rmse", "mae", "r2")},
    **{f"metrics.{name}": given(getattr(lg.metrics, name), Y, Y[::-1], average="macro") for name in ("f1", "precision", "recall")},
    "metrics.log_loss": given(lg.metrics.log_loss, Y, np.full((6, 3), 1 / 3)),
    "metrics.auc": given(lg.metrics.auc, Y, X[:, :3]),
}
BACK = words.trace(lambda x, dy: dy, lg.Real(3), lg.Real(3))
LENSES = {
    "corner": given(corner, lg.Real(4), "x"),
    "parametric": given(parametric, [Param("w", lg.Real(4))], lg.Real(4), lambda w, x: w * x),
    "Param": given(Param, "w", lg.Real(3), init=None),
    "batch": given(words.batch, model(), 3, over=None),
    "lens": given(words.lens, model()),
    "R": given(words.R, words.trace(lg.tanh, lg.Real(3))),
    "trace": given(words.trace, lambda x: x * x, lg.Real(3)),
    "grad": given(words.grad, words.trace(lambda x: lg.tanh(x), lg.Real())),
    "jacobian": given(words.jacobian, model(), "o/weight"),
    "jacobian 2": given(words.jacobian, words.trace(lg.tanh, lg.Real(3)), 0),
    "jvp": given(words.jvp, words.trace(lg.tanh, lg.Real(3))),
    "share": given(words.share, lg.dense(3, 3), 2),
    "observe": given(words.observe, "seen", lg.Real(3)),
    "steps": given(words.steps, learner().lens(3), 2),
    "sam": given(words.sam, 0.1),
    "newton_cg": given(words.newton_cg, 3, damping=0.1),
    "extrapolated": given(words.extrapolated, 0.1),
    "Lens": given(Lens, words.two(lg.Real(3)), words.two(lg.Real(3)), Diagram.id(lg.Real(3)), BACK),
    "Definition": given(words.Definition, "box", words.trace(lg.tanh, lg.Real(3))),
    "unfold": given(words.unfold, words.trace(lg.tanh, lg.Real(3))),
}
CALLS: dict[str, Call] = {
    f"lg.{name}": call for group in (LAYERS, OPTIMIZERS, LOSSES, LEARNERS, DATA, LENSES) for name, call in group.items()
}
