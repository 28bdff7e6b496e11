"""Content encodings undone piece by piece, so that no answer, however it swells, takes more than a piece."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator
from typing import Protocol

import brotli  # type: ignore[import-untyped]  # it ships no types

if sys.version_info >= (3, 14):
    from compression.zstd import DecompressionParameter, ZstdDecompressor, ZstdError
else:
    from backports.zstd import DecompressionParameter, ZstdDecompressor, ZstdError

ACCEPTED = "gzip, deflate, br, zstd"
PIECE = 64 * 1024
_GZIP = b"\x1f\x8b"
_MOST_MEMBERS = 100  # gzip members or zstd frames one after the other; honest servers send one
_ZSTD_WINDOW_LOG = 23  # 8 MiB, the most that RFC 9659 allows over HTTP


class Damaged(Exception):
    """The data is not what its encoding says, or breaks off."""


class Inflater(Protocol):
    """Undoes one encoding."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what the data adds, in pieces of about PIECE bytes at most.

        Raises:
            Damaged: The data is not of this encoding.
        """

    def finish(self) -> None:
        """Take note that no more data comes.

        Raises:
            Damaged: The data breaks off.
        """


def inflater_for(encoding: str, first: bytes) -> Inflater:
    """Return what undoes a Content-Encoding, told also by the first bytes of the body.

    Servers claim gzip for plain text and send .gz files without a word, so for gzip the first bytes decide.

    Raises:
        Damaged: We did not offer this encoding.
    """
    name = encoding.strip().lower()
    if name in {"", "identity", "none", "gzip", "x-gzip", "utf-8"}:
        return _Zlib("gzip", zlib.MAX_WBITS + 16) if first.startswith(_GZIP) else _Plain()
    if name == "deflate":  # zlib's wrapping (RFC 9110), or none, as some servers have it
        is_wrapped = first[:1] and first[0] & 0x0F == 8
        return _Zlib("deflate", zlib.MAX_WBITS if is_wrapped else -zlib.MAX_WBITS)
    if name == "br":
        return _Brotli()
    if name == "zstd":
        return _Zstd()
    raise Damaged(f"content encoding {name[:40]!r} is unknown")


class _Plain:
    def feed(self, data: bytes) -> Iterator[bytes]:
        yield data

    def finish(self) -> None:
        pass


class _Zlib:
    def __init__(self, name: str, wbits: int) -> None:
        self._name = name
        self._wbits = wbits
        self._members = 1
        self._machine = zlib.decompressobj(wbits)

    def feed(self, data: bytes) -> Iterator[bytes]:
        try:
            yield from self._pieces(data)
        except zlib.error as error:
            raise Damaged(f"the {self._name} data is damaged ({error})") from error

    def finish(self) -> None:
        if not self._machine.eof:
            raise Damaged(f"the {self._name} data breaks off")

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        while True:
            if self._machine.eof:
                if not data.startswith(_GZIP):  # padding after the last member
                    return
                self._next_member()
            piece = self._machine.decompress(data, PIECE)
            if piece:
                yield piece
            data = self._machine.unused_data if self._machine.eof else self._machine.unconsumed_tail
            if not data and len(piece) < PIECE:
                return

    def _next_member(self) -> None:
        self._members += 1
        if self._members > _MOST_MEMBERS:
            raise Damaged(f"the {self._name} data has more than {_MOST_MEMBERS} members")
        self._machine = zlib.decompressobj(self._wbits)


class _Brotli:
    def __init__(self) -> None:
        self._machine = brotli.Decompressor()

    def feed(self, data: bytes) -> Iterator[bytes]:
        while True:
            try:
                piece = self._machine.process(data, output_buffer_limit=PIECE)
            except brotli.error as error:
                raise Damaged("the brotli data is damaged") from error
            data = b""
            if piece:
                yield piece
            if not piece or self._machine.is_finished():  # input taken is no sign that all is out
                return

    def finish(self) -> None:
        if not self._machine.is_finished():
            raise Damaged("the brotli data breaks off")


class _Zstd:
    def __init__(self) -> None:
        self._frames = 0
        self._machine = self._next_frame()

    def feed(self, data: bytes) -> Iterator[bytes]:
        while True:
            if self._machine.eof:
                if not data:
                    return
                self._machine = self._next_frame()
            try:
                piece = self._machine.decompress(data, PIECE)
            except ZstdError as error:
                raise Damaged(f"the zstd data is damaged ({error})") from error
            if piece:
                yield piece
            data = self._machine.unused_data if self._machine.eof else b""
            if not data and (self._machine.eof or self._machine.needs_input):
                return

    def finish(self) -> None:
        if not self._machine.eof:
            raise Damaged("the zstd data breaks off")

    def _next_frame(self) -> ZstdDecompressor:
        self._frames += 1
        if self._frames > _MOST_MEMBERS:
            raise Damaged(f"the zstd data has more than {_MOST_MEMBERS} frames")
        return ZstdDecompressor(options={DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG})
