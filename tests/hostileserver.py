"""Servers that do what none should, on raw sockets: each has one misdeed, and behaves when it is told to."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import itertools
import json
import sys
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache

import brotli  # type: ignore[import-untyped]  # it ships no types

from bot.model import PollReason

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Behaviour = Callable[["Rogue"], Awaitable[None]]

BOMB_MIB = 64
DRIP_S = 0.05
PIECE = b" " * 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Misdeed:
    """What a server does, and what an operator shall read of it."""

    does: Behaviour
    reason: PollReason
    says: str = ""  # within the stored error; empty: there is none


@dataclass(slots=True, kw_only=True)
class Rogue:
    """A server with one misdeed."""

    misdeed: Misdeed
    host: str
    port: int = 0
    is_good: bool = True
    body: bytes = b""  # what a good server would send
    former: bytes = b""  # what it would have sent before the news
    asked: list[str] = field(default_factory=list)  # the heads of all requests
    _writer: asyncio.StreamWriter | None = None

    def url(self, path: str = "/feed") -> str:
        """Return the address of a path here."""
        return f"http://{self.host}:{self.port}{path}"

    @property
    def etag(self) -> str:
        """Return the ETag of the body."""
        return f'"{hashlib.sha256(self.body).hexdigest()[:12]}"'

    @property
    def path(self) -> str:
        """Return the path that was asked for last."""
        return self.asked[-1].split(" ")[1]

    async def send(self, data: bytes) -> None:
        """Send raw bytes."""
        assert self._writer is not None
        self._writer.write(data)
        await self._writer.drain()

    async def answer(
        self, body: bytes = b"", *, status: str = "200 OK", headers: Mapping[str, str] | None = None
    ) -> None:
        """Send an answer; a header told takes the place of the usual one, an empty one leaves it out."""
        usual = {"Content-Type": "application/rss+xml", "Content-Length": str(len(body)), "ETag": self.etag}
        told = {**usual, **(headers or {})}
        lines = "".join(f"{name}: {value}\r\n" for name, value in told.items() if value)
        await self.send(f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body)

    async def behave(self) -> None:
        """Answer as a good server does."""
        if f"if-none-match: {self.etag}" in self.asked[-1].lower():
            await self.answer(status="304 Not Modified", headers={"Content-Length": "", "Content-Type": ""})
        else:
            await self.answer(self.body)

    async def hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request, and hang up."""
        self._writer = writer
        try:
            if await reader.readexactly(4) == b"GET ":  # not so where a client begins with TLS
                head = await reader.readuntil(b"\r\n\r\n")
                self.asked.append(f"GET {head.decode('latin-1')}")
                await (self.behave() if self.is_good else self.misdeed.does(self))
            writer.close()
        except (ConnectionError, asyncio.IncompleteReadError):
            writer.close()
        finally:
            if not writer.is_closing():  # the test is over
                writer.transport.abort()


@asynccontextmanager
async def rogue_server(misdeed: Misdeed, host: str = "127.0.0.1") -> AsyncIterator[Rogue]:
    """Run a server that misbehaves as soon as `is_good` is False."""
    rogue = Rogue(misdeed=misdeed, host=host)
    calls: set[asyncio.Task[None]] = set()

    def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(rogue.hear(reader, writer))
        calls.add(task)
        task.add_done_callback(calls.discard)

    server = await asyncio.start_server(hear, host, 0)
    rogue.port = server.sockets[0].getsockname()[1]
    try:
        yield rogue
    finally:
        server.close()
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        await server.wait_closed()


# ---- the catalogue -------------------------------------------------------------------------------


def sends(data: bytes) -> Behaviour:
    """Return what sends raw bytes and hangs up."""

    async def does(rogue: Rogue) -> None:
        await rogue.send(data)

    return does


def answers(status: str = "200 OK", body: bytes | None = None, **headers: str) -> Behaviour:
    """Return what answers so, with the good body unless another is told; underscores are hyphens."""
    told = {name.replace("_", "-"): value for name, value in headers.items()}

    async def does(rogue: Rogue) -> None:
        await rogue.answer(rogue.body if body is None else body, status=status, headers=told)

    return does


def redirects(target: str, status: str = "302 Found") -> Behaviour:
    """Return what sends readers elsewhere."""
    return answers(status, b"", Location=target)


def repeats(head: bytes, piece: bytes, every_s: float = 0.0) -> Behaviour:
    """Return what sends a piece over and over, until the client goes."""

    async def does(rogue: Rogue) -> None:
        await rogue.send(head)
        while True:
            await rogue.send(piece)
            await asyncio.sleep(every_s)

    return does


def packed(pack: Callable[[bytes], bytes], encoding: str) -> Behaviour:
    """Return what sends the good body packed so, under the name of an encoding."""

    async def does(rogue: Rogue) -> None:
        await rogue.answer(pack(rogue.body), headers={"Content-Encoding": encoding})

    return does


def declares(length: Callable[[int], int]) -> Behaviour:
    """Return what sends the good body with another length than it has."""

    async def does(rogue: Rogue) -> None:
        await rogue.answer(rogue.body, headers={"Content-Length": str(length(len(rogue.body)))})

    return does


def rewritten(change: Callable[[bytes], bytes], content_type: str = "application/rss+xml") -> Behaviour:
    """Return what sends the good body changed."""

    async def does(rogue: Rogue) -> None:
        await rogue.answer(change(rogue.body), headers={"Content-Type": content_type})

    return does


@cache
def bomb(encoding: str, mib: int = BOMB_MIB) -> bytes:
    """Return so many MiB of blanks, packed without ever being in memory."""
    block = b" " * (1 << 20)
    if encoding == "br":
        brotter = brotli.Compressor(quality=1)
        return b"".join([*(brotter.process(block) for _ in range(mib)), brotter.finish()])
    packer = zstd.ZstdCompressor(level=1) if encoding == "zstd" else zlib.compressobj(1, wbits=31)
    return b"".join([*(packer.compress(block) for _ in range(mib)), packer.flush()])


def explodes(encoding: str) -> Behaviour:
    """Return what sends a bomb."""

    async def does(rogue: Rogue) -> None:
        await rogue.answer(bomb(encoding), headers={"Content-Encoding": encoding})

    return does


async def stays_silent(rogue: Rogue) -> None:
    """Say nothing."""
    await asyncio.Event().wait()


async def goes_in_a_circle(rogue: Rogue) -> None:
    """Send readers to and fro."""
    await redirects("/other" if rogue.path == "/feed" else "/feed")(rogue)


async def goes_on_and_on(rogue: Rogue) -> None:
    """Send readers ever further."""
    await redirects(f"{rogue.path}x")(rogue)


async def goes_down_and_up(rogue: Rogue) -> None:
    """Send readers by way of https, where nobody speaks it."""
    await redirects(rogue.url("/feed").replace("http:", "https:"))(rogue)


_tags = itertools.count()


async def changes_its_etag(rogue: Rogue) -> None:
    """Send what it sent before, under a new ETag each time."""
    await rogue.answer(rogue.former, headers={"ETag": f'"{next(_tags)}"'})


async def knows_nothing_new(rogue: Rogue) -> None:
    """Answer 304, without validators, though there is news."""
    await rogue.send(b"HTTP/1.1 304 Not Modified\r\n\r\n")


async def sends_the_rest_later(rogue: Rogue) -> None:
    """Send the good body, all but its end as what was promised."""
    cut = rogue.body.rindex(b"<item>")
    await rogue.answer(rogue.body[:cut], headers={"Content-Length": str(cut), "Connection": "close"})
    await asyncio.sleep(DRIP_S)
    await rogue.send(rogue.body[cut:])


async def has_very_many_items(rogue: Rogue) -> None:
    """Send its news, and 100,000 items more."""
    many = b"".join(b"<item><title>n%d</title></item>" % number for number in range(100_000))
    head, _, tail = rogue.body.rpartition(b"</channel>")
    await rogue.answer(head + many + b"</channel>" + tail)


def _with_entities(declarations: str, use: str) -> Behaviour:
    """Return what declares entities and uses one in front of the good items."""

    def change(body: bytes) -> bytes:
        trap = f"<item><title>{use}</title><guid>trap</guid></item>".encode()
        head, _, tail = body.partition(b"<item>")
        start = f'<?xml version="1.0"?><!DOCTYPE rss [{declarations}]>'.encode()
        return start + head.partition(b"?>")[2] + trap + b"<item>" + tail

    return rewritten(change)


_LAUGHS = '<!ENTITY l0 "ha">' + "".join(
    f'<!ENTITY l{number} "{f"&l{number - 1};" * 10}">' for number in range(1, 10)
)
_GONE_BY = "Sun, 22 Nov 1998 12:00:00 GMT"
_IN_TEN_YEARS = "Fri, 01 Mar 2036 12:00:00 GMT"
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\n"
IN_TIME = "gave no whole answer in time"
_TOO_MUCH = "sends more than 5 MB"
_UNPACKED = "cannot be unpacked"
_NO_HTTP = "answered in no HTTP that can be read"
_BROKE_OFF = "broke off in the middle"


def _temporary(does: Behaviour, says: str) -> Misdeed:
    return Misdeed(does=does, reason=PollReason.TEMPORARY, says=says)


def _unreadable(does: Behaviour, says: str = "") -> Misdeed:
    return Misdeed(does=does, reason=PollReason.UNREADABLE, says=says)


def _forbidden(target: str) -> Misdeed:
    says = "no public address" if "://0x" not in target and "://2130" not in target else "write it as"
    return Misdeed(does=redirects(target), reason=PollReason.FORBIDDEN_ADDRESS, says=says)


def _limited(says: str, status: str = "429 Too Many Requests", **headers: str) -> Misdeed:
    return Misdeed(does=answers(status, b"", **headers), reason=PollReason.RATE_LIMITED, says=says)


MISDEEDS: Mapping[str, Misdeed] = {
    # without end
    "endless body": _unreadable(repeats(_HEAD + b"\r\n", PIECE), _TOO_MUCH),
    "endless chunks": _unreadable(
        repeats(_HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + PIECE + b"\r\n"), _TOO_MUCH
    ),
    "endless header": _temporary(repeats(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 65_536), _NO_HTTP),
    "blanks for a header": _temporary(repeats(b"HTTP/1.1 200 OK\r\nX: ", PIECE), IN_TIME),
    "headers of 1 MB": _temporary(sends(_HEAD + b"X: " + b"a" * 1_000_000 + b"\r\n\r\n"), _NO_HTTP),
    "1 MB of headers": _temporary(sends(_HEAD + b"X: aaaaaaaaaaaaaa\r\n" * 55_000 + b"\r\n"), _NO_HTTP),
    "flood of interim answers": _temporary(
        repeats(b"", b"HTTP/1.1 102 Processing\r\n\r\n" * 100), "more than 20 interim answers"
    ),
    # without haste
    "slow drip of the body": _temporary(repeats(_HEAD + b"\r\n<rss>", b" ", DRIP_S), IN_TIME),
    "slow drip of headers": _temporary(repeats(_HEAD, b"X: y\r\n", DRIP_S), IN_TIME),
    "silence": _temporary(stays_silent, IN_TIME),
    # packed
    "gzip bomb": _unreadable(explodes("gzip"), _TOO_MUCH),
    "brotli bomb": _unreadable(explodes("br"), _TOO_MUCH),
    "zstd bomb": _unreadable(explodes("zstd"), _TOO_MUCH),
    "truncated gzip": _temporary(packed(lambda body: gzip.compress(body)[:-9], "gzip"), _UNPACKED),
    "gzip twice": _temporary(packed(gzip.compress, "gzip, gzip"), _UNPACKED),
    "noise for brotli": _temporary(packed(lambda body: b"\xff\x00" * 500, "br"), _UNPACKED),
    # elsewhere
    "redirect loop": Misdeed(does=goes_in_a_circle, reason=PollReason.REFUSED, says="in a circle"),
    "too many redirects": Misdeed(does=goes_on_and_on, reason=PollReason.REFUSED, says="more than 5 times"),
    "redirect to https that is none": _temporary(goes_down_and_up, "could not be connected to"),
    "redirect to a file": Misdeed(
        does=redirects("file:///etc/passwd"), reason=PollReason.REFUSED, says="no web address"
    ),
    "redirect nowhere": Misdeed(
        does=answers("302 Found", b""), reason=PollReason.REFUSED, says="no web address"
    ),
    "redirect to metadata": _forbidden("http://169.254.169.254/latest/meta-data"),
    "redirect to [::1]": _forbidden("http://[::1]/"),
    "redirect to 0x7f.1": _forbidden("http://0x7f.1/"),
    "redirect to 2130706433": _forbidden("http://2130706433/"),
    "redirect to NAT64": _forbidden("http://[64:ff9b::7f00:1]/"),
    "redirect to mapped IPv4": _forbidden("http://[::ffff:10.0.0.1]/"),
    "redirect to 6to4": _forbidden("http://[2002:7f00:1::]/"),
    "redirect to Teredo": _forbidden("http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/"),
    "redirect to a private name": _forbidden("http://localhost/"),
    "redirect behind a user": _forbidden("http://harbour.example@10.0.0.1/"),
    "redirect behind a backslash": Misdeed(
        does=redirects("http://10.0.0.1\\@harbour.example/"),
        reason=PollReason.REFUSED,
        says="no web address",
    ),
    # no HTTP
    "closing at once": _temporary(sends(b""), "without an answer"),
    "garbage": _temporary(sends(bytes(range(256)) * 20), _NO_HTTP),
    "HTTP/0.9": _temporary(sends(b"<rss version='2.0'></rss>\r\n"), _NO_HTTP),
    "another protocol": _temporary(sends(b"SSH-2.0-OpenSSH_9.6\r\n"), _NO_HTTP),
    "chunks that are none": _temporary(
        sends(_HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n<rss>\r\n0\r\n\r\n"), _NO_HTTP
    ),
    "chunks that break off": _temporary(
        sends(_HEAD + b"Transfer-Encoding: chunked\r\n\r\n20\r\n<rss>"), _BROKE_OFF
    ),
    "length too large": _temporary(declares(lambda length: length + 500), _BROKE_OFF),
    "length too small": _temporary(declares(lambda length: length - 250), _NO_HTTP),
    "length too small, and the rest later": Misdeed(does=sends_the_rest_later, reason=PollReason.FETCHED),
    "length of nonsense": _temporary(answers(Content_Length="many"), _NO_HTTP),
    "length below nothing": _temporary(answers(Content_Length="-1"), _NO_HTTP),
    # no feed
    "log-in page": _unreadable(
        answers(body=b"<!doctype html><title>Log in</title><form></form>", Content_Type="text/html")
    ),
    "error as JSON": _unreadable(
        answers(body=json.dumps({"error": "over quota"}).encode(), Content_Type="application/json")
    ),
    "empty body": _unreadable(answers(body=b"")),
    "204": _unreadable(answers("204 No Content", b"", Content_Length=""), "holds no feed"),
    "206": _temporary(answers("206 Partial Content"), "a part"),
    "403": Misdeed(
        does=answers("403 Forbidden", b"no"), reason=PollReason.CHALLENGED, says="user_agent or headers"
    ),
    "a challenge in disguise": Misdeed(
        does=answers("202 Accepted", b"<html></html>", X_Amzn_Waf_Action="challenge"),
        reason=PollReason.CHALLENGED,
        says="takes us for a robot",
    ),
    # a feed, but how
    "100,000 items": Misdeed(does=has_very_many_items, reason=PollReason.FETCHED),
    "wrong charset": Misdeed(
        does=rewritten(lambda body: body, "text/xml; charset=utf-16be"), reason=PollReason.FETCHED
    ),
    "NUL bytes": Misdeed(
        does=rewritten(lambda body: body.replace(b"</title>", b"\0\0</title>")), reason=PollReason.FETCHED
    ),
    "entity bomb": Misdeed(does=_with_entities(_LAUGHS, "&l9;"), reason=PollReason.FETCHED),
    "quadratic entity bomb": Misdeed(
        does=_with_entities(f'<!ENTITY a "{"ha" * 25_000}">', "&a;" * 25_000), reason=PollReason.FETCHED
    ),
    "external entity": Misdeed(
        does=_with_entities('<!ENTITY x SYSTEM "file:///etc/passwd">', "&x;"), reason=PollReason.FETCHED
    ),
    # sameness
    "304 without validators": Misdeed(does=knows_nothing_new, reason=PollReason.NOT_MODIFIED),
    "an ETag that changes": Misdeed(does=changes_its_etag, reason=PollReason.SAME_BODY),
    # patience
    "429": _limited("in peace for 10 min"),
    "Retry-After in the past": _limited("in peace for 10 min", Retry_After=_GONE_BY),
    "Retry-After in ten years": _limited("in peace for 24 h", Retry_After=_IN_TEN_YEARS),
    "Retry-After in words": _limited("in peace for 10 min", Retry_After="when the moon is full"),
    "Retry-After below nothing": _limited("in peace for 10 min", Retry_After="-30"),
    "Retry-After of ages": _limited("in peace for 24 h", Retry_After="9" * 5000),
    "503 with Retry-After": _limited("in peace for 5 min", "503 Service Unavailable", Retry_After="300"),
    "503": _temporary(answers("503 Service Unavailable", b""), "in peace for 10 min"),
}
