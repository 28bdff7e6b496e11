"""What operators are told of troubles with polling: what, since when, what the server said, what to do."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from bot.core.render import Texts
from bot.core.typeset import Marked, bold, clean, code, fill, isolated, join, text
from bot.model import Message, Trouble, TroubleKind, TroubleScope

MAX_TROUBLES = 10  # named one by one in a message
MAX_NAME = 60
MAX_SAID = 100  # of what the server said

# Worst first: in this order they are told.
_ORDER = (
    TroubleKind.OUTAGE,
    TroubleKind.GONE,
    TroubleKind.REFUSED,
    TroubleKind.CHALLENGED,
    TroubleKind.UNREADABLE,
    TroubleKind.FAILING,
    TroubleKind.SILENT,
    TroubleKind.FLOOD,
    TroubleKind.MISSED,
    TroubleKind.MOVED,
)


def begun_message(troubles: Sequence[Trouble], outlets: Mapping[str, str], texts: Texts) -> Message:
    """Return the one word on all that begins to be wrong, each kind with what to do about it.

    Args:
        troubles: At least one.
        outlets: By feed id; feeds without a name are told by their id alone.
    """
    ordered = _worst_first(troubles)
    parts = [join(" ", (text("⚠️"), bold(text(texts.gettext("Trouble with feeds")))))]
    shown = ordered[:MAX_TROUBLES]
    for heading in dict.fromkeys(_heading_key(one) for one in shown):
        some = [one for one in shown if _heading_key(one) == heading]
        title = bold(text(_title(some[0], texts)))
        lines = [
            _line(one, outlets, texts) for one in some if one.scope is not TroubleScope.ALL or one.detail
        ]
        parts.append(join("\n", (title, *lines, text(_advice(some[0], texts)))))
    return _as_message(parts, len(ordered) - len(shown), texts)


def ended_message(troubles: Sequence[Trouble], outlets: Mapping[str, str], texts: Texts) -> Message:
    """Return the one word on all that is over.

    Args:
        troubles: At least one.
        outlets: By feed id.
    """
    ordered = _worst_first(troubles)
    shown = ordered[:MAX_TROUBLES]
    lines = [_over(one, outlets, texts) for one in shown]
    parts = [join(" ", (text("✅"), bold(text(texts.gettext("Over"))))), join("\n", lines)]
    return _as_message(parts, len(ordered) - len(shown), texts)


def troubles_list(troubles: Sequence[Trouble], outlets: Mapping[str, str], texts: Texts) -> list[Marked]:
    """Return a line for each of the worst troubles, and one that counts the rest."""
    ordered = _worst_first(troubles)
    shown = ordered[:MAX_TROUBLES]
    lines = [_over(one, outlets, texts) for one in shown]
    more = len(ordered) - len(shown)
    return [*lines, *([_more(more, texts)] if more else [])]


def troubles_state(troubles: Iterable[Trouble]) -> str:
    """Return a fingerprint of these troubles."""
    said = "\n".join(f"{one.scope} {one.kind} {one.key} {one.since.isoformat()}" for one in troubles)
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _worst_first(troubles: Iterable[Trouble]) -> list[Trouble]:
    return sorted(troubles, key=lambda one: (_ORDER.index(one.kind), one.scope is TroubleScope.HOST, one.key))


def _heading_key(trouble: Trouble) -> tuple[TroubleKind, bool]:
    return trouble.kind, trouble.scope is TroubleScope.ALL


def _as_message(parts: Sequence[Marked], more: int, texts: Texts) -> Message:
    last = [_more(more, texts)] if more else []
    body = join("\n\n", [*parts, *last])
    return Message(html=body.html, plain=body.plain)


def _more(count: int, texts: Texts) -> Marked:
    template = texts.ngettext("and {count} more", "and {count} more", count)
    return fill(template, count=text(texts.number(count)))


def _line(trouble: Trouble, outlets: Mapping[str, str], texts: Texts) -> Marked:
    """Return name, since when, and what the server said."""
    said = text(isolated(clean(trouble.detail, MAX_SAID)))
    if trouble.kind is TroubleKind.MOVED:
        return fill("• {name}: {url}", name=_name(trouble, outlets, texts), url=said)
    if trouble.kind is TroubleKind.FLOOD:
        return fill(
            texts.gettext("• {name}, {time}: {share} items were new"),
            name=_name(trouble, outlets, texts),
            time=_when(trouble.since, texts),
            share=said,
        )
    since = fill(
        texts.gettext("• {name}, since {time}"),
        name=_name(trouble, outlets, texts),
        time=_when(trouble.since, texts),
    )
    return join(": ", (since, said)) if trouble.detail else since


def _over(trouble: Trouble, outlets: Mapping[str, str], texts: Texts) -> Marked:
    """Return name, what it was, and since when."""
    return fill(
        texts.gettext("• {name}: {what} (since {time})"),
        name=_name(trouble, outlets, texts),
        what=text(_title(trouble, texts)),
        time=_when(trouble.since, texts),
    )


def _name(trouble: Trouble, outlets: Mapping[str, str], texts: Texts) -> Marked:
    if trouble.scope is TroubleScope.ALL:
        return bold(text(texts.gettext("all hosts")))
    key = code(text(clean(trouble.key, MAX_NAME)))
    outlet = outlets.get(trouble.key) if trouble.scope is TroubleScope.FEED else None
    return join(" ", (bold(text(isolated(clean(outlet, MAX_NAME)))), key)) if outlet else key


def _when(moment: datetime, texts: Texts) -> Marked:
    return text(texts.moment(moment))


def _title(trouble: Trouble, texts: Texts) -> str:
    if trouble.scope is TroubleScope.ALL:
        return texts.gettext("Hardly any host answers")
    return _TITLES[trouble.kind](texts)


def _advice(trouble: Trouble, texts: Texts) -> str:
    if trouble.scope is TroubleScope.ALL:
        return texts.gettext(
            "It is probably this machine's network or name server. Polling goes on once that is mended."
        )
    return _ADVICE[trouble.kind](texts)


_Words = Callable[[Texts], str]

_TITLES: Mapping[TroubleKind, _Words] = {
    TroubleKind.OUTAGE: lambda texts: texts.gettext("Host is down"),
    TroubleKind.GONE: lambda texts: texts.gettext("Gone for good"),
    TroubleKind.REFUSED: lambda texts: texts.gettext("Refused"),
    TroubleKind.CHALLENGED: lambda texts: texts.gettext("Turned away as a robot"),
    TroubleKind.UNREADABLE: lambda texts: texts.gettext("No feed there"),
    TroubleKind.FAILING: lambda texts: texts.gettext("No good poll"),
    TroubleKind.SILENT: lambda texts: texts.gettext("Silent"),
    TroubleKind.FLOOD: lambda texts: texts.gettext("More news at once than is credible"),
    TroubleKind.MISSED: lambda texts: texts.gettext("Items missed"),
    TroubleKind.MOVED: lambda texts: texts.gettext("Moved"),
}
_ADVICE: Mapping[TroubleKind, _Words] = {
    TroubleKind.OUTAGE: lambda texts: texts.gettext(
        "Most feeds of the host fail together. They are asked again, ever more patiently; just wait."
    ),
    TroubleKind.GONE: lambda texts: texts.gettext(
        "The server said so for two days, and the feed is polled no more. Correct its address, or remove it."
    ),
    TroubleKind.REFUSED: lambda texts: texts.gettext(
        "The address is wrong, or wants a log-in. Correct it, or remove the feed."
    ),
    TroubleKind.CHALLENGED: lambda texts: texts.gettext(
        "Another user agent or a longer interval may help; or ask the outlet to let Topicwire in."
    ),
    TroubleKind.UNREADABLE: lambda texts: texts.gettext(
        "Something came that is no feed, often a web page. Look at the address with a browser."
    ),
    TroubleKind.FAILING: lambda texts: texts.gettext(
        "The feed is asked again, ever more patiently. If the outlet is closed, remove it."
    ),
    TroubleKind.SILENT: lambda texts: texts.gettext(
        "Polls are good, but bring nothing new for much longer than usual. Has the outlet a newer feed?"
    ),
    TroubleKind.FLOOD: lambda texts: texts.gettext(
        "Alerts from it come as a digest. Usually the outlet has changed its feed; look at its items."
    ),
    TroubleKind.MISSED: lambda texts: texts.gettext(
        "A poll showed nothing of the one before: items came and went between. It is polled more often now."
    ),
    TroubleKind.MOVED: lambda texts: texts.gettext(
        "The new address is polled already. Write it into your list of feeds."
    ),
}
