"""``/v1/ledger`` on a real server, over a real ledger: what the reference says, refreshed by a process of its own."""

from __future__ import annotations

import csv
import gzip
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, strategies as st
from msgspec.structs import replace

from stream_app.ledger.bucket import BucketFiles
from stream_app.ledger.kpis import FAMILIES, LedgerFamily, LedgerQuestion
from stream_app.ledger.kpis.windows import AskedNumbers
from stream_app.ledger.local_files import LocalFiles
from stream_app.ledger.places import manifest as manifest_name
from stream_app.model.contacts import TooMuchAskedError
from stream_app.model.events import QueueChannel
from stream_app.model.kpis.from_ledger import FromLedger, LedgerCost, LedgerCount, LedgerRevenue
from stream_app.model.kpis.ledger_entries import FROM_LEDGER
from stream_app.model.ledger_numbers import FamilySums, LatestNumbers, LedgerNumbers, SumsKey, WindowSums
from stream_app.model.ports import Partition
from stream_app.model.targets import Targets
from stream_app.model.targets.ledger_rules import LedgerRules
from stream_app.model.windows import midnight
from stream_app.processes.ledger_numbers import LedgerNumbersService
from stream_app.settings import Settings
from stream_app.views import naming
from stream_app.views.contacts.api import MOST_OF_A_HEADER, unknown_header
from stream_app.views.ledger.metrics import LedgerMetrics
from stream_app.views.ledger.query import GROUPS
from stream_app.views.ledger.wire import Ledgered
from stream_app.views.stamping import stamp
from tests.e2e.serve import parsed
from tests.reference.history import History
from tests.services.s3 import BUCKET, S3Server, options

from .asking import refer
from .centre import Centre
from .serving import Numbers
from .streams_of_customers import DAY, Weeks
from .tables_of import REFERRED, Sums, referred

PLACES = (("x", "voice"), ("y", "voice"), ("x", "chat"), ("y", "email"), ("unassigned", "voice"))
LINES = Weeks(11).tell(160)
UNPLACED = {
    name: "segment" if kpi.customers else "team"
    for kpi in FROM_LEDGER
    if not kpi.placed
    for name in kpi.families
}
TARGETS = Targets.of(
    {
        "defaults": {
            "cost_per_hour": 30,
            "currency": "EUR",
            "zone": "Europe/Berlin",
            "targets": {"first_contact_resolution": 0.85, "training_compliance": 0.9},
        },
        "queues": {"y": {"zone": "Pacific/Apia", "targets": {"reopen": 0.05}}},
    }
)


@pytest.fixture(scope="module")
def history() -> History:
    return refer(LINES).history


@pytest.fixture
async def numbers(redis_url: str, tmp_path: Path) -> AsyncIterator[Numbers]:
    made = Numbers(redis_url, tmp_path / "ledger", LINES, TARGETS)
    await made.begin()
    await made.desk.count(len(LINES) // 2)
    await made.desk.write()
    await made.desk.count(len(LINES))
    yield made
    await made.close()


class Expected:
    """What the reference says of a window."""

    def __init__(self, history: History, numbers: Numbers, span: int | None, known: int) -> None:
        self._history, self._numbers, self._span, self._known = history, numbers, span, known

    def _question(self, zone: str) -> LedgerQuestion:
        now = self._numbers.now
        start = midnight(now, zone) if self._span is None else now - self._span
        return LedgerQuestion(start=start, end=now, known=self._known)

    def sums(self, family: str, group: str | None = None) -> Sums:
        """By queue, channel and a group; each place's day begins by its own clock."""
        if family in UNPLACED:
            return referred(self._history, family, self._question("Europe/Berlin"), (UNPLACED[family],))
        groups = ("queue", "channel", *([group] if group else []))
        found: Sums = {}
        for zone in ("Europe/Berlin", "Pacific/Apia"):
            for key, row in referred(self._history, family, self._question(zone), groups).items():
                if TARGETS.rule(key[0] or "", key[1] or "").zone == zone and any(row.values()):
                    found[key] = row
        return found


def series(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


def value_of(kpi: FromLedger, policy: str, sums: Mapping[str, int]) -> tuple[float | None, int]:
    """The value and the samples, by the definition."""
    measure = kpi.measures[policy]
    assert not isinstance(measure, LedgerCost)
    if isinstance(measure, LedgerRevenue):  # its amounts are looked at by themselves
        return None, sums.get(measure.samples, 0)
    if isinstance(measure, LedgerCount):
        return sums.get(measure.of, 0), sums.get(measure.of, 0)
    n = sums.get(measure.samples, 0)
    return (round(sums[measure.of] / n / kpi.unit.parts, 6) if n > 0 else None), max(0, n)


def settled_of(kpi: FromLedger, policy: str, sums: Mapping[str, int]) -> tuple[float | None, int]:
    measure: Any = kpi.measures[policy]
    n = sums.get(f"settled_{measure.samples}", 0)
    return (round(sums[f"settled_{measure.of}"] / n, 6) if n > 0 else None), n


def added(rows: Sums) -> dict[str, int]:
    total: dict[str, int] = {}
    for row in rows.values():
        for name, n in row.items():
            total[name] = total.get(name, 0) + n
    return total


def check(figures: Mapping[str, Any], sums: Mapping[str, Mapping[str, int]]) -> int:
    """Every figure is that of these sums; return how many of them have a value."""
    seen = 0
    for name, figure in figures.items():
        kpi = next(one for one in FROM_LEDGER if one.name == name)
        for policy, measure in kpi.measures.items():
            if measure.family not in REFERRED:
                continue
            if isinstance(measure, LedgerCost):
                hours = sums["work"].get("work_ms", 0) / 3_600_000
                n = sums["work"].get("handled", 0)
                assert figure["samples"] == n
                assert figure["amounts"] == ({"EUR": figure["amounts"]["EUR"]} if n else {})
                assert not n or float(figure["amounts"]["EUR"]) == pytest.approx(30 * hours / n, abs=1e-4)
                continue
            value, samples = value_of(kpi, policy, sums[measure.family])
            if policy in kpi.parts:
                assert figure["parts"][policy] == value
                continue
            mine = figure["policies"][policy] if policy else figure
            assert (mine["value"], mine["samples"]) == (value, samples), (name, policy)
            if getattr(measure, "settled", False):
                assert (mine["settled_value"], mine["settled_samples"]) == settled_of(
                    kpi, policy, sums[measure.family]
                )
            seen += bool(value)
    return seen


@pytest.mark.slow
async def test_windows_are_what_the_reference_says(numbers: Numbers, history: History) -> None:
    await numbers.serve(PLACES)
    await numbers.fresh()
    seen = 0
    for window, span in (("today", None), ("7d", 7 * DAY), ("28d", 28 * DAY)):
        answer = await numbers.get(f"/v1/ledger?window={window}")
        assert (answer["stale"], answer["problem"], answer["failed"]) == (False, None, {})
        known = numbers.service.latest().numbers
        assert known is not None
        expected = Expected(history, numbers, span, known.known)
        sums = {family: expected.sums(family) for family in REFERRED}
        seen += check(answer["all"], {family: added(rows) for family, rows in sums.items()})
        for name, label in (("segments", "segment"), ("teams", "team")):
            mine = {
                family: sums[family]
                for family, split in UNPLACED.items()
                if split == label and family in sums
            }
            assert {row["name"] for row in answer[name]} >= {
                key[0] for found in mine.values() for key, row in found.items() if any(row.values())
            }
            for row in answer[name]:
                key = (row["name"],)
                check(row["kpis"], {family: found.get(key, {}) for family, found in mine.items()})
        places = {(row["queue"], row["channel"]): row["kpis"] for row in answer["rows"]}
        assert {*places} >= {key for family in REFERRED if family not in UNPLACED for key in sums[family]}
        for place, figures in places.items():
            seen += check(figures, {family: sums[family].get(place, {}) for family in REFERRED})
    assert seen > 40


@pytest.mark.slow
async def test_groups_are_what_the_reference_says(numbers: Numbers, history: History) -> None:
    """Those that are refreshed, and those that are computed on request."""
    await numbers.serve(PLACES)
    await numbers.fresh()
    latest = numbers.service.latest().numbers
    assert latest is not None
    kpis = [
        kpi
        for kpi in FROM_LEDGER
        if kpi.placed and kpi.families <= {*REFERRED} - {"opinions", "sales", "criteria"}
    ]
    asked = "&".join(f"kpi={kpi.name}" for kpi in kpis)  # of the others see tests.ledger.asking.groups
    expected = Expected(history, numbers, 28 * DAY, latest.known)
    seen = 0
    for group in GROUPS[:8]:
        answer = await numbers.get(f"/v1/ledger?window=28d&group={group}&{asked}")
        own = None if group in {"queue", "channel"} else group
        sums = {name: expected.sums(name, own) for kpi in kpis for name in kpi.families}
        at = {"queue": 0, "channel": 1}.get(group, 2)
        rows = {row["name"]: row["kpis"] for row in answer["rows"]}
        assert {*rows} == {key[at] for found in sums.values() for key in found}
        for name, figures in rows.items():
            mine = {
                family: added({key: row for key, row in found.items() if key[at] == name})
                for family, found in sums.items()
            }
            seen += check(figures, mine)
    assert seen > 40


def expected_series(
    figures: Mapping[str, Any], owner: dict[str, str], window: str
) -> Iterator[tuple[Any, float]]:
    """What of the API's figures Prometheus has to read."""
    for name, figure in figures.items():
        kpi = next(one for one in FROM_LEDGER if one.name == name)
        labels = owner if kpi.is_level else {**owner, "window": window}
        for policy, one in figure.get("policies", {"": figure}).items():
            named = {**labels, "policy": policy} if policy else labels
            settled = window != "today" and one.get("settled_samples")
            values = {
                naming.of_ledger(kpi): one["value"],
                naming.ledger_samples(kpi): None if kpi.counts else one["samples"] or None,
                naming.settled(kpi): one["settled_value"] if settled else None,
                naming.settled_samples(kpi): one["settled_samples"] if settled else None,
            }
            yield from ((series(metric, **named), n) for metric, n in values.items() if n is not None)
            for currency, amount in one.get("amounts", {}).items():
                yield series(naming.of_ledger(kpi), **named, currency=currency), float(amount)
        for part, value in figure.get("parts", {}).items() if window == "28d" else ():
            if value is not None:
                yield series(naming.part(kpi), **labels, part=part), value
        if figure["target"] is not None and naming.shows_target(kpi):
            yield series(naming.ledger_target(kpi), **owner), figure["target"]


@pytest.mark.slow
async def test_prometheus_reads_what_the_api_says(numbers: Numbers) -> None:
    served = await numbers.serve(PLACES)
    await numbers.fresh()
    got = parsed((await served.get("/metrics"))[2].decode())
    known = {name for kpi in FROM_LEDGER for name in naming.ledger_names_of(kpi)}
    mine = {key: value for key, value in got.items() if key[0] in known}
    assert {name for name, _ in got} >= {naming.LEDGER_AGE, naming.LEDGER_UNKNOWN}
    expected = dict[Any, float]()
    for window in ("today", "7d", "28d"):
        answer = await numbers.get(f"/v1/ledger?window={window}")
        for row in answer["rows"]:
            place = {"queue": row["queue"] or "", "channel": row["channel"] or ""}
            expected.update(expected_series(row["kpis"], place, window))
        for label, rows in (("segment", "segments"), ("team", "teams")):
            for row in answer[rows]:
                expected.update(expected_series(row["kpis"], {label: row["name"] or ""}, window))
    assert mine.keys() == expected.keys()
    assert {key: round(value, 6) for key, value in mine.items()} == expected
    assert {value for _, labels in got for _, value in labels}.isdisjoint({"ann", "bob"}), (
        "no agent is in a series"
    )


def counted(family: str, *rows: tuple[SumsKey, Mapping[str, int]]) -> LedgerNumbers:
    """A window in which one family counted."""
    names = FAMILIES[family].sums
    sums = FamilySums(names, [(key, tuple(row.get(name, 0) for name in names)) for key, row in rows])
    return LedgerNumbers(DAY, DAY, {"28d": WindowSums(0, DAY, {family: sums}, [])})


X, Y = SumsKey("x", "voice", None, None), SumsKey("y", "chat", None, None)


def scraped(
    metrics: LedgerMetrics, numbers: LedgerNumbers, *places: QueueChannel
) -> dict[str, dict[str, float]]:
    """Metric → labels → value."""
    series = metrics.series(LatestNumbers(numbers, stale=False), TARGETS, places, DAY)
    return {name: {labels: n for labels, n in lines if n is not None} for name, _, lines in series}


def test_the_targets_of_a_centre_are_those_in_force() -> None:
    """Those of a queue there, those of all elsewhere; also of KPIs for which the catalogue has none."""
    numbers = counted("resolved_cases", (X, {"resolved_cases": 2}), (Y, {"resolved_cases": 2}))
    made = Ledgered(numbers.windows["28d"], LedgerRules.of(TARGETS))
    aims = {
        row.queue: {name: one.target for name, one in row.kpis.items()} for row in made.rows(None, None, None)
    }
    assert (aims["x"]["first_contact_resolution"], aims["x"]["reopen"]) == (0.85, None)
    assert (aims["y"]["first_contact_resolution"], aims["y"]["reopen"]) == (0.85, 0.05)
    by_queue = {row.name: row.kpis["reopen"].target for row in made.rows(None, None, "queue")}
    assert by_queue == {"x": None, "y": 0.05}
    assert made.all(None, None)["first_contact_resolution"].target == 0.85
    assert made.all(None, None)["training_compliance"].target == 0.9
    assert made.all(frozenset({"y"}), None)["reopen"].target == 0.05
    found = scraped(LedgerMetrics(), numbers, ("x", "voice"), ("y", "chat"))
    x, y = '{queue="x",channel="voice"}', '{queue="y",channel="chat"}'
    assert found["cc_first_contact_resolution_target"] == {x: 0.85, y: 0.85}
    assert found["cc_reopen_target"] == {y: 0.05}


def test_sales_are_those_of_a_window() -> None:
    found = scraped(LedgerMetrics(), counted("sales", (X, {"sales": 3, "sales_new": 3})), ("x", "voice"))
    labels = 'queue="x",channel="voice",window="28d"'
    assert found["cc_sales_by_kind_contacts"] == {f"{{{labels}}}": 3}
    assert found["cc_sales_by_kind_part_contacts"][f'{{{labels},part="sales_new"}}'] == 3


def test_a_queue_that_takes_another_ones_place_has_series_of_its_own() -> None:
    numbers = counted("unresolved_cases", (X, {"unresolved": 1}), (Y, {"unresolved": 2}))
    metrics, name = LedgerMetrics(), "cc_unresolved_contacts"
    others = '{queue="other",channel="other"}'
    assert scraped(metrics, numbers, ("x", "voice"))[name] == {'{queue="x",channel="voice"}': 1, others: 2}
    assert scraped(metrics, numbers, ("y", "chat"))[name] == {'{queue="y",channel="chat"}': 2, others: 1}


def test_only_what_has_a_word_of_the_sale_is_split_by_it() -> None:
    """Of contacts that are handled nobody knows the kind of a sale: a share of them by it would be of nothing."""
    of_kind = SumsKey("x", "voice", "upsell", "EUR")
    window = counted("sales", (X, {"handled": 4}), (of_kind, {"sales": 1, "sales_upsell": 1})).windows["28d"]
    rows = Ledgered(window, LedgerRules.of(TARGETS)).rows(None, None, "sale_kind")
    assert {name for row in rows for name in row.kpis} == {"sales_by_kind"}
    assert {row.name: row.kpis["sales_by_kind"].value for row in rows} == {"upsell": 1, None: 0}


async def test_what_takes_too_long_says_what_would_not(
    empty: Numbers, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask(*_: Any) -> LedgerNumbers:
        raise TooMuchAskedError("the ledger was asked for too much")

    monkeypatch.setattr(empty.service, "ask", ask)
    assert empty.served
    status, _, problem = await empty.served.get("/v1/ledger?window=28d&group=site")
    assert (status, problem["parameter"]) == (422, "window")
    assert problem["allowed"] == ["a shorter window", "a group with fewer names"]


@given(st.lists(st.tuples(st.integers(0, 2**40), st.integers(0, 2**40)), max_size=200))
def test_the_header_has_whole_stretches_as_many_as_it_has_room_for(ranges: list[tuple[int, int]]) -> None:
    text = unknown_header(ranges)
    found = text.split(", ") if text else []
    everything = [f"{stamp(since)}/{stamp(until)}" for since, until in ranges]
    assert len(text) <= MOST_OF_A_HEADER
    assert found == everything[: len(found)]
    assert len(found) == len(ranges) or len(text) + 60 > MOST_OF_A_HEADER


async def test_agents_are_shown_to_those_who_may_see_contacts(numbers: Numbers) -> None:
    served = await numbers.serve(PLACES, host="0.0.0.0")  # noqa: S104 - it refuses them then
    status, _, problem = await served.get("/v1/ledger?group=agent")
    assert (status, problem["title"]) == (403, "Forbidden")
    status, _, problem = await served.get("/v1/history?kpi=reopen&group=agent")
    assert (status, problem["title"]) == (403, "Forbidden")


@pytest.mark.parametrize(
    ("path", "status", "parameter"),
    [
        ("/v1/ledger?window=30m", 400, "window"),
        ("/v1/ledger?kpi=service_level", 400, "kpi"),
        ("/v1/ledger?queue=nobody", 400, "queue"),
        ("/v1/ledger?group=customer", 400, "group"),
        ("/v1/ledger?group=agent%27%3B--", 400, "group"),
        ("/v1/ledger?policy=by_magic", 400, "policy"),
        ("/v1/ledger?kpi=churn&queue=x", 422, "queue"),
        ("/v1/ledger?window=7d&window=28d", 400, "window"),
        ("/v1/history", 400, "kpi"),
        ("/v1/history?kpi=backlog", 400, "kpi"),
        ("/v1/history?kpi=reopen&by=month", 400, "by"),
        ("/v1/history?kpi=reopen&from=yesterday", 400, "from"),
        ("/v1/history?kpi=reopen&from=2026-01-02&to=2026-01-01", 422, "from"),
        ("/v1/history?kpi=reopen&from=1980-01-01&to=2026-01-01", 422, "from"),
        ("/v1/history?kpi=reopen&tz=Mars/Olympus", 400, "tz"),
        ("/v1/history?kpi=reopen&limit=0", 400, "limit"),
        ("/v1/history?kpi=csat&group=segment", 422, "group"),
        ("/v1/history?kpi=reopen&policy=answered_only", 422, "policy"),
        ("/v1/history?kpi=churn&queue=x", 422, "queue"),
        ("/v1/history?kpi=reopen&group=weekday", 400, "group"),
        ("/v1/history?kpi=conversion_by_kind&group=sale_kind", 422, "group"),
        ("/v1/history?kpi=revenue_by_kind&group=sale_kind", 422, "group"),
        ("/v1/history?kpi=revenue_by_kind&group=criterion", 422, "group"),
    ],
)
async def test_bad_questions_are_problems(unread: Numbers, path: str, status: int, parameter: str) -> None:
    assert unread.served
    found, headers, problem = await unread.served.get(path)
    assert (found, headers["Content-Type"], problem["parameter"]) == (
        status,
        "application/problem+json",
        parameter,
    ), problem


@pytest.fixture
async def unread(redis_url: str, tmp_path: Path) -> AsyncIterator[Numbers]:
    """A ledger that nobody reads until somebody asks."""
    made = Numbers(redis_url, tmp_path / "ledger", [], TARGETS)
    made.now = LINES[-1].timestamp
    await made.serve(PLACES, refresh=False)
    yield made
    await made.close()


@pytest.fixture
async def empty(redis_url: str, tmp_path: Path) -> AsyncIterator[Numbers]:
    """A ledger in which nothing is, yet."""
    made = Numbers(redis_url, tmp_path / "ledger", [], TARGETS)
    made.now = LINES[-1].timestamp
    await made.serve(PLACES)
    yield made
    await made.close()


async def test_without_anything_all_is_without_data(empty: Numbers) -> None:
    await empty.fresh()
    answer = await empty.get("/v1/ledger?window=28d")
    assert (answer["rows"], answer["segments"], answer["teams"]) == ([], [], [])
    shares = {name: one for name, one in answer["all"].items() if name not in _COUNTS}
    assert {one["value"] for one in shares.values()} == {None}
    assert {one["samples"] for one in answer["all"].values()} == {0}


_COUNTS: Final = {kpi.name for kpi in FROM_LEDGER if kpi.counts}


@pytest.mark.slow
async def test_what_is_not_known_is_said(redis_url: str, tmp_path: Path) -> None:
    """A worker that keeps no ledger counts the first half: it is unknown, and not nothing."""
    numbers = Numbers(redis_url, tmp_path / "ledger", LINES, TARGETS)
    await numbers.desk.claim(keeps_ledger=False)
    await numbers.desk.count(len(LINES) // 2)
    half = LINES[len(LINES) // 2].timestamp
    await numbers.begin()
    while await numbers.desk.count(10):
        pass
    try:
        numbers.now = half + 20 * 86_400_000
        served = await numbers.serve(PLACES)
        await numbers.fresh()
        (of_window,) = (await numbers.get("/v1/ledger?window=28d"))["unknown"]
        first = datetime.fromtimestamp(half / 1000 - 3 * 86_400, UTC).date()
        path = f"/v1/history?kpi=repeat_contacts&from={first}&limit=14"
        history = await numbers.get(path)
        (unknown,) = history["unknown"][-1]["ranges"]
        assert abs(datetime.fromisoformat(unknown["end"]).timestamp() - half / 1000) < 10 * 86_400
        assert of_window["end"] == unknown["end"], "and the window says so, too"
        known = [row["known"] for row in history["rows"]]
        assert known == sorted(known), "first those that are not known"
        assert {*known} == {True, False}
        assert [one["period"] for one in history["unknown"]] == [
            row["period"] for row in history["rows"] if not row["known"]
        ]
        _, headers, text = await served.get(path + "&format=csv")
        lines = [*csv.DictReader(StringIO(text.decode()))]
        assert [line["known"] for line in lines] == [str(one).lower() for one in known]
        assert headers["X-Unknown"]
    finally:
        await numbers.close()


@pytest.mark.slow
async def test_a_process_that_is_killed_is_replaced(numbers: Numbers) -> None:
    await numbers.serve(PLACES)
    await numbers.fresh()
    (pid,) = numbers.service.process.pids
    os.kill(pid, signal.SIGKILL)
    numbers.now += 60_000
    numbers.targets = replace(numbers.targets)  # something changed
    await numbers.fresh()
    assert numbers.service.process.pids != [pid]
    assert numbers.service.latest().stale is False


async def test_numbers_that_are_not_refreshed_any_more_are_stale(numbers: Numbers) -> None:
    await numbers.serve(PLACES)
    await numbers.fresh()
    numbers.now += 61_000
    latest = numbers.service.latest()
    assert (latest.stale, latest.numbers is not None) == (True, True)
    answer = await numbers.get("/v1/ledger")
    assert (answer["stale"], answer["problem"].startswith("a refresh takes")) == (True, True)


@pytest.mark.parametrize("schema", [None, 99])
async def test_a_ledger_that_can_not_be_read_is_a_problem_and_no_end(
    redis_url: str, tmp_path: Path, schema: int | None
) -> None:
    """A manifest that was damaged, or is of a later version; and whatever nobody has thought of."""
    packed = b"damaged" if schema is None else gzip.compress(b'{"schema":%d}' % schema)
    (tmp_path / "ledger").mkdir()
    await LocalFiles(tmp_path / "ledger").create(manifest_name(Partition("calls", 0), 1), packed)
    numbers = Numbers(redis_url, tmp_path / "ledger", [], TARGETS)
    numbers.now = LINES[-1].timestamp
    try:
        served = await numbers.serve(PLACES, refresh=False)
        await numbers.service._refresh()
        expected = "is not a manifest" if schema is None else "has schema 99"
        assert expected in numbers.service.latest().problem
        assert (await served.get("/v1/ledger"))[0] == 503
        assert (await served.get("/v1/ledger?group=site"))[0] == 503
        assert (await served.get("/metrics"))[0] == 200

        async def fail(*_: Any) -> bytes:
            raise RuntimeError("nobody has thought of")

        numbers.service.process.ask = fail  # type: ignore[assignment,method-assign]
        await numbers.service._refresh()
        assert "RuntimeError" in numbers.service.latest().problem
    finally:
        await numbers.close()


@pytest.mark.slow
async def test_copies_of_a_bucket_end_with_the_process_however_it_ends(
    redis_url: str, s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    centre = Centre(
        redis_url, BucketFiles(BUCKET, tmp_path.name, options(s3.port)), partitions=1, contacts=50
    )
    await centre.claim()
    (desk,) = centre.desks
    await desk.count(200)
    await desk.write()
    keys = options(s3.port)
    aws: dict[str, Any] = {
        "ledger": f"s3://{BUCKET}/{tmp_path.name}",
        "ledger_days": "4000",
        "redis_url": redis_url,
        "aws_endpoint_url": keys["endpoint"],
        "aws_region": keys["region"],
        "aws_access_key_id": keys["access_key_id"],
        "aws_secret_access_key": keys["secret_access_key"],
    }
    end = max(line.timestamp for line in desk.lines) + 1
    service = LedgerNumbersService(
        Settings(**aws),
        centre.reader,
        centre.contacts.turns,
        targets=lambda: TARGETS,
        now=lambda: end,
        known=lambda: None,
        position=lambda: 0,
    )

    def copied() -> set[Path]:
        return {path.parent for path in tmp_path.glob("ledger-numbers-*/*/*")}

    def left() -> list[Path]:
        return [*tmp_path.glob("ledger-*")]

    try:
        await service._refresh()
        assert service.latest().numbers is not None, service.latest().problem
        (first,) = copied()
        os.kill(service.process.pids[0], signal.SIGKILL)
        await service._refresh()
        (second,) = copied()
        assert second != first, "what the first one left is gone"
    finally:
        await service.close()
        await centre.close()
    assert not left()


async def test_a_question_costs_only_the_families_of_its_kpis(
    empty: Numbers, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    found = AskedNumbers._sums

    async def count(self: AskedNumbers, family: LedgerFamily, *rest: Any) -> list[FamilySums]:
        asked.append(family.name)
        return await found(self, family, *rest)

    monkeypatch.setattr(AskedNumbers, "_sums", count)
    await empty.get("/v1/ledger?window=7d&group=site&kpi=csat_satisfied")
    assert asked == ["opinions"]
