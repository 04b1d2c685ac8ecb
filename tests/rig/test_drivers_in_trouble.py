"""Each driver against its emulator through each trouble of wire and device, judged by the truth."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

import pytest

from controller.hardware import build
from hil.mischief import NotHere
from hil.rig import MemoryRig
from hil.troubles import TROUBLES, ordered
from hil.wires import Manners, Wire
from optics.faults import DeviceFault
from optics.quantities import StagePoint
from tests.plugged import connected_at_last
from tests.rig.fault_scripts import SMALL
from tests.rig.talkers import inline

pytestmark = pytest.mark.clocks("jumping")

FATAL = {"cable-cut": 0.0, "power-loss": 0.0, "hang": 0.0, "late-answer": 4.0}
"""What no driver may overlook, with a severity beyond every driver's patience; 0 is its own."""
WEARING = {"garble": 0.03, "drop-bytes": 0.03, "slow-wire": 3.0}
"""What may be overlooked, if nothing wrong comes of it later."""
LAMP_CPS, TURNS = 1e5, 8
BELIEVED_S = 0.2
"""Longer than a closed door must be closed for the board to believe it."""


async def stage_is_right(stage: Any, rig: MemoryRig) -> None:
    await stage.move_to(StagePoint(100.0, 90.0, 110.0))
    assert rig.rack.stage.true_position_um() == pytest.approx((100.0, 90.0, 110.0), abs=0.02)
    assert await stage.position() == pytest.approx((100.0, 90.0, 110.0), abs=0.02)


async def board_is_right(board: Any, rig: MemoryRig) -> None:
    await asyncio.sleep(BELIEVED_S)
    await board.light()
    lit = rig.rack.board.world.laser_on
    await board.darken()
    assert (lit, rig.rack.board.world.laser_on) == (True, False)
    await board.gates()
    await asyncio.sleep(0.5)
    gates = await board.gates()
    air_k, mount_k = rig.rack.world.temperatures_k(rig.clock())
    assert await board.temperatures_k() == pytest.approx((mount_k, air_k), abs=0.02)
    clicks = [sum(gate.clicks) / gate.counted_s for gate in gates]
    assert sum(clicks) / len(clicks) == pytest.approx(LAMP_CPS, rel=0.05)


async def laser_is_right(laser: Any, rig: MemoryRig) -> None:
    await laser.set_power(1234.0)
    assert rig.rack.laser.head.set_uw == pytest.approx(1234.0)
    assert (await laser.status()).set_uw == pytest.approx(1234.0)


async def camera_is_right(camera: Any, rig: MemoryRig) -> None:
    frame = await camera.frame(0.02)
    assert frame.number == rig.rack.camera.sensor.number
    assert frame.pixels.shape == (SMALL.camera.height_px, SMALL.camera.width_px)


async def tagger_is_right(tagger: Any, rig: MemoryRig) -> None:
    run = await tagger.tags(0.2)
    assert len(run.time_ps) == pytest.approx(0.2 * LAMP_CPS, rel=0.05)


RIGHT: Mapping[str, Callable[[Any, MemoryRig], Awaitable[None]]] = {
    "stage": stage_is_right,
    "board": board_is_right,
    "laser": laser_is_right,
    "camera": camera_is_right,
    "tagger": tagger_is_right,
}


class Ground:
    """The rig, without a controller."""

    def __init__(self, rig: MemoryRig) -> None:
        self.rack, self.clock = rig.rack, rig.clock
        self.wires: Mapping[str, Wire] = rig.wires

    def kill(self) -> None:
        raise NotHere("no controller")

    def revive(self) -> None:
        """There is none."""

    def fill_disk(self, *, full: bool) -> None:
        raise NotHere(f"no disk ({full})")

    def shift_clock(self, by_s: float) -> None:
        raise NotHere(f"no wall clock ({by_s:g} s)")


async def faults_through(trouble: str, severity: float, device: str, seed: int) -> int:
    """Told by the driver while it lasts; afterwards all is right again."""
    async with MemoryRig(seed, Manners(), SMALL) as rig:
        rig.rack.world.lamp_cps.set(0.0, LAMP_CPS)
        hardware = build(rig.config(scpi_port=-1), rig.in_memory, inline)
        driver = getattr(hardware, device)
        await connected_at_last(driver)
        await RIGHT[device](driver, rig)
        told = 0
        end = TROUBLES[trouble].begin(Ground(rig), ordered(trouble, 1e6, severity, device, "x"))
        for _ in range(1 if trouble in FATAL else TURNS):
            told += await _is_told(driver, RIGHT[device](driver, rig))
        end()
        await connected_at_last(driver)
        await RIGHT[device](driver, rig)
        await hardware.aclose()
    return told


async def _is_told(driver: Any, attempt: Awaitable[None]) -> bool:
    """Whether it ended in a fault; the driver then connects again, as the controller would."""
    try:
        await attempt
    except DeviceFault:
        with suppress(DeviceFault):
            await driver.connect()
        return True
    except AssertionError:  # a worn byte was believed, since not every line has a checksum
        return False
    return False


@pytest.mark.parametrize("device", RIGHT)
@pytest.mark.parametrize("trouble", FATAL)
async def test_what_ends_a_conversation_is_told_and_heals(
    trouble: str, device: str, seed: int
) -> None:
    assert await faults_through(trouble, FATAL[trouble], device, seed) == 1


@pytest.mark.full
@pytest.mark.parametrize("device", RIGHT)
@pytest.mark.parametrize("trouble", WEARING)
async def test_what_wears_a_line_leaves_nothing_wrong_behind(
    trouble: str, device: str, seed: int
) -> None:
    assert await faults_through(trouble, WEARING[trouble], device, seed) > 0


@pytest.mark.parametrize("device", RIGHT)
async def test_bytes_that_come_one_by_one_are_no_trouble(device: str, seed: int) -> None:
    assert await faults_through("split-bytes", 0.95, device, seed) == 0
