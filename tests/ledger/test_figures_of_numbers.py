"""Worked examples: events in, numbers out, the figures of handbooks among them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from stream_app.ledger.kpis import FAMILIES, GROUPS, LedgerQuestion
from stream_app.model.kpis import BY_NAME
from stream_app.model.kpis.from_ledger import (
    LEDGER_FAMILIES,
    FromLedger,
    LedgerCost,
    LedgerRevenue,
    LedgerShare,
    Rates,
)
from stream_app.model.kpis.ledger_entries import FROM_LEDGER
from tests.model.kept import Line, folded

from .streams_of_customers import DAY, HOUR, MINUTE, SECOND, T0
from .tables_of import LedgerTables, tables_of

Told = tuple[int, str, dict[str, Any]]
ENTRIES = {kpi.name: kpi for kpi in FROM_LEDGER}
MONTH = LedgerQuestion(start=T0, end=T0 + 30 * DAY, known=T0 + 60 * DAY)


OUT_OF_RANGE = [1e300, -1.0, 100_000_001.0, float("inf"), float("nan")]


def lines_of(told: Iterable[Told]) -> list[Line]:
    """Records of these events: ms after the beginning, type, fields."""
    lines = []
    for n, (after, kind, fields) in enumerate(sorted(told, key=lambda one: one[0])):
        event = {"id": f"e{n}", "type": kind, "at": T0 + after, **fields}
        lines.append(Line(n, json.dumps(event).encode(), T0 + after, timestamp_type=1))
    return lines


def tables(told: Iterable[Told]) -> LedgerTables:
    """The ledger after these events."""
    return LedgerTables(tables_of(folded(lines_of(told))))


def value(name: str, ledger: LedgerTables, ask: LedgerQuestion = MONTH, policy: str = "") -> float | None:
    """A KPI in its unit."""
    measure = ENTRIES[name].measures[policy]
    assert not isinstance(measure, LedgerCost | LedgerRevenue)
    found = ledger.ask(measure.family, ask)
    number = measure.value(found[()]) if found else None
    return None if number is None else number / ENTRIES[name].unit.parts


def settled(name: str, ledger: LedgerTables, ask: LedgerQuestion, policy: str = "") -> float | None:
    measure = ENTRIES[name].measures[policy]
    assert isinstance(measure, LedgerShare)
    return measure.value_settled(ledger.ask(measure.family, ask)[()])


def call(after: int, contact: str, customer: str | None = None, **fields: Any) -> list[Told]:
    """A call that is answered after 10 s and handled after 5 min."""
    said = {"contact_id": contact, **({"customer": customer} if customer else {}), **fields}
    return [
        (after, "contact.queued", {"queue": "desk", **said}),
        (after + 10 * SECOND, "contact.answered", {"contact_id": contact, "agent": "ann"}),
        (after + 5 * MINUTE, "contact.wrapped", {"contact_id": contact}),
    ]


def test_150_of_200_cases_resolved_by_one_contact_are_75_per_cent() -> None:
    told: list[Told] = []
    for n in range(200):
        told += call(n * HOUR, f"a{n}", case=f"k{n}")
        if n % 4 == 0:
            told += call(n * HOUR + 30 * MINUTE, f"b{n}", case=f"k{n}")
        told.append((n * HOUR + 50 * MINUTE, "case.resolved", {"case": f"k{n}"}))
    assert value("first_contact_resolution", tables(told), policy="by_case") == 0.75


def test_150_of_200_first_contacts_without_another_one_are_75_per_cent() -> None:
    told: list[Told] = []
    for n in range(200):
        told += call(n * HOUR, f"a{n}", f"u{n}")
        if n % 4 == 0:
            told += call(n * HOUR + 3 * DAY, f"b{n}", f"u{n}")
    ledger = tables(told)
    assert value("first_contact_resolution", ledger, policy="by_repeat") == 0.75
    assert value("repeat_contacts", ledger) == 50 / 250


def test_a_point_of_first_contact_resolution_saves_what_the_page_says() -> None:
    """Of 200 customers 50 call once more, and with a point more of resolution 48 do."""
    found = []
    for again in (50, 48):
        told: list[Told] = []
        for n in range(200):
            told += call(n * HOUR, f"a{n}", f"u{n}")
            if n < again:
                told += call(n * HOUR + 3 * DAY, f"b{n}", f"u{n}")
        ledger = tables(told)
        names = ("first_contact_resolution", "by_repeat"), ("repeat_contacts", "")
        f, r = (settled(name, ledger, MONTH, policy) or 0 for name, policy in names)
        found.append((ledger.ask("journeys", MONTH)[()]["of_customers"], f, r))
    (n, f, r), (fewer, more, _) = found
    assert (n, f, r, more) == (250, 0.75, 0.2, 0.76)
    assert n - fewer == pytest.approx(n * r / (100 * (1 - f))) == 2
    assert 2 * 5 / (n * 5) == 0.008


def test_of_200_customers_170_stay_and_40_are_new() -> None:
    told: list[Told] = [(n, "customer.joined", {"customer": f"u{n}"}) for n in range(200)]
    told += [(DAY + n, "customer.left", {"customer": f"u{n}"}) for n in range(30)]
    told += [(DAY + 100 + n, "customer.joined", {"customer": f"new{n}"}) for n in range(40)]
    ledger, ask = tables(told), LedgerQuestion(start=T0 + HOUR, end=T0 + 2 * DAY, known=T0 + 2 * DAY)
    sums = ledger.ask("customers", ask)[()]
    new = sums["at_end"] - sums["kept"]
    assert (sums["at_start"], sums["at_end"], new) == (200, 210, 40)
    assert value("retention", ledger, ask) == (210 - 40) / 200 == 0.85
    assert value("churn", ledger, ask) == 0.15


def test_who_had_to_come_again_leaves_more_often() -> None:
    """In the month before, ten customers called once, ten twice, and ten not at all; of these one, four and two leave."""
    told: list[Told] = [(n, "customer.joined", {"customer": f"u{n}"}) for n in range(30)]
    for n in range(20):
        told += call(DAY + n * HOUR, f"a{n}", f"u{n}")
        if n >= 10:
            told += call(3 * DAY + n * HOUR, f"b{n}", f"u{n}")
    told += [(40 * DAY + n, "customer.left", {"customer": f"u{n}"}) for n in (0, 10, 11, 12, 13, 20, 21)]
    ledger, ask = tables(told), LedgerQuestion(start=T0 + 30 * DAY, end=T0 + 60 * DAY, known=T0 + 60 * DAY)
    shares = [
        value("churn_by_resolution", ledger, ask, policy)
        for policy in ENTRIES["churn_by_resolution"].measures
    ]
    assert shares == [0.1, 0.4, 0.2]
    assert value("churn", ledger, ask) == 7 / 30


def test_50_a_purchase_4_times_a_year_for_5_years_are_1000() -> None:
    worth = {"purchase_value": 50, "purchases_per_year": 4, "years": 5}
    told: list[Told] = [
        (0, "customer.joined", {"customer": "u"}),
        (1, "customer.valued", {"customer": "u", **worth}),
        (2, "customer.joined", {"customer": "of whom nothing is known"}),
    ]
    assert value("lifetime_value", tables(told)) == 1_000


WORTH = {"purchase_value": 100_000_000, "purchases_per_year": 50_000, "years": 100}
"""The most that an event may tell."""


def valued(price: float) -> dict[str, Any]:
    """Rows of three customers: two who are worth as much as can be, and one by a price as former versions took it."""
    told: list[Told] = []
    for n in range(3):
        told += [
            (n, "customer.joined", {"customer": f"u{n}"}),
            (n + 10, "customer.valued", {"customer": f"u{n}", **WORTH}),
        ]
    found = tables_of(folded(lines_of(told)))
    rows = found["customers"].to_pylist()
    next(row for row in reversed(rows) if row["event"] == "valued")["purchase_value"] = price
    found["customers"] = found["customers"].from_pylist(rows, schema=found["customers"].schema)
    return found


@pytest.mark.parametrize("price", OUT_OF_RANGE)
def test_by_a_number_that_no_event_may_tell_nothing_is_known(price: float) -> None:
    ledger = LedgerTables(valued(price))
    sums = ledger.ask("customers", MONTH)[()]
    most = 10_000 * 100_000_000 * 50_000 * 100
    assert (sums["at_end"], sums["valued"], sums["value"]) == (3, 2, 2 * most)
    assert value("lifetime_value", ledger) == most / 10_000


def test_60_promoters_25_passives_15_detractors_are_45() -> None:
    scores = [9] * 60 + [8] * 25 + [3] * 15
    told: list[Told] = []
    for n, score in enumerate(scores):
        told += call(n * HOUR, f"a{n}")
        told.append(
            (n * HOUR + 6 * MINUTE, "survey.answered", {"contact_id": f"a{n}", "kind": "nps", "score": score})
        )
    sums = tables(told).ask("opinions", MONTH)[()]
    parts = [sums[f"nps_{part}"] for part in ("promoters", "passives", "detractors")]
    assert parts == [60, 25, 15]
    assert 100 * (parts[0] - parts[2]) / sums["nps_answers"] == 45


def test_80_of_100_customers_who_say_that_it_was_resolved_are_80_per_cent() -> None:
    """Who changes their mind within two days counts as the later answer; until these are over, nothing is settled."""
    told: list[Told] = []
    for n in range(100):
        told += call(n * HOUR, f"a{n}")
        answer = {"contact_id": f"a{n}", "kind": "fcr"}
        if n % 10 == 0:
            told.append((n * HOUR + 6 * MINUTE, "survey.answered", {**answer, "score": int(n % 20 > 0)}))
        told.append((n * HOUR + 47 * HOUR, "survey.answered", {**answer, "score": int(n % 5 > 0)}))
    ledger = tables(told)
    assert value("first_contact_resolution", ledger, policy="by_survey") == 0.8
    soon = LedgerQuestion(start=T0, end=T0 + HOUR, known=T0 + 48 * HOUR)
    assert value("first_contact_resolution", ledger, soon, "by_survey") == 0
    assert settled("first_contact_resolution", ledger, soon, "by_survey") is None
    later = LedgerQuestion(start=T0, end=T0 + HOUR, known=T0 + 49 * HOUR)
    assert settled("first_contact_resolution", ledger, later, "by_survey") == 0


def test_who_is_asked_whether_it_was_resolved_and_answers() -> None:
    """Of four who are asked one answers within two days, and one too late; an answer of whom nobody asked returns nothing."""
    told: list[Told] = []
    for n in range(5):
        told += call(n * HOUR, f"a{n}")
        if n < 4:
            told.append((n * HOUR + 6 * MINUTE, "survey.sent", {"contact_id": f"a{n}", "kind": "fcr"}))
    for n, after in ((0, DAY), (1, 3 * DAY), (4, DAY)):
        told.append((n * HOUR + after, "survey.answered", {"contact_id": f"a{n}", "kind": "fcr", "score": 1}))
    ledger = tables(told)
    assert value("fcr_response", ledger) == settled("fcr_response", ledger, MONTH) == 0.25
    soon = LedgerQuestion(start=T0, end=T0 + DAY, known=T0 + 2 * DAY)
    assert settled("fcr_response", ledger, soon) is None


def test_three_classes_of_satisfaction() -> None:
    told: list[Told] = []
    for n, (score, scale) in enumerate([(5, 5), (4, 5), (3, 5), (2, 5), (1, 5), (4, 10), (3, 10), (1, 2)]):
        told += call(n * HOUR, f"a{n}")
        fields = {"contact_id": f"a{n}", "kind": "csat", "score": score, "scale": scale}
        told.append((n * HOUR + 6 * MINUTE, "survey.answered", fields))
    sums = tables(told).ask("opinions", MONTH)[()]
    assert [sums[f"csat_{name}"] for name in ("satisfied", "neutral", "dissatisfied")] == [2, 2, 4]


def test_a_late_repeat_takes_the_day_of_the_first_contact_back() -> None:
    """Provisional until the week is over, then settled; the day that changes is the first one."""
    first = call(HOUR, "a", "u")
    day = LedgerQuestion(start=T0, end=T0 + DAY, known=T0 + 2 * DAY)
    later = LedgerQuestion(start=T0, end=T0 + DAY, known=T0 + 9 * DAY)
    alone = tables(first)
    assert value("first_contact_resolution", alone, day, "by_repeat") == 1
    assert settled("first_contact_resolution", alone, day, "by_repeat") is None
    assert settled("first_contact_resolution", alone, later, "by_repeat") == 1
    followed = tables([*first, *call(6 * DAY, "b", "u")])
    assert value("first_contact_resolution", followed, day, "by_repeat") == 0
    assert settled("first_contact_resolution", followed, later, "by_repeat") == 0
    sixth = LedgerQuestion(start=T0 + 6 * DAY, end=T0 + 7 * DAY, known=T0 + 20 * DAY)
    assert value("first_contact_resolution", followed, sixth, "by_repeat") is None, "it is no first contact"


def test_by_channel_a_mail_does_not_follow_a_call() -> None:
    mail: list[Told] = [
        (2 * DAY, "contact.queued", {"contact_id": "m", "queue": "desk", "channel": "email", "customer": "u"})
    ]
    ledger = tables([*call(0, "a", "u"), *mail])
    for per_channel, expected in ((False, 0), (True, 1)):
        ask = LedgerQuestion(start=T0, end=T0 + DAY, known=T0 + 9 * DAY, per_channel=per_channel)
        assert value("first_contact_resolution", ledger, ask, "by_repeat") == expected


def test_a_request_that_is_passed_on_under_other_ids_is_one() -> None:
    told: list[Told] = []
    for n, contact in enumerate(("a", "b", "c")):
        at = n * 10 * MINUTE
        told += call(at, contact, "u")
        if contact != "c":
            told.insert(-1, (at + 4 * MINUTE, "contact.transferred", {"contact_id": contact}))
    ledger = tables(told)
    assert value("transfers_per_request", ledger) == 2
    assert value("bounced", ledger) == 1
    assert value("first_contact_resolution", ledger, policy="by_repeat") == 1


def test_times_to_resolve() -> None:
    """Opened at noon, resolved after 2 h, reopened, resolved for good after 5 h."""
    told: list[Told] = [
        *call(0, "a", case="k"),
        (0, "case.opened", {"case": "k"}),
        (2 * HOUR, "case.resolved", {"case": "k"}),
        (3 * HOUR, "case.reopened", {"case": "k"}),
        (5 * HOUR, "case.resolved", {"case": "k"}),
    ]
    ledger = tables(told)
    assert (value("time_to_resolve", ledger), value("time_to_resolve_full", ledger)) == (7_200, 18_000)
    assert (value("reopen", ledger), value("first_contact_resolution", ledger, policy="by_case")) == (1, 0)
    for moment, n in ((2, 1), (4, 1), (6, 0)):
        ask = LedgerQuestion(start=T0, end=T0 + moment * HOUR, known=T0 + DAY)
        assert (value("unresolved", ledger, ask) or 0) == n


def test_cost_with_overhead() -> None:
    """290 s of work at 30 an hour, 6 of overhead, half a euro for each contact."""
    rows = tables(call(0, "a")).ask("work", MONTH, ("queue", "channel"))
    place = ("desk", "voice")
    work = {place: rows[place]}
    assert work[place] == {"handled": 1, "work_ms": 290_000}
    rates = {place: Rates("EUR", 30, 6, 0.5)}
    assert LedgerCost.value(work, rates) == pytest.approx({"EUR": 290 / 3600 * 36 + 0.5})
    abroad = {**work, ("abroad", "voice"): work[place], ("nobody", "voice"): work[place]}
    found = LedgerCost.value(abroad, {**rates, ("abroad", "voice"): Rates("USD", 0, 0, 2)})
    assert found == pytest.approx({"EUR": 290 / 3600 * 36 + 0.5, "USD": 2}), "currencies are never added up"
    assert LedgerCost.value(work, {}) == LedgerCost.value({}, rates) == {}


def test_sales_by_kind() -> None:
    """Of ten contacts one ends in a new contract, two in an upsell and one in a saved customer, who pays in dollars."""
    told: list[Told] = [one for n in range(10) for one in call(n * HOUR, f"a{n}")]
    sales = (
        ("New", "40.00", "EUR"),
        ("upsell", 5, "EUR"),
        ("cross_sell", "2.50", "EUR"),
        ("saved", 30, "USD"),
    )
    for n, (kind, amount, currency) in enumerate((*sales, ("renewal", 1, "EUR"), (None, 1, "EUR"))):
        said = {"contact_id": f"a{n}", "queue": "desk", "amount": amount, "currency": currency}
        told.append((20 * HOUR + n, "sale.recorded", said if kind is None else {**said, "kind": kind}))
    ledger = tables(told)
    assert value("sales_by_kind", ledger) == 6
    shares = {
        kind: value("conversion_by_kind", ledger, policy=kind)
        for kind in ENTRIES["conversion_by_kind"].measures
    }
    assert shares == {"new": 0.1, "upsell": 0.2, "saved": 0.1, "upgrade": 0, "other": 0.1, "unstated": 0.1}
    rows = {currency: row for (currency,), row in ledger.ask("sales", MONTH, ["currency"]).items()}
    found = {}
    for kind in ("new", "upsell", "saved", "upgrade"):
        measure = ENTRIES["revenue_by_kind"].measures[kind]
        assert isinstance(measure, LedgerRevenue)
        found[kind] = {code: n / 10_000 for code, n in measure.value(rows).items()}
        assert measure.value({}) == {}
    assert found == {"new": {"EUR": 4}, "upsell": {"EUR": 0.75}, "saved": {"USD": 3}, "upgrade": {}}
    by_kind = ledger.ask("sales", MONTH, ["sale_kind"])
    assert by_kind[("cross_sell",)]["sales_upsell"] == by_kind[("renewal",)]["sales_other"] == 1


def test_quality_by_criterion() -> None:
    """Two people and a machine: empathy is 60 and 80 %, accuracy 90 % once."""
    told = call(0, "a")
    for n, (automatic, criteria) in enumerate(
        ((False, {"empathy": 0.6, "accuracy": 0.9}), (False, {"empathy": 0.8}), (True, {"empathy": 0.1}))
    ):
        said = {
            "contact_id": "a",
            "queue": "desk",
            "score": 0.5,
            "automatic": automatic,
            "criteria": criteria,
        }
        told.append((6 * MINUTE + n, "quality.scored", said))
    ledger = tables(told)
    assert value("quality_by_criterion", ledger, policy="automatic") == 0.1
    assert value("quality_by_criterion", ledger, policy="people") == pytest.approx(2.3 / 3)
    by_criterion = ledger.ask("criteria", MONTH, ["criterion"])
    measure = ENTRIES["quality_by_criterion"].measures["people"]
    assert isinstance(measure, LedgerShare)
    scores = {name: (measure.value(row) or 0) / 10_000 for (name,), row in by_criterion.items()}
    assert scores == {"empathy": 0.7, "accuracy": 0.9}


def test_19_of_20_courses_completed_in_time_are_95_per_cent() -> None:
    due, told = T0 + 10 * DAY, list[Told]()
    for n in range(21):
        said = {"agent": f"agent {n}", "course": "privacy", "team": "t1"}
        told.append((n, "training.assigned", {**said, "due_at": due if n < 20 else T0 + 60 * DAY}))
        if n < 19:
            told.append((DAY + n, "training.completed", said))
    late = {"agent": "agent 19", "course": "privacy"}
    ledger = tables([*told, (11 * DAY, "training.completed", late)])
    assert value("training_compliance", ledger) == 0.95
    assert value("training_overdue", ledger) == 0
    before = LedgerQuestion(start=T0, end=T0 + 11 * DAY, known=T0 + 11 * DAY)
    assert value("training_overdue", ledger, before) == 1
    assert ledger.ask("trainings", before, ["team"])[("t1",)]["due"] == 20, "the last one is not due yet"


def test_ai_beside_people() -> None:
    """Of four chats a bot has three: one it hands over, one it resolves, and from one the customer comes again next morning."""
    bot: list[Told] = []
    for n, customer in enumerate(("u1", "u2", "u3")):
        where = {"contact_id": f"b{n}", "queue": "desk", "channel": "chat", "customer": customer}
        bot += [
            (n * HOUR, "contact.queued", where),
            (n * HOUR + SECOND, "bot.started", {"contact_id": f"b{n}"}),
        ]
    bot += [
        (MINUTE, "bot.handed_off", {"contact_id": "b0"}),
        (HOUR + MINUTE, "contact.ended", {"contact_id": "b1", "by": "bot"}),
        (2 * HOUR + MINUTE, "contact.ended", {"contact_id": "b2", "by": "bot"}),
    ]
    ledger = tables([*bot, *call(20 * HOUR, "again", "u3")])
    shares = [value(name, ledger) for name in ("ai_involved", "ai_handed_over", "ai_resolved")]
    assert shares == [3 / 4, 1 / 3, 1 / 3]


_OF_SALES = {"currency", "sale_kind"}
"""Not all that is known of sales can be split by these."""


@pytest.mark.parametrize("kpi", FROM_LEDGER, ids=lambda kpi: kpi.name)
def test_every_entry_is_found_by_a_family(kpi: FromLedger) -> None:
    for measure in kpi.measures.values():
        family = FAMILIES[measure.family]
        needed = (
            {measure.of, measure.samples}
            if isinstance(measure, LedgerShare | LedgerRevenue)
            else {*getattr(measure, "parts", ())}
        )
        if isinstance(measure, LedgerShare) and measure.settled:
            needed |= {f"settled_{measure.of}", f"settled_{measure.samples}"}
        assert needed <= {*family.sums}
        usual = ("segment",) if kpi.customers else ("agent", "team", "site") if kpi.agents else GROUPS
        assert {*usual, *kpi.also_by} | _OF_SALES == {*family.groups} | _OF_SALES
    assert {*kpi.pairs} <= {*ENTRIES, *BY_NAME}
    assert kpi.name not in BY_NAME


@pytest.mark.parametrize("kpi", FROM_LEDGER, ids=lambda kpi: kpi.name)
def test_what_is_counted_in_a_window_is_no_value_of_its_end(kpi: FromLedger) -> None:
    """A level is the same whenever the window began; what counts at a moment of its own is in the windows that have it."""
    clipped = {"agent_time"}  # time has no moment of its own: what lies in the window counts
    at_end = any(not FAMILIES[name].sampled for name in kpi.families - clipped)
    assert kpi.is_level == (kpi.counts and at_end)


def test_families_have_the_names_that_entries_know() -> None:
    assert (*FAMILIES,) == LEDGER_FAMILIES
    assert {measure.family for kpi in FROM_LEDGER for measure in kpi.measures.values()} == {*FAMILIES}


def test_a_family_is_not_split_by_what_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="customers: expected groups among segment, got queue"):
        FAMILIES["customers"].sql(MONTH, ["queue"])
