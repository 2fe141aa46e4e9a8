"""``stream-app dead-letters``: what is listed, what is never shown unasked, and what is sent again."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from typer.testing import CliRunner

from stream_app.__main__ import cli
from stream_app.errors import StreamAppError
from stream_app.model.ports import DeadLetter, Partition
from stream_app.store import keys
from stream_app.store.redis import RedisStore
from tests.services.kafka import Cluster, Record
from tests.store.hand import T0, Hand, queued

CUSTOMER = "customer-4711"
READABLE = json.dumps(
    {"id": "e1", "type": "contact.queued", "at": T0, "contact_id": "c1", "queue": "sales", "channel": "voice"}
).encode()
BROKEN = json.dumps({"id": "e2", "type": "contact.queued", "customer_id": CUSTOMER}).encode()


class Done(NamedTuple):
    """What a command printed, and how it ended."""

    code: int
    said: list[str]


class Stage:
    """A topic with records, some of which the store holds as dead letters."""

    def __init__(self, kafka: Cluster, store: RedisStore, topic: str, environ: dict[str, str]) -> None:
        self.kafka, self.store, self.topic, self.environ = kafka, store, topic, environ

    async def letters(self, *letters: DeadLetter, partition: int = 0) -> None:
        """Store letters, beside an event that could be read."""
        hand = await Hand.take(self.store, Partition(self.topic, partition))
        await hand.do(queued("c9"), dead=letters)

    async def run(self, *options: str) -> Done:
        """Run the command as a shell would."""
        runner = CliRunner(env=self.environ)
        done = await asyncio.to_thread(runner.invoke, cli, ["dead-letters", *options])
        if isinstance(done.exception, StreamAppError):
            raise done.exception
        return Done(done.exit_code, done.stdout.splitlines())

    async def kept(self, partition: int = 0) -> int:
        return int(await self.store.client.xlen(keys.dead(Partition(self.topic, partition))))

    async def records(self, partition: int = 0) -> list[tuple[bytes, bytes, dict[str, bytes]]]:
        """Key, value and headers of all that the topic has."""
        place = TopicPartition(self.topic, partition)
        async with AIOKafkaConsumer(bootstrap_servers=self.kafka.bootstrap) as consumer:
            consumer.assign([place])
            await consumer.seek_to_beginning(place)
            end = (await consumer.end_offsets([place]))[place]
            found = [await consumer.getone(place) for _ in range(end)]
        return [(record.key, record.value, dict(record.headers)) for record in found]


@pytest.fixture
async def stage(kafka: Cluster, redis_url: str, topic: str) -> AsyncIterator[Stage]:
    environ = {"KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap, "REDIS_URL": redis_url, "STREAM_APP_TOPIC": topic}
    store = RedisStore(redis_url)
    yield Stage(kafka, store, topic, environ)
    await store.close()


def letter(offset: int, reason: str = "invalid", value: bytes = BROKEN[:512]) -> DeadLetter:
    return DeadLetter(offset, reason, "Object missing required field `at`", value)


# --- listing ---


async def test_letters_are_counted_by_reason_and_listed_the_newest_first(stage: Stage) -> None:
    await stage.letters(letter(0), letter(1, "not_json"), partition=1)
    await stage.letters(letter(7))
    done = await stage.run()
    assert done.code == 0
    assert done.said[0] == f"{stage.topic}: 3 dead letters"
    assert [line.split()[:2] for line in done.said[1:3]] == [["invalid", "2"], ["not_json", "1"]]
    listed = [line.split()[2:5] for line in done.said[5:]]
    assert listed == [["0", "7", "invalid"], ["1", "1", "not_json"], ["1", "0", "invalid"]]


async def test_what_a_record_contained_is_shown_only_to_those_who_ask(stage: Stage) -> None:
    await stage.letters(letter(0, value=b'{"customer_id": "customer-4711", "x": "\x1b[2J\xff'))
    assert CUSTOMER not in str(await stage.run())
    shown = str((await stage.run("--show-values")).said)
    assert CUSTOMER in shown
    assert "\x1b" not in shown, "a terminal would obey it"


async def test_pages_together_are_all_letters_once(stage: Stage) -> None:
    await stage.letters(*(letter(n) for n in range(5)))
    await stage.letters(*(letter(n) for n in range(4)), partition=3)
    seen: list[tuple[str, ...]] = []
    more: list[str] = []
    for _ in range(5):
        done = await stage.run("--limit", "2", *more)
        lines = done.said[4:]
        last = lines.pop() if "older: --before" in lines[-1] else ""
        seen += [tuple(line.split()[2:4]) for line in lines]
        more = ["--before", *last.split()[-1:]]
    assert not last
    assert len(seen) == len(set(seen)) == 9


async def test_one_reason_or_partition_can_be_asked_for(stage: Stage) -> None:
    await stage.letters(letter(0), letter(1, "not_json"))
    await stage.letters(letter(2), partition=2)
    assert (await stage.run("--reason", "not_json", "--limit", "0")).said[0].endswith(": 1 dead letter")
    assert (await stage.run("--partition", "2", "--limit", "0")).said[0].endswith(": 1 dead letter")
    assert (await stage.run("--partition", "3")).said == [f"{stage.topic}: no dead letters"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--reason", "invald"], "--reason: unknown reason 'invald'; did you mean 'invalid'?"),
        (["--before", "yesterday"], "--before: expected a place that the list printed"),
        (["--yes"], "--yes: only together with --send-again"),
    ],
)
async def test_wrong_options_are_refused(stage: Stage, options: list[str], said: str) -> None:
    with pytest.raises(StreamAppError) as refused:
        await stage.run(*options)
    assert str(refused.value).startswith(said)


# --- sending again ---


async def test_records_that_can_be_read_by_now_are_sent_again_once_and_the_others_stay(stage: Stage) -> None:
    """As after a dialect was mended. A letter has only the first bytes of its record; the topic has all of them."""
    long = READABLE[:-1] + b', "note": "' + b"x" * 2_000 + b'"}'
    records = [
        Record(b"c0", BROKEN, partition=0),
        Record(b"c1", long, headers=[("trace", b"t1")], partition=0),
        Record(None, READABLE, partition=0),
        Record(b"c3", READABLE, partition=2),
    ]
    await stage.kafka.produce(stage.topic, records)
    await stage.letters(letter(0), letter(1, value=long[:512]), letter(1), letter(2), letter(99))
    await stage.letters(letter(0), partition=2)

    shown = await stage.run("--send-again")
    assert shown.said == [
        "3 can be read by now and would be sent again",
        "1 still can't be read with the dialect 'canonical': they stay where they are",
        "1 are no longer in the topic: their producer has to send them",
        "nothing was sent; add --yes",
    ]
    assert (len(await stage.records()), await stage.kept()) == (3, 5)

    done = await stage.run("--send-again", "--yes")
    assert done.said[0] == "3 were sent again"
    assert (await stage.records())[3:] == [(b"c1", long, {"trace": b"t1"}), (None, READABLE, {})]
    assert (await stage.records(2))[1:] == [(b"c3", READABLE, {})]
    assert (await stage.kept(), await stage.kept(2)) == (2, 0), "what is not readable, and what is gone"

    again = await stage.run("--send-again", "--yes")
    assert again.said[0] == "0 were sent again"
    assert len(await stage.records()) == 5


async def test_only_what_was_asked_for_is_sent(stage: Stage) -> None:
    await stage.kafka.produce(stage.topic, [Record(b"c1", READABLE, partition=0)] * 3)
    await stage.letters(letter(0, "future"), letter(1), letter(2))
    assert (await stage.run("--send-again", "--yes", "--reason", "future")).said == ["1 were sent again"]
    assert len(await stage.records()) == 4


async def test_without_the_right_to_remove_letters_nothing_is_sent(stage: Stage) -> None:
    await stage.kafka.produce(stage.topic, [Record(b"c1", READABLE, partition=0)])
    await stage.letters(letter(0))
    rights = ("~*", "+@all", "-xdel")
    await stage.store.client.execute_command("ACL", "SETUSER", "no-xdel", "reset", "on", ">x", *rights)
    try:
        url = stage.environ["REDIS_URL"].replace("redis://", "redis://no-xdel:x@")
        stage.environ["REDIS_URL"] = url
        with pytest.raises(
            StreamAppError, match=r"nothing was sent.*xdel.*docs/operations\.md, Rights in Redis"
        ):
            await stage.run("--send-again", "--yes")
    finally:
        await stage.store.client.execute_command("ACL", "DELUSER", "no-xdel")
    assert len(await stage.records()) == 1
