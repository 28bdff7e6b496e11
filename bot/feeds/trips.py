"""One poll's way through the web: where it asks, what it sends along, and how it follows redirects."""

from __future__ import annotations

import os
import re
import stat
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address
from typing import Final

import structlog
from yarl import URL

from bot.core.headers import headers_problem
from bot.core.hosts import host_key, is_same_origin
from bot.model import Feed, PollState

log = structlog.get_logger()

_PERMANENT: Final = frozenset({301, 308})
_LOGIN_LIMIT: Final = 1024  # bytes of an auth_file
_LABEL: Final = re.compile(r"[a-z0-9_-]{1,63}", re.IGNORECASE | re.ASCII)  # yarl lets blanks and %00 pass
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE | re.ASCII)
_NONE: Final[Mapping[str, str]] = {}


class NoPlace(ValueError):
    """A text that leads to no place on the web; says what is wrong."""


class OddAddress(NoPlace):
    """A host that is a number, but no plain IP address: some read 0x7f.1 as 127.0.0.1."""


class NoLogin(Exception):
    """A feed's log-in or headers cannot be used; says what is wrong, and the cure."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request goes."""

    url: URL  # without user and fragment
    key: str  # whose turns it takes
    login: str | None = None  # what the URL's user and password make of an Authorization field


@dataclass(slots=True)
class Trip:
    """One poll on its way."""

    feed: Feed
    place: Place  # where to ask next
    conditions: Mapping[str, str]  # of this place
    own_headers: Mapping[str, str]  # for the feed's own place
    time_left_s: float
    seen: set[URL] = field(default_factory=set)
    moved_to: URL | None = None
    is_leading: bool = True  # no temporary redirect yet

    @property
    def is_redirected(self) -> bool:
        """True: this is not where the poll began."""
        return bool(self.seen)

    def follow(self, status: int, location: str) -> None:
        """Take a redirect.

        Conditions stay behind, since validators are a resource's own, and so do the feed's own headers where
        it leads to another origin (RFC 9110, section 15.4). A user in the Location is nobody we know.

        Raises:
            NoPlace: The location is no URL, or leads away from the web.
        """
        self.seen.add(self.place.url)
        try:
            target = self.place.url.join(URL(location)).with_fragment(None)
        except ValueError as error:
            raise NoPlace("no web address") from error
        place = _place(target)
        if self.own_headers and not is_same_origin(self.place.url, place.url):
            self.own_headers = _agent(self.feed)
        self.conditions = _NONE
        self.is_leading = self.is_leading and status in _PERMANENT
        if self.is_leading:
            self.moved_to = place.url
        self.place = place


def start_trip(feed: Feed, state: PollState, time_left_s: float) -> Trip:
    """Return the beginning of a poll.

    Raises:
        NoPlace: The feed's URL is none.
        NoLogin: Its headers or its auth_file cannot be used.
    """
    home = web_place(feed.url)
    place = web_place(state.learned_url) if state.learned_url else home
    is_plain = not (feed.headers or feed.user_agent or feed.auth_file or home.login)
    return Trip(
        feed=feed,
        place=place,
        conditions=conditions(state.etag, state.last_modified),
        own_headers=_NONE if is_plain else _own_headers(feed, home, place),
        time_left_s=time_left_s,
    )


@lru_cache(maxsize=4_096)
def web_place(text: str) -> Place:
    """Return where a URL leads; remembered, since feeds are polled over and over.

    Raises:
        NoPlace: It leads nowhere on the web.
    """
    try:
        url = URL(text.strip()).with_fragment(None)
        login = None if url.user is None else basic_login(f"{url.user}:{url.password or ''}")
    except ValueError as error:
        raise NoPlace("is no web address; it must look like https://host/path") from error
    return _place(url, login)


def basic_login(credentials: str) -> str:
    """Return the Authorization field for `user:password` (RFC 7617)."""
    return f"Basic {b64encode(credentials.encode()).decode('ascii')}"


def read_login(path: str) -> str:
    """Return the `user:password` that a file holds; where others may read it too, the log says so once.

    Raises:
        NoLogin: It is not there, cannot be read, or holds something else; says what, and never the text.
    """
    try:
        data = _read_start(path)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "that is no file name"
        raise NoLogin(f"its auth_file {path} cannot be read: {why}; it must hold user:password") from error
    try:
        login = data.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise NoLogin(f"its auth_file {path} is not UTF-8; it must hold user:password") from error
    if len(data) > _LOGIN_LIMIT or ":" not in login or not login.isprintable():
        limit = f"of at most {_LOGIN_LIMIT} bytes"
        raise NoLogin(f"its auth_file {path} must hold one line, user:password, {limit}, and nothing else")
    return login


def _read_start(path: str) -> bytes:
    """Return a file's first bytes; a pipe or a device, which might keep us waiting, is refused."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        mode = os.fstat(handle).st_mode
        if not stat.S_ISREG(mode):
            raise OSError(0, "that is no plain file")
        if mode & (stat.S_IRGRP | stat.S_IROTH):
            _warn_of_readers(path)
        return os.read(handle, _LOGIN_LIMIT + 1)
    finally:
        os.close(handle)


@lru_cache(maxsize=4_096)  # once for each file: it is read at every poll
def _warn_of_readers(path: str) -> None:
    log.warning("others than its owner can read this auth_file", file=path, cure=f"chmod 600 {path}")


def _own_headers(feed: Feed, home: Place, place: Place) -> Mapping[str, str]:
    """Return what the feed's first request carries besides its conditions.

    Raises:
        NoLogin: A header or the auth_file cannot be used.
    """
    if problem := headers_problem(feed.headers, feed.user_agent):
        raise NoLogin(problem)
    login = basic_login(read_login(feed.auth_file)) if feed.auth_file else home.login
    if not is_same_origin(home.url, place.url):
        return _agent(feed)
    return {**dict(feed.headers), **({"Authorization": login} if login else {}), **_agent(feed)}


def _agent(feed: Feed) -> Mapping[str, str]:
    """Return what even strangers may hear."""
    return {"User-Agent": feed.user_agent} if feed.user_agent else _NONE


def conditions(etag: str | None, last_modified: str | None) -> Mapping[str, str]:
    """Return the headers of a conditional request; empty where nothing is remembered."""
    found = {}
    if etag:
        found["If-None-Match"] = etag
    if last_modified:
        found["If-Modified-Since"] = last_modified
    return found


def _place(url: URL, login: str | None = None) -> Place:
    """Return the place of a URL.

    Raises:
        NoPlace: It is not http or https, or its host cannot be one (RFC 1035, section 2.3.4).
    """
    try:
        is_web = url.scheme in {"http", "https"} and bool(url.host)  # .host may raise UnicodeError
    except ValueError:
        is_web = False
    host = url.raw_host or ""
    labels = host.removesuffix(".").split(".")
    if not is_web or not (":" in host or all(map(_LABEL.fullmatch, labels))):
        raise NoPlace("is no web address; it must look like https://host/path")
    if _NUMBER.fullmatch(labels[-1]) and not _is_plain_v4(host):
        raise OddAddress(f"has the host {host[:60]}, which some read as an address; write it as 192.0.2.1")
    bare = url if url.raw_user is None and url.raw_password is None else url.with_user(None)
    return Place(bare, host_key(host), login)


def _is_plain_v4(host: str) -> bool:
    try:
        return str(IPv4Address(host)) == host
    except ValueError:
        return False
