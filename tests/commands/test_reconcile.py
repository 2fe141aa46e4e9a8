"""``stream-app reconcile``: real Redis, contacts that no file has yet, and exports of a platform's."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from stream_app.model.ports import Partition
from stream_app.model.targets import Targets
from stream_app.store.redis import RedisStore
from tests.services.command import run_command
from tests.store.test_outbox import Worker, call

# Ten calls from 2026-09-21T14:13:20Z on, 100 s apart; each waits for 5 s, lasts 55 s and is wrapped up in 10 s.
HEAD = "start,minutes,queue,offered,answered,answered_in_target,handled,talk_s,wrap_s\n"
FIRST = "2026-09-21T14:00:00Z,15,sales,1,1,0,1,55,10\n"
OURS = FIRST + "2026-09-21T14:15:00Z,15,sales,9,9,0,9,495,90\n"


@pytest.fixture
async def told(redis_url: str, tmp_path: Path) -> dict[str, str]:
    store = RedisStore(redis_url)
    await store.apply_targets(Targets.of({"queues": {"sales": {"answer_target_s": 4, "short_abandon_s": 1}}}))
    worker = Worker(await store.claim(Partition("calls", 0), "t"))
    for n in range(10):
        await worker.commit(call(4 * n, f"c{n}", 100 * n))
    await store.close()
    return {**os.environ, "REDIS_URL": redis_url, "STREAM_APP_LEDGER": str(tmp_path / "ledger")}


def reconcile(env: dict[str, str], tmp_path: Path, theirs: str, *options: str) -> Any:
    path = tmp_path / "theirs.csv"
    path.write_text(theirs)
    return run_command("reconcile", path, *options, env=env)


def test_an_equal_table_has_no_differences(told: dict[str, str], tmp_path: Path) -> None:
    done = reconcile(told, tmp_path, HEAD + OURS)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "2 rows compared, 0 differences, 0 unexplained\n"


def test_a_row_names_its_rule_and_its_contacts(told: dict[str, str], tmp_path: Path) -> None:
    within_five_seconds = FIRST.replace("1,1,0", "1,1,1") + OURS.removeprefix(FIRST).replace("9,9,0", "9,9,9")
    done = reconcile(told, tmp_path, HEAD + within_five_seconds, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    first, second = found["differences"]
    assert first["rules"] == [{"rule": "target", "contacts": ["c0"]}]
    assert [rule["rule"] for rule in second["rules"]] == ["target"]
    assert {*second["rules"][0]["contacts"]} == {f"c{n}" for n in range(1, 10)}
    assert (first["line"], first["start"]) == (2, "2026-09-21T14:00:00Z")
    shown = reconcile(told, tmp_path, HEAD + within_five_seconds).stdout
    assert "answered_in_target 9 (0)" in shown
    assert "another answer target" in shown
    assert "and 6 more" in shown
    assert "2 rows compared, 2 differences, 0 unexplained" in shown


def test_what_no_rule_explains_is_said(told: dict[str, str], tmp_path: Path) -> None:
    done = reconcile(told, tmp_path, HEAD + OURS.replace("495", "123"))
    assert done.returncode == 1
    assert "unexplained: talk_s -372" in done.stdout
    assert "1 differences, 1 unexplained\n" in done.stdout


def test_a_queue_of_another_name_is_said_to_be_one(told: dict[str, str], tmp_path: Path) -> None:
    done = reconcile(told, tmp_path, HEAD + OURS.replace("sales", "Sales EU"))
    assert done.returncode == 1
    assert "the ledger has no contacts of Sales EU at that time" in done.stdout
    assert "2 unexplained" in done.stdout


def test_other_names_and_local_times_are_read(told: dict[str, str], tmp_path: Path) -> None:
    theirs = (
        "Date;Interval;Skill;Calls Offered;Talk Time\n"
        "21/09/2026;16:00;sales;1;0:00:55\n"
        "21/09/2026;16:15;sales;9;0:08:15\n"
    )
    names = "--map=start=Date+Interval,queue=Skill,minutes:=15"
    done = reconcile(told, tmp_path, theirs, names, "--tz", "Europe/Berlin")
    assert (done.returncode, done.stdout) == (0, "2 rows compared, 0 differences, 0 unexplained\n"), (
        done.stderr
    )
    other = reconcile(told, tmp_path, theirs, names, "--json")
    assert other.returncode == 0
    found = json.loads(other.stdout)
    assert found["conventions"] == {"clock": "Etc/GMT-2"}
    assert {rule["rule"] for one in found["differences"] for rule in one["rules"]} == {"time_zone"}
    assert "their times are those of UTC+2 all year" in reconcile(told, tmp_path, theirs, names).stdout


CONTACTS = "Call ID,Queued,Queue,Outcome,Wait Time,Talk Time,Hold Time,ACW\n" + "".join(
    f"c{n},2026-09-21 14:{13 + (20 + 100 * n) // 60}:{(20 + 100 * n) % 60:02},sales,answered,5,55,0,10\n"
    for n in range(10)
)


def test_a_list_of_contacts_is_compared_one_by_one(told: dict[str, str], tmp_path: Path) -> None:
    equal = reconcile(told, tmp_path, CONTACTS)
    assert (equal.returncode, equal.stdout) == (0, "10 rows compared, 0 differences, 0 unexplained\n"), (
        equal.stderr
    )
    lines = CONTACTS.splitlines(keepends=True)
    theirs = "".join((*lines[:4], *lines[5:7], lines[7].replace(",55,", ",44,"), *lines[8:])).replace(
        "c8,", "c80,"
    )
    done = reconcile(told, tmp_path, theirs, "--json")
    found = {one["contact"]: one for one in json.loads(done.stdout)["differences"]}
    assert {contact: one["rules"] for contact, one in found.items()} == {
        "c3": ["missing_there"],
        "c6": [],
        "c8": ["missing_there"],
        "c80": ["missing_here"],
    }
    assert found["c6"]["differing"] == {"talk": {"ours": 55.0, "theirs": 44.0}}
    assert done.returncode == 1
    people = reconcile(told, tmp_path, theirs)
    assert "talk 44 s (55 s)" in people.stdout
    assert "9 rows compared, 4 differences, 1 unexplained" in people.stdout


@pytest.mark.parametrize(
    ("theirs", "options", "said"),
    [
        (HEAD + OURS, ("--tz", "Berlin"), "--tz: unknown time zone 'Berlin'"),
        (HEAD + FIRST + FIRST, (), "theirs.csv:3: start: sales has two rows for this time"),
        (
            HEAD + FIRST.replace(":00:00Z", ":05:00Z"),
            (),
            "theirs.csv:2: start: expected intervals of 15 minutes",
        ),
        (HEAD + FIRST.replace("1,1,0", "1,-1,0"), (), "theirs.csv:2: answered: expected a non-negative"),
        (HEAD + OURS, ("--from", "2026-09-21T14:00Z"), "--from, --to: only work with a list of contacts"),
        (CONTACTS.replace("Call ID", "Sort"), (), "contact_id: which column has the contact's id?"),
        (
            CONTACTS.replace("c3", "").replace("answered,5", "bogus,5", 1),
            (),
            "outcome 'bogus': unknown meaning",
        ),
        ("", (), "the file is empty"),
    ],
)
def test_what_can_not_be_compared_is_named(
    told: dict[str, str], tmp_path: Path, theirs: str, options: tuple[str, ...], said: str
) -> None:
    done = reconcile(told, tmp_path, theirs, *options)
    assert done.returncode not in {0, 1}
    assert said in done.stderr
    assert "Traceback" not in done.stderr
