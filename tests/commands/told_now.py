"""Written cases as if they had just happened: each in queues of its own, until a minute ago, its hours moved with it."""

import json
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from heapq import merge
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

from tests.ingest.test_written_reports import REPORTS
from tests.services.kafka import Record

MINUTE, WEEK_MIN = 60_000, 7 * 24 * 60
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Told = dict[str, Any]


class ToldNow:
    """A case, moved by whole minutes so that it ends, or is asked about, a minute before ``now`` (ms)."""

    def __init__(self, case: dict[str, Any], now: int) -> None:
        self.name = case["files"][0].removesuffix(".ndjson")
        self.expected: dict[str, dict[str, float]] = case["expected"]
        told = [
            json.loads(line) for name in case["files"] for line in (REPORTS / name).read_bytes().splitlines()
        ]
        asked = _ms(case["at"]) if "at" in case else max(_ms(event["at"]) for event in told)
        self._begin = min(_ms(event["at"]) for event in told)
        self._by = (now - MINUTE - asked) // MINUTE * MINUTE
        self.events = [self._moved(event) for event in told if _ms(event["at"]) <= asked]
        self._settings = tomllib.loads((REPORTS / case["settings"]).read_text()) if "settings" in case else {}

    @property
    def begin(self) -> int:
        """When it begins, ms."""
        return self._begin + self._by

    def queue(self, name: str) -> str:
        """A queue's name in this case."""
        return f"{name} of {self.name}"

    def _moved(self, event: Told) -> Told:
        own = {name: f"{self.name} {event[name]}" for name in ("id", "contact_id")}
        if "queue" in event:
            own["queue"] = self.queue(event["queue"])
        return {**event, **own, "at": _ms(event["at"]) + self._by}

    def settings(self, zone: str) -> Told:
        """Those of its queues, for a document that has all cases; their day is that of ``zone``."""
        queues: dict[str, Told] = {}
        for place in self.expected:
            queue, _, channel = place.partition("/")
            queues[self.queue(queue)] = {
                "channels": {channel: self._settings.get("channels", {}).get(channel, {})}
            }
        for queue, given in self._settings.get("queues", {}).items():
            queues.setdefault(self.queue(queue), {}).update(given)
        for mine in queues.values():
            mine["zone"] = zone
        calendars = self._settings.get("calendars", {})
        return {"queues": queues, "calendars": {name: self._hours(one) for name, one in calendars.items()}}

    def _hours(self, calendar: Told) -> Told:
        """Its hours as they lie about the moved events, in UTC."""
        local = datetime.fromtimestamp(self._begin / 1000, ZoneInfo(calendar["zone"]))
        by = self._by // MINUTE - round((local.utcoffset() or timedelta()).total_seconds() / 60)
        hours = defaultdict(list)
        for days, periods in calendar["hours"].items():
            first, _, last = days.partition("-")
            for day in range(DAYS.index(first), DAYS.index(last or first) + 1):
                for period in periods:
                    opens, closes = (day * 24 * 60 + by + _minute(text) for text in period.split("-"))
                    while opens < closes:  # in pieces, none of which goes over midnight
                        at, minute = divmod(opens, 24 * 60)
                        until = min(closes, (at + 1) * 24 * 60)
                        hours[DAYS[at % 7]].append(f"{_clock(minute)}-{_clock(minute + until - opens)}")
                        opens = until
        return {"zone": "UTC", "hours": {day: sorted(periods) for day, periods in hours.items()}}


def in_order(cases: list[ToldNow]) -> Iterator[Record]:
    """All of their events as the broker would get them: each case in its own order, whatever its stamps are."""

    def reported(one: ToldNow) -> list[tuple[int, str, int]]:
        when = accumulate((event["at"] for event in one.events), max)
        return [(at, one.name, n) for n, at in enumerate(when)]

    by_name = {one.name: one for one in cases}
    for _, name, n in merge(*map(reported, cases)):
        event = by_name[name].events[n]
        yield Record(event["contact_id"].encode(), json.dumps(event).encode())


def late_evening(now: int) -> str:
    """A zone in which the day will end in an hour or two: `today` is as long as it gets."""
    ahead = (22 - datetime.fromtimestamp(now / 1000, ZoneInfo("UTC")).hour + 11) % 24 - 11
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def _minute(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
