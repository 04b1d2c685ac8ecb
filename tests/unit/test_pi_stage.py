"""The PI stage driver against the emulator, over a wire in memory."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from hil.emulators.pi_gcs import PiGcs
from hil.emulators.pi_gcs_models import C867, E727, Model
from hil.eventlog import EventLog
from hil.ports import MemoryPort
from hil.wires import Manners, Wire
from optics.faults import DeviceLost, DeviceRefused, DeviceStuck, OutOfReach
from optics.link import Patience
from optics.pi_stage import PiStage, PiStageSettings
from optics.quantities import StageBox, StagePoint
from optics.transports import memory_opener

pytestmark = pytest.mark.clocks("jumping")

TRAVEL = StageBox(StagePoint(0, 0, 0), StagePoint(150, 150, 150))


class Bench:
    """An emulated stage and the driver that is plugged into it."""

    def __init__(
        self, model: Model, seed: int, axes: tuple[str, str, str], settled_within_um: float = 0.05
    ) -> None:
        clock = asyncio.get_running_loop().time
        self.port = MemoryPort("stage")
        self.emulator = PiGcs(model, clock, seed)
        self.wire = Wire("stage", self.port, self.emulator, seed, Manners(), EventLog(clock))
        settings = PiStageSettings(axes, TRAVEL, settled_within_um=settled_within_um)
        self.stage = PiStage(memory_opener(self.port.connect), settings, Patience())

    def place(self) -> StagePoint:
        return StagePoint(*self.emulator.true_position_um())


@pytest.fixture
async def bench(seed: int) -> AsyncIterator[Bench]:
    bench = Bench(E727, seed, ("1", "2", "3"))
    await bench.port.open()
    await bench.stage.connect()
    yield bench
    await bench.stage.aclose()
    bench.wire.close()


async def test_who_answers_is_told_and_the_travel_is_what_both_allow(bench: Bench) -> None:
    identity = await bench.stage.connect()
    assert identity.model == "E-727"
    assert identity.maker.endswith("GmbH & Co. KG")
    assert bench.stage.travel == TRAVEL


async def test_a_move_ends_there_by_the_worlds_truth(bench: Bench) -> None:
    target = StagePoint(12.3456, 100.0, 0.001)
    await bench.stage.move_to(target)
    assert bench.place() == pytest.approx(target, abs=0.02)
    assert await bench.stage.position() == pytest.approx(target, abs=0.02)


@pytest.mark.parametrize("z_um", [-0.001, 150.001, float("nan")])
async def test_beyond_the_travel_nothing_is_sent(bench: Bench, z_um: float) -> None:
    before = bench.wire.log.events
    with pytest.raises(OutOfReach):
        await bench.stage.move_to(StagePoint(10, 10, z_um))
    assert bench.wire.log.events == before


async def test_a_stop_ends_the_move_where_it_is_and_leaves_no_error_behind(bench: Bench) -> None:
    moving = asyncio.create_task(bench.stage.move_to(StagePoint(150, 150, 150)))
    await asyncio.sleep(0.004)
    await bench.stage.halt()
    with pytest.raises((DeviceStuck, DeviceRefused)):
        await moving
    assert bench.place() != pytest.approx((150, 150, 150), abs=1.0)
    await bench.stage.move_to(StagePoint(5, 5, 5))


async def test_a_stuck_axis_is_told_from_one_that_moves(bench: Bench) -> None:
    bench.emulator.stick("3")
    with pytest.raises(DeviceStuck, match="not at"):
        await bench.stage.move_to(StagePoint(20, 20, 20))


async def test_a_frozen_controller_is_lost_within_its_time_limit(bench: Bench) -> None:
    bench.emulator.frozen = True
    asked_s = asyncio.get_running_loop().time()
    with pytest.raises(DeviceLost):
        await bench.stage.position()
    assert asyncio.get_running_loop().time() - asked_s == pytest.approx(Patience().reply_s)


async def test_after_a_power_cycle_connecting_takes_it_into_service_again(bench: Bench) -> None:
    with bench.wire.broken():
        bench.emulator.power_cycle()
        with pytest.raises(DeviceLost):
            await bench.stage.position()
    async with asyncio.timeout(60):
        while True:
            try:
                await bench.stage.connect()
                break
            except DeviceLost:
                continue
    await bench.stage.move_to(StagePoint(30, 30, 30))
    assert bench.place() == pytest.approx((30, 30, 30), abs=0.02)


async def test_a_motor_controller_is_spoken_to_in_millimetres_and_finds_its_zero(seed: int) -> None:
    axes = tuple(replace(C867.axes[0], name=name) for name in ("1", "2", "3"))
    bench = Bench(replace(C867, axes=axes), seed, ("1", "2", "3"), settled_within_um=1.0)
    await bench.port.open()
    await bench.stage.connect()
    with pytest.raises(DeviceRefused, match="GCS error 5"):
        await bench.stage.move_to(StagePoint(1, 2, 3))
    assert await bench.stage.reference()
    assert not await bench.stage.reference(), "once is enough"
    await bench.stage.move_to(StagePoint(100, 20, 3))
    assert bench.place() == pytest.approx((100, 20, 3), abs=0.6)
    await bench.stage.aclose()
    bench.wire.close()


async def test_garbled_names_of_axes_are_none_of_its_axes(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive = bench.emulator.receive

    def worn(data: bytes) -> bytes:
        return receive(data).replace(b"1 \n2", b"\x9f \n2")

    monkeypatch.setattr(bench.emulator, "receive", worn)
    with pytest.raises(DeviceRefused, match="has axes"):
        await bench.stage.connect()


async def test_axes_that_are_not_there_are_refused(seed: int) -> None:
    bench = Bench(E727, seed, ("1", "2", "7"))
    await bench.port.open()
    with pytest.raises(DeviceRefused, match="7"):
        await bench.stage.connect()
    await bench.stage.aclose()
    bench.wire.close()
