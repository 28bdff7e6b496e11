"""What hosts allow robots to read: robots.txt, asked for once a day (RFC 9309)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from protego import Protego
from yarl import URL

from bot.core.identity import redact_url
from bot.errors import FeedUnreadable, FetchError, FetchGone, FetchRefused, FetchTemporary
from bot.model import Feed, FeedId, Fetched, PollReason, PollState
from bot.ports import Clock, Fetcher

READ_BYTES: Final = 500 * 1024  # of a robots.txt; the rest is not looked at (RFC 9309, section 2.5)
KEEP: Final = timedelta(hours=24)  # section 2.4
KEEP_UNREACHABLE: Final = timedelta(minutes=10)  # then it is asked for again
LONGEST_DELAY: Final = timedelta(seconds=60)  # of a Crawl-delay, which no RFC knows but many hosts write
MOST_REMEMBERED: Final = 1_000_000  # characters of robots.txt, of all hosts together
_OVERHEAD: Final = 200  # characters that even an empty one counts
_TOKEN: Final = re.compile(r"[A-Za-z_-]+")  # a product token; section 2.2.1
_AGENT_LINE: Final = re.compile(r"\s*user(?:-|\s+)?agent(?:\s*:|\s)\s*([^#]*)", re.IGNORECASE)


class PageDisallowed(FetchRefused):
    """The host's robots.txt asks not to read this page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What a host's robots.txt says, until it is asked for again."""

    rules: Protego | None  # None: there is none, so all is allowed
    until: datetime
    size: int = 0
    trouble: str = ""  # why it could not be had, which forbids everything (section 2.3.1.4)


class Robots:
    """Asks hosts what robots may read, and remembers it."""

    def __init__(self, fetcher: Fetcher, clock: Clock, agent: Callable[[], str]) -> None:
        """Take who asks.

        Args:
            fetcher: The one that polls feeds, whose manners, limits and address guard hold here too.
            agent: The User-Agent that pages are asked for with; the rules for its product token hold.
        """
        self._fetcher = fetcher
        self._clock = clock
        self._agent = agent
        self._answers: dict[str, _Answer] = {}  # by origin, the oldest first
        self._free_at: dict[str, datetime] = {}  # by origin, where a Crawl-delay runs

    async def permit(self, url: str, *, allow_private: bool = False, is_redirect: bool = False) -> None:
        """Return where this page may be asked for at this moment; whoever is permitted asks at once.

        Args:
            allow_private: True: the page may be on a private or loopback address.
            is_redirect: True: a page led here, so that no Crawl-delay is waited for.

        Raises:
            PageDisallowed: The host says no.
            FetchTemporary: Not now. Where there was no try (no status, but `retry_after`), the host's turn or
                its Crawl-delay is too far off; else its robots.txt cannot be had.
            FetchRefused: The address guard says no, or this is no web address.
        """
        origin = _origin(url)
        answer = self._answers.get(origin)
        now = self._clock.now()
        if answer is None or answer.until <= now:
            answer = self._remember(origin, await self._ask(origin, answer, allow_private))
        if answer.trouble:
            said = f"{redact_url(url)} is not read, since its robots.txt cannot be had: {answer.trouble}"
            raise _error(FetchTemporary, url, PollReason.TEMPORARY, said)
        if answer.rules is not None:
            token = product_token(self._agent())
            if not answer.rules.can_fetch(url, token):
                said = f"{redact_url(url)} is not read: its host's robots.txt disallows it"
                raise _error(PageDisallowed, url, PollReason.REFUSED, said)
            if not is_redirect:
                self._wait_for_turn(answer.rules, token, origin, url)

    def _wait_for_turn(self, rules: Protego, token: str, origin: str, url: str) -> None:
        """Note that a page is being asked for, where the Crawl-delay since the last one is over.

        Raises:
            FetchTemporary: It is not.
        """
        delay = min(timedelta(seconds=min(rules.crawl_delay(token) or 0.0, 3_600)), LONGEST_DELAY)
        if not delay:
            return
        now = self._clock.now()
        if (free_at := self._free_at.get(origin, now)) > now:
            said = f"{redact_url(url)} waits: its host's robots.txt asks for {delay.seconds} s between pages"
            raise _error(FetchTemporary, url, PollReason.RATE_LIMITED, said, retry_after=free_at - now)
        self._free_at = {one: at for one, at in self._free_at.items() if at > now} | {origin: now + delay}

    async def _ask(self, origin: str, before: _Answer | None, allow_private: bool) -> _Answer:
        """Return what the host says.

        Unavailable (4xx) means that all is allowed, unreachable (5xx and the like) that nothing is, unless
        an older answer is known: RFC 9309, sections 2.3.1.3, 2.3.1.4 and 2.4.
        """
        place = Feed(
            id=FeedId(""),
            url=f"{origin}/robots.txt",
            allow_private=allow_private,
            headers=(("Accept", "text/plain, */*;q=0.5"),),
        )
        try:
            answer = await self._fetcher.fetch(place, PollState())
        except (FetchGone, FetchRefused) as error:
            if error.reason is PollReason.FORBIDDEN_ADDRESS:
                raise
            # 3xx: it leads in a circle or too far, which section 2.3.1.2 counts as unavailable.
            if error.status is not None and 300 <= error.status < 500:
                return _Answer(rules=None, until=self._clock.now() + KEEP)
            return self._unreachable(before, error)
        except FetchTemporary as error:
            if error.status is None and error.reason is PollReason.RATE_LIMITED:
                raise  # nothing was asked
            return self._unreachable(before, error)
        except FeedUnreadable as error:
            return self._unreachable(before, error)
        text = _text(answer.body if isinstance(answer, Fetched) else b"")
        rules = await asyncio.to_thread(read_robots, text, product_token(self._agent()))
        return _Answer(rules=rules, until=self._clock.now() + KEEP, size=len(text))

    def _unreachable(self, before: _Answer | None, error: FetchError) -> _Answer:
        until = self._clock.now() + KEEP_UNREACHABLE
        if before is not None and not before.trouble:
            return replace(before, until=until)
        return _Answer(rules=None, until=until, trouble=redact_url(str(error)))

    def _remember(self, origin: str, answer: _Answer) -> _Answer:
        """Keep the answer, and forget the oldest where there are too many."""
        self._answers.pop(origin, None)
        self._answers[origin] = answer
        weight = sum(_OVERHEAD + one.size for one in self._answers.values())
        while weight > MOST_REMEMBERED:
            oldest = self._answers.pop(next(iter(self._answers)))
            weight -= _OVERHEAD + oldest.size
        return answer


def product_token(agent: str) -> str:
    """Return the name that robots.txt knows a User-Agent by: "Topicwire (news)" → "topicwire"."""
    found = _TOKEN.search(agent)
    return found[0].lower() if found else "topicwire"


def read_robots(text: str, token: str) -> Protego:
    """Return the rules that hold for a product token.

    Names of other robots are made one first: their rules are not asked for, and thousands of them with
    thousands of rules each would fill the memory.
    """
    return Protego.parse("\n".join(_renamed(line, token) for line in text.splitlines()))


def _renamed(line: str, token: str) -> str:
    named = _AGENT_LINE.match(line)
    if named is None:
        return line
    if named[1].strip() == "*":
        return "User-agent: *"
    found = _TOKEN.match(named[1])
    return f"User-agent: {token if found and found[0].lower() == token else '~'}"


def _text(body: bytes) -> str:
    """Return what is looked at, up to the last whole line; UTF-8 (section 2.2), whatever the header says."""
    if len(body) > READ_BYTES:
        body = body[: body.rfind(b"\n", 0, READ_BYTES) + 1]
    return body.decode("utf-8-sig", "replace")


def _origin(url: str) -> str:
    """Return scheme, host and port, without credentials: where the robots.txt that counts for a page is."""
    try:
        origin = URL(url).origin()
    except ValueError as error:
        said = f"{redact_url(url)} is no web address; it must look like https://host/path"
        raise _error(FetchRefused, url, PollReason.REFUSED, said) from error
    return str(origin)


def _error(
    kind: type[FetchError],
    url: str,
    reason: PollReason,
    says: str,
    *,
    retry_after: timedelta | None = None,
) -> FetchError:
    return kind(says, feed_url=redact_url(url), reason=reason, retry_after=retry_after)
