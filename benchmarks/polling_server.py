"""A server of made-up feeds on loopback, in a process of its own, so that its work is not the readers'.

    python benchmarks/polling_server.py < commands

It answers on each address of 127.0.0.0/8, which Linux takes for this machine, so that each feed has a host of
its own, as feeds in the wild have. The first line of standard input says what to serve (`Serving`, as JSON);
the port, and an answer for each further line, go to standard output.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import socket
import sys
import zlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Final

import brotli  # type: ignore[import-untyped]  # it ships no types

from benchmarks.polling_feeds import a_feed

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_PATH: Final = re.compile(rb"GET /(feed|bomb)/([0-9a-z]+)\.xml ")
_KNOWN: Final = re.compile(rb"\r\nif-none-match: *([^\r]+)", re.IGNORECASE)
_ZIPPED: Final = re.compile(rb"\r\naccept-encoding:[^\r]*gzip", re.IGNORECASE)
_CLOSE: Final = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
_SHARED: Final = (
    "Server: nginx\r\nDate: {date}\r\nVary: Accept-Encoding\r\nX-Frame-Options: SAMEORIGIN\r\n"
    "X-Content-Type-Options: nosniff\r\nReferrer-Policy: strict-origin-when-cross-origin\r\n"
    "Strict-Transport-Security: max-age=31536000; includeSubDomains\r\nX-Cache: HIT\r\nAge: 12\r\n"
    "Cache-Control: max-age=300\r\n"
)
BOMBS: Final = ("gzip", "br", "zstd")


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What a server holds."""

    feeds: int  # different bodies; a higher number is served that of its remainder
    size: int  # bytes of each
    bomb_mib: int = 0  # 0: no bombs


def etag(number: int, version: int = 0) -> str:
    """Return a feed's ETag."""
    return f'"{number}-{version}"'


@dataclass(slots=True)
class World:
    """The feeds, ready to be sent, and what was asked of them."""

    serving: Serving
    newest: datetime
    zipped: list[bytes] = field(default_factory=list)
    plain: list[bytes] = field(default_factory=list)
    versions: dict[int, int] = field(default_factory=dict)  # of those with news
    bombs: dict[bytes, bytes] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, serving: Serving) -> World:
        """Return the world with all its feeds made."""
        world = cls(serving, datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1))
        for number in range(serving.feeds):
            body = a_feed(number, world.newest, size=serving.size)
            world.plain.append(body)
            world.zipped.append(gzip.compress(body, 6))
        if serving.bomb_mib:
            world.bombs = {name.encode(): bomb(name, serving.bomb_mib) for name in BOMBS}
        return world

    def publish(self, every: int) -> int:
        """Put a new item into each so-manieth feed, and return in how many."""
        numbers = range(0, self.serving.feeds, every)
        for number in numbers:
            version = self.versions[number] = self.versions.get(number, 0) + 1
            newest = self.newest + timedelta(minutes=version)
            body = a_feed(number, newest, news=version, size=self.serving.size)
            self.plain[number], self.zipped[number] = body, gzip.compress(body, 6)
        return len(numbers)

    def answer(self, head: bytes) -> bytes:
        """Return the whole answer to a request's head."""
        asked = _PATH.match(head)
        self.counts["requests"] += 1
        if asked is None:
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        if asked[1] == b"bomb":
            return self._answered(200, self.bombs[asked[2]], f"Content-Encoding: {asked[2].decode()}\r\n")
        number = int(asked[2])
        tag = etag(number, self.versions.get(number, 0))
        about = f"ETag: {tag}\r\nLast-Modified: {format_datetime(self.newest, usegmt=True)}\r\n"
        known = _KNOWN.search(head)
        if known is not None and known[1].decode("latin-1") == tag:
            self.counts["unchanged"] += 1
            return self._answered(304, b"", about)
        if _ZIPPED.search(head):
            about += "Content-Encoding: gzip\r\n"
            return self._answered(200, self.zipped[number % self.serving.feeds], about)
        return self._answered(200, self.plain[number % self.serving.feeds], about)

    def _answered(self, status: int, body: bytes, about: str) -> bytes:
        self.counts["bytes"] += len(body)
        shared = _SHARED.format(date=format_datetime(datetime.now(UTC), usegmt=True))
        kind = "Content-Type: application/xml; charset=utf-8\r\n"
        length = f"Content-Length: {len(body)}\r\n" if status != 304 else ""
        said = {200: "OK", 304: "Not Modified"}[status]
        return f"HTTP/1.1 {status} {said}\r\n{shared}{kind}{about}{length}\r\n".encode() + body


def bomb(encoding: str, mib: int) -> bytes:
    """Return a feed that swells to so many MiB on arrival."""
    piece = b" " * (1 << 20)
    head, tail = b'<?xml version="1.0"?><rss version="2.0"><channel><title>', b"</title></channel></rss>"
    match encoding:
        case "br":
            machine = brotli.Compressor(quality=5)
            parts = [
                machine.process(head),
                *(machine.process(piece) for _ in range(mib)),
                machine.process(tail),
            ]
            return b"".join([*parts, machine.finish()])
        case "zstd":
            packer = zstd.ZstdCompressor()
        case _:
            packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS + 16)
    parts = [packer.compress(head), *(packer.compress(piece) for _ in range(mib)), packer.compress(tail)]
    return b"".join([*parts, packer.flush()])


class _Answers(asyncio.Protocol):
    def __init__(self, world: World) -> None:
        self._world = world
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._world.counts["connections"] += 1
        self._transport = transport  # type: ignore[assignment]  # a server's is always one that writes

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._transport is not None and (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head, self._buffer = self._buffer[:end], self._buffer[end + 4 :]
            self._transport.write(self._world.answer(head))
            if _CLOSE.search(head):
                self._transport.close()


def listener() -> socket.socket:
    """Return a socket that hears all of 127.0.0.0/8, and nothing else."""
    heard = socket.socket()
    heard.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
    heard.bind(("0.0.0.0", 0))  # noqa: S104 - of the loopback device alone
    return heard


async def serve(world: World) -> None:
    """Serve until standard input ends; each of its lines is a command, and gets a line of JSON.

    `counts` tells what was asked since the last time; `publish N` gives each N-th feed a new item.
    """
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Answers(world), sock=listener(), backlog=4096)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    while line := await asyncio.to_thread(sys.stdin.readline):
        match line.split():
            case ["publish", every]:
                answer: object = world.publish(int(every))
            case _:
                answer, world.counts = dict(world.counts), Counter()
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(serve(World.of(Serving(**json.loads(sys.stdin.readline())))))
