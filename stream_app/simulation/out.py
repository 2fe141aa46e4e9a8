"""The destinations of simulated events: a file, or a Kafka topic."""

from collections.abc import Sequence
from typing import BinaryIO

from stream_app.kafka.producer import Record, Topic
from stream_app.model.events import Event

from .wire import EncodeEvent


class EventFile:
    """A file with one record per line."""

    def __init__(self, file: BinaryIO, tell: EncodeEvent) -> None:
        """Take the file; ``tell`` encodes an event like a platform."""
        self._file = file
        self._tell = tell

    async def put(self, events: Sequence[Event]) -> None:
        """Write lines."""
        self._file.write(b"".join([value + b"\n" for event in events for _, value in self._tell(event)]))
        self._file.flush()


class Stream:
    """A Kafka topic: key = contact, timestamp = when it happened (unless the topic is stamped by its broker)."""

    def __init__(self, topic: Topic, tell: EncodeEvent) -> None:
        """Take the topic; ``tell`` encodes an event like a platform."""
        self._topic = topic
        self._tell = tell

    async def put(self, events: Sequence[Event]) -> None:
        """Write records; returns when the brokers have them."""
        tell = self._tell
        await self._topic.send(
            [Record(key, event.at, value) for event in events for key, value in tell(event)]
        )
