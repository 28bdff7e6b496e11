"""A real HTTP server on loopback that serves feeds, friendly and hostile, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from multidict import CIMultiDictProxy

Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

_KEPT_BY_304 = frozenset({"ETag", "Last-Modified", "Cache-Control"})

RSS = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0"><channel><title>Harbour News</title><link>https://harbour.example/</link>
<item><title>Ferry returns to the northern line</title><link>https://harbour.example/ferry</link>
<guid isPermaLink="false">ferry-1</guid><pubDate>Sat, 21 Nov 2026 10:00:00 +0000</pubDate>
<description>The boat had been in the dock since spring.</description></item>
<item><title>Two new cranes for the east quay</title><link>https://harbour.example/cranes</link>
<guid isPermaLink="false">cranes-1</guid><pubDate>Sat, 21 Nov 2026 08:00:00 +0000</pubDate>
<description>They lift eighty tonnes each.</description></item>
</channel></rss>
"""


@dataclass(slots=True)
class FeedServer:
    """Answers by path; a path nobody set is 404."""

    port: int
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, CIMultiDictProxy[str]]] = field(default_factory=list)

    def url(self, path: str = "/feed", host: str = "127.0.0.1") -> str:
        """Return the address of a path here."""
        return f"http://{host}:{self.port}{path}"

    @property
    def paths(self) -> list[str]:
        """The paths asked for, in order."""
        return [path for path, _ in self.asked]

    @property
    def last_headers(self) -> CIMultiDictProxy[str]:
        """The headers of the last request."""
        return self.asked[-1][1]

    def serve(
        self,
        body: bytes | str = RSS,
        *,
        path: str = "/feed",
        status: int = 200,
        content_type: str | None = "application/rss+xml",
        headers: dict[str, str] | None = None,
    ) -> None:
        """Answer a path with these bytes, or with 304 where the request's validators are those told."""
        told = dict(headers or {})
        data = body.encode() if isinstance(body, str) else body

        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            if _is_known(request, told):
                return web.Response(status=304, headers=_kept(told))
            response = web.Response(status=status, body=data, headers=told)
            if content_type:
                response.headers["Content-Type"] = content_type
            else:
                del response.headers["Content-Type"]
            return response

        self.answers[path] = answer

    def redirect(self, target: str, *, path: str = "/feed", status: int = 302) -> None:
        """Send a path's readers elsewhere."""
        self.serve(b"", path=path, status=status, headers={"Location": target})

    def drip(self, path: str = "/feed") -> None:
        """Answer a path with a first byte, and then nothing until the client gives up."""

        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            response = web.StreamResponse(headers={"Content-Length": "1000"})
            await response.prepare(request)
            await response.write(b"<")
            await asyncio.Event().wait()  # the server cancels us when the client goes
            return response

        self.answers[path] = answer

    def hang_up(self, path: str = "/feed", *, sending: bytes = b"") -> None:
        """Drop the connection after these raw bytes."""

        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            transport = request.transport
            assert transport is not None
            transport.write(sending)
            transport.close()
            return web.Response()

        self.answers[path] = answer

    def bomb(self, compressed: bytes, encoding: str, path: str = "/feed") -> None:
        """Answer with data that is small on the wire and swells on arrival."""
        self.serve(compressed, path=path, headers={"Content-Encoding": encoding})


@asynccontextmanager
async def feed_server() -> AsyncIterator[FeedServer]:
    """Run a feed server on a free port of loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = FeedServer(port=listener.getsockname()[1])

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            server.asked.append((request.path_qs, request.headers))
            answer = server.answers.get(request.path)
            return await answer(request) if answer else web.Response(status=404, text="nothing here")

        runner = web.ServerRunner(web.Server(handle, handler_cancellation=True), shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.SockSite(runner, listener).start()
            yield server
        finally:
            await runner.cleanup()


def zipped(text: str = RSS) -> bytes:
    """Return gzipped text."""
    return gzip.compress(text.encode())


def _kept(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name in _KEPT_BY_304}


def _is_known(request: web.BaseRequest, headers: dict[str, str]) -> bool:
    pairs = (("If-None-Match", "ETag"), ("If-Modified-Since", "Last-Modified"))
    asked = [(request.headers[ask], headers.get(name)) for ask, name in pairs if ask in request.headers]
    return bool(asked) and all(theirs == ours for theirs, ours in asked)
