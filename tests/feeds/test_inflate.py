"""Content encodings, undone in pieces."""

from __future__ import annotations

import gzip
import itertools
import os
import sys
import zlib
from collections.abc import Callable

import brotli  # type: ignore[import-untyped]  # it ships no types
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.feeds.inflate import PIECE, Damaged, Inflater, inflater_for

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstd.compress,
}


def unpacked(inflater: Inflater, chunks: list[bytes]) -> bytes:
    pieces = [piece for chunk in chunks for piece in inflater.feed(chunk)]
    inflater.finish()
    assert max((len(piece) for piece in pieces), default=0) <= 2 * PIECE
    return b"".join(pieces)


@settings(deadline=None)
@given(
    encoding=st.sampled_from(sorted(PACKERS)),
    start=st.binary(max_size=300),
    repeats=st.integers(0, 60_000),
    sizes=st.lists(st.integers(1, 50), min_size=1, max_size=5),
)
def test_however_the_data_is_cut_it_comes_back(
    encoding: str, start: bytes, repeats: int, sizes: list[int]
) -> None:
    data = start + b"feed " * repeats
    packed = PACKERS[encoding](data)
    cuts = itertools.accumulate([2, *(sizes * 50)])
    ends = sorted({0, len(packed), *(cut for cut in cuts if cut < len(packed))})
    chunks = [packed[start:end] for start, end in itertools.pairwise(ends)]

    assert unpacked(inflater_for(encoding, chunks[0]), chunks) == data


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_many_members_are_a_trick(encoding: str) -> None:
    data = PACKERS[encoding](b"") * 200

    with pytest.raises(Damaged, match="more than 100"):
        unpacked(inflater_for(encoding, data), [data])


def test_a_zstd_window_over_eight_megabytes_is_refused() -> None:
    window, size = zstd.CompressionParameter.window_log, zstd.CompressionParameter.content_size_flag
    packer = zstd.ZstdCompressor(options={int(window): 25, int(size): 0})
    data = packer.compress(os.urandom(64)) + packer.flush()

    with pytest.raises(Damaged):
        unpacked(inflater_for("zstd", data), [data])


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
@settings(deadline=None)
@given(noise=st.binary(min_size=1, max_size=60))
def test_noise_is_damaged_or_data_but_nothing_else(encoding: str, noise: bytes) -> None:
    body = PACKERS[encoding](b"feed " * 50)
    data = body[: len(body) // 2] + noise

    try:
        unpacked(inflater_for(encoding, data), [data])
    except Damaged as error:
        assert str(error)
