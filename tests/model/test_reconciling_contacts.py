"""A list of contacts that differs from ours in a way that we planted: the way is named, and no other one is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pytest
from hypothesis import assume, given, settings, strategies as st
from msgspec import structs

from stream_app.model.reconciling.by_contact import SettledContacts, TheirContact, compare_contacts
from stream_app.model.reconciling.conventions import SettledVisit
from stream_app.model.reconciling.their_tables import instant, reading

from .settled import BEGIN, answered, centres, gave_up

START, END = instant(BEGIN, "UTC"), instant(BEGIN.replace(hour=23), "UTC")


def listed(
    visits: Sequence[SettledVisit], clock: str = "UTC", told: str = "UTC", *, rounded: bool = True
) -> list[TheirContact]:
    """The list that a platform makes of contacts: durations in whole seconds, cut off; ``told`` is said to be its clock."""
    unit = 1_000 if rounded else 1

    def cut(duration: int) -> int:
        return duration // unit * unit

    return [
        TheirContact(
            2 + n,
            visit.contact,
            visit.queue,
            reading(cut(visit.queued), clock),
            told,
            visit.outcome,
            cut(visit.wait),
            cut(visit.talk),
            cut(visit.hold),
            cut(visit.wrap),
        )
        for n, visit in enumerate(visits)
    ]


def compare(
    theirs: Sequence[TheirContact], visits: Sequence[SettledVisit], zone: str = "UTC"
) -> SettledContacts:
    return compare_contacts(theirs, visits, START, END, zone)


def rules(found: SettledContacts) -> dict[tuple[str, str], tuple[str, ...]]:
    return {(one.contact, one.queue): one.rules for one in found.differences}


@settings(max_examples=30)
@given(visits=centres(), rounded=st.booleans())
def test_equal_lists_have_no_differences(visits: list[SettledVisit], *, rounded: bool) -> None:
    theirs = listed(visits, rounded=rounded)
    assert compare(theirs, visits) == SettledContacts("", len(theirs), ())


@settings(max_examples=30)
@given(visits=centres(), data=st.data())
def test_every_difference_is_named_and_none_is_invented(
    visits: list[SettledVisit], data: st.DataObject
) -> None:
    """One contact each: they lack it, we lack it, another talk time, another outcome; and no short abandonments."""
    once = [one for one in visits if one.outcome == "answered" and not one.passed_on]
    assume(len(once) > 4)
    lacks, extra, longer, other = data.draw(st.permutations(once))[:4]
    passed = {one.contact for one in visits if one.passed_on}
    assume(not passed & {lacks.contact, extra.contact, longer.contact, other.contact})
    kept = [one for one in visits if one is not lacks and not one.short]
    theirs = [
        structs.replace(row, talk=(row.talk or 0) + 5_000)
        if row.contact == longer.contact
        else structs.replace(row, outcome="abandoned")
        if row.contact == other.contact
        else row
        for row in listed(kept)
    ]
    found = compare(theirs, [one for one in visits if one is not extra])
    assert rules(found) == {
        (lacks.contact, lacks.queue): ("missing_there",),
        (extra.contact, extra.queue): ("missing_here",),
        (longer.contact, longer.queue): (),
        (other.contact, other.queue): (),
        **{(one.contact, one.queue): ("short",) for one in visits if one.short},
    }


@settings(max_examples=20)
@given(visits=centres(), clock=st.sampled_from(("Etc/GMT-1", "Etc/GMT+8", "Asia/Kolkata")))
def test_another_clock_explains_every_contact(visits: list[SettledVisit], clock: str) -> None:
    found = compare(listed(visits, clock), visits)
    assert {one.rules for one in found.differences} == {("time_zone",)}
    assert (len(found.differences), found.clock) == (len(visits), clock)


@pytest.mark.parametrize("begin", [datetime(2026, 3, 28, 12), datetime(2026, 10, 24, 12)])  # noqa: DTZ001
@settings(max_examples=10)
@given(data=st.data())
def test_both_changes_of_clocks(begin: datetime, data: st.DataObject) -> None:
    """A list without the change is read as one with it; and one with it is read as it is, the doubled hour included."""
    visits = data.draw(centres("Europe/Berlin", begin, hours=30))
    start, end = min(one.queued for one in visits), max(one.queued for one in visits) + 1
    theirs = listed(visits, "Europe/Berlin", "Europe/Berlin")
    assert compare_contacts(theirs, visits, start, end, "UTC").differences == ()
    theirs = listed(visits, "Etc/GMT-1", "Europe/Berlin")
    found = compare_contacts(theirs, visits, start, end, "UTC")
    assert {one.rules for one in found.differences} == {("time_zone",)}
    assert found.clock == "Etc/GMT-1"


def test_one_contact_with_another_time_is_no_time_zone() -> None:
    visits = [answered(f"c{n}", START + 60_000 * n, 5_000, 60_000) for n in range(12)]
    theirs = listed(visits)
    theirs[3] = structs.replace(theirs[3], wall=theirs[3].wall.replace(hour=9))
    assert rules(compare(theirs, visits)) == {("c3", "sales"): ()}


def test_a_clock_that_makes_others_wrong_is_not_theirs() -> None:
    visits = [answered(f"c{n}", START + 60_000 * n, 5_000, 60_000) for n in range(12)]
    theirs = [*listed(visits[:7], "Etc/GMT-1"), *listed(visits[7:])]
    found = compare(theirs, visits)
    assert (found.clock, {*rules(found).values()}, len(found.differences)) == ("", {()}, 7)


@pytest.mark.parametrize("kept", ["sales", "help"])
def test_one_row_for_a_contact_that_was_passed_on(kept: str) -> None:
    first = structs.replace(answered("c1", START, 5_000, 60_000), passed_on=True)
    second = answered("c1", START + 65_000, 7_000, 30_000, 10_000, queue="help")
    others = [answered("c2", START, 5_000, 60_000), answered("c3", START, 5_000, 60_000, queue="help")]
    both = [first, second, *others]
    one = compare(listed([first if kept == "sales" else second, *others]), both)
    assert rules(one) == {("c1", "help" if kept == "sales" else "sales"): ("transfer",)}
    joined = listed([first, *others])
    joined[0] = structs.replace(joined[0], queue=kept, talk=90_000, wrap=10_000)
    assert {name for names in rules(compare(joined, both)).values() for name in names} == {"transfer"}
    joined[0] = structs.replace(joined[0], talk=91_000)
    assert rules(compare(joined, both))["c1", kept] == ()


def test_a_wrap_up_that_went_on_after_midnight() -> None:
    late = instant(BEGIN.replace(hour=22, minute=58), "UTC")
    visit = answered("c1", late, 5_000, 100_000, 60_000)  # it ends 15 s before midnight in Berlin
    (row,) = listed([visit])
    for wrap, told in ((0, ("wrap_up",)), (15_000, ("wrap_up",)), (40_000, ()), (60_000, None)):
        found = compare([structs.replace(row, wrap=wrap)], [visit], "Europe/Berlin")
        assert [one.rules for one in found.differences] == ([] if told is None else [told])
    assert rules(compare([structs.replace(row, wrap=0)], [visit])) == {("c1", "sales"): ()}


def test_a_contact_that_was_over_on_the_next_day() -> None:
    early, late = answered("c1", START, 5_000, 60_000), answered("c2", END - 2_000, 5_000, 60_000)
    assert rules(compare(listed([early]), [early, late])) == {("c2", "sales"): ("edge",)}
    soon = answered("c2", END - 9_000, 5_000, 60_000)
    assert rules(compare(listed([early]), [early, soon])) == {("c2", "sales"): ("missing_there",)}


def test_short_abandonments_are_left_out_all_or_none() -> None:
    call = answered("c0", START, 5_000, 60_000)
    first, second = gave_up("c1", START, 2_000), gave_up("c2", START, 3_000)
    visits = [call, first, second]
    assert {*rules(compare(listed([call]), visits)).values()} == {("short",)}
    assert rules(compare(listed([call, first]), visits)) == {("c2", "sales"): ("missing_there",)}


def test_what_became_of_a_contact_that_we_lost() -> None:
    lost = SettledVisit("c1", "sales", "voice", START, START, "lost")
    open_ = structs.replace(answered("c2", START, 5_000, 60_000), handled=None)
    theirs = listed([answered("c1", START, 9_000, 70_000), answered("c2", START, 5_000, 60_000)])
    assert {*rules(compare(theirs, [lost, open_])).values()} == {("missing_here",)}
    theirs[1] = structs.replace(theirs[1], wait=9_000)
    assert rules(compare(theirs, [lost, open_]))["c2", "sales"] == (), "we know how long it waited"


def test_contacts_that_were_forgotten_here_are_found_by_their_time() -> None:
    visits = [answered(f"c{n}", START + 60_000 * n, 5_000, 60_000) for n in range(12)]
    forgotten = [structs.replace(one, contact="") if n == 3 else one for n, one in enumerate(visits)]
    assert compare(listed(visits), forgotten).differences == ()
    assert {one.rules for one in compare(listed(visits, "Etc/GMT-1"), forgotten).differences} == {
        ("time_zone",)
    }


def test_queues_that_they_do_not_list_are_not_missing() -> None:
    visits = [answered("c1", START, 5_000, 60_000), answered("c2", START, 5_000, 60_000, queue="help")]
    assert compare(listed(visits[:1]), visits).differences == ()
