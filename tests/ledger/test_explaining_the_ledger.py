"""Why a KPI of the ledger is what it is: the rows that are listed add up to what its own SQL says, whatever is asked."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings, strategies as st
from msgspec.structs import replace

from stream_app.ledger.columns import TABLES
from stream_app.ledger.kpis import FAMILIES, LedgerQuestion, asking
from stream_app.ledger.kpis.explaining import explain_ledger
from stream_app.ledger.querying import LedgerQueries
from stream_app.ledger.reading import OpenedLedger
from stream_app.model.kpis.from_ledger import FromLedger, LedgerCost, LedgerCount, LedgerRevenue
from stream_app.model.kpis.ledger_entries import FROM_LEDGER
from stream_app.model.kpis.ledger_words import LEFT_OUT
from stream_app.model.ledger_numbers import LEDGER_WINDOWS, SumsKey
from stream_app.model.ledger_values import values
from stream_app.model.targets import Targets
from stream_app.model.targets.ledger_rules import LedgerRules
from stream_app.model.why import WHICH, LedgerWhyQuery, Why, WhyContact
from stream_app.model.windows import midnight

from .streams_of_customers import DAY, T0, WEEKS, Weeks
from .tables_of import LedgerTables, tables_of
from .test_asking_for_numbers import written

TARGETS = [
    Targets(),
    Targets.of(
        {
            "defaults": {"zone": "Europe/Berlin"},
            "queues": {
                "x": {
                    "cost_per_hour": 30,
                    "overhead_per_hour": 6,
                    "cost_per_contact": 0.25,
                    "currency": "EUR",
                },
                "y": {"zone": "Pacific/Apia", "cost_per_hour": 20, "currency": "USD"},
            },
            "ledger": {
                "repeat_days": 1,
                "bot_return_h": 1,
                "repeat_per_channel": True,
                "fcr_policy": "by_case",
            },
        }
    ),
]
PLACES = [(None, None), (None, None), ("x", None), ("y", "voice"), (None, "chat")]


class World:
    """Weeks in files, and the same in tables that are asked by the KPIs' own SQL."""

    def __init__(self, seed: int, units: int, folder: str) -> None:
        kept, coverage, paths = written(Weeks(seed).tell(units), Path(folder), alike=True)
        self.tables = LedgerTables(tables_of(kept))
        self.queries = LedgerQueries([coverage], paths, TABLES)
        self._ledger = OpenedLedger(self.queries, [coverage], [], {})

    def why(self, query: LedgerWhyQuery, targets: Targets, known: int) -> Why:
        query.check()
        return asyncio.run(self._why(query, targets, known))

    async def _why(self, query: LedgerWhyQuery, targets: Targets, known: int) -> Why:
        for again in ("use main", "drop table if exists open_hours", "drop table if exists queue_owners"):
            await self.queries.rows(again, most=1)  # as if it were just opened
        return await explain_ledger(self._ledger, query, targets, known)

    def sums(
        self, query: LedgerWhyQuery, targets: Targets, known: int, family: str
    ) -> dict[SumsKey, dict[str, int]]:
        """What the family's SQL says of the places that are asked about, each by its own clock."""
        rules, has_places = LedgerRules.of(targets), query.kpi.placed
        groups = [*(("queue", "channel") if has_places else ()), *(["currency"] if family == "sales" else [])]
        found: dict[SumsKey, dict[str, int]] = {}
        for zone in ("UTC", "Europe/Berlin", "Pacific/Apia"):
            start, end = spans(query, zone)
            asked = LedgerQuestion(
                start=start,
                end=end,
                known=known,
                repeat_ms=rules.repeat_ms,
                return_ms=rules.return_ms,
                per_channel=rules.per_channel,
            )
            for group, row in self.tables.ask(family, asked, groups).items():
                queue, channel = group[:2] if has_places else (None, None)
                chosen = query.queue in {None, queue} and query.channel in {None, channel}
                if chosen and targets.rule(queue or "", channel or "").zone == zone:
                    found[SumsKey(queue, channel, None, group[2] if len(group) > 2 else None)] = row
        return found


def spans(query: LedgerWhyQuery, zone: str) -> tuple[int, int]:
    if query.start is not None and query.end is not None:
        return query.start, query.end
    length = next(length for name, length in LEDGER_WINDOWS.items() if name == query.window)
    return (midnight(query.now, zone) if length is None else query.now - length), query.now


def questions(random: Random, kpi: FromLedger) -> Iterator[LedgerWhyQuery]:
    """One for each formula, over any time, of any place."""
    for policy in kpi.measures:
        now = T0 + random.randrange(DAY, WEEKS)
        start = T0 - DAY + random.randrange(WEEKS)
        span = (start, start + random.choice((1, DAY, WEEKS)))
        queue, channel = random.choice(PLACES) if kpi.placed else (None, None)
        window = random.choice((None, None, *LEDGER_WINDOWS))
        yield LedgerWhyQuery(
            kpi=kpi,
            now=now if window else max(now, span[1]),
            window=window,
            start=None if window else span[0],
            end=None if window else span[1],
            queue=queue,
            channel=channel,
            policy=policy or None,
            settled=kpi.settles and random.random() < 0.3,
            limit=10_000,
        )


def check(found: Why, query: LedgerWhyQuery, sums: dict[SumsKey, dict[str, int]], targets: Targets) -> int:
    """The rows add up to the sums of each place, and these make the number."""
    kpi, policy = query.kpi, query.policy or ""
    measure, rules = kpi.measures[policy], LedgerRules.of(targets)
    match measure:
        case LedgerCost():
            up, down = "work_ms", "handled"
            sums = {
                key: row for key, row in sums.items() if rules.rates((key.queue or "", key.channel or ""))
            }
        case LedgerCount():
            up, down = measure.of, ""
        case _:
            prefix = "settled_" if query.settled else ""
            up, down = f"{prefix}{measure.of}", f"{prefix}{measure.samples}"
    expected, listed = (
        Counter[tuple[str | None, str | None, str]](),
        Counter[tuple[str | None, str | None, str]](),
    )
    for key, row in sums.items():
        expected.update({(*key[:2], "up"): row[up], (*key[:2], "down"): row.get(down, 0)})
    for one in found.contacts:
        place = one.queue, one.channel
        listed.update({(*place, "up"): one.numerator, (*place, "down"): one.denominator})
    assert {k: n for k, n in listed.items() if n} == {k: n for k, n in expected.items() if n}
    whole = {side: sum(n for key, n in listed.items() if key[2] == side) for side in ("up", "down")}
    money = isinstance(measure, LedgerCost | LedgerRevenue)
    assert found.numerator == (None if money else whole["up"])
    assert (found.denominator or 0) == whole["down"]
    for role, total in (("numerator", whole["up"]), ("denominator", whole["down"])):
        assert sum(term.n for term in found.terms if term.role == role) == total
    value = values(replace(kpi, measures={policy: measure}), {measure.family: [*sums.items()]}, rules)[policy]
    if query.settled:
        assert (found.value.value, found.value.samples) == (value.settled_value, value.settled_samples)
    else:
        assert (found.value.value, found.value.samples) == (value.value, value.samples)
        assert found.value.amounts == value.amounts
    for currency, amount in (value.amounts or {}).items():
        of_currency = [one for one in found.contacts if currency in (one.amounts or {})]
        n = sum(
            one.denominator for one in (of_currency if isinstance(measure, LedgerCost) else found.contacts)
        )
        taken = sum(float((one.amounts or {})[currency]) for one in of_currency)
        assert taken / n == pytest.approx(float(amount), abs=2e-4)
    family = FAMILIES[measure.family]
    assert not family.sampled or all(found.start <= one.at < found.end for one in found.contacts)
    assert all(name_of(one) for one in found.contacts)
    return len(found.contacts)


def name_of(one: WhyContact) -> str | None:
    return one.contact_id or one.case or one.customer or one.item


@pytest.mark.slow
@settings(max_examples=6)
@given(
    st.integers(0, 2**32 - 1), st.integers(30, 120), st.sampled_from(TARGETS), st.sampled_from((160, 10_000))
)
def test_the_rows_of_every_kpi_add_up_to_what_its_own_sql_says(
    seed: int, units: int, targets: Targets, people: int
) -> None:
    """By each of its formulas, of one place and of all, settled and not, into however many slices people are divided."""
    random = Random(seed)
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(asking, "SLICE", people)
        world = World(seed, units, folder)
        for kpi in random.sample(FROM_LEDGER, 4):
            for query in questions(random, kpi):
                known = T0 + random.randrange(2 * WEEKS)
                found = world.why(query, targets, known)
                sums = world.sums(query, targets, known, kpi.measures[query.policy or ""].family)
                check(found, query, sums, targets)
        world.queries.close()


@pytest.mark.slow
def test_pages_and_kinds_of_rows_are_all_of_them_once(tmp_path: Path) -> None:
    world, random, listed = World(7, 160, str(tmp_path)), Random(7), 0
    of_family = {kpi.measures[next(iter(kpi.measures))].family: kpi for kpi in FROM_LEDGER}
    month, known = (T0 + WEEKS - 28 * DAY, T0 + WEEKS), T0 + WEEKS
    for kpi, window in (*((kpi, None) for kpi in of_family.values()), (of_family["work"], "today")):
        start, end = (None, None) if window else month
        asked = next(questions(random, kpi))
        query = replace(asked, now=known, window=window, start=start, end=end, queue=None, channel=None)
        whole = world.why(query, TARGETS[1], known)
        of_kind = {name: world.why(replace(query, which=name), TARGETS[1], known) for name in WHICH[1:]}
        assert sum(one.total for one in of_kind.values()) == whole.total == len(whole.contacts), kpi.name
        every = [one for part in of_kind.values() for one in part.contacts]
        assert sorted(map(str, every)) == sorted(map(str, whole.contacts))
        assert of_kind["left_out"].total <= sum(rule.n for rule in whole.rules)
        step = whole.total // 2 + 1
        pages = [
            one
            for skip in range(0, whole.total, step)
            for one in world.why(replace(query, limit=step, skip=skip), TARGETS[1], known).contacts
        ]
        assert pages == whole.contacts
        listed += bool(whole.contacts)
    assert listed >= len(of_family) - 1
    world.queries.close()


def test_whatever_leaves_something_out_is_a_sum_of_its_family() -> None:
    for family, rules in LEFT_OUT.items():
        assert {*rules, *(wider for wider, _ in rules.values())} <= {*FAMILIES[family].sums}
