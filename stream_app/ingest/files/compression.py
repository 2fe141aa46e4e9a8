"""Decompression. The first bytes of a file decide what it is, never its name."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from io import BufferedIOBase
from typing import Final

import zstandard

from .refusal import DamagedError

CHUNK: Final = 1 << 18
_ZSTD_LEAST: Final = 64
_ZSTD_MOST: Final = 512
"""Bytes passed to zstd at once: its output has no limit, and may be 128 KiB for each four bytes of input."""
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPABLE: Final = (
    b"\x2a\x4d\x18"  # after a byte from 0x50 to 0x5f; parallel compressors begin with such a frame
)
_ELSEWHERE: Final = {  # magic → its name, and what decompresses it
    b"BZh": ("bzip2", "bzcat"),
    b"\xfd7zX": ("xz", "xzcat"),
    b"PK\x03\x04": ("zip", "unzip -p"),
    b"PAR1": ("Parquet", "a tool that writes NDJSON"),
    b"\x04\x22\x4d\x18": ("lz4", "lz4cat"),
}


class Input:
    """The bytes of a file, counted.

    Attributes:
        taken: the number of bytes read so far.
    """

    def __init__(self, file: BufferedIOBase) -> None:
        self._file = file
        self._head = file.read(4)
        self.taken = len(self._head)

    def pieces(self) -> Iterator[bytes]:
        """Yield all bytes as they come: a slow pipe need not fill a piece first."""
        piece = self._head
        while piece:
            yield piece
            piece = self._file.read1(CHUNK)
            self.taken += len(piece)

    def chunks(self) -> Iterator[bytes]:
        """Return the bytes, decompressed.

        Raises:
            DamagedError: the format is not supported, or the data is damaged from here on.
        """
        head = self._head
        for magic, (name, tool) in _ELSEWHERE.items():
            if head.startswith(magic):
                raise DamagedError(
                    f"expected text, gzip or zstd, got {name}; convert it first: {tool} FILE | stream-app replay -"
                )
        if head.startswith(_GZIP):
            return _gunzip(self.pieces())
        if head == _ZSTD or (head[1:] == _ZSTD_SKIPPABLE and head[0] >> 4 == 5):
            return _unzstd(self.pieces())
        return self.pieces()


def _gunzip(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Decompress any number of gzip members, one after the other."""
    stream = None
    for piece in pieces:
        rest, full = piece, False
        while rest or full:
            if stream is None:
                rest = rest.lstrip(b"\0")  # tapes and block devices pad with zeros
                if not rest:
                    break
                stream = zlib.decompressobj(wbits=31)
            try:
                out = stream.decompress(rest, CHUNK)
            except zlib.error as error:
                raise DamagedError(f"the gzip data is damaged ({error})") from None
            if out:
                yield out
            full = len(out) == CHUNK
            if stream.eof:
                rest, stream, full = stream.unused_data, None, False
            else:
                rest = stream.unconsumed_tail
    if stream is not None:
        raise DamagedError("the gzip data ends too early: the file is truncated")


def _unzstd(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Decompress any number of zstd frames, one after the other."""
    decompressor = zstandard.ZstdDecompressor()
    stream = None
    step = _ZSTD_LEAST
    for piece in pieces:
        at, out, size = 0, [], 0
        while at < len(piece):
            rest = piece[at : at + step]
            at += len(rest)
            given = 0
            while rest:
                stream = stream or decompressor.decompressobj()
                try:
                    out.append(stream.decompress(rest))
                except zstandard.ZstdError as error:
                    yield b"".join(out)
                    raise DamagedError(f"the zstd data is damaged ({error})") from None
                given += len(out[-1])
                rest = b""
                if stream.eof:
                    rest, stream = stream.unused_data, None
            size += given
            step = _ZSTD_LEAST if given > CHUNK else min(2 * step, _ZSTD_MOST)
            if size > CHUNK:
                yield b"".join(out)
                out, size = [], 0
        if size:
            yield b"".join(out)
    if stream is not None:
        raise DamagedError("the zstd data ends too early: the file is truncated")
