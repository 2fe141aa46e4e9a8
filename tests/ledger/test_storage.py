"""A folder and a bucket do the same; what goes wrong is said in one line, and never leaves half a file."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

import pytest

from stream_app.errors import BadSettingsError
from stream_app.ledger.bucket import BucketFiles
from stream_app.ledger.local_files import UNFINISHED, LocalFiles
from stream_app.ledger.storage import LedgerUnavailableError, Storage
from tests.services.proxy import FaultProxy
from tests.services.s3 import BUCKET, KEYS, Fault, S3Proxy, S3Server, options


@pytest.fixture(params=["folder", "bucket"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "folder":
        return LocalFiles(tmp_path / "ledger")
    server: S3Server = request.getfixturevalue("s3")
    return BucketFiles(BUCKET, f"contract/{tmp_path.name}", options(server.port))


async def test_a_file_is_created_once(either: Storage) -> None:
    name = "manifests/topic=file%3Aa/partition=0/000000000001.json"
    assert await either.read(name) is None
    assert await either.create(name, b"first")
    assert await either.create(name, b"first"), "a repetition has succeeded, too"
    assert not await either.create(name, b"second")
    assert await either.read(name) == b"first"
    await either.check()


async def test_of_many_at_once_one_creates_it(either: Storage) -> None:
    contents = [b"%d" % n for n in range(20)]
    done = await asyncio.gather(*(either.create("one", content) for content in contents))
    assert done.count(True) == 1
    assert await either.read("one") == contents[done.index(True)]


async def test_files_are_listed_fetched_and_deleted(either: Storage, tmp_path: Path) -> None:
    assert await either.files("visits") == []
    contents = {f"visits/day={n}/{n}.parquet": os.urandom(n) for n in (3, 7_000_000)}
    for name, content in contents.items():
        source = either.scratch() / "source"
        source.write_bytes(content)
        await either.put(name, source)
        assert (await either.fetch(name, tmp_path)).read_bytes() == content
    await either.create("visitors/another", b"")
    found = await either.files("visits")
    assert {file.name: file.size for file in found} == {
        name: len(content) for name, content in contents.items()
    }
    assert [file.name for file in found] == sorted(contents)
    assert await either.files("visits", after=found[0].name) == found[1:]
    await either.delete([found[0].name, "visits/gone"])
    assert await either.files("visits") == found[1:]
    with pytest.raises(LedgerUnavailableError, match=r"visits/gone"):
        (await either.fetch("visits/gone", tmp_path)).read_bytes() if isinstance(
            either, BucketFiles
        ) else await either.put("visits/gone", tmp_path / "nothing")


# --- a folder ---


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.EROFS, "can be written"),
        (errno.EACCES, "the right to write there"),
    ],
)
@pytest.mark.parametrize("call", ["fsync", "link", "mkdir"])
async def test_a_disk_that_refuses_is_named_with_what_to_do(
    call: str, number: int, advice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = LocalFiles(tmp_path / "ledger")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, refuse)
        with pytest.raises(LedgerUnavailableError) as error:
            await storage.create("visits/1", b"content")
    assert advice in str(error.value)
    assert str(tmp_path / "ledger") in str(error.value)
    assert await storage.read("visits/1") is None
    assert await storage.files(UNFINISHED) == []
    assert await storage.create("visits/1", b"content")


# --- a bucket ---


@pytest.mark.parametrize("fault", [*Fault])
async def test_a_create_whose_reply_is_lost_is_known_as_our_own(
    road: S3Proxy, fault: Fault, tmp_path: Path
) -> None:
    bucket = BucketFiles(BUCKET, f"lost/{tmp_path.name}", options(road.port))
    road.fail(fault, path="mine")
    for _ in range(2):  # a cut may be reported; whoever asks again learns how it is
        try:
            done = await bucket.create("mine", b"ours")
            break
        except LedgerUnavailableError:
            continue
    assert done
    assert road.counts[fault] == 1
    assert await bucket.read("mine") == b"ours"

    await bucket.create("theirs", b"theirs")
    road.fail(fault, path="theirs")
    for _ in range(2):
        try:
            done = await bucket.create("theirs", b"ours")
            break
        except LedgerUnavailableError:
            continue
    assert not done
    assert await bucket.read("theirs") == b"theirs"


async def test_a_bucket_that_is_unreachable_is_named_without_its_keys(s3: S3Server, tmp_path: Path) -> None:
    async with FaultProxy(s3.port) as proxy:
        bucket = BucketFiles(BUCKET, f"away/{tmp_path.name}", options(proxy.port))
        assert await bucket.create("a", b"a")
        proxy.refuse()
        for attempt in (bucket.create("b", b"b"), bucket.read("a"), bucket.files("x"), bucket.delete(["a"])):
            with pytest.raises(LedgerUnavailableError) as error:
                await attempt
            line = str(error.value)
            assert "\n" not in line
            assert f"s3://{BUCKET}/away" in line
            assert KEYS["secret_access_key"] not in line
        await proxy.heal()
        assert await bucket.create("b", b"b")
        proxy.cut_after(200)
        for _ in range(3):
            try:
                assert await bucket.read("a") == b"a"
                break
            except LedgerUnavailableError:
                continue
        else:
            pytest.fail("a cut connection is not used again")


async def test_a_storage_that_replaces_files_is_refused(s3: S3Server, tmp_path: Path) -> None:
    class Careless(BucketFiles):
        async def create(self, name: str, content: bytes) -> bool:
            await self._obstore.put_async(self._store, name, content)
            return True

    bucket = Careless(BUCKET, f"careless/{tmp_path.name}", options(s3.port))
    with pytest.raises(BadSettingsError, match="If-None-Match"):
        await bucket.check()
    assert await bucket.files("check") == []
