"""The hashes are those of the programs that use them; and from where contacts can come is what enumeration says."""

import pytest

from stream_app.kafka.partitioners import PARTITIONERS, sources


@pytest.mark.parametrize(
    ("name", "key", "number"),
    [
        # Kafka's UtilsTest, without the sign.
        ("murmur2", b"21", -973932308 & 0x7FFF_FFFF),
        ("murmur2", b"foobar", -790332482 & 0x7FFF_FFFF),
        ("murmur2", b"a-little-bit-long-string", -985981536 & 0x7FFF_FFFF),
        # The check value of CRC-32.
        ("crc32", b"123456789", 0xCBF43926),
        # librdkafka's unit test, from Go's hash/fnv.
        ("fnv1a", b"kafka", 0xD33C4E1),
        ("fnv1a", b"giberish123456789", 0x77A58295),
        ("fnv1a", b"1234", 0x23BDD03),
        ("fnv1a", b"", 0x7EE3623B),
    ],
)
def test_published_values(name: str, key: bytes, number: int) -> None:
    assert PARTITIONERS[name](key) == number


@pytest.mark.parametrize(("keyed", "partitions"), [(4, 8), (8, 4), (4, 6), (3, 7), (1, 5), (6, 4)])
def test_contacts_come_from_there_and_nowhere_else(keyed: int, partitions: int) -> None:
    found: dict[int, set[int]] = {n: set() for n in range(partitions)}
    for number in range(keyed * partitions):
        found[number % partitions].add(number % keyed)
    assert {n: set(sources(n, keyed, partitions)) for n in range(partitions)} == found
