"""A crisis, and the rule of docs/wallboard.md written a second time: from the contacts themselves."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import NamedTuple

from stream_app.model.fold.cells import NUMBERS, pack_cell
from stream_app.model.fold.visit import Visit, VisitState
from stream_app.model.live.board import Board
from tests.views.examples import NOON

S, MIN = 1_000, 60_000
MINUTES = 50
TARGET = 20 * S
CHANNELS = {"billing": "voice", "support": "voice", "tiny": "voice", "mail": "email"}
LONGEST = {"voice": 120, "email": 14_400}
TOLERATED = {"oldest_waiting": 0.0, "service_level": 0.1, "abandonment": 0.05, "first_response": 0.5}
COLOURS = {"off": 5, "recovering": 4, "near": 4, "met": 2, "few": 1, "none": 1}
FEW = 10


class Contact(NamedTuple):
    """A contact that joins a queue, and leaves it answered or not."""

    queue: str
    at: int
    over: int
    answered: bool

    @property
    def wait(self) -> int:
        return self.over - self.at

    @property
    def decided(self) -> int:
        return min(self.over, self.at + TARGET)

    @property
    def known(self) -> int:
        """The latest moment at which its outcome was known."""
        return self.decided if self.answered else self.over


def story() -> list[Contact]:
    """Billing has nobody for twelve minutes, then catches up; support is slow for a while; tiny has few calls."""
    rng, out = Random(11), []
    for minute in range(-30, MINUTES):
        at = NOON + minute * MIN
        for queue, each in (("billing", 4), ("support", 2), ("mail", 1)):
            out += [_contact(rng, queue, at + rng.randrange(MIN), minute) for _ in range(each)]
        if minute % 6 == 0:
            out.append(Contact("tiny", at + 7 * S, at + 7 * S + rng.choice((5, 90)) * S, answered=True))
    return out


def _contact(rng: Random, queue: str, at: int, minute: int) -> Contact:
    if queue == "billing" and 8 <= minute < 20:
        if rng.random() < 0.15:
            return Contact(queue, at, at + 70 * S, answered=False)
        return Contact(queue, at, NOON + 20 * MIN + rng.randrange(200) * S, answered=True)
    slow = queue == "support" and 15 <= minute < 24
    wait = (
        rng.randrange(5, 120) * MIN
        if queue == "mail"
        else rng.randrange(*((15, 40) if slow else (2, 12))) * S
    )
    return Contact(queue, at, at + wait, answered=True)


def fill(board: Board, contacts: list[Contact], now: int) -> None:
    """Put what was counted until now, and who waits, as a worker would have."""
    board.advance(now)
    there = [(f"c{n}", one) for n, one in enumerate(contacts) if one.at <= now]
    for size in (10 * S, MIN, 15 * MIN):
        buckets: dict[tuple[int, str], Counter[str]] = {}
        for _, one in there:
            for at, name, n in _amounts(one, now):
                buckets.setdefault((at - at % size, one.queue), Counter())[name] += n
        for (start, queue), cell in buckets.items():
            packed = pack_cell({NUMBERS[name]: n for name, n in cell.items() if n})
            board.put_cells("t.0", size, start, [((queue, CHANNELS[queue]), packed)])
    for name, one in there:
        place = (one.queue, CHANNELS[one.queue])
        visit = Visit(*place, VisitState.WAITING, one.at, one.at, TARGET, 5_000, b"12345678")
        board.put_visits("t.0", name, [visit] if one.over > now else [])


def _amounts(one: Contact, now: int) -> list[tuple[int, str, int]]:
    out = [(one.at, "offered", 1)]
    if one.over > now:
        return out
    in_time = int(one.wait <= TARGET)
    out.append((one.decided, "decided", 1))
    if not one.answered:
        late = [
            (one.over, "abandoned_late", 1 - in_time),
            (one.decided, "decided_then_abandoned", 1 - in_time),
        ]
        return [*out, (one.over, "abandoned", 1), *late]
    out += [(one.over, "answered", 1), (one.over, "answered_in_target", in_time)]
    if CHANNELS[one.queue] == "voice":
        out += [(one.over, "responded", 1), (one.over, "response_ms", one.wait)]
    return out


class Expected(NamedTuple):
    """What the rule says of a queue: its state, why, and what it is sorted by."""

    state: str
    reasons: list[str]
    key: tuple[float, ...]


Ratio = tuple[float, int]


class Queue:
    """A queue as somebody would see it who knows all its contacts."""

    def __init__(self, contacts: list[Contact], queue: str, now: int) -> None:
        mine = [one for one in contacts if one.queue == queue and one.at <= now]
        self._now = now
        self._over = [one for one in mine if one.over <= now]
        self._waits = [one for one in mine if one.over > now]
        self.channel = CHANNELS[queue]
        self.longest = LONGEST[self.channel]
        self.late = sum(now - one.at >= TARGET for one in self._waits)
        self.oldest = max((now - one.at for one in self._waits), default=0) / S

    def _since(self, minutes: int) -> int:
        size = 10 * S if minutes <= 15 else MIN
        return self._now - self._now % size + size - minutes * MIN

    def _due(self, since: int) -> int:
        return sum(since <= one.at + TARGET <= self._now for one in self._waits)

    def service(self, minutes: int) -> Ratio:
        since = self._since(minutes)
        n = sum(one.decided >= since for one in self._over) + self._due(since)
        good = sum(one.answered and one.wait <= TARGET and one.over >= since for one in self._over)
        return (good / n if n else 0.0), n

    def abandoned(self, minutes: int) -> Ratio:
        since = self._since(minutes)
        n = sum(one.known >= since for one in self._over) + self._due(since)
        gone = sum(not one.answered and one.over >= since for one in self._over)
        return (gone / n if n else 0.0), n

    def speed(self, minutes: int) -> Ratio:
        if self.channel != "voice":
            return 0.0, 0
        waits = [one.wait / S for one in self._over if one.answered and one.over >= self._since(minutes)]
        return (sum(waits) / len(waits) if waits else 0.0), len(waits)

    def _past(self, minutes: int) -> dict[str, float]:
        """How far past its target each number is that is judged, first what a badge names first."""
        level, gave_up, speed = self.service(minutes), self.abandoned(minutes), self.speed(minutes)
        far = {"oldest_waiting": (self.oldest - self.longest) / self.longest} if self._waits else {}
        if level[1] >= FEW:
            far["service_level"] = 0.8 - level[0]
        if gave_up[1] >= FEW:
            far["abandonment"] = gave_up[0] - 0.05
        if speed[1] >= FEW:
            far["first_response"] = (speed[0] - 20) / 20
        return {name: round(by, 4) for name, by in far.items()}

    def _is_calm(self) -> bool:
        """Whether the last minutes are on target."""
        level, gave_up = self.service(5), self.abandoned(5)
        return not self.late and level[1] > 0 and level[0] >= 0.8 and gave_up[0] <= 0.05

    def expected(self, minutes: int) -> Expected:
        """The rule."""
        far = self._past(minutes)
        off = [name for name, by in far.items() if by > TOLERATED[name]]
        near = [name for name, by in far.items() if 0 < by <= TOLERATED[name]]
        judged = [name for name in far if name != "oldest_waiting"]
        if off:
            over = minutes != 5 and "oldest_waiting" not in off and self._is_calm()
            state = "recovering" if over else "off"
        elif near:
            state = "near"
        elif judged:
            state = "met"
        elif self.service(minutes)[1] or self.abandoned(minutes)[1] or self.speed(minutes)[1]:
            state = "few"
        else:
            state = "met" if self._waits else "none"
        unserved = sum(
            max(0.0, far[name]) * n
            for name, (_, n) in (
                ("service_level", self.service(minutes)),
                ("abandonment", self.abandoned(minutes)),
            )
            if name in far
        )
        halves = self.oldest // (self.longest / 2)
        return Expected(
            state, off or near, (COLOURS[state], self.longest <= 600, self.late, halves, round(unserved))
        )


def comes_before(one: Expected, other: Expected) -> bool | None:
    """Whether a queue comes before another; ``None`` where it is left to the steps of a third, or to the name."""
    for a, b in zip(one.key, other.key, strict=True):
        if a == b:
            continue
        alike = min(a, b) >= 10 and max(a, b) < 1.34 * min(a, b)
        return None if alike else a > b
    return None
