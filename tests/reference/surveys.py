"""Surveys: which were sent, which came back, and which answers are one opinion."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .counters import HOUR
from .facts import Settings
from .history import Opinion

if TYPE_CHECKING:
    from collections.abc import Callable

    from .books import Books
    from .counters import Key
    from .facts import Survey

WITHIN_MS = 48 * HOUR


class Sent(NamedTuple):
    """A survey that did not come back yet."""

    place: Key
    at: int


class Answer(NamedTuple):
    """A contact's opinion, told once or several times: what counted of it, where, and between which times."""

    counted: dict[str, int]
    place: Key
    first: int
    last: int
    returned: bool
    dissatisfied: bool = False


class Surveys:
    """The last survey that each contact was sent, and the last answer, by kind.

    `settings(queue, channel)` says what a score means there.
    """

    def __init__(self, books: Books, settings: Callable[[str, str], Settings] | None = None) -> None:
        self._books = books
        self._settings = settings or (lambda _queue, _channel: Settings())
        self._sent: dict[tuple[str, str], Sent] = {}  # contact, kind
        self._answers: dict[tuple[str, str], Answer] = {}

    def sent(self, contact: str, kind: str, place: Key, at: int) -> None:
        """The contact was sent one."""
        self._books.live(place, at, **{f"{kind}_sent": 1})
        self._books.history.opinions.append(Opinion(contact, place, at, {f"{kind}_sent": 1}, 1))
        answer = self._answers.get((contact, kind))
        if answer and not answer.returned and _in_time(at, answer.first):
            self._came_back(contact, kind, Sent(place, at))
            self._answers[contact, kind] = answer._replace(returned=True)
        else:
            self._sent[contact, kind] = Sent(place, at)

    def answered(self, contact: str, survey: Survey, place: Key, at: int) -> None:
        """The contact answers, for the first time or again."""
        key = contact, survey.kind
        returned = False
        if key in self._sent and _in_time(self._sent[key].at, at):
            self._came_back(contact, survey.kind, self._sent.pop(key))
            returned = True
        settings = self._settings(*place)
        unhappy = survey.is_dissatisfied(settings)
        answer = Answer(survey.counts(settings), place, at, at, returned, unhappy)
        former = self._answers.get(key)
        if former and abs(at - former.first) <= WITHIN_MS:
            self._count(contact, former, -1)
            answer = _one_opinion(former, answer)
        self._count(contact, answer, 1)
        self._answers[key] = answer

    def forget(self, now: int) -> None:
        """Time-outs run."""
        self._sent = {key: sent for key, sent in self._sent.items() if now - sent.at <= WITHIN_MS}
        self._answers = {key: a for key, a in self._answers.items() if now - a.first <= WITHIN_MS}

    def _came_back(self, contact: str, kind: str, sent: Sent) -> None:
        self._books.live(sent.place, sent.at, **{f"{kind}_returned": 1})
        self._books.history.opinions.append(Opinion(contact, sent.place, sent.at, {f"{kind}_returned": 1}, 1))

    def _count(self, contact: str, answer: Answer, sign: int) -> None:
        counted = {**answer.counted, "csat_dissatisfied": int(answer.dissatisfied)}
        opinion = Opinion(contact, answer.place, answer.first, counted, sign)
        self._books.history.opinions.append(opinion)
        self._books.live(answer.place, answer.first, **{n: sign * x for n, x in answer.counted.items()})


def _one_opinion(former: Answer, event: Answer) -> Answer:
    """What the later one says, where and when the earlier one was given."""
    later = event if event.last >= former.last else former
    earlier = event if event.first < former.first else former
    return Answer(
        counted=later.counted,
        place=earlier.place,
        first=earlier.first,
        last=later.last,
        returned=former.returned or event.returned,
        dissatisfied=later.dissatisfied,
    )


def _in_time(sent_at: int, answered_at: int) -> bool:
    return 0 <= answered_at - sent_at <= WITHIN_MS
