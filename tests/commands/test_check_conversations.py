"""``stream-app check`` on conversations: what is in force, who chose it, and what was counted meanwhile."""

from __future__ import annotations

import tomllib

import pytest
import redis

from stream_app.commands.check import command as check, conversations
from stream_app.model.events import Answered, MessageSent
from stream_app.model.targets import Targets
from stream_app.store.redis import RedisStore
from tests.store.owner import Owner, now_ms, queued

ASSIGNED = (
    "an assignment counts as the answer (so far: 1), and no message of an agent ever came: waits end when an agent gets a "
    "contact, not when somebody writes; send message.sent where an agent writes"
)
WRITES_TOO = (
    "answer is assignment, but agents write, too (replies so far: 1): being assigned counts as the answer; set answer to "
    "message"
)


async def said() -> list[str]:
    found = await check.look(None, offline=False, program=check.Program.SERVE)
    return [str(one) for one in found if one.what == "conversations"]


async def test_what_was_counted_is_held_against_what_is_chosen(
    monkeypatch: pytest.MonkeyPatch, redis_url: str
) -> None:
    store = RedisStore(redis_url)
    await store.apply_targets(
        Targets.of(
            {"channels": {"chat": {"answer": "assignment"}}, "queues": {"sales": {"bot": "acknowledges"}}}
        )
    )
    owner = await Owner.of(store)
    at = now_ms()
    await owner.commit(
        queued("c1", "sales", "chat"),
        Answered(id="a1", at=at, contact_id="c1", agent="anna"),
        queued("c2", "sales", "email"),
        queued("c3", "help", "chat"),
        Answered(id="a3", at=at, contact_id="c3", agent="bert"),
        MessageSent(id="m3", at=at + 1, contact_id="c3", agent="bert"),
    )
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.delenv("STREAM_APP_DIALECT", raising=False)
    rest = "no reply_target_s, concurrency 1, idle_days 180, not_demand closed/duplicate/merged/spam/test"
    assert [line.removeprefix("ok    conversations       ").removesuffix(rest) for line in await said()] == [
        "* (chat): set: answer assignment; by default: clock wall, bot talks, work stamps, ",
        "sales (chat): set: answer assignment, bot acknowledges; by default: clock wall, work stamps, ",
        f"warn  conversations       sales (chat): {ASSIGNED}",
        "sales (email): set: bot acknowledges; by default: clock wall, answer message, work replies, reply_work_cap_s 600, ",
        "help (chat): set: answer assignment; by default: clock wall, bot talks, work stamps, ",
        f"warn  conversations       help (chat): {WRITES_TOO}",
    ]
    # It tells no messages: nothing else could answer.
    monkeypatch.setenv("STREAM_APP_DIALECT", "amazon_connect")
    assert [line.split()[0] for line in await said()] == ["ok"] * 4 + ["warn"]
    with redis.Redis.from_url(redis_url) as client:
        client.set("kpi:names:queue", b"none")
    assert (await said())[0].startswith("warn  conversations       what was counted can't be read: ")
    await store.close()


DOCUMENT = """
preset = "saas"
[channels.email]
calendar = "office"
[queues.help]
clock = "wall"
[queues.sales.channels.chat]
concurrency = 4
[calendars.office]
hours = { mon-fri = ["09:00-17:00"] }
"""


def test_each_line_says_who_chose_what_and_only_what_differs_has_a_line() -> None:
    targets = Targets.of(tomllib.loads(DOCUMENT))
    found = [one.detail for one in conversations.judge(targets, {}, now=now_ms(), tells_messages=True)]
    rest = (
        "answer message, bot talks, work stamps, idle_days 180, not_demand closed/duplicate/merged/spam/test"
    )
    assert [line for line in found if "(chat)" in line] == [
        f"* (chat): by preset saas: reply_target_s 60, concurrency 2; by default: clock wall, {rest}",
        f"help (chat): set: clock wall; by preset saas: reply_target_s 60, concurrency 2; by default: {rest}",
        f"sales (chat): set: concurrency 4; by preset saas: reply_target_s 60; by default: clock wall, {rest}",
    ]
    (email,) = [line for line in found if line.startswith("* (email)")]
    assert "by preset saas: reply_target_s 14400; by default: clock business," in email
    assert [line.partition(":")[0] for line in found] == [
        *(f"* ({channel})" for channel in ("chat", "messaging", "email")),
        *(f"help ({channel})" for channel in ("voice", "chat", "messaging", "email", "callback")),
        "sales (chat)",
    ]


def test_what_holds_for_all_queues_is_warned_of_once() -> None:
    targets = Targets.of(
        {"channels": {"email": {"work": "stamps"}}, "queues": {"sales": {"channels": {"email": {}}}}}
    )
    found = conversations.judge(targets, {}, now=now_ms(), tells_messages=True)
    assert [(one.status, one.detail.partition(":")[0]) for one in found] == [
        ("ok", "* (email)"),
        ("warn", "* (email)"),
        ("ok", "sales (email)"),
    ]
    assert check.judge("targets", targets)[0].status == "ok", "it is not lax"
