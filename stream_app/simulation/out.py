"""Where simulated events go: a file, or a Kafka topic."""

from collections.abc import Sequence
from typing import BinaryIO

from stream_app.model.events import Event
from stream_app.producer import Record, Topic

from .wire import Tell


class File:
    """One record a line."""

    def __init__(self, file: BinaryIO, tell: Tell) -> None:
        """``tell`` says an event as a platform would."""
        self._file = file
        self._tell = tell

    async def put(self, events: Sequence[Event]) -> None:
        """Write lines."""
        self._file.write(b"".join([value + b"\n" for event in events for _, value in self._tell(event)]))
        self._file.flush()


class Stream:
    """A Kafka topic: key = contact, timestamp = when it happened (unless the topic is stamped by its broker)."""

    def __init__(self, topic: Topic, tell: Tell) -> None:
        """``tell`` says an event as a platform would."""
        self._topic = topic
        self._tell = tell

    async def put(self, events: Sequence[Event]) -> None:
        """Write records; returns when the brokers have them."""
        tell = self._tell
        await self._topic.send(
            [Record(key, event.at, value) for event in events for key, value in tell(event)]
        )
