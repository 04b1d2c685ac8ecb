"""Power cuts at random instants of a survey: what was recorded stays, and the map becomes whole."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from controller.ledger import Ledger
from controller.peek import kept
from controller.store import DATABASE
from hil.claims import Witness
from hil.hosts import MemoryHost
from hil.nature import ChipNature, PoseNature, WorldNature
from hil.rig import MemoryRig
from hil.stand import Stand
from hil.wires import Manners

pytestmark = [pytest.mark.clocks("jumping"), pytest.mark.timeout(3600)]

NATURE = WorldNature(
    chip=ChipNature(width_um=80.0, pair_share=0.0, cluster_share=0.0),
    pose=PoseNature(shift_um=4.0, height_um=2.0),
)
FIELD = {"survey": {"side_um": 14.0, "constellation_um": 40.0}}
OFF_S = 2.0
SAME_UM = 0.1
AFTER = ("LOCKING", "VERIFYING", "READY", "EMITTING", "DEGRADED")


class Record(NamedTuple):
    """What the disk says of the survey."""

    tiles: int
    sites: dict[str, tuple[float, float]]
    outcomes: int


def record(data: Path) -> Record:
    if not (data / DATABASE).exists():
        return Record(0, {}, 0)
    sites = {name: site.place[:2] for name, site in kept(data).catalogue.sites.items()}
    with closing(Ledger(data / DATABASE)) as ledger:
        [[tiles]] = ledger.read("SELECT count(*) FROM tile")
        [[outcomes]] = ledger.read("SELECT count(*) FROM candidate WHERE outcome IS NOT NULL")
    return Record(tiles, sites, outcomes)


async def recorded(data: Path) -> Record:
    return await asyncio.to_thread(record, data)


@asynccontextmanager
async def stand(rig: MemoryRig, data: Path) -> AsyncIterator[Stand]:
    """A controller that can be cut off, and started again on the same disk."""
    at = Stand(rig, data, lambda: rig.config(scpi_port=-1, **FIELD))
    try:
        yield at
    finally:
        await at.aclose()


async def surveyed(rig: MemoryRig) -> None:
    """Until something else goes on that follows a survey."""
    host = MemoryHost(rig.scpi_port)
    witness, state = Witness(host, host.forget), ""
    async with asyncio.timeout(600.0):
        while state not in AFTER:
            await asyncio.sleep(0.5)
            state = (await witness.claim()).state


async def cut(rig: MemoryRig, at: Stand) -> None:
    """All power goes at this instant, the controller's too; later it comes back."""
    at.kill()
    rig.rack.power_off()
    await asyncio.sleep(OFF_S)
    rig.rack.power_on()
    at.revive()


async def uncut(seed: int, data: Path) -> tuple[Record, float]:
    """The map as it should be, and how long it took."""
    async with MemoryRig(seed, Manners(), NATURE) as rig, stand(rig, data) as at:
        await at.start()
        began_s = rig.clock()
        await surveyed(rig)
        return await recorded(data), rig.clock() - began_s


async def cut_survey(seed: int, data: Path, cuts: list[float]) -> Record:
    """The same with cuts, each so long after the last; nothing that was recorded is ever lost."""
    async with MemoryRig(seed, Manners(), NATURE) as rig, stand(rig, data) as at:
        await at.start()
        for after_s in cuts:
            await asyncio.sleep(after_s)
            before = await recorded(data)
            await cut(rig, at)
            after = await recorded(data)
            assert after.sites.items() >= before.sites.items()
            assert (after.tiles, after.outcomes) >= (before.tiles, before.outcomes)
        await surveyed(rig)
        return await recorded(data)


def same(one: Record, other: Record) -> float:
    """How far apart the sites of two maps lie at most, as far as a rigid move cannot help it."""
    places = [np.array(list(r.sites.values())) for r in (one, other)]
    assert len(places[0]) == len(places[1]), (one.sites, other.sites)
    apart = np.linalg.norm(places[0][:, None] - places[1][None, :], axis=2)
    partner = apart.argmin(axis=1)
    assert sorted(partner) == list(range(len(partner))), "each has one of its own"
    off = places[0] - places[1][partner]
    return float(np.abs(off - off.mean(axis=0)).max())


async def trial(seed: int, folder: Path, number: int, rng: random.Random) -> None:
    whole, took_s = await uncut(seed, folder / f"whole-{number}")
    cuts = [rng.uniform(0.0, took_s) for _ in range(number)]
    mended = await cut_survey(seed, folder / f"cut-{number}", cuts)
    assert same(whole, mended) < SAME_UM, cuts


@pytest.mark.full
@pytest.mark.parametrize("cuts", [2, 10])
async def test_a_cut_survey_goes_on_and_ends_with_the_same_map(
    tmp_path: Path, rng: random.Random, cuts: int
) -> None:
    """Some fall into the light that follows, which must not harm the map either."""
    await trial(3, tmp_path, cuts, rng)
