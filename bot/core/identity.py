"""Which items are the same: canonical URLs, item keys, content hashes, and what is new in a poll."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from types import MappingProxyType

from yarl import URL

from bot.model import ZERO, Item, ItemId, ItemKey, ItemReason, PollState

BACKFILL_AGE = timedelta(days=30)  # an unknown item dated so long before the last good poll is no news
FLOOD_ITEMS = 20
KEEP_KEYS = timedelta(days=90)

# What analytics and newsletter tools add to a link; the page is the same without.
_TRACKING = re.compile(
    r"utm_.*|pk_.*|piwik_.*|mtm_.*|matomo_.*|hsa_.*|at_(?:medium|campaign.*|custom\d|link.*|format|ptr.*|bbc.*)"
    r"|ns_(?:campaign|mchannel|source|linkname|fee)|[a-z]{1,3}clid|gclsrc|gbraid|wbraid|dclid|msclkid|ysclid|igshid?"
    r"|mc_[ce]id|mkt_tok|_hs(?:enc|mi)|__hs.*|_openstat|wt[._]?mc(?:_.*)?|wt_zmc|xtor|cmp(?:id)?|icid|ocid|ftag|smid"
    r"|sref|rss(?:id)?|__twitter_impression|_ga|_gl|_ke|oly_(?:anon|enc)_id|vero_(?:id|conv)|trk(?:campaign)?"
    r"|guce_.*|guccounter|xing_share|share_?id|s_kwcid|ito|taid|fb_(?:action|source|ref).*|spm|scm",
    re.IGNORECASE,
)
_ORIGIN_KEYS = frozenset({"ref", "from", "src", "source", "via", "feed", "ref_src", "partner", "cmpref"})
_ORIGIN_VALUES = re.compile(
    r"(?:rss|feed|atom|twitter|twsrc|facebook|fb|newsletter|telegram|social)\w*", re.IGNORECASE
)
_OTHER_SCHEME = re.compile(r"(?!https?:)[a-z][a-z0-9+.-]*:(?!\d)", re.IGNORECASE)  # not "host:8080"
_SCHEME = re.compile(r"https?://", re.IGNORECASE)
# An address in which nothing is encoded, or would be: a name, a path, and perhaps a query, as most links are.
_PLAIN_URL = re.compile(
    r"https?://((?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z]{2,}/[A-Za-z0-9_~./-]*)"
    r"(?:\?([A-Za-z0-9_.~-]+=[A-Za-z0-9_.~-]*(?:&[A-Za-z0-9_.~-]+=[A-Za-z0-9_.~-]*)*))?"
)
# Also inside longer texts, such as an error's message; up to the last "@" before the path, as browsers read.
_USERINFO = re.compile(r"(?<=://)[^\s/?#\"'<>]+@")
_SECRET_VALUES = re.compile(
    r"(?<=[?&;])((?:[\w.-]*(?:token|secret|passw(?:or)?d|api[_-]?key|signature)|key|auth|sig|pwd|pass)=)[^&;#\s\"'<>]+",
    re.IGNORECASE,
)
_BLAKE = hashlib.blake2b(digest_size=16)
_BOT_TOKEN = re.compile(r"(?<=/bot)\d+:[\w-]+")


def redact_url(text: str) -> str:
    """Return the text with credentials in its URLs blanked.

    Those are user:password@, the values of ?token= and the like, and a bot's token in a Telegram path.
    Redacting twice is redacting once.
    """
    return _BOT_TOKEN.sub("***", _SECRET_VALUES.sub(r"\1***", _USERINFO.sub("***@", text)))


def canonical_url(url: str) -> str | None:
    """Return what identifies a page: host, port, path and query in one spelling; None: no web address.

    The scheme, user, default port, fragment and tracking parameters are gone, the query is sorted. The result
    has no scheme; given again (with "//" or a scheme before it), it comes back as it is.
    """
    plain = _PLAIN_URL.fullmatch(url)
    if plain is None or "/." in url:  # "." and ".." as steps of a path
        return _canonical(url.strip())
    page, query = plain.groups()
    return f"{page}{_plain_query(query)}" if query else page


def _plain_query(query: str) -> str:
    """Return a query in which nothing is encoded, sorted and without tracking; with "?", or empty."""
    kept = [pair for pair in query.split("&") if not _is_tracking(*pair.split("="))]
    if len(kept) > 1:
        kept.sort(key=lambda pair: pair.split("="))
    return f"?{'&'.join(kept)}" if kept else ""


@lru_cache(maxsize=4096)  # a poll asks for each of its links more than once
def _canonical(text: str) -> str | None:
    if _OTHER_SCHEME.match(text):
        return None
    try:
        parsed = URL(text if "://" in text[:10] else f"https://{text.removeprefix('//')}")
        if parsed.scheme not in {"http", "https"} or not parsed.host:
            return None
        query = sorted((key, value) for key, value in parsed.query.items() if not _is_tracking(key, value))
        bare = parsed.with_fragment(None).with_query(query or None)
        host = (bare.raw_host or "").lower().rstrip(".")
        port = "" if parsed.port in {80, 443, None} else f":{parsed.port}"
    except ValueError:  # yarl's word for a host or port that cannot be
        return None
    host = f"[{host}]" if ":" in host else host
    is_host = host and not any(map(str.isspace, host))  # yarl lets a blank stand for a host
    return f"{host}{port}{bare.raw_path_qs}" if is_host else None


def item_keys(item: Item) -> tuple[ItemKey, ...]:
    """Return the names under which an item is known, the most reliable first, at least one.

    The guid, blind to http or https; the canonical link with the title; where there is no link, the title
    with the date. A text without a title stands in for it, so that a status feed's entries differ.
    All have a bounded length.
    """
    words = item.title or item.summary[:300] or item.content[:300]
    link = canonical_url(item.url) if item.url else None
    if link:
        last = f"link:{_digest(_part(link) + _part(words))}"
    else:
        date = item.published_at.isoformat() if item.published_at else ""
        last = f"title:{_digest(_part(words) + _part(date))}"
    if not item.guid:
        return (ItemKey(last),)
    guid = _SCHEME.sub("", item.guid, count=1)
    return ItemKey(f"guid:{_digest(_part(guid))}"), ItemKey(last)


def content_hash(item: Item) -> str:
    """Return a hash of title, summary and content; dates never count, since many feeds renew them idly."""
    return _digest(_part(item.title) + _part(item.summary) + _part(item.content))


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownItem:
    """What the store remembers of an item under one of its keys."""

    id: ItemId
    content_hash: str
    seen_at: datetime  # when a poll last showed the key, to within a day; under a title: its first sight


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """An item of a poll, and whether it goes on."""

    item: Item
    keys: tuple[ItemKey, ...]  # all its names in this poll; empty for a double, whose twin carries them
    content_hash: str
    reason: ItemReason
    known: KnownItem | None = None  # the item it is; None: unknown so far, or the double of such a one


def sort_items(
    items: Iterable[Item],
    known: Mapping[ItemKey, KnownItem],
    state: PollState,
    now: datetime,
    *,
    titles: Mapping[str, KnownItem] = MappingProxyType({}),
    keys: Sequence[tuple[ItemKey, ...]] | None = None,
) -> tuple[Sorted, ...]:
    """Return each item of a poll with the reason why it goes on to matching, or not, in the feed's order.

    New only if none of its keys is known; a known one whose text changed is edited. Nothing is new on a
    feed's first good poll, nor when dated 30 days before the last one, nor when dated before the window of
    the first one. Doubles inside the poll are seen. A guid that stands on different items of one poll names
    none of them.

    At an address that the operator changed, a poll of which nothing is known is another feed's first: it is
    kept silently. Where anything of it is known, it is the same feed, and the rest is sorted as ever.

    Args:
        known: What is remembered under each key; keys nobody knows are absent.
        state: As it was before this poll.
        now: Aware UTC; stands in for the last good poll where it lies in the future.
        titles: What is remembered under the titles of the poll, where `wants_titles` asked for it.
        keys: What `item_keys` returned for each of the items; None: it is asked here.
    """
    items = [*items]
    poll = [*zip(items, [item_keys(item) for item in items] if keys is None else keys, strict=True)]
    shared = _shared_guids(names for _, names in poll)
    met: dict[ItemKey | ItemId, int] = {}  # a key, or a known item's number → who bore it first
    found: list[Sorted] = []
    by_title = _Titles(items, titles)
    for item, all_keys in poll:
        own = tuple(key for key in all_keys if key not in shared) if shared else all_keys
        digest = content_hash(item)
        before = next((known[key] for key in own if key in known), None) if known else None
        if before is None and titles:
            before = by_title.known(item, digest)
        names: tuple[ItemKey | ItemId, ...] = (before.id,) if before else own
        twin = next((met[name] for name in names if name in met), None)
        if twin is None:
            twin = len(found)
            reason = _reason(item, digest, before, state, now)
            found.append(Sorted(item=item, keys=own, content_hash=digest, reason=reason, known=before))
        else:
            first = found[twin]
            found[twin] = replace(first, keys=tuple(dict.fromkeys(first.keys + own)))
            found.append(
                Sorted(item=item, keys=(), content_hash=digest, reason=ItemReason.SEEN, known=first.known)
            )
        for name in names + own if before else own:
            met.setdefault(name, twin)
    if state.is_new_address and not any(one.known for one in found):
        return tuple(
            one if one.reason is ItemReason.SEEN else replace(one, reason=ItemReason.FIRST_POLL)
            for one in found
        )
    return tuple(found)


def wants_titles(found: Sequence[Sorted], state: PollState) -> bool:
    """Tell whether a poll should be sorted again by titles, since next to nothing of it is known.

    Perhaps the feed renewed its guids and links, or moved to another domain. One item in five may be known
    all the same: a pinned one that links elsewhere.

    Args:
        state: As it was before this poll.
    """
    is_unknown = any(one.reason in (ItemReason.NEW, ItemReason.FIRST_POLL) for one in found)
    strangers = sum(one.known is None for one in found)
    return state.last_ok_at is not None and is_unknown and 5 * strangers >= 4 * len(found)


def plain_title(title: str) -> str:
    """Return a title without the differences that nobody sees: case and blanks."""
    return " ".join(title.casefold().split())


def is_flood(found: Sequence[Sorted]) -> bool:
    """Tell whether a poll brings more news than is credible: 20 or more, and over half of it."""
    new = [one.reason for one in found].count(ItemReason.NEW)
    return new >= FLOOD_ITEMS and 2 * new > len(found)


def key_keep_for(window: timedelta | None) -> timedelta:
    """Return how long a feed's item keys live after a poll last showed them.

    Args:
        window: From the oldest to the newest date of the feed; None: not known.
    """
    return max(KEEP_KEYS, 4 * (window or ZERO))


class _Titles:
    """Finds items again by their titles, in a poll whose guids and links tell nothing.

    An item with a known title is that item if its date is not later than that one's first sight. Where it has
    no date, or a renewed one and the same text, most of a poll of three items or more must have known titles.
    For titles such as "Market report" come again and again.
    """

    def __init__(self, poll: Sequence[Item], known: Mapping[str, KnownItem]) -> None:
        self._known = {plain_title(title): one for title, one in known.items() if title.strip()}
        mine = Counter(plain_title(item.title) for item in poll) if known else Counter[str]()
        self._repeated = frozenset(title for title, times in mine.items() if times > 1)
        familiar = sum(mine[title] for title in self._known)
        self._is_familiar = len(poll) >= 3 and 2 * familiar > len(poll)

    def known(self, item: Item, digest: str) -> KnownItem | None:
        """Return the item it most likely is; None: nobody knows it.

        One whose title stands on several items of the poll may be any of those: it does not count as edited.
        """
        title = plain_title(item.title) if self._known else ""
        known = self._known.get(title)
        if known is None:
            return None
        is_same_text = known.content_hash == digest and bool(item.lead)
        is_older = item.published_at is not None and item.published_at <= known.seen_at
        if not is_older and not (self._is_familiar and (is_same_text or item.published_at is None)):
            return None
        return replace(known, content_hash=digest) if title in self._repeated else known


def _reason(item: Item, digest: str, before: KnownItem | None, state: PollState, now: datetime) -> ItemReason:
    """Return why one item goes on; `before` is the item it is, None where it is unknown."""
    if before is not None:
        return ItemReason.SEEN if before.content_hash == digest else ItemReason.EDITED
    if state.last_ok_at is None:
        return ItemReason.FIRST_POLL
    since = min(state.last_ok_at, now) - BACKFILL_AGE
    if (
        state.window_start is not None and state.window_start <= now
    ):  # else the clock is slow, as may be dates
        since = max(since, state.window_start)
    return ItemReason.BACKFILL if item.published_at and item.published_at < since else ItemReason.NEW


def _shared_guids(named: Iterable[tuple[ItemKey, ...]]) -> frozenset[ItemKey]:
    """Return the guid keys that stand on items with different links and titles."""
    first: dict[ItemKey, ItemKey] = {}
    shared = set()
    for guid, *rest in named:
        if rest and first.setdefault(guid, rest[0]) != rest[0]:
            shared.add(guid)
    return frozenset(shared)


def _is_tracking(key: str, value: str) -> bool:
    is_always, is_by_value = _is_tracking_key(key)
    return is_always or (is_by_value and bool(_ORIGIN_VALUES.fullmatch(value)))


@lru_cache(maxsize=4096)  # the same few stand on all links of a feed
def _is_tracking_key(key: str) -> tuple[bool, bool]:
    """Return whether a parameter is tracking whatever its value, and whether it is with some values."""
    return bool(_TRACKING.fullmatch(key)), key.lower() in _ORIGIN_KEYS


def _part(text: str) -> str:
    """Return a text so that two in a row cannot be taken for two others, as "ab", "c" for "a", "bc"."""
    return f"{len(text)}:{text}"


def _digest(text: str) -> str:
    """Return 128 bits in hex."""
    digest = _BLAKE.copy()  # in half the time of making one
    digest.update(text.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
