"""The pipeline as its users meet it: events in, numbers out, alerts out, and nobody named on the way."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import redis

from stream_app.views.alerts.prometheus import rule_file
from tests.conftest import MakeTopic
from tests.reference import ratios
from tests.services.kafka import Cluster
from tests.services.process import HOST, until
from tests.services.prometheus import Prometheus
from tests.views.alerts.quick import quick_rules

from .pipeline import VOICE, Pipeline, answered, day, event, gone, in_order, now_ms, queued, reference

PRINTED = {
    "answered_of_offered": "70.0%",
    "without_short_abandons": "72.9%",
    "answered_or_abandoned": "71.4%",
    "answered_or_abandoned_late": "77.8%",
    "answered_only": "82.4%",
    "ignoring_early_abandons": "76.1%",
    "abandons_count_as_met": "78.0%",
    "answered_or_abandoned_without_short": "74.5%",
    "removed_within": "79.0%",
}
SETTINGS = "[defaults]\nanswer_target_s = 20\nshort_abandon_s = 5\n" + "".join(
    f'[queues.{policy}]\npolicy = "{policy}"\n' for policy in PRINTED
)
SILENT_S = 3.0


# --- events in, numbers out ---


async def test_a_day_of_a_hundred_contacts_gives_every_printed_number(pipeline: Pipeline) -> None:
    assert pipeline.apply(SETTINGS).endswith("version 1 is in force\n")
    with pipeline.running():
        await pipeline.trusted()
        start = now_ms() - 120_000
        told = in_order(
            [e for queue in PRINTED for e in day(queue, start)]
            + [event(start, "contact.refused", "turned-away", queue="closed", channel=VOICE)]
        )
        assert await pipeline.produce(told) == 901
        rows = await pipeline.until_over(dict.fromkeys(PRINTED, 100) | {"closed": 0})
        metrics = await pipeline.serve.metrics()
    expected = reference(told)
    totals = expected.totals()
    for policy, printed in PRINTED.items():
        row, counters = rows[policy], totals[policy, VOICE]
        level = ratios.service_levels(counters)[policy]
        assert level is not None
        assert f"{float(level):.1%}" == printed
        assert row["policy"] == policy
        for name in ("offered", "answered", "abandoned", "handled"):
            assert row["totals"][name] == counters[name]
            assert metrics[f"cc_contacts_{name}_total", at(policy)] == counters[name]
        handle_ms = counters["talk_ms"] + counters["hold_ms"] + counters["wrap_ms"]
        for kpi, unit, value in (
            ("service_level", "ratio", level),
            ("abandonment", "ratio", ratios.abandonment(counters)),
            ("first_response", "seconds", Fraction(counters["response_ms"], counters["responded"] * 1000)),
            ("handle_time", "seconds", Fraction(handle_ms, counters["handled"] * 1000)),
        ):
            for window in ("5m", "30m"):
                shown = row["windows"][window][kpi]
                exact = float(value or 0)
                assert metrics[f"cc_{kpi}_{unit}", at(policy, window)] == exact, (policy, kpi, window)
                assert shown["value"] == round(exact, 3 if unit == "seconds" else 6)
                assert metrics[f"cc_{kpi}_samples", at(policy, window)] == shown["samples"]
        for kpi, sketch in (("first_response", "response"), ("handle_time", "handle")):
            estimate = ratios.quantile(expected.total_sketch(sketch)[policy, VOICE], Fraction(9, 10))
            p90 = metrics[f"cc_{kpi}_p90_seconds", at(policy, "5m")]
            assert p90 == pytest.approx((estimate or 0) / 1000, rel=1e-12)
            assert row["windows"]["5m"][kpi]["p90"] == round(p90, 2)
    # Somebody was turned away, nobody was offered: no data is no number, and no 0 and no 100 % either.
    assert rows["closed"]["windows"]["5m"]["service_level"] == {"value": None, "samples": 0}
    assert metrics["cc_service_level_samples", at("closed", "5m")] == 0
    assert ("cc_service_level_ratio", at("closed", "5m")) not in metrics
    assert ("cc_service_level_ratio", at("answered_only", "5m")) in metrics


def at(queue: str, window: str = "") -> frozenset[tuple[str, str]]:
    labels = {"queue": queue, "channel": VOICE} | ({"window": window} if window else {})
    return frozenset(labels.items())


async def test_a_silent_queue_turns_red_when_its_target_has_passed(pipeline: Pipeline) -> None:
    with pipeline.running():
        await pipeline.trusted()
        applied = pipeline.apply(f"[queues.silent]\nanswer_target_s = {SILENT_S}\n")
        assert applied == f"+ queues.silent.answer_target_s = {SILENT_S:.1f}\nversion 1 is in force\n"
        await until(lambda: pipeline.worker.count(r"claimed\b.*settings=1\b") >= 2, 10, "both claims pin it")
        start = now_ms()
        await pipeline.produce([queued("silent", "forgotten", start)])

        async def shown() -> Any:
            return (await pipeline.serve.rows("silent")).get("silent")

        before = (await until(shown))["windows"]["5m"]["service_level"]
        assert before == {"value": None, "samples": 0}

        async def red() -> bool:
            row = await shown()
            return bool(row["windows"]["5m"]["service_level"] == {"value": 0.0, "samples": 1})

        await until(red, SILENT_S + 2)
        late_s = (now_ms() - start) / 1000 - SILENT_S
        assert (await shown())["levels"]["backlog"] == 1
    print(f"red {late_s * 1000:.0f} ms after T")  # noqa: T201 - the figure of the run
    assert 0 <= late_s < 1


# --- alerts out ---


def contacts(queue: str, good: int, bad: int) -> Iterator[dict[str, Any]]:
    """So many answered within T, and so many a little later."""
    start = now_ms() - 60_000
    for n in range(good + bad):
        yield from answered(queue, start + n * 20, 2.0 if n < good else 25.0)


async def test_a_breached_queue_alerts_until_it_recovers_and_no_other_does(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    with pipeline.running():
        await pipeline.trusted()
        rules = tmp_path / "alerts.rules.yml"
        rules.write_text(quick_rules(rule_file()))
        told = [
            *contacts("breached", 14, 11),
            *contacts("tolerated", 19, 6),
            *contacts("night", 0, 3),
        ]
        await pipeline.produce(told)
        await pipeline.until_over({"breached": 25, "tolerated": 25, "night": 3})
        with Prometheus([f"{HOST}:{pipeline.serve.port}"], rules=[rules]) as prometheus:

            def alerts() -> set[tuple[str, str, str]]:
                """Whatever is pending or firing, but for the watchdog, which always is."""
                return {
                    (alert["labels"]["alertname"], alert["labels"].get("queue", ""), alert["state"])
                    for alert in prometheus.alerts()
                    if alert["labels"]["alertname"] != "Watchdog"
                }

            def seen() -> dict[str, float]:
                found = prometheus.query('cc_service_level_ratio{window="30m"}')
                return {sample.labels["queue"]: sample.value for sample in found}

            started = time.monotonic()
            firing = ("ServiceLevelOffTarget", "breached", "firing")
            await until(lambda: firing in alerts(), 15)
            fired_s = time.monotonic() - started
            await until(lambda: alerts() == {firing}, 5, "no other does")
            assert seen() == {
                "breached": 0.56,
                "tolerated": 0.76,
                "night": 0.0,
            }  # silent, though they were seen
            await pipeline.produce(contacts("breached", 100, 0))
            recovered = time.monotonic()
            await until(lambda: not alerts(), 15, "the alert resolves")
            resolved_s = time.monotonic() - recovered
            assert seen()["breached"] > 0.7
    print(f"fired after {fired_s:.1f} s, resolved after {resolved_s:.1f} s")  # noqa: T201 - same


# --- discreet ---

CUSTOMER, PHONE, AGENT, CONTACT = "canary-customer", "+49151canary", "canary-agent", "canary-contact"


async def test_nobody_is_named_where_nobody_needs_the_name(
    kafka: Cluster, redis_url: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    topic = await make_topic(partitions=2)
    pipeline = Pipeline(kafka, redis_url, topic, tmp_path, STREAM_APP_LOG_LEVEL="debug")
    with pipeline.running():
        await pipeline.trusted()
        start = now_ms() - 60_000
        who = {"customer": CUSTOMER, "phone": PHONE, "agent": AGENT}
        told = [e | who | {"contact_id": CONTACT} for e in answered("sales", start, 3.0)]
        told += [queued("sales", CONTACT + "-waits", start) | who]
        told += [e | who for e in gone("sales", start, 9.0, "contact.abandoned")]
        told += [e | who for e in gone("sales", start, 9.0, "contact.teleported-" + PHONE)]  # no such type
        await pipeline.produce(told)
        name = f"{CUSTOMER} {PHONE} {AGENT} {CONTACT}".encode()
        poison = (
            name,
            b'{"id": "%s", "type": "contact.queued", "at": "%s"}' % (name, name),
            b'{"id": "x", "type": "contact.queued", "at": %d, "contact_id": ["%s"]}' % (start, name),
            b'{"id": "x", "type": "contact.queued", "at": %d, "%s": "\xff"}' % (start, name),
            b'{"%s":' % name * 2_000,
            b'{"pad": "%s"}' % (name * 2_000),
        )
        await pipeline.send(PHONE, *poison)
        state = {
            "id": "s1",
            "type": "agent.state",
            "at": start,
            "agent": AGENT,
            "state": "break",
            "queues": ["sales"],
        }
        await pipeline.send(AGENT, json.dumps(state).encode())

        async def is_listed() -> bool:
            _, text = await pipeline.serve.get("/v1/agents?queue=sales&doing=away")
            return AGENT in str(text)

        await until(is_listed, 15)  # as it is asked at a loopback address

        async def all_dead() -> bool:
            found = await pipeline.serve.metrics()
            dead = found.get(("cc_records_total", frozenset({("result", "dead_letter")})))
            return dead == len(poison) and (await pipeline.serve.rows())["sales"]["levels"]["backlog"] == 2

        await until(all_dead, 15)
        pages = [(await pipeline.serve.get(path))[1] for path in ("/metrics", "/v1/now", "/readyz")]
        assert 'cc_agents{queue="sales",doing="away"} 1' in pages[0]
        pages.append(await pipeline.worker_metrics())
        with redis.Redis.from_url(redis_url) as client:
            keys = [key.decode() for key in client.scan_iter(count=1000)]
            (dead,) = [key for key in keys if key.endswith(":dead")]
            letters: list[Any] = [fields for _, fields in client.xrange(dead)]
        assert pipeline.worker.stop() == 0
        await asyncio.to_thread(pipeline.serve.stop)
        logs = [log.read_text() for log in (pipeline.worker.log, pipeline.serve.log)]
    reasons = [{k: v for k, v in fields.items() if k != b"value"} for fields in letters]
    assert len(reasons) == len(poison)
    assert all(len(log.splitlines()) > 3 for log in logs)  # they do say something
    for text in map(str, (*pages, *logs, keys, reasons)):
        for canary in (CUSTOMER, PHONE, AGENT, CONTACT, "teleported"):
            assert canary not in text
