"""All devices see one world: told through their protocols, judged by the truth."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from hil.nature import ChipNature, EnvironmentNature, WorldNature
from hil.rig import MemoryRig
from hil.wires import Manners
from tests.rig.lines import Board, Lines
from tests.unit.dark_room import SIGMAS, loneliest

pytestmark = pytest.mark.clocks("jumping")

STILL = EnvironmentNature(walk_nm2_per_s=(0.0, 0.0, 0.0), vibration_nm=((0, 0, 0),) * 3)
NATURE = WorldNature(chip=ChipNature(width_um=60.0), environment=STILL)
SETTLED_S = 0.2
WARM_S = 12.0


@pytest.fixture
async def rig(seed: int) -> AsyncIterator[MemoryRig]:
    async with MemoryRig(seed, Manners(), NATURE) as powered:
        await asyncio.sleep(WARM_S)
        yield powered


async def _lit(rig: MemoryRig, power_w: float) -> Board:
    """The laser on, and the lease taken for half a second."""
    laser, board = Lines(rig, "laser", "\r"), Board(rig)
    assert await laser.ask(f"p {power_w:.6f}") == "OK"
    assert await laser.ask("@cob1") == "OK"
    await asyncio.sleep(WARM_S)
    assert await laser.ask("l?") == "1"
    await board.order("LEAS 0")
    await board.order("LEAS 500")
    return board


async def _centred(board: Board) -> None:
    """No offset: the middle of the DAC's span."""
    for channel in range(3):
        await board.order(f"DAC {channel},32768")


async def _moved(rig: MemoryRig, *place_um: float) -> None:
    stage = Lines(rig, "stage")
    stage.tell("SVO 1 1 2 1 3 1")
    stage.tell("MOV " + " ".join(f"{n} {um:.6f}" for n, um in enumerate(place_um, 1)))
    await asyncio.sleep(SETTLED_S)
    assert await stage.ask("ERR?") == "0"
    stage.hang_up()


async def test_light_falls_only_while_the_laser_emits_and_the_lease_is_lit(rig: MemoryRig) -> None:
    def power_uw() -> float:
        return rig.rack.world.laser_power_uw(rig.clock())

    board = await _lit(rig, 0.0013)
    assert power_uw() == pytest.approx(1300.0, rel=0.05)
    await board.order("LEAS 0")
    assert power_uw() == 0.0
    await board.order("LEAS 0")
    await board.order("LEAS 300")
    await asyncio.sleep(0.29)
    assert power_uw() > 0.0
    await asyncio.sleep(0.02)  # nobody renewed it
    assert power_uw() == 0.0
    await board.order("LEAS 0")
    await board.order("LEAS 500")
    assert power_uw() > 0.0
    rig.rack.board.set_interlock(closed=False)
    assert power_uw() == 0.0


async def test_the_focus_is_where_the_stage_stands_and_the_dac_pushes_it(rig: MemoryRig) -> None:
    world, board = rig.rack.world, Board(rig)
    await _centred(board)
    places_um = []
    for place_um in ((50.0, 60.0, 70.0), (52.0, 60.0, 70.0)):
        await _moved(rig, *place_um)
        places_um.append(world.focus_um(rig.clock()))
    await board.order("DAC 0,45875")  # a fifth of its span of 10 um, by an error of 1 %
    await asyncio.sleep(SETTLED_S)
    places_um.append(world.focus_um(rig.clock()))
    one_um, other_um = places_um[1] - places_um[0], places_um[2] - places_um[1]
    assert np.linalg.norm(one_um) == pytest.approx(2.0, abs=0.01)
    assert other_um == pytest.approx(one_um * 1.01, abs=0.01)


async def test_the_board_counts_the_photons_of_the_emitter_in_the_focus(rig: MemoryRig) -> None:
    """Pointed at it, and beside it, in gates of 100 ms; the very numbers the world has."""
    world = rig.rack.world
    emitters = world.scene(rig.clock()).chip.emitters
    place_um = emitters.place_um[loneliest(emitters)]
    board = await _lit(rig, 0.001)
    await board.order("GATE 100")
    await _centred(board)
    seen = []
    for beside_um in (0.0, 3.0):
        aim_um = world.aim_um(place_um + np.array([beside_um, 0.0, 0.0]), rig.clock())
        await _moved(rig, *aim_um)
        await board.order("LEAS 0")
        await board.order("LEAS 500")
        await asyncio.sleep(0.35)
        a, b, _both, counted_us, _number, _read_us = map(int, (await board.ask("COUN?")).split(","))
        assert counted_us == 100_000
        seen.append(a + b)
        now_s = int(rig.clock() * 10) / 10
        whole = [sum(world.counts(now_s - n / 10, now_s - (n - 1) / 10)) for n in range(3)]
        assert a + b == pytest.approx(np.mean(whole), abs=SIGMAS * np.sqrt(np.mean(whole)) + 20)
    assert seen[0] > 2 * seen[1]


async def test_the_thermometers_read_the_worlds_temperatures(rig: MemoryRig) -> None:
    mount_c, air_c = map(float, (await Board(rig).ask("TEMP?")).split(","))
    air_k, mount_k = rig.rack.world.temperatures_k(rig.clock())
    assert (mount_c, air_c) == pytest.approx((mount_k - 273.15, air_k - 273.15), abs=0.02)


async def test_a_rack_without_power_is_dark_and_its_chip_lies_elsewhere_afterwards(
    rig: MemoryRig,
) -> None:
    await _lit(rig, 0.001)
    world, before = rig.rack.world, rig.rack.world.scene(rig.clock())
    rig.rack.power_off()
    assert world.laser_power_uw(rig.clock()) == 0.0
    await asyncio.sleep(5)
    rig.rack.power_on()
    after = world.scene(rig.clock() + 0.001)
    assert after.chip is before.chip
    assert after.pose != before.pose
    await asyncio.sleep(WARM_S)
    stage = Lines(rig, "stage")
    assert (await stage.ask("*IDN?")).endswith("13.12.00.00")
