"""Both laser drivers against their emulators: what a laser does, and what is done to its cable."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from optics.faults import DeviceGarbled, DeviceLost, DeviceRefused, OutOfReach
from tests.laser_bench import DRIVERS, PATIENCE, SET_UW, Bench
from tests.plugged import plugged_in

pytestmark = pytest.mark.parametrize("kind", ["cobolt", "obis"])
both_clocks = pytest.mark.clocks("wall", "jumping")
jumping = pytest.mark.clocks("jumping")


@pytest.fixture
async def bench(kind: str, seed: int) -> AsyncIterator[Bench]:
    async with Bench(kind, seed).on_its_wire(seed) as running:
        yield running


@both_clocks
async def test_it_emits_what_it_is_told_and_says_so(bench: Bench) -> None:
    await bench.emit()
    now = await bench.laser.status()
    assert bench.output_uw == pytest.approx(SET_UW)
    assert now.set_uw == pytest.approx(SET_UW, abs=1)
    assert now.power_uw == pytest.approx(SET_UW, abs=6 * (1.0 + 0.002 * SET_UW))
    assert (now.ready, now.trouble) == (True, "")
    await bench.laser.switch(on=False)
    assert bench.output_uw == 0.0
    assert not (await bench.laser.status()).emitting


@both_clocks
async def test_connecting_ends_the_light(bench: Bench) -> None:
    await bench.emit()
    await bench.laser.connect()
    assert bench.output_uw == 0.0


@jumping
async def test_its_range_is_what_both_allow_and_beyond_it_nothing_is_sent(bench: Bench) -> None:
    assert bench.laser.range_uw == (50.0, 200_000.0)
    for power_uw in (50.0, 200_000.0):
        await bench.laser.set_power(power_uw)
        assert bench.unit.head.set_uw == pytest.approx(power_uw)
    before = bench.wire.log.events
    for power_uw in (49.9, 200_001.0, float("nan")):
        with pytest.raises(OutOfReach):
            await bench.laser.set_power(power_uw)
    assert bench.wire.log.events == before


@jumping
async def test_the_monitor_is_noisy_but_right(bench: Bench) -> None:
    await bench.emit()
    readings = [(await bench.laser.status()).power_uw for _ in range(100)]
    spread_uw = 1.0 + 0.002 * SET_UW
    assert len(set(readings)) > 10
    assert sum(readings) / 100 == pytest.approx(SET_UW, abs=5 * spread_uw / 10)


@jumping
async def test_a_sag_is_seen_in_its_monitor_and_behind_it(bench: Bench) -> None:
    await bench.emit()
    bench.unit.head.sag(0.6)
    assert bench.output_uw == pytest.approx(0.6 * SET_UW)
    now = await bench.laser.status()
    assert now.power_uw == pytest.approx(0.6 * SET_UW, abs=20)
    assert now.set_uw == pytest.approx(SET_UW, abs=1)


@jumping
async def test_a_slow_warm_up_is_told_apart_from_a_refusal(bench: Bench) -> None:
    bench.unit.head.slow_warm_up(100.0)
    bench.unit.power_cycle()
    await asyncio.sleep(0.5)
    await bench.reconnect()
    await bench.laser.set_power(SET_UW)
    await bench.laser.switch(on=True)
    now = await bench.laser.status()
    assert (now.emitting, now.ready, now.trouble) == (False, False, "warming up")
    assert bench.output_uw == 0.0
    await asyncio.sleep(10)
    assert (await bench.laser.status()).emitting
    assert bench.output_uw == pytest.approx(SET_UW)


@jumping
async def test_an_open_interlock_ends_the_light_until_it_is_closed_and_cleared(
    bench: Bench,
) -> None:
    await bench.emit()
    bench.unit.head.switch_interlock(closed=False)
    assert bench.output_uw == 0.0
    assert (await bench.laser.status()).trouble == "interlock open"
    with pytest.raises(DeviceRefused, match="interlock"):
        await bench.laser.switch(on=True)
    with pytest.raises(DeviceRefused, match="interlock"):
        await bench.laser.clear()
    bench.unit.head.switch_interlock(closed=True)
    assert bench.output_uw == 0.0, "closing it alone brings no light"
    await bench.laser.clear()
    await bench.emit()


@jumping
async def test_the_key_ends_the_light_and_is_named(bench: Bench) -> None:
    await bench.emit()
    bench.unit.head.turn_key(on=False)
    assert bench.output_uw == 0.0
    now = await bench.laser.status()
    assert (now.emitting, now.ready, now.trouble) == (False, False, "key switch is off")
    with pytest.raises(DeviceRefused, match="key"):
        await bench.laser.switch(on=True)
    bench.unit.head.turn_key(on=True)
    await bench.emit()


@jumping
async def test_a_trip_stays_until_it_is_cleared(bench: Bench) -> None:
    await bench.emit()
    bench.unit.head.trip()
    assert bench.output_uw == 0.0
    assert "temperature" in (await bench.laser.status()).trouble
    with pytest.raises(DeviceRefused, match="temperature"):
        await bench.laser.switch(on=True)
    await bench.laser.clear()
    await asyncio.sleep(1)  # one of the two restarts for it
    await bench.reconnect()
    await bench.emit()


async def _lost(act: Callable[[], Awaitable[object]]) -> None:
    with pytest.raises((DeviceLost, DeviceGarbled)):
        await act()


@both_clocks
async def test_a_cut_cable_loses_it_and_a_replug_brings_it_back(bench: Bench) -> None:
    await bench.emit()
    with bench.wire.broken():
        await asyncio.sleep(0.02)  # a write before the loop has seen the hang-up is complained of
        await _lost(bench.laser.status)
        assert bench.output_uw == pytest.approx(SET_UW), "only the board's lease ends this light"
    await bench.reconnect()
    await bench.emit()


@both_clocks
async def test_after_a_power_cycle_it_is_dark_or_was_until_connecting(bench: Bench) -> None:
    await bench.emit()
    bench.unit.power_cycle()
    assert bench.output_uw == 0.0
    await _lost(bench.laser.status)
    await bench.reconnect()
    assert bench.output_uw == 0.0
    assert not (await bench.laser.status()).emitting
    await bench.emit()
    assert bench.output_uw == pytest.approx(SET_UW)


@jumping
async def test_without_power_it_is_lost_and_dark(bench: Bench) -> None:
    await bench.emit()
    bench.unit.power_off()
    assert bench.output_uw == 0.0
    await _lost(bench.laser.status)
    bench.unit.power_on()
    await bench.reconnect()
    await bench.emit()


@jumping
async def test_a_frozen_laser_is_lost_within_its_time_limit(bench: Bench) -> None:
    bench.unit.frozen = True
    asked_s = asyncio.get_running_loop().time()
    await _lost(bench.laser.status)
    assert asyncio.get_running_loop().time() - asked_s == pytest.approx(0.2)


@both_clocks
async def test_a_late_answer_is_never_taken_for_the_next(bench: Bench) -> None:
    await bench.emit()
    for _ in range(3):
        bench.wire.hold_next_answer(0.3)
        await _lost(bench.laser.status)
        await bench.reconnect()
        now = await bench.laser.status()
        assert (now.emitting, now.trouble) == (False, "")
        assert now.set_uw == pytest.approx(SET_UW, abs=1)


@both_clocks
async def test_a_noisy_line_costs_reconnections_and_gives_no_light(bench: Bench) -> None:
    """There is no checksum: what is read may be wrong, what is asked for may be refused."""
    noticed = 0
    with bench.wire.troubled(garble=0.004, drop=0.004):
        for _ in range(30):
            try:
                await bench.laser.status()
            except (DeviceLost, DeviceGarbled, DeviceRefused):
                noticed += 1
                await bench.reconnect()
    await bench.reconnect()
    assert noticed > 0
    assert bench.output_uw == 0.0
    await bench.emit()


@jumping
async def test_a_cancelled_question_leaves_the_link_in_step(bench: Bench) -> None:
    await bench.emit()
    for delay_s in (0.0, 0.0005, 0.001, 0.002):
        asking = asyncio.create_task(bench.laser.status())
        await asyncio.sleep(delay_s)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert (await bench.laser.status()).set_uw == pytest.approx(SET_UW, abs=1)


@jumping
async def test_a_stranger_on_the_line_is_not_taken_for_a_laser(kind: str, seed: int) -> None:
    other = "obis" if kind == "cobolt" else "cobolt"
    bench = Bench(other, seed)
    async with plugged_in("laser", bench.unit, seed) as (_wire, opener):
        laser = DRIVERS[kind](opener, PATIENCE)
        await asyncio.sleep(1)
        with pytest.raises(DeviceLost, match="cannot be reached"):
            await laser.connect()
        await laser.aclose()
