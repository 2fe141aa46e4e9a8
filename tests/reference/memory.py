"""What a partition remembers: the open visits of every contact, and the ids that were seen lately."""

from __future__ import annotations

import hashlib
import itertools
from typing import TYPE_CHECKING, NamedTuple

from .clock import Clock
from .counters import DAY, HOUR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .visits import Visit

ENDED_MS = HOUR  # how long what ended, and a case that was reopened, are remembered
RECENT_DAYS = 3
LASTING_DAYS = 31


def fingerprint(event_id: str) -> bytes:
    """The h(id) of the specification."""
    return hashlib.blake2b(event_id.encode(), digest_size=8).digest()


def stay(place: tuple[str, str], of: str, who: str, second: int) -> bytes:
    """What is remembered of a visit that is over, whose contact or agent is `who`."""
    queue, channel = place
    return fingerprint(f"stay|{queue}|{channel}|{of}|{who}|{second}")


class Ended(NamedTuple):
    """A visit that is over, and whose request may go on, since `at`."""

    visit: Visit
    at: int


class Memory:
    """Open visits and recent ids, and the clock of the partition."""

    def __init__(self, recent_max: int, lasting_max: int) -> None:
        self.clock = Clock()
        self.dropped_early = 0  # ids that were dropped because there were too many
        self._recent_max = recent_max
        self._lasting_max = lasting_max
        self._lasting: set[tuple[int, bytes]] = (
            set()
        )  # when an id that recurs was added (a day), and its hash
        self._visits: dict[str, list[Visit]] = {}  # contact -> its open visits, oldest first
        self._recent: dict[int, set[bytes]] = {}  # day of partition time -> hashes of the ids added in it
        self._opened = itertools.count(1)
        self._closed = itertools.count(1)
        self._ended: dict[str, list[Ended]] = {}  # contact -> visits with whose request it may go on
        self._reopened: dict[str, list[int]] = {}  # contact -> when its case was reopened

    @property
    def now(self) -> int:
        """Partition time."""
        return self.clock.now

    def __iter__(self) -> Iterator[Visit]:
        return (visit for visits in self._visits.values() for visit in visits)

    def newest_first(self, contact: str) -> list[Visit]:
        """The open visits of a contact."""
        return self._visits.get(contact, [])[::-1]

    def open(self, visit: Visit) -> None:
        visit.order = next(self._opened)
        self._visits.setdefault(visit.contact, []).append(visit)

    def close(self, visit: Visit) -> None:
        self._take_out(visit)
        visit.life.row = next(self._closed)
        self.remember(visit.opener)
        if visit.exact:
            second = visit.queued_at // 1000
            self.remember(stay(visit.place, "contact", visit.contact, second))
            if visit.agent and visit.answered:
                self.remember(stay(visit.place, "agent", visit.agent, second))

    def rename(self, visit: Visit, contact: str) -> None:
        """The visit is another contact's from now on, and the newest of that one's."""
        self._take_out(visit)
        visit.contact = contact
        self.open(visit)

    def _take_out(self, visit: Visit) -> None:
        visits = self._visits[visit.contact]
        visits.remove(visit)
        if not visits:
            del self._visits[visit.contact]

    # Requests through several visits -------------------------------------------------------------------

    def keep_request(self, visit: Visit, at: int) -> None:
        """The visit ended at that time, and another one may go on with its request."""
        self._ended.setdefault(visit.contact, []).append(Ended(visit, at))

    def ended(self, contact: str) -> list[Ended]:
        """The visits of the contact with whose request another one may go on."""
        return self._ended.get(contact, [])

    def forget_ended(self, contact: str) -> None:
        self._ended.pop(contact, None)

    def answered(self, contact: str) -> None:
        """The contact's request had an answer, in whichever visit."""
        opened = [visit for visit in self.newest_first(contact) if visit.state != "abandoned"]
        for visit in opened + [ended.visit for ended in self.ended(contact)]:
            if not visit.outbound:
                visit.request.answered = True

    def case_reopened(self, contact: str, at: int) -> None:
        self._reopened.setdefault(contact, []).append(at)

    def case_reopenings(self, contact: str) -> list[int]:
        """When the contact's case was reopened of late."""
        return self._reopened.get(contact, [])

    # Ids -----------------------------------------------------------------------------------------------

    def knows(self, name: bytes) -> bool:
        return any(name in names for names in self._recent.values())

    def knows_opener(self, contact: str, name: bytes) -> bool:
        """Whether this id is recent or has opened one of the contact's open visits."""
        return self.knows(name) or any(visit.opener == name for visit in self.newest_first(contact))

    def recurred(self, name: bytes, at: int) -> bool:
        """Whether an event of that time recurs; if not, it is remembered for a month."""
        if any(name == known and day >= at // DAY - 1 for day, known in self._lasting):
            return True
        days = [day for day, _ in self._lasting]
        self._lasting.add((max([self.now // DAY, *days]), name))
        if len(self._lasting) > self._lasting_max:
            known = len(self._lasting)
            self._keep_days_after(min(days, default=self.now // DAY))
            self.dropped_early += known - len(self._lasting)
        return False

    def _keep_days_after(self, last: int) -> None:
        self._lasting = {(day, name) for day, name in self._lasting if day > last}

    def remember(self, name: bytes) -> None:
        today = self.now // DAY
        if name in self._recent.get(today, ()):
            return
        if today not in self._recent and len(self._recent) == RECENT_DAYS:
            del self._recent[min(self._recent)]
        if self._recent and sum(map(len, self._recent.values())) >= self._recent_max:
            self.dropped_early += len(self._recent.pop(min(self._recent)))
        self._recent.setdefault(today, set()).add(name)

    def follow(self) -> None:
        """Partition time moved, perhaps back."""
        today = self.now // DAY
        for day in [day for day in self._recent if day > today]:
            self._recent.setdefault(today, set()).update(self._recent.pop(day))

    def forget(self) -> None:
        """Drop what is an hour old, and ids that recur after a month."""
        oldest = self.now - ENDED_MS
        for contact, visits in list(self._ended.items()):
            self._ended[contact] = [ended for ended in visits if ended.at >= oldest]
        for contact, times in list(self._reopened.items()):
            self._reopened[contact] = [at for at in times if at >= oldest]
        self._ended = {contact: visits for contact, visits in self._ended.items() if visits}
        self._reopened = {contact: times for contact, times in self._reopened.items() if times}
        self._keep_days_after((self.now - LASTING_DAYS * DAY) // DAY - 1)
