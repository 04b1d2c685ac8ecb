"""The controller on its stand: killed, crashed, started again; its disk and its clock."""

import asyncio
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import hil.stand
from controller.application import Whereabouts
from hil.determinism import wall
from hil.hosts import MemoryHost
from hil.mischief import NotHere
from hil.rig import MemoryRig
from hil.stand import RESTART_S, Stand
from hil.wires import Manners
from tests.rig.bench import STAGE_ALONE

pytestmark = pytest.mark.clocks("jumping")
SOON_S = 10.0


class Bench:
    """A rig, the stand upon it, and a host of the controller."""

    def __init__(self, rig: MemoryRig, data: Path) -> None:
        self.rig, self.host = rig, MemoryHost(rig.scpi_port)
        self.stand = Stand(rig, data, lambda: rig.config(-1, **STAGE_ALONE))

    async def answers(self) -> str:
        """Who it is, once it says so."""
        async with asyncio.timeout(SOON_S):
            while not self.rig.scpi_port.connected:
                await asyncio.sleep(0.01)
            return await self.host.ask("*IDN?")


@asynccontextmanager
async def benched(data: Path, seed: int) -> AsyncIterator[Bench]:
    async with MemoryRig(seed, Manners()) as rig:
        bench = Bench(rig, data)
        await bench.stand.start()
        yield bench
        await bench.stand.aclose()


@pytest.fixture
async def bench(tmp_path: Path, seed: int) -> AsyncIterator[Bench]:
    async with benched(tmp_path, seed) as running:
        yield running


async def crashes(*_words: object) -> Whereabouts:
    raise ZeroDivisionError("a defect")


async def test_a_killed_controller_says_nothing_more_to_any_device(bench: Bench) -> None:
    """Not even in dying; and to no host."""
    await bench.answers()
    events = bench.rig.log.events
    bench.stand.kill()
    await asyncio.sleep(SOON_S)
    assert not bench.stand.alive
    assert bench.rig.log.events == events
    assert not bench.rig.scpi_port.connected


async def test_it_comes_back_once_nothing_keeps_it_down(bench: Bench) -> None:
    """Two troubles may kill it at once; the judge is told when the last has ended."""
    restarted = list[float]()
    bench.stand.restarted = restarted.append
    await bench.answers()
    bench.stand.kill()
    bench.stand.kill()
    bench.stand.revive()
    await asyncio.sleep(SOON_S)
    assert not bench.stand.alive
    revived_s = bench.rig.clock()
    bench.stand.revive()
    await asyncio.sleep(RESTART_S / 2)
    assert not bench.stand.alive
    assert "gansource" in await bench.answers()
    assert restarted == [revived_s]
    assert bench.stand.crashes == []


async def test_a_crash_is_kept_and_restarted_as_the_service_manager_does(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.answers()

    with monkeypatch.context() as patched:
        patched.setattr(hil.stand, "serve", crashes)
        bench.stand.kill()
        bench.stand.revive()
        await asyncio.sleep(2.5 * RESTART_S)
    assert bench.stand.crashes == ["ZeroDivisionError: a defect"] * 2
    assert "gansource" in await bench.answers()


async def test_what_keeps_it_from_starting_is_raised(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hil.stand, "serve", crashes)
    async with MemoryRig(seed, Manners()) as rig:
        stand = Bench(rig, tmp_path).stand
        with pytest.raises(ZeroDivisionError):
            await stand.start()
        await stand.aclose()


async def test_a_full_disk_is_a_limit_on_files_of_this_process_and_is_lifted(
    bench: Bench, tmp_path: Path
) -> None:
    """However many troubles have filled it."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    for filled in (1, 2):
        bench.stand.fill_disk(full=True)
        assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == 1, filled
    bench.stand.fill_disk(full=False)
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == 1
    bench.stand.fill_disk(full=False)
    assert resource.getrlimit(resource.RLIMIT_FSIZE) == before


async def test_the_wall_clock_jumps_only_where_it_is_ours(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NotHere):
        bench.stand.shift_clock(-3600.0)
    monkeypatch.setattr(wall, "sealed", True)
    monkeypatch.setattr(wall, "ahead_s", 0.0)
    bench.stand.shift_clock(-3600.0)
    bench.stand.shift_clock(600.0)
    assert wall.ahead_s == -3000.0
