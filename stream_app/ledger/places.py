"""From the address of the ledger to its storage, and the names of its files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from stream_app.errors import BadSettingsError
from stream_app.model.ports import Partition
from stream_app.settings import Settings

from .bucket import BucketFiles
from .local_files import LocalFiles
from .storage import Storage

DIGITS: Final = 12
"""Of a manifest's number in its name, so that names are in the order of numbers."""


def open_storage(settings: Settings) -> Storage:
    """Return the storage that the settings name.

    Raises:
        BadSettingsError: none, or none that exists.
        LedgerMissingError: the library for buckets is not installed.
    """
    address = settings.ledger
    if not address:
        raise BadSettingsError(
            "STREAM_APP_LEDGER is not set, so there is no ledger; set it to a folder or s3://BUCKET/PREFIX"
        )
    if not address.startswith("s3://"):
        return LocalFiles(Path(address))
    split = urlsplit(address)
    options = {
        "endpoint": settings.aws_endpoint_url,
        "region": settings.aws_region,
        "access_key_id": settings.aws_access_key_id,
        "secret_access_key": settings.aws_secret_access_key
        and settings.aws_secret_access_key.get_secret_value(),
    }
    return BucketFiles(
        split.netloc, split.path.strip("/"), {key: value for key, value in options.items() if value}
    )


def of_partition(partition: Partition) -> str:
    """Return the part of names that tells partitions apart: as Hive names its folders, so that engines find columns in it."""
    return f"topic={quote(partition.topic, safe='')}/partition={partition.number}"


MANIFESTS: Final = "manifests"
"""The folder of the manifests of all partitions."""


def manifests(partition: Partition) -> str:
    """Return the folder of a partition's manifests."""
    return f"{MANIFESTS}/{of_partition(partition)}"


def manifest(partition: Partition, number: int) -> str:
    """Return the name of a manifest."""
    return f"{manifests(partition)}/{number:0{DIGITS}}.json.gz"


def number_of(name: str) -> int:
    """Return the number of a manifest by its name."""
    return int(name.rpartition("/")[2].partition(".")[0])


def rows(table: str, partition: Partition) -> str:
    """Return the folder of a partition's rows of a table."""
    return f"{table}/{of_partition(partition)}"


FORGOTTEN: Final = "forgotten"
"""The folder of the lists of forgotten ids."""


def forgotten(number: int) -> str:
    """Return the name of a list of forgotten ids."""
    return f"{FORGOTTEN}/{number:0{DIGITS}}.json"


def partitions(names: Iterable[str]) -> list[Partition]:
    """Return the partitions to which manifests of these names belong, in order."""
    found = (re.match(r"manifests/topic=([^/]+)/partition=(\d+)/", name) for name in names)
    return sorted({Partition(unquote(one[1]), int(one[2])) for one in found if one})
