"""Bodies as they are sent: packed, broken, endless; never more than the limit is held."""

from __future__ import annotations

import gzip
import sys
import tracemalloc
import zlib
from collections.abc import Callable

import brotli  # type: ignore[import-untyped]  # it ships no types
import pytest

from bot.errors import FeedUnreadable, FetchTemporary
from bot.feeds.http import HttpFetcher
from tests.feedserver import RSS, FeedServer, zipped
from tests.fetching import failure, fetched

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "raw deflate": lambda data: zlib.compress(data)[2:-4],
    "br": brotli.compress,
    "zstd": zstd.compress,
}


@pytest.mark.parametrize("encoding", ENCODERS)
async def test_each_encoding_is_undone(fetcher: HttpFetcher, server: FeedServer, encoding: str) -> None:
    body = RSS.encode() * 1000
    server.serve(ENCODERS[encoding](body), headers={"Content-Encoding": encoding.removeprefix("raw ")})

    assert (await fetched(fetcher, server.url())).body == body


async def test_several_gzip_members_are_one_body(fetcher: HttpFetcher, server: FeedServer) -> None:
    server.serve(zipped("one ") + zipped("two") + b"\0\0\0", headers={"Content-Encoding": "gzip"})

    assert (await fetched(fetcher, server.url())).body == b"one two"


async def test_a_gz_file_without_a_word_is_unpacked(fetcher: HttpFetcher, server: FeedServer) -> None:
    server.serve(zipped())

    assert (await fetched(fetcher, server.url())).body == RSS.encode()


async def test_an_empty_body_is_handed_on(fetcher: HttpFetcher, server: FeedServer) -> None:
    server.serve(b"")
    server.serve(b"", path="/zipped", headers={"Content-Encoding": "gzip"})

    assert (await fetched(fetcher, server.url())).body == b""
    assert (await fetched(fetcher, server.url("/zipped"))).body == b""


async def test_plain_text_that_claims_gzip_is_read_as_it_is(fetcher: HttpFetcher, server: FeedServer) -> None:
    server.serve(headers={"Content-Encoding": "gzip"})

    assert (await fetched(fetcher, server.url())).body == RSS.encode()


@pytest.mark.parametrize("encoding", ENCODERS)
async def test_data_that_breaks_off_is_worth_another_poll(
    fetcher: HttpFetcher, server: FeedServer, encoding: str
) -> None:
    cut = ENCODERS[encoding](RSS.encode() * 50)[:-9]
    server.serve(cut, headers={"Content-Encoding": encoding.removeprefix("raw ")})

    error = await failure(fetcher, server.url())

    assert isinstance(error, FetchTemporary)
    assert "breaks off" in str(error)


async def test_an_encoding_we_did_not_offer_is_an_error(fetcher: HttpFetcher, server: FeedServer) -> None:
    server.serve(headers={"Content-Encoding": "compress"})

    assert "'compress' is unknown" in str(await failure(fetcher, server.url()))


async def test_an_oversized_answer_is_cut_off(fetcher: HttpFetcher, server: FeedServer) -> None:
    server.serve(b"x" * 5_000_001)

    error = await failure(fetcher, server.url())

    assert isinstance(error, FeedUnreadable)
    assert "more than 5 MB" in str(error)


async def test_an_answer_of_exactly_the_limit_is_taken(fetcher: HttpFetcher, server: FeedServer) -> None:
    server.serve(b"x" * 5_000_000)

    assert len((await fetched(fetcher, server.url())).body) == 5_000_000


def _swelling(machine: Callable[[bytes], bytes], flush: Callable[[], bytes]) -> bytes:
    block = b"\0" * (1 << 20)
    return b"".join([*(machine(block) for _ in range(256)), flush()])


@pytest.fixture(scope="module", params=["gzip", "br", "zstd"])
def bomb(request: pytest.FixtureRequest) -> tuple[str, bytes]:
    """256 MiB of zeros, packed without ever being in memory."""
    if request.param == "gzip":
        packer = zlib.compressobj(1, wbits=31)
        return "gzip", _swelling(packer.compress, packer.flush)
    if request.param == "br":
        brotter = brotli.Compressor(quality=1)
        return "br", _swelling(brotter.process, brotter.finish)
    zipper = zstd.ZstdCompressor(level=1)
    return "zstd", _swelling(zipper.compress, zipper.flush)


async def test_a_bomb_costs_little(fetcher: HttpFetcher, server: FeedServer, bomb: tuple[str, bytes]) -> None:
    encoding, packed = bomb
    server.bomb(packed, encoding)
    tracemalloc.start()
    try:
        error = await failure(fetcher, server.url())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert isinstance(error, FeedUnreadable)
    assert peak < 60e6
