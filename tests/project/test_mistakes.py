"""What newcomers get wrong either works or is answered by a sentence that says what to do."""

import pytest

import lensgrad as lg
from tools.mistakes import PAGE, REMEDY, Answer, advice, answer, names, page, paragraph, summary
from tools.mistakes_list import MISTAKES

LINES = [(room, code) for room, codes in MISTAKES.items() for code in codes]
KNOWN = names()
FOUND = [(room, code, answer(code, KNOWN)) for room, code in LINES]


@pytest.mark.parametrize(("code", "given"), [(code, given) for _, code, given in FOUND], ids=[code for _, code in LINES])
def test_a_mistake_works_or_is_told_what_to_do(code, given):
    assert given.helps, f"{code}\n{given.end}: {given.text}"


def test_there_are_enough_of_them_and_none_twice():
    assert len(LINES) >= 84 and len({code for _, code in LINES}) == len(LINES)


def test_the_page_has_every_mistake_with_what_it_says():
    written = PAGE.read_text(encoding="utf-8")
    missing = [code for _, code, given in FOUND if f"{code}\n```\n\n{paragraph(given)}\n" not in written]
    assert missing == [], "`python -m tools.mistakes` writes the page anew"
    assert written.count("```py\n") == len(LINES) and page(FOUND).startswith("# Mistakes")


def test_a_raw_error_and_a_sentence_without_a_remedy_do_not_help():
    assert answer("1 / 0", {}) == Answer("raw", "ZeroDivisionError: division by zero") and not answer("1 / 0", {}).helps
    bare = answer("raise lg.LensgradError('the sizes differ')", {"lg": lg})
    assert bare == Answer("refused", "the sizes differ") and not bare.helps
    assert answer("x = 1", {}) == Answer("works", "") and answer("print('a word of advice')", {}).text == "a word of advice"
    assert REMEDY.search("the sizes differ: use lg.dense(3)") and advice("epoch 1/1  loss 2\n\nsaid\n") == ["said"]


def test_the_summary_counts_each_end():
    found = [("", "", Answer("works", "")), ("", "", Answer("refused", "no")), ("", "", Answer("raw", "TypeError: no"))]
    assert summary(found) == "3 mistakes: 1 work, 1 are refused, 1 are raw; 1 work or say what to do"
