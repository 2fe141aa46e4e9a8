"""Who waits now, in any stream, at any moment: the board's levels are those of the independent reference."""

from hypothesis import given, strategies as st

from stream_app.model.durations import DAY
from stream_app.model.kpis import BY_NAME
from stream_app.model.kpis.measures import Level
from stream_app.model.live.board import Board
from stream_app.model.live.levels import level
from stream_app.store.codec import unpack_visits

from .kept import Line, folded, referred
from .settings import PLAIN, WORLDS, World
from .streams import HOUR, MINUTE, T0, line, streams

LEVELS = {
    "backlog": "backlog",
    "oldest_waiting": "oldest_waiting",
    "awaiting_reply": "awaiting_reply",
    "oldest_awaiting_reply": "oldest_awaiting_reply",
    "open_conversations": "open_conversations",
    "pending": "pending",
    "with_bot": "with_bot",
    "oldest_unanswered_by_bot": "oldest_unanswered_by_bot",
}


def levels(board: Board, world: World) -> dict[tuple[str, str], dict[str, float]]:
    """By queue and channel, in contacts and milliseconds, where one of them is not nothing."""
    targets = world.targets()
    found = {}
    for queue in board.queues():
        rule = targets.rule(*queue)
        of = {}
        for name in LEVELS:
            measure = BY_NAME[name].measure
            assert isinstance(measure, Level)
            of[name] = level(board, queue, rule, measure) or 0
        if any(of.values()):
            found[queue] = of
    return found


@given(streams(), st.sampled_from(WORLDS), st.sampled_from([0, 1, MINUTE, HOUR, 3 * DAY]))
def test_levels_are_those_of_the_specification(lines: list[Line], world: World, later: int) -> None:
    if not lines:
        return
    kept = folded(lines, targets=world.targets(), tells_messages=world.tells_messages)
    reference = referred(lines, world=world)
    now = kept.time + later
    board = Board(now)
    for contact, packed in kept.visits.items():
        board.put_visits("t.0", contact, unpack_visits(packed))
    expected = {
        queue: of
        for queue, found in reference.levels(now).items()
        if any((of := {name: getattr(found, attribute) or 0 for name, attribute in LEVELS.items()}).values())
    }
    assert levels(board, world) == expected


def test_who_was_passed_on_waits_for_a_person_though_no_message_is_owed() -> None:
    told = [
        (0, "contact.queued", {"queue": "x", "channel": "email"}),
        (10, "message.sent", {}),
        (20, "contact.transferred", {}),
        (20, "contact.queued", {"queue": "y", "channel": "email"}),
    ]
    lines = [
        line(n, T0 + at, T0 + at, id=f"e{n}", type=kind, contact_id="a", **fields)
        for n, (at, kind, fields) in enumerate(told)
    ]
    board = Board(T0 + 100)
    for contact, packed in folded(lines).visits.items():
        board.put_visits("t.0", contact, unpack_visits(packed))
    found = levels(board, PLAIN)["y", "email"]
    assert (found["backlog"], found["awaiting_reply"], found["oldest_awaiting_reply"]) == (1, 1, 0)
