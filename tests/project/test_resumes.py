"""A checkpoint of another learner never goes on in silence: the tool that counts, on a few pairs."""

from lensgrad.train import resume
from tools import resumes

FEW = ("activation", "contents", "head_optimizer", "rate", "seed")


def test_checkpoints_of_other_learners_are_refused_or_said():
    wrong = []
    assert resumes.tried(len(FEW), wrong.append, FEW) == {resumes.REFUSED: 4, resumes.SAID: 1}
    assert wrong == []


def test_a_comparison_that_sees_nothing_is_found(monkeypatch):
    monkeypatch.setattr(resume, "compared", lambda *_: [])
    wrong = []
    assert resumes.tried(1, wrong.append, ["seed"]) == {resumes.SILENT: 1, "wrong": 1}
    assert wrong == ["0: seed was 0 and is 1: silent "]
