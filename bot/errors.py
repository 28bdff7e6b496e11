"""One tree of errors; its branches say what the caller can do.

TopicwireError
  ConfigInvalid           config.toml or the environment: name the place and the cure
  RulesInvalid            a rule file: refused as a set, the last good set keeps running
  AlreadyRunning          another instance holds the data directory
  StoreError
    StoreBusy             try again
    StoreBroken           corrupt, full or unwritable: an operator must look
  FetchError              carries feed_url and reason
    FetchTemporary        poll again later            (timeout, DNS, 429, 5xx; retry_after)
    FetchRefused          an operator should look     (401, 403, 404, a forbidden address)
    FetchGone             stop polling                (410)
    FeedUnreadable        bytes came, no feed         (tell the operator)
  NotifyError             carries a reason
    NotifyLater           that chat waits, then again (429; retry_after)
    NotifyNotSent         certainly not sent: again   (connection or pool timeout)
    NotifyUncertain       perhaps sent                (read timeout, dropped; an outage: 5xx)
    ChatLost              suspend the chat            (403, unknown, no right to write there)
    ChatMoved             write to another id         (new_id)
    ThreadLost            write to the chat without its thread
    MarkupRefused         send once more as plain text
    MessageLost           the message to edit is gone
    NotifyRefused         a dead letter
    TokenRefused          401: an operator must look
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bot.model import PollReason, SendReason


class TopicwireError(Exception):
    """Anything we raise on purpose; its text names what, where and the cure."""


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Problem:
    """One mistake in a file that an operator edits."""

    file: str
    line: int = 0  # 1-based; 0: the whole file
    col: int = 0  # 1-based; 0: the whole line
    code: str = ""  # E001, W101; empty: config
    message: str  # what is wrong, and the cure

    def __str__(self) -> str:
        """Return `file:line:col CODE message`, without the parts that are not told."""
        place = ":".join([self.file, *(str(number) for number in (self.line, self.col) if number)])
        return f"{place} {self.code} {self.message}" if self.code else f"{place}: {self.message}"


class _Invalid(TopicwireError):
    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


class ConfigInvalid(_Invalid):
    """The configuration cannot be used."""


class RulesInvalid(_Invalid):
    """The rule set cannot be used."""


class AlreadyRunning(TopicwireError):
    """Another instance holds the data directory."""


class StoreError(TopicwireError):
    """The store did not do what was asked; nothing was half written."""


class StoreBusy(StoreError):
    """Somebody else held the database for too long; trying again helps."""


class StoreBroken(StoreError):
    """Corrupt, full or unwritable; an operator must look."""


class FetchError(TopicwireError):
    """A feed could not be read."""

    def __init__(
        self,
        message: str,
        *,
        feed_url: str,
        reason: PollReason,
        status: int | None = None,
        retry_after: timedelta | None = None,
        host: str | None = None,
    ) -> None:
        super().__init__(message)
        self.feed_url = feed_url
        self.reason = reason
        self.status = status  # HTTP; None: no answer came
        self.retry_after = retry_after  # None: not told by the server
        self.host = host  # registrable domain that shall be left in peace for `retry_after`; None: none


class FetchTemporary(FetchError):
    """Worth another poll."""


class FetchRefused(FetchError):
    """The server, or our own guard, says no."""


class FetchGone(FetchError):
    """The server says 410."""


class FeedUnreadable(FetchError):
    """Bytes came, but no feed."""


class NotifyError(TopicwireError):
    """A message could not be delivered, or perhaps not."""

    reason: SendReason = SendReason.REFUSED


class NotifyLater(NotifyError):
    """Telegram wants this chat to wait."""

    reason = SendReason.RATE_LIMITED

    def __init__(self, message: str, *, retry_after: timedelta) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NotifyNotSent(NotifyError):
    """No connection came about: certainly not sent."""

    reason = SendReason.NOT_CONNECTED


class NotifyUncertain(NotifyError):
    """The connection broke after we wrote, or a server on the way failed: perhaps sent."""

    def __init__(self, message: str, *, is_outage: bool = False) -> None:
        super().__init__(message)
        self.reason = SendReason.SERVER_ERROR if is_outage else SendReason.NO_ANSWER


class ChatLost(NotifyError):
    """The chat blocked, kicked or never knew us."""

    reason = SendReason.CHAT_LOST


class ChatMoved(NotifyError):
    """The group became a supergroup."""

    reason = SendReason.CHAT_MOVED

    def __init__(self, message: str, *, new_id: int) -> None:
        super().__init__(message)
        self.new_id = new_id


class ThreadLost(NotifyError):
    """The forum thread is closed or gone."""

    reason = SendReason.THREAD_LOST


class MarkupRefused(NotifyError):
    """Telegram could not parse our markup."""

    reason = SendReason.BAD_MARKUP


class MessageLost(NotifyError):
    """The message to edit is gone or too old."""

    reason = SendReason.MESSAGE_LOST


class NotifyRefused(NotifyError):
    """Telegram refuses for a reason that trying again does not cure."""


class TokenRefused(NotifyError):
    """Telegram does not know the bot's token."""

    reason = SendReason.TOKEN_REFUSED
