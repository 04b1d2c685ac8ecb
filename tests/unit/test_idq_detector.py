"""The time tagger's driver against its emulator: every click, and what is done to its cables."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import numpy as np
import pytest

from optics.faults import DeviceGarbled, DeviceLost, DeviceRefused, DeviceStuck
from optics.quantities import TagRun
from tests.tagger_bench import Bench

both_clocks = pytest.mark.clocks("wall", "jumping")
jumping = pytest.mark.clocks("jumping")


@pytest.fixture
async def bench(seed: int) -> AsyncIterator[Bench]:
    bench = Bench()
    async with bench.on_its_wires(seed):
        yield bench


def complete(run: TagRun, bench: Bench) -> bool:
    """Whether each channel has all its clicks, in step, and the two are as far apart as made."""
    period_ps = bench.clicks.period_ps
    first, second = (run.time_ps[run.channel == channel] for channel in (0, 1))
    return (
        set(np.diff(first)) == set(np.diff(second)) == {period_ps}
        and abs(len(first) * period_ps - run.counted_s * 1e12) <= period_ps
        and (second[0] - first[0]) % period_ps == 777
        and bool((np.diff(run.time_ps) >= 0).all())
    )


@both_clocks
async def test_every_click_of_a_run_arrives_in_order(bench: Bench) -> None:
    for for_s in (0.2, 0.1234):
        run = await bench.tagger.tags(for_s)
        assert complete(run, bench)
        assert (run.counted_s, run.lost) == (for_s, 0)
        assert run.time_ps.dtype == np.int64
        assert run.channel.dtype == np.uint8


@both_clocks
async def test_rates_are_those_of_the_last_whole_second(bench: Bench) -> None:
    await asyncio.sleep(2.1)
    assert await bench.tagger.rates_cps() == pytest.approx((20_000, 20_000), abs=1)


@jumping
async def test_a_dead_detector_counts_nothing_and_the_other_goes_on(bench: Bench) -> None:
    bench.unit.unplugged.add(2)
    await asyncio.sleep(2.1)
    assert await bench.tagger.rates_cps() == pytest.approx((20_000, 0), abs=1)
    run = await bench.tagger.tags(0.1)
    assert set(run.channel) == {0}
    bench.unit.unplugged.clear()
    assert complete(await bench.tagger.tags(0.1), bench)


@jumping
async def test_what_the_device_could_not_pass_on_is_owned_up_to(bench: Bench) -> None:
    bench.unit.most_cps = 30_000
    run = await bench.tagger.tags(1.0)
    assert run.lost == pytest.approx(10_000, rel=0.01)
    assert len(run.time_ps) + run.lost == pytest.approx(40_000, abs=2)
    bench.unit.most_cps = 10e6
    assert (await bench.tagger.tags(0.5)).lost == 0


@jumping
async def test_a_dark_run_is_empty_and_no_fault(bench: Bench) -> None:
    bench.unit.unplugged |= {1, 2}
    run = await bench.tagger.tags(0.5)
    assert (len(run.time_ps), run.lost) == (0, 0)


async def _lost(act: Callable[[], Awaitable[object]]) -> None:
    with pytest.raises((DeviceLost, DeviceStuck, DeviceGarbled)):
        await act()


@both_clocks
@pytest.mark.parametrize("which", [0, 1, 2, 3])
async def test_a_cut_cable_ends_the_run_and_a_replug_heals_it(bench: Bench, which: int) -> None:
    running = asyncio.create_task(bench.tagger.tags(1.0))
    await asyncio.sleep(0.3)
    with bench.wires[which].broken():
        await _lost(lambda: running)
    await bench.reconnect()
    assert complete(await bench.tagger.tags(0.1), bench)


@both_clocks
async def test_a_power_cycle_in_a_run_is_a_lost_device(bench: Bench) -> None:
    running = asyncio.create_task(bench.tagger.tags(3.0))
    await asyncio.sleep(0.3)
    began_s = asyncio.get_running_loop().time()
    bench.unit.power_cycle()
    await _lost(lambda: running)
    assert asyncio.get_running_loop().time() - began_s < 2.0, "not only at the run's end"


@jumping
async def test_after_a_power_cycle_connecting_sets_it_up_again(bench: Bench) -> None:
    bench.unit.power_cycle()
    await _lost(lambda: bench.tagger.tags(0.1))
    await bench.reconnect()
    assert complete(await bench.tagger.tags(0.1), bench)
    await asyncio.sleep(2.1)
    assert await bench.tagger.rates_cps() == pytest.approx((20_000, 20_000), abs=1)


@jumping
async def test_a_frozen_device_is_lost_within_a_look(bench: Bench) -> None:
    running = asyncio.create_task(bench.tagger.tags(10.0))
    await asyncio.sleep(0.2)
    began_s = asyncio.get_running_loop().time()
    bench.unit.frozen = True
    await _lost(lambda: running)
    assert asyncio.get_running_loop().time() - began_s < 1.0


@both_clocks
async def test_a_late_answer_is_never_taken_for_the_next(bench: Bench) -> None:
    await asyncio.sleep(2.1)
    for _ in range(3):
        bench.wires[0].hold_next_answer(0.4)
        await _lost(bench.tagger.rates_cps)
        await bench.reconnect()
        assert await bench.tagger.rates_cps() == pytest.approx((20_000, 20_000), abs=1)


@jumping
async def test_garbage_is_noticed_or_harmless(bench: Bench) -> None:
    """Words that were hit do not rise, or lie outside the run; the frames around them break."""
    outcomes = []
    for wire in bench.wires:
        with wire.troubled(garble=0.0005):
            for _ in range(3):
                try:
                    outcomes.append(complete(await bench.tagger.tags(0.1), bench))
                except (DeviceLost, DeviceStuck, DeviceGarbled, DeviceRefused):
                    outcomes.append(False)
                    await bench.reconnect()
    await bench.reconnect()
    assert False in outcomes, "the trouble was never felt"
    assert complete(await bench.tagger.tags(0.1), bench)


@jumping
async def test_a_run_that_was_given_up_leaves_nothing_behind(bench: Bench) -> None:
    running = asyncio.create_task(bench.tagger.tags(5.0))
    await asyncio.sleep(0.3)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    run = await bench.tagger.tags(0.1)
    assert complete(run, bench)
    assert run.lost == 0


@jumping
async def test_a_cancelled_question_leaves_the_link_in_step(bench: Bench) -> None:
    await asyncio.sleep(2.1)
    bench.unit.unplugged.add(2)
    for delay_s in (0.0, 0.0005, 0.001, 0.002):
        asking = asyncio.create_task(bench.tagger.rates_cps())
        await asyncio.sleep(delay_s)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert await bench.tagger.rates_cps() == pytest.approx((20_000, 0), abs=1)
