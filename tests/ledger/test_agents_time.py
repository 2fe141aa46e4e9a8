"""Agents' time from the ledger, against a count second by second; and the figures of handbooks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from stream_app.ledger.columns import TABLES
from stream_app.ledger.kpis import LedgerQuestion
from stream_app.model.kpis.from_ledger import LedgerShare
from stream_app.model.kpis.ledger_people import PEOPLE_ENTRIES

from .clickhouse import ClickHouseTables
from .streams_of_customers import MINUTE, SECOND, T0
from .tables_of import LedgerTables

Row = dict[str, Any]
Rows = dict[str, list[Row]]
ENTRIES = {kpi.name: kpi for kpi in PEOPLE_ENTRIES}
AGENTS = ("ann", "ben")
LENGTH = 60
"""Seconds that anything can happen in; the window is within."""
WINDOW = LedgerQuestion(start=T0 + 10 * SECOND, end=T0 + 50 * SECOND, known=T0 + 50 * SECOND)

moments = st.integers(0, LENGTH)


def at(second: int) -> int:
    return T0 + second * SECOND


@st.composite
def spells(draw: st.DrawFn) -> list[Row]:
    """The spells of an agent in two partitions; the last one of each may be open, and some are taken back."""
    rows = []
    for partition in (0, 1):
        for agent in AGENTS:
            bounds = sorted(draw(st.sets(moments, max_size=4)))
            for n, (began, ended) in enumerate(zip(bounds, [*bounds[1:], None], strict=False)):
                row = {
                    "partition": partition,
                    "agent": agent,
                    "team": draw(st.sampled_from(["red", None])),
                    "agent_state": draw(st.sampled_from(["available", "break", "meeting", "offline"])),
                    "reason": draw(st.sampled_from(["lunch", None])),
                    "work": draw(st.sampled_from(["on_contact", "wrap", None, None])),
                    "began_at": at(began),
                    "ended_at": None if ended is None else at(ended),
                    "unended": ended is not None and draw(st.integers(0, 5)) == 0,
                    "sign": 1,
                }
                rows.append(row)
                if n % 3 == 2:  # it held, it was taken back, and holds again
                    rows += [row | {"sign": -1}, row]
    return rows


@st.composite
def visits(draw: st.DrawFn) -> list[Row]:
    """Visits that are over, or not."""
    rows = []
    for n in range(draw(st.integers(0, 6))):
        answered, talked, wrapped = sorted(draw(st.lists(moments, min_size=3, max_size=3)))
        row: Row = {
            "contact_id": f"c{n}",
            "queue": "desk",
            "channel": draw(st.sampled_from(["voice", "chat"])),
            "agent": draw(st.sampled_from(AGENTS)),
            "started_at": T0,
            "outbound": draw(st.booleans()),
        }
        over = draw(
            st.sampled_from(["handled", "timed_out", "talking", "held", "wrapping", "replying", "unfinished"])
        )
        row["called_out_at" if row["outbound"] else "answered_at"] = at(answered)
        if over in {"handled", "timed_out"}:
            name = "outbound_handled" if row["outbound"] else "handled"
            row |= {
                f"{name}_at": at(wrapped),
                f"{name}_talk_ms": (talked - answered) * SECOND,
                f"{name}_hold_ms": 0,
                f"{name}_wrap_ms": 0 if over == "timed_out" else (wrapped - talked) * SECOND,
            }
            if not row["outbound"]:
                row |= {"handled_stated": False, "handled_timed_out": over == "timed_out"}
        elif over != "unfinished":
            row |= {"open_state": over, "open_since": at(talked)}
        rows.append(row)
    return rows


@st.composite
def stretches(draw: st.DrawFn, of: list[Row]) -> list[Row]:
    """Work on the written ones of these visits."""
    rows = []
    for visit in of:
        if visit["channel"] == "chat":
            began, ended = sorted(draw(st.lists(moments, min_size=2, max_size=2, unique=True)))
            rows.append(
                {name: visit[name] for name in ("contact_id", "queue", "channel", "agent")}
                | {"visit_started_at": T0, "began_at": at(began), "ended_at": at(ended)}
            )
    return rows


@st.composite
def ledgers(draw: st.DrawFn) -> Rows:
    some = draw(visits())
    return {"spells": draw(spells()), "visits": some, "stretches": draw(stretches(some))}


def tables(rows: Mapping[str, list[Row]]) -> dict[str, Any]:
    common = {"topic_id": "t", "partition": 0, "version": 1}
    return {
        name: table.batch([common | {"offset": n, "n": 0} | row for n, row in enumerate(rows.get(name, ()))])
        for name, table in TABLES.items()
    }


# --- second by second ---


def worked(rows: Rows) -> Iterator[tuple[Any, Any, Any, Any, bool]]:
    """Agent, contact, from, to, whether it is more than wrap-up."""
    for visit in rows["visits"]:
        name = "outbound_handled" if visit["outbound"] else "handled"
        who = visit["agent"], visit["contact_id"]
        began = visit.get("answered_at") or visit.get("called_out_at")
        spoken = visit["channel"] == "voice"
        if finished := visit.get(f"{name}_at"):
            until = began + visit[f"{name}_talk_ms"]
            if spoken:
                yield *who, began, until, True
            yield *who, finished - visit[f"{name}_wrap_ms"], finished, False
            continue
        state, since = visit.get("open_state"), visit.get("open_since")
        if state == "wrapping":
            yield *who, since, WINDOW.end, False
        if spoken and state in {"talking", "held", "wrapping"}:
            yield *who, began, since if state == "wrapping" else WINDOW.end, True
        if not spoken and state == "talking":
            yield *who, since, WINDOW.end, True
    for stretch in rows["stretches"]:
        yield stretch["agent"], stretch["contact_id"], stretch["began_at"], stretch["ended_at"], True


def state_of(rows: Rows, agent: str, moment: int) -> Row | None:
    """The spell that holds: of those that count and have begun, the one that began last, if it is not over."""
    begun = [row for row in rows["spells"] if row["agent"] == agent and row["began_at"] <= moment]
    if not begun:
        return None
    last = max(begun, key=lambda row: (row["began_at"], row["partition"]))
    return last if last["ended_at"] is None or moment < last["ended_at"] else None


def by_seconds(rows: Rows) -> dict[tuple[Any, ...], Counter[str]]:
    """Agent, team, state and reason → the sums of ``agent_time``."""
    found: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    work = [*worked(rows)]
    for agent in AGENTS:
        for moment in range(WINDOW.start, WINDOW.end, SECOND):
            mine = [talks for who, _, began, ended, talks in work if who == agent and began <= moment < ended]
            spell = state_of(rows, agent, moment)
            told = spell["work"] if spell else None
            state = spell["agent_state"] if spell else None
            doing = (
                "on_contact"
                if any(mine) or told == "on_contact"
                else "wrap"
                if mine or told == "wrap"
                else "available"
                if state == "available"
                else "away"
            )
            sums = found[agent, spell["team"] if spell else None, state, spell["reason"] if spell else None]
            working = doing in {"on_contact", "wrap"}
            if spell is not None and spell["unended"]:
                names = ["unended_ms"]
            elif state in {None, "offline"}:
                names = ["outside_ms"] if working else []
            else:
                names = ["signed_in_ms", f"{doing}_ms"]
                names += ["working_ms"] if working else []
                names += ["staffed_ms"] if doing != "away" else []
                names += ["away_working_ms"] if working and state != "available" else []
            for name in names:
                sums[name] += SECOND
    return found


def shares(rows: Rows) -> dict[str, float]:
    """Agent → work, and a contact's share of each second, added."""
    found: dict[str, float] = defaultdict(float)
    for moment in range(WINDOW.start, WINDOW.end, SECOND):
        for agent in AGENTS:
            if any(who == agent and began <= moment < ended for who, _, began, ended, _ in worked(rows)):
                found[agent] += SECOND
    return found


GROUPS = ("agent", "team", "state", "reason")


@settings(max_examples=40)
@given(rows=ledgers())
def test_every_second_of_an_agent_counts_once_and_contacts_share_it(rows: Rows) -> None:
    ledger = LedgerTables(tables(rows))
    found = {key: +Counter(sums) for key, sums in ledger.ask("agent_time", WINDOW, GROUPS).items()}
    wanted = {key: +sums for key, sums in by_seconds(rows).items()}
    assert {key: sums for key, sums in found.items() if sums} == {
        key: sums for key, sums in wanted.items() if sums
    }
    shared = {agent: sums for (agent,), sums in ledger.ask("shared_work", WINDOW, ("agent",)).items()}
    rounded = 2 * (len(rows["visits"]) + len(rows["stretches"]))
    for agent, ms in shares(rows).items():
        assert abs(shared[agent]["shared_ms"] - ms) <= rounded
        assert shared[agent]["worked_ms"] >= ms


@settings(max_examples=3)
@given(rows=ledgers())
def test_both_engines_say_the_same(rows: Rows, tmp_path_factory: pytest.TempPathFactory) -> None:
    duck, folder = LedgerTables(tables(rows)), tmp_path_factory.mktemp("rows")
    with ClickHouseTables(tables(rows), Path(folder)) as click:
        for family, groups in (("agent_time", GROUPS), ("shared_work", ("queue", "agent"))):
            assert click.ask(family, WINDOW, groups) == duck.ask(family, WINDOW, groups)


# --- figures ---


def told(agent: str, began: int, ended: int, state: str, work: str | None = None) -> Row:
    """A spell, in minutes."""
    return {
        "agent": agent,
        "agent_state": state,
        "work": work,
        "began_at": T0 + began * MINUTE,
        "ended_at": T0 + ended * MINUTE,
        "unended": False,
        "sign": 1,
    }


def value(name: str, rows: list[Row], minutes: int) -> float | None:
    measure = ENTRIES[name].measures[""]
    assert isinstance(measure, LedgerShare)
    ask = LedgerQuestion(start=T0, end=T0 + minutes * MINUTE, known=T0 + minutes * MINUTE)
    return measure.value(LedgerTables(tables({"spells": rows})).ask(measure.family, ask)[()])


def test_360_of_480_minutes_are_75_per_cent() -> None:
    day = [told("ann", 0, 300, "available", "on_contact"), told("ann", 300, 360, "available")]
    day.append(told("ann", 360, 480, "meeting"))
    assert value("utilisation", day, 480) == 0.75


def test_120_minutes_busy_and_60_available_of_240() -> None:
    day = [told("ann", 0, 120, "available", "on_contact"), told("ann", 120, 180, "available")]
    day.append(told("ann", 180, 240, "break"))
    assert value("utilisation", day, 240) == 0.75
    assert value("occupancy", day, 240) == pytest.approx(0.6667, abs=0.0001)


def test_30_on_a_break_and_one_of_them_on_a_call() -> None:
    rows = [told(f"a{n}", 0, 30, "break", "on_contact" if n == 0 else None) for n in range(30)]
    ask = LedgerQuestion(start=T0, end=T0 + 30 * MINUTE, known=T0 + 30 * MINUTE)
    [sums] = LedgerTables(tables({"spells": rows})).ask("agent_time", ask).values()
    half_an_hour = 30 * MINUTE
    assert sums["signed_in_ms"] == 30 * half_an_hour
    assert (sums["on_contact_ms"], sums["away_ms"]) == (half_an_hour, 29 * half_an_hour)
    assert (sums["available_ms"], sums["away_working_ms"]) == (0, half_an_hour)
