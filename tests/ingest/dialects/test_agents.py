"""Whatever an agent does on a platform, the agent's status is what the platform's own books say at that moment."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, strategies as st

from stream_app.errors import UnreadableError
from stream_app.ingest.dialects import amazon_connect, asterisk, canonical
from stream_app.model.events import AgentState
from stream_app.model.presence import Presence, PresenceStatus, Telling

T0 = 1_795_334_400
QUEUES = ("billing", "care", "sales")


def status(records: Sequence[bytes], dialect: Any, agent: str) -> PresenceStatus:
    """What the records tell of an agent, who is the only one."""
    presence = Presence()
    for record in records:
        for event in dialect.decode(record):
            if isinstance(event, AgentState):
                assert event.agent == agent
                presence = presence.tell(Telling.of(event)).shortened()
    return presence.current().status


# --- the queue log ---

_queue = st.sampled_from(QUEUES)
_why = st.sampled_from(["", "lunch", "training room"])
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), _queue, st.sampled_from(["", "PAUSED"])),
        st.tuples(st.just("remove"), _queue, st.just("")),
        st.tuples(st.just("pause"), _queue, _why),
        st.tuples(st.just("unpause"), _queue, _why),
        st.tuples(st.just("pause all"), st.just(""), _why),
        st.tuples(st.just("unpause all"), st.just(""), _why),
    ),
    max_size=14,
)


class Member:
    """A member as app_queue keeps it: queue → why it is paused there, or ``None``; and the lines that app_queue writes."""

    def __init__(self) -> None:
        self.queues: dict[str, str | None] = {}
        self.lines: list[bytes] = []

    def do(self, what: str, queue: str, data: str, second: int) -> None:
        if what == "add":
            if queue not in self.queues:
                self.queues[queue] = "" if data else None
                self._line(second, f"MANAGER|{queue}|Agent-7|ADDMEMBER|{data}")
        elif what == "remove":
            if self.queues.pop(queue, "-") != "-":
                self._line(second, f"MANAGER|{queue}|Agent-7|REMOVEMEMBER|")
        else:
            word = "UNPAUSE" if what.startswith("un") else "PAUSE"
            everywhere = what.endswith("all")
            if everywhere and self.queues:
                # By its interface, and without the reason; then each queue's own line, by its name.
                self._line(second, f"NONE|NONE|PJSIP/100|{word}ALL|")
            for each in [*self.queues] if everywhere else [queue] if queue in self.queues else []:
                self.queues[each] = data if word == "PAUSE" else None
                self._line(second, f"NONE|{each}|Agent-7|{word}|{data}")

    def _line(self, second: int, rest: str) -> None:
        self.lines.append(f"{T0 + second}|{rest}".encode())


@given(steps=_steps, together=st.booleans())
def test_a_member_is_in_each_queue_what_asterisk_keeps(
    steps: list[tuple[str, str, str]], together: bool
) -> None:
    """Also if all is written in the same second."""
    member = Member()
    for n, (what, queue, data) in enumerate(steps):
        member.do(what, queue, data, 0 if together else n)
    found = status(member.lines, asterisk, "Agent-7")
    paused = {
        "": ("break", None),
        "lunch": ("break", "lunch"),
        "training room": ("training", "training room"),
    }
    assert found.served == {
        queue: ("available", None) if why is None else paused[why] for queue, why in member.queues.items()
    }
    if not member.queues:
        assert found.state == "offline"
    elif None in member.queues.values():
        assert found.state == "available"
    else:
        assert (found.state, found.reason) in found.served.values()
    assert not found.work


# --- Amazon Connect ---

_contact = st.tuples(
    st.sampled_from(["c-1", "c-2", "c-3"]),
    st.sampled_from(
        ["INCOMING", "PENDING", "CONNECTING", "CONNECTED", "CONNECTED_ONHOLD", "ENDED", "MISSED", "ERROR"]
    ),
)
_snapshots = st.lists(
    st.tuples(
        st.sampled_from(["LOGIN", "STATE_CHANGE", "HEART_BEAT", "LOGOUT"]),
        st.sampled_from(
            [
                ("Available", "ROUTABLE"),
                ("Lunch", "CUSTOM"),
                ("Team meeting", "CUSTOM"),
                ("Offline", "OFFLINE"),
            ]
        ),
        st.lists(_contact, max_size=3, unique_by=lambda one: one[0]),
        st.lists(st.sampled_from(QUEUES), unique=True),
    ),
    min_size=1,
    max_size=12,
)
HELD = {"INCOMING": "offered", "PENDING": "offered", "CONNECTING": "offered", "CONNECTED": "connected"}
HELD |= {"CONNECTED_ONHOLD": "held", "ENDED": "wrap"}


@given(snapshots=_snapshots, data=st.data())
def test_the_last_snapshot_is_what_holds_also_if_some_come_late(snapshots: Any, data: st.DataObject) -> None:
    """Each is complete in itself: of eight in a row any order gives the same."""
    records = [
        json.dumps(
            {
                "AgentARN": "arn:aws:connect:eu-central-1:1:instance/0/agent/77aa",
                "EventId": f"e-{n}",
                "EventTimestamp": f"2026-11-22T08:00:{n:02}.000Z",
                "EventType": kind,
                "CurrentAgentSnapshot": {
                    "AgentStatus": {
                        "Name": name,
                        "Type": type_,
                        "StartTimestamp": "2026-11-22T08:00:00.000Z",
                    },
                    "Configuration": {
                        "RoutingProfile": {"InboundQueues": [{"Name": name} for name in queues]}
                    },
                    "Contacts": [{"ContactId": contact, "State": state} for contact, state in contacts],
                },
            }
        ).encode()
        for n, (kind, (name, type_), contacts, queues) in enumerate(snapshots)
    ]
    late = data.draw(st.permutations(range(max(0, len(records) - 8), len(records))))
    found = status(
        [*records[: len(records) - len(late)], *(records[n] for n in late)], amazon_connect, "77aa"
    )
    kind, (name, type_), contacts, queues = snapshots[-1]
    if kind == "LOGOUT" or type_ == "OFFLINE":
        assert (found.state, found.work, found.served, found.contacts) == ("offline", "", {}, None)
        return
    state = {"Available": "available", "Lunch": "break"}.get(name, "meeting")
    reason = None if state == "available" else name
    assert (found.state, found.reason) == (state, reason)
    assert found.served == dict.fromkeys(queues, (state, reason))
    held = {contact: HELD[what] for contact, what in contacts if what in HELD}
    assert {one.contact_id: one.state for one in found.contacts or ()} == held
    working = (
        "on_contact"
        if {"connected", "held"} & {*held.values()}
        else "wrap"
        if "wrap" in held.values()
        else ""
    )
    assert found.work == working


# --- our own ---


@pytest.mark.parametrize(
    ("field", "value", "detail"),
    [
        ("queues", "billing", "Expected `array | null`, got `str` - at `$.queues`"),
        ("queues", ["billing", 5], "Expected `str`, got `int` - at `$.queues[1]`"),
        ("slots", ["chat"], "Expected `object | null`, got `array` - at `$.slots`"),
        ("slots", {"chat": -1}, "Expected `int` >= 0 - at `$.slots[...]`"),
        ("slots", {"chat": 1001}, "Expected `int` <= 1000 - at `$.slots[...]`"),
        ("contacts", {}, "Expected `array | null`, got `object` - at `$.contacts`"),
        ("contacts", [{"state": "held"}], "missing required field `contact_id` - at `$.contacts[0]`"),
        ("contacts", [{"contact_id": "c", "state": "x"}], "Invalid value - at `$.contacts[0].state`"),
        (
            "contacts",
            [{"contact_id": "c", "state": "held", "since": "08:00"}],
            "Expected `int | null`, got `str` - at `$.contacts[0].since`",
        ),
    ],
)
def test_what_is_wrong_with_an_agents_state_is_said_with_its_place(
    field: str, value: object, detail: str
) -> None:
    event = {"id": "1", "type": "agent.state", "at": T0 * 1000, "agent": "a", "state": "available"}
    with pytest.raises(UnreadableError) as refused:
        canonical.decode(json.dumps({**event, field: value}).encode())
    assert refused.value.reason == "invalid"
    assert detail in refused.value.detail
