"""The sessions that polling asks through: who may be dialled, what is offered, and what ends an answer."""

from __future__ import annotations

import functools
from datetime import timedelta
from typing import Final

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import BadHttpMessage
from aiohttp.http_parser import RawResponseMessage
from aiohttp.streams import StreamReader

from bot.feeds.addresses import lan_socket, public_socket
from bot.feeds.inflate import ACCEPTED

_LONGEST_FIELD: Final = 64 * 1024  # some newspapers send security policies longer than aiohttp's 8 KiB
_MOST_INTERIM: Final = 20


def open_session(
    *, is_public: bool, connect_timeout: timedelta, user_agent: str, accept: str
) -> aiohttp.ClientSession:
    """Return a session that keeps no cookies, follows nothing and unpacks nothing by itself.

    Args:
        is_public: False: it may also ask on the LAN, and this machine.
    """
    return aiohttp.ClientSession(
        connector=_Connector(
            limit=0,  # the fetcher counts, so that waiting for a slot is not taken for a slow server
            keepalive_timeout=10,
            socket_factory=public_socket if is_public else lan_socket,
            # aiodns, aiohttp's own choice; the system's resolver, which knows names of a LAN too, takes a
            # thread for each name, and a slow name server would take them all.
            resolver=None if is_public else aiohttp.ThreadedResolver(),
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,  # inflate.py does it, in bounded pieces, and sees where data breaks off
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=connect_timeout.total_seconds()),
        headers={"User-Agent": user_agent, "Accept": accept, "Accept-Encoding": ACCEPTED},
        max_line_size=_LONGEST_FIELD,
        max_field_size=_LONGEST_FIELD,
    )


class _Connector(aiohttp.TCPConnector):
    """Hears answers with an ear for floods; aiohttp has no public way to say so."""

    def __init__(self, **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]  # handed on as they are
        self._factory = functools.partial(_Ear, loop=self._loop)  # type: ignore[assignment]  # an _Ear is one


class _Ear(ResponseHandler):
    """Ends a connection whose server sends interim answers (1xx) without end, which keeps the loop busy."""

    _interim = 0

    def feed_data(self, data: tuple[RawResponseMessage, StreamReader], size: int = 0) -> None:
        """Take an answer's head, unless it is one too many."""
        self._interim = self._interim + 1 if 100 <= data[0].code < 200 else 0
        if self._interim <= _MOST_INTERIM:
            super().feed_data(data, size)
        elif self.transport is not None:
            self.set_exception(BadHttpMessage(f"more than {_MOST_INTERIM} interim answers"))
            self.transport.abort()
