"""The whole rack, from blank memory to light on a proven emitter, and back to it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from hil.hosts import MemoryHost
from hil.nature import ChipNature, WorldNature
from hil.rig import MemoryRig
from hil.wires import Manners
from tests.rig.bench import Bench

pytestmark = [pytest.mark.clocks("jumping"), pytest.mark.timeout(600)]

SMALL = WorldNature(chip=ChipNature(width_um=160.0, pair_share=0.0, cluster_share=0.0))
LIT_AFTER_S = 1.0
G2_WITHIN_S = 65.0
TRIGGER_HZ = 40e6
TRACKING, LASER_POWER = 1 << 10, 1 << 3  # of OPERation and of QUEStionable
FIELD: dict[str, dict[str, float]] = {
    "survey": {"side_um": 25.0, "constellation_um": 60.0, "most_visits": 1}
}


@asynccontextmanager
async def running(
    rig: MemoryRig, data: Path, field: dict[str, dict[str, float]] = FIELD
) -> AsyncIterator[Bench]:
    """A controller on this rig, for as long as the block lasts."""
    async with rig.controller(data, rig.config(scpi_port=-1, **field)):
        yield Bench(rig, MemoryHost(rig.scpi_port), "")


async def in_focus(rig: MemoryRig) -> tuple[int, float]:
    """The emitter that truth has nearest the focus, and the share of its best light it gives."""
    await asyncio.sleep(LIT_AFTER_S)
    world, now_s = rig.rack.world, rig.clock()
    emitters = world.scene(now_s).chip.emitters
    aside_um = np.hypot(*(emitters.place_um - world.focus_um(now_s))[:, :2].T)
    nearest = int(np.argmin(aside_um))
    assert emitters.is_single[nearest]
    given, best = world.signal_cps(nearest, now_s)
    return nearest, given / best


async def test_from_blank_memory_to_the_same_emitter_after_a_power_cycle(tmp_path: Path) -> None:
    """Truth says which emitter shines, and that the light is dark whenever it is not wished."""
    async with MemoryRig(1, Manners(), SMALL) as rig:
        async with running(rig, tmp_path) as bench:
            emitter, selected = await first_light(rig, bench)
            await an_emission_is_told(rig, bench)
            epoch = int(await bench.ask("SOUR:EPOC?"))
            assert await bench.ask("OUTP OFF;*OPC?;:SOUR:STAT?") == "1;READY"
            assert rig.rack.world.laser_power_uw(rig.clock()) == 0.0
            await bench.tell("OUTP ON")
            await bench.reach("EMITTING")
            assert await bench.errors() == '0,"No error"'
        rig.rack.power_off()
        rig.rack.power_on()
        async with running(rig, tmp_path) as bench:
            await bench.reach("REGISTERING", within_s=60)
            await bench.reach("EMITTING", within_s=120)
            again, share = await in_focus(rig)
            assert (again, await bench.ask("SITE:SEL?")) == (emitter, selected)
            assert share > 0.98
            assert int(await bench.ask("SOUR:EPOC?")) == epoch


@pytest.mark.full
async def test_another_chip_is_refused_and_an_open_interlock_latches(tmp_path: Path) -> None:
    async with MemoryRig(1, Manners(), SMALL) as rig:
        async with running(rig, tmp_path) as bench:
            _, selected = await first_light(rig, bench)
            await an_open_interlock_is_dark_and_closing_it_heals(rig, bench)
        rig.rack.power_off()
        rig.rack.world.swap_chip(rig.clock())
        rig.rack.power_on()
        async with running(rig, tmp_path) as bench:
            await bench.reach("DEGRADED", within_s=120)
            assert "none that is known" in await bench.ask("SOUR:FAUL?")
            assert await bench.ask("SITE:SEL?") == selected
            assert rig.rack.world.laser_power_uw(rig.clock()) == 0.0


async def first_light(rig: MemoryRig, bench: Bench) -> tuple[int, str]:
    """From blank memory; the emitter of truth, and the name it was given."""
    await bench.reach("SURVEYING")
    await bench.reach("EMITTING", within_s=600)
    emitter, share = await in_focus(rig)
    assert share > 0.98
    assert int(await bench.ask("SITE:COUN?")) >= 1
    assert float((await bench.ask("FETC:BRIG?")).split(",")[0]) > 20e3
    return emitter, await bench.ask("SITE:SEL?")


async def an_emission_is_told(rig: MemoryRig, bench: Bench) -> None:
    """How well it points, what that costs, and each change of power or limit as one epoch."""
    pointing = [float(number) for number in (await bench.ask("FETC:POIN?")).split(",")]
    assert 0.97 < pointing[6] < 1.0
    assert max(pointing[3:5]) < 20e-9
    assert pointing[7] < 1.0
    assert 0.0 < float(await bench.ask("TRAC:LOSS?")) < 0.05
    assert int(await bench.ask("STAT:OPER:COND?")) & TRACKING
    await bench.tell("TRAC OFF")
    await asyncio.sleep(0.5)
    assert not int(await bench.ask("STAT:OPER:COND?")) & TRACKING
    epoch = int(await bench.ask("TRAC ON;:SOUR:EPOC?"))
    await bench.tell("SOUR:POW 1.2MW")
    await asyncio.sleep(4.0)
    assert int(await bench.ask("SOUR:EPOC?")) == epoch + 1
    assert not int(await bench.ask("STAT:QUES:COND?")) & LASER_POWER
    rig.rack.laser.head.sag(0.8)
    await asyncio.sleep(3.0)
    assert int(await bench.ask("STAT:QUES:COND?")) & LASER_POWER
    rig.rack.laser.head.sag(1.0)
    await asyncio.sleep(3.0)
    assert not int(await bench.ask("STAT:QUES:COND?")) & LASER_POWER
    assert int(await bench.ask("SOUR:EPOC?")) == epoch + 2
    emitter, share = await in_focus(rig)
    assert share > 0.98
    await the_photons_are_worth_a_key(rig, bench, emitter)


async def the_photons_are_worth_a_key(rig: MemoryRig, bench: Bench, emitter: int) -> None:
    """As many as truth has for the output; g2(0) is measured on, and a key rate follows."""
    low, value, high, age_s = (float(x) for x in (await bench.ask("FETC:PHOT?")).split(","))
    optics, now_s = rig.rack.world.nature.optics, rig.clock()
    signal_cps, _ = rig.rack.world.signal_cps(emitter, now_s)
    glow_cps = rig.rack.world.laser_power_uw(now_s) * SMALL.chip.background_cps_per_uw
    collected_cps = (signal_cps + glow_cps) / optics.reference_efficiency / optics.tapped
    assert low < collected_cps * (1 - optics.tapped) * optics.onward / TRIGGER_HZ < high
    assert high - low < 0.2 * value
    assert age_s < 1.5
    _, _, upper95, _ = (float(x) for x in (await bench.ask("FETC:PUR?")).split(","))
    lower, upper = (float(x) for x in (await bench.ask("FETC:KEYR? 3")).split(","))
    assert 0.0 <= lower < upper < TRIGGER_HZ * value
    await asyncio.sleep(G2_WITHIN_S)
    _, _, later_upper95, age_s = (float(x) for x in (await bench.ask("FETC:PUR?")).split(","))
    assert age_s < G2_WITHIN_S
    assert later_upper95 != upper95  # from other photons; that it falls would be chance


async def an_open_interlock_is_dark_and_closing_it_heals(rig: MemoryRig, bench: Bench) -> None:
    """Told as LATCHED, and light is back only after all has been proven again."""
    await asyncio.sleep(LIT_AFTER_S)
    assert rig.rack.world.laser_power_uw(rig.clock()) > 0.0
    rig.rack.open_door()  # the laser has its interlock there too, and remembers
    await asyncio.sleep(0.1)
    assert rig.rack.world.laser_power_uw(rig.clock()) == 0.0
    await bench.reach("LATCHED")
    assert "interlock" in await bench.ask("SOUR:FAUL?")
    rig.rack.close_door()
    await bench.reach("EMITTING", within_s=120)
