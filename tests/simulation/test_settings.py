"""What comes out is what was asked for: rates, times, patience, staff."""

import math
from itertools import pairwise
from random import Random

import pytest
from msgspec import structs

from stream_app.errors import BadSettingsError
from stream_app.model import events as e
from stream_app.simulation import (
    After,
    Centre,
    CentreSettings,
    Duration,
    Patience,
    QueueSettings,
    centre,
    parse_incident,
)
from stream_app.simulation.arrivals import Arrivals
from stream_app.simulation.presets import brief, events_per_contact
from stream_app.simulation.staffing import abandonment, agents_for, shifts

from .worlds import HOUR, MINUTE, MONDAY, plain, play


def erlang_a(per_hour: float, handle_s: float, patience_s: float, agents: int) -> float:
    """Abandonment of M/M/n+M from its balance equations, states 0 … n + 2,000, in logarithms."""
    arrive, serve, give_up = per_hour / 3600, 1 / handle_s, 1 / patience_s
    logs = [0.0]
    for k in range(1, agents + 2_001):
        leave = min(k, agents) * serve + max(0, k - agents) * give_up
        logs.append(logs[-1] + math.log(arrive / leave))
    top = max(logs)
    weights = [math.exp(x - top) for x in logs]
    queue = sum((k - agents) * w for k, w in enumerate(weights) if k > agents) / sum(weights)
    return give_up * queue / arrive


@pytest.mark.slow
@pytest.mark.parametrize(("per_hour", "agents"), [(120.0, 10), (118.0, 11), (600.0, 50), (140.0, 10)])
def test_abandonment_is_what_erlang_says(per_hour: float, agents: int) -> None:
    settings = plain(per_hour=per_hour, staff=(agents,) * 24)
    expected = erlang_a(per_hour, 300, 200, agents)
    row = play(settings, 60_000 / per_hour).row("desk", "voice")
    assert row.abandonment == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize("agents", [1, 8, 40, 700])
def test_the_planner_computes_the_same(agents: int) -> None:
    per_hour = agents * 12.5
    assert abandonment(per_hour, 300, 200, agents) == pytest.approx(
        erlang_a(per_hour, 300, 200, agents), rel=1e-9
    )
    wanted = 0.05
    planned = agents_for(per_hour, 300, 200, wanted)
    assert erlang_a(per_hour, 300, 200, planned) <= wanted < erlang_a(per_hour, 300, 200, planned - 1)


def test_each_part_of_the_handle_time_is_as_configured() -> None:
    settings = plain(staff=(40,) * 24, hold_share=0.3, hold=Duration(60, 0.5))
    row = play(settings, 100).row("desk", "voice")
    assert row.handle_s == pytest.approx(settings.queues[0].handle_s, rel=0.03)
    assert row.talk_ms / row.handled == pytest.approx(250_000, rel=0.03)
    assert row.hold_ms / row.held == pytest.approx(60_000, rel=0.03)
    assert row.held / row.handled == pytest.approx(0.3, rel=0.05)
    assert row.wrap_ms / row.handled == pytest.approx(50_000, rel=0.03)


@pytest.mark.slow
def test_more_give_up_the_longer_they_wait() -> None:
    shares = [play(plain(staff=(n,) * 24), 300).row("desk", "voice").abandonment for n in (12, 10, 8, 6)]
    assert all(fewer < more for fewer, more in pairwise(shares))


def test_who_is_never_served_waits_as_long_as_the_patience_lasts() -> None:
    settings = plain(staff=(0,) * 24, patience=Patience(150, shape=2.0))
    row = play(settings, 100).row("desk", "voice")
    assert row.abandon_wait_ms / row.abandoned == pytest.approx(150_000, rel=0.03)


def test_arrivals_follow_the_time_of_day() -> None:
    curve = (0.1,) * 8 + (0.5, 1.0, 1.0, 0.6, 0.4, 0.8, 1.0, 0.7, 0.3, 0.2) + (0.1,) * 6
    settings = plain(per_hour=4_000.0, curve=curve, staff=(0,) * 24)
    hours = [0] * 24
    for event in Centre(settings, 1).events(MONDAY, MONDAY + 24 * HOUR):
        if isinstance(event, e.Queued):
            hours[(event.at - MONDAY) // HOUR] += 1
    for hour, n in enumerate(hours):
        expected = 4_000 * (curve[hour] + curve[(hour + 1) % 24]) / 2  # straight lines between full hours
        assert n == pytest.approx(expected, abs=4 * math.sqrt(expected))


def test_the_centre_has_a_clock_of_its_own() -> None:
    night = (0.0,) * 6 + (1.0,) * 12 + (0.0,) * 6
    settings = structs.replace(plain(curve=night), clock_offset_s=-5 * 3600)
    first = next(iter(Centre(settings, 1).events(MONDAY, MONDAY + 24 * HOUR)))
    assert MONDAY + 10 * HOUR < first.at < MONDAY + 11 * HOUR


@pytest.mark.slow
def test_weekends_are_quiet_and_holidays_closed() -> None:
    """Arrivals and agents follow the day of the centre's clock; a queue with hours lets nobody in on a holiday."""
    week = (1.0, 0.9, 0.8, 0.7, 0.6, 0.3, 0.1)
    settings = plain(per_hour=400.0, week=week, staff=(8,) * 24, longest_shift_h=8, opens=0, closes=24)
    hours = 2  # the centre's Tuesday begins at 22:00 of UTC's Monday
    wednesday = (MONDAY // (24 * HOUR)) + 2
    settings = structs.replace(
        settings, clock_offset_s=hours * 3600, holidays=frozenset({wednesday}), presence=True
    )
    begin = MONDAY - hours * HOUR
    queued, refused, came = [0] * 7, [0] * 7, [0] * 7
    for event in Centre(settings, 1).events(begin, begin + 7 * 24 * HOUR):
        day = (event.at - begin) // (24 * HOUR)
        queued[day] += isinstance(event, e.Queued)
        refused[day] += isinstance(event, e.Refused)
        came[day] += isinstance(event, e.AgentState) and event.state == "available"
    for day, weight in enumerate(week):
        if day == 2:
            assert queued[day] == came[day] == 0 < refused[day] < 9_600 * 0.1
            continue
        assert refused[day] == 0
        expected = 9_600 * weight
        assert queued[day] == pytest.approx(expected, abs=4 * math.sqrt(expected) + 1)
        assert 0 < came[day] <= came[0]
    assert came[6] < came[0] / 2


def test_brief_has_as_many_contacts_and_fewer_events() -> None:
    whole, short = (Centre(one, 3) for one in (centre(2), brief(centre(2))))
    events = [list(one.events(MONDAY, MONDAY + 12 * HOUR)) for one in (whole, short)]
    queued = [sum(isinstance(event, e.Queued) for event in of) for of in events]
    assert queued[1] == pytest.approx(queued[0], rel=0.03)
    assert len(events[1]) < 0.9 * len(events[0])  # replies are counted, and stay
    handled = [sum(row.talk_ms for row in one.ledger.rows.values()) for one in (whole, short)]
    assert handled[1] == pytest.approx(handled[0], rel=0.1)


def test_nobody_ever_comes() -> None:
    assert list(Centre(plain(per_hour=0.0), 1).events(MONDAY, None)) == []


def test_noise_keeps_the_mean() -> None:
    (queue,) = plain(per_hour=2_000.0, noise=0.1).queues
    arrivals = Arrivals(queue, [], start=MONDAY, offset=0, rng=Random(1))
    end, n = MONDAY + 240 * HOUR, 0
    while (at := arrivals.next()) is not None and at < end:
        n += 1
    assert n == pytest.approx(480_000, rel=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("rate", [2.0, 20.0])
def test_a_centre_says_as_much_as_was_asked_for(rate: float) -> None:
    busy = MONDAY + 10 * HOUR
    run = Centre(centre(rate), 1)
    n = sum(event.at >= busy for event in run.events(busy - 3 * HOUR, busy + HOUR))
    assert n / 3600 == pytest.approx(rate, rel=0.15)  # the noise of one hour, and Poisson's


@pytest.mark.slow
@pytest.mark.parametrize("queue", centre(10).queues, ids=lambda queue: queue.name)
def test_events_per_contact_are_known_beforehand(queue: QueueSettings) -> None:
    alone = structs.replace(
        queue,
        per_hour=300.0,
        curve=(1.0,) * 24,
        staff=(90,) * 24,
        longest_shift_h=24,
        opens=None,
        patience=None,
        transfer_share=0.0,
        transfer_to=(),
    )
    run = Centre(CentreSettings((alone,), presence=False), 1)
    n = sum(1 for _ in run.events(MONDAY, MONDAY + 48 * HOUR))
    assert n / run.ledger.row(queue.name, queue.channel).arrivals == pytest.approx(
        events_per_contact(alone), rel=0.03
    )


def test_shares_are_shares() -> None:
    after = After(survey=0.3, sentiment=0.4, quality=0.1, case=0.6, reopened=0.1, sale=0.2, sale_mean=40)
    counts: dict[type[e.Event], int] = {}
    amount = 0.0
    for event in Centre(plain(staff=(30,) * 24, after=after), 1).events(MONDAY, MONDAY + 100 * HOUR):
        counts[type(event)] = counts.get(type(event), 0) + 1
        amount += float(event.amount) if isinstance(event, e.SaleRecorded) else 0
    handled = counts[e.Wrapped]
    shares: dict[type[e.Event], float] = {
        e.SurveyAnswered: 0.3,
        e.SentimentScored: 2 * 0.4,  # while they talk, and afterwards
        e.QualityScored: 0.1,
        e.CaseResolved: 0.6,
        e.CaseReopened: 0.06,
        e.CaseEscalated: 0.04,
        e.SaleRecorded: 0.2,
    }
    for kind, share in shares.items():
        assert counts[kind] / handled == pytest.approx(share, rel=0.12)
    assert amount / counts[e.SaleRecorded] == pytest.approx(40, rel=0.05)


def test_a_spike_multiplies_the_arrivals() -> None:
    spike = parse_incident("spike@60m,for=30m,times=6", MONDAY)
    run = Centre(plain(per_hour=1_000.0, staff=(0,) * 24), 1, [spike])
    at = [t.at for t in run.events(MONDAY, MONDAY + 2 * HOUR) if isinstance(t, e.Queued)]
    inside = sum(spike.begin <= t < spike.end for t in at)
    assert inside == pytest.approx(3_000, rel=0.08)
    assert len(at) - inside == pytest.approx(1_500, rel=0.08)


def test_in_an_outage_nobody_is_answered_and_those_who_wait_give_up() -> None:
    outage = parse_incident("outage@60m,for=20m", MONDAY)
    run = Centre(plain(staff=(20,) * 24), 1, [outage])
    answered = [t.at for t in run.events(MONDAY, MONDAY + 2 * HOUR) if isinstance(t, e.Answered)]
    assert not [at for at in answered if outage.begin <= at < outage.end]
    assert (
        len([at for at in answered if outage.end <= at < outage.end + 1000]) > 5
    )  # those who held out, at once
    assert run.ledger.row("desk", "voice").abandoned > 20
    assert play(plain(staff=(20,) * 24), 2).row("desk", "voice").abandoned == 0


def test_an_incident_hits_only_its_queue() -> None:
    two = CentreSettings((*plain().queues, structs.replace(plain().queues[0], name="other")), presence=False)
    runs = [
        Centre(two, 1, incidents) for incidents in ([], [parse_incident("spike@0,for=1h,queue=desk", MONDAY)])
    ]
    for run in runs:
        assert list(run.events(MONDAY, MONDAY + HOUR))
    assert runs[0].ledger.row("other", "voice") == runs[1].ledger.row("other", "voice")
    assert runs[1].ledger.row("desk", "voice").arrivals > 3 * runs[0].ledger.row("desk", "voice").arrivals


def test_outside_opening_hours_and_when_it_is_full_contacts_are_refused() -> None:
    settings = plain(per_hour=600.0, opens=8, closes=20, room=5)
    reasons: dict[str | None, set[int]] = {}
    for event in Centre(settings, 1).events(MONDAY, MONDAY + 24 * HOUR):
        if isinstance(event, e.Refused):
            reasons.setdefault(event.reason, set()).add((event.at - MONDAY) // HOUR)
        elif isinstance(event, e.Queued):
            assert 8 * HOUR <= event.at - MONDAY < 20 * HOUR
    assert reasons == {"closed": {*range(8), *range(20, 24)}, "full": set(range(8, 20))}


def test_an_agent_has_no_more_contacts_than_can_be_handled() -> None:
    for at_once in (1, 3):
        load: dict[str, int] = {}
        most = 0
        run = Centre(plain(per_hour=600.0, staff=(5,) * 24, at_once=at_once, missed_share=0.1), 1)
        for event in run.events(MONDAY, MONDAY + 4 * HOUR):
            if isinstance(event, e.Answered | e.Wrapped):
                assert event.agent is not None
                load[event.agent] = load.get(event.agent, 0) + (1 if isinstance(event, e.Answered) else -1)
                most = max(most, load[event.agent])
        assert most == at_once
        assert len(load) == 5


def test_agents_work_their_shifts_and_take_no_contact_outside_of_them() -> None:
    small = Centre(centre(2), 5)
    state: dict[str, str] = {}
    at_work: dict[str, int] = {}
    for event in small.events(MONDAY, MONDAY + 48 * HOUR):
        if isinstance(event, e.AgentState):
            came = event.queues is not None
            # Who forgot to log off comes again without having left.
            assert came or state[event.agent] != event.state
            state[event.agent] = event.state
            if came:
                assert event.state == "available"
                at_work[event.agent] = event.at
            elif event.state == "offline":
                assert event.at - at_work.pop(event.agent) < 13 * HOUR  # nine, and the last contacts
        elif isinstance(event, e.Answered):
            assert event.agent is not None
            assert state[event.agent] == "available"


@pytest.mark.parametrize("longest", [4, 9, 24])
def test_shifts_put_the_wanted_number_to_work_in_every_hour(longest: int) -> None:
    staff = (1, 0, 0, 0, 2, 3, 5, 9, 12, 12, 14, 13, 9, 9, 11, 12, 8, 6, 4, 4, 3, 2, 2, 1)
    plan = shifts(staff, longest)
    for hour, wanted in enumerate(staff):
        assert sum((hour - s.begin) % 24 < s.end - s.begin for s in plan) == wanted
    assert all(0 < s.end - s.begin <= longest for s in plan)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("storm@10m", "expected KIND@WHEN, e.g. spike@10m"),
        ("spike", "expected KIND@WHEN, e.g. spike@10m"),
        ("spike@soon", "invalid duration 'soon'"),
        ("spike@10m,for=0s", "a length above 0"),
        ("spike@10m,times=-1", "a factor from 0 to 1000"),
        ("outage@10m,times=3", "'times=3'"),
        ("spike@10m,queue", "'queue'"),
    ],
)
def test_a_wrong_incident_is_explained(text: str, complaint: str) -> None:
    with pytest.raises(BadSettingsError, match="--incident") as error:
        parse_incident(text, 0)
    assert complaint in str(error.value)


def test_an_incident_in_a_queue_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(BadSettingsError, match="unknown queue 'nowhere'; use one of desk"):
        Centre(plain(), 1, [parse_incident("spike@1m,queue=nowhere", 0)])


@pytest.mark.parametrize(
    "changes",
    [{"hold_share": 1.2}, {"curve": (1.0,)}, {"staff": (-1,) * 24}, {"transfer_share": 0.5}, {"at_once": 0}],
)
def test_what_cannot_be_simulated_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(BadSettingsError, match="queue desk: "):
        Centre(plain(**changes))


def test_a_transfer_must_lead_to_another_queue_of_the_channel() -> None:
    with pytest.raises(BadSettingsError, match="transfer_to: 'desk'"):
        Centre(plain(transfer_share=0.1, transfer_to=("desk",)))


def test_a_minute_is_a_minute() -> None:
    assert parse_incident("outage@1h30m", 0).begin == 90 * MINUTE
