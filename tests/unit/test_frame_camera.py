"""The camera driver against the emulated frame server, on memory and on TCP."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from hil.emulators.camera_model import Made
from optics.faults import (
    DeviceFault,
    DeviceGarbled,
    DeviceLost,
    DeviceStuck,
    OutOfReach,
)
from optics.frame_camera import CameraSettings, FrameCamera, Region
from tests.unit.camera_bench import SMALL, Bench, camera_bench

pytestmark = pytest.mark.clocks("jumping", "wall")


@pytest.fixture
async def bench(seed: int) -> AsyncIterator[Bench]:
    async with camera_bench(seed) as bench:
        yield bench


async def reconnected(camera: FrameCamera) -> None:
    """As the supervisor does it: again and again."""
    while True:
        try:
            await camera.connect()
        except DeviceFault:
            continue
        return


async def test_who_answers_and_its_shape(bench: Bench) -> None:
    identity = await bench.camera.connect()
    assert identity == ("gansource", "FS-512", "0001", "1.0")
    assert bench.camera.sensor == (64, 48, 12)


async def test_a_frame_is_what_the_sensor_saw_after_the_call(bench: Bench) -> None:
    loop = asyncio.get_running_loop()
    for exposure_s, gain in ((0.02, 1.0), (0.005, 4.0)):
        asked_s = loop.time()
        frame = await bench.camera.frame(exposure_s, gain)
        assert np.array_equal(frame.pixels, bench.light.picture(exposure_s, gain))
        assert frame.exposure_s == pytest.approx(exposure_s)
        assert frame.gain == gain
        began_s = bench.light.began_s[-1]
        assert asked_s <= began_s
        # Told as an age, so never earlier than the truth, and late by the way it took.
        assert began_s - 2e-6 <= frame.began_s <= loop.time() - exposure_s


async def test_what_cannot_be_exposed_is_not_sent(bench: Bench) -> None:
    for exposure_s, gain in ((1e-6, 1.0), (100.0, 1.0), (0.01, 0.5), (float("nan"), 1.0)):
        with pytest.raises(OutOfReach):
            await bench.camera.frame(exposure_s, gain)
    assert bench.light.began_s == []


@pytest.mark.parametrize("pixel_format", ["Mono8", "Mono12p", "Mono16"])
async def test_every_format_and_a_region_give_the_same_counts(seed: int, pixel_format: str) -> None:
    bits = int(pixel_format[4:].rstrip("p"))
    model = SMALL._replace(format=pixel_format, bits=bits)
    region = Region(x=5, y=7, width=33, height=3)
    async with camera_bench(seed, model, CameraSettings(region=region)) as bench:
        frame = await bench.camera.frame(0.01)
        whole = bench.light.picture(0.01, 1.0)
        assert np.array_equal(frame.pixels, whole[7:10, 5:38])


async def test_a_run_gives_every_frame_once_and_in_order(bench: Bench) -> None:
    await bench.camera.start(0.002, 1.0, rate_hz=50.0)
    frames = [await bench.camera.next_frame(within_s=2.0) for _ in range(20)]
    await bench.camera.stop()
    assert [frame.number for frame in frames] == list(range(1, 21))


async def test_a_frame_after_a_run_is_none_of_the_run(bench: Bench) -> None:
    await bench.camera.start(0.002, 1.0, rate_hz=100.0)
    await bench.camera.next_frame(within_s=2.0)
    asked_s = asyncio.get_running_loop().time()
    frame = await bench.camera.frame(0.01)
    assert frame.exposure_s == pytest.approx(0.01)
    assert frame.began_s >= asked_s - 2e-6


async def test_an_external_trigger_is_waited_for(seed: int) -> None:
    async with camera_bench(seed, settings=CameraSettings(trigger="external")) as bench:
        asking = asyncio.create_task(bench.camera.frame(0.01))
        await asyncio.sleep(0.1)
        assert bench.light.began_s == []
        pulsed_s = asyncio.get_running_loop().time()
        bench.emulator.pulse()
        assert (await asking).began_s >= pulsed_s - 2e-6


async def test_a_camera_that_runs_freely_begins_after_the_call(seed: int) -> None:
    async with camera_bench(seed, settings=CameraSettings(trigger="off")) as bench:
        asked_s = asyncio.get_running_loop().time()
        frame = await bench.camera.frame(0.01)
        assert frame.began_s >= asked_s


async def test_an_incomplete_frame_is_asked_for_again(bench: Bench) -> None:
    sensor, expose = bench.emulator.sensor, bench.light.expose
    sensor.tearing = 1.0

    def whole_from_the_second_on(start_s: float, exposure_s: float, gain: float) -> Made:
        sensor.tearing = float(sensor.number < 2)
        return expose(start_s, exposure_s, gain)

    sensor.expose = whole_from_the_second_on
    assert (await bench.camera.frame(0.001)).number == 2
    sensor.expose = expose
    sensor.tearing = 1.0
    with pytest.raises(DeviceStuck, match="incomplete"):
        await bench.camera.frame(0.001)


async def test_dropped_frames_leave_a_gap_in_the_numbers(bench: Bench) -> None:
    bench.emulator.sensor.dropping = 0.5
    await bench.camera.start(0.002, 1.0, rate_hz=100.0)
    numbers = [(await bench.camera.next_frame(within_s=5.0)).number for _ in range(8)]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] > 8


async def test_a_dark_and_an_overexposed_sensor_are_seen(bench: Bench) -> None:
    bench.emulator.sensor.dark = True
    assert (await bench.camera.frame(0.01)).pixels.max() == 100
    bench.emulator.sensor.dark, bench.emulator.sensor.overexposed = False, 200.0
    assert (await bench.camera.frame(0.01)).pixels.max() == 4095


async def test_a_frozen_camera_is_lost_and_comes_back(bench: Bench) -> None:
    bench.emulator.frozen = True
    with pytest.raises(DeviceLost, match="no answer"):
        await bench.camera.frame(0.01)
    bench.emulator.frozen = False
    await reconnected(bench.camera)
    await bench.camera.frame(0.01)


async def test_a_power_cycle_is_noticed_even_though_the_wire_holds(bench: Bench) -> None:
    await bench.camera.frame(0.01)
    bench.emulator.power_cycle()
    await asyncio.sleep(0.3)
    with pytest.raises(DeviceLost, match="greet first"):
        await bench.camera.frame(0.01)
    await reconnected(bench.camera)
    assert (await bench.camera.frame(0.01)).number == 1


async def test_a_cut_in_the_middle_of_a_frame_is_told_at_once_and_healed(bench: Bench) -> None:
    asking = asyncio.create_task(bench.camera.frame(0.2))
    await asyncio.sleep(0.1)
    with bench.wire.broken() as cut_s:
        with pytest.raises(DeviceLost, match="wire is gone"):
            await asking
        told_s = asyncio.get_running_loop().time()
        assert told_s - cut_s < 0.4
        with pytest.raises(DeviceLost):
            await bench.camera.connect()
    await reconnected(bench.camera)
    assert (await bench.camera.frame(0.01)).pixels.shape == (48, 64)


async def test_a_late_answer_is_lost_and_never_given_to_the_next(bench: Bench) -> None:
    bench.wire.hold_next_answer(1.5)
    with pytest.raises(DeviceLost, match="no answer"):
        await bench.camera.frame(0.02)
    await reconnected(bench.camera)
    assert (await bench.camera.frame(0.04)).exposure_s == pytest.approx(0.04)


async def test_a_cancelled_caller_does_not_shift_the_frames(bench: Bench) -> None:
    for exposure_s in (0.01, 0.02, 0.03):
        given_up = asyncio.create_task(bench.camera.frame(0.05))
        await asyncio.sleep(0.02)
        given_up.cancel()
        assert (await bench.camera.frame(exposure_s)).exposure_s == pytest.approx(exposure_s)


@pytest.mark.parametrize("worn", [{"garble": 2e-4}, {"drop": 2e-4}])
async def test_no_damaged_frame_is_ever_given(bench: Bench, worn: dict[str, float]) -> None:
    """One byte in 5000: most frames suffer; each is right or a fault."""
    right = faults = 0
    expected = bench.light.picture(0.002, 1.0)
    with bench.wire.troubled(**worn):
        while right < 3 or faults < 3:
            try:
                frame = await bench.camera.frame(0.002)
            except (DeviceLost, DeviceGarbled):
                faults += 1
                await reconnected(bench.camera)
            else:
                right += 1
                assert np.array_equal(frame.pixels, expected)
