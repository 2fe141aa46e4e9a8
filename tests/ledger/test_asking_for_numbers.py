"""Numbers are asked of a ledger as it is read: files, what is in none yet, and visits that are open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings, strategies as st
from msgspec.structs import replace

from stream_app.ingest.batch import fold_records
from stream_app.ingest.dialects.canonical import decode
from stream_app.ledger.columns import TABLES
from stream_app.ledger.covering import Coverage
from stream_app.ledger.exploding import Exploder
from stream_app.ledger.kpis import (
    FAMILIES,
    LedgerFamily,
    LedgerQuestion,
    asking,
    windows as windows_of_families,
)
from stream_app.ledger.kpis.asking import prepare, range_of, sums
from stream_app.ledger.kpis.sight import TABLES as ASKED_TABLES
from stream_app.ledger.kpis.windows import HOURS_BACK, AskedNumbers
from stream_app.ledger.local_files import LocalFiles
from stream_app.ledger.manifest import RowsFile
from stream_app.ledger.parquet_files import FileKey, OpenFiles, day_of
from stream_app.ledger.querying import (
    FailedQueryError,
    LedgerQueries,
    TooLargeQueryError,
    TooSlowQueryError,
)
from stream_app.ledger.reading import OpenedLedger
from stream_app.model.fold.fold import Fold
from stream_app.model.fold.noted import Noted
from stream_app.model.fold.visit import REMEMBERED
from stream_app.model.ledger import VisitRow, join_rows, pack_row
from stream_app.model.ledger_numbers import LEDGER_WINDOWS, FamilySums
from stream_app.model.ports import Partition
from stream_app.model.targets import Targets
from stream_app.store.codec import unpack_agent, unpack_visits
from stream_app.store.outbox import OutboxEntry
from tests.model.kept import Kept, Line

from .asking import HOURS, groups, question, without_zeros
from .centre import Centre
from .streams_of_customers import DAY, HOUR, T0, WEEKS, Weeks
from .tables_of import LedgerTables, line_of, tables_of

P = Partition("calls", 0)


@pytest.fixture
async def centre(redis_url: str, storage: LocalFiles) -> AsyncIterator[Centre]:
    made = Centre(redis_url, storage, contacts=300)
    await made.claim()
    yield made
    await made.close()


async def test_what_is_written_and_what_waits_adds_up_to_the_same(centre: Centre) -> None:
    """Whatever the writer has come to, and of whatever the number is."""
    for desk in centre.desks:
        await desk.count(500)
    times = [line.timestamp for desk in centre.desks for line in desk.lines]
    start, end = min(times), max(times) + 1
    asked = LedgerQuestion(start=start, end=end, known=end)
    found = []
    for write in (False, True):
        if write:
            for desk in centre.desks:
                await desk.write()
        async with centre.reader.opened(lambda _: range_of([asked])) as ledger:
            await prepare(ledger.queries, [("sales", "voice", start, end)])
            found.append(
                {
                    (name, group): await sums(ledger.queries, family, asked, [group] if group else [])
                    for name, family in FAMILIES.items()
                    for group in ("", Random(name).choice(family.groups))
                }
            )
    assert found[0] == found[1]
    assert found[0]["journeys", ""][()]["handled"] > 5
    assert found[0]["work", ""][()]["work_ms"] > 0


def written(
    lines: list[Line], folder: Path, *, alike: bool, every: int = 7
) -> tuple[Kept, Coverage, dict[str, Path]]:
    """Fold and write weeks, committing after so many records, a file a day and table.

    Without ``alike`` half of the files are as if of a former version.
    """
    kept, fold = Kept(), Fold(Targets(), noted=Noted(on=True))
    files = OpenFiles(TABLES, folder)
    for start, end in pairwise([*range(0, len(lines), every), len(lines)]):
        known = len(kept.ledger)
        kept.add(fold_records(fold, lines[start:end], lines[start].offset, decode).deltas)
        entry = OutboxEntry(b"", "t", 0, 1, kept.time, 1, join_rows(kept.ledger[known:]), b"")
        for table, rows in Exploder(P)(entry).items():
            files[FileKey(table, day_of(kept.time), "t")].write(TABLES[table].batch(rows))
    finished = [done for one in files.values() if (done := one.finish()) is not None]
    described: list[RowsFile] = []
    for n, one in enumerate(finished):
        columns = one.described.columns if alike or n % 2 else ""
        described.append(replace(one.described, name=one.path.name, columns=columns))
    packed = [
        pack_row(VisitRow(2**40, n, contact, visit))
        for contact, visits in sorted(kept.visits.items())
        for n, visit in enumerate(unpack_visits(visits))
        if visit.state < REMEMBERED
    ]
    noted = Noted(on=True)
    for agent, presence in sorted(kept.agents.items()):
        noted.spell(agent, unpack_agent(presence).current())
    packed += noted.take()
    open_ = Exploder(P)(OutboxEntry(b"", "t", 0, 1, kept.time, 1, join_rows(packed), b""))
    coverage = Coverage(P, "t", kept.time, 0, None, tuple(described), {}, {**open_}, ())
    return kept, coverage, {one.path.name: one.path for one in finished}


@pytest.mark.slow
@settings(max_examples=3)
@given(st.integers(0, 2**32 - 1), st.integers(20, 60), st.booleans())
def test_files_that_are_left_out_have_nothing_that_matters(seed: int, units: int, alike: bool) -> None:
    """Nor does it matter into how many slices people are divided, or whether all files have the same columns."""
    lines, random = Weeks(seed).tell(units), Random(seed)

    async def ask(coverage: Coverage, paths: dict[str, Path], tables: LedgerTables) -> None:
        queries = LedgerQueries([coverage], paths, TABLES)
        try:
            await prepare(queries, HOURS)
            for name, family in FAMILIES.items():
                wide, split = question(random, lines), groups(name, random)
                start = random.randrange(wide.start, wide.end)
                within = replace(wide, start=start, end=random.choice((wide.end, start + 1)))
                for asked in (wide, within, wide):
                    found = without_zeros(await sums(queries, family, asked, split))
                    assert found == without_zeros(tables.ask(name, asked, split)), (name, asked, split)
        finally:
            queries.close()

    with TemporaryDirectory() as folder:
        kept, coverage, paths = written(lines, Path(folder), alike=alike)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(asking, "SLICE", random.choice((40, 10_000)))
            asyncio.run(ask(coverage, paths, LedgerTables(tables_of(kept), HOURS)))


async def test_a_sum_of_more_than_64_bits_keeps_no_other_from_being_passed_on(tmp_path: Path) -> None:
    """Of four customers who are worth as much as can be."""
    told: list[tuple[str, dict[str, int]]] = []
    for _ in range(4):
        worth = {"purchase_value": 100_000_000, "purchases_per_year": 50_000, "years": 100}
        told += [("customer.joined", {}), ("customer.valued", worth)]
    lines = [
        Line(n, line_of(n, T0 + n, kind, customer=f"u{n // 2}", **fields), T0 + n, timestamp_type=1)
        for n, (kind, fields) in enumerate(told)
    ]
    _, coverage, paths = written(lines, tmp_path, alike=True)
    queries = LedgerQueries([coverage], paths, TABLES)
    numbers = AskedNumbers(OpenedLedger(queries, [coverage], [], {}), Targets(), T0 + HOUR, T0 + HOUR)
    await numbers.begin()
    found = await numbers.numbers(["7d"])
    queries.close()
    assert msgspec.msgpack.encode(found)
    window = found.windows["7d"]
    assert {*window.failed} == {"customers"}
    assert "value of customers is 20,000,000,000,000,000,000" in window.failed["customers"]
    assert {*window.families} == {*FAMILIES} - {"customers"}


def mail(first: int, contact: str, started: int, handled: int) -> list[Line]:
    """An e-mail of the one customer, handled after days."""
    told: list[tuple[int, str, dict[str, str]]] = [
        (started, "contact.queued", {"queue": "desk", "channel": "email", "customer": "u"}),
        (handled - 60_000, "message.sent", {"agent": "ann"}),
        (handled, "contact.wrapped", {}),
    ]
    return [
        Line(first + n, line_of(first + n, at, kind, contact_id=contact, **fields), at, timestamp_type=1)
        for n, (at, kind, fields) in enumerate(told)
    ]


async def test_a_long_contact_is_seen_with_the_week_before_it_began(tmp_path: Path) -> None:
    """The file that has the contact before it has nothing else of the window, nor of the week before."""
    lines = [
        *mail(0, "before", T0, T0 + HOUR),
        *mail(3, "long", T0 + 3 * DAY, T0 + 15 * DAY),
        *mail(6, "apart", T0 + 30 * DAY, T0 + 30 * DAY + HOUR),
    ]
    asked = LedgerQuestion(start=T0 + 15 * DAY - HOUR, end=T0 + 16 * DAY, known=T0 + 31 * DAY)
    _, coverage, paths = written(
        sorted(lines, key=lambda line: line.timestamp), tmp_path, alike=True, every=1
    )
    queries = LedgerQueries([coverage], paths, TABLES)
    await prepare(queries)
    found = (await sums(queries, FAMILIES["journeys"], asked))[()]
    queries.close()
    assert (found["of_customers"], found["first_contacts"]) == (1, 0)


# --- what a question may take ---


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[OpenedLedger]:
    """Weeks in files."""
    _, coverage, paths = written(Weeks(11).tell(60), tmp_path, alike=True)
    queries = LedgerQueries([coverage], paths, TABLES)
    yield OpenedLedger(queries, [coverage], [], {})
    queries.close()


SPAN = (T0 - DAY, T0 + 40 * DAY)
REFUSED = (
    "samples as (select 'x' as queue, 'voice' as channel, cast(customer as bigint) as handled from visits)"
)


async def test_more_groups_than_there_is_room_for_are_refused_and_not_cut(
    ledger: OpenedLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    await prepare(ledger.queries)
    asked = LedgerQuestion(start=SPAN[0], end=SPAN[1], known=SPAN[1])
    split = ("queue", "channel")
    found = await sums(ledger.queries, FAMILIES["work"], asked, split)
    monkeypatch.setattr(asking, "MOST", len(found) - 1)
    with pytest.raises(TooLargeQueryError, match="ask for fewer"):
        await sums(ledger.queries, FAMILIES["work"], replace(asked, end=asked.end + 1), split)
    monkeypatch.setattr(asking, "MOST", len(found))
    again = await sums(ledger.queries, FAMILIES["work"], replace(asked, end=asked.end + 1), split)
    assert again == found


async def test_a_family_that_duckdb_refuses_fails_alone(
    ledger: OpenedLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = replace(FAMILIES["work"], steps=(REFUSED,), sums=("handled",), sampled=False)
    monkeypatch.setitem(FAMILIES, "work", refused)
    numbers = AskedNumbers(ledger, Targets(), SPAN[1])
    await numbers.begin()
    found = await numbers.between(SPAN)
    assert {*found.failed} == {"work"}
    assert {*found.families} == {*FAMILIES} - {"work"}
    assert "ConversionException" in found.failed["work"]
    with pytest.raises(FailedQueryError):
        await numbers.one("work", SPAN)


async def test_only_what_is_wanted_is_asked_for_and_all_of_it_within_one_time(ledger: OpenedLedger) -> None:
    numbers = AskedNumbers(ledger, Targets(), SPAN[1], families=["work", "bots"])
    await numbers.begin()
    found = await numbers.numbers(["today", "28d"], "team")
    assert [{*window.families} for window in found.windows.values()] == [{"work", "bots"}] * 2
    late = AskedNumbers(ledger, Targets(), SPAN[1], families=["work", "bots"], within_s=0)
    window = await late.between((SPAN[0], SPAN[1] - 1), "team")
    assert (window.families, {*window.failed}) == ({}, {"work", "bots"})


@pytest.mark.slow
@pytest.mark.parametrize("shared", [True, False])
async def test_windows_asked_together_are_those_asked_for_one_by_one(
    ledger: OpenedLedger, monkeypatch: pytest.MonkeyPatch, *, shared: bool
) -> None:
    """Of all families at once, which share what they look up, unless it is too much; and of each one alone."""

    async def refuse(*_: object) -> None:
        await asyncio.sleep(0)
        raise TooLargeQueryError("too much")

    if not shared:
        monkeypatch.setattr(windows_of_families, "look_up_together", refuse)
    now = T0 + 32 * DAY
    numbers = AskedNumbers(ledger, Targets(), now, now)
    await numbers.begin()
    together = await numbers.numbers([*LEDGER_WINDOWS])
    counted = set[tuple[str, str]]()
    for name, window in together.windows.items():
        assert not window.failed
        for family in FAMILIES:
            alone = AskedNumbers(ledger, Targets(), now, now, families=[family])
            found = await alone.between((window.start, window.end))
            assert window.families[family] == found.families[family], (name, family)
            counted |= {(name, family) for _, sums in found.families[family].rows if any(sums)}
    assert {
        ("28d", "resolved_cases"),
        ("7d", "journeys"),
        ("7d", "begun_cases"),
        ("28d", "opinions"),
    } <= counted
    assert together.windows["7d"].families["work"] != together.windows["28d"].families["work"]


async def test_where_the_longest_window_is_too_much_the_shorter_ones_are_counted(
    ledger: OpenedLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, found = T0 + 32 * DAY, AskedNumbers._sums

    async def refuse(
        self: AskedNumbers, family: LedgerFamily, spans: Sequence[tuple[int, int]], *rest: Any
    ) -> list[FamilySums]:
        if min(spans)[0] == now - 28 * DAY:
            raise TooSlowQueryError("too much")
        return await found(self, family, spans, *rest)

    numbers = AskedNumbers(ledger, Targets(), now, families=["work"])
    await numbers.begin()
    expected = (await numbers.numbers(["7d"])).windows["7d"]
    monkeypatch.setattr(AskedNumbers, "_sums", refuse)
    windows = (await numbers.numbers(["28d", "7d"])).windows
    assert (windows["28d"].families, windows["28d"].failed) == ({}, {"work": "too much"})
    assert windows["7d"] == expected
    assert expected.families["work"].rows


async def test_days_that_are_asked_for_one_by_one_end_when_the_time_is_over(ledger: OpenedLedger) -> None:
    numbers = AskedNumbers(ledger, Targets(), SPAN[1])
    await numbers.begin()
    days = [(T0 + day * DAY, T0 + (day + 1) * DAY) for day in range(5)]
    assert not FAMILIES["customers"].sampled
    assert len(await numbers.periods("customers", days)) == 5
    assert len(await numbers.periods("customers", days, until=0)) == 1, "the first one is always answered"


async def test_business_hours_are_of_all_places_and_of_no_other_century(tmp_path: Path) -> None:
    """A case is opened in one place and resolved in another one, in which nothing was before."""
    now = T0 + 3 * DAY
    lines = [
        Line(n, line_of(n, at, kind, case="k", queue=queue, channel="voice", **more), at, timestamp_type=1)
        for n, (at, kind, queue, more) in enumerate(
            (
                (T0, "case.opened", "first", {"opened_at": 946_684_800_000}),
                (now - 1, "case.resolved", "second", {}),
            )
        )
    ]
    _, coverage, paths = written(lines, tmp_path, alike=True)
    queries = LedgerQueries([coverage], paths, TABLES)
    targets = Targets.of(
        {
            "calendars": {"office": {"zone": "UTC", "hours": {"mon-sun": ["08:00-12:00"]}}},
            "defaults": {"calendar": "office"},
        }
    )
    numbers = AskedNumbers(OpenedLedger(queries, [coverage], [], {}), targets, now)
    await numbers.begin()
    found = await queries.rows(
        "SELECT queue, min(opens_at), count(*) FROM open_hours GROUP BY 1 ORDER BY 1", most=3
    )
    queries.close()
    assert [queue for queue, _, _ in found] == ["first", "second"]
    for _, first, n in found:
        assert now - HOURS_BACK - DAY < first < now - HOURS_BACK + DAY
        assert n == pytest.approx(HOURS_BACK / DAY, abs=2)


def test_files_are_opened_only_for_what_reads_them() -> None:
    asked = LedgerQuestion(start=T0, end=T0 + DAY, known=T0 + DAY)

    def opened(*families: str) -> set[tuple[str, str]]:
        wanted = range_of([asked], [FAMILIES[name] for name in families])
        return {
            (table, day)
            for table in ASKED_TABLES
            for day, at in ((day_of(T0 - 99 * DAY), T0 - 99 * DAY), (day_of(T0), T0))
            if wanted.has(RowsFile("f", table, day, "t", at, at, 1, 1, 0, 1))
        }

    old, new = day_of(T0 - 99 * DAY), day_of(T0)
    ever = {("customers", old), ("customers", new)}
    assert opened("work", "bots") == {*ever, ("visits", new)}
    assert opened("trainings") == {*ever, ("trainings", old), ("trainings", new)}
    assert opened("work", "journeys") == {*ever, ("visits", old), ("visits", new)}
    assert opened(*FAMILIES) == {(table, day) for table in ASKED_TABLES for day in (old, new)}


async def test_what_takes_long_over_many_visits_is_not_refreshed_but_computed_for_who_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, coverage, paths = written(Weeks(3).tell(60), tmp_path, alike=True)
    queries = LedgerQueries([coverage], paths, TABLES)
    numbers = AskedNumbers(
        OpenedLedger(queries, [coverage], [], {}), Targets(), T0 + WEEKS, families=["agent_time"]
    )
    await numbers.begin()
    monkeypatch.setitem(FAMILIES, "agent_time", replace(FAMILIES["agent_time"], most=5))
    few = AskedNumbers(
        OpenedLedger(queries, [coverage], [], {}), Targets(), T0 + WEEKS, families=["agent_time"]
    )
    span = T0, T0 + WEEKS
    assert "visits near this window" in (await few.between(span)).failed["agent_time"]
    asked = await few.between(span, "team")
    assert (asked.failed, asked.families) == ({}, (await numbers.between(span)).families)
    queries.close()
