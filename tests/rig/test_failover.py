"""An emitter dies under the eyes of a host: what it is told, and when a reserve shines instead."""

import asyncio
from pathlib import Path

import pytest

from hil.rig import MemoryRig
from hil.wires import Manners
from tests.rig.bench import Bench
from tests.rig.test_first_light import FIELD, SMALL, in_focus, running

pytestmark = [pytest.mark.clocks("jumping"), pytest.mark.timeout(900), pytest.mark.full]

FEW = {"survey": {**FIELD["survey"], "most_visits": 4}}
BLINK_S, WITHIN_S = 3.0, 20.0


async def test_a_long_blink_moves_nothing_and_a_dead_emitter_is_replaced(tmp_path: Path) -> None:
    async with MemoryRig(1, Manners(), SMALL) as rig, running(rig, tmp_path, FEW) as bench:
        await bench.reach("EMITTING", within_s=600)
        emitter, _ = await in_focus(rig)
        selected = await bench.ask("SITE:SEL?")
        await a_blink_moves_nothing(rig, bench, emitter)
        assert await bench.ask("SITE:SEL?") == selected
        rig.rack.world.bleach(emitter, rig.clock())
        await the_reserve_is_announced_before_it_shines(rig, bench)
        successor, share = await in_focus(rig)
        assert successor != emitter
        assert share > 0.97
        assert await bench.ask("SITE:SEL?") != selected
        assert await bench.ask(f"SITE:STAT? {selected}") == "RET"


async def a_blink_moves_nothing(rig: MemoryRig, bench: Bench, emitter: int) -> None:
    stage, world = rig.rack.stage, rig.rack.world
    before_um = world.focus_um(rig.clock())
    world.blink_off(emitter, rig.clock(), BLINK_S)
    strayed_um = 0.0
    for _ in range(80):
        await asyncio.sleep(0.1)
        assert await bench.ask("SOUR:STAT?") == "EMITTING"
        stage.catch_up()
        away_um = abs(world.focus_um(rig.clock()) - before_um).max()
        strayed_um = max(strayed_um, float(away_um))
    assert strayed_um < 0.1


async def the_reserve_is_announced_before_it_shines(rig: MemoryRig, bench: Bench) -> None:
    """The epoch is another one by the time anything else than the old emitter is in the light."""
    began_s, epoch = rig.clock(), int(await bench.ask("SOUR:EPOC?"))
    while await bench.ask("SOUR:STAT?") == "EMITTING":
        await asyncio.sleep(0.02)
    told = int(await bench.ask("SOUR:EPOC?"))
    assert told > epoch
    await bench.reach("EMITTING", within_s=WITHIN_S)
    assert rig.clock() - began_s < WITHIN_S
