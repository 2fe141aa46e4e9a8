"""Conversations in words of no platform, and the events that ``docs/help-desks.md`` has an adapter send of them."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from hypothesis import strategies as st

HOUR, DAY, WEEK = 3_600, 86_400, 7 * 86_400
WRITTEN = ("email", "chat", "messaging", "social")


class Move(NamedTuple):
    """What happens, in seconds since a Monday; ``who`` is the agent or the group that it concerns.

    ``created`` is the customer's request, ``opened`` one that an agent begins with a message; ``customer``, ``agent``,
    ``note``, ``auto`` and ``bot`` are messages; ``pending`` and ``on hold`` last until ``open`` or the customer's next message;
    ``solved`` may state the seconds of work; ``returned`` is the customer who is back after a bot has settled it.
    """

    at: int
    what: str
    who: str = ""
    work_s: float | None = None


Story = Sequence[Move]
Told = tuple[int, str, dict[str, Any]]

_MESSAGES: dict[str, dict[str, Any]] = {
    "agent": {},
    "public note": {},
    "note": {"private": True},
    "auto": {"auto": True},
    "bot": {"bot": True},
}


def events(story: Story, channel: str) -> Iterator[Told]:
    """Yield (seconds, type, fields) of the events that tell a story."""
    adapter = _Adapter(story[0].who or "q", channel)
    for move in story:
        for kind, fields in adapter.events(move):
            yield move.at, kind, fields


class _Adapter:
    """What an adapter remembers of a conversation."""

    def __init__(self, group: str, channel: str) -> None:
        self._place = {"queue": group, "channel": channel}
        self._replied = self._assigned = self._aside = False

    def events(self, move: Move) -> Iterator[tuple[str, dict[str, Any]]]:
        if move.what in {"created", "returned", "opened", "reopened"}:
            yield self._begin(move)
        elif move.what == "customer":
            yield from self._resume()
            yield "message.received", {}
        elif move.what == "assigned":
            self._assigned = True
            yield "contact.answered", {"agent": move.who or "ann"}
        elif move.what in {"pending", "on hold"}:
            if not self._aside:
                yield "contact.held", {}
            self._aside = True
        elif move.what == "open":
            yield from self._resume()
        elif move.what == "moved":
            yield from self._move(move.who)
        elif move.what == "handed off":
            yield "bot.handed_off", {}
        elif move.what in {"solved", "solved by bot"}:
            yield from self._end(move)
        else:
            self._replied |= move.what in {"agent", "public note"}
            yield "message.sent", {"agent": move.who or "ann", **_MESSAGES[move.what]}

    def _begin(self, move: Move) -> tuple[str, dict[str, Any]]:
        if move.what == "opened":
            return "message.sent", {**self._place, "direction": "outbound", "agent": "ann"}
        if move.what == "reopened":
            self._replied = True  # people have it from the start
            return "case.reopened", {"case": "k", **self._place}
        return "contact.queued", self._place

    def _resume(self) -> Iterator[tuple[str, dict[str, Any]]]:
        if self._aside:
            yield "contact.resumed", {}
        self._aside = False

    def _move(self, group: str) -> Iterator[tuple[str, dict[str, Any]]]:
        yield "contact.transferred", {}
        if self._replied:
            yield "contact.wrapped", {"queue": self._place["queue"]}
        self._replied = self._aside = False
        self._place = {**self._place, "queue": group}
        yield "contact.queued", self._place

    def _end(self, move: Move) -> Iterator[tuple[str, dict[str, Any]]]:
        yield "contact.ended", {"by": "bot" if move.what == "solved by bot" else "agent"}
        if self._replied or self._assigned:
            yield "contact.wrapped", {} if move.work_s is None else {"talk_s": move.work_s}
        self._replied = self._assigned = self._aside = False


GAPS = st.one_of(st.integers(0, 120), st.integers(0, 12 * HOUR), st.integers(0, 3 * DAY))


@st.composite
def stories(
    draw: st.DrawFn,
    during: Sequence[str] = ("customer", "agent", "note", "auto"),
    *,
    groups: Sequence[str] = ("q",),
    ends: bool = False,
    again: int = 0,
    first: str = "created",
) -> Story:
    """What may happen ``during`` a conversation, through its groups; one that ``ends`` is solved right after a reply.

    It is then reopened up to ``again`` times, and solved each time.
    """
    at, group = draw(st.integers(0, WEEK)), draw(st.sampled_from(groups))
    story = [Move(at, first, group)]
    for part in range(1 + draw(st.integers(0, again))):
        if part:
            at += draw(GAPS)
            story.append(Move(at, "reopened", group))
        for gap, what in draw(st.lists(st.tuples(GAPS, st.sampled_from(during)), max_size=6)):
            at += gap
            if what == "moved":
                group = draw(st.sampled_from([other for other in groups if other != group]))
            story.append(Move(at, what, group if what == "moved" else ""))
        if ends:
            at += draw(GAPS)
            story += [Move(at, "agent"), Move(at, "solved")]
    return story


def several(one: st.SearchStrategy[Story]) -> st.SearchStrategy[list[Story]]:
    """Some conversations of a queue."""
    return st.lists(one, min_size=1, max_size=4)


def when(story: Story, *what: str) -> list[int]:
    """When any of these happened."""
    return [move.at for move in story if move.what in what]


def gaps(story: Story, replies: Sequence[str] = ("agent",)) -> list[tuple[int, int]]:
    """Each reply that a customer waited for: since when, from the first message that had none, and until when."""
    found: list[tuple[int, int]] = []
    since: int | None = None
    for move in story:
        if move.what in {"created", "customer", "reopened"} and since is None:
            since = move.at
        if move.what in replies and since is not None:
            found.append((since, move.at))
            since = None
    return found
