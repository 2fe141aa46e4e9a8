"""What must hold of any conversations."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from hypothesis import given, strategies as st

from .hours import ALWAYS
from .log import T0
from .model import Reference
from .rules import Rules, usual
from .tales import ENDS, WRITTEN_KINDS, Told, after, feed, tales

if TYPE_CHECKING:
    from .counters import Key

_BOTS_OWN = {"offered", "to_bot", "bot_contained", "bot_abandoned", "containments_undone"}
_OUTCOMES = ("answered", "abandoned", "left", "lost")
_OF_PEOPLE = ("offered", "from_bot")


def _in_order(tale: list[Told]) -> list[Told]:
    """Sorted by time, and each with an id that does not depend on the others."""
    return sorted(tale, key=lambda told: told.at)


def _named(tale: list[Told], prefix: str) -> list[Told]:
    return [told._replace(fields={"id": f"{prefix}{n}", **told.fields}) for n, told in enumerate(tale)]


def _known(reference: Reference) -> tuple[Any, ...]:
    return reference.totals(), reference.rows(), reference.open_visits(), reference.total_sketch("handle")


@given(tales())
def test_who_was_offered_to_people_waits_or_had_an_outcome(tale: list[Told]) -> None:
    """At any moment, in every queue and channel; and nothing is less than none."""
    reference = Reference()
    for offset, told in enumerate(tale):
        feed(reference, told, f"e{offset}", offset)
        states: Counter[tuple[Key, str]] = Counter()
        for _, queue, channel, state, _ in reference.open_visits():
            states[(queue, channel), state] += 1
        for place, counts in reference.totals().items():
            n = Counter(counts)
            people = n["offered"] - n["to_bot"] + n["from_bot"]
            over = sum(n[outcome] for outcome in _OUTCOMES)
            assert people == over + states[place, "waiting"]
            assert n["decided"] == over - n["left_not_demand"]
            bots = n["from_bot"] + n["bot_contained"] + n["containments_undone"] + n["bot_abandoned"]
            assert n["to_bot"] == bots + states[place, "with_bot"]
            assert n["bot_contained"] == states[place, "contained"]
            assert min(counts.values()) > 0
            assert n["response_ms"] == n["response_open_ms"]
            assert n["reply_ms"] == n["reply_open_ms"]


@given(tales())
def test_rows_add_up(tale: list[Told]) -> None:
    reference = after(tale)
    waiting: Counter[Key] = Counter()
    for (_, queue, channel), row in reference.rows().items():
        n = Counter(row)
        over = sum(n[outcome] for outcome in _OUTCOMES)
        assert n["waiting"] == n["offered"] - n["to_bot"] + n["from_bot"] - over
        waiting[queue, channel] += n["waiting"]
    levels = reference.levels(T0 + tale[-1].at)
    assert +waiting == +Counter({place: found.backlog for place, found in levels.items()})
    end = T0 + 86_400_000
    for place in waiting:
        assert reference.backlog(end, *place) == (waiting[place], waiting[place])


_VISIT_WITH_BOT = st.tuples(
    st.integers(0, 600_000),
    st.sampled_from(("chat", "messaging", "email", "voice")),
    st.lists(st.sampled_from(("message.received", "message.sent", "bot.started")), max_size=5),
    st.sampled_from((*ENDS, None)),
)


@given(tales(), st.lists(_VISIT_WITH_BOT, max_size=4))
def test_a_bot_that_never_hands_off_moves_no_number_of_people(tale: list[Told], visits: list[Any]) -> None:
    people, bots = _named(tale, "p"), []
    for number, (start, channel, kinds, end) in enumerate(visits):
        contact = f"b{number}"
        place = {"queue": "billing", "channel": channel}
        bots += [Told(start, contact, "contact.queued", place), Told(start, contact, "bot.started", {})]
        for n, kind in enumerate(kinds):
            bots.append(Told(start + 1_000 * n, contact, kind, {"bot": True}))
        if end is not None and end[0] != "contact.wrapped":
            bots.append(Told(start + 9_000, contact, *end))
    alone, both = after(people), after(_in_order(people + _named(bots, "b")))
    theirs = alone.totals(), alone.rows(), _levels(alone)
    assert (_without(both.totals()), _without(both.rows()), _levels(both)) == (
        _without(theirs[0]),
        _without(theirs[1]),
        theirs[2],
    )
    assert both.total_sketch("response") == alone.total_sketch("response")


def _without(found: dict[Any, dict[str, int]]) -> dict[Any, dict[str, int]]:
    """All that concerns people: who was offered to them, and not to whom else."""
    kept = {}
    for key, counts in found.items():
        n = Counter(counts)
        of_people = n["offered"] - n["to_bot"]  # and who was handed off counts by itself
        kept[key] = {name: x for name, x in counts.items() if name not in _BOTS_OWN} | {"people": of_people}
    return {key: counts for key, counts in kept.items() if any(counts.values())}


def _levels(reference: Reference) -> dict[Any, tuple[int, ...]]:
    found = reference.levels(T0 + 86_400_000)
    of_people = {
        place: (x.backlog, x.oldest_waiting, x.awaiting_reply, x.oldest_awaiting_reply, x.open_conversations)
        for place, x in found.items()
    }
    return {place: numbers for place, numbers in of_people.items() if any(numbers)}


@given(tales())
def test_where_it_is_always_open_both_clocks_agree(tale: list[Told]) -> None:
    def rules(clock: str) -> Any:
        def of(_queue: str, channel: str) -> Rules:
            usually = usual(channel, ALWAYS)
            return usually._replace(clock=clock, reply_target=20_000)

        return of

    business, wall = (Reference(rules=rules(clock)) for clock in ("business", "wall"))
    assert _known(after(tale, business)) == _known(after(tale, wall))
    later = T0 + 10**9
    assert business.levels(later) == wall.levels(later)


@given(
    st.sampled_from(("chat", "email", "voice", "callback")),
    st.lists(st.integers(0, 900_000), max_size=5),
    st.lists(st.integers(0, 900_000), max_size=3),
    st.integers(0, 900_000),
)
def test_transfers_cut_a_wait_anywhere_and_the_first_response_stays(
    channel: str, cuts: list[int], nags: list[int], answer: int
) -> None:
    """The next visit begins at the moment at which the former one ends; passed on before or after the answer."""
    told = [Told(answer, "c1", "message.sent", {})]
    told += [Told(at, "c1", "message.received", {}) for at in nags]
    for cut in cuts:
        told += [Told(cut, "c1", "contact.transferred", {})]
    told = _in_order(told)
    queues = iter(range(10))
    tale = [Told(0, "c1", "contact.queued", {"queue": "q", "channel": channel})]
    for each in told:
        tale.append(each)
        if each.kind == "contact.transferred":
            place = {"queue": f"q{next(queues)}", "channel": channel}
            tale.append(Told(each.at, "c1", "contact.queued", place))
    total: Counter[str] = Counter()
    for counts in after(tale).totals().values():
        total.update(counts)
    assert (total["responded"], total["response_ms"], total["response_open_ms"]) == (1, answer, answer)
    assert (total["queue_responded"], total["replies"]) == (channel in ("chat", "email"), 1)
    assert total["reply_ms"] == answer


_ONE_OF_SEVERAL = {
    "contact.ended",
    "contact.transferred",
    "contact.left_queue",
    "callback.scheduled",
    "contact.wrapped",
}


@given(tales(kinds=WRITTEN_KINDS), st.data())
def test_an_id_that_is_repeated_changes_nothing(tale: list[Told], data: st.DataObject) -> None:
    """At once or later; but of the ends of visits, of which a contact may have several, the id is not kept."""
    once, twice = Reference(), Reference()
    offset = 0
    repeatable: list[tuple[int, Told]] = []
    for n, told in enumerate(tale):
        result = feed(once, told, f"e{n}", n)
        assert feed(twice, told, f"e{n}", offset) == result
        offset += 1
        if told.kind not in _ONE_OF_SEVERAL and result == "applied":
            repeatable.append((n, told))
        repeats: bool = data.draw(st.booleans())
        if repeatable and repeats:
            place, again = data.draw(st.sampled_from(repeatable))
            assert feed(twice, again, f"e{place}", offset) in ("duplicate", "illegal")
            offset += 1
    assert _known(once) == _known(twice)


@given(tales(), st.data())
def test_notes_and_acknowledgements_change_nothing(tale: list[Told], data: st.DataObject) -> None:
    tale = _named(tale, "e")
    more = []
    for n, told in enumerate(tale):
        more.append(told)
        if data.draw(st.booleans()):
            kind = data.draw(st.sampled_from(("message.sent", "message.received")))
            field = data.draw(st.sampled_from(("auto", "private")))
            contact = data.draw(st.sampled_from(("c1", "c2")))
            more.append(Told(told.at, contact, kind, {"id": f"n{n}", field: True, "bot": n % 2 == 0}))
    assert _known(after(tale)) == _known(after(more))


_SINCE_THEN_THE_CLOCK_RUNS = ("contact.queued", "message.received", "bot.handed_off")


@given(st.lists(st.sampled_from(("received", "sent", "held", "resumed", "note")), max_size=12), st.data())
def test_who_nags_waits_no_longer_and_no_less(turns: list[str], data: st.DataObject) -> None:
    """What the customer adds, as long as the customer waits, changes neither waits nor replies."""
    kinds: dict[str, tuple[str, dict[str, Any]]] = {
        "received": ("message.received", {}),
        "sent": ("message.sent", {"agent": "a1"}),
        "held": ("contact.held", {}),
        "resumed": ("contact.resumed", {}),
        "note": ("message.sent", {"private": True}),
    }
    tale = [Told(0, "c1", "contact.queued", {"queue": "billing", "channel": "chat"})]
    tale += [Told(7_000 * n, "c1", *kinds[turn]) for n, turn in enumerate(turns, 1)]
    tale += [Told(100_000, "c1", "contact.ended", {}), Told(101_000, "c1", "contact.wrapped", {})]
    tale, nagging, waits = _named(tale, "e"), [], False
    for n, told in enumerate(tale):
        nagging.append(told)
        waits = told.kind in _SINCE_THEN_THE_CLOCK_RUNS or (
            waits and not (told.kind == "message.sent" and "private" not in told.fields)
        )
        if waits and told.kind not in ("contact.ended", "contact.wrapped") and data.draw(st.booleans()):
            nagging.append(Told(told.at + 500, "c1", "message.received", {"id": f"n{n}"}))
    assert _known(after(tale)) == _known(after(nagging))
