"""The doctor meets the rack: who is there is named, who is not is found out in bounded time."""

import asyncio

import pytest

from controller.device_check import PATIENCE_S, check_devices
from controller.findings import Finding
from hil.rig import MemoryRig
from hil.wires import Manners

pytestmark = pytest.mark.clocks("jumping")

BOOTED_S = 20.0
NAMES = {"stage", "board", "laser", "tagger", "camera"}


async def examined(rig: MemoryRig, **changes: dict[str, str]) -> dict[str, Finding]:
    found: list[Finding] = []
    await check_devices(rig.config(scpi_port=-1, **changes), rig.in_memory, found.append)
    return {finding.what: finding for finding in found}


async def test_every_device_of_a_sound_rack_is_named() -> None:
    async with MemoryRig(1, Manners()) as rig:
        await asyncio.sleep(BOOTED_S)
        found = await examined(rig)
    assert {name: finding.verdict for name, finding in found.items()} == dict.fromkeys(NAMES, "ok")
    assert "E-727" in found["stage"].words


async def test_what_is_cut_off_or_mute_is_told_in_bounded_time_and_the_rest_is_well() -> None:
    loop = asyncio.get_running_loop()
    async with MemoryRig(1, Manners()) as rig:
        await asyncio.sleep(BOOTED_S)
        rig.wires["laser"].cut()
        rig.rack.stage.frozen = True
        found = await examined(rig)
        assert loop.time() <= BOOTED_S + PATIENCE_S + 1.0
    troubled = {name for name, finding in found.items() if finding.verdict == "trouble"}
    assert troubled == {"laser", "stage"}
    assert {found[name].status for name in troubled} == {5}
    assert "[laser] address" in found["laser"].remedy


async def test_a_device_that_is_not_configured_is_a_note() -> None:
    async with MemoryRig(1, Manners()) as rig:
        found = await examined(rig, tagger={"address": ""})
    assert (found["tagger"].verdict, found["tagger"].status) == ("note", 0)
