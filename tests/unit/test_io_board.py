"""The board's driver against its real firmware, over a wire in memory."""

import asyncio
import math
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from hil.emulators.io_board_flash import installed, manifest, slot_files
from optics.faults import DeviceLost, DeviceRefused, DeviceStuck, OutOfReach
from optics.io_board import IoBoard
from optics.link import Patience
from optics.transports import memory_opener
from tests.unit.board_bench import SETTINGS, TOO_FAST, Bench

pytestmark = pytest.mark.clocks("jumping")


@pytest.fixture
async def bench(seed: int) -> AsyncIterator[Bench]:
    bench = Bench(seed)
    await bench.start()
    await bench.board.connect()
    yield bench
    await bench.stop()


def altered(old: bytes, new: bytes) -> dict[str, bytes]:
    """A board as it leaves the workshop, with other words in its firmware."""
    files = slot_files()
    assert old in files["firmware.py"]
    files["firmware.py"] = files["firmware.py"].replace(old, new)
    flash = installed() | {f"a/{name}": text for name, text in files.items()}
    return flash | {"a/manifest": manifest(files)}


async def test_who_answers_is_told_and_it_is_dark(bench: Bench) -> None:
    await bench.board.light()
    assert bench.lit()
    identity = await bench.board.connect()
    assert (identity.maker, identity.model) == ("gansource", "IO-1")
    assert not bench.lit()


UNFIT = {
    "speaks protocol 3, this gansource 2": altered(b"PROTOCOL = 2", b"PROTOCOL = 3"),
    "does not know LENS, LENS\\?": altered(b'"LENS', b'"LANT'),
    r"in safe mode \(no slot holds firmware": {
        name: text for name, text in installed().items() if not name.startswith("a/")
    },
}


@pytest.mark.parametrize("why", UNFIT)
async def test_a_board_that_does_not_fit_is_refused_with_what_to_flash(seed: int, why: str) -> None:
    bench = Bench(seed, UNFIT[why])
    await bench.start()
    with pytest.raises(DeviceRefused, match=f"{why}.*gansource flash --port /dev/board"):
        await bench.board.connect()
    await bench.stop()


async def test_the_light_is_a_lease_that_is_renewed_or_ends(bench: Bench) -> None:
    board = bench.board
    await board.light()
    for _ in range(10):
        await asyncio.sleep(0.2)
        await board.renew()
    assert bench.lit()
    status = await board.lease()
    assert status.lit
    assert 0.2 < status.left_s <= 0.25
    assert status.ended_by == ""
    await asyncio.sleep(0.3)
    assert not bench.lit()
    with pytest.raises(DeviceRefused, match="EXPIRED"):
        await board.renew()
    status = await board.lease()
    assert (status.lit, status.ended_by) == (False, "EXPIRED")
    assert status.ended_s_ago == pytest.approx(0.06, abs=0.02)
    await board.light()
    assert bench.lit()


async def test_darkness_does_not_wait_for_its_turn(bench: Bench) -> None:
    await bench.board.light()
    bench.wire.hold_next_answer(for_s=0.2)
    asking = asyncio.create_task(bench.board.temperatures_k())
    await asyncio.sleep(0.01)
    darkening = asyncio.create_task(bench.board.darken())
    await asyncio.sleep(0.02)
    assert not bench.lit()
    await asyncio.gather(asking, darkening)
    assert (await bench.board.lease()).ended_by == "RELEASED"


async def test_an_open_door_is_told_as_the_reason(bench: Bench) -> None:
    await bench.board.light()
    assert await bench.board.interlock_closed()
    bench.emulator.set_interlock(closed=False)
    assert not bench.lit()
    with pytest.raises(DeviceRefused, match="interlock"):
        await bench.board.renew()
    assert not await bench.board.interlock_closed()
    assert (await bench.board.lease()).ended_by == "INTERLOCK"


class Photons:
    """Clicks that come evenly, on b half as many."""

    def __init__(self) -> None:
        self.total = 0

    def __call__(self, begin_s: float, end_s: float, _window_s: float) -> tuple[int, int, int]:
        clicks = round(1e6 * end_s) - round(1e6 * begin_s)
        self.total += clicks
        return clicks, clicks // 2, 3


async def test_gates_come_once_each_at_their_time_in_the_loops_clock(bench: Bench) -> None:
    bench.emulator.world.source = Photons()
    await bench.board.set_gate(0.005)
    await asyncio.sleep(0.1)
    await bench.board.gates()
    found = []
    for _ in range(50):
        await asyncio.sleep(0.09)
        found += await bench.board.gates()
    numbers = [gate.number for gate in found]
    assert numbers == list(range(numbers[0], numbers[0] + len(found)))
    assert len(found) > 850
    assert {gate.counted_s for gate in found} == {0.005}
    assert sum(gate.clicks[0] for gate in found) == pytest.approx(5000 * len(found), abs=2)
    apart_s = (found[-1].ended_s - found[0].ended_s) / (len(found) - 1)
    assert apart_s == pytest.approx(0.005 / (1 + TOO_FAST), abs=1e-6)
    last_s = asyncio.get_running_loop().time() - found[-1].ended_s
    assert -0.0005 < last_s < 0.008


async def test_gates_that_nobody_fetched_in_time_are_missed(bench: Bench) -> None:
    before = (await bench.board.gates())[-1].number
    await asyncio.sleep(1.0)  # a hundred gates, and the board keeps 32
    after = await bench.board.gates()
    assert len(after) == pytest.approx(32, abs=1)
    assert after[0].number > before + 50


async def test_a_board_that_started_anew_is_lost_and_not_believed(bench: Bench) -> None:
    await bench.board.gates()
    bench.emulator.world.clock = asyncio.get_running_loop().time
    bench.emulator.power_cycle()
    with pytest.raises(DeviceLost):
        await bench.board.gates()
    await bench.board.connect()
    await asyncio.sleep(0.1)
    assert await bench.board.gates()


async def test_offsets_and_polarisation_are_codes_of_the_converter(bench: Bench) -> None:
    await bench.board.offset(0.5, 0.5, -1.0)
    assert bench.emulator.world.codes == [37768, 27768, 27768, 0]
    await bench.board.polarise(0.25 + 3 * math.pi)
    assert bench.emulator.world.codes[3] == 2500


@pytest.mark.parametrize("x_um", [3.5, -3.5, math.nan])
async def test_beyond_the_converters_range_nothing_is_sent(bench: Bench, x_um: float) -> None:
    before = bench.wire.log.events
    with pytest.raises(OutOfReach):
        await bench.board.offset(x_um, 0.0, 0.0)
    with pytest.raises(OutOfReach):
        await bench.board.set_gate(x_um * 10)
    assert bench.wire.log.events == before


async def test_an_axis_without_an_input_takes_no_offset_but_none(bench: Bench) -> None:
    await bench.board.aclose()
    settings = replace(SETTINGS, um_per_code=(0.0, -1e-4, 2e-4))
    bench.board = IoBoard(memory_opener(bench.port.connect), settings, Patience())
    await bench.board.connect()
    await bench.board.offset(0.0, 0.5, 0.0)
    assert bench.emulator.world.codes[:3] == [32768, 27768, 32768]
    with pytest.raises(OutOfReach):
        await bench.board.offset(1e-3, 0.0, 0.0)


async def test_a_converter_that_does_not_agree_is_stuck(bench: Bench) -> None:
    bench.emulator.world.dac_answers = False
    with pytest.raises(DeviceStuck, match="DAC channel 0"):
        await bench.board.offset(0.0, 0.0, 0.0)


async def test_the_lens_stands_when_it_is_said_to(bench: Bench) -> None:
    loop, moved = asyncio.get_running_loop(), []
    bench.emulator.world.flipped = lambda _at_s, wide: moved.append((loop.time(), wide))
    for wide in (True, True, False):
        await bench.board.widen(wide=wide)
        assert loop.time() - moved[-1][0] >= SETTINGS.lens_travel_s - 0.005
    assert [wide for _, wide in moved] == [True, False]


async def test_temperatures_and_a_lost_thermometer(bench: Bench) -> None:
    bench.emulator.world.temperatures_c = [21.5, None]
    await asyncio.sleep(2)
    mount_k, board_k = await bench.board.temperatures_k()
    assert mount_k == pytest.approx(294.65)
    assert math.isnan(board_k)


async def test_what_was_damaged_on_the_way_is_said_again(bench: Bench) -> None:
    """Nothing wrong is ever believed or done; a line that is bad enough is lost."""
    wrong, lost = 0, 0
    with bench.wire.troubled(garble=0.001):
        for turn in range(400):
            try:
                await bench.board.polarise(turn * 1e-3)
                wrong += bench.emulator.world.codes[3] != 10 * turn
            except DeviceLost:
                lost += 1
                while lost:
                    try:
                        await bench.board.connect()
                        break
                    except DeviceLost:
                        continue
    assert wrong == 0
    assert 0 < lost < 40
