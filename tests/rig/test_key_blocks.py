"""A key host's blocks under trouble: each that lost a limit is cut, and none without reason."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from hil.hosts import MemoryHost
from hil.nature import ChipNature, WorldNature
from hil.rig import MemoryRig
from hil.stand import Stand
from hil.troubles import TROUBLES, ordered
from hil.wires import Manners
from tests.rig.key_blocks import BLOCK_S, Block, KeyHost, Truth

pytestmark = [pytest.mark.clocks("jumping"), pytest.mark.timeout(3000)]

SMALL = WorldNature(chip=ChipNature(width_um=160.0, pair_share=0.0, cluster_share=0.0))
SET_UW = 400.0
RACK: dict[str, dict[str, float]] = {
    "survey": {"side_um": 25.0, "constellation_um": 60.0, "most_visits": 4},
    "laser": {"power_uw": SET_UW},
    "limits": {"g2_upper95": 0.8},  # by jitter and background alone some emitters have 0.45
}
TROUBLE_IN = 0.3  # of the blocks
LIT_WITHIN_S = 300.0


class Met(NamedTuple):
    """A trouble that blocks meet."""

    name: str
    for_s: float
    severity: float = 0.0
    device: str = "stage"


MET = (
    *(Met("laser-sag", 5.0, 0.6), Met("laser-sag", 300.0, 0.98), Met("path-loss", 6.0, 0.3)),
    *(Met("emitter-blinks", 0.2), Met("emitter-blinks", 4.0), Met("interlock-open", 3.0)),
    *(Met("cable-cut", 3.0, device="board"), Met("cable-cut", 3.0, device="laser")),
    *(Met("cable-cut", 3.0, device="stage"), Met("late-answer", 0.0, 0.4, device="tagger")),
    *(Met("temperature-step", 120.0, 0.5), Met("vibration", 4.0, 0.05)),
    *(Met("camera-freeze", 5.0), Met("detector-dead", 4.0), Met("emitter-bleaches", 0.0)),
)
MOST_DEATHS = 2


class Tally(NamedTuple):
    """Of all blocks."""

    missed: list[str]  # a limit was left, and the host could not know
    baseless: list[str]  # cut, and all was well
    cut: int
    kept: int


@asynccontextmanager
async def shining(data: Path, seed: int) -> AsyncIterator[tuple[Stand, MemoryHost]]:
    """A rack that emits, and a host at its serial line."""
    async with MemoryRig(seed, Manners(), SMALL) as rig:
        host = MemoryHost(rig.scpi_port)
        stand = Stand(rig, data, lambda: rig.config(scpi_port=-1, **RACK))
        await stand.start()
        try:
            async with asyncio.timeout(LIT_WITHIN_S):
                while await host.ask("SOUR:STAT?") != "EMITTING":
                    await asyncio.sleep(0.5)
            yield stand, host
        finally:
            await stand.aclose()


async def drill(data: Path, seed: int, count: int) -> Tally:
    """So many blocks, a trouble in some of them."""
    rng, tally = random.Random(f"{seed} key blocks"), Tally([], [], 0, 0)
    async with shining(data, seed) as (stand, host):
        truth = Truth(stand.rack, stand.clock, SET_UW)
        watching = asyncio.create_task(truth.watch())
        met = _troubles(rng, count)
        _plan(stand, rng, next(met))
        async for block in KeyHost(host, host.forget, stand.clock).blocks(count):
            tally = _judged(tally, block, truth)
            _plan(stand, rng, next(met))
        watching.cancel()
        assert not stand.crashes
    return tally


def _troubles(rng: random.Random, count: int) -> Iterator[Met | None]:
    deaths = 0
    for _ in range(count + 1):
        met = rng.choice(MET) if rng.random() < TROUBLE_IN else None
        if met is not None and met.name == "emitter-bleaches":
            deaths += 1
            met = met if deaths <= MOST_DEATHS else None
        yield met


def _plan(stand: Stand, rng: random.Random, met: Met | None) -> None:
    if met is None:
        return
    loop = asyncio.get_running_loop()
    order = ordered(met.name, met.for_s, met.severity, met.device, "x")

    def begin() -> None:
        loop.call_later(order.for_s, TROUBLES[met.name].begin(stand, order))

    loop.call_later(rng.uniform(0.0, BLOCK_S), begin)


def _judged(tally: Tally, block: Block, truth: Truth) -> Tally:
    wrongs, words = truth.wrongs(block), f"{block.began_s:.2f} s"
    if wrongs and not block.cut:
        tally.missed.append(f"{words}: {wrongs}")
    if block.cut and truth.is_blameless(block):
        tally.baseless.append(f"{words}: {block.cut}")
    return tally._replace(cut=tally.cut + bool(block.cut), kept=tally.kept + (not block.cut))


@pytest.mark.full
@pytest.mark.parametrize("seed", [1, 2])
async def test_blocks_are_cut_where_a_limit_was_left_and_nowhere_else(
    tmp_path: Path, seed: int
) -> None:
    tally = await drill(tmp_path, seed, 200)
    print(f"seed {seed}: {tally.kept} kept, {tally.cut} cut")  # noqa: T201
    assert not tally.missed
    assert not tally.baseless
    assert tally.cut > 20
    assert tally.kept > 100
