"""Bytes that mean nothing, by the million: the instrument goes on answering, nothing is logged."""

import logging
import random

import pytest

from controller.scpi_commands import TABLE
from controller.scpi_status import STANDARD_TEXTS
from tests.conformance.desk import Bench

SMALL, WHOLE = 150_000, 10_000_000
CHUNK = 4096
HEADERS = [header.replace("[", "").replace("]", "").encode() for header in TABLE]
SCRAPS = [b'"', b"'", b"#", b"#0", b"#15", b"#H", b"(@1,2)", b"(@", b",", b";", b":", b"*", b"?"]
SCRAPS += [b"\n", b"\n", b" ", b"\r", b"\x00", b"\xff", b"MAX", b"NAN", b"1E999", b"-1", b"3.2E1"]
SCRAPS += [b"1UM", b"ON", b'"A"', b"A", b"#14good", b"9.9E37", b"{}", b"@", b"5S"]


def soup(rng: random.Random) -> bytes:
    """Headers, scraps of the grammar, and bytes of any kind, in one pot."""
    pot = bytearray()
    while len(pot) < CHUNK:
        kind = rng.random()
        if kind < 0.4:
            pot += rng.choice(HEADERS) + rng.choice([b" ", b"", b";", b"\n"])
        elif kind < 0.9:
            pot += rng.choice(SCRAPS)
        else:
            pot += rng.randbytes(rng.randrange(20))
    return bytes(pot)


async def fuzz(rng: random.Random, wanted: int, caplog: pytest.LogCaptureFixture) -> None:
    bench, sent = Bench(), 0
    while sent < wanted:
        chunk = soup(rng)
        bench.session.feed(chunk, end=rng.random() < 0.1)
        sent += len(chunk)
        await bench.settle()
        while bench.desk.under_way:  # or what waits for it would keep the rest from being read
            bench.desk.under_way.pop().cancel()
            await bench.settle()
        numbers = [error.number for error in bench.session.status.errors.drain()]
        assert len(numbers) <= 32
        assert set(numbers) <= STANDARD_TEXTS.keys() - {-310}
        bench.session.clear()
        bench.said.clear()
        bench.session.feed(b"*CLS;*ESE 5;*ESE?;:SYST:ERR?\n")
        await bench.settle()
        assert bytes(bench.said) == b'5;0,"No error"\n'
        bench.said.clear()
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.clocks("jumping")
async def test_byte_soup_leaves_the_instrument_answering(
    rng: random.Random, caplog: pytest.LogCaptureFixture
) -> None:
    await fuzz(rng, SMALL, caplog)


@pytest.mark.full
@pytest.mark.timeout(3600)
@pytest.mark.clocks("jumping")
async def test_ten_million_bytes_of_soup(
    rng: random.Random, caplog: pytest.LogCaptureFixture
) -> None:
    await fuzz(rng, WHOLE, caplog)
