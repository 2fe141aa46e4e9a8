"""What is kept of plans is bounded by its size, and what was used last stays."""

from __future__ import annotations

import pytest

from stream_app.planning import cache as plan_keep
from stream_app.planning.cache import Answers
from stream_app.planning.jobs import StaffFound, pack


def test_the_longest_unused_answers_go(monkeypatch: pytest.MonkeyPatch) -> None:
    one = pack(StaffFound([], "why"))
    monkeypatch.setattr(plan_keep, "KEPT_BYTES", 3 * len(one))
    answers = Answers()
    for key in ("a", "b", "c"):
        answers.keep((key,), one)
    assert answers.recall(("a",), StaffFound) == StaffFound([], "why")
    answers.keep(("d",), one)
    assert [(key,) in answers for key in "abcd"] == [True, False, True, True]
    answers.keep(("d",), one)  # the same again takes no more room
    assert [(key,) in answers for key in "abcd"] == [True, False, True, True]


def test_one_that_is_larger_than_all_room_is_kept_until_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_keep, "KEPT_BYTES", 1)
    answers = Answers()
    answers.keep(("a",), pack(StaffFound([])))
    assert ("a",) in answers
    answers.keep(("b",), pack(StaffFound([])))
    assert [(key,) in answers for key in "ab"] == [False, True]
