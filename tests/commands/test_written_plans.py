"""People who are planned for a mailbox, against the people that it really took: whole months, through the commands."""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from msgspec import structs

from stream_app.simulation import Centre, CentreSettings, Ledger
from stream_app.simulation.presets import QUEUES, WEEK
from stream_app.simulation.settings import NOTHING_AFTER
from stream_app.simulation.wire import encode
from tests.services.command import run_command
from tests.simulation.worlds import HOUR, MONDAY

from .test_forecast import forecast
from .test_staffing import rows, staffing

POST = ("service", "email")
FIRST = date(2026, 1, 5)
LEARNED, PLANNED = 6, 4
"""Weeks that the forecast learns from, and that it forecasts."""
DAY_H = 10
"""Productive hours of a person on a day: from eight to six."""
TARGETS = """
[channels.email]
answer_target_s = 14400
calendar = "office"
[calendars.office]
hours = { mon-fri = ["08:00-18:00"] }
"""


class Mailbox(NamedTuple):
    """What happened in ten weeks, and the files that the commands read."""

    ledger: Ledger
    past: Path
    month: Path
    targets: Path

    def people(self) -> dict[date, float]:
        """The people that each day of the month really took."""
        begin = FIRST + timedelta(weeks=LEARNED)
        days = {date(1970, 1, 1) + timedelta(day): ms for day, ms in self.ledger.work[POST].items()}
        return {
            day: ms / HOUR / DAY_H
            for day, ms in days.items()
            if begin <= day < begin + timedelta(weeks=PLANNED) and day.weekday() < 5
        }


def mailbox(folder: Path, *, per_hour: float, people: int, stated: float) -> Mailbox:
    """Ten weeks of the demo's mailbox, with enough people for Mondays."""
    post = next(queue for queue in QUEUES if (queue.name, queue.channel) == POST)
    queue = structs.replace(
        post,
        per_hour=per_hour,
        week=WEEK,
        rests=(5, 6),
        staff=tuple(people * (8 <= hour < 8 + DAY_H) for hour in range(24)),
        longest_shift_h=12,
        after=NOTHING_AFTER,
        writing=structs.replace(post.writing, stated=stated),
    )
    centre = Centre(CentreSettings(queues=(queue,), presence=False), seed=7)
    events = folder / "events.ndjson"
    with events.open("wb") as file:
        for event in centre.events(MONDAY, MONDAY + (LEARNED + PLANNED) * 7 * 24 * HOUR):
            file.write(encode(event) + b"\n")
    targets = folder / "targets.toml"
    targets.write_text(TARGETS)
    done = run_command("intervals", "--direct", events, "--settings", targets, "--format", "csv")
    done.check_returncode()
    # A plan begins with an empty mailbox: on Friday evening, before the mail of the weekend.
    friday = f"{FIRST + timedelta(days=7 * LEARNED - 3)}T18:00"
    head, *lines = done.stdout.splitlines(keepends=True)
    past, month = folder / "past.csv", folder / "month.csv"
    past.write_text(head + "".join(line for line in lines if line < friday))
    month.write_text(head + "".join(line for line in lines if line >= friday))
    return Mailbox(centre.ledger, past, month, targets)


@pytest.fixture(scope="module")
def stated(tmp_path_factory: pytest.TempPathFactory) -> Mailbox:
    return mailbox(tmp_path_factory.mktemp("stated"), per_hour=60, people=24, stated=1.0)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Mailbox:
    """Half of the work is stated, the other half must be found from replies."""
    return mailbox(tmp_path_factory.mktemp("mixed"), per_hour=15, people=6, stated=0.5)


def people_by_day(plan: Iterable[dict[str, Any]]) -> dict[date, float]:
    """The people required at work, by day."""
    found: dict[date, float] = defaultdict(float)
    for row in plan:
        found[date.fromisoformat(row["start"][:10])] += row["required"] * row["minutes"] / 60 / DAY_H
    return found


def _compared(plan: dict[date, float], took: dict[date, float]) -> None:
    assert len(took) == 5 * PLANNED
    for day, people in took.items():
        assert plan[day] == pytest.approx(people, rel=0.15), day
    whole, really = sum(plan[day] for day in took), sum(took.values())
    most = max(abs(plan[day] / people - 1) for day, people in took.items())
    print(  # noqa: T201 - the measured figures
        f"{whole:.1f} person days for {really:.1f}: {whole / really - 1:+.1%}; a day at most {most:.1%} off"
    )
    assert whole == pytest.approx(really, rel=0.1)


@pytest.mark.long
def test_as_many_people_are_planned_for_a_month_of_mail_as_it_takes(stated: Mailbox) -> None:
    thought = forecast(stated.past, "--targets", stated.targets, "--weeks", PLANNED, "--format", "csv")
    assert thought.returncode == 0, thought.stderr
    ahead = staffing("-", "--targets", stated.targets, "--format", "json", stdin=thought.stdout)
    after = staffing(stated.month, "--targets", stated.targets, "--format", "json")
    for plan in (ahead, after):
        _compared(people_by_day(rows(plan)), stated.people())
        assert "estimated" not in plan.stderr, "all work was stated"
    assert "estimated" not in thought.stderr
    assert "their work is planned from the next opening on" in after.stderr


@pytest.mark.long
def test_written_channels_are_forecast_by_work_and_the_estimated_share_of_it_is_said(mixed: Mailbox) -> None:
    learned = [*csv.DictReader(io.StringIO(mixed.past.read_text()))]
    seconds = sum(float(row["talk_s"]) + float(row["hold_s"]) + float(row["wrap_s"]) for row in learned)
    share = sum(float(row["estimated_s"]) for row in learned) / seconds
    handle_s = seconds / sum(int(row["handled"]) for row in learned)
    wait_s = sum(float(row["wait_s"]) for row in learned) / sum(int(row["answered"]) for row in learned)
    assert 0.35 < share < 0.6
    assert handle_s < 400 < wait_s, "no night is in it"

    thought = forecast(mixed.past, "--targets", mixed.targets, "--weeks", 1, "--format", "json")
    assert thought.returncode == 0, thought.stderr
    points = json.loads(thought.stdout)["forecast"]
    assert {point["aht_estimated"] for point in points} == {round(share, 4)}
    expected = sum(point["offered"] for point in points)
    work = sum(point["offered"] * (point["aht_s"] or 0.0) for point in points)
    assert work / expected == pytest.approx(handle_s, rel=0.05)
    note = (
        f"stream-app: service (email): {share:.0%} of the handle time is estimated from replies; where mail waits for hours "
        "before anyone starts on it, that may be 67% too high (docs/staffing.md#estimated-handle-times)\n"
    )
    assert note in thought.stderr
    plan = staffing("-", "--targets", mixed.targets, "--format", "json", stdin=thought.stdout)
    assert rows(plan)
    assert note in plan.stderr, "the share goes with the forecast"
    assert (
        f"service (email): {share:.0%} of the handle time"
        in staffing(mixed.past, "--targets", mixed.targets).stderr
    )


@pytest.mark.slow
def test_what_a_file_does_not_say_is_estimated_is_not_said_to_be_none(mixed: Mailbox) -> None:
    told = csv.DictReader(io.StringIO(mixed.past.read_text()))
    silent = io.StringIO()
    names = (
        "start",
        "minutes",
        "queue",
        "channel",
        "offered",
        "handled",
        "talk_s",
        "hold_s",
        "wrap_s",
        "final",
    )
    writer = csv.DictWriter(silent, names, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(told)
    options = ("--targets", mixed.targets, "--weeks", 1, "--format", "json")
    thought = forecast("-", *options, stdin=silent.getvalue())
    assert {point["aht_estimated"] for point in json.loads(thought.stdout)["forecast"]} == {None}
    assert "estimated" not in thought.stderr
