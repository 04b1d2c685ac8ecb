"""The keeper of the light on the real driver, wire and firmware; the world says what is lit."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest

from controller.lease_keeper import LATE, LOST, LeaseKeeper
from optics.faults import DeviceFault, DeviceLost, DeviceRefused
from tests.unit.board_bench import SETTINGS, Bench

pytestmark = pytest.mark.clocks("jumping")


class Kept(Bench):
    """A board whose light somebody keeps."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.keeper = LeaseKeeper(self.board, SETTINGS.lease_s)


@pytest.fixture
async def bench(seed: int) -> AsyncIterator[Kept]:
    bench = Kept(seed)
    await bench.start()
    await bench.board.connect()
    yield bench
    with contextlib.suppress(DeviceFault):
        await bench.keeper.darken()
    await bench.stop()


async def test_it_is_lit_from_asked_for_to_given_back(bench: Kept) -> None:
    keeper = bench.keeper
    await keeper.light()
    await keeper.light()
    begun_s = bench.emulator.world.laser_changed_s
    await asyncio.sleep(60)
    assert (keeper.lit, bench.lit()) == (True, True)
    assert bench.emulator.world.laser_changed_s == begun_s
    await keeper.darken()
    assert (keeper.lit, bench.lit()) == (False, False)
    assert keeper.ended is None
    await asyncio.sleep(1)
    assert not bench.lit()


async def test_darkening_twice_and_in_the_dark_does_no_harm(bench: Kept) -> None:
    for _ in range(2):
        await bench.keeper.darken()
    await bench.keeper.light()
    for _ in range(2):
        await bench.keeper.darken()
    assert not bench.lit()


async def worked(bench: Kept, trouble: Callable[[Kept], None]) -> None:
    """Something that needs light, in the middle of which there is trouble."""
    async with bench.keeper.guarded():
        await asyncio.sleep(1)
        trouble(bench)
        await asyncio.sleep(10)
        pytest.fail("nobody ended this")


def open_door(bench: Kept) -> None:
    bench.emulator.set_interlock(closed=False)


def heat(bench: Kept) -> None:
    bench.emulator.world.temperatures_c[0] = 70.0


def freeze(bench: Kept) -> None:
    bench.emulator.frozen = True


def cut(bench: Kept) -> None:
    bench.wire.cut()


ENDS = [
    (open_door, "INTERLOCK", DeviceRefused),
    (heat, "TEMPERATURE", DeviceRefused),
    (freeze, LOST, DeviceLost),
    (cut, LOST, DeviceLost),
]


@pytest.mark.parametrize(("trouble", "reason", "kind"), ENDS)
async def test_an_end_that_nobody_asked_for_is_noticed_told_and_kept(
    bench: Kept, trouble: Callable[[Kept], None], reason: str, kind: type[DeviceFault]
) -> None:
    keeper = bench.keeper
    await keeper.light()
    begun_s = asyncio.get_running_loop().time()
    with pytest.raises(kind):
        await worked(bench, trouble)
    assert keeper.ended
    assert keeper.ended.reason == reason
    assert 1.0 < keeper.ended.noticed_s - begun_s < 2.2
    assert not keeper.lit
    await asyncio.sleep(0.3)
    assert not bench.lit()


async def test_nothing_is_lit_again_before_somebody_owns_up(bench: Kept) -> None:
    keeper = bench.keeper
    await keeper.light()
    open_door(bench)
    await asyncio.sleep(0.2)
    bench.emulator.set_interlock(closed=True)
    await asyncio.sleep(5)
    for _ in range(2):
        with pytest.raises(DeviceRefused, match="INTERLOCK"):
            await keeper.light()
        await keeper.darken()  # as every way to safety does; it owns up to nothing
    with pytest.raises(DeviceRefused):
        async with keeper.guarded():
            pytest.fail("nothing is lit")
    assert not bench.lit()
    keeper.acknowledge()
    await asyncio.sleep(1)
    assert not bench.lit()
    await keeper.light()
    assert bench.lit()


async def test_an_open_door_refuses_at_once_and_is_no_end(bench: Kept) -> None:
    open_door(bench)
    with pytest.raises(DeviceRefused, match="interlock"):
        await bench.keeper.light()
    assert not bench.keeper.lit
    assert bench.keeper.ended is None


async def test_a_loop_that_comes_late_gives_the_light_back(
    bench: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper, loop = bench.keeper, asyncio.get_running_loop()
    await keeper.light()
    await asyncio.sleep(0.19)
    told_s, by_s = loop.time, 0.0
    monkeypatch.setattr(loop, "time", lambda: told_s() + by_s)
    by_s = 0.12  # everything that is due comes so much later than it should
    await asyncio.sleep(0.1)
    assert keeper.ended
    assert keeper.ended.reason == LATE
    assert not bench.lit()
    with pytest.raises(DeviceRefused, match="acknowledged"):
        await keeper.light()


async def test_darkness_overtakes_a_light_that_is_on_its_way(bench: Kept) -> None:
    bench.wire.hold_next_answer(for_s=0.1)
    lighting = asyncio.create_task(bench.keeper.light())
    await asyncio.sleep(0.01)
    await bench.keeper.darken()
    await lighting
    assert not bench.keeper.lit
    await asyncio.sleep(1)
    assert not bench.lit()


async def impatient(bench: Kept) -> None:
    async with bench.keeper.guarded(), asyncio.timeout(0.1):
        await asyncio.sleep(1)


async def test_what_the_body_does_itself_is_left_alone(bench: Kept) -> None:
    await bench.keeper.light()
    with pytest.raises(TimeoutError):
        await impatient(bench)
    async with bench.keeper.guarded():
        await asyncio.sleep(1)
        assert bench.lit()
        await bench.keeper.darken()
        await asyncio.sleep(1)
        await bench.keeper.light()
    assert bench.lit()


async def test_a_defect_of_ours_is_not_overlooked(
    bench: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.keeper.light()

    def broken(bench: Kept) -> None:
        monkeypatch.setattr(bench.board, "renew", None)

    with pytest.raises(TimeoutError):
        await worked(bench, broken)
    with pytest.raises(TypeError):
        await bench.keeper.darken()
    assert not bench.lit()
