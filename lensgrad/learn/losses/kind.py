"""What a loss says about the outputs it reads and about their labels. Metrics, checks of data and weights of classes read it here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lensgrad.cat.body import Body
from lensgrad.cat.para import P, Para
from lensgrad.core.checks import flag, instance, name, number, one_of, shown, whole
from lensgrad.core.errors import TypeMismatch, listed
from lensgrad.core.ty import Ty
from lensgrad.theories.smooth.array import Array

PROBLEMS = ("binary", "classes", "multilabel", "other", "regression")
LABELS = ("any", "class", "count", "distribution", "share", "side")
LINKS = ("", "sigmoid", "softmax")
MOST_CLASSES = 2**24  # what goes through all classes, as weights of classes do, ends soon
VALUES = {"share": (0, 1), "side": (-1, 1)}  # the two classes of labels that say yes or no


@dataclass(frozen=True)
class Kind:
    """The problem that a loss is for. It stands at the port of the label, through composition, batching and files; no equality sees it.

    `problem`: "classes" is one of `classes` at each place, by scores along the last axis; "binary" is yes or no at each place, by one
    score; "multilabel" is several yes-or-no labels along the last axis; "regression" is numbers to come near to; "other" is none of these.
    `labels`: what a label may be: a "class" (0 … classes − 1, or `ignored`), a "distribution", a "share" (0 to 1), a "side" (−1 or 1),
    a "count" (≥ 0), or "any". `link` makes probabilities of outputs ("softmax", "sigmoid", or "" for none), and an output above
    `threshold` is a yes. `mask` names truth values among the data, and `beside` says that the model gives them beside its
    outputs: places where they are false count in no metric. `name` is that of the loss, for pictures.
    """

    problem: str = "other"
    labels: str = "any"
    classes: int = 0
    link: str = ""
    threshold: float = 0.0
    ignored: int | None = None
    mask: str = ""
    beside: bool = False
    name: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        one_of("the problem of a loss", self.problem, PROBLEMS)
        one_of("the labels of a loss", self.labels, LABELS)
        one_of("the link of a loss", self.link, LINKS)
        whole("the classes of a loss", self.classes, 0, MOST_CLASSES)
        number("the threshold of a loss", self.threshold)
        flag("beside", self.beside)
        if self.name != "":
            name("the name of a loss", self.name)
        if self.ignored is not None:
            whole("the class that a loss ignores", self.ignored, -(2**31), 2**31 - 1)

    @property
    def values(self) -> Sequence[int]:
        """The labels that are classes, in order; none where labels are no classes."""
        if self.problem == "classes" and self.labels == "class":
            return range(self.classes)
        return VALUES.get(self.labels, ()) if self.problem in ("binary", "multilabel") else ()

    @property
    def decides(self) -> bool:
        """Whether outputs say a class: by scores, by yes and no, or as rows of numbers near one-hot ones."""
        return self.problem in ("binary", "classes", "multilabel") or (self.problem == "regression" and self.classes > 1)

    @property
    def partial(self) -> bool:
        """Whether some places may not count."""
        return self.ignored is not None or bool(self.mask) or self.beside


def decisions(outputs: Array, labels: str = "share", link: str = "", threshold: float = 0.0) -> Kind:
    """Yes or no by each output: one label at each place where the last axis has length 1 or is missing, several where it is longer."""
    problem = "binary" if outputs.shape[-1:] in ((), (1,)) else "multilabel"
    return Kind(problem, labels, 2, link, threshold)


def classes(logits: Array, labels: str = "class", link: str = "softmax", **more: Any) -> Kind:
    """One of n classes, by scores ℝ^(*s, n)."""
    return Kind("classes", labels, logits.shape[-1], link, **more)


def numbers(outputs: Array) -> Kind:
    """Numbers. Where there are several in a row, they may also be one-hot rows, so the classes are counted."""
    row = outputs.rank == 1 and outputs.shape[0] > 1
    return Kind("regression", classes=outputs.shape[0] if row else 0)


def by_name(problem: str, outputs: Array, target: Ty) -> Kind:
    """The usual kind of a problem: logits for classes and for yes or no, labels as their type says."""
    if problem == "classes":
        if not outputs.rank:
            raise TypeMismatch(f"a loss of classes reads scores along the last axis, and the model gives {outputs}")
        return classes(outputs, "distribution" if target[0].floating else "class")
    if problem in ("binary", "multilabel"):
        return replace(decisions(outputs, link="sigmoid"), problem=problem)
    return numbers(outputs) if problem == "regression" else Kind(problem)


Told = Kind | str | Callable[[Array], Kind] | None  # how a loss says its kind: itself, by the name of a problem, or from the outputs' atom


def check_told(told: Any) -> None:
    """Refuse what says no kind."""
    if isinstance(told, str):
        one_of("the kind of a loss", told, PROBLEMS)
    elif told is not None and not isinstance(told, Kind) and (isinstance(told, type) or not callable(told)):
        raise TypeMismatch(f"the kind of a loss must be the name of a problem or a Kind, got {shown(told)}")


def kind_at(told: Told, dom: Ty, target: Ty) -> Kind | None:
    """The kind of a loss at the type of a prediction."""
    if told is None or isinstance(told, Kind):
        return told
    if isinstance(told, str):
        one_of("the kind of a loss", told, PROBLEMS)
        return by_name(told, dom[0], target) if isinstance(dom[0], Array) else Kind()
    if not callable(told):
        raise TypeMismatch(f"the kind of a loss must be the name of a problem or a Kind, got {shown(told)}")
    return instance("the kind of a loss", told(dom[0]), Kind, "what a function gives for the outputs' type, a Kind")


def kind_of(task: Para, label: str) -> Kind | None:
    """What the loss of a label says, found at the parameter of that name."""
    found = next((p.about for n, p in zip(task.names, task.params, strict=True) if n == label), None)
    return found if isinstance(found, Kind) else None


def told(task: P, label: str, kind: Kind) -> P:
    """The same task with something else said about a label."""
    body = task.body
    params = tuple(replace(p, about=kind) if n == label else p for n, p in zip(task.names, body.params, strict=True))
    return type(task)(task.dom, task.cod, Body(params, body.arrow, body.observables), piece=task.piece, ends=task.ends)


WORDS = {"binary": "yes and no", "classes": "classes", "multilabel": "several labels at once", "regression": "numbers"}


def misfit(metric: str, of: str, kind: Kind | None, loss: str, others: Sequence[str]) -> str:
    """Why a metric is not for the labels and outputs of a loss, and what is."""
    if kind is None:
        fix = "give kind=… to lg.loss, or as the metric a function (labels, outputs) → number"
        return f"{metric} has to know what labels are, and the loss {loss} does not say: {fix}"
    if kind.problem not in WORDS:
        return f"{metric} is no metric for {loss}, whose outputs are neither classes nor numbers near their labels"
    return f"{metric} is a metric of {of}, and {loss} is a loss of {WORDS[kind.problem]}: use one of {listed(list(others))}"
