"""How producers choose a key's partition, each by its published definition: a hash of the key modulo the partitions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import gcd
from typing import Final
from zlib import crc32

from aiokafka.partitioner import murmur2

Hash = Callable[[bytes], int]


def _java(key: bytes) -> int:
    """Hash as Kafka's own clients do: MurmurHash2, without its sign."""
    return int(murmur2(key)) & 0x7FFF_FFFF


def _fnv1a(key: bytes) -> int:
    """Hash by 32-bit FNV-1a as a signed number, without its sign: Sarama's default, and librdkafka's `fnv1a`."""
    number = 0x811C_9DC5
    for byte in key:
        number = (number ^ byte) * 0x0100_0193 & 0xFFFF_FFFF
    return number if number < 0x8000_0000 else 0x1_0000_0000 - number


PARTITIONERS: Final[Mapping[str, Hash]] = {"murmur2": _java, "crc32": crc32, "fnv1a": _fnv1a}
"""The hashes by name. Used by: ``murmur2`` by Java, aiokafka, kafka-python, and librdkafka's ``murmur2_random``; ``crc32`` by
librdkafka's default ``consistent_random``, so by confluent-kafka in every language; ``fnv1a`` by Sarama."""


def sources(target: int, keyed: int, partitions: int) -> list[int]:
    """Return from which of ``keyed`` partitions contacts can come to one of ``partitions``, whichever the hash."""
    step = gcd(keyed, partitions)
    return list(range(target % step, keyed, step))
