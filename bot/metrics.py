"""What the house counts, for Prometheus, and whether it is alive: on loopback, over plain HTTP.

Names and units follow <https://prometheus.io/docs/practices/naming/>. Nothing here is global: each house has
its own registry.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector
from prometheus_client.exposition import choose_encoder

from bot import __version__
from bot.core.health_summary import Summary
from bot.errors import ConfigInvalid, Problem
from bot.model import ItemReason, PollReason, SendReason, TopicId, TroubleKind

TICKS_WITHIN = timedelta(seconds=30)  # the house ticks each second; without ticks for so long it is not well
_POLL_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The numbers of one house. Every method only counts: it cannot fail, and does not wait."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self.last_tick: datetime | None = None
        self._count_polls()
        self._count_alerts()
        self._measure_house()
        ProcessCollector(registry=self.registry)
        build = Info("topicwire_build", "The version that runs.", registry=self.registry)
        build.info({"version": __version__})

    def _count_polls(self) -> None:
        self._polls = self._counter("polls", "Polls, by what came of them.", "reason")
        self._poll_seconds = Histogram(
            "topicwire_poll_seconds",
            "Time from asking for a feed until what it said is kept.",
            buckets=_POLL_SECONDS,
            registry=self.registry,
        )
        self._received = self._counter("received_bytes", "Bytes of feeds as sent, before decompression.")
        self._items = self._counter("items", "Items of polls, by what they were.", "reason")
        self._matches = self._counter("matches", "Items that matched a topic.", "topic")
        for reason in PollReason:
            self._polls.labels(reason.value)

    def _count_alerts(self) -> None:
        self._alerts = self._counter("alerts", "Alerts that were decided, for each chat.")
        self._deliveries = self._counter(
            "deliveries", "Tries to send or edit, by what came of them.", "result"
        )
        for result in SendReason:
            self._deliveries.labels(result.value)

    def _measure_house(self) -> None:
        self._feeds = self._gauge("feeds", "Feeds, by state; failing ones are live too.", "state")
        self._troubles = self._gauge("troubles", "What is wrong with polling now.", "kind")
        self._hosts_paused = self._gauge("hosts_paused", "Hosts that asked to be left in peace.")
        self._due_lag = self._gauge("next_due_lag_seconds", "How long the feed due longest has waited.")
        self._owed = self._gauge("deliveries_owed", "Deliveries on their way, or held.")
        self._dead = self._gauge("deliveries_dead", "Deliveries refused for good.")
        self._rules_refused = self._gauge("rules_refused", "1: the rule files are wrong, an older set runs.")
        self._last_poll = self._gauge("last_poll_timestamp_seconds", "When a feed was last polled.")

    def _counter(self, name: str, words: str, *labels: str) -> Counter:
        return Counter(f"topicwire_{name}", words, labels, registry=self.registry)

    def _gauge(self, name: str, words: str, *labels: str) -> Gauge:
        return Gauge(f"topicwire_{name}", words, labels, registry=self.registry)

    # ---- what happens ------------------------------------------------------------------------

    def polled(
        self,
        reason: PollReason,
        *,
        received: int = 0,
        items: Mapping[ItemReason, int] | None = None,
        alerts: int = 0,
    ) -> None:
        """Count one poll.

        Args:
            received: Bytes of the body as sent.
            items: How many of the feed's items were what.
            alerts: Queued or held for a chat.
        """
        self._polls.labels(reason.value).inc()
        self._received.inc(received)
        for what, count in (items or {}).items():
            self._items.labels(what.value).inc(count)
        self._alerts.inc(alerts)

    def took(self, time: timedelta) -> None:
        """Note how long a poll took, from asking until it was kept."""
        self._poll_seconds.observe(time.total_seconds())

    def matched(self, topics: Iterable[TopicId]) -> None:
        """Count the topics that an item newly matches."""
        for topic in topics:
            self._matches.labels(str(topic)).inc()

    def delivered(self, result: SendReason) -> None:
        """Count one try to send or edit."""
        self._deliveries.labels(result.value).inc()

    def ticked(self, now: datetime) -> None:
        """Note that the house is alive."""
        self.last_tick = now

    def saw(self, summary: Summary, now: datetime) -> None:
        """Take over how the whole house fares."""
        states = {
            "live": summary.live,
            "failing": summary.failing,
            "paused": summary.paused,
            "gone": summary.gone,
        }
        for state, count in states.items():
            self._feeds.labels(state).set(count)
        for kind in TroubleKind:
            self._troubles.labels(kind.value).set(sum(one.kind is kind for one in summary.troubles))
        self._hosts_paused.set(summary.resting)
        self._due_lag.set(summary.lateness(now).total_seconds())
        self._owed.set(summary.owed)
        self._dead.set(summary.dead)
        self._rules_refused.set(summary.rules_refused)
        if summary.last_poll_at is not None:
            self._last_poll.set(summary.last_poll_at.timestamp())


@asynccontextmanager
async def serve(metrics: Metrics, listen: str, now: Callable[[], datetime]) -> AsyncIterator[int | None]:
    """Serve /metrics and /healthz, and give the port; None where nothing is to be served.

    /healthz answers 200 while ticks are fresh, else 503; both say why in a line.

    Args:
        listen: `address:port`, an IPv6 address in brackets; port 0 takes a free one; empty: nowhere.
        now: The house's clock.

    Raises:
        ConfigInvalid: The address cannot be listened at.
    """
    if not listen:
        yield None
        return

    async def numbers(request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(metrics.registry), headers={"Content-Type": content_type})

    async def health(request: web.Request) -> web.Response:
        del request
        return _health(metrics.last_tick, now())

    application = web.Application()
    application.add_routes([web.get("/metrics", numbers), web.get("/healthz", health)])
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        try:
            host, _, port = listen.rpartition(":")
            await web.TCPSite(runner, host.strip("[]"), int(port)).start()
        except (OSError, OverflowError) as error:  # the latter: a port over 65535
            message = f"metrics.listen: {listen} cannot be used: {error}"
            raise ConfigInvalid((Problem(file="config", message=message),)) from error
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def _health(last_tick: datetime | None, now: datetime) -> web.Response:
    if last_tick is None:
        return web.Response(status=503, text="not yet begun\n")
    passed = now - last_tick
    if abs(passed) > TICKS_WITHIN:  # also where the clock was set back
        return web.Response(status=503, text=f"no tick for {passed.total_seconds():.0f} s\n")
    return web.Response(text="ok\n")
