"""A row of a call list → what happened to its contact, and when: what the list does not say follows from what it says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from .calls import DURATIONS, BadRowError, Call, CallCells, scaled
from .local_clock import LocalClock
from .mapping import ColumnMap
from .outcomes import BLOCKED, INBOUND, OUTBOUND, WITH_AGENT, Meaning, channel_of, meaning_of, plain
from .values import DateOrder, seconds, time_of_day, truth, wall_time

_LONGEST_NAME: Final = {"queue": 256, "channel": 256, "team": 256, "site": 256}
_LONGEST_ID: Final = 128
_ROUNDED: Final = 2_000
"""Milliseconds by which times that were rounded may be out of order."""
_HALF_DAY: Final = 43_200_000
_DAY: Final = 86_400_000
_LONGEST: Final = 31 * _DAY
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


class CallReader:
    """Reads the rows of one file, in the order of its clock."""

    def __init__(
        self,
        mapping: ColumnMap,
        order: DateOrder,
        clock: LocalClock,
        needs_outcome: bool = True,
    ) -> None:
        """Begin a file.

        Args:
            mapping: where the file has the fields.
            order: whether days or months come first.
            clock: that of times without an offset; rows are read in its order.
            needs_outcome: whether a word for an outcome must have a meaning.
        """
        self._outcomes = {plain(word): meaning for word, meaning in mapping.outcomes.items()}
        self._scales = scaled(mapping)[1]
        self._order = order
        self._clock = clock
        self._strict = needs_outcome
        self._texts: dict[str, str] = {}

    def call(self, line: int, cells: CallCells, made_id: str) -> Call | None:
        """Return the contact of a row; ``None`` for one that is not counted at all.

        Args:
            line: its first line.
            cells: its texts.
            made_id: the contact's id if the list has none.

        Raises:
            BadRowError: a cell is wrong, or a needed one is empty.
        """
        wall = self._wall(cells, "queued", None)
        if wall is None:
            raise BadRowError("queued", "is empty")
        queued = self._ms("queued", wall)
        answered, was_answered = self._answered(cells, wall, queued)
        ended = self._later(cells, "ended", wall, queued)
        times = {field: self._seconds(cells, field) for field in DURATIONS}
        meaning = self._meaning(cells, was_answered, answered, times)
        outbound = self._outbound(cells)
        if meaning == "ignored" or outbound is None or (outbound and meaning not in WITH_AGENT):
            return None
        call = Call(
            line=line,
            contact_id=self._text(cells, "contact_id") or made_id,
            queue=self._needed(cells, "queue"),
            channel=channel_of(self._text(cells, "channel") or "voice"),
            meaning=meaning,
            queued=queued,
            outbound=outbound,
            agent=self._text(cells, "agent"),
            team=self._text(cells, "team"),
            site=self._text(cells, "site"),
            customer=self._text(cells, "customer"),
        )
        if meaning in WITH_AGENT:
            _with_agent(call, answered, ended, times)
        else:
            _without(call, ended, times)
        return call

    def _wall(self, cells: CallCells, field: str, day: datetime | None) -> datetime | None:
        text = cells.get(field)
        if text is None:
            return None
        found = wall_time(text, self._order)
        if found is None and day is not None and (of_day := time_of_day(text)) is not None:
            found = datetime.combine(day, of_day, day.tzinfo)
        if found is None:
            raise BadRowError(field, "expected a date and a time, such as 2026-01-05 09:30:00")
        return found

    def _ms(self, field: str, wall: datetime, since: int | None = None) -> int:
        """Return a time; of the two that a wall clock's reading may have, the first that is not before ``since``."""
        try:
            if wall.tzinfo is not None:
                at = wall
            elif since is None:
                at = self._clock.at(wall)
            else:
                first, second = self._clock.both(wall)
                at = first if _since_epoch(first) >= since - _ROUNDED or second <= first else second
            if _EARLIEST <= at < _LATEST:
                return _since_epoch(at)
        except OverflowError:
            pass
        raise BadRowError(field, "expected a time from 2000 to 2100")

    def _answered(self, cells: CallCells, day: datetime, queued: int) -> tuple[int | None, bool | None]:
        """Return when it was answered, and whether it was: a column may say one or the other."""
        text = cells.get("answered")
        if text is not None and (said := truth(text)) is not None:
            return None, said
        at = self._later(cells, "answered", day, queued)
        return at, None if at is None else True

    def _later(self, cells: CallCells, field: str, day: datetime, queued: int) -> int | None:
        wall = self._wall(cells, field, day)
        if wall is None:
            return None
        at = self._ms(field, wall, queued)
        undated = time_of_day(cells[field]) is not None
        if -_DAY - _ROUNDED < at - queued < (-_ROUNDED if undated else -_HALF_DAY):
            at += _DAY  # the date is that of the beginning, and midnight came in between
        if at < queued - _ROUNDED:
            raise BadRowError(field, "expected a time after the contact came, got an earlier one")
        if at - queued > _LONGEST:
            raise BadRowError(field, "expected a time at most 31 days after the contact came")
        return max(at, queued)

    def _seconds(self, cells: CallCells, field: str) -> float | None:
        text = cells.get(field)
        if text is None:
            return None
        found = seconds(text)
        if found is None:
            raise BadRowError(field, "expected a duration, such as 205, 3:25 or 0:03:25")
        if ":" not in text:
            found /= self._scales.get(field, 1.0)
        if found * 1000 > _LONGEST:
            raise BadRowError(field, "expected a duration of at most 31 days")
        return found

    def _meaning(
        self,
        cells: CallCells,
        was_answered: bool | None,
        answered: int | None,
        times: Mapping[str, float | None],
    ) -> Meaning:
        talked = bool(times["talk_s"] or times["handle_s"])
        if word := cells.get("outcome"):
            meaning = self._outcomes.get(plain(word)) or meaning_of(word)
            if meaning is not None:
                return meaning
            if self._strict:
                raise BadRowError("outcome", f"unknown outcome {word[:40]!r}", word)
        if text := cells.get("abandoned"):
            said = truth(text)
            if said is None:
                raise BadRowError("abandoned", "expected yes or no")
            return "abandoned" if said else "answered"
        if was_answered is not None:
            return "answered" if was_answered else "abandoned"
        return "answered" if answered is not None or talked else "abandoned"

    def _outbound(self, cells: CallCells) -> bool | None:
        """Return whether the centre made the call; ``None`` if it is neither that nor a customer's."""
        word = cells.get("direction")
        if word is None:
            return False
        text = plain(word)
        first = text.partition(" ")[0]
        if text in INBOUND or first in INBOUND:
            return False
        if text in OUTBOUND or first in OUTBOUND:
            return True
        if "intern" in text:
            return None
        raise BadRowError("direction", "expected inbound, outbound or internal")

    def _needed(self, cells: CallCells, field: str) -> str:
        text = self._text(cells, field)
        if text is None:
            raise BadRowError(field, "is empty")
        return text

    def _text(self, cells: CallCells, field: str) -> str | None:
        text = cells.get(field)
        if text is None:
            return None
        longest = _LONGEST_NAME.get(field, _LONGEST_ID)
        if len(text) > longest:
            raise BadRowError(field, f"expected at most {longest} characters, got {len(text)}")
        return text if field == "contact_id" else self._texts.setdefault(text, text)


def _with_agent(
    call: Call, answered: int | None, ended: int | None, times: Mapping[str, float | None]
) -> None:
    """Note the times of a contact with an agent; what the list does not have follows from what it has."""
    wait, talk, hold, wrap = (times[field] for field in ("wait_s", "talk_s", "hold_s", "wrap_s"))
    if talk is None and (handle := times["handle_s"]) is not None:
        talk = max(0.0, handle - (hold or 0.0) - (wrap or 0.0))
    spent = None if talk is None else _in_ms(talk + (hold or 0.0))
    began = answered is not None or wait is not None
    if ended is None and (spent is None or not began) and (whole := times["duration_s"]) is not None:
        ended = call.queued + _in_ms(whole)
    if answered is None:
        if wait is not None:
            answered = call.queued + _in_ms(wait)
        elif ended is not None and spent is not None:
            answered = max(call.queued, ended - spent)
        else:
            answered, call.wait_unknown = call.queued, not call.outbound
    if ended is None:
        ended = None if spent is None else answered + spent
    elif ended < answered:
        if ended < answered - _ROUNDED and spent is not None:
            ended = answered + spent
        ended = max(ended, answered)
    if talk is None and ended is not None:
        talk = max(0.0, (ended - answered) / 1000 - (hold or 0.0))
    call.answered, call.ended = answered, ended
    call.wait_s, call.talk_s, call.hold_s, call.wrap_s = wait, talk, hold, wrap


def _without(call: Call, ended: int | None, times: Mapping[str, float | None]) -> None:
    """Note how long a contact without an agent waited: nothing, if the list does not say it."""
    wait = times["wait_s"]
    if wait is None and ended is None:
        wait = times["duration_s"]
    if call.meaning in BLOCKED:
        call.ended = call.queued
    elif wait is not None:
        call.ended, call.wait_s = call.queued + _in_ms(wait), wait
    else:
        call.ended, call.wait_unknown = call.queued if ended is None else ended, ended is None


def _since_epoch(at: datetime) -> int:
    return int((at - _EPOCH) // _MILLISECOND)


def _in_ms(duration_s: float) -> int:
    return round(duration_s * 1000)
