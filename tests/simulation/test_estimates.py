"""Work that is estimated from replies, against the work that was done: by how much it errs is what plans say of it."""

import pytest

from stream_app.model.targets import Targets
from stream_app.model.targets.conversations import WORK_CAP_S
from stream_app.simulation import Centre, CentreSettings, Duration, QueueSettings
from stream_app.simulation.wire import encode
from stream_app.simulation.writing import Writing
from stream_app.workforce.estimated import TOO_HIGH, WITH_ASSIGNMENTS, too_high

from .worlds import HOUR, MONDAY, Record, folded

POST = ("post", "email")
DAYS = 5
BACKLOGS = {"short": ((8, 17), (8, 18)), "half a day": ((7, 14), (13, 21)), "overnight": ((17, 24), (8, 16))}
"""From when until when mail comes, and is worked on."""


def mailbox(comes: tuple[int, int], at_work: tuple[int, int], writing: Writing) -> Centre:
    """Enough people for fifty mails an hour, each of about six minutes of work."""
    queue = QueueSettings(
        name=POST[0],
        channel=POST[1],
        per_hour=50,
        curve=tuple(float(comes[0] <= hour < comes[1]) for hour in range(24)),
        staff=tuple(12 * (at_work[0] <= hour < at_work[1]) for hour in range(24)),
        longest_shift_h=12,
        talk=Duration(340, 0.7),
        wrap=Duration(20, 0.5),
        patience=None,
        writing=writing,
    )
    return Centre(CentreSettings(queues=(queue,), presence=False), seed=3)


def counted(centre: Centre, targets: Targets | None = None) -> tuple[dict[str, int], int]:
    """What the pipeline counts of some days, and how long agents really worked, in ms."""
    events = centre.events(MONDAY, MONDAY + DAYS * 24 * HOUR)
    records = [Record(n, event.at, encode(event)) for n, event in enumerate(events)]
    _, cells = folded(records, targets)
    return cells[POST], sum(centre.ledger.work[POST].values())


@pytest.mark.slow
@pytest.mark.parametrize("backlog", BACKLOGS)
def test_what_is_said_of_estimates_is_how_far_they_are_off(backlog: str) -> None:
    cell, work = counted(mailbox(*BACKLOGS[backlog], Writing(assigns=False)))
    bias = cell["estimated_ms"] / work - 1
    told, told_work = counted(mailbox(*BACKLOGS[backlog], Writing()))
    told_bias = told["estimated_ms"] / told_work - 1
    hours = cell["answer_wait_ms"] / cell["answered"] / HOUR
    print(  # noqa: T201 - the measured figures
        f"{backlog}: mail waits {hours:.1f} h; {cell['estimated_ms'] / cell['handled'] / 1000:.0f} s estimated, "
        f"{work / cell['handled'] / 1000:.0f} s of work: {bias:+.0%}; with assignments {told_bias:+.0%}"
    )
    assert cell["handled_estimated"] == cell["handled"] > 1000
    assert bias == pytest.approx(TOO_HIGH[backlog], abs=0.01)
    assert told_bias == pytest.approx(WITH_ASSIGNMENTS, abs=0.01)
    assert bias <= too_high(WORK_CAP_S) + 0.01


@pytest.mark.parametrize("cap_s", [300, 600, 1200])
def test_the_more_a_reply_may_have_been_the_more_is_an_estimate_too_high(cap_s: int) -> None:
    targets = Targets.of({"channels": {"email": {"reply_work_cap_s": cap_s}}})
    cell, work = counted(mailbox(*BACKLOGS["overnight"], Writing(assigns=False)), targets)
    assert max(0.0, cell["estimated_ms"] / work - 1) == pytest.approx(too_high(cap_s), abs=0.02)


@pytest.mark.parametrize("backlog", BACKLOGS)
def test_work_that_is_stated_is_the_work_that_was_done_however_long_mail_lay(backlog: str) -> None:
    cell, work = counted(mailbox(*BACKLOGS[backlog], Writing(assigns=False, stated=1.0)))
    assert cell["handled_stated"] == cell["handled"]
    assert "handled_estimated" not in cell
    assert cell["talk_ms"] + cell["wrap_ms"] == work


def test_where_mail_lies_the_estimate_is_the_most_that_it_may_be() -> None:
    cell, _ = counted(mailbox(*BACKLOGS["overnight"], Writing(assigns=False)))
    assert cell["estimated_ms"] == cell["replies"] * WORK_CAP_S * 1000
